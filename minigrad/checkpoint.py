"""Arrays by name in .npz files: the weights of a model, or the state of a whole training.

Nothing but arrays is ever loaded from them.
"""

import io
import math
import os

import numpy as np

from .files import path_of, replacing
from .nn.checks import check_model
from .ops.expect import as_array

MOST_ARRAYS = 10_000  # in a file; to look at the headers of so many takes a second
MOST_EXPANSION = 20  # how much larger the arrays may be than the file, where it is compressed
KINDS = "biufcmMSU"  # of arrays: numbers, dates and text; those of objects are pickles
COMPRESSIONS = 0, 8  # none, and deflated: those that NumPy writes
HEADERS = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}


def save(path, model):
    """Write the model's `state_dict` as .npz, and nothing else; names and shapes are PyTorch's.

    Parameters
    ----------
    path : path-like
        Ending in .npz; the folder is made if there is none.
    model : Module

    Examples
    --------
    >>> import pathlib, tempfile, minigrad as mg
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "dense.npz"
    >>> save(path, mg.nn.Dense(2, 3))
    >>> load(path, mg.nn.Dense(2, 3))
    """
    path = npz_path("save(path, model)", path)
    check_model("save(path, model)", model)
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
    path = path_of("load(path, model)", path)
    check_model("load(path, model)", model)
    arrays = read_arrays(path)
    try:
        model.load_state_dict(arrays)
    except ValueError as error:
        raise ValueError(
            f"{path} is not of this model: {error} "
            "To take over only some of its layers, see the docstring of mg.load."
        ) from error


def npz_path(call, path):
    """The path of an .npz file to be written; raises a TypeError or a ValueError if it is none."""
    path = path_of(call, path)
    if path.suffix != ".npz" or path.is_dir():
        raise ValueError(f"{call} expects the path of a file, ending in .npz, got {path}.")
    return path


def write_arrays(path, arrays):
    """Write arrays by name as .npz; a reader sees the old file or the new one, never half of it."""
    import zipfile  # slow to import

    arrays = readable(arrays)
    with replacing(path) as file, zipfile.ZipFile(file, "w") as archive:
        for name, array in arrays.items():  # np.savez takes no names such as `file`
            with archive.open(f"{name}.npy", "w", force_zip64=True) as member:
                np.lib.format.write_array(member, array, allow_pickle=False)


def readable(arrays):
    """Values by name as arrays that `read_arrays` can read back.

    Raises
    ------
    TypeError
        For a value that is neither numbers nor text: it would become a pickle.
    ValueError
        For a name that an archive would change, or too many arrays.
    """
    import zipfile

    if len(arrays) > MOST_ARRAYS:
        raise ValueError(
            f"an .npz expects at most {MOST_ARRAYS:,} arrays, got {len(arrays):,}: "
            "write parts of the model to files of their own."
        )
    found = {}
    for name, value in arrays.items():
        if zipfile.ZipInfo(f"{name}.npy").filename != f"{name}.npy":  # cut off at a zero byte
            raise ValueError(f"an .npz cannot hold the name {name!r:.80}: take another one.")
        found[name] = as_array(value)
        if found[name].dtype.kind not in KINDS:
            raise TypeError(
                f"{name} expects numbers or text, got {value!r:.80}: an .npz with it in could not "
                "be read again. Give it as a number or an array, or leave it out."
            )
    return found


def read_arrays(path):
    """The arrays of an .npz, by name; never runs code, as a pickle could.

    Raises
    ------
    ValueError
        If the file is anything else, or damaged, or larger inside than its size lets expect; names
        it. Sizes are compared before anything is read.
    """
    import zipfile

    with open(path, "rb") as file:
        size = os.fstat(file.fileno()).st_size  # of this file: the path may get another meanwhile
        try:
            if file.read(6) == np.lib.format.MAGIC_PREFIX:
                raise ValueError("it holds a single array, without a name")
            with zipfile.ZipFile(file) as archive:
                members = _members(archive, most_bytes=2**20 + MOST_EXPANSION * size)
                return {name: _read(archive, member) for name, member in members.items()}
        except Exception as error:  # a damaged file may raise anything
            reason = str(error).partition("\n")[0].strip(".") or type(error).__name__
            raise ValueError(
                f"{path} is not an .npz of numbers, or damaged: {reason:.200}."
            ) from error


def _members(archive, most_bytes):
    """The members of an archive by the names of their arrays, their number and sizes checked."""
    members = {member.filename.removesuffix(".npy"): member for member in archive.infolist()}
    number = len(archive.infolist())
    size = sum(member.file_size for member in archive.infolist())
    if len(members) < number:
        raise ValueError("it has two arrays of one name")
    if number > MOST_ARRAYS:
        raise ValueError(f"it has {number:,} arrays, more than {MOST_ARRAYS:,}")
    if size > most_bytes:
        raise ValueError(
            f"its arrays have {size:,} bytes, {MOST_EXPANSION} times as many as the file and more: "
            "if that is meant, write it uncompressed, by np.savez"
        )
    for member in members.values():
        if member.compress_type not in COMPRESSIONS:
            raise ValueError(f"{member.filename} is compressed in a way that NumPy does not write")
    return members


def _read(archive, member):
    """One array of an archive; its header must tell the size that the archive tells."""
    with archive.open(member) as opened:
        # No more than the size that was compared; zipfile compares the checksum at its end.
        content = opened.read(member.file_size)
    file = io.BytesIO(content)  # no copy
    version = np.lib.format.read_magic(file)
    if version not in HEADERS:
        raise ValueError(f"{member.filename} is of version {version} of NumPy's format")
    shape, fortran_order, dtype = HEADERS[version](file)
    start = file.tell()
    # Empty text takes no bytes, however much there is.
    known = dtype.kind in KINDS and dtype.itemsize
    if not known or math.prod(shape) * dtype.itemsize != len(content) - start:
        raise ValueError(f"{member.filename} has {len(content)} bytes for {shape} {dtype}")
    order = "F" if fortran_order else "C"
    return np.ndarray(shape, dtype, content, offset=start, order=order).copy(order)
