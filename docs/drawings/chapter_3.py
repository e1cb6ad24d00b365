"""The picture of chapter 3: the border between two moons, epoch by epoch.

The page's own fences are run, up to the table of epochs, so that the picture shows what it tells.
"""

import re
from pathlib import Path

import numpy as np
from matplotlib.colors import to_rgb
from matplotlib.patches import PathPatch
from matplotlib.path import Path as Strokes

from minigrad.plot import COLORS, new_figure

PAGE = Path(__file__).parents[1] / "3-moons.md"
EPOCHS = (1, 4, 6, 8, 16)


def moons():
    """The verdicts of one neuron, and of nine after some epochs."""
    page = _page()
    panels = new_figure(7, 4.4).subplots(2, 3, sharex=True, sharey=True).flat
    weights = [page["line"]], [page["Value"](1.0)], page["Value"](0.0)
    _panel(next(panels), "one neuron", weights, page["one_neuron"], page)
    for epoch in range(1, EPOCHS[-1] + 1):
        page["train_epoch"](page["network"], page["parameters"])
        if epoch in EPOCHS:
            weights = page["hidden"], page["output"], page["bias"]
            name = f"nine, epoch {epoch}"
            last = _panel(next(panels), name, weights, page["network"], page)
    return last.figure


def _page():
    """What the fences of the page have defined before the table of epochs."""
    names = {"print": lambda *_: None}
    for fence in re.findall(r"^```python\n(.*?)^```$", PAGE.read_text("utf-8"), re.M | re.S):
        if fence.startswith("table ="):
            return names
        exec(fence, names)
    raise ValueError("3-moons.md has no fence that begins with `table =`")


def _panel(ax, name, weights, network, page):
    """The points, the two sides in pale colors, and how many points are right."""
    hidden, output, bias = weights
    x, y = np.meshgrid(np.linspace(-1.5, 2.5, 41), np.linspace(-1.1, 1.6, 28))
    total = float(bias.data)
    for weight, (u, v, c) in zip(output, hidden):
        total = total + float(weight.data) * np.tanh(x * u.data + y * v.data + c.data)
    ax.set_facecolor((*to_rgb(COLORS[0]), 0.15))
    ax.contourf(x, y, total, [-1e9, 0], colors=["#FAE7DA"])
    ax.contour(x, y, total, [0], colors=COLORS[6], linewidths=1.5)
    for target, color, cap in (-1, COLORS[1], "projecting"), (1, COLORS[0], "round"):
        here = np.array(sorted(point[:2] for point in page["points"] if point[2] == target))
        ax.add_patch(_dots(here, color=color, capstyle=cap, lw=2.4))
    ax.set_title(f"{name}: {page['right'](network, page['points'])} of 200", fontsize=9)
    ax.set_xticks([])
    ax.set_yticks([])
    ax.spines[:].set_visible(False)
    return ax


def _dots(places, **look):
    """Points as one path of strokes without length, in a tenth of the bytes of as many markers."""
    codes = [Strokes.MOVETO, Strokes.CLOSEPOLY] * len(places)
    return PathPatch(Strokes(places.repeat(2, axis=0), codes), **look)


PICTURES = (moons,)
