"""Arguments as they are expected, each by name: options of layers, losses, optimizers, training."""

import operator
from numbers import Real

import numpy as np

from ..autograd import Tensor

_ARRAYS = np.ndarray, np.generic, Tensor
_LISTS = tuple, list, np.ndarray


def as_array(value):
    """`np.asarray`, also of lists of different lengths: as an object."""
    try:
        return np.asarray(value)
    except ValueError:
        return np.asarray(None)


def array(name, value):
    """`value`, if it is an array or a Tensor; `name` may be a layer.

    Raises
    ------
    TypeError
        If it is anything else, such as a list, None, or the tensor of another library.

    Examples
    --------
    >>> array("x", np.ones(2))
    array([1., 1.])
    """
    if not isinstance(value, _ARRAYS):
        raise TypeError(
            f"{name} expects an array or a Tensor, got {value!r:.80}: np.array makes an array of a "
            "list, or of another library's tensor."
        )
    return value


def flag(name, value):
    """`value`, if it is True or False.

    Raises
    ------
    TypeError
        If it is anything else, such as what another argument was meant to be.

    Examples
    --------
    >>> flag("bias", True)
    True
    """
    if not isinstance(value, bool | np.bool_):
        raise TypeError(f"{name} expects True or False, got {value!r:.80}.")
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


def wholes(name, values, least=0):
    """One integer, or several in a row, as a list of ints; raises as `whole` does.

    Examples
    --------
    >>> wholes("normalized_shape", 3), wholes("normalized_shape", (2, 3))
    ([3], [2, 3])
    """
    return [whole(name, value, least) for value in np.atleast_1d(values).tolist()]


def pair(name, value, least=0):
    """(value, value) of an integer; two integers as a tuple.

    Raises
    ------
    TypeError, ValueError
        As `whole` does, or if there are more than two, or fewer.

    Examples
    --------
    >>> pair("stride", 3), pair("stride", (1, 2))
    ((3, 3), (1, 2))
    """
    if not isinstance(value, _LISTS):
        number = whole(name, value, least)
        return number, number
    if len(value) != 2:
        raise ValueError(
            f"{name} expects an integer, or two for height and width, got {value!r:.80}."
        )
    return whole(name, value[0], least), whole(name, value[1], least)


def real(name, value, least=None, most=None, above=None, below=None):
    """`value`, if it is a number within the limits that are given; of NumPy's numbers, Python's.

    A np.float64 would turn the float32 that it is multiplied by into float64.

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
    is_number = isinstance(value, Real) and not isinstance(value, bool)
    if (
        is_number
        and value == value  # no NaN
        and (least is None or value >= least)
        and (above is None or value > above)
        and (most is None or value <= most)
        and (below is None or value < below)
    ):
        return value.item() if isinstance(value, np.generic) else value
    limits = {"{} or more": least, "more than {}": above, "at most {}": most, "less than {}": below}
    words = [text.format(bound) for text, bound in limits.items() if bound is not None]
    error = ValueError if is_number else TypeError
    raise error(f"{name} expects {', '.join(['a number', *words])}, got {value!r:.80}.")
