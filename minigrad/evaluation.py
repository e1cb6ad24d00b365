"""Evaluation: what a model outputs, and how good that is; nothing is recorded or changed."""

import math
import warnings

import numpy as np

from .data.loader import loader_of
from .nn import Softmax
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
        Threads, each of which takes a batch at a time.

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
        outputs = _in_batches(pool, model, lambda batch: model(x[batch]).data, x, batch_size)
        return np.concatenate(outputs)


def evaluate(model, data, loss=cross_entropy, batch_size=256, workers=1):
    """Mean loss and accuracy over a data set, in evaluation mode.

    Parameters
    ----------
    model : Module
    data : pair of arrays (x, y), or DataLoader
    loss : callable
    batch_size : int
        Changes only how much memory it takes, not the result.
    workers : int or "auto"
        Threads, each of which takes a batch at a time.

    Returns
    -------
    dict
        `loss`, and `accuracy` if the targets are classes.

    Examples
    --------
    >>> import minigrad as mg
    >>> sorted(evaluate(mg.nn.Dense(2, 3), (np.ones((5, 2)), np.zeros(5, int))))
    ['accuracy', 'loss']
    """
    loader = loader_of(data, batch_size)
    with Workers(choose_workers(workers, model.parameters(), batch_size)) as pool:
        return evaluate_with(pool, model, loader.x, loader.y, loss, loader.batch_size)


def evaluate_with(pool, model, x, y, loss, batch_size=256):
    """`evaluate`, with workers that already exist."""

    def score(batch):
        outputs = model(x[batch])
        return loss(outputs, y[batch]).item(), count_hits(outputs, y[batch]), len(x[batch])

    losses, hits, sizes = zip(*_in_batches(pool, model, score, x, batch_size))
    total = math.fsum(mean * size for mean, size in zip(losses, sizes))
    result = {"loss": total / len(x)}
    if None not in hits:
        result["accuracy"] = sum(hits) / len(x)
    return result


def _in_batches(pool, model, function, x, batch_size):
    """`function` of each batch, a slice, with the model in evaluation mode and nothing recorded."""
    if len(x) == 0:
        raise ValueError("there are no examples to evaluate: the data is empty.")
    batches = [slice(start, start + batch_size) for start in range(0, len(x), batch_size)]
    with model.evaluating():
        return pool.map(function, batches)


def count_hits(outputs, targets):
    """How many rows of scores are largest at the target; None if the targets are not classes."""
    targets = np.asarray(targets)
    if targets.dtype.kind not in "iu" or outputs.shape[:-1] != targets.shape:
        return None
    return int((outputs.data.argmax(-1) == targets).sum())


def check_labels(model, loader, validation):
    """Find class labels out of range before the first step, not in the middle of training.

    Raises
    ------
    ValueError
        For a label that the model has no score for.

    Warns
    -----
    UserWarning
        If the model ends with a Softmax, which cross_entropy already includes.
    """
    if isinstance(model.modules()[-1], Softmax):
        warnings.warn(
            "cross_entropy expects scores before any Softmax: leave it out of the model; "
            "mg.softmax(scores) gives probabilities later.",
            stacklevel=3,
        )
    scores = predict(model, loader.x[:1])
    if scores.ndim != 2:
        return
    for y in [loader.y] if validation is None else [loader.y, validation[1]]:
        if y.dtype.kind in "iu" and y.max(initial=0) >= scores.shape[1]:
            raise ValueError(
                f"the model gives {scores.shape[1]} scores, so labels go from 0 to "
                f"{scores.shape[1] - 1}, but the data has a label {y.max()}."
            )
