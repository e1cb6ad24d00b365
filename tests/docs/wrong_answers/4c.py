"""Wrong answers to 4c, written without a look at its check."""

import numpy as np


def not_expanded(g, x, axis):
    return g


def divided(g, x, axis):
    return np.expand_dims(g, axis) * np.ones(x.shape) / x.shape[axis]


def wrong_axis(g, x, axis):
    """Relies on NumPy's stretching, which fills from the right."""
    return g * np.ones(x.shape)


def ones(g, x, axis):
    """Forgets g."""
    return np.ones(x.shape)
