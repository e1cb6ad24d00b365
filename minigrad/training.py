"""Training: a step, and the loop around it.

`fit` does what this loop does, and then some:

    for x, y in loader:
        optimizer.zero_grad()
        loss = mg.cross_entropy(model(x), y)
        loss.backward()
        optimizer.step()
"""

import functools
import itertools
import operator
import signal
import threading
import warnings
from contextlib import AbstractContextManager, contextmanager, suppress

import numpy as np

from .autograd import gradients, setting
from .callbacks import Run
from .checkpoint import keep, restore
from .evaluation import evaluate_on, hits, loader_of, predict
from .nn import Softmax
from .nn.normalization import collected
from .ops import cross_entropy
from .optim import limit_norm
from .parallel import Workers, choose_workers
from .progress import Progress
from .random import stream, use_generator

# ---- one step ------------------------------------------------------------------------------------


class TrainStep(AbstractContextManager):
    """One step of training: gradients of the loss of a batch, and an update.

    Parameters
    ----------
    model : Module
    loss : callable
        loss(model(x), y) is the mean over the examples, a Tensor.
    optimizer : Optimizer
    workers : int or "auto"
        Threads that take a shard of the batch each. The gradient is that of the whole batch;
        batch norm normalizes each shard by itself.
    seed : int
        Of the streams that dropout draws from, one for each step and shard.
    clip_norm : float, optional
        Limit of the gradient's length; see `optim.clip_grad_norm`.
    accumulate : int
        Update once in so many calls, by the mean gradient of their batches.

    Attributes
    ----------
    epoch, count : int
        Where these streams are; `count` goes up by one with each step.
    hits : int or None
        How many examples of the last batch were classified correctly; None where the targets are
        no classes.

    Examples
    --------
    >>> import minigrad as mg
    >>> model = mg.nn.Dense(2, 3)
    >>> optimizer = mg.optim.SGD(model.parameters(), lr=0.1)
    >>> with TrainStep(model, mg.cross_entropy, optimizer) as step:
    ...     losses = [step(np.ones((4, 2)), np.array([0, 1, 2, 0])) for _ in range(9)]
    >>> losses[-1] < losses[0]
    True
    """

    def __init__(self, model, loss, optimizer, workers=1, seed=0, *, clip_norm=None, accumulate=1):
        self.model, self.loss, self.optimizer = model, loss, optimizer
        self.workers, self.seed, self._pool = workers, seed, None
        self.clip_norm, self.accumulate = clip_norm, accumulate
        # Waking a thread takes as long as Adam on 50,000 parameters; pieces are of up to 131,072.
        self._large = sum(p.size for p in optimizer.params) > 200_000
        self._waiting, self._batches = [], 0  # gradients for the next update, and of how many
        self.epoch, self.count, self.hits = 0, 0, None
        self.prepare = lambda x, epoch, count, shard: x  # `fit` puts the loader's transform here

    def __call__(self, x, y):
        """Train on a batch; returns its loss before the update, a float.

        Raises
        ------
        ValueError
            If the loss is not finite; nothing is then updated.
        """
        if len(x) != len(y) or len(x) == 0:
            raise ValueError(f"a step needs a target for each example, got {len(x)} and {len(y)}.")
        pool = self.pool(len(x))
        count = min(pool.count, len(x))
        cuts = itertools.pairwise(len(x) * k // count for k in range(count + 1))
        shards = [(k, x[a:b], y[a:b], (b - a) / len(x)) for k, (a, b) in enumerate(cuts)]
        losses, grads, hits, seen = zip(*pool.map(self._shard, shards))
        for sightings in zip(*seen):  # of one batch norm, on all shards
            sightings[0][0].observe(sightings)
        self._update(list(grads))
        self.count += 1
        self.hits = None if None in hits else sum(hits)
        return sum(losses)

    def _update(self, shards):
        """Update by the sum of the shards, or let them wait for the batches to come."""
        if self.accumulate > 1 or self.clip_norm is not None:
            shards = [_merged(self._waiting + shards)]
        self._waiting, self._batches = shards, self._batches + 1
        if self._batches == self.accumulate:
            self.flush()

    def flush(self):
        """Update by what waits for more batches, as if they were all."""
        shards, batches = self._waiting, self._batches
        self._waiting, self._batches = [], 0
        if not shards:
            return
        merged = [g for g in shards[0] if g is not None]
        if batches < self.accumulate:
            for g in merged:
                g *= self.accumulate / batches
        if self.clip_norm is not None:
            limit_norm(merged, self.clip_norm)
        self.optimizer.begin(*shards)
        parts = self._pool.count if self._large else 1
        self._pool.map(lambda part: self.optimizer.update(part, parts), range(parts))

    def pool(self, batch_size):
        """The workers, chosen when the first batch shows its size."""
        if self._pool is None:
            self._pool = Workers(choose_workers(self.workers, self.optimizer.params, batch_size))
        return self._pool

    def _shard(self, shard):
        """Loss, gradients, hits and batch statistics of a shard; changes nothing that is shared."""
        k, x, y, share = shard
        make = functools.partial(stream, self.seed, "dropout", self.epoch, self.count, k)
        with use_generator(make), setting(collected, []):
            outputs = self.model(self.prepare(x, self.epoch, self.count, k))
            loss = self.loss(outputs, y)
            if not np.isfinite(loss.data).all():
                ways = "lower the learning rate, or run a step inside mg.debug() to see where"
                raise ValueError(f"the loss became {loss.data} at step {self.count}: {ways}.")
            wanted = [p for p in self.optimizer.params if p.requires_grad]
            weight = np.full(loss.shape, share / self.accumulate) if loss.size == 1 else None
            found = iter(gradients(loss, wanted, weight))
            grads = [next(found) if p.requires_grad else None for p in self.optimizer.params]
            return loss.item() * share, grads, hits(outputs, y), collected.get()

    def close(self):
        """End the threads, if there are any."""
        if self._pool:
            self._pool.close()
            self._pool = None

    def __exit__(self, *error):
        self.close()


def _merged(shards):
    """The sum of lists of gradients, in place of the first; None where no list has any."""
    columns = [[g for g in column if g is not None] for column in zip(*shards)]
    return [functools.reduce(operator.iadd, column or [None]) for column in columns]


# ---- the loop ------------------------------------------------------------------------------------


# fmt: off
# What is trained on what, then how, then what happens on the way.
def fit(model, train, validation=None, *, optimizer, epochs, loss=cross_entropy, batch_size=64,
        seed=0, schedule=None, workers=1, clip_norm=None, accumulate=1,
        callbacks=(), progress=True, checkpoint=None, resume=False):
    # fmt: on
    """Train a model.

    Parameters
    ----------
    model : Module
    train : pair of arrays (x, y), or DataLoader
    validation : pair of arrays, optional
        Evaluated after each epoch.
    optimizer : Optimizer
    epochs : int
    loss : callable
        loss(outputs, y), the mean over the examples.
    batch_size : int
        Of a pair of arrays; a DataLoader has its own.
    seed : int
        Of the order of the batches and of dropout.
    schedule : Schedule, optional
    workers : int or "auto"
        Threads; see TrainStep.
    clip_norm, accumulate
        See TrainStep.
    callbacks : sequence of Callback
    progress : bool
        Show a bar, and print a line per epoch.
    checkpoint : path-like, optional
        A file .npz that is written after each epoch and holds the whole state of the training.
    resume : bool
        Go on from the checkpoint, if there is one; the end is the same, to the bit, as if the
        training had never stopped. All other arguments must be as they were.

    Returns
    -------
    History
        Also after Ctrl-C, which ends the training after the step it met; a second one at once.

    Raises
    ------
    ValueError
        For data of different lengths or none, class labels out of range, a loss that is not
        finite, a checkpoint that is damaged or of another training.

    Examples
    --------
    >>> import minigrad as mg
    >>> x = np.linspace(-1, 1, 32, dtype=np.float32)[:, None]
    >>> y = (x[:, 0] > 0).astype(int)
    >>> model = mg.nn.Dense(1, 2, rng=np.random.default_rng(0))
    >>> optimizer = mg.optim.SGD(model.parameters(), lr=1.0)
    >>> fit(model, (x, y), optimizer=optimizer, epochs=20, progress=False)["accuracy"][-1]
    1.0
    """
    loader = loader_of(train, batch_size, seed)
    if loss is cross_entropy:
        _check_labels(model, loader, validation)
    if not isinstance(epochs, int) or epochs < 0:
        raise ValueError(f"fit expects a number of epochs, got {epochs!r}.")
    callbacks = [*callbacks, *([Progress()] if progress else [])]
    options = {"clip_norm": clip_norm, "accumulate": accumulate}
    with TrainStep(model, loss, optimizer, workers, seed, **options) as step:
        step.prepare = loader.transformed
        run = Run(step, loader, schedule, epochs, callbacks)
        if checkpoint is not None:
            restore(checkpoint, run, resume)
        with _deferred_interrupt(run.history):
            _train(run, validation, checkpoint)
    return run.history


def _train(run, validation, checkpoint):
    run.call("on_train_begin")
    while run.epoch < run.epochs and not run.stop and not run.history.interrupted:
        _one_epoch(run)
        if run.history.interrupted:
            break
        run.call("on_evaluation_begin")
        _finish_epoch(run, validation)
        run.call("on_epoch_end")
        run.call("on_evaluation_end")
        if checkpoint is not None:
            keep(checkpoint, run)
    run.call("on_evaluation_begin")
    run.call("on_train_end")


def _one_epoch(run):
    run.begin_epoch()
    run.call("on_epoch_begin")
    run.model.train()
    run.step.epoch, run.step.count, run.loader.epoch = run.epoch, 0, run.epoch
    for x, y in run.loader.plain_batches():
        run.add(run.step(x, y), len(x))
        if run.schedule and run.schedule.interval == "step":
            run.schedule.step()
        run.call("on_batch_end")
        if run.history.interrupted:
            return
    run.step.flush()


def _finish_epoch(run, validation):
    numbers = {"loss": run.loss, "accuracy": run.accuracy}
    if validation is not None:
        pool = run.step.pool(run.loader.batch_size)
        found = evaluate_on(pool, run.model, *validation, run.step.loss, 256)
        numbers.update((f"val_{key}", value) for key, value in found.items())
    run.epoch += 1
    run.record(**numbers)
    if run.schedule and run.schedule.interval == "epoch":
        run.schedule.step()


def _check_labels(model, loader, validation):
    """Class labels out of range, found before the first step instead of in the middle."""
    if isinstance(model.modules()[-1], Softmax):
        wish = "cross_entropy expects the scores before the model's Softmax"
        warnings.warn(f"{wish}: leave it out; mg.softmax(scores) does it later.", stacklevel=3)
    scores = predict(model, loader.x[:1])
    for y in [loader.y] + ([] if validation is None else [validation[1]]):
        if y.dtype.kind in "iu" and scores.ndim == 2 and y.max(initial=0) >= scores.shape[1]:
            wish = f"by the model's scores labels go from 0 to {scores.shape[1] - 1}"
            raise ValueError(f"{wish}, but the data has a label {y.max()}.")


def lr_range_test(model, train, *, optimizer, loss=cross_entropy, batch_size=64, seed=0,
                  workers=1, low=1e-6, high=1.0, steps=100):  # fmt: skip
    """The loss while the learning rate grows step by step (Smith 2017); the best is below its rise.

    Parameters
    ----------
    low, high : float
        The first and the last learning rate; it grows by the same factor each step.
    steps : int
        The test ends sooner where the loss is four times its least.

    Other parameters as of `fit`. Model and optimizer are afterwards as they were.

    Returns
    -------
    rates, losses : arrays
        `plot.lr_range` draws them.

    Examples
    --------
    >>> import minigrad as mg
    >>> model = mg.nn.Dense(1, 2)
    >>> x, y = np.ones((8, 1), np.float32), np.zeros(8, int)
    >>> rates, losses = lr_range_test(model, (x, y), optimizer=mg.optim.SGD(model.parameters(), 1))
    >>> len(rates), len(losses), bool(losses[-1] < losses[0])
    (100, 100, True)
    """
    weights, state = model.state_dict(), optimizer.state_dict()
    loader = loader_of(train, batch_size, seed)
    batches = itertools.chain.from_iterable(itertools.repeat(loader))
    rates, losses = np.geomspace(low, high, steps), []
    with TrainStep(model, loss, optimizer, workers, seed) as step, suppress(ValueError):
        for rate, (x, y) in zip(rates.tolist(), batches):
            for group in optimizer.param_groups:
                group["lr"] = rate
            losses.append(step(x, y))  # a ValueError where it is not finite any more
            if losses[-1] > 4 * min(losses):
                break
    model.load_state_dict(weights)
    optimizer.load_state_dict(state)
    return rates[: len(losses)], np.array(losses)


@contextmanager
def _deferred_interrupt(history):
    """Let the first Ctrl-C only be noted in the history, so that no update is cut in half."""

    def remember(number, frame):
        if history.interrupted:
            raise KeyboardInterrupt
        history.interrupted = True

    if threading.current_thread() is not threading.main_thread():
        yield
        return  # only the main thread gets signals
    before = signal.signal(signal.SIGINT, remember)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
