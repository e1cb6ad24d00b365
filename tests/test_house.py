"""The budgets of CONTRIBUTING.md: a library that is read in an evening has to stay that small."""

import ast
import statistics
import subprocess
import sys
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "minigrad"
EVENING = (
    "autograd.py", "ops/elementwise.py", "ops/linalg.py", "ops/convolution.py", "ops/loss.py",
    "nn/module.py", "nn/layers.py", "optim/",
)  # fmt: skip
CORE = "autograd.py", "ops/", "nn/", "optim/"

# Rooms from the ground up: a module imports from its own room and from those below.
STOREYS = (
    {"autograd", "files", "system"},
    {"random"},
    {"ops"},
    {"state"},
    {"nn", "data", "metrics", "transforms", "graph", "debug", "parallel"},
    {"optim", "gradcheck", "checkpoint", "plot", "evaluation", "onnx"},
    {"callbacks", "checks", "run", "progress", "shards", "ranks"},
    {"training"},
    {"lr_range"},
)
LONG_EXAMPLES = ("benchmark.py",)
FILES = {path.relative_to(PACKAGE).as_posix(): path for path in sorted(PACKAGE.rglob("*.py"))}
TREES = {name: ast.parse(path.read_text("utf-8")) for name, path in FILES.items()}


def is_docstring(node):
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant | ast.JoinedStr)


def size(node):
    """How much there is to understand: the statements and expressions of Python's syntax tree.

    However they are laid out in lines. A docstring counts nothing, a `raise` counts one, so that an
    error may say what it has to say.
    """
    if isinstance(node, ast.Raise):
        return 1
    if is_docstring(node):
        return 0
    own = isinstance(node, ast.stmt | ast.expr | ast.arg | ast.keyword)
    return own + sum(map(size, ast.iter_child_nodes(node)))


def code_lines(tree, text):
    """How many lines are no docstring, no comment, and not blank."""
    prose = set()
    for node in filter(is_docstring, ast.walk(tree)):
        prose |= {*range(node.lineno, node.end_lineno + 1)}
    lines = [line.strip() for n, line in enumerate(text.splitlines(), 1) if n not in prose]
    return sum(bool(line) and not line.startswith("#") for line in lines)


def functions():
    """(lines without the docstring, where) of every function."""
    found = []
    for name, tree in TREES.items():
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef):
                lines = node.end_lineno - node.lineno + 1
                if is_docstring(node.body[0]):
                    lines -= node.body[0].end_lineno - node.body[0].lineno + 1
                found.append((lines, f"{name}: {node.name}"))
    return found


def module(name):
    """The dotted name of a file, without minigrad: "ops.linalg", and "ops" for its __init__."""
    return name.removesuffix(".py").removesuffix("__init__").rstrip("/").replace("/", ".")


def imports(name):
    """The modules of minigrad that a file imports while it loads, as `module` names them."""
    inside = {id(n) for f in ast.walk(TREES[name]) if isinstance(f, ast.FunctionDef)
              for n in ast.walk(f)}  # fmt: skip
    package = ["minigrad", *name.split("/")[:-1]]
    known = {f"minigrad.{module(other)}".rstrip("."): module(other) for other in FILES}
    found = set()
    for node in ast.walk(TREES[name]):
        if isinstance(node, ast.ImportFrom) and id(node) not in inside:
            above = package[: len(package) - node.level + 1] if node.level else []
            base = ".".join([*above, *filter(None, [node.module])])
            names = {f"{base}.{alias.name}" for alias in node.names}
            found |= {name if name in known else base for name in names}
        elif isinstance(node, ast.Import) and id(node) not in inside:
            found |= {alias.name for alias in node.names}
    return {known[text] for text in found if known.get(text)} - {module(name)}


def storey(name):
    room = module(name).split(".")[0]
    floors = [i for i, rooms in enumerate(STOREYS) if room in rooms]
    assert floors, f"minigrad/{name} stands in no storey of this test: give it one"
    return floors[0]


@pytest.mark.parametrize(
    ("what", "rooms", "most"),
    [
        ("the engine", ("autograd.py",), 1250),
        ("the evening", EVENING, 8500),
        ("the core", CORE, 22_000),
        ("the package", ("",), 45_800),
    ],
)
def test_sizes_stay_within_their_budget(what, rooms, most):
    sizes = {name: size(TREES[name]) for name in FILES if name.startswith(rooms)}
    assert sum(sizes.values()) <= most, f"{what} has the size {sum(sizes.values())}: {sizes}"


def test_size_counts_what_is_said_and_not_how_it_is_laid_out():
    one_line = size(ast.parse("a, b = f(x, k=1), 2"))
    assert one_line == size(
        ast.parse("a, b = (\n    f(\n        x,\n        k=1,\n    ),\n    2,\n)")
    )
    assert one_line == 11  # the statement, 2 tuples, a, b, f(), f, x, k=, 1, 2
    assert size(ast.parse('"""What it does."""\na = 1')) == size(ast.parse("a = 1")) == 3
    assert size(ast.parse('raise ValueError(f"{x} is {y:.3f}" + hint(x, y))')) == 1


def test_the_engine_has_at_most_320_lines_and_no_file_has_more_than_400():
    counts = {name: len(path.read_text("utf-8").splitlines()) for name, path in FILES.items()}
    assert counts["autograd.py"] <= 320
    assert {name: n for name, n in counts.items() if n > 400} == {}


def test_no_function_has_more_than_50_lines_and_the_median_has_at_most_6():
    sizes = functions()
    assert [where for lines, where in sizes if lines > 50] == []
    assert statistics.median(lines for lines, _ in sizes) <= 6


def test_no_line_is_longer_than_100_characters():
    examples = {path.name: path for path in (ROOT / "examples").glob("*.py")}
    wide = [
        f"{name}:{number}"
        for name, path in (FILES | examples).items()
        for number, text in enumerate(path.read_text("utf-8").splitlines(), 1)
        if len(text) > 100
    ]
    assert wide == []


def test_examples_have_at_most_150_lines_of_code():
    scripts = [p for p in (ROOT / "examples").glob("*.py") if p.name not in LONG_EXAMPLES]
    texts = {path.name: path.read_text("utf-8") for path in scripts}
    counts = {name: code_lines(ast.parse(text), text) for name, text in texts.items()}
    assert {name: n for name, n in counts.items() if n > 150} == {}
    assert counts["train_mnist_mpi.py"] <= 120


def test_imports_run_downward_only():
    upward = [
        f"minigrad/{name} imports {other}"
        for name in FILES
        if module(name)
        for other in imports(name)
        if storey(other.replace(".", "/") + ".py") > storey(name)
    ]
    assert upward == []


def test_no_modules_import_each_other_in_a_circle():
    graph = {module(name): imports(name) for name in FILES if module(name)}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(" imports ".join(reversed(error.args[1])))


def test_importing_minigrad_loads_no_package_but_numpy():
    code = (
        "import sys, numpy; before = set(sys.modules); import minigrad;"
        "new = {name.split('.')[0] for name in set(sys.modules) - before};"
        "print(*(new - set(sys.stdlib_module_names) - {'minigrad', 'numpy'}))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


def test_every_public_function_and_class_has_a_docstring():
    bare = [
        f"minigrad/{name}:{node.lineno} {node.name}"
        for name, tree in TREES.items()
        for node in tree.body
        if isinstance(node, ast.FunctionDef | ast.ClassDef)
        if not node.name.startswith("_") and not ast.get_docstring(node)
    ]
    assert bare == []


def test_the_evening_counts_its_files():
    evening = [name if name.endswith(".py") else f"{name}optimizers.py" for name in EVENING]
    for number, name in enumerate(evening, 1):
        assert ast.get_docstring(TREES[name]).startswith(f"Read {number} of 8"), name
