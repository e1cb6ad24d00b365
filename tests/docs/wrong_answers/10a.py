"""Wrong answers to 10a, written without a look at its check."""

import numpy as np


def squared(weight, step):
    before = weight.data.copy()
    step()
    moved = weight.data - before
    return (moved**2).sum() / (before**2).sum()


def without_the_rate(weight, step):
    step()
    return np.linalg.norm(weight.grad) / np.linalg.norm(weight.data)


def after_the_step(weight, step):
    before = weight.data.copy()
    step()
    return np.linalg.norm(weight.data - before) / np.linalg.norm(weight.data)


def no_copy(weight, step):
    before = weight.data
    step()
    return np.linalg.norm(weight.data - before) / np.linalg.norm(before)


def upside_down(weight, step):
    before = weight.data.copy()
    step()
    return np.linalg.norm(before) / np.linalg.norm(weight.data - before)
