"""What can be differentiated: a table of functions and their gradient rules.

Only what is imported here is public; `minigrad` offers the same names.
"""

from . import numpy_protocol  # binds the operators and methods of Tensor
from .elementwise import add, subtract, multiply, divide, remainder, floor_divide, mod
from .elementwise import positive, negative, power, square, reciprocal, sqrt, cbrt, hypot
from .elementwise import exp, exp2, expm1, log, log1p, log2, log10, logaddexp, logaddexp2, sigmoid
from .elementwise import sin, cos, tan, arcsin, arccos, arctan, arctan2, deg2rad, rad2deg, sinc
from .elementwise import sinh, cosh, tanh, arcsinh, arccosh, arctanh
from .elementwise import absolute, abs, fabs, maximum, minimum, fmax, fmin, clip, nan_to_num, where
from .elementwise import sign, floor, ceil, round
from .reduction import sum, prod, mean, var, std, max, min, norm, logsumexp, cumsum, cumprod, diff
from .shaping import reshape, transpose, swapaxes, moveaxis, expand_dims, squeeze, broadcast_to
from .shaping import concatenate, stack, split, tile, repeat, flip, roll, pad, diagonal, astype
from .shaping import getitem, scatter
from .arranging import ravel, atleast_1d, atleast_2d, atleast_3d, matrix_transpose
from .arranging import vstack, hstack, dstack, column_stack, append
from .arranging import array_split, vsplit, hsplit, dsplit, flipud, fliplr, rot90, diag, trace
from .selection import take, take_along_axis, embedding, sort, tril, triu
from .linalg import matmul, linear, dot, outer
from .einsum import einsum, inner, tensordot, kron, cross
from .activation import relu, leaky_relu, elu, gelu, silu, softplus, softmax, log_softmax
from .convolution import conv1d, conv2d, conv2d_textbook, conv_transpose2d
from .windows import im2col, col2im
from .pooling import max_pool2d, avg_pool2d, adaptive_avg_pool2d, global_avg_pool2d
from .normalization import batch_norm, layer_norm, normalize
from .dropout import dropout
from .attention import scaled_dot_product_attention
from .loss import cross_entropy, nll_loss, binary_cross_entropy_with_logits, kl_div
from .loss import mse_loss, l1_loss, huber_loss

__all__ = [name for name, value in vars().items() if callable(value) and name[0] != "_"]
