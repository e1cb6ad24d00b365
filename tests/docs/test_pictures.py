"""Each picture of the course is what its function draws, and is shown by a page."""

import re
import sys
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("matplotlib")
DOCS = Path(__file__).parents[2] / "docs"
sys.path.insert(0, str(DOCS))

import pictures  # noqa: E402

NAMES = sorted(pictures.pictures())
each = pytest.mark.parametrize("name", NAMES)


def shown(path):
    """What an SVG shows: its words, and the numbers of its paths, one array for each element."""
    text = path.read_text("utf-8")
    words = re.findall(r"<!--(.*?)-->", text)
    numbers = re.findall(r' (?:d|x|y|width|height|transform)="([^"]*)"', text)
    return words, [np.array(re.findall(r"-?\d+\.?\d*(?:e-?\d+)?", part), float) for part in numbers]


@each
def test_a_picture_is_what_its_function_draws(name, tmp_path):
    """To half a point: another machine may round another way."""
    words, numbers = shown(pictures.FOLDER / f"{name}.svg")
    new_words, new_numbers = shown(pictures.draw(name, tmp_path))
    assert words == new_words
    assert len(numbers) == len(new_numbers)
    for old, new in zip(numbers, new_numbers):
        np.testing.assert_allclose(old, new, atol=0.5)


@each
def test_a_picture_is_small_and_shown(name):
    assert (pictures.FOLDER / f"{name}.svg").stat().st_size <= 100_000
    pages = [*DOCS.glob("*.md"), DOCS.parent / "README.md"]
    pages = "".join(page.read_text("utf-8") for page in pages)
    assert f"pictures/{name}.svg" in pages


def test_no_picture_is_left_over():
    assert {path.stem for path in pictures.FOLDER.glob("*.svg")} <= set(NAMES)
