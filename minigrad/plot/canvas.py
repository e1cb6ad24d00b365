"""What every picture needs: a figure, an axes, a color bar, colors; and `save`."""

from pathlib import Path

from ..files import replacing

# Okabe and Ito's colors without their yellow, which cannot be read on white.
COLORS = ("#0072B2", "#D55E00", "#009E73", "#E69F00", "#CC79A7", "#56B4E9", "#000000")
MARKERS = "os^Dv<>P"  # 8 beside 7 colors: 56 runs or classes before a pair repeats
RED = "#D00000"
MISSING = "Only pictures need matplotlib. To draw them: pip install 'minigrad-numpy[examples]'"


def new_figure(width, height):
    """A Figure, sized in inches, that pyplot does not know: it is freed when the caller lets go."""
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise ImportError(MISSING) from error
    return Figure(figsize=(width, height), layout="constrained")


def new_axes(width, height):
    """Axes that fill a new Figure, in inches."""
    return new_figure(width, height).add_subplot()


def color_bar(image, label):
    """A color bar beside an image, inset, so that it is as high as the image in any layout."""
    bar = image.axes.inset_axes((1.03, 0, 0.04, 1))
    image.figure.colorbar(image, cax=bar, label=label)


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
    figure = picture.figure.figure  # an Axes' figure may be a SubFigure
    with replacing(path) as file:
        figure.savefig(file, dpi=dpi, format=path.suffix.removeprefix("."))
    return path
