"""Randomness: the default generator, the streams of training, and dropout.

Outside training, whatever is random takes `rng`, or draws from the default generator that
`manual_seed` sets. In training no generator is carried along: each draw has a stream of its own,
found by counters. So a run resumes from its counters alone, and a shard of a batch draws the same
numbers whichever thread it runs on.
"""

import zlib
from contextvars import ContextVar

import numpy as np

from ..autograd import setting
from .elementwise import multiply
from .shaping import memory_order

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
    """The generator of this context; without `manual_seed`, one from the system's entropy."""
    generator = _default.get() or np.random.default_rng
    if callable(generator):  # made only when something is drawn
        generator = generator()
        _default.set(generator)
    return generator


def use_generator(make):
    """Inside `with`, let `make()`, called at the first draw, be the default generator."""
    return setting(_default, make)


def stream(seed, purpose, epoch=0, step=0, shard=0):
    """A generator of its own for one draw of training, found by counters.

    Parameters
    ----------
    seed : int, not negative
        The seed of the run.
    purpose : str
        What is drawn: "shuffle", "split", "augment", "dropout", ...; each independent.
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


def dropout(x, p=0.5, rng=None):
    """Zero each element with probability `p`, and scale the others up so that the mean stays.

    Srivastava et al. (2014), as while training; for evaluation leave it out, as `nn.Dropout` does.

    Parameters
    ----------
    x : array or Tensor
    p : float, 0 <= p < 1
    rng : numpy.random.Generator, optional
        Draws the mask; the default generator if left out.

    Examples
    --------
    >>> dropout(np.ones(6), 0.5, rng=np.random.default_rng(1)).tolist()
    [2.0, 0.0, 2.0, 2.0, 2.0, 2.0]
    """
    if not 0 <= p < 1:
        raise ValueError(f"dropout expects a probability 0 <= p < 1, got {p}.")
    return multiply(x, _mask(x, p, rng or default_generator())) if p else x


def _mask(x, p, rng):
    """0 or 1 / (1 - p), in the memory order and dtype of `x`.

    Drawn as 16-bit integers, which takes half the time of floats; the scale is that of the
    probability really drawn, a multiple of 1 / 65536.
    """
    x = getattr(x, "_data", x)
    limit = min(round(p * 65536), 65535)
    draws = np.frombuffer(rng.bytes(2 * x.size), np.uint16)
    mask = np.empty_like(x)
    flat = mask.transpose(memory_order(mask)).reshape(-1)  # a view, whatever the order
    np.multiply(draws >= limit, x.dtype.type(65536 / (65536 - limit)), out=flat)
    return mask
