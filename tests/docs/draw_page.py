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
