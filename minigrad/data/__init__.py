"""Images of digits, real and drawn, and their way into a training loop."""

from . import augment
from .kaggle import load_kaggle
from .loader import DataLoader, normalize, split
from .mnist import DataUnavailable, load_mnist, read_idx
from .synthetic import synthetic_digits
