"""What every picture needs: a figure, an axes, tiles, a color bar, colors; and `save`."""

from functools import partial
from io import BytesIO
from os import PathLike
from pathlib import Path

import numpy as np

from ..files import path_of, replacing
from ..ops.expect import real

# Okabe and Ito's colors without their yellow, which cannot be read on white.
COLORS = ("#0072B2", "#D55E00", "#009E73", "#E69F00", "#CC79A7", "#56B4E9", "#000000")
MARKERS = "os^Dv<>P"  # 8 beside 7 colors: 56 runs or classes before a pair repeats
RED = "#D00000"
MISSING = "Only pictures need matplotlib. To draw them: pip install 'minigrad-numpy[examples]'"


def new_figure(width, height):
    """An empty matplotlib Figure, sized in inches, which a notebook shows at the end of a cell.

    pyplot does not know it, so that it is freed when the caller lets go of it.

    Parameters
    ----------
    width, height : float

    Returns
    -------
    Figure

    Raises
    ------
    ImportError
        If matplotlib is not installed; the message says how to get it.

    Examples
    --------
    >>> left, right = new_figure(8, 4).subplots(1, 2)
    """
    real("width", width, above=0)
    real("height", height, above=0)
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise ImportError(MISSING) from error
    return _shown(Figure(figsize=(width, height), layout="constrained"))


def new_axes(width, height):
    """Empty matplotlib Axes that fill a new Figure, sized in inches; shown as `new_figure` is.

    Parameters
    ----------
    width, height : float

    Returns
    -------
    Axes

    Raises
    ------
    ImportError
        If matplotlib is not installed; the message says how to get it.

    Examples
    --------
    >>> ax = new_axes(6, 4)
    >>> lines = ax.plot([1, 4, 9])
    """
    return _shown(new_figure(width, height).add_subplot())


def axes_or_new(ax, width, height):
    """`ax`, or new Axes of this size where that is None; raises a TypeError if it is none."""
    if ax is None:
        return new_axes(width, height)
    if not hasattr(ax, "imshow"):
        raise TypeError(
            f"ax expects matplotlib Axes, got {type(ax).__name__}: figure.subplots() makes them."
        )
    return ax


def figure_or_new(figure, width, height):
    """`figure`, or a new one of this size where that is None; raises a TypeError if it is none."""
    if figure is None:
        return new_figure(width, height)
    if not hasattr(figure, "subplots"):
        raise TypeError(
            f"figure expects a matplotlib Figure, got {type(figure).__name__}: "
            "plot.new_figure(width, height) makes one."
        )
    return figure


def _shown(picture):
    """The Figure or Axes, which now shows itself where it ends a cell of a notebook.

    Notebooks ask an object for its picture by `_repr_png_`. By itself, matplotlib answers for
    Figures, after `%matplotlib inline`, and leaves Axes to pyplot, which does not know ours.
    """
    picture._repr_png_ = partial(_png, picture)
    return picture


def _png(picture):
    """The bytes of the PNG of a Figure, or of the whole Figure that an Axes is in."""
    file = BytesIO()
    picture.figure.figure.savefig(file, format="png")  # an Axes' figure may be a SubFigure
    return file.getvalue()


def color_bar(image, label):
    """A color bar beside an image, inset, so that it is as high as the image in any layout."""
    bar = image.axes.inset_axes((1.03, 0, 0.04, 1))
    image.figure.colorbar(image, cax=bar, label=label)


def mosaic(tiles, ax, label=None, columns=None, **look):
    """Tiles (T, H, W) as one image with white lines between; ticks give the tiles' numbers.

    With a label, a color bar stands beside it.
    """
    count, height, width = tiles.shape
    columns = columns or int(np.ceil(count**0.5))
    rows = -(-count // columns)
    # Each tile gets a line of NaN below and to its right; tiles of NaN complete the last row.
    gaps = ((0, rows * columns - count), (0, 1), (0, 1))
    sheet = np.pad(tiles.astype(float), gaps, constant_values=np.nan)
    sheet = sheet.reshape(rows, columns, height + 1, width + 1).swapaxes(1, 2)
    sheet = sheet.reshape(rows * (height + 1), columns * (width + 1))[:-1, :-1]
    ax = axes_or_new(ax, 6, 5 * sheet.shape[0] / sheet.shape[1] + 0.8)
    image = ax.imshow(sheet, interpolation="nearest", **look)
    if label is not None:
        color_bar(image, label)
    ax.set_xticks((width + 1) * np.arange(columns) + (width - 1) / 2, range(columns))
    first = [f"{row * columns} +" for row in range(rows)]  # the number of each row's first tile
    ax.set_yticks((height + 1) * np.arange(rows) + (height - 1) / 2, first)
    ax.tick_params(length=0)
    ax.set_xlabel("number = row + column")
    ax.spines[:].set_visible(False)
    return ax


def save(path, picture, dpi=150):
    """Write a figure to a file, whole or not at all, and make the folder where there is none.

    Parameters
    ----------
    path : str or Path
        Its ending names the format (.png, .svg, .pdf, ...); without one it becomes .png.
    picture : matplotlib Figure or Axes
    dpi : int

    Returns
    -------
    Path

    Raises
    ------
    TypeError
        If `path` is no path, or `picture` no picture, as where the two are exchanged.

    Examples
    --------
    >>> import tempfile
    >>> path = save(Path(tempfile.mkdtemp()) / "squares.png", new_axes(6, 4))
    >>> path.name
    'squares.png'
    """
    if not isinstance(path, str | PathLike) or not hasattr(picture, "figure"):
        raise TypeError(
            "plot.save expects a path and then a picture, as mg.save expects a path and then a "
            f"model: plot.save(path, picture), got {type(path).__name__} and "
            f"{type(picture).__name__}."
        )
    real("dpi", dpi, above=0)
    path = path_of("plot.save", path)
    path = path if path.suffix else Path(f"{path}.png")
    figure = picture.figure.figure  # an Axes' figure may be a SubFigure
    with replacing(path) as file:
        figure.savefig(file, dpi=dpi, format=path.suffix.removeprefix("."))
    return path
