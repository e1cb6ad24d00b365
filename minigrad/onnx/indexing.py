"""Indices, in all of NumPy's forms, in operators of ONNX: Slice, Gather, GatherND, Unsqueeze.

An index has a part for each axis: a slice, an integer, or an array of integers; None is a new axis.
Where there are several arrays, or arrays and integers, they are broadcast and choose single places;
the axes they make come first, but stand where the parts stood if these stood side by side.
"""

import math
import sys

import numpy as np

from .values import INT64, Batch, Refused, Value

# ---- an index, part by part ----------------------------------------------------------------------


def _parts(index, ndim):
    """The index as a list, with slices for "...", and for a mask the places where it is True."""
    parts = []
    for part in index if isinstance(index, tuple) else (index,):
        if isinstance(part, list | tuple | range):
            part = np.asarray(part)
        if isinstance(part, np.ndarray) and part.dtype == object:
            raise Refused("it has a list of what other rows made: mg.stack makes one Tensor of it.")
        if isinstance(part, bool | np.bool_ | Batch):
            raise Refused(f"it has {part!r} as an index, in place of an integer or an array.")
        if isinstance(part, Value) and part.dtype == bool:
            raise Refused("it picks by a mask, and how much it picks depends on the data.")
        if isinstance(part, np.ndarray) and part.dtype == bool:
            parts += [_array(places) for places in part.nonzero()]
        else:
            parts.append(part)
    rest = [slice(None)] * (ndim - sum(map(_has_axis, parts)))
    for place, part in enumerate(parts):
        if part is ...:  # which stays where it stands for no axis, as it keeps arrays apart
            return parts[:place] + (rest or [...]) + parts[place + 1 :]
    return parts + rest


def _has_axis(part):
    return part is not None and part is not ...


def _array(places):
    return np.asarray(places, INT64)


def _is_array(part):
    return isinstance(part, Value | np.ndarray)


# ---- getitem -------------------------------------------------------------------------------------


def getitem(y, x, index):
    """`x[index]`: first the slices, then the integers or arrays, then the new axes."""
    parts = _parts(index, x.ndim)
    x = _sliced(x, filter(_has_axis, parts))
    arrays = [part for part in parts if _is_array(part)]
    integers = [part for part in parts if _is_integer(part)]
    if len(arrays) > 1 or (arrays and integers):
        x, layout = _picked(y, x, parts)
    else:
        x, layout = _gathered(x, parts)
    new = [axis for axis, part in enumerate(layout) if part is None]
    return x.op("Unsqueeze", x.writer.ints(new)) if new else x


def _is_integer(part):
    return isinstance(part, int | np.integer)


def _sliced(x, parts):
    """All slices of an index, in one operator."""
    cuts = []
    for axis, part in enumerate(parts):
        if isinstance(part, slice) and part != slice(None):
            cuts.append((*_bounds(x, axis, part), axis, part.step or 1))
    if not cuts:
        return x
    ints = x.writer.ints
    y = x.op("Slice", *[ints(list(column)) for column in zip(*cuts)])
    y.shape = x.shape  # of an axis that is cut, nobody asks the size
    return y


def _bounds(x, axis, part):
    """Start and stop of a slice along an axis, as ONNX takes them."""
    n = x.shape[axis]
    follows = isinstance(part.start, Batch) or isinstance(part.stop, Batch)
    if isinstance(n, int) and not follows:
        places = range(n)[part]
        if not places:
            return 0, 0
        return places.start, -sys.maxsize if places.stop < 0 else places.stop
    up = part.step is None or part.step > 0
    ends = [end for end in (part.start, part.stop) if isinstance(end, int)]
    if any(abs(end) >= x.writer.largest for end in ends) and not follows:
        raise Refused(
            f"it cuts the batch at {ends}, but the example is smaller: give a larger one."
        )
    if not up and ends and part.start == ends[0] < -1:
        raise Refused("it goes back from a place that a small batch does not have: cut first.")
    first, last = (0, sys.maxsize) if up else (sys.maxsize, -sys.maxsize)
    return first if part.start is None else part.start, last if part.stop is None else part.stop


def _gathered(x, parts):
    """Integers, or one array, each along its axis; and which part made each axis of the result."""
    axis = x.ndim
    layout = []
    for part in reversed(parts):
        axis -= _has_axis(part)
        if _is_integer(part):
            x = x.op("Gather", x.writer.constant(_array(part)), axis=axis)
        elif _is_array(part):
            x = x.op("Gather", _indices(x, part), axis=axis)
            layout = ["array"] * part.ndim + layout
        elif part is not ...:
            layout = [part, *layout]
    return x, layout


def _indices(x, part):
    return part.cast(INT64) if isinstance(part, Value) else x.writer.constant(_array(part))


def _picked(y, x, parts):
    """Several arrays, which name places together; and which part made each axis of the result."""
    where = [i for i, part in enumerate(parts) if _is_array(part) or _is_integer(part)]
    arrays = [_array(p) if _is_integer(p) else p for p in (parts[i] for i in where)]
    count = max(array.ndim for array in arrays)  # of the axes that they make
    side_by_side = where[-1] - where[0] == len(where) - 1
    layout = []
    for i, part in enumerate(parts):
        if i == where[0] and side_by_side:
            layout += ["array"] * count
        if i not in where and part is not ...:
            layout.append(part)
    if not side_by_side:
        layout = ["array"] * count + layout
    first = layout.index("array") if count else 0
    axes = [sum(map(_has_axis, parts[:i])) for i in where]
    rest = [axis for axis in range(x.ndim) if axis not in axes]
    places = _places(x, arrays, y.shape[first : first + count])
    picked = x.transposed([*axes, *rest]).op("GatherND", places)  # the arrays' axes come first
    before = sum(part is not None for part in layout[:first])  # axes in front of theirs
    order = [
        *range(count, count + before),
        *range(count),
        *range(count + before, count + len(rest)),
    ]
    return picked.transposed(order), layout


def _places(x, arrays, shape):
    """The arrays, broadcast to one shape, as the last axis of one array."""
    if not any(isinstance(array, Value) for array in arrays):
        return x.writer.constant(_array(np.stack(np.broadcast_arrays(*arrays), -1)))
    ints = x.writer.ints
    columns = []
    for array in arrays:
        wide = _indices(x, array).op("Expand", ints(list(shape)))
        columns.append(wide.op("Unsqueeze", ints([-1])))
    return columns[0].op("Concat", *columns[1:], axis=-1)


# ---- scatter -------------------------------------------------------------------------------------


def scatter(y, g, *, index, shape):
    """Zeros in one axis, with g added at the places that the index reads from all places."""
    if not all(isinstance(n, int) for n in y.shape):
        raise Refused("it makes an array whose shape follows that of the batch.")
    if any(isinstance(part, Value) for part in (index if isinstance(index, tuple) else [index])):
        raise Refused("it writes at places that depend on the data.")
    size = math.prod(y.shape)
    places = np.arange(size).reshape(y.shape)[index]
    writer = y.writer
    g = g.op("Expand", writer.ints(list(places.shape)))
    zeros = writer.constant(np.zeros(size, y.dtype))
    places = writer.constant(places.reshape(-1))
    return zeros.op("ScatterElements", places, g.reshaped([-1]), reduction="add").reshaped(y.shape)
