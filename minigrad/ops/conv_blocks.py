"""Convolution a few images at a time, so that their columns stay in the cache.

The textbook in convolution.py does the same to the whole batch at once. But the columns of a batch
are KH * KW times as large as its images and do not stay in the cache; those of a block are read
while they are still there. Each of the three functions is a row of the table, and the rows are each
other's gradients. For kernels of three rows, winograd.py does most of it with half the products.
"""

import math

import numpy as np
from numpy.lib.stride_tricks import as_strided

from ..autograd import primitive
from . import winograd
from .blocks import blocks
from .linalg import matmul
from .shaping import reshape, transpose
from .windows import channels_last, col2im, output_size

# Of columns. Takes 0.58 of the time of the whole batch at once (64 images, 32 to 64 channels).
BLOCK_BYTES = 2**20


# ---- columns, block by block ---------------------------------------------------------------------


def _windows(x, KH, KW, stride, dilation):
    """A view (N, OH, OW, KH, KW, C) of contiguous images (N, H, W, C); nothing is copied."""
    N, H, W, C = x.shape
    SH, SW = stride
    DH, DW = dilation
    OH, OW = output_size((H, W), (KH, KW), stride, dilation=dilation)
    # From the shape: the strides that NumPy keeps for an axis of length 1 are arbitrary.
    n, h, w, c = (x.itemsize * size for size in (H * W * C, W * C, C, 1))  # bytes to the next
    strides = (n, SH * h, SW * w, DH * h, DW * w, c)
    return as_strided(x, (N, OH, OW, KH, KW, C), strides, writeable=False)


def _column_blocks(windows):
    """For each block, the slice of its images, and their columns (n * OH * OW, KH * KW * C)."""
    N, OH, OW, KH, KW, C = windows.shape
    size = OH * OW * KH * KW * C  # numbers in the columns of one image
    buffer = None  # one for all blocks, of which the first is the largest
    for images in blocks(N, size * windows.itemsize, BLOCK_BYTES):
        block = windows[images]
        if buffer is None:
            buffer = np.empty(block.size, windows.dtype)
        columns = buffer[: block.size]
        if (
            KW * C < 16 and KW * C < OW
        ):  # place by place of the kernel, in runs of OW: half the time
            columns.reshape(KH, KW, C, -1, OH, OW)[...] = block.transpose(3, 4, 5, 0, 1, 2)
            yield images, columns.reshape(KH * KW * C, -1).T
        else:
            columns.reshape(block.shape)[...] = block
            yield images, columns.reshape(-1, KH * KW * C)


# ---- forward: columns @ matrix -------------------------------------------------------------------


def _convolution(x, w, b=None, *, stride, padding, dilation):
    """(N, C, H, W), (F, C, KH, KW), (F,) -> (N, F, OH, OW)"""
    OH, _ = output_size(x.shape, w.shape[2:], stride, padding, dilation)
    one_dtype = b is None or b.dtype == x.dtype  # a bias of another dtype gives the output its own
    if not (one_dtype and winograd.pays(x, w, w.shape, OH, stride, dilation)):
        return _convolve_columns(x, w, b, stride, padding, dilation)
    y, spoiled = winograd.convolution(x, w, b, padding)
    for images in spoiled:
        y[images] = _convolve_columns(x[images], w, b, stride, padding, dilation)
    return y


def _convolve_columns(x, w, b, stride, padding, dilation):
    """The product of the columns and the kernels, for whatever options."""
    F, _, KH, KW = w.shape
    windows = _windows(channels_last(x, padding), KH, KW, stride, dilation)
    N, OH, OW = windows.shape[:3]
    matrix = np.ascontiguousarray(w.transpose(2, 3, 1, 0)).reshape(-1, F)  # (KH * KW * C, F)
    y = np.empty((N, OH * OW, F), np.result_type(x, w, w if b is None else b))
    bias = None if b is None else np.tile(b, OW)  # added to rows of OW * F: long loops are fast
    for images, columns in _column_blocks(windows):
        np.matmul(columns, matrix, out=y[images].reshape(-1, F))  # (n * OH * OW, F)
        if bias is not None:
            y[images].reshape(-1, OW * F)[...] += bias
    return y.reshape(N, OH, OW, F).transpose(0, 3, 1, 2)


# ---- gradient of the weights: columns.T @ g ------------------------------------------------------


def _weight_gradient(g, x, *, shape, stride, padding, dilation):
    """dL/dw: the sum over all windows of window.T @ g. (N, F, OH, OW), x -> (F, C, KH, KW)"""
    if winograd.pays(x, g, shape, g.shape[2], stride, dilation):
        total = winograd.weight_gradient(g, x, shape, padding)
        if total is not None:
            return total
    F, C, KH, KW = shape
    windows = _windows(channels_last(x, padding), KH, KW, stride, dilation)
    g = channels_last(g).reshape(len(x), math.prod(g.shape[2:]), F)  # (N, OH * OW, F)
    total = np.zeros((KH * KW * C, F), np.result_type(g, x))
    for images, columns in _column_blocks(windows):
        # Where the channels are few, this order takes half the time of g.T @ columns. np.dot,
        # because for a small result np.matmul holds Python's lock, and other threads have to wait.
        total += np.dot(columns.T, g[images].reshape(-1, F))
    return np.ascontiguousarray(total.reshape(KH, KW, C, F).transpose(3, 2, 0, 1))


def _bias_gradient(g):
    """dL/db: the sum of each channel, (N, F, OH, OW) -> (F,)

    As ones @ g it is computed by BLAS, in a quarter of the time of `sum`.
    """
    rows = reshape(transpose(g, (0, 2, 3, 1)), (-1, g.shape[1]))  # (N * OH * OW, F)
    return matmul(np.ones(rows.shape[0], g.dtype), rows)


# ---- gradient of the input: in one of four ways, whichever is fastest ----------------------------


def _input_gradient(g, w, *, shape, stride, padding, dilation):
    """dL/dx: each window hands its share back. (N, F, OH, OW), w -> (N, C, H, W)"""
    F, C, KH, KW = w.shape
    PH, PW = padding
    DH, DW = dilation
    border = (DH * (KH - 1) - PH, DW * (KW - 1) - PW)
    if stride != (1, 1) or min(border) < 0:
        return _scatter_columns(g, w, shape, stride, padding, dilation)
    # With more filters than channels, to hand back moves less than to gather (0.7 of the time with
    # 64 and 32), which goes by Winograd's algorithm, too.
    if F > C and winograd.pays(g, w, w.shape, g.shape[2], stride, dilation):
        x, spoiled = winograd.input_gradient(g, w, shape, padding)
        for images in spoiled:
            x[images] = _scatter_columns(g[images], w, x[images].shape, stride, padding, dilation)
        return x
    _, _, H, W = shape
    OH, OW = g.shape[2:]
    # Outputs side by side may hand back together: as many as divide a row, less than a kernel is
    # wide. That pays if it moves a fifth of the numbers that gathering moves (measured).
    most = min(max(1, KW - 1), 8)
    strip = max(n for n in range(1, most + 1) if OW % n == 0)
    handed_back = OH * (OW // strip) * KH * (KW + strip - 1) * C
    gathered = H * W * KH * KW * F
    if dilation == (1, 1) and 5 * handed_back < gathered:
        return _scatter_strips(g, w, shape, padding, strip)
    return _gather(g, w, border, dilation)


def _scatter_columns(g, w, shape, stride, padding, dilation):
    """The textbook's way, which works for every stride: g @ matrix.T, then col2im."""
    N, C, H, W = shape
    F, _, KH, KW = w.shape
    matrix = w.transpose(0, 2, 3, 1).reshape(F, -1)  # (F, KH * KW * C)
    g = channels_last(g)  # (N, OH, OW, F)
    bytes_each = math.prod(g.shape[1:3]) * matrix.shape[1] * g.itemsize
    x = np.empty((N, H, W, C), np.result_type(g, w)).transpose(0, 3, 1, 2)
    for images in blocks(N, bytes_each, BLOCK_BYTES):
        columns = g[images].reshape(-1, F) @ matrix  # (n * OH * OW, KH * KW * C)
        x[images] = col2im(columns, x[images].shape, (KH, KW), stride, padding, dilation)
    return x


def _gather(g, w, border, dilation):
    """For stride 1: the convolution of g, inside a border, with the kernels turned by 180 degrees.

    It gathers what the textbook scatters, in 0.8 of the time.
    """
    turned = w[:, :, ::-1, ::-1].transpose(1, 0, 2, 3)  # (C, F, KH, KW)
    return _convolution(g, turned, stride=(1, 1), padding=border, dilation=dilation)


def _scatter_strips(g, w, shape, padding, strip):
    """For stride 1 and few channels: `strip` outputs side by side hand back their shares together.

    They add to a strip of pixels in each of KH rows, in 0.3 of the time that gathering takes with 8
    channels and kernels of 5x5.
    """
    N, C, H, W = shape
    F, _, KH, KW = w.shape
    PH, PW = padding
    OH, OW = g.shape[2:]
    wide = np.zeros((strip, F, KH, KW + strip - 1, C), w.dtype)  # kernels side by side
    for n in range(strip):
        wide[n, :, :, n : n + KW] = w.transpose(0, 2, 3, 1)
    matrix = wide.reshape(strip * F, -1)
    run = (KW + strip - 1) * C  # numbers in a row of a strip
    g = channels_last(g)  # (N, OH, OW, F)
    x = np.zeros((N, H + 2 * PH, (W + 2 * PW) * C), np.result_type(g, w))
    for images in blocks(N, OH * (OW // strip) * KH * run * g.itemsize, BLOCK_BYTES):
        columns = (g[images].reshape(-1, strip * F) @ matrix).reshape(-1, OH, OW // strip, KH, run)
        for i, k in np.ndindex(KH, OW // strip):
            x[images, i : i + OH, k * strip * C :][..., :run] += columns[:, :, k, i]
    x = x.reshape(N, H + 2 * PH, W + 2 * PW, C)[:, PH : PH + H, PW : PW + W]
    return x.transpose(0, 3, 1, 2)


# A table is read down its columns: the three rows are each other's gradients.
# fmt: off
conv2d_row = primitive(_convolution,
    lambda g, y, x, w, b=None, **o: conv2d_input_gradient_row(g, w, shape=x.shape, **o),
    lambda g, y, x, w, b=None, **o: _weight_gradient_row(g, x, shape=w.shape, **o),
    lambda g, y, x, w, b=None, **o: _bias_gradient(g),
    name="conv2d", doc="Each window of x times each kernel of w, plus b")
conv2d_input_gradient_row = primitive(_input_gradient,
    lambda h, y, g, w, *, shape, **o: conv2d_row(h, w, **o),
    lambda h, y, g, w, *, shape, **o: _weight_gradient_row(g, h, shape=w.shape, **o),
    name="conv2d_input_gradient", doc="dL/dx of conv2d")
_weight_gradient_row = primitive(_weight_gradient,
    lambda h, y, g, x, *, shape, **o: conv2d_row(x, h, **o),
    lambda h, y, g, x, *, shape, **o: conv2d_input_gradient_row(g, h, shape=x.shape, **o),
    name="conv2d_weight_gradient", doc="dL/dw of conv2d")
# fmt: on
