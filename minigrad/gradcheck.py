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


class GradientError(ValueError):
    """A gradient rule that disagrees with finite differences, or cannot be compared with them."""


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
    check = _Check(name, f, arguments, (eps, atol, rtol))
    if wrong := check.mistake(checked):
        raise GradientError(wrong if isinstance(f, primitive) else wrong + check.culprit())
    return True


def _float64(x):
    x = np.asarray(getattr(x, "_data", x))
    floats = x.dtype.kind == "f"
    return Tensor(x.astype(np.float64) if floats else x, requires_grad=floats)


class _Watcher:
    """Sees every operation; one that leaves float64 would make the comparison worthless."""

    def __init__(self, outer):
        self.outer = outer  # as of mg.debug(), which sees the outputs in `value`

    def forward(self, out, row, values, keywords):
        if out.requires_grad and out.dtype != np.float64:
            fault = f"{row.name} gave {out.dtype}"
            raise GradientError(f"{fault}: the function falls back from float64.")

    def backward(self, t, i, g, h):
        row, _, values, *_ = t.node
        came, shape = getattr(h, "dtype", type(h).__name__), np.shape(values[i])
        fault = f"{row.name}: gradient of argument {i} came"
        if came != np.float64:
            raise GradientError(f"{fault} as {came}, not float64.")
        try:
            np.broadcast_to(values[i], h.shape)  # the engine sums what is too wide
        except ValueError:
            raise GradientError(f"{fault} in shape {h.shape}, expected {shape}.") from None
        if self.outer:
            self.outer.backward(t, i, g, h)


class _Check:
    """One function, at one point. `numbers` are (eps, atol, rtol)."""

    def __init__(self, name, f, arguments, numbers):
        self.name, self.f, self.arguments = name, f, arguments
        self.eps, self.atol, self.rtol = self.numbers = numbers

    def mistake(self, checked):
        """The first gradient that is wrong, of tensors by label, as text, or None."""
        found = self.gradients(list(checked.values()))
        for (label, x), got in zip(checked.items(), found):
            expected = self.differences(label, x)
            got = np.zeros(x.shape) if got is None else got
            right = np.isclose(got, expected, self.rtol, self.atol)
            if not right.all():
                index = tuple(int(i) for i in np.argwhere(~right)[0])
                wish = f"expected {expected[index]:.9g} by finite differences, got {got[index]:.9g}"
                many = f"({right.size - right.sum()} of {right.size} are wrong)"
                return f"{self.name}: gradient of {label} at index {index}: {wish} {many}."
        return None

    def gradients(self, xs):
        """By the rules; all values must be of float64, finite, and the same each time."""
        with setting(watching, _Watcher(watching.get())):
            y = self.recorded()
            # A weight of its own for each of several outputs, so that no two errors can cancel.
            weights = np.random.default_rng(0).uniform(0.5, 1.5, y.shape)
            self.weights = np.ones(y.shape) if y.size == 1 else weights
            found = autograd.gradients(y, xs, self.weights)
        self.middle = self.value()
        if not np.isfinite(self.middle):
            raise GradientError(f"{self.name} gives {self.middle}: it has no finite differences.")
        if self.middle != self.value():
            fault = f"{self.name} gives another value each time"
            raise GradientError(f"{fault}: seed its randomness, or eval() it.")
        return found

    def recorded(self):
        with setting(recording, True):
            y = self.f(*self.arguments)
        if not isinstance(y, Tensor):
            raise GradientError(f"{self.name} returns a {type(y).__name__}, expected a Tensor.")
        if not y.requires_grad:
            raise GradientError(f"{self.name}: the output does not depend on what is checked.")
        return y

    def value(self):
        with setting(recording, False):
            return float((self.f(*self.arguments).data * self.weights).sum())

    def differences(self, label, x):
        """The gradient of `x` by central differences, if it has a single one."""
        slopes = np.empty(x.shape)
        for index in np.ndindex(x.shape):
            up, down = self.nudged(x, index, self.eps), self.nudged(x, index, -self.eps)
            right, left = (up - self.middle) / self.eps, (self.middle - down) / self.eps
            if abs(right - left) > 1e-3 * (1 + abs(right) + abs(left)):
                sides = f"the slope is {left:.6g} on the left, {right:.6g} on the right"
                fault = f"{self.name}: a kink in {label} at index {index}: {sides}"
                raise GradientError(f"{fault}. Move the input away from it.")
            slopes[index] = (up - down) / (2 * self.eps)
        return slopes

    def nudged(self, x, index, step):
        kept = x.data[index]
        x.data[index] = kept + step
        value = self.value()
        x.data[index] = kept
        return value

    def culprit(self):
        """The first operation inside that is wrong by itself, with its error, as text, or none."""
        order = autograd.topological_order(self.recorded())
        for row, _, values, keywords, parents in [t.node for t in order if t.node]:
            places = [i for i, _ in parents]
            inputs = [_float64(x) if i in places else x for i, x in enumerate(values)]
            check = _Check(row.name, partial(row, **keywords), inputs, self.numbers)
            with suppress(GradientError):  # it cannot be compared, as at a kink
                if mistake := check.mistake({f"argument {i}": inputs[i] for i in places}):
                    return f" The rule at fault is that of {mistake}"
        return ""
