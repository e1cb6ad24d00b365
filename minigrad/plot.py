"""Pictures of what a network learns, what it answers, and where it errs.

Each function draws into the `ax` or `figure` it is given, or else into a new one, and returns it;
`save` writes it to a file. No window is opened and no global setting of matplotlib is touched, so
all of it works where there is no screen. In a notebook, after `%matplotlib inline`, end the cell
with the figure: `plot.confusion(matrix).figure`.

matplotlib is optional: it is imported when the first picture is drawn. Colors are those of Okabe
and Ito, which people with any form of color blindness can tell apart (Color Universal Design, 2008,
https://jfly.uni-koeln.de/color/); wrong answers are red, and marked by a cross and a frame as well.
"""

import os
import shutil
import subprocess
import uuid
from io import BytesIO
from pathlib import Path

import numpy as np

from minigrad import metrics

# Okabe and Ito's colors without their yellow, which cannot be read on white.
COLORS = ("#0072B2", "#D55E00", "#009E73", "#E69F00", "#CC79A7", "#56B4E9", "#000000")
MARKERS = "os^Dv<>P"  # 8 beside 7 colors: 56 runs or classes before a pair repeats
RED = "#D00000"

# ---- training: history ---------------------------------------------------------------------------


def history(histories, figure=None):
    """Loss and accuracy over the epochs, in training (solid) and validation (dashed).

    Parameters
    ----------
    histories : History, or dict of name to History
        One run, or several to compare. A history holds lists with one number per epoch under
        Keras' keys: loss, accuracy, val_loss, val_accuracy. What is missing is not drawn; where a
        number is NaN or infinite the curve has a gap and the legend says so.
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
    runs = {"": histories} if "loss" in histories else dict(histories)
    keys = [key for key in ("loss", "accuracy") if any(_holds(run, key) for run in runs.values())]
    if not keys:
        raise ValueError(
            "history expects a dict with a list of numbers under 'loss' (one per epoch), "
            f"or a dict of name to such dicts, got {histories!r:.200}."
        )
    figure = _new_figure(4.8 * len(keys), 3.8) if figure is None else figure
    for ax, key in zip(figure.subplots(1, len(keys), squeeze=False)[0], keys, strict=True):
        _curves(ax, runs, key)
    return figure


def _holds(run, key):
    return any(name in run and len(run[name]) > 0 for name in (key, "val_" + key))


def _curves(ax, runs, key):
    percent = 100 if key == "accuracy" else 1
    for i, (name, run) in enumerate(runs.items()):
        for j, split in enumerate(("training", "validation")):
            values = run.get(("", "val_")[j] + key, [])
            # One run has a color for each split; several have a color each.
            look = (i if len(runs) > 1 else j), ("-", "--")[j]
            _curve(ax, percent * np.asarray(values, float), f"{name}, {split}".lstrip(", "), *look)
    ax.set(title=key.capitalize(), xlabel="epoch", ylabel=key + " (%)" * (percent == 100))
    ax.set_xlim(0.5, max(len(line.get_xdata()) for line in ax.lines) + 0.5)
    ax.xaxis.get_major_locator().set_params(integer=True, min_n_ticks=1)  # no epoch 1.5
    if percent == 100:
        ax.set_ylim(top=min(ax.get_ylim()[1], 100.5))
    ax.grid(alpha=0.3)
    ax.legend()


def _curve(ax, values, label, number, style):
    if len(values) == 0:
        return
    bad = np.flatnonzero(~np.isfinite(values))
    if len(bad):
        values = np.where(np.isfinite(values), values, np.nan)
        label += f" (not finite: epoch {bad[0] + 1}{' ...' if len(bad) > 1 else ''})"
    # Markers keep a single epoch, or one between two gaps, visible.
    look = {"marker": MARKERS[number % len(MARKERS)], "markersize": 5 if len(values) <= 30 else 2}
    color = COLORS[number % len(COLORS)]
    ax.plot(np.arange(1, len(values) + 1), values, style, color=color, label=label, **look)


# ---- answers: predictions, mistakes --------------------------------------------------------------


def predictions(images, actual, predicted, *, count=40, columns=8, names=None, figure=None):
    """A grid of the first images, each with its actual and its predicted label.

    Wrong ones have a red title with a cross, and a red frame.

    Parameters
    ----------
    images : array, (N, H, W) or (N, 1, H, W)
        Grey images, in any range: black is the least value shown, white the largest.
    actual : array of integers, (N,)
    predicted : array, (N, K) probabilities or (N,) integer labels
        With probabilities, the one of the predicted label is shown as well.
    count : int
        Images to show at most.
    columns : int
    names : sequence of strings, optional
        Names of the classes; their numbers if left out.
    figure : matplotlib Figure, optional

    Returns
    -------
    Figure

    Examples
    --------
    >>> figure = predictions(np.zeros((2, 28, 28)), [3, 5], [3, 6])
    >>> [ax.get_title() for ax in figure.axes]
    ['actual 3\\npredicted 3', 'actual 5\\n✗ predicted 6']
    """
    answers = _answers(images, actual, predicted)
    shown = np.arange(min(count, len(images)))
    right = int((answers[1] == answers[2])[shown].sum())
    heading = f"Predictions: {right} of {len(shown)} right"
    return _digits(shown, *answers, names, columns, heading, figure)


def mistakes(images, actual, probabilities, *, count=24, columns=8, names=None, figure=None):
    """A grid of the wrong answers of which the network was surest, the surest first.

    Parameters
    ----------
    images : array, (N, H, W) or (N, 1, H, W)
    actual : array of integers, (N,)
    probabilities : array, (N, K)
    count, columns, names, figure
        As in `predictions`.

    Returns
    -------
    Figure

    Examples
    --------
    >>> figure = mistakes(np.zeros((3, 28, 28)), [0, 1, 1], [[0.9, 0.1], [0.6, 0.4], [0.7, 0.3]])
    >>> [ax.get_title() for ax in figure.axes]
    ['actual 1\\n✗ predicted 0, 70.0 %', 'actual 1\\n✗ predicted 0, 60.0 %']
    """
    answers = _answers(images, actual, metrics._probabilities(probabilities))
    _, actual, predicted, confidence = answers
    wrong = np.flatnonzero(predicted != actual)
    shown = wrong[np.argsort(-confidence[wrong], kind="stable")][:count]
    few = (
        f"Most confident mistakes: {len(shown)} of {len(wrong):,}" if len(wrong) else "No mistakes"
    )
    return _digits(shown, *answers, names, columns, f"{few} in {len(images):,} images", figure)


def _answers(images, actual, predicted):
    """Images (N, H, W), labels, predicted labels, and their probabilities or None; all checked."""
    images, predicted = np.asarray(images), np.asarray(predicted)
    if images.ndim == 4 and images.shape[1] == 1:
        images = images[:, 0]
    if images.ndim != 3:
        raise ValueError(f"Images must have shape (N, H, W) or (N, 1, H, W), got {images.shape}.")
    confidence = metrics._probabilities(predicted).max(axis=1) if predicted.ndim == 2 else None
    predicted, actual, _ = metrics._answers(predicted, actual)
    if len(images) != len(actual):
        raise ValueError(f"Got {len(images)} images for {len(actual)} labels.")
    return images, actual, predicted, confidence


def _digits(shown, images, actual, predicted, confidence, names, columns, heading, figure):
    columns = max(1, min(columns, len(shown)))
    rows = max(1, -(-len(shown) // columns))
    titles = [_title(i, actual, predicted, confidence, names) for i in shown]
    if figure is None:
        letters = max([21, *(len(line) for title in titles for line in title.split("\n"))])
        figure = _new_figure(max(0.07 * letters * columns, 5), 1.7 * rows + 0.4)
    figure.suptitle(heading)
    for place, (i, title) in enumerate(zip(shown, titles, strict=True), start=1):
        ax = figure.add_subplot(rows, columns, place, xticks=[], yticks=[])
        ax.imshow(images[i], cmap="gray", vmin=images[shown].min(), vmax=images[shown].max())
        wrong = predicted[i] != actual[i]
        ax.set_title(title, fontsize=8, color=RED if wrong else "black")
        ax.spines[:].set(visible=wrong, color=RED, linewidth=3)
    return figure


def _title(i, actual, predicted, confidence, names):
    chance = "" if confidence is None else f", {100 * confidence[i]:.1f} %"
    cross = "" if predicted[i] == actual[i] else "✗ "
    answer = f"{cross}predicted {_name(names, predicted[i])}{chance}"
    return f"actual {_name(names, actual[i])}\n{answer}"


# ---- classes: confusion, reliability, decision_boundary ------------------------------------------


def confusion(matrix, names=None, ax=None):
    """A confusion matrix: rows actual, columns predicted, counts in the cells.

    The right answers, on the diagonal, would drown the rest: they are plain, and the color shows the
    mistakes alone, as a share of their row.

    Parameters
    ----------
    matrix : array of integers, (K, K)
        As `minigrad.metrics.confusion_matrix` gives it.
    names : sequence of K strings, optional
        Names of the classes; their numbers if left out.
    ax : matplotlib Axes, optional

    Returns
    -------
    Axes

    Examples
    --------
    >>> confusion([[5, 1], [0, 4]]).get_title()
    'Confusion matrix: 90.00 % of 10 right'
    """
    matrix = metrics._matrix(matrix)
    classes, total = len(matrix), matrix.sum()
    legible = classes <= 30  # beyond, cells are too small for a number one could read
    side = (0.44 if legible else 0.2) * classes
    ax = _new_axes(max(side + 2, 5), max(side + 1, 4)) if ax is None else ax
    share = 100 * matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)  # (K, K)
    np.fill_diagonal(share, np.nan)  # NaN is not painted, so the background shows
    ax.set_facecolor("#DCEBF7")
    image = ax.imshow(share, cmap="Oranges", vmin=0, vmax=np.nanmax(share, initial=0) or 1)
    _color_bar(image, "mistakes (% of the actual class)")
    labels = metrics._names(names, classes)
    turn = 90 if max(map(len, labels)) > 3 else 0
    ax.set_xticks(range(classes), labels, rotation=turn)
    ax.set_yticks(range(classes), labels)
    if legible:
        for (a, p), number in np.ndenumerate(matrix):
            ink = _ink(image, share[a, p], number)
            ax.text(p, a, str(number), ha="center", va="center", fontsize=8, **ink)
    ax.set(xlabel="predicted", ylabel="actual")
    ax.set_title(f"Confusion matrix: {100 * np.trace(matrix) / total:.2f} % of {total:,} right")
    return ax


def _ink(image, share, number):
    """White on dark cells, black on bright ones, bold on the diagonal; zeros stay in the back."""
    if np.isnan(share):
        return {"color": "black", "weight": "bold"}
    if number == 0:
        return {"color": "#999999"}
    red, green, blue, _ = image.cmap(image.norm(share))
    return {"color": "white" if 0.3 * red + 0.59 * green + 0.11 * blue < 0.5 else "black"}


def reliability(probabilities, targets, bins=15, ax=None):
    """How often the network was right, against how sure it was, with the calibration error.

    Bars below the dashed diagonal: surer than it should be. The number in a bar counts its samples.

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
    ax = _new_axes(5.2, 4.6) if ax is None else ax
    full = count > 0
    center = 100 * (np.arange(bins)[full] + 0.5) / bins
    right, gap = 100 * right[full], 100 * (confidence - right)[full]
    width = 100 / bins
    ax.bar(center, right, width, color=COLORS[5], edgecolor="black", label="accuracy")
    look = {"color": "none", "edgecolor": COLORS[1], "hatch": "///"}
    ax.bar(center, gap, width, bottom=right, label="confidence - accuracy", **look)
    ax.plot([0, 100], [0, 100], "--", color="black", label="as sure as right")
    for x, number in zip(center, count[full], strict=True):
        ax.text(x, 2, f"{number:,}", ha="center", va="bottom", rotation=90, fontsize=7)
    ax.set(xlabel="confidence (%)", ylabel="accuracy (%)", xlim=(0, 100), ylim=(0, 100))
    ax.set_title(f"Reliability: calibration error (ECE) {100 * error:.2f} %")
    ax.legend(loc="upper left")
    return ax


def decision_boundary(predict, x, y, ax=None, steps=300):
    """The plane, colored by what a classifier answers there, with the points it was taught.

    Parameters
    ----------
    predict : callable
        Takes points (M, 2) in the dtype of `x`; returns scores (M, K) or integer labels (M,).
    x : array, (N, 2)
    y : array of integers, (N,)
    ax : matplotlib Axes, optional
    steps : int
        The answers are asked for on a grid of steps x steps points.

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

    x, y = np.asarray(x), metrics._labels(y, "y")
    if x.shape != (len(y), 2):
        raise ValueError(f"x must have shape ({len(y)}, 2) to match y, got {x.shape}.")
    grid, extent = _grid(x, steps)
    region = metrics._answers(predict(grid), np.zeros(len(grid), int))[0].reshape(steps, steps)
    classes = max(region.max(), y.max()) + 1
    ax = _new_axes(5.6, 4.6) if ax is None else ax
    colors = [COLORS[c % len(COLORS)] for c in range(classes)]
    look = {"cmap": ListedColormap(colors), "vmin": -0.5, "vmax": classes - 0.5, "alpha": 0.3}
    ax.imshow(region, origin="lower", extent=extent, aspect="auto", interpolation="nearest", **look)
    for c in range(classes):
        if 0 < np.mean(region == c) < 1:
            ax.contour(region == c, [0.5], extent=extent, colors="black", linewidths=1)
        look = {"color": colors[c], "marker": MARKERS[c % len(MARKERS)], "edgecolor": "white"}
        ax.scatter(*x[y == c].T, s=28, linewidth=0.6, label=f"class {c}", **look)
    ax.set(xlabel="x[:, 0]", ylabel="x[:, 1]", title="Decision boundary")
    ax.legend()
    return ax


def _grid(x, steps):
    """Points (steps**2, 2) that cover those of x with a tenth to spare, and their extent."""
    low, high = x.min(axis=0), x.max(axis=0)
    spare = np.where(high > low, 0.1 * (high - low), 1)
    ends = np.stack([low - spare, high + spare], axis=1)  # (2, 2)
    dtype = np.result_type(x, np.float32)  # float32 stays: a network would refuse float64
    across, up = (np.linspace(*pair, steps, dtype=dtype) for pair in ends)
    return np.stack(np.meshgrid(across, up), axis=-1).reshape(-1, 2), ends.ravel()


# ---- inside: filters, feature_maps, graph --------------------------------------------------------


def filters(weight, ax=None):
    """The filters of a convolution side by side; white is 0, blue positive, red negative.

    Parameters
    ----------
    weight : array, (F, C, KH, KW)
        With C = 1, the filters fill a near-square grid; otherwise a row is a filter, a column one
        of its input channels.
    ax : matplotlib Axes, optional

    Returns
    -------
    Axes

    Examples
    --------
    >>> filters(np.ones((8, 1, 5, 5))).get_title()
    '8 filters of 5x5'
    """
    weight = np.asarray(weight)
    if weight.ndim != 4 or weight.size == 0:
        raise ValueError(f"filters expects a weight of shape (F, C, KH, KW), got {weight.shape}.")
    count, channels, *size = weight.shape
    bound = np.abs(weight).max() or 1
    look = {"cmap": "RdBu", "vmin": -bound, "vmax": bound}
    tiles, columns = weight.reshape(-1, *size), None if channels == 1 else channels
    ax = _mosaic(tiles, ax, "weight", columns, **look)
    ax.set_title(f"{count} filters of {size[0]}x{size[1]}")
    if channels > 1:
        ax.set(xlabel="input channel", ylabel="filter", title=f"{ax.get_title()}x{channels}")
        ax.set_yticks(ax.get_yticks(), range(count))
    return ax


def feature_maps(maps, ax=None):
    """What the channels of a layer answer to one image, side by side on one scale.

    Parameters
    ----------
    maps : array, (C, H, W)
    ax : matplotlib Axes, optional

    Returns
    -------
    Axes

    Examples
    --------
    >>> feature_maps(np.zeros((16, 8, 8))).get_title()
    '16 feature maps of 8x8'
    """
    maps = np.asarray(maps)
    if maps.ndim != 3 or maps.size == 0:
        raise ValueError(
            f"feature_maps expects the maps of one image, shape (C, H, W), got {maps.shape}. "
            "Of a batch (N, C, H, W), give maps[0]."
        )
    ax = _mosaic(maps, ax, "activation", cmap="viridis")
    ax.set_title("{} feature maps of {}x{}".format(*maps.shape))
    return ax


def _mosaic(tiles, ax, label, columns=None, **look):
    """Tiles (T, H, W) as one image with white lines between; ticks give the tiles' numbers."""
    count, height, width = tiles.shape
    columns = columns or int(np.ceil(count**0.5))
    rows = -(-count // columns)
    sheet = np.full((rows * columns, height + 1, width + 1), np.nan)
    sheet[:count, :-1, :-1] = tiles
    sheet = sheet.reshape(rows, columns, height + 1, width + 1).transpose(0, 2, 1, 3)
    sheet = sheet.reshape(rows * (height + 1), columns * (width + 1))[:-1, :-1]
    ax = _new_axes(6, 5 * sheet.shape[0] / sheet.shape[1] + 0.8) if ax is None else ax
    image = ax.imshow(sheet, interpolation="nearest", **look)
    _color_bar(image, label)
    ax.set_xticks((width + 1) * np.arange(columns) + (width - 1) / 2, range(columns))
    first = [f"{row * columns} +" for row in range(rows)]  # number = row's first + column
    ax.set_yticks((height + 1) * np.arange(rows) + (height - 1) / 2, first)
    ax.tick_params(length=0)
    ax.set_xlabel("number = row + column")
    ax.spines[:].set_visible(False)
    return ax


def _color_bar(image, label):
    # Inset, so that it is as high as the picture, however the axes are fitted into the figure.
    bar = image.axes.inset_axes((1.03, 0, 0.04, 1))
    image.figure.colorbar(image, cax=bar, label=label)


def graph(dot_text, dpi=120):
    """Draw a graph written in the DOT language, by graphviz' program `dot`.

    Parameters
    ----------
    dot_text : str
    dpi : int

    Returns
    -------
    Figure
        The picture, one pixel of `dot`'s to a pixel.

    Raises
    ------
    FileNotFoundError
        Where graphviz is not installed.
    ValueError
        Where the text is no DOT; with what `dot` says of it.
    """
    figure = _new_figure(1, 1)
    from matplotlib.image import imread  # below, so that a missing matplotlib is told as above

    picture = imread(BytesIO(_dot(dot_text, f"-Gdpi={dpi}")))  # (H, W, 4)
    figure.set(layout_engine="none", dpi=dpi)
    figure.set_size_inches(picture.shape[1] / dpi, picture.shape[0] / dpi)
    figure.add_axes((0, 0, 1, 1)).imshow(picture)
    figure.axes[0].axis("off")
    return figure


def _dot(text, option):
    program = shutil.which("dot")
    if program is None:
        raise FileNotFoundError(
            "Drawing a graph takes graphviz' program dot, which is not on the PATH. Install it "
            "(apt install graphviz, brew install graphviz, winget install graphviz), or paste the "
            "DOT text into another viewer."
        )
    command = [program, "-Tpng", option]
    done = subprocess.run(command, input=text.encode(), capture_output=True, check=False)
    if done.returncode != 0:
        raise ValueError(f"dot cannot draw this text: {done.stderr.decode(errors='replace')}")
    return done.stdout


# ---- files: save ---------------------------------------------------------------------------------


def save(picture, path, dpi=150):
    """Write a figure to a file, whole or not at all, and make the folder where there is none.

    Parameters
    ----------
    picture : matplotlib Figure or Axes
    path : str or Path
        Its ending names the format (.png, .svg, .pdf, ...); without one it becomes .png.
    dpi : int

    Returns
    -------
    Path
    """
    path = Path(path) if Path(path).suffix else Path(f"{path}.png")
    path.parent.mkdir(parents=True, exist_ok=True)
    # Written beside and renamed: who looks meanwhile sees the old picture or the new one.
    part = path.with_name(f".{path.stem}.{uuid.uuid4().hex}{path.suffix}")
    try:
        picture.figure.figure.savefig(part, dpi=dpi)  # an Axes' figure may be a SubFigure
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)
    return path


# ---- what every picture needs --------------------------------------------------------------------


def _new_figure(width, height):
    """A Figure in inches that pyplot knows nothing of: it is freed when the caller lets go."""
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise ImportError(
            "minigrad.plot draws with matplotlib, which is missing; everything else in minigrad "
            "works without it. To have the pictures: pip install 'minigrad-numpy[examples]'"
        ) from error
    return Figure(figsize=(width, height), layout="constrained")


def _new_axes(width, height):
    return _new_figure(width, height).add_subplot()


def _name(names, number):
    return str(number if names is None else names[number])
