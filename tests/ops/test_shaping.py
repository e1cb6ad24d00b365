"""Shapes and choices beyond the table of cases: views, orders in memory, errors."""

import cProfile

import numpy as np
import pytest

import minigrad as mg
from minigrad import Tensor, gradients


@pytest.mark.parametrize(
    "view",
    [
        lambda x: mg.reshape(x, (3, 2, 4)),
        lambda x: mg.reshape(x, -1),
        lambda x: mg.transpose(x),
        lambda x: mg.transpose(x, (1, 0, 2)),
        lambda x: mg.swapaxes(x, 0, -1),
        lambda x: mg.moveaxis(x, 0, -1),
        lambda x: mg.expand_dims(x, (0, 2)),
        lambda x: mg.squeeze(mg.expand_dims(x, 0)),
        lambda x: mg.broadcast_to(x, (5, 2, 3, 4)),
        lambda x: mg.flip(x, 1),
        lambda x: mg.diagonal(x),
        lambda x: mg.split(x, 2)[1],
        lambda x: x[:, 1:, None, ::2],
        lambda x: x.T,
        lambda x: x[...],
    ],
)
def test_no_copy_where_numpy_makes_none(view):
    x = Tensor(np.zeros((2, 3, 4)), requires_grad=True)
    assert np.shares_memory(view(x).data, x.data)


def test_the_gradient_of_reshape_keeps_the_memory_order_of_its_input():
    x = Tensor(np.zeros((2, 4, 5, 3)).transpose(0, 3, 1, 2), requires_grad=True)  # channels last
    rule = mg.reshape.rule(0)
    g = rule(np.arange(120.0).reshape(2, 60), None, x.data, (2, 60))
    assert g.transpose(0, 2, 3, 1).flags.c_contiguous
    np.testing.assert_array_equal(g.reshape(2, 60), np.arange(120.0).reshape(2, 60))


def test_pad_keeps_channels_last():
    x = np.zeros((2, 4, 5, 3)).transpose(0, 3, 1, 2)
    assert mg.pad(x, ((0, 0), (0, 0), (1, 1), (1, 1))).transpose(0, 2, 3, 1).flags.c_contiguous


@pytest.mark.parametrize(
    "index",
    [[0, 0, 2], np.array([0, 0, 2]), ([0, 0, 2],), ((0, 0, 2),), range(0, 1), np.array([[0], [0]])],
    ids=repr,
)
def test_what_is_read_twice_adds_up(index):
    x = Tensor(np.array([1.0, 2.0, 3.0]), requires_grad=True)
    expected = np.zeros(3)
    np.add.at(expected, index, 1)
    y = x[index]
    assert gradients(y, [x], np.ones(y.shape))[0].tolist() == expected.tolist()


@pytest.mark.parametrize(
    ("call", "reason"),
    [
        (lambda x: mg.pad(x, 1, mode="edge"), "edge"),
        (lambda x: mg.pad(x, 1, constant_values=(0, 1)), "constant_values"),
        (lambda x: mg.pad(x, -1), "slice x"),
        (lambda x: mg.split(x, 4), "equal sections"),
        (lambda x: mg.split(x, 0), "equal sections"),
        (lambda x: mg.reshape(x, (2, 2)), "reshape"),
        (lambda x: mg.concatenate([x, x[0]]), "dimensions"),
        (lambda x: mg.stack([x, x[:2]], axis=1), "dimensions"),
        (lambda x: mg.squeeze(x, 0), "squeeze"),
        (lambda x: mg.take_along_axis(x, np.array([0]), 1), "axes"),
        (lambda x: mg.tensordot(x, np.ones((1, 3)), 1), "differ"),
        (lambda x: mg.einsum("ij,jk", x), "operands|subscripts"),
        (lambda x: mg.einsum("...i->i", x), "ellipsis|broadcast"),
        (lambda x: mg.embedding(np.array([3]), x), "0 to 2"),
        (lambda x: mg.embedding(np.array([-1]), x), "0 to 2"),
        (
            lambda x: mg.scaled_dot_product_attention(x, x, x, np.ones((3, 3)), is_causal=True),
            "both",
        ),
        (lambda x: mg.dropout(x, 1.0), "probability"),
    ],
)
def test_what_does_not_fit_raises(call, reason):
    with pytest.raises(ValueError, match=reason):
        call(np.zeros((3, 3)))


def test_embedding_of_floats_raises():
    with pytest.raises(TypeError, match="integers"):
        mg.embedding(np.array([0.0]), np.zeros((3, 3)))


@pytest.mark.parametrize(
    ("call", "reason"),
    [
        (lambda x, c: mg.where(c, x, 0), "where takes argument 0 as a constant"),
    ],
)
def test_a_missing_rule_names_the_operation_and_the_argument(call, reason):
    x, c = (Tensor(np.array(1.0), requires_grad=True) for _ in range(2))
    with pytest.raises(TypeError, match=f"{reason}: .*detach"):
        gradients(call(x, c), [x, c])
    assert gradients(call(x, c.detach()), [x]) == [1]


@pytest.mark.parametrize("bound", [lambda v: v, Tensor, np.float64, lambda v: [v, v]])
def test_bounds_of_clip_are_the_same_by_place_and_by_name(bound):
    x = Tensor(np.array([-1.0, 2.0]), requires_grad=True)
    low, high = bound(0.0), bound(1.0)
    calls = [
        mg.clip(x, low, high),
        mg.clip(x, a_min=low, a_max=high),
        mg.clip(x, min=low, max=high),
        mg.clip(x, low, max=high),
        np.clip(x, low, high),
        np.clip(x, a_min=low, a_max=high),
        x.clip(min=low, max=high),
        mg.clip(mg.clip(x, low), max=high),
    ]
    for y in calls:
        assert y.data.tolist() == [0, 1]
        assert y.dtype == float


def test_a_bound_of_clip_given_twice_raises():
    for bounds in ({"a_min": 0, "min": 0}, {"a_max": 1, "max": 2}):
        with pytest.raises(ValueError, match="each bound once"):
            mg.clip(np.ones(2), **bounds)


def test_transpose_of_one_axis_takes_a_number():
    x = Tensor(np.array([1.0, 2.0]), requires_grad=True)
    for y in np.transpose(x, 0), mg.transpose(x, -1), mg.transpose(x, (0,)), x.transpose(0):
        assert gradients(y, [x], np.array([3.0, 4.0]))[0].tolist() == [3, 4]


@pytest.mark.parametrize("axis", [None, 0, -1])
def test_a_number_is_repeated_and_taken_from_as_an_array_of_one(axis):
    x = Tensor(np.array(3.0), requires_grad=True)
    for y in np.repeat(x, 2, axis=axis), np.take(x, [0, 0], axis=axis):
        assert y.data.tolist() == [3, 3]
        assert gradients(y, [x], np.array([1.0, 4.0])) == [5]
    with pytest.raises(ValueError, match="out of bounds"):
        mg.repeat(x, 2, axis=1)


@pytest.mark.parametrize("axis", [2, -3])
def test_an_axis_that_there_is_not_is_no_other_axis(axis):
    for call in lambda x: mg.take(x, [0], axis), lambda x: mg.repeat(x, 2, axis):
        with pytest.raises(ValueError, match="out of bounds"):
            call(np.ones((2, 3)))


def test_dropout_keeps_the_mean_and_the_dtype():
    x = np.ones((2, 50, 50, 8), np.float32).transpose(0, 3, 1, 2)
    y = mg.dropout(x, 0.3, rng=np.random.default_rng(0))
    assert y.dtype == np.float32
    assert y.strides == x.strides
    assert (y == 0).mean() == pytest.approx(0.3, abs=0.01)
    assert y.mean() == pytest.approx(1, abs=0.02)
    assert mg.dropout(x, 0) is x
    by_half = mg.dropout(np.ones(100), rng=np.random.default_rng(0))
    assert set(by_half) == {0, 2}


def test_dropout_inside_attention():
    x = Tensor(np.ones((2, 4, 3)), requires_grad=True)
    mg.manual_seed(0)
    y = mg.scaled_dot_product_attention(x, x, x, dropout_p=0.5)
    assert set(y.data.ravel().round(6)) <= {0, 0.5, 1, 1.5, 2}
    assert len(set(y.data.ravel())) > 1


@pytest.mark.parametrize("join", [mg.concatenate, mg.stack])
@pytest.mark.parametrize("n", [1, 63, 64, 65, 200, 4097])
def test_many_arrays_are_joined_and_their_gradients_taken_apart(join, n):
    rng = np.random.default_rng(n)
    arrays = [rng.normal(size=(2, 3)).astype(np.float32) for _ in range(n)]
    tensors = [mg.Tensor(a, requires_grad=True) for a in arrays]
    y = join(tensors, axis=1)
    np.testing.assert_array_equal(y.data, getattr(np, join.__name__)(arrays, axis=1))
    g = rng.normal(size=y.shape).astype(np.float32)
    y.backward(g)
    parts = np.moveaxis(g, 1, 0) if join is mg.stack else np.split(g, n, axis=1)
    for t, part in zip(tensors, parts, strict=True):
        np.testing.assert_array_equal(t.grad, part)


def test_the_gradient_of_many_arrays_takes_time_by_their_number():
    """The calls that it makes are counted, as time depends on the machine."""

    def calls(n):
        tensors = [mg.Tensor(np.ones(1), requires_grad=True) for _ in range(n)]
        y = mg.concatenate(tensors).sum()
        profile = cProfile.Profile()
        profile.runcall(y.backward)
        return sum(entry.callcount for entry in profile.getstats())

    assert calls(2000) < 2.5 * calls(1000)


@pytest.mark.parametrize(
    "dtypes",
    [[np.uint16, np.int16, np.float32] * 40, [np.int16, np.uint16] * 40 + [np.float32] * 40],
    ids=["in turn", "in groups"],
)
def test_many_arrays_of_several_dtypes_become_one_of_the_dtype_that_numpy_gives(dtypes):
    # In pairs, int16 and uint16 give int32, and that with float32 float64; all at once, float32.
    arrays = [np.array([i], dtype) for i, dtype in enumerate(dtypes)]
    joined = mg.concatenate(arrays)
    assert joined.dtype == np.concatenate(arrays).dtype == np.float32
    np.testing.assert_array_equal(joined, np.arange(120))
