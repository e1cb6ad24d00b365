"""Arguments as they are expected, each by name: options of layers, losses, optimizers, training."""

import operator
from numbers import Real

import numpy as np

from ..autograd import Tensor


def array(name, value):
    """`value`, if it is an array or a Tensor.

    Raises
    ------
    TypeError
        If it is anything else, such as a list, None, or the tensor of another library.

    Examples
    --------
    >>> array("x", np.ones(2))
    array([1., 1.])
    """
    if not isinstance(value, np.ndarray | np.generic | Tensor):
        raise TypeError(
            f"{name} expects an array or a Tensor, got {value!r:.80}: np.array makes an array of a "
            "list, or of another library's tensor."
        )
    return value


def whole(name, value, least=0):
    """`value` as an int.

    Raises
    ------
    TypeError
        If it is no integer, such as 2.0 or "2".
    ValueError
        If it is below `least`.

    Examples
    --------
    >>> whole("batch_size", 64, least=1)
    64
    """
    try:
        number = operator.index(None if isinstance(value, bool) else value)
    except TypeError:
        raise TypeError(
            f"{name} expects an integer of {least} or more, got {value!r:.80}: int(...) makes one, "
            "and a // b divides integers into one."
        ) from None
    if number < least:
        raise ValueError(f"{name} expects an integer of {least} or more, got {value!r:.80}.")
    return number


def pair(value, name="pair", least=0):
    """(value, value) of an integer; two integers as a tuple.

    Raises
    ------
    TypeError, ValueError
        As `whole` does, or if there are more than two, or fewer.

    Examples
    --------
    >>> pair(3), pair((1, 2))
    ((3, 3), (1, 2))
    """
    values = value if isinstance(value, tuple | list | np.ndarray) else (value, value)
    if len(values) != 2:
        raise ValueError(
            f"{name} expects an integer, or two for height and width, got {value!r:.80}."
        )
    return tuple(whole(name, number, least) for number in values)


def real(name, value, least=None, most=None, above=None, below=None):
    """`value`, if it is a number within the limits that are given.

    Raises
    ------
    TypeError
        If it is no number.
    ValueError
        If it is outside, or not a number (NaN).

    Examples
    --------
    >>> real("p", 0.5, least=0, below=1)
    0.5
    """
    limits = [
        (least, "{} or more", operator.ge),
        (above, "more than {}", operator.gt),
        (most, "at most {}", operator.le),
        (below, "less than {}", operator.lt),
    ]
    limits = [limit for limit in limits if limit[0] is not None]
    words = ["a number", *(words.format(bound) for bound, words, _ in limits)]
    error = f"{name} expects {', '.join(words)}, got {value!r:.80}."
    if not isinstance(value, Real) or isinstance(value, bool):
        raise TypeError(error)
    if value != value or not all(compare(value, bound) for bound, _, compare in limits):
        raise ValueError(error)
    return value
