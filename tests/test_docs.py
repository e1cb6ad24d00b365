"""The course keeps what it promises. Its code runs elsewhere: conftest.py hands it to sybil."""

import ast
import codeop
import re
import sys
from pathlib import Path

import pytest

DOCS = Path(__file__).parent.parent / "docs"
sys.path.insert(0, str(DOCS))

CHAPTERS = sorted(DOCS.glob("[0-9]*-*.md"), key=lambda page: int(page.name.split("-")[0]))
PAGES = [*DOCS.glob("*.md")]

each_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
each_chapter = pytest.mark.parametrize("page", CHAPTERS, ids=lambda page: page.name)


def number(page):
    return int(page.name.split("-")[0])


def fences(page, language="python"):
    """The code of each fence."""
    return re.findall(rf"^```{language}\n(.*?)^```$", page.read_text("utf-8"), re.M | re.S)


def prose(page):
    """A page without its fences, code spans, pictures and HTML comments."""
    text = re.sub(r"^```.*?^```$|<!--.*?-->", "", page.read_text("utf-8"), flags=re.M | re.S)
    return re.sub(r"`[^`]*`|!\[[^]]*\]\([^)]*\)", "", text)


def words(page):
    """How many words stand outside of fences, tables, captions and displayed formulas."""
    lines = re.sub(r"^```.*?^```$|<!--.*?-->", "", page.read_text("utf-8"), flags=re.M | re.S)
    kept = [line for line in lines.splitlines() if not re.match(r"\||!\[|\*[^*].*\*$|    ", line)]
    return len(" ".join(kept).split())


def anchor(heading):
    """GitHub's name of a heading."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def test_the_chapters_go_from_0_to_12_and_the_index_lists_them_in_order():
    linked = re.findall(r"\]\((\d+-[\w-]+\.md)\)", (DOCS / "README.md").read_text("utf-8"))
    assert linked == [page.name for page in CHAPTERS]
    assert [number(page) for page in CHAPTERS] == list(range(13))


@each_chapter
def test_a_chapter_is_short(page):
    assert words(page) <= (1500 if number(page) in (11, 12) else 1200), words(page)


@each_chapter
def test_a_chapter_has_a_picture_that_is_there_and_says_what_one_sees(page):
    shown = re.findall(r"!\[([^]]*)\]\(([^)]+)\)", page.read_text("utf-8"))
    assert shown
    for alt, path in shown:
        assert len(alt.split()) >= 5, alt
        assert (DOCS / path).stat().st_size <= 100_000, path


@each_chapter
def test_a_chapter_has_its_exercises_and_they_exist(page):
    import check

    asked = set(re.findall(r"check\.py (\d+[a-z])\b", page.read_text("utf-8")))
    own = {id for id in check.EXERCISES if check.place(id)[0] == number(page)}
    assert asked >= own
    assert asked <= set(check.EXERCISES)
    assert number(page) == 0 or len(own) >= 2


@each_page
def test_a_fence_can_be_pasted_into_a_prompt(page):
    """A blank line ends a block there, and a block ends with one."""
    for fence in fences(page):
        waiting = ""
        for line in [*fence.splitlines(), ""]:
            waiting += line + "\n"
            if codeop.compile_command(
                waiting.rstrip("\n") + "\n" * (not line.strip()), symbol="single"
            ) or (not line.strip() and not waiting.strip()):
                waiting = ""
        assert not waiting.strip(), waiting


@each_chapter
def test_a_chapter_has_fences_and_asserts(page):
    assert number(page) == 0 or any("assert " in fence for fence in fences(page))


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


@each_chapter
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


@each_chapter
def test_figures_of_mnist_stand_in_tables_that_name_command_and_seed(page):
    for line in page.read_text("utf-8").splitlines():
        if re.match(r"\| `python ", line):
            command, seed = [cell.strip(" `") for cell in line.strip("|").split("|")][:2]
            assert f"--seed {seed}" in command


def engine_on(page):
    """The whole engine on a page: the fence that begins with its file's name."""
    (found,) = [fence for fence in fences(page) if fence.startswith("# my_engine.py\n")]
    return found.partition("\n")[2].strip()


def test_the_engine_of_chapter_2_has_40_lines():
    engine = engine_on(CHAPTERS[2])
    assert sum(bool(line.strip()) for line in engine.splitlines()) <= 40


def test_the_engine_of_chapter_4_is_the_file_that_later_chapters_import():
    source = (DOCS / "my_engine.py").read_text("utf-8")
    assert ast.dump(ast.parse(engine_on(CHAPTERS[4]))) == ast.dump(ast.parse(source))


def test_what_is_quoted_from_the_library_stands_there():
    library = [*(DOCS.parent / "minigrad").rglob("*.py")]
    table = "".join("".join(path.read_text("utf-8").split()) for path in library)
    quoted = [
        row for row in "".join(fences(CHAPTERS[7], "text")).splitlines() if "primitive(" in row
    ]
    assert all("".join(row.split()) in table for row in quoted)  # however they are aligned
    engine = (DOCS.parent / "minigrad/autograd.py").read_text("utf-8")
    for helper in re.findall(r"`(_[a-z]\w+)`", CHAPTERS[7].read_text("utf-8")):
        assert f"def {helper}(" in engine
