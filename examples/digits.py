"""The digits that the examples learn from: MNIST, Kaggle's copy of it, or digits drawn by NumPy."""

import os
from pathlib import Path

from minigrad import data

SYNTHETIC = 25_000, 5_000  # to learn from, and to be tested on


def load_digits(source="auto"):
    """Get digits, and say on the screen which and where from.

    Parameters
    ----------
    source : str
        - "mnist": MNIST from the folder MINIGRAD_DATA_DIR, the user's cache, or a download;
        - "synthetic": digits drawn by `data.synthetic_digits`;
        - "auto": MNIST, or synthetic digits where it cannot be had;
        - a folder with MNIST's four files; what is missing there is downloaded to it;
        - a path ending in .csv: the train.csv of Kaggle's Digit Recognizer. A seventh of it,
          the same in each run, becomes the test set, as Kaggle's test.csv has no labels.

    Returns
    -------
    train, test : pairs (images, labels) of uint8 arrays
    kind : str
        "mnist", "synthetic" or "kaggle".
    """
    if source == "auto":
        try:
            return load_digits("mnist")
        except data.DataUnavailable as error:
            print(f"{error}\n")
            return load_digits("synthetic")
    if source == "synthetic":
        n_train, n_test = SYNTHETIC
        print(f"data: {n_train:,} + {n_test:,} SYNTHETIC digits, drawn by NumPy; not MNIST")
        train = data.synthetic_digits(n_train, seed=0)
        test = data.synthetic_digits(n_test, seed=1)
        return train, test, "synthetic"
    if source.endswith(".csv"):
        return _kaggle(Path(source).expanduser())
    return _mnist(None if source == "mnist" else Path(source).expanduser())


def _mnist(root):
    if root and not root.is_dir():
        raise ValueError(
            f'expected "auto", "mnist", "synthetic", a folder or a .csv file, got {root}, '
            "which is no folder."
        )
    train, test = data.load_mnist(root)
    folder = root or os.environ.get("MINIGRAD_DATA_DIR")
    found = folder and any(Path(folder).glob("train-images*"))
    print(f"data: MNIST, from {folder if found else 'the cache that minigrad keeps'}")
    return train, test, "mnist"


def _kaggle(path):
    images, labels = data.load_kaggle(path)
    if labels is None:
        raise ValueError(f"{path} has no labels to learn from: give Kaggle's train.csv.")
    train, test = data.split(images, labels, 1 / 7)
    print(f"data: {path}, {len(images):,} digits, of which {len(test[0]):,} are the test set")
    return train, test, "kaggle"
