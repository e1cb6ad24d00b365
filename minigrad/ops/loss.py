"""Read 5 of 8: losses. cross_entropy is a row of the table; the others follow from primitives.

All take `reduction`: "mean" or "sum" of the losses, or "none" for the losses themselves.
"""

import numpy as np

from ..autograd import primitive
from .activation import log_softmax, softmax
from .elementwise import absolute, clip, exp, log, sigmoid, square, where
from .expect import array, real
from .shaping import like, moveaxis, of_list, plain, reshape


def _reduce(losses, reduction):
    if not isinstance(reduction, str) or reduction not in ("mean", "sum", "none"):
        raise ValueError(f'reduction expects "mean", "sum" or "none", got {reduction!r}.')
    if reduction == "none":
        return losses
    total = losses.sum()
    return total / losses.size if reduction == "mean" else total


def _matching(name, prediction, target):
    """The target in the dtype of the prediction; raises unless both have the same shape."""
    array(name, prediction)
    shape = np.shape(plain(target))
    if shape != prediction.shape:
        raise ValueError(
            f"{name} expects prediction and target of the same shape, got {prediction.shape} "
            f"and {shape}, which might broadcast by accident: reshape one of them."
        )
    return like(target, prediction)


# ---- for classes: cross_entropy, nll_loss --------------------------------------------------------


def _cross_entropy(logits, classes, *, reduction):
    """log(sum(exp(logits))) - logits[class] of each row, reduced: (N, K), (N,) -> (N,) or ()"""
    # The largest is taken out first, so that exp cannot overflow and no digit is lost.
    logits = logits - 1.0 * logits.max(axis=-1, keepdims=True)
    log_sums = np.log(np.exp(logits).sum(axis=-1))  # (N,)
    return _reduce(log_sums - logits[np.arange(len(logits)), classes], reduction)


def _soft_cross_entropy(logits, targets, *, reduction):
    """sum(targets * -log_softmax(logits)) of each row, reduced: (N, K), (N, K) -> (N,) or ()"""
    logits = logits - 1.0 * logits.max(axis=-1, keepdims=True)
    log_sums = np.log(np.exp(logits).sum(axis=-1, keepdims=True))  # (N, 1)
    distance = np.where(targets == 0, 0, log_sums - logits)  # no 0 * inf, where a logit is -inf
    return _reduce((targets * distance).sum(axis=-1), reduction)


def _by_row(g, x, reduction):
    """The gradient of each row's loss, given `g`, that of the reduced losses."""
    if reduction == "none":
        return g[:, None]  # (N, 1)
    return g / len(x) if reduction == "mean" else g


def _one_hot(classes, logits):
    """Rows of zeros, with a 1 at the class: (N, K)"""
    return (classes[:, None] == np.arange(logits.shape[1])).astype(logits.dtype)


# A table is read down its columns. Targets that are probabilities sum to 1, so that the gradient by
# the logits is softmax(x) - targets. The reduction is an option of the row, as an axis is of sum: a
# sum and a division as rows of their own would take 5 % of a small network's step.
# fmt: off
_class_row = primitive(_cross_entropy,
    lambda g, y, x, classes, **o: _by_row(g, x, **o) * (softmax(x) - _one_hot(classes, x)),
    name="cross_entropy", doc="-log(softmax(x))[class] of each row, or the mean or sum of all")
_soft_row = primitive(_soft_cross_entropy,
    lambda g, y, x, t, **o: _by_row(g, x, **o) * (softmax(x) * t.sum(1, keepdims=True) - t),
    lambda g, y, x, t, **o: -_by_row(g, x, **o) * log_softmax(x),
    name="soft_cross_entropy",
    doc="-sum(t * log(softmax(x))) of each row, or the mean or sum of all")
# fmt: on


def _check_classes(name, scores, targets, ignore_index=None):
    """Class indices as an integer array (N,), for scores (N, K)."""
    targets = np.asarray(plain(targets))
    if scores.ndim != 2 or targets.shape != scores.shape[:1] or targets.dtype.kind not in "iu":
        raise ValueError(
            f"{name} expects scores (N, K) and integer targets (N,), one for each row, got "
            f"{scores.shape} and {targets.dtype} {targets.shape}: reshape them, or make integers "
            "of floats and booleans by .astype(int)."
        )
    K = scores.shape[1]
    used = targets if ignore_index is None else targets[targets != ignore_index]
    if used.size and not 0 <= used.min() <= used.max() < K:
        raise ValueError(
            f"{name} of scores {scores.shape} expects targets from 0 to {K - 1}, "
            f"got {used.min()} to {used.max()}."
        )
    return targets


def cross_entropy(
    logits, targets, reduction="mean", label_smoothing=0.0, weight=None, ignore_index=-100
):
    """Mean of -log(softmax(logits)[target]): how surprised a classifier is by the right answers.

    Parameters
    ----------
    logits : (N, K) or (N, K, ...)
        Scores before any softmax, of each example or of each of its places.
    targets : integers (N,) or (N, ...), or probabilities of the logits' shape
    reduction : "mean", "sum" or "none"
    label_smoothing : float, 0 to 1
        The share of each target that is spread over all classes (Szegedy et al. 2016).
    weight : (K,), optional
        How much each class counts; the mean over class indices is then the weighted one.
    ignore_index : int
        Integer targets of this value count nothing.

    Raises
    ------
    ValueError
        For targets whose shape does not fit, class indices out of range, integers where
        probabilities are expected, and the mean of nothing where all targets are ignored.

    Examples
    --------
    >>> round(float(cross_entropy(np.zeros((1, 10)), np.array([3]))), 2)  # ln(10)
    2.3
    """
    array("cross_entropy", logits)
    label_smoothing = real("label_smoothing", label_smoothing, least=0, most=1)
    if logits.ndim > 2:
        options = (label_smoothing, weight, ignore_index)
        return _cross_entropy_of_places(logits, targets, reduction, *options)
    if weight is not None:
        weight = _check_weight(weight, logits)
    if logits.ndim == 2 and np.shape(plain(targets)) == logits.shape:
        targets = _check_probabilities(targets, logits)
        if label_smoothing:
            targets = _smoothed(targets, label_smoothing)
        if weight is not None:
            targets = targets * weight
        return _soft_row(logits, targets, reduction=reduction)
    classes = _check_classes("cross_entropy", logits, targets, ignore_index)
    used = classes != ignore_index
    if weight is None and used.all():
        if not label_smoothing:
            return _class_row(logits, classes, reduction=reduction)
        targets = _smoothed(_one_hot(classes, logits), label_smoothing)
        return _soft_row(logits, targets, reduction=reduction)
    return _weighted_cross_entropy(logits, classes, used, reduction, label_smoothing, weight)


def _smoothed(targets, label_smoothing):
    """A share of each row of targets, spread over all classes: (N, K)"""
    return targets * (1 - label_smoothing) + label_smoothing / targets.shape[1]


def _weighted_cross_entropy(logits, classes, used, reduction, label_smoothing, weight):
    """Each class index counts by the weight of its class, and not at all if it is not `used`."""
    weight = np.ones(logits.shape[1], logits.dtype) if weight is None else weight
    targets = _smoothed(_one_hot(classes, logits), label_smoothing) * weight  # (N, K)
    targets = targets * used[:, None]
    if reduction != "mean":
        return _soft_row(logits, targets, reduction=reduction)
    total = float(weight[classes[used]].sum())
    if total == 0:
        raise ValueError(
            "cross_entropy expects a target that counts for a mean, but all are ignore_index or of "
            'weight 0: leave such a batch out, or use reduction="sum".'
        )
    return _soft_row(logits, targets, reduction="sum") / total


def _cross_entropy_of_places(logits, targets, reduction, *options):
    """The cross-entropy of scores (N, K, ...), each place as a row of its own."""
    rows = moveaxis(logits, 1, -1)  # (N, ..., K)
    places = rows.shape[:-1]
    shape = np.shape(plain(targets))
    if shape == logits.shape:
        targets = reshape(moveaxis(targets, 1, -1), (-1, rows.shape[-1]))
    elif shape == places:
        targets = np.asarray(plain(targets)).reshape(-1)
    else:
        raise ValueError(
            f"cross_entropy of scores {logits.shape}, with the classes in axis 1, expects integer "
            f"targets {places} or probabilities {logits.shape}, got targets {shape}."
        )
    losses = cross_entropy(reshape(rows, (-1, rows.shape[-1])), targets, reduction, *options)
    return reshape(losses, places) if reduction == "none" else losses


def _check_probabilities(targets, logits):
    """Targets of the logits' shape, in their dtype."""
    dtype = np.asarray(plain(targets)).dtype
    if dtype.kind != "f":
        raise ValueError(
            f"cross_entropy got targets of {dtype} in the shape of the logits, {logits.shape}. "
            "Class indices have shape (N,): targets.argmax(axis=1) gives those of one-hot rows. "
            "Probabilities are floats: targets.astype(np.float32)."
        )
    return like(targets, logits)


def _check_weight(weight, logits):
    """A weight for each class, in the dtype of the logits."""
    weight = of_list(plain(weight), logits.dtype)
    if weight.shape != logits.shape[1:]:
        raise ValueError(
            f"cross_entropy of scores {logits.shape} expects weight= of shape {logits.shape[1:]}, "
            f"one for each class, got {weight.shape}."
        )
    return weight


def nll_loss(log_probabilities, targets, reduction="mean"):
    """Mean of -log_probabilities[target]: cross_entropy for outputs of log_softmax.

    Examples
    --------
    >>> round(float(nll_loss(np.log(np.array([[0.5, 0.5]])), np.array([1]))), 3)
    0.693
    """
    array("nll_loss", log_probabilities)
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
    delta = real("delta", delta, above=0)
    near = clip(distance, -delta, delta)
    losses = near * (distance - near / 2)  # near: d ** 2 / 2, far: delta * (|d| - delta / 2)
    return _reduce(losses, reduction)


# ---- for probabilities: binary_cross_entropy_with_logits, kl_div ---------------------------------


def _binary_cross_entropy(x, t, *, reduction):
    """log(1 + exp(x)) - t * x, reduced; 1 + exp(-abs(x)) cannot overflow"""
    return _reduce(np.maximum(x, 0) - x * t + np.log1p(np.exp(-1.0 * np.abs(x))), reduction)


def _by_element(g, x, reduction):
    """The gradient of each element's loss, given `g`, that of the reduced losses."""
    return g / x.size if reduction == "mean" else g


# A table is read down its columns. (Derived from softplus it took 24 times as long.)
# fmt: off
_binary_row = primitive(_binary_cross_entropy,
    lambda g, y, x, t, **o: _by_element(g, x, **o) * (sigmoid(x) - t),
    lambda g, y, x, t, **o: -_by_element(g, x, **o) * x,
    name="binary_cross_entropy", doc="-log(sigmoid(x)) where t is 1, -log(1 - sigmoid(x)) where 0")
# fmt: on


def binary_cross_entropy_with_logits(logits, targets, reduction="mean"):
    """Mean of -log(sigmoid(logits)) where the target is 1, and of -log(1 - sigmoid) where it is 0.

    Examples
    --------
    >>> round(float(binary_cross_entropy_with_logits(np.array([0.0]), np.array([1.0]))), 3)
    0.693
    """
    targets = _matching("binary_cross_entropy_with_logits", logits, targets)
    return _binary_row(logits, targets, reduction=reduction)


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
