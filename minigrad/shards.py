"""A batch in shards: how it is cut for those who share it, and what comes back from each."""

import itertools
from typing import NamedTuple

import numpy as np

from .evaluation import count_targets


class Shard(NamedTuple):
    """The part of a batch that a worker takes."""

    number: int
    x: np.ndarray
    y: np.ndarray
    share: float  # of what counts for the mean loss of the batch


class ShardResult(NamedTuple):
    """What a worker returns for its shard."""

    loss: float  # weighted by the shard's share of the batch
    gradients: list  # one for each parameter of the optimizer; None if frozen
    hits: int | None
    moments: list  # the BatchMoments of each batch norm


class BatchResult(NamedTuple):
    """What is known of a batch when all of its shards are done."""

    loss: float
    gradients: list  # for each shard, or for all in one, what ShardResult has
    hits: int | None
    moments: list  # for each batch norm, its BatchMoments of all shards


def pieces(length, count):
    """Slices that cut so many examples into `count` pieces of nearly the same length.

    Examples
    --------
    >>> x = np.arange(7)
    >>> [x[piece].tolist() for piece in pieces(len(x), 3)]
    [[0, 1], [2, 3], [4, 5, 6]]
    """
    cuts = [length * k // count for k in range(count + 1)]
    return [slice(start, end) for start, end in itertools.pairwise(cuts)]


def cut(x, y, count, loss, first):
    """A batch cut into `count` shards, numbered from `first` on, but those that count nothing."""
    if count == 1:
        return [Shard(first, x, y, 1.0)]
    parts = pieces(len(x), count)
    weights = [count_targets(y[part], loss)[1] for part in parts]
    total = sum(weights)
    if not total:
        return [Shard(first, x, y, 1.0)]  # the loss says what is wrong with it
    return [
        Shard(number, x[part], y[part], weight / total)
        for number, (part, weight) in enumerate(zip(parts, weights), first)
        if weight
    ]


def gathered(results):
    """The BatchResult of the ShardResults of all shards."""
    hits = [result.hits for result in results]
    return BatchResult(
        loss=sum(result.loss for result in results),
        gradients=[result.gradients for result in results],
        hits=None if None in hits else sum(hits),
        moments=list(zip(*[result.moments for result in results])),
    )


def merged(shards):
    """The sum of lists of gradients, in place; None where no list has a gradient."""
    total = []
    for of_one_parameter in zip(*shards):
        given = [g for g in of_one_parameter if g is not None]
        for g in given[1:]:
            given[0] += g
        total.append(given[0] if given else None)
    return total
