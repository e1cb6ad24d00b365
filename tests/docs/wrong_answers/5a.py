"""Wrong answers to 5a, written without a look at its check."""

import numpy as np


def overflow(z):
    e = np.exp(z)
    return e / e.sum(axis=1, keepdims=True)


def axis_0(z):
    e = np.exp(z - z.max(axis=0))
    return e / e.sum(axis=0)


def global_sum(z):
    e = np.exp(z - z.max())
    return e / e.sum()


def global_maximum(z):
    e = np.exp(z - z.max())
    return e / e.sum(axis=1, keepdims=True)
