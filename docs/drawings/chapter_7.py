"""The picture of chapter 7: the walk backward, frame by frame, as the engine does it."""

import minigrad as mg
from minigrad.autograd import setting, watching
from minigrad.plot import COLORS, new_figure

BLUE, ORANGE, GREEN, *_ = COLORS
GRAY, FAINT = "#8A8A8A", "#C8C8C8"
PLACES = {"a": (0, 1.0), "b": (0, 0.0), "p": (1.15, 0.25), "s": (2.3, 0.6), "z": (3.2, 0.6)}
TEXTS = {"a": "a", "b": "b", "p": "a * b", "s": "s", "z": "z"}
MARGINS = {"a": 12, "b": 12, "p": 22, "s": 13, "z": 14}  # from the middle of a box, in points
EDGES = (("a", "p"), ("b", "p"), ("p", "s"), ("a", "s"), ("s", "z"))


class Recorder:
    """A watcher of the engine: which slope was handed from which tensor to which."""

    def __init__(self):
        self.handed = []  # (id of the result, id of the parent, slope), in the order of the walk

    def forward(self, out, row, values, keywords):
        pass

    def backward(self, t, i, g, h):
        self.handed.append((id(t), id(dict(t.node[-1])[i]), float(h)))


def walk():
    """Values by name; then for each result, in the order of the walk, what its parents got."""
    a, b = mg.Tensor(2.0, requires_grad=True), mg.Tensor(3.0, requires_grad=True)
    p = a * b
    s = p + a
    z = s * s
    tensors = dict(zip("abpsz", (a, b, p, s, z)))
    names = {id(t): name for name, t in tensors.items()}
    recorder = Recorder()
    with setting(watching, recorder):
        z.backward()
    steps = {}
    for result, parent, slope in recorder.handed:
        steps.setdefault(names[result], []).append((names[parent], slope))
    return {name: t.item() for name, t in tensors.items()}, steps


def walk_backward():
    """Four frames: at the end, after z, after s, after the product."""
    values, steps = walk()
    figure = new_figure(7.4, 4.2)
    slopes, done, fresh = {"z": 1.0}, [], ["z"]
    titles = ["forward is done, z has the slope 1"]
    titles += [f"{TEXTS[name]} has handed its slope on" for name in steps]
    titles[-1] = "so has a * b: the walk is over"
    for ax, title, name in zip(figure.subplots(2, 2).flat, titles, [None, *steps]):
        if name:
            fresh = []
            for parent, slope in steps[name]:
                slopes[parent] = slopes.get(parent, 0.0) + slope
                fresh.append(parent)
            done.append(name)
        _frame(ax, values, slopes, done, fresh, complete=len(done) == len(steps))
        ax.set_title(f"{len(done) + 1}. {title}", loc="left", fontsize=9.5)
    return figure


def _frame(ax, values, slopes, done, fresh, complete):
    for start, end in EDGES:
        passed = end in done
        arrow = {"arrowstyle": "-|>", "color": FAINT if passed else GRAY, "lw": 1.3}
        arrow |= {
            "shrinkA": MARGINS[start],
            "shrinkB": MARGINS[end],
            "linestyle": ":" if passed else "-",
        }
        ax.annotate("", PLACES[end], PLACES[start], arrowprops=arrow)
    for name, (x, y) in PLACES.items():
        freed = name in done
        color = GRAY if freed else BLUE if name in "ab" else "black"
        box = {"boxstyle": "round,pad=0.35", "fc": "white", "ec": FAINT if freed else color}
        text = f"{TEXTS[name]}\n{values[name]:g}"
        ax.text(x, y, text, ha="center", va="center", fontsize=9, color=color, bbox=box)
        if name in slopes and not freed:
            kept = complete and name in "ab"
            ax.text(
                x,
                y - 0.33,
                f"slope {slopes[name]:g}",
                ha="center",
                va="center",
                fontsize=9,
                color=GREEN if kept else ORANGE,
                weight="bold" if name in fresh else "normal",
            )
    ax.set(xlim=(-0.45, 3.6), ylim=(-0.5, 1.3))
    ax.axis("off")


PICTURES = (walk_backward,)
