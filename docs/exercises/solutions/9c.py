"""9c  A shift.

Move every image of `x`, of shape (N, H, W), down by `down` pixels and right by `right`; where the
numbers are negative, up and left. What leaves an image is lost, and what comes in is 0. Return the
images and their labels.
"""

import numpy as np


def shift(x, y, down, right):
    n = max(abs(down), abs(right))  # hole: moved = the images, in the shape of x
    height, width = x.shape[1:]  # hole
    wide = np.pad(x, ((0, 0), (n, n), (n, n)))  # hole
    moved = wide[:, n - down : n - down + height, n - right : n - right + width]  # hole
    return moved, y  # hole: return the images and their labels
