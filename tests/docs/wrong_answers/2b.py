"""Wrong answers to 2b, written without a look at its check."""

from my_engine import Value


def sign(a, b):
    return Value(a.data / b.data, (a, b), lambda g: (g / b.data, g * a.data / (b.data * b.data)))


def one_over_b(a, b):
    return Value(a.data / b.data, (a, b), lambda g: (g / b.data, g / b.data))


def b_for_b_squared(a, b):
    return Value(a.data / b.data, (a, b), lambda g: (g / b.data, -g * a.data / b.data))


def forgets_a(a, b):
    return Value(a.data / b.data, (a, b), lambda g: (g / b.data, -g / b.data**2))


def forgets_g(a, b):
    return Value(a.data / b.data, (a, b), lambda g: (1 / b.data, -a.data / b.data**2))


def two_operations(a, b):
    return a * b**-1


def exchanged(a, b):
    return Value(a.data / b.data, (a, b), lambda g: (-g * a.data / b.data**2, g / b.data))
