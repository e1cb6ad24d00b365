"""A word more in errors: to which operation something came, and which other function is meant."""

import functools
import textwrap

import numpy as np


def hint(text):
    """A decorator: a TypeError of the function, as of arguments that do not fit, carries `text`."""

    def decorate(function):
        @functools.wraps(function)
        def hinting(*inputs, **keywords):
            try:
                return function(*inputs, **keywords)
            except TypeError as error:
                error.add_note(text)
                raise

        return hinting

    return decorate


def explain(row, error, values):
    """Add to what Python or NumPy says of inputs that do not fit: the operation, and what came.

    Python names the function of the row, which may be a lambda.
    """
    function = f"{getattr(row.function, '__qualname__', row.name)}()"
    if function in str(error):
        error.args = (str(error).replace(function, f"{row.name}()"),)
    got = [
        f"{x.dtype} {x.shape}" if isinstance(x, np.ndarray) else textwrap.shorten(repr(x), 80)
        for x in values
    ]
    explanation = (
        f"{row.name} expects arrays, Tensors or numbers that go together, got {', '.join(got)}: "
        "x.reshape(...), x.T and x.astype(...) change shapes and dtypes, np.array(x) makes an "
        "array of a list."
    )
    if isinstance(error, AttributeError) and not all(isinstance(x, np.ndarray) for x in values):
        raise TypeError(explanation) from error  # what came has no shape, or no dtype
    error.add_note(explanation)
