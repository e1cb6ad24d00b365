"""Reductions: sum, mean, var, max, logsumexp, norm, ... over all axes, one, or several.

And what goes along an axis: cumsum, cumprod, diff.

In the gradient, `_wide` puts a reduced axis back with length 1; broadcasting does the rest.
"""

import math

import numpy as np
from numpy.lib.array_utils import normalize_axis_index, normalize_axis_tuple

from ..autograd import primitive
from .elementwise import absolute, exp, gate, sign, where
from .shaping import (
    astype,
    broadcast_to,
    concatenate,
    expand_dims,
    flat_or_along,
    flip,
    moveaxis,
    reshape,
    roll,
    shaped,
    squeeze,
)


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
    top = 1.0 * np.max(x, axis=axis, keepdims=True)  # of bytes too, a float
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
    """g times the product of the other elements: of those before and of those after

    y / x would be wrong where x is 0 or y has overflowed, and its own derivatives near there.
    """
    axes = _axes(x, axis) if x.ndim else ()  # a number has an axis 0, as in NumPy
    last = range(-len(axes), 0)
    moved = moveaxis(x, axes, last)  # (kept, reduced)
    kept = moved.shape[: x.ndim - len(axes)]
    row = reshape(moved, (*kept, math.prod(moved.shape[len(kept) :])))  # (kept, n)
    others = _before(row) * flip(_before(flip(row, -1)), -1)
    return _wide(g, axis, keepdims) * moveaxis(reshape(others, moved.shape), last, axes)


def _before(row):
    """For each element the product of those before it, 1 for the first: (..., n)"""
    ones = np.ones((*row.shape[:-1], 1), row.dtype)
    return cumprod(concatenate([ones, row], -1), -1)[..., :-1]


def _cumprod_gradient(g, y, x, axis=None):
    """The product of those before, times g and what the later elements make of it, `_later`"""
    row, along = flat_or_along(x, axis)
    row = moveaxis(row, along, -1)  # (..., n)
    slopes = _before(row) * _later(moveaxis(g, along, -1), row)
    return reshape(moveaxis(slopes, -1, along), x.shape)


def _later_sums(g, x):
    """s[i] = g[i] + x[i + 1] * s[i + 1], from the last to the first: (..., n)"""
    if g.shape != x.shape:
        raise ValueError(f"expected g and x of one shape, got {g.shape} and {x.shape}.")
    s = np.array(g, np.result_type(g, x))
    for i in range(x.shape[-1] - 2, -1, -1):
        s[..., i] += x[..., i + 1] * s[..., i + 1]
    return s


def _but_first(y):
    """y with 0 in place of its first elements"""
    return where(np.arange(y.shape[-1]) > 0, y, 0)


def _earlier(h, x):
    """r[i] = h[i] + x[i] * r[i - 1], from the first to the last: what `_later` hands back to g"""
    return flip(_later(flip(h, -1), roll(flip(x, -1), 1, -1)), -1)


def _sums_from_here(g, axis, shape):
    """For each element, the sum from it to the last."""
    return reshape(flip(cumsum(flip(g, axis), axis), axis), shape)


def _extreme_gradient(g, y, x, axis=None, keepdims=False):
    """`g` to the largest, or smallest, elements in equal shares."""
    hit = x == _wide(y, axis, keepdims)
    count = hit.sum(axis=axis, keepdims=True, dtype=x.dtype)
    return gate(_wide(g, axis, keepdims) / count, hit)


def _norm(x, axis=None, keepdims=False):
    return np.sqrt(np.sum(x * x, axis, keepdims=keepdims))


def _norm_of_order(x, ord, axis=None, keepdims=False):
    return np.sum(np.abs(x) ** ord, axis, keepdims=keepdims) ** (1 / ord)


def _norm_of_order_gradient(g, y, x, ord, axis=None, keepdims=False):
    """g * sign(x) * (|x| / y) ** (ord - 1), and 0 where x or y is 0"""
    y = _wide(y, axis, keepdims)
    share = absolute(where(x == 0, 1, x)) / where(y == 0, 1, y)
    return gate(_wide(g, axis, keepdims), y != 0) * sign(x) * share ** (ord - 1)


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
_of_order = primitive(_norm_of_order, _norm_of_order_gradient,
                      doc="sum(|x| ** ord) ** (1 / ord); its gradient at 0 is 0")
cumsum    = primitive(lambda x, axis=None: np.cumsum(x, axis),
                      lambda g, y, x, axis=None: _sums_from_here(g, axis, x.shape),
                      name="cumsum", doc="Running sums of the elements, along an axis or over all")
cumprod   = primitive(lambda x, axis=None: np.cumprod(x, axis), _cumprod_gradient,
                      name="cumprod", doc="Running products, along an axis or over all")
_later    = primitive(_later_sums,
                      lambda h, y, g, x: _earlier(h, x),
                      lambda h, y, g, x: roll(_earlier(h, x), 1, -1) * _but_first(y),
                      name="later", doc="s[i] = g[i] + x[i + 1] * s[i + 1], along the last axis")
# fmt: on

# ---- derived: mean, var, std, norm, diff ---------------------------------------------------------


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
    """Norm of a vector or of a matrix, as np.linalg.norm; the length where no order is given.

    Its gradient is 0 where it is 0.

    Parameters
    ----------
    x : array or Tensor
    ord : number or "fro", optional
        Of a vector: (sum(|x| ** ord)) ** (1 / ord), the largest |x| for np.inf, the smallest for
        -np.inf, and how many are not 0 for 0. Of a matrix: "fro" for the length of all its
        elements, 1 for the largest sum of |x| in a column, np.inf for that in a row, -1 and -np.inf
        for the smallest. None is the length over any axes.
    axis : int or tuple of int, optional
        The axis of the vectors, or the two axes of the matrices. Left out, `x` is one of either.
    keepdims : bool

    Raises
    ------
    ValueError
        For other orders, such as the matrix norms 2 and "nuc", which need singular values.

    Examples
    --------
    >>> float(norm(np.array([3.0, -4.0]))), float(norm(np.array([3.0, -4.0]), ord=1))
    (5.0, 7.0)
    >>> float(norm(np.array([[1.0, 2.0], [3.0, 4.0]]), ord=np.inf))
    7.0
    """
    x = shaped(x)
    if x.dtype.kind in "iub":  # as in NumPy: the squares of bytes would wrap around
        x = astype(x, np.float64)
    axes = _axes(x, axis)
    if ord is None or (ord == "fro" and len(axes) == 2) or (ord == 2 and len(axes) == 1):
        return _length(x, axis, keepdims)
    if len(axes) == 1 and not isinstance(ord, str):
        return _vector_norm(x, ord, axis, keepdims)
    if len(axes) == 2 and ord in (1, -1, np.inf, -np.inf):
        y = _matrix_norm(absolute(x), ord, axes)
        return y if keepdims else squeeze(y, axes)
    raise ValueError(
        f"norm has the orders 'fro', 1, -1, np.inf and -np.inf for a matrix and any number for a "
        f"vector, got {ord=} over {len(axes)} axes: reshape(-1) makes a vector; singular values, "
        "which ord=2 and 'nuc' need for a matrix, have no gradient rule here."
    )


def _vector_norm(x, ord, axis, keepdims):
    """The norms along an axis."""
    if ord in (np.inf, -np.inf):
        return (max if ord > 0 else min)(absolute(x), axis, keepdims)
    if ord == 0:
        return sum(absolute(sign(x)), axis, keepdims)
    if ord == 1:
        return sum(absolute(x), axis, keepdims)
    return _of_order(x, float(ord), axis, keepdims)


def _matrix_norm(sizes, ord, axes):
    """The largest, or smallest, sum of the absolute values in a column (1), or in a row (inf)."""
    rows, columns = axes if ord in (1, -1) else axes[::-1]
    pick = max if ord > 0 else min
    return pick(sum(sizes, rows, keepdims=True), columns, keepdims=True)


def diff(x, n=1, axis=-1):
    """Differences of neighbors, x[1:] - x[:-1] along an axis, taken `n` times over.

    Examples
    --------
    >>> diff(np.array([1.0, 4.0, 9.0, 16.0])), diff(np.array([1.0, 4.0, 9.0, 16.0]), n=2)
    (array([3., 5., 7.]), array([2., 2.]))
    """
    if n < 0:
        raise ValueError(f"diff expects n of 0 or more, got {n}.")
    x = shaped(x)
    axis = normalize_axis_index(axis, x.ndim)
    x = moveaxis(x, axis, -1)
    for _ in range(n):
        x = x[..., 1:] - x[..., :-1]
    return moveaxis(x, -1, axis)
