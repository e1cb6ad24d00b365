"""The exercises of chapter 9: dropout, a split, a shift."""

import numpy as np

from . import Wrong, exercise, near, same

# ---- 9a ------------------------------------------------------------------------------------------


@exercise("9a", "dropout", answer="dropout")
def dropout(rng):
    x = rng.uniform(1, 2, size=(100, 300))
    yield "p = 0.2", lambda answer: _in_training(answer, x, 0.2)
    yield "p = 0.5", lambda answer: _in_training(answer, x, 0.5)
    yield "p = 0", lambda answer: _unchanged(_called(answer, x, 0.0, True), x, "with p = 0")
    yield "evaluation", lambda answer: _in_evaluation(answer, x)
    yield "the same again", lambda answer: _repeated(answer, x)


def _rng():
    return np.random.default_rng(3)


def _called(answer, x, p, training):
    """What comes back, which has the shape of x; x must stay as it is."""
    given = x.copy()
    with np.errstate(all="ignore"):
        found = answer(given, p, training, _rng())
    if found is None or found is ... or np.shape(found) != x.shape:
        same("dropout(x, ...)", found, x, "the result has the shape of x", "one number for each")
    if not np.array_equal(given, x):
        raise Wrong(
            "x itself was changed",
            "make a new array: x * mask, or np.where",
            "x[...] = 0 and x *= write into the array that the caller holds",
        )
    return np.asarray(found, float)


def _in_training(answer, x, p):
    found = _called(answer, x, p, True)
    _no_lines(found == 0)
    zeros = (found == 0).mean()
    if abs(zeros - p) > 0.02:
        hint = "how many must be 0 on average? rng.random() is below p with probability p"
        if abs(zeros - (1 - p)) < 0.02:
            hint = "p is the probability of 0; you keep with probability p"
        raise Wrong(
            f"{zeros:.0%} are 0, expected {p:.0%}",
            hint,
            "a drawn number is below p with probability p",
        )
    kept = found != 0
    same(
        "what is kept",
        found[kept],
        x[kept] / (1 - p),
        "the mean of all must stay what it was, though a share p of them is 0",
        "with p = 0.5 half of them are left: by what must those be multiplied?",
        known=[
            (
                x[kept],
                f"not scaled: the mean falls by {p:.0%}, and the next layer sees less",
                "with p = 0.5 half of them are left: by what must those be multiplied?",
            ),
            (
                x[kept] / p,
                "scaled by p, the probability of 0, in place of the one of being kept",
                "each is kept with probability 1 - p",
            ),
        ],
    )


def _unchanged(found, x, when):
    if found is not None and near(found, x):
        return
    same(f"dropout {when}", found, x, "nothing is to be dropped or scaled here", "x as it came")


def _in_evaluation(answer, x):
    found = _called(answer, x, 0.5, False)
    zeros = (found == 0).mean()
    if zeros:
        raise Wrong(
            f"in evaluation {zeros:.0%} are 0",
            "it is active in evaluation: what does `training` say?",
            "dropout disturbs learning; an answer is to be undisturbed",
        )
    _unchanged(found, x, "in evaluation")


def _no_lines(dropped):
    """Rows and columns are some 100 elements long: none is dropped as a whole."""
    if not dropped.all() and (dropped.all(axis=0).any() or dropped.all(axis=1).any()):
        raise Wrong(
            "whole rows or columns are 0",
            "draw a number for each element, not one for a row or a column",
            "one number for each column is stretched over the rows: what shape is drawn?",
        )


def _repeated(answer, x):
    found = _called(answer, x, 0.5, True)
    if not np.array_equal(found, _called(answer, x, 0.5, True)):
        raise Wrong(
            "the same rng gives another result",
            "draw from the rng that is given, so that a run can be repeated",
            "rng.random, not np.random",
        )


# ---- 9b ------------------------------------------------------------------------------------------


@exercise("9b", "split", answer="split")
def split(rng):
    for n, share, shape in (100, 0.2, ()), (50, 0.1, (3,)), (33, 0.3, (2, 2)), (10, 0.25, (4,)):
        numbers = rng.permutation(1000)[:n]
        x = numbers.reshape(-1, *[1] * len(shape)) + np.zeros(shape)
        y = np.sort(rng.integers(0, 5, size=n))

        def check(answer, x=x, y=y, share=share):
            parts = answer(x.copy(), y.copy(), share, np.random.default_rng(1))
            _judge_split(parts, x, y, share)

        yield f"{n} examples, share {share}, x {x.shape}", check


def _judge_split(parts, x, y, share):
    try:
        (x_train, y_train), (x_held, y_held) = parts
        x_train, y_train, x_held, y_held = map(np.asarray, (x_train, y_train, x_held, y_held))
        ids = [set(a.reshape(len(a), -1)[:, 0].tolist()) for a in (x_train, x_held)]
    except (TypeError, ValueError) as error:
        raise Wrong(
            f"expected (x, y) twice, got {type(parts).__name__}",
            "return two pairs: (x_train, y_train), (x_validation, y_validation)",
            "index both x and y by the same positions",
        ) from error
    both = len(ids[0] & ids[1])
    if both:
        raise Wrong(
            f"{both} examples are in both parts",
            "overlap: what is held back must not be trained on",
            "put all positions into one random order, and cut it in two",
        )
    count = round(share * len(x))
    sizes = len(x_train), len(x_held)
    if sizes != (len(x) - count, count):
        hint = "round(share * N) are held back, all others are for training"
        if sizes == (count, len(x) - count):
            hint = "exchanged: training comes first, validation second"
        if len(x_train) != len(y_train):
            hint = "the pairs are (x, y) of one part, not x of both parts and y of both"
        raise Wrong(
            f"expected {len(x) - count} and {count} examples, got {sizes[0]} and {sizes[1]}",
            hint,
            "(x_train, y_train), (x_validation, y_validation), with the share in the second",
        )
    _judge_labels(x_train, y_train, x, y)
    _judge_labels(x_held, y_held, x, y)
    position = {row.flat[0]: i for i, row in enumerate(x)}
    held = sorted(position[row.flat[0]] for row in x_held)
    if held[-1] - held[0] == count - 1 and count > 2:
        raise Wrong(
            f"held back: the examples {held[0]} to {held[-1]}, in one piece",
            "not shuffled: where examples are sorted by label, a class may be missing",
            "choose positions at random: rng.permutation(len(x))",
        )


def _judge_labels(x_part, y_part, x, y):
    label = {row.flat[0]: t for row, t in zip(x, y)}
    if len(y_part) != len(x_part) or any(
        label.get(row.flat[0]) != t for row, t in zip(x_part, y_part)
    ):
        raise Wrong(
            "labels no longer stand beside their examples",
            "x and y went apart: shuffle positions, not the arrays",
            "one order, drawn once, serves both",
        )


# ---- 9c ------------------------------------------------------------------------------------------


@exercise("9c", "shift", answer="shift")
def shift(rng):
    x = rng.integers(1, 10, size=(3, 6, 8)).astype(float)
    y = np.array([7, 0, 4])
    for down, right in (0, 0), (1, 0), (2, 3), (0, -2), (-3, 1), (-1, -1):

        def check(answer, down=down, right=right):
            parts = answer(x.copy(), y.copy(), down, right)
            if not isinstance(parts, tuple | list) or len(parts) != 2:
                raise Wrong(
                    f"expected two results, got {type(parts).__name__}",
                    "return the images and their labels",
                    "return moved, y",
                )
            _judge_images(parts[0], x, down, right)
            same(
                "labels",
                parts[1],
                y,
                "labels change: a digit that is moved is still the same digit",
                "whatever happens to the pixels, the labels stay as they came",
            )

        yield f"down {down}, right {right}", check


def _moved(x, down, right):
    """Pixel by pixel: what stands at [i, j] came from [i - down, j - right], if there was one."""
    moved = np.zeros(x.shape)
    for n, i, j in np.ndindex(x.shape):
        if 0 <= i + down < x.shape[1] and 0 <= j + right < x.shape[2]:
            moved[n, i + down, j + right] = x[n, i, j]
    return moved


def _judge_images(found, x, down, right):
    axes = "rows run down, columns right: of (N, H, W), rows are axis 1, columns axis 2"
    batch = "the images moved among each other: of (N, H, W), axis 0 counts the images"
    same(
        "images",
        found,
        _moved(x, down, right),
        "the pixel at [i, j] goes to [i + down, j + right]; what comes in is 0",
        "pad with zeros on all sides, then cut out H x W at the right place",
        known=[
            (
                np.roll(x, (down, right), axis=(1, 2)),
                "wraps: what leaves on one side comes in on the other",
                "np.roll goes round; pad with zeros before, and cut after",
            ),
            (_moved(x, down, 0), "moved along one axis alone: where is right?", axes),
            (_moved(x, 0, right), "moved along one axis alone: where is down?", axes),
            (_moved(x, right, down), "down and right are exchanged", axes),
            (_moved(x, -down, -right), "moved the other way: up and left", axes),
            (np.roll(x, (down, right), axis=(0, 1)), batch, axes),
        ],
    )
