"""Wrong answers to 8b, written without a look at its check."""

import numpy as np


def no_correction(slope, p, steps, lr=0.1, beta1=0.9, beta2=0.999, eps=1e-8):
    m = v = 0
    for _ in range(steps):
        g = slope(p)
        m = beta1 * m + (1 - beta1) * g
        v = beta2 * v + (1 - beta2) * g**2
        p = p - lr * m / (np.sqrt(v) + eps)
    return p


def t_from_0(slope, p, steps, lr=0.1, beta1=0.9, beta2=0.999, eps=1e-8):
    m = v = 0
    for t in range(steps):
        g = slope(p)
        m = beta1 * m + (1 - beta1) * g
        v = beta2 * v + (1 - beta2) * g**2
        p = p - lr * (m / (1 - beta1**t)) / (np.sqrt(v / (1 - beta2**t)) + eps)
    return p


def eps_inside(slope, p, steps, lr=0.1, beta1=0.9, beta2=0.999, eps=1e-8):
    m = v = 0
    for t in range(1, steps + 1):
        g = slope(p)
        m = beta1 * m + (1 - beta1) * g
        v = beta2 * v + (1 - beta2) * g**2
        p = p - lr * (m / (1 - beta1**t)) / np.sqrt(v / (1 - beta2**t) + eps)
    return p
