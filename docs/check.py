"""Exercises that answer. Run it from anywhere; what you write is kept in the folder `work`.

    python docs/check.py               the exercises and your ticks so far
    python docs/check.py 4b            writes work/4b.py for you, then checks what you made of it
    python docs/check.py my_engine.py  judges the engine that chapters 2 and 4 build
    python docs/check.py zoo 4         what patient 4 of the clinic complains of, and what to do:
    python docs/check.py zoo 4 --name "softmax twice"    names its disease
    python docs/check.py zoo 4 --mend lr=0.01            changes one setting and trains it again
    python docs/check.py --grade FOLDER > grades.csv               for teachers

In a notebook: `from check import check`, then `check("4b", matmul_slopes)`.
"""

import argparse
import csv
import importlib.util
import itertools
import json
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import exercises
from exercises.engine import judge_engine

EXERCISES = exercises.load_all()
WORK = Path("work")
LIMIT = 60  # seconds that one submission may take when graded


# ---- ticks ---------------------------------------------------------------------------------------


def progress_file():
    return WORK / "progress.json"


def progress():
    """What is known of each exercise: {"4b": {"passed": False, "hint": "transposed; ..."}}."""
    try:
        return json.loads(progress_file().read_text("utf-8"))
    except (FileNotFoundError, ValueError):
        return {}


def keep(id, passed, hint=""):
    """Enter a run into the file of ticks; returns whether the run before got the same hint."""
    known = progress()
    entry = known.setdefault(id, {"passed": False, "hint": ""})
    again = hint != "" and entry["hint"] == hint
    entry["passed"] |= passed
    entry["hint"] = hint
    WORK.mkdir(exist_ok=True)
    beside = progress_file().with_suffix(".part")
    beside.write_text(json.dumps(known, indent=1), "utf-8")
    beside.replace(progress_file())
    return again


def overview():
    """The exercises, a line for each chapter, with their ticks."""
    known = progress()
    chapters = {}
    for id in sorted(EXERCISES, key=place):
        tick = "x" if known.get(id, {}).get("passed") else " "
        chapters.setdefault(place(id)[0], []).append(f"[{tick}] {id} {EXERCISES[id].name}")
    lines = [f"chapter {chapter:2}   " + "   ".join(parts) for chapter, parts in chapters.items()]
    done = sum(known.get(id, {}).get("passed", False) for id in EXERCISES)
    return "\n".join([*lines, visits(), f"{done} of {len(EXERCISES)} done"])


def place(id):
    """(4, "b") of "4b", by which exercises are sorted."""
    return int(id[:-1]), id[-1]


# ---- one exercise --------------------------------------------------------------------------------


def check(id, answer, seed=0):
    """Check a function of yours, as in a notebook: prints what was found; True if all is right."""
    if id not in EXERCISES:
        raise ValueError(f"there is no exercise {id!r}: {', '.join(sorted(EXERCISES, key=place))}")
    report = exercises.judge(EXERCISES[id], answer, seed)
    again = keep(id, report.wrong is None, report.wrong.hint if report.wrong else "")
    print("\n".join(report.lines(second=again)))
    return report.wrong is None


def load(path):
    """The module in a file, whatever its name."""
    spec = importlib.util.spec_from_file_location(f"answer_{path.stem}", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def answer_in(path, id):
    """The function that a file of the exercise holds."""
    module = load(path)
    name = EXERCISES[id].answer
    if not hasattr(module, name):
        raise AttributeError(f"{path} has no function {name}, which exercise {id} asks for")
    return getattr(module, name)


def check_file(id, seed, path=None):
    """Write the stub, or check what it has become."""
    path = path or WORK / f"{id}.py"
    sys.path.insert(0, str(Path.cwd()))  # so that `import my_engine` finds the reader's own
    if not path.exists():
        WORK.mkdir(exist_ok=True)
        path.write_text(EXERCISES[id].stub, "utf-8")
        print(f"wrote {path}: open it, read the task, and run this again when you have an answer")
        return False
    try:
        with exercises.at_most(exercises.PATIENCE):
            answer = answer_in(path, id)
    except (Exception, SystemExit) as error:
        keep(id, False)
        print(f"{id} {EXERCISES[id].name}   {path} does not run\n  {type(error).__name__}: {error}")
        return False
    return check(id, answer, seed)


# ---- an engine -----------------------------------------------------------------------------------


def check_engine(path):
    """Print the errors and the limits of an engine; True if it has no errors."""
    if not path.is_file():
        print(f"there is no file {path} in {Path.cwd()}: chapter 2 says what to write into it")
        return False
    errors, limits = judge_engine(path)
    print(f"{path}   {len(errors) or 'no'} error{'s' * (len(errors) != 1)}")
    print_findings(errors)
    if not errors:
        print(f"{len(limits) or 'no'} limit{'s' * (len(limits) != 1)}")
        print_findings(limits)
    return not errors


def print_findings(findings):
    """Print "what; hint", a hint once below all that share it."""
    for hint, group in itertools.groupby(findings, lambda text: text.partition("; ")[2]):
        for text in group:
            print(f"  {text.partition('; ')[0]}")
        if hint:
            print(f"    hint: {hint}")


# ---- the clinic of chapter 10 --------------------------------------------------------------------


def zoo(number, name, mend):
    """Show a patient, or judge a guess at its disease or a mend, with a tick for what is right."""
    from exercises import clinic

    lines, right = clinic.visit(number, name, mend)
    if right is not None:
        keep(f"zoo {number} {'named' if mend is None else 'mended'}", right)
    print("\n".join(lines))
    return right is not False


def visits():
    """The clinic's line of the overview."""
    passed = {id for id, entry in progress().items() if entry["passed"]}
    counts = [
        sum(f"zoo {number} {what}" in passed for number in range(1, 11))
        for what in ("named", "mended")
    ]
    return "clinic       {} of 10 named, {} of 10 mended".format(*counts)


# ---- a class of students -------------------------------------------------------------------------


def grade(folder, seed):
    """A line of CSV for each file STUDENT/4b.py under `folder`: passed or not, hint, seconds.

    Each submission runs in a process of its own for at most LIMIT seconds. That is no sandbox: run
    it where a student's code may do no harm.
    """
    table = csv.writer(sys.stdout, lineterminator="\n")
    table.writerow(["student", "exercise", "passed", "hint", "seconds"])
    for path in sorted(Path(folder).glob("*/*.py"), key=lambda path: (path.parent.name, path.name)):
        if path.stem in EXERCISES:
            table.writerow([path.parent.name, path.stem, *_graded(path, seed)])
            sys.stdout.flush()


def _graded(path, seed):
    """(passed, hint, seconds) of one submission."""
    command = [sys.executable, __file__, "--one", str(path), "--seed", str(seed)]
    start = time.perf_counter()
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=LIMIT, stdin=subprocess.DEVNULL
        )
    except subprocess.TimeoutExpired:
        return False, f"took more than {LIMIT} s", f"{LIMIT:.1f}"
    seconds = f"{time.perf_counter() - start:.1f}"
    try:
        result = json.loads(done.stdout.splitlines()[-1])
    except (IndexError, ValueError):
        return False, f"ended with code {done.returncode}", seconds
    return result["passed"], result["hint"], seconds


def one(path, seed):
    """What `_graded` reads: the result of one submission, in the last line of the output."""
    path = Path(path)
    sys.path.insert(0, str(path.parent))  # so that `import my_engine` finds the student's own
    try:
        answer = answer_in(path, path.stem)
    except BaseException as error:
        result = {"passed": False, "hint": f"{type(error).__name__}: {error}"}
    else:
        report = exercises.judge(EXERCISES[path.stem], answer, seed)
        hint = "" if report.wrong is None else f"{report.wrong.what}; {report.wrong.hint}"
        result = {"passed": report.wrong is None, "hint": hint}
    print(json.dumps(result))
    return result["passed"]


# ---- the command line ----------------------------------------------------------------------------


def main(arguments=None):
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("what", nargs="*", help="an exercise, my_engine.py, or zoo and a number")
    parser.add_argument("--name", help="the disease of the patient")
    parser.add_argument("--mend", nargs="+", metavar="SETTING=VALUE", help="what cures the patient")
    parser.add_argument("--seed", type=int, default=0, help="of the numbers that are drawn")
    parser.add_argument("--grade", metavar="FOLDER", help="check FOLDER/STUDENT/4b.py, write CSV")
    parser.add_argument("--one", help=argparse.SUPPRESS)
    given = parser.parse_args(arguments)
    if given.one:
        return one(given.one, given.seed)
    if given.grade:
        if not Path(given.grade).is_dir():
            parser.error(
                f"--grade expects a folder with one folder for each student, got {given.grade}"
            )
        return grade(given.grade, given.seed) is None
    if not given.what:
        print(overview())
        return True
    first, *rest = given.what
    if first.lower() in EXERCISES and not rest:
        return check_file(first.lower(), given.seed)
    if first.endswith(".py") and not rest:
        path = Path(first)
        if path.stem in EXERCISES and not path.is_file():
            parser.error(f"there is no file {path}: python docs/check.py {path.stem} writes one")
        if path.stem in EXERCISES:
            return check_file(path.stem, given.seed, path)
        return check_engine(path)
    if first == "zoo":
        if len(rest) != 1 or rest[0] not in map(str, range(12)):
            parser.error("zoo expects a number: 0 is healthy, 1 to 10 are sick, 11 in reserve")
        return zoo(int(rest[0]), given.name, given.mend)
    parser.error(
        f"there is nothing called {' '.join(given.what)!r}: "
        f"the exercises are {', '.join(sorted(EXERCISES, key=place))}"
    )


if __name__ == "__main__":
    sys.exit(0 if main() else 1)
