"""The judge of a reader's engine: what it says to the course's engines, and to broken ones."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[2] / "docs"
sys.path.insert(0, str(DOCS))

import check  # noqa: E402
from exercises.engine import judge_engine  # noqa: E402


def engine_of_chapter_2():
    """The file that the reader keeps: the fence that begins with its name."""
    page = (DOCS / "2-engine.md").read_text("utf-8")
    (code,) = re.findall(r"^```python\n(# my_engine\.py\n.*?)^```$", page, re.M | re.S)
    return code


@pytest.fixture
def judged(tmp_path):
    """Judge the engine of chapter 2 after some of its text was replaced."""

    def judge(*replaced):
        code = engine_of_chapter_2()
        for old, new in replaced:
            assert code.count(old) >= 1, old
            code = code.replace(old, new)
        path = tmp_path / "my_engine.py"
        path.write_text(code, "utf-8")
        return judge_engine(path)

    return judge


def test_the_engine_of_chapter_2_has_40_lines():
    name, *lines = [line for line in engine_of_chapter_2().splitlines() if line.strip()]
    assert name == "# my_engine.py"
    assert len(lines) == 40


def test_the_parts_of_chapter_2_are_those_of_the_file():
    page = (DOCS / "2-engine.md").read_text("utf-8")
    fences = re.findall(r"^```python\n(.*?)^```$", page, re.M | re.S)
    file = engine_of_chapter_2()
    assert fences[0] in file
    assert any(f"\n\n\n{fence}" in file and "def backward" in fence for fence in fences)


def test_the_engine_of_chapter_2_has_no_errors_and_two_limits(judged):
    errors, limits = judged()
    assert errors == []
    assert len(limits) == 2
    assert "10,000" in limits[0]
    assert "second backward" in limits[1]


def test_the_engine_of_chapter_4_has_neither():
    assert judge_engine(DOCS / "my_engine.py") == ([], [])


PREORDER = (
    """        for parent in y.parents:
            ordered(parent, order)
        order[y] = True  # a dict keeps its order, and finds a key at once
""",
    """        order[y] = True
        for parent in y.parents:
            ordered(parent, order)
""",
)
UNREVERSED = ("reversed(ordered(y, {}))", "ordered(y, {})")
DUPLICATES = [
    (
        """    if y not in order:
        for parent in y.parents:
            ordered(parent, order)
        order[y] = True  # a dict keeps its order, and finds a key at once
    return order
""",
        """    for parent in y.parents:
        ordered(parent, order)
    order.append(y)
    return order
""",
    ),
    ("ordered(y, {})", "ordered(y, [])"),
]
BROKEN = {
    "= for +=": ([("grad += slope", "grad = slope")], "+="),
    "not reversed": ([UNREVERSED], "reversed"),
    "preorder": ([PREORDER], "reversed, each value after its parents"),
    "preorder from the result": ([PREORDER, UNREVERSED], "parents first in the list"),
    "duplicates": (DUPLICATES, "twice in the list"),
    "no start": ([("    y.grad = 1.0\n", "")], "y.grad = 1.0"),
    "product swapped": ([("(g * b, g * a)", "(g * a, g * b)")], "the slope of a is b"),
    "product forgets g": ([("(g * b, g * a)", "(b, a)")], "times g"),
    "sum forgets g": ([("(g, g)", "(1.0, 1.0)")], "times g"),
    "power": ([("a ** (n - 1)", "a ** n")], "n * a ** (n - 1)"),
    "tanh of the input": ([("(1 - t * t)", "(1 - x.data * x.data)")], "1 - tanh(x)**2"),
    "tanh forgets g": ([("g * (1 - t * t)", "1 - t * t")], "times g"),
    "difference turned": ([("value(b) - a\n", "a - value(b)\n")], "__rsub__"),
    "quotient turned": ([("value(b) / a\n", "a / value(b)\n")], "__rtruediv__"),
    "no __radd__": ([("__radd__, __rmul__ = __add__, __mul__", "__rmul__ = __mul__")], "__radd__"),
    "negative": ([("a * -1", "a")], "__neg__"),
    "numbers stay numbers": ([("other = value(other)", "other = other")], "other = value(other)"),
    "no tanh": ([("def tanh", "def tangens")], "no tanh"),
    "does not run": ([("def value(x):", "def value(x)")], "SyntaxError"),
    "clears all slopes": (
        [("    y.grad = 1.0\n", "    for v in ordered(y, {}): v.grad = 0.0\n    y.grad = 1.0\n")],
        "backward adds to grad",
    ),
    "a product remembers one parent": (
        [("return Value(a * b, (self, other)", "return Value(a * b, (self,)")],
        "the slope of a is b",
    ),
}


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("slope = unbroadcast(slope, parent.shape)", "pass", "what was stretched is summed"),
        ("(g @ b.T, a.T @ g)", "(b.T @ g, g @ a.T)", "the slopes of x @ w are g @ w.T"),
        ("(a.T @ g,)", "(a @ g,)", "__rmatmul__"),
        ("(g * np.ones_like(x.data),)", "(g,)", "total"),
    ],
)
def test_what_is_wrong_with_the_arrays_of_chapter_4_is_named(tmp_path, old, new, said):
    code = (DOCS / "my_engine.py").read_text("utf-8")
    assert code.count(old) == 1
    path = tmp_path / "my_engine.py"
    path.write_text(code.replace(old, new), "utf-8")
    errors, _ = judge_engine(path)
    assert errors
    assert all(said in error for error in errors), errors


@pytest.mark.parametrize("name", BROKEN)
def test_what_is_wrong_is_named(judged, name):
    replaced, named = BROKEN[name]
    errors, limits = judged(*replaced)
    assert errors, "passes"
    assert limits == []
    assert any(named in error for error in errors), errors
    lines = [line for error in errors for line in error.split("; ", 1)]
    assert all(len(line) <= 100 and "\n" not in line for line in lines), errors


def test_an_engine_written_differently_passes(tmp_path):
    path = tmp_path / "other.py"
    path.write_text(OTHER, "utf-8")
    errors, limits = judge_engine(path)
    assert errors == []
    assert limits == []


OTHER = """
import math

class Value:
    def __init__(self, data, edges=()):
        self.data = float(data)
        self.edges = list(edges)
        self.grad = None

    def __add__(self, o):
        o = lift(o)
        return Value(self.data + o.data, [(self, 1.0), (o, 1.0)])

    def __mul__(self, o):
        o = lift(o)
        return Value(self.data * o.data, [(self, o.data), (o, self.data)])

    def __pow__(self, n):
        return Value(self.data ** n, [(self, n * self.data ** (n - 1))])

    def __neg__(self):
        return Value(-self.data, [(self, -1.0)])

    def __sub__(self, o):
        return self + -lift(o)

    def __rsub__(self, o):
        return lift(o) + -self

    def __truediv__(self, o):
        return self * lift(o) ** -1

    def __rtruediv__(self, o):
        return lift(o) * self ** -1

    __radd__ = __add__
    __rmul__ = __mul__

def lift(o):
    return o if isinstance(o, Value) else Value(o)

def tanh(x):
    return Value(math.tanh(x.data), [(x, 1 - math.tanh(x.data) ** 2)])

def backward(y):
    uses, stack, seen = {}, [y], {y}
    while stack:
        for p, _ in stack.pop().edges:
            uses[p] = uses.get(p, 0) + 1
            if p not in seen:
                seen.add(p)
                stack.append(p)
    slope, ready = {y: 1.0}, [y]
    while ready:
        v = ready.pop()
        v.grad = (v.grad or 0.0) + slope[v]
        for p, s in v.edges:
            slope[p] = slope.get(p, 0.0) + s * slope[v]
            uses[p] -= 1
            if uses[p] == 0:
                ready.append(p)
"""


def test_the_command_prints_errors_and_limits_and_says_by_its_code(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert not check.main(["my_engine.py"])
    assert "there is no file my_engine.py" in capsys.readouterr().out
    code = engine_of_chapter_2()
    Path("my_engine.py").write_text(code, "utf-8")
    assert check.main(["my_engine.py"])
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "my_engine.py   no errors"
    assert lines[1] == "2 limits"
    assert len(lines) == 6
    assert "chain of 10,000" in lines[2]
    assert lines[3].startswith("    hint: ")
    Path("mine.py").write_text(code.replace("grad += slope", "grad = slope"), "utf-8")
    assert not check.main(["mine.py"])
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "mine.py   4 errors"
    assert [line.count("hint: ") for line in lines] == [0, 0, 0, 0, 0, 1]


def test_chapter_3_learns_with_the_engine_of_chapter_2(tmp_path, monkeypatch):
    path = tmp_path / "my_engine.py"
    path.write_text(engine_of_chapter_2(), "utf-8")
    monkeypatch.setitem(sys.modules, "my_engine", check.load(path))
    page = (DOCS / "3-moons.md").read_text("utf-8")
    names = {}
    for fence in re.findall(r"^```python\n(.*?)^```$", page, re.M | re.S):
        exec(fence, names)
    assert names["Value"].__module__ == "answer_my_engine"


def test_an_exercise_runs_on_the_readers_own_engine(tmp_path):
    (tmp_path / "my_engine.py").write_text(engine_of_chapter_2() + "MINE = True\n", "utf-8")
    (tmp_path / "work").mkdir()
    answer = check.EXERCISES["2a"].solution + "\nfrom my_engine import MINE\n"
    (tmp_path / "work" / "2a.py").write_text(answer, "utf-8")
    command = [sys.executable, DOCS / "check.py", "2a"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.stdout == "2a exp   5 of 5   all right\n"
    assert done.returncode == 0


def test_a_path_to_an_exercise_is_checked_as_that_exercise(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("1a.py").write_text(check.EXERCISES["1a"].solution, "utf-8")
    assert check.main(["1a.py"])
    assert capsys.readouterr().out == "1a slopes from both sides   4 of 4   all right\n"


def test_a_second_walk_that_is_refused_is_a_limit(judged):
    errors, limits = judged(
        (
            "    y.grad = 1.0\n",
            "    assert not hasattr(y, 'done'), 'once'\n    y.grad = y.done = 1.0\n",
        )
    )
    assert errors == []
    assert limits[1] == "a second backward raises AssertionError: once"
