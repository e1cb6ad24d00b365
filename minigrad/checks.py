"""Mistakes that training refuses by name, as they would show later, or elsewhere, or never."""

import warnings

import numpy as np

from .data.loader import is_plain
from .evaluation import predict
from .nn import Module, Softmax
from .ops import cross_entropy
from .ops.shaping import plain
from .optim import Optimizer


def check_labels(model, loss, *loaders):
    """Find class labels out of range before the first step, not in the middle of training.

    Of cross_entropy alone, and of loaders that hand out their own arrays.

    Raises
    ------
    ValueError
        For a label that the model has no score for.

    Warns
    -----
    UserWarning
        If the model ends with a Softmax, which cross_entropy already includes.
    """
    if loss is not cross_entropy:
        return
    if isinstance(model.modules()[-1], Softmax):
        warnings.warn(
            "cross_entropy expects scores before any Softmax: leave it out of the model; "
            "mg.softmax(scores) gives probabilities later.",
            stacklevel=3,
        )
    for loader in loaders:
        if not is_plain(loader):
            continue
        scores = predict(model, loader.transformed(loader.x[:1], loader.epoch, step=0))
        y = loader.y
        if scores.ndim > 1 and y.dtype.kind in "iu" and y.max(initial=0) >= scores.shape[1]:
            raise ValueError(
                f"the model gives {scores.shape[1]} scores, so labels go from 0 to "
                f"{scores.shape[1] - 1}, but the data has a label {y.max()}."
            )


def check_optimizer(optimizer, model, loss):
    """Find an optimizer of other parameters than the model's.

    Raises
    ------
    TypeError, ValueError
        If it is no optimizer, or holds nothing that the model trains.

    Warns
    -----
    UserWarning
        If it lacks some of the model's parameters and holds others, as after a layer was replaced.
        The loss, if it is a Module, may have parameters of its own.
    """
    if not isinstance(optimizer, Optimizer):
        raise TypeError(
            f"optimizer expects one such as mg.optim.Adam(model.parameters()), got {optimizer!r}."
        )
    held = {id(p) for p in optimizer.params}
    parts = [part for part in (model, loss) if isinstance(part, Module)]
    known = [p for part in parts for p in part.parameters()]
    left_out = [p for p in known if p.requires_grad and id(p) not in held]
    # Either alone is usual: a part of the model is trained, or something beside the model.
    if not left_out or not held - {id(p) for p in known}:
        return
    message = (
        f"the optimizer holds parameters that are not the model's, and lacks {len(left_out)} "
        "of the model's: make it anew from model.parameters() whenever the model, or a layer "
        "of it, is replaced. Parameters to be left as they are get requires_grad = False."
    )
    if any(id(p) in held for p in known if p.requires_grad):
        warnings.warn(message, stacklevel=3)
    else:
        raise ValueError(message)


def check_numbers(x, y, loss):
    """Of a batch whose loss is not finite, find whether it has such numbers itself.

    Raises
    ------
    ValueError
        If it has.
    """
    for name, values in (("inputs x", x), ("targets y", y)):
        values = np.asarray(plain(values))
        if values.dtype.kind == "f" and not np.isfinite(values).all():
            raise ValueError(
                f"the loss became {loss.data} because of NaN or infinity among the {name}: "
                "np.isfinite(values) tells where, np.nan_to_num(values) replaces them."
            )
