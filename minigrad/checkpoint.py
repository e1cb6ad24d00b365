"""Files: the weights of a model as .npz, which loads nothing but numbers.

Files are written beside and renamed, so that whatever happens there is a whole one.
"""

import contextlib
import os
import zipfile
from pathlib import Path

import numpy as np


def save(path, model):
    """Write the model's `state_dict` as .npz, and nothing else; PyTorch's names and shapes.

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

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If it is damaged, of another model, or holds anything but numbers.
    """
    try:
        model.load_state_dict(read_arrays(path))
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error


def write_arrays(path, arrays):
    """Write arrays by name as .npz; a reader sees the old file or the new one, never half of it."""
    path = Path(path)
    if path.suffix != ".npz":
        raise ValueError(f"expected a path ending in .npz, got {path}.")
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with open(beside, "wb") as file:
            np.savez(file, **arrays)
            file.flush()
            os.fsync(file.fileno())
        os.replace(beside, path)
    finally:
        with contextlib.suppress(FileNotFoundError):
            beside.unlink()


def read_arrays(path):
    """The arrays of an .npz, by name; never runs code, as pickles would."""
    try:
        with open(path, "rb") as opened:
            file = np.load(opened, allow_pickle=False)
            if isinstance(file, np.ndarray):
                raise ValueError("expected an .npz with names, got a single array.")
            return {name: file[name] for name in file.files}
    except FileNotFoundError:
        raise
    except (zipfile.BadZipFile, EOFError, OSError, KeyError) as error:
        raise ValueError(f"no .npz, or a damaged one ({error}): get a new copy.") from error
