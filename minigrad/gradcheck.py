"""Gradient checks: central differences against the rules, in float64.

The derivative of a function f along one input is (f(x + eps) - f(x - eps)) / (2 eps), up to an error
of order eps ** 2. It knows nothing of the rules, and so it can judge them.
"""

import copy

import numpy as np

from .autograd import Tensor, _setting, _watcher, gradients, no_grad
from .nn.module import Module


class GradientError(ValueError):
    """A gradient rule that disagrees with finite differences, or cannot be compared with them."""


def gradcheck(f, inputs, eps=1e-6, atol=1e-7, rtol=1e-5):
    """Compare the gradients of `f` with central differences.

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
        Naming operation, argument, index, the expected gradient and the one that came.

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
    _Check(f, arguments, eps, atol, rtol).run(checked)
    return True


def _float64(x):
    x = np.array(getattr(x, "_data", x))
    floats = x.dtype.kind == "f"
    return Tensor(x.astype(np.float64) if floats else x, requires_grad=floats)


class _Watcher:
    """Sees every operation; one that leaves float64 would make the comparison worthless."""

    def forward(self, out, row, values, keywords):
        if out.requires_grad and out.dtype != np.float64:
            raise GradientError(f"{row.name} gave {out.dtype}: the function falls back from float64.")

    def backward(self, t, i, g, h):
        row, _, values, *_ = t._node
        if getattr(h, "dtype", None) != np.float64:
            kind = getattr(h, "dtype", type(h).__name__)
            raise GradientError(f"{row.name}: gradient of argument {i} came as {kind}, not float64.")
        try:
            fits = np.broadcast_shapes(np.shape(values[i]), h.shape) == h.shape
        except ValueError:
            fits = False
        if not fits:
            raise GradientError(
                f"{row.name}: gradient of argument {i} came in shape {h.shape}, "
                f"expected {np.shape(values[i])}."
            )


class _Check:
    def __init__(self, f, arguments, eps, atol, rtol):
        self.f, self.arguments, self.eps, self.atol, self.rtol = f, arguments, eps, atol, rtol
        self.name = getattr(f, "__name__", type(f).__name__)

    def run(self, checked):
        with _setting(_watcher, _Watcher()):
            y = self.f(*self.arguments)
            if not isinstance(y, Tensor) or not y.requires_grad:
                raise GradientError(f"{self.name}: the output does not depend on the inputs.")
            # A weight of its own for each output, so that no two errors can cancel.
            self.weights = np.random.default_rng(0).uniform(0.5, 1.5, y.shape)
            found = gradients(y, checked.values(), self.weights)
        if self.value() != self.value():
            raise GradientError(f"{self.name} gives another value each time: fix its randomness.")
        for (label, x), got in zip(checked.items(), found, strict=True):
            self.compare(label, x, np.zeros(x.shape) if got is None else got)

    def value(self):
        with no_grad():
            return float((self.f(*self.arguments).data * self.weights).sum())

    def compare(self, label, x, got):
        expected = np.empty(x.shape)
        middle = self.value()
        for index in np.ndindex(x.shape):
            up, down = self.nudged(x, index, self.eps), self.nudged(x, index, -self.eps)
            right, left = (up - middle) / self.eps, (middle - down) / self.eps
            if abs(right - left) > 1e-3 * (1 + abs(right) + abs(left)):
                raise GradientError(
                    f"{self.name}: a kink in {label} at index {index}: the slope is {left:.6g} on "
                    f"the left, {right:.6g} on the right. Move the input away from it."
                )
            expected[index] = (up - down) / (2 * self.eps)
        wrong = ~(abs(got - expected) <= self.atol + self.rtol * abs(expected))
        if wrong.any():
            index = tuple(int(i) for i in np.argwhere(wrong)[0])
            raise GradientError(
                f"{self.name}: gradient of {label} at index {index}: expected "
                f"{expected[index]:.9g} by finite differences, got {got[index]:.9g} "
                f"({wrong.sum()} of {wrong.size} are wrong)."
            )

    def nudged(self, x, index, step):
        kept = x.data[index]
        x.data[index] = kept + step
        value = self.value()
        x.data[index] = kept
        return value
