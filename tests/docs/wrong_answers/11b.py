"""Wrong answers to 11b, written without a look at its check."""

import numpy as np


def overwrites(rows, shape, kernel, stride):
    image = np.zeros(shape)
    row = 0
    for top in range(0, shape[0] - kernel + 1, stride):
        for left in range(0, shape[1] - kernel + 1, stride):
            image[top : top + kernel, left : left + kernel] = rows[row].reshape(kernel, kernel)
            row += 1
    return image


def ignores_the_stride(rows, shape, kernel, stride):
    OH, OW = (shape[0] - kernel) // stride + 1, (shape[1] - kernel) // stride + 1
    cells = rows.reshape(OH, OW, kernel, kernel)
    image = np.zeros(shape)
    for i in range(kernel):
        for j in range(kernel):
            image[i : i + OH, j : j + OW] += cells[:, :, i, j]
    return image


def cropped(rows, shape, kernel, stride):
    OH, OW = (shape[0] - kernel) // stride + 1, (shape[1] - kernel) // stride + 1
    image = np.zeros(((OH - 1) * stride + kernel, (OW - 1) * stride + kernel))
    for n in range(OH * OW):
        top, left = stride * (n // OW), stride * (n % OW)
        image[top : top + kernel, left : left + kernel] += rows[n].reshape(kernel, kernel)
    return image


def strides_the_kernel(rows, shape, kernel, stride):
    OH, OW = (shape[0] - kernel) // stride + 1, (shape[1] - kernel) // stride + 1
    cells = rows.reshape(OH, OW, kernel, kernel)
    image = np.zeros(shape)
    for i in range(kernel):
        for j in range(kernel):
            there = image[stride * i : stride * i + OH, stride * j : stride * j + OW]
            there += cells[: len(there), : there.shape[1], i, j]
    return image


def averages(rows, shape, kernel, stride):
    image, count = np.zeros(shape), np.zeros(shape)
    across = (shape[1] - kernel) // stride + 1
    for n, row in enumerate(rows):
        top, left = stride * (n // across), stride * (n % across)
        image[top : top + kernel, left : left + kernel] += row.reshape(kernel, kernel)
        count[top : top + kernel, left : left + kernel] += 1
    return image / np.maximum(count, 1)
