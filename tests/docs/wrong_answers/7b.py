"""Wrong answers to 7b, written without a look at its check."""

import numpy as np


def one_side(f, rule, x):
    h = 1e-6
    slopes = np.zeros(x.shape)
    for i in range(x.size):
        nudged = x.copy()
        nudged.flat[i] += h
        slopes.flat[i] = (f(nudged) - f(x)) / h
    return np.allclose(rule(x), slopes, rtol=1e-5, atol=1e-7)


def tiny_nudges(f, rule, x, eps=1e-12):
    for index in np.ndindex(x.shape):
        d = np.zeros(x.shape)
        d[index] = eps
        slope = (f(x + d) - f(x - d)) / (2 * eps)
        if not np.isclose(rule(x)[index], slope, rtol=1e-5, atol=1e-7):
            return False
    return True


def generous(f, rule, x, eps=1e-6):
    for index in np.ndindex(x.shape):
        d = np.zeros(x.shape)
        d[index] = eps
        slope = (f(x + d) - f(x - d)) / (2 * eps)
        if not np.isclose(rule(x)[index], slope, rtol=1e-3):
            return False
    return True
