"""Evaluation: what a model outputs, and how good that is; nothing is recorded or changed."""

import functools
import itertools
import math

import numpy as np

from .autograd import Tensor
from .data.loader import DataLoader, batches_of, is_plain, loader_of
from .nn.checks import check_model
from .ops import binary_cross_entropy_with_logits, cross_entropy
from .ops.expect import whole
from .ops.shaping import plain
from .parallel import Workers, choose_workers

IGNORED = -100  # the ignore_index that cross_entropy has if none is given

# Examples that are evaluated together at most. An array above 32 MB is returned to the system when
# it is freed, and each page of the next one is cleared again (see `keep_freed_pages`). What a
# convolutional network keeps of a thousand images is as large: they take twice the time at once.
TOGETHER = 128


def predict(model, x, batch_size=256, workers=1):
    """The model's outputs, computed in batches, in evaluation mode.

    Parameters
    ----------
    model : Module
    x : array (N, ...)
    batch_size : int
        Examples that the model gets at most; more than 128 are cut into pieces, which is faster.
    workers : int or "auto"
        Threads, each of which takes a batch at a time.

    Returns
    -------
    ndarray (N, ...)

    Raises
    ------
    ValueError
        If there are no examples.
    TypeError
        If `forward` returns anything but a Tensor.

    Examples
    --------
    >>> import minigrad as mg
    >>> predict(mg.nn.Dense(2, 3), np.ones((5, 2))).shape
    (5, 3)
    """
    check_model("predict", model)
    whole("batch_size", batch_size, least=1)
    if not getattr(x, "shape", ()):  # a single number has the shape ()
        raise TypeError(
            f"predict expects an array of examples, got {type(x).__name__}: np.array(x) makes one "
            "of a list, np.atleast_1d(x) of a number."
        )
    if len(x) == 0:
        raise ValueError("predict expects at least one example, got empty data.")
    with Workers(choose_workers(workers, model.parameters(), batch_size)) as pool:
        size = min(batch_size, TOGETHER)
        batches = [slice(start, start + size) for start in range(0, len(x), size)]
        with model.evaluating():
            return np.concatenate(pool.map(lambda batch: _scores(model, x[batch]), batches))


def _scores(model, x):
    """The array that a model outputs."""
    outputs = outputs_of(model, x)
    if not isinstance(outputs, Tensor):
        raise TypeError(
            f"predict expects one Tensor from {type(model).__name__}.forward, got "
            f"{type(outputs).__name__}: return one, or call the model inside mg.no_grad()."
        )
    if outputs.shape[:1] != x.shape[:1]:
        raise ValueError(
            f"predict expects outputs for each of {len(x)} examples, got {outputs.shape} for x "
            f"{x.shape}: x[None] makes a batch of one example."
        )
    return outputs.data


def check_loss(loss):
    """Raise a TypeError unless it is a function."""
    if not callable(loss) or isinstance(loss, type):
        raise TypeError(
            f"loss expects a function such as mg.cross_entropy, got {loss!r:.80}: pass the "
            "function itself, without calling it; of a Module, an instance."
        )


def loss_of(loss, outputs, y):
    """loss(outputs, y); raises an error unless that is a Tensor of one number."""
    value = loss(outputs, y)
    if not isinstance(value, Tensor):
        raise TypeError(
            f"loss(outputs, y) expects to return a Tensor of one number, got {value!r:.80}: "
            "does it end with a return, and compute in operations of minigrad?"
        )
    if value.size != 1:
        raise ValueError(
            f"loss(outputs, y) expects to return a Tensor of one number, got shape {value.shape}: "
            "let it end with .mean()."
        )
    return value


def outputs_of(model, x):
    """model(x); raises a TypeError if `forward` forgets to return it."""
    outputs = model(x)
    if outputs is None:
        raise TypeError(
            f"{type(model).__name__}.forward expects to return its outputs, got None: "
            "does it end with a return?"
        )
    return outputs


def tensor_for(loss, model, outputs):
    """The outputs; raises a TypeError if a loss of minigrad would get anything but a Tensor."""
    if isinstance(outputs, Tensor):
        return outputs
    function, _ = function_of(loss)
    if not is_ours(function):
        return outputs
    raise TypeError(
        f"{function.__name__} expects one Tensor from {type(model).__name__}.forward, got "
        f"{type(outputs).__name__}: return one, or write a loss that takes what forward returns."
    )


def evaluate(model, data, loss=cross_entropy, batch_size=256, workers=1):
    """Mean loss and accuracy over a data set, in evaluation mode.

    Parameters
    ----------
    model : Module
    data : pair of arrays (x, y), or DataLoader, or another iterable of batches (x, y)
        Of a DataLoader each example counts once, in the order of the data, after its transform.
    loss : callable
    batch_size : int
        Of a pair of arrays. Changes only how much memory it takes, not the result; the model gets
        at most 128 examples at a time, which is fastest.
    workers : int or "auto"
        Threads, each of which takes a batch at a time.

    Returns
    -------
    dict
        `loss`, and `accuracy` if the targets are classes: the share of the targets whose class has
        the highest score. The classes are the last axis of the scores, but axis 1 where the loss is
        cross_entropy. For binary_cross_entropy_with_logits, a score above 0 means 1.

    Examples
    --------
    >>> import minigrad as mg
    >>> sorted(evaluate(mg.nn.Dense(2, 3), (np.ones((5, 2)), np.zeros(5, int))))
    ['accuracy', 'loss']
    """
    check_model("evaluate", model)
    check_loss(loss)
    loader = loader_of(data, batch_size)
    if isinstance(loader, DataLoader):
        batch_size = loader.batch_size
    with Workers(choose_workers(workers, model.parameters(), batch_size)) as pool:
        return evaluate_with(pool, model, loader, loss)


def evaluate_with(pool, model, loader, loss):
    """`evaluate`, with workers that already exist."""

    def score(batch):
        x, y = batch
        outputs = tensor_for(loss, model, outputs_of(model, x))
        targets, weight = count_targets(y, loss)
        mean = loss_of(loss, outputs, y).item() if weight else 0.0  # all of a batch may be ignored
        return mean, weight, count_hits(outputs, y, loss), targets

    with model.evaluating():
        means, weights, hits, targets = zip(*_map_batches(pool, score, loader))
    if not sum(weights):
        raise ValueError("evaluate expects targets that count, but the loss ignores all of them.")
    total = math.fsum(mean * weight for mean, weight in zip(means, weights))
    result = {"loss": total / sum(weights)}
    if None not in hits:
        result["accuracy"] = sum(hits) / sum(targets)
    return result


def _map_batches(pool, function, loader):
    """`function` of each batch of a loader, a batch for each worker at a time."""
    if is_plain(loader):
        size = min(loader.batch_size, TOGETHER)
        steps = range(math.ceil(len(loader.x) / size))  # the last batch counts too
        return pool.map(lambda step: function(loader.in_order(step, size)), steps)
    results = []
    batches = batches_of(loader)
    for batch in batches:
        group = [batch, *itertools.islice(batches, pool.count - 1)]
        results += pool.map(function, group)
    return results


def count_hits(outputs, targets, loss):
    """How many of the targets have the highest score; None if the targets are not classes.

    The classes are the last axis of the outputs, but axis 1 for cross_entropy: (N, K, ...). For
    binary_cross_entropy_with_logits a target is hit if it is 1 and the score above 0, or neither.
    """
    if not isinstance(outputs, Tensor):
        return None
    scores = outputs.data
    targets = np.asarray(plain(targets))
    loss, options = function_of(loss)
    if loss is binary_cross_entropy_with_logits:
        if scores.shape != targets.shape or not ((targets == 0) | (targets == 1)).all():
            return None
        return int((((scores > 0) == targets) & ~np.isnan(scores)).sum())
    if loss is cross_entropy and scores.ndim > 2:
        scores = np.moveaxis(scores, 1, -1)  # (N, ..., K)
    if targets.dtype.kind not in "iu" or scores.shape[:-1] != targets.shape:
        return None
    hits = scores.argmax(-1) == targets
    if np.isnan(scores).any():
        hits &= ~np.isnan(scores).any(-1)  # where argmax has found the first NaN
    if loss is cross_entropy:
        hits &= targets != options.get("ignore_index", IGNORED)
    return int(hits.sum())


def count_targets(targets, loss):
    """How many of the targets can be hit, and what their mean loss counts beside other means.

    All targets can be hit but those that cross_entropy ignores. Its mean counts by the others, each
    by the weight of its class; the mean of any other loss counts by the examples.
    """
    targets = np.asarray(plain(targets))
    loss, options = function_of(loss)
    if loss is not cross_entropy or targets.dtype.kind not in "iu":
        return targets.size, len(targets)
    used = targets != options.get("ignore_index", IGNORED)
    number = int(used.sum())
    if options.get("weight") is None:
        return number, number
    return number, float(np.asarray(plain(options["weight"]))[targets[used]].sum())


def is_ours(function):
    """Whether a loss is one of minigrad's."""
    return getattr(function, "__module__", "") == cross_entropy.__module__


def function_of(loss):
    """A loss and the options that functools.partial gave it, such as label_smoothing."""
    if isinstance(loss, functools.partial):
        return loss.func, loss.keywords
    return loss, {}
