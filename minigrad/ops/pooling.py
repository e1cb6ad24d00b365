"""Pooling: the largest element, or the mean, of each window.

Both loop over the few places of the window and treat many windows at once, as strided views. What
a window reads (`gather`) and what it hands back (`scatter`) are each other's gradients.
"""

import itertools
import math

import numpy as np

from ..autograd import primitive
from .blocks import blocks
from .elementwise import gated
from .expect import pair
from .reduction import mean
from .shaping import concatenate, pad, plain, reshape, shaped
from .windows import check_windows, pool_options, views

# Of images: all places of their windows are visited while the images are in the cache.
BLOCK_BYTES = 2**20


def _fold(ufunc, arrays):
    """`ufunc` over a few arrays of one shape, in a new array in their memory order."""
    first, *others = arrays
    total = first.copy("K")
    for array in others:
        ufunc(total, array, out=total)
    return total


def _max_windows(x, *, border=(0, 0), **options):
    """The largest of each window: (N, C, H, W) -> (N, C, OH, OW)"""
    return _fold(np.maximum, views(x, **options))


def _hits(x, y, border, options):
    """For each place of the window, in which windows it is the first with the largest element."""
    taken = None
    for view, inside in zip(views(x, **options), _inside(x, y, border, options)):
        hit = view == y
        if inside is not None:  # the border is -inf, and so may be the largest of the image
            hit &= inside
        yield hit if taken is None else hit > taken  # hit, and not taken
        taken = hit if taken is None else taken | hit


def _inside(x, y, border, options):
    """For each place of the window, in which windows it is inside the border.

    None where that does not matter: without a border, or without a window of -inf alone.
    """
    PH, PW = border
    if PH == PW == 0 or not (y == -np.inf).any():
        return itertools.repeat(None)
    H, W = x.shape[2:]
    inside = np.zeros((1, 1, H, W), bool)
    inside[:, :, PH : H - PH, PW : W - PW] = True
    return views(inside, **options)


def _tiles(shape, kernel_size, stride):
    """Whether the windows cover every pixel exactly once."""
    return stride == kernel_size and all(n % k == 0 for n, k in zip(shape[2:], kernel_size))


def _scatter_to_max(g, x, y, *, border=(0, 0), **options):
    """`g` to the first largest element of each window: (N, C, OH, OW) -> (N, C, H, W)"""
    once = _tiles(x.shape, **options)
    out = np.empty_like(x, g.dtype) if once else np.zeros_like(x, g.dtype)
    for images in blocks(len(x), out[:1].nbytes, BLOCK_BYTES):
        hits = _hits(x[images], y[images], border, options)
        for view, hit in zip(views(out[images], **options), hits):
            if once:
                gated(g[images], hit, out=view)
            else:
                view += gated(g[images], hit)
    return out


def _gather_at_max(h, x, y, *, border=(0, 0), **options):
    """`h` at the first largest element of each window: (N, C, H, W) -> (N, C, OH, OW)"""
    pairs = zip(views(h, **options), _hits(x, y, border, options))
    return _fold(np.add, (gated(view, hit) for view, hit in pairs))


def _share(g, *, shape, **options):
    """`g` to every element of its window: (N, C, OH, OW) -> (N, C, H, W)"""
    N, C, H, W = shape
    out = np.zeros((N, H, W, C), g.dtype).transpose(0, 3, 1, 2)
    for view in views(out, **options):
        view += g
    return out


def _sum_windows(x, **options):
    """The sum of each window: (N, C, H, W) -> (N, C, OH, OW)"""
    return _fold(np.add, views(x, **options))


# A table is read down its columns: rows 2 and 3 are each other's gradients, and so are 4 and 5.
# fmt: off
_max_pool     = primitive(_max_windows,
                          lambda g, y, x, **o: _max_scatter(g, plain(x), plain(y), **o),
                          name="max_pool2d", doc="The largest element of each window")
_max_scatter  = primitive(_scatter_to_max, lambda h, _, g, x, y, **o: _max_gather(h, x, y, **o),
                          name="max_scatter", doc="g put at the first maximum of each window of x")
_max_gather   = primitive(_gather_at_max, lambda g, _, h, x, y, **o: _max_scatter(g, x, y, **o),
                          name="max_gather", doc="h read at the first maximum of each window of x")
_window_sum   = primitive(_sum_windows, lambda g, y, x, **o: _window_share(g, shape=x.shape, **o),
                          name="window_sum", doc="The sum of each window")
_window_share = primitive(_share, lambda h, y, g, *, shape, **o: _window_sum(h, **o),
                          name="window_share", doc="g added to every element of its window")
# fmt: on


def _framed(name, x, kernel_size, stride, padding, border):
    """`x` inside its border, the border's width, the options; raises where windows do not fit."""
    x = shaped(x)
    kernel_size, stride, padding = pool_options(kernel_size, stride, padding)
    check_windows(name, x.shape, kernel_size, stride, padding)
    if any(2 * p > k for p, k in zip(padding, kernel_size)) or 0 in x.shape[2:]:
        raise ValueError(
            f"{name} expects images of a pixel or more and a padding of at most half the kernel, "
            f"got {x.shape} and {padding=} with {kernel_size=}: a window would lie entirely in "
            "the border."
        )
    if any(padding):
        x = pad(x, [(0, 0), (0, 0), *((p, p) for p in padding)], constant_values=border)
    return x, padding, {"kernel_size": kernel_size, "stride": stride}


def max_pool2d(x, kernel_size, stride=None, padding=0):
    """The largest element of each window; among equal ones the gradient goes to the first.

    Parameters
    ----------
    x : (N, C, H, W)
    kernel_size, stride, padding : int or (int, int)
        If left out, the stride is the kernel size: windows side by side. The border is -inf.

    Returns
    -------
    (N, C, OH, OW), with OH = (H + 2 padding - KH) // stride + 1

    Examples
    --------
    >>> max_pool2d(np.arange(16.0).reshape(1, 1, 4, 4), 2)[0, 0]
    array([[ 5.,  7.],
           [13., 15.]])
    """
    x, border, options = _framed("max_pool2d", x, kernel_size, stride, padding, -np.inf)
    return _max_pool(x, border=border, **options)


def avg_pool2d(x, kernel_size, stride=None, padding=0):
    """The mean of each window; the zeros of the border count, as in PyTorch.

    Parameters and result are those of `max_pool2d`.

    Examples
    --------
    >>> avg_pool2d(np.arange(16.0).reshape(1, 1, 4, 4), 2)[0, 0]
    array([[ 2.5,  4.5],
           [10.5, 12.5]])
    """
    x, _, options = _framed("avg_pool2d", x, kernel_size, stride, padding, 0)
    return _window_sum(x, **options) / math.prod(options["kernel_size"])


def adaptive_avg_pool2d(x, output_size):
    """The means of `output_size` windows, whatever the size of the image.

    Window i of n covers the pixels from floor(i H / n) to ceil((i + 1) H / n), as in PyTorch; where
    n does not divide H, windows overlap.

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
    x = shaped(x)
    OH, OW = pair("output_size", output_size, least=1)
    if x.ndim != 4 or min(x.shape[2:]) < 1:
        raise ValueError(f"adaptive_avg_pool2d expects images (N, C, H, W), got {x.shape}.")
    N, C, H, W = x.shape
    if H % OH == W % OW == 0:
        return mean(reshape(x, (N, C, OH, H // OH, OW, W // OW)), (3, 5))
    strips = [mean(x[:, :, rows], 2, keepdims=True) for rows in _spans(OH, H)]
    x = concatenate(strips, 2)  # (N, C, OH, W)
    strips = [mean(x[..., columns], 3, keepdims=True) for columns in _spans(OW, W)]
    return concatenate(strips, 3)  # (N, C, OH, OW)


def _spans(n, size):
    """The n slices of an axis over which n windows reach.

    Slices, and no matrix of weights: 0 times a NaN outside of a window would be a NaN inside.
    """
    starts = [i * size // n for i in range(n)]
    ends = [-(-(i + 1) * size // n) for i in range(n)]  # rounded up
    return [slice(start, end) for start, end in zip(starts, ends, strict=True)]


def global_avg_pool2d(x):
    """The mean of each channel over the whole image: (N, C, H, W) -> (N, C, 1, 1)

    Examples
    --------
    >>> global_avg_pool2d(np.arange(4.0).reshape(1, 1, 2, 2)).tolist()
    [[[[1.5]]]]
    """
    return mean(x, (2, 3), keepdims=True)
