"""A training that is killed and resumed ends with the bits of one that never stopped."""

import os
import signal
import subprocess
import sys
import time
from types import SimpleNamespace

import numpy as np
import pytest

import minigrad as mg
from minigrad import nn, optim
from minigrad.data import DataLoader

PROGRAM = """
import sys
import time
import numpy as np
import minigrad as mg
from minigrad import nn, optim

class Wait(mg.Callback):
    '''Waits before an epoch for the end of the process, so that it cannot be over too early.'''

    def __init__(self, epoch):
        self.epoch = epoch

    def on_epoch_begin(self, run):
        while run.epoch == self.epoch:
            time.sleep(1)

def build(workers=1, epochs=6, checkpoint=None, resume=False, seed=3, wait=None, **options):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(64, 1, 6, 6)).astype(np.float32)
    y = rng.integers(0, 3, 64)
    model = nn.Sequential(
        nn.Conv2D(1, 4, 3, rng=rng), nn.BatchNorm(4), nn.ReLU(), nn.Dropout(0.3), nn.Flatten(),
        nn.Dense(64, 3, rng=rng))
    optimizer = optim.AdamW(model.parameters(), lr=0.01)
    schedule = optim.OneCycleLR(optimizer, 0.02, total_steps=1000)
    average = mg.AverageWeights(0.9)
    loader = mg.data.DataLoader(x, y, 16, transform=lambda x, rng: x + rng.normal(0, 0.1, x.shape))
    history = mg.fit(model, loader, (x, y), optimizer=optimizer, schedule=schedule, epochs=epochs,
        workers=workers, seed=seed, callbacks=[average, Wait(wait)], progress=False, accumulate=3,
        checkpoint=checkpoint, resume=resume, **options)
    return model, history

if __name__ == "__main__":
    model, history = build(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3], resume=True,
        wait=int(sys.argv[5]))
    mg.save(sys.argv[4], model)
"""
namespace: dict = {"__name__": "program"}
exec(PROGRAM, namespace)
build = namespace["build"]


def bits(model):
    return b"".join(value.tobytes() for value in model.state_dict().values())


@pytest.mark.skipif(os.name == "nt", reason="Windows replaces no file that is being looked at")
@pytest.mark.parametrize("workers", [1, 2])
def test_training_killed_at_any_moment_and_resumed_ends_with_the_same_bits(tmp_path, workers):
    epochs = 40
    whole, _ = build(workers, epochs)
    program, checkpoint, end = (tmp_path / name for name in ("p.py", "run.npz", "end.npz"))
    program.write_text(PROGRAM)
    command = [sys.executable, program, str(workers), str(epochs), checkpoint, end]
    rng = np.random.default_rng(workers)
    for wait in (8, 16, 24, 32, epochs):
        process = subprocess.Popen([*command, str(wait)], stderr=subprocess.PIPE)
        last = wait == epochs
        if not last:
            # Kill it a random moment after it has written its first file of this life.
            before = checkpoint.stat().st_mtime_ns if checkpoint.exists() else 0
            while process.poll() is None and (
                not checkpoint.exists() or checkpoint.stat().st_mtime_ns == before
            ):
                time.sleep(0.001)
            time.sleep(rng.uniform(0, 0.05))
            process.kill()
        error = process.communicate()[1]
        assert process.returncode == (0 if last else -signal.SIGKILL), error.decode()
    resumed, _ = build(workers, epochs, checkpoint, resume=True)
    with np.load(end) as file:
        assert all((file[name] == value).all() for name, value in whole.state_dict().items())
    assert bits(resumed) == bits(whole)


def test_a_resumed_training_has_the_whole_history(tmp_path):
    path = tmp_path / "run.npz"
    whole, history = build()
    build(epochs=2, checkpoint=path)
    model, resumed = build(checkpoint=path, resume=True)
    assert resumed == history
    assert len(history["val_accuracy"]) == 6
    assert bits(model) == bits(whole)


def test_a_checkpoint_is_not_overwritten_by_mistake(tmp_path):
    path = tmp_path / "run.npz"
    build(epochs=1, checkpoint=path)
    before = path.read_bytes()
    with pytest.raises(FileExistsError, match="resume=True"):
        build(epochs=1, checkpoint=path)
    assert path.read_bytes() == before


def small(path, resume=True, make=optim.Adam, width=3, epochs=2, falls=False, **options):
    """A training whose model shows whether it was touched; with `falls`, it has a schedule."""
    model = nn.Dense(2, width, rng=np.random.default_rng(1))
    x, y = np.ones((8, 2), np.float32), np.zeros(8, int)
    train = options.pop("train", (x, y))
    before = bits(model)
    optimizer = make(model.parameters(), lr=0.1)
    schedule = optim.ExponentialLR(optimizer, 0.5) if falls else None
    try:
        mg.fit(model, train, optimizer=optimizer, epochs=epochs, schedule=schedule,
               batch_size=4, checkpoint=path, resume=resume, progress=False, **options)  # fmt: skip
    except ValueError:
        assert bits(model) == before
        raise


HELD = {"validation": (np.ones((2, 2), np.float32), np.zeros(2, int))}


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"make": optim.SGD}, "another optimizer"),
        ({"width": 4}, r"weight expects shape \(4, 2\), got \(3, 2\)"),
        ({"workers": 2}, "workers is 1, expected 2"),
        ({"seed": 5}, "seed is 0, expected 5"),
        ({"train": DataLoader(np.ones((8, 2), np.float32), np.zeros(8, int), 2)}, "batch_size"),
        ({"callbacks": [mg.EarlyStopping()]}, "best"),
        (HELD, "it holds no history.val_loss: give fit validation data if the run had some"),
    ],
)
def test_a_checkpoint_of_another_training_is_refused_and_the_model_left_alone(
    tmp_path, options, match
):
    path = tmp_path / "run.npz"
    small(path)
    with pytest.raises(ValueError, match=match):
        small(path, **options)


@pytest.mark.parametrize(
    ("options", "match"),
    [
        (HELD, "it holds history.val_loss: give fit"),
        (
            {"callbacks": [mg.AverageWeights()]},
            "holds the state of callback0, which this run does not have",
        ),
        ({"falls": True}, "holds the state of schedule, which this run does not have"),
    ],
)
def test_a_checkpoint_of_a_training_with_more_is_refused_and_the_model_left_alone(
    tmp_path, options, match
):
    path = tmp_path / "run.npz"
    small(path, **options)
    with pytest.raises(ValueError, match=match):
        small(path)


@pytest.mark.parametrize("spoil", ["cut", "version", "hostile", "missing"])
def test_a_damaged_or_hostile_checkpoint_is_refused_and_the_model_left_alone(tmp_path, spoil):
    path = tmp_path / "run.npz"
    small(path)
    with np.load(path) as file:
        arrays = dict(file)
    if spoil == "cut":
        path.write_bytes(path.read_bytes()[:-100])
    elif spoil == "version":
        np.savez(path, **arrays | {"run.version": 99})
    elif spoil == "hostile":
        np.savez(path, **arrays | {"optimizer.0.exp_avg": np.array([{}], dtype=object)})
    else:
        del arrays["model.bias"]
        np.savez(path, **arrays)
    with pytest.raises(ValueError, match=r"run\.npz"):
        small(path)


class Keeping(mg.Callback):
    """A callback with any state, in a training that must not begin."""

    def __init__(self, state):
        self.state = state

    def on_epoch_begin(self, run):
        raise AssertionError("training began")

    def state_dict(self):
        return self.state


class Table(nn.Dense):
    """A layer with a buffer of objects."""

    buffers = ("table",)

    def __init__(self, *sizes):
        super().__init__(*sizes)
        self.table = np.array([{}], dtype=object)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"seed": None}, "seed expects an integer of 0 or more, got None"),
        ({"state": {"best": None}}, "callback0.best expects numbers or text, got None"),
        ({"state": {"best": [1, [2, 3]]}}, "callback0.best expects numbers or text"),
        ({"state": {"best": np.array([{}])}}, "callback0.best expects numbers or text"),
        ({"state": None}, "callback0 expects a state_dict"),
        ({"state": {1: 2.0, "1": 3.0}}, "callback0 expects a state_dict"),
        ({"layer": Table}, "model.table expects numbers or text"),
    ],
)
def test_what_could_not_be_resumed_is_refused_before_the_first_step(tmp_path, options, words):
    model = options.get("layer", nn.Dense)(2, 3)
    before = model.weight.data.copy()
    x, y = np.ones((8, 2), np.float32), np.zeros(8, int)
    with pytest.raises(TypeError, match=words):
        mg.fit(model, (x, y), optimizer=optim.SGD(model.parameters(), lr=0.1), epochs=1,
               seed=options.get("seed", 0), callbacks=[Keeping(options.get("state", {}))],
               checkpoint=tmp_path / "run.npz", progress=False)  # fmt: skip
    assert (model.weight.data == before).all()
    assert list(tmp_path.iterdir()) == []


def test_training_that_is_refused_leaves_a_learning_rate_that_was_set_by_hand():
    class Refuse(mg.Callback):
        def on_train_begin(self, run):
            raise RuntimeError("not now")

    model = nn.Dense(2, 3)
    optimizer = optim.SGD(model.parameters(), lr=0.1)
    schedule = optim.StepLR(optimizer, 1)
    optimizer.param_groups[0]["lr"] = 0.5
    with pytest.raises(RuntimeError, match="not now"):
        mg.fit(model, (np.ones((8, 2), np.float32), np.zeros(8, int)), optimizer=optimizer,
               schedule=schedule, epochs=1, callbacks=[Refuse()], progress=False)  # fmt: skip
    assert optimizer.param_groups[0]["lr"] == 0.5


def test_an_average_that_was_kept_in_another_dtype_goes_on_in_that_of_the_weights():
    model = nn.Dense(2, 3)
    average = mg.AverageWeights(0.5)
    whole = {name: np.ones(value.shape, int) for name, value in model.state_dict().items()}
    average.load_state_dict({"updates": np.array(3), **whole})
    average.on_train_begin(SimpleNamespace(epoch=1, model=model))
    assert {value.dtype for value in average.average.values()} == {np.dtype(np.float32)}
