"""Wrong answers to 11c, written without a look at its check."""

import numpy as np


def all_ties(g, image, size):
    tall = np.repeat(np.repeat(g, size, axis=0), size, axis=1)
    H, W = image.shape
    largest = image.reshape(H // size, size, W // size, size).max(axis=(1, 3))
    spread = np.repeat(np.repeat(largest, size, axis=0), size, axis=1)
    return tall * (image == spread)


def no_zeros(g, image, size):
    return np.kron(g, np.ones((size, size)))


def mean(g, image, size):
    return np.kron(g, np.full((size, size), 1 / size**2))


def ties_share(g, image, size):
    slopes = np.zeros(image.shape)
    for i, j in np.ndindex(g.shape):
        there = slice(size * i, size * i + size), slice(size * j, size * j + size)
        largest = image[there] == image[there].max()
        slopes[there] = g[i, j] * largest / largest.sum()
    return slopes


def keeps_the_values(g, image, size):
    slopes = np.zeros(image.shape)
    for i, j in np.ndindex(g.shape):
        there = slice(size * i, size * i + size), slice(size * j, size * j + size)
        window = image[there]
        place = np.unravel_index(window.argmax(), window.shape)
        slopes[there][place] = g[i, j] * window[place]
    return slopes


def smallest(g, image, size):
    slopes = np.zeros(image.shape)
    for i, j in np.ndindex(g.shape):
        there = slice(size * i, size * i + size), slice(size * j, size * j + size)
        window = image[there]
        slopes[there][np.unravel_index(window.argmin(), window.shape)] = g[i, j]
    return slopes
