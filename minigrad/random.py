"""Randomness: the default generator, and the streams of training, identified by counters.

Outside training, whatever is random takes `rng`, or draws from the default generator, which
`manual_seed` sets. In training no generator is carried along: each draw has a stream of its own,
identified by counters. So a run resumes from its counters alone, and a shard of a batch draws the
same numbers whichever thread it runs on.
"""

import zlib
from contextvars import ContextVar

import numpy as np

from .autograd import setting

_default = ContextVar("default_generator", default=None)


def manual_seed(seed):
    """Restart the default generator from `seed`, for reproducible weights and masks.

    Parameters
    ----------
    seed : int, not negative

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.manual_seed(0)
    >>> first = mg.nn.Dense(2, 3).weight.data
    >>> mg.manual_seed(0)
    >>> bool((mg.nn.Dense(2, 3).weight.data == first).all())
    True
    """
    _default.set(np.random.default_rng(seed))


def default_generator():
    """The generator of this context; without `manual_seed`, one seeded by the system's entropy."""
    generator = _default.get() or np.random.default_rng
    if callable(generator):  # made only when something is drawn
        generator = generator()
        _default.set(generator)
    return generator


def use_generator(make):
    """Inside `with`, the default generator is `make()`, called at the first draw."""
    return setting(_default, make)


def stream(seed, purpose, epoch=0, step=0, shard=0):
    """The generator for one draw of training, identified by counters.

    Parameters
    ----------
    seed : int, not negative
        The seed of the run.
    purpose : str
        What is drawn: "shuffle", "split", "augment", "dropout", ...; their streams are independent.
    epoch, step, shard : int
        Where in training it is drawn.

    Returns
    -------
    numpy.random.Generator

    Examples
    --------
    >>> same = [stream(0, "shuffle", epoch=3).permutation(5).tolist() for _ in range(2)]
    >>> same[0] == same[1]
    True
    """
    key = (zlib.crc32(purpose.encode()), epoch, step, shard)
    return np.random.Generator(np.random.SFC64(np.random.SeedSequence(seed, spawn_key=key)))
