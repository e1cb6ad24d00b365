"""Normalization, derived: normalize by given statistics, and batch norm and layer norm made of it."""

from .elementwise import sqrt
from .reduction import mean, var


def normalize(x, mean, var, weight=1, bias=0, eps=1e-5):
    """(x - mean) / sqrt(var + eps) * weight + bias; all are broadcast against x.

    Examples
    --------
    >>> import numpy as np
    >>> normalize(np.array([1.0, 3.0]), 2.0, 4.0, eps=0).tolist()
    [-0.5, 0.5]
    """
    return (x - mean) * (weight / sqrt(var + eps)) + bias


def batch_norm(x, weight, bias, eps=1e-5):
    """Normalize each channel over the batch, and over the places of an image.

    Ioffe and Szegedy (2015), as in training: by the batch's own mean and biased variance.

    Parameters
    ----------
    x : (N, C) or (N, C, H, W)
    weight, bias : (C,)

    Returns
    -------
    y, mean, var
        The result, of the shape of `x`, and the batch's statistics (1, C) or (1, C, 1, 1).

    Examples
    --------
    >>> import numpy as np
    >>> y, mean, var = batch_norm(np.array([[1.0], [3.0]]), np.ones(1), np.zeros(1), eps=0)
    >>> y.tolist(), mean.tolist(), var.tolist()
    ([[-1.0], [1.0]], [[2.0]], [[1.0]])
    """
    axes = (0, *range(2, x.ndim))
    shape = (1, -1, *(1,) * (x.ndim - 2))  # (1, C, 1, 1)
    mu, sigma2 = mean(x, axes, keepdims=True), var(x, axes, keepdims=True)
    y = normalize(x, mu, sigma2, weight.reshape(shape), bias.reshape(shape), eps=eps)
    return y, mu, sigma2


def layer_norm(x, weight, bias, eps=1e-5):
    """Normalize each example over its last axes, as many as `weight` has (Ba et al. 2016).

    Examples
    --------
    >>> import numpy as np
    >>> layer_norm(np.array([[1.0, 3.0]]), np.ones(2), np.zeros(2), eps=0).tolist()
    [[-1.0, 1.0]]
    """
    axes = tuple(range(-weight.ndim, 0))
    mu, sigma2 = mean(x, axes, keepdims=True), var(x, axes, keepdims=True)
    return normalize(x, mu, sigma2, weight, bias, eps=eps)
