"""MNIST from files: find or download them, check them, and turn them into arrays.

The images are handwritten digits collected by Y. LeCun, C. Cortes and C. J. C. Burges. None of
their files comes with this package. Wherever a file was found, its sha256 must be the known one.
"""

import gzip
import importlib.util
import math
import os
import struct
import sys
import zlib
from itertools import zip_longest
from pathlib import Path

import numpy as np

MIRRORS = (
    "https://ossci-datasets.s3.amazonaws.com/mnist/",
    "https://storage.googleapis.com/cvdf-datasets/mnist/",
)

# Each file's sha256: first of the official .gz, then of its content.
FILES = {
    "train-images-idx3-ubyte": (
        "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
        "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
    ),
    "train-labels-idx1-ubyte": (
        "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
        "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
    ),
    "t10k-images-idx3-ubyte": (
        "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
        "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
    ),
    "t10k-labels-idx1-ubyte": (
        "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
        "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
    ),
}


class DataUnavailable(OSError):
    """A data set is not on this machine and cannot be fetched; the message lists the ways out."""


def load_mnist(root=None, download=True):
    """The MNIST database: 60,000 handwritten digits to learn from and 10,000 to be tested on.

    Each of the four files is looked for in `root`, in the folder that the environment variable
    `MINIGRAD_DATA_DIR` names, and in the user's cache (`~/.cache/minigrad` on Linux). The files may
    be compressed (.gz) or not. What is found nowhere is downloaded with pooch.

    Parameters
    ----------
    root : path of a folder, optional
        Where to look first, and where to download to. If left out, downloads go to the user's
        cache.
    download : bool
        Whether to download what is missing.

    Returns
    -------
    (x_train, y_train), (x_test, y_test) : pairs of ndarray of uint8
        Images of shape (60000, 28, 28) and (10000, 28, 28), white (255) on black (0); labels 0..9.

    Raises
    ------
    ValueError
        If a file is damaged or holds something else; it is named.
    DataUnavailable
        If a file is missing and cannot be downloaded: no network, no pooch, `download=False`.

    Examples
    --------
    >>> (x_train, y_train), (x_test, y_test) = load_mnist()  # doctest: +SKIP
    >>> x_train.shape, y_train[:5].tolist()  # doctest: +SKIP
    ((60000, 28, 28), [5, 0, 4, 1, 9])
    """
    places = _places(root)
    paths = {name: _find(name, places) for name in FILES}
    missing = [name for name, path in paths.items() if path is None]
    if missing and not download:
        raise _unavailable(missing, places, "Nothing was downloaded, as download=False.")
    if missing:
        folder = places[0] if root else places[-1]  # root, or else the user's cache
        paths |= _download(missing, places, folder)
    x_train, y_train, x_test, y_test = (_read_checked(name, paths[name]) for name in FILES)
    return (x_train, y_train), (x_test, y_test)


# ---- where the files are: root, MINIGRAD_DATA_DIR, the user's cache ------------------------------


def _places(root):
    """The folders to look in, in turn."""
    if root and Path(root).expanduser().is_file():
        raise ValueError(
            f"load_mnist expects a folder, got the file {root}. "
            "A .csv file from Kaggle is read by load_kaggle."
        )
    named = [root, os.environ.get("MINIGRAD_DATA_DIR")]
    return [Path(place).expanduser() for place in named if place] + [_cache()]


def _cache():
    """The user's folder for data that can be fetched again, as each system has it."""
    variable = "LOCALAPPDATA" if sys.platform == "win32" else "XDG_CACHE_HOME"
    usual = {"win32": "~/AppData/Local", "darwin": "~/Library/Caches"}.get(sys.platform, "~/.cache")
    return Path(os.environ.get(variable) or usual).expanduser() / "minigrad"


def _find(name, places):
    """The first file of that name, or None. Some copies write a dot: train-images.idx3-ubyte."""
    for place in places:
        for spelling in (name, name.replace("-idx", ".idx")):
            for ending in (".gz", ""):
                path = place / (spelling + ending)
                if path.is_file():
                    return path
    return None


def _unavailable(missing, places, why):
    """The error that lists the ways out; `why` is a sentence."""
    return DataUnavailable(
        f"MNIST is incomplete: {', '.join(missing)} not found in {', '.join(map(str, places))}.\n"
        f"{why}\nWays out:\n"
        "- load_mnist() with a network and pooch (pip install pooch), which downloads the files;\n"
        f"- the files of {' or '.join(MIRRORS)} in a folder that is root or MINIGRAD_DATA_DIR;\n"
        "- minigrad.data.synthetic_digits(n), which draws digits and needs no file."
    )


# ---- downloading: pooch, mirror by mirror --------------------------------------------------------


def _download(names, places, folder):
    """Fetch files into a folder. Returns {name: path}."""
    try:
        import pooch
    except ImportError:
        raise _unavailable(names, places, "They cannot be downloaded without pooch.") from None
    failures = []
    for mirror in MIRRORS:
        try:
            return {name: _fetch(pooch, mirror, name, folder) for name in names}
        except (OSError, ValueError) as error:  # no connection, 404, full disk; a wrong sha256
            failures.append(f"- {mirror}: {error}")
    raise _unavailable(names, places, "\n".join(["No mirror helped:", *failures]))


def _fetch(pooch, mirror, name, folder):
    """Download one file; pooch checks it under a temporary name and renames it when it is right."""
    file = f"{name}.gz"
    known_hash = f"sha256:{FILES[name][0]}"
    downloader = pooch.HTTPDownloader(progressbar=_shows_progress(), timeout=15)
    return Path(pooch.retrieve(mirror + file, known_hash, file, folder, downloader=downloader))


def _shows_progress():
    if not hasattr(sys.stderr, "isatty"):  # without a console, stderr is None
        return False
    return sys.stderr.isatty() and importlib.util.find_spec("tqdm") is not None


# ---- IDX, the format of the files ----------------------------------------------------------------

IDX_TYPES = {0x08: "u1", 0x09: "i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}


def read_idx(path):
    """Read an array from an IDX file, the format of MNIST, compressed with gzip or not.

    Two zero bytes, a byte for the type, a byte for the number of axes, their lengths (4 bytes
    each), the values. All numbers are big-endian.

    Parameters
    ----------
    path : path of a file

    Returns
    -------
    ndarray
        Of the shape and type that the file states, in this machine's byte order.

    Raises
    ------
    ValueError
        If the file is no IDX file, or is longer or shorter than it states.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "tiny-idx1-ubyte"
    ...     _ = path.write_bytes(bytes([0, 0, 8, 1, 0, 0, 0, 3, 5, 0, 4]))
    ...     read_idx(path)
    array([5, 0, 4], dtype=uint8)
    """
    return _parse_idx(_content(path), path)


def _content(path):
    """The bytes of a file, unpacked if they start as gzip's do, whatever its name says."""
    data = Path(path).read_bytes()
    if not data.startswith(b"\x1f\x8b"):
        return data
    try:
        return gzip.decompress(data)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise ValueError(
            f"{path} cannot be unpacked by gzip ({error}). "
            "Delete it and fetch it again: load_mnist() does."
        ) from error


def _parse_idx(content, path):
    """The array that the bytes of an IDX file hold; `path` is named if they hold none."""
    if len(content) < 4 or content[:2] != b"\0\0" or content[2] not in IDX_TYPES:
        raise ValueError(
            f"{path} is no IDX file: expected it to start with 00 00 08, "
            f"got {content[:4].hex(' ') or 'nothing'}. "
            "Delete it and fetch it again: load_mnist() does."
        )
    dtype = np.dtype(IDX_TYPES[content[2]])
    ndim = content[3]
    start = 4 + 4 * ndim  # where the values begin
    if len(content) < start:
        raise ValueError(
            f"{path} is cut off: expected a header of {start} bytes, got {len(content)}. "
            "Delete it and fetch it again: load_mnist() does."
        )
    shape = struct.unpack_from(f">{ndim}I", content, offset=4)
    size = start + math.prod(shape) * dtype.itemsize
    if len(content) != size:
        raise ValueError(
            f"{path} has the wrong length: shape {shape} takes {size} bytes, got {len(content)}. "
            "Delete it and fetch it again: load_mnist() does."
        )
    return np.ndarray(shape, dtype, content, offset=start).astype(dtype.newbyteorder("="))


def _read_checked(name, path):
    """The array in `path`, if that is the MNIST file `name`, bit for bit."""
    import hashlib  # slow to import

    content = _content(path)
    array = _parse_idx(content, path)
    digest = hashlib.sha256(content).hexdigest()
    if digest != FILES[name][1]:
        known = {sha: other for other, (_, sha) in FILES.items()}
        raise ValueError(
            f"{path} does not hold MNIST's {name} but {known.get(digest, 'something else')} "
            f"(sha256 {digest}). Delete it and fetch it again: load_mnist() does."
        )
    return array


# ---- Kaggle's Digit Recognizer: CSV --------------------------------------------------------------

PIXELS = [f"pixel{i}" for i in range(784)]


def load_kaggle(path):
    """Read a file of Kaggle's Digit Recognizer: train.csv (42,000 digits) or test.csv (28,000).

    Parameters
    ----------
    path : path of a .csv file
        With the header `label,pixel0,...,pixel783`, or `pixel0,...,pixel783` without labels.

    Returns
    -------
    images : ndarray of uint8, shape (N, 28, 28)
    labels : ndarray of uint8, shape (N,), or None for a file without labels

    Raises
    ------
    ValueError
        If the header, a row or a value is not as expected; its line and column are named.

    Examples
    --------
    >>> images, labels = load_kaggle("train.csv")  # doctest: +SKIP
    >>> images.shape, labels.shape  # doctest: +SKIP
    ((42000, 28, 28), (42000,))
    """
    columns = _kaggle_columns(path)
    try:
        rows = np.loadtxt(path, np.uint8, comments=None, delimiter=",", skiprows=1, ndmin=2)
        labels = rows[:, : len(columns) - 784]  # (N, 1), or (N, 0) where the file has none
        if rows.shape[1] != len(columns) or labels.max(initial=0) > 9:
            raise ValueError(f"expected {len(columns)} values in each row, and labels 0..9")
    except ValueError as error:  # loadtxt is fast but names no line of the file, so look for it
        raise _first_fault(path, columns) or ValueError(f"{path}: {error}") from None
    images = rows[:, -784:].reshape(-1, 28, 28)
    return images, labels[:, 0].copy() if labels.size else None


def _kaggle_columns(path):
    """The names in the header, if it is one of Kaggle's two and digits follow."""
    with open(path, encoding="utf-8-sig", errors="replace") as file:
        found = file.readline().strip().split(",")
        first_row = file.readline().strip()
    columns = PIXELS if found[0] == "pixel0" else ["label", *PIXELS]
    for number, (name, got) in enumerate(zip_longest(columns, found), 1):
        if name != got:
            raise ValueError(
                f"{path}, line 1, column {number}: expected {name or 'no more columns'}, "
                f"got {(got or 'nothing')[:40]}. Is this a file of Kaggle's Digit Recognizer?"
            )
    if not first_row:
        raise ValueError(f"{path}: expected digits from line 2 on, got a header alone.")
    return columns


def _first_fault(path, columns):
    """The error that names the first wrong cell by its line and column, or None."""
    with open(path, encoding="utf-8", errors="replace") as file:
        rows = [(line, row.split(",")) for line, row in enumerate(file, 1) if row.strip()]
    for line, cells in rows[1:]:
        if len(cells) != len(columns):
            return ValueError(
                f"{path}: line {line}: expected {len(columns)} values, got {len(cells)}."
            )
        for column, cell in zip(columns, map(str.strip, cells)):
            most = 9 if column == "label" else 255
            if not cell.isdecimal() or int(cell) > most:
                return ValueError(
                    f"{path}: line {line}, column {column}: "
                    f"expected a number 0..{most}, got {cell!r}."
                )
    return None
