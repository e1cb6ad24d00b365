"""The other convolutions: Conv1D along sequences, and ConvTranspose2D, which enlarges images."""

from .. import ops
from ..ops.expect import pair, whole
from ..ops.windows import window_options
from .checks import check_channels, check_dtype
from .layers import extras, kernels_and_bias
from .module import Module


class Conv1D(Module):
    """1-D convolution of sequences (N, C, L); see `conv1d`.

    Parameters
    ----------
    in_channels, out_channels : int
    kernel_size, stride, padding, dilation : int
    groups : int
    bias : bool
    rng : numpy.random.Generator, optional

    Attributes
    ----------
    weight : Parameter, shape (out_channels, in_channels / groups, K)
        At first uniform in +-1 / sqrt(fan_in), as in PyTorch.
    bias : Parameter, shape (out_channels,), or None

    Examples
    --------
    >>> import numpy as np
    >>> Conv1D(2, 8, 5)(np.ones((3, 2, 20))).shape
    (3, 8, 16)
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
        whole("kernel_size", kernel_size, least=1)
        whole("stride", stride, least=1)
        whole("padding", padding)
        whole("dilation", dilation, least=1)
        self.in_channels = in_channels
        self.out_channels = out_channels
        self.kernel_size = kernel_size
        self.stride = stride
        self.padding = padding
        self.dilation = dilation
        self.groups = groups
        shape = (out_channels, in_channels // groups, kernel_size)
        self.weight, self.bias = kernels_and_bias(shape, out_channels, bias, rng)

    def forward(self, x):
        check_dtype(self, x)
        C = self.in_channels
        if x.ndim != 3 or x.shape[1] != C:
            raise ValueError(
                f"{self!r} expects sequences of shape (N, {C}, L), got {x.shape}. "
                "Sequences of numbers, of shape (N, L), need a channel axis: x[:, None]."
            )
        options = (self.stride, self.padding, self.dilation, self.groups)
        return ops.conv1d(x, self.weight, self.bias, *options)  # (N, F, OL)

    def describe(self):
        options = vars(self) | {"bias": self.bias is not None}
        changed = extras(options, stride=1, padding=0, dilation=1, groups=1, bias=True)
        return f"{self.in_channels}, {self.out_channels}, {self.kernel_size}{changed}"


class ConvTranspose2D(Module):
    """Enlarge images (N, C, H, W): a Conv2D in reverse; see `conv_transpose2d`.

    Parameters
    ----------
    in_channels, out_channels : int
    kernel_size, stride, padding, output_padding : int or (int, int)
    groups : int
    bias : bool
    dilation : int or (int, int)
    rng : numpy.random.Generator, optional

    Attributes
    ----------
    weight : Parameter, shape (in_channels, out_channels / groups, KH, KW)
        At first uniform in +-1 / sqrt(out_channels / groups * KH * KW), as in PyTorch.
    bias : Parameter, shape (out_channels,), or None

    Examples
    --------
    >>> import numpy as np
    >>> ConvTranspose2D(8, 1, 4, stride=2, padding=1)(np.ones((2, 8, 7, 7))).shape
    (2, 1, 14, 14)
    """

    def __init__(
        self,
        in_channels,
        out_channels,
        kernel_size,
        stride=1,
        padding=0,
        output_padding=0,
        groups=1,
        bias=True,
        dilation=1,
        *,
        rng=None,
    ):
        check_channels(self, in_channels, out_channels, groups)
        window_options(stride, padding, dilation)  # raises where they are none
        pair("output_padding", output_padding)
        self.in_channels = in_channels
        self.out_channels = out_channels
        self.kernel_size = kernel_size
        self.stride = stride
        self.padding = padding
        self.output_padding = output_padding
        self.groups = groups
        self.dilation = dilation
        shape = (in_channels, out_channels // groups, *pair("kernel_size", kernel_size, least=1))
        self.weight, self.bias = kernels_and_bias(shape, out_channels, bias, rng)

    def forward(self, x):
        check_dtype(self, x)
        C = self.in_channels
        if x.ndim != 4 or x.shape[1] != C:
            raise ValueError(
                f"{self!r} expects images of shape (N, {C}, H, W), got {x.shape}. "
                "Vectors of shape (N, features) become images by x.reshape(N, C, H, W)."
            )
        options = (self.stride, self.padding, self.output_padding, self.groups, self.dilation)
        return ops.conv_transpose2d(x, self.weight, self.bias, *options)  # (N, F, OH, OW)

    def describe(self):
        options = vars(self) | {"bias": self.bias is not None}
        defaults = {"stride": 1, "padding": 0, "output_padding": 0, "groups": 1, "bias": True}
        changed = extras(options, **defaults, dilation=1)
        return f"{self.in_channels}, {self.out_channels}, {self.kernel_size}{changed}"
