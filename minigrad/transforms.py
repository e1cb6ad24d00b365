"""Functions of functions: grad, value_and_grad, vjp, jacobian, hessian, hvp.

Each takes a function `f` and `argnums`, the positions of the arguments to differentiate (one, or a
tuple), and returns a function of the same arguments. An argument is a number, an array, a Tensor, or
tuples, lists and dicts of these; a gradient has the structure of its argument. They nest: inside
another transform, and of tensors that require gradients, the results are Tensors that can be
differentiated again; else they are arrays, or Tensors where Tensors came in.
"""

from functools import wraps

import numpy as np

from .autograd import Tensor, _recording, _setting, gradients, topological_order
from .ops.elementwise import multiply
from .ops.reduction import sum
from .ops.shaping import reshape, stack

# ---- trees: what is nested in tuples, lists and dicts --------------------------------------------


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


# ---- one run of f --------------------------------------------------------------------------------


class _Variable(Tensor):
    """A leaf of one transform alone; `alive` while its function runs."""

    __slots__ = ("alive",)

    def __init__(self, x):
        super().__init__(x, requires_grad=True)
        self.alive = True


def _variable(x):
    """`x` as a variable of this transform alone: of a Tensor that is recorded already, a view, so
    that levels of nested transforms do not mix."""
    recorded = isinstance(x, Tensor) and x.requires_grad
    return reshape(x, x.shape) if recorded else _Variable(x)


class _Trace:
    """One run of `f`: its `output`, with the leaves `ys`, and the `variables` it is derived by."""

    def __init__(self, name, f, argnums, args, keywords):
        self.name, self.args, self.argnums = name, args, argnums
        self.chosen = (argnums,) if isinstance(argnums, int) else tuple(argnums)
        if any(not -len(args) <= n < len(args) for n in self.chosen):
            raise ValueError(f"{name} got {len(args)} arguments, but {argnums=}.")
        self.variables, inputs = [], list(args)
        with _setting(_recording, True):
            for n in self.chosen:
                leaves = [_variable(x) for x in _leaves(args[n])]
                inputs[n] = _rebuilt(args[n], iter(leaves))
                self.variables += leaves
            self.output = f(*inputs, **keywords)
        self.ys = _leaves(self.output)
        self.examine()

    def examine(self):
        """What the output came from: `depends`, on a variable; `graph`, on other tensors too, so
        that an outer transform or a backward() goes on from the results."""
        for y in self.ys:
            if not isinstance(y, Tensor):
                raise TypeError(
                    f"{self.name} expects f to return a Tensor, got {type(y).__name__}: was it "
                    "made a number or an array on the way, as by .item() or .data?"
                )
        graphs = [topological_order(y)[0] for y in self.ys if y.requires_grad]
        seen = {id(t): t for graph in graphs for t in graph}
        self.depends = any(id(x) in seen for x in self.variables)
        for x in self.variables:
            if isinstance(x, _Variable):
                x.alive = False
        others = any(t._node is None and getattr(t, "alive", True) for t in seen.values())
        self.graph = _recording.get() and others
        self.tensors = self.graph or any(isinstance(x, Tensor) for x in _leaves(self.args))

    def dependent(self):
        """This trace, if there is anything to derive."""
        if not self.depends and any(y.size for y in self.ys):
            raise ValueError(
                f"{self.name}: what f returns does not depend on its argument: was that left out, "
                "or made a number or an array on the way, as by .item() or .data?"
            )
        return self

    def scalar(self):
        """This trace, if `f` gave one number."""
        if not isinstance(self.output, Tensor) or self.output.size != 1:
            came = [y.shape for y in self.ys]
            raise ValueError(
                f"{self.name} expects f to return one number, got {len(came)} of shape "
                f"{', '.join(map(str, came))}: reduce it, for example by .sum(), or use jacobian."
            )
        return self

    def gradients(self, y, gradient=None, graph=False):
        """dy / dx for each variable x, zeros where there is none."""
        found = [None] * len(self.variables)
        if y.requires_grad:
            graph = graph or self.graph
            found = gradients(y, self.variables, gradient, graph, retain_graph=True)
        pairs = zip(found, self.variables, strict=True)
        return [np.zeros_like(x.data) if g is None else g for g, x in pairs]

    def pull(self, v):
        """v @ dy / dx for each variable x; `v` has the structure of the output."""
        vs = [x if isinstance(x, Tensor) else np.asarray(x) for x in _leaves(v)]
        if [x.shape for x in vs] != [y.shape for y in self.ys]:
            expected = ", ".join(str(y.shape) for y in self.ys)
            came = ", ".join(str(x.shape) for x in vs)
            raise ValueError(f"{self.name} expects v of shape {expected}, got {came}.")
        with _setting(_recording, True):
            total = Tensor(0.0)
            for y, x in zip(self.ys, vs, strict=True):
                total = total + sum(multiply(y, x))
        return self.gradients(total, graph=any(getattr(x, "requires_grad", False) for x in vs))

    def rows(self, y):
        """dy_i / dx for each variable x, in the shape of y, then that of x."""
        units = np.eye(y.size, dtype=y.dtype).reshape(y.size, *y.shape)
        columns = zip(*[self.gradients(y, unit) for unit in units], strict=True)
        blocks = [stack(column) for column in columns]
        blocks = blocks or [np.zeros((0, *x.shape), x.dtype) for x in self.variables]
        pairs = zip(blocks, self.variables, strict=True)
        return [reshape(block, y.shape + x.shape) for block, x in pairs]

    def packed(self, results):
        """The results in the structure of the arguments."""
        results = iter([self.typed(g) for g in results])
        trees = tuple(_rebuilt(self.args[n], results) for n in self.chosen)
        return trees[0] if isinstance(self.argnums, int) else trees

    def typed(self, x):
        """Tensors where tensors came in, or where they can be differentiated further."""
        if isinstance(x, Tensor) and not (self.tensors or x.requires_grad):
            return x.data
        return Tensor(x) if self.tensors and isinstance(x, np.ndarray) else x

    def value(self):
        leaves = [self.typed(y if self.graph else y.detach()) for y in self.ys]
        return _rebuilt(self.output, iter(leaves))


# ---- first derivatives ---------------------------------------------------------------------------


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
    return _grad("grad", f, argnums)


def _grad(name, f, argnums, with_value=False):
    @wraps(f)
    def gradient(*args, **keywords):
        trace = _Trace(name, f, argnums, args, keywords).scalar().dependent()
        slopes = trace.packed(trace.gradients(trace.output))
        return (trace.value(), slopes) if with_value else slopes

    return gradient


def value_and_grad(f, argnums=0):
    """From f, the function that gives (f, its gradient), in one run.

    Examples
    --------
    >>> value, slope = value_and_grad(lambda x: x * x)(3.0)
    >>> float(value), float(slope)
    (9.0, 6.0)
    """
    return _grad("value_and_grad", f, argnums, with_value=True)


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
        trace = _Trace("vjp", f, argnums, args, keywords).dependent()
        return trace.value(), lambda v: trace.packed(trace.pull(v))

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
        return _jacobian(_Trace("jacobian", f, argnums, args, keywords).dependent())

    return all_rows


def _jacobian(trace):
    return _rebuilt(trace.output, iter([trace.packed(trace.rows(y)) for y in trace.ys]))


# ---- second derivatives: first derivatives of the gradient, which may well be constant -----------


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
        slope = _grad("hessian", f, argnums)
        return _jacobian(_Trace("hessian", slope, argnums, args, keywords))

    return second


def hvp(f, argnums=0):
    """From f(x), the function of (x, v) that gives hessian @ v, without building the hessian.

    `v` comes after the arguments of f, in the structure of what is differentiated. As the hessian
    is symmetric, it is v @ the jacobian of the gradient (Pearlmutter 1994).

    Examples
    --------
    >>> hvp(lambda x: (x * x * x).sum())(np.array([1.0, 2.0]), np.array([1.0, 10.0]))
    array([  6., 120.])
    """

    @wraps(f)
    def product(*args, **keywords):
        *args, v = args
        trace = _Trace("hvp", _grad("hvp", f, argnums), argnums, args, keywords)
        return trace.packed(trace.pull(v))

    return product
