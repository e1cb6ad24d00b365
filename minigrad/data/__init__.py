"""Images of digits, real and drawn, and their way into a training loop."""

from . import augment
from .loader import DataLoader, normalize, split
from .mnist import DataUnavailable, load_kaggle, load_mnist, read_idx
from .synthetic import synthetic_digits
