"""MNIST from files: find or download them, check them, and turn them into arrays.

The images are handwritten digits collected by Y. LeCun, C. Cortes and C. J. C. Burges. No file of
theirs comes with this package. Whatever is read, from whichever place, must have the known sha256.
"""

import gzip
import importlib.util
import math
import os
import struct
import sys
import zlib
from pathlib import Path

import numpy as np

MIRRORS = (
    "https://ossci-datasets.s3.amazonaws.com/mnist/",
    "https://storage.googleapis.com/cvdf-datasets/mnist/",
)

# Each file's sha256: of the official .gz, and of its content. (Unformatted: a hash to a line.)
# fmt: off
FILES = {
    "train-images-idx3-ubyte": ("440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
                                "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db"),
    "train-labels-idx1-ubyte": ("3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
                                "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5"),
    "t10k-images-idx3-ubyte":  ("8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
                                "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7"),
    "t10k-labels-idx1-ubyte":  ("f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
                                "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2"),
}
# fmt: on


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
        Where to look first, and where to download to; the user's cache if left out.
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
        paths |= _download(missing, places, into=places[0] if root else places[-1])
    x_train, y_train, x_test, y_test = (_read_checked(name, paths[name]) for name in FILES)
    return (x_train, y_train), (x_test, y_test)


# ---- where the files are: root, MINIGRAD_DATA_DIR, the user's cache ------------------------------


def _places(root):
    """The folders to look in, in turn."""
    named = [root, os.environ.get("MINIGRAD_DATA_DIR")]
    return [Path(place).expanduser() for place in named if place] + [_cache()]


def _cache():
    variable = "LOCALAPPDATA" if sys.platform == "win32" else "XDG_CACHE_HOME"
    usual = {"win32": "~/AppData/Local", "darwin": "~/Library/Caches"}.get(sys.platform, "~/.cache")
    return Path(os.environ.get(variable) or usual).expanduser() / "minigrad"


def _find(name, places):
    """The first file of that name, or None. Some copies write a dot: train-images.idx3-ubyte."""
    spellings = [name, name.replace("-idx", ".idx")]
    candidates = [p / (s + end) for p in places for s in spellings for end in (".gz", "")]
    return next((path for path in candidates if path.is_file()), None)


def _unavailable(missing, places, why):
    return DataUnavailable(
        f"MNIST is incomplete: {', '.join(missing)} not found in {', '.join(map(str, places))}.\n"
        f"{why}\nWays out:\n"
        "- load_mnist() with a network and pooch (pip install pooch), which downloads the files;\n"
        f"- the files of {' or '.join(MIRRORS)} in a folder that is root or MINIGRAD_DATA_DIR;\n"
        "- minigrad.data.synthetic_digits(n), which draws digits and needs no file."
    )


# ---- downloading: pooch, mirror by mirror --------------------------------------------------------


def _download(names, places, into):
    """Fetch files into a folder. Returns {name: path}."""
    try:
        import pooch
    except ImportError:
        raise _unavailable(names, places, "They cannot be downloaded without pooch.") from None
    failures = []
    for mirror in MIRRORS:
        try:
            return {name: _fetch(pooch, mirror, name, into) for name in names}
        except (OSError, ValueError) as error:  # no connection, 404, full disk; a wrong checksum
            failures.append(f"- {mirror}: {error}")
    raise _unavailable(names, places, "\n".join(["No mirror helped:", *failures]))


def _fetch(pooch, mirror, name, folder):
    """Download one file; pooch checks it under a temporary name and renames it when it is right."""
    file, known_hash = f"{name}.gz", f"sha256:{FILES[name][0]}"
    downloader = pooch.HTTPDownloader(progressbar=_shows_progress(), timeout=15)
    return Path(pooch.retrieve(mirror + file, known_hash, file, folder, downloader=downloader))


def _shows_progress():
    to_terminal = getattr(sys.stderr, "isatty", bool)()  # without a console, stderr is None
    return to_terminal and importlib.util.find_spec("tqdm") is not None


# ---- IDX, the format of the files ----------------------------------------------------------------

IDX_TYPES = {0x08: "u1", 0x09: "i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}


def read_idx(path):
    """Read an array from an IDX file, the format of MNIST, compressed with gzip or not.

    Two zero bytes, the type, the number of axes, their lengths (4 bytes each, as all numbers
    big-endian), the values.

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
        If the file is no IDX file, or longer or shorter than it states.

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
        raise _damaged(path, f"cannot be unpacked by gzip ({error})") from error


def _parse_idx(content, path):
    if len(content) < 4 or content[:2] != b"\0\0" or content[2] not in IDX_TYPES:
        start = content[:4].hex(" ") or "nothing"
        raise _damaged(path, f"is no IDX file: expected it to start with 00 00 08, got {start}")
    dtype, ndim = np.dtype(IDX_TYPES[content[2]]), content[3]
    start, got = 4 + 4 * ndim, len(content)
    if got < start:
        raise _damaged(path, f"is cut off: expected a header of {start} bytes, got {got}")
    shape = struct.unpack_from(f">{ndim}I", content, offset=4)
    size = start + math.prod(shape) * dtype.itemsize
    if got != size:
        raise _damaged(path, f"has the wrong length: shape {shape} takes {size} bytes, got {got}")
    return np.ndarray(shape, dtype, content, offset=start).astype(dtype.newbyteorder("="))


def _read_checked(name, path):
    """The array in `path`, if that is the MNIST file `name`, bit by bit."""
    content = _content(path)
    array = _parse_idx(content, path)
    import hashlib  # slow to import

    digest = hashlib.sha256(content).hexdigest()
    if digest != FILES[name][1]:
        twin = next((n for n, (_, sha) in FILES.items() if sha == digest), "another content")
        raise _damaged(path, f"does not hold MNIST's {name} but {twin} (sha256 {digest})")
    return array


def _damaged(path, what):
    return ValueError(f"{path} {what}. Delete it and fetch it again: load_mnist() does.")


# ---- Kaggle's Digit Recognizer: CSV --------------------------------------------------------------

PIXELS = ",".join(f"pixel{i}" for i in range(784))


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
        If the header, a row or a value is not as expected; NumPy's words say where.

    Examples
    --------
    >>> images, labels = load_kaggle("train.csv")  # doctest: +SKIP
    >>> images.shape, labels.shape  # doctest: +SKIP
    ((42000, 28, 28), (42000,))
    """
    labeled = _has_labels(path)
    try:
        rows = np.loadtxt(path, np.uint8, comments=None, delimiter=",", skiprows=1, ndmin=2)
        images = rows[:, labeled:].reshape(len(rows), 28, 28)
    except ValueError as error:
        raise ValueError(f"{path} expects 784 pixels of 0..255 in each row: {error}") from None
    labels = rows[:, 0].copy() if labeled else None
    if labeled and labels.max() > 9:
        raise ValueError(f"{path} expects labels 0..9, got {labels.max()}")
    return images, labels


def _has_labels(path):
    """Whether a file is Kaggle's train.csv; an error if it is not its test.csv either."""
    with open(path, encoding="utf-8-sig", errors="replace") as file:
        header, first_row = file.readline().strip(), file.readline().strip()
    if header.removeprefix("label,") != PIXELS or not first_row:
        wish = "expected Kaggle's header label,pixel0,...,pixel783, or without label, digits below"
        raise ValueError(f"{path}: {wish}, got {header[:40]!r} and {first_row[:40]!r}.")
    return header.startswith("label,")
