"""Functions of functions: grad, value_and_grad, vjp, jacobian, hessian, hvp.

Each takes a function `f` and `argnums`, the positions of the arguments to differentiate (one, or a
tuple), and returns a function of the same arguments. An argument is a number, an array, a Tensor,
or tuples, lists and dicts of these; a gradient has the structure of its argument. Transforms nest:
inside another transform, and where Tensors that require a gradient take part, the results are
Tensors that can be differentiated again. Otherwise they are arrays, or Tensors if Tensors came in.
"""

from functools import wraps

import numpy as np

from .autograd import Tensor, gradients, recording, setting, topological_order
from .ops.elementwise import multiply
from .ops.reduction import sum
from .ops.shaping import reshape, stack

# ---- trees: what is nested in tuples, lists and dicts --------------------------------------------


def _mapped(f, tree):
    """The structure of `tree`, with f(leaf) for each leaf."""
    if isinstance(tree, dict):
        return {key: _mapped(f, branch) for key, branch in tree.items()}
    if isinstance(tree, tuple | list):
        branches = [_mapped(f, branch) for branch in tree]
        if hasattr(tree, "_fields"):  # a namedtuple takes its fields one by one
            return type(tree)(*branches)
        return type(tree)(branches)
    return f(tree)


def _leaves(tree):
    """The leaves of `tree` as a list, in the order in which `_mapped` visits them."""
    leaves = []
    _mapped(leaves.append, tree)
    return leaves


# ---- one run of f --------------------------------------------------------------------------------


class _Variable(Tensor):
    """A leaf that belongs to one transform; `alive` while the function of that transform runs."""

    alive = True


def _variable(x):
    """`x` as a variable of one transform alone, so that levels of nested transforms do not mix.

    A Tensor that requires a gradient already becomes a view, which stays connected to it.
    """
    if isinstance(x, Tensor) and x.requires_grad:
        return reshape(x, x.shape)
    return _Variable(x, requires_grad=True)


def _traced(name, f, argnums, result):
    """The function that runs `f` once and returns `result(trace)` of that run."""
    if not callable(f):
        raise TypeError(f"{name} expects a function, got {f!r:.80}.")

    @wraps(f)
    def transformed(*args, **keywords):
        return result(_Trace(name, f, argnums, args, keywords))

    return transformed


class _Trace:
    """One run of `f`: the `output`, whose leaves are `ys`, and the `variables` it is a function of.

    Attributes
    ----------
    depends : bool
        Whether the output depends on any of the variables.
    graph : bool
        Whether it also depends on other tensors that require a gradient: then an outer transform,
        or a backward(), goes on from the results, which keep their graph.
    tensors : bool
        Whether the results are Tensors.
    """

    def __init__(self, name, f, argnums, args, keywords):
        self.name = name
        self.args = args
        self.argnums = argnums
        self.chosen = tuple(argnums) if isinstance(argnums, tuple | list) else (argnums,)
        if any(not (isinstance(n, int) and -len(args) <= n < len(args)) for n in self.chosen):
            raise ValueError(
                f"{name} got {len(args)} arguments, but {argnums=}. Positions count from 0, "
                "several come in a tuple; an argument given by keyword has none."
            )
        inputs = list(args)
        with setting(recording, True):
            for n in self.chosen:
                inputs[n] = _mapped(_variable, args[n])
            self.output = f(*inputs, **keywords)
        self.variables = _leaves([inputs[n] for n in self.chosen])
        self.ys = _leaves(self.output)
        self.examine()

    def examine(self):
        """Find out what the output came from: `depends`, `graph` and `tensors`."""
        for y in self.ys:
            if not isinstance(y, Tensor):
                raise TypeError(
                    f"{self.name} expects f to return a Tensor, got {type(y).__name__}: was its "
                    "argument left out, or made a number or an array on the way, as by .item() "
                    "or .data?"
                )
        seen = {}
        for y in self.ys:
            if y.requires_grad:
                seen.update({id(t): t for t in topological_order(y)})
        self.depends = any(id(x) in seen for x in self.variables)
        for x in self.variables:
            if isinstance(x, _Variable):
                x.alive = False
        # Leaves of the caller, or variables of an outer transform that is still running.
        others = any(t.node is None and getattr(t, "alive", True) for t in seen.values())
        self.graph = recording.get() and others
        self.tensors = self.graph or any(isinstance(x, Tensor) for x in _leaves(self.args))

    def dependent(self):
        """This trace, if there is anything to differentiate."""
        if not self.depends and any(y.size for y in self.ys):
            raise ValueError(
                f"{self.name}: what f returns does not depend on its argument: was it left out, "
                "or made a number or an array on the way, as by .item() or .data?"
            )
        return self

    def slopes(self):
        """The gradient of the one number that `f` returned."""
        if not isinstance(self.output, Tensor) or self.output.size != 1:
            raise ValueError(
                f"{self.name} expects f to return one number, got {len(self.ys)} of shape "
                f"{_shapes(self.ys)}: .sum() it, or use jacobian."
            )
        return self.packed(self.dependent().gradients(self.output))

    def gradients(self, y, gradient=None, graph=False):
        """dy / dx for each variable x: zeros where y does not depend on x."""
        found = [None] * len(self.variables)
        if y.requires_grad:
            found = gradients(y, self.variables, gradient, graph or self.graph, retain_graph=True)
        return [np.zeros_like(x.data) if g is None else g for g, x in zip(found, self.variables)]

    def pull(self, v):
        """v @ dy / dx; `v` has the structure of the output."""
        vs = [x if isinstance(x, Tensor) else np.asarray(x) for x in _leaves(v)]
        if [x.shape for x in vs] != [y.shape for y in self.ys]:
            raise ValueError(
                f"{self.name} expects v of shape {_shapes(self.ys)}, got {_shapes(vs)}."
            )
        with setting(recording, True):
            total = Tensor(0.0)
            for y, x in zip(self.ys, vs):
                total = total + sum(multiply(y, x))
        graph = any(getattr(x, "requires_grad", False) for x in vs)
        return self.packed(self.gradients(total, graph=graph))

    def jacobian(self):
        """dy_i / dx for each leaf y of the output, in the shape of y, then that of x."""
        return _mapped(lambda y: self.packed(self.rows(y)), self.output)

    def rows(self, y):
        """dy_i / dx for each variable x, in the shape of y, then that of x."""
        if y.size == 0:
            return [np.zeros(y.shape + x.shape, x.dtype) for x in self.variables]
        units = np.eye(y.size, dtype=y.dtype).reshape(y.size, *y.shape)
        by_unit = [self.gradients(y, unit) for unit in units]
        by_variable = zip(zip(*by_unit), self.variables)
        return [reshape(stack(rows), y.shape + x.shape) for rows, x in by_variable]

    def packed(self, results):
        """The results, one for each variable, in the structure of the arguments."""
        remaining = iter(results)
        trees = [_mapped(lambda _: self.typed(next(remaining)), self.args[n]) for n in self.chosen]
        return trees[0] if isinstance(self.argnums, int) else tuple(trees)

    def typed(self, x):
        """A Tensor where tensors came in, or where it can be differentiated further."""
        if not isinstance(x, Tensor):
            x = Tensor(x)
        return x if self.tensors or x.requires_grad else x.data

    def value(self):
        """The output, detached unless something goes on from it."""
        return _mapped(lambda y: self.typed(y if self.graph else y.detach()), self.output)


def _shapes(arrays):
    return ", ".join(str(x.shape) for x in arrays)


# ---- first derivatives ---------------------------------------------------------------------------


def grad(f, argnums=0):
    """Turn `f`, which returns one number, into the function that returns its gradient.

    Raises
    ------
    ValueError
        When called, if f does not give one number, or does not depend on the argument.

    Examples
    --------
    >>> float(grad(lambda x: x * grad(lambda y: x * y)(x))(3.0))
    6.0
    >>> grad(lambda p: (p["w"] * p["w"]).sum())({"w": np.array([1.0, 2.0])})
    {'w': array([2., 4.])}
    """
    return _traced("grad", f, argnums, _Trace.slopes)


def value_and_grad(f, argnums=0):
    """Turn `f` into the function that returns its value and its gradient, in one run.

    Examples
    --------
    >>> value, slope = value_and_grad(lambda x: x * x)(3.0)
    >>> float(value), float(slope)
    (9.0, 6.0)
    """
    return _traced("value_and_grad", f, argnums, lambda trace: (trace.value(), trace.slopes()))


def vjp(f, argnums=0):
    """Turn `f` into the function that returns its value and `pull`; pull(v) is v @ jacobian.

    Examples
    --------
    >>> y, pull = vjp(lambda x: x * x)(np.array([1.0, 2.0]))
    >>> y, pull(np.array([1.0, 10.0]))
    (array([1., 4.]), array([ 2., 40.]))
    """
    return _traced("vjp", f, argnums, lambda trace: (trace.dependent().value(), trace.pull))


def jacobian(f, argnums=0):
    """Turn `f` into the function that returns all df_i / dx_j, in the shape of f, then that of x.

    Examples
    --------
    >>> jacobian(lambda x: x * x)(np.array([1.0, 2.0]))
    array([[2., 0.],
           [0., 4.]])
    """
    return _traced("jacobian", f, argnums, lambda trace: trace.dependent().jacobian())


# ---- second derivatives: first derivatives of the gradient, which may be constant ----------------


def hessian(f, argnums=0):
    """Turn `f`, which returns one number, into the function that returns its second derivatives.

    For a dict they are a dict of dicts: hessian(f)(p)["a"]["b"] has the shape of a, then that of b.

    Examples
    --------
    >>> hessian(lambda x: (x * x * x).sum())(np.array([1.0, 2.0]))
    array([[ 6.,  0.],
           [ 0., 12.]])
    """
    slope = _traced("hessian", f, argnums, _Trace.slopes)
    return _traced("hessian", slope, argnums, _Trace.jacobian)


def hvp(f, argnums=0):
    """Turn `f(x)` into the function of (x, v) that returns hessian @ v, without the hessian.

    `v` comes after the arguments of f, in the structure of what is differentiated. As the hessian
    is symmetric, the product is v @ the jacobian of the gradient (Pearlmutter 1994).

    Examples
    --------
    >>> hvp(lambda x: (x * x * x).sum())(np.array([1.0, 2.0]), np.array([1.0, 10.0]))
    array([  6., 120.])
    """
    slope = _traced("hvp", f, argnums, _Trace.slopes)

    @wraps(f)
    def product(*args, **keywords):
        if len(args) < 2:
            raise TypeError(
                f"hvp expects the arguments of f, and v after them, got {len(args)} of both: "
                "hvp(f)(x, v)."
            )
        *args, v = args
        return _traced("hvp", slope, argnums, lambda trace: trace.pull(v))(*args, **keywords)

    return product
