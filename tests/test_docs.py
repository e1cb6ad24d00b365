"""The tutorial keeps what it promises. Its code runs elsewhere: conftest.py hands it to sybil."""

import ast
import re
from pathlib import Path

import pytest

DOCS = Path(__file__).parent.parent / "docs"
CHAPTERS = sorted(DOCS.glob("[0-9]-*.md"))
PAGES = [DOCS / "README.md", *CHAPTERS]

each_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
each_chapter = pytest.mark.parametrize("page", CHAPTERS, ids=lambda page: page.name)


def fences(page, language="python"):
    """The code of each fence."""
    return re.findall(rf"^```{language}\n(.*?)^```$", page.read_text("utf-8"), re.M | re.S)


def prose(page):
    """A page without its fences, code spans and HTML comments."""
    text = re.sub(r"^```.*?^```$|<!--.*?-->", "", page.read_text("utf-8"), flags=re.M | re.S)
    return re.sub(r"`[^`]*`", "", text)


def anchor(heading):
    """GitHub's name of a heading."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def test_there_are_five_chapters_and_the_index_lists_them_in_order():
    linked = re.findall(r"\]\((\d-[\w-]+\.md)\)", PAGES[0].read_text("utf-8"))
    assert linked == [page.name for page in CHAPTERS]
    assert len(linked) == 5


@each_page
def test_a_page_has_fences_and_asserts(page):
    assert any("assert " in fence for fence in fences(page))


@each_page
def test_links_lead_somewhere(page):
    for target in re.findall(r"\]\(([^)\s]+)\)", prose(page)):
        if target.startswith("https://"):
            continue
        name, _, heading = target.partition("#")
        there = page.parent / name if name else page
        assert there.exists(), f"{page.name} links to {target}"
        if heading:
            anchors = map(anchor, re.findall(r"^#+ (.*)$", there.read_text("utf-8"), re.M))
            assert heading in anchors, f"{page.name} links to {target}"


@each_page
def test_no_word_belittles_the_reader(page):
    found = re.findall(r"\b(?:simply|just|obviously|trivial\w*)\b|!", prose(page), re.I)
    assert not found, f"{page.name}: {found}"


@each_page
def test_no_path_of_a_machine_is_named(page):
    assert not re.search(r"/(?:home|tmp|work|Users|root)/", page.read_text("utf-8"))


@each_chapter
def test_at_most_1000_synthetic_digits(page):
    code = "\n".join(fences(page))
    counts = re.findall(r"synthetic_digits\(([\d_]+)", code)
    assert len(counts) == code.count("synthetic_digits(")
    assert sum(map(int, counts)) <= 1000


def test_figures_of_mnist_stand_in_one_table_that_names_command_and_seed():
    lines = [line for page in CHAPTERS for line in page.read_text("utf-8").splitlines()]
    rows = [line for line in lines if line.startswith("| `python examples/train_mnist.py")]
    start = lines.index(rows[0])
    header = [cell.strip() for cell in lines[start - 2].strip("|").split("|")]
    assert lines[start : start + len(rows)] == rows
    assert header[:2] == ["command", "seed"]
    for row in rows:
        command, seed = [cell.strip(" `") for cell in row.strip("|").split("|")][:2]
        assert f"--seed {seed}" in command
    percents = [line for line in lines if re.search(r"\b9\d\.\d+ ?%", line)]
    assert set(percents) <= set(rows), "a figure of MNIST outside of the table"


def test_the_engine_on_the_page_has_40_lines():
    page = next(page for page in CHAPTERS if page.name == "2-engine.md")
    before_the_check = page.read_text("utf-8").partition("## The check")[0]
    code = [fence for fence in fences(page) if fence in before_the_check and "assert" not in fence]
    assert sum(bool(line.strip()) for fence in code for line in fence.splitlines()) == 40


def test_what_is_quoted_from_the_library_stands_there():
    text = "\n".join(page.read_text("utf-8") for page in CHAPTERS)
    table = "".join((DOCS.parent / "minigrad/ops/elementwise.py").read_text("utf-8").split())
    rows = [row for page in CHAPTERS for row in "".join(fences(page, "text")).splitlines()]
    assert rows
    assert all("".join(row.split()) in table for row in rows)  # however they are aligned
    engine = (DOCS.parent / "minigrad/autograd.py").read_text("utf-8")
    helpers = re.findall(r"`(_\w+)`", text)
    assert helpers
    assert all(f"def {name}(" in engine for name in helpers)


def test_the_pictures_of_page_5_end_their_cells_so_that_a_notebook_shows_them():
    last = [ast.parse(fence).body[-1] for fence in fences(DOCS / "5-mnist.md")]
    calls = [ast.unparse(end.value.func) for end in last if isinstance(end, ast.Expr)]
    names = [name.removeprefix("mg.plot.") for name in calls if name.startswith("mg.plot.")]
    assert names == ["images", "history", "confusion", "mistakes"]
