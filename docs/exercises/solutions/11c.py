"""11c  The rule of max-pooling.

`image` (H, W) was cut into windows of `size` x `size` that stand side by side, and of each the
largest number was kept; H and W are multiples of `size`. `g` (H / size, W / size) holds the slopes
of the results. Return the slopes of the image, of shape (H, W). Where several pixels of a window
are largest, one of them, whichever you like, gets all.
"""

import numpy as np


def max_pool_slopes(g, image, size):
    slopes = np.zeros(image.shape)
    for i in range(g.shape[0]):
        for j in range(g.shape[1]):
            window = image[size * i : size * (i + 1), size * j : size * (j + 1)]
            place = np.unravel_index(window.argmax(), window.shape)  # hole: hand g[i, j] back
            slopes[size * i + place[0], size * j + place[1]] = g[i, j]  # hole
    return slopes
