"""What can be differentiated: a table of functions and their gradient rules."""

from typing import TYPE_CHECKING

from . import numpy_protocol  # binds the operators and methods of Tensor
from .activation import *
from .attention import *
from .convolution import *
from .einsum import *
from .elementwise import *
from .linalg import *
from .loss import *
from .normalization import *
from .pooling import *
from .random import dropout, manual_seed
from .reduction import *
from .selection import *
from .shaping import *

if not TYPE_CHECKING:  # public is what a room defines under a name without an underscore
    _own = {name for name, x in vars().items() if f"{__name__}." in getattr(x, "__module__", "")}
    __all__ = sorted(name for name in _own if not name.startswith("_"))
