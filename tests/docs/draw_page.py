"""What the tests of the page docs/_static/draw ask it."""

from pathlib import Path

import numpy as np

PAGE = Path(__file__).parents[2] / "docs" / "_static" / "draw" / "index.html"


def seen(page):
    """What the page reads: its image, uint8 (28, 28), and the scores, (10,)."""
    found = page.run("look(); return [[...state.image], state.found.scores]")
    return np.array(found[0], np.uint8).reshape(28, 28), np.array(found[1])


def answer(page):
    return page.run("look(); return document.querySelector('[aria-live]').textContent")


# ---- the same in NumPy -----------------------------------------------------------------------------

# MNIST's images: 28x28 pixels, the digit in a box of 20x20, its center of mass in the middle of
# pixel 14, counted from 0.
FRAME = 28
BOX = 20
CENTER = 14.5


def as_mnist(drawing):
    """Make an image like MNIST's of a drawing of any size.

    The drawing's bounding box is scaled until its longer side has 20 pixels, and placed so that its
    center of mass lies where those of MNIST do. Each of the 28x28 pixels becomes the mean of what
    it covers, so that edges are soft. MNIST differs in one point: it moves by whole pixels.

    Parameters
    ----------
    drawing : ndarray of uint8, shape (H, W)
        0 is paper, 255 is ink.

    Returns
    -------
    ndarray of uint8, shape (28, 28)

    Raises
    ------
    ValueError
        If there is no ink.
    """
    if not drawing.any():
        raise ValueError("there is no ink in the drawing: draw a digit first.")
    rows = np.flatnonzero(drawing.any(axis=1))
    columns = np.flatnonzero(drawing.any(axis=0))
    box = drawing[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1].astype(float)  # (h, w)
    scale = BOX / max(box.shape)
    down = _shares(box.sum(axis=1), scale)  # (28, h)
    right = _shares(box.sum(axis=0), scale)  # (28, w)
    return (down @ box @ right.T).round().astype(np.uint8)  # (28, 28)


def _shares(profile, scale):
    """How much of each of 28 pixels each pixel of the box covers, along one side: (28, n).

    profile : (n,), the ink along that side, whose center of mass is moved to CENTER.
    """
    edges = np.arange(len(profile) + 1) * scale
    center = (edges[:-1] + scale / 2) @ profile / profile.sum()
    edges += np.clip(CENTER - center, 0, FRAME - edges[-1])  # nothing leaves the frame
    pixels = np.arange(FRAME)[:, None]
    covered = np.minimum(edges[1:], pixels + 1) - np.maximum(edges[:-1], pixels)
    return covered.clip(0)
