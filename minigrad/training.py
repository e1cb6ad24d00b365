"""Training: a step, and the loop around it.

`fit` does what this loop does, and then some:

    for x, y in loader:
        optimizer.zero_grad()
        loss = mg.cross_entropy(model(x), y)
        loss.backward()
        optimizer.step()
"""

import functools
from contextlib import AbstractContextManager

import numpy as np

from .autograd import gradients, setting
from .callbacks import callback_list
from .checks import LossNotFinite, check_data, check_numbers, check_schedule, check_step
from .data.loader import is_plain, loader_of
from .evaluation import count_hits, count_targets, evaluate_with, loss_of, outputs_of, tensor_for
from .nn.normalization import collected
from .ops import cross_entropy
from .ops.expect import real, whole
from .optim.clipping import limit_norm
from .optim.optimizers import Optimizer
from .parallel import Workers, choose_workers
from .progress import Progress
from .random import stream, use_generator
from .ranks import agreed, summed
from .run import Run
from .shards import ShardResult, cut, gathered, merged
from .system import deferred_interrupt

# ---- one step ------------------------------------------------------------------------------------


class TrainStep(AbstractContextManager):
    """One step of training: the gradients of a batch's loss, and an update.

    Parameters
    ----------
    model : Module
    loss : callable
        loss(model(x), y) is the mean over the examples, a Tensor.
    optimizer : Optimizer
    workers : int or "auto"
        Threads, each of which takes a shard of the batch. The gradient is that of the whole batch;
        batch norm normalizes each shard by itself.
    seed : int
        Of the streams that dropout draws from, one for each step and shard.
    clip_norm : float, optional
        Limit on the gradient's length; see `optim.clip_grad_norm`.
    accumulate : int
        Update once in this many calls, with the mean gradient of their batches.
    transform : callable, optional
        Each worker trains on transform(x, epoch, count, shard) of its shard x; for example
        `DataLoader.transformed`.
    reduce : callable, optional
        Where several processes, called ranks, share each batch: reduce(array) replaces an array by
        the sum of those of all ranks, in place. Each calls the step on its part of the batch, which
        may be empty; the gradient, `hits` and the loss are those of the whole batch. The arrays are
        the flat gradient, and before it a few numbers on which all have to agree. Where the step
        fails on one rank, it raises on all.
    rank : int
        Which of them this is, from 0 on: its shards are numbered from rank * workers, so that they
        draw from the streams that this number of workers would have in one process.

    Attributes
    ----------
    epoch, count : int
        The counters of these streams; `count` goes up by one with each step.
    hits : int or None
        How many targets of the last batch had the highest score, as `evaluate` counts them; None
        where the targets are not classes.

    Raises
    ------
    TypeError, ValueError
        If the optimizer is none, or holds parameters that are not the model's.

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

    def __init__(
        self,
        model,
        loss,
        optimizer,
        workers=1,
        seed=0,
        *,
        clip_norm=None,
        accumulate=1,
        transform=None,
        reduce=None,
        rank=0,
    ):
        check_step(model, loss, optimizer)
        if (reduce is not None or rank) and not isinstance(workers, int):
            raise ValueError(
                "workers expects an integer where several ranks share a batch, the same on each, "
                f"got {workers!r}: machines differ in what it stands for."
            )
        if clip_norm is not None:
            real("clip_norm", clip_norm, above=0)
        self.model = model
        self.loss = loss
        self.optimizer = optimizer
        self.workers = workers
        self.seed = whole("seed", seed)
        self.clip_norm = clip_norm
        self.accumulate = whole("accumulate", accumulate, least=1)
        self.transform = transform
        self.reduce = reduce
        self.rank = whole("rank", rank)
        self.epoch = 0
        self.count = 0
        self.hits = None
        self._pool = None
        self._waiting = []  # gradients for the next update, a list for each shard
        self._batches = 0  # how many batches they are from
        step = getattr(optimizer.step, "__func__", None)
        self._has_own_step = step is not Optimizer.step  # a subclass's, to be called as it is
        # Waking a thread takes as long as Adam on 50,000 parameters.
        self._shares_update = sum(p.size for p in optimizer.params) > 200_000

    def __call__(self, x, y):
        """Train on a batch; returns its loss before the update, a float.

        Raises
        ------
        ValueError
            If the loss is not finite (a LossNotFinite, unless the batch has such numbers itself);
            then nothing is updated.
        """
        if self.reduce is None:
            result = gathered(self._results(x, y))
        else:
            part = functools.partial(self._part, x, y)
            result = agreed(self.reduce, part, self.optimizer, self.model)
        for of_one_norm in result.moments:  # from all shards
            of_one_norm[0].norm.observe(of_one_norm)
        self._update(result.gradients)
        self.count += 1
        self.hits = result.hits
        return result.loss

    def _results(self, x, y):
        """What the workers return for the shards of a batch."""
        if not np.shape(x)[:1] == np.shape(y)[:1] > (0,):
            raise ValueError(
                f"a step needs x (N, ...), y (N, ...) and N > 0, got {np.shape(x)}, {np.shape(y)}."
            )
        pool = self.pool(len(x))
        first = self.rank * self.workers if self.rank else 0
        return pool.map(self._named_shard, cut(x, y, min(pool.count, len(x)), self.loss, first))

    def _part(self, x, y):
        """The same for this rank's part of a batch, and how much of it counts for the mean loss."""
        self.pool(len(x))
        weight = count_targets(y, self.loss)[1]
        return self._results(x, y) if weight else [], weight

    def pool(self, batch_size):
        """The workers, chosen when the first batch shows its size."""
        if self._pool is None:
            self._pool = Workers(choose_workers(self.workers, self.optimizer.params, batch_size))
        return self._pool

    # ---- gradients of a shard, on a worker -------------------------------------------------------

    def _named_shard(self, shard):
        try:
            return self._shard(shard)
        except Exception as error:
            if shard.share < 1:
                error.add_note(f"in shard {shard.number}")
            raise

    def _shard(self, shard):
        """Loss, gradients, hits and batch moments of a shard; changes nothing that is shared."""
        place = (self.epoch, self.count, shard.number)
        make_generator = functools.partial(stream, self.seed, "dropout", *place)
        with use_generator(make_generator), setting(collected, []):
            x = self.transform(shard.x, *place) if self.transform else shard.x
            outputs = tensor_for(self.loss, self.model, outputs_of(self.model, x))
            loss = loss_of(self.loss, outputs, shard.y)
            if not np.isfinite(loss.data).all():
                check_numbers(x, shard.y, loss)
                raise LossNotFinite(
                    f"the loss became {loss.data} at step {self.count}: lower the learning rate, "
                    "or run a step inside mg.debug() to see where it happens."
                )
            found = self._gradients(loss, shard.share)
            hits = count_hits(outputs, shard.y, self.loss)
            return ShardResult(loss.item() * shard.share, found, hits, moments=collected.get())

    def _gradients(self, loss, share):
        """The gradient of each parameter of the optimizer, None for a frozen one."""
        trained = [p for p in self.optimizer.params if p.requires_grad]
        found = iter(gradients(loss, trained, np.full(loss.shape, share / self.accumulate)))
        return [next(found) if p.requires_grad else None for p in self.optimizer.params]

    # ---- the update ------------------------------------------------------------------------------

    def _update(self, shards):
        """Update with the sum of the shards, or keep them until enough batches have come."""
        sums = self.accumulate > 1 or self.clip_norm is not None or self.reduce is not None
        if sums or self._has_own_step:
            shards = [merged(self._waiting + shards)]
        self._waiting = shards
        self._batches += 1
        if self._batches == self.accumulate:
            self.flush()

    def flush(self):
        """Update with what has been kept so far, as if no more batches were to come."""
        shards = self._waiting
        batches = self._batches
        self._waiting = []
        self._batches = 0
        if not shards:
            return
        # Where one of the four below happens, `_update` has merged all shards into the first.
        if self.reduce is not None:
            shards = [summed(self.reduce, shards[0])]
        given = [g for g in shards[0] if g is not None]
        if batches < self.accumulate:
            for g in given:
                g *= self.accumulate / batches
        if self.clip_norm is not None:
            limit_norm(given, self.clip_norm)
        if self._has_own_step:
            self._call_own_step(shards[0])
            return
        self.optimizer.begin(*shards)
        parts = self._pool.count if self._shares_update else 1
        self._pool.map(lambda part: self.optimizer.update(part, parts), range(parts))

    def _call_own_step(self, found):
        """The step of a subclass, which looks for the gradients on the parameters."""
        try:
            for p, g in zip(self.optimizer.params, found):
                p.grad = g
            self.optimizer.step()
        finally:
            self.optimizer.zero_grad()

    def close(self):
        """End the threads, if there are any."""
        if self._pool:
            self._pool.close()
            self._pool = None

    def __exit__(self, *error):
        self.close()


# ---- the loop ------------------------------------------------------------------------------------


def fit(
    model,
    train,
    validation=None,
    *,
    optimizer,
    epochs,
    loss=cross_entropy,
    batch_size=64,
    seed=0,
    schedule=None,
    workers=1,
    clip_norm=None,
    accumulate=1,
    callbacks=(),
    progress=True,
    checkpoint=None,
    resume=False,
):
    """Train a model.

    Parameters
    ----------
    model : Module
    train : pair of arrays (x, y), or DataLoader, or another iterable of batches (x, y)
        Each epoch is one pass. `fit` sets the epoch of a DataLoader, from 0 on: each call begins
        with the same order of batches, whereas loops by hand go on with the loader's next epoch.
        Another seed gives another order. A subclass of DataLoader with an `__iter__` of its own
        gives batches that are ready to be used; workers transform those of a DataLoader.
    validation : the same, optional
        Evaluated after each epoch.
    optimizer : Optimizer
        Of the model's parameters. A subclass with a `step` of its own finds gradients in p.grad.
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
        An .npz file that is written after each epoch and holds the whole state of the run.
    resume : bool
        Continue from the checkpoint, if there is one; the result is the same, to the bit, as if
        training had never stopped. All other arguments must be as they were.

    Returns
    -------
    History
        Also after Ctrl-C, which ends training after the current step. A second Ctrl-C raises
        KeyboardInterrupt at once.

    Raises
    ------
    TypeError, ValueError
        For what cannot be trained on: found before the first step, but for a loss that is not
        finite. A checkpoint that is damaged or of another run changes nothing.

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
    validation = None if validation is None else loader_of(validation, batch_size=256)
    check_data(model, loss, loader, validation)
    epochs = whole("epochs", epochs)
    if schedule is not None:
        check_schedule(schedule, optimizer)
    callbacks = callback_list(callbacks) + ([Progress()] if progress else [])
    transform = loader.transformed if is_plain(loader) else None
    options = {"clip_norm": clip_norm, "accumulate": accumulate, "transform": transform}
    with TrainStep(model, loss, optimizer, workers, seed, **options) as step:
        run = Run(step, loader, validation, schedule, epochs, callbacks)
        run.begin(checkpoint, resume)
        with deferred_interrupt(run.interrupt):
            while run.goes_on():
                run.begin_epoch()
                for x, y in run.batches():  # as they are: each worker transforms its own shard
                    run.end_batch(step(x, y), len(x), *count_targets(y, loss))
                if run.history.interrupted:
                    break
                step.flush()
                with run.evaluating():
                    run.end_epoch(_scores(step, validation))
                    run.call("on_epoch_end")
                if checkpoint is not None:
                    run.keep(checkpoint)
            run.call("on_evaluation_begin")
            run.call("on_train_end")
    return run.result()


def _scores(step, validation):
    """What `evaluate` gives for the validation data, computed by the workers of the step."""
    if validation is None:
        return {}
    return evaluate_with(step._pool, step.model, validation, step.loss)
