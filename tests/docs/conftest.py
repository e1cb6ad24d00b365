"""What the tests of the docs share: the page docs/_static/draw in Chromium."""

import importlib
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent)]

from chromium import start  # noqa: E402
from draw_page import PAGE  # noqa: E402


@pytest.fixture(scope="session")
def browser(tmp_path_factory):
    with start(tmp_path_factory.mktemp("profile")) as session:
        yield session


@pytest.fixture
def page(browser):
    """The page as it opens by a double click."""
    browser("POST", "/window/rect", {"width": 900, "height": 1250})
    browser("POST", "/url", {"url": PAGE.as_uri()})
    yield browser
    assert browser("POST", "/se/log", {"type": "browser"}) == []  # nothing to complain about


@pytest.fixture(scope="module")
def examples():
    """What the page comes from: the networks of the examples, and the script of its weights."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(HERE.parents[1] / "examples"))
        patch.syspath_prepend(str(HERE.parents[1] / "docs"))
        names = "models", "make_weights"
        yield {name: importlib.import_module(name) for name in names}
