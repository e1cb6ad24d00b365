"""9a  Dropout.

In training, set each element of `x` to 0 with probability `p`, each by itself, and scale the others
so that the mean stays what it was. In evaluation, return `x` as it is. rng.random(x.shape) draws
numbers between 0 and 1. Do not write into `x`.
"""


def dropout(x, p, training, rng):
    if not training:  # hole: return the result
        return x  # hole
    kept = rng.random(x.shape) >= p  # hole
    return x * kept / (1 - p)  # hole
