"""Wrong uses: each is refused by an error that says what was expected, what came, and what to do.

The table stands in the folder beside this file. Each of its rows says what is done wrong, by which
call, which exception comes, and words that its message holds. The call gets a `World`, of which
nothing may change: neither weights, gradients and modes of the model, nor the optimizer, nor files.
"""

import shutil
import sys
from pathlib import Path

import pytest

import minigrad as mg
from minigrad import nn

sys.path.insert(0, str(Path(__file__).with_name("wrong_uses")))

from answers import DATA, EVALUATION, METRICS, PICTURES
from networks import FORWARD, GRADIENTS, LAYERS, LOSSES, OPERATIONS
from trainings import CALLBACKS, FILES, OPTIMIZERS, SCHEDULES, TRAINING
from world import World

TABLE = [
    *(LAYERS + FORWARD + OPERATIONS + LOSSES + GRADIENTS),
    *(OPTIMIZERS + SCHEDULES + TRAINING + CALLBACKS + FILES),
    *(EVALUATION + DATA + METRICS + PICTURES),
]


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """A folder with files that are read, and some that cannot be."""
    folder = tmp_path_factory.mktemp("files")
    world = World(folder)
    world.fit(checkpoint=folder / "run.npz")
    mg.save(folder / "weights.npz", world.model)
    mg.save(folder / "other.npz", nn.Dense(5, 5))
    (folder / "damaged.npz").write_bytes(b"PK, but no archive")
    (folder / "file").write_text("text")
    (folder / "table.csv").write_text("a,b\n1,2\n")
    return folder


@pytest.fixture
def world(files, tmp_path, monkeypatch):
    folder = tmp_path / "files"
    shutil.copytree(files, folder)
    monkeypatch.chdir(folder)
    monkeypatch.delenv("MINIGRAD_DATA_DIR", raising=False)
    monkeypatch.setattr(mg.data.mnist, "_cache", lambda: tmp_path / "cache")
    return World(folder)


@pytest.mark.parametrize(("call", "error", "words"), TABLE)
def test_a_wrong_use_is_refused_by_name_and_changes_nothing(call, error, words, world):
    before = world.state()
    with pytest.raises(error) as raised:
        call(world)
    message = "\n".join([str(raised.value), *getattr(raised.value, "__notes__", [])])
    assert [part for part in words if part not in message] == [], message
    assert world.state() == before
