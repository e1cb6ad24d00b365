"""Arrays put together, taken apart and turned: vstack, hsplit, ravel, rot90, diag, trace, ...

All are derived, each in the words that NumPy has for it, from the rows of shaping.py.
"""

import numpy as np
from numpy.lib.array_utils import normalize_axis_index, normalize_axis_tuple

from .reduction import sum
from .shaping import (
    arrays_in,
    concatenate,
    diagonal,
    flip,
    pieces,
    plain,
    reshape,
    scatter,
    shaped,
    split,
    swapaxes,
)

# ---- more or fewer axes: ravel, atleast_1d, atleast_2d, atleast_3d, matrix_transpose -------------


def ravel(x):
    """The elements in one axis.

    Examples
    --------
    >>> ravel(np.array([[1, 2], [3, 4]]))
    array([1, 2, 3, 4])
    """
    return reshape(x, (-1,))


def atleast_1d(*arrays):
    """A number as an array of one element; a tuple of such, where several are given.

    Examples
    --------
    >>> atleast_1d(np.float64(3))
    array([3.])
    """
    return _with_axes(np.atleast_1d, arrays)


def atleast_2d(*arrays):
    """Arrays with axes of length 1 in front, up to two; a tuple of such, where several are given.

    Examples
    --------
    >>> atleast_2d(np.array([1.0, 2.0])).shape
    (1, 2)
    """
    return _with_axes(np.atleast_2d, arrays)


def atleast_3d(*arrays):
    """Arrays with axes of length 1 around, up to three: (N,) as (1, N, 1), (N, M) as (N, M, 1).

    Examples
    --------
    >>> atleast_3d(np.array([1.0, 2.0])).shape
    (1, 2, 1)
    """
    return _with_axes(np.atleast_3d, arrays)


def _with_axes(function, arrays):
    """The arrays in the shapes that a function of NumPy gives them."""
    arrays = map(shaped, arrays)
    results = tuple(reshape(x, function(plain(x)).shape) for x in arrays)
    return results[0] if len(results) == 1 else results


def matrix_transpose(x):
    """The last two axes exchanged: each matrix of a batch transposed, as by `x.mT`.

    Examples
    --------
    >>> matrix_transpose(np.ones((5, 2, 3))).shape
    (5, 3, 2)
    """
    return swapaxes(x, -1, -2)


# ---- together: vstack, hstack, dstack, column_stack, append --------------------------------------


def vstack(arrays):
    """Arrays one below the other; a vector is a row.

    Examples
    --------
    >>> vstack([np.array([1, 2]), np.array([[3, 4], [5, 6]])]).tolist()
    [[1, 2], [3, 4], [5, 6]]
    """
    return concatenate([atleast_2d(x) for x in arrays_in("vstack", arrays)], 0)


def hstack(arrays):
    """Arrays side by side; vectors one after the other.

    Examples
    --------
    >>> hstack([np.array([[1], [2]]), np.array([[3], [4]])]).tolist()
    [[1, 3], [2, 4]]
    """
    arrays = [atleast_1d(x) for x in arrays_in("hstack", arrays)]
    return concatenate(arrays, 0 if arrays and arrays[0].ndim == 1 else 1)


def dstack(arrays):
    """Arrays one behind the other, along a third axis.

    Examples
    --------
    >>> dstack([np.array([1, 2]), np.array([3, 4])]).tolist()
    [[[1, 3], [2, 4]]]
    """
    return concatenate([atleast_3d(x) for x in arrays_in("dstack", arrays)], 2)


def column_stack(arrays):
    """Arrays side by side; a vector is a column.

    Examples
    --------
    >>> column_stack([np.array([1, 2]), np.array([3, 4])]).tolist()
    [[1, 3], [2, 4]]
    """
    arrays = arrays_in("column_stack", arrays)
    return concatenate([reshape(x, (-1, 1)) if x.ndim < 2 else x for x in arrays], 1)


def append(x, values, axis=None):
    """`x` with `values` after it along an axis; without an axis, both are flattened.

    Examples
    --------
    >>> append(np.array([1, 2]), np.array([[3], [4]]))
    array([1, 2, 3, 4])
    """
    return concatenate([x, values], axis)


# ---- apart: array_split, vsplit, hsplit, dsplit --------------------------------------------------


def array_split(x, sections, axis=0):
    """`split`, also into a number of parts that does not divide the axis: the first are longer.

    Examples
    --------
    >>> [part.tolist() for part in array_split(np.arange(5), 2)]
    [[0, 1, 2], [3, 4]]
    """
    x = shaped(x)
    sections = plain(sections)
    if np.ndim(sections) == 0:
        length = x.shape[normalize_axis_index(axis, x.ndim)]
        parts = np.array_split(np.arange(length), sections)
        sections = np.cumsum([len(part) for part in parts[:-1]])
    return pieces(x, sections, axis)


def vsplit(x, sections):
    """`split` along the first of two or more axes.

    Examples
    --------
    >>> [part.tolist() for part in vsplit(np.array([[1], [2]]), 2)]
    [[[1]], [[2]]]
    """
    return _split(x, sections, axis=0, least=2)


def hsplit(x, sections):
    """`split` along the second axis, or along the only one.

    Examples
    --------
    >>> [part.tolist() for part in hsplit(np.array([[1, 2]]), 2)]
    [[[1]], [[2]]]
    """
    return _split(x, sections, axis=1 if shaped(x).ndim > 1 else 0, least=1)


def dsplit(x, sections):
    """`split` along the third of three or more axes.

    Examples
    --------
    >>> [part.tolist() for part in dsplit(np.array([[[1, 2]]]), 2)]
    [[[[1]]], [[[2]]]]
    """
    return _split(x, sections, axis=2, least=3)


def _split(x, sections, *, axis, least):
    x = shaped(x)
    if x.ndim < least:
        raise ValueError(
            f"expected an array of {least} axes or more to split along axis {axis}, "
            f"got shape {x.shape}: mg.split takes the axis that you name."
        )
    return split(x, sections, axis)


# ---- turned: flipud, fliplr, rot90 ---------------------------------------------------------------


def flipud(x):
    """Upside down: the first axis backward.

    Examples
    --------
    >>> flipud(np.array([[1, 2], [3, 4]])).tolist()
    [[3, 4], [1, 2]]
    """
    return flip(x, 0)


def fliplr(x):
    """Left and right exchanged: the second axis backward.

    Examples
    --------
    >>> fliplr(np.array([[1, 2], [3, 4]])).tolist()
    [[2, 1], [4, 3]]
    """
    return flip(x, 1)


def rot90(x, k=1, axes=(0, 1)):
    """`x` turned `k` times by 90 degrees, from the first of two axes toward the second.

    Raises
    ------
    ValueError
        If the axes are one and the same, or none of `x`.

    Examples
    --------
    >>> rot90(np.array([[1, 2], [3, 4]])).tolist()
    [[2, 4], [1, 3]]
    """
    x = shaped(x)
    first, second = normalize_axis_tuple(axes, x.ndim)
    for _ in range(k % 4):
        x = flip(swapaxes(x, first, second), first)
    return x


# ---- diagonals: diag, trace ----------------------------------------------------------------------


def diag(x, k=0):
    """A matrix of zeros with a vector `x` on its diagonal `k`; or the diagonal `k` of a matrix.

    Examples
    --------
    >>> diag(np.array([1.0, 2.0])).tolist()
    [[1.0, 0.0], [0.0, 2.0]]
    >>> diag(np.array([[1.0, 2.0], [3.0, 4.0]]), k=1).tolist()
    [2.0]
    """
    x = shaped(x)
    if x.ndim == 2:
        return diagonal(x, k)
    if x.ndim != 1:
        raise ValueError(f"diag expects a vector or a matrix, got shape {x.shape}.")
    side = len(x) + abs(k)
    return scatter(x, index=np.eye(side, k=k, dtype=bool), shape=(side, side))


def trace(x, offset=0, axis1=0, axis2=1):
    """Sum of the elements on a diagonal of two axes.

    Examples
    --------
    >>> float(trace(np.array([[1.0, 2.0], [3.0, 4.0]])))
    5.0
    """
    return sum(diagonal(x, offset, axis1, axis2), -1)
