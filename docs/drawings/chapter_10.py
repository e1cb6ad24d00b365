"""The pictures of chapter 10: ten curves to guess at, update ratios, gradients layer by layer."""

import numpy as np
from exercises import diagnosis, zoo

from minigrad.plot import COLORS, new_axes, new_figure

BLUE, ORANGE, GREEN = COLORS[:3]
GRAY = "#888888"
TOP = 5.0  # what lies above is drawn here, and its number written beside


def synthetic(f):
    """Draw on the synthetic digits, whatever the clinic works on."""

    def drawn():
        before = zoo._chosen
        zoo.use("synthetic")
        try:
            return f()
        finally:
            zoo.use(before)

    drawn.__name__ = f.__name__
    return drawn


# ---- the guessing game ---------------------------------------------------------------------------


@synthetic
def clinic():
    """Ten patients' losses by epoch, the healthy one's in gray; the names of the diseases below."""
    figure = new_figure(9.5, 5.6)
    healthy = zoo.patient(0).train()
    panels = figure.subplots(2, 5, sharex=True, sharey=True)
    for number, ax in enumerate(panels.flat, 1):
        patient = zoo.patient(number)
        patient.model.astype(np.float64)  # number 3 magnifies the last bits of a float32
        course = patient.train()
        epochs = np.arange(len(course.losses) + 1)
        ax.plot(epochs, [healthy.first, *healthy.losses], color=GRAY, linewidth=1)
        losses = np.array([course.first, *course.losses])
        ax.plot(epochs, np.minimum(losses, TOP), color=BLUE, linewidth=2)
        held = np.minimum(course.validation_losses, TOP)
        ax.plot(epochs[1:], held, color=ORANGE, linewidth=1.5, linestyle="--")
        highest = max(losses.max(), max(course.validation_losses))
        if highest > TOP:
            most = float(f"{highest:.1e}")
            ax.set_title(f"up to {most:,.0f}", loc="right", fontsize=9)
        ax.set_title(f"{number}", loc="left", fontweight="bold", fontsize=12)
        ax.set(ylim=(0, TOP + 0.05), xticks=(0, 4, 8), yticks=(0, 1, 2, 3, 4))
    for ax in panels[1]:
        ax.set_xlabel("epoch")
    for ax in panels[:, 0]:
        ax.set_ylabel("loss")
    names = [name for name in zoo.DISEASES if name != zoo.RESERVE]
    figure.suptitle(
        "Ten sick networks: which of them has which disease?\n"
        "thick: training, dashed: validation, gray: the same network in health",
        fontsize=11,
    )
    lines = "  ·  ".join(names[:5]), "  ·  ".join(names[5:])
    figure.supxlabel("\n".join(lines), fontsize=10)
    return figure


# ---- the update ratio ----------------------------------------------------------------------------


@synthetic
def clinic_ratio():
    """The update ratio of the first layer in the first 20 steps, at three rates."""
    ax = new_axes(7, 3.4)
    ax.axhspan(3e-3, 1e-1, color=GREEN, alpha=0.15, linewidth=0)
    ax.text(1, 3.8e-3, "healthy", color="#00553f")
    for rate, color in (5.0, ORANGE), (0.1, BLUE), (0.0001, COLORS[6]):
        patient, ratios = zoo.patient(0, lr=rate), []
        patient.model.astype(np.float64)
        weight = patient.model[0].weight
        for x, y in list(patient.loader)[:20]:
            step = lambda x=x, y=y, p=patient: p.step(x, y)
            ratios.append(diagnosis.update_ratio(weight, step) or np.nan)  # a step of 0: a gap
        ax.plot(np.arange(1, 21), ratios, color=color, marker=".", label=f"rate {rate:g}")
    ax.set(yscale="log", ylim=(1e-5, 100), xlabel="step", ylabel="update ratio")
    ax.set_xticks((1, 5, 10, 15, 20))
    ax.legend(frameon=False, ncols=3, loc="upper right")
    return ax.figure


# ---- depth ---------------------------------------------------------------------------------------


@synthetic
def clinic_depth():
    """The lengths of the first gradients, layer by layer, through sigmoids and through ReLUs."""
    ax = new_axes(7, 3.4)
    for activation, color, marker in ("relu", BLUE, "o"), ("sigmoid", ORANGE, "s"):
        patient = zoo.patient(0, layers=5, activation=activation)
        x, y = next(iter(patient.loader))
        norms = diagnosis.gradient_norms(patient, x, y)
        layers = np.arange(1, len(norms) + 1)
        name = {"relu": "ReLU", "sigmoid": "sigmoid"}[activation]
        ax.plot(layers, norms, color=color, marker=marker, label=f"five layers of {name}")
    ax.set(yscale="log", xlabel="layer, from the pixels to the scores", xticks=layers)
    ax.set_ylabel("length of its gradient")
    ax.legend(frameon=False, loc="lower right")
    return ax.figure


PICTURES = (clinic, clinic_ratio, clinic_depth)
