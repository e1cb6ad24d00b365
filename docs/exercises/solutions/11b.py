"""11b  col2im with a stride: the rows hand their slopes back.

A window of `kernel` x `kernel` pixels moved over an image of the shape (H, W) by `stride` pixels at
a time, and each place where it fitted became a row, as in exercise 11a. `rows` holds the slopes of
these rows. Return the slopes of the image, of shape (H, W). A pixel that no window read has 0.
"""

import numpy as np


def hand_back(rows, shape, kernel, stride):
    H, W = shape
    OH, OW = (H - kernel) // stride + 1, (W - kernel) // stride + 1
    cells = rows.reshape(OH, OW, kernel, kernel)
    image = np.zeros((H, W))
    for i in range(kernel):
        for j in range(kernel):
            down = slice(i, i + stride * OH, stride)  # hole: give cells[:, :, i, j] back
            across = slice(j, j + stride * OW, stride)  # hole
            image[down, across] += cells[:, :, i, j]  # hole
    return image
