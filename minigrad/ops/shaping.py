"""Shapes and choices of elements: reshape, transpose, getitem, concatenate, and what they build.

None of these computes: a gradient goes back to where its value came from. `getitem` reads, and
`scatter` adds up what was read; each is the other's gradient.
"""

import operator
from itertools import pairwise

import numpy as np
from numpy.lib.array_utils import normalize_axis_index

from ..autograd import Tensor, primitive
from .expect import as_array
from .hint import hint

_BASIC = int, slice, type(None), type(...)  # an index of these reads no element twice

# ---- what an operation is given: arrays, Tensors, numbers, and lists of all of them --------------


def plain(x):
    """The array of a Tensor; anything else as it is."""
    return x.data if isinstance(x, Tensor) else x


def shaped(x):
    """A Tensor as it is, a list that holds Tensors as one Tensor, anything else as an array."""
    return x if isinstance(x, Tensor) else of_list(x)


def of_list(x, dtype=None):
    """A list as an array of this dtype; if it holds Tensors, as one Tensor of all that is in it."""
    if holds_tensors(x):
        return stack([of_list(part) if holds_tensors(part) else part for part in x])
    array = as_array(x)
    if array.dtype.kind not in ("biufc" if dtype is None else "biuf"):
        raise TypeError(
            f"expected an array, a Tensor or numbers, got {x!r:.80}: np.array makes an array of a "
            "list whose rows have one length."
        )
    return array if dtype is None else array.astype(dtype, copy=False)


def holds_tensors(x):
    """Whether a Tensor is in the list `x`, or in a list in it."""
    if not isinstance(x, list | tuple):
        return False
    return any(isinstance(part, Tensor) or holds_tensors(part) for part in x)


def operands(inputs, kinds=list | tuple):
    """Lists, or what is of other `kinds`, as arrays in the dtype of the float Tensors beside them.

    So a list leaves float32 as it is, as a number does; NumPy takes its numbers for float64.
    """
    dtypes = [x.dtype for x in inputs if isinstance(x, Tensor) and x.dtype.kind == "f"]
    dtype = np.result_type(*dtypes) if dtypes else None
    return [
        of_list(x, dtype) if isinstance(x, kinds) and not isinstance(x, np.generic) else x
        for x in inputs
    ]


def arrays_of(*inputs):
    """All inputs as arrays or Tensors, lists and numbers as `operands` takes them."""
    return [shaped(x) for x in operands(inputs, list | tuple | int | float)]


def arrays_in(caller, arrays, axis=0):
    """All in a list as arrays or Tensors; raises a TypeError where they were given without one."""
    if not np.iterable(arrays) or isinstance(axis, Tensor):
        raise TypeError(
            f"{caller} expects its arrays in a list: {caller}([t, u], axis=0), got {arrays!r:.80}."
        )
    return arrays_of(*arrays)


def without_lists(row, inputs):
    """The inputs of a row, with lists as arrays where it takes arrays, which have a rule."""
    return [new if row.rule(i) else x for i, (x, new) in enumerate(zip(inputs, operands(inputs)))]


def check_options(row, inputs, keywords):
    """Raise where an option is a Tensor, or where a ufunc would write into an input too many."""
    if any(isinstance(k, Tensor) for k in keywords.values()):
        raise TypeError(f"{row.name} has no gradient for its options: pass them as arrays.")
    count = row.function.nin if isinstance(row.function, np.ufunc) else None
    if count is not None and (keywords or len(inputs) > count):
        raise TypeError(
            f"{row.name} takes {count} arrays and no options, got {len(inputs)} and {[*keywords]}."
        )


def like(x, other):
    """`x` as an array in the dtype of `other`, if that is of floats; a Tensor as it is."""
    if isinstance(x, Tensor):
        return x
    return of_list(x, other.dtype if other.dtype.kind == "f" else None)


# ---- rows: reshape, transpose, broadcast_to, flip, roll, getitem, pad, diagonal, concatenate -----


def memory_order(x):
    """The axes of `x` from slowest to fastest in memory: (0, 2, 3, 1) for channels last."""
    strides = plain(x).strides
    return tuple(sorted(range(len(strides)), key=lambda axis: -abs(strides[axis])))


def _ordered(x, *, axes):
    """`x` with its axes in this order in memory, from slow to fast; copied if they are not."""
    if memory_order(x) == axes:
        return x
    out = np.empty([x.shape[axis] for axis in axes], x.dtype).transpose(np.argsort(axes))
    out[...] = x
    return out


def _inverse(axes):
    """The axes that undo a transpose by `axes`, which may be a number if there is one."""
    if axes is None:
        return None
    axes = np.atleast_1d(axes)
    return tuple(np.argsort(axes % len(axes)))


def _borders(x, widths):
    """The index that reads `x` from inside its border."""
    return tuple(slice(low, low + n) for (low, _), n in zip(widths, x.shape, strict=True))


def _pad(x, *, widths, value):
    shape = [low + n + high for (low, high), n in zip(widths, x.shape, strict=True)]
    out = np.full_like(x, value, shape=shape)  # in the memory order of x, unlike np.pad
    out[_borders(x, widths)] = x
    return out


def _along(axis, part):
    """The index that reads `part` of an axis, and all of the other axes."""
    whole = slice(None)
    if axis < 0:
        return (..., part, *[whole] * (-1 - axis))
    return (*[whole] * axis, part)


def flat_or_along(x, axis):
    """`x` and `axis` for functions that flatten `x` if the axis is None, or if x is a number."""
    x = shaped(x)
    if axis is None or x.ndim == 0:
        x = reshape(x, (-1,))
    return x, 0 if axis is None else normalize_axis_index(axis, x.ndim)


def _reads_twice(index):
    """Whether an index can name an element more than once: arrays and lists of integers can."""
    parts = index if isinstance(index, tuple) else (index,)
    return any(np.asarray(p).dtype.kind in "iu" for p in parts if not isinstance(p, _BASIC))


def _scatter(g, *, index, shape):
    out = np.zeros(shape, g.dtype)
    if _reads_twice(index):
        np.add.at(out, index, g)
    else:
        out[index] = g
    return out


def _numeric(dtype):
    if np.dtype(dtype).kind not in "biuf":
        raise TypeError(f"astype expects a dtype of real numbers, got {np.dtype(dtype)}.")
    return dtype


def _diagonal_gradient(g, y, x, offset=0, axis1=0, axis2=1):
    """g on the diagonal of an array of zeros."""
    places = np.arange(x.size).reshape(x.shape).diagonal(offset, axis1, axis2)
    return reshape(scatter(g, index=places, shape=(x.size,)), x.shape)


def _concatenate_gradient(i, g, y, *xs, axis):
    """The part of g that belongs to input i."""
    start = sum(x.shape[axis] for x in xs[:i])
    return getitem(g, _along(axis, slice(start, start + xs[i].shape[axis])))


# A table is read down its columns.
# fmt: off
reshape      = primitive(lambda x, shape: np.reshape(x, shape),
                         lambda g, y, x, shape:
                             _in_order(reshape(g, x.shape), axes=memory_order(x)),
                         name="reshape", doc="The same elements in another shape")
_in_order    = primitive(_ordered, lambda g, y, x, *, axes: g, name="in_order",
                         doc="x with its axes in this order in memory, from slow to fast")
transpose    = primitive(lambda x, axes=None: np.transpose(x, axes),
                         lambda g, y, x, axes=None: transpose(g, _inverse(axes)),
                         name="transpose", doc="The axes in the given order, by default reversed")
broadcast_to = primitive(lambda x, shape: np.broadcast_to(x, shape), lambda g, y, x, shape: g,
                         name="broadcast_to", doc="x repeated along axes of length 1")
flip         = primitive(np.flip, lambda g, y, x, axis=None: flip(g, axis),
                         doc="The elements backward along the given axes, or along all")
roll         = primitive(np.roll,
                         lambda g, y, x, shift, axis=None: roll(g, np.negative(shift), axis),
                         doc="The elements moved along by a shift; the last come in first")
getitem      = primitive(operator.getitem,
                         lambda g, y, x, index: scatter(g, index=index, shape=x.shape),
                         doc="x[index]")
scatter      = primitive(_scatter, lambda h, y, g, *, index, shape: getitem(h, index),
                         doc="Zeros of the given shape, with g added at an index")
_bordered    = primitive(_pad, lambda g, y, x, *, widths, value: getitem(g, _borders(x, widths)),
                         doc="x inside a border of one value")
copied       = primitive(np.copy, lambda g, y, x: g, name="copy", doc="A copy of x")
astype       = primitive(lambda x, dtype: x.astype(_numeric(dtype)),
                         lambda g, y, x, dtype: astype(g, x.dtype),
                         name="astype", doc="x in another dtype; its gradient is in the dtype of x")
diagonal     = primitive(np.diagonal, _diagonal_gradient,
                         doc="The elements on a diagonal of two axes")
_concatenate = primitive(lambda *xs, axis: np.concatenate(xs, axis), each=_concatenate_gradient,
                         name="concatenate", doc="Arrays one after the other along an axis")
# fmt: on

# ---- derived: pad, concatenate, stack, split, tile, repeat ---------------------------------------


def pad(x, pad_width, mode="constant", constant_values=0):
    """`x` inside a constant border; `pad_width` takes the same forms as in np.pad.

    Examples
    --------
    >>> pad(np.ones((1, 2)), ((0, 1), (1, 0)))
    array([[0., 1., 1.],
           [0., 0., 0.]])
    """
    x = shaped(x)
    if mode != "constant" or np.ndim(constant_values):
        raise ValueError(
            f"pad expects mode='constant' and one value for the whole border, got {mode=} and "
            f"{constant_values=}: build another border with concatenate."
        )
    widths = np.broadcast_to(pad_width, (x.ndim, 2)).tolist()
    if np.any(np.less(pad_width, 0)):
        raise ValueError(f"pad expects widths of 0 or more, got {pad_width}: to cut, slice x.")
    return _bordered(x, widths=widths, value=constant_values)


def _joined(arrays, axis):
    """`_concatenate` of groups of arrays, then of what these gave, until one is left.

    The gradient by each input counts the inputs before it. In one row the time would grow with the
    square of their number, and 8,000 would take 18 s instead of 0.2.
    """
    group = 64
    if len({x.dtype for x in arrays}) == 1:  # or else groups could give other dtypes than all
        while len(arrays) > group:
            starts = range(0, len(arrays), group)
            arrays = [_concatenate(*arrays[i : i + group], axis=axis) for i in starts]
    return _concatenate(*arrays, axis=axis)


def concatenate(arrays, axis=0):
    """Arrays one after the other along an existing axis; with `axis=None` all are flattened first.

    Examples
    --------
    >>> concatenate([np.ones(2), np.zeros(1)])
    array([1., 1., 0.])
    """
    arrays = arrays_in("concatenate", arrays, axis)
    if axis is None:
        return _joined([reshape(x, (-1,)) for x in arrays], 0)
    return _joined(arrays, axis)


def stack(arrays, axis=0):
    """Arrays of the same shape along a new axis.

    Examples
    --------
    >>> stack([np.ones(2), np.zeros(2)], axis=1).tolist()
    [[1.0, 0.0], [1.0, 0.0]]
    """
    return _joined([expand_dims(x, axis) for x in arrays_in("stack", arrays, axis)], axis)


@hint("To hold back a share of x and y for validation, use data.split(x, y, validation=0.1).")
def split(x, sections, axis=0):
    """Views of `x`, cut at the indices `sections` or into that many equal parts.

    To hold back a share of examples there is `data.split`.

    Examples
    --------
    >>> [part.tolist() for part in split(np.arange(4), 2)]
    [[0, 1], [2, 3]]
    """
    if np.ndim(sections) and np.any(np.diff(sections) < 0):
        raise ValueError(
            f"split expects the indices to cut at in ascending order, got {sections!r:.80}. "
            "To hold back a share of x and y for validation, use data.split(x, y, validation=0.1)."
        )
    return pieces(shaped(x), plain(sections), axis)


def pieces(x, sections, axis):
    """`split`, for other operations, whose errors are none of its callers'."""
    n = x.shape[normalize_axis_index(axis, x.ndim)]
    if np.ndim(sections) == 0:
        sections = operator.index(sections)
        if sections < 1 or n % sections:
            raise ValueError(f"split cannot cut an axis of {n} into {sections} equal sections.")
        sections = [i * n // sections for i in range(1, sections)]
    edges = [0, *sections, n]
    return [getitem(x, _along(axis, slice(*pair))) for pair in pairwise(edges)]


def repeat(x, repeats, axis=None):
    """Each element `repeats` times in a row, like np.repeat.

    Examples
    --------
    >>> repeat(np.array([1, 2]), 2)
    array([1, 1, 2, 2])
    """
    x, axis = flat_or_along(x, axis)
    return getitem(x, _along(axis, np.repeat(np.arange(x.shape[axis]), repeats)))


def tile(x, reps):
    """The whole of `x`, `reps` times along each axis, like np.tile.

    Examples
    --------
    >>> tile(np.array([1, 2]), 2)
    array([1, 2, 1, 2])
    """
    x = shaped(x)
    reps = tuple(np.atleast_1d(reps))
    x = reshape(x, (1,) * (len(reps) - x.ndim) + x.shape)
    for axis, n in enumerate((1,) * (x.ndim - len(reps)) + reps):
        x = concatenate([x] * n, axis) if n else getitem(x, _along(axis, slice(0)))
    return x


# ---- derived views: swapaxes, moveaxis, expand_dims, squeeze -------------------------------------
# An array of shape (0, 1, 2, ...) holds nothing, but shows where NumPy puts each axis.


def swapaxes(x, axis1, axis2):
    """A view of `x` with two axes exchanged.

    Examples
    --------
    >>> swapaxes(np.ones((2, 3, 4)), 0, -1).shape
    (4, 3, 2)
    """
    x = shaped(x)
    return transpose(x, np.swapaxes(np.empty(range(x.ndim)), axis1, axis2).shape)


def moveaxis(x, source, destination):
    """A view of `x` with axes moved to other places; the rest keep their order.

    Examples
    --------
    >>> moveaxis(np.ones((2, 3, 4)), 0, -1).shape
    (3, 4, 2)
    """
    x = shaped(x)
    return transpose(x, np.moveaxis(np.empty(range(x.ndim)), source, destination).shape)


def expand_dims(x, axis):
    """A view of `x` with new axes of length 1.

    Examples
    --------
    >>> expand_dims(np.ones((2, 3)), (0, -1)).shape
    (1, 2, 3, 1)
    """
    x = shaped(x)
    return reshape(x, np.expand_dims(plain(x), axis).shape)


def squeeze(x, axis=None):
    """A view of `x` without axes of length 1: the given ones, or all.

    Examples
    --------
    >>> squeeze(np.ones((1, 3, 1))).shape
    (3,)
    """
    x = shaped(x)
    return reshape(x, np.squeeze(plain(x), axis).shape)
