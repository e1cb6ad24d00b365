"""The exercises of the course: what a chapter asks, and what is said to an answer.

An exercise has an id, such as "4b", a solution in `solutions/4b.py`, from which its stub is cut, and
a function that yields its cases, `(label, check)`. `check(answer)` raises `Wrong` with what was
found, a hint, and a second hint for whoever fails twice. No check looks at the solution: the truth
is a finite difference, NumPy, or a property.
"""

import _thread
import importlib
import re
import threading
import time
import traceback
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

SOLUTIONS = Path(__file__).parent / "solutions"
PATIENCE = 20  # seconds that a case may take; the solutions need less than one for all of theirs
EXERCISES: dict[str, "Exercise"] = {}


class Wrong(Exception):
    """What a check found: `what` was expected and came, a hint, and a second one."""

    def __init__(self, what, hint, more):
        super().__init__(what)
        self.what, self.hint, self.more = what, hint, more


@dataclass
class Exercise:
    """`answer` names the function that is to be written; `cases(rng)` yields (label, check)."""

    id: str
    name: str
    answer: str
    cases: Any

    @property
    def solution(self):
        return (SOLUTIONS / f"{self.id}.py").read_text("utf-8")

    @property
    def stub(self):
        return stub_of(self.solution)


@dataclass
class Report:
    """How many cases passed; of the first that did not: its label, what was wrong, the hints."""

    exercise: Exercise
    passed: int
    total: int
    seconds: float
    label: str = ""
    wrong: Any = None

    def lines(self, second=False):
        """What is printed; with the second hint if `second`."""
        head = f"{self.exercise.id} {self.exercise.name}   {self.passed} of {self.total}"
        if self.wrong is None:
            return [head + "   all right"]
        hint = self.wrong.more if second else self.wrong.hint
        return [f"{head}   {self.label}", f"  {self.wrong.what}", f"  hint: {hint}"]


def exercise(id, name, answer):
    """Enter an exercise: `@exercise("4b", "matmul", answer="matmul_slopes")` above its cases."""

    def enter(cases):
        EXERCISES[id] = Exercise(id, name, answer, cases)
        return cases

    return enter


def stub_of(solution):
    """The solution without its lines that end in `# hole`.

    Consecutive lines that end in `# hole` become one line, `...`; a line that ends in
    `# hole: what is to be done` becomes a line of its own that says it.
    """
    lines, in_hole = [], False
    for line in solution.splitlines():
        hole = re.search(r"# hole(?:: *(.*))?$", line)
        if hole and (hole[1] or not in_hole):
            indent = line[: len(line) - len(line.lstrip())]
            lines.append(f"{indent}...  # {hole[1] or 'your code'}")
        if not hole:
            lines.append(line)
        in_hole = bool(hole)
    return "\n".join(lines) + "\n"


def judge(exercise, answer, seed=0):
    """Run all cases of an exercise on an answer, and report."""
    start = time.perf_counter()
    passed, total, label, wrong, endless = 0, 0, "", None, False
    for name, check in exercise.cases(np.random.default_rng(seed)):
        total += 1
        if endless:
            continue  # the others would be waited for as long: they are counted, not run
        try:
            with at_most(PATIENCE):
                check(answer)
            passed += 1
        except Wrong as error:
            found = error
        except TimeoutError as error:
            found, endless = _too_long(error), True
        except (Exception, SystemExit) as error:
            found = _raised(error)
        else:
            continue
        if wrong is None:
            label, wrong = name, found
    return Report(exercise, passed, total, time.perf_counter() - start, label, wrong)


@contextmanager
def at_most(seconds):
    """Raise TimeoutError where the block takes longer: a second thread presses Ctrl-C.

    Outside of the main thread, which alone hears of it, there is no limit.
    """
    late = threading.Event()

    def press():
        late.set()
        _thread.interrupt_main()

    timer = threading.Timer(seconds, press)
    timer.daemon = True
    if threading.current_thread() is threading.main_thread():
        timer.start()
    try:
        yield
    except KeyboardInterrupt as error:
        if not late.is_set():
            raise
        raise TimeoutError(f"took more than {seconds} s{_line(error)}") from None
    finally:
        timer.cancel()


def _line(error):
    """ " (line 3 of 4b.py)", the last one outside of this folder that an error came through."""
    own = [
        f" (line {frame.lineno} of {Path(frame.filename).name})"
        for frame in traceback.extract_tb(error.__traceback__)
        if Path(frame.filename).parent != SOLUTIONS.parent
    ]
    return own[-1] if own else ""


def _too_long(error):
    """What is said where a case was stopped."""
    return Wrong(
        str(error),
        "does a loop never end? Look at what its condition waits for",
        "print in the loop, in the line that is named, what is to change from turn to turn",
    )


def _raised(error):
    """What is said where the answer, or a check of what it returned, raised."""
    return Wrong(
        f"{type(error).__name__}: {error}{_line(error)}",
        "call your function yourself with a small example, and read where it stops",
        "print the shape and type of everything in the line that stopped",
    )


# ---- what checks have in common ------------------------------------------------------------------


def same(what, found, expected, hint, more, known=(), tolerance=1e-6):
    """Raise `Wrong` where `found` has not the shape and, nearly, the numbers of `expected`.

    `known` lists mistakes, as (what comes of it, hint, second hint): the first that was made gives
    its hints in place of the others.
    """
    if found is None or found is ...:
        raise Wrong(
            f"{what}: nothing came back",
            "is every ... of the stub filled in, and does the function return something?",
            "a Python function without a return gives None",
        )
    found, expected = np.asarray(found, float), np.asarray(expected, float)
    if near(found, expected, tolerance):
        return
    for mistake, its_hint, its_more in known:
        if near(found, mistake, tolerance):
            hint, more = its_hint, its_more
            break
    raise Wrong(f"{what}: {_difference(found, expected)}", hint, more)


def _difference(found, expected):
    if found.shape != expected.shape:
        return f"expected shape {expected.shape}, got {found.shape}"
    if found.size == 1:
        return f"expected {expected.item():.6g}, got {found.item():.6g}"
    worst = np.unravel_index(
        np.nanargmax(np.abs(np.nan_to_num(found - expected, nan=np.inf))), found.shape
    )
    place = ", ".join(map(str, worst))
    return f"at [{place}] expected {expected[worst]:.6g}, got {found[worst]:.6g}"


def near(found, expected, tolerance=1e-6):
    """Whether two answers have one shape and nearly the same numbers."""
    found, expected = np.asarray(found, float), np.asarray(expected, float)
    return found.shape == expected.shape and np.allclose(found, expected, tolerance, tolerance)


def nudged(f, x, h=1e-6):
    """The slopes of the number `f(x)` with respect to every element of `x`, from both sides."""
    x = np.array(x, float)
    slopes = np.zeros(x.shape)
    for index in np.ndindex(x.shape):
        up, down = x.copy(), x.copy()
        up[index] += h
        down[index] -= h
        slopes[index] = (f(up) - f(down)) / (2 * h)
    return slopes


def load_all():
    """Import every chapter's exercises."""
    for path in sorted(Path(__file__).parent.glob("chapter_*.py")):
        importlib.import_module(f"{__name__}.{path.stem}")
    return EXERCISES
