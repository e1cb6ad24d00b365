"""Initial weights: uniform and normal ones, in the scales of Glorot and He.

The fans of a weight (out, in, *kernel) are in * kernel and out * kernel.
"""

import numpy as np

from ..random import default_generator


def uniform(shape, bound, rng=None):
    """Uniform in +-bound, float32.

    Examples
    --------
    >>> uniform((2, 3), 0.1, rng=np.random.default_rng(0)).dtype
    dtype('float32')
    """
    return ((rng or default_generator()).random(shape, np.float32) * 2 - 1) * np.float32(bound)


def normal(shape, std, rng=None):
    """Normal with mean 0, float32."""
    return (rng or default_generator()).standard_normal(shape, np.float32) * np.float32(std)


def fans(shape):
    """How many inputs feed an output of a weight of this shape, and how many outputs an input.

    Examples
    --------
    >>> fans((16, 8, 5, 5))
    (200, 400)
    """
    if len(shape) < 2:
        raise ValueError(f"a weight has shape (out, in, *kernel), got {shape}.")
    kernel = int(np.prod(shape[2:]))
    return shape[1] * kernel, shape[0] * kernel


def he_uniform(shape, gain=2**0.5, rng=None):
    """Uniform with variance gain ** 2 / fan_in (He et al. 2015); the gain is that of a ReLU."""
    return uniform(shape, gain * (3 / fans(shape)[0]) ** 0.5, rng)


def he_normal(shape, gain=2**0.5, rng=None):
    """Normal with variance gain ** 2 / fan_in (He et al. 2015)."""
    return normal(shape, gain / fans(shape)[0] ** 0.5, rng)


def glorot_uniform(shape, gain=1.0, rng=None):
    """Uniform with variance 2 gain ** 2 / (fan_in + fan_out) (Glorot and Bengio 2010)."""
    return uniform(shape, gain * (6 / sum(fans(shape))) ** 0.5, rng)


def glorot_normal(shape, gain=1.0, rng=None):
    """Normal with variance 2 gain ** 2 / (fan_in + fan_out) (Glorot and Bengio 2010)."""
    return normal(shape, gain * (2 / sum(fans(shape))) ** 0.5, rng)
