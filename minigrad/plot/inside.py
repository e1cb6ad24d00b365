"""What is inside a network: filters, feature maps, its graph."""

from io import BytesIO

import numpy as np

from .canvas import color_bar, new_axes, new_figure


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
        raise ValueError(
            f"filters expects a weight of shape (F, C, KH, KW), got {weight.shape}: "
            "take layer.weight.data of a Conv2D."
        )
    count, channels, height, width = weight.shape
    tiles = weight.reshape(-1, height, width)  # (F*C, KH, KW)
    bound = np.abs(weight).max() or 1
    look = {"cmap": "RdBu", "vmin": -bound, "vmax": bound}
    if channels == 1:
        ax = _mosaic(tiles, ax, "weight", **look)
        ax.set_title(f"{count} filters of {height}x{width}")
        return ax
    ax = _mosaic(tiles, ax, "weight", columns=channels, **look)
    ax.set_title(f"{count} filters of {height}x{width}x{channels}")
    ax.set(xlabel="input channel", ylabel="filter")
    ax.set_yticks(ax.get_yticks(), range(count))
    return ax


def feature_maps(maps, ax=None):
    """The answers of a layer's channels to one image, side by side on one scale.

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
            f"feature_maps expects maps of shape (C, H, W), got {maps.shape}: "
            "of a batch (N, C, H, W), take one image, maps[0]."
        )
    count, height, width = maps.shape
    ax = _mosaic(maps, ax, "activation", cmap="viridis")
    ax.set_title(f"{count} feature maps of {height}x{width}")
    return ax


def _mosaic(tiles, ax, label, columns=None, **look):
    """Tiles (T, H, W) as one image with white lines between; ticks give the tiles' numbers."""
    count, height, width = tiles.shape
    columns = columns or int(np.ceil(count**0.5))
    rows = -(-count // columns)
    # Each tile gets a line of NaN below and to its right; tiles of NaN complete the last row.
    gaps = ((0, rows * columns - count), (0, 1), (0, 1))
    sheet = np.pad(tiles.astype(float), gaps, constant_values=np.nan)
    sheet = sheet.reshape(rows, columns, height + 1, width + 1).swapaxes(1, 2)
    sheet = sheet.reshape(rows * (height + 1), columns * (width + 1))[:-1, :-1]
    if ax is None:
        ax = new_axes(6, 5 * sheet.shape[0] / sheet.shape[1] + 0.8)
    image = ax.imshow(sheet, interpolation="nearest", **look)
    color_bar(image, label)
    ax.set_xticks((width + 1) * np.arange(columns) + (width - 1) / 2, range(columns))
    first = [f"{row * columns} +" for row in range(rows)]  # the number of each row's first tile
    ax.set_yticks((height + 1) * np.arange(rows) + (height - 1) / 2, first)
    ax.tick_params(length=0)
    ax.set_xlabel("number = row + column")
    ax.spines[:].set_visible(False)
    return ax


def graph(dot_text, dpi=120):
    """Draw a graph that is written in the DOT language, with Graphviz's program `dot`.

    Parameters
    ----------
    dot_text : str
    dpi : int

    Returns
    -------
    Figure
        The picture that `dot` draws, pixel for pixel.

    Raises
    ------
    FileNotFoundError
        If Graphviz is not installed.
    ValueError
        If the text is not DOT; the message repeats what `dot` says about it.
    """
    figure = new_figure(1, 1)
    from matplotlib.image import imread  # after new_figure, which explains a missing matplotlib

    picture = imread(BytesIO(_dot(dot_text, f"-Gdpi={dpi}")))  # (H, W, 4)
    figure.set(layout_engine="none", dpi=dpi)
    figure.set_size_inches(picture.shape[1] / dpi, picture.shape[0] / dpi)
    figure.add_axes((0, 0, 1, 1)).imshow(picture)
    figure.axes[0].axis("off")
    return figure


def _dot(text, option):
    """The bytes of the PNG that `dot` draws."""
    import shutil
    import subprocess

    if shutil.which("dot") is None:
        raise FileNotFoundError(
            "A graph is drawn by Graphviz, whose program dot was not found: "
            "apt install graphviz, or brew install graphviz."
        )
    command = ["dot", "-Tpng", option]
    done = subprocess.run(command, input=text.encode(), capture_output=True, check=False)
    if done.returncode != 0:
        raise ValueError(f"dot cannot draw this text: {done.stderr.decode(errors='replace')}")
    return done.stdout
