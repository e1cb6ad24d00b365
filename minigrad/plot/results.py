"""What a training came to: the answers, the mistakes, the border between classes."""

import numpy as np

from .. import metrics
from ..ops.expect import whole
from ..ops.hint import hint
from .canvas import COLORS, MARKERS, RED, axes_or_new, color_bar, figure_or_new, mosaic

# ---- images, and the answers to them: images, predictions, mistakes ------------------------------


def images(images, *, count=40, columns=8, ax=None):
    """A plain grid of the first images, as they are.

    Parameters
    ----------
    images : array, (N, H, W) or (N, 1, H, W)
        Gray images, in any range: black is the least value shown, white the largest.
    count : int
        How many images to show at most.
    columns : int
    ax : matplotlib Axes, optional

    Returns
    -------
    Axes

    Examples
    --------
    >>> images(np.zeros((100, 28, 28)), count=16).get_title()
    'The first 16 of 100 images'
    """
    gray = _gray(images)
    shown = gray[: whole("count", count)]
    if len(shown) == 0:
        raise ValueError(f"plot.images expects at least one image to show, got {len(gray)} images.")
    columns = min(whole("columns", columns, least=1), len(shown))
    ax = mosaic(shown, ax, columns=columns, cmap="gray")
    heading = f"{len(gray):,} images"
    if len(shown) < len(gray):
        heading = f"The first {len(shown):,} of {heading}"
    ax.set_title(heading)
    return ax


def predictions(images, predicted, targets, *, count=40, columns=8, figure=None):
    """A grid of the first images, each with its actual and its predicted label.

    Wrong ones have a red title with a cross, and a red frame.

    Parameters
    ----------
    images : array, (N, H, W) or (N, 1, H, W)
        Gray images, in any range: black is the least value shown, white the largest.
    predicted : array, (N, K) probabilities or (N,) integer labels
        With probabilities, that of the predicted label is shown as well.
    targets : array of integers, (N,)
        The actual labels.
    count : int
        How many images to show at most.
    columns : int
    figure : matplotlib Figure, optional

    Returns
    -------
    Figure

    Examples
    --------
    >>> figure = predictions(np.zeros((2, 28, 28)), predicted=[3, 6], targets=[3, 5])
    >>> [ax.get_title() for ax in figure.axes]
    ['actual 3\\npredicted 3', 'actual 5\\n✗ predicted 6']
    """
    images, predicted, targets, confidence = _check_images(images, predicted, targets)
    shown = np.arange(min(whole("count", count, least=1), len(images)))
    right = (predicted == targets)[shown].sum()
    heading = f"Predictions: {right} of {len(shown)} right"
    return _draw_images(shown, images, predicted, targets, confidence, columns, heading, figure)


def mistakes(images, probabilities, targets, *, count=24, columns=8, figure=None):
    """A grid of the wrong answers that the network was surest of, the surest first.

    Parameters
    ----------
    images : array, (N, H, W) or (N, 1, H, W)
    probabilities : array, (N, K)
    targets : array of integers, (N,)
        The actual labels.
    count, columns, figure
        As in `predictions`.

    Returns
    -------
    Figure

    Examples
    --------
    >>> figure = mistakes(np.zeros((3, 28, 28)), [[0.9, 0.1], [0.6, 0.4], [0.7, 0.3]], [0, 1, 1])
    >>> [ax.get_title() for ax in figure.axes]
    ['actual 1\\n✗ predicted 0, 70.0 %', 'actual 1\\n✗ predicted 0, 60.0 %']
    """
    metrics.check_order(probabilities, targets)
    probabilities = metrics.check_probabilities(probabilities)
    images, predicted, targets, confidence = _check_images(images, probabilities, targets)
    wrong = np.flatnonzero(predicted != targets)
    shown = wrong[np.argsort(-confidence[wrong], kind="stable")][: whole("count", count, least=1)]
    heading = f"No mistakes in {len(images):,} images"
    if len(wrong):
        heading = (
            f"Most confident mistakes: {len(shown)} of {len(wrong):,} in {len(images):,} images"
        )
    return _draw_images(shown, images, predicted, targets, confidence, columns, heading, figure)


def _gray(images):
    """Gray images (N, H, W), from those or from (N, 1, H, W)."""
    images = np.asarray(images)
    if images.ndim == 4 and images.shape[1] == 1:
        images = images[:, 0]
    if images.ndim != 3:
        raise ValueError(f"Images must have shape (N, H, W) or (N, 1, H, W), got {images.shape}.")
    return images


def _check_images(images, predicted, targets):
    """Images (N, H, W), predicted labels, their targets, probabilities or None; all checked."""
    images = _gray(images)
    metrics.check_order(predicted, targets)
    predicted = np.asarray(predicted)
    confidence = None
    if predicted.ndim == 2:
        confidence = metrics.check_probabilities(predicted).max(axis=1)
    predicted, targets, _ = metrics.check_answers(predicted, targets)
    if len(images) != len(targets):
        raise ValueError(f"Got {len(images)} images for {len(targets)} labels.")
    return images, predicted, targets, confidence


def _draw_images(shown, images, predicted, targets, confidence, columns, heading, figure):
    """The images numbered `shown` in a grid, each under its title."""
    columns = max(1, min(whole("columns", columns, least=1), len(shown)))
    rows = max(1, -(-len(shown) // columns))  # rounded up
    titles = [_title(i, predicted, targets, confidence) for i in shown]
    lines = [line for title in titles for line in title.split("\n")]
    letters = max([21, *map(len, lines)])  # room for the longest line
    figure = figure_or_new(figure, max(0.07 * letters * columns, 5), 1.7 * rows + 0.4)
    figure.suptitle(heading)
    for place, (i, title) in enumerate(zip(shown, titles), 1):
        ax = figure.add_subplot(rows, columns, place, xticks=[], yticks=[])
        ax.imshow(images[i], cmap="gray", vmin=images[shown].min(), vmax=images[shown].max())
        wrong = predicted[i] != targets[i]
        ax.set_title(title, fontsize=8, color=RED if wrong else "black")
        ax.spines[:].set(visible=wrong, color=RED, linewidth=3)
    return figure


def _title(i, predicted, targets, confidence):
    cross = "" if predicted[i] == targets[i] else "✗ "
    chance = "" if confidence is None else f", {100 * confidence[i]:.1f} %"
    return f"actual {targets[i]}\n{cross}predicted {predicted[i]}{chance}"


# ---- classes: confusion, reliability, decision_boundary ------------------------------------------


def confusion(matrix, ax=None):
    """A confusion matrix: rows actual, columns predicted, counts in the cells.

    The right answers, on the diagonal, would drown the rest, so they are left plain: the color
    shows the mistakes alone, each as a share of its row.

    Parameters
    ----------
    matrix : array of integers, (K, K)
        As `minigrad.metrics.confusion_matrix` gives it.
    ax : matplotlib Axes, optional

    Returns
    -------
    Axes

    Examples
    --------
    >>> confusion([[5, 1], [0, 4]]).get_title()
    'Confusion matrix: 90.00 % of 10 right'
    """
    matrix = metrics.check_matrix(matrix)
    classes = len(matrix)
    ax = axes_or_new(ax, max(0.44 * classes + 2, 5), max(0.44 * classes + 1, 4))
    share = 100 * matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)  # (K, K)
    np.fill_diagonal(share, np.nan)  # NaN is not painted, so the background shows
    ax.set_facecolor("#DCEBF7")
    top = np.nanmax(share, initial=0) or 1
    image = ax.imshow(share, cmap="Oranges", vmin=0, vmax=top)
    color_bar(image, "mistakes (% of the actual class)")
    ax.set(xticks=range(classes), yticks=range(classes), xlabel="predicted", ylabel="actual")
    for (a, p), number in np.ndenumerate(matrix):
        color = "black" if number or a == p else "#999999"  # zeros stay in the background
        if share[a, p] > 0.7 * top:
            color = "white"  # on a dark cell
        weight = "bold" if a == p else "normal"
        ax.text(p, a, f"{number}", ha="center", va="center", color=color, weight=weight, fontsize=8)
    total = matrix.sum()
    ax.set_title(f"Confusion matrix: {100 * np.trace(matrix) / total:.2f} % of {total:,} right")
    return ax


def reliability(probabilities, targets, bins=15, ax=None):
    """How often the network was right, against how sure it was, with the calibration error.

    A bar below the dashed diagonal: the network was surer than it should have been. The number in a
    bar counts its samples.

    Parameters
    ----------
    probabilities : array, (N, K)
    targets : array of integers, (N,)
    bins : int
    ax : matplotlib Axes, optional

    Returns
    -------
    Axes

    Examples
    --------
    >>> reliability([[0.75, 0.25]] * 4, [0, 0, 1, 1]).get_title()
    'Reliability: calibration error (ECE) 25.00 %'
    """
    confidence, right, count = metrics.calibration(probabilities, targets, bins)
    error = metrics.expected_calibration_error(probabilities, targets, bins)
    ax = axes_or_new(ax, 5.2, 4.6)
    full = count > 0
    center = 100 * (np.arange(bins)[full] + 0.5) / bins
    accuracy = 100 * right[full]
    gap = 100 * (confidence - right)[full]
    width = 100 / bins
    ax.bar(center, accuracy, width, color=COLORS[5], edgecolor="black", label="accuracy")
    look = {"color": "none", "edgecolor": COLORS[1], "hatch": "///"}
    ax.bar(center, gap, width, bottom=accuracy, label="confidence - accuracy", **look)
    ax.plot([0, 100], [0, 100], "--", color="black", label="as sure as right")
    for x, number in zip(center, count[full], strict=True):
        ax.text(x, 2, f"{number:,}", ha="center", va="bottom", rotation=90, fontsize=7)
    ax.set(xlabel="confidence (%)", ylabel="accuracy (%)", xlim=(0, 100), ylim=(0, 100))
    ax.set_title(f"Reliability: calibration error (ECE) {100 * error:.2f} %")
    ax.legend(loc="upper left")
    return ax


@hint("Of a model, the answers are those of lambda points: mg.predict(model, points).")
def decision_boundary(predict, x, y, ax=None, steps=300):
    """The plane, colored by a classifier's answers, with the points that it learned from.

    Parameters
    ----------
    predict : callable
        Takes points (M, 2) in the dtype of `x`; returns scores (M, K) or integer labels (M,).
    x : array, (N, 2)
    y : array of integers, (N,)
    ax : matplotlib Axes, optional
    steps : int
        The classifier is asked at steps x steps points.

    Returns
    -------
    Axes

    Examples
    --------
    >>> x = np.array([[0.0, 0.0], [1.0, 1.0]])
    >>> ax = decision_boundary(lambda points: (points[:, 0] > 0.5).astype(int), x, [0, 1])
    >>> [text.get_text() for text in ax.get_legend().get_texts()]
    ['class 0', 'class 1']
    """
    from matplotlib.colors import ListedColormap

    whole("steps", steps, least=1)
    x = np.asarray(x)
    y = metrics.check_labels(y, "y")
    if x.shape != (len(y), 2):
        raise ValueError(f"x must have shape ({len(y)}, 2) to match y, got {x.shape}.")
    grid, extent = _grid(x, steps)
    no_targets = np.zeros(len(grid), int)  # the answers are checked alone
    answers, _, _ = metrics.check_answers(predict(grid), no_targets)
    region = answers.reshape(steps, steps)
    classes = max(region.max(), y.max()) + 1
    ax = axes_or_new(ax, 5.6, 4.6)
    colors = [COLORS[c % len(COLORS)] for c in range(classes)]
    look = {"cmap": ListedColormap(colors), "vmin": -0.5, "vmax": classes - 0.5, "alpha": 0.3}
    ax.imshow(region, origin="lower", extent=extent, aspect="auto", interpolation="nearest", **look)
    for c in range(classes):
        look = {"color": colors[c], "marker": MARKERS[c % len(MARKERS)], "edgecolor": "white"}
        ax.scatter(*x[y == c].T, s=28, linewidth=0.6, label=f"class {c}", **look)
    ax.set(xlabel="x[:, 0]", ylabel="x[:, 1]", title="Decision boundary")
    ax.legend()
    return ax


def _grid(x, steps):
    """Points (steps**2, 2) that cover those of x and a tenth more, and their extent."""
    low, high = x.min(axis=0), x.max(axis=0)
    spare = np.where(high > low, 0.1 * (high - low), 1)
    ends = np.stack([low - spare, high + spare], axis=1)  # (2, 2)
    dtype = np.result_type(x, np.float32)  # float32 stays: a network would refuse float64
    across, up = (np.linspace(*pair, steps, dtype=dtype) for pair in ends)
    return np.stack(np.meshgrid(across, up), axis=-1).reshape(-1, 2), ends.ravel()
