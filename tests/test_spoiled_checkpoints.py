"""Checkpoints of the right form with one array spoiled: refused, or harmless."""

import numpy as np
import pytest


def missing(array):
    return None


def text(array):
    return np.full(array.shape, "text")


def objects(array):
    return np.full(array.shape, None)


def table(array):
    return np.zeros(array.shape, [("a", "f4"), ("b", "U3")])


def imaginary(array):
    return array + 1j


def dates(array):
    return np.zeros(array.shape, "M8[s]")


def longer(array):
    return np.concatenate([array.ravel(), array.ravel(), [0]])


def inside_another(array):
    return array[None]


def empty(array):
    return array.ravel()[:0]


def floats(array):
    return array.astype(np.float64) + 0.25


def integers(array):
    return array.astype(np.int16)


def halves(array):
    return array.astype(np.float16)


def unsigned(array):
    return np.full(array.shape, 2**64 - 1, dtype=np.uint64)


def zeros(array):
    return np.zeros_like(array)


def negative(array):
    return -np.abs(array.astype(float if array.dtype.kind == "f" else int)) - 1


def nan(array):
    return np.full(array.shape, np.nan)


def infinite(array):
    return np.full(array.shape, np.inf, array.dtype if array.dtype.kind == "f" else float)


def huge(array):
    limits = np.finfo if array.dtype.kind == "f" else np.iinfo
    dtype = array.dtype if array.dtype.kind in "if" else np.dtype(int)
    return np.full(array.shape, limits(dtype).max, dtype)


NEVER_READ = (missing, text, objects, table, imaginary, dates, longer, inside_another, empty)
OTHER_NUMBERS = (floats, integers, halves, unsigned, zeros, negative, nan, infinite, huge)


def harmless_without(name):
    """What a checkpoint may lack: a schedule sets it, or training without classes has none."""
    return name.endswith((".initial_lr", "accuracy", ".val_loss"))


@pytest.fixture
def whole(fuzz, tmp_path):
    """The arrays of a checkpoint, by name."""
    fuzz.Training().start(epochs=1, checkpoint=tmp_path / "whole.npz")
    with np.load(tmp_path / "whole.npz") as file:
        return dict(file)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # of numbers that overflow
@pytest.mark.parametrize("spoil", NEVER_READ + OTHER_NUMBERS, ids=lambda spoil: spoil.__name__)
def test_a_checkpoint_with_one_array_spoiled_is_refused_or_harmless(fuzz, whole, tmp_path, spoil):
    assert len(whole) > 60
    path = tmp_path / "spoiled.npz"
    taken = []
    for name, array in whole.items():
        spoiled = spoil(array)
        arrays = whole | {name: spoiled}
        if spoiled is None:
            del arrays[name]
        np.savez(path, **arrays)
        if fuzz.resume(path):  # which raises if it was neither refused nor harmless
            taken.append(name)
    if spoil is missing:
        assert all(map(harmless_without, taken))
    elif spoil in NEVER_READ:
        assert taken == []


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("run.epoch", None, "run.epoch is missing"),
        ("run.epoch", 0, "run.epoch expects a whole number of 1 or more, got 0"),
        ("run.epoch", 2, "history.* expects a number for each of 2 epochs"),
        ("run.stop", None, "run.stop"),
        ("run.stop", [1, 2], "run.stop expects shape"),
        ("optimizer.group.7.lr", 0.1, "group.7.lr"),
        ("optimizer.group.x.lr", 0.1, "group.x.lr"),
        ("optimizer.group", 0.1, "group"),
        ("schedule.t", -1, "t expects a whole number of 0 or more, got -1"),
        ("callback0.updates", -11, "updates expects a whole number of 0 or more, got -11"),
        ("callback1.best_epoch", None, "best_epoch is missing"),
        ("history.loss", None, "history.loss is missing"),
    ],
)
def test_what_is_wrong_with_a_checkpoint_is_named(fuzz, whole, tmp_path, name, value, words):
    arrays = {key: array for key, array in whole.items() if key != name}
    if value is not None:
        arrays[name] = np.array(value)
    path = tmp_path / "spoiled.npz"
    np.savez(path, **arrays)
    training = fuzz.Training()
    before = training.state()
    with pytest.raises(ValueError, match=rf"spoiled\.npz is a checkpoint of another run.*{words}"):
        training.start(epochs=2, checkpoint=path, resume=True)
    assert fuzz.same(training.state(), before)
