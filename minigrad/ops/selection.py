"""Elements chosen by place or by size: take, take_along_axis, embedding, sort, triu, tril.

All are derived: most compute an index with NumPy, for `getitem`, which knows the gradient.
"""

import numpy as np

from .elementwise import where
from .shaping import flat_or_along, getitem, plain, reshape, shaped


def take(x, indices, axis=None):
    """The elements, or slices along an axis, at integer indices, which may repeat.

    Examples
    --------
    >>> take(np.array([4.0, 5.0, 6.0]), np.array([2, 0, 2]))
    array([6., 4., 6.])
    """
    x, axis = flat_or_along(x, axis)
    return getitem(x, (slice(None),) * axis + (np.asarray(plain(indices)),))


def take_along_axis(x, indices, axis=-1):
    """For each place, the element at an index of its own along an axis, like np.take_along_axis.

    Examples
    --------
    >>> take_along_axis(np.array([[4.0, 5.0], [6.0, 7.0]]), np.array([[1], [0]]), axis=1).tolist()
    [[5.0], [6.0]]
    """
    x = shaped(x)
    if axis is None:
        x, axis = reshape(x, (-1,)), 0
    indices = np.asarray(plain(indices))
    if indices.ndim != x.ndim:
        raise ValueError(f"take_along_axis expects indices of {x.ndim} axes, got {indices.ndim}.")
    places = list(np.indices(x.shape, sparse=True))
    places[axis] = indices
    return getitem(x, tuple(places))


def embedding(indices, weight):
    """A row of `weight` for each integer.

    Parameters
    ----------
    indices : integers (...)
    weight : (K, D)

    Returns
    -------
    (..., D)

    Raises
    ------
    TypeError, ValueError
        For indices that are not integers, or out of range.

    Examples
    --------
    >>> embedding(np.array([1, 1]), np.array([[1.0, 2.0], [3.0, 4.0]])).tolist()
    [[3.0, 4.0], [3.0, 4.0]]
    """
    indices, n = np.asarray(plain(indices)), len(weight)
    if indices.dtype.kind not in "iu":
        raise TypeError(f"embedding expects integers, got {indices.dtype}.")
    if indices.size and not 0 <= indices.min() <= indices.max() < n:
        raise ValueError(f"embedding expects 0 to {n - 1}, got {indices.min()} to {indices.max()}.")
    return getitem(weight, indices)


def sort(x, axis=-1):
    """The elements in ascending order; the gradient follows each back to its old place.

    Examples
    --------
    >>> sort(np.array([3.0, 1.0, 2.0]))
    array([1., 2., 3.])
    """
    x = shaped(x)
    return take_along_axis(x, np.argsort(plain(x), axis=axis, kind="stable"), axis)


def triu(x, k=0):
    """The upper triangle of the last two axes, from diagonal `k` on; zeros below.

    Examples
    --------
    >>> triu(np.ones((2, 2))).tolist()
    [[1.0, 1.0], [0.0, 1.0]]
    """
    x = shaped(x)
    return where(np.triu(np.ones(x.shape[-2:], bool), k), x, 0)


def tril(x, k=0):
    """The lower triangle of the last two axes, up to diagonal `k`; zeros above.

    Examples
    --------
    >>> tril(np.ones((2, 2))).tolist()
    [[1.0, 0.0], [1.0, 1.0]]
    """
    x = shaped(x)
    return where(np.tril(np.ones(x.shape[-2:], bool), k), x, 0)
