"""The pictures of chapter 1: the nudge, the line, the map of the loss."""

import numpy as np

from minigrad.plot import COLORS, new_axes

XS = np.array([0.0, 1.0, 2.0, 3.0, 4.0])
YS = np.array([1.1, 2.9, 5.2, 6.8, 9.0])


def loss(w, b):
    """The mean squared error of the line, for numbers or for grids of them."""
    return sum((w * x + b - y) ** 2 for x, y in zip(XS, YS)) / len(XS)


def walk(rate, steps):
    """The places (w, b) of gradient descent from zero, (steps + 1, 2)."""
    places = [np.zeros(2)]
    for _ in range(steps):
        w, b = places[-1]
        error = w * XS + b - YS
        places.append(places[-1] - rate * 2 * np.array([(error * XS).mean(), error.mean()]))
    return np.array(places)


def nudge():
    """The error of a measured slope over the size of the nudge, from one side and from both."""
    sizes = [10 ** (-half / 2) for half in range(2, 27)]
    one = [abs(((2 + h) ** 3 - 8) / h - 12) for h in sizes]
    both = [abs(((2 + h) ** 3 - (2 - h) ** 3) / (2 * h) - 12) for h in sizes]
    ax = new_axes(7, 3.5)
    for error, color, marker, label in (
        (one, COLORS[1], "s", "from one side"),
        (both, COLORS[0], "o", "from both sides"),
    ):
        ax.loglog(sizes, error, marker=marker, ms=4, color=color, label=label)
    ax.set_xlabel("size of the nudge")
    ax.set_ylabel("error of the slope")
    ax.legend(frameon=False)
    return ax.figure


def line():
    """The five points, and the line after some of the steps."""
    places = walk(0.05, 500)
    ax = new_axes(7, 3.5)
    x = np.array([-0.2, 4.9])
    for step, name, color in (
        (0, "start", COLORS[4]),
        (1, "1 step", COLORS[1]),
        (2, "2 steps", COLORS[2]),
        (500, "500 steps", COLORS[0]),
    ):
        w, b = places[step]
        ax.plot(x, w * x + b, color=color, lw=2.5 if step == 500 else 1.5)
        ax.annotate(
            f"{name}: loss {loss(w, b):.2f}",
            (x[1], w * x[1] + b),
            (8, 0),
            textcoords="offset points",
            color=color,
            va="center",
            annotation_clip=False,
        )
    ax.plot(XS, YS, "o", color=COLORS[6], ms=7, zorder=3)
    ax.set_xlabel("x")
    ax.set_ylabel("y")
    return ax.figure


def contours():
    """The loss over w and b, and the path of the walk."""
    places = walk(0.05, 500)
    w, b = np.meshgrid(np.linspace(-0.4, 3.6, 81), np.linspace(-0.6, 2.4, 81))
    ax = new_axes(7, 3.5)
    levels = [0.1, 0.5, 2, 5, 10, 20, 30]
    curves = ax.contour(w, b, loss(w, b), levels, colors="0.6", linewidths=1)
    ax.clabel(curves, fmt="%g", fontsize=8)
    path = places[[*range(12), 15, 20, 30, 50, 100, 500]]
    ax.plot(path[:, 0], path[:, 1], "o-", color=COLORS[0], ms=4, lw=1.5)
    ax.plot(*places[-1], "x", color=COLORS[1], ms=10, mew=3, zorder=3)
    paper = {"facecolor": "white", "edgecolor": "none", "pad": 1}
    ax.annotate("start", places[0], (6, -12), textcoords="offset points", bbox=paper)
    ax.annotate("500 steps", places[-1], (12, -4), textcoords="offset points", bbox=paper, zorder=4)
    ax.set_xlabel("w, the slope of the line")
    ax.set_ylabel("b, its height at x = 0")
    return ax.figure


PICTURES = (nudge, line, contours)
