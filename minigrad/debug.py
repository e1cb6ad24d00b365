"""Debugging: find the operation that made a NaN, and the line that called it.

The engine shows each output and each gradient to a watcher, where one is set. `debug` sets one;
outside it nothing is looked at and nothing is kept.
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

    - the operation whose value or gradient is the first to hold a NaN or an infinity raises, and
      says where it was called; one that only passes them on, from its inputs or options, does not;
    - the arrays of a graph are read-only for as long as the graph lives, so that a line that would
      change what backward still needs raises. `backward()` frees the graph, and leaving `debug`
      makes the arrays of all other graphs writable again;
    - an error in backward names the line that called the operation.

    It reaches worker threads that run in `contextvars.copy_context()`. Inside it everything takes
    several times as long; outside it costs nothing.

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
        if watcher is not outer:  # else this is nested: the outer `debug` goes on
            watcher.release()


class _Node(tuple):
    """A node of the graph that knows its `place`, and holds the `locks` of its arrays."""


class _Lock:
    """Makes an array read-only for as long as a node holds this; nodes of one array share it."""

    def __init__(self, array):
        self.array = array
        array.flags.writeable = False

    def release(self):
        with suppress(ValueError):  # NumPy refuses while the array is a view of a locked one
            self.array.flags.writeable = True

    __del__ = release  # with the last node that holds it


class _Debugger:
    """The watcher: `forward` sees each output, `backward` each gradient of an input."""

    def __init__(self, outer):
        self.outer = outer  # another watcher, as of gradcheck, which is shown everything first
        self.locks = WeakValueDictionary()  # by the id of the array; held by the nodes alone
        self.mutex = Lock()  # of worker threads that share an array

    def forward(self, out, row, values, keywords):
        if self.outer:
            self.outer.forward(out, row, values, keywords)
        place = caller()
        _blame(row.name, out.data, [*values, *keywords.values()], place)
        if out.node is not None:
            node = _Node(out.node)
            node.place = place
            node.locks = self.acquire([*values, out.data])
            out.node = node

    def backward(self, t, i, g, h):
        if self.outer:
            self.outer.backward(t, i, g, h)
        row, _, values, keywords, _ = t.node
        known = [g, t.data, *values, *keywords.values()]
        _blame(f"the gradient of {row.name} by argument {i}", h, known, "")

    def acquire(self, values):
        with self.mutex:
            return [self.locked(x) for x in values if isinstance(x, np.ndarray)]

    def locked(self, x):
        """The lock of `x`, or None if `x` is read-only for another reason than a lock."""
        lock = self.locks.get(id(x))
        if lock is None and (x.flags.writeable or id(x.base) in self.locks):
            lock = _Lock(x)
            self.locks[id(x)] = lock
        return lock

    def release(self):
        """Make writable what is still locked: arrays first, then their views."""
        with self.mutex:
            for lock in sorted(self.locks.values(), key=lambda lock: lock.array.base is not None):
                lock.release()


def _blame(name, x, known, place):
    """Raise if `x` holds a NaN or an infinity that was made here, not passed on from `known`.

    A NaN in `known` explains whatever `x` holds, an infinity in it explains infinities alone.
    """
    data = np.asarray(plain(x))
    if data.dtype.kind != "f" or np.isfinite(data).all():
        return
    floats = []
    for value in map(plain, known):
        if isinstance(value, float | np.floating | np.ndarray):
            floats.append(np.ravel(value))
    before = np.concatenate(floats)
    if np.isnan(before).any():
        return
    if not np.isinf(before).any():
        first = _first(~np.isfinite(data), data)
        raise FloatingPointError(f"{name} made {first} of finite inputs{place}")
    if np.isnan(data).any():
        first = _first(np.isnan(data), data)
        raise FloatingPointError(f"{name} made {first} of inputs without a NaN{place}")


def _first(wrong, data):
    """The first element of `data` that is `wrong`, where it is, and how many there are, as text."""
    index = tuple(int(i) for i in np.argwhere(wrong)[0])
    return f"{data[index]} at index {index} ({wrong.sum()} of {wrong.size} elements)"


def caller():
    """The line outside the library that called the operation, as the end of a sentence."""
    frame = sys._getframe(1)
    while frame.f_back and frame.f_globals.get("__name__", "").partition(".")[0] == __package__:
        frame = frame.f_back
    file = frame.f_code.co_filename
    line = frame.f_lineno
    place = f", called at {file}:{line}"
    source = linecache.getline(file, line).strip()
    if source:
        place += f": {source}"
    return place
