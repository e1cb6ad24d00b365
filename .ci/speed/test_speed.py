"""Guards against gross losses of speed: ratios inside one run, with room for a busy machine.

They stand apart from the tests, which pass or fail the same on every machine. A guard that fails is
tried a second time before it fails.
"""

import functools
import threading
import time

import numpy as np
import pytest

import minigrad as mg
from minigrad import nn
from minigrad.system import cores

rng = np.random.default_rng(0)


def ratio(one, other, enough=0.0, most=60):
    """The quickest one() / the quickest other(), by turns, after a warm-up of both.

    The quickest, because other programs can only make it slower; of at least 9 turns, and of as many
    more as it takes until the ratio is below `enough`, where others keep the machine busy.
    """

    def seconds(f):
        start = time.perf_counter()
        f()
        return time.perf_counter() - start

    seconds(one), seconds(other)
    pairs = []
    found = np.inf
    while len(pairs) < 9 or (found >= enough and len(pairs) < most):
        pairs.append((seconds(one), seconds(other)))
        found = min(a for a, _ in pairs) / min(b for _, b in pairs)
    return found


def tried_twice(guard):
    """Where a guard fails, others may have been busy: it may fail once."""

    @functools.wraps(guard)
    def twice():
        try:
            guard()
        except AssertionError as error:
            print(f"\n{guard.__name__} is tried a second time: {error}")
            guard()

    return twice


def images(n, channels, size):
    """Channels last in memory, as the library keeps them."""
    x = rng.standard_normal((n, size, size, channels), np.float32)
    return x.transpose(0, 3, 1, 2)


@tried_twice
def test_convolution_in_blocks_beats_the_columns_of_the_whole_batch():
    x, w = images(64, 32, 26), rng.standard_normal((64, 32, 3, 3), np.float32)
    found = ratio(lambda: mg.conv2d(x, w), lambda: mg.conv2d_textbook(x, w), enough=0.8)
    assert found < 0.8  # about 0.55


@tried_twice
def test_a_pool_costs_less_than_the_convolution_before_it():
    x, w = images(32, 32, 26), rng.standard_normal((64, 32, 3, 3), np.float32)
    z = mg.Tensor(mg.conv2d(x, w), requires_grad=True)
    pool = ratio(lambda: mg.max_pool2d(z, 2).sum().backward(), lambda: mg.conv2d(x, w), enough=1.5)
    assert pool < 1.5  # about 0.5


def w4():
    return nn.Sequential(
        nn.Conv2D(1, 32, 3), nn.ReLU(), nn.Conv2D(32, 64, 3), nn.ReLU(), nn.MaxPool(2),
        nn.Dropout(0.25), nn.Flatten(), nn.Dense(9216, 128), nn.ReLU(), nn.Dropout(0.5),
        nn.Dense(128, 10),
    )  # fmt: skip


def what_two_threads_gain():
    """The time of two bare threads by that of one for the same products: 0.5 on two idle cores."""
    left, right = rng.standard_normal((2, 4608, 288), np.float32)
    matrix = rng.standard_normal((288, 64), np.float32)

    def one():
        for _ in range(5):
            left @ matrix
            right @ matrix

    def two():
        thread = threading.Thread(target=lambda: [left @ matrix for _ in range(5)])
        thread.start()
        for _ in range(5):
            right @ matrix
        thread.join()

    return ratio(two, one, enough=0.7, most=30)


@pytest.mark.skipif(cores() < 2, reason="two workers need two cores")
@tried_twice
def test_two_workers_beat_one_thread_on_a_convolutional_network():
    threadpoolctl = pytest.importorskip("threadpoolctl")
    x, y = images(96, 1, 28), rng.integers(0, 10, 96)
    steps = []
    for workers in (2, 1):
        model = w4()
        optimizer = mg.optim.Adam(model.parameters())
        steps.append(mg.TrainStep(model, mg.cross_entropy, optimizer, workers))
    with steps[0], steps[1], threadpoolctl.threadpool_limits(1):
        found = ratio(lambda: steps[0](x, y), lambda: steps[1](x, y), enough=0.95)
        gain = what_two_threads_gain()
    # About 0.6. Where other programs keep the cores busy, bare threads gain nothing either.
    assert found < max(0.95, gain + 0.3)


@tried_twice
def test_a_step_of_a_small_network_is_not_much_slower_than_bare_numpy():
    x, y = rng.standard_normal((64, 784), np.float32), rng.integers(0, 10, 64)
    model = nn.Sequential(nn.Dense(784, 128), nn.ReLU(), nn.Dense(128, 10))
    w1, b1, w2, b2 = (p.data.copy() for p in model.parameters())
    one_hot = np.eye(10, dtype=np.float32)[y]

    def bare():
        """Forward and backward by hand."""
        h = np.maximum(x @ w1.T + b1, 0)
        z = h @ w2.T + b2
        e = np.exp(z - z.max(1, keepdims=True))
        g = (e / e.sum(1, keepdims=True) - one_hot) / 64
        back = (g @ w2) * (h > 0)
        return g.T @ h, g.sum(0), back.T @ x, back.sum(0)

    def taped():
        model.zero_grad()
        mg.cross_entropy(model(x), y).backward()

    assert ratio(taped, bare, enough=3) < 3  # about 1.4


@tried_twice
def test_the_engine_costs_a_small_multiple_of_numpy():
    a, c = np.ones(10), np.full(10, 1.0001)

    def chain():
        t = mg.Tensor(a, requires_grad=True)
        for _ in range(100):
            t = t * c
        t.sum().backward()

    def bare():
        for _ in range(100):
            np.multiply(a, c)

    # The contract is 12 on a quiet machine. Short chains: some of them run undisturbed.
    assert ratio(chain, bare, enough=24, most=300) < 24
