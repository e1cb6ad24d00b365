"""Wrong answers to 7c, written without a look at its check."""

import numpy as np


def whole_table(g, y, x):
    s = x.sum()
    return np.eye(len(x)) / s - np.outer(x, np.ones(len(x))) / s**2


def transposed(g, y, x):
    s = x.sum()
    table = np.eye(len(x)) / s - np.outer(x, np.ones(len(x))) / s**2
    return table @ g


def diagonal_only(g, y, x):
    s = x.sum()
    return g * (s - x) / s**2
