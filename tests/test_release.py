"""What a release says of itself agrees: its version, its date, the Pythons it is tested on."""

import configparser
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))

setup = configparser.ConfigParser()
setup.read(ROOT / "setup.cfg", "utf-8")


def headings():
    """(version, date) of each heading of the changelog, the date None where there is none."""
    text = (ROOT / "CHANGELOG.md").read_text("utf-8")
    found = re.findall(r"^## \[(.*?)\](?: - (\d{4}-\d\d-\d\d))?$", text, re.M)
    assert len(found) == len(re.findall(r"^## ", text, re.M))
    return [(version, date or None) for version, date in found]


def test_the_version_is_the_same_everywhere():
    citation = (ROOT / "CITATION.cff").read_text("utf-8")
    said = dict(re.findall(r"^(version|date-released): (.*)$", citation, re.M))
    unreleased, newest = headings()[:2]
    assert unreleased == ("Unreleased", None)
    assert newest == (setup["metadata"]["version"], said["date-released"])
    assert said["version"] == setup["metadata"]["version"]


def test_each_version_of_the_changelog_has_its_changes_in_one_order():
    text = (ROOT / "CHANGELOG.md").read_text("utf-8")
    for part in re.split(r"^## ", text, flags=re.M)[1:]:
        kinds = re.findall(r"^### (.*)$", part, re.M)
        order = ["Added", "Changed", "Fixed", "Removed"]
        assert kinds == [kind for kind in order if kind in kinds], part.partition("\n")[0]


def test_the_workflows_run_each_python_that_the_classifiers_name_on_each_system():
    text = (ROOT / ".github" / "workflows" / "tests.yml").read_text("utf-8")
    (row,) = re.findall(r"^ +python: \[(.*)\]$", text, re.M)
    pythons = re.findall(r'"(3\.\d+)"', row)
    classifiers = setup["metadata"]["classifiers"]
    assert pythons == re.findall(r":: (3\.\d+)$", classifiers, re.M)
    assert setup["options"]["python_requires"] == f">={pythons[0]}"
    assert "system: [ubuntu, macos, windows]" in text


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.name)
def test_a_workflow_calls_scripts_that_exist(workflow):
    scripts = re.findall(r"(?<![\w.])\.ci/[\w/]+", workflow.read_text("utf-8"))
    assert scripts
    assert [name for name in scripts if not (ROOT / name).is_file()] == []


def test_scripts_of_bash_end_their_lines_as_bash_wants_them():
    """On Windows too, where Git would change that."""
    assert "* text=auto eol=lf\n" in (ROOT / ".gitattributes").read_text("utf-8")
    scripts = [path for path in (ROOT / ".ci").rglob("*") if path.is_file() and not path.suffix]
    assert scripts
    assert [path.name for path in scripts if b"\r" in path.read_bytes()] == []
