"""Wrong answers to 5b, written without a look at its check."""

import numpy as np


def _softmax(z):
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def not_divided(z, labels):
    p = _softmax(z)
    p[np.arange(len(z)), labels] -= 1
    return p


def sign(z, labels):
    return (np.eye(z.shape[1])[labels] - _softmax(z)) / len(z)


def no_one_hot(z, labels):
    return _softmax(z) / len(z)


def label_for_target(z, labels):
    """Subtracts the number of the class."""
    return (_softmax(z) - labels[:, None]) / len(z)


def all_labels_in_all_rows(z, labels):
    p = _softmax(z)
    p[:, labels] -= 1
    return p / len(z)
