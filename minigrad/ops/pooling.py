"""Pooling: the largest, or the mean, of each window.

Both go over the places of the window and treat all windows at once, as strided views; neither ever
goes over the images. What a window reads (`gather`) and what it hands back (`scatter`) are each
other's gradients.
"""

import numpy as np

from ..autograd import primitive
from .convolution import _pair, output_size
from .linalg import matmul
from .reduction import mean
from .shaping import pad, plain


def _views(x, kernel_size, stride):
    """For each place (i, j) of the window, the pixels there, of all windows: (N, C, OH, OW)."""
    (KH, KW), (SH, SW) = kernel_size, stride
    OH, OW = output_size(x.shape[2], KH, SH), output_size(x.shape[3], KW, SW)
    for i, j in np.ndindex(KH, KW):
        yield x[:, :, i : i + SH * (OH - 1) + 1 : SH, j : j + SW * (OW - 1) + 1 : SW]


def _max(x, *, kernel_size, stride):
    first, *others = _views(x, kernel_size, stride)
    y = first.copy("K")  # in the memory order of x
    for view in others:
        np.maximum(y, view, out=y)
    return y


def _hits(x, y, options):
    """For each place of the window, where it is that which holds the largest element first."""
    taken = False
    for view in _views(x, **options):
        hit = view == y
        if taken is False:
            taken = hit.copy("K")
        else:
            hit &= ~taken
            taken |= hit
        yield hit


def _tiles(shape, kernel_size, stride):
    """Whether the windows cover every pixel exactly once."""
    return stride == kernel_size and all(n % k == 0 for n, k in zip(shape[2:], kernel_size))


def _max_scatter(g, x, y, **options):
    """`g` to the largest element of each window: (N, C, OH, OW) -> (N, C, H, W)"""
    once = _tiles(x.shape, **options)
    out = np.empty_like(x, g.dtype) if once else np.zeros_like(x, g.dtype)
    for view, hit in zip(_views(out, **options), _hits(x, y, options)):
        if once:
            np.multiply(g, hit, out=view)
        else:
            view += g * hit
    return out


def _max_gather(h, x, y, **options):
    """`h` at the largest element of each window: (N, C, H, W) -> (N, C, OH, OW)"""
    return add_up(v * hit for v, hit in zip(_views(h, **options), _hits(x, y, options)))


def _spread(g, *, shape, **options):
    """`g` to every element of its window: (N, C, OH, OW) -> (N, C, H, W)"""
    N, C, H, W = shape
    out = np.zeros((N, H, W, C), g.dtype).transpose(0, 3, 1, 2)
    for view in _views(out, **options):
        view += g
    return out


def _add_up(x, **options):
    """The sum of each window: (N, C, H, W) -> (N, C, OH, OW)"""
    return add_up(_views(x, **options))


def add_up(arrays):
    """Sum of a few arrays of one shape, in a new array."""
    first, *others = arrays
    total = first.copy("K")
    for array in others:
        total += array
    return total


# A table is read down its columns.
# fmt: off
_max_pool = primitive(
    _max,
    lambda g, y, x, **o: max_scatter(g, plain(x), plain(y), **o),
    name="max_pool2d",
    doc="The largest element of each window",
)
max_scatter = primitive(
    _max_scatter,
    lambda h, _, g, x, y, **o: max_gather(h, x, y, **o),
    doc="g to the first largest element of each window of x",
)
max_gather = primitive(
    _max_gather,
    lambda g, _, h, x, y, **o: max_scatter(g, x, y, **o),
    doc="h at the first largest element of each window of x",
)
window_sum = primitive(
    _add_up,
    lambda g, y, x, **o: window_share(g, shape=x.shape, **o),
    name="window_sum",
    doc="The sum of each window",
)
window_share = primitive(
    _spread,
    lambda h, y, g, *, shape, **o: window_sum(h, **o),
    name="window_share",
    doc="g to every element of its window",
)
# fmt: on


def _options(name, x, kernel_size, stride, padding):
    """The windows' options, and `x` checked against them."""
    kernel_size = _pair(kernel_size)
    stride, padding = kernel_size if stride is None else _pair(stride), _pair(padding)
    if x.ndim != 4:
        raise ValueError(f"{name} expects images (N, C, H, W), got {x.shape}.")
    if min(kernel_size) < 1 or min(stride) < 1 or min(padding) < 0:
        raise ValueError(f"{name} cannot go by {kernel_size=}, {stride=}, {padding=}.")
    if any(2 * p > k for p, k in zip(padding, kernel_size)):
        raise ValueError(f"{name}: {padding=} is more than half of {kernel_size=}.")
    if any(n + 2 * p < k for n, p, k in zip(x.shape[2:], padding, kernel_size)):
        raise ValueError(f"{name}: a window of {kernel_size} does not fit into {x.shape[2:]}.")
    return {"kernel_size": kernel_size, "stride": stride}, (
        (0, 0),
        (0, 0),
        *((p, p) for p in padding),
    )


def max_pool2d(x, kernel_size, stride=None, padding=0):
    """The largest element of each window; the gradient goes to the first of equals.

    Parameters
    ----------
    x : (N, C, H, W)
    kernel_size, stride, padding : int or (int, int)
        The stride is the kernel size if left out: windows side by side. The border is -inf.

    Returns
    -------
    (N, C, OH, OW), with OH = (H + 2 padding - KH) // stride + 1

    Examples
    --------
    >>> max_pool2d(np.arange(16.0).reshape(1, 1, 4, 4), 2)[0, 0]
    array([[ 5.,  7.],
           [13., 15.]])
    """
    options, border = _options("max_pool2d", x, kernel_size, stride, padding)
    x = pad(x, border, constant_values=-np.inf) if border[2:] != ((0, 0), (0, 0)) else x
    return _max_pool(x, **options)


def avg_pool2d(x, kernel_size, stride=None, padding=0):
    """The mean of each window; the zeros of the border count, as in PyTorch.

    Parameters and result as of `max_pool2d`.

    Examples
    --------
    >>> avg_pool2d(np.arange(16.0).reshape(1, 1, 4, 4), 2)[0, 0]
    array([[ 2.5,  4.5],
           [10.5, 12.5]])
    """
    options, border = _options("avg_pool2d", x, kernel_size, stride, padding)
    KH, KW = options["kernel_size"]
    x = pad(x, border) if border[2:] != ((0, 0), (0, 0)) else x
    return window_sum(x, **options) / (KH * KW)


def adaptive_avg_pool2d(x, output_size):
    """The means of so many windows, whatever the size of the image; they overlap if they must.

    Window i of n covers the pixels from floor(i H / n) to ceil((i + 1) H / n), as in PyTorch.

    Parameters
    ----------
    x : (N, C, H, W)
    output_size : int or (int, int)

    Returns
    -------
    (N, C, *output_size)

    Examples
    --------
    >>> adaptive_avg_pool2d(np.arange(5.0).reshape(1, 1, 1, 5), (1, 2)).tolist()
    [[[[1.0, 3.0]]]]
    """
    if x.ndim != 4 or min(*_pair(output_size), *x.shape[2:]) < 1:
        raise ValueError(
            f"adaptive_avg_pool2d expects images (N, C, H, W) and sizes from 1 on, got {x.shape} "
            f"and {output_size}."
        )
    over_h, over_w = [_means(n, size, x.dtype) for n, size in zip(_pair(output_size), x.shape[2:])]
    return matmul(matmul(over_h, x), over_w.T)  # (OH, H) @ (N, C, H, W) @ (W, OW)


def _means(n, size, dtype):
    """The matrix (n, size) that takes the means of n windows."""
    i, place = np.arange(n)[:, None], np.arange(size)
    inside = (place >= i * size // n) & (place < -(-(i + 1) * size // n))
    return (inside / inside.sum(1, keepdims=True)).astype(dtype)


def global_avg_pool2d(x):
    """The mean of each channel over the whole image: (N, C, H, W) -> (N, C, 1, 1)

    Examples
    --------
    >>> global_avg_pool2d(np.arange(4.0).reshape(1, 1, 2, 2)).tolist()
    [[[[1.5]]]]
    """
    return mean(x, (2, 3), keepdims=True)
