"""Images of digits, real and drawn, and their way into a training loop."""

from minigrad.data import augment
from minigrad.data.loader import DataLoader, normalize, split
from minigrad.data.mnist import DataUnavailable, load_kaggle, load_mnist, read_idx
from minigrad.data.synthetic import synthetic_digits

__all__ = [
    "DataLoader",
    "DataUnavailable",
    "augment",
    "load_kaggle",
    "load_mnist",
    "normalize",
    "read_idx",
    "split",
    "synthetic_digits",
]
