"""Wrong answers to 4a, written without a look at its check."""


def keepdims_forgotten(g, shape):
    """Every axis that is not there, or is 1, is summed away."""
    while g.ndim > len(shape):
        g = g.sum(axis=0)
    return g.sum(axis=tuple(axis for axis, n in enumerate(shape) if n == 1))


def wrong_axis(g, shape):
    """Takes missing axes from the right."""
    while g.ndim > len(shape):
        g = g.sum(axis=-1)
    for axis, n in enumerate(shape):
        if n == 1:
            g = g.sum(axis=axis, keepdims=True)
    return g


def mean(g, shape):
    while g.ndim > len(shape):
        g = g.mean(axis=0)
    for axis, n in enumerate(shape):
        if n == 1:
            g = g.mean(axis=axis, keepdims=True)
    return g


def not_summed(g, shape):
    """Cuts the copies off."""
    while g.ndim > len(shape):
        g = g[0]
    for axis, n in enumerate(shape):
        if n == 1:
            g = g.take([0], axis=axis)
    return g
