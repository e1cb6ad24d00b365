"""The site's parts that need no Sphinx: the reference is whole, the contents are in order, the how-to
pages keep what chapters keep, and every page is a notebook."""

import re
import sys
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[2] / "docs"
sys.path.insert(0, str(DOCS))

import make_reference  # noqa: E402

PAGES = sorted(DOCS.glob("*.md"))
BESIDE = "README", "table", "where-the-time-goes"  # the contents, and the appendix
HOW_TO = [page for page in PAGES if page.stem not in BESIDE and not page.stem[0].isdigit()]

each_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
each_how_to = pytest.mark.parametrize("page", HOW_TO, ids=lambda page: page.name)


def fences(page):
    """(language, code) of each fence."""
    return re.findall(r"^```(\w*)\n(.*?)^```$", page.read_text("utf-8"), re.M | re.S)


# ---- the reference -------------------------------------------------------------------------------


def test_every_public_name_stands_in_the_reference_once(tmp_path):
    make_reference.write(tmp_path)
    entries = []
    for path in tmp_path.glob("*.rst"):
        entries += re.findall(r"^\.\. (?:py:|auto)\w+:: ([\w.]+)", path.read_text("utf-8"), re.M)
    entries = [name for name in entries if name != "minigrad"]  # the current module
    expected = [name for names in make_reference.public().values() for name in names]
    assert sorted(entries) == sorted(expected)
    assert {f"minigrad.{name}" for name in make_reference.mg.ops.__all__} <= set(entries)


def test_a_module_without_a_page_is_asked_for(monkeypatch):
    monkeypatch.setattr(make_reference, "PAGES", make_reference.PAGES[:-1])
    with pytest.raises(ValueError, match=r"PAGES differ in \['debug', 'gradcheck', 'graph'\]"):
        make_reference.of_pages()


def test_stars_and_bars_of_a_docstring_are_no_markup():
    assert make_reference.plain("|x| * y ** 2 of `a*b`, f_") == r"\|x\| \* y \*\* 2 of `a*b`, f\_"


# ---- pages ---------------------------------------------------------------------------------------


@each_page
def test_a_page_has_fences_of_python_and_of_text_alone(page):
    """Others, such as sh, would be run as cells of a notebook."""
    assert {language for language, _ in fences(page)} <= {"python", "text"}


@each_how_to
def test_a_how_to_has_at_most_1200_words_and_none_that_belittles(page):
    # fences, tables, comments, pictures, captions
    beside = r"^```.*?^```$|^\|.*?$|<!--.*?-->|!\[.*?\]\(.*?\)|^\*[^*]+\*$"
    text = re.sub(beside, "", page.read_text("utf-8"), flags=re.M | re.S)
    assert len(text.split()) <= 1200
    text = re.sub(r"`[^`]*`", "", text)
    assert re.findall(r"\b(?:simply|just|obviously|trivial\w*)\b|!", text, re.I) == []


@each_how_to
def test_links_of_a_how_to_lead_somewhere(page):
    links = re.findall(r"\]\(([^)#\s]+)", page.read_text("utf-8"))
    assert links
    assert [link for link in links if not (DOCS / link).exists()] == []


# ---- notebooks -----------------------------------------------------------------------------------


def notebook_of(page):
    why = "pages are not opened as notebooks: pip install -e '.[docs]' brings jupytext and nbclient"
    jupytext = pytest.importorskip("jupytext", reason=why)
    pytest.importorskip("nbclient", reason=why)
    return jupytext.reads(page.read_text("utf-8"), fmt="md")


@each_page
def test_a_page_is_a_notebook_whose_cells_are_its_fences(page):
    cells = [cell.source for cell in notebook_of(page).cells if cell.cell_type == "code"]
    code = [code for language, code in fences(page) if language == "python"]
    assert ["".join(cell.split()) for cell in cells] == ["".join(c.split()) for c in code]


@pytest.mark.filterwarnings("ignore")  # of the kernel's packages
def test_a_page_runs_as_a_notebook_and_shows_what_it_prints():
    page = DOCS / "new-operation.md"
    notebook = notebook_of(page)
    import nbclient

    nbclient.NotebookClient(
        notebook, timeout=120, kernel_name="python3", resources={"metadata": {"path": str(DOCS)}}
    ).execute()
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1))
    printed = [out.text for cell in cells for out in cell.outputs if out.output_type == "stream"]
    assert any("expected" in text and "by finite differences" in text for text in printed)
