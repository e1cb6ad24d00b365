"""Metrics: how good are the answers of a classifier?

Everything here is plain NumPy on plain arrays. Labels are integers counted from 0; the outputs of a
network are scores of shape (N, K), one column per class; the largest score of a row is the answer.
What cannot be judged (empty input, NaN, labels out of range) raises an error.
"""

import numpy as np

from .ops.expect import whole

# ---- right or wrong: accuracy, top_k_accuracy ----------------------------------------------------


def accuracy(predicted, targets):
    """Share of the answers that are right, from 0 to 1.

    Parameters
    ----------
    predicted : array, (N, K) scores or (N,) integer labels
        Of two equal scores the first wins, as in `np.argmax`.
    targets : array of integers, (N,)

    Returns
    -------
    float

    Raises
    ------
    ValueError, TypeError
        For empty input, wrong shapes, NaN among the scores, labels that are not integers or are out
        of range. All metrics here do the same.

    Examples
    --------
    >>> accuracy([[0.1, 0.9], [0.8, 0.2]], [1, 1])
    0.5
    >>> accuracy([3, 1, 4, 1], [3, 1, 4, 2])
    0.75
    """
    predicted, targets, _ = check_answers(predicted, targets)
    return float(np.mean(predicted == targets))


def top_k_accuracy(outputs, targets, k=5):
    """Share of the samples whose true class is among the `k` largest scores.

    Parameters
    ----------
    outputs : array, (N, K)
        Scores; of equal ones the first counts as larger, so that `k=1` is `accuracy`.
    targets : array of integers, (N,)
    k : int, from 1 to K

    Returns
    -------
    float

    Examples
    --------
    >>> outputs = [[0.1, 0.7, 0.2], [0.6, 0.3, 0.1]]
    >>> top_k_accuracy(outputs, [2, 2], k=2)
    0.5
    """
    check_order(outputs, targets)
    outputs = _check_scores(outputs)
    _, targets, classes = check_answers(outputs, targets)
    if not 1 <= whole("k", k) <= classes:
        raise ValueError(f"k must lie in 1..{classes}, the number of classes, got {k}.")
    best = np.argsort(-outputs, axis=1, kind="stable")[:, :k]  # (N, k)
    return float(np.mean((best == targets[:, None]).any(axis=1)))


# ---- per class: confusion_matrix, precision_recall_f1, classification_report ---------------------


def confusion_matrix(predicted, targets, classes=None):
    """Count the samples of each class by the class predicted: rows actual, columns predicted.

    Parameters
    ----------
    predicted : array, (N, K) scores or (N,) integer labels
    targets : array of integers, (N,)
        The actual labels.
    classes : int, optional
        Rows and columns of the matrix. If left out: K, or the largest label plus 1.

    Returns
    -------
    array of integers, (classes, classes)
        Entry [a, p] is the number of samples of class a that were called p.

    Examples
    --------
    >>> confusion_matrix(predicted=[0, 1, 1, 2], targets=[0, 1, 2, 2])
    array([[1, 0, 0],
           [0, 1, 0],
           [0, 1, 1]])
    """
    predicted, targets, classes = check_answers(predicted, targets, classes)
    cells = np.bincount(targets * classes + predicted, minlength=classes**2)
    return cells.reshape(classes, classes)


def precision_recall_f1(matrix):
    """Precision, recall and F1 of every class, from its confusion matrix.

    Precision: of those called c, the share that are c. Recall: of those that are c, the share
    called c. F1: their harmonic mean, `2 p r / (p + r)`. Where one is undefined, because a class
    was never predicted or never occurs, it is 0.

    Parameters
    ----------
    matrix : array of integers, (K, K)
        Rows actual, columns predicted, as `confusion_matrix` gives it.

    Returns
    -------
    precision, recall, f1 : arrays of float64, (K,)

    Examples
    --------
    >>> precision, recall, f1 = precision_recall_f1([[4, 0], [1, 3]])
    >>> precision, recall
    (array([0.8, 1. ]), array([1.  , 0.75]))
    """
    matrix = check_matrix(matrix)
    right = np.diagonal(matrix)  # (K,)
    predicted = matrix.sum(axis=0)
    actual = matrix.sum(axis=1)
    # Where a denominator is 0, so is its numerator: dividing by 1 instead gives the promised 0.
    precision = right / np.maximum(predicted, 1)
    recall = right / np.maximum(actual, 1)
    f1 = 2 * right / np.maximum(predicted + actual, 1)
    return precision, recall, f1


def classification_report(matrix):
    """A table to print: precision, recall, F1 and number of samples (support) of every class.

    Below the classes come their unweighted mean and the accuracy over all samples.

    Parameters
    ----------
    matrix : array of integers, (K, K)
        Rows actual, columns predicted, as `confusion_matrix` gives it.

    Returns
    -------
    str

    Examples
    --------
    >>> print(classification_report([[4, 0], [1, 3]]))
              precision  recall      f1  support
    0            0.8000  1.0000  0.8889        4
    1            1.0000  0.7500  0.8571        4
    mean         0.9000  0.8750  0.8730        8
    accuracy                     0.8750        8
    """
    matrix = check_matrix(matrix)
    scores = np.stack(precision_recall_f1(matrix), axis=1)  # (K, 3)
    total = matrix.sum()
    names = [*range(len(matrix)), "mean"]
    rows = [*scores, scores.mean(axis=0)]
    counts = [*matrix.sum(axis=1), total]
    lines = [f"{'':8}  precision  recall      f1  support"]
    for name, (precision, recall, f1), count in zip(names, rows, counts):
        lines.append(f"{name!s:8}  {precision:9.4f}  {recall:6.4f}  {f1:6.4f}  {count:7}")
    right = np.trace(matrix) / total
    lines.append(f"accuracy  {'':9}  {'':6}  {right:6.4f}  {total:7}")
    return "\n".join(lines)


# ---- sure or right: calibration, expected_calibration_error --------------------------------------


def calibration(probabilities, targets, bins=15):
    """How often the network was right, for answers grouped by how sure it was of them.

    Parameters
    ----------
    probabilities : array, (N, K)
        Rows that sum to 1: the softmax of a network's outputs. The largest is the confidence.
    targets : array of integers, (N,)
    bins : int
        Number of equal intervals of the confidence; bin b is (b / bins, (b + 1) / bins].

    Returns
    -------
    confidence, accuracy : arrays of float64, (bins,)
        Means within each bin, 0 where it is empty.
    count : array of integers, (bins,)

    Examples
    --------
    >>> calibration([[0.6, 0.4], [0.1, 0.9], [0.3, 0.7]], [0, 1, 0], bins=2)
    (array([0.        , 0.73333333]), array([0.        , 0.66666667]), array([0, 3]))
    """
    check_order(probabilities, targets)
    probabilities = check_probabilities(probabilities)
    predicted, targets, _ = check_answers(probabilities, targets)
    whole("bins", bins, least=1)
    confidence = probabilities.max(axis=1)
    index = np.searchsorted(np.arange(1, bins) / bins, confidence)  # (N,)
    count = np.bincount(index, minlength=bins)
    right = np.bincount(index, predicted == targets, minlength=bins)
    mass = np.bincount(index, confidence, minlength=bins)
    divisor = np.maximum(count, 1)  # an empty bin has sums of 0, and means of 0
    return mass / divisor, right / divisor, count


def expected_calibration_error(probabilities, targets, bins=15):
    """Mean distance between how sure the network was and how often it was right, from 0 to 1.

    The bins of `calibration`, weighted by their numbers of samples:
    `sum_b n_b / N |accuracy_b - confidence_b|`. 0.02 means that the confidences are off by
    2 percentage points on average.

    Parameters
    ----------
    probabilities : array, (N, K)
        Rows that sum to 1: the softmax of a network's outputs.
    targets : array of integers, (N,)
    bins : int

    Returns
    -------
    float

    References
    ----------
    Guo, Pleiss, Sun, Weinberger: On calibration of modern neural networks (ICML 2017), eq. 5.

    Examples
    --------
    >>> round(expected_calibration_error([[0.75, 0.25]] * 4, [0, 0, 1, 1]), 3)
    0.25
    """
    confidence, right, count = calibration(probabilities, targets, bins)
    return float(count @ np.abs(right - confidence) / count.sum())


# ---- checks of the input: check_answers, check_order, check_labels, check_probabilities, ... -----


def check_answers(predicted, targets, classes=None):
    """Answers and targets as labels (N,), and the number of classes; raises if they do not fit."""
    check_order(predicted, targets)
    if classes is not None:
        whole("classes", classes, least=1)
    predicted = np.asarray(predicted)
    if predicted.ndim == 2:
        classes = classes or predicted.shape[1]
        predicted = _check_scores(predicted).argmax(axis=1)
    predicted = check_labels(predicted, "predicted", classes)
    targets = check_labels(targets, "targets", classes)
    if len(predicted) != len(targets):
        raise ValueError(
            f"Got {len(predicted)} predictions for {len(targets)} targets: each prediction needs "
            "the target of its own example."
        )
    if not classes:
        classes = int(max(predicted.max(), targets.max())) + 1
    return predicted, targets, classes


def check_order(predicted, targets):
    """Raises where labels come first and scores second: that can only be the wrong order."""
    if np.ndim(predicted) == 1 and np.ndim(targets) == 2:
        raise ValueError(
            "the answers come first and then the targets, as in accuracy(predicted, targets): "
            f"got labels of shape {np.shape(predicted)} first, and then {np.shape(targets)}, which "
            "looks like scores. Targets in rows become labels by rows.argmax(axis=1)."
        )


def check_labels(labels, name, classes=None):
    """Labels (N,) as integers; raises, naming them `name`, if they are not, or are out of range."""
    labels = np.asarray(labels)
    if labels.size == 0:
        raise ValueError(f"{name} is empty, so there is nothing to judge.")
    if labels.ndim != 1:
        raise ValueError(
            f"{name} must have shape (N,), got {labels.shape}. "
            "Rows of scores become labels by rows.argmax(axis=1)."
        )
    if labels.dtype.kind not in "iu":
        raise TypeError(f"{name} must be integer labels, got {labels.dtype}: use .astype(int).")
    low, high = labels.min(), labels.max()
    if classes is not None and (low < 0 or high >= classes):
        raise ValueError(
            f"{name} must be in 0..{classes - 1} ({classes} classes), "
            f"got labels from {low} to {high}."
        )
    if low < 0:
        raise ValueError(f"{name} must be 0 or more, got labels from {low} to {high}.")
    return labels.astype(np.intp)


def check_probabilities(probabilities):
    """Probabilities (N, K) as float64; raises unless the rows are >= 0 and sum to about 1."""
    probabilities = _check_scores(probabilities)
    if (probabilities < 0).any() or (np.abs(probabilities.sum(axis=1) - 1) > 0.01).any():
        raise ValueError("Rows of probabilities must be >= 0 and sum to 1: take softmax of scores.")
    return probabilities


def _check_scores(outputs):
    """Scores (N, K) as float64; raises if their shape is wrong or a row has no largest score."""
    outputs = np.asarray(outputs)
    if outputs.ndim != 2 or outputs.shape[1] < 2:
        raise ValueError(
            f"Scores must be (N, K) for K >= 2 classes, got {outputs.shape}. "
            "Single scores become labels by (score > 0).astype(int)."
        )
    if outputs.dtype.kind not in "fiu":
        raise TypeError(f"Scores must be real numbers, got {outputs.dtype}.")
    if np.isnan(outputs).any():
        raise ValueError("The scores hold NaN: none is the largest. Has the training diverged?")
    return outputs.astype(np.float64)


def check_matrix(matrix):
    """A confusion matrix (K, K) as int64; raises unless it is square and of counts, not all 0."""
    matrix = np.asarray(matrix)
    square = matrix.ndim == 2 and matrix.shape[0] == matrix.shape[1]
    if not square or matrix.dtype.kind not in "iu" or (matrix < 0).any() or not matrix.any():
        raise ValueError(
            "A confusion matrix must hold (K, K) counts, not all 0, "
            f"got {matrix.dtype} of shape {matrix.shape}: make one with confusion_matrix."
        )
    return matrix.astype(np.int64)
