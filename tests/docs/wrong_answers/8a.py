"""Wrong answers to 8a, written without a look at its check."""

import numpy as np


def lr_inside(slope, p, rates, momentum):
    v = np.zeros_like(p)
    for lr in rates:
        v = momentum * v + lr * slope(p)
        p = p - v
    return p


def decayed_g(slope, p, rates, momentum):
    v = 0
    for lr in rates:
        v = momentum * v + (1 - momentum) * slope(p)
        p = p - lr * v
    return p


def v_reset(slope, p, rates, momentum):
    for lr in rates:
        v = np.zeros_like(p)
        v = momentum * v + slope(p)
        p = p - lr * v
    return p
