"""What is inside a network: filters, feature maps, its graph."""

from io import BytesIO

import numpy as np

from ..graph import Graph
from .canvas import mosaic, new_figure


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
        ax = mosaic(tiles, ax, "weight", **look)
        ax.set_title(f"{count} filters of {height}x{width}")
        return ax
    ax = mosaic(tiles, ax, "weight", columns=channels, **look)
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
    ax = mosaic(maps, ax, "activation", cmap="viridis")
    ax.set_title(f"{count} feature maps of {height}x{width}")
    return ax


def graph(graph, dpi=120):
    """Draw a graph with Graphviz's program `dot`: `plot.graph(mg.graph(loss))`.

    Parameters
    ----------
    graph : Graph, or str
        What `mg.graph` gives, or any text in the DOT language.
    dpi : int

    Returns
    -------
    Figure
        The picture that `dot` draws, pixel for pixel.

    Raises
    ------
    TypeError
        If `graph` is neither, as where it is a Tensor.
    FileNotFoundError
        If Graphviz is not installed.
    ValueError
        If the text is not DOT; the message repeats what `dot` says about it.
    """
    text = graph.dot() if isinstance(graph, Graph) else graph
    if not isinstance(text, str):
        raise TypeError(
            f"plot.graph expects a Graph or text in the DOT language, got {type(graph).__name__}: "
            "mg.graph(tensor) makes the Graph of a Tensor."
        )
    figure = new_figure(1, 1)
    from matplotlib.image import imread  # after new_figure, which explains a missing matplotlib

    picture = imread(BytesIO(_dot(text, f"-Gdpi={dpi}")))  # (H, W, 4)
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
