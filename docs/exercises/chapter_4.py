"""The exercises of chapter 4: arrays."""

import numpy as np

from . import Wrong, exercise, nudged, same

# ---- 4a: unbroadcast -----------------------------------------------------------------------------

STRETCHES = [  # the shape of g, the shape that was stretched to it
    ((2, 3), (3,)),
    ((2, 3), (2, 1)),
    ((3, 3), (3, 1)),
    ((4, 2, 3), (2, 1)),
    ((2, 3), ()),
    ((2, 3), (2, 3)),
]


@exercise("4a", "unbroadcast", answer="unbroadcast")
def unbroadcast(rng):
    for of_g, shape in STRETCHES:
        g = rng.normal(size=of_g)

        def check(answer, g=g, shape=shape):
            same(
                "slope",
                answer(g.copy(), shape),
                nudged(lambda v: (v * g).sum(), np.ones(shape)),
                "the copies of one element are one row or column of g: add up all of them, no others",
                "align the two shapes at their right ends, and mark each axis that is missing or 1",
                known=stretch_mistakes(g, shape),
            )

        yield f"from {of_g} to {shape}", check


def stretch_mistakes(g, shape):
    """What comes of a mean, of another axis, of a lost or kept axis."""
    aligned = (1,) * (g.ndim - len(shape)) + shape
    axes = tuple(axis for axis, n in enumerate(aligned) if n == 1 and g.shape[axis] != 1)
    if not axes:
        return []
    other = tuple(axis for axis in range(g.ndim) if axis not in axes)
    mean = (
        "that is the mean: each use moves the loss, and the moves add up",
        "what is the slope of b in y = b + b: 1 or 2?",
    )
    kept = (
        "the numbers are right; the shape must be that of the stretched array, axis by axis",
        "keepdims=True keeps an axis of length 1; one that was missing must go",
    )
    wrong = (
        "summed over the wrong axis: which one did NumPy repeat?",
        "a missing axis is on the left, so it is axis 0; look for the 1 in the shape",
    )
    mistakes = [(g.mean(axis=axes).reshape(shape), *mean), (g.mean(axis=axes), *mean)]
    mistakes += [(g.sum(axis=axes), *kept), (g.sum(axis=axes, keepdims=True), *kept)]
    for keep in False, True:
        mistakes.append((g.sum(axis=other, keepdims=keep), *wrong))
        mistakes += [(g.sum(axis=axis, keepdims=keep), *wrong) for axis in range(g.ndim)]
    return mistakes


# ---- 4b: matmul ----------------------------------------------------------------------------------


@exercise("4b", "matmul", answer="matmul_slopes")
def matmul(rng):
    for n, k, m in (1, 1, 1), (2, 2, 2), (1, 3, 1), (2, 3, 4), (5, 2, 3):
        x, w, g = rng.normal(size=(n, k)), rng.normal(size=(k, m)), rng.normal(size=(n, m))

        def check(answer, x=x, w=w, g=g):
            found = answer(g.copy(), x.copy(), w.copy())
            if not isinstance(found, tuple | list) or len(found) != 2:
                raise Wrong(
                    f"expected two slopes, of x and of w, got {found!r:.60}",
                    "return both: return slope_x, slope_w",
                    "the first has the shape of x, the second that of w",
                )
            of_x = nudged(lambda v: (v @ w * g).sum(), x)
            of_w = nudged(lambda v: (x @ v * g).sum(), w)
            same("slope of x", found[0], of_x, *MATMUL, matmul_mistakes(of_x, of_w, g, w))
            same("slope of w", found[1], of_w, *MATMUL, matmul_mistakes(of_w, of_x, x, g))

        yield f"x {x.shape}, w {w.shape}", check


MATMUL = (
    "each slope is a sum of products: which g met this element on its way?",
    "x[i, k] meets w[k, j] on its way to y[i, j]: write that sum, then as a product",
)


def matmul_mistakes(right, other, left_factor, right_factor):
    """What comes of a transposed result, of the two exchanged, of a product without `.T`."""
    mistakes = [
        (
            right.T,
            "transposed; the slope of an element stands in that element's place",
            "(a @ b).T is b.T @ a.T: which of the two do you have?",
        ),
        (
            other,
            "swapped: the slope of x comes first, that of w second",
            "look at the shapes: that of x is (n, k)",
        ),
    ]
    if left_factor.shape[1] == right_factor.shape[0]:
        mistakes.append(
            (
                left_factor @ right_factor,
                "these shapes fit by luck, as all are square; over which index does the sum run?",
                "try it with x (2, 3) and w (3, 4): where must a .T stand for the shapes to fit?",
            )
        )
    return mistakes


# ---- 4c: a sum over an axis ----------------------------------------------------------------------


@exercise("4c", "sum over an axis", answer="sum_slope")
def sum_over_axis(rng):
    for shape, axis in ((3, 3), 1), ((2, 3), 0), ((2, 3), 1), ((4,), 0), ((2, 3, 4), -2):
        x = rng.normal(size=shape)
        g = np.asarray(rng.normal(size=x.sum(axis=axis).shape))

        def check(answer, x=x, g=g, axis=axis):
            n = x.shape[axis]
            right = nudged(lambda v: (v.sum(axis=axis) * g).sum(), x)
            same(
                "slope of x",
                answer(g.copy(), x.copy(), axis),
                right,
                "every element of x has the slope of the sum that it went into",
                "give g back the axis that the sum removed, then let it stretch",
                known=[
                    (
                        right / n,
                        "divided by the number of elements: that is the rule of a mean",
                        "move one element by 1: by how much does the sum move?",
                    ),
                    (
                        g,
                        "that has the shape of the sums; x has more elements, and each has a slope",
                        "an axis is missing in g: np.expand_dims puts it back, with length 1",
                    ),
                    (
                        np.expand_dims(g, axis),
                        "the axis is back, with length 1; there are as many slopes as elements of x",
                        "multiply with np.ones(x.shape), or let np.broadcast_to stretch it",
                    ),
                    *wrong_axes(g, x, axis),
                ],
            )

        yield f"x {shape}, axis {axis}", check


def wrong_axes(g, x, right):
    """What comes of g stretched along another axis than the sum's."""
    for axis in range(x.ndim):
        spread = np.expand_dims(g, axis)
        fits = all(n in (1, full) for n, full in zip(spread.shape, x.shape))
        if fits and axis != right % x.ndim:
            yield (
                np.broadcast_to(spread, x.shape),
                "stretched along the wrong axis: elements that were summed together share one slope",
                "with axis=1 a row is summed: then all of row 0 has the slope g[0]",
            )
