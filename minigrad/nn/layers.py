"""Read 7 of 8: layers. Each says what it has (`__init__`), then what it does (`forward`).

Batch norm and layer norm have a file of their own beside this one, and so have the convolutions
other than Conv2D. A layer keeps its arguments as attributes of the same names.
"""

import numpy as np

from .. import ops
from ..ops.expect import array, flag, pair, real, whole
from ..ops.windows import pool_options, window_options
from .checks import check_channels, check_dtype
from .init import fans, normal, uniform
from .module import Module, Parameter


def extras(options, **defaults):
    """ ", stride=2" for `repr`: the options that differ from their defaults."""
    changed = [name for name in defaults if options[name] != defaults[name]]
    return "".join(f", {name}={options[name]}" for name in changed)


def kernels_and_bias(shape, out_channels, bias, rng):
    """A convolution's weight, and its bias or None: at first uniform in +-1 / sqrt(fan_in)."""
    fan_in, _ = fans(shape)
    bound = 1 / max(fan_in, 1) ** 0.5
    weight = Parameter(uniform(shape, bound, rng))
    return weight, Parameter(uniform((out_channels,), bound, rng)) if flag("bias", bias) else None


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
        At first uniform in +-1 / sqrt(in_features), as in PyTorch.
    bias : Parameter, shape (out_features,), or None

    Examples
    --------
    >>> Dense(3, 2)(np.ones((5, 3))).shape
    (5, 2)
    """

    def __init__(self, in_features, out_features, bias=True, *, rng=None):
        self.in_features = whole("in_features", in_features)
        self.out_features = whole("out_features", out_features)
        bound = 1 / max(in_features, 1) ** 0.5
        self.weight = Parameter(uniform((out_features, in_features), bound, rng))
        self.bias = Parameter(uniform((out_features,), bound, rng)) if flag("bias", bias) else None

    def forward(self, x):
        check_dtype(self, x)
        in_features = self.weight.shape[1]
        if x.shape[-1:] != (in_features,):
            raise ValueError(
                f"{self!r} expects shape (..., {in_features}), got {x.shape}. "
                "Images of shape (N, C, H, W) need nn.Flatten() first."
            )
        return ops.linear(x, self.weight, self.bias)  # (..., out_features)

    def describe(self):
        out_features, in_features = self.weight.shape
        bias = "" if self.bias is not None else ", bias=False"
        return f"{in_features}, {out_features}{bias}"


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
        check_channels(self, in_channels, out_channels, groups)
        window_options(stride, padding, dilation)  # raises where they are none
        self.in_channels = in_channels
        self.out_channels = out_channels
        self.kernel_size = kernel_size
        self.stride = stride
        self.padding = padding
        self.dilation = dilation
        self.groups = groups
        shape = (out_channels, in_channels // groups, *pair("kernel_size", kernel_size, least=1))
        self.weight, self.bias = kernels_and_bias(shape, out_channels, bias, rng)

    def __setstate__(self, state):
        """Restore a copy or a pickle."""
        if "stride" not in state:  # of version 0.1, which kept a dict of them
            state = state | state.get("options", {})
        vars(self).update(state)

    def forward(self, x):
        check_dtype(self, x)
        C = self.weight.shape[1] * self.groups
        if x.ndim != 4 or x.shape[1] != C:
            raise ValueError(
                f"{self!r} expects images of shape (N, {C}, H, W), got {x.shape}. "
                "Gray images of shape (N, H, W) need a channel axis: x[:, None]."
            )
        options = (self.stride, self.padding, self.dilation, self.groups)
        return ops.conv2d(x, self.weight, self.bias, *options)  # (N, F, OH, OW)

    def describe(self):
        F, channels_per_group, KH, KW = self.weight.shape
        C = channels_per_group * self.groups
        kernel_size = KH if KH == KW else (KH, KW)
        options = vars(self) | {"bias": self.bias is not None}
        changed = extras(options, stride=1, padding=0, dilation=1, groups=1, bias=True)
        return f"{C}, {F}, {kernel_size}{changed}"


class Embedding(Module):
    """Replace each integer i by row i of `weight`.

    Parameters
    ----------
    num_embeddings, embedding_dim : int
        Number of rows, and the length of one.
    rng : numpy.random.Generator, optional

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
        self.num_embeddings = whole("num_embeddings", num_embeddings, least=1)
        self.embedding_dim = whole("embedding_dim", embedding_dim, least=1)
        self.weight = Parameter(normal((num_embeddings, embedding_dim), 1, rng))

    def forward(self, x):
        return ops.embedding(x, self.weight)  # (*x.shape, embedding_dim)

    def describe(self):
        num_embeddings, embedding_dim = self.weight.shape
        return f"{num_embeddings}, {embedding_dim}"


# ---- without parameters: pools, Dropout, Flatten, Identity, activations --------------------------


class MaxPool(Module):
    """The largest element of each window of (N, C, H, W); see `max_pool2d`.

    Examples
    --------
    >>> MaxPool(2)(np.ones((1, 3, 8, 8))).shape
    (1, 3, 4, 4)
    """

    pool = staticmethod(ops.max_pool2d)

    def __init__(self, kernel_size, stride=None, padding=0):
        pool_options(kernel_size, stride, padding)  # raises where they are none
        self.kernel_size = kernel_size
        self.stride = stride
        self.padding = padding

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


class AdaptiveAvgPool(Module):
    """The means of `output_size` windows of (N, C, H, W); see `adaptive_avg_pool2d`.

    Examples
    --------
    >>> AdaptiveAvgPool((1, 2))(np.ones((1, 3, 8, 8))).shape
    (1, 3, 1, 2)
    """

    def __init__(self, output_size):
        pair("output_size", output_size, least=1)
        self.output_size = output_size

    def forward(self, x):
        return ops.adaptive_avg_pool2d(x, self.output_size)

    def describe(self):
        return f"{self.output_size}"


class Dropout(Module):
    """While training, zero each element with probability `p`; see `dropout`.

    Draws from `rng`, or from the default generator. In training with several workers leave `rng`
    out: each shard of a batch then has a stream of its own, and the same seed gives the same bits.
    Workers that share one `rng` draw from it in the order in which their threads happen to run.

    Examples
    --------
    >>> Dropout(0.5).eval()(np.ones(3)).data.tolist()
    [1.0, 1.0, 1.0]
    """

    def __init__(self, p=0.5, *, rng=None):
        self.p = real("the probability p", p, least=0, below=1)
        self.rng = rng

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
        return array("Flatten()", x).reshape(len(x), int(np.prod(x.shape[1:])))


class Identity(Module):
    """x itself: it stands where a layer is left out.

    Examples
    --------
    >>> Identity()(np.array([1.0, 2.0])).data.tolist()
    [1.0, 2.0]
    """

    def forward(self, x):
        return x


class ReLU(Module):
    """max(x, 0), elementwise."""

    forward = staticmethod(ops.relu)


class LeakyReLU(Module):
    """x where positive, else negative_slope * x."""

    def __init__(self, negative_slope=0.01):
        self.negative_slope = real("negative_slope", negative_slope)

    def forward(self, x):
        return ops.leaky_relu(x, self.negative_slope)

    def describe(self):
        return f"{self.negative_slope}"


class ELU(Module):
    """x where positive, else alpha * (exp(x) - 1)."""

    def __init__(self, alpha=1.0):
        self.alpha = real("alpha", alpha, least=0)

    def forward(self, x):
        return ops.elu(x, self.alpha)

    def describe(self):
        return f"{self.alpha}"


class GELU(Module):
    """x times the normal distribution function of x, in its tanh form; see `gelu`."""

    forward = staticmethod(ops.gelu)


class SiLU(Module):
    """x * sigmoid(x), elementwise."""

    forward = staticmethod(ops.silu)


class Softplus(Module):
    """log(1 + exp(x)), elementwise: a smooth ReLU."""

    forward = staticmethod(ops.softplus)


class Sigmoid(Module):
    """1 / (1 + exp(-x)), elementwise."""

    forward = staticmethod(ops.sigmoid)


class Tanh(Module):
    """Hyperbolic tangent, elementwise."""

    forward = staticmethod(ops.tanh)


class Softmax(Module):
    """exp(x) / sum(exp(x)) along an axis. Not before cross_entropy, which contains it."""

    def __init__(self, axis=-1):
        self.axis = axis

    def forward(self, x):
        return ops.softmax(x, self.axis)

    def describe(self):
        return f"axis={self.axis}"
