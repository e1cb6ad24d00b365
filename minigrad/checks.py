"""Mistakes that training refuses by name, as they would show later, or elsewhere, or never."""

import warnings

import numpy as np

from .data.loader import is_plain
from .evaluation import (
    IGNORED,
    check_loss,
    count_targets,
    function_of,
    is_ours,
    loss_of,
    outputs_of,
    tensor_for,
)
from .nn import Module, Softmax
from .nn.checks import check_model
from .ops import cross_entropy
from .ops.shaping import plain
from .optim import Optimizer
from .random import use_generator


class LossNotFinite(ValueError):
    """The loss became NaN or infinite, though the batch has finite numbers alone."""


def check_data(model, loss, *loaders):
    """Run the model on one example of each loader, and look at all labels, before the first step.

    Of loaders that hand out their own arrays. Nothing is drawn from the default generator for it.

    Raises
    ------
    ValueError
        For a label that the model has no score for, and whatever the model raises, or the loss of
        the validation data.

    Warns
    -----
    UserWarning
        If the model ends with a Softmax, which cross_entropy already includes.
    """
    check_model("fit", model)
    function, options = function_of(loss)
    if function is cross_entropy and isinstance(model.modules()[-1], Softmax):
        warnings.warn(
            "cross_entropy expects scores before any Softmax: leave it out of the model; "
            "mg.softmax(scores) gives probabilities later.",
            stacklevel=3,
        )
    for loader in loaders:
        if not is_plain(loader):
            continue
        with model.evaluating(), use_generator(lambda: np.random.default_rng(0)):
            x, y = loader.in_order(step=0, size=1)
            scores = tensor_for(loss, model, outputs_of(model, x))
            if function is cross_entropy and np.ndim(scores) > 1 and loader.y.dtype.kind in "iu":
                _check_labels(loader.y, scores.shape[1], options.get("ignore_index", IGNORED))
            # The first step tells what the loss says of the training data. A loss of the user's own
            # may need more than one example.
            if is_ours(function) and loader is not loaders[0] and count_targets(y, loss)[1]:
                loss_of(loss, scores, y)


def _check_labels(y, number, ignored):
    used = y[y != ignored]
    wrong = used[(used < 0) | (used >= number)]
    if wrong.size:
        raise ValueError(
            f"the model gives {number} scores, so labels go from 0 to {number - 1}, but the data "
            f"has a label {wrong.flat[0]}, the first of {wrong.size}."
        )


def check_step(model, loss, optimizer):
    """Find what a step cannot be made of, such as an optimizer of another model's parameters.

    Raises
    ------
    TypeError, ValueError
        If one of them is none, the optimizer holds nothing that the model trains, or an option of
        it was changed to what its constructor refuses.

    Warns
    -----
    UserWarning
        If the optimizer lacks some of the model's parameters and holds others, as after a layer was
        replaced.
        The loss, if it is a Module, may have parameters of its own.
    """
    check_model("TrainStep", model)
    check_loss(loss)
    if not isinstance(optimizer, Optimizer):
        raise TypeError(
            "optimizer expects one such as mg.optim.Adam(model.parameters()), got "
            f"{optimizer!r:.80}."
        )
    for group in optimizer.param_groups:
        optimizer.check_limits(group)  # again: anyone may have changed an option
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


def check_schedule(schedule, optimizer):
    """Find what is no schedule, or one of another optimizer.

    Raises
    ------
    TypeError, ValueError
    """
    if isinstance(schedule, type) or not hasattr(schedule, "interval"):
        raise TypeError(
            f"schedule expects one such as mg.optim.StepLR(optimizer, 3), got {schedule!r:.80}."
        )
    if getattr(schedule, "optimizer", optimizer) is not optimizer:
        raise ValueError(
            f"{type(schedule).__name__} was made for another optimizer, whose learning rate it "
            "would change: make it with the optimizer that fit gets."
        )


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
