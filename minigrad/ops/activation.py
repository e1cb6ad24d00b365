"""Activations: relu, gelu, sigmoid, softmax and their relatives, finite for inputs of +-1e4."""

import numpy as np

from ..autograd import primitive
from .elementwise import clip, exp, expm1, gate, logaddexp, sigmoid, tanh
from .reduction import sum
from .shaping import shaped

GELU_SCALE, GELU_CUBE = float(np.sqrt(2 / np.pi)), 0.044715


def _below_0(x, axis):
    """x less its maximum along an axis, so that exp cannot overflow; floats, also of bytes."""
    if np.size(x) == 0:  # nothing has no maximum
        return 1.0 * x
    return x - 1.0 * np.max(x, axis=axis, keepdims=True)


def _softmax(x, axis=-1):
    e = np.exp(_below_0(x, axis))
    return e / np.sum(e, axis=axis, keepdims=True)


def _log_softmax(x, axis=-1):
    x = _below_0(x, axis)
    return x - np.log(np.sum(np.exp(x), axis=axis, keepdims=True))


# A table is read down its columns.
# fmt: off
relu        = primitive(lambda x: np.maximum(x, 0), lambda g, y, x: gate(g, y > 0),
                        name="relu", doc="max(x, 0); its gradient at 0 is 0")
softmax     = primitive(_softmax, lambda g, y, x, axis=-1: y * (g - sum(g * y, axis, True)),
                        doc="exp(x) / sum(exp(x)) along an axis")
log_softmax = primitive(_log_softmax, lambda g, y, x, axis=-1: g - exp(y) * sum(g, axis, True),
                        doc="log(softmax(x)) along an axis, without overflow")
# fmt: on

# ---- derived: leaky_relu, softplus, elu, silu, gelu ----------------------------------------------
# clip(x, None, 0) is the negative half; at 0 the gradient is that of this half, as in PyTorch.


def leaky_relu(x, negative_slope=0.01):
    """x where positive, else negative_slope * x (Maas et al. 2013).

    Examples
    --------
    >>> leaky_relu(np.array([-1.0, 2.0]))
    array([-0.01,  2.  ])
    """
    return relu(x) + negative_slope * clip(x, None, 0)


def softplus(x):
    """log(1 + exp(x)), a smooth relu.

    Examples
    --------
    >>> float(softplus(np.array(-1e4))), float(softplus(np.array(1e4)))
    (0.0, 10000.0)
    """
    return logaddexp(x, 0)


def elu(x, alpha=1.0):
    """x where positive, else alpha * (exp(x) - 1) (Clevert et al. 2016).

    Examples
    --------
    >>> elu(np.array([-1e4, 2.0]))
    array([-1.,  2.])
    """
    return relu(x) + alpha * expm1(clip(x, None, 0))


def silu(x):
    """x * sigmoid(x), also known as swish (Elfwing et al. 2018).

    Examples
    --------
    >>> silu(np.array([-1e4, 0.0, 1e4]))
    array([   -0.,     0., 10000.])
    """
    return x * sigmoid(x)


def gelu(x):
    """x times the normal CDF at x, in its tanh approximation (Hendrycks and Gimpel 2016).

    Examples
    --------
    >>> gelu(np.array([0.0, 1.0])).round(4)
    array([0.    , 0.8412])
    """
    x = shaped(x)
    return 0.5 * x * (1 + tanh(GELU_SCALE * (x + GELU_CUBE * (x * x * x))))
