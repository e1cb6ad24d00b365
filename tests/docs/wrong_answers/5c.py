"""Wrong answers to 5c, written without a look at its check."""

import numpy as np


def axis(scores, labels):
    answers = scores.argmax(axis=0)
    return np.mean([a == b for a, b in zip(answers, labels)])


def count(scores, labels):
    return (scores.argmax(axis=1) == labels).sum()


def argmin(scores, labels):
    return (scores.argmin(axis=1) == labels).mean()


def percent(scores, labels):
    return 100 * (scores.argmax(axis=1) == labels).mean()
