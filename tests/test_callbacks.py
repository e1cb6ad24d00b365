"""Callbacks: early stopping, the best and the last weights, their average."""

from types import SimpleNamespace

import numpy as np
import pytest

import minigrad as mg
from minigrad import nn, optim


class Script(mg.Callback):
    """Writes a history of its own, and weights that name their epoch."""

    def __init__(self, **history):
        self.script = history

    def on_epoch_end(self, run):
        for key, values in self.script.items():
            run.history[key] = values[: run.epoch]
        run.model.bias.data[...] = run.epoch


def train(*callbacks, epochs=6, lr=0.0, n=8, **options):
    model = nn.Dense(2, 2)
    x, y = np.ones((n, 2), np.float32), np.zeros(n, int)
    history = mg.fit(model, (x, y), (x, y), optimizer=optim.SGD(model.parameters(), lr=lr), epochs=epochs,
                     batch_size=4, callbacks=callbacks, progress=False, **options)  # fmt: skip
    return model, history


class Tied(nn.Module):
    """Two names of one weight."""

    def __init__(self):
        self.inner = nn.Dense(2, 2, bias=False)
        self.outer = nn.Dense(2, 2, bias=False)
        self.outer.weight = self.inner.weight

    def forward(self, x):
        return self.outer(self.inner(x))


@pytest.mark.parametrize("names", [["inner.weight"], ["inner.weight", "outer.weight"]])
def test_the_average_of_a_shared_weight_goes_on_from_one_name_or_both(names, tmp_path):
    """A checkpoint of version 0.1 holds the first name alone."""
    model = Tied()
    expected = 0.9 * np.ones((2, 2)) + 0.1 * model.inner.weight.data
    average = mg.AverageWeights(0.9)
    x, y = np.ones((4, 2), np.float32), np.zeros(4, int)
    optimizer = optim.SGD(model.parameters(), lr=0.0)
    options = {"callbacks": [average], "progress": False, "checkpoint": tmp_path / "run.npz"}
    mg.fit(model, (x, y), optimizer=optimizer, epochs=1, **options)
    with np.load(tmp_path / "run.npz") as file:
        kept = {name: file[name] for name in file if not name.startswith("callback0.")}
    kept |= {f"callback0.{name}": np.ones((2, 2)) for name in names}
    np.savez(tmp_path / "run.npz", **kept, **{"callback0.updates": np.array(1000)})
    mg.fit(model, (x, y), optimizer=optimizer, epochs=2, resume=True, **options)
    assert np.allclose(model.inner.weight.data, expected)  # training ends with the average
    assert model.outer.weight is model.inner.weight


def test_early_stopping_waits_and_goes_back_to_the_best():
    script = Script(val_loss=[5.0, 3.0, 4.0, 3.5, 3.0, 1.0])
    model, history = train(script, mg.EarlyStopping(patience=3))
    assert len(history["loss"]) == 5
    assert (model.bias.data == 2).all()


def test_early_stopping_knows_that_accuracy_is_to_rise():
    script = Script(val_accuracy=[0.5, 0.9, 0.8, 0.7, 0.6, 0.5])
    model, history = train(script, mg.EarlyStopping(2, monitor="val_accuracy"))
    assert len(history["loss"]) == 4
    assert (model.bias.data == 2).all()


def test_a_number_that_is_not_there_is_named():
    with pytest.raises(ValueError, match=r"monitor='val_f1'.*has loss, accuracy, val_loss"):
        train(mg.EarlyStopping(monitor="val_f1"))


def test_save_best_writes_the_best_alone(tmp_path):
    path = tmp_path / "best.npz"
    train(Script(val_loss=[5.0, np.nan, 2.0, 4.0, 3.5, 3.0]), mg.SaveBest(path))
    model = nn.Dense(2, 2)
    mg.load(path, model)
    assert (model.bias.data == 3).all()


def test_keep_last_keeps_the_last(tmp_path):
    train(Script(), mg.KeepLast(tmp_path / "all", k=2))
    assert sorted(p.name for p in (tmp_path / "all").iterdir()) == [
        "epoch-0005.npz",
        "epoch-0006.npz",
    ]
    with pytest.raises(ValueError, match="k expects an integer of 1 or more"):
        mg.KeepLast(tmp_path, k=0)


def test_average_weights_are_the_formulas_and_used_for_validation_and_in_the_end():
    raw, seen = [], []

    class Watch(mg.Callback):
        def on_train_begin(self, run):
            raw.append(run.model.weight.data.astype(np.float64))

        def on_batch_end(self, run):
            raw.append(run.model.weight.data.astype(np.float64))

        def on_epoch_end(self, run):
            seen.append(run.model.weight.data.copy())

    model, _ = train(Watch(), mg.AverageWeights(0.5), epochs=3, lr=0.5)
    average, truth = raw[0], []
    for n, weights in enumerate(raw[1:], 1):
        decay = min(0.5, (1 + n) / (10 + n))
        average = decay * average + (1 - decay) * weights
        truth += [average] if n % 2 == 0 else []
    assert np.allclose(seen, truth, rtol=1e-5)
    assert np.allclose(model.weight.data, truth[-1], rtol=1e-5)
    assert not np.allclose(raw[-1], truth[-1])
    with pytest.raises(ValueError, match="decay"):
        mg.AverageWeights(1.0)


def test_clip_norm_limits_the_update():
    for workers in (1, 2):
        start = nn.Dense(2, 2)
        before = np.concatenate([p.data.ravel() for p in start.parameters()])
        optimizer = optim.SGD(start.parameters(), lr=1.0)
        with mg.TrainStep(start, mg.cross_entropy, optimizer, workers, clip_norm=0.01) as step:
            step(100 * np.ones((4, 2), np.float32), np.array([0, 1, 1, 1]))
        after = np.concatenate([p.data.ravel() for p in start.parameters()])
        assert np.linalg.norm(after - before) == pytest.approx(0.01, rel=1e-3)


@pytest.mark.parametrize("workers", [1, 3])
def test_accumulated_batches_are_one_large_batch(workers):
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(24, 2)).astype(np.float32), rng.integers(0, 2, 24)
    results = []
    for accumulate in (1, 4):
        model = nn.Dense(2, 2, rng=np.random.default_rng(1))
        optimizer = optim.Adam(model.parameters(), lr=0.1)
        with mg.TrainStep(
            model, mg.cross_entropy, optimizer, workers, accumulate=accumulate
        ) as step:
            for part in np.split(np.arange(24), accumulate):
                step(x[part], y[part])
        assert optimizer.steps == [1, 1]
        results.append(model.weight.data)
    assert np.allclose(*results, atol=1e-5)


def test_gradients_that_wait_at_the_end_of_an_epoch_are_used():
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(12, 2)).astype(np.float32), rng.integers(0, 2, 12)
    results = []
    for batch_size, accumulate in ((12, 1), (4, 8)):
        model = nn.Dense(2, 2, rng=np.random.default_rng(1))
        optimizer = optim.SGD(model.parameters(), lr=0.1)
        mg.fit(model, (x, y), optimizer=optimizer, epochs=2, batch_size=batch_size,
               accumulate=accumulate, progress=False)  # fmt: skip
        results.append(model.weight.data)
    assert np.allclose(*results, atol=1e-6)


# ---- callbacks that serve two runs, and errors beside them ---------------------------------------


def test_average_weights_of_a_second_run_know_nothing_of_the_first():
    x, y = np.ones((8, 2), np.float32), np.arange(8) % 2
    used = mg.AverageWeights(0.9)
    train(used, lr=0.1)
    models = []
    for callback in (used, mg.AverageWeights(0.9)):
        model = nn.Dense(2, 2, rng=np.random.default_rng(0))
        optimizer = optim.SGD(model.parameters(), lr=0.5)
        mg.fit(model, (x, y), optimizer=optimizer, epochs=3, callbacks=[callback], progress=False)
        models.append(model)
    np.testing.assert_array_equal(models[0].weight.data, models[1].weight.data)


def test_early_stopping_of_a_second_run_knows_nothing_of_the_first():
    stopping = mg.EarlyStopping(patience=2)
    first, _ = train(Script(val_loss=[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]), stopping)
    assert first.bias.data.tolist() == [1, 1]
    second, history = train(Script(val_loss=[9.0, 8.0, 7.0, 6.0, 5.0, 4.0]), stopping)
    assert stopping.best_epoch == 6
    assert len(history["val_loss"]) == 6
    assert second.bias.data.tolist() == [6, 6]


def test_early_stopping_of_a_run_without_an_epoch_leaves_its_model_alone():
    stopping = mg.EarlyStopping()
    train(Script(val_loss=[1.0]), stopping, epochs=1)
    model, _ = train(stopping, epochs=0)
    assert model.bias.data.tolist() != [1, 1]


def test_keep_last_does_not_remove_what_it_wrote_beside_files_of_an_earlier_run(tmp_path):
    train(mg.KeepLast(tmp_path, k=2), epochs=6)
    train(mg.KeepLast(tmp_path, k=2), epochs=3)
    assert [p.name for p in sorted(tmp_path.iterdir())] == [
        f"epoch-000{n}.npz" for n in (2, 3, 5, 6)
    ]


def test_keep_last_removes_files_beyond_epoch_9999(tmp_path):
    model = nn.Dense(2, 2)
    keep = mg.KeepLast(tmp_path, k=2)
    for epoch in range(9998, 10_003):
        keep.on_epoch_end(SimpleNamespace(epoch=epoch, model=model))
    assert {p.name for p in tmp_path.iterdir()} == {"epoch-10001.npz", "epoch-10002.npz"}


@pytest.mark.parametrize("place", ["on_epoch_end", "on_evaluation_begin", "on_evaluation_end"])
@pytest.mark.parametrize("first", [False, True])
def test_an_error_beside_average_weights_leaves_the_trained_weights(place, first):
    class Fails(mg.Callback):
        pass

    def fail(self, run):
        raise RuntimeError("a disk is full")

    setattr(Fails, place, fail)
    seen = []

    class See(mg.Callback):
        def on_batch_end(self, run):
            seen.append(run.model.state_dict())

    model = nn.Dense(2, 2)
    x, y = np.ones((8, 2), np.float32), np.zeros(8, int)
    callbacks = [mg.AverageWeights(), See(), Fails()]
    if first:
        callbacks.reverse()
    with pytest.raises(RuntimeError, match="disk"):
        mg.fit(model, (x, y), optimizer=optim.SGD(model.parameters(), lr=0.5), epochs=2,
               batch_size=4, callbacks=callbacks, progress=False)  # fmt: skip
    for name, array in seen[-1].items():
        np.testing.assert_array_equal(model.state_dict()[name], array)


def test_of_two_averages_each_gets_its_own_weights_back():
    seen = []

    class See(mg.Callback):
        def on_epoch_begin(self, run):
            seen.append(run.model.weight.data.copy())

    averages = [mg.AverageWeights(0.5), mg.AverageWeights(0.9)]
    for callbacks in ([See()], [See(), *averages]):
        model = nn.Dense(2, 2, rng=np.random.default_rng(0))
        x, y = np.ones((8, 2), np.float32), np.zeros(8, int)
        mg.fit(model, (x, y), optimizer=optim.SGD(model.parameters(), lr=0.5), epochs=3,
               batch_size=4, callbacks=callbacks, progress=False)  # fmt: skip
    np.testing.assert_array_equal(seen[:3], seen[3:])


def test_weights_called_updates_are_refused_by_the_average_that_counts_under_this_name():
    class Counting(nn.Module):
        def __init__(self):
            self.updates = nn.Parameter(np.ones(2))

        def forward(self, x):
            return x * self.updates

    model = Counting()
    x = np.ones((4, 2), np.float32)
    words = "keeps its count under the name updates .* the model has weights of that name"
    with pytest.raises(ValueError, match=words):
        mg.fit(
            model,
            (x, x),
            loss=mg.mse_loss,
            optimizer=optim.SGD(model.parameters(), lr=0.1),
            epochs=1,
            callbacks=[mg.AverageWeights()],
            progress=False,
        )
    assert model.updates.data.tolist() == [1, 1]
