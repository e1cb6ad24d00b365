"""The exercises of chapter 12: reading results."""

import statistics

import numpy as np

from . import Wrong, exercise, same

# ---- 12a confusion and recall --------------------------------------------------------------------


@exercise("12a", "confusion and recall", answer="confusion_and_recall")
def confusion(rng):
    for n, classes, absent in (40, 2, ()), (60, 3, ()), (200, 10, ()), (30, 5, (2,)):
        present = [c for c in range(classes) if c not in absent]
        actual = rng.permutation(np.concatenate([present, rng.choice(present, n)]))
        right = rng.random(len(actual)) < 0.6
        predicted = np.where(right, actual, rng.choice(present, len(actual)))
        note = f", none of class {absent[0]}" if absent else ""
        yield f"{n} examples of {classes} classes{note}", _check_recall(actual, predicted, classes)
    always = np.zeros(4, int)
    yield "always the answer 0", _check_recall(np.arange(4), always, 4)


def _check_recall(actual, predicted, classes):
    counts = [
        [int(((actual == a) & (predicted == p)).sum()) for p in range(classes)]
        for a in range(classes)
    ]
    matrix = np.array(counts)

    def check(answer):
        found = answer(actual.copy(), predicted.copy(), classes)
        if not isinstance(found, tuple) or len(found) != 2:
            raise Wrong(
                f"expected the matrix and the recall, got {found!r:.50}".replace("\n", " "),
                "return both: return matrix, recall",
                "the matrix has classes x classes counts, the recall a number for each class",
            )
        same(
            "matrix",
            found[0],
            matrix,
            "element [a, p] counts the examples of class a that were read as p",
            "start from zeros, and add 1 for each example, in its row and its column",
            known=[
                (
                    matrix.T,
                    "transposed: the row is the actual class, the column the answer",
                    "matrix[row, column]: which of the two labels comes first?",
                ),
                (
                    np.minimum(matrix, 1),
                    "no count goes above 1: with arrays as index, += adds once for each place",
                    "np.add.at, or a loop over the examples, counts each of them",
                ),
            ],
        )
        _check_shares(found[1], matrix)

    return check


def _check_shares(found, matrix):
    right, actual, answered = np.diag(matrix), matrix.sum(axis=1), matrix.sum(axis=0)
    expected = right / np.maximum(actual, 1)
    if found is not None and found is not ... and np.shape(found) == expected.shape:
        bad = ~np.isfinite(np.asarray(found, float))
        if bad.any():
            raise Wrong(
                f"recall of class {bad.argmax()}: expected 0, got {np.asarray(found)[bad][0]}",
                "0 / 0: a class without any example has nothing to find; say that it is 0",
                "divide by np.maximum(count, 1): where the count is 0, so is what was found",
            )
    same(
        "recall",
        found,
        expected,
        "of the examples of one class, which share was found? They stand in its row",
        "the diagonal holds what was found, the sum of a row how many there were",
        known=[
            (
                right / np.maximum(answered, 1),
                "this is precision: of the answers of one class, how many were right",
                "recall goes along a row: of the actual examples, how many were found",
            ),
            (
                right / matrix.sum(),
                "divided by all examples: each class has its own number of them",
                "the denominator is an array, one number for each class",
            ),
            (
                expected.mean(),
                "one number came, where each class has its own",
                "the mean over the classes is not asked for",
            ),
        ],
    )


# ---- 12b the standard error ----------------------------------------------------------------------


@exercise("12b", "standard error", answer="standard_error")
def standard_error(rng):
    for n in 5, 2, 3, 10, 50:
        runs = 0.9 + 0.05 * rng.normal(size=n)
        given = list(map(float, runs)) if n == 10 else runs
        yield f"{n} runs{', as a list' if n == 10 else ''}", _check_error(given)


def _check_error(runs):
    def check(answer):
        n, mean = len(runs), statistics.fmean(runs)
        deviation = statistics.stdev(map(float, runs))
        same(
            "standard error",
            answer(runs.copy()),
            deviation / n**0.5,
            "do the task's three lines in turn: variance, variance of the mean, root",
            "print each of the three for the runs 1, 2, 3: they are 1, 1/3 and 0.577",
            known=[
                (
                    deviation**2 / n,
                    "this is the variance of the mean: its root is missing",
                    "a variance of percentages is in percent squared; which error is in percent?",
                ),
                (
                    deviation / n,
                    "divided by n, outside of the root: it falls with the root of n",
                    "inside of the root stands n, not its square: four times the runs halve it",
                ),
                (
                    100 * deviation / n**0.5,
                    "100 times too large: the error has the unit of the runs, here shares of 1",
                    "percent are for printing: leave out the factor",
                ),
                (
                    deviation * ((n - 1) / n) ** 0.5 / n**0.5,
                    "too small: the runs lie nearer to their own mean, hence n - 1; see ddof",
                    "np.var and np.std divide by n, unless ddof=1 says otherwise",
                ),
                (
                    deviation,
                    "this is how one run scatters; the mean of n runs scatters less",
                    "where does n come in? A mean of 100 runs is better known than one of 4",
                ),
                (
                    abs(mean * (1 - mean) / n) ** 0.5,
                    "this is the error of a share of n answers; here each run is a measurement",
                    "measure the scatter of the runs themselves: their sample variance",
                ),
            ],
        )

    return check
