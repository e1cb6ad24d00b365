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
import threading
import time
import zlib
from pathlib import Path

import numpy as np

from ..files import path_of

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
    if root is not None and path_of("load_mnist", root).is_file():
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

PATIENCE = 30  # seconds for a file, and one more for each LEAST_RATE bytes
LEAST_RATE = 10_000
MOST_BYTES = 20_000_000  # the largest of the files has 9.9 million


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
    packed = f"{name}.gz"
    known_hash = f"sha256:{FILES[name][0]}"
    http = pooch.HTTPDownloader(progressbar=_shows_progress(), timeout=15)

    def download(url, path, registry):
        with open(path, "wb") as file:
            _patiently(lambda: http(url, file, registry), file)

    return Path(pooch.retrieve(mirror + packed, known_hash, packed, folder, downloader=download))


def _patiently(fetch, file):
    """Call `fetch`, which writes to `file`; give up if that is too slow, however steadily it comes.

    It runs on a thread of its own, which nothing can end from outside. Once it is given up, its
    next write to the file, which is closed by then, raises an error there and ends it.
    """
    errors = []

    def run():
        try:
            fetch()
        except Exception as error:
            # A traceback holds frames, these hold the list: the cycle would keep a socket open.
            errors.append(error.with_traceback(None))

    thread = threading.Thread(target=run, daemon=True)
    start = time.monotonic()
    thread.start()
    while thread.is_alive():
        thread.join(timeout=0.1)
        size = os.fstat(file.fileno()).st_size
        seconds = time.monotonic() - start
        if seconds > PATIENCE + size / LEAST_RATE:
            raise TimeoutError(f"too slow: {size:,} bytes in {seconds:.0f} s")
        if size > MOST_BYTES:
            raise ValueError(f"too large: it has sent {size:,} bytes, and goes on")
    if errors:
        raise errors.pop()


def _shows_progress():
    if not hasattr(sys.stderr, "isatty"):  # without a console, stderr is None
        return False
    return sys.stderr.isatty() and importlib.util.find_spec("tqdm") is not None


# ---- IDX, the format of the files ----------------------------------------------------------------

MOST_EXPANSION = 100  # how much larger than its file an array may be; MNIST's are up to 5 times
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
    _, array = _content(path_of("read_idx", path))
    return array


def _content(path):
    """The bytes of an IDX file and their array; unpacked if they are gzip's, whatever its name."""
    with open(path, "rb") as file:
        size = os.fstat(file.fileno()).st_size
        packed = file.read(2) == b"\x1f\x8b"
        file.seek(0)
        if not packed:
            return _parse_idx(file, path, most=size)
        try:
            with gzip.open(file) as unpacked:
                return _parse_idx(unpacked, path, most=2**20 + MOST_EXPANSION * size)
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise ValueError(
                f"{path} cannot be unpacked by gzip ({error}). "
                "Delete it and fetch it again: load_mnist() does."
            ) from error


def _parse_idx(file, path, most):
    """The bytes of an open IDX file, and the array that they hold; `path` is named if they do not.

    Its header is read first, and then at most one byte more than that states.
    """
    header = file.read(4)
    if len(header) == 4:
        header += file.read(4 * header[3])
    shape, dtype, start = _parse_header(header, path)
    size = start + math.prod(shape) * dtype.itemsize
    if size > most:
        raise ValueError(
            f"{path} has the wrong length: shape {shape} takes {size:,} bytes, but at most "
            f"{most:,} can be in it. Delete it and fetch it again: load_mnist() does."
        )
    file.seek(0)
    content = file.read(size + 1)
    if len(content) != size:
        more = " or more" if len(content) > size else ""
        raise ValueError(
            f"{path} has the wrong length: shape {shape} takes {size} bytes, "
            f"got {len(content)}{more}. Delete it and fetch it again: load_mnist() does."
        )
    try:
        values = np.ndarray(shape, dtype, content, offset=start)
    except ValueError as error:  # more than 64 axes, or an empty one beside others that are huge
        raise ValueError(f"{path} has a shape that no array has, {shape}: {error}.") from error
    return content, values.astype(dtype.newbyteorder("="))


def _parse_header(content, path):
    """Shape, dtype, and where the values begin; `path` is named if this is no header."""
    if len(content) < 4 or content[:2] != b"\0\0" or content[2] not in IDX_TYPES:
        raise ValueError(
            f"{path} is no IDX file: expected it to start with 00 00 08, "
            f"got {content[:4].hex(' ') or 'nothing'}. "
            "Delete it and fetch it again: load_mnist() does."
        )
    dtype = np.dtype(IDX_TYPES[content[2]])
    ndim = content[3]
    start = 4 + 4 * ndim
    if len(content) < start:
        raise ValueError(
            f"{path} is cut off: expected a header of {start} bytes, got {len(content)}. "
            "Delete it and fetch it again: load_mnist() does."
        )
    return struct.unpack_from(f">{ndim}I", content, offset=4), dtype, start


def _read_checked(name, path):
    """The array in `path`, if that is the MNIST file `name`, bit for bit."""
    import hashlib  # slow to import

    content, array = _content(path)
    digest = hashlib.sha256(content).hexdigest()
    if digest != FILES[name][1]:
        known = {sha: other for other, (_, sha) in FILES.items()}
        raise ValueError(
            f"{path} does not hold MNIST's {name} but {known.get(digest, 'something else')} "
            f"(sha256 {digest}). Delete it and fetch it again: load_mnist() does."
        )
    return array
