"""Gradient checks: central differences against the rules, in float64.

The derivative of a function f along one input is (f(x + eps) - f(x - eps)) / (2 eps), up to an
error of order eps ** 2. It knows nothing of the rules, and so it can judge them.
"""

import copy
from contextlib import suppress
from functools import partial

import numpy as np

from . import autograd
from .autograd import Tensor, primitive, recording, setting, watching
from .nn.module import Module
from .ops.expect import real
from .ops.shaping import plain


class GradientError(ValueError):
    """A gradient rule that disagrees with finite differences, or cannot be compared with them."""


def gradcheck(f, inputs, eps=1e-6, atol=1e-7, rtol=1e-5):
    """Compare the gradients of `f` with central differences.

    Where the output has several elements, a sum of them is checked, with fixed random weights
    near 1.

    Parameters
    ----------
    f : callable or Module
        Takes Tensors and returns a Tensor of any shape. All parameters of a Module are checked too.
    inputs : array, Tensor, or tuple or list of them
        Floats of order 1, away from kinks; they are copied as float64. Integers are passed on
        without a check.
    eps, atol, rtol : float
        The step, and how far off a gradient may be: |got - expected| <= atol + rtol * |expected|.

    Returns
    -------
    True

    Raises
    ------
    GradientError
        Names the function, the argument and the index, the gradient that was expected and the one
        that came, and the operation inside the function whose rule is wrong. Also for a rule that
        writes into what it is given: `g`, `y` and the inputs belong to others too.

    Examples
    --------
    >>> import minigrad as mg
    >>> gradcheck(mg.tanh, np.array([0.5, -1.0]))
    True
    >>> wrong = mg.primitive(np.sin, lambda g, y, x: g * 1.001 * mg.cos(x), name="wrong")
    >>> gradcheck(wrong, np.array([0.5]))
    Traceback (most recent call last):
    ...
    minigrad.gradcheck.GradientError: wrong: gradient of argument 0 at index (0,): expected ...
    """
    if not callable(f) or isinstance(f, type):
        raise TypeError(
            f"gradcheck expects a function or a module, got {f!r:.80}: pass the function itself, "
            "without calling it; of a class, an instance."
        )
    real("eps", eps, above=0)
    real("atol", atol, least=0)
    real("rtol", rtol, least=0)
    if not isinstance(inputs, tuple | list):
        inputs = (inputs,)
    arguments = [_float64(x) for x in inputs]
    checked = {f"argument {i}": x for i, x in enumerate(arguments) if x.requires_grad}
    if isinstance(f, Module):
        f = copy.deepcopy(f).astype(np.float64)
        checked.update((f"parameter {name!r}", p) for name, p in f.named_parameters())
    if not checked:
        raise GradientError("gradcheck expects at least one input of floats, or a parameter.")
    name = getattr(f, "__name__", type(f).__name__)
    check = _Check(name, f, arguments, eps, atol, rtol)
    mistake = check.mistake(checked)
    if mistake is None:
        return True
    if not isinstance(f, primitive):
        mistake += check.culprit(list(checked.values()))
    raise GradientError(mistake)


def _float64(x):
    """A copy of floats that requires a gradient; anything else as a constant."""
    array = np.asarray(plain(x))
    if array.dtype.kind != "f":
        return Tensor(array)
    return Tensor(array.astype(np.float64), requires_grad=True)


class _ReadOnly:
    """A row of the table whose rules are given views that they cannot write into."""

    def __init__(self, row):
        self.row = row
        self.name = row.name

    def rule(self, i):
        rule = self.row.rule(i)
        return None if rule is None else partial(self.run, rule, i)

    def run(self, rule, i, *arguments, **keywords):
        arguments = [_read_only(x) for x in arguments]
        keywords = {name: _read_only(x) for name, x in keywords.items()}
        try:
            return rule(*arguments, **keywords)
        except ValueError as error:
            if "read-only" not in str(error):
                raise
            raise GradientError(
                f"{self.name}: the rule of argument {i} writes into an array that it was given, "
                "g, y or an input, which others still need: write into a copy of it."
            ) from error


def _read_only(x):
    """A read-only view of an array; anything else as it is."""
    if not isinstance(x, np.ndarray):
        return x
    view = x.view()
    view.flags.writeable = False
    return view


class _Watcher:
    """Sees every operation, makes its rules' arguments read-only, and refuses other dtypes.

    An operation that leaves float64 would make the comparison worthless.
    """

    def __init__(self, outer):
        self.outer = outer  # as of mg.debug(), which is shown the outputs when `value` runs f

    def forward(self, out, row, values, keywords):
        if out.requires_grad and out.dtype != np.float64:
            raise GradientError(
                f"{row.name} gave {out.dtype}: the function falls back from float64."
            )
        if out.node is not None:
            out.node = (_ReadOnly(row), *out.node[1:])

    def backward(self, t, i, g, h):
        row, _, values, *_ = t.node
        dtype = getattr(h, "dtype", type(h).__name__)
        if dtype != np.float64:
            raise GradientError(
                f"{row.name}: gradient of argument {i} came as {dtype}, not float64."
            )
        try:
            np.broadcast_to(values[i], h.shape)  # the engine sums what is too wide
        except ValueError:
            raise GradientError(
                f"{row.name}: gradient of argument {i} came in shape {h.shape}, "
                f"expected {np.shape(values[i])}."
            ) from None
        if self.outer:
            self.outer.backward(t, i, g, h)


class _Check:
    """One function at one point: its gradients by the rules, and by differences."""

    def __init__(self, name, f, arguments, eps, atol, rtol):
        self.name = name
        self.f = f
        self.arguments = arguments
        self.eps = eps
        self.atol = atol
        self.rtol = rtol

    def mistake(self, checked):
        """What is wrong with the first wrong gradient of `checked`, a dict of tensors; or None."""
        found = self.gradients(list(checked.values()))
        for (label, x), got in zip(checked.items(), found):
            expected = self.differences(label, x)
            if got is None:  # by the rules, the output does not depend on x
                got = np.zeros(x.shape)
            wrong = ~np.isclose(got, expected, self.rtol, self.atol)
            if wrong.any():
                index = tuple(int(i) for i in np.argwhere(wrong)[0])
                return (
                    f"{self.name}: gradient of {label} at index {index}: "
                    f"expected {expected[index]:.9g} by finite differences, got {got[index]:.9g} "
                    f"({wrong.sum()} of {wrong.size} are wrong)."
                )
        return None

    def gradients(self, xs):
        """By the rules. All values must be float64, finite, and the same each time."""
        with setting(watching, _Watcher(watching.get())):
            y = self.output()
            if y.size == 1:
                self.weights = np.ones(y.shape)
            else:  # each output has a weight of its own, so that no two errors can cancel
                self.weights = np.random.default_rng(0).uniform(0.5, 1.5, y.shape)
            found = autograd.gradients(y, xs, self.weights)
        self.middle = self.value()
        if not np.isfinite(self.middle):
            raise GradientError(f"{self.name} gives {self.middle}: it has no finite differences.")
        if self.middle != self.value():
            raise GradientError(
                f"{self.name} gives another value each time: seed its randomness, or eval() it."
            )
        return found

    def output(self):
        """The output, with its graph."""
        with setting(recording, True):
            y = self.f(*self.arguments)
        if not isinstance(y, Tensor):
            raise GradientError(f"{self.name} returns a {type(y).__name__}, expected a Tensor.")
        if not y.requires_grad:
            raise GradientError(f"{self.name}: the output does not depend on what is checked.")
        return y

    def value(self):
        """The weighted sum of the outputs. It is recorded too: f may ask for gradients itself."""
        return float((self.output().data * self.weights).sum())

    def differences(self, label, x):
        """The gradient of `x` by central differences; raises where its two sides disagree."""
        slopes = np.empty(x.shape)
        for index in np.ndindex(x.shape):
            up = self.nudged(x, index, self.eps)
            down = self.nudged(x, index, -self.eps)
            right = (up - self.middle) / self.eps
            left = (self.middle - down) / self.eps
            if abs(right - left) > 1e-3 * (1 + abs(right) + abs(left)):
                raise GradientError(
                    f"{self.name}: a kink in {label} at index {index}: the slope is {left:.6g} "
                    f"on the left, {right:.6g} on the right. Move the input away from it."
                )
            slopes[index] = (up - down) / (2 * self.eps)
        return slopes

    def nudged(self, x, index, step):
        """The value with one element of `x` moved by `step`."""
        kept = x.data[index]
        x.data[index] = kept + step
        value = self.value()
        x.data[index] = kept
        return value

    def culprit(self, checked):
        """A sentence about the first operation inside f that is wrong by itself; or nothing."""
        for row, _, values, keywords, parents in self.nodes_to_judge(checked):
            places = [i for i, _ in parents]
            inputs = [_float64(x) if i in places else x for i, x in enumerate(values)]
            operation = partial(row, **keywords)
            check = _Check(row.name, operation, inputs, self.eps, self.atol, self.rtol)
            with suppress(GradientError):  # it cannot be compared, as at a kink
                mistake = check.mistake({f"argument {i}": inputs[i] for i in places})
                if mistake:
                    return f" The rule at fault is that of {mistake}"
        return ""

    def nodes_to_judge(self, checked):
        """The nodes of the graph whose constants stay where they are when what is checked moves.

        The moments of a batch norm do not: its rule for x accounts for them, although the row has
        them as inputs of their own, and so it looks wrong where x moves alone.
        """
        nodes = self.nodes()
        kept = [x.data for x in checked]
        rng = np.random.default_rng(0)
        for x in checked:
            x.data = x.data + self.eps * rng.normal(size=x.shape)
        moved = self.nodes()
        for x, data in zip(checked, kept):
            x.data = data
        return [node for node, other in zip(nodes, moved) if _same_constants(node, other)]

    def nodes(self):
        """How each tensor of the graph was computed, parents first."""
        return [t.node for t in autograd.topological_order(self.output()) if t.node]


def _constants(node):
    """The numbers that an operation took without a gradient."""
    _, _, values, keywords, parents = node
    places = [i for i, _ in parents]
    others = [x for i, x in enumerate(values) if i not in places]
    return [x for x in (*others, *keywords.values()) if isinstance(x, float | np.ndarray)]


def _same_constants(node, other):
    """Whether a node of the graph is the same operation in another run, with the same constants."""
    return node[0] is other[0] and all(map(np.array_equal, _constants(node), _constants(other)))
