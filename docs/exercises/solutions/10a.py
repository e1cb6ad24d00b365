"""10a  The update ratio.

`weight` is a parameter of minigrad and `step` a function without arguments, which takes one
training step and so changes `weight.data` in place. Call it once, and return how far the weights
moved, as a share of what they were: the length of the change over the length of the weights before
it. The length of an array is the root of the sum of its squares, `np.linalg.norm`.
"""

import numpy as np


def update_ratio(weight, step):
    before = weight.data.copy()  # hole: before =
    step()
    moved = weight.data - before  # hole: moved =
    return np.linalg.norm(moved) / np.linalg.norm(before)  # hole: return the share
