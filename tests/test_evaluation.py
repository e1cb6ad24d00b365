"""evaluate and predict: accuracy is a share of the targets, and every kind of data is taken."""

import functools
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

import minigrad as mg
from minigrad import nn, optim
from minigrad.data import DataLoader


class Answers(nn.Module):
    """Its outputs are its inputs, so that a test can say what the scores are."""

    def __init__(self):
        self.bias = nn.Parameter(np.zeros(1))

    def forward(self, x):
        return x + self.bias


def flat_cross_entropy(scores, y):
    """cross_entropy of scores (N, T, K) and targets (N, T)."""
    return mg.cross_entropy(scores.reshape(-1, scores.shape[-1]), y.reshape(-1))


def spatial_cross_entropy(scores, y):
    """cross_entropy of scores (N, K, T) and targets (N, T), whose classes are axis 1."""
    return flat_cross_entropy(scores.transpose(0, 2, 1), y)


def sequences(n=12, length=20, classes=4, seed=0):
    rng = np.random.default_rng(seed)
    scores = rng.normal(size=(n, length, classes)).astype(np.float32)
    return scores, rng.integers(0, classes, (n, length))


# ---- accuracy ------------------------------------------------------------------------------------


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("batch_size", [5, 100])
def test_the_accuracy_of_sequences_is_the_share_of_the_targets_that_are_hit(workers, batch_size):
    scores, y = sequences()
    truth = (scores.argmax(axis=-1) == y).mean()
    found = mg.evaluate(Answers(), (scores, y), flat_cross_entropy, batch_size, workers)
    assert found["accuracy"] == pytest.approx(truth)
    model = Answers()
    history = mg.fit(model, (scores, y), (scores, y), loss=flat_cross_entropy, epochs=1,
                     optimizer=optim.SGD(model.parameters(), lr=0.0), batch_size=batch_size,
                     workers=workers, progress=False)  # fmt: skip
    assert history["accuracy"] == history["val_accuracy"] == [pytest.approx(truth)]


@pytest.mark.parametrize("shape", [(6, 4, 5), (6, 4, 3, 4), (6, 4, 4)])
def test_the_classes_of_cross_entropy_are_axis_1(shape, monkeypatch):
    # The accuracy alone is looked at, so that any loss of that name will do.
    monkeypatch.setattr(mg.evaluation, "cross_entropy", spatial_cross_entropy)
    rng = np.random.default_rng(1)
    scores = mg.Tensor(rng.normal(size=shape))
    y = rng.integers(0, 4, (shape[0], *shape[2:]))
    truth = (scores.data.argmax(axis=1) == y).sum()
    smooth = functools.partial(spatial_cross_entropy, label_smoothing=0.1)
    for loss in (spatial_cross_entropy, smooth):
        assert mg.evaluation.count_hits(scores, y, loss) == truth
    if len({*shape[1:]}) > 1:  # of another loss the last axis holds the classes
        assert mg.evaluation.count_hits(scores, y, mg.nll_loss) is None


@pytest.mark.parametrize("dtype", [np.float32, np.int64, bool])
def test_binary_cross_entropy_has_the_accuracy_of_scores_above_zero(dtype):
    rng = np.random.default_rng(2)
    scores = rng.normal(size=(30, 3)).astype(np.float32)
    scores[0] = 0  # which is not above 0
    y = rng.random((30, 3)) < 0.5
    truth = ((scores > 0) == y).mean()
    found = mg.evaluate(
        Answers(), (scores, y.astype(dtype)), mg.binary_cross_entropy_with_logits, batch_size=7
    )
    assert found["accuracy"] == pytest.approx(truth)


def test_a_score_that_is_not_a_number_hits_no_target_of_binary_cross_entropy():
    scores = np.array([[np.nan, -1.0], [2.0, np.nan]], np.float32)
    targets = np.array([[0, 0], [1, 1]])
    found = mg.evaluate(Answers(), (scores, targets), mg.binary_cross_entropy_with_logits)
    assert found["accuracy"] == 0.5


def test_binary_cross_entropy_of_shades_of_gray_has_no_accuracy():
    x = np.full((4, 2), 0.3, np.float32)
    assert set(mg.evaluate(Answers(), (x, x), mg.binary_cross_entropy_with_logits)) == {"loss"}


def test_outputs_that_are_a_tuple_are_for_the_loss_and_have_no_accuracy():
    class Two(Answers):
        def forward(self, x):
            return x + self.bias, x * self.bias

    def loss(outputs, y):
        one, two = outputs
        return mg.square(one).mean() + mg.square(two).mean()

    model, x, y = Two(), np.ones((6, 2), np.float32), np.zeros(6, int)
    assert set(mg.evaluate(model, (x, y), loss)) == {"loss"}
    optimizer = optim.SGD(model.parameters(), lr=0.1)
    history = mg.fit(model, (x, y), optimizer=optimizer, epochs=2, loss=loss, progress=False)
    assert set(history) == {"loss"}
    assert history["loss"][1] < history["loss"][0]


# ---- how many at a time --------------------------------------------------------------------------


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("batch_size", [5, 128, 1000])
def test_the_model_gets_at_most_128_examples_whatever_the_batch_size(workers, batch_size):
    seen = []

    class Watched(Answers):
        def forward(self, x):
            seen.append(len(x))
            return super().forward(x)

    rng = np.random.default_rng(0)
    x, y = np.float32(rng.normal(size=(300, 4))), rng.integers(0, 4, 300)
    model = Watched()
    np.testing.assert_array_equal(mg.predict(model, x, batch_size, workers), x)
    assert max(seen) == min(batch_size, 128)
    assert sum(seen) == 300
    seen.clear()
    found = mg.evaluate(model, (x, y), batch_size=batch_size, workers=workers)
    assert max(seen) == min(batch_size, 128)
    assert sum(seen) == 300
    assert found["loss"] == pytest.approx(mg.cross_entropy(x, y).item())
    assert found["accuracy"] == (x.argmax(1) == y).mean()


# ---- kinds of data -------------------------------------------------------------------------------


def test_the_transform_of_a_loader_is_applied():
    x, y = np.arange(10, dtype=np.float32), np.arange(10) % 2
    two_scores = lambda x, rng: np.stack([-x, x - 5], axis=1)
    loader = DataLoader(x, y, 4, transform=two_scores, drop_last=True)
    truth = mg.evaluate(Answers(), (two_scores(x, None), y))
    for workers in (1, 2):
        found = mg.evaluate(Answers(), loader, workers=workers)
        assert found["accuracy"] == truth["accuracy"]  # the last, smaller batch counts too
        assert found["loss"] == pytest.approx(truth["loss"], rel=1e-6)
    assert loader.epoch == 0


def test_fit_takes_a_transform_that_reshapes_and_a_loader_for_validation():
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (40, 4, 4), dtype=np.uint8)
    y = (images.mean(axis=(1, 2)) > 127).astype(int)
    flat = lambda x, rng: x.reshape(len(x), 16).astype(np.float32) / 255
    loader = DataLoader(images, y, 8, transform=flat)
    held_back = DataLoader(images[:20], y[:20], 8, transform=flat)
    model = nn.Dense(16, 2)
    optimizer = optim.Adam(model.parameters(), lr=0.1)
    history = mg.fit(model, loader, held_back, optimizer=optimizer, epochs=3, progress=False)
    ready = flat(images[:20], None), y[:20]
    assert history["val_accuracy"][-1] == mg.evaluate(model, ready)["accuracy"]
    assert history["val_loss"][-1] == pytest.approx(mg.evaluate(model, ready)["loss"], rel=1e-6)
    with pytest.raises(ValueError, match="a label 3"):
        mg.fit(model, loader, DataLoader(images, y + 2, 8, transform=flat), optimizer=optimizer,
               epochs=1, progress=False)  # fmt: skip


@pytest.mark.parametrize("workers", [1, 3])
def test_any_iterable_of_batches_can_be_evaluated(workers):
    scores, y = sequences(n=11)
    cuts = [(0, 3), (3, 4), (4, 9), (9, 11)]
    batches = [(scores[start:end], y[start:end]) for start, end in cuts]
    truth = mg.evaluate(Answers(), (scores, y), flat_cross_entropy)
    two_batches = [(scores[:5], y[:5]), (scores[5:], y[5:])]  # no pair of arrays
    for data in (batches, two_batches):
        found = mg.evaluate(Answers(), data, flat_cross_entropy, workers=workers)
        assert found["accuracy"] == truth["accuracy"]
        assert found["loss"] == pytest.approx(truth["loss"], rel=1e-6)


@pytest.mark.parametrize(("batch_size", "workers"), [(8, 1), (64, 2)])
def test_the_workers_for_a_loader_follow_from_its_own_batch_size(monkeypatch, batch_size, workers):
    monkeypatch.setattr(mg.parallel, "cores", lambda: 2)
    counts = []

    class Spy(mg.parallel.Workers):
        def __init__(self, count):
            counts.append(count)
            super().__init__(count)

    monkeypatch.setattr(mg.evaluation, "Workers", Spy)
    model = nn.Sequential(nn.Conv2D(1, 1, 3), nn.Flatten())
    x, y = np.zeros((64, 1, 4, 4), np.float32), np.zeros(64, int)
    mg.evaluate(model, DataLoader(x, y, batch_size), workers="auto")
    assert counts == [workers]


# ---- what a forward returns ----------------------------------------------------------------------


def test_a_forward_without_a_return_is_named():
    class Forgets(nn.Dense):
        def forward(self, x):
            super().forward(x)

    model = Forgets(2, 2)
    x, y = np.ones((4, 2), np.float32), np.zeros(4, int)
    step = mg.TrainStep(model, mg.cross_entropy, optim.SGD(model.parameters(), lr=0.1))
    calls = [
        lambda: mg.predict(model, x),
        lambda: mg.evaluate(model, (x, y)),
        lambda: step(x, y),
    ]
    for call in calls:
        with pytest.raises(TypeError, match=r"Forgets\.forward .* None: .*return"):
            call()


def test_predict_of_several_outputs_says_what_to_do():
    class Two(nn.Dense):
        def forward(self, x):
            return super().forward(x), x

    with pytest.raises(TypeError, match=r"one Tensor from Two\.forward, got tuple.*no_grad"):
        mg.predict(Two(2, 2), np.ones((4, 2), np.float32))


@pytest.mark.parametrize("ignore_index", [-100, 1])
def test_targets_that_the_loss_ignores_count_neither_as_right_nor_as_wrong(ignore_index):
    class Same(nn.Module):
        def __init__(self):
            self.zero = nn.Parameter(np.zeros(1))

        def forward(self, x):
            return x + self.zero

    scores = np.eye(3, dtype=np.float32)[[0, 1, 2, 0, 0]] * 5  # answers 0 1 2 0 0
    targets = np.array([0, ignore_index, 2, 2, ignore_index])
    loss = functools.partial(mg.cross_entropy, ignore_index=ignore_index)
    model = Same()
    assert mg.evaluate(model, (scores, targets), loss)["accuracy"] == 2 / 3
    optimizer = mg.optim.SGD(model.parameters(), lr=0.0)
    history = mg.fit(
        model, (scores, targets), optimizer=optimizer, epochs=1, loss=loss, batch_size=5,
        progress=False,
    )  # fmt: skip
    assert history["accuracy"] == [2 / 3]


def gradients_of(workers, loss, x, y):
    """What one step of plain gradient descent with lr=1 takes off the weights."""
    model = nn.Dense(3, 4, rng=np.random.default_rng(0))
    before = model.weight.data.copy()
    optimizer = optim.SGD(model.parameters(), lr=1.0)
    with mg.TrainStep(model, loss, optimizer, workers) as step:
        value = step(x, y)
    return value, before - model.weight.data


@pytest.mark.parametrize("options", [{}, {"weight": np.array([1.0, 10, 1, 1], np.float32)}])
@pytest.mark.parametrize(
    "y", [[0, 1, 2, 3, -100, -100, -100, 1], [-100] * 4 + [1, 1, 0, 2], [1, 1, 1, 1, 0, 0, 2, 3]]
)
def test_shards_count_by_their_targets(y, options):
    x = np.random.default_rng(1).normal(size=(8, 3)).astype(np.float32)
    loss = functools.partial(mg.cross_entropy, **options)
    value, slope = gradients_of(1, loss, x, np.array(y))
    for workers in (2, 3, 8):
        found, by_shards = gradients_of(workers, loss, x, np.array(y))
        assert found == pytest.approx(value, rel=1e-5)
        np.testing.assert_allclose(by_shards, slope, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("options", [{}, {"weight": np.array([1.0, 10, 1, 1], np.float32)}])
def test_the_loss_does_not_depend_on_the_batch_size_where_targets_are_ignored(options):
    rng = np.random.default_rng(1)
    x, y = rng.normal(size=(8, 3)).astype(np.float32), np.array([0, 1, 2, 3, -100, -100, -100, 1])
    model, loss = nn.Dense(3, 4), functools.partial(mg.cross_entropy, **options)
    whole = mg.evaluate(model, (x, y), loss)
    for batch_size in (1, 3, 4):
        found = mg.evaluate(model, (x, y), loss, batch_size=batch_size)
        assert found["accuracy"] == whole["accuracy"]
        assert found["loss"] == pytest.approx(whole["loss"], rel=1e-5)
    optimizer = optim.SGD(model.parameters(), lr=0.0)
    history = mg.fit(
        model, (x, y), optimizer=optimizer, epochs=1, loss=loss, batch_size=5, progress=False
    )
    assert history["loss"][0] == pytest.approx(whole["loss"], rel=1e-5)
    with pytest.raises(ValueError, match="targets that count"):
        mg.evaluate(model, (x, np.full(8, -100)), loss)


@pytest.mark.parametrize("loss", [mg.cross_entropy, functools.partial(mg.mse_loss), mg.l1_loss])
def test_a_loss_of_minigrad_names_the_tuple_that_a_forward_returns(loss):
    class Two(nn.Module):
        def __init__(self):
            self.dense = nn.Dense(3, 4)

        def forward(self, x):
            return self.dense(x), x

    x, y = np.ones((2, 3), np.float32), np.zeros(2, int)
    with pytest.raises(TypeError, match=r"expects one Tensor from Two.forward, got tuple"):
        mg.evaluate(Two(), (x, y), loss)


def test_outputs_that_are_not_numbers_hit_nothing():
    model = nn.Dense(2, 3)
    model.weight.data[...] = np.nan
    found = mg.evaluate(model, (np.ones((5, 2), np.float32), np.zeros(5, int)))
    assert found["accuracy"] == 0
    assert np.isnan(found["loss"])


def test_overlapping_evaluations_leave_the_mode_alone():
    """One begins, the other begins, the first ends, the other ends."""
    inside, ended = threading.Event(), threading.Event()

    class Slow(nn.Module):
        def __init__(self):
            self.dropout = nn.Dropout(0.5)

        def forward(self, x):
            assert not self.dropout.training
            if x.shape[0] == 1:
                inside.set()
                assert ended.wait(60)
            return self.dropout(x)

    model = Slow()
    x = np.ones((2, 3), np.float32)
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(mg.predict, model, x[:1])
        assert inside.wait(60)
        assert model.training
        np.testing.assert_array_equal(mg.predict(model, x), x)
        assert model.dropout.training
        ended.set()
        np.testing.assert_array_equal(first.result(), x[:1])
    assert model.training
    assert model.dropout.training


def test_another_thread_trains_while_a_model_is_evaluated():
    model = nn.Dropout(0.5)
    with model.evaluating(), ThreadPoolExecutor(1) as pool:
        assert not model.training
        assert pool.submit(lambda: model.training).result()
