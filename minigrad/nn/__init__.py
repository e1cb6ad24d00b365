"""Networks: modules, layers and initial weights."""

from . import init
from .convolution import Conv1D, ConvTranspose2D
from .layers import ELU, GELU, AdaptiveAvgPool, AvgPool, Conv2D, Dense, Dropout, Embedding, Flatten
from .layers import Identity, LeakyReLU, MaxPool, ReLU, Sigmoid, SiLU, Softmax, Softplus, Tanh
from .module import Module, Parameter, Sequential
from .normalization import BatchNorm, LayerNorm

# What PyTorch's `torch.nn` calls otherwise, and what stands for it here.
_PYTORCH_NAMES = {
    "Linear": "nn.Dense",
    "Conv1d": "nn.Conv1D",
    "Conv2d": "nn.Conv2D",
    "ConvTranspose2d": "nn.ConvTranspose2D",
    "MaxPool2d": "nn.MaxPool",
    "AvgPool2d": "nn.AvgPool",
    "AdaptiveAvgPool2d": "nn.AdaptiveAvgPool",
    "BatchNorm1d": "nn.BatchNorm",
    "BatchNorm2d": "nn.BatchNorm",
    "ModuleList": "a list of modules",
    "ModuleDict": "a dict of modules",
    "ParameterList": "a list of nn.Parameter",
    "CrossEntropyLoss": "the function mg.cross_entropy",
    "NLLLoss": "the function mg.nll_loss",
    "BCEWithLogitsLoss": "the function mg.binary_cross_entropy_with_logits",
    "MSELoss": "the function mg.mse_loss",
    "L1Loss": "the function mg.l1_loss",
    "HuberLoss": "the function mg.huber_loss",
}


def __getattr__(name):
    if name in _PYTORCH_NAMES:
        raise AttributeError(f"PyTorch's nn.{name} is {_PYTORCH_NAMES[name]} here.")
    raise AttributeError(f"module 'minigrad.nn' has no attribute {name!r}")
