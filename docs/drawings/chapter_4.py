"""Pictures of chapter 4: a stretched array, the shapes of a product."""

import numpy as np

from minigrad.plot import COLORS, new_figure

BLUE, ORANGE, GREEN = COLORS[:3]
PALE = "#EDEDED"


def _grid(ax, numbers, left, top, colors, faint=False):
    """A table of numbers, its upper left corner at (left, top), cells of size 1."""
    for (i, j), number in np.ndenumerate(numbers):
        look = {"facecolor": colors[i][j], "edgecolor": "#444444", "linewidth": 0.8}
        if faint:
            look |= {"linestyle": "--", "alpha": 0.5}
        from matplotlib.patches import Rectangle

        ax.add_patch(Rectangle((left + j, top - i - 1), 1, 1, **look))
        text = f"{number:g}"
        ax.text(left + j + 0.5, top - i - 0.5, text, ha="center", va="center", fontsize=11)


def _plain(ax, width, height):
    ax.set(xlim=(0, width), ylim=(0, height), aspect="equal")
    ax.axis("off")


def stretched():
    """b, used in both rows; the slopes of both rows, added to the slope of b."""
    a, b = np.array([[1, 1, 1], [1, 1, 1]]), np.array([[1, 2, 3]])
    g = np.array([[1, 2, 3], [10, 20, 30]])
    tints = [["#BBD9EE", "#F6CDB0", "#B6E2D2"]] * 2
    white = [["white"] * 3] * 2
    ax = new_figure(7.4, 4.4).add_subplot()
    _plain(ax, 13.2, 7.4)
    ax.set_xlim(-0.05, 13.2)  # the frame of the first cell is as thick as the others

    ax.text(0, 6.9, "forward: a + b", fontsize=12, weight="bold")
    _grid(ax, a, 0, 6.4, white)
    ax.text(3.5, 5.4, "+", ha="center", va="center", fontsize=16)
    _grid(ax, b, 4, 6.4, tints)
    _grid(ax, b, 4, 5.4, tints, faint=True)
    ax.text(7.5, 5.4, "=", ha="center", va="center", fontsize=16)
    _grid(ax, a + b, 8, 6.4, tints)
    ax.text(1.5, 4.05, "a  (2, 3)", ha="center")
    ax.text(5.5, 4.05, "b  (3,), used twice", ha="center")
    ax.text(9.5, 4.05, "(2, 3)", ha="center")

    ax.text(0, 3.15, "backward: slopes", fontsize=12, weight="bold")
    _grid(ax, g, 8, 2.7, tints)
    ax.annotate("", (7.2, 1.7), (7.8, 1.7), arrowprops={"arrowstyle": "->", "lw": 1.5})
    _grid(ax, g.sum(axis=0, keepdims=True), 4, 2.2, tints)
    ax.text(9.5, 0.35, "g  (2, 3)", ha="center")
    ax.text(5.5, 0.35, "slope of b  (3,)", ha="center")
    ax.text(11.2, 1.7, "each column\nis added up", va="center")
    return ax.figure


def _block(ax, left, rows, columns, name, color, row=None, column=None):
    """A matrix of empty cells, centered at height 0, with a row, a column or an element filled."""
    from matplotlib.patches import Rectangle

    for i in range(rows):
        for j in range(columns):
            marked = (row is None or i == row) and (column is None or j == column)
            face = color if marked and (row is not None or column is not None) else PALE
            corner = (left + j, rows / 2 - i - 1)
            ax.add_patch(
                Rectangle(corner, 1, 1, facecolor=face, edgecolor="#666666", linewidth=0.8)
            )
    ax.text(left + columns / 2, rows / 2 + 0.3, name, ha="center", va="bottom", fontsize=11)
    ax.text(left + columns / 2, -rows / 2 - 0.3, f"({rows}, {columns})", ha="center", va="top")


def product_shapes():
    """y = x @ w, g @ w.T and x.T @ g, each with the row and the column that make one element."""
    n, k, m = 2, 3, 4
    axes = new_figure(7.4, 6.2).subplots(3, 1)
    products = [
        (("x", n, k), ("w", k, m), "y", 1, 2),
        (("g", n, m), ("w.T", m, k), "slope of x", 1, 0),
        (("x.T", k, n), ("g", n, m), "slope of w", 0, 2),
    ]
    for ax, (left, right, result, row, column) in zip(axes, products):
        (a, rows, inner), (b, _, columns) = left, right
        _block(ax, 0.0, rows, inner, a, BLUE, row=row)
        ax.text(4.75, 0, "@", ha="center", va="center", fontsize=14)
        _block(ax, 5.5, inner, columns, b, ORANGE, column=column)
        ax.text(10.25, 0, "=", ha="center", va="center", fontsize=14)
        _block(ax, 11.0, rows, columns, result, GREEN, row=row, column=column)
        ax.set(xlim=(-0.2, 16), ylim=(-2.9, 2.9), aspect="equal")
        ax.axis("off")
    return axes[0].figure


PICTURES = (stretched, product_shapes)
