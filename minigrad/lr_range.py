"""The learning-rate range test: which learning rate to begin with."""

import itertools

import numpy as np

from .checks import LossNotFinite
from .data.loader import DataLoader, batches_of, loader_of
from .nn.checks import check_model
from .ops import cross_entropy
from .ops.expect import real, whole
from .training import TrainStep


def lr_range_test(
    model,
    train,
    *,
    optimizer,
    loss=cross_entropy,
    batch_size=64,
    seed=0,
    workers=1,
    low=1e-6,
    high=1.0,
    steps=100,
):
    """The loss while the learning rate grows step by step (Smith 2017).

    The best learning rate is lower than the one at which the loss begins to rise.

    Parameters
    ----------
    low, high : float
        The first and the last learning rate; it grows by the same factor each step.
    steps : int
        The most steps to take; the test ends early once the loss exceeds four times its
        minimum or is not finite.

    The other parameters are those of `fit`. Afterward, model, optimizer and the epoch of a
    DataLoader are as they were, also after Ctrl-C or an error.

    Returns
    -------
    rates, losses : arrays
        `plot.lr_range` draws them.

    Raises
    ------
    TypeError, ValueError
        As `fit` does, also for a loss that is not finite before the first update.

    Examples
    --------
    >>> import minigrad as mg
    >>> model = mg.nn.Dense(1, 2)
    >>> x, y = np.ones((8, 1), np.float32), np.zeros(8, int)
    >>> rates, losses = lr_range_test(model, (x, y), optimizer=mg.optim.SGD(model.parameters(), 1))
    >>> len(rates), len(losses), bool(losses[-1] < losses[0])
    (100, 100, True)
    """
    check_model("lr_range_test", model)
    real("low", low, above=0)
    real("high", high, above=low)
    whole("steps", steps, least=1)
    loader = loader_of(train, batch_size, seed)
    epochs = itertools.repeat(loader)
    batches = itertools.chain.from_iterable(map(batches_of, epochs))
    rates = np.geomspace(low, high, steps)
    losses = []
    with TrainStep(model, loss, optimizer, workers, seed) as step:
        weights = model.state_dict()
        state = optimizer.state_dict()
        epoch = getattr(loader, "epoch", None)
        try:
            for rate, (x, y) in zip(rates.tolist(), batches):
                for group in optimizer.param_groups:
                    group["lr"] = rate
                losses.append(step(x, y))
                if losses[-1] > 4 * min(losses):
                    break
        except LossNotFinite:
            if not losses:  # no learning rate has done anything yet
                raise
        finally:
            model.load_state_dict(weights)
            optimizer.load_state_dict(state)
            if isinstance(loader, DataLoader):
                loader.epoch = epoch
    return rates[: len(losses)], np.array(losses)
