"""Kaggle's Digit Recognizer: digits from its files train.csv and test.csv."""

import warnings
from itertools import zip_longest

import numpy as np

from ..files import path_of

PIXELS = [f"pixel{i}" for i in range(784)]
DIGITS = frozenset("0123456789")  # what a cell may hold: a label,
BYTES = frozenset(map(str, range(256)))  # or a pixel
MOST_LINE = 20_000  # characters; Kaggle's have 6,951 in the header, and fewer in a row


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
    path = path_of("load_kaggle", path)
    columns = _kaggle_columns(path)
    try:
        with open(path, encoding="utf-8-sig") as file, warnings.catch_warnings():
            # Where NumPy 2.0 reads 300 as the byte 44, or 1.5 as 1, it gives a warning.
            warnings.simplefilter("error", DeprecationWarning)
            rows = np.loadtxt(
                _lines(file), np.uint8, comments=None, delimiter=",", skiprows=1, ndmin=2
            )
        labels = rows[:, : len(columns) - 784]  # (N, 1), or (N, 0) where the file has none
        if rows.shape[1] != len(columns) or labels.max(initial=0) > 9:
            raise ValueError(f"expected {len(columns)} values in each row, and labels 0..9")
    except (ValueError, DeprecationWarning) as error:
        # loadtxt is fast but names no line of the file, so look for it.
        raise _first_fault(path, columns) or ValueError(f"{path}: {error}") from None
    images = rows[:, -784:].reshape(-1, 28, 28)
    return images, labels[:, 0].copy() if labels.size else None


def _lines(file):
    """The lines of an open file, none of which may have millions of cells."""
    for line in iter(lambda: file.readline(MOST_LINE), ""):
        if len(line) == MOST_LINE:
            raise ValueError(f"expected lines of less than {MOST_LINE:,} characters")
        yield line


def _kaggle_columns(path):
    """The names in the header, if it is one of Kaggle's two and digits follow."""
    with open(path, encoding="utf-8-sig", errors="replace") as file:
        found = file.readline(MOST_LINE).strip().split(",")
        first_row = file.readline(MOST_LINE).strip()
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
        lines = ((line, row.strip()) for line, row in enumerate(file, 1) if row.strip())
        next(lines)  # the header
        for line, row in lines:
            fault = _fault(row, columns)
            if fault:
                return ValueError(f"{path}: line {line}{fault}.")
    return None


def _fault(row, columns):
    """What is wrong with a row, or None."""
    if row.count(",") + 1 != len(columns):  # counted first: a row may have millions of cells
        return f": expected {len(columns)} values, got {row.count(',') + 1}"
    cells = row.split(",")
    labels, pixels = cells[:-784], cells[-784:]
    if BYTES.issuperset(pixels) and DIGITS.issuperset(labels):
        return None  # as nearly all rows: a look at each cell takes ten times as long
    for column, cell in zip(columns, map(str.strip, cells)):
        allowed, most = (DIGITS, 9) if column == "label" else (BYTES, 255)
        if (cell.lstrip("0") or cell[-1:]) not in allowed:  # 007 is a number, too
            return f", column {column}: expected a number 0..{most}, got {cell!r:.40}"
    return None
