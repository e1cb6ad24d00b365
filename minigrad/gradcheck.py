"""Gradient checks: central differences against the rules, in float64.

The derivative of a function f along one input is (f(x + eps) - f(x - eps)) / (2 eps), up to an error
of order eps ** 2. It knows nothing of the rules, and so it can judge them.
"""

import copy

import numpy as np

from .autograd import (
    Tensor,
    _recording,
    _setting,
    _watcher,
    gradients,
    no_grad,
    primitive,
    topological_order,
)
from .nn.module import Module


class GradientError(ValueError):
    """A gradient rule that disagrees with finite differences, or cannot be compared with them."""


class _Kink(GradientError):
    """Not the rule's fault: there is no derivative to compare it with."""


def gradcheck(f, inputs, eps=1e-6, atol=1e-7, rtol=1e-5):
    """Compare the gradients of `f` with central differences.

    Of several outputs, it is the gradient of their sum with fixed random weights near 1.

    Parameters
    ----------
    f : callable or Module
        Of Tensors, gives a Tensor of any shape. Of a Module all parameters are checked too.
    inputs : array, Tensor, or tuple or list of them
        Of order 1, away from kinks. Floats are checked, integers are passed on. Copied as float64.
    eps, atol, rtol : float
        Step, and the difference |got - expected| <= atol + rtol * |expected| that is accepted.

    Returns
    -------
    True

    Raises
    ------
    GradientError
        Naming the function, argument, index, the expected gradient and the one that came, and
        the operation inside the function whose rule is wrong.

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
    inputs = inputs if isinstance(inputs, tuple | list) else (inputs,)
    arguments = [_float64(x) for x in inputs]
    checked = {f"argument {i}": x for i, x in enumerate(arguments) if x.requires_grad}
    if isinstance(f, Module):
        f = copy.deepcopy(f).astype(np.float64)
        checked.update((f"parameter {name!r}", p) for name, p in f.named_parameters())
    if not checked:
        raise GradientError("gradcheck expects at least one input of floats, or a parameter.")
    name = getattr(f, "__name__", type(f).__name__)
    _Check(name, f, arguments, (eps, atol, rtol)).run(checked)
    return True


def _float64(x):
    x = np.asarray(getattr(x, "_data", x))
    floats = x.dtype.kind == "f"
    return Tensor(x.astype(np.float64) if floats else x, requires_grad=floats)


class _Watcher:
    """Sees every operation; one that leaves float64 would make the comparison worthless."""

    def __init__(self, outer):
        self.outer = outer  # as of mg.debug()

    def forward(self, out, row, values, keywords):
        if self.outer:
            self.outer.forward(out, row, values, keywords)
        if out.requires_grad and out.dtype != np.float64:
            raise GradientError(
                f"{row.name} gave {out.dtype}: the function falls back from float64."
            )

    def backward(self, t, i, g, h):
        row, _, values, *_ = t._node
        came, shape = getattr(h, "dtype", type(h).__name__), np.shape(values[i])
        if came != np.float64:
            raise GradientError(
                f"{row.name}: gradient of argument {i} came as {came}, not float64."
            )
        if not _widens(shape, h.shape):
            raise GradientError(
                f"{row.name}: gradient of argument {i} came in shape {h.shape}, expected {shape}."
            )
        if self.outer:
            self.outer.backward(t, i, g, h)


def _widens(shape, wide):
    """Whether `shape` broadcasts to `wide`."""
    ones = (1,) * (len(wide) - len(shape)) + shape
    return len(ones) == len(wide) and all(n in (1, m) for n, m in zip(ones, wide))


class _Check:
    """One function, at one point. `numbers` are (eps, atol, rtol)."""

    def __init__(self, name, f, arguments, numbers):
        self.name, self.f, self.arguments, self.numbers = name, f, arguments, numbers

    def run(self, checked, search=True):
        """Compare all that is `checked`, tensors by label; `search` for the operation at fault."""
        found = self.gradients(list(checked.values()))
        for (label, x), got in zip(checked.items(), found, strict=True):
            message = self.compare(label, x, np.zeros(x.shape) if got is None else got)
            if message:
                culprit = self.culprit() if search and not isinstance(self.f, primitive) else None
                at = f" The rule at fault is that of {culprit}" if culprit else ""
                raise GradientError(f"{self.name}: {message}{at}")

    def gradients(self, xs):
        """By the rules; all values must be of float64, finite, and the same each time."""
        with _setting(_watcher, _Watcher(_watcher.get())):
            y = self.recorded()
            # A weight of its own for each of several outputs, so that no two errors can cancel.
            weights = np.random.default_rng(0).uniform(0.5, 1.5, y.shape)
            self.weights = np.ones(y.shape) if y.size == 1 else weights
            found = gradients(y, xs, self.weights)
        first, second = self.value(), self.value()
        if not np.isfinite(first):
            raise GradientError(f"{self.name} gives {first}, which has no finite differences.")
        if first != second:
            raise GradientError(
                f"{self.name} gives another value each time: seed its randomness, or eval() it."
            )
        return found

    def recorded(self):
        with _setting(_recording, True):
            y = self.f(*self.arguments)
        if not isinstance(y, Tensor):
            raise GradientError(f"{self.name} returns a {type(y).__name__}, expected a Tensor.")
        if not y.requires_grad:
            raise GradientError(f"{self.name}: the output does not depend on what is checked.")
        return y

    def value(self):
        with no_grad():
            return float((self.f(*self.arguments).data * self.weights).sum())

    def compare(self, label, x, got):
        """What is wrong with a gradient, as text, or None."""
        eps, atol, rtol = self.numbers
        expected, middle = np.empty(x.shape), self.value()
        for index in np.ndindex(x.shape):
            up, down = self.nudged(x, index, eps), self.nudged(x, index, -eps)
            right, left = (up - middle) / eps, (middle - down) / eps
            if abs(right - left) > 1e-3 * (1 + abs(right) + abs(left)):
                raise _Kink(
                    f"{self.name}: a kink in {label} at index {index}: the slope is {left:.6g} on "
                    f"the left, {right:.6g} on the right. Move the input away from it."
                )
            expected[index] = (up - down) / (2 * eps)
        wrong = ~(abs(got - expected) <= atol + rtol * abs(expected))
        if not wrong.any():
            return None
        index = tuple(int(i) for i in np.argwhere(wrong)[0])
        return (
            f"gradient of {label} at index {index}: expected {expected[index]:.9g} by finite "
            f"differences, got {got[index]:.9g} ({wrong.sum()} of {wrong.size} are wrong)."
        )

    def nudged(self, x, index, step):
        kept = x.data[index]
        x.data[index] = kept + step
        value = self.value()
        x.data[index] = kept
        return value

    def culprit(self):
        """The first operation inside that is wrong by itself, with its error, as text, or None."""
        nodes = [t._node for t in topological_order(self.recorded())[0] if t._node]
        for row, _, values, keywords, parents in nodes:
            try:
                self.alone(row, values, keywords, [i for i, _ in parents])
            except _Kink:
                continue
            except GradientError as error:
                return str(error)
        return None

    def alone(self, row, values, keywords, places):
        arguments = [_float64(x) if i in places else x for i, x in enumerate(values)]
        check = _Check(row.name, lambda *xs: row(*xs, **keywords), arguments, self.numbers)
        check.run({f"argument {i}": arguments[i] for i in places}, search=False)
