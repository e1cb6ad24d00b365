"""Wrong answers to 7a, written without a look at its check."""

import numpy as np

import minigrad as mg


def _softplus(x):
    return np.logaddexp(0, x)


x_for_y = mg.primitive(_softplus, lambda g, y, x: g * (1 - mg.exp(-x)), name="x_for_y")
forgets_g = mg.primitive(_softplus, lambda g, y, x: mg.sigmoid(x), name="forgets_g")
overflow = mg.primitive(
    lambda x: np.log(1 + np.exp(x)), lambda g, y, x: g * mg.sigmoid(x), name="overflow"
)
