"""Each exercise: its solution passes, its stub fails, and each wrong answer gets its own hint."""

import sys
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[2] / "docs"
WRONG = Path(__file__).parent / "wrong_answers"
sys.path.insert(0, str(DOCS))

import check  # noqa: E402
import exercises  # noqa: E402

each = pytest.mark.parametrize("id", sorted(check.EXERCISES, key=check.place))


def functions_of(path, answer=None):
    """The functions that a file defines, in their order, by name."""
    module = check.load(path)
    found = [f for name, f in vars(module).items() if callable(f) and name[0] != "_"]
    return {f.__name__: f for f in found if getattr(f, "__module__", "") == module.__name__}


def solution_of(id, tmp_path):
    path = tmp_path / f"{id}.py"
    path.write_text(check.EXERCISES[id].solution, "utf-8")
    return check.answer_in(path, id)


@each
@pytest.mark.parametrize("seed", [0, 1])
def test_the_solution_passes(id, seed, tmp_path):
    report = exercises.judge(check.EXERCISES[id], solution_of(id, tmp_path), seed)
    assert report.wrong is None, "\n".join(report.lines())
    assert report.passed == report.total >= 2


@each
def test_the_stub_runs_and_fails(id, tmp_path):
    path = tmp_path / f"{id}.py"
    path.write_text(check.EXERCISES[id].stub, "utf-8")
    assert "# hole" not in path.read_text("utf-8")
    assert "..." in path.read_text("utf-8")
    report = exercises.judge(check.EXERCISES[id], check.answer_in(path, id))
    assert report.wrong is not None


@each
def test_three_wrong_answers_get_three_hints(id):
    wrong = functions_of(WRONG / f"{id}.py")
    assert len(wrong) >= 3
    hints = {}
    for name, answer in wrong.items():
        report = exercises.judge(check.EXERCISES[id], answer)
        assert report.wrong is not None, f"{name} passes"
        hints[name] = report.wrong.hint
        assert report.wrong.more != report.wrong.hint
    assert len(set(hints.values())) == len(hints), hints


@each
def test_what_is_printed_is_short_and_the_second_hint_is_another(id, tmp_path):
    for answer in functions_of(WRONG / f"{id}.py").values():
        report = exercises.judge(check.EXERCISES[id], answer)
        assert len(report.lines()) == 3
        assert all(len(line) <= 110 for line in report.lines()), report.lines()
        assert report.lines() != report.lines(second=True)
