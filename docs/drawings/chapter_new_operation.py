"""The picture of the page on a new operation: what batch norm's gradient takes away."""

import numpy as np

from minigrad.plot import COLORS, new_figure


def batch_norm_gradient():
    """The slopes of eight examples of a feature: by z, what is taken from them, what is left."""
    rng = np.random.default_rng(1)
    x = np.sort(rng.normal(size=8))
    z = (x - x.mean()) / x.std()
    h = 0.8 + 0.7 * z + 0.5 * rng.normal(size=8)
    mean, along = np.full(8, h.mean()), z * (h * z).mean()
    figure = new_figure(7.5, 2.6)
    left, middle, right = figure.subplots(1, 3, sharey=True)
    bars = {"width": 0.6, "zorder": 2}
    left.bar(range(8), h, color=COLORS[0], **bars)
    left.set_title("h, the slopes by z", fontsize=10)
    middle.bar(np.arange(8) - 0.2, mean, color=COLORS[3], width=0.4, label="mean(h)", zorder=2)
    middle.bar(
        np.arange(8) + 0.2, along, color=COLORS[1], width=0.4, label="z * mean(h * z)", zorder=2
    )
    middle.legend(frameon=False, fontsize=8, loc="upper left")
    middle.set_title("taken away", fontsize=10)
    right.bar(range(8), h - mean - along, color=COLORS[2], **bars)
    right.set_title("what is left: s * dx", fontsize=10)
    for ax in (left, middle, right):
        ax.axhline(0, color="0.5", lw=0.8)
        ax.set_xticks(range(8), range(1, 9))
        ax.set_xlabel("example, by its x")
    return figure


PICTURES = (batch_norm_gradient,)
