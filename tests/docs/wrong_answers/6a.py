"""Wrong answers to 6a, written without a look at its check."""

import numpy as np


def mask_of_g(g, x):
    return g * (g > 0)


def at_zero_too(g, x):
    return g * (x >= 0)


def leaky(g, x):
    return np.where(x > 0, g, 0.01 * g)


def without_g(g, x):
    return np.where(x > 0, 1.0, 0.0)


def relu_of_both(g, x):
    return np.maximum(g, 0) * (x > 0)
