"""Reductions: sum, mean, var, max, logsumexp, ... over all axes, one, or several.

A reduced axis comes back in the gradient at length 1 (`_wide`); broadcasting does the rest.
"""

import numpy as np

from ..autograd import primitive
from .elementwise import absolute, exp, sqrt, where
from .shaping import broadcast_to, expand_dims, flip, reshape


def _wide(g, axis, keepdims):
    """`g`, or `y`, with the reduced axes back at length 1."""
    return g if keepdims or axis is None else expand_dims(g, axis)


def _count(x, axis):
    """How many elements go into each result."""
    return x.size if axis is None else int(np.prod(np.take(x.shape, axis)))


def _logsumexp(x, axis=None, keepdims=False):
    top = np.max(x, axis=axis, keepdims=True)
    top = np.where(np.isfinite(top), top, 0)  # inf - inf would be nan
    y = np.log(np.sum(np.exp(x - top), axis=axis, keepdims=True)) + top
    return y if keepdims else y.reshape(()) if axis is None else np.squeeze(y, axis)


def _norm(x, axis=None, keepdims=False):
    return np.sqrt(np.sum(x * x, axis=axis, keepdims=keepdims))


def _norm_gradient(g, y, x, axis=None, keepdims=False):
    """g * x / y, and 0 where y is 0."""
    y = _wide(y, axis, keepdims)
    return _wide(g, axis, keepdims) * x / where(y == 0, 1, y)


def _prod_gradient(g, y, x, axis=None, keepdims=False):
    """g * y / x; where an element is 0, the product of the others is multiplied out."""
    g, y = _wide(g, axis, keepdims), _wide(y, axis, keepdims)
    if np.all(x != 0):
        return g * y / x
    axes = tuple(range(x.ndim)) if axis is None else tuple(np.atleast_1d(axis) % x.ndim)
    kept = [a for a in range(x.ndim) if a not in axes]
    order = [*kept, *axes]
    rows = reshape(x.transpose(order), (-1, 1, _count(x, axis)))  # (kept, 1, n)
    others = prod(where(np.eye(rows.shape[2], dtype=bool), 1, rows), axis=2)  # (kept, n)
    others = reshape(others, [x.shape[a] for a in order])
    return g * others.transpose(np.argsort(order))


def _extreme_gradient(g, y, x, axis=None, keepdims=False):
    """`g` to the elements that are the extreme, in equal shares."""
    hit = x == _wide(y, axis, keepdims)
    share = hit / hit.sum(axis=axis, keepdims=True).astype(x.dtype)
    return _wide(g, axis, keepdims) * share


# fmt: off  (a table is read down its columns)
sum = primitive(
    lambda x, axis=None, keepdims=False: np.sum(x, axis=axis, keepdims=keepdims),
    lambda g, y, x, axis=None, keepdims=False: broadcast_to(_wide(g, axis, keepdims), x.shape),
    name="sum",
    doc="Sum of the elements",
)
prod = primitive(
    lambda x, axis=None, keepdims=False: np.prod(x, axis=axis, keepdims=keepdims),
    _prod_gradient,
    name="prod",
    doc="Product of the elements",
)
max = primitive(
    lambda x, axis=None, keepdims=False: np.max(x, axis=axis, keepdims=keepdims),
    _extreme_gradient,
    name="max",
    doc="Largest element; the tied share the gradient",
)
min = primitive(
    lambda x, axis=None, keepdims=False: np.min(x, axis=axis, keepdims=keepdims),
    _extreme_gradient,
    name="min",
    doc="Smallest element; the tied share the gradient",
)
logsumexp = primitive(
    _logsumexp,
    lambda g, y, x, axis=None, keepdims=False: (
        _wide(g, axis, keepdims) * exp(x - _wide(y, axis, keepdims))
    ),
    doc="log(sum(exp(x))), without overflow",
)
_norm2 = primitive(_norm, _norm_gradient, doc="Length sqrt(sum(x ** 2)); its gradient at 0 is 0")
_cumsum = primitive(
    np.cumsum,
    lambda g, y, x, axis: flip(_cumsum(flip(g, axis), axis), axis),
    doc="Sums of the elements so far",
)
# fmt: on


def mean(x, axis=None, keepdims=False):
    """Mean of the elements over the given axes, or over all.

    Examples
    --------
    >>> mean(np.array([[1.0, 3.0], [5.0, 7.0]]), axis=1)
    array([2., 6.])
    """
    return sum(x, axis, keepdims) / _count(x, axis)


def var(x, axis=None, keepdims=False, ddof=0):
    """Variance over the given axes, or over all: the squared distances divided by n - ddof.

    Examples
    --------
    >>> float(var(np.array([1.0, 3.0])))
    1.0
    """
    distance = x - mean(x, axis, keepdims=True)
    return sum(distance * distance, axis, keepdims) / (_count(x, axis) - ddof)


def std(x, axis=None, keepdims=False, ddof=0):
    """Standard deviation: the square root of `var`.

    Examples
    --------
    >>> float(std(np.array([1.0, 3.0])))
    1.0
    """
    return sqrt(var(x, axis, keepdims, ddof))


def norm(x, ord=2, axis=None, keepdims=False):
    """Length of a vector: of order 1, 2 or inf; all elements are one vector for `axis=None`.

    Examples
    --------
    >>> float(norm(np.array([3.0, -4.0]))), float(norm(np.array([3.0, -4.0]), ord=1))
    (5.0, 7.0)
    """
    if ord == 1:
        return sum(absolute(x), axis, keepdims)
    if ord == 2:
        return _norm2(x, axis, keepdims)
    if ord == np.inf:
        return max(absolute(x), axis, keepdims)
    raise ValueError(f"norm knows the orders 1, 2 and np.inf, got {ord!r}.")


def cumsum(x, axis=None):
    """Sums of the elements so far along an axis, or over the flattened array.

    Examples
    --------
    >>> cumsum(np.array([1.0, 2.0, 3.0]))
    array([1., 3., 6.])
    """
    return _cumsum(reshape(x, (-1,)), 0) if axis is None else _cumsum(x, axis)
