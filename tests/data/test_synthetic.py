"""The digits drawn by strokes: the form of MNIST's, and legible."""

import os

import numpy as np
import pytest

from minigrad.data import load_mnist, synthetic_digits
from minigrad.data.synthetic import POINTS, _skeletons, _ways


@pytest.fixture(scope="module")
def digits():
    return synthetic_digits(2000, seed=1)


def test_form(digits):
    images, labels = digits
    assert images.shape == (2000, 28, 28)
    assert labels.shape == (2000,)
    assert images.dtype == labels.dtype == np.uint8


def test_each_ten_in_a_row_hold_each_digit_once_in_random_order(digits):
    tens = digits[1].reshape(-1, 10)
    assert (np.sort(tens, axis=1) == np.arange(10)).all()
    assert (tens != tens[0]).any()


def test_the_same_seed_draws_the_same_digits_and_another_does_not():
    (a, _), (b, _), (c, _) = (synthetic_digits(30, seed=s) for s in (5, 5, 6))
    np.testing.assert_array_equal(a, b)
    assert (a != c).any(axis=(1, 2)).all()


@pytest.mark.parametrize("k", [1, 9, 251, 999])
def test_the_first_digits_do_not_depend_on_how_many_follow(digits, k):
    images, labels = synthetic_digits(k, seed=1)
    np.testing.assert_array_equal(labels, digits[1][:k])
    np.testing.assert_array_equal(images, digits[0][:k])


def test_no_two_digits_are_equal(digits):
    assert len(np.unique(digits[0].reshape(2000, -1), axis=0)) == 2000


def test_white_on_black_with_soft_edges(digits):
    images = digits[0]
    assert (images == 0).mean() > 0.7
    assert (images.max(axis=(1, 2)) > 200).all()
    soft = ((images > 0) & (images < 255)).mean(axis=(1, 2))
    assert (soft > 0.01).all()


def test_hardly_a_digit_touches_the_frame(digits):
    """A few sevens and nines do, in MNIST 1.4 % of all: their mass is near the top."""
    inner = digits[0].copy()
    inner[:, [0, -1]] = 0
    inner[:, :, [0, -1]] = 0
    assert (inner != digits[0]).any(axis=(1, 2)).mean() < 0.04


def test_centered_by_mass_as_mnist_is(digits):
    mass = digits[0].astype(float)
    places = np.arange(28)
    total = mass.sum(axis=(1, 2))
    row = (mass.sum(axis=2) @ places) / total
    column = (mass.sum(axis=1) @ places) / total
    for center in (row, column):
        assert abs(center.mean() - 14) < 0.1
        assert np.abs(center - 14).max() < 2


def test_the_larger_side_measures_twenty_pixels(digits):
    inked = digits[0] > 127
    sides = np.stack([inked.any(axis=axis).sum(axis=1) for axis in (1, 2)]).max(axis=0)
    assert np.median(sides) in (19, 20)
    assert sides.min() >= 15
    assert sides.max() <= 21


def test_as_bright_and_as_varied_as_the_digits_that_normalize_is_made_for(digits):
    pixels = digits[0] / 255
    assert abs(pixels.mean() - 0.1307) < 0.02
    assert abs(pixels.std() - 0.3081) < 0.02


def nearest_neighbor(known, labels, asked):
    known, asked = (x.reshape(-1, 784).astype(np.float32) for x in (known, asked))
    distance = (known**2).sum(axis=1) - 2 * asked @ known.T
    return labels[distance.argmin(axis=1)]


def test_a_nearest_neighbor_reads_them(digits):
    """They look like their labels: guessing would read one in ten."""
    x, y = digits
    assert (nearest_neighbor(x[:1700], y[:1700], x[1700:]) == y[1700:]).mean() > 0.75


@pytest.mark.skipif(
    "MINIGRAD_DATA_DIR" not in os.environ, reason="MINIGRAD_DATA_DIR names no MNIST"
)
def test_they_teach_a_nearest_neighbor_to_read_handwriting():
    """3,000 drawn digits against real ones of the training set; a network learns far more."""
    (x, y), _ = load_mnist(download=False)
    assert (nearest_neighbor(*synthetic_digits(3000), x[:1000]) == y[:1000]).mean() > 0.78


def test_every_way_of_writing_reaches_the_ends_of_its_strokes():
    """The curve begins and ends where the text says, and inks no more than the grid."""
    points, curves = _skeletons()
    texts = [text for ways in _ways().values() for text in ways]
    assert set(_ways()) == set(range(10))
    for text, p, curve in zip(texts, points, curves, strict=True):
        pairs = text.replace(",", "").split()
        ends = np.array([[int(c) for c in pair] for pair in (pairs[0], pairs[-1])])
        path = curve @ p
        assert len(pairs) <= POINTS + 4
        np.testing.assert_allclose(path[[0, -1]], ends, atol=0.5)
        assert -1e-5 <= path.min() <= path.max() <= 9 + 1e-5
        np.testing.assert_allclose(curve.sum(axis=1), 1, rtol=1e-5)


def test_a_repeated_pair_is_a_sharp_corner():
    """A seven's corner is reached exactly, a rounded one is not."""
    points, curves = _skeletons()
    texts = [text for ways in _ways().values() for text in ways]
    nearest = {
        text: np.linalg.norm(curves[i] @ points[i] - [9, 1], axis=1).min()
        for i, text in enumerate(texts)
        if text in ("01 91 91 39", "01 50 91 64 49")
    }
    assert nearest["01 91 91 39"] < 0.2 < nearest["01 50 91 64 49"]


@pytest.mark.parametrize("n", [0, -3])
def test_no_digits_are_refused(n):
    with pytest.raises(ValueError, match="n expects an integer of 1 or more"):
        synthetic_digits(n)
