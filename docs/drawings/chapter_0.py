"""The pictures of chapter 0: the page of the first digit, and what a network is."""

from functools import cache

import make_weights
import numpy as np
from matplotlib.collections import LineCollection
from matplotlib.colors import LinearSegmentedColormap

import minigrad as mg
from minigrad.plot import COLORS, new_figure

BLUE, ORANGE = COLORS[0], COLORS[1]
SIGNED = LinearSegmentedColormap.from_list("signed", [ORANGE, "white", BLUE])
DIGIT = 42  # of the synthetic ones: a 3


@cache
def answer():
    """The digit, and all that the page's network makes of it, layer by layer."""
    weights = make_weights.read()
    image = mg.data.synthetic_digits(DIGIT + 1)[0][DIGIT]
    layer = {n: (weights[f"{n}.weight"], weights[f"{n}.bias"]) for n in (0, 3, 7, 9)}
    first = mg.conv2d(mg.data.normalize(image[None]), *layer[0])  # (1, 8, 24, 24)
    second = mg.conv2d(mg.max_pool2d(mg.relu(first), 2), *layer[3])  # (1, 16, 8, 8)
    flat = mg.max_pool2d(mg.relu(second), 2).reshape(1, -1)  # (1, 256)
    units = mg.relu(mg.linear(flat, *layer[7]))  # (1, 64)
    scores = mg.linear(units, *layer[9])  # (1, 10)
    found = {"first": first, "second": second, "units": units, "scores": scores}
    found = {name: np.asarray(values)[0] for name, values in found.items()}
    return {**found, "image": image, "last": layer[9][0]}


def tiles(maps, columns, gap=1):
    """Maps in rows of `columns`, with white lines between them: one array."""
    framed = np.pad(maps, [(0, 0), (0, gap), (0, gap)])
    rows = [np.concatenate(framed[k : k + columns], axis=1) for k in range(0, len(maps), columns)]
    return np.concatenate(rows)[:-gap, :-gap]


def show(ax, values, title, **look):
    ax.imshow(values, interpolation="none", **look)
    ax.set_title(title, fontsize=10, loc="left")
    ax.set(xticks=[], yticks=[])
    ax.spines[:].set_visible(False)


def show_maps(ax, maps, columns, title):
    """Maps on one scale, blue above 0, orange below, each in a frame."""
    bound = np.abs(maps).max()
    show(ax, tiles(maps, columns), title, cmap=SIGNED, vmin=-bound, vmax=bound)
    height, width = (size + 1 for size in maps.shape[1:])
    rows = -(-len(maps) // columns)
    for k in range(1, columns):
        ax.axvline(k * width - 1, color="0.75", linewidth=0.8)
    for k in range(1, rows):
        ax.axhline(k * height - 1, color="0.75", linewidth=0.8)
    ax.spines[:].set(visible=True, color="0.75")


def show_answer(ax, scores):
    """Ten bars of probabilities, the largest in blue."""
    p = np.asarray(mg.softmax(scores))
    best = int(p.argmax())
    colors = [BLUE if k == best else "0.6" for k in range(10)]
    ax.barh(range(10), np.ones(10), color="0.93", height=0.7)
    ax.barh(range(10), p, color=colors, height=0.7)
    for k, value in enumerate(p):
        bold = "bold" if k == best else "normal"
        ax.text(1.02, k, f"{value:.1%}".replace("%", " %"), va="center", weight=bold, fontsize=9)
    ax.set(yticks=range(10), xticks=[], xlim=(0, 1.22), ylim=(9.6, -0.6))
    ax.tick_params(length=0)
    ax.spines[:].set_visible(False)
    ax.set_title(f"I read {best}.", fontsize=12, loc="left", weight="bold")


def a_digit_read():
    """As the page shows it: the digit, the ten bars, the maps of both convolutions."""
    found = answer()
    figure = new_figure(7, 4.2)
    upper, lower = figure.subfigures(2, 1, height_ratios=[1.15, 1])
    left, right = upper.subplots(1, 2, width_ratios=[1, 1.5])
    show(left, found["image"], "28 x 28 pixels", cmap="gray_r")
    left.spines[:].set(visible=True, color="0.75")
    show_answer(right, found["scores"])
    first, second = lower.subplots(2, 1, height_ratios=[1, 1])
    show_maps(first, found["first"], 8, "What 8 filters find in the pixels")
    show_maps(second, found["second"], 16, "What 16 filters find in those")
    for ax in left, first, second:
        ax.set_anchor("W")
    return figure


def show_decision(ax, units, last, scores):
    """64 numbers and ten scores, with the 60 strongest of the products that the scores sum up."""
    products = last * units  # (10, 64)
    rows = np.linspace(0, 1, 64)
    to = np.linspace(0.04, 0.96, 10)
    strongest = np.argsort(np.abs(products), axis=None)[-60:]
    ends = [divmod(int(k), 64) for k in strongest]
    ax.add_collection(
        LineCollection(
            [[(0.02, rows[unit]), (0.62, to[digit])] for digit, unit in ends],
            colors=[BLUE if products[end] > 0 else ORANGE for end in ends],
            linewidths=[2 * abs(products[end]) / np.abs(products).max() for end in ends],
            alpha=0.8,
        )
    )
    ax.scatter(np.zeros(64), rows, c=units, cmap=SIGNED, vmin=-units.max(), s=14, marker="s")
    best = scores.argmax()
    ax.scatter(
        np.full(10, 0.66), to, s=60, color=[BLUE if k == best else "0.75" for k in range(10)]
    )
    for k, score in enumerate(scores):
        bold = "bold" if k == best else "normal"
        ax.text(0.74, to[k], str(k), va="center", fontsize=9, weight=bold)
        ax.text(1.08, to[k], f"{score:.1f}", va="center", ha="right", fontsize=9, weight=bold)
    ax.set(xlim=(-0.05, 1.1), ylim=(1.03, -0.03), xticks=[], yticks=[])
    ax.spines[:].set_visible(False)
    ax.text(0, -0.1, "64 numbers", ha="center")
    ax.text(0.85, -0.1, "10 scores", ha="center")


def a_network():
    """From the pixels to the scores: numbers, made of the numbers to their left."""
    found = answer()
    figure = new_figure(7.4, 3.2)
    figure.set_layout_engine("none")  # each has its place
    show(figure.add_axes([0, 0.28, 0.19, 0.44]), found["image"], "784 pixels", cmap="gray_r")
    figure.axes[0].spines[:].set(visible=True, color="0.75")
    show_maps(figure.add_axes([0.245, 0.04, 0.2, 0.92]), found["first"], 2, "8 maps")
    show_maps(figure.add_axes([0.48, 0.26, 0.21, 0.48]), found["second"], 4, "16 maps")
    show_decision(
        figure.add_axes([0.74, 0.04, 0.28, 0.84]), *(found[k] for k in ("units", "last", "scores"))
    )
    for x in 0.2, 0.452, 0.7:
        look = {"arrowstyle": "->", "color": "0.3", "linewidth": 1.5}
        figure.axes[0].annotate("", (x + 0.035, 0.5), (x, 0.5), "figure fraction", arrowprops=look)
    return figure


PICTURES = (a_digit_read, a_network)
