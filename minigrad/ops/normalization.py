"""Normalization: by given statistics, over the batch, or over each example.

Only batch norm has rows of its own, because they pay: derived from mean and var, forward and
backward took 2.9 times as long. Its functions go over the lines of the images block by block, so
that a block stays in the cache.
"""

import numpy as np

from ..autograd import primitive
from .blocks import blocks
from .elementwise import sqrt
from .hint import hint
from .linalg import matmul
from .reduction import mean, sum, var
from .shaping import arrays_of, plain, reshape, shaped, transpose


@hint("To make a network's input of images of bytes, use data.normalize(images).")
def normalize(x, mean, var, weight=1, bias=0, eps=1e-5):
    """(x - mean) / sqrt(var + eps) * weight + bias; all are broadcast against x.

    Raises
    ------
    TypeError
        If x holds bytes: `data.normalize` makes a network's input of such images.

    Examples
    --------
    >>> import numpy as np
    >>> normalize(np.array([1.0, 3.0]), 2.0, 4.0, eps=0).tolist()
    [-0.5, 0.5]
    """
    if getattr(x, "dtype", None) == np.uint8:
        raise TypeError(f"mg.normalize expects floats, got {x.dtype} of shape {x.shape}.")
    return _normalized(x, mean, var, weight, bias, eps)


def _normalized(x, mean, var, weight, bias, eps):
    return (x - mean) * (weight / sqrt(var + eps)) + bias


# ---- batch norm: lines that stay in the cache ----------------------------------------------------

BLOCK_BYTES = 2**19  # of lines; such blocks of two or three arrays stay in the cache


def _as_lines(x):
    """(N, C) as it is, (N, C, H, W) as the lines of the images, (N * H, W * C).

    A view, where the channels come last in memory. Numbers per channel are repeated W times to
    match a line, because NumPy is fast on long lines.
    """
    W = x.shape[-1] if x.ndim > 2 else 1
    return np.moveaxis(x, 1, -1).reshape(-1, W * x.shape[1])


def _from_lines(lines, shape):
    """The reverse of `_as_lines`."""
    N, C, *space = shape
    return np.moveaxis(lines.reshape(N, *space, C), -1, 1)


def _line_blocks(lines):
    return blocks(len(lines), lines[:1].nbytes, BLOCK_BYTES)


def _repeated(vector, lines):
    """Numbers per channel, (C,), repeated for each place of a line, (W * C,)."""
    return np.tile(vector, lines.shape[1] // max(1, len(vector)))


def _sum_lines(lines, C):
    """The sum of each channel; by BLAS, which is four times as fast as `sum`."""
    return (np.ones(len(lines), lines.dtype) @ lines).reshape(-1, C).sum(0)


def _moments(x):
    """Mean and biased variance of each channel of an array: (N, C, ...) -> (C,), (C,)"""
    lines = _as_lines(x)
    C = x.shape[1]
    n = x.size // max(1, C)
    mu, sigma2 = np.zeros((2, C), x.dtype)
    for block in _line_blocks(lines):
        mu += _sum_lines(lines[block], C) / n
    center = _repeated(mu, lines)
    for block in _line_blocks(lines):
        sigma2 += _sum_lines(np.square(lines[block] - center), C) / n
    return mu, sigma2


def _batch_norm(x, weight, bias, mu, sigma2, *, eps):
    lines = _as_lines(x)
    y = np.empty_like(lines, np.result_type(lines, weight, bias))
    center = _repeated(mu, lines)
    scale = _repeated(weight / np.sqrt(sigma2 + eps), lines)
    shift = _repeated(bias, lines)
    for block in _line_blocks(lines):
        np.subtract(lines[block], center, out=y[block])
        y[block] *= scale
        y[block] += shift
    return _from_lines(y, x.shape)


def _sums(lines, g, mu):
    """sum(g), sum(g * (x - mu)) of each channel"""
    sum_g, sum_gx = np.zeros((2, len(mu)), g.dtype)
    center = _repeated(mu, lines)
    for block in _line_blocks(lines):
        sum_g += _sum_lines(g[block], len(mu))
        sum_gx += _sum_lines((lines[block] - center) * g[block], len(mu))
    return sum_g, sum_gx


def _weight_gradient(g, x, mu, sigma2, *, eps):
    """dL/dweight = sum(g * z), where z = (x - mu) / s"""
    _, sum_gx = _sums(_as_lines(x), _as_lines(g), mu)
    return sum_gx / np.sqrt(sigma2 + eps)


def _input_gradient(g, x, weight, mu, sigma2, *, eps):
    """dL/dx = weight / s * (g - mean(g) - z * mean(g * z)), where z = (x - mu) / s"""
    lines = _as_lines(x)
    g = _as_lines(g)
    n = x.size // len(mu)
    inverse = 1 / np.sqrt(sigma2 + eps)
    sum_g, sum_gx = _sums(lines, g, mu)
    # z * mean(g * z) is slope * (x - mu); what does not depend on the place goes into shift.
    slope = inverse**2 * sum_gx / n  # (C,)
    shift = sum_g / n - mu * slope
    scale = weight * inverse
    slope, shift, scale = (_repeated(v, lines) for v in (slope, shift, scale))  # (W * C,)
    out = np.empty_like(lines, np.result_type(g, lines, weight))
    for block in _line_blocks(lines):  # scale * (g - slope * x - shift)
        np.multiply(lines[block], slope, out=out[block])
        np.subtract(g[block], out[block], out=out[block])
        out[block] -= shift
        out[block] *= scale
    return _from_lines(out, x.shape)


# ---- batch norm: the rows of the table -----------------------------------------------------------


def _channel_sum(x):
    """The sum of each channel, (N, C, ...) -> (C,): `_sum_lines` in primitives."""
    W = x.shape[-1] if x.ndim > 2 else 1
    lines = reshape(transpose(x, (0, *range(2, x.ndim), 1)), (-1, W * x.shape[1]))
    return sum(reshape(matmul(np.ones(lines.shape[0], x.dtype), lines), (-1, x.shape[1])), 0)


def _input_gradient_by_weight(h, y, g, x, weight, mu, sigma2, *, eps):
    """sum(h * y / weight), also where the weight is 0"""
    return _channel_sum(h * _input_gradient_row(g, x, np.ones_like(mu), mu, sigma2, eps=eps))


def _input_gradient_by_x(h, y, g, x, weight, mu, sigma2, *, eps):
    """-(z * mean(h * y) + mean(g * z) * back(h) + mean(h * z) * back(g)) / s, with y = back(g)

    `back` is the input gradient itself. z and s depend on x: ds / dx_i = z_i / n, and
    dz_j / dx_i = ((1 if i == j else 0) - 1 / n - z_i * z_j / n) / s.
    """
    axes = (0, *range(2, x.ndim))
    n = x.size // len(mu)

    def wide(by_channel):
        return reshape(by_channel, (1, -1) + (1,) * (x.ndim - 2))

    z = _batch_norm_row(x, np.ones_like(mu), np.zeros_like(mu), mu, sigma2, eps=eps)
    s = sqrt(var(x, axes, keepdims=True) + eps)
    mean_hy = wide(_channel_sum(h * y)) / n
    mean_gz = wide(_weight_gradient_row(g, x, mu, sigma2, eps=eps)) / n
    mean_hz = wide(_weight_gradient_row(h, x, mu, sigma2, eps=eps)) / n
    back_h = _input_gradient_row(h, x, weight, mu, sigma2, eps=eps)
    return -(z * mean_hy + mean_gz * back_h + mean_hz * y) / s


# A table is read down its columns: the rows are each other's gradients. mu and sigma2 are the
# moments of x, passed along so that they are computed once; the rules for x account for that.
# fmt: off
_batch_norm_row = primitive(_batch_norm,
    lambda g, y, x, weight, bias, mu, sigma2, **o:
        _input_gradient_row(g, x, weight, mu, sigma2, **o),
    lambda g, y, x, weight, bias, mu, sigma2, **o: _weight_gradient_row(g, x, mu, sigma2, **o),
    lambda g, y, x, weight, bias, mu, sigma2, **o: _channel_sum(g),
    name="batch_norm", doc="(x - mu) / sqrt(sigma2 + eps) * weight + bias, with the moments of x")
_input_gradient_row = primitive(_input_gradient,
    lambda h, y, g, x, weight, mu, sigma2, **o: _input_gradient_row(h, x, weight, mu, sigma2, **o),
    _input_gradient_by_x,
    _input_gradient_by_weight,
    name="batch_norm_input_gradient", doc="dL/dx of batch_norm")
_weight_gradient_row = primitive(_weight_gradient,
    lambda h, y, g, x, mu, sigma2, **o: _batch_norm_row(x, h, np.zeros_like(mu), mu, sigma2, **o),
    lambda h, y, g, x, mu, sigma2, **o: _input_gradient_row(g, x, h, mu, sigma2, **o),
    name="batch_norm_weight_gradient", doc="dL/dweight of batch_norm")
# fmt: on


def batch_norm(x, weight, bias, eps=1e-5):
    """Normalize each channel over the batch, and over the pixels of images.

    As in training: by the batch's own mean and biased variance (Ioffe and Szegedy 2015).

    Parameters
    ----------
    x : (N, C) or (N, C, H, W)
    weight, bias : (C,)

    Returns
    -------
    y, mean, var
        The result, in the shape of `x`, and the batch's moments, arrays (C,).

    Examples
    --------
    >>> y, mean, var = batch_norm(np.array([[1.0], [3.0]]), np.ones(1), np.zeros(1), eps=0)
    >>> y.tolist(), mean.tolist(), var.tolist()
    ([[-1.0], [1.0]], [2.0], [1.0])
    """
    x, weight, bias = arrays_of(x, weight, bias)
    if not weight.shape == bias.shape == x.shape[1:2]:
        raise ValueError(
            "batch_norm expects x (N, C, ...) and a weight and bias (C,), got "
            f"{x.shape}, {weight.shape} and {bias.shape}."
        )
    mu, sigma2 = _moments(plain(x))
    return _batch_norm_row(x, weight, bias, mu, sigma2, eps=eps), mu, sigma2


def layer_norm(x, normalized_shape, weight=None, bias=None, eps=1e-5):
    """Normalize each example over its last axes (Ba et al. 2016).

    Parameters
    ----------
    x : (..., *normalized_shape)
    normalized_shape : int or tuple of int
    weight, bias : normalized_shape, optional
        1 and 0 if left out.

    Examples
    --------
    >>> layer_norm(np.array([[1.0, 3.0]]), 2, eps=0).tolist()
    [[-1.0, 1.0]]
    """
    x = shaped(x)
    shape = tuple(np.atleast_1d(normalized_shape).tolist())
    if x.shape[-len(shape) :] != shape:
        raise ValueError(f"layer_norm over {shape} expects x to end in these axes, got {x.shape}.")
    axes = tuple(range(-len(shape), 0))
    mu = mean(x, axes, keepdims=True)
    sigma2 = var(x, axes, keepdims=True)
    weight = 1 if weight is None else weight
    bias = 0 if bias is None else bias
    return _normalized(x, mu, sigma2, weight, bias, eps)
