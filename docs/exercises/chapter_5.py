"""The exercises of chapter 5: softmax, the gradient of cross-entropy, accuracy."""

import numpy as np

from . import Wrong, exercise, nudged, same

# ---- 5a: softmax ---------------------------------------------------------------------------------


@exercise("5a", "stable softmax", answer="softmax")
def softmax(rng):
    z = rng.normal(size=(4, 3))
    cases = {
        "scores (4, 3)": z,
        "scores (3, 3)": z[:3] * 2,
        "scores near 1000": z + 1000,
        "scores near -1000": z - 1000,
        "rows at 0 and at 2000": z + np.array([[0.0], [2000.0], [0.0], [-2000.0]]),
    }
    for label, z in cases.items():

        def check(answer, z=z):
            with np.errstate(all="ignore"):  # what overflows shows in the result
                found = answer(z.copy())
                expected = 1 / np.exp(z[:, None, :] - z[:, :, None]).sum(axis=2)
                mistakes = list(softmax_mistakes(z))
            if found is not None and found is not ... and np.isnan(found).any():
                raise Wrong(f"probabilities: got nan, for the scores {z[1].round(1)}", *lost(z))
            same(
                "probabilities",
                found,
                expected,
                "each row by itself: exp of its scores, divided by their sum",
                "try the row [2.0, 1.0, 0.0]: it becomes 0.665, 0.245, 0.090",
                mistakes,
            )

        yield label, check


def lost(z):
    """Hints for where exp has left the range of floats."""
    if np.ptp(z) < 100:
        return (
            "exp of 1000 is inf, exp of -1000 is 0: subtract something first, as only differences count",
            "what can be subtracted from a row, so that its largest score becomes 0?",
        )
    return (
        "rows of very different size in one batch: each row has a largest score of its own",
        "z.max() is the largest of the whole batch; max takes axis and keepdims too",
    )


def softmax_mistakes(z):
    """What comes of sums over columns or over everything, of no sum."""
    for shift in z * 0, z.max(), z.max(axis=1, keepdims=True), z.max(axis=0, keepdims=True):
        e = np.exp(z - shift)
        yield (
            e / e.sum(axis=0, keepdims=True),
            "here the columns add up to 1: a row is one image, its scores stand along axis 1",
            "sum takes axis=1; keepdims=True keeps a column, by which the rows can be divided",
        )
        yield (
            e / e.sum(),
            "all probabilities of the batch add up to 1; each row should, by itself",
            "without axis, sum() adds up the whole array",
        )
        yield (
            e,
            "all are positive now, but do not add up to 1",
            "divide each row by its sum",
        )


# ---- 5b: the gradient of cross-entropy -----------------------------------------------------------


def mean_cross_entropy(z, labels):
    """The mean of ln(sum of exp(z)) - z[label], image by image."""
    losses = [np.log(np.exp(row).sum()) - row[label] for row, label in zip(z, labels)]
    return sum(losses) / len(losses)


@exercise("5b", "cross-entropy's gradient", answer="cross_entropy_slope")
def cross_entropy_gradient(rng):
    for n, classes in (3, 4), (1, 2), (4, 4), (6, 10):
        z, labels = rng.normal(size=(n, classes)), rng.integers(0, classes, n)

        def check(answer, z=z, labels=labels):
            n, right = len(z), nudged(lambda v: mean_cross_entropy(v, labels), z)
            same(
                "slope of the scores",
                answer(z.copy(), labels.copy()),
                right,
                "for each image the probabilities minus the targets; the loss is the mean",
                "print your slope for one image of two classes with equal scores: -0.5 and 0.5",
                [
                    (
                        right * n,
                        "too large by the number of images: the loss is their mean, not their sum",
                        "a mean of N losses moves by 1/N of what one of them moves",
                    ),
                    *one_hot_mistakes(z, labels, right),
                    (
                        -right,
                        "the sign: the score of the right class must rise when stepping against the slope",
                        "the slope of -z[t] is -1: subtract the targets from the probabilities",
                    ),
                ],
                tolerance=1e-5,
            )

        yield f"{n} images, {classes} classes", check


def one_hot_mistakes(z, labels, right):
    """What comes of no target at all, of a 1 taken from every score, or of all labels in all rows."""
    n, targets = len(z), np.eye(z.shape[1])[labels]
    p = right * n + targets
    columns = p - targets.any(axis=0)
    for mistake in columns, columns / n:
        yield (
            mistake,
            "p[:, labels] takes the columns of all labels, in every row: each image has one target only",
            "p[np.arange(N), labels] pairs each row with its own label",
        )
    for mistake in p, p / n, p - 1, (p - 1) / n:
        yield (
            mistake,
            "the target is missing: it is 1 at the right class of each image, and 0 elsewhere",
            "np.eye(classes)[labels] has a row for each image: 1 at its label",
        )


# ---- 5c: accuracy --------------------------------------------------------------------------------


@exercise("5c", "accuracy", answer="accuracy")
def accuracy(rng):
    for n, classes in (20, 20), (8, 3), (1, 4), (50, 10):
        scores, labels = rng.normal(size=(n, classes)), rng.integers(0, classes, n)
        right, last = slice(n // 2 + 1), slice(n - n // 4, n)
        labels[right], labels[last] = scores[right].argmax(axis=1), scores[last].argmin(axis=1)

        def check(answer, scores=scores, labels=labels):
            n = len(labels)
            hits = sum(row[t] == max(row) for row, t in zip(scores, labels))
            fewest = sum(row[t] == min(row) for row, t in zip(scores, labels))
            mistakes = [
                (
                    hits,
                    "that is the number of right answers; the accuracy is their share, from 0 to 1",
                    "divide by the number of images",
                ),
                (100 * hits / n, "a share is asked, from 0 to 1, not percent", "leave out the 100"),
                (
                    1 - hits / n,
                    "that is the share of wrong answers",
                    "count where the answer equals the label",
                ),
                (
                    fewest / n,
                    "the answer is the class with the largest score, not the smallest",
                    "argmin or argmax?",
                ),
            ]
            found = answer(scores.copy(), labels.copy())
            if n == scores.shape[1]:
                by_column = (scores.argmax(axis=0) == labels).mean()
                mistakes.append((by_column, *COLUMNS))
            elif np.shape(found) == () and found == 0:
                raise Wrong(f"accuracy: expected {hits / n:.6g}, got 0", *COLUMNS)
            same(
                "accuracy",
                found,
                hits / n,
                "take the class of the largest score of each row, and compare it with the label",
                "scores.argmax(...) should have one answer for each image: check its shape",
                mistakes,
            )

        yield f"scores {scores.shape}", check


COLUMNS = (
    "that compares columns: an image is a row, and its answer lies along axis 1",
    "scores.argmax(axis=?) must have one answer for each of the rows",
)
