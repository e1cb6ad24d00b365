"""Gates: a gradient passes or is 0, whatever it is; and gradients that used to be inexact."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import minigrad as mg
from minigrad import Tensor, gradients
from minigrad.ops.elementwise import gate, gated

quickly = settings(max_examples=60, deadline=None, derandomize=True, database=None)
FLOATS = [np.float16, np.float32, np.float64, np.longdouble]


@quickly
@given(st.data(), st.sampled_from(FLOATS))
def test_a_gate_passes_a_float_whole_or_gives_0(data, dtype):
    """Also what is infinite or no number; of any memory order; with a mask that broadcasts."""
    shapes = data.draw(hnp.mutually_broadcastable_shapes(num_shapes=2, max_dims=3, max_side=3))
    shape, mask_shape = shapes.result_shape, shapes.input_shapes[0]
    numbers = st.sampled_from([0.0, -0.0, 1.5, -2.0, np.inf, -np.inf, np.nan])
    g = data.draw(hnp.arrays(dtype, shape, elements=numbers.map(dtype)))
    g = np.asfortranarray(g) if data.draw(st.booleans()) else g[..., ::-1] if g.ndim else g
    mask = data.draw(hnp.arrays(bool, mask_shape))
    found = gate(g, mask)
    assert found.dtype == dtype
    np.testing.assert_array_equal(found, np.where(mask, g, dtype(0)))


@pytest.mark.parametrize("dtype", FLOATS)
def test_a_gate_may_write_into_a_view(dtype):
    g, mask = np.array([1.5, np.inf, -2.0], dtype), np.array([True, False, True])
    whole = np.full(6, 7, dtype)
    found = gated(g, mask, out=whole[::2])
    assert found.tolist() == [1.5, 0, -2]
    assert whole.tolist() == [1.5, 7, 0, 7, -2, 7]


CLOSED_AT_MINUS_1 = {
    "relu": mg.relu,
    "clip": lambda x: mg.clip(x, 0, 1),
    "maximum": lambda x: mg.maximum(x, 0),
    "maximum, turned": lambda x: mg.maximum(0, x),
    "minimum": lambda x: -mg.minimum(-x, 0),
    "where": lambda x: mg.where(x > 0, x, 0),
    "where, turned": lambda x: mg.where(x < 0, 0, x),
    "tril": lambda x: mg.tril(x * np.ones((2, 2)))[0, 1:],
    "triu": lambda x: mg.triu(x * np.ones((2, 2)))[1, :1],
    "max": lambda x: mg.max(mg.stack([x, np.zeros(1)])),
    "min": lambda x: -mg.min(mg.stack([-x, np.zeros(1)])),
    "max_pool2d": lambda x: mg.max_pool2d(
        mg.concatenate([x, np.zeros(1)]).reshape(1, 1, 1, 2), (1, 2)
    ),
    "max_pool2d that overlaps": lambda x: mg.max_pool2d(
        mg.concatenate([x, np.zeros(2)]).reshape(1, 1, 1, 3), (1, 2), stride=1
    ),
    "floor": lambda x: mg.floor(x) + 1,
    "ceil": lambda x: mg.ceil(x) + 1,
    "round": lambda x: mg.round(x) + 1,
    "sign": lambda x: mg.sign(x) + 1,
}


@pytest.mark.parametrize("outer", [mg.sqrt, mg.log, mg.reciprocal])
@pytest.mark.parametrize("name", CLOSED_AT_MINUS_1)
def test_an_infinite_gradient_does_not_pass_a_closed_gate(name, outer):
    """All of these are 0 at -1 and around it, where the slopes of sqrt, log and 1 / x are infinite."""
    x = Tensor(np.array([-1.0]), requires_grad=True)
    with np.errstate(divide="ignore"):
        y = CLOSED_AT_MINUS_1[name](x)
        assert (y.data == 0).all()
        assert gradients(outer(y).sum(), [x])[0].tolist() == [0]


def test_leaky_relu_and_elu_keep_their_own_slope_below_0():
    x = Tensor(np.array([-1.0]), requires_grad=True)
    for f, slope in (mg.leaky_relu, 0.01), (mg.elu, np.exp(-1.0)):
        assert gradients(f(x), [x], np.array([np.inf]))[0].tolist() == [np.inf]
        assert gradients(f(x), [x], np.array([1.0]))[0] == pytest.approx(slope)


def test_the_gradient_of_logaddexp_is_a_half_for_equal_numbers_of_any_size():
    for size in (0.0, 1.0, 1e5, 1e17, 1e30):
        for dtype in (np.float32, np.float64):
            a, b = (Tensor(np.array(size, dtype), requires_grad=True) for _ in range(2))
            assert gradients(mg.logaddexp(a, b), [a, b]) == [0.5, 0.5]


def test_the_gradient_of_logaddexp_is_exact_in_float32_at_large_numbers():
    a, b = np.float32(1e5), np.float32(1e5 + 1.25)
    x, y = (Tensor(np.array(v), requires_grad=True) for v in (a, b))
    exact = 1 / (1 + np.exp(np.float64(b) - np.float64(a)))
    assert gradients(mg.logaddexp(x, y), [x, y]) == pytest.approx([exact, 1 - exact], rel=1e-6)


def test_the_gradient_of_logaddexp_at_infinity_goes_to_the_larger():
    for values, slopes in ((np.inf, 1.0), [1, 0]), ((-np.inf, 1.0), [0, 1]):
        a, b = (Tensor(np.array(v), requires_grad=True) for v in values)
        assert gradients(mg.logaddexp(a, b), [a, b]) == slopes
    for value, slope in (np.inf, 1), (-np.inf, 0), (1e5, 1):
        x = Tensor(np.array(value), requires_grad=True)
        assert gradients(mg.softplus(x), [x]) == [slope]


@pytest.mark.parametrize("additive", [False, True])
def test_a_query_that_a_mask_shuts_out_gets_zeros_and_no_gradient(additive):
    rng = np.random.default_rng(0)
    q, k, v = (Tensor(rng.normal(size=(3, 2)), requires_grad=True) for _ in range(3))
    mask = np.array([[True, False, True], [False] * 3, [True] * 3])
    given = np.where(mask, 0.0, -np.inf) if additive else mask
    y = mg.scaled_dot_product_attention(q, k, v, attn_mask=given)
    assert y.data[1].tolist() == [0, 0]
    plain = mg.scaled_dot_product_attention(q.data, k.data[[0, 2]], v.data[[0, 2]])
    np.testing.assert_allclose(y.data[0], plain[0])
    slopes = gradients(y, [q, k, v], np.ones((3, 2)))
    assert all(np.isfinite(g).all() for g in slopes)
    assert slopes[0][1].tolist() == [0, 0]


def test_a_mask_may_be_a_list():
    x = np.eye(2)
    found = mg.scaled_dot_product_attention(x, x, x, attn_mask=[[True, False], [True, True]])
    np.testing.assert_allclose(found, mg.scaled_dot_product_attention(x, x, x, is_causal=True))


def test_a_masked_attention_of_float16_is_finite():
    x = np.ones((2, 2), np.float16)
    y = mg.scaled_dot_product_attention(x, x, x, attn_mask=[[True, False], [False, False]])
    assert y.dtype == np.float16
    assert y.tolist() == [[1, 1], [0, 0]]


def test_a_mask_for_other_queries_raises():
    with pytest.raises(ValueError, match=r"scores of \(1, 2\), got \(3, 2\)"):
        mg.scaled_dot_product_attention(np.eye(2)[:1], np.eye(2), np.eye(2), np.ones((3, 2), bool))
