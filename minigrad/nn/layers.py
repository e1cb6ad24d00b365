"""Read 7 of 8: layers. Each is what it has (`__init__`), then what it does (`forward`).

Batch norm and layer norm have a file of their own beside this one.
"""

import numpy as np

from .. import ops
from .init import normal, uniform
from .module import Module, Parameter


def check_input(layer, x, fits, expected, hint=""):
    """One error for all layers: what was expected, what came, what to do."""
    if x.dtype.kind != "f":
        ways = "use minigrad.data.normalize for images, .astype(np.float32) for other data"
        raise TypeError(f"{layer!r} expects floats, got {x.dtype}: {ways}.")
    if not fits:
        raise ValueError(f"{layer!r} expects shape {expected}, got {x.shape}.{hint}")
    if x.dtype != (own := layer.weight.dtype):
        ways = f"use x.astype(np.{own}), or model.astype(np.{x.dtype})"
        raise TypeError(f"{layer!r} has parameters of {own}, got {x.dtype}: {ways}.")


def extras(options, **defaults):
    """The options that differ from their defaults, for `repr`."""
    return "".join(f", {k}={options[k]}" for k in defaults if options[k] != defaults[k])


# ---- with parameters: Dense, Conv2D, Embedding ---------------------------------------------------


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
        size, hint = self.weight.shape[1], " Images need nn.Flatten() first." * (x.ndim > 2)
        check_input(self, x, x.shape[-1:] == (size,), f"(..., {size})", hint)
        return ops.linear(x, self.weight, self.bias)

    def describe(self):
        bias = "" if self.bias is not None else ", bias=False"
        return f"{self.weight.shape[1]}, {self.weight.shape[0]}{bias}"


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

    # fmt: off
    # One line of what must be given, one of options.
    def __init__(self, in_channels, out_channels, kernel_size,
                 stride=1, padding=0, dilation=1, groups=1, bias=True, *, rng=None):
        # fmt: on
        if in_channels % groups or out_channels % groups:
            raise ValueError(f"Conv2D: {groups=} must divide {in_channels} and {out_channels}.")
        kernel = (kernel_size,) * 2 if isinstance(kernel_size, int) else tuple(kernel_size)
        shape = (out_channels, in_channels // groups, *kernel)
        bound = 1 / max(int(np.prod(shape[1:])), 1) ** 0.5
        self.weight = Parameter(uniform(shape, bound, rng))
        self.bias = Parameter(uniform((out_channels,), bound, rng)) if bias else None
        self.options = {"stride": stride, "padding": padding, "dilation": dilation}
        self.options["groups"] = groups

    def forward(self, x):
        C = self.weight.shape[1] * self.options["groups"]
        hint = " Grey images (N, H, W) need a channel axis: x[:, None]." * (x.ndim == 3)
        check_input(self, x, x.ndim == 4 and x.shape[1] == C, f"(N, {C}, H, W)", hint)
        return ops.conv2d(x, self.weight, self.bias, **self.options)

    def describe(self):
        F, C, KH, KW = self.weight.shape
        sizes = f"{C * self.options['groups']}, {F}, {KH if KH == KW else (KH, KW)}"
        options = {**self.options, "bias": self.bias is not None}
        return sizes + extras(options, stride=1, padding=0, dilation=1, groups=1, bias=True)


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
        return ops.embedding(x, self.weight)

    def describe(self):
        return "{}, {}".format(*self.weight.shape)


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
        return f"{self.kernel_size}" + extras(vars(self), stride=None, padding=0)


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

    forward = staticmethod(ops.relu)


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

    forward = staticmethod(ops.gelu)


class SiLU(Module):
    """x * sigmoid(x), elementwise."""

    forward = staticmethod(ops.silu)


class Sigmoid(Module):
    """1 / (1 + exp(-x)), elementwise."""

    forward = staticmethod(ops.sigmoid)


class Tanh(Module):
    """Hyperbolic tangent, elementwise."""

    forward = staticmethod(ops.tanh)


class Softmax(Module):
    """exp(x) / sum(exp(x)) along an axis. Not before cross_entropy, which has its own."""

    def __init__(self, axis=-1):
        self.axis = axis

    def forward(self, x):
        return ops.softmax(x, self.axis)

    def describe(self):
        return f"axis={self.axis}"
