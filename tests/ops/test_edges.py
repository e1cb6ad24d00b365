"""What happens at the edges: kinks, ties, poles, huge numbers, and branches not taken."""

import numpy as np
import pytest

import minigrad as mg
from minigrad import Tensor, gradients


def slope(f, *values):
    """f and its gradients by each value, as lists."""
    xs = [Tensor(np.array(v, float), requires_grad=True) for v in values]
    y = f(*xs)
    found = [g.tolist() for g in gradients(y, xs, np.ones(y.shape))]
    return found if len(found) > 1 else found[0]


@pytest.mark.parametrize(
    ("f", "at", "expected"),
    [
        (mg.relu, 0, 0),
        (mg.absolute, 0, 0),
        (mg.sign, 0, 0),
        (mg.leaky_relu, 0, 0.01),
        (mg.elu, 0, 1),
        (mg.sigmoid, 0, 0.25),
        (mg.silu, 0, 0.5),
        (mg.gelu, 0, 0.5),
        (mg.softplus, 0, 0.5),
        (lambda x: mg.clip(x, 0, 1), [-1, 0, 1, 2], [0, 1, 1, 0]),
        (lambda x: mg.clip(0.5, x, 1), [-1, 0.5, 0.75, 2], [0, 0, 1, 0]),  # x is the lower bound
        (lambda x: mg.clip(0.5, 0, x), [-1, 0.25, 0.5, 2], [1, 1, 0, 0]),
        (lambda x: mg.clip(x, 2, 1), [0, 1, 2, 3], [0, 0, 0, 0]),  # the upper bound wins
        (lambda x: mg.clip(3.0, 2, x), [1, 2, 4], [1, 1, 0]),
        (lambda x: mg.nan_to_num(x), [np.nan, np.inf, -np.inf, 2], [0, 0, 0, 1]),
        (lambda x: mg.hypot(x, 0), [-2, 0, 2], [-1, 0, 1]),
        (lambda x: mg.norm(x, ord=3), [0, 0], [0, 0]),
        (lambda x: mg.norm(x, ord=0), [0, 2], [0, 0]),
        (lambda x: mg.norm(x, ord=0.5), [0, 4], [0, 1]),
        (lambda x: mg.norm(x, ord=-2), [4], [1]),
        (lambda x: mg.norm(mg.reshape(x, (2, 2)), ord="fro"), [0, 0, 0, 0], [0, 0, 0, 0]),
        (lambda x: mg.norm(mg.reshape(x, (2, 2)), ord=1), [1, 0, 1, 0], [1, 0, 1, 0]),
        (lambda x: mg.cumprod(x), [2, 0, 3], [1, 2 + 2 * 3, 0]),
        (lambda x: mg.cumprod(x), [0, 0, 3], [1, 0, 0]),
        (lambda x: x % 2, [-3, 0, 3], [1, 1, 1]),
        (lambda x: 7 % x, [-2, 2, 8], [4, -3, 0]),
        (lambda x: x // 2, [-3, 0, 3], [0, 0, 0]),
        (mg.sinc, 0, 0),
        (mg.fabs, [-2, 0, 2], [-1, 0, 1]),
        (lambda x: mg.maximum(x, 0), [-1, 0, 1], [0, 0.5, 1]),
        (lambda x: mg.minimum(x, 0), [-1, 0, 1], [1, 0.5, 0]),
        (mg.max, [1, 3, 3], [0, 0.5, 0.5]),
        (mg.min, [1, 1, 1, 2], [1 / 3, 1 / 3, 1 / 3, 0]),
        (lambda x: mg.max(x, axis=0), [[1, 2], [1, 0]], [[0.5, 1], [0.5, 0]]),
        (mg.norm, [0, 0], [0, 0]),
        (lambda x: mg.norm(x, ord=1), [0, 2], [0, 1]),
        (lambda x: mg.norm(x, ord=np.inf), [-3, 2], [-1, 0]),
        (mg.std, [2, 2], [0, 0]),
        (mg.prod, [0, 2, 3], [6, 0, 0]),
        (mg.prod, [0, 0, 3], [0, 0, 0]),
        (lambda x: x**0, [0, 2], [0, 0]),
        (lambda x: x**1, [0, 2], [1, 1]),
        (lambda x: x**2, [0, 2], [0, 4]),
        (lambda x: 0**x, [0, 2], [0, 0]),
        (mg.expm1, 1e-20, 1),
        (mg.log1p, 1e-20, 1),
        (mg.sort, [3, 3, 1], [1, 1, 1]),
        (lambda x: mg.huber_loss(x, np.zeros(3), "sum"), [0, 1, 2], [0, 1, 1]),
    ],
)
def test_gradient_at_an_edge(f, at, expected):
    truth = np.asarray(expected, float)
    np.testing.assert_allclose(slope(f, at), truth, rtol=1e-6, atol=1e-15, strict=True)


def bend(f, at):
    """The second derivative of f."""
    x = Tensor(np.array(at, float), requires_grad=True)
    (g,) = gradients(mg.sum(f(x)), [x], create_graph=True)
    return gradients(mg.sum(g), [x])[0]


@pytest.mark.parametrize("x", [0.0, 1e-9, 1e-4, 0.15, 0.16, 1.0, 2.5, 30.0])
def test_the_derivatives_of_sinc_are_right_near_0_and_far(x):
    """The slope is the integral of -pi t sin(pi x t) over t from 0 to 1; the bend likewise."""
    t, weights = np.polynomial.legendre.leggauss(80)
    t, weights = (t + 1) / 2, weights / 2
    expected = -np.sum(weights * np.pi * t * np.sin(np.pi * x * t))
    assert slope(mg.sinc, x) == pytest.approx(expected, rel=1e-12, abs=1e-15)
    expected = -np.sum(weights * (np.pi * t) ** 2 * np.cos(np.pi * x * t))
    assert bend(mg.sinc, x) == pytest.approx(expected, rel=1e-11, abs=1e-13)


def test_fmax_and_fmin_pass_over_what_is_no_number():
    for f in mg.fmax, mg.fmin:
        assert slope(f, [np.nan, 1, np.nan, 2], [1, np.nan, np.nan, 2]) == [
            [0, 1, 0.5, 0.5],
            [1, 0, 0.5, 0.5],
        ]


@pytest.mark.parametrize("f", [lambda x: mg.prod(x, 0), lambda x: mg.cumprod(x)[-1]])
def test_the_gradient_of_a_product_that_is_too_small_or_large_is_that_of_the_others(f):
    """Not y / x, which is 0 / x or inf / x; or has lost its digits, where y is subnormal."""
    cases = [
        (np.float32, [1e-30, 1e-30, 1e20], [1e-10, 1e-10, 0]),
        (np.float64, [1e200, 1e200, 1e-300], [1e-100, 1e-100, np.inf]),
        (np.float64, [1e-160, 1e-160, 3.0], [3e-160, 3e-160, 1e-320]),
        (np.float16, [1e-2, 1e-2, 5e-3], [5e-5, 5e-5, 1e-4]),
        (np.float64, 0.0, 1.0),
    ]
    for dtype, values, expected in cases:
        x = Tensor(np.array(values, dtype), requires_grad=True)
        with np.errstate(over="ignore", under="ignore"):
            (g,) = gradients(f(x), [x])
        np.testing.assert_allclose(g, np.array(expected), rtol=40 * np.finfo(dtype).eps)


@pytest.mark.parametrize("f", [mg.prod, lambda x: mg.cumprod(x)[-1]])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_second_derivative_of_a_product_is_that_of_the_others_where_a_factor_is_small(f, dtype):
    for small in 1e-4, 1e-9, 1e-14, 0.0:
        x = np.array([small, 1.5, 0.75, 2.0], dtype)
        expected = [[np.prod(np.delete(x, [i, j])) * (i != j) for j in range(4)] for i in range(4)]
        np.testing.assert_allclose(mg.hessian(f)(x), expected, rtol=1e-5, atol=1e-12)


def test_the_gradient_of_a_long_product_that_underflows_needs_little_memory():
    import tracemalloc

    x = Tensor(np.linspace(0.1, 1, 20_000), requires_grad=True)
    tracemalloc.start()
    gradients(mg.prod(x), [x])
    assert tracemalloc.get_traced_memory()[1] < 20_000 * 8 * 30
    tracemalloc.stop()


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_slopes_that_are_neither_0_nor_infinite_do_not_over_or_underflow(dtype):
    largest = float(np.finfo(dtype).max)
    for value in 300.0, largest / 8:
        x = dtype(value)
        for f in mg.arcsinh, mg.arccosh:
            assert slope_at(f, x)[0] == pytest.approx(1 / value, rel=4e-3)
        for f in mg.hypot, mg.arctan2:
            expected = 0.5**0.5 if f is mg.hypot else 1 / (2 * float(x))
            assert abs(slope_at(f, x, x)[0]) == pytest.approx(expected, rel=4e-3)
    tiny = dtype(float(np.finfo(dtype).tiny) * 2)
    assert slope_at(mg.arctan2, tiny, tiny)[0] == pytest.approx(1 / (2 * float(tiny)), rel=4e-3)
    assert slope_at(mg.arctan2, dtype(0), dtype(0)) == [0, 0]


def slope_at(f, *values):
    xs = [Tensor(np.array(v), requires_grad=True) for v in values]
    return [float(g) for g in gradients(f(*xs), xs)]


def test_the_gradient_of_expm1_keeps_its_digits_where_the_function_is_nearly_minus_1():
    for dtype in np.float32, np.float64:
        x = Tensor(np.array([-50.0, -20.0, -10.0, -1.0, 1e-10, 3.0], dtype), requires_grad=True)
        exact = np.exp(x.data.astype(np.longdouble))
        for f in mg.expm1, lambda x: mg.elu(x):
            (g,) = gradients(f(x), [x], np.ones(6))
            truth = np.where((x.data > 0) & (f is not mg.expm1), 1, exact)
            np.testing.assert_allclose(g, truth.astype(float), rtol=4 * np.finfo(dtype).eps)


def test_the_gradient_of_a_cube_root_at_0_is_inf():
    with np.errstate(divide="ignore"):
        assert slope(mg.cbrt, 0) == np.inf


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("f", [mg.arcsin, mg.arccos, mg.arctanh, mg.arccosh])
def test_inverse_functions_have_exact_slopes_near_1(f, dtype):
    for distance in 1e-3, 1e-6:
        x = dtype(1 + distance if f is mg.arccosh else 1 - distance)
        wide = np.longdouble(x)
        inside = abs((1 - wide) * (1 + wide))
        exact = 1 / inside if f is mg.arctanh else 1 / np.sqrt(inside)
        t = Tensor(np.array(x), requires_grad=True)
        found = abs(gradients(f(t), [t])[0])
        assert found == pytest.approx(float(exact), rel=8 * float(np.finfo(dtype).eps))


@pytest.mark.parametrize("ord", [-2, -1, -0.5])
def test_a_norm_of_negative_order_beside_a_0_is_0_as_its_gradient(ord):
    with np.errstate(divide="ignore"):
        x = np.array([0.0, 2.0])
        assert mg.norm(x, ord) == np.linalg.norm(x, ord) == 0
        assert slope(lambda x: mg.norm(x, ord), x) == [0, 0]
        assert mg.norm(np.zeros(0), ord) == np.linalg.norm(np.zeros(0), ord) == np.inf


def test_attention_over_no_keys_is_zeros_as_softmax_of_nothing_is_nothing():
    assert mg.softmax(np.zeros((2, 0))).shape == (2, 0)
    q, k, v = (Tensor(np.ones(shape), requires_grad=True) for shape in ((3, 2), (0, 2), (0, 4)))
    y = mg.scaled_dot_product_attention(q, k, v)
    assert y.data.tolist() == [[0] * 4] * 3
    assert [g.shape for g in gradients(y.sum(), [q, k, v])] == [(3, 2), (0, 2), (0, 4)]


def test_norms_of_no_order_and_of_too_many_axes_raise():
    with pytest.raises(ValueError, match="over 3 axes"):
        mg.norm(np.ones((2, 2, 2)), ord=1)
    with pytest.raises(ValueError, match="0 or more"):
        mg.diff(np.ones(3), n=-1)
    with pytest.raises(ValueError, match="3 numbers"):
        mg.cross(np.ones(2), np.ones(2))
    with pytest.raises(ValueError, match="vector or a matrix"):
        mg.diag(np.ones((2, 2, 2)))
    with pytest.raises(ValueError, match=r"[Rr]epeated|[Dd]uplicate"):
        mg.rot90(np.ones((2, 2)), axes=(0, -2))
    with pytest.raises(ValueError, match="3 axes or more"):
        mg.dsplit(np.ones((2, 2)), 2)


def test_gradient_of_max_over_an_axis_at_ties():
    assert slope(lambda x: mg.max(x, axis=0), [[1, 2], [1, 0]]) == [[0.5, 1], [0.5, 0]]


def test_a_tie_of_two_tensors_halves_the_gradient_of_both():
    assert slope(mg.maximum, [1, 2], [1, 0]) == [[0.5, 1], [0.5, 0]]
    assert slope(mg.minimum, [1, 2], [1, 0]) == [[0.5, 0], [0.5, 1]]


def test_max_pool_gives_the_gradient_to_the_first_of_equals():
    found = slope(lambda x: mg.max_pool2d(x, 2), np.zeros((1, 1, 2, 4)))
    assert found == [[[[1, 0, 1, 0], [0, 0, 0, 0]]]]


def test_the_gradient_of_sqrt_at_0_is_inf():
    with np.errstate(divide="ignore"):
        assert slope(mg.sqrt, 0) == np.inf


def test_0_to_the_power_of_0_is_1_with_gradients_0():
    assert slope(lambda a, b: a**b, 0, 0) == [0, 0]
    assert mg.power(Tensor(0.0), 0).item() == 1


def test_the_exponents_gradient_is_right_at_exponent_0():
    """d/db of a ** b is log(a) there, and its derivative by a is 1 / a."""
    a, b = (Tensor(np.array(v), requires_grad=True) for v in (2.0, 0.0))
    by_a, by_b = gradients(a**b, [a, b], create_graph=True)
    assert (by_a.item(), by_b.item()) == (0, pytest.approx(np.log(2)))
    assert gradients(by_a, [b])[0] == pytest.approx(0.5)


def test_the_second_derivative_of_huber_where_it_is_a_square_is_1():
    x = Tensor(np.zeros(()), requires_grad=True)
    (first,) = gradients(mg.huber_loss(x, np.zeros(())), [x], create_graph=True)
    assert gradients(first, [x])[0] == 1


def test_a_nan_in_the_branch_not_taken_stays_there():
    x = Tensor(np.array([-1.0, 4.0]), requires_grad=True)
    bad = np.array([np.nan, 7.0])
    y = mg.where(np.isnan(bad), x, bad * x)
    assert y.data.tolist() == [-1, 28]
    (g,) = gradients(mg.where([True, False], x, bad), [x], np.ones(2))
    assert g.tolist() == [1, 0]
    with np.errstate(invalid="ignore"):
        safe = mg.where(x > 0, mg.sqrt(mg.where(x > 0, x, 1)), 0)
    assert gradients(safe, [x], np.ones(2))[0].tolist() == [0, 0.25]


def test_expm1_and_log1p_are_exact_near_0():
    assert mg.expm1(Tensor(np.array(1e-20))).item() == 1e-20
    assert mg.log1p(Tensor(np.array(1e-20))).item() == 1e-20


HUGE = np.array([-1e4, -100.0, 0.0, 100.0, 1e4])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(
    "f",
    [
        mg.sigmoid,
        mg.softplus,
        mg.silu,
        mg.gelu,
        mg.elu,
        mg.tanh,
        mg.softmax,
        mg.log_softmax,
        mg.logsumexp,
        lambda x: mg.logaddexp(x, -x),
        lambda x: mg.binary_cross_entropy_with_logits(x, np.array([1, 0, 1, 0, 1.0])),
        lambda x: mg.binary_cross_entropy_with_logits(x, np.array([0, 1, 0, 1, 0.0])),
        lambda x: mg.cross_entropy(mg.reshape(x, (1, 5)), np.array([0])),
        lambda x: mg.cross_entropy(mg.reshape(x, (1, 5)), np.array([4]), label_smoothing=0.1),
        lambda x: mg.nll_loss(mg.log_softmax(mg.reshape(x, (1, 5))), np.array([0])),
        lambda x: mg.kl_div(mg.log_softmax(x), np.array([0, 0.5, 0.5, 0, 0])),
        lambda x: mg.huber_loss(x, -x),
        lambda x: mg.scaled_dot_product_attention(*[mg.reshape(x, (5, 1))] * 3, is_causal=True),
    ],
)
def test_huge_numbers_stay_finite(f, dtype):
    x = Tensor(HUGE.astype(dtype), requires_grad=True)
    y = f(x)
    (g,) = gradients(y, [x], np.ones(y.shape))
    assert y.dtype == g.dtype == dtype
    assert np.isfinite(y.data).all()
    assert np.isfinite(g).all()


@pytest.mark.parametrize(
    "f",
    [
        mg.sigmoid,
        mg.softmax,
        mg.log_softmax,
        mg.logsumexp,
        mg.norm,
        lambda x: mg.cross_entropy(x[None], np.array([0])),
        lambda x: mg.binary_cross_entropy_with_logits(x, np.zeros(3)),
    ],
)
def test_bytes_give_what_the_same_floats_give(f):
    """The minus of a byte is a byte, and so is its square: both would wrap around."""
    x = np.array([3, 250, 17], np.uint8)
    np.testing.assert_allclose(f(x), f(x.astype(float)), rtol=1e-12)


def test_the_gradient_of_a_power_of_bytes_has_all_its_digits():
    """NumPy's log of bytes has three."""
    b = Tensor(np.array(0.5), requires_grad=True)
    (g,) = gradients(mg.power(np.array(3, np.uint8), b), [b])
    assert g == pytest.approx(np.sqrt(3) * np.log(3), rel=1e-14)


def test_an_einsum_counts_booleans_and_does_not_or_them():
    x, seen = np.ones((2, 3)), np.array([True, True, False])
    assert mg.einsum("ij,k->i", x, seen).tolist() == [6, 6]


def test_the_huge_values_are_right_too():
    assert mg.sigmoid(HUGE).tolist() == pytest.approx([0, 0, 0.5, 1, 1])
    assert mg.softplus(HUGE).tolist() == pytest.approx([0, 0, np.log(2), 100, 1e4])
    assert mg.logaddexp(HUGE, HUGE).tolist() == pytest.approx((HUGE + np.log(2)).tolist())
    assert mg.softmax(HUGE).tolist() == pytest.approx([0, 0, 0, 0, 1])
    assert mg.log_softmax(HUGE).tolist() == pytest.approx((HUGE - 1e4).tolist())
    assert mg.cross_entropy(HUGE[None], np.array([0])) == pytest.approx(2e4)


def test_confident_logits_keep_their_small_loss():
    """log(1 + exp(-20)), and not 0, in float32 as well."""
    for logit, target in (20.0, 1.0), (-20.0, 0.0):
        logits, targets = np.array([logit], np.float32), np.array([target], np.float32)
        loss = mg.binary_cross_entropy_with_logits(logits, targets)
        assert float(loss) == pytest.approx(np.log1p(np.exp(-20)), rel=1e-6)


def test_attention_to_nothing_is_zero_and_finite():
    q, k, v = (Tensor(np.ones((2, 3)), requires_grad=True) for _ in range(3))
    y = mg.scaled_dot_product_attention(q, k, v, attn_mask=np.array([[True, False], [False] * 2]))
    assert y.data.tolist() == [[1, 1, 1], [0, 0, 0]]
    assert all(np.isfinite(g).all() for g in gradients(y, [q, k, v], np.ones((2, 3))))


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("ddof", [0, 1, 2, 3, 2.5])
def test_the_variance_divides_by_0_where_ddof_takes_all_degrees_of_freedom(ddof):
    for x in np.array([1.0, 3.0]), np.array([[1.0, 3.0], [2.0, 2.0]]), np.array([1, 3]):
        for f, truth in (mg.var, np.var), (mg.std, np.std):
            found = f(x, -1, ddof=ddof)
            np.testing.assert_allclose(found, truth(x, -1, ddof=ddof), rtol=1e-15)


def test_the_mean_adds_up_in_a_dtype_that_holds_the_sum():
    ones = Tensor(np.ones(70_000, np.float16), requires_grad=True)
    y = mg.mean(ones)
    assert y.dtype == np.float16
    assert y.item() == np.mean(ones.data) == 1
    (g,) = gradients(y, [ones])
    assert g.dtype == np.float16
    assert set(g.tolist()) == {float(np.float16(1 / 70_000))}
    assert mg.mean(np.full(4, 2**62)) == np.mean(np.full(4, 2**62)) == 2**62
    assert mg.mean([1.0, 2.0]) == mg.mean(np.array([True, True, False, True])) * 2 == 1.5


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, np.int8, np.int64, bool])
@pytest.mark.parametrize("axis", [None, 0, (0, 1)])
def test_the_mean_is_numpys_for_every_dtype(dtype, axis):
    x = np.random.default_rng(0).normal(0, 100, (300, 20)).astype(dtype)
    found, truth = mg.mean(x, axis), np.mean(x, axis)
    assert found.dtype == truth.dtype
    np.testing.assert_allclose(found, truth, rtol=2 * float(np.finfo(truth.dtype).eps), atol=1e-5)


def test_of_an_empty_array():
    x = Tensor(np.zeros((0, 3)), requires_grad=True)
    assert mg.sum(x).item() == 0
    assert mg.prod(x, axis=0).data.tolist() == [1, 1, 1]
    with pytest.raises(ValueError, match="zero-size"):
        mg.max(x)
    assert gradients(mg.sum(x * 2), [x])[0].shape == (0, 3)


@pytest.mark.parametrize("dtype", [np.int8, np.int64, np.float16, np.float32, np.float64])
def test_clips_of_one_side_keep_the_dtype_and_what_is_not_finite(dtype):
    x = np.array([-3, 0, 2], dtype)
    if x.dtype.kind == "f":
        x = np.append(x, np.array([np.nan, np.inf, -np.inf], dtype))
    above, below = np.maximum(x, dtype(0)), np.minimum(x, dtype(0))
    pairs = [(mg.relu(x), above), (mg.clip(x, 0), above), (mg.clip(x, None, 0), below)]
    for found, expected in [*pairs, (mg.clip(x, max=0), below), (mg.relu(x[0]), above[0])]:
        assert found.dtype == dtype
        np.testing.assert_array_equal(found, expected)


def test_the_defaults_against_a_variance_of_zero_are_those_of_the_papers_code():
    x = np.array([[1.0, 2.0]])
    assert mg.normalize(x, 0, 0) == pytest.approx(x / np.sqrt(1e-5))
    assert mg.layer_norm(np.array([[0.0, 1e-3]]), 2) == pytest.approx(
        np.array([[-5e-4, 5e-4]]) / np.sqrt(2.5e-7 + 1e-5)
    )
    y, _, _ = mg.batch_norm(np.array([[0.0], [1e-3]]), np.ones(1), np.zeros(1))
    assert y == pytest.approx(np.array([[-5e-4], [5e-4]]) / np.sqrt(2.5e-7 + 1e-5))


def test_einsum_of_labels_without_an_output_gives_numpys():
    a, b = np.arange(6.0).reshape(2, 3), np.arange(12.0).reshape(3, 4)
    for operands in (a, [0, 1], b, [1, 2]), (a, [1, 0]), (a, [0, 1], b, [1, 2], [2, 0]):
        np.testing.assert_array_equal(mg.einsum(*operands), np.einsum(*operands))
