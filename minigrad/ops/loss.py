"""Read 5 of 8: losses. cross_entropy is a row of the table; the others follow from primitives.

All take `reduction`: "mean" or "sum" of the losses, or "none" for the losses themselves.
"""

import numpy as np

from ..autograd import primitive
from .activation import log_softmax, softmax, softplus
from .elementwise import absolute, clip, exp, log, square, where
from .shaping import like, plain


def _reduce(losses, reduction):
    if reduction not in ("mean", "sum", "none"):
        raise ValueError(f'reduction expects "mean", "sum" or "none", got {reduction!r}.')
    if reduction == "none":
        return losses
    total = losses.sum()
    return total / losses.size if reduction == "mean" else total


def _matching(name, prediction, target):
    """The target in the dtype of the prediction; raises unless both have the same shape."""
    shape = np.shape(plain(target))
    if shape != prediction.shape:
        raise ValueError(
            f"{name} expects prediction and target of the same shape, got {prediction.shape} "
            f"and {shape}, which might broadcast by accident: reshape one of them."
        )
    return like(target, prediction)


# ---- for classes: cross_entropy, nll_loss --------------------------------------------------------


def _cross_entropy(logits, targets, *, reduction):
    """sum(targets * -log_softmax(logits)) of each row, reduced: (N, K), (N, K) -> (N,) or ()"""
    top = logits.max(axis=-1, keepdims=True)  # taken out first, so that exp cannot overflow
    log_sum = np.log(np.exp(logits - top).sum(axis=-1, keepdims=True)) + top  # (N, 1)
    losses = (targets * (log_sum - logits)).sum(axis=-1)  # (N,)
    return _reduce(losses, reduction)


def _by_row(g, x, reduction):
    """The gradient of each row's loss, given `g`, that of the reduced losses."""
    if reduction == "none":
        return g[:, None]  # (N, 1)
    return g / len(x) if reduction == "mean" else g


# A table is read down its columns. For targets that are probabilities, t.sum(1) is 1, and the
# gradient by the logits is softmax(x) - t. The reduction is an option of the row, as an axis is of
# sum: a sum and a division as rows of their own would take 5 % of a small network's step.
# fmt: off
_soft_cross_entropy = primitive(_cross_entropy,
    lambda g, y, x, t, **o: _by_row(g, x, **o) * (softmax(x) * t.sum(1, keepdims=True) - t),
    lambda g, y, x, t, **o: -_by_row(g, x, **o) * log_softmax(x),
    doc="-sum(t * log(softmax(x))) of each row, or the mean or sum of all")
# fmt: on


def _check_classes(name, scores, targets):
    """Class indices as an integer array (N,), for scores (N, K)."""
    targets = np.asarray(plain(targets))
    if scores.ndim != 2 or targets.shape != scores.shape[:1] or targets.dtype.kind not in "iu":
        raise ValueError(
            f"{name} expects scores (N, K) and integer targets (N,), one for each row, got "
            f"{scores.shape} and {targets.dtype} {targets.shape}: reshape them."
        )
    N, K = scores.shape
    if N and not 0 <= targets.min() <= targets.max() < K:
        raise ValueError(
            f"{name} of scores {scores.shape} expects targets from 0 to {K - 1}, "
            f"got {targets.min()} to {targets.max()}."
        )
    return targets


def cross_entropy(logits, targets, reduction="mean", label_smoothing=0.0):
    """Mean of -log(softmax(logits)[target]): how surprised a classifier is by the right answers.

    Parameters
    ----------
    logits : (N, K)
        Scores before any softmax.
    targets : integers (N,), or probabilities (N, K)
    reduction : "mean", "sum" or "none"
    label_smoothing : float, 0 to 1
        The share of each target that is spread over all classes (Szegedy et al. 2016).

    Raises
    ------
    ValueError
        For targets whose shape does not fit, or class indices out of range.

    Examples
    --------
    >>> round(float(cross_entropy(np.zeros((1, 10)), np.array([3]))), 2)  # ln(10)
    2.3
    """
    if not 0 <= label_smoothing <= 1:
        raise ValueError(f"label_smoothing expects a share from 0 to 1, got {label_smoothing}.")
    if logits.ndim == 2 and np.shape(plain(targets)) == logits.shape:
        targets = like(targets, logits)
    else:
        classes = _check_classes("cross_entropy", logits, targets)
        one_hot = classes[:, None] == np.arange(logits.shape[1])  # (N, K)
        targets = one_hot.astype(logits.dtype)
    if label_smoothing:
        targets = targets * (1 - label_smoothing) + label_smoothing / logits.shape[1]
    return _soft_cross_entropy(logits, targets, reduction=reduction)


def nll_loss(log_probabilities, targets, reduction="mean"):
    """Mean of -log_probabilities[target]: cross_entropy for outputs of log_softmax.

    Examples
    --------
    >>> round(float(nll_loss(np.log(np.array([[0.5, 0.5]])), np.array([1]))), 3)
    0.693
    """
    targets = _check_classes("nll_loss", log_probabilities, targets)
    chosen = log_probabilities[np.arange(len(targets)), targets]  # (N,)
    return _reduce(-chosen, reduction)


# ---- for numbers: mse_loss, l1_loss, huber_loss --------------------------------------------------


def mse_loss(prediction, target, reduction="mean"):
    """Mean of (prediction - target) ** 2; both of the same shape.

    Examples
    --------
    >>> float(mse_loss(np.array([1.0, 2.0]), np.array([1.0, 4.0])))
    2.0
    """
    return _reduce(square(prediction - _matching("mse_loss", prediction, target)), reduction)


def l1_loss(prediction, target, reduction="mean"):
    """Mean of |prediction - target|; both of the same shape.

    Examples
    --------
    >>> float(l1_loss(np.array([1.0, 2.0]), np.array([1.0, 4.0])))
    1.0
    """
    return _reduce(absolute(prediction - _matching("l1_loss", prediction, target)), reduction)


def huber_loss(prediction, target, reduction="mean", delta=1.0):
    """Half the squared distance up to `delta`, linear beyond (Huber 1964).

    Examples
    --------
    >>> float(huber_loss(np.array([0.0, 0.0]), np.array([1.0, 3.0])))
    1.5
    """
    distance = prediction - _matching("huber_loss", prediction, target)
    near = clip(distance, -delta, delta)
    losses = near * (distance - near / 2)  # near: d ** 2 / 2, far: delta * (|d| - delta / 2)
    return _reduce(losses, reduction)


# ---- for probabilities: binary_cross_entropy_with_logits, kl_div ---------------------------------


def binary_cross_entropy_with_logits(logits, targets, reduction="mean"):
    """Mean of -log(sigmoid(logits)) where the target is 1, and of -log(1 - sigmoid) where it is 0.

    Examples
    --------
    >>> round(float(binary_cross_entropy_with_logits(np.array([0.0]), np.array([1.0]))), 3)
    0.693
    """
    targets = _matching("binary_cross_entropy_with_logits", logits, targets)
    # softplus(-logits) is -log(sigmoid(logits)), without overflow.
    losses = targets * softplus(-logits) + (1 - targets) * softplus(logits)
    return _reduce(losses, reduction)


def kl_div(log_probabilities, targets, reduction="mean", log_target=False):
    """targets * (log(targets) - log_probabilities), 0 where the target is 0, as in PyTorch.

    `reduction` also takes "batchmean", the sum divided by the length of the first axis, which is
    the divergence of Kullback and Leibler (1951); "mean" divides by the number of elements.
    With `log_target`, the targets are logarithms of probabilities too.

    Examples
    --------
    >>> p = np.array([[0.5, 0.5]])
    >>> float(kl_div(np.log(p), p))
    0.0
    """
    targets = _matching("kl_div", log_probabilities, targets)
    if log_target:
        losses = exp(targets) * (targets - log_probabilities)
    else:
        logs = log(where(plain(targets) > 0, targets, 1))  # 0 where the target is 0
        losses = targets * (logs - log_probabilities)
    if reduction == "batchmean":
        return losses.sum() / len(losses)
    return _reduce(losses, reduction)
