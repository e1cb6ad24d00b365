"""Arrays by name in .npz files: the weights of a model, or whatever else has a `state_dict`.

Nothing but arrays is ever loaded from them.
"""

import zlib
from pathlib import Path

import numpy as np

from .files import replacing


def save(path, model):
    """Write the model's `state_dict` as .npz, and nothing else; names and shapes are PyTorch's.

    Parameters
    ----------
    path : path-like
        Ending in .npz; the folder is made if there is none.
    model : Module

    Examples
    --------
    >>> import tempfile, minigrad as mg
    >>> path = Path(tempfile.mkdtemp()) / "dense.npz"
    >>> save(path, mg.nn.Dense(2, 3))
    >>> load(path, mg.nn.Dense(2, 3))
    """
    write_arrays(path, model.state_dict())


def load(path, model):
    """Fill the model, in place, with what `save` wrote; all or nothing.

    A model with a new last layer takes the other weights of a file by `load_state_dict`, given the
    names without those of the layer that differs:

        with np.load(path) as file:
            old = {name: file[name] for name in file if not name.startswith("9.")}
        model.load_state_dict(old, strict=False)

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If it is damaged, of another model, or holds anything but numbers.
    """
    arrays = read_arrays(path)
    try:
        model.load_state_dict(arrays)
    except ValueError as error:
        raise ValueError(
            f"{path} is not of this model: {error} "
            "To take over only some of its layers, see the docstring of mg.load."
        ) from error


def write_arrays(path, arrays):
    """Write arrays by name as .npz; a reader sees the old file or the new one, never half of it."""
    if Path(path).suffix != ".npz":
        raise ValueError(f"expected a path ending in .npz, got {path}.")
    with replacing(path) as file:
        np.savez(file, **arrays)


def read_arrays(path):
    """The arrays of an .npz, by name; never runs code, as a pickle could."""
    import zipfile  # slow to import

    with open(path, "rb") as opened:
        try:
            file = np.load(opened, allow_pickle=False)
            if isinstance(file, np.ndarray):
                raise ValueError("it holds a single array, without a name")
            return {name: file[name] for name in file.files}
        except (zipfile.BadZipFile, zlib.error, EOFError, OSError, KeyError, ValueError) as error:
            raise ValueError(f"{path} is not an .npz of numbers, or damaged: {error}.") from error


def prefixed(prefix, arrays):
    """The arrays, with `prefix` and a dot before each name."""
    return {f"{prefix}.{name}": array for name, array in arrays.items()}


def below(prefix, arrays):
    """The arrays that `prefixed` named, by the names they had before."""
    start = f"{prefix}."
    return {name.removeprefix(start): a for name, a in arrays.items() if name.startswith(start)}
