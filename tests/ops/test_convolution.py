"""Convolution beyond the table of cases: the textbook, the blocks, layouts, errors."""

import numpy as np
import op_truth as truth
import pytest
from cases import convolutions
from hypothesis import given, settings
from hypothesis import strategies as st
from op_checks import LAYOUTS, _laid_out, blocks_of, check_gradients

import minigrad as mg
from minigrad import Tensor, gradients
from minigrad.autograd import registry
from minigrad.ops import conv_blocks

quickly = settings(max_examples=60, deadline=None, derandomize=True, database=None)


@quickly
@given(convolutions(bias=False), st.sampled_from([1, 300, 2**21]))
def test_conv2d_and_its_gradients_are_the_textbooks(drawn, block_bytes):
    values, options = drawn
    found = []
    for conv in mg.conv2d, mg.conv2d_textbook:
        tensors = [Tensor(value, requires_grad=True) for value in values]
        with blocks_of(block_bytes):
            y = conv(*tensors, **options)
            g = np.random.default_rng(0).normal(size=y.shape)
            found.append([y.data, *gradients(y, tensors, g)])
    for fast, textbook in zip(*found, strict=True):
        np.testing.assert_allclose(fast, textbook, atol=1e-12)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("stride", [1, 2])
def test_many_blocks_give_what_one_gives(dtype, stride):
    """Images are taken a few at a time; a batch that is no multiple of it must not matter."""
    rng = np.random.default_rng(0)
    x, w = rng.normal(size=(7, 2, 6, 5)).astype(dtype), rng.normal(size=(3, 2, 3, 2)).astype(dtype)
    b, shape = rng.normal(size=3).astype(dtype), mg.conv2d(x, w, stride=stride).shape
    g = rng.normal(size=shape).astype(dtype)

    def everything():
        tensors = [Tensor(v, requires_grad=True) for v in (x, w, b)]
        y = mg.conv2d(*tensors, stride=stride)
        return y.data, *gradients(y, tensors, g)

    options = {"stride": (stride, stride), "padding": (0, 0), "dilation": (1, 1)}
    expected = [
        truth.conv2d(x, w, b, stride),
        truth.conv2d_input_gradient(g, w, x.shape, **options),
        truth.conv2d_weight_gradient(g, x, w.shape, **options),
        g.sum((0, 2, 3)),
    ]
    for block_bytes in (1, 700, 2000, 10**9):
        with blocks_of(block_bytes):
            found = everything()
        for got, loops in zip(found, expected, strict=True):
            assert got.dtype == dtype
            np.testing.assert_allclose(got, loops, rtol=1e-4, atol=2e-4)


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("shape", [(1, 1, 4, 4), (2, 1, 4, 1), (1, 3, 1, 4), (2, 2, 4, 4)])
def test_any_strides_of_the_input_give_the_same(layout, shape):
    x = np.random.default_rng(0).normal(size=shape)
    w = np.random.default_rng(1).normal(size=(2, shape[1], 1, 1))
    odd = _laid_out(x.copy(), layout)
    np.testing.assert_array_equal(odd, x)
    np.testing.assert_array_equal(mg.conv2d(odd, w, padding=1), mg.conv2d(x, w, padding=1))
    np.testing.assert_array_equal(mg.max_pool2d(odd, 1), mg.max_pool2d(x, 1))


@pytest.mark.parametrize(
    ("channels", "filters", "kernel", "size", "padding"),
    [(8, 16, (5, 5), (12, 12), 0), (2, 9, (5, 4), (11, 9), 2), (1, 8, (3, 7), (6, 21), 1)],
)
def test_input_gradients_by_strips_are_those_of_col2im(
    monkeypatch, channels, filters, kernel, size, padding
):
    seen, strips = [], conv_blocks._scatter_strips
    spy = lambda g, w, shape, padding, strip: (
        seen.append(strip) or strips(g, w, shape, padding, strip)
    )
    monkeypatch.setattr(conv_blocks, "_scatter_strips", spy)
    monkeypatch.setattr(conv_blocks, "BLOCK_BYTES", 10_000)  # more than one block
    rng = np.random.default_rng(0)
    x = mg.Tensor(rng.normal(size=(5, channels, *size)), requires_grad=True)
    w = rng.normal(size=(filters, channels, *kernel))
    y = mg.conv2d(x, w, padding=padding)
    g = rng.normal(size=y.shape)
    (found,) = mg.gradients(y, [x], g)
    columns = g.transpose(0, 2, 3, 1).reshape(-1, filters) @ w.transpose(0, 2, 3, 1).reshape(
        filters, -1
    )
    np.testing.assert_allclose(found, mg.col2im(columns, x.shape, kernel, padding=padding))
    assert seen == [max(n for n in range(1, kernel[1]) if y.shape[3] % n == 0)]


def test_a_batch_of_no_images_has_gradients():
    x, w = mg.Tensor(np.zeros((0, 1, 5, 5)), requires_grad=True), mg.Tensor(np.ones((2, 1, 3, 3)))
    w.requires_grad = True
    for stride in (1, 2):
        y = mg.conv2d(x, w, stride=stride)
        gx, gw = mg.gradients(y.sum(), [x, w])
        assert (gx.shape, gw.shape) == (x.shape, w.shape)
        assert not gw.any()


def test_memory_stays_channels_last():
    x = np.zeros((2, 5, 5, 3)).transpose(0, 3, 1, 2)
    y = mg.max_pool2d(mg.relu(mg.conv2d(x, np.zeros((4, 3, 2, 2)))), 2)
    assert y.transpose(0, 2, 3, 1).flags.c_contiguous


@pytest.mark.parametrize("stride", [1, 2])
def test_second_derivatives_of_conv2d_in_all_pairs(stride):
    rng = np.random.default_rng(0)
    x, w, b = rng.normal(size=(2, 2, 4, 5)), rng.normal(size=(3, 2, 2, 3)), rng.normal(size=3)
    conv = lambda *xs: mg.conv2d(*xs, stride=stride, padding=1)
    check_gradients(lambda x, w, b: conv(x, w, b) ** 3 / 10, [x, w, b])
    check_gradients(lambda x, w: conv(x, w), [x, w])
    check_gradients(lambda x: conv(x, w, b) ** 2, [x])
    check_gradients(lambda w: conv(x, w, b) ** 2, [w])


@pytest.mark.parametrize(
    ("x", "w", "options", "match"),
    [
        ((1, 4, 4), (1, 1, 2, 2), {}, r"conv2d expects x \(N, C, H, W\)"),
        ((1, 2, 4, 4), (1, 1, 2, 2), {}, r"got \(1, 2, 4, 4\), \(1, 1, 2, 2\)"),
        ((1, 2, 4, 4), (3, 1, 2, 2), {"groups": 2}, "groups that divide F"),
        ((1, 1, 2, 2), (1, 1, 3, 3), {}, "conv2d: a kernel .* does not fit"),
        ((1, 1, 4, 4), (1, 1, 3, 3), {"dilation": 2}, "conv2d: a kernel .* does not fit"),
        ((1, 1, 4, 4), (1, 1, 2, 2), {"stride": 0}, "stride expects an integer of 1 or more"),
        ((1, 1, 4, 4), (1, 1, 2, 2), {"padding": -1}, "padding expects an integer of 0 or more"),
        ((1, 1, 4, 4), (2, 1, 2, 2), {"b": np.zeros(1)}, r"and \(1,\)"),
        ((1, 1, 4, 4), (2, 1, 2, 2), {"b": np.zeros((2, 1))}, r"and \(2, 1\)"),
    ],
)
def test_shapes_that_do_not_fit_raise(x, w, options, match):
    with pytest.raises(ValueError, match=match):
        mg.conv2d(np.zeros(x), np.zeros(w), **options)


@pytest.mark.parametrize("size", [(7, 9), (8, 10), (6, 8)])
@pytest.mark.parametrize(("stride", "padding", "dilation"), [(1, 1, 2), (2, 0, 1), ((3, 2), 1, 1)])
def test_conv_transpose2d_is_the_transpose_of_conv2d(size, stride, padding, dilation):
    """<conv2d(x), g> = <x, conv_transpose2d(g)>; output_padding tells sizes of x apart."""
    rng = np.random.default_rng(0)
    x, w = rng.normal(size=(2, 4, *size)), rng.normal(size=(6, 2, 3, 2))
    y = mg.conv2d(x, w, None, stride, padding, dilation, groups=2)
    g = rng.normal(size=y.shape)
    least = mg.conv_transpose2d(g, w, None, stride, padding, 0, 2, dilation)
    more = tuple(n - m for n, m in zip(size, least.shape[2:]))
    back = mg.conv_transpose2d(g, w, None, stride, padding, more, 2, dilation)
    assert back.shape == x.shape
    assert np.sum(y * g) == pytest.approx(np.sum(x * back))


@pytest.mark.parametrize(
    ("x", "w", "options", "match"),
    [
        ((1, 4, 4), (1, 1, 2, 2), {}, r"x \(N, C, H, W\)"),
        ((1, 2, 4, 4), (1, 2, 2, 2), {}, r"got \(1, 2, 4, 4\), \(1, 2, 2, 2\)"),
        ((1, 3, 4, 4), (3, 1, 2, 2), {"groups": 2}, "groups that divide C"),
        ((1, 1, 4, 4), (1, 2, 2, 2), {"b": np.zeros(1)}, r"and \(1,\)"),
        ((1, 1, 4, 4), (1, 1, 2, 2), {"output_padding": 1}, "less than the stride"),
        (
            (1, 1, 4, 4),
            (1, 1, 2, 2),
            {"output_padding": -1},
            "output_padding expects an integer of 0",
        ),
        ((1, 1, 1, 1), (1, 1, 2, 2), {"padding": 1}, "without a pixel"),
        ((1, 1, 0, 4), (1, 1, 2, 2), {}, "without a pixel"),
        ((1, 1, 4, 4), (1, 1, 2, 2), {"padding": -1}, "padding expects an integer of 0 or more"),
        ((1, 1, 4, 4), (1, 1, 0, 2), {"stride": 2}, "a kernel of 1 or more"),
    ],
)
def test_shapes_that_do_not_fit_conv_transpose2d_raise(x, w, options, match):
    with pytest.raises(ValueError, match=match):
        mg.conv_transpose2d(np.zeros(x), np.zeros(w), **options)


def test_conv1d_refuses_images():
    with pytest.raises(ValueError, match=r"\(N, C, L\)"):
        mg.conv1d(np.zeros((1, 1, 4, 4)), np.zeros((1, 1, 2)))


@pytest.mark.parametrize("channels", [1, 2, 3, 16, 40])
@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("dtypes", [("f4", "f8"), ("f8", "f4"), ("f2", "f4")])
def test_the_input_gradient_of_two_dtypes_has_the_wider_on_every_path(channels, stride, dtypes):
    """A gather, a scatter and strips serve different numbers of channels and strides."""
    rng = np.random.default_rng(0)
    g = rng.normal(size=(2, 24, 8, 8)).astype(dtypes[0])  # filters enough for strips
    w = rng.normal(size=(24, channels, 3, 3)).astype(dtypes[1])
    size = 8 * stride + 3 - stride
    options = {"stride": (stride, stride), "padding": (0, 0), "dilation": (1, 1)}
    found = registry["conv2d_input_gradient"](g, w, shape=(2, channels, size, size), **options)
    wide = [x.astype(np.float64) for x in (g, w)]
    exact = registry["conv2d_input_gradient"](*wide, shape=(2, channels, size, size), **options)
    assert found.dtype == np.result_type(g, w)
    np.testing.assert_allclose(found, exact, rtol=1e-4, atol=2e-4)
