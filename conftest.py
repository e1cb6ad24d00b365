"""The examples of docstrings and the ```python fences of the docs run as tests (sybil)."""

import doctest
import io
import os
import re
import sys
from contextlib import redirect_stdout
from pathlib import Path
from unittest import SkipTest

import pytest

os.environ.setdefault("MPLBACKEND", "agg")  # no window is opened
# Tests are many small matrix products, in which BLAS threads wait for each other. Before NumPy.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
# No test depends on how busy the machine is: `workers="auto"` would warn, and warnings are errors.
os.getloadavg = lambda: (0.0, 0.0, 0.0)
# The pages import the reader's own files, such as my_engine.py, from where they stand.
sys.path.insert(0, str(Path(__file__).parent / "docs"))


def pytest_configure(config):
    """On a Mac, where NumPy may use Accelerate, two warnings are no news: others are errors.

    Accelerate cannot be limited to one thread; and it leaves flags behind from which NumPy takes
    matrix products of finite numbers for divisions by zero (numpy/numpy#28687).
    """
    if sys.platform == "darwin":
        for message in ("BLAS threads cannot be limited", ".* encountered in (matmul|dot|vdot)"):
            config.addinivalue_line("filterwarnings", f"ignore:{message}:RuntimeWarning")


OPTIONAL = "sklearn", "safetensors"  # what pages import that the extra `tests` does not bring

try:
    from sybil import Sybil
    from sybil.document import PythonDocStringDocument
    from sybil.evaluators.python import PythonEvaluator
    from sybil.parsers.markdown import CodeBlockParser
    from sybil.parsers.rest import DocTestParser
except ImportError:  # pytest runs without sybil; the docs are then not tested
    print("sybil is not installed: docstrings and docs are not tested (pip install sybil).")
else:
    run = PythonEvaluator()

    def run_and_compare(example):
        """Run a fence; where a ```text fence follows, it is what the fence has printed."""
        printed = io.StringIO()
        try:
            with redirect_stdout(printed):
                run(example)
        except ModuleNotFoundError as error:
            if error.name not in OPTIONAL:
                raise
            raise SkipTest(f"{error.name} is not installed: pip install -e '.[docs]'") from None
        following = example.document.text[example.region.end :]
        shown = re.match(r"\s*```text\n(.*?)^```$", following, re.M | re.S)
        if shown and printed.getvalue().rstrip() != shown[1].rstrip():
            raise AssertionError(f"the page shows:\n{shown[1]}\nprinted:\n{printed.getvalue()}")

    docstrings = Sybil(
        parsers=[DocTestParser(optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE)],
        path="minigrad",
        pattern="*.py",
        document_types={".py": PythonDocStringDocument},
    )
    pages = Sybil(
        parsers=[CodeBlockParser("python", run_and_compare)], patterns=["README.md", "docs/*.md"]
    )
    pytest_collect_file = (docstrings + pages).pytest()

    # Files whose examples need a package of another extra than `tests`.
    NEEDED = {"export_model.py": "onnx", "onnx.md": "onnxruntime"}

    def pytest_runtest_setup(item):
        package = NEEDED.get(item.path.name)
        if package:
            pytest.importorskip(package, reason=f"pip install {package} to run {item.path.name}")
