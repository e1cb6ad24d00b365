"""Threads: the gradient of the whole batch, the same bits, and nothing left behind."""

import contextvars
import ctypes
import os
import platform
import subprocess
import sys
import threading
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import minigrad as mg
from minigrad import nn, optim
from minigrad.parallel import Workers, choose_workers
from minigrad.system import cores, keep_freed_pages, warn_once

rng = np.random.default_rng(1)


def images(n=12):
    return rng.uniform(-1, 1, (n, 2, 8, 8)).astype(np.float32), rng.integers(0, 3, n)


def network(*extra):
    parts = [nn.Conv2D(2, 4, 3), nn.ReLU(), nn.MaxPool(2), *extra, nn.Flatten(), nn.Dense(36, 3)]
    return nn.Sequential(*parts)


def copy_of(model, *extra):
    other = network(*extra)
    other.load_state_dict(model.state_dict())
    return other


def bits(model):
    return b"".join(value.tobytes() for value in model.state_dict().values())


def step(model, workers, batches, optimizer=optim.SGD):
    optimizer = optimizer(model.parameters(), lr=0.1)
    with mg.TrainStep(model, mg.cross_entropy, optimizer, workers) as train:
        return [train(x, y) for x, y in batches]


LAYERS = [
    lambda: nn.Dense(3, 3), lambda: nn.LayerNorm(3), nn.ReLU, nn.LeakyReLU, nn.GELU, nn.SiLU,
    nn.Sigmoid, nn.Tanh, nn.Softmax, lambda: nn.AvgPool(1), lambda: nn.MaxPool(2, 1, 1),
    lambda: nn.Conv2D(4, 4, 3, padding=1), nn.Flatten, lambda: nn.BatchNorm(4).eval(),
]  # fmt: skip


@pytest.mark.parametrize("make", LAYERS, ids=lambda make: type(make()).__name__)
@pytest.mark.parametrize("workers", [2, 3, 20])
def test_a_sharded_step_is_the_whole_step_to_rounding(make, workers):
    layer = make()
    size = layer(np.ones((1, 4, 3, 3))).size  # behind the first pool
    parts = [nn.Conv2D(2, 4, 3), nn.MaxPool(2), layer, nn.Flatten(), nn.Dense(size, 3)]
    model = nn.Sequential(*parts)
    before = model.state_dict()
    batches = [images()]
    loss = step(model, 1, batches)
    whole = model.state_dict()
    model.load_state_dict(before)
    assert step(model, workers, batches) == pytest.approx(loss, rel=1e-5)
    for name, value in model.state_dict().items():
        assert np.allclose(value, whole[name], rtol=1e-4, atol=1e-6), name
    assert not (model.state_dict()["4.weight"] == before["4.weight"]).all()


@settings(max_examples=10, deadline=None)
@given(st.integers(2, 4), st.integers(1, 9))
def test_the_same_workers_give_the_same_bits(workers, n):
    start = network(nn.Dropout(0.5))
    batches = [images(n) for _ in range(2)]
    found = []
    for _ in range(2):
        model = copy_of(start, nn.Dropout(0.5))
        step(model, workers, batches, optim.Adam)
        found.append(bits(model))
    assert found[0] == found[1]


def test_shards_draw_masks_of_their_own():
    masks = []

    class Spy(nn.Dropout):
        def forward(self, x):
            y = super().forward(x)
            masks.append((y.data == 0).tobytes())
            return y

    model = nn.Sequential(Spy(0.5), nn.Dense(50, 3))
    x, y = np.ones((8, 50), np.float32), np.zeros(8, int)
    step(model, 2, [(x, y), (x, y)])
    assert len(set(masks)) == len(masks) == 4


def test_running_statistics_are_those_of_the_whole_batch():
    one = network(nn.BatchNorm(4))
    two = copy_of(one, nn.BatchNorm(4))
    batches = [images(n) for n in (12, 5)]
    step(one, 1, batches[:1])
    step(two, 3, batches[:1])
    # Before the normalization both saw the same numbers, so the statistics agree.
    for name in ("3.running_mean", "3.running_var", "3.num_batches_tracked"):
        assert np.allclose(one.state_dict()[name], two.state_dict()[name], rtol=1e-5)


def test_a_shard_of_one_image_works():
    model = nn.Sequential(nn.Flatten(), nn.Dense(128, 4), nn.BatchNorm(4), nn.Dense(4, 3))
    step(model, 2, [images(2), images(3)])
    assert np.isfinite(model.state_dict()["2.running_var"]).all()


@pytest.mark.parametrize("bad", [0, 1, 2])
def test_a_failing_shard_is_named_and_leaves_everything_untouched(bad):
    class Fails(nn.Module):
        def forward(self, x):
            if (x.data == 99).any():
                raise ValueError("no such image")
            return x

    model = network(nn.BatchNorm(4))
    model = nn.Sequential(Fails(), *model)
    x, y = images(9)
    x[3 * bad + 1] = 99
    optimizer = optim.Adam(model.parameters())
    before, state = bits(model), optimizer.state_dict()
    with mg.TrainStep(model, mg.cross_entropy, optimizer, workers=3) as train:
        with pytest.raises(ValueError, match="no such image") as caught:
            train(x, y)
        assert f"in shard {bad}" in caught.value.__notes__
        assert bits(model) == before
        assert all((value == state[name]).all() for name, value in optimizer.state_dict().items())
        train(*images(9))  # and it goes on
    assert bits(model) != before


def test_no_gradient_is_left_on_the_parameters():
    model = network()
    step(model, 2, [images()])
    assert all(p.grad is None for p in model.parameters())


def test_predict_and_evaluate_in_threads_give_what_they_give_without():
    model, (x, y) = network(), images(23)
    for workers in (2, 5):
        assert np.allclose(
            mg.predict(model, x, 4, workers), mg.predict(model, x, 4), rtol=1e-5, atol=1e-6
        )
        one, many = (mg.evaluate(model, (x, y), batch_size=4, workers=w) for w in (1, workers))
        assert many["accuracy"] == one["accuracy"]
        assert many["loss"] == pytest.approx(one["loss"], rel=1e-6)


def test_no_grad_reaches_the_workers():
    seen = []
    x = mg.Tensor(np.ones(2), requires_grad=True)
    with Workers(3) as workers:
        workers.map(lambda _: seen.append((x * x).requires_grad), range(3))
        with mg.no_grad():
            workers.map(lambda _: seen.append((x * x).requires_grad), range(3))
    assert seen == [True] * 3 + [False] * 3


def test_a_context_variable_set_by_a_worker_stays_there():
    variable = contextvars.ContextVar("variable", default=0)
    with Workers(2) as workers:
        workers.map(variable.set, [1, 2, 3])
    assert variable.get() == 0


def test_unless_workers_are_asked_for_there_is_one_which_starts_no_thread(monkeypatch):
    monkeypatch.setattr(threading.Thread, "start", lambda thread: pytest.fail("a thread"))
    model = network(nn.Dropout(0.1))
    x, y = images(12)
    optimizer = optim.SGD(model.parameters(), lr=0.1)
    mg.fit(model, (x, y), (x, y), optimizer=optimizer, epochs=1, progress=False)
    mg.predict(model, x, batch_size=4)
    mg.evaluate(model, (x, y), batch_size=4)
    mg.lr_range_test(model, (x, y), optimizer=optimizer, steps=2)
    with mg.TrainStep(model, mg.cross_entropy, optimizer) as step:
        step(x, y)


def test_one_worker_starts_no_thread_and_more_end_with_their_owner():
    before = threading.active_count()
    with Workers(1) as workers:
        workers.map(abs, range(4))
        assert threading.active_count() == before
    with Workers(4) as workers:
        workers.map(lambda _: time.sleep(0.01), range(4))
        assert threading.active_count() == before + 3
    assert threading.active_count() == before
    model = network()
    train = mg.TrainStep(model, mg.cross_entropy, optim.Adam(model.parameters()), workers=3)
    together = threading.Barrier(3)  # else a thread that is done early may do for two
    train.transform = lambda x, *place: together.wait(60) is not None and x
    train(*images())
    assert threading.active_count() == before + 2
    del train  # without a with, and without close()
    assert threading.active_count() == before


def test_blas_has_one_thread_inside_and_its_own_afterwards():
    threadpoolctl = pytest.importorskip("threadpoolctl")

    def threads():
        return [lib["num_threads"] for lib in threadpoolctl.threadpool_info()]

    with threadpoolctl.threadpool_limits(2):
        with Workers(2):
            assert set(threads()) == {1}
        assert set(threads()) == {2}


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 0, 2), (1, 2, 0)])
def test_blas_has_its_threads_back_after_the_last_of_several_workers_in_any_order(order):
    threadpoolctl = pytest.importorskip("threadpoolctl")

    def threads():
        return {lib["num_threads"] for lib in threadpoolctl.threadpool_info()}

    with threadpoolctl.threadpool_limits(2):
        open_ones = [Workers(2) for _ in range(3)]
        for number in order:
            assert threads() == {1}
            open_ones[number].close()
            open_ones[number].close()  # a second time ends nothing
        assert threads() == {2}


class StartsTwo(threading.Thread):
    """A thread of a system that starts two more, and then no others."""

    left = 2

    def start(self):
        if StartsTwo.left == 0:
            raise RuntimeError("can't start new thread")
        StartsTwo.left -= 1
        super().start()


@pytest.mark.parametrize("possible", [0, 2])
def test_where_threads_cannot_start_one_worker_does_all_and_a_warning_says_so(
    possible, monkeypatch
):
    threadpoolctl = pytest.importorskip("threadpoolctl")
    warn_once.cache_clear()
    before = threading.active_count()
    blas = [lib["num_threads"] for lib in threadpoolctl.threadpool_info()]
    monkeypatch.setattr(threading, "Thread", StartsTwo)
    monkeypatch.setattr(StartsTwo, "left", possible)
    model, (x, y) = network(), images()
    with pytest.warns(RuntimeWarning, match="workers=4, but no threads start here") as seen:
        outputs = mg.predict(model, x, workers=4)
    assert seen[0].filename == __file__
    assert (outputs == mg.predict(model, x)).all()
    assert threading.active_count() == before  # those that did start have ended
    assert [lib["num_threads"] for lib in threadpoolctl.threadpool_info()] == blas
    assert Workers(4).count == 1  # said once
    alike = copy_of(model)
    step(model, 1, [(x, y)])
    step(alike, 4, [(x, y)])
    assert bits(alike) == bits(model)


def test_without_threadpoolctl_it_works_and_warns_once():
    program = """
import sys, warnings
sys.modules["threadpoolctl"] = None
from minigrad.parallel import Workers
with warnings.catch_warnings(record=True) as seen:
    warnings.simplefilter("always")
    for _ in range(2):
        with Workers(2) as workers:
            assert workers.map(abs, [-1, -2]) == [1, 2]
print([str(w.message)[:13] for w in seen])
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout == "['threadpoolctl']\n", done.stderr


def test_auto_is_a_fixed_rule():
    conv, dense = nn.Conv2D(1, 1, 3).parameters(), nn.Dense(1, 1).parameters()
    assert choose_workers("auto", dense, 1000) == 1
    assert choose_workers("auto", conv, 1000) == min(cores(), 8)
    assert choose_workers("auto", conv, 15) == 1
    assert choose_workers(3, dense, 1) == 3
    for wrong in (0, -1, 1.5, "all"):
        with pytest.raises(ValueError, match='or "auto", got'):
            choose_workers(wrong, conv, 64)


def test_results_come_in_the_order_of_the_items():
    with Workers(3) as workers:
        for n in (1, 2, 3, 7, 8):
            assert workers.map(lambda i: i * i, range(n)) == [i * i for i in range(n)]


FREED = """
import numpy as np, minigrad as mg
def resident():
    with open("/proc/self/status") as status:
        return int(status.read().partition("VmRSS:")[2].split()[0]) * 1024
dense = mg.nn.Dense(1, 1)
{first}
before = resident()
arrays = [np.ones(2**20) for _ in range(5)]
del arrays
print(resident() - before)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="other C libraries are left alone")
@pytest.mark.parametrize(
    ("first", "keeps"),
    [
        ("", False),
        ("mg.optim.SGD(dense.parameters(), lr=1)", True),
        ("mg.predict(dense, np.ones((1, 1)))", True),
    ],
)
def test_optimizers_and_predict_make_the_process_keep_freed_memory(first, keeps):
    code = FREED.format(first=first)
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    kept, freed = int(run.stdout), 5 * 8 * 2**20
    assert kept > 0.9 * freed if keeps else kept < 0.1 * freed


class Libc:
    """A C library with a `mallopt`, as Android's, and the Mac's in part, have one too."""

    def __init__(self):
        self.calls = []

    def mallopt(self, option, value):
        self.calls.append((option, value))


class Glibc(Libc):
    gnu_get_libc_version = None


@pytest.mark.parametrize(
    ("platform", "library", "told"),
    [("linux", Glibc, True), ("linux", Libc, False), ("darwin", Glibc, False)],
)
def test_only_glibc_on_linux_is_told_to_keep_freed_memory(platform, library, told, monkeypatch):
    libc = library()
    monkeypatch.setattr(sys, "platform", platform)
    monkeypatch.setattr(ctypes, "CDLL", lambda name: libc)
    keep_freed_pages.__wrapped__()
    assert bool(libc.calls) == told


@pytest.mark.skipif(not hasattr(os, "fork"), reason="a process is forked")
def test_a_forked_child_refuses_the_threads_of_its_parent():
    code = """
import os, warnings
import numpy as np
import minigrad as mg
warnings.simplefilter("ignore")  # Python warns of forks beside threads
model = mg.nn.Dense(2, 3)
step = mg.TrainStep(model, mg.cross_entropy, mg.optim.SGD(model.parameters(), 0.1), workers=2)
x, y = np.ones((4, 2), np.float32), np.zeros(4, int)
step(x, y)
child = os.fork()
if child == 0:
    try:
        step(x, y)
    except RuntimeError as error:
        os._exit(3 if "make a new TrainStep" in str(error) else 4)
    os._exit(5)
_, status = os.waitpid(child, 0)
print(os.waitstatus_to_exitcode(status))
"""
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert found.stdout.strip() == "3", found.stderr
