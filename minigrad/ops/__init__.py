"""What can be differentiated: a table of functions and their gradient rules."""

# ruff: noqa: F405, RUF022  (what each room has is public as far as __all__ names it)

from . import numpy_protocol  # binds the operators and methods of Tensor
from .activation import *
from .attention import *
from .convolution import *
from .elementwise import *
from .linalg import *
from .loss import *
from .normalization import *
from .pooling import *
from .random import *
from .reduction import *
from .selection import *
from .shaping import *

# One paragraph for each room.
# fmt: off
__all__ = [
    # elementwise
    "add", "subtract", "multiply", "divide", "negative", "power", "square", "reciprocal", "sqrt",
    "exp", "expm1", "log", "log1p", "log2", "log10", "logaddexp",
    "sin", "cos", "tan", "arcsin", "arccos", "arctan", "arctan2", "sinh", "cosh", "tanh",
    "absolute", "maximum", "minimum", "clip", "where", "sign", "floor", "ceil", "round",
    # reduction
    "sum", "mean", "var", "std", "max", "min", "prod", "logsumexp", "norm", "cumsum",
    # shaping, selection
    "reshape", "transpose", "swapaxes", "moveaxis", "expand_dims", "squeeze", "broadcast_to",
    "concatenate", "stack", "split", "tile", "repeat", "roll", "flip", "pad", "diagonal", "astype",
    "getitem", "scatter", "take", "take_along_axis", "embedding", "sort", "triu", "tril",
    # linalg
    "matmul", "einsum", "dot", "inner", "outer", "tensordot",
    # activation, attention
    "relu", "leaky_relu", "elu", "gelu", "silu", "sigmoid", "softplus", "softmax", "log_softmax",
    "scaled_dot_product_attention",
    # convolution, pooling, normalization, random
    "im2col", "col2im", "conv2d", "conv2d_textbook", "conv1d",
    "max_pool2d", "avg_pool2d", "adaptive_avg_pool2d", "global_avg_pool2d",
    "normalize", "batch_norm", "layer_norm", "dropout", "manual_seed",
    # loss
    "cross_entropy", "nll_loss", "mse_loss", "l1_loss", "huber_loss",
    "binary_cross_entropy_with_logits", "kl_div",
]
# fmt: on
