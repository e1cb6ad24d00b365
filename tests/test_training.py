"""TrainStep, fit, evaluate, predict: the bits of the loop by hand, and clear errors."""

import functools
import signal
import subprocess
import sys
import threading

import numpy as np
import pytest

import minigrad as mg
from minigrad import nn, optim
from minigrad.data import DataLoader


def data(n=96, classes=3, seed=0):
    """Points around the corners of a triangle: what a small network learns in a moment."""
    rng = np.random.default_rng(seed)
    y = rng.integers(0, classes, n)
    corners = np.array([[0, 2], [2, -1], [-2, -1]])
    return (corners[y] + rng.normal(0, 0.3, (n, 2))).astype(np.float32), y


def network(seed=0, p=0.0):
    rng = np.random.default_rng(seed)
    parts = [nn.Dense(2, 16, rng=rng), nn.ReLU(), nn.Dropout(p), nn.Dense(16, 3, rng=rng)]
    return nn.Sequential(*parts)


def bits(model):
    return b"".join(value.tobytes() for value in model.state_dict().values())


def by_hand(model, pair, epochs, batch_size):
    optimizer = optim.Adam(model.parameters())
    loader = DataLoader(*pair, batch_size, seed=7)
    for _ in range(epochs):
        for x, y in loader:
            optimizer.zero_grad()
            loss = mg.cross_entropy(model(x), y)
            loss.backward()
            optimizer.step()


def fitted(model, pair, epochs=2, batch_size=20, seed=7, **options):
    optimizer = options.pop("optimizer", None) or optim.Adam(model.parameters())
    options = {"progress": False, "batch_size": batch_size, "seed": seed, **options}
    return mg.fit(model, pair, optimizer=optimizer, epochs=epochs, **options)


# ---- fit -----------------------------------------------------------------------------------------


def test_fit_gives_the_bits_of_the_loop_by_hand():
    one, two = network(), network()
    by_hand(one, data(), epochs=3, batch_size=20)
    fitted(two, data(), epochs=3)
    assert bits(one) == bits(two)


def test_fit_with_validation_and_progress_gives_the_same_bits(capsys):
    one, two = network(p=0.3), network(p=0.3)
    fitted(one, data())
    fitted(two, data(), validation=data(seed=1), progress=True)
    assert bits(one) == bits(two)


def test_a_transform_is_applied_inside_the_shards_and_by_hand_alike():
    def noise(x, rng):
        return x + rng.normal(0, 0.1, x.shape).astype(np.float32)

    models = [network(), network(), network()]
    for model, workers in zip(models, (0, 1, 2), strict=True):
        optimizer = optim.Adam(model.parameters())
        loader = DataLoader(*data(), 20, seed=7, transform=noise)
        if workers:
            mg.fit(model, loader, optimizer=optimizer, epochs=2, workers=workers, progress=False)
            continue
        for _ in range(2):
            for x, y in loader:
                optimizer.zero_grad()
                mg.cross_entropy(model(x), y).backward()
                optimizer.step()
    assert bits(models[0]) == bits(models[1]) != bits(models[2])
    assert np.allclose(models[0][0].weight.data, models[2][0].weight.data, atol=0.05)


def test_the_same_seed_gives_the_same_bits_and_another_seed_others():
    results = []
    for seed in (7, 7, 8):
        model = network(p=0.3)
        fitted(model, data(), seed=seed)
        results.append(bits(model))
    assert results[0] == results[1] != results[2]


def test_dropout_masks_differ_between_steps_and_epochs():
    masks = []

    class Spy(nn.Dropout):
        def forward(self, x):
            y = super().forward(x)
            masks.append((y.data == 0).tobytes())
            return y

    model = nn.Sequential(Spy(0.5), nn.Dense(2, 3))
    x, y = np.ones((40, 2), np.float32), np.zeros(40, int)
    fitted(model, (x, y), epochs=2)
    assert len(masks) == len(set(masks)) == 5  # the first, without a zero, is a look at the scores


def test_history_has_keras_keys_and_one_number_per_epoch():
    history = fitted(network(), data(), validation=data(seed=1), epochs=4)
    assert set(history) == {"loss", "accuracy", "val_loss", "val_accuracy"}
    assert all(len(values) == 4 for values in history.values())
    assert history["loss"][-1] < history["loss"][0]
    assert not history.interrupted


def test_history_means_are_those_of_the_examples():
    model, (x, y) = network(), data(50)
    optimizer = optim.SGD(model.parameters(), lr=0.0)  # so that the model stays as it is
    history = fitted(model, (x, y), optimizer=optimizer, epochs=1)
    truth = mg.evaluate(model, (x, y))
    assert history["loss"][0] == pytest.approx(truth["loss"], rel=1e-5)
    assert history["accuracy"][0] == truth["accuracy"]


def test_accuracy_is_missing_where_the_targets_are_no_classes():
    x = np.ones((8, 2), np.float32)
    history = fitted(nn.Dense(2, 3), (x, np.ones((8, 3), np.float32)), loss=mg.mse_loss)
    assert set(history) == {"loss"}


def test_a_loader_brings_its_own_batches():
    loader = DataLoader(*data(), batch_size=13, drop_last=True)
    sizes = []

    class Count(mg.Callback):
        def on_batch_end(self, run):
            sizes.append(run.seen)

    model = network()
    optimizer = optim.Adam(model.parameters())
    mg.fit(model, loader, optimizer=optimizer, epochs=1, callbacks=[Count()], progress=False)
    assert sizes == [13 * (i + 1) for i in range(96 // 13)]


@pytest.mark.parametrize(("interval", "steps"), [("epoch", 3), ("step", 15)])
def test_a_schedule_goes_on_by_its_interval(interval, steps):
    model = network()
    optimizer = optim.Adam(model.parameters(), lr=1.0)
    schedule = optim.ExponentialLR(optimizer, 0.5, interval=interval)
    fitted(model, data(), optimizer=optimizer, schedule=schedule, epochs=3)
    assert optimizer.param_groups[0]["lr"] == 0.5**steps


def test_callbacks_are_called_in_order_and_can_stop():
    calls = []

    class Log(mg.Callback):
        def __getattribute__(self, name):
            if name.startswith("on_"):
                calls.append(name)
            return super().__getattribute__(name)

        def on_epoch_end(self, run):
            run.stop = run.epoch == 2

    history = fitted(network(), data(30), epochs=9, callbacks=[Log()])
    batches = ["on_epoch_begin", "on_batch_end", "on_batch_end"]
    epoch = [*batches, "on_evaluation_begin", "on_epoch_end", "on_evaluation_end"]
    end = ["on_evaluation_begin", "on_train_end"]
    assert calls == ["on_train_begin", *epoch, *epoch, *end]
    assert len(history["loss"]) == 2


def test_progress_prints_a_line_per_epoch(capsys):
    fitted(network(), data(), validation=data(seed=1), progress=True)
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[:2] for line in lines] == [["epoch", "1/2"], ["epoch", "2/2"]]
    assert all("validation loss" in line and "accuracy" in line for line in lines)


def test_progress_draws_a_bar_on_a_terminal(capsys, monkeypatch):
    tqdm = pytest.importorskip("tqdm")
    shown = []

    class Bar(tqdm.tqdm):
        def set_postfix_str(self, text, **options):
            shown.append(text)
            super().set_postfix_str(text, **options)

    monkeypatch.setattr(tqdm, "tqdm", Bar)
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    fitted(network(), data(), progress=True, epochs=1)
    assert len(shown) == 5
    assert all(text.startswith("loss ") and "accuracy" in text for text in shown)


class Shell:
    """What IPython knows of itself: the shell of a notebook has a kernel, that of a terminal not."""

    def __init__(self, kernel):
        if kernel:
            self.kernel = object()

    def get_ipython(self):
        return self


@pytest.mark.parametrize("kernel", [True, False])
def test_the_bar_moves_inside_an_epoch_in_a_notebook_and_in_no_plain_program(kernel, monkeypatch):
    pytest.importorskip("tqdm")
    import tqdm.auto

    seen = []

    class Bar(tqdm.tqdm):
        def update(self, n=1):
            super().update(n)
            seen.append(self.n)

    monkeypatch.setattr(tqdm.auto, "tqdm", Bar)
    monkeypatch.setitem(sys.modules, "IPython", Shell(kernel))
    monkeypatch.setattr(sys.stderr, "isatty", lambda: False, raising=False)
    fitted(network(), data(), progress=True, epochs=1)
    assert seen == ([1, 2, 3, 4, 5] if kernel else [])


def test_a_notebook_without_tqdm_shows_the_lines_alone(capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "IPython", Shell(kernel=True))
    monkeypatch.setitem(sys.modules, "tqdm.auto", None)
    monkeypatch.setattr(sys.stderr, "isatty", lambda: False, raising=False)
    fitted(network(), data(), progress=True, epochs=1)
    assert capsys.readouterr().out.startswith("epoch 1/1  loss ")


def test_the_repr_of_a_history_is_its_last_numbers_and_it_stays_a_dict():
    history = fitted(network(), data(), validation=data(seed=1), epochs=3)
    last = {key: f"{values[-1]:.4g}" for key, values in history.items()}
    assert list(last) == ["loss", "accuracy", "val_loss", "val_accuracy"]
    told = ", ".join(f"{key} {number}" for key, number in last.items())
    assert repr(history) == str(history) == f"<History after epoch 3: {told}>"
    assert isinstance(history, dict)
    assert dict(history) == history
    assert repr(mg.History()) == "<History after epoch 0>"
    history.interrupted = True
    assert repr(history).startswith("<History after epoch 3, interrupted: loss ")


# ---- interruptions -------------------------------------------------------------------------------


class PressCtrlC(mg.Callback):
    def __init__(self, batch, times=1):
        self.batch, self.times, self.last = batch, times, None

    def on_batch_end(self, run):
        self.last = run.batch
        if run.batch == self.batch:
            for _ in range(self.times):
                signal.raise_signal(signal.SIGINT)  # os.kill would end the process on Windows


def test_ctrl_c_ends_after_the_step_and_keeps_what_is_learnt(capsys):
    before = signal.getsignal(signal.SIGINT)
    model = network()
    press = PressCtrlC(3)
    history = fitted(model, data(), callbacks=[press], progress=True, epochs=5)
    assert press.last == 3  # of the 5 batches of an epoch
    assert history.interrupted
    assert "interrupted in epoch 1" in capsys.readouterr().out
    assert history == {"loss": [], "accuracy": []}
    assert bits(model) != bits(network())
    assert signal.getsignal(signal.SIGINT) is before


def test_ctrl_c_in_the_first_epoch_leaves_the_keys_and_in_a_later_one_the_numbers():
    whole = fitted(network(), data(), validation=data(seed=1), epochs=1)
    broken_off = fitted(network(), data(), validation=data(seed=1), callbacks=[PressCtrlC(2)])
    assert broken_off == {key: [] for key in whole}

    class InTheSecondEpoch(PressCtrlC):
        def on_batch_end(self, run):
            if run.epoch == 1:
                super().on_batch_end(run)

    press = InTheSecondEpoch(2)
    assert fitted(network(), data(), validation=data(seed=1), callbacks=[press]) == whole


def test_a_second_ctrl_c_ends_at_once():
    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):
        fitted(network(), data(), callbacks=[PressCtrlC(1, times=2)])
    assert signal.getsignal(signal.SIGINT) is before


def test_fit_runs_on_a_thread_that_gets_no_signals():
    found = []
    thread = threading.Thread(target=lambda: found.append(fitted(network(), data())))
    thread.start()
    thread.join()
    assert len(found[0]["loss"]) == 2


# ---- errors --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("spoil", "match"),
    [
        (lambda x, y: (x, y + 1), "labels go from 0 to 2, but the data has a label 3"),
        (lambda x, y: (x, y[:-1]), "96 examples.*95 targets"),
        (lambda x, y: (x[:0], y[:0]), "no batch"),
        (lambda x, y: (x[:, :1], y), r"expects shape \(\.\.\., 2\), got \(1, 1\)"),
    ],
)
def test_data_that_does_not_fit_is_refused_before_the_first_step(spoil, match):
    model = network()
    before = bits(model)
    with pytest.raises(ValueError, match=match):
        fitted(model, spoil(*data()))
    assert bits(model) == before


def test_labels_of_the_validation_data_are_looked_at_too():
    x, y = data()
    with pytest.raises(ValueError, match="a label 5"):
        fitted(network(), (x, y), validation=(x, y + 3))


def test_a_loss_that_is_not_finite_stops_before_the_update():
    model = network()
    model[3].bias.data[0] = np.nan  # as of steps that were too long
    before = bits(model)
    with pytest.raises(ValueError, match=r"the loss became nan.*learning rate"):
        fitted(model, data(), batch_size=96)
    assert bits(model) == before


def test_a_softmax_before_cross_entropy_is_warned_of():
    model = nn.Sequential(nn.Dense(2, 3), nn.Softmax())
    with pytest.warns(UserWarning, match="Softmax"):
        fitted(model, data())


def test_train_is_a_pair_or_a_loader():
    with pytest.raises(TypeError, match=r"pair \(x, y\) or a DataLoader, got ndarray"):
        fitted(network(), data()[0])


# ---- TrainStep, evaluate, predict ----------------------------------------------------------------


@pytest.mark.parametrize("workers", [1, 2])
def test_a_loss_of_one_element_will_do_and_one_of_several_is_refused(workers):
    model, (x, y) = nn.Dense(2, 1), (np.ones((4, 2), np.float32), np.zeros((4, 1), np.float32))
    optimizer = optim.SGD(model.parameters(), lr=0.1)
    by_column = lambda outputs, y: mg.square(outputs - y).mean(axis=0)  # (1,)
    with mg.TrainStep(model, by_column, optimizer, workers) as step:
        losses = [step(x, y) for _ in range(20)]
    assert losses[-1] < losses[0]
    unreduced = functools.partial(mg.mse_loss, reduction="none")
    with mg.TrainStep(model, unreduced, optimizer) as step, pytest.raises(ValueError, match="mean"):
        step(x, y)


def test_a_step_returns_the_loss_before_the_update_and_counts_hits():
    model, (x, y) = network(), data()
    truth = mg.evaluate(model, (x, y))
    with mg.TrainStep(model, mg.cross_entropy, optim.Adam(model.parameters())) as step:
        assert step(x, y) == pytest.approx(truth["loss"], rel=1e-5)
        assert step.hits == round(truth["accuracy"] * len(x))
        assert isinstance(step(x, y), float)


def test_a_step_needs_a_target_for_each_example():
    model, (x, y) = network(), data()
    step = mg.TrainStep(model, mg.cross_entropy, optim.Adam(model.parameters()))
    with pytest.raises(ValueError, match=r"got \(96, 2\), \(3,\)"):
        step(x, y[:3])


def test_predict_and_evaluate_do_not_depend_on_the_batch_size_and_leave_the_modes():
    model, (x, y) = network(p=0.5), data()
    model[2].eval()
    whole = mg.predict(model, x, batch_size=1000)
    assert np.allclose(mg.predict(model, x, batch_size=7), whole, atol=1e-6)
    assert np.allclose(whole, model.eval()(x).data)
    model.train()
    model[2].eval()
    a, b = (mg.evaluate(model, (x, y), batch_size=n) for n in (7, 1000))
    assert a["accuracy"] == b["accuracy"] == (whole.argmax(1) == y).mean()
    assert a["loss"] == pytest.approx(b["loss"], rel=1e-5)
    assert [m.training for m in model.modules()] == [True, True, True, False, True]


def test_predict_and_evaluate_of_nothing_say_so():
    with pytest.raises(ValueError, match="empty"):
        mg.predict(network(), np.ones((0, 2), np.float32))
    with pytest.raises(ValueError, match="no batch"):
        mg.evaluate(network(), (np.ones((0, 2), np.float32), np.ones(0, int)))


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="/proc is Linux's")
def test_evaluating_10000_images_takes_less_than_300_mb():
    program = """
import numpy as np, minigrad as mg
from minigrad import nn
model = nn.Sequential(
    nn.Conv2D(1, 32, 3), nn.ReLU(), nn.Conv2D(32, 64, 3), nn.ReLU(), nn.MaxPool(2),
    nn.Flatten(), nn.Dense(9216, 128), nn.ReLU(), nn.Dense(128, 10))
x, y = np.zeros((10000, 1, 28, 28), np.float32), np.zeros(10000, int)
mg.evaluate(model, (x, y))
# The peak of this program: ru_maxrss would count the process that started it.
print(next(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM")))
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) / 1024 < 300


def test_a_second_fit_begins_with_the_batches_of_the_first_and_loops_by_hand_go_on():
    x, y = np.arange(24, dtype=np.float32)[:, None], np.zeros(24, int)
    seen = []

    class Spy(nn.Dense):
        def forward(self, x):
            if self.training and len(x) > 1:  # not the look at the scores
                seen.extend(x.data.ravel().tolist())
            return super().forward(x)

    model = Spy(1, 2)
    loader = DataLoader(x, y, 8)
    for _ in range(2):
        mg.fit(model, loader, optimizer=optim.SGD(model.parameters(), lr=0.1), epochs=2,
               progress=False)  # fmt: skip
    by_hand = [[value for x, _ in DataLoader(x, y, 8) for value in x.ravel()]]
    assert seen[:48] == seen[48:]
    assert seen[:24] == by_hand[0] != seen[24:48]
    third = [value for x, _ in loader for value in x.ravel()]
    assert loader.epoch == 3
    assert third not in (seen[:24], seen[24:48])


def test_the_range_test_raises_the_rate_until_the_loss_does_and_leaves_everything_as_it_was():
    model, x = network(), data()[0]
    y = np.random.default_rng(5).integers(0, 3, len(x))  # nothing to learn: the loss stays above 0
    optimizer = optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    before, state = bits(model), optimizer.state_dict()
    loader = DataLoader(x, y, 64)
    loader.epoch = 5
    rates, losses = mg.lr_range_test(model, loader, optimizer=optimizer, low=1e-3, high=1e4)
    assert loader.epoch == 5
    assert 10 < len(rates) == len(losses) < 100
    assert np.allclose(rates[1:] / rates[:-1], 1e7 ** (1 / 99))
    assert losses[-1] > 4 * losses.min()
    assert bits(model) == before
    assert all((value == state[name]).all() for name, value in optimizer.state_dict().items())


@pytest.mark.parametrize(
    ("spoil", "error", "match"),
    [
        (lambda x, y: (x, y + 9), ValueError, "targets from 0 to 2"),
        (lambda x, y: (x * np.nan, y), ValueError, "NaN or infinity among the inputs x"),
        (lambda x, y: (x, KeyboardInterrupt), KeyboardInterrupt, None),
        (lambda x, y: (x, ZeroDivisionError), ZeroDivisionError, None),
    ],
)
def test_the_range_test_hides_no_error_and_leaves_everything_as_it_was(spoil, error, match):
    model, (x, y) = network(), data()
    x, spoiled = spoil(x, y)

    def loss(outputs, y):
        calls.append(y)
        if len(calls) == 4 and isinstance(spoiled, type):
            raise spoiled
        return mg.cross_entropy(outputs, y)

    calls = []
    optimizer = optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    before, state = bits(model), optimizer.state_dict()
    targets = y if isinstance(spoiled, type) else spoiled
    with pytest.raises(error, match=match):
        mg.lr_range_test(model, (x, targets), optimizer=optimizer, loss=loss)
    assert bits(model) == before
    assert all((value == state[name]).all() for name, value in optimizer.state_dict().items())


def test_the_range_test_ends_where_the_loss_is_not_finite_but_not_before_the_first_update():
    model = nn.Dense(2, 1)
    x, y = np.ones((8, 2), np.float32), np.zeros((8, 1), np.float32)
    optimizer = optim.SGD(model.parameters(), lr=0.1)
    times = iter([1.0, 2.0, 3.0, np.inf])
    loss = lambda outputs, y: mg.square(outputs - y).mean() * 0 + next(times)
    rates, losses = mg.lr_range_test(model, (x, y), optimizer=optimizer, loss=loss)
    assert losses.tolist() == [1, 2, 3]
    assert len(rates) == 3
    never = lambda outputs, y: outputs.sum() * np.inf
    with pytest.raises(ValueError, match="the loss became"):
        mg.lr_range_test(model, (x, y), optimizer=optimizer, loss=never)


@pytest.mark.parametrize("spoil", ["labels below 0", "labels too large", "images of another size"])
@pytest.mark.parametrize(
    "loss", [mg.cross_entropy, functools.partial(mg.cross_entropy, label_smoothing=0.1)]
)
def test_wrong_validation_data_is_found_before_the_first_step(spoil, loss):
    x, y = data()
    validation = {
        "labels below 0": (x, np.append(y[:-1], -1)),
        "labels too large": (x, np.append(y[:-1], 99)),
        "images of another size": (x[:, :-1], y),
    }[spoil]
    model = network()
    before = model.state_dict()
    optimizer = optim.SGD(model.parameters(), lr=0.1)
    words = "expects shape" if "size" in spoil else "labels go from 0 to"
    with pytest.raises(ValueError, match=words):
        mg.fit(model, (x, y), validation, optimizer=optimizer, epochs=1, progress=False, loss=loss)
    assert all((array == before[name]).all() for name, array in model.named_arrays())
