"""Layers that normalize: BatchNorm over the batch, LayerNorm over each example."""

from contextvars import ContextVar
from typing import NamedTuple

import numpy as np

from .. import ops
from ..ops.expect import real, whole, wholes
from .checks import check_dtype
from .layers import extras
from .module import Module, Parameter


class BatchMoments(NamedTuple):
    """What a batch norm saw: so many values of each channel, their means and biased variances."""

    norm: "BatchNorm"
    size: int
    mean: np.ndarray  # (C,)
    var: np.ndarray  # (C,)


# A list in which batch norms put the moments of a shard, where shards run in parallel. Without one
# they update their running averages themselves.
collected: ContextVar = ContextVar("collected", default=None)


class BatchNorm(Module):
    """Normalize each channel of (N, C) or (N, C, H, W) (Ioffe and Szegedy 2015).

    In training by the mean and the biased variance of the batch; in evaluation by their running
    averages, of which the variance is the unbiased one.

    Parameters
    ----------
    num_features : int
        C.
    eps : float
    momentum : float
        Weight of the newest batch in the running averages.

    Attributes
    ----------
    weight, bias : Parameter, shape (C,)
        At first 1 and 0.
    running_mean, running_var : array (C,)
    num_batches_tracked : array ()

    Examples
    --------
    >>> y = BatchNorm(2)(np.array([[1.0, 10.0], [3.0, 30.0]]))
    >>> y.data.round(2).tolist()
    [[-1.0, -1.0], [1.0, 1.0]]
    """

    buffers = ("running_mean", "running_var", "num_batches_tracked")

    def __init__(self, num_features, eps=1e-5, momentum=0.1):
        self.num_features = whole("num_features", num_features, least=1)
        self.eps = real("eps", eps, least=0)
        self.momentum = real("momentum", momentum, least=0, most=1)
        self.weight = Parameter(np.ones(num_features))
        self.bias = Parameter(np.zeros(num_features))
        self.running_mean = np.zeros(num_features, np.float32)
        self.running_var = np.ones(num_features, np.float32)
        self.num_batches_tracked = np.array(0)

    def forward(self, x):
        C = self.weight.size
        check_dtype(self, x)
        if x.ndim not in (2, 4) or x.shape[1] != C:
            raise ValueError(f"{self!r} expects shape (N, {C}) or (N, {C}, H, W), got {x.shape}.")
        if self.training and x.size == 0:
            raise ValueError(
                f"{self!r} in training expects a batch of examples, got shape {x.shape}, which "
                "has none: it has no mean. Leave empty batches out, or call eval()."
            )
        if self.training:
            y, mean, var = ops.batch_norm(x, self.weight, self.bias, self.eps)
            moments = BatchMoments(self, x.size // C, mean, var)
            if collected.get() is None:
                self.observe([moments])
            else:
                collected.get().append(moments)
            return y
        shape = (1, C) + (1,) * (x.ndim - 2)
        mean, var = self.running_mean.reshape(shape), self.running_var.reshape(shape)
        weight, bias = self.weight.reshape(shape), self.bias.reshape(shape)
        return ops.normalize(x, mean, var, weight, bias, self.eps)

    def observe(self, shards):
        """Update the running averages by one batch: the BatchMoments of its shards are pooled.

        The variance of the whole is the mean variance of the shards plus the variance of their
        means (Chan et al. 1983).
        """
        n = sum(shard.size for shard in shards)
        if n == 1:
            raise ValueError(
                f"{self!r} in training expects two values or more of each channel, got one, which "
                "has no variance: leave out a last batch of one example by DataLoader(..., "
                "drop_last=True), and give each of several workers two examples or more."
            )
        mean = sum(shard.size / n * shard.mean for shard in shards)
        var = sum(shard.size / n * (shard.var + (shard.mean - mean) ** 2) for shard in shards)
        self.running_mean += self.momentum * (mean - self.running_mean)
        self.running_var += self.momentum * (var * (n / (n - 1)) - self.running_var)
        self.num_batches_tracked += 1

    def describe(self):
        return f"{self.weight.size}" + extras(vars(self), eps=1e-5, momentum=0.1)


class LayerNorm(Module):
    """Normalize the last axes of each example by their own mean and variance (Ba et al. 2016).

    Parameters
    ----------
    normalized_shape : int or tuple of int
        Shape of the last axes.
    eps : float

    Attributes
    ----------
    weight, bias : Parameter, shape normalized_shape
        At first 1 and 0.

    Examples
    --------
    >>> LayerNorm(2)(np.array([[1.0, 3.0]])).data.round(2).tolist()
    [[-1.0, 1.0]]
    """

    def __init__(self, normalized_shape, eps=1e-5):
        wholes("normalized_shape", normalized_shape)  # raises where they are none
        self.normalized_shape = normalized_shape
        self.eps = real("eps", eps, least=0)
        self.weight = Parameter(np.ones(normalized_shape))
        self.bias = Parameter(np.zeros(normalized_shape))

    def forward(self, x):
        check_dtype(self, x)
        shape = self.weight.shape
        if x.shape[-len(shape) :] != shape:
            axes = ", ".join(map(str, shape))
            raise ValueError(f"{self!r} expects shape (..., {axes}), got {x.shape}.")
        return ops.layer_norm(x, shape, self.weight, self.bias, self.eps)

    def describe(self):
        return str(self.weight.shape) + extras(vars(self), eps=1e-5)
