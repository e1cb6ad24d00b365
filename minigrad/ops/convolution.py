"""Read 4 of 8: convolution, as a product of matrices (im2col; Chellapilla et al. 2006).

The window under each output pixel becomes a row; the kernels become columns; one matmul does all.
First the textbook, `im2col` and `col2im`, then the same in blocks that stay in the cache.

    N images   C channels   H W height, width   F filters   KH KW kernel   OH OW output

Images are (N, C, H, W), as in PyTorch; in memory the channels come last, (N, H, W, C), so that a
row of a window is one run of KW * C floats.
"""

import math

import numpy as np
from numpy.lib.stride_tricks import as_strided

from ..autograd import primitive
from .linalg import matmul
from .shaping import concatenate, expand_dims, reshape, split, squeeze, transpose

# ---- the textbook: im2col, col2im ----------------------------------------------------------------


def _pair(value):
    return (value, value) if isinstance(value, int | np.integer) else tuple(value)


def _output_size(shape, kernel_size, stride=1, padding=0, dilation=1):
    """(OH, OW), how many places a kernel takes in images (..., H, W): all where it fits whole."""
    sizes = zip(shape[-2:], *map(_pair, (kernel_size, stride, padding, dilation)))
    return tuple((n + 2 * p - d * (k - 1) - 1) // s + 1 for n, k, s, p, d in sizes)


def _views(x, kernel_size, stride, dilation=1):
    """For each place (i, j) of the kernel, the pixels there in all windows: (N, C, OH, OW)."""
    OH, OW = _output_size(x.shape, kernel_size, stride, 0, dilation)
    (KH, KW), (SH, SW), (DH, DW) = map(_pair, (kernel_size, stride, dilation))
    for i, j in np.ndindex(KH, KW):  # over the kernel, never over the image
        yield x[:, :, i * DH : i * DH + SH * OH : SH, j * DW : j * DW + SW * OW : SW]


def im2col(x, kernel_size, stride=1, padding=0, dilation=1):
    """The window under each output pixel as a row.

    Parameters
    ----------
    x : array (N, C, H, W)
    kernel_size, stride, padding, dilation : int or (int, int)

    Returns
    -------
    columns : array (N * OH * OW, KH * KW * C)

    Examples
    --------
    >>> im2col(np.arange(9.0).reshape(1, 1, 3, 3), 2)
    array([[0., 1., 3., 4.],
           [1., 2., 4., 5.],
           [3., 4., 6., 7.],
           [4., 5., 7., 8.]])
    """
    (KH, KW), (PH, PW), (N, C, _, _) = _pair(kernel_size), _pair(padding), x.shape
    OH, OW = _output_size(x.shape, kernel_size, stride, padding, dilation)
    x = np.pad(x.transpose(0, 2, 3, 1), ((0, 0), (PH, PH), (PW, PW), (0, 0)))  # channels last
    columns = np.empty((N, OH, OW, KH * KW, C), x.dtype)
    views = _views(x.transpose(0, 3, 1, 2), kernel_size, stride, dilation)
    for place, view in enumerate(views):
        columns[:, :, :, place] = view.transpose(0, 2, 3, 1)  # (N, OH, OW, C)
    return columns.reshape(N * OH * OW, KH * KW * C)


def col2im(columns, shape, kernel_size, stride=1, padding=0, dilation=1):
    """The reverse of `im2col`: every window adds its row to the pixels that it read.

    Parameters
    ----------
    columns : array (N * OH * OW, KH * KW * C)
    shape : (N, C, H, W)

    Returns
    -------
    x : array (N, C, H, W)

    Examples
    --------
    >>> col2im(np.ones((4, 4)), (1, 1, 3, 3), 2)[0, 0]  # how many windows read each pixel
    array([[1., 2., 1.],
           [2., 4., 2.],
           [1., 2., 1.]])
    """
    (KH, KW), (PH, PW), (N, C, H, W) = _pair(kernel_size), _pair(padding), shape
    OH, OW = _output_size(shape, kernel_size, stride, padding, dilation)
    columns = columns.reshape(N, OH, OW, KH * KW, C).transpose(3, 0, 4, 1, 2)
    x = np.zeros((N, H + 2 * PH, W + 2 * PW, C), columns.dtype).transpose(0, 3, 1, 2)
    for view, column in zip(_views(x, kernel_size, stride, dilation), columns, strict=True):
        view += column  # (N, C, OH, OW)
    return x[:, :, PH : PH + H, PW : PW + W]


def conv2d_textbook(x, w, stride=1, padding=0, dilation=1):
    """Convolution in three lines: im2col, matmul, reshape. The reference for `conv2d`.

    Parameters
    ----------
    x : array (N, C, H, W)
    w : array (F, C, KH, KW)

    Returns
    -------
    y : array (N, F, OH, OW)

    Examples
    --------
    >>> conv2d_textbook(np.arange(9.0).reshape(1, 1, 3, 3), np.ones((1, 1, 2, 2)))[0, 0]
    array([[ 8., 12.],
           [20., 24.]])
    """
    N, F, kernel_size = len(x), len(w), w.shape[2:]
    OH, OW = _output_size(x.shape, kernel_size, stride, padding, dilation)
    columns = im2col(x, kernel_size, stride, padding, dilation)  # (N * OH * OW, KH * KW * C)
    y = columns @ w.transpose(2, 3, 1, 0).reshape(-1, F)  # (N * OH * OW, F)
    return y.reshape(N, OH, OW, F).transpose(0, 3, 1, 2)


# ---- the same, block by block --------------------------------------------------------------------
# The columns of a whole batch are KH * KW times the images and leave the cache at once; those of
# about BLOCK bytes stay in it: 0.58 of the time (64 images, 32 to 64 channels).

BLOCK = 2**21


def _rows(x, padding=(0, 0)):
    """Images as contiguous (N, H, W, C), inside a border of zeros."""
    N, C, H, W = x.shape
    PH, PW = padding
    if PH == PW == 0:
        return np.ascontiguousarray(x.transpose(0, 2, 3, 1))
    out = np.zeros((N, H + 2 * PH, W + 2 * PW, C), x.dtype)
    out[:, PH : PH + H, PW : PW + W] = x.transpose(0, 2, 3, 1)
    return out


def _windows(x, KH, KW, stride, dilation):
    """A view (N, OH, OW, KH, KW, C) of contiguous rows (N, H, W, C); nothing is copied."""
    (N, H, W, C), (SH, SW), (DH, DW) = x.shape, stride, dilation
    OH, OW = _output_size((H, W), (KH, KW), stride, 0, dilation)
    # From the shape: the strides that NumPy keeps for an axis of length 1 are arbitrary.
    n, h, w, c = (x.itemsize * size for size in (H * W * C, W * C, C, 1))
    strides = (n, SH * h, SW * w, DH * h, DW * w, c)
    return as_strided(x, (N, OH, OW, KH, KW, C), strides, writeable=False)


def _blocks(windows):
    """For each few images: a slice of them, and their columns (n * OH * OW, KH * KW * C)."""
    N, OH, OW, KH, KW, C = windows.shape
    step = max(1, BLOCK // max(1, OH * OW * KH * KW * C * windows.itemsize))
    buffer = np.empty(min(step, N) * OH * OW * KH * KW * C, windows.dtype)
    for start in range(0, N, step):
        block = windows[start : start + step]
        columns = buffer[: block.size]
        if KW * C < OW:  # copied place by place of the kernel, in runs of OW: half the time at C=1
            columns.reshape(KH, KW, C, -1, OH, OW)[...] = block.transpose(3, 4, 5, 0, 1, 2)
            columns = columns.reshape(KH * KW * C, -1).T
        else:
            columns.reshape(block.shape)[...] = block
            columns = columns.reshape(-1, KH * KW * C)
        yield slice(start, start + step), columns


def _conv(x, w, b=None, *, stride, padding, dilation):
    (N, _, _, _), (F, _, KH, KW) = x.shape, w.shape
    windows = _windows(_rows(x, padding), KH, KW, stride, dilation)
    matrix = np.ascontiguousarray(w.transpose(2, 3, 1, 0)).reshape(-1, F)  # (KH * KW * C, F)
    OH, OW = windows.shape[1:3]
    y = np.empty((N, OH * OW, F), np.result_type(x, w))
    bias = None if b is None else np.tile(b, OW)  # added to rows of OW * F: long loops are quick
    for images, columns in _blocks(windows):
        np.matmul(columns, matrix, out=y[images].reshape(-1, F))  # (n * OH * OW, F)
        if b is not None:
            y[images].reshape(-1, OW * F)[...] += bias
    return y.reshape(N, OH, OW, F).transpose(0, 3, 1, 2)


def _conv_weight_gradient(g, x, *, shape, stride, padding, dilation):
    """dL/dw: the sum over all windows of window.T @ g. (N, F, OH, OW), x -> (F, C, KH, KW)"""
    F, C, KH, KW = shape
    windows = _windows(_rows(x, padding), KH, KW, stride, dilation)
    g = _rows(g).reshape(len(x), math.prod(g.shape[2:]), F)
    total = np.zeros((KH * KW * C, F), g.dtype)
    for images, columns in _blocks(windows):
        # In this order half the time of g.T @ columns, where the channels are few. And np.matmul,
        # where its results are few, lets nobody else compute.
        total += np.dot(columns.T, g[images].reshape(-1, F))
    return np.ascontiguousarray(total.reshape(KH, KW, C, F).transpose(3, 2, 0, 1))


def _sum_rows(g):
    """dL/db: the sum of each channel, (N, F, OH, OW) -> (F,). As ones @ g it is BLAS that sums,
    which takes a quarter of the time of `sum`."""
    rows = reshape(transpose(g, (0, 2, 3, 1)), (-1, g.shape[1]))  # (N * OH * OW, F)
    return matmul(np.ones(rows.shape[0], g.dtype), rows)


def _conv_input_gradient(g, w, *, shape, stride, padding, dilation):
    """dL/dx: each window hands its share back. (N, F, OH, OW), w -> (N, C, H, W)

    For stride 1 it is the convolution of the padded `g` with the flipped kernels, which gathers and
    is 1.2 times as fast as col2im, which scatters.
    """
    (F, _, KH, KW), (N, C, H, W), (PH, PW), (DH, DW) = w.shape, shape, padding, dilation
    (OH, OW), border = g.shape[2:], (DH * (KH - 1) - PH, DW * (KW - 1) - PW)
    if stride == (1, 1) and min(border) >= 0:
        # Outputs side by side that may hand back together; how many columns that takes in all.
        strip = max(n for n in range(1, min(max(2, KW), 9)) if OW % n == 0)
        few = 5 * OH * (OW // strip) * (KW + strip - 1) * C < H * W * KW * F
        if few and dilation == (1, 1):
            return _scatter_strips(_rows(g), w, shape, padding, strip)
        flipped = w[:, :, ::-1, ::-1].transpose(1, 0, 2, 3)  # (C, F, KH, KW)
        return _conv(g, flipped, stride=(1, 1), padding=border, dilation=dilation)
    matrix = w.transpose(0, 2, 3, 1).reshape(F, -1)
    step = max(1, BLOCK // max(1, OH * OW * matrix.shape[1] * g.itemsize))
    blocks = []
    for rows in (_rows(g[i : i + step]) for i in range(0, max(N, 1), step)):  # (n, OH, OW, F)
        columns = rows.reshape(-1, F) @ matrix  # (n * OH * OW, KH * KW * C)
        blocks.append(col2im(columns, (len(rows), C, H, W), (KH, KW), stride, padding, dilation))
    return np.concatenate(blocks)


def _scatter_strips(g, w, shape, padding, strip):
    """col2im of stride 1 for a few outputs side by side at once, which add to a strip of pixels in
    each of KH rows: 0.3 of the time where it takes a fifth of the columns, as of 8 channels under
    kernels of 5x5."""
    (N, C, H, W), (F, _, KH, KW), (PH, PW), (_, OH, OW, _) = shape, w.shape, padding, g.shape
    wide = np.zeros((strip, F, KH, KW + strip - 1, C), g.dtype)  # kernels side by side
    for n in range(strip):
        wide[n, :, :, n : n + KW] = w.transpose(0, 2, 3, 1)
    matrix, run = wide.reshape(strip * F, -1), (KW + strip - 1) * C
    x = np.zeros((N, H + 2 * PH, (W + 2 * PW) * C), g.dtype)
    step = max(1, BLOCK // max(1, OH * (OW // strip) * KH * run * g.itemsize))
    for start in range(0, N, step):
        few = slice(start, start + step)
        columns = (g[few].reshape(-1, strip * F) @ matrix).reshape(-1, OH, OW // strip, KH, run)
        for i, k in np.ndindex(KH, OW // strip):
            x[few, i : i + OH, k * strip * C :][..., :run] += columns[:, :, k, i]
    x = x.reshape(N, H + 2 * PH, W + 2 * PW, C)[:, PH : PH + H, PW : PW + W]
    return x.transpose(0, 3, 1, 2)


# A table is read down its columns: the three rows are each other's gradients.
# fmt: off
_conv2d = primitive(_conv,
    lambda g, y, x, w, b=None, **o: _input_gradient(g, w, shape=x.shape, **o),
    lambda g, y, x, w, b=None, **o: _weight_gradient(g, x, shape=w.shape, **o),
    lambda g, y, x, w, b=None, **o: _sum_rows(g),
    name="conv2d", doc="Each window of x times each kernel of w, plus b")
_input_gradient = primitive(_conv_input_gradient,
    lambda h, y, g, w, *, shape, **o: _conv2d(h, w, **o),
    lambda h, y, g, w, *, shape, **o: _weight_gradient(g, h, shape=w.shape, **o),
    doc="dL/dx of conv2d")
_weight_gradient = primitive(_conv_weight_gradient,
    lambda h, y, g, x, *, shape, **o: _conv2d(x, h, **o),
    lambda h, y, g, x, *, shape, **o: _input_gradient(g, h, shape=x.shape, **o),
    doc="dL/dw of conv2d")
# fmt: on


def conv2d(x, w, b=None, stride=1, padding=0, dilation=1, groups=1):
    """Slide each kernel over the images: the cross-correlation that networks call convolution.

    Parameters
    ----------
    x : (N, C, H, W)
    w : (F, C / groups, KH, KW)
    b : (F,), optional
    stride, padding, dilation : int or (int, int)
    groups : int
        Channels and filters are cut into so many groups that do not see each other.

    Returns
    -------
    (N, F, OH, OW), with OH = (H + 2 padding - dilation (KH - 1) - 1) // stride + 1

    Raises
    ------
    ValueError
        For shapes that do not fit, or a kernel larger than the padded image.

    Examples
    --------
    >>> conv2d(np.ones((1, 1, 4, 4)), np.ones((2, 1, 3, 3))).shape
    (1, 2, 2, 2)
    """
    options = {"stride": _pair(stride), "padding": _pair(padding), "dilation": _pair(dilation)}
    _check_kernels(x, w, b, groups)
    _check_windows("conv2d", x.shape, w.shape[2:], **options)
    if groups == 1:
        return _conv2d(x, w, **options) if b is None else _conv2d(x, w, b, **options)
    pairs = zip(split(x, groups, axis=1), split(w, groups, axis=0))
    y = concatenate([_conv2d(x, w, **options) for x, w in pairs], axis=1)
    return y if b is None else y + reshape(b, (-1, 1, 1))


def conv1d(x, w, b=None, stride=1, padding=0, dilation=1, groups=1):
    """Slide each kernel along the sequences: `conv2d` of images of height 1.

    Parameters
    ----------
    x : (N, C, L)
    w : (F, C / groups, K)
    b : (F,), optional
    stride, padding, dilation, groups : int

    Returns
    -------
    (N, F, OL), with OL = (L + 2 padding - dilation (K - 1) - 1) // stride + 1

    Examples
    --------
    >>> conv1d(np.arange(4.0).reshape(1, 1, 4), np.ones((1, 1, 2))).tolist()
    [[[1.0, 3.0, 5.0]]]
    """
    if x.ndim != 3 or w.ndim != 3:
        raise ValueError(f"conv1d expects x (N, C, L), w (F, C, K), got {x.shape}, {w.shape}.")
    x, w = expand_dims(x, 2), expand_dims(w, 2)
    y = conv2d(x, w, b, (1, stride), (0, padding), (1, dilation), groups)
    return squeeze(y, 2)


def _check_kernels(x, w, b, groups):
    fits = x.ndim == w.ndim == 4 and x.shape[1] == w.shape[1] * groups and len(w) % groups == 0
    if not fits or (b is not None and b.shape != w.shape[:1]):
        wish = "x (N, C, H, W), w (F, C / groups, KH, KW), b (F,), groups to divide F"
        came = f"{x.shape}, {w.shape} and {np.shape(b)} with {groups=}"
        raise ValueError(f"conv2d expects {wish}, got {came}.")


def _check_windows(name, shape, kernel_size, stride, padding, dilation=(1, 1)):
    """Raise where windows cannot slide over images of this shape; for the pools as well."""
    if len(shape) != 4:
        raise ValueError(f"{name} expects images (N, C, H, W), got {shape}: x[None] makes a batch.")
    if min(*kernel_size, *stride, *dilation) < 1 or min(padding) < 0:
        raise ValueError(f"{name} cannot go by {kernel_size=}, {stride=}, {padding=}, {dilation=}.")
    if min(_output_size(shape, kernel_size, stride, padding, dilation)) < 1:
        large = f"a kernel of {kernel_size} with {dilation=} does not fit into images"
        raise ValueError(f"{name}: {large} of {shape[2:]} with {padding=}: pad them.")
