"""What the README promises is there: its files, commands, map and numbers."""

import json
import re
import shlex
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text("utf-8")


def commands():
    """The lines of all fences that hold commands."""
    fences = re.findall(r"```(?:sh|bat)\n(.*?)```", README, re.DOTALL)
    return [line for fence in fences for line in fence.splitlines()]


def map_of_the_house():
    """{folder: names} of the README's map; a name at the margin has itself as folder."""
    text = re.search(r"```text\n(minigrad/\n.*?)```", README, re.DOTALL).group(1)
    house = {}
    for line in text.splitlines():
        name = line.split()[0]
        if not line.startswith(" "):
            folder = name
        house.setdefault(folder, set())
        if line.startswith(" "):
            house[folder].add(name)
    return house


@pytest.mark.parametrize(
    ("job", "extra"),
    [
        ("python examples/train_mnist.py", "examples"),
        ("python -m pytest", "tests"),
        ("python docs/build_site.py", "docs"),
    ],
)
def test_one_line_does_each_job(job, extra):
    (line,) = (c for c in commands() if c.startswith("python3 -m venv") and c.endswith(job))
    steps = [shlex.split(step) for step in line.split(" && ")]
    assert [step[0] for step in steps] == ["python3", ".venv/bin/pip", ".venv/bin/python"]
    assert steps[1][1:] == ["install", "-e", f".[{extra}]"]


def test_windows_takes_the_same_steps():
    lines = commands()
    chained = [line for line in lines if " && " in line]
    assert chained
    for line in chained:
        python, pip, job = line.split(" && ")
        pip = pip.replace("/bin/", "/Scripts/").replace("/", "\\").replace("'", '"')
        assert python.replace("python3", "py") in lines
        assert pip in lines
        assert job.replace("/bin/", "/Scripts/").replace("/", "\\") in lines


def test_the_extras_of_the_commands_exist():
    setup = (ROOT / "setup.cfg").read_text("utf-8")
    extras = re.findall(r"-e ['\"]\.\[(\w+)\]['\"]", README)
    assert set(extras) == {"examples", "tests", "docs"}
    for extra in extras:
        assert f"\n{extra} =\n" in setup


def test_the_picture_shows_the_row_of_the_network_that_the_command_trains():
    run = json.loads((ROOT / "docs/drawings/mnist_run.json").read_text("utf-8"))
    matrix = run["test_confusion"]
    right = sum(row[i] for i, row in enumerate(matrix))
    accuracy = 100 * right / sum(map(sum, matrix))
    assert f"| {run['parameters']:,} | {accuracy:.2f} % |" in README
    assert "](docs/pictures/mnist.svg)" in README


def test_every_file_that_is_named_exists():
    links = [link for link in re.findall(r"\]\(([^)]+)\)", README) if "://" not in link]
    scripts = re.findall(r"\bexamples/\w+\.py\b", README)
    assert links
    assert scripts
    assert [path for path in links + scripts if not (ROOT / path).exists()] == []


def test_the_map_shows_the_house_as_it_is():
    for folder, names in map_of_the_house().items():
        assert (ROOT / folder).is_dir()
        for name in names:
            path = ROOT / folder / name
            assert path.is_dir() if name.endswith("/") else path.is_file(), path
    rooms = {p.name + "/" * p.is_dir() for p in (ROOT / "minigrad").iterdir()}
    rooms = {room for room in rooms if not room.startswith("_") and room.endswith(("/", ".py"))}
    assert map_of_the_house()["minigrad/"] == rooms
    scripts = {path.name for path in (ROOT / "examples").glob("*.py")}
    assert map_of_the_house()["examples/"] == scripts


def test_the_evening_is_listed_in_its_order():
    listed = re.findall(r"^(\d)\. \[`minigrad/([\w/.]+)`\]", README, re.MULTILINE)
    assert [int(number) for number, _ in listed] == list(range(1, 9))
    for number, name in listed:
        path = ROOT / "minigrad" / (name if name.endswith(".py") else f"{name}optimizers.py")
        assert path.read_text("utf-8").startswith(f'"""Read {number} of 8'), path


def test_it_warns_of_the_other_minigrad():
    assert "`pip install minigrad` installs something else" in README
    assert "name = minigrad-numpy\n" in (ROOT / "setup.cfg").read_text("utf-8")


def test_no_number_is_left_to_be_measured():
    assert "TO MEASURE" not in README
