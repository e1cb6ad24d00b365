"""Normalization: by given statistics, over the batch (a row), over each example (derived).

Batch norm has rules of its own because they pay: derived from mean and var, forward and backward
took 2.9 times as long. With arrays they go block by block over rows that stay in the cache; with
Tensors the formula in primitives is differentiated, and can be again.
"""

import numpy as np

from ..autograd import Tensor, gradients, primitive
from .elementwise import sqrt
from .reduction import mean, var
from .shaping import plain, reshape


def normalize(x, mean, var, weight=1, bias=0, eps=1e-5):
    """(x - mean) / sqrt(var + eps) * weight + bias; all are broadcast against x.

    Examples
    --------
    >>> import numpy as np
    >>> normalize(np.array([1.0, 3.0]), 2.0, 4.0, eps=0).tolist()
    [-0.5, 0.5]
    """
    return (x - mean) * (weight / sqrt(var + eps)) + bias


# ---- batch norm ----------------------------------------------------------------------------------

BLOCK = 2**17  # numbers; two or three arrays of them stay in the cache


def _rows(x):
    """(N, C) as it is, (N, C, H, W) as rows of an image (N * H, W * C): a view, if the channels
    come last in memory. Numbers by channel are repeated W times for it: long rows are quick."""
    W = x.shape[-1] if x.ndim > 2 else 1
    return np.moveaxis(x, 1, -1).reshape(-1, W * x.shape[1])


def _images(rows, shape):
    """The reverse of `_rows`."""
    N, C, *space = shape
    return np.moveaxis(rows.reshape(N, *space, C), -1, 1)


def _blocks(*arrays):
    """The same few rows of each array, block by block."""
    step = max(1, BLOCK // max(1, arrays[0].shape[1]))
    return (tuple(a[i : i + step] for a in arrays) for i in range(0, len(arrays[0]), step))


def _repeated(vector, rows):
    """Numbers (C,) for each place of a row (W * C,)."""
    return np.tile(vector, rows.shape[1] // max(1, len(vector)))


def _channel_sums(rows, C):
    """The sum of each channel; by BLAS, which is four times as fast as `sum`."""
    return (np.ones(len(rows), rows.dtype) @ rows).reshape(-1, C).sum(0)


def _moments(x):
    """Mean and biased variance of each channel of an array: (N, C, ...) -> (C,), (C,)"""
    rows, C, n = _rows(x), x.shape[1], x.size // max(1, x.shape[1])
    mu, sigma2 = np.zeros((2, C), x.dtype)
    for (block,) in _blocks(rows):
        mu += _channel_sums(block, C) / n
    center = _repeated(mu, rows)
    for (block,) in _blocks(rows):
        sigma2 += _channel_sums(np.square(block - center), C) / n
    return mu, sigma2


def _batch_norm(x, weight, bias, mu, sigma2, *, eps):
    rows = _rows(x)
    y, scale = np.empty_like(rows), weight / np.sqrt(sigma2 + eps)
    center, scale, bias = (_repeated(v, rows) for v in (mu, scale, bias))
    for block, out in _blocks(rows, y):
        np.subtract(block, center, out=out)
        out *= scale
        out += bias
    return _images(y, x.shape)


def _in_primitives(x, weight, bias, eps):
    """Batch norm as in the paper, from rows that can be differentiated again."""
    axes, shape = (0, *range(2, x.ndim)), (1, -1) + (1,) * (x.ndim - 2)
    moments = mean(x, axes, keepdims=True), var(x, axes, keepdims=True)
    return normalize(x, *moments, reshape(weight, shape), reshape(bias, shape), eps)


def _input_gradient(g, x, weight, bias, mu, sigma2, eps):
    """weight / s * (g - mean(g) - z * mean(g * z)), where s is the deviation, z is (x - mu) / s"""
    rows, g_rows, inverse, n = _rows(x), _rows(g), 1 / np.sqrt(sigma2 + eps), g.size // len(mu)
    sum_g, sum_gx = _sums(rows, g_rows, mu)
    slope = inverse**2 * sum_gx / n
    shift = sum_g / n - mu * slope
    slope, shift, scale = (_repeated(v, rows) for v in (slope, shift, weight * inverse))
    out = np.empty_like(rows)
    for xs, gs, block in _blocks(rows, g_rows, out):  # scale * (g - slope * x - shift)
        np.multiply(xs, slope, out=block)
        np.subtract(gs, block, out=block)
        block -= shift
        block *= scale
    return _images(out, x.shape)


def _sums(rows, g, mu):
    """sum(g), sum(g * (x - mu)) of each channel"""
    sum_g, sum_gx = np.zeros((2, len(mu)), g.dtype)
    center = _repeated(mu, rows)
    for xs, gs in _blocks(rows, g):
        sum_g += _channel_sums(gs, len(mu))
        sum_gx += _channel_sums((xs - center) * gs, len(mu))
    return sum_g, sum_gx


def _weight_gradient(g, x, weight, bias, mu, sigma2, eps):
    return _sums(_rows(x), _rows(g), mu)[1] / np.sqrt(sigma2 + eps)


def _bias_gradient(g, x, weight, bias, mu, sigma2, eps):
    return _channel_sums(_rows(g), len(mu))


def _gradient(i, g, y, *inputs, eps):
    """weight / s * (g - mean(g) - z * mean(g * z)), sum(g * z), sum(g); z is (x - mean) / s"""
    if isinstance(g, Tensor):
        fresh = [reshape(v, v.shape) for v in inputs[:3]]  # whatever they depend on
        return gradients(_in_primitives(*fresh, eps), [fresh[i]], g, create_graph=True)[0]
    return (_input_gradient, _weight_gradient, _bias_gradient)[i](g, *inputs, eps)


# A row of x, weight, bias; the moments of x come along so that they are computed once.
# fmt: off
_batch_norm_row = primitive(_batch_norm, each=_gradient, name="batch_norm",
    doc="(x - mean) / sqrt(var + eps) * weight + bias, by the moments of the batch itself")
# fmt: on


def batch_norm(x, weight, bias, eps=1e-5):
    """Normalize each channel over the batch, and over the places of an image.

    Ioffe and Szegedy (2015), as in training: by the batch's own mean and biased variance.

    Parameters
    ----------
    x : (N, C) or (N, C, H, W)
    weight, bias : (C,)

    Returns
    -------
    y, mean, var
        The result, of the shape of `x`, and the batch's moments, arrays (C,).

    Examples
    --------
    >>> y, mean, var = batch_norm(np.array([[1.0], [3.0]]), np.ones(1), np.zeros(1), eps=0)
    >>> y.tolist(), mean.tolist(), var.tolist()
    ([[-1.0], [1.0]], [2.0], [1.0])
    """
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
    shape = tuple(np.atleast_1d(normalized_shape).tolist())
    if x.shape[-len(shape) :] != shape:
        raise ValueError(f"layer_norm over {shape} expects these as the last axes, got {x.shape}.")
    axes = tuple(range(-len(shape), 0))
    moments = mean(x, axes, keepdims=True), var(x, axes, keepdims=True)
    weight, bias = 1 if weight is None else weight, 0 if bias is None else bias
    return normalize(x, *moments, weight, bias, eps)
