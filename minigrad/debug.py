"""Debugging: find the operation that made a NaN, and the line that called it.

The engine asks a watcher, where one is set, to look at each output and each gradient. `debug` sets
one; outside it nothing is looked at and nothing is kept.
"""

import linecache
import sys
from contextlib import contextmanager, suppress
from threading import Lock
from weakref import WeakValueDictionary

import numpy as np

from .autograd import setting, watching
from .ops.shaping import plain


@contextmanager
def debug():
    """Look at every operation: `with mg.debug():`, or `@mg.debug()` above a function.

    Inside it,

    - the operation whose value or gradient first holds a NaN or an infinity raises and says where
      it was called; one that only hands on those of its inputs or options does not;
    - the arrays of a graph are read-only for as long as the graph lives, so that a line that would
      change what backward still needs raises. `backward()` frees the graph, and leaving `debug`
      makes writable what is left;
    - an error in backward names the line that called the operation.

    It reaches worker threads that run in `contextvars.copy_context()`. It takes several times as
    long; when off it costs nothing.

    Raises
    ------
    FloatingPointError
        At the operation that made a NaN or an infinity.

    Examples
    --------
    >>> import minigrad as mg
    >>> with mg.debug(), np.errstate(divide="ignore"):
    ...     mg.log(mg.Tensor([1.0, 0.0]))
    Traceback (most recent call last):
    ...
    FloatingPointError: log made -inf at index (1,) (1 of 2 elements) of finite inputs, called at...
    """
    outer = watching.get()
    watcher = outer if isinstance(outer, _Debugger) else _Debugger(outer)
    try:
        with setting(watching, watcher):
            yield
    finally:
        if watcher is not outer:  # nested: the outer one sees it all
            watcher.release()


class _Node(tuple):
    """A node of the graph that knows its `place`, and holds the `locks` of its arrays."""


class _Lock:
    """Makes an array read-only for as long as a node holds it; nodes of the same array share it."""

    def __init__(self, array):
        self.array = array
        array.flags.writeable = False

    def release(self):
        with suppress(ValueError):  # a view of what is locked still: NumPy refuses
            self.array.flags.writeable = True

    __del__ = release


class _Debugger:
    """The watcher: `forward` sees each output, `backward` each gradient of an input."""

    def __init__(self, outer):
        self.outer, self.locks, self.mutex = outer, WeakValueDictionary(), Lock()

    def forward(self, out, row, values, keywords):
        if self.outer:
            self.outer.forward(out, row, values, keywords)
        place = _caller()
        _blame(row.name, out._data, [*values, *keywords.values()], place)
        if out.node is not None:
            out.node = node = _Node(out.node)
            node.place, node.locks = place, self.acquire([*values, out._data])

    def backward(self, t, i, g, h):
        if self.outer:
            self.outer.backward(t, i, g, h)
        row, _, values, keywords, _ = t.node
        known = [g, t._data, *values, *keywords.values()]
        _blame(f"the gradient of {row.name} by argument {i}", h, known, "")

    def acquire(self, values):
        with self.mutex:
            return [self.locked(x) for x in values if isinstance(x, np.ndarray)]

    def locked(self, x):
        """The lock of `x`; None if it was read-only, and not by us, before."""
        lock = self.locks.get(id(x))
        if lock is None and (x.flags.writeable or id(x.base) in self.locks):
            lock = self.locks[id(x)] = _Lock(x)
        return lock

    def release(self):
        """Make writable what is locked still: arrays first, then their views."""
        with self.mutex:
            for lock in sorted(self.locks.values(), key=lambda lock: lock.array.base is not None):
                lock.release()


def _blame(name, x, known, place):
    """Raise if `x` holds a NaN, or an infinity, that nothing `known` before explains."""
    data = np.asarray(plain(x))
    if data.dtype.kind != "f" or np.isfinite(data).all():
        return
    numbers = [x for x in map(plain, known) if isinstance(x, float | np.floating | np.ndarray)]
    before = np.concatenate([np.ravel(x) for x in numbers])
    kind = "inputs without a NaN" if np.isinf(before).any() else "finite inputs"
    fresh = np.isnan(data) if np.isinf(before).any() else ~np.isfinite(data)
    if fresh.any() and not np.isnan(before).any():
        index = tuple(int(i) for i in np.argwhere(fresh)[0])
        made = f"made {data[index]} at index {index} ({fresh.sum()} of {fresh.size} elements)"
        raise FloatingPointError(f"{name} {made} of {kind}{place}")


def _caller():
    """The line outside the library that called the operation, as text."""
    frame = sys._getframe(1)
    while frame.f_back and frame.f_globals.get("__name__", "").partition(".")[0] == __package__:
        frame = frame.f_back
    file, line = frame.f_code.co_filename, frame.f_lineno
    text = linecache.getline(file, line).strip()
    return f", called at {file}:{line}" + (f": {text}" if text else "")
