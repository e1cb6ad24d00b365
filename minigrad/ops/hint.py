"""A word to those who call an operation and mean another function of the same name."""

import functools


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
