"""Pooling beyond the table of cases."""

import numpy as np
import op_truth as truth
import pytest
from cases import poolings
from hypothesis import given, settings
from hypothesis import strategies as st
from op_checks import draw_array

import minigrad as mg
from minigrad import Tensor, gradients

quickly = settings(max_examples=60, deadline=None, derandomize=True, database=None)


@quickly
@given(poolings())
def test_ties_give_the_gradient_to_the_first(drawn):
    (x,), options = drawn
    x = np.round(x)  # many ties
    t = Tensor(x, requires_grad=True)
    y = mg.max_pool2d(t, **options)
    expected, stride = np.zeros_like(x), options["stride"]
    stride = options["kernel_size"] if stride is None else stride
    places = truth.max_places(x, options["kernel_size"], stride, options["padding"])
    for (n, c, _, _), place in places.items():
        expected[n, c, *place] += 1
    np.testing.assert_array_equal(gradients(y, [t], np.ones(y.shape))[0], expected)


def test_the_gradient_of_a_window_of_minus_infinity_stays_off_the_border():
    x = Tensor(np.full((1, 1, 2, 2), -np.inf), requires_grad=True)
    y = mg.max_pool2d(x, 2, stride=1, padding=1)  # (1, 1, 3, 3)
    g = np.arange(9.0).reshape(y.shape)
    # Each window gives its gradient to the first of its pixels that is one of the image.
    assert gradients(y, [x], g)[0].tolist() == [[[[0 + 1 + 3 + 4, 2 + 5], [6 + 7, 8]]]]


def test_the_border_of_max_pool_never_wins():
    assert (mg.max_pool2d(np.full((1, 1, 3, 3), -5.0), 2, padding=1) == -5).all()


def test_global_is_adaptive_to_one():
    x = np.random.default_rng(0).normal(size=(2, 3, 5, 4))
    np.testing.assert_allclose(mg.global_avg_pool2d(x), mg.adaptive_avg_pool2d(x, 1))


def test_adaptive_of_a_dividing_size_is_avg_pool():
    x = np.random.default_rng(0).normal(size=(2, 3, 6, 4))
    np.testing.assert_allclose(mg.adaptive_avg_pool2d(x, (3, 2)), mg.avg_pool2d(x, 2))


@st.composite
def adaptive_poolings(draw):
    """An image (1, 1, H, W), an output size, and one place of each."""
    shape = [draw(st.integers(1, 7)) for _ in range(2)]
    size = [draw(st.integers(1, 7)) for _ in range(2)]
    pixel, output = (tuple(draw(st.integers(0, n - 1)) for n in sides) for sides in (shape, size))
    return draw_array(draw, (1, 1, *shape)), tuple(size), (0, 0, *pixel), (0, 0, *output)


@quickly
@given(adaptive_poolings(), st.sampled_from([np.nan, np.inf, -np.inf]))
def test_what_is_not_finite_stays_in_the_windows_of_its_pixel(drawn, value):
    x, size, pixel, output = drawn
    x = x.copy()
    x[pixel] = value
    found = mg.adaptive_avg_pool2d(x, size)
    np.testing.assert_allclose(found, truth.adaptive_avg_pool2d(x, size), rtol=1e-10)

    t = Tensor(np.zeros_like(x), requires_grad=True)  # and in the gradient, in one window's pixels
    g = np.zeros((1, 1, *size))
    g[output] = 1.0
    window = gradients(mg.adaptive_avg_pool2d(t, size), [t], g)[0] != 0
    g[output] = value
    (slope,) = gradients(mg.adaptive_avg_pool2d(t, size), [t], g)
    np.testing.assert_array_equal(slope, np.where(window, value, 0))


@pytest.mark.parametrize("pool", [mg.max_pool2d, mg.avg_pool2d])
@pytest.mark.parametrize(
    ("shape", "options", "reason"),
    [
        ((4, 4), {"kernel_size": 2}, r"\(N, C, H, W\)"),
        ((1, 1, 4, 4), {"kernel_size": 5}, "does not fit"),
        ((1, 1, 4, 4), {"kernel_size": 2, "padding": 2}, "half"),
        ((1, 1, 4, 4), {"kernel_size": 2, "stride": 0}, "stride"),
    ],
)
def test_windows_that_do_not_fit_raise(pool, shape, options, reason):
    with pytest.raises(ValueError, match=reason):
        pool(np.zeros(shape), **options)


def test_adaptive_pooling_of_no_image_raises():
    with pytest.raises(ValueError, match="adaptive_avg_pool2d"):
        mg.adaptive_avg_pool2d(np.zeros((4, 4)), 2)
    with pytest.raises(ValueError, match="output_size expects an integer of 1 or more"):
        mg.adaptive_avg_pool2d(np.zeros((1, 1, 4, 4)), 0)


@pytest.mark.parametrize("size", [1, 2, (3, 1), (6, 4), (4, 3), (1, 5)])
def test_adaptive_pooling_is_that_of_the_loops_whether_sizes_divide_or_not(size):
    x = np.random.default_rng(0).normal(size=(2, 3, 6, 4))
    np.testing.assert_allclose(mg.adaptive_avg_pool2d(x, size), truth.adaptive_avg_pool2d(x, size))
