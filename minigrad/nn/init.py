"""Initial weights: uniform and normal ones, in the scales of Glorot and He.

The fans of a weight (out, in, *kernel) are in * size and out * size, where size is the number of
elements of the kernel.
"""

import numpy as np

from ..random import chosen_generator


def uniform(shape, bound, rng=None):
    """Uniform in +-bound, float32.

    Examples
    --------
    >>> uniform((2, 3), 0.1, rng=np.random.default_rng(0)).dtype
    dtype('float32')
    """
    return (2 * chosen_generator(rng).random(shape, np.float32) - 1) * np.float32(bound)


def normal(shape, std, rng=None):
    """Normal with mean 0, float32."""
    return chosen_generator(rng).standard_normal(shape, np.float32) * np.float32(std)


def fans(shape):
    """fan_in and fan_out of a weight: how many inputs feed one output, how many outputs one input.

    Examples
    --------
    >>> fans((16, 8, 5, 5))
    (200, 400)
    """
    if len(shape) < 2:
        raise ValueError(
            f"fans expects the shape of a weight, (out, in, *kernel), got {shape}. "
            "A bias has no fans: use uniform, or np.zeros."
        )
    kernel = int(np.prod(shape[2:]))
    return shape[1] * kernel, shape[0] * kernel


def he_uniform(shape, gain=2**0.5, rng=None):
    """Uniform with variance gain ** 2 / fan_in (He et al. 2015); the gain is that of a ReLU."""
    fan_in, _ = fans(shape)
    return uniform(shape, gain * (3 / fan_in) ** 0.5, rng)


def he_normal(shape, gain=2**0.5, rng=None):
    """Normal with variance gain ** 2 / fan_in (He et al. 2015)."""
    fan_in, _ = fans(shape)
    return normal(shape, gain / fan_in**0.5, rng)


def glorot_uniform(shape, gain=1.0, rng=None):
    """Uniform with variance 2 gain ** 2 / (fan_in + fan_out) (Glorot and Bengio 2010)."""
    fan_in, fan_out = fans(shape)
    return uniform(shape, gain * (6 / (fan_in + fan_out)) ** 0.5, rng)


def glorot_normal(shape, gain=1.0, rng=None):
    """Normal with variance 2 gain ** 2 / (fan_in + fan_out) (Glorot and Bengio 2010)."""
    fan_in, fan_out = fans(shape)
    return normal(shape, gain * (2 / (fan_in + fan_out)) ** 0.5, rng)
