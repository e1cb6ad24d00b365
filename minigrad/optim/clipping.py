"""Gradient clipping: a limit on the length of the gradient."""

import numpy as np

from ..nn.checks import check_parameters, listed
from ..ops.expect import real


def clip_grad_norm(params, max_norm):
    """Scale all gradients, in place, so that their norm as one vector is at most `max_norm`.

    Pascanu et al. (2013).

    Returns
    -------
    float
        The norm before.

    Examples
    --------
    >>> import minigrad as mg
    >>> p = mg.nn.Parameter([3.0, 4.0])
    >>> (p * p).sum().backward()
    >>> clip_grad_norm([p], 1.0), p.grad.round(4)
    (10.0, array([0.6, 0.8], dtype=float32))
    """
    real("max_norm", max_norm, above=0)
    params = listed("clip_grad_norm", params)
    check_parameters("clip_grad_norm", params)
    return limit_norm([p.grad for p in params if p.grad is not None], max_norm)


def limit_norm(gradients, max_norm):
    """`clip_grad_norm` of a list of arrays; for training, which keeps gradients in lists."""
    norm = sum(float(np.vdot(g, g)) for g in gradients) ** 0.5
    if norm > max_norm:
        for g in gradients:
            g *= max_norm / (norm + 1e-6)  # as in PyTorch
    return norm
