"""The pictures of chapter 8: paths in a valley, and schedules."""

import numpy as np

import minigrad as mg
from minigrad.plot import COLORS, new_axes, new_figure

RUNS = (
    ("SGD, lr 0.019", mg.optim.SGD, {"lr": 0.019}),
    ("momentum 0.9, lr 0.004", mg.optim.SGD, {"lr": 0.004, "momentum": 0.9}),
    ("RMSProp, lr 0.02", mg.optim.RMSProp, {"lr": 0.02}),
    ("Adam, lr 0.1", mg.optim.Adam, {"lr": 0.1}),
)

STEPS = 60


def path(optimizer, steps, **options):
    """The places on the way from (1, 1), of 50 a^2 + 0.5 b^2."""
    p = mg.nn.Parameter([1.0, 1.0])
    optimizer = optimizer([p], **options)
    places = [p.data.copy()]
    for _ in range(steps):
        optimizer.zero_grad()
        (np.array([50.0, 0.5], np.float32) * p * p).sum().backward()
        optimizer.step()
        places.append(p.data.copy())
    return np.array(places)


def away(place):
    """How far from (0, 0), in words."""
    distance = np.abs(place).max()
    return f"{distance:.2f} away" if distance > 0.01 else "less than 0.01 away"


def paths_in_a_valley():
    """Four panels: the steps of each optimizer over the contours of the loss."""
    figure = new_figure(7.4, 4.6)
    turn = np.linspace(0, 2 * np.pi, 37)
    axes = figure.subplots(2, 2, sharex=True, sharey=True)
    for ax, (label, optimizer, options), color in zip(axes.flat, RUNS, COLORS):
        for loss in 0.1, 0.4, 2, 8, 25:
            a, b = np.sqrt(loss / 50) * np.cos(turn), np.sqrt(loss / 0.5) * np.sin(turn)
            ax.plot(a, b, color="#BBBBBB", linewidth=0.7)
        places = path(optimizer, STEPS, **options)
        ax.plot(*places.T, "-o", color=color, markersize=2.5, linewidth=0.9)
        ax.plot(0, 0, "k+", markersize=9)
        ax.set_title(f"{label}: {away(places[-1])}", loc="left", fontsize=9.5)
    axes[1, 0].set(xlabel="a (steep)", ylabel="b (flat)")
    axes[1, 1].set(xlabel="a (steep)")
    axes[0, 0].set(ylabel="b (flat)", xlim=(-1.15, 1.15), ylim=(-0.35, 1.15))
    axes[0, 0].set(xticks=[-1, 0, 1], yticks=[0, 1])
    return figure


def schedules():
    """The learning rate over 100 steps: StepLR, cosine, warm-up and cosine."""
    ax = new_axes(7, 2.6)
    styles = zip(("StepLR", "cosine", "warm-up and cosine"), ("--", "-.", "-"), COLORS)
    for label, style, color in styles:
        drawn = "steps-post" if label == "StepLR" else "default"
        ax.plot(_rates(label), style, color=color, label=label, drawstyle=drawn)
    ax.set(xlabel="step", ylabel="learning rate", ylim=(0, 0.11))
    ax.legend(frameon=False)
    return ax.figure


def _rates(label):
    optimizer = mg.optim.SGD([mg.nn.Parameter([1.0])], lr=0.1)
    if label == "StepLR":
        schedule = mg.optim.StepLR(optimizer, step_size=30, gamma=0.3)
    elif label == "cosine":
        schedule = mg.optim.CosineAnnealingLR(optimizer, T_max=100)
    else:
        up = mg.optim.LinearLR(optimizer, start_factor=0.1, total_iters=10)
        down = mg.optim.CosineAnnealingLR(optimizer, T_max=90)
        schedule = mg.optim.SequentialLR(optimizer, [up, down], milestones=[10])
    rates = []
    for _ in range(101):
        rates.append(optimizer.param_groups[0]["lr"])
        schedule.step()
    return rates


PICTURES = (paths_in_a_valley, schedules)
