"""Do the tests notice a mistake? One is made in minigrad/, on purpose, and the tests run; many times.

Run by hand, for hours; pytest does not collect it:

    .venv/bin/python tests/mutants.py --count 300 --jobs 2 --results work/mutants.jsonl

A mutant is minigrad with one thing changed in its text: an operator, an operand left out, a constant,
a sign, a comparison, a condition. Error messages, f-strings, other strings, annotations and what only
type checkers read are left as they are. Each mutant is made in a copy of the tracked files, never in the
tree itself. First the tests nearest to the changed file run, those that bear its name, or the names of
what it defines; then, if these let the mutant live, the whole suite. A mutant is killed by the first
test that fails, and by a run that takes far longer than without it: some make a loop endless.

The tests that compare the text of a rule with its page, and those of budgets, would see any change;
they are left out. The result file has one line of JSON per mutant, written as soon as it is known. A
run that finds mutants in its result file takes these as they are, and goes on with the others. The same
seed draws the same mutants, those of a lower --count first; the first are one of each file.

Survivors
---------
Of 347 mutants, at least one of each file, 293 were killed as the tests were, 25 by tests written for
them since, 8 by tests far from them, and 5 are of code that is no more; 16 live, and why:

- They give the same numbers. `pooling.py`: a window meets pixels of an image before its lower border;
  `adaptive_avg_pool2d` has two ways, one of them faster. `conv_blocks.py`: which of two ways is taken
  where they cost the same; -2 for the length that NumPy is to find, as in `linalg.py` and `winograd.py`.
  `winograd.py`: a row of zeros more, which nobody reads. `elementwise.py`: at the border both formulas
  hold. `reduction.py`: a default of a rule whose shape follows from its other arguments. `module.py`:
  its callers choose by kind themselves.
- They are choices, and another number would do: how large an array `mallopt` keeps (`system.py`), how
  long a mirror may say nothing (`mnist.py`), what counts as a kink (`gradcheck.py`), a color and the
  size of letters in `plot/results.py`.
"""

import argparse
import ast
import collections
import json
import os
import queue
import random
import re
import shlex
import signal
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path

ROOT = Path(__file__).parents[1]
EVERYTHING = "everything"
MEMORY = 6 * 2**20  # KiB for a mutant: a wrong size must not take all of the machine

# Tests of a file or of a folder, beside those that bear its name.
ALSO = {
    "autograd.py": ["tests/test_transforms.py", "tests/test_debug.py"],
    "callbacks.py": ["tests/test_training.py"],
    "checks.py": ["tests/test_training.py", "tests/test_wrong_uses.py"],
    "checkpoint.py": ["tests/test_hostile_files.py", "tests/test_resume.py"],
    "lr_range.py": ["tests/test_training.py", "tests/test_evaluation.py"],
    "parallel.py": ["tests/test_training.py"],
    "progress.py": ["tests/test_callbacks.py", "tests/test_training.py"],
    "run.py": ["tests/test_callbacks.py", "tests/test_resume.py", "tests/test_training.py"],
    "shards.py": ["tests/test_parallel.py", "tests/test_ranks.py", "tests/test_training.py"],
    "state.py": ["tests/nn", "tests/optim", "tests/test_spoiled_checkpoints.py"],
    "training.py": [
        "tests/test_callbacks.py",
        "tests/test_overrides.py",
        "tests/test_parallel.py",
        "tests/test_ranks.py",
    ],
    "data": ["tests/data", "tests/test_hostile_files.py"],
    "nn": ["tests/nn"],
    "onnx": ["tests/test_onnx.py"],
    "ops": ["tests/ops", "tests/nn/test_layers.py"],
    "optim": ["tests/optim"],
    "plot": ["tests/test_plot.py"],
}

# These take every operation by turns: of a file, only the cases that name what it defines.
WALKS = ("test_table.py", "test_sizes.py", "test_properties.py", "test_numpy_protocol.py")

# These see that the text has changed, whatever it does.
BLIND = ("tests/test_house.py", "tests/ops/test_table_page.py", "tests/docs/test_site.py")

ARITHMETIC = {
    ast.Add: ("+", "-"), ast.Sub: ("-", "+"), ast.Mult: ("*", "/"), ast.Div: ("/", "*"),
    ast.FloorDiv: ("//", "*"), ast.Mod: ("%", "*"), ast.Pow: ("**", "*"), ast.MatMult: ("@", "*"),
    ast.BitAnd: ("&", "|"), ast.BitOr: ("|", "&"), ast.BitXor: ("^", "&"),
    ast.LShift: ("<<", ">>"), ast.RShift: (">>", "<<"),
    ast.And: ("and", "or"), ast.Or: ("or", "and"),
}  # fmt: skip

COMPARISONS = {
    ast.Lt: ("<", "<="), ast.LtE: ("<=", "<"), ast.Gt: (">", ">="), ast.GtE: (">=", ">"),
    ast.Eq: ("==", "!="), ast.NotEq: ("!=", "=="), ast.Is: ("is", "is not"),
    ast.IsNot: ("is not", "is"), ast.In: ("in", "not in"), ast.NotIn: ("not in", "in"),
}  # fmt: skip

SIGNS = {ast.USub: "-", ast.Not: "not", ast.Invert: "~"}


# ---- what can be changed -------------------------------------------------------------------------


@dataclass(frozen=True)
class Mutant:
    """One change: in the file `path`, the bytes from `start` to `end` become `after`."""

    path: str
    line: int
    column: int
    kind: str
    start: int
    end: int
    before: str
    after: str
    text: str  # of the line as it was
    twin: int = 0  # counts changes that are alike, in lines that are alike

    @property
    def key(self):
        """What tells it from others, also after lines were added above it."""
        place = f"{self.path}: {self.text}: {self.column}: {self.twin}"
        return f"{place}: {self.kind}: {self.before} -> {self.after}"

    def made_in(self, text):
        """The text of the file, with this change."""
        return text[: self.start] + self.after.encode() + text[self.end :]

    def __str__(self):
        return f"{self.path}:{self.line}: {self.before} -> {self.after}    in: {self.text}"


class Source:
    """The text of a file, and the places of its syntax tree in it."""

    def __init__(self, path):
        self.path = path
        self.bytes = (ROOT / path).read_bytes()
        self.lines = self.bytes.splitlines(keepends=True)
        self.starts = [0]
        for line in self.lines:
            self.starts.append(self.starts[-1] + len(line))

    def span(self, node):
        """Where a node begins and ends: the syntax tree counts in bytes of a line."""
        start = self.starts[node.lineno - 1] + node.col_offset
        end = self.starts[node.end_lineno - 1] + node.end_col_offset
        return start, end

    def mutant(self, kind, start, end, after):
        line = self.bytes.count(b"\n", 0, start) + 1
        before = self.bytes[start:end].decode()
        column = start - self.starts[line - 1]
        text = self.lines[line - 1].decode().strip()
        return Mutant(self.path, line, column, kind, start, end, before, after, text)

    def symbol(self, kind, left, right, before, after):
        """The operator between two nodes changed; comments and parentheses may stand there too."""
        start, end = self.span(left)[1], self.span(right)[0]
        between = re.sub(rb"#[^\n]*", lambda comment: b" " * len(comment[0]), self.bytes[start:end])
        pattern = re.escape(before).replace(r"\ ", r"\s+").encode()
        found = re.search(pattern, between)
        return self.mutant(kind, start + found.start(), start + found.end(), after)


def changes(source, node):
    """The mutants of one node of the syntax tree."""
    span = source.span(node) if hasattr(node, "lineno") else None
    if isinstance(node, ast.BinOp):
        before, after = ARITHMETIC[type(node.op)]
        yield source.symbol("operator", node.left, node.right, before, after)
        left = source.bytes[slice(*source.span(node.left))].decode()
        yield source.mutant("operand", *span, f"({left})")
    elif isinstance(node, ast.AugAssign):
        before, after = (symbol + "=" for symbol in ARITHMETIC[type(node.op)])
        yield source.symbol("operator", node.target, node.value, before, after)
    elif isinstance(node, ast.BoolOp):
        before, after = ARITHMETIC[type(node.op)]
        # One `or` among several binds less tightly than it reads; the change is a change all the same.
        for left, right in zip(node.values, node.values[1:]):
            yield source.symbol("operator", left, right, before, after)
    elif isinstance(node, ast.Compare):
        operands = [node.left, *node.comparators]
        for left, right, operator in zip(operands, operands[1:], node.ops):
            yield source.symbol("comparison", left, right, *COMPARISONS[type(operator)])
    elif isinstance(node, ast.UnaryOp) and type(node.op) in SIGNS:
        yield source.mutant("sign", span[0], span[0] + len(SIGNS[type(node.op)]), "")
    elif isinstance(node, ast.Constant) and isinstance(node.value, bool):
        yield source.mutant("constant", *span, str(not node.value))
    elif isinstance(node, ast.Constant) and isinstance(node.value, int):
        yield source.mutant("constant", *span, str(node.value + 1))
    elif isinstance(node, ast.Constant) and isinstance(node.value, float):
        yield source.mutant("constant", *span, str(2 * node.value or 1.0))
    tests = [getattr(node, "test", None)] if isinstance(node, ast.If | ast.IfExp) else []
    for test in tests + getattr(node, "ifs", []):
        for always in ("True", "False"):
            yield source.mutant("condition", *source.span(test), always)


def is_for_readers(node):
    """What is said to people and to type checkers, and is not computed with."""
    checked = isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
    return checked or isinstance(node, ast.Raise | ast.JoinedStr)


def walk(node):
    """The nodes below `node`, without annotations and without what is for readers."""
    for field, child in ast.iter_fields(node):
        children = child if isinstance(child, list) else [child]
        for inner in children:
            if not isinstance(inner, ast.AST) or field in ("annotation", "returns"):
                continue
            if not is_for_readers(inner):
                yield inner
                yield from walk(inner)


def compiles(text, path):
    try:
        compile(text, path, "exec", dont_inherit=True)
    except SyntaxError:
        return False
    return True


def mutants_of(path):
    source = Source(path)
    found = [m for node in walk(ast.parse(source.bytes)) for m in changes(source, node)]
    seen = collections.Counter()
    mutants = []
    for mutant in found:
        if compiles(mutant.made_in(source.bytes), path):
            mutants.append(replace(mutant, twin=seen[mutant.key]))
            seen[mutant.key] += 1
    return mutants


def draw(mutants, count, seed):
    """`count` of them at random: first one of each file, then any."""
    shuffled = sorted(mutants, key=lambda mutant: (mutant.path, mutant.start, mutant.after))
    random.Random(seed).shuffle(shuffled)
    first = {}
    for mutant in shuffled:
        first.setdefault(mutant.path, mutant)
    ones = list(first.values())
    others = [mutant for mutant in shuffled if mutant is not first[mutant.path]]
    return (ones + others)[:count]


# ---- which tests are near ------------------------------------------------------------------------


def nearest(path):
    """The arguments of pytest that choose the tests nearest to a file of minigrad/."""
    inside = Path(path).relative_to("minigrad")
    room = inside.parts[0]
    named = f"tests/{inside.parent}/test_{inside.stem}.py".replace("/./", "/")
    files = [path, named] if (ROOT / named).exists() else [path]
    for place in ALSO.get(room, ["tests"] if room == "__init__.py" else []):
        tests = sorted((ROOT / place).glob("test_*.py")) or [ROOT / place]
        files += [test.relative_to(ROOT).as_posix() for test in tests]
    files = [file for file in dict.fromkeys(files) if file not in BLIND]
    walks = [file for file in files if file.endswith(WALKS) and file != named]
    if not walks:
        return files
    others = [file for file in files if file not in walks]
    names = [Path(file).name for file in others] + defined(path)
    return [*others, *walks, "-k", " or ".join(names)]


def defined(path):
    """The names of the functions, classes and rows of a file, without their underscore."""
    names = set()
    for node in ast.parse((ROOT / path).read_bytes()).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.Assign):
            targets = [name for target in node.targets for name in ast.walk(target)]
            names |= {target.id for target in targets if isinstance(target, ast.Name)}
    return sorted({name.strip("_") for name in names} - {"", "all"})


# ---- running -------------------------------------------------------------------------------------


class Copy:
    """A copy of the tracked files, in which one mutant at a time is made and tested."""

    def __init__(self, folder):
        self.folder = Path(folder)
        self.process = None
        listed = subprocess.run(
            ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True
        )
        for name in listed.stdout.decode().split("\0"):
            if name and (ROOT / name).exists():  # it may be deleted, and that not yet committed
                to = self.folder / name
                to.parent.mkdir(parents=True, exist_ok=True)
                to.write_bytes((ROOT / name).read_bytes())

    def test(self, arguments, limit=None):
        """(what failed first, or None; seconds) of a run of pytest; ended after `limit` seconds."""
        command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", "--tb=no"]
        command += ["--no-header", "-rfE", "--hypothesis-seed=0", *arguments]
        command += [f"--ignore={path}" for path in BLIND]
        # Bytecode is known by the second and the size: that of a mutant could be taken for another's.
        environment = os.environ | {
            "PYTHONPATH": str(self.folder),
            "PYTHONDONTWRITEBYTECODE": "1",
            "OPENBLAS_NUM_THREADS": "1",
        }
        start = time.monotonic()
        self.process = subprocess.Popen(
            ["bash", "-c", f"ulimit -d {MEMORY}; exec {shlex.join(command)}"],
            cwd=self.folder, env=environment, text=True, errors="replace", stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True,
        )  # fmt: skip
        try:
            output, _ = self.process.communicate(timeout=limit)
        except subprocess.TimeoutExpired:
            return "the time limit", time.monotonic() - start
        finally:
            self.stop()
        return failure(self.process.returncode, output), time.monotonic() - start

    def stop(self):
        """End a run of the tests, with whatever it has started."""
        if self.process:
            with suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()

    def try_mutant(self, mutant, limits, only_nearest):
        """How a mutant ends: killed by the "nearest" tests or by "all"; it "lives", or "lives near"."""
        file = self.folder / mutant.path
        original = file.read_bytes()
        file.write_bytes(mutant.made_in(original))
        try:
            by, seconds = self.test(nearest(mutant.path), limits[mutant.path])
            if by:
                ending = "nearest"
            elif only_nearest:
                ending = "lives near"
            else:
                by, more = self.test([], limits[EVERYTHING])
                ending = "all" if by else "lives"
                seconds += more
        finally:
            file.write_bytes(original)
        return {"end": ending, "by": by, "seconds": round(seconds, 1)}

    def limit(self, path):
        """How long tests may take: far longer than they take without a mutant, where all must pass."""
        by, seconds = self.test([] if path == EVERYTHING else nearest(path))
        if by:
            sys.exit(f"without a mutant, the tests of {path} fail already: {by}")
        print(f"{seconds:7.1f} s  the tests of {path}, without a mutant", flush=True)
        return 60 + 3 * seconds


def failure(code, output):
    """The first test that failed; None if all passed."""
    if code == 0:
        return None
    failed = re.search(r"^(?:FAILED|ERROR) (.*?)(?: - .*)?$", output, re.M)
    return failed[1] if failed else f"pytest ended with {code}: {output.strip()[-200:]}"


def run(mutants, args, known):
    """Try each mutant, and write how it ended to the result file."""
    args.results.parent.mkdir(parents=True, exist_ok=True)
    measured = list(dict.fromkeys(mutant.path for mutant in mutants))
    measured += [] if args.nearest_only else [EVERYTHING]
    with tempfile.TemporaryDirectory(prefix="mutants-") as folder:
        copies = [Copy(Path(folder) / str(number)) for number in range(args.jobs)]
        free = queue.Queue()
        for copy in copies:
            free.put(copy)

        def in_a_copy(method, *arguments):
            copy = free.get()
            try:
                return method(copy, *arguments)
            finally:
                free.put(copy)

        with ThreadPoolExecutor(args.jobs) as pool:
            try:
                times = pool.map(lambda path: in_a_copy(Copy.limit, path), measured)
                limits = dict(zip(measured, times, strict=True))
                tries = {
                    pool.submit(
                        in_a_copy, Copy.try_mutant, mutant, limits, args.nearest_only
                    ): mutant
                    for mutant in mutants
                }
                for done in as_completed(tries):
                    mutant = tries[done]
                    result = asdict(mutant) | {"key": mutant.key} | done.result()
                    known[mutant.key] = result
                    with args.results.open("a", encoding="utf-8") as file:
                        file.write(json.dumps(result) + "\n")
                    print(f"{result['seconds']:7.1f} s  {result['end']:12}{mutant}", flush=True)
            except BaseException:  # also Ctrl-C: what is being tested is of no more use
                pool.shutdown(wait=False, cancel_futures=True)
                for copy in copies:
                    copy.stop()
                raise


# ---- the report ----------------------------------------------------------------------------------


def read_results(path):
    """The last result of each mutant in the result file."""
    if not path.exists():
        return {}
    results = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    return {result["key"]: result for result in results}


ENDS = "nearest", "all", "lives", "lives near"


def report(results):
    """A table of the files, then the mutants that live."""
    print(f"\n{'':36}{'':>6}{'killed by':>13}")
    print(f"{'':36}{'made':>6}", *(f"{end:>12}" for end in ENDS), f"{'seconds':>9}", sep="")
    files = sorted({result["path"] for result in results})
    for file in [*files, "minigrad"]:
        here = [result for result in results if result["path"].startswith(file)]
        counts = [sum(result["end"] == end for result in here) for end in ENDS]
        seconds = sum(result["seconds"] for result in here) / len(here) if here else 0
        print(
            f"{file:36}{len(here):6}",
            *(f"{count:12}" for count in counts),
            f"{seconds:9.1f}",
            sep="",
        )
    print("(seconds: the mean of a mutant)\n")
    for result in sorted(results, key=lambda result: (result["path"], result["line"])):
        if result["end"].startswith("lives"):
            fields = {name: result[name] for name in Mutant.__dataclass_fields__}
            print(Mutant(**fields))


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    option = parser.add_argument
    option("--count", type=int, default=300, help="how many mutants are drawn (default: 300)")
    option("--seed", type=int, default=0, help="which are drawn (default: 0)")
    option("--room", default="", help='only files that begin so: "ops", "ops/pooling.py"')
    option("--jobs", type=int, default=1, help="how many are tested at a time (default: 1)")
    option("--nearest-only", action="store_true", help="run no whole suite")
    option("--results", type=Path, default=ROOT / "work" / "mutants.jsonl", metavar="FILE",
           help="what is known of each; read, and added to (default: work/mutants.jsonl)")  # fmt: skip
    return parser.parse_args()


def main():
    args = arguments()
    paths = sorted(path.relative_to(ROOT).as_posix() for path in (ROOT / "minigrad").rglob("*.py"))
    paths = [path for path in paths if path.startswith(f"minigrad/{args.room}")]
    possible = [mutant for path in paths for mutant in mutants_of(path)]
    drawn = draw(possible, args.count, args.seed)
    print(f"{len(possible):,} possible mutants in {len(paths)} files; {len(drawn)} are drawn")
    known = read_results(args.results)
    final = ENDS if args.nearest_only else ENDS[:3]
    left = [mutant for mutant in drawn if known.get(mutant.key, {}).get("end") not in final]
    print(f"{len(drawn) - len(left)} of them stand in {args.results} already", flush=True)
    if left:
        signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended"))  # what it has started, too
        run(left, args, known)
    report([known[mutant.key] for mutant in drawn])


if __name__ == "__main__":
    main()
