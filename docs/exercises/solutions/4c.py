"""4c  The slope of a sum over an axis.

y = x.sum(axis=axis), so y has one axis less than x. `g`, in the shape of y, holds the slope of the
loss for every element of y. Return the slope for every element of x, in the shape of x.
"""

import numpy as np


def sum_slope(g, x, axis):
    return np.expand_dims(g, axis) * np.ones(x.shape)  # hole: return an array of x.shape
