"""What a subclass overrides is used by fit: the step of an optimizer, the batches of a loader."""

import numpy as np
import pytest

import minigrad as mg
from minigrad import nn, optim
from minigrad.data import DataLoader


def points(n=40):
    rng = np.random.default_rng(3)
    x = rng.normal(size=(n, 2)).astype(np.float32)
    return x, (x[:, 0] > x[:, 1]).astype(int)


def dense():
    return nn.Dense(2, 2, rng=np.random.default_rng(4))


def bits(model):
    return b"".join(value.tobytes() for value in model.state_dict().values())


def train(model, data, optimizer, **options):
    options = {"epochs": 2, "batch_size": 8, "progress": False, **options}
    return mg.fit(model, data, optimizer=optimizer, **options)


# ---- optimizers ----------------------------------------------------------------------------------


class StepAlone(optim.Optimizer):
    """Gradient descent, written as in a first lesson."""

    def __init__(self, params, lr):
        super().__init__(params)
        self.lr = lr

    def step(self):
        for p in self.params:
            if p.grad is not None:
                p.data -= np.float32(self.lr) * p.grad


class Lookahead(optim.SGD):
    """Zhang et al. (2019): every other step goes halfway back."""

    def __init__(self, params, lr):
        super().__init__(params, lr)
        self.slow = [p.data.copy() for p in self.params]
        self.calls = 0

    def step(self):
        super().step()
        self.calls += 1
        if self.calls % 2 == 0:
            for p, slow in zip(self.params, self.slow, strict=True):
                slow += (p.data - slow) / 2
                p.data[...] = slow


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("options", [{}, {"clip_norm": 0.1}, {"accumulate": 3}])
def test_an_optimizer_with_a_step_alone_trains_like_sgd(workers, options):
    one, two = dense(), dense()
    train(one, points(), optim.SGD(one.parameters(), lr=0.5), workers=workers, **options)
    train(two, points(), StepAlone(two.parameters(), lr=0.5), workers=workers, **options)
    assert bits(one) == bits(two) != bits(dense())
    assert all(p.grad is None for p in two.parameters())


def test_a_step_of_ones_own_gives_the_bits_of_the_loop_by_hand():
    one, two = dense(), dense()
    by_hand = Lookahead(one.parameters(), lr=0.5)
    loader = DataLoader(*points(), 8)
    for _ in range(2):
        for x, y in loader:
            by_hand.zero_grad()
            mg.cross_entropy(one(x), y).backward()
            by_hand.step()
    optimizer = Lookahead(two.parameters(), lr=0.5)
    train(two, points(), optimizer)
    assert bits(one) == bits(two)
    assert optimizer.calls == 10


def test_with_several_workers_a_step_of_ones_own_gets_the_gradient_of_the_whole_batch():
    one, two = dense(), dense()
    train(one, points(), Lookahead(one.parameters(), lr=0.5))
    train(two, points(), Lookahead(two.parameters(), lr=0.5), workers=3)
    assert np.allclose(one.weight.data, two.weight.data, atol=1e-6)


def test_a_step_that_was_put_on_the_optimizer_itself_is_called():
    model = dense()
    optimizer = optim.SGD(model.parameters(), lr=0.5)
    calls = []
    optimizer.step = lambda: calls.append([p.grad.shape for p in optimizer.params])
    train(model, points(), optimizer, epochs=1)
    assert calls == [[(2, 2), (2,)]] * 5
    assert bits(model) == bits(dense())


def test_an_optimizer_without_rule_and_step_says_what_to_write():
    model = dense()
    with pytest.raises(NotImplementedError, match=r"neither a rule.*nor a step"):
        train(model, points(), optim.Optimizer(model.parameters()))


# ---- loaders -------------------------------------------------------------------------------------


class EvenOnes(DataLoader):
    """Hands out every other batch."""

    def __iter__(self):
        for number, batch in enumerate(super().__iter__()):
            if number % 2 == 0:
                yield batch


class Passes:
    """Batches anew in each pass, and nothing else."""

    def __init__(self, *batches):
        self.batches = batches

    def __iter__(self):
        return iter(self.batches)


def noise(x, rng):
    return x + rng.normal(0, 0.1, x.shape).astype(np.float32)


def test_the_batches_of_a_loader_of_ones_own_are_those_of_the_loop_by_hand():
    one, two = dense(), dense()
    optimizer = optim.Adam(one.parameters())
    loader = EvenOnes(*points(), 8, seed=1, transform=noise)
    for _ in range(2):
        for x, y in loader:
            optimizer.zero_grad()
            mg.cross_entropy(one(x), y).backward()
            optimizer.step()
    train(two, EvenOnes(*points(), 8, seed=1, transform=noise), optim.Adam(two.parameters()))
    assert bits(one) == bits(two)


@pytest.mark.parametrize("workers", [1, 2])
def test_a_loader_of_ones_own_is_transformed_once_and_resumes(tmp_path, workers):
    counts, models = [], [dense(), dense()]

    class Count(mg.Callback):
        def on_epoch_end(self, run):
            counts.append(run.seen)

    def run(model, epochs, **options):
        loader = EvenOnes(*points(), 8, transform=noise)
        train(model, loader, optim.Adam(model.parameters()), epochs=epochs, workers=workers,
              callbacks=[Count()], **options)  # fmt: skip

    run(models[0], 3)
    assert counts == [24] * 3  # 3 of 5 batches
    path = tmp_path / "run.npz"
    run(dense(), 1, checkpoint=path)
    run(models[1], 3, checkpoint=path, resume=True)
    assert bits(models[0]) == bits(models[1])


@pytest.mark.parametrize("workers", [1, 2])
def test_evaluate_uses_the_batches_of_a_loader_of_ones_own(workers):
    x, y = points()
    loader = EvenOnes(x, y, 8, shuffle=False)
    chosen = np.concatenate([np.arange(start, start + 8) for start in (0, 16, 32)])
    truth = mg.evaluate(dense(), (x[chosen], y[chosen]))
    assert mg.evaluate(dense(), loader, workers=workers) == pytest.approx(truth, rel=1e-6)


@pytest.mark.parametrize("workers", [1, 2])
def test_fit_takes_any_iterable_of_batches(workers, capsys):
    x, y = points()
    batches = [(x[start : start + 8], y[start : start + 8]) for start in range(0, 40, 8)]
    histories, models = [], []
    for data in (DataLoader(x, y, 8, shuffle=False), batches, Passes(*batches)):
        model = dense()
        histories.append(
            train(model, data, optim.Adam(model.parameters()), validation=data, workers=workers,
                  progress=True)
        )  # fmt: skip
        models.append(bits(model))
    assert models[0] == models[1] == models[2]
    for history in histories[1:]:
        assert {key: pytest.approx(numbers) for key, numbers in history.items()} == histories[0]


@pytest.mark.parametrize("kind", [Passes, lambda *batches: list(batches)])
def test_the_rate_test_takes_any_iterable_of_batches(kind):
    x, y = points()
    model = dense()
    optimizer = optim.SGD(model.parameters(), lr=0.1)
    rates, losses = mg.lr_range_test(model, kind((x, y)), optimizer=optimizer, steps=7)
    assert len(rates) == len(losses) == 7


def test_a_checkpoint_needs_a_loader(tmp_path):
    model = dense()
    with pytest.raises(TypeError, match=r"checkpoint= expects .*DataLoader.*got Passes"):
        train(model, Passes(points()), optim.SGD(model.parameters(), lr=0.1),
              checkpoint=tmp_path / "run.npz")  # fmt: skip
    assert bits(model) == bits(dense())


@pytest.mark.parametrize(
    ("data", "error", "match"),
    [
        ((batch for batch in [points()]), TypeError, "generator, which is used up after one"),
        (iter([points()]), TypeError, "used up after one"),
        (Passes(), ValueError, "Passes gave no batch"),
        (Passes(points()[0]), TypeError, r"batches \(x, y\), got ndarray in place of batch 0"),
        ({"x": points()[0]}, TypeError, "got dict"),
        ((*points(), None), TypeError, r"pair \(x, y\) of arrays.*got 3 of NoneType, ndarray"),
        ([], ValueError, "list gave no batch"),
        (DataLoader(points()[0]), TypeError, r"DataLoader\(x, y\)"),
        ((points()[0], list(points()[1])), TypeError, r"y as a NumPy array, got list: np\.array"),
    ],
)
def test_data_of_another_kind_is_refused_by_name(data, error, match):
    model = dense()
    with pytest.raises(error, match=match):
        train(model, data, optim.SGD(model.parameters(), lr=0.1))
    assert bits(model) == bits(dense())


def test_a_batch_that_is_none_is_named_by_its_place():
    model = dense()
    with pytest.raises(TypeError, match="got NoneType in place of batch 2"):
        mg.evaluate(model, Passes(points(), points(), None))


def test_batches_of_a_loader_with_its_own_plain_batches_are_used_everywhere():
    class Halves(DataLoader):
        def plain_batches(self):
            for x, y in super().plain_batches():
                yield x[: len(x) // 2], y[: len(y) // 2]

    x, y = np.ones((8, 2), np.float32), np.array([0, 0, 1, 1] * 2)
    loader = Halves(x, y, 4, shuffle=False)
    model = nn.Dense(2, 2)
    model.bias.data[...] = [9, 0]  # answers 0, which is right in each first half
    assert mg.evaluate(model, loader)["accuracy"] == 1
    optimizer = optim.SGD(model.parameters(), lr=0.0)
    history = mg.fit(model, loader, optimizer=optimizer, epochs=1, progress=False)
    assert history["accuracy"] == [1]
