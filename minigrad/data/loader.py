"""From images to batches: normalize, hold some back for validation, hand out in batches."""

from collections.abc import Iterable, Iterator

import numpy as np

from ..ops.expect import flag, real, whole
from ..random import stream

MEAN, STD = 0.1307, 0.3081  # of all pixels of MNIST's 60,000 training images, divided by 255


# ---- preparing: normalize, split -----------------------------------------------------------------


def normalize(images):
    """Gray images as the input of a network: centered, scaled, with a channel axis.

    Computes `(images / 255 - 0.1307) / 0.3081`, with the mean and standard deviation of MNIST's
    training images. The same numbers serve test images, synthetic digits and Kaggle's files: a
    network must see at test time what it saw in training.

    Parameters
    ----------
    images : ndarray of uint8, shape (N, H, W)

    Returns
    -------
    ndarray of float32, shape (N, 1, H, W)

    Raises
    ------
    TypeError
        If `images` is not an array of uint8, as when it has been normalized already.
    ValueError
        If its shape is not (N, H, W).

    Examples
    --------
    >>> import numpy as np
    >>> x = normalize(np.array([[[0, 255]]], dtype=np.uint8))
    >>> x.shape, x.dtype
    ((1, 1, 1, 2), dtype('float32'))
    >>> x.ravel().round(4).tolist() == np.float32([-0.4242, 2.8215]).tolist()
    True
    """
    dtype = getattr(images, "dtype", type(images).__name__)
    if dtype != np.uint8:
        raise TypeError(
            f"normalize expects an array of uint8, got {dtype}. Images are normalized once; "
            "pixels from 0 to 1 become bytes by np.uint8(np.round(255 * x)). "
            "To normalize floats by a mean and a variance, use mg.normalize(x, mean, var)."
        )
    if images.ndim != 3:
        raise ValueError(
            f"normalize expects shape (N, H, W), got {images.shape}: images[None] makes a batch of "
            "one image, .reshape(-1, 28, 28) makes images of rows."
        )
    x = np.divide(images, 255, dtype=np.float32)  # without dtype, NumPy divides in float64
    x -= MEAN
    x /= STD
    return x[:, None]  # (N, 1, H, W)


def split(x, y, validation=0.1, seed=0):
    """Hold back a random share of the training data, to base choices on.

    Parameters
    ----------
    x, y : ndarray, shapes (N, ...)
    validation : float, between 0 and 1
        The share to hold back; `round(N * validation)` examples.
    seed : int
        The same seed gives the same split.

    Returns
    -------
    (x_train, y_train), (x_validation, y_validation) : pairs of ndarray
        Copies, in random order.

    Raises
    ------
    TypeError, ValueError
        If `x` and `y` are not arrays of equal length, or either part would be empty.

    Examples
    --------
    >>> import numpy as np
    >>> x = np.arange(10)
    >>> (x_train, y_train), (x_val, y_val) = split(x, x % 2, validation=0.2)
    >>> len(x_train), len(x_val), sorted([*x_train, *x_val]) == list(range(10))
    (8, 2, True)
    """
    if isinstance(y, int):
        raise TypeError(
            f"data.split(x, y) holds back a share of two arrays, got {y} as y. "
            f"To cut one array into {y} equal parts, use mg.split(x, {y})."
        )
    _check_pair("split", x, y)
    real("the share validation", validation, above=0, below=1)
    whole("seed", seed)
    count = round(len(x) * validation)
    if count in (0, len(x)):
        raise ValueError(
            "split expects a share 0 < validation < 1 that leaves at least one example on each "
            f"side, got {validation} of {len(x)} examples."
        )
    order = stream(seed, "split").permutation(len(x))
    held, rest = order[:count], order[count:]
    return (x[rest], y[rest]), (x[held], y[held])


def _check_pair(caller, x, y):
    for name, array in (("x", x), ("y", y)):
        if name == "y" and isinstance(array, int):
            raise TypeError(
                f"{caller} expects y, the targets, as a NumPy array, got {array}: "
                f"is batch_size={array} meant?"
            )
        if not isinstance(array, np.ndarray):
            raise TypeError(
                f"{caller} expects {name} as a NumPy array, got {type(array).__name__}: "
                f"np.array({name}) makes one of a list, {name}.numpy() of a tensor."
            )
        if array.ndim == 0:
            raise TypeError(
                f"{caller} expects {name} as an array of examples, got one without axes: "
                f"np.atleast_1d({name}) is one of a single example."
            )
    if len(x) != len(y):
        raise ValueError(
            f"{caller} needs a target for each example, got {len(x)} examples and {len(y)} targets."
        )


# ---- batches: DataLoader -------------------------------------------------------------------------


class DataLoader:
    """Hands out a data set in batches, in a new order each epoch.

    Each pass, `for x_batch, y_batch in loader`, is one epoch. The order depends only on `seed` and
    the number of the epoch, so setting `loader.epoch` resumes a training run where it stopped.
    Loops by hand go on from epoch to epoch, also from one loop to the next. `fit` does not: it sets
    `loader.epoch`, and starts at epoch 0 each time.

    Parameters
    ----------
    x : ndarray, shape (N, ...)
        Kept as it is, never copied as a whole, like `y`.
    y : ndarray, shape (N, ...), optional
        Without it, a pass gives x_batch alone instead of pairs, and the loader does for loops by
        hand, but not for `fit` and `evaluate`.
    batch_size : int
    shuffle : bool
        Without it, batches are slices of `x` and `y` in their own order: views, so that writing to
        a batch changes the data.
    seed : int
    transform : function of (x_batch, rng), optional
        Returns the batch to use instead, for random shifts and the like; `rng` is a
        `numpy.random.Generator` of its own for each batch.
    drop_last : bool
        Leave out the last batch of a pass if it is smaller than the others.

    Attributes
    ----------
    epoch : int
        The number of the next pass; each pass that starts adds one.

    Raises
    ------
    TypeError, ValueError
        If `x` and `y` are not arrays of equal length, or there would be no batch.

    Examples
    --------
    >>> import numpy as np
    >>> x = np.arange(5)
    >>> [batch.tolist() for batch in DataLoader(x, batch_size=2, shuffle=False)]
    [[0, 1], [2, 3], [4]]
    >>> loader = DataLoader(x, 10 * x, batch_size=2, shuffle=False)
    >>> [(a.tolist(), b.tolist()) for a, b in loader]
    [([0, 1], [0, 10]), ([2, 3], [20, 30]), ([4], [40])]
    >>> len(loader), loader.epoch
    (3, 1)
    """

    def __init__(
        self, x, y=None, batch_size=64, shuffle=True, seed=0, transform=None, drop_last=False
    ):
        _check_pair("DataLoader", x, x if y is None else y)
        if transform is not None and not callable(transform):
            raise TypeError(
                f"transform expects a function of (x_batch, rng), got {transform!r:.80}: pass the "
                "function itself, or leave transform= out."
            )
        self.x = x
        self.y = y
        self.batch_size = whole("batch_size", batch_size, least=1)
        self.shuffle = flag("shuffle", shuffle)
        self.seed = whole("seed", seed)
        self.transform = transform
        self.drop_last = flag("drop_last", drop_last)
        self.epoch = 0
        if len(self) == 0:
            raise ValueError(
                "DataLoader expects enough examples for a batch: "
                f"{batch_size=} with {drop_last=} makes no batch of {len(x)} examples."
            )

    def __repr__(self):
        order = "shuffled" if self.shuffle else "in order"
        return (
            f"<DataLoader of {len(self.x):,} examples in {len(self):,} batches of "
            f"{self.batch_size}, {order}: x {_dtype_and_shape(self.x)}, "
            f"y {_dtype_and_shape(self.y)}; next is epoch {self.epoch}>"
        )

    def __len__(self):
        """Batches in one pass."""
        count = len(self.x)
        return count // self.batch_size if self.drop_last else -(-count // self.batch_size)

    def __iter__(self):
        """Start the next epoch."""
        epoch = self.epoch
        for step, (x, y) in enumerate(self.plain_batches()):
            x = self.transformed(x, epoch, step)
            yield x if self.y is None else (x, y)

    def plain_batches(self):
        """The next epoch's batches as pairs (x, y), not transformed; y may be None."""
        order = stream(self.seed, "shuffle", self.epoch).permutation(len(self.x))
        self.epoch += 1
        for start in range(0, len(self) * self.batch_size, self.batch_size):
            batch = slice(start, start + self.batch_size)
            if self.shuffle:
                batch = order[batch]
            yield self.x[batch], None if self.y is None else self.y[batch]

    def in_order(self, step, size):
        """Batch number `step` of so many, in the order of the data, transformed; for `evaluate`."""
        batch = slice(step * size, (step + 1) * size)
        return self.transformed(self.x[batch], self.epoch, step), self.y[batch]

    def transformed(self, x, epoch, step, shard=0):
        """A batch, or a shard of it, after `transform`, which draws from a stream of its own."""
        if self.transform is None:
            return x
        batch = self.transform(x, stream(self.seed, "augment", epoch, step, shard))
        if batch is None:
            raise TypeError(
                "transform(x_batch, rng) expects to return a batch, got None: does it end with a "
                "return?"
            )
        return batch


def _dtype_and_shape(array):
    return "None" if array is None else f"{array.dtype} {array.shape}"


# ---- what fit and evaluate take ------------------------------------------------------------------


def loader_of(data, batch_size, seed=0):
    """What hands out batches (x, y): a pair of arrays as a DataLoader, anything else as it is.

    Raises
    ------
    TypeError, ValueError
        If `data` is neither a pair of arrays nor a DataLoader with targets nor another iterable
        that can be passed over again and again; if it is an empty list.
    """
    if _is_pair(data) and not all(map(_is_batch, data)):  # a list of two batches is no pair
        data = DataLoader(*data, batch_size, seed=seed)
    if isinstance(data, tuple | list) and not data:
        raise ValueError("an empty list gave no batch: expected a pair (x, y) of arrays.")
    if isinstance(data, tuple | list) and not all(map(_is_batch, data)):
        raise TypeError(
            f"expected a pair (x, y) of arrays, or a list of such batches, got {len(data)} of "
            f"{', '.join(sorted({type(part).__name__ for part in data}))}."
        )
    if is_plain(data) and data.y is None:
        raise TypeError(
            "expected a DataLoader with targets, got one of x alone: DataLoader(x, y), or "
            "DataLoader(x, x) for a network that restores its inputs."
        )
    if isinstance(data, Iterator):
        raise TypeError(
            f"expected batches for several passes, got {type(data).__name__}, which is used up "
            "after one: pass a list of its batches, or an object whose __iter__ starts anew."
        )
    if not isinstance(data, Iterable) or isinstance(data, np.ndarray | dict | str):
        raise TypeError(
            f"expected a pair (x, y) or a DataLoader, got {type(data).__name__}: put two arrays "
            "into one tuple, (x, y); any other iterable of batches (x, y) will do too."
        )
    return data


def is_plain(loader):
    """Whether it is a DataLoader that hands out its own arrays: no subclass changes how."""
    return (
        isinstance(loader, DataLoader)
        and type(loader).__iter__ is DataLoader.__iter__
        and type(loader).plain_batches is DataLoader.plain_batches
    )


def batches_of(loader):
    """One pass over any iterable of batches.

    Raises
    ------
    TypeError, ValueError
        If a batch is not a pair (x, y), or there is none.
    """
    count = 0
    for batch in loader:
        if not _is_pair(batch):
            raise TypeError(
                f"{type(loader).__name__} is expected to give batches (x, y), got "
                f"{type(batch).__name__} in place of batch {count}."
            )
        yield batch
        count += 1
    if count == 0:
        raise ValueError(
            f"{type(loader).__name__} gave no batch in this pass: its __iter__ has to start anew "
            "each time."
        )


def _is_pair(value):
    return isinstance(value, tuple | list) and len(value) == 2


def _is_batch(value):
    return _is_pair(value) and all(hasattr(part, "shape") for part in value)
