"""Thousands of damaged files: each is refused by its name, or harmless, in little memory and time.

`python tests/fuzz.py --count 100000` tries more of them.
"""

import subprocess
import sys
from pathlib import Path

import pytest

FUZZ = Path(__file__).with_name("fuzz.py")


@pytest.mark.parametrize("kind", ["weights", "checkpoint", "idx", "gz", "csv"])
def test_2000_damaged_files_are_refused_by_name_or_harmless(kind):
    command = [sys.executable, FUZZ, kind, "--count", "2000"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    refused = int(done.stdout.split(" refused")[0].split()[-1].replace(",", ""))
    assert 200 < refused < 2000  # some go through: the changes are small enough to reach far


def raises(error):
    def read(path):
        raise error

    return read


def eats_memory(path):
    try:
        raise MemoryError
    except MemoryError as error:
        raise ValueError(f"{path} is damaged") from error


@pytest.mark.parametrize(
    ("read", "word"),
    [
        (raises(KeyError("run.epoch")), "KeyError"),
        (raises(ValueError("bad file")), "does not name the file"),
        (eats_memory, "out of memory"),
    ],
)
def test_the_fuzzer_sees_promises_broken(fuzz, monkeypatch, tmp_path, read, word):
    whole, damage, _, name = fuzz.KINDS["idx"]

    def named(path):
        try:
            return read(path)
        except ValueError as error:
            fuzz.expect_named(error, path)

    monkeypatch.setitem(fuzz.KINDS, "idx", (whole, damage, named, name))
    _, _, broken = fuzz.try_files("idx", 0, 3, tmp_path)
    assert len(broken) == 3
    assert word in broken[0]


def test_the_fuzzer_sees_a_model_that_is_changed_though_the_file_is_refused(
    fuzz, monkeypatch, tmp_path
):
    def load(path, model):
        model[0].weight.data[0] += 1
        raise ValueError(f"{path} is damaged")

    monkeypatch.setattr(fuzz.mg, "load", load)
    _, _, broken = fuzz.try_files("weights", 0, 1, tmp_path)
    assert "refused, but the model is changed" in broken[0]
