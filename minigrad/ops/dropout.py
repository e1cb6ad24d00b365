"""Dropout: multiplication by a random mask, which is drawn outside the graph."""

import numpy as np

from ..random import chosen_generator
from .elementwise import multiply
from .expect import real
from .shaping import memory_order, plain, shaped


def dropout(x, p=0.5, rng=None):
    """Zero each element with probability `p`, and scale the others up so that the mean is kept.

    Srivastava et al. (2014), as in training; in evaluation leave it out, as `nn.Dropout` does.

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
    real("the probability p", p, least=0, below=1)
    x = shaped(x)
    return multiply(x, _mask(plain(x), p, chosen_generator(rng))) if p else x


def _mask(x, p, rng):
    """0 or 1 / (1 - p), in the memory order and dtype of `x`.

    Drawn as 16-bit integers, which takes half the time of floats. So the actual probability is a
    multiple of 1 / 65536, and the scale follows from that.
    """
    limit = min(round(p * 65536), 65535)
    draws = np.frombuffer(rng.bytes(2 * x.size), np.uint16)
    mask = np.empty_like(x)
    flat = mask.transpose(memory_order(mask)).reshape(-1)  # a view, whatever the order
    np.multiply(draws >= limit, x.dtype.type(65536 / (65536 - limit)), out=flat)
    return mask
