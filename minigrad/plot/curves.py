"""Curves of training: its history over the epochs, and the losses over the learning rate."""

from collections.abc import Mapping

import numpy as np

from ..ops.shaping import of_list
from .canvas import COLORS, MARKERS, axes_or_new, figure_or_new


def history(histories, figure=None):
    """Loss and accuracy over the epochs, in training (solid) and validation (dashed).

    Parameters
    ----------
    histories : History, or dict of name to History
        One run, or several to compare. A history holds lists with one number per epoch, under
        Keras' keys: loss, accuracy, val_loss, val_accuracy. What is missing is not drawn; where a
        number is NaN or infinite, the curve has a gap and the legend says so.
    figure : matplotlib Figure, optional

    Returns
    -------
    Figure

    Examples
    --------
    >>> run = {"loss": [0.5, 0.2], "val_loss": [0.4, 0.3]}
    >>> [ax.get_ylabel() for ax in history({"lr 0.1": run, "lr 0.01": run}).axes]
    ['loss']
    """
    if not isinstance(histories, Mapping):
        raise TypeError(
            f"history expects what fit returned, or a dict of name to such runs, got "
            f"{histories!r:.80}: history = mg.fit(...) keeps it."
        )
    runs = {"": histories} if "loss" in histories else dict(histories)
    found = {str(key).removeprefix("val_") for run in runs.values() for key in run}
    keys = [key for key in ("loss", "accuracy") if key in found]
    if not keys:
        raise ValueError(
            "history expects lists of one number per epoch under 'loss' and so on, "
            f"or a dict of name to such runs, got {histories!r:.200}."
        )
    figure = figure_or_new(figure, 4.8 * len(keys), 3.8)
    (axes,) = figure.subplots(1, len(keys), squeeze=False)
    for ax, key in zip(axes, keys, strict=True):
        _draw_runs(ax, runs, key)
    return figure


def _curves(run, key):
    """(split, line style, values) of training and validation, where the run holds them."""
    splits = [("training", "-", key), ("validation", "--", "val_" + key)]
    return [(name, style, run[k]) for name, style, k in splits if np.size(run.get(k, ()))]


def _draw_runs(ax, runs, key):
    in_percent = key == "accuracy"
    scale = 100 if in_percent else 1
    for i, (run_name, run) in enumerate(runs.items()):
        for split, style, values in _curves(run, key):
            # One run has a color for each split; several have a color each.
            number = i if len(runs) > 1 else ("-", "--").index(style)
            label = f"{run_name}, {split}".lstrip(", ")
            _draw_curve(ax, scale * _numbers_of(key, values), label, number, style)
    ax.set(title=key.capitalize(), xlabel="epoch", ylabel="accuracy (%)" if in_percent else key)
    ax.set_xlim(0.5, max((len(line.get_xdata()) for line in ax.lines), default=1) + 0.5)
    ax.xaxis.get_major_locator().set_params(integer=True, min_n_ticks=1)  # no epoch 1.5
    if in_percent:
        ax.set_ylim(top=min(ax.get_ylim()[1], 100.5))
    ax.grid(alpha=0.3)
    if ax.lines:  # none, where training was interrupted in its first epoch
        ax.legend()


def _draw_curve(ax, values, label, number, style):
    """One curve over epochs from 1, in the `number`-th color and marker."""
    bad = np.flatnonzero(~np.isfinite(values))
    if len(bad):
        values = np.where(np.isfinite(values), values, np.nan)
        more = " ..." if len(bad) > 1 else ""
        label = f"{label} (not finite: epoch {bad[0] + 1}{more})"
    # Markers keep a single epoch, or one between two gaps, visible.
    look = {"marker": MARKERS[number % len(MARKERS)], "color": COLORS[number % len(COLORS)]}
    ax.plot(np.arange(1, len(values) + 1), values, style, label=label, markersize=4, **look)


def _numbers_of(name, values):
    """A list of numbers, not empty, as an array (N,) of float64; an error names it `name`."""
    numbers = of_list(values)
    if numbers.ndim != 1 or numbers.size == 0:
        raise ValueError(
            f"{name} expects a list with one number for each epoch or step, got {values!r:.80}."
        )
    return numbers.astype(float)


def lr_range(rates, losses, ax=None):
    """The losses of `lr_range_test` over the learning rate, which has a logarithmic axis.

    Parameters
    ----------
    rates, losses : arrays, (N,)
    ax : matplotlib Axes, optional

    Returns
    -------
    matplotlib Axes
    """
    rates = _numbers_of("rates", rates)
    losses = _numbers_of("losses", losses)
    if rates.shape != losses.shape:
        raise ValueError(
            f"lr_range expects a loss for each rate, got {len(losses)} losses and {len(rates)} "
            "rates: mg.lr_range_test returns both."
        )
    ax = axes_or_new(ax, 5, 3.8)
    ax.semilogx(rates, losses, color=COLORS[0])
    ax.set(title="Learning-rate range test", xlabel="learning rate", ylabel="loss of the batch")
    ax.set_ylim(top=min(max(losses), 2 * losses[0]))  # an explosion would flatten the rest
    return ax
