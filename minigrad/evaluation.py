"""Evaluation: what a model gives, and how good it is; nothing is recorded or changed."""

import math

import numpy as np

from .data import DataLoader
from .ops import cross_entropy
from .parallel import Workers, choose_workers


def predict(model, x, batch_size=256, workers=1):
    """The model's outputs, computed in batches, in evaluation mode.

    Parameters
    ----------
    model : Module
    x : array (N, ...)
    batch_size : int
    workers : int or "auto"
        Threads that take a batch each.

    Returns
    -------
    ndarray (N, ...)

    Examples
    --------
    >>> import minigrad as mg
    >>> predict(mg.nn.Dense(2, 3), np.ones((5, 2))).shape
    (5, 3)
    """
    with Workers(choose_workers(workers, model.parameters(), batch_size)) as pool:
        return np.concatenate(_in_batches(pool, model, lambda b: model(x[b]).data, x, batch_size))


def evaluate(model, data, loss=cross_entropy, batch_size=256, workers=1):
    """Mean loss and accuracy over a data set, in evaluation mode.

    Parameters
    ----------
    model : Module
    data : pair of arrays (x, y), or DataLoader
    loss : callable
    batch_size : int
        Does not change the result, but the memory it takes.
    workers : int or "auto"
        Threads that take a batch each.

    Returns
    -------
    dict
        `loss`, and `accuracy` where the targets are classes.

    Examples
    --------
    >>> import minigrad as mg
    >>> sorted(evaluate(mg.nn.Dense(2, 3), (np.ones((5, 2)), np.zeros(5, int))))
    ['accuracy', 'loss']
    """
    loader = loader_of(data, batch_size)
    with Workers(choose_workers(workers, model.parameters(), batch_size)) as pool:
        return evaluate_on(pool, model, loader.x, loader.y, loss, loader.batch_size)


def evaluate_on(pool, model, x, y, loss, batch_size):
    """`evaluate`, on workers that are there already."""

    def one(batch):
        outputs = model(x[batch])
        return loss(outputs, y[batch]).item(), hits(outputs, y[batch]), len(x[batch])

    losses, right, sizes = zip(*_in_batches(pool, model, one, x, batch_size))
    result = {"loss": math.fsum(a * n for a, n in zip(losses, sizes)) / len(x)}
    if None not in right:
        result["accuracy"] = sum(right) / len(x)
    return result


def _in_batches(pool, model, function, x, batch_size):
    """The function of each batch, a slice, with the model in evaluation and nothing recorded."""
    if len(x) == 0:
        raise ValueError("there is no example to look at: the data is empty.")
    batches = [slice(start, start + batch_size) for start in range(0, len(x), batch_size)]
    with model.evaluating():
        return pool.map(function, batches)


def loader_of(data, batch_size, seed=0):
    """A pair of arrays as a DataLoader; a DataLoader as it is."""
    if isinstance(data, DataLoader):
        return data
    if not isinstance(data, tuple | list) or len(data) != 2:
        raise TypeError(f"expected a pair (x, y) or a DataLoader, got {type(data).__name__}.")
    return DataLoader(*data, batch_size, seed=seed)


def hits(outputs, targets):
    """How many rows of scores have their largest at the target; None if these are no classes."""
    targets = np.asarray(targets)
    if targets.dtype.kind not in "iu" or outputs.shape[:-1] != targets.shape:
        return None
    return int((outputs.data.argmax(-1) == targets).sum())
