"""The examples of docstrings and the ```python fences of the docs run as tests (sybil)."""

import doctest
import os

os.environ.setdefault("MPLBACKEND", "agg")  # no window is opened
# Tests are many small matrix products, in which BLAS threads wait for each other. Before NumPy.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

try:
    from sybil import Sybil
    from sybil.document import PythonDocStringDocument
    from sybil.parsers.markdown import PythonCodeBlockParser
    from sybil.parsers.rest import DocTestParser
except ImportError:  # pytest runs without sybil; the docs are then not tested
    print("sybil is not installed: docstrings and docs are not tested (pip install sybil).")
else:
    docstrings = Sybil(
        parsers=[DocTestParser(optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE)],
        path="minigrad",
        pattern="*.py",
        document_types={".py": PythonDocStringDocument},
    )
    pages = Sybil(parsers=[PythonCodeBlockParser()], patterns=["README.md", "docs/*.md"])
    pytest_collect_file = (docstrings + pages).pytest()
