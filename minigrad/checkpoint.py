"""Files: the weights of a model, or the whole state of a training, as .npz.

They hold arrays and load nothing else. Each is written under another name, then renamed: whatever
happens, a whole file is there.
"""

import os
import zlib
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
    arrays = read_arrays(path)
    try:
        model.load_state_dict(arrays)
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
        beside.unlink(missing_ok=True)


def read_arrays(path):
    """The arrays of an .npz, by name; never runs code, as pickles would."""
    import zipfile  # slow to import

    with open(path, "rb") as opened:
        try:
            file = np.load(opened, allow_pickle=False)
            if isinstance(file, np.ndarray):
                raise ValueError("it holds a single array, without a name")
            return {name: file[name] for name in file.files}
        except (zipfile.BadZipFile, zlib.error, EOFError, OSError, KeyError, ValueError) as error:
            raise ValueError(f"{path} is no .npz of numbers, or a damaged one: {error}.") from error


def prefixed(prefix, arrays):
    """The arrays, `prefix` and a dot before each name."""
    return {f"{prefix}.{name}": array for name, array in arrays.items()}


def below(prefix, arrays):
    """The arrays that `prefixed` named, by the names they had before."""
    start = f"{prefix}."
    return {name.removeprefix(start): a for name, a in arrays.items() if name.startswith(start)}


# ---- the whole state of a training ---------------------------------------------------------------

VERSION = 1


def _parts(run):
    """What has a state, by the prefix of its names in the file."""
    parts = {"model": run.model, "optimizer": run.optimizer, "schedule": run.schedule}
    parts |= {f"callback{i}": callback for i, callback in enumerate(run.callbacks)}
    return {prefix: part for prefix, part in parts.items() if part is not None}


def _marks(run):
    """What must be the same for a training to go on: it decides about the bits."""
    return {"version": VERSION, "seed": run.step.seed, "accumulate": run.step.accumulate,
            "batch_size": run.loader.batch_size, "examples": len(run.loader.x),
            "workers": run.step.pool(run.loader.batch_size).count}  # fmt: skip


def keep(path, run):
    """Write the state of a training: weights, optimizer, schedule, callbacks, history, counters."""
    arrays = prefixed("run", _marks(run) | {"epoch": run.epoch, "stop": run.stop})
    arrays |= prefixed("history", run.history)
    for prefix, part in _parts(run).items():
        arrays |= prefixed(prefix, part.state_dict())
    write_arrays(path, arrays)


def restore(path, run, resume):
    """Go on from a checkpoint, if there is one; all or nothing.

    Raises
    ------
    FileExistsError
        If there is one, but it is not to be resumed: it would be overwritten.
    ValueError
        If it is damaged, or of another training.
    """
    if not Path(path).exists():
        return
    if not resume:
        raise FileExistsError(f"{path} exists: go on from it with resume=True, or remove it.")
    arrays, parts = read_arrays(path), _parts(run)
    before = {prefix: part.state_dict() for prefix, part in parts.items()}
    try:
        for name, value in _marks(run).items():
            if not np.array_equal(found := arrays.get(f"run.{name}"), value):
                raise ValueError(f"{name} is {found}, expected {value}.")
        for prefix, part in parts.items():
            part.load_state_dict(below(prefix, arrays))
    except (ValueError, KeyError, TypeError) as error:
        for prefix, part in parts.items():
            part.load_state_dict(before[prefix])
        raise ValueError(f"{path} is a checkpoint of another training: {error}") from error
    run.epoch, run.stop = int(arrays["run.epoch"]), bool(arrays["run.stop"])
    run.history.update({key: v.tolist() for key, v in below("history", arrays).items()})
