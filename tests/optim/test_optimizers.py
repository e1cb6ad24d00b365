"""Optimizers against the plain lines of their papers, in float64."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import minigrad as mg
from minigrad import nn, optim
from minigrad.nn import Parameter
from minigrad.optim import optimizers

# ---- the papers' lines: p, g, state, t and options in; p out ------------------------------------


def sgd(p, g, s, t, lr=0.1, momentum=0, nesterov=False, weight_decay=0):
    g = g + weight_decay * p
    if not momentum:
        return p - lr * g
    s["v"] = momentum * s.get("v", 0) + g
    return p - lr * (g + momentum * s["v"] if nesterov else s["v"])


def rmsprop(p, g, s, t, lr=1e-2, alpha=0.99, eps=1e-8, weight_decay=0):
    g = g + weight_decay * p
    s["v"] = alpha * s.get("v", 0) + (1 - alpha) * g**2
    return p - lr * g / (np.sqrt(s["v"]) + eps)


def adagrad(p, g, s, t, lr=1e-2, lr_decay=0, weight_decay=0, eps=1e-10):
    g = g + weight_decay * p
    s["v"] = s.get("v", 0) + g**2
    return p - lr / (1 + (t - 1) * lr_decay) * g / (np.sqrt(s["v"]) + eps)


def adam(p, g, s, t, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=0):
    g = g + weight_decay * p
    s["m"] = betas[0] * s.get("m", 0) + (1 - betas[0]) * g
    s["v"] = betas[1] * s.get("v", 0) + (1 - betas[1]) * g**2
    m_hat, v_hat = s["m"] / (1 - betas[0] ** t), s["v"] / (1 - betas[1] ** t)
    return p - lr * m_hat / (np.sqrt(v_hat) + eps)


def adamw(p, g, s, t, lr=1e-3, weight_decay=1e-2, **options):
    return adam(p - lr * weight_decay * p, g, s, t, lr, **options)


CASES = [
    (optim.SGD, sgd, {"lr": 0.1}),
    (optim.SGD, sgd, {"lr": 0.1, "momentum": 0.9}),
    (optim.SGD, sgd, {"lr": 0.1, "momentum": 0.9, "nesterov": True, "weight_decay": 0.1}),
    (optim.RMSProp, rmsprop, {}),
    (optim.RMSProp, rmsprop, {"lr": 0.1, "alpha": 0.5, "eps": 0.1, "weight_decay": 0.1}),
    (optim.Adagrad, adagrad, {}),
    (optim.Adagrad, adagrad, {"lr": 0.1, "lr_decay": 0.5, "eps": 0.1, "weight_decay": 0.1}),
    (optim.Adam, adam, {}),
    (optim.Adam, adam, {"lr": 0.1, "betas": (0.5, 0.6), "eps": 0.1, "weight_decay": 0.1}),
    (optim.AdamW, adamw, {}),
    (optim.AdamW, adamw, {"lr": 0.1, "betas": (0.5, 0.6), "weight_decay": 0.3}),
]


def start(shape=(3, 2), dtype=np.float64, seed=0):
    return Parameter(np.random.default_rng(seed).normal(size=shape), dtype=dtype)


def gradient(shape, t):
    return np.asarray(np.random.default_rng(100 + t).normal(size=shape))


@pytest.mark.parametrize(("make", "truth", "options"), CASES)
@pytest.mark.parametrize(("dtype", "rtol"), [(np.float64, 1e-12), (np.float32, 2e-5)])
def test_ten_steps_are_the_papers_lines(make, truth, options, dtype, rtol):
    p = start(dtype=dtype)
    optimizer, expected, state = make([p], **options), p.data.astype(np.float64), {}
    for t in range(1, 11):
        g = gradient(p.shape, t)
        p.grad = g.astype(dtype)
        kept = p.grad.copy()
        optimizer.step()
        expected = truth(expected, g, state, t, **options)
        assert (p.grad == kept).all()
    assert p.dtype == dtype
    assert np.allclose(p.data, expected, rtol=rtol, atol=rtol)


@settings(max_examples=25, deadline=None)
@given(
    st.integers(1, 7),
    st.lists(hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=4), min_size=1),
    st.integers(1, 40),
    st.booleans(),
)
def test_split_updates_make_the_same_bits(parts, shapes, block_bytes, turned):
    def train(parts):
        params = [start(shape, np.float32, seed=i) for i, shape in enumerate(shapes)]
        for p in params:
            p.data = p.data.copy("F" if turned else "C")
        optimizer = optim.Adam(params, lr=0.1)
        for t in range(3):
            for p in params:
                p.grad = gradient(p.shape, t).astype(np.float32, order="F" if t % 2 else "C")
            optimizer.begin([p.grad for p in params])
            for part in range(parts):
                optimizer.update(part, parts)
        return [p.data for p in params]

    before, optimizers.BLOCK_BYTES = optimizers.BLOCK_BYTES, block_bytes
    try:
        found = train(parts)
    finally:
        optimizers.BLOCK_BYTES = before
    assert all((a == b).all() for a, b in zip(found, train(1), strict=True))


def test_parameters_in_another_memory_order_keep_their_state():
    plain, turned = Parameter(np.ones((3, 2))), Parameter(np.ones((2, 3)).T)
    for p in (plain, turned):
        optimizer = optim.Adam([p], lr=0.1)
        for t in range(3):
            p.grad = gradient((3, 2), t)
            optimizer.step()
    np.testing.assert_array_equal(plain.data, turned.data)


@pytest.mark.parametrize("shape", [(3,), (1, 3), (6,)])
def test_a_gradient_of_another_shape_is_refused_before_anything_changes(shape):
    first, second = start((2, 3)), start((2, 3))
    before = first.data.copy()
    first.grad, second.grad = np.ones((2, 3)), np.ones(shape)
    optimizer = optim.SGD([first, second], lr=1)
    with pytest.raises(ValueError, match=r"of shape \(2, 3\) expects p\.grad"):
        optimizer.step()
    assert (first.data == before).all()
    assert optimizer.steps == [0, 0]


@pytest.mark.parametrize("dtype", [np.float16, np.float64, np.int64])
@pytest.mark.parametrize("make", [optim.Adam, optim.RMSProp, optim.Adagrad])
def test_a_gradient_of_another_dtype_is_taken_in_that_of_the_parameter(make, dtype):
    p, q = start(dtype=np.float32), start(dtype=np.float32)
    p.grad = (gradient(p.shape, 0) * 1e-3 if dtype != np.int64 else np.ones(p.shape)).astype(dtype)
    q.grad = p.grad.astype(np.float32)
    for parameter in (p, q):
        make([parameter], lr=0.1).step()
    np.testing.assert_array_equal(p.data, q.data)


def test_an_optimizer_of_ones_own_needs_a_rule_alone():
    class SignSGD(optimizers.Optimizer):
        def rule(self, p, g, *, lr):
            p -= lr * np.sign(g)

    p = Parameter([1.0, 2.0])
    p.grad = np.array([3.0, -4.0], np.float32)
    SignSGD([p], lr=0.5).step()
    assert p.data.tolist() == [0.5, 2.5]


def test_an_optimizer_with_a_step_alone_needs_no_learning_rate():
    class Halve(optimizers.Optimizer):
        def step(self):
            for p in self.params:
                p.data /= 2

    p = Parameter([1.0, 2.0])
    Halve([p]).step()
    assert p.data.tolist() == [0.5, 1.0]


def test_shards_are_summed():
    p, q = start(dtype=np.float32), start(dtype=np.float32)
    shards = [[gradient(p.shape, t).astype(np.float32)] for t in range(3)]
    one, many = optim.SGD([p], lr=1), optim.SGD([q], lr=1)
    one.begin([sum(g for (g,) in shards)])
    one.update(0, 1)
    many.begin(*shards)
    many.update(0, 1)
    assert np.allclose(p.data, q.data)


def test_updates_are_in_place_and_of_strided_data_too():
    p = start()
    place = p.data
    p.grad = np.ones_like(p.data)
    optim.SGD([p], lr=0.1).step()
    assert p.data is place
    p.data = np.asfortranarray(place)
    before = p.data.copy()
    optim.SGD([p], lr=0.1).step()
    assert np.allclose(p.data, before - 0.1)


def test_frozen_parameters_and_those_without_a_gradient_stay():
    frozen, unused, used = start(), start(), start()
    optimizer = optim.Adam([frozen, unused, used], lr=0.1)
    before = used.data.copy()
    frozen.grad = used.grad = np.ones(used.shape)
    frozen.requires_grad = False
    optimizer.step()
    assert (frozen.data == before).all()
    assert (unused.data == before).all()
    assert np.allclose(used.data, before - 0.1)
    # A parameter's own steps count: its first is a first step, whenever it comes.
    unused.grad = np.ones(used.shape)
    optimizer.step()
    assert np.allclose(unused.data, before - 0.1)


def test_groups_have_options_of_their_own():
    w, b = start(), start()
    optimizer = optim.SGD([{"params": [w], "weight_decay": 0.5}, {"params": [b], "lr": 0.0}], lr=1)
    before = w.data.copy()
    w.grad = b.grad = np.zeros(w.shape)
    optimizer.step()
    assert np.allclose(w.data, before * 0.5)
    assert (b.data == before).all()


@pytest.mark.parametrize(("make", "_", "options"), CASES)
def test_a_restored_optimizer_goes_on_with_the_same_bits(make, _, options):
    def steps(p, optimizer, times):
        for t in times:
            p.grad = gradient(p.shape, t)
            optimizer.step()

    p = start()
    whole = make([p], **options)
    steps(p, whole, range(5))
    kept, state = p.data.copy(), whole.state_dict()
    steps(p, whole, range(5, 8))
    q = Parameter(kept, dtype=np.float64)
    other = make([q], **{**options, "lr": 0.7})
    other.load_state_dict(state)
    steps(q, other, range(5, 8))
    assert (p.data == q.data).all()


def test_a_state_that_does_not_fit_changes_nothing():
    p = start()
    p.grad = np.ones_like(p.data)
    one = optim.Adam([p])
    one.step()
    before = one.state_dict()
    for other in (optim.SGD([p], lr=1), optim.Adam([start((2, 2))]), optim.Adam([p, start()])):
        with pytest.raises(ValueError, match="another optimizer"):
            one.load_state_dict(other.state_dict())
    assert all((value == before[name]).all() for name, value in one.state_dict().items())


def adam_with_state():
    """An Adam that has made a step, and what is its state to be changed to."""
    params = [Parameter(np.ones((3, 2))), Parameter(np.ones(3))]
    optimizer = optim.Adam(params, lr=0.1)
    for p in params:
        p.grad = np.ones(p.shape, np.float32)
    optimizer.step()
    return optimizer, {name: value * 0.5 for name, value in optimizer.state_dict().items()} | {
        "0.step": np.array(7),
        "1.step": np.array(7),
    }


def assert_unchanged(optimizer, before):
    after = optimizer.state_dict()
    assert after.keys() == before.keys()
    assert all(np.array_equal(after[name], before[name]) for name in before)


def test_the_state_that_the_next_tests_spoil_is_taken_over_as_it_is():
    optimizer, state = adam_with_state()
    optimizer.load_state_dict(state)
    assert_unchanged(optimizer, state)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("1.exp_avg_sq", np.array(["a", "b", "c"])),
        ("1.exp_avg_sq", np.ones(3, complex)),
        ("1.exp_avg_sq", np.zeros(3, [("a", "f4")])),
        ("1.exp_avg_sq", np.array([1, 2, 3], dtype=object)),
        ("1.exp_avg_sq", np.full(3, 1e300)),
        ("1.exp_avg_sq", np.ones(4)),
        ("1.exp_avg_sq", [1, [2, 3], 4]),
        ("1.exp_avg_sq", None),
        ("1.step", np.array(2.5)),
        ("1.step", np.array(-1)),
        ("1.step", np.array(2**64 - 1, dtype=np.uint64)),
        ("group.0.lr", np.array("fast")),
        ("group.0.lr", np.array(np.nan)),
        ("group.0.lr", np.array(-0.1)),
        ("group.0.initial_lr", np.array(-0.1)),
        ("group.0.betas", np.array([0.9, 1.0])),
        ("group.0.betas", np.array([0.9, 0.99, 0.999])),
        ("group.1.lr", np.array(0.1)),
    ],
)
def test_a_state_of_anything_but_fitting_numbers_leaves_the_optimizer_as_it_was(name, value):
    optimizer, state = adam_with_state()
    before = optimizer.state_dict()
    with pytest.raises(ValueError, match=rf"\b{name.split('.')[-1]}\b"):
        optimizer.load_state_dict(state | {name: value})
    assert_unchanged(optimizer, before)


@pytest.mark.parametrize("direction", ["up", "upward"])
def test_an_option_that_is_text_is_taken_over(direction):
    class Directed(optim.SGD):
        def __init__(self, params, direction="down"):
            optimizers.Optimizer.__init__(self, params, lr=0.1, momentum=0, direction=direction)

    optimizer = Directed([start((2, 3))])
    optimizer.load_state_dict(Directed([start((2, 3))], direction).state_dict())
    assert optimizer.param_groups[0]["direction"] == direction


def test_state_that_is_read_only_leaves_the_optimizer_as_it_was():
    optimizer, state = adam_with_state()
    optimizer.state[1]["exp_avg_sq"].flags.writeable = False
    before = optimizer.state_dict()
    with pytest.raises(ValueError, match=r"1\.exp_avg_sq expects an array that can be written to"):
        optimizer.load_state_dict(state)
    assert_unchanged(optimizer, before)


@pytest.mark.parametrize(
    ("make", "match"),
    [
        (lambda p: optim.Adam([]), "no parameters"),
        (lambda p: optim.Adam([p, p]), "twice"),
        (lambda p: optim.Adam([p], lr=-1), "lr expects"),
        (lambda p: optim.Adam([p], betas=(0.9, 1.0)), "betas"),
        (lambda p: optim.SGD([p], lr=1, nesterov=True), "momentum"),
        (lambda p: optim.SGD([{"params": [p], "mometum": 1}], lr=1), "no option mometum"),
    ],
)
def test_wrong_options_are_refused(make, match):
    with pytest.raises(ValueError, match=match):
        make(start())


def test_only_parameters_are_optimized():
    with pytest.raises(TypeError, match="got ndarray"):
        optim.Adam([np.zeros(3)])


@settings(max_examples=30, deadline=None)
@given(st.floats(0.01, 100), st.integers(0, 99))
def test_clip_grad_norm_limits_the_length_and_keeps_the_direction(max_norm, seed):
    params = [start((3, 2), seed=seed), start((4,), seed=seed + 1), start((1,))]
    for p in params[:2]:
        p.grad = 3 * p.data
    before = np.concatenate([p.grad.ravel() for p in params[:2]])
    norm = optim.clip_grad_norm(params, max_norm)
    after = np.concatenate([p.grad.ravel() for p in params[:2]])
    assert norm == pytest.approx(np.linalg.norm(before))
    length = np.linalg.norm(after)
    assert length == pytest.approx(min(norm, max_norm), rel=1e-4)
    assert np.allclose(after / length, before / norm)


def test_the_loop_by_hand_learns_a_line():
    x = np.linspace(-1, 1, 20, dtype=np.float32)[:, None]
    model = mg.nn.Dense(1, 1)
    optimizer = optim.SGD(model.parameters(), lr=0.3)
    for _ in range(100):
        optimizer.zero_grad()
        mg.mse_loss(model(x), 3 * x - 1).backward()
        optimizer.step()
    assert np.allclose([model.weight.item(), model.bias.item()], [3, -1], atol=1e-3)


def test_a_parameter_of_one_number_keeps_its_shape():
    p = Parameter(2.0)
    (p * p).backward()
    optim.SGD([p], lr=0.25).step()
    assert p.shape == ()
    assert p.item() == 1


def test_the_repr_tells_parameters_options_and_steps_of_each_group():
    model = nn.Sequential(nn.Dense(4, 3), nn.Dense(3, 2))
    weights, biases = model.parameters()[::2], model.parameters()[1::2]
    optimizer = optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    assert repr(optimizer) == (
        "<SGD at step 0: 4 parameters (23 numbers), lr=0.1, momentum=0.9, nesterov=False, "
        "weight_decay=0>"
    )
    groups = [{"params": weights, "lr": 0.5}, {"params": biases}]
    optimizer = optim.Adagrad(groups, lr=0.25)
    for p in weights:
        p.grad = np.ones_like(p.data)
    optimizer.step()
    assert repr(optimizer) == (
        "<Adagrad at step 1: 2 parameters (18 numbers), lr=0.5, lr_decay=0, weight_decay=0, eps=1e-10; "
        "2 parameters (5 numbers), lr=0.25, lr_decay=0, weight_decay=0, eps=1e-10>"
    )


def test_clipping_leaves_the_share_of_pytorch():
    p = Parameter(np.zeros(2))
    p.grad = np.array([3.0, 4.0])
    assert optim.clip_grad_norm([p], 1e-3) == 5
    assert p.grad == pytest.approx(np.array([3, 4]) * 1e-3 / (5 + 1e-6), rel=1e-12)


def test_there_is_one_public_way_to_clip():
    assert "clip_grad_norm" in vars(optim)
    assert not [name for name in vars(optim) if "limit" in name]
