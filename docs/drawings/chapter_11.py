"""The pictures of chapter 11: windows, rows, counts, and what a network's kernels became."""

import numpy as np
from matplotlib.patches import Rectangle

import minigrad as mg
from minigrad.plot import COLORS, new_figure

from .chapter_12 import digits, trained

FRAME = COLORS[1]


def _cells(ax, numbers, at, colors=None, size=11):
    """Squares with numbers, the upper left one at the place `at`; `colors` are those of cells."""
    for (i, j), number in np.ndenumerate(numbers):
        x, y = at[0] + j, at[1] + i
        color = "white" if colors is None else colors[i, j]
        ax.add_patch(Rectangle((x, y), 1, 1, facecolor=color, edgecolor="#888888", lw=0.8))
        dark = np.mean(_rgb(color)) < 0.5
        color = "white" if dark else "black"
        text = f"{number:g}"
        ax.text(x + 0.5, y + 0.5, text, ha="center", va="center", color=color, fontsize=size)


def _rgb(color):
    from matplotlib.colors import to_rgb

    return to_rgb(color)


def _shades(numbers, name, low, high):
    """A color from a map for each number."""
    from matplotlib import colormaps
    from matplotlib.colors import to_hex

    shares = (np.asarray(numbers, float) - low) / (high - low)
    return np.vectorize(lambda share: to_hex(colormaps[name](share)), otypes=["U7"])(shares)


def _frame(ax, x, y, width, height):
    ax.add_patch(Rectangle((x, y), width, height, fill=False, edgecolor=FRAME, lw=3, zorder=3))


def _sheet(width, height, right, bottom):
    """A figure and axes without scales, in units of a cell, the origin at the upper left."""
    figure = new_figure(width, height)
    figure.set_layout_engine("none")
    ax = figure.add_axes((0, 0, 1, 1))
    ax.set(xlim=(-0.2, right), ylim=(bottom, -1.1), aspect="equal")
    ax.set_axis_off()
    return figure, ax


def _title(ax, x, text):
    ax.text(x, -0.35, text, ha="center", va="bottom", fontsize=11)


def window():
    """The first window of an image with an edge, the kernel, and the result."""
    image = np.array([[0.0, 0.0, 9.0, 9.0]] * 4)
    kernel = np.array([[-1.0, 0.0, 1.0]] * 3)
    out = mg.conv2d(image[None, None], kernel[None, None])[0, 0]
    figure, ax = _sheet(7, 2.9, 13.2, 4.3)
    _cells(ax, image, (0, 0), _shades(image, "gray", -6, 10))
    _cells(ax, kernel, (5.5, 0.5), _shades(kernel, "RdBu", -2.2, 2.2))
    _cells(ax, out, (10.5, 1))
    _frame(ax, 0, 0, 3, 3)
    _frame(ax, 10.5, 1, 1, 1)
    for x, sign in (4.75, "\N{MULTIPLICATION SIGN}"), (9.5, "="):
        ax.text(x, 2, sign, ha="center", va="center", fontsize=26)
    for x, text in (2, "image, 4 x 4"), (7, "kernel, 3 x 3"), (11.5, "result, 2 x 2"):
        _title(ax, x, text)
    return figure


def im2col():
    """A numbered image and its windows as rows; a pixel has one color in both."""
    image = np.arange(16.0).reshape(4, 4)
    rows = mg.im2col(image[None, None], 3)
    figure, ax = _sheet(7.4, 2.7, 16.2, 4.2)
    _cells(ax, image, (0, 0), _shades(image, "viridis", 0, 15))
    _cells(ax, rows, (6.5, 0), _shades(rows, "viridis", 0, 15))
    for i, j in np.argwhere(image == 5):
        _frame(ax, j, i, 1, 1)
    for i, j in np.argwhere(rows == 5):
        _frame(ax, 6.5 + j, i, 1, 1)
    ax.annotate("", (6.2, 2), (4.3, 2), arrowprops={"arrowstyle": "->", "lw": 1.6})
    _title(ax, 2, "image, 4 x 4")
    _title(ax, 11, "rows, 4 x 9: a window each")
    return figure


def col2im_counts():
    """How many 3 x 3 windows read each pixel of a small image and of a larger one."""
    figure, ax = _sheet(6.2, 3.9, 13.8, 8.2)
    for size, at in (4, (0, 2)), (8, (5.6, 0)):
        places = (size - 2) ** 2
        counts = mg.col2im(np.ones((places, 9)), (1, 1, size, size), 3)[0, 0]
        _cells(ax, counts, at, _shades(counts, "Blues", -1, 11))
        ax.text(
            at[0] + size / 2,
            at[1] - 0.35,
            f"{places} windows",
            ha="center",
            va="bottom",
            fontsize=11,
        )
    return figure


def learned_filters():
    """The first layer's kernels after training, and its answers to one digit."""
    model, _ = trained()
    (x, _), _ = digits()
    layer = model[0]
    weight = layer.weight.data[:, 0]
    with mg.no_grad():
        answers = mg.relu(layer(x[2:3])).data[0]
    figure = new_figure(8, 2.25)
    axes = figure.subplots(2, len(weight), gridspec_kw={"wspace": 0.12, "hspace": 0.12})
    bound = np.abs(weight).max()
    for kernel, answer, (above, below) in zip(weight, answers, axes.T, strict=True):
        above.pcolormesh(kernel, cmap="RdBu", vmin=-bound, vmax=bound, ec="#cccccc", lw=0.3)
        above.invert_yaxis()
        below.imshow(answer, cmap="gray", vmin=0, vmax=answers.max(), interpolation="nearest")
        for ax in above, below:
            ax.set(xticks=[], yticks=[], aspect="equal")
            ax.spines[:].set_visible(True)
            ax.spines[:].set_color("#888888")
    return figure


PICTURES = (window, im2col, col2im_counts, learned_filters)
