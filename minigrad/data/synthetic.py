"""Digits drawn with strokes: images to learn from that need no file and no network.

A digit is a few strokes of a pen, a stroke is a smooth curve guided by a few points, and nobody
writes the same curve twice: the points tremble, and the whole is bent, slanted and turned. Then it
is put into its frame as MNIST's digits are, and inked: each pixel by its distance from the curve.
"""

from functools import cache
from pathlib import Path

import numpy as np

from ..ops.expect import whole
from ..random import stream

# What differs from hand to hand, and its standard deviation. In another order, the same seed would
# draw other digits.
HAND = {
    "slant": 0.28,  # columns to the left per row down
    "turn": 0.12,  # radians
    "aspect": 0.28,  # the logarithm of width / height
    "widest": 0.15,  # the logarithm of the limit of width / height
    "pen": 0.3,  # the logarithm of the pen's width
    "bend": 0.12,  # how far an upright line becomes an arc, in half frames
    "sag": 0.12,  # how far a level line becomes an arc, in half frames
    "waist": 0.12,  # how far the middle moves down, in half frames
    "taper": 0.12,  # how much wider the foot is than the middle, the head as much narrower
    "right": 0.3,  # pixels away from the center
    "down": 0.3,  # pixels away from the center
}
TREMBLE = 0.8  # the standard deviation of each point, in columns and rows of the grid
POINTS = 14  # room for the points of one digit
SAMPLES = 72  # places where the curve is inked, nearer to each other than BLOB
BLOB = 0.7  # pixels


def synthetic_digits(n, seed=0):
    """Draw digits like handwritten ones, to practice on where MNIST is not at hand.

    They have MNIST's form: white on black, anti-aliased, 20 pixels high or wide, their center of
    mass in the middle of the frame. A small convolutional network that has seen 20,000 of them, and
    nothing else, reads about 95 % of MNIST's training digits.

    Parameters
    ----------
    n : int
        How many. The first k of them are the same whatever `n` is.
    seed : int
        The same seed draws the same digits.

    Returns
    -------
    images : ndarray of uint8, shape (n, 28, 28)
    labels : ndarray of uint8, shape (n,)
        Each ten in a row hold each digit once, in random order.

    Raises
    ------
    TypeError, ValueError
        If `n` is no integer, or less than 1.

    Examples
    --------
    >>> images, labels = synthetic_digits(20)
    >>> images.shape, images.dtype, sorted(labels[:10].tolist())
    ((20, 28, 28), dtype('uint8'), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
    """
    n = whole("n", n, least=1)
    seed = whole("seed", seed)
    rows = -(-n // 10)  # rounded up
    tens = stream(seed, "digits: label").random((rows, 10)).argsort(axis=1)
    labels = tens.ravel()[:n].astype(np.uint8)
    ways = _choose_ways(labels, stream(seed, "digits: way").random(n))
    size = (n, 2 * POINTS + len(HAND))
    noise = stream(seed, "digits: hand").standard_normal(size, np.float32)
    images = np.empty((n, 28, 28), np.uint8)
    for i in range(0, n, 250):  # blocks that stay in cache
        images[i : i + 250] = _draw(ways[i : i + 250], noise[i : i + 250])
    return images, labels


def _choose_ways(labels, luck):
    """For each label one of its ways, a number among all ways; `luck` (N,) in [0, 1) picks it."""
    counts = np.array([len(ways) for ways in _ways().values()])
    first = np.cumsum(counts) - counts
    return first[labels] + (luck * counts[labels]).astype(int)


def _draw(ways, noise):
    """ways : (N,), noise : (N, 2*POINTS + len(HAND))  ->  (N, 28, 28)."""
    points, curves = _skeletons()
    tremble = TREMBLE * noise[:, : 2 * POINTS].reshape(-1, POINTS, 2)
    hand = {name: sd * noise[:, [i]] for i, (name, sd) in enumerate(HAND.items(), 2 * POINTS)}
    path = curves[ways] @ (points[ways] + tremble)  # (N, SAMPLES, 2)
    path = path / 4.5 - 1  # from the grid's 0..9 to -1..1
    radius = np.clip(1.25 * np.exp(hand["pen"]), 0.6, 3.5)
    x, y = _bend(path[..., 0], path[..., 1], hand)
    x, y, ink = _place(x, y, radius, hand)
    return _ink(x, y, ink, radius)


# ---- from a line of strokes.txt to a curve -------------------------------------------------------


@cache
def _ways():
    """The ways of writing each digit, {0: [text, ...], ...}."""
    ways = {digit: [] for digit in range(10)}
    for line in Path(__file__).with_name("strokes.txt").read_text("ascii").splitlines():
        if not line.startswith("#"):
            ways[int(line[0])].append(line[3:])
    return ways


@cache
def _skeletons():
    """All ways: points (W, POINTS, 2), and matrices (W, SAMPLES, POINTS) from these to curves."""
    skeletons = [_skeleton(text) for ways in _ways().values() for text in ways]
    return tuple(np.array(part, np.float32) for part in zip(*skeletons, strict=True))


def _skeleton(text, fine=40):
    """The points (POINTS, 2) of one way, and the matrix (SAMPLES, POINTS) from them to its curve.

    The spline is followed in `fine` steps a piece; of these, places at even distances are kept.
    """
    pairs, pieces = _parse(text)
    points = np.zeros((POINTS, 2))
    points[: len(pairs)] = [[int(column), int(row)] for column, row in pairs]
    t = (np.arange(fine)[:, None] + 0.5) / fine
    spline = np.hstack([(1 - t) ** 2 / 2, 0.5 + t - t * t, t * t / 2])  # quadratic: (fine, 3)
    curve = spline @ np.eye(POINTS)[pieces]  # (pieces, fine, POINTS)
    steps = np.linalg.norm(np.gradient(curve @ points, axis=1), axis=2).ravel()
    along = np.cumsum(steps) / steps.sum()  # how far along the digit each fine step is, 0..1
    even = np.searchsorted(along, (np.arange(SAMPLES) + 0.5) / SAMPLES)
    return points, curve.reshape(-1, POINTS)[even]


def _parse(text):
    """The points of one way, and for each piece of its curve the numbers of its three points."""
    pairs, pieces = [], []
    for stroke in text.split(","):
        path = []
        for pair in stroke.split():
            if not path or pair != pairs[-1]:  # a repeated pair is one point that guides twice
                pairs.append(pair)
            path.append(len(pairs) - 1)
        path = [path[0], *path, path[-1]]  # to reach its ends, a spline needs them twice
        pieces += zip(path, path[1:], path[2:], strict=False)
    return pairs, pieces


# ---- from the curve to an image ------------------------------------------------------------------


def _bend(x, y, hand):
    """Move the curve as a hand would; x, y : (N, SAMPLES), -1..1, with the origin in the middle."""
    bent = x * (1 + hand["taper"] * y) + hand["bend"] * (1 - y * y)
    y = y + hand["waist"] * (1 - y * y) + hand["sag"] * (1 - x * x)
    x = 0.85 * np.exp(hand["aspect"]) * bent - (0.12 + hand["slant"]) * y  # most people lean right
    sin = np.sin(hand["turn"])
    cos = np.cos(hand["turn"])
    return cos * x - sin * y, sin * x + cos * y


def _place(x, y, radius, hand):
    """Scale the inked digit into a box of 20 x 20, its center of mass at (14, 14), as MNIST's is.

    Returns x, y and how much ink each place gets, all (N, SAMPLES).
    """
    width = np.ptp(x, axis=1, keepdims=True)  # (N, 1)
    height = np.ptp(y, axis=1, keepdims=True)
    squeeze = np.minimum(1, 1.1 * np.exp(hand["widest"]) * height / width)
    scale = (19.5 - 2 * radius) / np.maximum(width * squeeze, height)
    x = x * squeeze * scale
    y = y * scale
    steps = np.hypot(np.gradient(x, axis=1), np.gradient(y, axis=1))
    ink = np.minimum(steps, 3 * np.median(steps, axis=1, keepdims=True))  # a lifted pen leaps
    middle_x = np.average(x, axis=1, weights=ink, keepdims=True)
    middle_y = np.average(y, axis=1, weights=ink, keepdims=True)
    center_x = 14 + np.clip(hand["right"], -0.5, 0.5)
    center_y = 14 + np.clip(hand["down"], -0.5, 0.5)
    return x - middle_x + center_x, y - middle_y + center_y, ink


def _ink(x, y, ink, radius):
    """Color each pixel by its distance from the curve, with an edge one pixel wide.

    Along a straight line, round blobs exp(-d^2 / 2 BLOB^2) add up to a multiple of the same
    function of the distance from the line. A blob is the product of a column and a row, so the sum
    of the blobs is a matrix product: far cheaper than the distances of all pixels from all places.
    """
    columns = _profiles(x)  # (N, SAMPLES, 28)
    rows = _profiles(y) * ink[..., None]
    blobs = rows.swapaxes(1, 2) @ columns / (BLOB * np.sqrt(2 * np.pi, dtype=np.float32))
    distance = BLOB * np.sqrt(-2 * np.log(np.clip(blobs, 1e-30, 1)))  # (N, 28, 28)
    return np.clip(255 * (radius[..., None] + 0.5 - distance), 0, 255)


def _profiles(centers):
    """exp(-d^2 / 2 BLOB^2) for each center and each of 28 pixels."""
    distance = centers[..., None] - np.arange(28, dtype=np.float32)
    return np.exp(-0.5 * (distance / BLOB) ** 2)
