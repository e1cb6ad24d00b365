"""Several processes that train one model, each on its part of every batch: what they agree on.

The processes, called ranks, may be on several machines. All that connects them is a function
`reduce(array)`, which replaces an array by the sum of those of all ranks: MPI's Allreduce, for one.
Two messages make a step. The first, a few numbers, says whether anybody failed, how much each part
counts, and what was measured; so that all raise, or none, and nobody waits for a rank that is gone.
The second is the gradient. As all compute on with the same sums, their models keep the same bits.
"""

from typing import NamedTuple

import numpy as np

from .checks import LossNotFinite
from .nn.normalization import BatchMoments, BatchNorm
from .shards import BatchResult, gathered, merged


class Numbers(NamedTuple):
    """What a rank tells of its part of a batch, beside its gradients; the sums say it of all."""

    not_finite: float = 0.0  # 1 if it fails for that reason
    failed: float = 0.0  # 1 if it fails for any reason
    weight: float = 0.0  # what counts for the mean loss
    loss: float = 0.0  # the mean times the weight
    hits: float | None = 0.0  # None, in a message NaN, where the targets are not classes


def agreed(reduce, part, optimizer, model):
    """What all ranks together know of a batch.

    Parameters
    ----------
    reduce : callable
        See TrainStep.
    part : callable
        Returns the ShardResults of this rank's part, none if it is empty, and how much it counts.
    optimizer, model

    Returns
    -------
    BatchResult
        The same on all ranks, but for the gradients: those are this rank's share of the sum.

    Raises
    ------
    Exception
        On all ranks if `part` raised on any: there what it raised, elsewhere a LossNotFinite, or
        a RuntimeError that says to look there.
    """
    norms = [module for module in model.modules() if isinstance(module, BatchNorm)]
    numbers = Numbers()
    found = [None] * len(optimizer.params)
    moments = [_no_sums(norm) for norm in norms]
    error = None
    try:
        results, weight = part()
        if results:
            own = gathered(results)
            numbers = Numbers(0, 0, weight, own.loss * weight, own.hits)
            found = merged(own.gradients)
            moments = _sums_of_norms(norms, own.moments)
    except BaseException as caught:  # sys.exit and Ctrl-C too: the others must not wait
        numbers = Numbers(isinstance(caught, LossNotFinite), failed=1)
        error = caught
    given = [g is not None for g in found]
    message = [np.array(part, float) for part in (numbers, given, *moments)]
    all_numbers, all_given, *all_moments = _added_up(reduce, message)
    numbers_of_all = Numbers(*all_numbers.tolist())
    _raise_together(numbers_of_all, error)
    return BatchResult(
        loss=numbers_of_all.loss / numbers_of_all.weight,
        gradients=[_shares(found, all_given, optimizer, numbers.weight / numbers_of_all.weight)],
        hits=None if np.isnan(numbers_of_all.hits) else int(numbers_of_all.hits),
        moments=[[_moments(norm, sums)] for norm, sums in zip(norms, all_moments) if sums[0]],
    )


def _raise_together(numbers, error):
    """Raise an error, on all ranks, if there was one on any, or if no target counts."""
    if error is not None:
        raise error
    if numbers.not_finite:
        raise LossNotFinite(
            "the loss became NaN or infinite on another rank, whose own message says what to do: "
            "nothing is updated on any."
        )
    if numbers.failed:
        raise RuntimeError(
            "this step failed on another rank, whose own message says why: nothing is updated on "
            "any."
        )
    if not numbers.weight:
        raise ValueError(
            "a step expects targets that count, but the parts of all ranks are empty, or the loss "
            "ignores all their targets: leave such batches out."
        )


def _shares(found, given, optimizer, share):
    """This rank's share of each gradient; zeros where only other ranks have one."""
    shares = []
    for p, g, number in zip(optimizer.params, found, given):
        if g is not None:
            g *= share
        elif number:
            g = np.zeros(p.shape, p.dtype)
        shares.append(g)
    return shares


def summed(reduce, gradients):
    """A list of gradients, each summed over all ranks in one message; None stays None."""
    given = [g for g in gradients if g is not None]
    if not given:
        return gradients
    sums = iter(_added_up(reduce, given))
    return [None if g is None else next(sums) for g in gradients]


def _added_up(reduce, arrays):
    """The sum of each array over all ranks, in one message, of the widest dtype among them."""
    total = np.concatenate([array.reshape(-1) for array in arrays])
    if reduce(total) is not None:
        raise TypeError(
            "reduce expects to write the sum of all ranks into the array and to return nothing, "
            "but it returned something: comm.Allreduce(MPI.IN_PLACE, array) writes it, "
            "comm.allreduce(array) does not."
        )
    ends = np.cumsum([array.size for array in arrays])
    parts = np.split(total, ends[:-1])
    return [
        part.reshape(array.shape).astype(array.dtype, copy=False)
        for part, array in zip(parts, arrays)
    ]


# ---- the moments of batch norm, as numbers that can be added -------------------------------------


def _no_sums(norm):
    return np.zeros(1 + 2 * norm.num_features)


def _sums_of_norms(norms, seen):
    """For each norm: how many values it saw, their sums, and the sums of their squares."""
    sums = {id(norm): _no_sums(norm) for norm in norms}
    for shards in seen:
        own = sums.get(id(shards[0].norm))
        if own is None or own[0]:
            raise ValueError(
                f"{shards[0].norm!r} expects to be called once in a step that several ranks share, "
                "and to be found in the model's attributes; it was called twice, or is not found: "
                "make one for each place."
            )
        for size, mean, var in [shard[1:] for shard in shards]:
            mean = mean.astype(float)  # so that nothing is lost where it is far from 0
            own += np.concatenate([[size], size * mean, size * (var + mean**2)])
    return list(sums.values())


def _moments(norm, sums):
    """The BatchMoments of what all ranks saw."""
    size = sums[0]
    mean, square = np.split(sums[1:] / size, 2)
    var = np.maximum(square - mean**2, 0)  # which rounding takes below 0 where all are alike
    return BatchMoments(norm, int(size), mean, var)
