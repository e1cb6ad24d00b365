"""Winograd's convolution: its algebra, the textbook, rounding, numbers that are not finite."""

import re
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from op_checks import blocks_of, check_gradients

import minigrad as mg
from minigrad import Tensor, gradients
from minigrad.ops import conv_blocks, winograd

quickly = settings(max_examples=60, deadline=None, derandomize=True, database=None)


@pytest.fixture
def calls(monkeypatch):
    """The names of the functions of winograd.py in the order in which they are called."""
    seen = []
    for name in "convolution", "input_gradient", "weight_gradient":
        function = getattr(winograd, name)

        def spy(*inputs, name=name, function=function):
            seen.append(name)
            return function(*inputs)

        monkeypatch.setattr(winograd, name, spy)
    return seen


def everything(conv, values, g, **options):
    """The output and the gradients of all inputs."""
    tensors = [Tensor(value, requires_grad=True) for value in values]
    y = conv(*tensors, **options)
    return y.data, *gradients(y, tensors, g)


def draw_images(draw, rng):
    """Images, kernels and a padding for which winograd.py is taken."""
    KW = draw(st.integers(1, 4))
    padding = draw(st.tuples(st.integers(0, 2), st.integers(0, 2)))
    H = draw(st.integers(max(1, 6 - 2 * padding[0]), 12))
    W = draw(st.integers(max(1, KW - 2 * padding[1]), 7))
    C, F = draw(st.integers(8, 11)), draw(st.integers(8, 11))
    x = rng.normal(size=(draw(st.integers(1, 5)), C, H, W))
    w = rng.normal(size=(F, C, 3, KW))
    OH, OW = H + 2 * padding[0] - 2, W + 2 * padding[1] - KW + 1
    return x, w, rng.normal(size=(len(x), F, OH, OW)), padding


# ---- the algebra ---------------------------------------------------------------------------------


@given(st.lists(st.integers(-9, 9), min_size=9, max_size=9))
def test_the_transforms_give_the_correlation_and_its_two_gradients(numbers):
    d, w = np.array(numbers[:6]), np.array(numbers[6:])
    u = np.arange(1, 5)
    D, W = winograd.OF_INPUT @ d, winograd.OF_KERNEL @ w
    U = winograd.OF_OUTPUT @ u
    np.testing.assert_allclose(winograd.OF_OUTPUT.T @ (D * W), np.correlate(d, w), atol=1e-12)
    np.testing.assert_allclose(winograd.OF_KERNEL.T @ (D * U), np.correlate(d, u), atol=1e-12)
    np.testing.assert_allclose(winograd.OF_INPUT.T @ (W * U), np.convolve(w, u), atol=1e-12)


def test_the_transform_of_the_input_is_the_fractions_that_it_stands_for():
    nearest = [Fraction(number).limit_denominator(30) for number in winograd.OF_INPUT.flat]
    assert winograd.OF_INPUT.ravel().tolist() == [float(fraction) for fraction in nearest]
    points = [Fraction(point) for point in winograd.POINTS]
    values = [[point**n for n in range(6)] for point in points] + [[0, 0, 0, 0, 0, 1]]
    product = np.array(nearest).reshape(6, 6).T @ np.array(values)
    assert product.tolist() == np.eye(6).tolist()


def test_the_board_in_the_docstring_is_right():
    d, w = (1, 2, 3, 4), (5, 6, 7)
    products = [
        (d[0] - d[2]) * w[0],
        (d[1] + d[2]) * Fraction(w[0] + w[1] + w[2], 2),
        (d[2] - d[1]) * Fraction(w[0] - w[1] + w[2], 2),
        (d[3] - d[1]) * w[2],
    ]
    assert products == [-10, 45, 3, 14]
    outputs = [products[0] + products[1] + products[2], products[1] - products[2] + products[3]]
    assert outputs == [38, 56] == np.correlate(d, w).tolist()
    for text in ("-10, 45, 3 and 14", "is 38", "is 56"):
        assert text in winograd.__doc__


def test_the_matrices_in_the_docstring_are_right(monkeypatch):
    monkeypatch.setattr(winograd, "POINTS", (0, 1, -1))
    V2, V3, V4 = (winograd._evaluate(n) for n in (2, 3, 4))
    shown = [re.sub(r"V\(\d\) =", "", line).split() for line in winograd.__doc__.splitlines()]
    for row, point in zip(np.hstack([V2, V3, V4]), ["0", "1", "-1", "infinity"], strict=True):
        assert [*(str(int(number)) for number in row), point] in shown
    d, w, u = np.array([1, 2, 3, 4]), np.array([5, 6, 7]), np.array([8, 9])
    D, W, U = np.linalg.inv(V4).T @ d, V3 @ w, V2 @ u
    np.testing.assert_allclose(D, [1 - 3, (2 + 3) / 2, (3 - 2) / 2, 4 - 2])
    np.testing.assert_allclose(W, [5, 5 + 6 + 7, 5 - 6 + 7, 7])
    assert V2.T.tolist() == [[1, 1, 1, 0], [0, 1, -1, 1]]
    np.testing.assert_allclose(np.linalg.inv(V4) @ (W * U), np.convolve(w, u), atol=1e-12)
    np.testing.assert_allclose((D * W * U).sum(), u @ np.correlate(d, w))


# ---- the textbook --------------------------------------------------------------------------------


@quickly
@given(st.data(), st.sampled_from([1, 3000, 2**20]), st.booleans())
def test_outputs_and_gradients_are_those_of_the_textbook(data, block_bytes, with_bias):
    rng = np.random.default_rng(0)
    x, w, g, padding = draw_images(data.draw, rng)
    b = rng.normal(size=len(w))
    with blocks_of(block_bytes):
        found = everything(mg.conv2d, [x, w, b][: 2 + with_bias], g, padding=padding)
    expected = everything(mg.conv2d_textbook, [x, w], g, padding=padding)
    assert winograd.pays(x, w, w.shape, g.shape[2], (1, 1), (1, 1))
    if with_bias:
        np.testing.assert_allclose(found[3], g.sum((0, 2, 3)))
        found = (found[0] - b[:, None, None], *found[1:3])
    for got, textbook in zip(found, expected, strict=True):
        np.testing.assert_allclose(got, textbook, atol=1e-11)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(("channels", "filters"), [(8, 9), (8, 8), (9, 8)])
def test_each_of_the_three_is_taken_where_it_pays(calls, monkeypatch, channels, filters, dtype):
    monkeypatch.setattr(conv_blocks, "_windows", None)  # nothing is computed by columns, too
    shapes = (2, channels, 7, 6), (filters, channels, 3, 3), (filters,), (2, filters, 5, 4)
    *values, g = (np.ones(shape, dtype) for shape in shapes)
    everything(mg.conv2d, values, g)
    # With no more filters than channels, g is convolved with the kernels turned.
    back = "input_gradient" if filters > channels else "convolution"
    assert sorted(calls) == sorted(["convolution", back, "weight_gradient"])


@pytest.mark.parametrize(
    ("shape", "kernel", "options"),
    [
        ((2, 7, 9, 9), (8, 7, 3, 3), {}),
        ((2, 8, 9, 9), (7, 8, 3, 3), {}),
        ((2, 8, 3, 9), (8, 8, 3, 3), {}),
        ((2, 8, 3, 9), (9, 8, 3, 3), {}),
        ((2, 8, 9, 9), (8, 8, 2, 3), {}),
        ((2, 8, 9, 9), (8, 8, 4, 3), {}),
        ((2, 8, 9, 9), (8, 8, 3, 3), {"stride": 2}),
        ((2, 8, 9, 9), (8, 8, 3, 3), {"dilation": (1, 2)}),
    ],
)
def test_other_shapes_go_by_columns(calls, shape, kernel, options):
    y = mg.conv2d_textbook(np.ones(shape), np.ones(kernel), **options)
    everything(mg.conv2d, [np.ones(shape), np.ones(kernel)], np.ones(y.shape), **options)
    assert calls == []


@pytest.mark.parametrize("dtypes", [("int64", "int64"), ("float16",) * 2, ("float32", "float64")])
def test_other_dtypes_go_by_columns(calls, dtypes):
    rng = np.random.default_rng(0)
    x = rng.integers(-9, 9, (2, 8, 9, 9)).astype(dtypes[0])
    w = rng.integers(-2, 3, (8, 8, 3, 3)).astype(dtypes[1])
    np.testing.assert_array_equal(mg.conv2d(x, w), mg.conv2d_textbook(x, w))  # all are integers
    assert calls == []


@pytest.mark.parametrize(("channels", "filters"), [(8, 9), (9, 8)])
def test_memory_holds_the_channels_of_images_last_and_the_weights_as_they_are_written(
    channels, filters
):
    shapes = (2, channels, 8, 7), (filters, channels, 3, 2), (2, filters, 6, 6)
    x, w, g = (np.ones(shape) for shape in shapes)
    options = {"stride": (1, 1), "padding": (0, 0), "dilation": (1, 1)}
    y = conv_blocks._convolution(x, w, **options)
    dx = conv_blocks._input_gradient(g, w, shape=x.shape, **options)
    dw = conv_blocks._weight_gradient(g, x, shape=w.shape, **options)
    assert y.transpose(0, 2, 3, 1).flags.c_contiguous
    assert dx.transpose(0, 2, 3, 1).flags.c_contiguous
    assert dw.flags.c_contiguous


def test_images_go_a_few_at_a_time_and_in_their_own_dtype(monkeypatch):
    at_once, looked_at = [], []

    def spy_on_input(matrix, x, rows, cuts, most, function=winograd._transformed):
        at_once.append(most)
        for images, block in function(matrix, x, rows, cuts, most):
            assert len(x[images]) == block.shape[1] <= most
            assert block.dtype == x.dtype
            yield images, block

    def spy_on_output(x, function=winograd._is_finite):
        looked_at.append(x.dtype)
        return function(x)

    monkeypatch.setattr(winograd, "_transformed", spy_on_input)
    monkeypatch.setattr(winograd, "_is_finite", spy_on_output)
    shapes = (3, 8, 7, 6), (9, 8, 3, 3), (3, 9, 5, 4)
    x, w, g = (np.ones(shape, np.float32) for shape in shapes)
    columns = 6 * 2 * 4 * (3 * 8) * 4  # points, strips, columns, their length, bytes of a float
    for block_bytes, most in (1, 1), (2 * columns, 2), (9 * columns, 3):
        with blocks_of(block_bytes):
            everything(mg.conv2d, [x, w], g)
        assert at_once == [most] * 4  # the images, the gradient, and both for the weights
        blocks = -(-3 // most)
        assert looked_at == [np.float32] * (2 * blocks + 1)
        at_once.clear()
        looked_at.clear()


@pytest.mark.parametrize("dtype", ["float64", "longdouble", "int64", "complex64", ">f8"])
def test_a_bias_of_another_dtype_gives_the_output_the_dtype_of_all_three(dtype):
    rng = np.random.default_rng(0)
    x, w = (np.float32(rng.integers(-9, 9, shape)) for shape in ((2, 8, 9, 9), (8, 8, 3, 3)))
    b = np.arange(8).astype(dtype)
    y = mg.conv2d(x, w, b)
    assert y.dtype == np.result_type(x, b)
    np.testing.assert_array_equal(y, mg.conv2d_textbook(x, w) + b[:, None, None])


@pytest.mark.parametrize(("channels", "filters"), [(8, 9), (9, 8)])
def test_first_and_second_derivatives(channels, filters):
    rng = np.random.default_rng(0)
    x, w = rng.normal(size=(1, channels, 6, 1)), rng.normal(size=(filters, channels, 3, 1))
    check_gradients(lambda x, w: mg.conv2d(x, w) ** 2 / 100, [x, w])


# ---- rounding ------------------------------------------------------------------------------------

needs_more_digits = pytest.mark.skipif(
    np.finfo(np.longdouble).eps == np.finfo(np.float64).eps,
    reason="a longdouble has no more digits than a float64, as on Windows and on Apple's processors",
)


def images_like_w4(seed):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(4, 32, 14, 14))
    w = rng.normal(size=(64, 32, 3, 3)) / 17
    return x, w, rng.normal(size=(4, 64, 12, 12))


@pytest.mark.parametrize("seed", range(5))
def test_the_error_in_float32_is_what_the_docstring_says(seed):
    x, w, g = images_like_w4(seed)
    single = [np.float32(v) for v in (x, w, g)]
    found = everything(mg.conv2d, single[:2], single[2])
    expected = everything(
        mg.conv2d_textbook, [np.float64(v) for v in single[:2]], np.float64(single[2])
    )
    for got, exact in zip(found, expected, strict=True):
        assert got.dtype == np.float32
        assert abs(got - exact).max() < 2e-6 * abs(exact).max()


@needs_more_digits
@pytest.mark.parametrize("seed", range(5))
def test_the_error_in_float64_is_what_the_docstring_says(seed):
    x, w, g = (np.longdouble(v) for v in images_like_w4(seed))
    found = everything(mg.conv2d, [np.float64(x), np.float64(w)], np.float64(g))
    columns = mg.im2col(x, 3)
    exact = (columns @ w.transpose(2, 3, 1, 0).reshape(-1, 64)).reshape(4, 12, 12, 64)
    exact = exact.transpose(0, 3, 1, 2)
    assert abs(found[0] - exact).max() < 6e-15 * abs(exact).max()


@pytest.mark.parametrize(
    ("dtype", "wider", "median", "worst"),
    [
        (np.float32, np.float64, 6e-7, 2.5e-6),
        pytest.param(np.float64, np.longdouble, 1e-15, 3e-15, marks=needs_more_digits),
    ],
)
def test_the_errors_over_random_shapes_are_those_of_the_docstring(dtype, wider, median, worst):
    rng = np.random.default_rng(0)
    errors = []
    for _ in range(15):
        N, C, F, KW = (int(rng.choice(n)) for n in ([1, 2], [8, 16, 64], [8, 16, 64], [1, 3, 5]))
        H, W = rng.integers(6, 12, 2)
        shapes = (N, C, H, W), (F, C, 3, KW), (N, F, H - 2, W - KW + 1)
        x, w, g = (rng.normal(size=shape).astype(dtype) for shape in shapes)
        found = everything(mg.conv2d, [x, w], g)
        expected = everything(mg.conv2d_textbook, [wider(x), wider(w)], wider(g))
        for got, exact in zip(found, expected, strict=True):
            errors.append(abs(got - exact).max() / abs(exact).max())
    assert np.median(errors) < 2 * median
    assert max(errors) < 2 * worst


def test_a_large_pixel_leaks_into_its_strip_as_little_as_the_docstring_says():
    x, w, _ = images_like_w4(0)
    x[0, 0, 6, 6] = 1e4  # in the strip of outputs 4 to 7
    exact = mg.conv2d_textbook(np.float64(np.float32(x)), np.float64(np.float32(w)))
    error = abs(mg.conv2d(np.float32(x), np.float32(w)) - exact)
    assert error.max() < 3e-3
    strip = np.zeros(exact.shape, bool)
    strip[0, :, 4:8, 4:7] = True
    assert error[~strip].max() < 2e-5  # others are as good as ever


# ---- numbers that are not finite -----------------------------------------------------------------


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(("channels", "filters"), [(8, 12), (12, 8)])
def test_a_bad_number_is_found_where_the_textbook_finds_it(bad, dtype, channels, filters):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(5, channels, 11, 9)).astype(dtype)
    w = rng.normal(size=(filters, channels, 3, 3)).astype(dtype)
    b = rng.normal(size=filters).astype(dtype)
    g = rng.normal(size=(5, filters, 9, 7)).astype(dtype)
    # Where g is gathered, a bad weight meets the zeros of the border too, by columns as well.
    for spoil in (x, w, b, g) if filters > channels else (x, b, g):
        place = tuple(n // 2 for n in spoil.shape)
        kept = spoil[place]
        spoil[place] = bad
        with blocks_of(30_000), np.errstate(invalid="ignore"):  # several blocks
            found = everything(mg.conv2d, [x, w, b], g)
            y, *textbook = everything(mg.conv2d_textbook, [x, w], g)
            expected = [y + b[:, None, None], *textbook, g.sum((0, 2, 3))]
        spoil[place] = kept
        for got, textbook in zip(found, expected, strict=True):
            np.testing.assert_allclose(got, textbook, rtol=1e-3, atol=1e-4)
        assert not all(np.isfinite(got).all() for got in found)


@pytest.mark.parametrize("size", [1e20, 1e37])
def test_numbers_whose_squares_overflow_come_out_right(size):
    rng = np.random.default_rng(0)
    x = np.float32(size * rng.normal(size=(2, 8, 8, 8)))
    w = np.float32(rng.normal(size=(8, 8, 3, 3)) / 10)
    exact = mg.conv2d_textbook(np.float64(x), np.float64(w))
    np.testing.assert_allclose(mg.conv2d(x, w), exact, atol=1e-5 * abs(exact).max())


def test_a_product_that_overflows_where_the_output_does_not_is_found():
    x, w = np.zeros((1, 8, 8, 8), np.float32), np.ones((8, 8, 3, 1), np.float32)
    x[0, 0, 2] = 1.5e38  # at the point 1, times 5/6 and 3: infinite; at all others, less
    np.testing.assert_allclose(mg.conv2d(x, w), mg.conv2d_textbook(x, w))


def test_a_bad_pixel_warns_no_more_than_by_columns():
    x, w = np.ones((1, 8, 8, 8)), np.ones((8, 8, 3, 3))
    x[0, 0, 4, 4] = np.inf
    y = mg.conv2d(x, w)  # warnings are errors in these tests
    assert np.isinf(y).sum() == 8 * 9
    assert not np.isnan(y).any()


@pytest.mark.parametrize(("channels", "filters"), [(8, 12), (12, 8)])
@pytest.mark.parametrize("small", range(3))
def test_small_numbers_raise_nothing_that_they_do_not_raise_by_columns(channels, filters, small):
    rng = np.random.default_rng(0)
    shapes = (2, channels, 8, 8), (filters, channels, 3, 3), (2, filters, 6, 6)
    x, w, g = values = [np.float32(rng.normal(size=shape)) for shape in shapes]
    values[small] *= np.float32(1e-20)  # its square is none of the numbers of float32
    with np.errstate(all="raise"):
        found = everything(mg.conv2d, [x, w], g)
        expected = everything(mg.conv2d_textbook, [x, w], g)
    for got, textbook in zip(found, expected, strict=True):
        np.testing.assert_allclose(got, textbook, atol=1e-5 * abs(textbook).max())
