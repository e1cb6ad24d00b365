"""Random changes that leave a digit the digit it is: a small data set becomes an endless one.

Each is a function of (images, rng) for `transform=` of the DataLoader: it returns a new batch,
draws all that is random from `rng`, and keeps nothing, so that threads may share it. Names and
meaning are torchvision's, with one difference: what comes into view from outside an image has the
value of its smallest pixel. For digits this is the background, which after `normalize` is not 0.

Each raises a TypeError or a ValueError if it is called with anything but images of float32, shape
(N, C, H, W).
"""

from dataclasses import dataclass

import numpy as np

from ..ops.blocks import blocks
from ..random import chosen_generator

# Bytes of images that are read at a time. 512 digits in one piece take 11 ms instead of 3, because
# of page faults.
BLOCK_BYTES = 2**16


# ---- at any place in the image: bilinear, affine -------------------------------------------------


def bilinear(x, rows, columns, fill=None):
    """Read images between their pixels: the mean of the four around, the nearer weighing more.

    Parameters
    ----------
    x : ndarray of float32, shape (N, C, H, W)
    rows, columns : ndarrays of float32, shape (N, H, W) or broadcast to it
        Where to look for each pixel of the result; the first pixel is at (0, 0).
    fill : float, optional
        The value outside the image; its smallest pixel if left out.

    Returns
    -------
    ndarray of float32, shape (N, C, H, W)

    Examples
    --------
    >>> x = np.float32([[[[0, 8]]]])
    >>> bilinear(x, np.float32([[[0, 0]]]), np.float32([[[0.25, 1.5]]])).tolist()
    [[[[2.0, 4.0]]]]
    """
    n, c, h, w = _shape(x)
    rows = np.broadcast_to(rows, (n, h, w))
    columns = np.broadcast_to(columns, (n, h, w))
    padded = np.empty((n, c, h + 3, w + 3), np.float32)  # one more pixel before, two after
    padded[...] = x.min(axis=(1, 2, 3), keepdims=True) if fill is None else fill
    padded[:, :, 1:-2, 1:-2] = x
    out = np.empty((n, c, h, w), np.float32)
    for part in blocks(n, out[:1].nbytes, BLOCK_BYTES):
        _read(padded[part], rows[part], columns[part], out[part])
    return out


def _read(padded, rows, columns, out):
    """Write the pixels of `padded` (n, C, H+3, W+3) at rows, columns (n, H, W) into `out`."""
    n, c, h, w = padded.shape
    above, down = _whole_and_rest(rows[:, None], h - 2)  # (n, 1, H, W)
    left, right = _whole_and_rest(columns[:, None], w - 2)
    images = np.arange(n * c).reshape(n, c, 1, 1) * (h * w)
    corner = images + above * w + left  # the number of the upper left of four pixels, (n, C, H, W)
    flat = padded.reshape(-1)
    upper_left = flat.take(corner)
    upper_right = flat[1:].take(corner)
    lower_left = flat[w:].take(corner)
    lower_right = flat[w + 1 :].take(corner)
    upper = _between(upper_left, upper_right, right)
    lower = _between(lower_left, lower_right, right)
    out[...] = _between(upper, lower, down)


def _whole_and_rest(places, last):
    """Places in the padded image: integers, and rests in [0, 1). Far outside is the edge."""
    places = np.clip(places + 1, 0, last)
    whole = places.astype(np.intp)
    return whole, places - whole.astype(np.float32)


def _between(a, b, share):
    """The value so far on the way from `a` to `b`: for a share of 0 it is `a` to the bit."""
    return a + share * (b - a)


def affine(x, angle=0.0, translate=(0.0, 0.0), scale=1.0, shear=(0.0, 0.0), fill=None):
    """Shear, scale, turn about the center, then shift; each image in its own way.

    Parameters
    ----------
    x : ndarray of float32, shape (N, C, H, W)
    angle : float, or array (N,)
        Degrees, clockwise.
    translate : pair of floats or arrays (N,)
        Pixels to the right, and down.
    scale : float, or array (N,)
        Larger than 0.
    shear : pair of floats or arrays (N,)
        Degrees along the rows, and along the columns.
    fill : float, optional
        See `bilinear`.

    Returns
    -------
    ndarray of float32, shape (N, C, H, W)

    Examples
    --------
    >>> x = np.float32([[[[1, 2], [3, 4]]]])
    >>> affine(x, translate=(1, 0), fill=0).tolist()
    [[[[0.0, 1.0], [0.0, 3.0]]]]
    >>> affine(x, angle=90).round(5).tolist()
    [[[[3.0, 1.0], [4.0, 2.0]]]]
    """
    _, _, h, w = _shape(x)
    (a, b), (c, d) = _inverse(angle, scale, shear)
    right = np.arange(w) - (w - 1) / 2 - np.reshape(translate[0], (-1, 1))  # (N, W)
    down = np.arange(h) - (h - 1) / 2 - np.reshape(translate[1], (-1, 1))  # (N, H)
    columns = _plane(a * right, b * down + (w - 1) / 2)
    rows = _plane(c * right, d * down + (h - 1) / 2)
    return bilinear(x, rows, columns, fill)


def _inverse(angle, scale, shear):
    """The matrix from a place in the result to the place it came from: 2 x 2 of (N, 1)."""
    turn = np.radians(np.reshape(angle, (-1, 1)))
    along = np.tan(np.radians(np.reshape(shear[0], (-1, 1))))
    across = np.tan(np.radians(np.reshape(shear[1], (-1, 1))))
    # Turn back,
    upper = np.stack([np.cos(turn), np.sin(turn)])  # (2, N, 1)
    lower = np.stack([-np.sin(turn), np.cos(turn)])
    # then undo the shear along the columns, and that along the rows, and the scale.
    lower = lower + across * upper
    upper = upper + along * lower
    scale = np.reshape(scale, (-1, 1))
    return upper / scale, lower / scale


def _plane(along_rows, along_columns):
    """The sum of a row (N, W) and a column (N, H) at each pixel, in float32: (N, H, W)."""
    return along_rows[:, None].astype(np.float32) + along_columns[..., None].astype(np.float32)


# ---- transforms: RandomAffine, ElasticTransform, RandomErasing, GaussianNoise --------------------


@dataclass(frozen=True)
class RandomAffine:
    """Turn, shift, scale and shear each image at random, all in one reading.

    Each number is drawn evenly from its range; shifts are not rounded to whole pixels.

    Parameters
    ----------
    degrees : float >= 0, or pair (least, most)
        Clockwise; a number d stands for (-d, d).
    translate : float, or pair of floats, optional
        The largest shift, as a share of the width, and of the height.
    scale : pair (least, most), optional
    shear : float >= 0, pair (least, most), or two such pairs in one tuple, optional
        Degrees along the rows, then along the columns; a number s stands for (-s, s, 0, 0).

    Examples
    --------
    >>> transform = RandomAffine(degrees=10, translate=0.1, scale=(0.9, 1.1), shear=10)
    >>> transform(np.zeros((3, 1, 28, 28), np.float32), np.random.default_rng(0)).shape
    (3, 1, 28, 28)
    """

    degrees: float | tuple
    translate: float | tuple = 0.0
    scale: tuple = (1.0, 1.0)
    shear: float | tuple = 0.0

    def __post_init__(self):
        self._ranges()  # raises for what is no range

    def __call__(self, x, rng):
        n, _, h, w = _shape(x)
        angle, scale, along, across, right, down = self.draw(n, rng)
        return affine(x, angle, (right * w, down * h), scale, (along, across))

    def draw(self, n, rng):
        """Angle, scale, two shears, and two shifts as shares, for each of `n` images: (6, n)."""
        low, high = self._ranges().T[..., None]  # (6, 1) each
        return chosen_generator(rng).uniform(low, high, (6, n))

    def _ranges(self):
        """Least and most of each number that `draw` draws: (6, 2)."""
        if np.size(self.shear) == 4:
            along, across = self.shear[:2], self.shear[2:]
        else:
            along, across = self.shear, 0
        if np.size(self.translate) == 2:
            right, down = self.translate
        else:
            right = down = self.translate
        ranges = [
            _range("degrees", self.degrees, 360),
            _checked("scale", self.scale, 2, 0.01, 100),
            _range("shear", along, 89),
            _range("shear", across, 89),
            _range("translate", right, 1),
            _range("translate", down, 1),
        ]
        return np.array(ranges)


@dataclass(frozen=True)
class ElasticTransform:
    """Move each pixel at random, and its neighbors nearly alike, as a trembling hand would.

    Simard, Steinkraus and Platt (2003), "Best practices for convolutional neural networks applied
    to visual document analysis": noise, smoothed by a Gaussian, tells how far each pixel moves.

    Parameters
    ----------
    alpha : float
        How far: noise between -1 and 1 is smoothed, then multiplied by alpha / 2 pixels, because
        torchvision counts in half pixels. The paper's alpha of 34 pixels is 68 here.
    sigma : float
        The width of the Gaussian in pixels, 4 in the paper. The wider, the smoother and the weaker:
        each pixel moves about alpha / (12 sigma) to a side, and as much up or down.

    Examples
    --------
    >>> transform = ElasticTransform(alpha=68, sigma=4)
    >>> transform(np.zeros((3, 1, 28, 28), np.float32), np.random.default_rng(0)).shape
    (3, 1, 28, 28)
    """

    alpha: float = 50.0
    sigma: float = 5.0

    def __post_init__(self):
        _checked("alpha", self.alpha, 1, 0, 1e6)
        _checked("sigma", self.sigma, 1, 0.1, 1e6)

    def __call__(self, x, rng):
        n, _, h, w = _shape(x)
        down, right = self.draw(n, (h, w), rng)
        down += np.arange(h, dtype=np.float32)[:, None]
        right += np.arange(w, dtype=np.float32)
        return bilinear(x, down, right)

    def draw(self, n, size, rng):
        """How many pixels further down, and further right, to look: (2, n, H, W)."""
        noise = chosen_generator(rng).random((2, n, *size), dtype=np.float32) - 0.5
        h, w = (_smoothing(length, self.sigma) for length in size)
        return h @ (noise @ (self.alpha * w.T))


def _smoothing(length, sigma):
    """The matrix that smooths a line of pixels: each becomes a weighted mean of all, (L, L)."""
    distance = np.subtract.outer(np.arange(length), np.arange(length))
    weights = np.exp(-0.5 * (distance / sigma) ** 2)
    return (weights / weights.sum(axis=1, keepdims=True)).astype(np.float32)


@dataclass(frozen=True)
class RandomErasing:
    """Cover a random rectangle of some images, so that no single part of them is relied upon.

    Zhong, Zheng, Kang, Li and Yang (2017), "Random erasing data augmentation". Ten rectangles are
    drawn for an image, and the first that is smaller than the image is taken; if none is, the image
    stays as it was.

    Parameters
    ----------
    p : float
        The share of the images that lose a rectangle.
    scale : pair (least, most)
        Its area, as a share of the image's.
    ratio : pair (least, most)
        Its height / width; the logarithm is drawn evenly.
    value : float
        What it is covered with.

    Examples
    --------
    >>> transform = RandomErasing(p=1, scale=(0.25, 0.25), ratio=(1, 1), value=1)
    >>> transform(np.zeros((1, 1, 8, 8), np.float32), np.random.default_rng(0)).sum().item()
    16.0
    """

    p: float = 0.5
    scale: tuple = (0.02, 0.33)
    ratio: tuple = (0.3, 3.3)
    value: float = 0.0

    def __post_init__(self):
        _checked("p", self.p, 1, 0, 1)
        _checked("scale", self.scale, 2, 0, 1)
        _checked("ratio", self.ratio, 2, 0.01, 100)
        _checked("value", self.value, 1, -1e9, 1e9)

    def __call__(self, x, rng):
        n, _, h, w = _shape(x)
        top, left, height, width = self.draw(n, (h, w), rng)
        rows = _span(h, top, height)[:, None, :, None]  # (N, 1, H, 1)
        columns = _span(w, left, width)[:, None, None]  # (N, 1, 1, W)
        return np.where(rows & columns, np.float32(self.value), x)

    def draw(self, n, size, rng):
        """Top, left, height and width of `n` rectangles, each (n,); sizes 0 where there is none."""
        rng = chosen_generator(rng)
        area = rng.uniform(*self.scale, (10, n)) * (size[0] * size[1])
        ratio = np.exp(rng.uniform(*np.log(self.ratio), (10, n)))
        sizes = np.rint(np.sqrt([area * ratio, area / ratio])).astype(int)  # (2, 10, n)
        fits = (sizes < np.reshape(size, (2, 1, 1))).all(axis=0)  # (10, n)
        first, image = fits.argmax(axis=0), np.arange(n)
        taken = fits[first, image] & (rng.random(n) < self.p)
        height, width = sizes[:, first, image] * taken
        top = rng.integers(size[0] - height + 1)
        left = rng.integers(size[1] - width + 1)
        return top, left, height, width


def _span(length, start, count):
    """Which of `length` pixels are among the `count` from `start` on; (N,), (N,) -> (N, length)."""
    distance = np.arange(length) - start[:, None]
    return (distance >= 0) & (distance < count[:, None])


@dataclass(frozen=True)
class GaussianNoise:
    """Add normal noise of mean 0 and standard deviation `sigma` to each pixel; nothing is clipped.

    Parameters
    ----------
    sigma : float

    Examples
    --------
    >>> x = GaussianNoise(sigma=0.1)(np.zeros((3, 1, 28, 28), np.float32), np.random.default_rng(0))
    >>> round(float(x.std()), 2)
    0.1
    """

    sigma: float = 0.1

    def __post_init__(self):
        _checked("sigma", self.sigma, 1, 0, 1e9)

    def __call__(self, x, rng):
        noise = chosen_generator(rng).standard_normal(_shape(x), dtype=np.float32)
        noise *= self.sigma
        noise += x
        return noise


# ---- errors --------------------------------------------------------------------------------------


def _shape(x):
    """The shape of a batch of images; an error if it is none."""
    if not isinstance(x, np.ndarray):
        raise TypeError(
            f"Expected images as a NumPy array of float32, got {type(x).__name__}: "
            "try np.array(x, np.float32), or x.numpy() of a Tensor."
        )
    if x.dtype == np.uint8:
        raise TypeError("Expected images of float32, got uint8: try data.normalize(images).")
    if x.dtype != np.float32:
        raise TypeError(f"Expected images of float32, got {x.dtype}: try x.astype(np.float32).")
    if x.ndim != 4 or 0 in x.shape[1:]:
        raise ValueError(
            f"Expected images of shape (N, C, H, W), got {x.shape}: x[:, None] adds an axis C."
        )
    return x.shape


def _checked(name, value, count, low, high):
    """`value` as an array of `count` numbers (1 or 2) from `low` to `high`, in ascending order."""
    numbers = np.atleast_1d(value)
    fits = (
        numbers.dtype.kind in "iuf"
        and numbers.shape == (count,)
        and low <= numbers[0] <= numbers[-1] <= high
    )
    if not fits and count == 1:
        raise ValueError(f"{name} expects a number from {low} to {high}, got {value!r}.")
    if not fits:
        raise ValueError(
            f"{name} expects two numbers, the smaller one first, "
            f"from {low} to {high}, got {value!r}."
        )
    return numbers


def _range(name, value, most):
    """`value` if it is a pair (least, most), or else (-value, value); at most `most` from 0."""
    if np.ndim(value):
        return _checked(name, value, 2, -most, most)
    return _checked(name, value, 1, 0, most) * (-1, 1)
