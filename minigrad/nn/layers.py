"""Read 7 of 8: layers. Each is what it has (`__init__`), then what it does (`forward`)."""

from contextvars import ContextVar

import numpy as np

from .. import ops
from .init import normal, uniform
from .module import Module, Parameter


def _check(layer, x, fits, expected, hint=""):
    """One error for all layers: what was expected, what came, what to do."""
    if x.dtype.kind != "f":
        raise TypeError(
            f"{layer!r} expects floats, got {x.dtype}: images are made floats by "
            "minigrad.data.normalize, other data by .astype(np.float32)."
        )
    if not fits:
        raise ValueError(f"{layer!r} expects shape {expected}, got {x.shape}.{hint}")
    own = next((p.dtype for p in vars(layer).values() if isinstance(p, Parameter)), x.dtype)
    if x.dtype != own:
        raise TypeError(
            f"{layer!r} has parameters of {own}, got {x.dtype}: use x.astype(np.{own}), or "
            f"model.astype(np.{x.dtype})."
        )


def _extras(**options):
    """The options that differ from their defaults, for `repr`."""
    return "".join(f", {k}={v}" for k, (v, default) in options.items() if v != default)


# ---- with parameters: Dense, Conv2D, Embedding, BatchNorm, LayerNorm -----------------------------


class Dense(Module):
    """Affine map y = x @ weight.T + bias of the last axis.

    Parameters
    ----------
    in_features, out_features : int
        Sizes of the last axis of x and of y.
    bias : bool
    rng : numpy.random.Generator, optional
        Draws the initial weights; the default generator if left out.

    Attributes
    ----------
    weight : Parameter, shape (out_features, in_features)
        At first uniform in +-1 / sqrt(in_features), as in PyTorch (He et al. 2015, a = sqrt(5)).
    bias : Parameter, shape (out_features,), or None

    Examples
    --------
    >>> Dense(3, 2)(np.ones((5, 3))).shape
    (5, 2)
    """

    def __init__(self, in_features, out_features, bias=True, *, rng=None):
        bound = 1 / max(in_features, 1) ** 0.5
        self.weight = Parameter(uniform((out_features, in_features), bound, rng))
        self.bias = Parameter(uniform((out_features,), bound, rng)) if bias else None

    def forward(self, x):
        out, size = self.weight.shape
        fits = x.ndim >= 1 and x.shape[-1] == size
        _check(self, x, fits, f"(..., {size})", " Images need nn.Flatten() first." * (x.ndim > 2))
        y = x @ self.weight.T  # (..., out_features)
        return y if self.bias is None else y + self.bias

    def describe(self):
        return f"{self.weight.shape[1]}, {self.weight.shape[0]}" + _extras(
            bias=(self.bias is not None, True)
        )


class Conv2D(Module):
    """2-D convolution of images (N, C, H, W); see `conv2d`.

    Parameters
    ----------
    in_channels, out_channels : int
    kernel_size, stride, padding, dilation : int or (int, int)
    groups : int
    bias : bool
    rng : numpy.random.Generator, optional

    Attributes
    ----------
    weight : Parameter, shape (out_channels, in_channels / groups, KH, KW)
        At first uniform in +-1 / sqrt(fan_in), as in PyTorch.
    bias : Parameter, shape (out_channels,), or None

    Examples
    --------
    >>> Conv2D(1, 8, 5)(np.ones((2, 1, 28, 28))).shape
    (2, 8, 24, 24)
    """

    def __init__(
        self,
        in_channels,
        out_channels,
        kernel_size,
        stride=1,
        padding=0,
        dilation=1,
        groups=1,
        bias=True,
        *,
        rng=None,
    ):
        if in_channels % groups or out_channels % groups:
            raise ValueError(
                f"Conv2D expects channels that {groups=} divides, got {in_channels}, {out_channels}"
            )
        kernel = (kernel_size,) * 2 if isinstance(kernel_size, int) else tuple(kernel_size)
        shape = (out_channels, in_channels // groups, *kernel)
        bound = 1 / max(int(np.prod(shape[1:])), 1) ** 0.5
        self.weight = Parameter(uniform(shape, bound, rng))
        self.bias = Parameter(uniform((out_channels,), bound, rng)) if bias else None
        self.stride, self.padding, self.dilation, self.groups = stride, padding, dilation, groups

    def forward(self, x):
        C = self.weight.shape[1] * self.groups
        hint = " Grey images (N, H, W) need a channel axis: x[:, None]." * (x.ndim == 3)
        _check(self, x, x.ndim == 4 and x.shape[1] == C, f"(N, {C}, H, W)", hint)
        options = self.stride, self.padding, self.dilation, self.groups
        return ops.conv2d(x, self.weight, self.bias, *options)

    def describe(self):
        F, C, KH, KW = self.weight.shape
        return f"{C * self.groups}, {F}, {KH if KH == KW else (KH, KW)}" + _extras(
            stride=(self.stride, 1),
            padding=(self.padding, 0),
            dilation=(self.dilation, 1),
            groups=(self.groups, 1),
            bias=(self.bias is not None, True),
        )


class Embedding(Module):
    """A row of `weight` for each integer.

    Attributes
    ----------
    weight : Parameter, shape (num_embeddings, embedding_dim)
        At first normal with deviation 1, as in PyTorch.

    Examples
    --------
    >>> Embedding(10, 4)(np.array([[1, 2, 1]])).shape
    (1, 3, 4)
    """

    def __init__(self, num_embeddings, embedding_dim, *, rng=None):
        self.weight = Parameter(normal((num_embeddings, embedding_dim), 1, rng))

    def forward(self, x):
        x = np.asarray(getattr(x, "data", x))
        n = self.weight.shape[0]
        if x.dtype.kind not in "iu":
            raise TypeError(f"{self!r} expects integers, got {x.dtype}.")
        if x.size and not 0 <= x.min() <= x.max() < n:
            raise ValueError(f"{self!r} expects 0 to {n - 1}, got {x.min()} to {x.max()}.")
        return self.weight[x]

    def describe(self):
        return "{}, {}".format(*self.weight.shape)


# What batch norms saw, collected in place of being stored, where shards run in parallel.
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
        self.eps, self.momentum = eps, momentum
        self.weight = Parameter(np.ones(num_features))
        self.bias = Parameter(np.zeros(num_features))
        self.running_mean = np.zeros(num_features, np.float32)
        self.running_var = np.ones(num_features, np.float32)
        self.num_batches_tracked = np.array(0)

    def forward(self, x):
        C = self.weight.size
        _check(self, x, x.ndim in (2, 4) and x.shape[1] == C, f"(N, {C}) or (N, {C}, H, W)")
        if self.training:
            y, mean, var = ops.batch_norm(x, self.weight, self.bias, self.eps)
            seen = self, x.size // C, mean.data.reshape(C), var.data.reshape(C)
            if collected.get() is None:
                self.observe([seen])
            else:
                collected.get().append(seen)
            return y
        shape = (1, C) + (1,) * (x.ndim - 2)
        running = self.running_mean.reshape(shape), self.running_var.reshape(shape)
        scale = self.weight.reshape(shape), self.bias.reshape(shape)
        return ops.normalize(x, *running, *scale, eps=self.eps)

    def observe(self, seen):
        """Update the running averages by one batch, whose shards `seen` are pooled.

        The variance of the whole is the mean variance of the shards plus the variance of their
        means (Chan et al. 1983).
        """
        n = sum(size for _, size, _, _ in seen)
        if n == 1:
            raise ValueError(f"{self!r} in training needs more than one value of each channel.")
        mean = sum(size / n * mean for _, size, mean, _ in seen)
        var = sum(size / n * (var + (mu - mean) ** 2) for _, size, mu, var in seen)
        self.running_mean += self.momentum * (mean - self.running_mean)
        self.running_var += self.momentum * (var * (n / (n - 1)) - self.running_var)
        self.num_batches_tracked += 1

    def describe(self):
        return f"{self.weight.size}" + _extras(eps=(self.eps, 1e-5), momentum=(self.momentum, 0.1))


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
        self.eps = eps
        self.weight = Parameter(np.ones(normalized_shape))
        self.bias = Parameter(np.zeros(normalized_shape))

    def forward(self, x):
        shape = self.weight.shape
        expected = f"(..., {str(shape)[1:-1].rstrip(',')})"
        _check(self, x, x.shape[-len(shape) :] == shape, expected)
        return ops.layer_norm(x, self.weight, self.bias, self.eps)

    def describe(self):
        return str(self.weight.shape) + _extras(eps=(self.eps, 1e-5))


# ---- without parameters: MaxPool, AvgPool, Dropout, Flatten, activations -------------------------


class MaxPool(Module):
    """The largest element of each window of (N, C, H, W); see `max_pool2d`.

    Examples
    --------
    >>> MaxPool(2)(np.ones((1, 3, 8, 8))).shape
    (1, 3, 4, 4)
    """

    pool = staticmethod(ops.max_pool2d)

    def __init__(self, kernel_size, stride=None, padding=0):
        self.kernel_size, self.stride, self.padding = kernel_size, stride, padding

    def forward(self, x):
        return self.pool(x, self.kernel_size, self.stride, self.padding)

    def describe(self):
        same = self.kernel_size if self.stride is None else self.stride
        return f"{self.kernel_size}" + _extras(
            stride=(same, self.kernel_size), padding=(self.padding, 0)
        )


class AvgPool(MaxPool):
    """The mean of each window of (N, C, H, W); see `avg_pool2d`.

    Examples
    --------
    >>> AvgPool(2)(np.ones((1, 3, 8, 8))).shape
    (1, 3, 4, 4)
    """

    pool = staticmethod(ops.avg_pool2d)


class Dropout(Module):
    """While training, zero each element with probability `p`; see `dropout`.

    Draws from `rng`, or from the default generator.

    Examples
    --------
    >>> Dropout(0.5).eval()(np.ones(3)).data.tolist()
    [1.0, 1.0, 1.0]
    """

    def __init__(self, p=0.5, *, rng=None):
        if not 0 <= p < 1:
            raise ValueError(f"Dropout expects a probability 0 <= p < 1, got {p}.")
        self.p, self.rng = p, rng

    def forward(self, x):
        return ops.dropout(x, self.p, self.rng) if self.training else x

    def describe(self):
        return f"{self.p}"


class Flatten(Module):
    """(N, ...) to (N, features).

    Examples
    --------
    >>> Flatten()(np.ones((2, 3, 4))).shape
    (2, 12)
    """

    def forward(self, x):
        return x.reshape(len(x), int(np.prod(x.shape[1:])))


class ReLU(Module):
    """max(x, 0), elementwise."""

    def forward(self, x):
        return ops.relu(x)


class LeakyReLU(Module):
    """x where positive, else negative_slope * x."""

    def __init__(self, negative_slope=0.01):
        self.negative_slope = negative_slope

    def forward(self, x):
        return ops.leaky_relu(x, self.negative_slope)

    def describe(self):
        return f"{self.negative_slope}"


class GELU(Module):
    """x times the normal distribution's cumulative, in its tanh form; see `gelu`."""

    def forward(self, x):
        return ops.gelu(x)


class SiLU(Module):
    """x * sigmoid(x), elementwise."""

    def forward(self, x):
        return ops.silu(x)


class Sigmoid(Module):
    """1 / (1 + exp(-x)), elementwise."""

    def forward(self, x):
        return ops.sigmoid(x)


class Tanh(Module):
    """Hyperbolic tangent, elementwise."""

    def forward(self, x):
        return ops.tanh(x)


class Softmax(Module):
    """exp(x) / sum(exp(x)) along an axis. Not before cross_entropy, which has its own."""

    def __init__(self, axis=-1):
        self.axis = axis

    def forward(self, x):
        return ops.softmax(x, self.axis)

    def describe(self):
        return f"axis={self.axis}"
