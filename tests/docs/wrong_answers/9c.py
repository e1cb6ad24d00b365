"""Wrong answers to 9c, written without a look at its check."""

import numpy as np


def wraps(x, y, down, right):
    return np.roll(x, (down, right), axis=(1, 2)), y


def one_axis(x, y, down, right):
    moved = np.zeros_like(x)
    n = x.shape[1]
    for i in range(n):
        if 0 <= i - down < n:
            moved[:, i] = x[:, i - down]
    return moved, y


def labels_change(x, y, down, right):
    moved = np.zeros_like(x)
    height, width = x.shape[1:]
    for i in range(height):
        for j in range(width):
            if 0 <= i - down < height and 0 <= j - right < width:
                moved[:, i, j] = x[:, i - down, j - right]
    return moved, np.roll(y, right)
