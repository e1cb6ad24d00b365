"""minigrad: a neural-network library in pure NumPy, to read, to trust, and fast."""

from . import autograd, data, metrics, nn, ops
from .autograd import Tensor, gradients, no_grad, primitive
from .gradcheck import GradientError, gradcheck
from .ops import *
from .transforms import grad, hessian, hvp, jacobian, value_and_grad, vjp
