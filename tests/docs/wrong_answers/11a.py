"""Wrong answers to 11a, written without a look at its check."""

import numpy as np


def flipped(image, height, width):
    rows = []
    for top in range(image.shape[0] - height + 1):
        for left in range(image.shape[1] - width + 1):
            window = image[top : top + height, left : left + width]
            rows.append(np.flip(window).flatten())
    return np.stack(rows)


def order(image, height, width):
    places = [
        (y, x)
        for x in range(image.shape[1] - width + 1)
        for y in range(image.shape[0] - height + 1)
    ]
    return np.array([image[y : y + height, x : x + width].flatten() for y, x in places])


def size(image, height, width):
    down, across = image.shape[0] - height, image.shape[1] - width
    rows = np.zeros((down * across, height * width))
    for n in range(down * across):
        y, x = divmod(n, across)
        rows[n] = image[y : y + height, x : x + width].reshape(-1)
    return rows


def pixels_down_the_columns(image, height, width):
    H, W = image.shape
    return np.array([
        image[i : i + height, j : j + width].T.ravel()
        for i in range(H - height + 1)
        for j in range(W - width + 1)
    ])  # fmt: skip


def side_by_side(image, height, width):
    H, W = image.shape
    return np.array([
        image[i : i + height, j : j + width].ravel()
        for i in range(0, H - height + 1, height)
        for j in range(0, W - width + 1, width)
    ])  # fmt: skip


def windows_not_flattened(image, height, width):
    H, W = image.shape
    return np.array([
        image[i : i + height, j : j + width]
        for i in range(H - height + 1)
        for j in range(W - width + 1)
    ])  # fmt: skip


def windows_as_columns(image, height, width):
    H, W = image.shape
    columns = []
    for i in range(H - height + 1):
        for j in range(W - width + 1):
            columns.append(image[i : i + height, j : j + width].ravel())
    return np.array(columns).T
