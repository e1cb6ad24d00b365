"""Read 1 of 8: the engine. Tensors remember how they were computed; `gradients` walks that back.

It knows no operation: their table is in ops/. `primitive` pairs a NumPy function with its gradient
rules. Called on a Tensor that requires a gradient, it leaves a node on the result: (primitive,
inputs, their values, keywords, parents). The parents are the inputs that require a gradient, as
pairs (i, tensor) for input i. A tensor without a node is a leaf; all that leads from the leaves to
a result is its graph. The rest of this file is what every operation would otherwise repeat.
"""

import sys
from contextlib import contextmanager
from contextvars import ContextVar
from functools import partial
from operator import attrgetter
from typing import TYPE_CHECKING, Any

import numpy as np

# ContextVars are global variables of which each thread has a value of its own.
recording = ContextVar("recording", default=True)  # do operations leave nodes?
watching: ContextVar[Any] = ContextVar("watching", default=None)  # the watcher of mg.debug()
registry: dict[str, "primitive"] = {}  # every primitive of minigrad.ops; the tests walk it

_LISTS = (list, tuple)
_FREED: Any = ("freed",)  # the node of a tensor whose graph a backward pass has used up


class Tensor:
    """An array that can be differentiated.

    `data`: arrays keep their dtype and memory; numbers and lists of numbers become float32.
    `requires_grad`: whether `backward` is to fill `grad`, an ndarray of the shape of `data`.
    Operators and methods, such as `*` and `.sum()`, are bound by ops/numpy_protocol.py.

    Examples
    --------
    >>> x = Tensor([1.0, 2.0], requires_grad=True)
    >>> (x * x).sum().backward()
    >>> x.grad
    array([2., 4.], dtype=float32)
    """

    __slots__ = ("__weakref__", "_data", "grad", "name", "node", "requires_grad", "retains_grad")

    def __init__(self, data, requires_grad=False, dtype=None, name=None):
        array = np.asarray(data, dtype)
        keeps_dtype = dtype is not None or isinstance(data, np.ndarray | np.generic | Tensor)
        if not keeps_dtype and array.dtype.kind in "iuf":  # integers and floats
            array = array.astype(np.float32)
        if requires_grad and array.dtype.kind != "f":
            raise TypeError(
                f"Tensor(requires_grad=True) expects floats, got {array.dtype}: "
                "use .astype(np.float32)."
            )
        if array.dtype.kind not in "biuf":
            raise TypeError(f"Tensor expects numbers, got {data!r:.100} of dtype {array.dtype}.")
        self._data = array
        self.grad = self.node = None
        self.name = name
        self.requires_grad = requires_grad
        self.retains_grad = False

    data: Any = property(attrgetter("_data"), lambda t, x: setattr(t, "_data", np.asarray(x)))
    shape: Any = property(attrgetter("_data.shape"))
    dtype: Any = property(attrgetter("_data.dtype"))

    def backward(self, gradient=None, retain_graph=False):
        """Add d(self)/d(leaf) to the `grad` of every leaf that requires a gradient.

        `gradient` is dL/d(self); if left out, it is 1, and self must have one element. Frees the
        graph unless `retain_graph`. Rules read the arrays of now: after a step, the new weights.
        """
        order = topological_order(self)
        targets = [t for t in order if t.node is None or t.retains_grad]
        needed = {id(t) for t in order}  # all of it comes from leaves
        for t, g in zip(targets, _walk(order, targets, needed, gradient, False, retain_graph)):
            t.grad = g if t.grad is None else np.asarray(t.grad + g)  # () + () is no array

    if TYPE_CHECKING:  # what ops/numpy_protocol.py binds, for editors and type checkers
        _bound: Any = None
        __add__ = __sub__ = __mul__ = __truediv__ = __pow__ = __matmul__ = __mod__ = _bound
        __radd__ = __rsub__ = __rmul__ = __rtruediv__ = __rpow__ = __rmatmul__ = __rmod__ = _bound
        __floordiv__ = __rfloordiv__ = __neg__ = __getitem__ = _bound
        __lt__ = __le__ = __gt__ = __ge__ = __len__ = __iter__ = _bound

        def __getattr__(self, name: str) -> Any: ...


class primitive:  # lower case as `property` is: it is used as a function
    """A row of the table: a NumPy function and its gradient rules, one for each input.

    `rule(g, y, *inputs, **keywords)` turns `g`, which is dL/dy of the output `y`, into dL/dx of an
    input x, where L is what `backward` starts from. Written in operators and primitives, it can be
    differentiated itself; it never writes into `g`. An input without a rule is a constant.
    `each(i, g, y, *inputs, **keywords)` serves a function of many inputs.

    Examples
    --------
    >>> cube = primitive(lambda x: x**3, lambda g, y, x: g * 3 * x**2, name="cube")
    >>> x = Tensor(2.0, requires_grad=True)
    >>> float(*gradients(cube(x), [x]))
    12.0
    """

    def __init__(self, function, *rules, each=None, name=None, doc=None):
        self.function = function
        self.rules = rules
        self.each = each
        self.name = self.__name__ = name or function.__name__.strip("_")
        self.__doc__ = doc
        # The file whose table this row stands in: that of the caller.
        self.__module__ = sys._getframe(1).f_globals.get("__name__", "")
        if self.__module__.startswith("minigrad.ops."):
            registry[self.name] = self

    def rule(self, i):
        """The rule for input `i`, None if there is none."""
        if self.each:
            return partial(self.each, i)
        return self.rules[i] if i < len(self.rules) else None

    def __call__(self, *inputs, **keywords):
        values, parents = [], []
        any_tensor = False
        for i, x in enumerate(inputs):
            if isinstance(x, Tensor):
                any_tensor = True
                if x.requires_grad:
                    parents.append((i, x))
                x = x._data
            elif isinstance(x, _LISTS) and self.rule(i):  # in place of an array
                return self(*self.without_lists(inputs), **keywords)  # see ops/shaping.py
            values.append(x)
        if keywords or len(inputs) > len(self.rules):
            self.check_options(inputs, keywords)  # as well
        try:
            y = self.function(*values, **keywords)
        except Exception as error:
            self.explain(error, values)
            raise
        if not any_tensor:
            return y

        out = object.__new__(Tensor)  # a quarter of the time of Tensor(y)
        y = y if type(y) is np.ndarray else np.asarray(y)  # np.sum gives a number
        out._data = y
        out.grad = out.name = out.node = None
        out.requires_grad = out.retains_grad = False
        if parents and recording.get() and y.dtype.kind == "f":
            out.requires_grad = True
            out.node = (self, inputs, values, keywords, parents)
        watcher = watching.get()
        if watcher:
            watcher.forward(out, self, values, keywords)
        return out


@contextmanager
def setting(variable, value):
    """Inside `with`, a ContextVar has this value."""
    token = variable.set(value)
    try:
        yield
    finally:
        variable.reset(token)


def no_grad():
    """Record nothing, in this thread: `with no_grad():`, or `@no_grad()` above a function."""
    return setting(recording, False)


# ---- the order of the graph ----------------------------------------------------------------------


def topological_order(output):
    """A list of `output` and all that it was computed from, parents first."""
    if not getattr(output, "requires_grad", False):
        raise ValueError("nothing here requires a gradient: Tensor(..., requires_grad=True).")
    order = []
    seen = set()  # of ids, as == compares the elements of tensors
    stack = [(output, False)]
    while stack:
        t, parents_are_done = stack.pop()
        if parents_are_done:
            order.append(t)
        elif id(t) not in seen:
            if t.node is _FREED:
                raise ValueError("an earlier backward() freed this: give it retain_graph=True.")
            seen.add(id(t))
            stack.append((t, True))  # again, after its parents
            for _, x in t.node[-1] if t.node else ():
                stack.append((x, False))
    return order


def _reached_by(inputs, order):
    """The ids of the inputs, and of all in `order` that was computed from one of them."""
    reached = {id(x) for x in inputs}
    for t in order:
        if t.node and not reached.isdisjoint([id(x) for _, x in t.node[-1]]):
            reached.add(id(t))
    return reached


# ---- the chain rule ------------------------------------------------------------------------------


def gradients(output, inputs, gradient=None, create_graph=False, retain_graph=False):
    """Gradients of `output` with respect to `inputs`, a list; no `grad` is written.

    They are arrays that the caller may write into, None where `output` does not depend on an input;
    with `create_graph`, Tensors that can be differentiated again. The rest is as in `backward`.

    Examples
    --------
    >>> x = Tensor(3.0, requires_grad=True)
    >>> (slope,) = gradients(x * x * x, [x], create_graph=True)
    >>> float(gradients(slope, [x])[0])
    18.0
    """
    if not isinstance(inputs, _LISTS) or not all(isinstance(x, Tensor) for x in inputs):
        raise TypeError(f"gradients expects a list of Tensors, got {inputs!r:.80}: [x] is a list.")
    order = topological_order(output)
    needed = _reached_by(inputs, order)
    return _walk(order, inputs, needed, gradient, create_graph, retain_graph or create_graph)


def _walk(order, inputs, needed, gradient, create_graph, retain_graph):
    """Gradients of `inputs`: walks `order` back from its end, through what is `needed` alone."""
    found = dict.fromkeys(map(id, inputs))
    pending = {id(order[-1]): _start(order[-1], gradient, create_graph)}
    with setting(recording, create_graph):
        while order:
            t = order.pop()  # off the list, so that what is used is freed at once
            if id(t) not in needed:
                continue
            g = pending.pop(id(t))  # complete: all that was computed from t came before
            if id(t) in found:
                found[id(t)] = g
            if t.node is None:
                continue
            for i, x in t.node[-1]:  # its parents
                if id(x) in needed:
                    h = _apply_rule(g, t, i, x, create_graph)  # dL/dx by way of t
                    if id(x) in pending:  # no +=: of a + a, both h are the one array g
                        h = pending[id(x)] + h
                    pending[id(x)] = h
            if not retain_graph:
                t.node = _FREED
    results = [found[id(x)] for x in inputs]
    return results if create_graph else _owned(results)


def _start(output, gradient, create_graph):
    """The gradient of the output: as given, or 1."""
    if gradient is None:
        if output._data.size != 1:
            raise ValueError(
                f"backward of an output of shape {output.shape} expects gradient=, of that shape, "
                "got none: give one, or reduce the output to one element, as by .sum()."
            )
        gradient = np.ones(output.shape)
    if np.shape(gradient) != output.shape:
        raise ValueError(f"gradient= expects shape {output.shape}, got {np.shape(gradient)}.")
    if create_graph:
        return _fitted(gradient if isinstance(gradient, Tensor) else Tensor(gradient), output)
    return np.array(getattr(gradient, "_data", gradient), output.dtype)


def _apply_rule(g, t, i, x, create_graph):
    """dL/dx by one operation: `x` is input `i` of the one that made `t`, and `g` is dL/dt."""
    row, inputs, values, keywords, _ = t.node
    try:
        rule = row.rule(i)
        if rule is None:
            raise TypeError(f"{row.name} takes argument {i} as a constant: .detach() it.")
        if create_graph:
            h = rule(g, t, *inputs, **keywords)
        else:
            h = rule(g, t._data, *values, **keywords)
        watcher = watching.get()
        if watcher:
            watcher.backward(t, i, g, h)
        if h.shape != x._data.shape or h.dtype is not x._data.dtype:
            h = _fitted(h, x._data)
    except Exception as error:
        place = getattr(t.node, "place", "")  # which nodes have inside mg.debug()
        error.add_note(f"in the gradient of {row.name} by argument {i}{place}")
        raise
    return h


def _fitted(h, x):
    """`h` in the dtype and shape of `x`, summed over the axes along which `x` was broadcast."""
    if h.shape != x.shape:
        extra = h.ndim - x.ndim  # axes that broadcasting put in front
        ones = (1,) * extra + x.shape
        if extra < 0 or any(n not in (1, m) for n, m in zip(ones, h.shape)):
            raise ValueError(f"its rule gave shape {h.shape}, to which {x.shape} cannot broadcast.")
        axes = tuple(a for a, n in enumerate(ones) if a < extra or n != h.shape[a])
        h = h.sum(axes).reshape(x.shape)
    return h if h.dtype == x.dtype else h.astype(x.dtype)


def _owned(arrays):
    """The arrays, copied where they are read-only, have gaps, or share memory: a rule may return
    views, or `g` itself for two inputs, but the caller may write into what it gets."""
    taken = set()  # the ids of the arrays that own the memory of those before
    results = []
    for g in arrays:
        if g is not None:
            owner = g if g.base is None else g.base
            alone = getattr(owner, "size", -1) == g.size and id(owner) not in taken
            if not (alone and g.flags.c_contiguous and g.flags.writeable):
                g = np.array(g, order="C")
                owner = g
            taken.add(id(owner))
        results.append(g)
    return results
