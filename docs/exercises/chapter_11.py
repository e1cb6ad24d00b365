"""The exercises of chapter 11: convolution."""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from . import Wrong, exercise, nudged, same

# ---- 11a im2col ----------------------------------------------------------------------------------


@exercise("11a", "im2col", answer="windows_as_rows")
def im2col(rng):
    for (H, W), (KH, KW) in (
        ((4, 5), (2, 2)),
        ((4, 4), (3, 3)),
        ((5, 4), (2, 3)),
        ((3, 4), (3, 4)),
        ((28, 28), (5, 5)),
    ):
        image = rng.permutation(H * W).reshape(H, W).astype(float)

        def check(answer, image=image, KH=KH, KW=KW):
            windows = sliding_window_view(image, (KH, KW))
            expected = windows.reshape(-1, KH * KW)
            found = answer(image.copy(), KH, KW)
            if found is not None and found is not ...:
                together = windows[::KH, ::KW].size // expected.shape[1]
                _count_rows(np.shape(found), expected.shape, together)
            same(
                "rows",
                found,
                expected,
                "which pixels does the window at the place (i, j) see? Draw it on a 4 x 4 image",
                "image[i : i + height, j : j + width] is that window; .ravel() makes a row of it",
                known=_misread(windows, expected),
            )

        yield f"image {image.shape}, kernel {(KH, KW)}", check


def _misread(windows, expected):
    """What comes of reading windows, or the pixels of one, in another order."""
    return [
        (
            expected[:, ::-1],
            "flipped: each window stands backward; networks do not flip the kernel",
            "the first number of a row is the upper left pixel of its window",
        ),
        (
            windows.swapaxes(0, 1).reshape(expected.shape),
            "the windows are right, their order is not: they go along a line of the image first",
            "the second row is the window one pixel to the right, not one pixel down",
        ),
        (
            windows.swapaxes(2, 3).reshape(expected.shape),
            "the pixels of a window go along its line first, not down its column",
            ".ravel() of the window as it is, without .T, gives them in this order",
        ),
    ]


def _count_rows(found, expected, together):
    """Raise where the shape shows that windows were left out, stacked or turned.

    `together` is how many windows there are if none overlap.
    """
    if found == expected:
        return
    what = f"rows: expected shape {expected}, got {found}"
    if len(found) == 3:
        raise Wrong(
            what, "a row is flat: make one axis of the window's two", "window.ravel() does it"
        )
    if found == expected[::-1]:
        raise Wrong(
            what, "the windows stand as columns: each line is to be one window", ".T turns them"
        )
    if found == (together, expected[1]):
        raise Wrong(
            what,
            "windows overlap: from one place to the next it is one pixel, not a whole window",
            "range(0, n, width) steps by width; a step of 1 is the default",
        )
    if len(found) == 2 and found[1] == expected[1]:
        raise Wrong(
            what,
            "the number of places is not right: at how many does a kernel of 3 fit on 4 pixels?",
            "the last place is size - kernel, and range(n) ends before n",
        )


# ---- 11b col2im ----------------------------------------------------------------------------------


@exercise("11b", "col2im, stride 2", answer="hand_back")
def col2im(rng):
    for shape, kernel, stride in (
        ((4, 4), 3, 1),
        ((5, 5), 3, 2),
        ((4, 6), 2, 2),
        ((6, 7), 3, 2),
        ((9, 8), 4, 3),
    ):

        def read(image, kernel=kernel, stride=stride):
            windows = sliding_window_view(image, (kernel, kernel))[::stride, ::stride]
            return windows.reshape(-1, kernel**2)

        rows = rng.integers(1, 10, read(np.zeros(shape)).shape).astype(float)

        def check(answer, rows=rows, shape=shape, kernel=kernel, stride=stride, read=read):
            found = answer(rows.copy(), shape, kernel, stride)
            # `read` is linear, so that a nudge of 1 measures its slopes as well as a small one.
            expected = nudged(lambda image: (read(image) * rows).sum(), np.zeros(shape), h=1.0)
            same(
                "slope of the image",
                found,
                expected,
                "which pixel did row n, number m come from? There it has to be added",
                "cells[a, b, i, j] came from the pixel (stride * a + i, stride * b + j)",
                known=_misplaced(rows, shape, kernel, stride, expected),
            )

        yield f"image {shape}, kernel {kernel}, stride {stride}", check


def _misplaced(rows, shape, kernel, stride, expected):
    """What comes of writing where one adds, and of other places."""
    OH, OW = ((n - kernel) // stride + 1 for n in shape)
    cells = rows.reshape(OH, OW, kernel, kernel)
    by_place, by_window, close = np.zeros(shape), np.zeros(shape), np.zeros(shape)
    count = np.zeros(shape)
    for i, j, a, b in np.ndindex(kernel, kernel, OH, OW):
        by_place[stride * a + i, stride * b + j] = cells[a, b, i, j]
        count[stride * a + i, stride * b + j] += 1
        close[a + i, b + j] += cells[a, b, i, j]
    for a, b, i, j in np.ndindex(cells.shape):
        by_window[stride * a + i, stride * b + j] = cells[a, b, i, j]
    overwritten = (
        "a pixel that several windows read keeps the slope of one alone: the others are lost",
        "slopes of different paths are added: which operator does that?",
    )
    covered = expected[: stride * (OH - 1) + kernel, : stride * (OW - 1) + kernel]
    return [
        (by_place, *overwritten),
        (by_window, *overwritten),
        (
            close,
            "the stride is missing: neighboring windows are handed back one pixel apart",
            "cells[1, 0, i, j] came from the line stride + i; a slice has a third part, its step",
        ),
        (
            covered,
            "cropped: the pixels that no window reads belong to the image too; their slope is 0",
            "start from zeros of the shape that was given",
        ),
        (
            expected / np.maximum(count, 1),
            "divided by the number of windows: slopes are added, no mean is taken",
            "nothing divides on the way forward, so nothing does on the way back",
        ),
    ]


# ---- 11c max-pooling -----------------------------------------------------------------------------


def _pooled(image, size):
    H, W = image.shape
    return image.reshape(H // size, size, W // size, size).max(axis=(1, 3))


@exercise("11c", "a pool's rule", answer="max_pool_slopes")
def max_pool(rng):
    for (H, W), size in ((2, 2), 2), ((4, 4), 2), ((4, 6), 2), ((6, 9), 3):
        image = rng.permutation(H * W).reshape(H, W) + 1.0
        g = rng.normal(size=(H // size, W // size))
        yield f"image {(H, W)}, size {size}", _check_distinct(g, image, size)
    image = np.maximum(rng.integers(-3, 3, size=(6, 8)), 0.0)  # what relu leaves: ties at 0
    g = rng.normal(size=(3, 4))
    yield "several largest in a window", _check_ties(g, image)


def _check_distinct(g, image, size):
    def check(answer):
        found = answer(g.copy(), image.copy(), size)
        expected = nudged(lambda v: (_pooled(v, size) * g).sum(), image)
        everywhere = np.kron(g, np.ones((size, size)))
        same(
            "slope of the image",
            found,
            expected,
            "nudge one pixel in thought: by how much does the result of its window move?",
            "find the place of the largest in each window, and put g there",
            known=[
                (
                    everywhere,
                    "every pixel has the whole slope: only the largest moves the result",
                    "where another pixel moves by a little, nothing happens: its slope is 0",
                ),
                (
                    everywhere / size**2,
                    "this is the rule of average pooling: here nothing is shared out",
                    "the largest moves the result by as much as it moves itself: 1, not 1 of 4",
                ),
                (
                    expected * image,
                    "right places, but multiplied by the pixel: the slope of keeping it is 1",
                    "y = x has the slope 1, whatever x is",
                ),
                (
                    nudged(lambda v: (-_pooled(-v, size) * g).sum(), image),
                    "the slope went to the smallest pixel of each window",
                    "max keeps the largest: argmax finds its place",
                ),
            ],
        )

    return check


def _check_ties(g, image):
    def check(answer):
        found = answer(g.copy(), image.copy(), 2)
        same("sum of each window", _sums(found), g, *_SUM, known=_known_sums(g, image))
        largest = image == np.kron(_pooled(image, 2), np.ones((2, 2)))
        got = np.asarray(found) != 0
        if (got & ~largest).any():
            raise Wrong("a pixel that is not the largest has a slope", *_SUM)
        if (_sums(got) > 1).any():
            raise Wrong(
                "several pixels of a window have a slope, where one may have it",
                "shared among the largest: the exercise wants one of them to get all",
                "argmax names one place, the first, where == finds all",
            )

    return check


_SUM = (
    "in each window, one pixel that is largest gets all of g, the others 0",
    "argmax gives one place even where several are largest",
)


def _sums(slopes):
    """The sum of each 2 x 2 window, or the array as it is if it has no such windows."""
    slopes = np.asarray(slopes, float)
    if slopes.ndim != 2 or slopes.shape[0] % 2 or slopes.shape[1] % 2:
        return slopes
    H, W = slopes.shape
    return slopes.reshape(H // 2, 2, W // 2, 2).sum(axis=(1, 3))


def _known_sums(g, image):
    largest = image == np.kron(_pooled(image, 2), np.ones((2, 2)))
    return [
        (
            _sums(largest) * g,
            "all pixels that are largest got the whole slope: together they may have it once",
            "== finds every largest pixel, argmax the first of them",
        )
    ]
