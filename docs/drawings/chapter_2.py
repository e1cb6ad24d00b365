"""The picture of chapter 2: a graph with slopes on its edges."""

from my_engine import Value, backward

from minigrad.plot import COLORS, new_axes

PLACES = {"a": (0, 1), "b": (0, -1), "p = a * b": (2.2, -0.55), "y = p + a": (4.4, 0.35)}


def graph():
    """y = a * b + a at a = 2, b = 3: numbers, slopes, and the slope of each step on its edge."""
    a, b = Value(2.0), Value(3.0)
    p = a * b
    y = p + a
    backward(y)
    values = dict(zip(PLACES, (a, b, p, y)))
    names = {v: name for name, v in values.items()}
    ax = new_axes(7, 3.2)
    for name, v in values.items():
        x, height = PLACES[name]
        text = f"{name}\nnumber {v.data:g}\nslope {v.grad:g}"
        box = {"boxstyle": "round,pad=0.5", "facecolor": "white", "edgecolor": COLORS[0], "lw": 1.5}
        ax.text(x, height, text, ha="center", va="center", bbox=box, zorder=2)
        for parent, slope in zip(v.parents, v.rule(1.0) if v.rule else ()):
            _edge(ax, PLACES[names[parent]], PLACES[name], f"{slope:g}")
    ax.set_xlim(-0.7, 5.1)
    ax.set_ylim(-1.6, 1.6)
    ax.set_axis_off()
    return ax.figure


def _edge(ax, start, end, slope):
    """An arrow from a parent, with the slope of the step in its middle."""
    arrow = {"arrowstyle": "-|>", "color": "0.45", "lw": 1.5, "shrinkA": 38, "shrinkB": 42}
    ax.annotate("", end, start, arrowprops=arrow, zorder=1)
    middle = [(one + other) / 2 for one, other in zip(start, end)]
    box = {"boxstyle": "circle,pad=0.25", "facecolor": "white", "edgecolor": "none"}
    ax.text(
        *middle, slope, color=COLORS[1], ha="center", va="center", bbox=box, weight="bold", size=12
    )


PICTURES = (graph,)
