"""Reductions: sum, mean, var, max, logsumexp, ... over all axes, one, or several.

In the gradient, `_wide` puts a reduced axis back with length 1; broadcasting does the rest.
"""

import math

import numpy as np
from numpy.lib.array_utils import normalize_axis_tuple

from ..autograd import primitive
from .elementwise import absolute, exp, gate, where
from .shaping import astype, broadcast_to, expand_dims, flip, moveaxis, reshape, shaped


def _over(f):
    """A NumPy reduction, with no options but axis and keepdims."""
    return lambda x, axis=None, keepdims=False: f(x, axis, keepdims=keepdims)


def _wide(g, axis, keepdims):
    """`g`, or `y`, with the reduced axes put back with length 1."""
    return g if keepdims or axis is None else expand_dims(g, axis)


def _axes(x, axis):
    return normalize_axis_tuple(range(x.ndim) if axis is None else axis, x.ndim)


def _count(x, axis):
    """How many elements go into each result."""
    return math.prod(x.shape[a] for a in _axes(x, axis))


def _logsumexp(x, axis=None, keepdims=False):
    top = np.max(x, axis=axis, keepdims=True)
    top = np.where(np.isfinite(top), top, 0)  # inf - inf would be nan
    y = np.log(np.sum(np.exp(x - top), axis=axis, keepdims=True)) + top
    return y if keepdims else np.squeeze(y, axis)


def _sum_gradient(g, y, x, axis=None, keepdims=False):
    """g, broadcast to the shape of x"""
    return broadcast_to(_wide(g, axis, keepdims), x.shape)


def _logsumexp_gradient(g, y, x, axis=None, keepdims=False):
    """g * softmax(x)"""
    return _wide(g, axis, keepdims) * exp(x - _wide(y, axis, keepdims))


def _norm_gradient(g, y, x, axis=None, keepdims=False):
    """g * x / y, and 0 where y is 0."""
    y = _wide(y, axis, keepdims)
    return _wide(g, axis, keepdims) / where(y == 0, 1, y) * x


def _prod_gradient(g, y, x, axis=None, keepdims=False):
    """g * y / x; where an element is 0, the product of the others is computed directly."""
    g = _wide(g, axis, keepdims)
    if np.all(x != 0):
        return g * _wide(y, axis, keepdims) / x
    axes = _axes(x, axis)
    n = _count(x, axis)
    last = range(-len(axes), 0)
    x = moveaxis(x, axes, last)  # (kept, reduced)
    rows = reshape(x, (*x.shape[: x.ndim - len(axes)], 1, n))  # (kept, 1, n)
    others = prod(where(np.eye(n, dtype=bool), 1, rows), -1)  # (kept, n)
    return g * moveaxis(reshape(others, x.shape), last, axes)


def _extreme_gradient(g, y, x, axis=None, keepdims=False):
    """`g` to the largest, or smallest, elements in equal shares."""
    hit = x == _wide(y, axis, keepdims)
    count = hit.sum(axis=axis, keepdims=True, dtype=x.dtype)
    return gate(_wide(g, axis, keepdims) / count, hit)


def _norm(x, axis=None, keepdims=False):
    return np.sqrt(np.sum(x * x, axis, keepdims=keepdims))


# A table is read down its columns.
# fmt: off
sum       = primitive(_over(np.sum), _sum_gradient, name="sum", doc="Sum of the elements")
prod      = primitive(_over(np.prod), _prod_gradient, name="prod", doc="Product of the elements")
max       = primitive(_over(np.max), _extreme_gradient,
                      name="max", doc="Largest element; ties share the gradient")
min       = primitive(_over(np.min), _extreme_gradient,
                      name="min", doc="Smallest element; ties share the gradient")
logsumexp = primitive(_logsumexp, _logsumexp_gradient, doc="log(sum(exp(x))), without overflow")
_length   = primitive(_norm, _norm_gradient, doc="Length sqrt(sum(x ** 2)); its gradient at 0 is 0")
cumsum    = primitive(lambda x, axis=None: np.cumsum(x, axis),
                      lambda g, y, x, axis=None:
                          reshape(flip(cumsum(flip(g, axis), axis), axis), x.shape),
                      name="cumsum", doc="Running sums of the elements, along an axis or over all")
# fmt: on

# ---- derived: mean, var, std, norm ---------------------------------------------------------------


def mean(x, axis=None, keepdims=False):
    """Mean of the elements over the given axes, or over all.

    Examples
    --------
    >>> mean(np.array([[1.0, 3.0], [5.0, 7.0]]), axis=1)
    array([2., 6.])
    """
    x = shaped(x)
    dtype = x.dtype
    if dtype == np.float16:  # as in NumPy: sums beyond 65,504 would overflow
        return astype(mean(astype(x, np.float32), axis, keepdims), dtype)
    if dtype.kind in "iub":  # and those of integers could wrap around
        x = astype(x, np.float64)
    return sum(x, axis, keepdims) / _count(x, axis)


def var(x, axis=None, keepdims=False, ddof=0):
    """Variance over the given axes, or over all: sum((x - mean) ** 2) / max(n - ddof, 0).

    Examples
    --------
    >>> float(var(np.array([1.0, 3.0])))
    1.0
    """
    x = shaped(x)
    distance = x - mean(x, axis, keepdims=True)
    return sum(distance * distance, axis, keepdims) / _freedom(x, axis, ddof)


def std(x, axis=None, keepdims=False, ddof=0):
    """Standard deviation: the square root of `var`; its gradient is 0 where all elements are equal.

    Examples
    --------
    >>> float(std(np.array([1.0, 3.0])))
    1.0
    """
    x = shaped(x)
    length = _length(x - mean(x, axis, keepdims=True), axis, keepdims)
    return length / _freedom(x, axis, ddof) ** 0.5


def _freedom(x, axis, ddof):
    """The degrees of freedom n - ddof, 0 where ddof is more than n."""
    freedom = float(_count(x, axis) - ddof)
    return freedom if freedom > 0 else 0.0


def norm(x, ord=None, axis=None, keepdims=False):
    """Length sqrt(sum(x ** 2)) over the given axes, or over all; for vectors other norms too.

    Parameters
    ----------
    x : array or Tensor
    ord : 1, 2 or np.inf, optional
        For a vector, or along one axis: the sum of |x|, the length, or the largest |x|.
    axis : int or tuple of int, optional
    keepdims : bool

    Raises
    ------
    ValueError
        For any other order, or an order over several axes: matrix norms are left out.

    Examples
    --------
    >>> float(norm(np.array([3.0, -4.0]))), float(norm(np.array([3.0, -4.0]), ord=1))
    (5.0, 7.0)
    """
    x = shaped(x)
    if ord is None or (ord == 2 and len(_axes(x, axis)) == 1):
        return _length(x, axis, keepdims)
    if ord not in (1, np.inf) or len(_axes(x, axis)) != 1:
        raise ValueError(
            f"norm takes ord=1, 2 or np.inf for vectors, got {ord=}, {axis=}: reshape(-1) makes a "
            "vector; ord=None is the length over any axes."
        )
    return (sum if ord == 1 else max)(absolute(x), axis, keepdims)
