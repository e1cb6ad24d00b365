"""normalize, split and DataLoader: each example once, in an order one can repeat."""

import subprocess
import sys
import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import minigrad as mg
from minigrad.data import DataLoader, normalize, split
from minigrad.random import stream


def numbered(n):
    """A data set in which each example tells its own number."""
    return np.arange(n), np.arange(n) * 10


def passes(loader, count=1):
    return [[x.tolist() for x, _ in loader] for _ in range(count)]


# ---- two functions of one name -------------------------------------------------------------------


def said(error):
    return " ".join([str(error), *getattr(error, "__notes__", [])])


IMAGES = np.zeros((6, 28, 28), np.uint8)
LABELS = np.arange(6)


@pytest.mark.parametrize(
    ("call", "meant"),
    [
        (lambda: mg.normalize(IMAGES), "data.normalize(images)"),
        (lambda: mg.normalize(IMAGES, 0.1307, 0.3081), "data.normalize(images)"),
        (lambda: mg.split(IMAGES, LABELS, validation=0.1), "data.split(x, y, validation=0.1)"),
        (lambda: mg.split((IMAGES, LABELS), validation=0.1), "data.split(x, y, validation=0.1)"),
        (lambda: mg.split(IMAGES, LABELS, 0.1), "data.split(x, y, validation=0.1)"),
        (lambda: normalize(IMAGES / np.float32(255)), "mg.normalize(x, mean, var)"),
        (lambda: split(IMAGES, 3), "mg.split(x, 3)"),
    ],
)
def test_the_wrong_one_of_two_functions_of_one_name_says_which_is_meant(call, meant):
    with pytest.raises(TypeError) as caught:
        call()
    assert meant in said(caught.value)


def test_labels_in_place_of_indices_are_told_from_them():
    with pytest.raises(ValueError, match=r"ascending order.*data\.split"):
        mg.split(IMAGES, np.array([3, 1, 4, 1, 5, 9]))


def test_the_errors_of_other_operations_do_not_speak_of_splitting_data():
    for call in (
        lambda: mg.conv2d(np.ones((1, 2, 4, 4)), np.ones((2, 1, 2, 2)), groups=2.5),
        lambda: mg.layer_norm(np.ones((2, 3)), 3, weight="a"),
    ):
        with pytest.raises((TypeError, ValueError)) as caught:
            call()
        assert "data." not in said(caught.value)


def test_other_errors_of_split_are_as_they_were():
    with pytest.raises(ValueError, match="cannot cut an axis of 6 into 4 equal sections"):
        mg.split(IMAGES, 4)


def test_augment_is_there_without_being_imported():
    program = "import minigrad as mg; print(mg.data.augment.RandomAffine.__name__)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout == "RandomAffine\n", done.stderr


# ---- normalize -----------------------------------------------------------------------------------


def test_normalize_is_the_formula_in_float64_rounded():
    images = np.arange(256, dtype=np.uint8).reshape(1, 16, 16)
    truth = (images.astype(np.float64) / 255 - 0.1307) / 0.3081
    x = normalize(images)
    assert x.dtype == np.float32
    assert x.shape == (1, 1, 16, 16)
    np.testing.assert_allclose(x[:, 0], truth, rtol=1e-5, atol=1e-7)


def test_normalize_makes_no_float64_temporary():
    images = np.zeros((1000, 28, 28), np.uint8)
    normalize(images)
    tracemalloc.start()
    x = normalize(images)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1.2 * x.nbytes


def test_normalize_leaves_the_images_alone_and_takes_any_memory_order():
    images = np.random.default_rng(0).integers(0, 256, (3, 4, 5), dtype=np.uint8)
    before = images.copy()
    flipped = normalize(images[::-1, :, ::-1])
    np.testing.assert_array_equal(flipped, normalize(images)[::-1, :, :, ::-1])
    np.testing.assert_array_equal(images, before)


@pytest.mark.parametrize(
    ("images", "error", "remedy"),
    [
        (np.zeros((2, 28, 28), np.float32), TypeError, "normalized once"),
        (np.zeros((2, 28, 28), np.int64), TypeError, "uint8"),
        ([[[0]]], TypeError, "list"),
        (np.zeros((28, 28), np.uint8), ValueError, r"images\[None\]"),
        (np.zeros((2, 784), np.uint8), ValueError, "reshape"),
        (np.zeros((2, 1, 28, 28), np.uint8), ValueError, r"\(2, 1, 28, 28\)"),
    ],
)
def test_normalize_says_what_it_expects(images, error, remedy):
    with pytest.raises(error, match=remedy):
        normalize(images)


# ---- split ---------------------------------------------------------------------------------------


@given(n=st.integers(2, 200), share=st.floats(0.01, 0.99), seed=st.integers(0, 2**32))
def test_split_is_a_partition_that_keeps_pairs_together(n, share, seed):
    held = round(n * share)
    x, y = numbered(n)
    if held in (0, n):
        with pytest.raises(ValueError, match="at least one"):
            split(x, y, share, seed)
        return
    (x_train, y_train), (x_val, y_val) = split(x, y, share, seed)
    assert len(x_val) == held
    assert sorted([*x_train, *x_val]) == list(range(n))
    np.testing.assert_array_equal(y_train, 10 * x_train)
    np.testing.assert_array_equal(y_val, 10 * x_val)


def test_split_repeats_with_its_seed_alone():
    x, y = numbered(100)
    first, again, other = (split(x, y, seed=s)[1][0].tolist() for s in (1, 1, 2))
    assert first == again != other
    assert first != sorted(first)


def test_split_copies():
    x, y = numbered(10)
    (x_train, _), (x_val, _) = split(x, y)
    assert not np.shares_memory(x, x_train)
    assert not np.shares_memory(x, x_val)


@pytest.mark.parametrize("share", [0, 1, -0.1, 1.5, float("nan"), 20])
def test_split_refuses_a_share_that_is_none(share):
    with pytest.raises(
        ValueError, match="the share validation expects a number, more than 0, less than 1"
    ):
        split(*numbered(10), share)


@pytest.mark.parametrize("caller", [split, lambda x, y: DataLoader(x, y, 2)])
@pytest.mark.parametrize(
    ("x", "y", "error", "words"),
    [
        (np.zeros(3), np.zeros(4), ValueError, "3 examples and 4 targets"),
        ([1, 2, 3], np.zeros(3), TypeError, "expects x .* list"),
        (np.zeros(3), range(3), TypeError, "expects y .* range"),
        (np.array(3.0), np.zeros(3), TypeError, "without axes"),
        (np.zeros((0, 2)), np.zeros(0), ValueError, "0 examples"),
    ],
)
def test_pairs_that_do_not_match_are_refused(caller, x, y, error, words):
    with pytest.raises(error, match=words):
        caller(x, y)


# ---- DataLoader ----------------------------------------------------------------------------------


@given(
    n=st.integers(1, 60),
    batch_size=st.integers(1, 70),
    shuffle=st.booleans(),
    drop_last=st.booleans(),
    seed=st.integers(0, 2**32),
)
def test_each_example_comes_once_with_its_target(n, batch_size, shuffle, drop_last, seed):
    x, y = numbered(n)
    if drop_last and batch_size > n:
        with pytest.raises(ValueError, match="no batch"):
            DataLoader(x, y, batch_size, shuffle, seed, drop_last=True)
        return
    loader = DataLoader(x, y, batch_size, shuffle, seed, drop_last=drop_last)
    batches = list(loader)
    seen = np.concatenate([x_batch for x_batch, _ in batches])
    assert len(batches) == len(loader)
    assert all(len(x_batch) == batch_size for x_batch, _ in batches[:-1])
    assert len(seen) == (n - n % batch_size if drop_last else n)
    assert len(set(seen.tolist())) == len(seen)
    assert shuffle or seen.tolist() == list(range(len(seen)))
    for x_batch, y_batch in batches:
        np.testing.assert_array_equal(y_batch, 10 * x_batch)


def test_without_targets_batches_are_of_x_alone_in_the_same_order():
    x, y = numbered(50)
    pairs = DataLoader(x, y, 8, seed=3, transform=lambda x, rng: x + 100)
    alone = DataLoader(x, batch_size=8, seed=3, transform=lambda x, rng: x + 100)
    for _ in range(2):
        expected = [batch.tolist() for batch, _ in pairs]
        assert [batch.tolist() for batch in alone] == expected
    assert len(next(iter(DataLoader(np.zeros(100))))) == 64
    with pytest.raises(TypeError, match=r"expects y.*got 8: is batch_size=8 meant"):
        DataLoader(x, 8)


def test_each_epoch_has_its_own_order_and_the_seed_repeats_it():
    first, second = passes(DataLoader(*numbered(50), 8, seed=3), 2)
    assert first != second
    assert [first, second] == passes(DataLoader(*numbered(50), 8, seed=3), 2)
    assert first != passes(DataLoader(*numbered(50), 8, seed=4))[0]


def test_setting_epoch_resumes_a_run():
    loader = DataLoader(*numbered(50), 8)
    third = passes(loader, 3)[2]
    assert loader.epoch == 3
    resumed = DataLoader(*numbered(50), 8)
    resumed.epoch = 2
    assert passes(resumed)[0] == third


def test_a_pass_broken_off_counts_as_one():
    loader = DataLoader(*numbered(50), 8)
    next(iter(loader))
    assert loader.epoch == 1


def test_two_passes_at_once_do_not_disturb_each_other():
    first, second = passes(DataLoader(*numbered(50), 8), 2)
    loader = DataLoader(*numbered(50), 8)
    both = list(zip(loader, loader, strict=True))
    assert [x.tolist() for (x, _), _ in both] == first
    assert [x.tolist() for _, (x, _) in both] == second


def test_without_shuffle_batches_are_slices_not_copies():
    x, y = numbered(10)
    for x_batch, y_batch in DataLoader(x, y, 4, shuffle=False):
        assert np.shares_memory(x, x_batch)
        assert np.shares_memory(y, y_batch)


def test_the_data_set_is_never_copied():
    x, y = np.ones((2000, 1, 28, 28), np.float32), np.zeros(2000, np.uint8)
    tracemalloc.start()
    for _ in DataLoader(x, y, 64):
        pass
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < x.nbytes / 8  # two batches and the order


def test_transform_gets_a_stream_of_its_own_for_each_batch():
    def add_noise(x, rng):
        return x + rng.random(len(x))

    x, y = np.zeros(10), np.arange(10)
    loader = DataLoader(x, y, 4, shuffle=False, seed=7, transform=add_noise)
    for epoch in range(2):
        for step, (x_batch, y_batch) in enumerate(loader):
            truth = stream(7, "augment", epoch, step).random(len(x_batch))
            np.testing.assert_array_equal(x_batch, truth)
            np.testing.assert_array_equal(y_batch, y[4 * step : 4 * step + 4])
    assert not x.any()


@pytest.mark.parametrize("batch_size", [0, -1])
def test_batches_of_nothing_are_refused(batch_size):
    with pytest.raises(ValueError, match="batch_size expects an integer of 1"):
        DataLoader(*numbered(5), batch_size)


@pytest.mark.parametrize("batch_size", [2.0, "2", None])
def test_a_batch_size_is_a_whole_number(batch_size):
    with pytest.raises(TypeError):
        DataLoader(*numbered(5), batch_size)


def test_the_repr_tells_what_comes_out_and_what_is_next():
    x = np.zeros((100, 1, 28, 28), np.float32)
    loader = DataLoader(x, np.zeros(100, int), batch_size=32)
    assert repr(loader) == (
        "<DataLoader of 100 examples in 4 batches of 32, shuffled: "
        "x float32 (100, 1, 28, 28), y int64 (100,); next is epoch 0>"
    )
    list(loader)
    assert repr(loader).endswith("next is epoch 1>")
    plain = DataLoader(x, np.zeros(100, int), 32, shuffle=False, drop_last=True)
    assert "in 3 batches of 32, in order" in repr(plain)
