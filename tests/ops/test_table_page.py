"""docs/table.md is written by a script from the registry; it must not fall behind."""

import runpy
from pathlib import Path

from minigrad.autograd import registry

DOCS = Path(__file__).parents[2] / "docs"


def test_the_page_is_what_the_script_writes():
    page = runpy.run_path(str(DOCS / "make_table.py"))["page"]()
    assert (DOCS / "table.md").read_text("utf-8") == page, "run `python docs/make_table.py`"


def test_the_page_has_a_line_for_every_row():
    text = (DOCS / "table.md").read_text("utf-8")
    for name, row in registry.items():
        if row.__module__.startswith("minigrad.ops."):
            assert f"| `{name}(" in text
            assert row.__doc__, f"{name} needs a doc="


def test_rules_stand_there_as_they_are_written():
    text = (DOCS / "table.md").read_text("utf-8")
    assert "| `tanh(x)` | Hyperbolic tangent | `dx = g * (1 - y * y)` |" in text
    assert "`da = g / b`<br>`db = -g * y / b`" in text


def test_no_rule_hides_the_names_of_its_arguments():
    """As `*inputs` would, in place of which NumPy's own signature would be recited."""
    text = (DOCS / "table.md").read_text("utf-8")
    assert "out=None" not in text
    assert "dinputs" not in text
