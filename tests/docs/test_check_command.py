"""`python docs/check.py`: stubs, ticks, hints, a class of students."""

import csv
import signal
import subprocess
import sys
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[2] / "docs"
sys.path.insert(0, str(DOCS))

import check  # noqa: E402
import exercises  # noqa: E402

SCRIPT = DOCS / "check.py"
RIGHT = check.EXERCISES["4b"].solution
WRONG = "def matmul_slopes(g, x, w):\n    return w @ g.T, g.T @ x\n"


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def test_the_first_run_writes_the_stub_and_later_ones_check_what_became_of_it(capsys):
    path = Path("work/4b.py")
    assert not check.main(["4b"])
    assert path.read_text("utf-8") == check.EXERCISES["4b"].stub
    assert "wrote" in capsys.readouterr().out
    path.write_text(WRONG, "utf-8")
    assert not check.main(["4b"])
    first = capsys.readouterr().out.splitlines()
    assert first[0].startswith("4b matmul   ")
    assert "expected shape" in first[1] or "expected" in first[1]
    assert not check.main(["4b"])
    assert capsys.readouterr().out.splitlines()[-1] != first[-1]
    path.write_text(RIGHT, "utf-8")
    assert check.main(["4b"])
    assert "all right" in capsys.readouterr().out
    assert path.read_text("utf-8") == RIGHT


def test_another_mistake_gets_its_first_hint_first(capsys):
    def last_line(answer):
        check.check("4b", answer)
        return capsys.readouterr().out.splitlines()[-1]

    swapped = lambda g, x, w: (x.T @ g, g @ w.T)
    transposed = lambda g, x, w: (w @ g.T, g.T @ x)
    first = last_line(swapped)
    other = last_line(transposed)
    assert last_line(transposed) not in (first, other)
    assert last_line(swapped) == first
    assert last_line(swapped) != first


def test_the_ticks_are_kept(capsys):
    check.main([])
    assert "[ ] 4b" in capsys.readouterr().out
    Path("work").mkdir()
    Path("work/4b.py").write_text(RIGHT, "utf-8")
    check.main(["4b"])
    Path("work/4b.py").write_text(WRONG, "utf-8")
    check.main(["4b"])
    capsys.readouterr()
    check.main([])
    said = capsys.readouterr().out
    assert "[x] 4b" in said
    assert f"1 of {len(check.EXERCISES)} done" in said


def test_a_damaged_file_of_ticks_is_no_obstacle(capsys):
    Path("work").mkdir()
    Path("work/progress.json").write_text("{", "utf-8")
    assert check.main([])


def test_in_a_notebook_a_function_is_checked(capsys):
    assert check.check("4b", lambda g, x, w: (g @ w.T, x.T @ g))
    assert not check.check("4b", lambda g, x, w: None)
    with pytest.raises(ValueError, match="no exercise '4z'"):
        check.check("4z", print)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("def matmul_slopes(:", "SyntaxError"),
        ("import no_such_module", "no_such_module"),
        ("x = 1", "no function matmul_slopes"),
        ("def matmul_slopes(g, x, w):\n    return 1 / 0, w", "ZeroDivisionError"),
        ("def matmul_slopes(g, x):\n    return g, x", "TypeError"),
        ("def matmul_slopes(g, x, w):\n    pass", "expected two slopes"),
    ],
)
def test_code_that_does_not_run_is_answered_too(text, said, capsys):
    Path("work").mkdir()
    Path("work/4b.py").write_text(text, "utf-8")
    assert not check.main(["4b"])
    assert said in capsys.readouterr().out


in_the_file_or_in_the_function = pytest.mark.parametrize(
    "text", ["{}", "def matmul_slopes(g, x, w):\n    {}"]
)


@in_the_file_or_in_the_function
def test_what_ends_the_program_is_answered_too(text, capsys):
    Path("work").mkdir()
    Path("work/4b.py").write_text(text.format("import sys; sys.exit(1)"), "utf-8")
    assert not check.main(["4b"])
    assert "SystemExit: 1" in capsys.readouterr().out


@in_the_file_or_in_the_function
def test_what_never_ends_is_answered_too_and_tried_no_second_time(text, capsys, monkeypatch):
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a background job ignores it
    monkeypatch.setattr(exercises, "PATIENCE", 0.2)
    indent = "    " if "def" in text else ""
    line = "import tempfile, time; t = time.time(); tempfile.mkdtemp(dir='runs')\n"
    line += f"{indent}while time.time() < t + 60: pass"
    Path("runs").mkdir()
    Path("work").mkdir()
    Path("work/4b.py").write_text(text.format(line), "utf-8")
    assert not check.main(["4b"])
    assert "took more than 0.2 s" in capsys.readouterr().out
    assert len(list(Path("runs").iterdir())) <= 1


def test_ctrl_c_still_ends_the_program():
    def pressed(g, x, w):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        check.check("4b", pressed)


@pytest.mark.parametrize("arguments", [["4B"], ["work/4b.py"]])
def test_an_exercise_goes_by_other_spellings_too(arguments, capsys):
    Path("work").mkdir()
    Path("work/4b.py").write_text(RIGHT, "utf-8")
    assert check.main(arguments)


def test_the_file_of_an_exercise_that_is_not_there_says_how_to_get_it(capsys):
    with pytest.raises(SystemExit):
        check.main(["4b.py"])
    assert "check.py 4b writes one" in capsys.readouterr().err


def test_an_unknown_name_says_what_there_is(capsys):
    with pytest.raises(SystemExit):
        check.main(["4z"])
    assert "4b" in capsys.readouterr().err


def test_a_class_is_graded_each_in_a_process_of_its_own(tmp_path, capsys):
    submissions = {
        "ada": RIGHT,
        "bob": WRONG,
        "cyd": "import os\nos._exit(3)",
        "dan": "import check\ncheck.EXERCISES.clear()\n" + WRONG,
    }
    for student, text in submissions.items():
        (tmp_path / "class" / student).mkdir(parents=True)
        (tmp_path / "class" / student / "4b.py").write_text(text, "utf-8")
    check.grade(tmp_path / "class", 0)
    rows = list(csv.DictReader(capsys.readouterr().out.splitlines()))
    assert [row["student"] for row in rows] == list(submissions)
    assert [row["passed"] for row in rows] == ["True", "False", "False", "False"]
    assert "expected" in rows[1]["hint"]
    assert rows[2]["hint"] == "ended with code 3"
    assert not Path("work").exists()


def test_a_submission_that_never_ends_is_graded_as_wrong(tmp_path, monkeypatch, capsys):
    (tmp_path / "class" / "ada").mkdir(parents=True)
    (tmp_path / "class" / "ada" / "4b.py").write_text("while True: pass", "utf-8")
    monkeypatch.setattr(check, "LIMIT", 1)
    check.grade(tmp_path / "class", 0)
    (row,) = csv.DictReader(capsys.readouterr().out.splitlines())
    assert row["passed"] == "False"
    assert "more than 1 s" in row["hint"]


def test_the_exit_code_is_that_of_the_answer():
    run = lambda: subprocess.run([sys.executable, SCRIPT, "4b"], capture_output=True, text=True)
    assert run().returncode == 1
    Path("work/4b.py").write_text(RIGHT, "utf-8")
    assert run().returncode == 0
