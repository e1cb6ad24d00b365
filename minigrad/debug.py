"""Debugging: find the operation that made a NaN, and the line that called it.

The engine asks a watcher, where one is set, to look at each output and each gradient. `debug` sets
one; outside it nothing is looked at and nothing is kept.
"""

import linecache
import sys
import threading
from contextlib import contextmanager, suppress

import numpy as np

from .autograd import _setting, _watcher


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
    FloatingPointError: log made -inf at index (1,) (1 of 2 elements) of finite inputs, called at ...
    """
    return _watching()


@contextmanager
def _watching():
    outer = _watcher.get()
    if isinstance(outer, _Debugger):  # nested: the outer one sees it all
        yield
        return
    watcher = _Debugger(outer)
    try:
        with _setting(_watcher, watcher):
            yield
    finally:
        watcher.locks.release_all()


class _Node(tuple):
    """A node of the graph that knows its `place`, and locks its arrays while it lives."""

    def __del__(self):
        self.locks.release(self.arrays)


class _Debugger:
    """The watcher: `forward` sees each output, `backward` each gradient of an input."""

    def __init__(self, outer):
        self.outer, self.locks = outer, _Locks()

    def forward(self, out, row, values, keywords):
        if self.outer:
            self.outer.forward(out, row, values, keywords)
        place = _caller()
        _blame(row.name, out._data, [*values, *keywords.values()], place)
        if out._node is not None:
            out._node = node = _Node(out._node)
            node.place, node.locks = place, self.locks
            node.arrays = self.locks.acquire([*values, out._data])

    def backward(self, t, i, g, h):
        if self.outer:
            self.outer.backward(t, i, g, h)
        row, _, values, keywords, _ = t._node
        known = [g, t._data, *values, *keywords.values()]
        _blame(f"the gradient of {row.name} by argument {i}", h, known, "")


class _Locks:
    """Arrays made read-only, each with the number of nodes that need it as it is."""

    def __init__(self):
        self.held, self.lock = {}, threading.RLock()  # a node may die while we lock

    def acquire(self, values):
        """Lock the arrays among `values` that are writable, or that we locked; gives these."""
        with self.lock:
            ours = [x for x in values if isinstance(x, np.ndarray) and self._is_ours(x)]
            for x in ours:
                x.flags.writeable = False
                self.held[id(x)] = (x, self.held.get(id(x), (x, 0))[1] + 1)
        return ours

    def _is_ours(self, x):
        return x.flags.writeable or id(x) in self.held or id(x.base) in self.held

    def release(self, arrays):
        with self.lock:
            for x in arrays:
                _, count = self.held.pop(id(x), (x, 0))
                if count > 1:
                    self.held[id(x)] = (x, count - 1)
                elif count:
                    _unlock(x)

    def release_all(self):
        with self.lock:
            for x, _ in sorted(self.held.values(), key=lambda held: held[0].base is not None):
                _unlock(x)
            self.held.clear()


def _unlock(x):
    with suppress(ValueError):  # a view of what is locked still: NumPy refuses
        x.flags.writeable = True


def _blame(name, x, known, place):
    """Raise if `x` holds a NaN, or an infinity, that nothing `known` before explains."""
    data = np.asarray(getattr(x, "_data", x))
    if data.dtype.kind != "f" or np.isfinite(data).all():
        return
    known = [_floats(value) for value in known]
    nan_before = any(np.isnan(value).any() for value in known)
    infinite_before = any(np.isinf(value).any() for value in known)
    fresh = np.isnan(data) if infinite_before else ~np.isfinite(data)
    if nan_before or not fresh.any():
        return
    index = tuple(int(i) for i in np.argwhere(fresh)[0])
    inputs = "inputs without a NaN" if infinite_before else "finite inputs"
    raise FloatingPointError(
        f"{name} made {data[index]} at index {index} ({fresh.sum()} of {fresh.size} elements) "
        f"of {inputs}{place}"
    )


def _floats(value):
    """`value`, if it is of floats: a number, an array or a Tensor; else no number at all."""
    value = getattr(value, "_data", value)
    floats = isinstance(value, float) or getattr(getattr(value, "dtype", None), "kind", "") == "f"
    return value if floats else np.empty(0)


def _caller():
    """The line outside the library that called the operation, as text."""
    frame = sys._getframe(1)
    while frame.f_back and frame.f_globals.get("__name__", "").partition(".")[0] == __package__:
        frame = frame.f_back
    file, line = frame.f_code.co_filename, frame.f_lineno
    text = linecache.getline(file, line).strip()
    return f", called at {file}:{line}" + (f": {text}" if text else "")
