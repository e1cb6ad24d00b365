"""Docstring examples and the docs' ```python fences run as tests (sybil)."""

import doctest

import numpy as np
from sybil import Sybil
from sybil.parsers.markdown import PythonCodeBlockParser
from sybil.parsers.rest import DocTestParser

FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


def _docstring_names(namespace):
    """What an example in a docstring may use beside the names of its own module."""
    namespace["np"] = np


pytest_collect_file = Sybil(
    parsers=[DocTestParser(optionflags=FLAGS)],
    pattern="*.py",
    path="minigrad",
    setup=_docstring_names,
    document_types=None,
).pytest()
