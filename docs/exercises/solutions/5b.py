"""5b  The gradient of the mean cross-entropy.

`z` (N, C) holds the scores of N images, `labels` (N,) the right class of each. The loss is the mean
over the images of -ln(p[label]), with p the softmax of the scores. Return its slope with respect to
every score, in the shape of z.
"""

import numpy as np


def softmax(z):
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def cross_entropy_slope(z, labels):
    p = softmax(z)
    targets = np.eye(z.shape[1])[labels]  # hole
    return (p - targets) / len(z)  # hole
