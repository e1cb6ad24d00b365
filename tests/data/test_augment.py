"""Augmentation: against loops over pixels, NumPy's own turns and shifts, and the drawn ranges."""

import tracemalloc
from concurrent.futures import ThreadPoolExecutor
from math import atan2, cos, degrees, floor, radians, sin, tan

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import minigrad as mg
from minigrad.data import DataLoader, augment, normalize, synthetic_digits
from minigrad.data.augment import (
    ElasticTransform,
    GaussianNoise,
    RandomAffine,
    RandomErasing,
    affine,
    bilinear,
)
from minigrad.random import stream

AFFINE = RandomAffine(10, 0.1, (0.9, 1.1), 10)
TRANSFORMS = [
    AFFINE,
    ElasticTransform(),
    RandomErasing(),
    GaussianNoise(),
]


def rng(seed=0):
    return np.random.default_rng(seed)


def images(*shape, seed=0):
    return rng(seed).standard_normal(shape, dtype=np.float32)


def each_transform(test):
    return pytest.mark.parametrize("transform", TRANSFORMS, ids=lambda t: repr(t)[:30])(test)


# ---- the truth: one pixel after the other --------------------------------------------------------


def bilinear_by_pixel(x, rows, columns, fill):
    """Bilinear reading by its definition: each pixel weighs (1 - distance) in both directions."""
    h, w = x.shape[2:]
    out = np.zeros(x.shape)
    for i, k, r, q in np.ndindex(*x.shape):
        row, column = float(rows[i, r, q]), float(columns[i, r, q])
        for a in (floor(row), floor(row) + 1):
            for b in (floor(column), floor(column) + 1):
                pixel = x[i, k, a, b] if 0 <= a < h and 0 <= b < w else fill
                out[i, k, r, q] += (1 - abs(row - a)) * (1 - abs(column - b)) * pixel
    return out


def affine_by_pixel(x, angle, translate, scale, shear, fill):
    """Every pixel of the result is looked up by the inverse of the product of four matrices."""
    h, w = x.shape[2:]
    turn, along, across = radians(angle), tan(radians(shear[0])), tan(radians(shear[1]))
    rotation = np.array([[cos(turn), -sin(turn)], [sin(turn), cos(turn)]])
    forward = scale * rotation @ [[1, 0], [-across, 1]] @ [[1, -along], [0, 1]]
    center = np.array([(w - 1) / 2, (h - 1) / 2])
    places = np.empty((2, h, w))
    for r, q in np.ndindex(h, w):
        away = np.array([q, r]) - center - translate
        places[:, r, q] = np.linalg.inv(forward) @ away + center
    columns, rows = np.broadcast_to(places[:, None], (2, len(x), h, w))
    return bilinear_by_pixel(x, rows, columns, fill)


@given(
    shape=st.tuples(*[st.integers(1, 3)] * 2, *[st.integers(1, 7)] * 2),
    seed=st.integers(0, 99),
    spread=st.floats(0, 5),
)
@settings(max_examples=40, deadline=None)
def test_bilinear_is_its_definition_at_any_place_inside_or_outside(shape, seed, spread):
    n, _, h, w = shape
    x = images(*shape, seed=seed)
    rows, columns = spread * images(2, n, h, w, seed=seed + 1) + 3
    truth = bilinear_by_pixel(x, rows, columns, fill=-2.0)
    np.testing.assert_allclose(bilinear(x, rows, columns, -2.0), truth, atol=1e-5)


@given(
    angle=st.floats(-180, 180),
    translate=st.tuples(st.floats(-3, 3), st.floats(-3, 3)),
    scale=st.floats(0.5, 2),
    shear=st.tuples(st.floats(-40, 40), st.floats(-40, 40)),
)
@settings(max_examples=30, deadline=None)
def test_affine_is_the_product_of_its_four_matrices(angle, translate, scale, shear):
    x = images(2, 2, 5, 8)
    truth = affine_by_pixel(x, angle, translate, scale, shear, fill=1.5)
    y = affine(x, angle, translate, scale, shear, fill=1.5)
    np.testing.assert_allclose(y, truth, atol=2e-4)


def test_affine_treats_each_image_in_its_own_way_also_across_blocks():
    n = 50  # 784 pixels of 4 bytes each: three blocks
    assert n * 784 * 4 > 2 * augment.BLOCK_BYTES
    x, ways = images(n, 1, 28, 28), rng(1).uniform(0.8, 1.2, (6, n))
    y = affine(x, 90 * ways[0], (ways[1], ways[2]), ways[3], (9 * ways[4], 9 * ways[5]))
    for i, (a, right, down, scale, along, across) in enumerate(ways.T):
        one = affine(x[i : i + 1], 90 * a, (right, down), scale, (9 * along, 9 * across))
        np.testing.assert_array_equal(y[i : i + 1], one)


# ---- what one can say without a formula ----------------------------------------------------------


@pytest.mark.parametrize("shape", [(3, 1, 28, 28), (2, 3, 5, 8), (1, 2, 1, 4), (40, 1, 28, 27)])
def test_no_change_gives_back_every_bit(shape):
    x = images(*shape)
    for transform in (RandomAffine(0), ElasticTransform(alpha=0), RandomErasing(p=0)):
        np.testing.assert_array_equal(transform(x, rng()), x)
    np.testing.assert_array_equal(GaussianNoise(sigma=0)(x, rng()), x)


@pytest.mark.parametrize(("right", "down"), [(3, 0), (-2, 0), (0, 4), (0, -1), (2, -3), (9, 9)])
def test_a_shift_by_whole_pixels_is_np_roll_with_fill(right, down):
    x = images(2, 3, 6, 8)
    padded = np.pad(x, ((0, 0), (0, 0), (9, 9), (9, 9)), constant_values=7)
    truth = np.roll(padded, (down, right), axis=(2, 3))[:, :, 9:-9, 9:-9]
    np.testing.assert_array_equal(affine(x, translate=(right, down), fill=7), truth)


@pytest.mark.parametrize("quarters", [1, 2, 3, -1])
def test_turning_by_90_degrees_is_np_rot90(quarters):
    x = images(2, 3, 9, 9)
    truth = np.rot90(x, -quarters, axes=(2, 3))  # NumPy turns counter-clockwise
    np.testing.assert_allclose(affine(x, angle=90 * quarters), truth, atol=2e-5)


def test_twice_the_scale_is_twice_the_size():
    x = np.zeros((1, 1, 9, 9), np.float32)
    x[0, 0, 3:6, 4] = 1  # three high
    assert affine(x, scale=2)[0, 0, :, 4].tolist() == [0, 0.5, 1, 1, 1, 1, 1, 0.5, 0]


def test_what_comes_into_view_is_the_background_of_each_image():
    x = images(3, 2, 6, 6)
    away = affine(x, translate=(50, 0))
    np.testing.assert_array_equal(away, np.broadcast_to(x.min((1, 2, 3), keepdims=True), x.shape))
    x = normalize(synthetic_digits(20)[0])
    assert RandomAffine(40, 0.5, (0.5, 2), 30)(x, rng()).min() == x.min()
    assert (affine(x, translate=(9, 9), fill=9) == 9).any()


# ---- RandomAffine: the ranges --------------------------------------------------------------------


@given(
    low=st.tuples(st.floats(-90, 0), st.floats(0.2, 1), st.floats(-80, 0), st.floats(-80, 0)),
    high=st.tuples(st.floats(0, 90), st.floats(1, 5), st.floats(0, 80), st.floats(0, 80)),
    shift=st.tuples(st.floats(0, 1), st.floats(0, 1)),
    seed=st.integers(0, 99),
)
@settings(deadline=None)
def test_what_is_drawn_stays_in_its_range_around_the_middle(low, high, shift, seed):
    (angle, scale, along, across) = zip(low, high)
    transform = RandomAffine(angle, shift, scale, along + across)
    drawn = transform.draw(1000, rng(seed))
    low, high = np.array([*low, -shift[0], -shift[1]]), np.array([*high, *shift])
    assert (drawn >= low[:, None]).all()
    assert (drawn <= high[:, None]).all()
    off = np.abs(drawn.mean(axis=1) - (low + high) / 2)
    assert (off <= 5 * (high - low) / 12000**0.5 + 1e-12).all()  # 5 sd of the mean of 1,000


def test_numbers_stand_for_ranges_on_both_sides_of_zero():
    short = RandomAffine(10, 0.1, shear=20)
    long = RandomAffine((-10, 10), (0.1, 0.1), (1, 1), (-20, 20, 0, 0))
    np.testing.assert_array_equal(short.draw(9, rng()), long.draw(9, rng()))
    assert not RandomAffine(10).draw(9, rng())[2:].any()


def test_random_affine_draws_then_calls_affine():
    x = images(4, 1, 6, 10)
    transform = RandomAffine(30, (0.3, 0.1), (0.8, 1.2), (-20, 20, -10, 10))
    angle, scale, along, across, right, down = transform.draw(4, rng())
    truth = affine(x, angle, (10 * right, 6 * down), scale, (along, across))
    np.testing.assert_array_equal(transform(x, rng()), truth)


def test_a_bar_is_turned_by_the_drawn_angle():
    x = np.zeros((50, 1, 41, 41), np.float32)
    x[:, 0, 20, 10:31] = 1
    transform = RandomAffine((20, 70))
    place = np.arange(41) - 20
    for image, angle in zip(transform(x, rng())[:, 0], transform.draw(50, rng())[0]):
        xx, yy, xy = (image * place**2).sum(), (image.T * place**2).sum(), place @ image @ place
        assert degrees(atan2(2 * xy, xx - yy) / 2) == pytest.approx(angle, abs=0.5)


# ---- ElasticTransform ----------------------------------------------------------------------------


def test_the_displacement_is_noise_smoothed_pixel_by_pixel():
    field = ElasticTransform(alpha=30, sigma=2).draw(2, (5, 7), rng())
    noise = 2 * rng().random((2, 2, 5, 7), dtype=np.float32).astype(float) - 1
    for i, k, r, q in np.ndindex(*field.shape):
        by_row = [np.exp(-((r - a) ** 2) / 8) for a in range(5)]
        by_column = [np.exp(-((q - b) ** 2) / 8) for b in range(7)]
        weights = np.outer(by_row, by_column)
        mean = (weights * noise[i, k]).sum() / weights.sum()
        assert field[i, k, r, q] == pytest.approx(15 * mean, abs=1e-5)


@pytest.mark.parametrize(("alpha", "sigma"), [(68, 4), (50, 5), (20, 2)])
def test_the_displacement_is_smooth_and_as_strong_as_told(alpha, sigma):
    field = ElasticTransform(alpha, sigma).draw(200, (60, 60), rng())
    inner = field[..., 20:40, 20:40]
    rms = np.sqrt((inner**2).mean())
    assert rms == pytest.approx(alpha / (12 * sigma), rel=0.15)
    slope = np.sqrt((np.diff(inner, axis=3) ** 2).mean())
    assert slope == pytest.approx(rms / sigma / 2**0.5, rel=0.15)  # of smoothed white noise
    assert abs(inner.mean()) < rms / 5


def test_elastic_reads_where_the_displacement_says():
    x, transform = images(3, 2, 6, 9), ElasticTransform(60, 3)
    x[:, 0, 0, 0] = -9  # the smallest pixel of each image
    down, right = transform.draw(3, (6, 9), rng())
    truth = bilinear_by_pixel(x, down + np.arange(6)[:, None], right + np.arange(9), -9)
    np.testing.assert_allclose(transform(x, rng()), truth, atol=1e-4)


# ---- RandomErasing -------------------------------------------------------------------------------


def rectangles(erased):
    """(height, width) of what is erased in each image, after a look that it is a rectangle."""
    for image in erased:
        rows, columns = image.any(axis=1), image.any(axis=0)
        np.testing.assert_array_equal(image, np.outer(rows, columns))
        assert (np.diff(np.flatnonzero(rows)) == 1).all()
        assert (np.diff(np.flatnonzero(columns)) == 1).all()
        yield rows.sum(), columns.sum()


@given(
    scale=st.tuples(st.floats(0.02, 0.1), st.floats(0.1, 0.25)),
    ratio=st.tuples(st.floats(0.3, 1), st.floats(1, 3)),
    seed=st.integers(0, 99),
)
@settings(max_examples=30, deadline=None)
def test_areas_and_ratios_stay_in_their_ranges(scale, ratio, seed):
    x = np.zeros((50, 2, 90, 110), np.float32)  # so large that all fit
    erased = RandomErasing(1, scale, ratio, value=1)(x, rng(seed)) == 1
    np.testing.assert_array_equal(erased[:, 0], erased[:, 1])
    for height, width in rectangles(erased[:, 0]):
        assert (height + 0.5) * (width + 0.5) >= 9900 * scale[0]  # sizes are rounded
        assert (height - 0.5) * (width - 0.5) <= 9900 * scale[1]
        assert (height + 0.5) / (width - 0.5) >= ratio[0]
        assert (height - 0.5) / (width + 0.5) <= ratio[1]


@pytest.mark.parametrize("p", [0, 0.25, 0.5, 1])
def test_a_share_p_of_the_images_is_erased(p):
    x = np.zeros((4000, 1, 28, 28), np.float32)
    erased = RandomErasing(p, value=1)(x, rng()).any(axis=(1, 2, 3))
    assert erased.mean() == pytest.approx(p, abs=5 * (p * (1 - p) / 4000) ** 0.5)


def test_every_place_is_reached_the_edges_too():
    x = np.zeros((5000, 1, 6, 6), np.float32)
    erased = RandomErasing(1, (4 / 36, 4 / 36), (1, 1), value=1)(x, rng())
    seen = {tuple(np.argwhere(image[0])[0]) for image in erased}
    assert seen == {(r, c) for r in range(5) for c in range(5)}


def test_heights_over_widths_are_as_often_below_one_as_above():
    height, width = RandomErasing(1, (0.1, 0.1), (0.25, 4)).draw(4000, (100, 100), rng())[2:]
    assert np.log(height / width).mean() == pytest.approx(0, abs=0.05)
    assert np.log(height / width).std() == pytest.approx(np.log(16) / 12**0.5, abs=0.05)


def test_what_is_not_erased_stays_and_what_is_has_the_value():
    x = images(2000, 1, 8, 8)
    gone = RandomErasing(1, value=-3)(x, rng())
    np.testing.assert_array_equal(gone[gone != -3], x[gone != -3])
    assert (gone == -3).any()


def test_an_image_too_small_for_the_rectangle_is_left_alone():
    x = images(20, 1, 4, 4)
    np.testing.assert_array_equal(RandomErasing(1, (1, 1))(x, rng()), x)


# ---- GaussianNoise -------------------------------------------------------------------------------


@pytest.mark.parametrize("sigma", [0.1, 1, 0.5])
def test_noise_has_mean_zero_and_its_standard_deviation(sigma):
    x = images(200, 1, 28, 28)
    noise = GaussianNoise(sigma)(x, rng(1)) - x
    assert noise.mean() == pytest.approx(0, abs=5 * sigma / noise.size**0.5)
    assert noise.std() == pytest.approx(sigma, rel=0.01)
    assert np.corrcoef(noise[:100].ravel(), noise[100:].ravel())[0, 1] == pytest.approx(0, abs=0.02)


# ---- what all have in common ---------------------------------------------------------------------


@each_transform
@pytest.mark.parametrize("shape", [(7, 1, 28, 28), (2, 3, 9, 14), (1, 1, 1, 1), (0, 1, 28, 28)])
def test_a_transform_returns_new_float32_images_of_the_same_shape(transform, shape):
    x = images(*shape)
    before = x.copy()
    x.flags.writeable = False
    y = transform(x, rng())
    assert y.dtype == np.float32
    assert y.shape == x.shape
    assert y.flags.writeable
    assert not np.shares_memory(x, y)
    np.testing.assert_array_equal(x, before)
    assert np.isfinite(y).all()


@each_transform
def test_the_stream_decides_and_the_memory_order_does_not(transform):
    x = images(9, 3, 12, 10)
    y = transform(x, rng(5))
    np.testing.assert_array_equal(transform(x, rng(5)), y)
    assert (transform(x, rng(6)) != y).any()
    last = np.ascontiguousarray(x.transpose(0, 2, 3, 1)).transpose(0, 3, 1, 2)
    np.testing.assert_array_equal(transform(last, rng(5)), y)
    np.testing.assert_array_equal(transform(x[::-1, :, ::-1][::-1, :, ::-1], rng(5)), y)


@each_transform
def test_threads_share_a_transform(transform):
    x = images(40, 1, 28, 28)
    truth = [transform(x, rng(seed)) for seed in range(16)]
    with ThreadPoolExecutor(4) as pool:
        for y, expected in zip(pool.map(lambda s: transform(x, rng(s)), range(16)), truth):
            np.testing.assert_array_equal(y, expected)


@each_transform
@pytest.mark.parametrize(
    ("x", "error", "remedy"),
    [
        (np.zeros((2, 28, 28), np.uint8), TypeError, "data.normalize"),
        (np.zeros((2, 1, 28, 28)), TypeError, "float64: try x.astype"),
        ([[1.0]], TypeError, "list"),
        (mg.Tensor(np.zeros((2, 1, 8, 8), np.float32)), TypeError, "Tensor"),
        (np.zeros((2, 28, 28), np.float32), ValueError, r"x\[:, None\]"),
        (np.zeros((2, 1, 0, 28), np.float32), ValueError, r"\(2, 1, 0, 28\)"),
    ],
)
def test_images_that_are_none_are_refused(transform, x, error, remedy):
    with pytest.raises(error, match=remedy):
        transform(x, rng())


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: RandomAffine(-5), "degrees expects a number from 0 to 360, got -5"),
        (lambda: RandomAffine((5, -5)), "smaller one first"),
        (lambda: RandomAffine("10"), "degrees"),
        (lambda: RandomAffine(None), "degrees"),
        (lambda: RandomAffine(float("nan")), "nan"),
        (lambda: RandomAffine(0, translate=1.5), "translate expects a number from 0 to 1"),
        (lambda: RandomAffine(0, translate=(0.1, -0.1)), "translate"),
        (lambda: RandomAffine(0, translate=(0.1, 0.1, 0.1)), "translate"),
        (lambda: RandomAffine(0, scale=0.5), "scale expects two numbers"),
        (lambda: RandomAffine(0, scale=(0, 1)), "scale"),
        (lambda: RandomAffine(0, scale=(1.1, 0.9)), "smaller one first"),
        (lambda: RandomAffine(0, shear=90), "shear expects a number from 0 to 89"),
        (lambda: RandomAffine(0, shear=(1, 2, 3)), "shear"),
        (lambda: RandomAffine(0, shear=(1, 2, 4, 3)), "shear"),
        (lambda: RandomAffine(True), "degrees"),
        (lambda: ElasticTransform(alpha=-1), "alpha"),
        (lambda: ElasticTransform(alpha=1.1e6), "alpha"),
        (lambda: ElasticTransform(sigma=0), "sigma"),
        (lambda: RandomErasing(p=1.5), "p expects a number from 0 to 1"),
        (lambda: RandomErasing(scale=(0.5, 2)), "scale"),
        (lambda: RandomErasing(ratio=(0, 1)), "ratio"),
        (lambda: RandomErasing(value="noise"), "value"),
        (lambda: GaussianNoise(sigma=-0.1), "sigma"),
    ],
)
def test_parameters_out_of_reason_are_refused_when_a_transform_is_made(make, message):
    with pytest.raises(ValueError, match=message):
        make()


@pytest.mark.parametrize(
    ("transform", "batches"),  # the padded copy (1.23), rows and columns, the result
    [(AFFINE, 5), (ElasticTransform(), 6.5), (RandomErasing(), 1.5), (GaussianNoise(), 1.1)],
    ids=repr,
)
def test_no_temporary_is_of_float64_or_not_in_blocks(transform, batches):
    x = images(1000, 1, 28, 28)
    tracemalloc.start()
    transform(x, rng())
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < batches * x.nbytes


# ---- in the loader, and in training --------------------------------------------------------------


def test_the_loader_changes_each_batch_by_its_own_stream():
    x, y = normalize(synthetic_digits(30)[0]), np.arange(30)
    loader = DataLoader(x, y, 16, seed=3, transform=AFFINE)
    first, second = [[*loader] for _ in range(2)]
    for step, (batch, which) in enumerate(first):
        truth = AFFINE(x[which], stream(3, "augment", 0, step))
        np.testing.assert_array_equal(batch, truth)
    assert not np.array_equal(first[0][0], second[0][0])
    loader.epoch = 1
    np.testing.assert_array_equal(next(iter(loader))[0], second[0][0])


def test_training_on_shifted_digits_reads_other_shifted_digits_better():
    images, labels = synthetic_digits(900)
    x, y = normalize(images), labels.astype(int)
    shift = RandomAffine(0, 0.15)
    x_test, y_test = shift(x[600:], rng()), y[600:]
    accuracy = []
    for transform in (None, shift):
        model = mg.nn.Sequential(mg.nn.Flatten(), mg.nn.Dense(784, 10, rng=rng()))
        optimizer = mg.optim.Adam(model.parameters(), lr=0.003)
        loader = DataLoader(x[:600], y[:600], 50, transform=transform)
        mg.fit(model, loader, optimizer=optimizer, epochs=5, progress=False)
        accuracy.append(mg.evaluate(model, (x_test, y_test))["accuracy"])
    assert accuracy[1] > accuracy[0] + 0.05, accuracy
