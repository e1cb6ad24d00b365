"""minigrad: a neural-network library in pure NumPy, to read, to trust, and fast."""

from . import autograd, data, metrics, nn, ops, optim
from .autograd import Tensor, gradients, no_grad, primitive
from .callbacks import AverageWeights, Callback, EarlyStopping, KeepLast, SaveBest
from .checkpoint import load, save
from .debug import debug
from .evaluation import evaluate, predict
from .gradcheck import GradientError, gradcheck
from .graph import Graph, graph
from .lr_range import lr_range_test
from .ops import *
from .random import manual_seed
from .run import History
from .training import TrainStep, fit
from .transforms import grad, hessian, hvp, jacobian, value_and_grad, vjp


def __getattr__(name):
    if name not in ("onnx", "plot"):
        raise AttributeError(f"module 'minigrad' has no attribute {name!r}")
    import importlib  # at the first use: mg.plot takes a sixth of the time that minigrad would take

    return importlib.import_module(f"minigrad.{name}")
