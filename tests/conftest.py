"""What several tests need."""

import importlib
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from minigrad import data

EXAMPLES = Path(__file__).parents[1] / "examples"

# No test fails because the machine is busy.
settings.register_profile("busy", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("busy")


@pytest.fixture
def fuzz(monkeypatch):
    """The script fuzz.py, as a module."""
    monkeypatch.syspath_prepend(str(Path(__file__).parent))
    return importlib.import_module("fuzz")


@pytest.fixture
def example(monkeypatch, request):
    """Import an example, with sizes of its own; it finds no MNIST, and no mirror to ask for it.

    A test module says in SYNTHETIC how many digits there are to learn from, and to be tested on.
    """
    monkeypatch.syspath_prepend(str(EXAMPLES))

    def unavailable(root=None, download=True):
        raise data.DataUnavailable("MNIST is incomplete: no network.")

    monkeypatch.setattr(data, "load_mnist", unavailable)
    monkeypatch.setattr(importlib.import_module("digits"), "SYNTHETIC", request.module.SYNTHETIC)

    def load(name, **sizes):
        module = importlib.import_module(name)
        for size, value in sizes.items():
            monkeypatch.setattr(module, size, value)
        return module

    return load
