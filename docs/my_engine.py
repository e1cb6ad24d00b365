# my_engine.py
import numpy as np


class Value:
    def __init__(self, data, parents=(), rule=None):
        self.data = np.asarray(data) * 1.0  # whole numbers become floats
        self.parents, self.rule = parents, rule
        self.grad = 0.0
    def __repr__(self):
        return f"Value({self.data}, grad={self.grad})"
    @property
    def shape(self):
        return np.shape(self.data)
    def __add__(self, other):
        other = value(other)
        return Value(self.data + other.data, (self, other), lambda g: (g, g))
    def __mul__(self, other):
        other = value(other)
        a, b = self.data, other.data
        return Value(a * b, (self, other), lambda g: (g * b, g * a))
    def __pow__(self, n):
        a = self.data
        return Value(a**n, (self,), lambda g: (g * n * a ** (n - 1),))
    def __matmul__(self, other):
        other = value(other)
        a, b = self.data, other.data
        assert a.ndim == b.ndim == 2, "the rule of @ is for matrices"
        return Value(a @ b, (self, other), lambda g: (g @ b.T, a.T @ g))
    def __rmatmul__(self, other):
        a = np.asarray(other)  # an array on the left, such as the images: it needs no slope
        return Value(a @ self.data, (self,), lambda g: (a.T @ g,))
    __neg__ = lambda a: a * -1
    __sub__ = lambda a, b: a + -value(b)
    __rsub__ = lambda a, b: value(b) - a
    __truediv__ = lambda a, b: a * value(b) ** -1
    __rtruediv__ = lambda a, b: value(b) / a
    __radd__, __rmul__ = __add__, __mul__
    __array_ufunc__ = None  # array * value and array @ value ask the value


def value(x):
    return x if isinstance(x, Value) else Value(x)


def tanh(x):
    t = np.tanh(x.data)
    return Value(t, (x,), lambda g: (g * (1 - t * t),))


def total(x, axis=None):
    """The sum of all elements, or along an axis, which stays, with length 1."""
    y = np.sum(x.data, axis=axis, keepdims=axis is not None)
    return Value(y, (x,), lambda g: (g * np.ones_like(x.data),))


def unbroadcast(g, shape):
    """The slope of an array of this shape that was stretched to the shape of g."""
    g = np.asarray(g)
    while g.ndim > len(shape):
        g = g.sum(axis=0)
    for axis, n in enumerate(shape):
        if n == 1:
            g = g.sum(axis=axis, keepdims=True)
    return g


def ordered(y):
    order, seen, stack = [], set(), [(y, False)]
    while stack:
        v, parents_are_done = stack.pop()
        if parents_are_done:
            order.append(v)
        elif v not in seen:
            seen.add(v)
            stack.append((v, True))
            stack.extend((parent, False) for parent in v.parents)
    return order


def backward(y):
    slopes = {y: np.ones_like(y.data)}
    for v in reversed(ordered(y)):
        g = slopes.pop(v)
        v.grad = v.grad + g
        if v.rule:
            for parent, slope in zip(v.parents, v.rule(g)):
                slope = unbroadcast(slope, parent.shape)
                slopes[parent] = slopes[parent] + slope if parent in slopes else slope
