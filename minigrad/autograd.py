"""Read 1 of 8: the engine. Tensors remember how they were computed; `gradients` walks that back.

It knows no operation. `primitive` pairs a NumPy function with its gradient rules; called on a
Tensor it leaves a node: (primitive, inputs, their values, keywords, parents), where the parents
are the inputs that require a gradient. The rest is what every operation would otherwise repeat.
"""

import sys
from contextlib import contextmanager
from contextvars import ContextVar
from functools import partial
from operator import attrgetter
from typing import TYPE_CHECKING, Any

import numpy as np

_recording = ContextVar("recording", default=True)
_watcher: ContextVar[Any] = ContextVar("watcher", default=None)  # of mg.debug(), gradcheck
_FREED: Any = ("freed",)  # the node of a tensor whose graph a backward pass has used up
_bound: Any = None  # operators and methods: numpy_protocol.py binds them
registry: dict[str, "primitive"] = {}  # every primitive of minigrad.ops; the tests walk it


class Tensor:
    """An array that can be differentiated.

    `data`: arrays keep their dtype and memory; numbers and lists of them become float32.
    `requires_grad`: shall `backward` fill `grad`, an ndarray of the shape of `data`?

    Examples
    --------
    >>> x = Tensor([1.0, 2.0], requires_grad=True)
    >>> (x * x).sum().backward()
    >>> x.grad
    array([2., 4.], dtype=float32)
    """

    __slots__ = ("__weakref__", "_data", "_node", "_retains", "grad", "name", "requires_grad")

    def __init__(self, data, requires_grad=False, dtype=None, name=None):
        array = np.asarray(data, dtype)
        keeps = dtype is not None or isinstance(data, np.ndarray | np.generic | Tensor)
        array = array if keeps or array.dtype.kind not in "iuf" else array.astype(np.float32)
        if array.dtype.kind not in ("f" if requires_grad else "biuf"):
            wish = "floats, as of .astype(np.float32)" if requires_grad else "numbers"
            raise TypeError(f"Tensor({requires_grad=}) expects {wish}, got {array.dtype}.")
        self._data, self._node, self._retains = array, None, False
        self.grad, self.name, self.requires_grad = None, name, requires_grad

    data: Any = property(attrgetter("_data"), lambda t, x: setattr(t, "_data", np.asarray(x)))
    shape: Any = property(attrgetter("_data.shape"))
    dtype: Any = property(attrgetter("_data.dtype"))

    def backward(self, gradient=None, retain_graph=False):
        """Add d(self)/d(leaf) to the `grad` of every leaf that requires a gradient.

        `gradient` is the start, dL/d(self); ones if left out, where self has one element.
        `retain_graph` keeps the graph, else freed on the way, for another backward pass.
        """
        for t, g in zip(*_walk(self, None, gradient, False, retain_graph), strict=True):
            t.grad = g if t.grad is None else np.asarray(t.grad + g)

    if TYPE_CHECKING:
        __add__ = __sub__ = __mul__ = __truediv__ = __pow__ = __matmul__ = __getitem__ = _bound
        __radd__ = __rsub__ = __rmul__ = __rtruediv__ = __rpow__ = __rmatmul__ = __neg__ = _bound
        __lt__ = __le__ = __gt__ = __ge__ = __len__ = __iter__ = _bound

        def __getattr__(self, name: str) -> Any: ...


class primitive:  # lower case as `property` is: it is used as a function
    """A row of the table: a NumPy function and its gradient rules, one for each input.

    `rule(g, y, *inputs, **keywords)` gives the gradient of an input from `g`, that of the output
    `y`, in operators and primitives; it never writes into `g`. Without a rule, an input is a
    constant. `each(i, g, y, *inputs, **keywords)` serves a function of many inputs.

    Examples
    --------
    >>> cube = primitive(lambda x: x**3, lambda g, y, x: g * 3 * x**2, name="cube")
    >>> x = Tensor(2.0, requires_grad=True)
    >>> float(*gradients(cube(x), [x]))
    12.0
    """

    def __init__(self, function, *rules, each=None, name=None, doc=None):
        self.function, self.rules, self.each, self.__doc__ = function, rules, each, doc
        self.rule = (lambda i: partial(each, i)) if each else dict(enumerate(rules)).get
        self.name = self.__name__ = name or function.__name__.strip("_")
        self.__module__ = sys._getframe(1).f_globals.get("__name__", "")
        if self.__module__.startswith("minigrad.ops."):
            registry[self.name] = self

    def __call__(self, *inputs, **keywords):
        values, parents, recorded = [], [], False
        for i, x in enumerate(inputs):
            if isinstance(x, Tensor):
                recorded = True
                if x.requires_grad:
                    parents.append((i, x))
                x = x._data
            values.append(x)
        if keywords and any(isinstance(k, Tensor) for k in keywords.values()):
            raise TypeError(f"{self.name} has no gradient for its options: pass them as arrays.")
        y = self.function(*values, **keywords)
        if not recorded:
            return y
        out = object.__new__(Tensor)
        out._data = y = y if type(y) is np.ndarray else np.asarray(y)
        out.grad = out.name = out._node = None
        out._retains = out.requires_grad = False
        if parents and _recording.get() and y.dtype.kind == "f":
            out.requires_grad, out._node = True, (self, inputs, values, keywords, parents)
        if watcher := _watcher.get():
            watcher.forward(out, self, values, keywords)
        return out


@contextmanager
def _setting(variable, value):
    token = variable.set(value)
    try:
        yield
    finally:
        variable.reset(token)


def no_grad():
    """Record nothing, in this thread: `with no_grad():`, or `@no_grad()` above a function."""
    return _setting(_recording, False)


def topological_order(output, inputs=None):
    """What lies between `output` and `inputs`, or all before it, parents first; and their ids."""
    if not output.requires_grad:
        raise ValueError("nothing here requires a gradient: Tensor(..., requires_grad=True).")
    order, seen, stack = [], set(), [output]
    # What no input is reached by is not needed: its gradient is never computed.
    needed = seen if inputs is None else {id(x) for x in inputs}
    while stack:
        t = stack.pop()
        if t is None:  # the parents of the one below are done
            t = stack.pop()
            ids = [id(x) for _, x in t._node[-1]] if t._node and needed is not seen else ()
            if not needed.isdisjoint(ids):
                needed.add(id(t))
            if id(t) in needed:
                order.append(t)
        elif id(t) not in seen:
            if t._node is _FREED:
                raise ValueError("an earlier backward() freed this: give it retain_graph=True.")
            seen.add(id(t))
            stack += (t, None)
            for _, x in t._node[-1] if t._node else ():
                stack.append(x)
    return order, needed


def gradients(output, inputs, gradient=None, create_graph=False, retain_graph=False):
    """Gradients of `output` with respect to `inputs`, a list; no `grad` is written.

    Arrays that the caller owns, None for an input that `output` does not depend on. With
    `create_graph` they are Tensors that can be differentiated again. The rest is `backward`'s.

    Examples
    --------
    >>> x = Tensor(3.0, requires_grad=True)
    >>> (slope,) = gradients(x * x * x, [x], create_graph=True)
    >>> float(gradients(slope, [x])[0])
    18.0
    """
    return _walk(output, inputs, gradient, create_graph, retain_graph or create_graph)[1]


def _walk(output, inputs, gradient, create_graph, retain_graph):
    """The chain rule, from `output` to `inputs`, or to all that keep a `grad`: they and theirs."""
    order, needed = topological_order(output, inputs)
    if inputs is None:
        inputs = [t for t in order if t._node is None or t._retains]
    wanted, found, watcher = {id(x) for x in inputs}, {}, _watcher.get()
    pending = {id(output): _seed(output, gradient, create_graph)}
    with _setting(_recording, create_graph):
        while order:  # emptied, so that what is used is freed at once
            t = order.pop()
            key, node, g = id(t), t._node, pending.pop(id(t))
            if key in wanted:
                found[key] = g
            if node:
                _hand_back(g, t, node, needed, pending, create_graph, watcher)
                t._node = node if retain_graph else _FREED
    results, taken = [found.get(id(x)) for x in inputs], set()
    if not create_graph:
        results = [g if g is None else _owned(g, taken) for g in results]
    return inputs, results


def _seed(output, gradient, create_graph):
    if gradient is None:
        gradient = np.ones(output.shape if output._data.size == 1 else ())
    if np.shape(gradient) != output.shape:
        wish = f"gradient= of the output's shape {output.shape}, got {np.shape(gradient)}"
        raise ValueError(f"backward expects {wish}. Left out, it is 1: reduce, as by .sum().")
    if create_graph:
        return _fitted(gradient if isinstance(gradient, Tensor) else Tensor(gradient), output)
    return np.array(getattr(gradient, "_data", gradient), output.dtype)


def _hand_back(g, t, node, needed, pending, create_graph, watcher):
    """Add to `pending` what each parent of `t` gets of the gradient `g`."""
    row, inputs, values, keywords, parents = node
    y = t if create_graph else t._data
    for i, x in parents:
        if (key := id(x)) in needed:
            try:
                rule = row.rule(i)
                if rule is None:
                    raise TypeError("it is a constant there: pass an array, or .detach() it.")
                h = rule(g, y, *(inputs if create_graph else values), **keywords)
                if watcher:
                    watcher.backward(t, i, g, h)
                if h.shape != x._data.shape or h.dtype is not x._data.dtype:
                    h = _fitted(h, x._data)
            except Exception as error:
                at = getattr(node, "place", "")  # known inside mg.debug()
                error.add_note(f"in the gradient of {row.name} by argument {i}{at}")
                raise
            pending[key] = pending[key] + h if key in pending else h


def _fitted(h, x):
    """`h` in the dtype and shape of `x`, summed over the axes along which `x` was broadcast."""
    if h.shape != x.shape:
        extra = len(h.shape) - len(x.shape)  # of axes that x has not
        ones = (1,) * extra + x.shape
        if any(n not in (1, m) for n, m in zip(ones, h.shape)) or extra < 0:
            raise ValueError(f"its rule gave shape {h.shape}, to which {x.shape} cannot broadcast.")
        axes = tuple(a for a, n in enumerate(ones) if a < extra or n != h.shape[a])
        h = h.sum(axes).reshape(x.shape)
    return h if h.dtype == x.dtype else h.astype(x.dtype)


def _owned(g, taken):
    """`g`, or a copy where `g` is read-only, has gaps, or lies in memory already `taken`."""
    owner, flags = g if g.base is None else g.base, g.flags
    alone = getattr(owner, "size", -1) == g.size and id(owner) not in taken
    if not (alone and flags.c_contiguous and flags.writeable):
        owner = g = np.array(g, order="C")
    taken.add(id(owner))
    return g
