"""Networks: modules, layers and initial weights."""

from . import init
from .layers import (
    GELU,
    AvgPool,
    BatchNorm,
    Conv2D,
    Dense,
    Dropout,
    Embedding,
    Flatten,
    LayerNorm,
    LeakyReLU,
    MaxPool,
    ReLU,
    Sigmoid,
    SiLU,
    Softmax,
    Tanh,
)
from .module import Module, Parameter, Sequential

__all__ = [
    "GELU", "AvgPool", "BatchNorm", "Conv2D", "Dense", "Dropout", "Embedding", "Flatten",
    "LayerNorm", "LeakyReLU", "MaxPool", "Module", "Parameter", "ReLU", "Sequential", "SiLU",
    "Sigmoid", "Softmax", "Tanh", "init",
]  # fmt: skip
