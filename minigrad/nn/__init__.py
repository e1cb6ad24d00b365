"""Networks: modules, layers and initial weights."""

from . import init
from .layers import GELU, AvgPool, Conv2D, Dense, Dropout, Embedding, Flatten, LeakyReLU, MaxPool
from .layers import ReLU, Sigmoid, SiLU, Softmax, Tanh
from .module import Module, Parameter, Sequential
from .normalization import BatchNorm, LayerNorm
