"""Randomness: the default generator, and the streams of training, identified by counters.

Outside training, whatever is random takes `rng`, or draws from the default generator, which
`manual_seed` sets for all threads of the process. In training no generator is carried along: each
draw has a stream of its own, identified by counters. So a run resumes from its counters alone, and
a shard of a batch draws the same numbers whichever thread it runs on.
"""

import threading
import zlib
from contextvars import ContextVar

import numpy as np

from .autograd import setting

# One for the process, not for each context: threads, asyncio tasks and the cells of some notebooks
# have contexts of their own, in which a ContextVar that was set elsewhere is lost.
_default = None
_lock = threading.Lock()  # of `_default`; NumPy's generators lock each of their draws themselves
_of_shard = ContextVar("generator_of_shard", default=None)


def manual_seed(seed):
    """Restart the default generator from `seed`, for reproducible weights and masks.

    There is one for the process: where several threads draw from it at once, no number is drawn
    twice, but which thread gets which depends on their order.

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
    from .ops.expect import whole  # here, as operations import this module

    global _default
    generator = np.random.default_rng(whole("seed", seed))
    with _lock:
        _default = generator


def default_generator():
    """The generator of this shard, if it has one, or that of the process.

    Without `manual_seed`, that of the process is seeded by the system's entropy.
    """
    global _default
    of_shard = _of_shard.get()
    if of_shard is not None:
        if callable(of_shard):  # made only when something is drawn
            of_shard = of_shard()
            _of_shard.set(of_shard)
        return of_shard
    with _lock:
        if _default is None:
            _default = np.random.default_rng()
        return _default


def chosen_generator(rng):
    """`rng`, or the default generator where that is None.

    Raises
    ------
    TypeError
        If it is anything but a generator, such as a seed.
    """
    if rng is None:
        return default_generator()
    if not isinstance(rng, np.random.Generator):
        raise TypeError(
            f"rng expects a numpy.random.Generator, got {rng!r:.80}: np.random.default_rng(seed) "
            "makes one."
        )
    return rng


def use_generator(make):
    """Inside `with`, in this context, the default generator is `make()`, called at the first draw.

    The shards of a training step draw from generators of their own by it.
    """
    return setting(_of_shard, make)


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
