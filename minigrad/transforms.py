"""Functions of functions: grad, value_and_grad, vjp, jacobian, hessian, hvp.

Each takes a function `f` and `argnums`, the positions of the arguments to differentiate (one, or a
tuple), and returns a function of the same arguments. An argument is a number, an array, a Tensor, or
tuples, lists and dicts of these; a gradient has the structure of its argument. They nest: inside
another transform, and of tensors that require gradients, the results are Tensors that can be
differentiated again; else they are arrays.
"""

from functools import wraps

import numpy as np

from .autograd import Tensor, _recording, _setting, gradients, topological_order
from .ops.elementwise import multiply
from .ops.reduction import sum
from .ops.shaping import reshape, stack


def _leaves(tree):
    if isinstance(tree, tuple | list):
        return [leaf for branch in tree for leaf in _leaves(branch)]
    if isinstance(tree, dict):
        return [leaf for branch in tree.values() for leaf in _leaves(branch)]
    return [tree]


def _rebuilt(tree, leaves):
    """The structure of `tree`, with leaves taken from an iterator."""
    if isinstance(tree, tuple | list):
        branches = [_rebuilt(branch, leaves) for branch in tree]
        return type(tree)(*branches) if hasattr(tree, "_fields") else type(tree)(branches)
    if isinstance(tree, dict):
        return {key: _rebuilt(branch, leaves) for key, branch in tree.items()}
    return next(leaves)


def _variable(x):
    """`x` as a variable of this transform alone: of a Tensor, a view of it, so that levels of
    nested transforms do not mix."""
    if isinstance(x, Tensor) and x.requires_grad:
        return reshape(x, x.shape)
    return Tensor(getattr(x, "_data", x), requires_grad=True)


class _Trace:
    """One run of `f`: its output `y`, and the `variables` to differentiate it by."""

    def __init__(self, name, f, argnums, args, keywords):
        self.name, self.args, self.argnums = name, args, argnums
        self.chosen = (argnums,) if isinstance(argnums, int) else tuple(argnums)
        if any(not -len(args) <= n < len(args) for n in self.chosen):
            raise ValueError(f"{name} got {len(args)} arguments, but argnums={argnums}.")
        self.variables, inputs = [], list(args)
        with _setting(_recording, True):
            for n in self.chosen:
                leaves = [_variable(x) for x in _leaves(args[n])]
                inputs[n] = _rebuilt(args[n], iter(leaves))
                self.variables += leaves
            self.y = f(*inputs, **keywords)
        if not isinstance(self.y, Tensor):
            raise TypeError(f"{name} expects f to return a Tensor, got {type(self.y).__name__}.")
        self.graph = self._reaches_further()
        self.tensors = self.graph or any(isinstance(x, Tensor) for x in _leaves(args))

    def _reaches_further(self):
        """Whether the output came from tensors other than our variables: the results must then
        be differentiable, for an outer transform or a backward() to go on from them."""
        order = topological_order(self.y)[0] if self.y.requires_grad else []
        own = {id(x) for x in self.variables}
        return any(t._node is None and id(t) not in own for t in order)

    def scalar(self):
        """This trace, if `f` gave one number."""
        if self.y.size != 1:
            raise ValueError(
                f"{self.name} expects f to return one number, got shape {self.y.shape}: reduce it, "
                "for example by .sum(), or use jacobian."
            )
        return self

    def gradients(self, gradient=None, graph=False):
        """One gradient for each variable; zeros for one not used, an error if none is."""
        found = _gradients(self.y, self.variables, gradient, graph or self.graph)
        if all(g is None for g in found):
            raise ValueError(
                f"{self.name}: what f returns does not depend on its argument: was that turned "
                "into a number or an array on the way, or left out?"
            )
        return [_or_zeros(g, x) for g, x in zip(found, self.variables, strict=True)]

    def rows(self, y):
        """dy_i / dx_j for each variable, in the shape of y, then that of x."""
        units = np.eye(y.size, dtype=y.dtype).reshape(-1, *y.shape)
        rows = [_gradients(y, self.variables, unit, self.graph) for unit in units]
        blocks = []
        for j, x in enumerate(self.variables):
            block = [_or_zeros(row[j], x) for row in rows] or [np.zeros((0, *x.shape), x.dtype)]
            blocks.append(reshape(stack(block), y.shape + x.shape))
        return blocks

    def packed(self, results):
        """The results in the structure of the arguments."""
        results = iter([self.typed(g) for g in results])
        trees = tuple(_rebuilt(self.args[n], results) for n in self.chosen)
        return trees[0] if isinstance(self.argnums, int) else trees

    def typed(self, x):
        """Tensors where tensors came in, or where they can be differentiated further."""
        if isinstance(x, Tensor) and not self.tensors:
            return x.data
        return Tensor(x) if self.tensors and isinstance(x, np.ndarray) else x

    def value(self):
        return self.typed(self.y if self.graph else self.y.detach())


def _gradients(y, variables, gradient, graph):
    if not y.requires_grad:
        return [None] * len(variables)
    return gradients(y, variables, gradient, graph, retain_graph=True)


def _or_zeros(g, x):
    return np.zeros_like(x.data) if g is None else g


def grad(f, argnums=0):
    """From f, which gives one number, the function that gives its gradient.

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

    @wraps(f)
    def gradient(*args, **keywords):
        trace = _Trace("grad", f, argnums, args, keywords).scalar()
        return trace.packed(trace.gradients())

    return gradient


def value_and_grad(f, argnums=0):
    """From f, the function that gives (f, its gradient), in one run.

    Examples
    --------
    >>> value, slope = value_and_grad(lambda x: x * x)(3.0)
    >>> float(value), float(slope)
    (9.0, 6.0)
    """

    @wraps(f)
    def both(*args, **keywords):
        trace = _Trace("value_and_grad", f, argnums, args, keywords).scalar()
        return trace.value(), trace.packed(trace.gradients())

    return both


def vjp(f, argnums=0):
    """From f, the function that gives (f, pull), where pull(v) is v @ jacobian.

    Examples
    --------
    >>> y, pull = vjp(lambda x: x * x)(np.array([1.0, 2.0]))
    >>> y, pull(np.array([1.0, 10.0]))
    (array([1., 4.]), array([ 2., 40.]))
    """

    @wraps(f)
    def value_and_pull(*args, **keywords):
        trace = _Trace("vjp", f, argnums, args, keywords)
        return trace.value(), lambda v: trace.packed(trace.gradients(v))

    return value_and_pull


def jacobian(f, argnums=0):
    """From f, the function that gives all df_i / dx_j: the shape of f, then that of x.

    Examples
    --------
    >>> jacobian(lambda x: x * x)(np.array([1.0, 2.0]))
    array([[2., 0.],
           [0., 4.]])
    """

    @wraps(f)
    def all_rows(*args, **keywords):
        trace = _Trace("jacobian", f, argnums, args, keywords)
        if trace.y.size:
            trace.gradients(np.ones(trace.y.shape))  # raises where f does not depend on x
        return trace.packed(trace.rows(trace.y))

    return all_rows


def hessian(f, argnums=0):
    """From f, which gives one number, the function that gives all its second derivatives.

    For a dict of arguments, a dict of dicts: hessian(f)(p)["a"]["b"] has the shape of a, then b.

    Examples
    --------
    >>> hessian(lambda x: (x * x * x).sum())(np.array([1.0, 2.0]))
    array([[ 6.,  0.],
           [ 0., 12.]])
    """

    @wraps(f)
    def second(*args, **keywords):
        trace = _Trace("hessian", f, argnums, args, keywords).scalar()
        first = [Tensor(g) if isinstance(g, np.ndarray) else g for g in trace.gradients(graph=True)]
        return trace.packed([trace.packed(trace.rows(g)) for g in first])

    return second


def hvp(f, argnums=0):
    """From f(x), the function of (x, v) that gives hessian @ v, without building the hessian.

    `v` comes after the arguments of f, in the structure of the argument that is differentiated
    (Pearlmutter 1994).

    Examples
    --------
    >>> hvp(lambda x: (x * x * x).sum())(np.array([1.0, 2.0]), np.array([1.0, 10.0]))
    array([  6., 120.])
    """

    @wraps(f)
    def product(*args, **keywords):
        *args, v = args
        trace = _Trace("hvp", f, argnums, tuple(args), keywords).scalar()
        first = trace.gradients(graph=True)
        slope = Tensor(0.0, dtype=trace.y.dtype)
        for g, along in zip(first, _leaves(v), strict=True):
            slope = slope + sum(multiply(g, along))
        second = _gradients(slope, trace.variables, None, trace.graph)
        found = zip(second, trace.variables, strict=True)
        return trace.packed([_or_zeros(g, x) for g, x in found])

    return product
