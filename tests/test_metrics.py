"""Metrics against naive loops, numbers worked out by hand, and what must hold for any input."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from minigrad import metrics

CLASSES = 4
labels = hnp.arrays(np.uint8, st.integers(1, 30), elements=st.integers(0, CLASSES - 1))


@st.composite
def judged(draw):
    """Scores (N, 4), with ties, and targets (N,)."""
    targets = draw(labels)
    tenths = draw(hnp.arrays(np.int64, (len(targets), CLASSES), elements=st.integers(-5, 5)))
    return tenths / 10, targets


def softmax(scores):
    exp = np.exp(scores)
    return exp / exp.sum(axis=1, keepdims=True)


def naive_confusion(predicted, targets, classes):
    matrix = [[0] * classes for _ in range(classes)]
    for p, t in zip(predicted, targets):
        matrix[t][p] += 1
    return matrix


def naive_calibration_error(probabilities, targets, bins):
    """Guo et al. 2017, eq. 5, word for word."""
    error = 0
    for b in range(bins):
        inside = [(max(p), np.argmax(p) == t) for p, t in zip(probabilities, targets)]
        inside = [(c, right) for c, right in inside if b / bins < c <= (b + 1) / bins]
        if inside:
            confidence = sum(c for c, _ in inside) / len(inside)
            accuracy = sum(right for _, right in inside) / len(inside)
            error += len(inside) / len(targets) * abs(accuracy - confidence)
    return error


# ---- known numbers -------------------------------------------------------------------------------


def test_accuracy_takes_scores_and_labels():
    scores = np.array([[1, 3, 2], [9, 0, 0], [0, 1, 5]], np.float32)
    assert metrics.accuracy(scores, [1, 0, 0]) == 2 / 3
    assert metrics.accuracy(scores.argmax(axis=1), [1, 0, 0]) == 2 / 3
    assert type(metrics.accuracy(scores, [1, 0, 0])) is float


def test_top_k_counts_the_k_largest():
    outputs = [[0.1, 0.5, 0.4], [0.7, 0.2, 0.1], [0.3, 0.3, 0.4]]
    assert [metrics.top_k_accuracy(outputs, [2, 2, 2], k) for k in (1, 2, 3)] == [1 / 3, 2 / 3, 1]


def test_top_k_of_unsigned_integers_does_not_wrap():
    assert metrics.top_k_accuracy(np.array([[0, 200, 1]], np.uint8), [1], k=1) == 1


def test_confusion_matrix_has_actual_rows_and_predicted_columns():
    matrix = metrics.confusion_matrix(predicted=[2, 2, 0], targets=[1, 1, 0])
    np.testing.assert_array_equal(matrix, [[1, 0, 0], [0, 0, 2], [0, 0, 0]])


def test_confusion_matrix_of_bytes_does_not_overflow():
    label = np.full(300, 200, np.uint8)
    assert metrics.confusion_matrix(label, label)[200, 200] == 300


def test_confusion_matrix_takes_its_size_from_classes_scores_or_labels():
    assert metrics.confusion_matrix([0, 1], [1, 0], classes=5).shape == (5, 5)
    assert metrics.confusion_matrix([[1, 0, 0]], [0]).shape == (3, 3)
    assert metrics.confusion_matrix([0, 3], [0, 1]).shape == (4, 4)


def test_precision_recall_f1_of_a_worked_example():
    # Called 0: 3 + 2, of them right 3. Are 0: 3 + 1. Called 1: 1 + 4, right 4. Are 1: 2 + 4.
    precision, recall, f1 = metrics.precision_recall_f1([[3, 1], [2, 4]])
    np.testing.assert_allclose(precision, [3 / 5, 4 / 5])
    np.testing.assert_allclose(recall, [3 / 4, 4 / 6])
    np.testing.assert_allclose(f1, [2 / 3, 8 / 11])


def test_a_class_never_predicted_and_one_that_never_occurs_score_zero_without_a_warning():
    scores = metrics.precision_recall_f1([[2, 0, 1], [1, 0, 0], [0, 0, 0]])
    precision, recall, f1 = scores
    assert precision[1] == recall[1] == f1[1] == 0
    assert precision[2] == recall[2] == f1[2] == 0


def test_calibration_error_of_a_worked_example():
    # Bin (0.6, 0.7]: one wrong, |0 - 0.7|. Bin (0.9, 1]: three, two right, |2/3 - 1|. (10 bins)
    probabilities = [[0.7, 0.3], [1, 0], [1, 0], [1, 0]]
    error = metrics.expected_calibration_error(probabilities, [1, 0, 0, 1], bins=10)
    assert error == pytest.approx(0.25 * 0.7 + 0.75 / 3)


def test_a_confidence_on_an_edge_belongs_to_the_bin_below():
    for edge in (0.5, 0.6, 0.7, 0.8, 0.9, 1.0):
        _, _, count = metrics.calibration([[edge, 1 - edge]], [0], bins=10)
        assert count.argmax() == round(10 * edge) - 1


def test_report_has_aligned_lines_with_the_numbers_of_every_class():
    report = metrics.classification_report([[3, 1], [2, 4]])
    lines = report.splitlines()
    assert len({len(line) for line in lines}) == 1
    assert lines[0].split() == ["precision", "recall", "f1", "support"]
    assert lines[1].split() == ["0", "0.6000", "0.7500", "0.6667", "4"]
    assert lines[2].split() == ["1", "0.8000", "0.6667", "0.7273", "6"]
    assert lines[3].split() == ["mean", "0.7000", "0.7083", "0.6970", "10"]
    assert lines[4].split() == ["accuracy", "0.7000", "10"]


# ---- against naive loops, for any input ----------------------------------------------------------


@given(judged())
def test_accuracy_is_the_naive_count(case):
    scores, targets = case
    right = sum(int(np.argmax(row)) == t for row, t in zip(scores, targets))
    assert metrics.accuracy(scores, targets) == pytest.approx(right / len(targets))


@given(judged(), st.integers(1, CLASSES))
def test_top_k_is_the_naive_rank(case, k):
    scores, targets = case
    ranks = [sorted(range(CLASSES), key=lambda c: -row[c]).index(t) for row, t in zip(*case)]
    assert metrics.top_k_accuracy(scores, targets, k) == pytest.approx(np.mean(np.less(ranks, k)))


@given(judged())
def test_top_1_is_accuracy_and_top_all_is_1(case):
    assert metrics.top_k_accuracy(*case, k=1) == metrics.accuracy(*case)
    assert metrics.top_k_accuracy(*case, k=CLASSES) == 1


@given(judged())
def test_confusion_matrix_is_the_naive_count_and_sums_to_n(case):
    scores, targets = case
    matrix = metrics.confusion_matrix(scores, targets)
    assert matrix.tolist() == naive_confusion(scores.argmax(axis=1), targets, CLASSES)
    assert matrix.sum() == len(targets)
    assert np.trace(matrix) / matrix.sum() == pytest.approx(metrics.accuracy(scores, targets))


@given(judged())
def test_swapping_predicted_and_actual_swaps_precision_and_recall(case):
    matrix = metrics.confusion_matrix(*case)
    precision, recall, f1 = metrics.precision_recall_f1(matrix)
    swapped = metrics.precision_recall_f1(matrix.T)
    np.testing.assert_array_equal((recall, precision, f1), swapped)


@given(judged())
def test_f1_is_the_harmonic_mean(case):
    for p, r, f in zip(*metrics.precision_recall_f1(metrics.confusion_matrix(*case))):
        assert f == pytest.approx(2 * p * r / (p + r) if p + r else 0)


@given(judged(), st.integers(1, 20))
def test_calibration_error_is_the_naive_one(case, bins):
    probabilities, targets = softmax(case[0]), case[1]
    expected = naive_calibration_error(probabilities, targets, bins)
    error = metrics.expected_calibration_error(probabilities, targets, bins)
    assert error == pytest.approx(expected)
    assert 0 <= error <= 1


@given(judged(), st.randoms())
def test_the_order_of_the_samples_does_not_matter(case, random):
    scores, targets = case
    order = random.sample(range(len(targets)), len(targets))
    for metric in (metrics.accuracy, metrics.confusion_matrix):
        np.testing.assert_array_equal(
            metric(scores, targets), metric(scores[order], targets[order])
        )
    errors = [
        metrics.expected_calibration_error(softmax(scores[i]), targets[i])
        for i in (slice(None), order)
    ]
    assert errors[0] == pytest.approx(errors[1])


@given(labels)
def test_perfect_predictions_are_perfect(targets):
    certain = np.eye(CLASSES)[targets]
    matrix = metrics.confusion_matrix(certain, targets)
    assert metrics.accuracy(targets, targets) == 1
    assert metrics.expected_calibration_error(certain, targets) == 0
    np.testing.assert_array_equal(matrix, np.diag(np.bincount(targets, minlength=CLASSES)))
    np.testing.assert_array_equal(metrics.precision_recall_f1(matrix), [matrix.any(axis=0)] * 3)


@given(judged())
def test_inputs_are_left_as_they_were(case):
    scores, targets = case
    before = scores.copy(), targets.copy()
    metrics.top_k_accuracy(scores, targets, k=2)
    metrics.confusion_matrix(scores, targets)
    np.testing.assert_array_equal(scores, before[0])
    np.testing.assert_array_equal(targets, before[1])


# ---- what is refused -----------------------------------------------------------------------------


@pytest.mark.parametrize("metric", [metrics.accuracy, metrics.confusion_matrix])
@pytest.mark.parametrize(
    ("predicted", "targets", "error", "message"),
    [
        ([], [], ValueError, "predicted is empty"),
        (np.zeros((0, 3)), [], ValueError, "predicted is empty"),
        ([0, 1], [0], ValueError, "2 predictions for 1 targets"),
        ([0.0, 1.0], [0, 1], TypeError, "integer labels, got float64"),
        ([0, 1], [False, True], TypeError, "integer labels, got bool"),
        ([0, 1], [[1, 0], [0, 1]], ValueError, r"\.argmax\(axis=1\)"),
        ([0, 1], [0, -1], ValueError, "labels from -1 to 0"),
        ([[0.1, 0.9]], [2], ValueError, r"in 0\.\.1 \(2 classes\), got labels from 2 to 2"),
        ([[0.9]], [0], ValueError, "K >= 2 classes"),
        ([[np.nan, 1.0]], [0], ValueError, "hold NaN"),
        ([[1j, 1.0]], [0], TypeError, "real numbers"),
        (np.zeros((2, 3, 4)), [0, 1], ValueError, r"shape \(N,\), got \(2, 3, 4\)"),
    ],
)
def test_what_cannot_be_judged_is_refused(metric, predicted, targets, error, message):
    with pytest.raises(error, match=message):
        metric(predicted, targets)


def test_labels_beyond_the_given_classes_are_refused():
    with pytest.raises(ValueError, match=r"predicted must be in 0\.\.1"):
        metrics.confusion_matrix([0, 2], [0, 1], classes=2)


@pytest.mark.parametrize("k", [0, 4])
def test_k_out_of_range_is_refused(k):
    with pytest.raises(ValueError, match=r"k must lie in 1\.\.3"):
        metrics.top_k_accuracy(np.zeros((2, 3)), [0, 1], k)


@pytest.mark.parametrize("probabilities", [[[2.0, -1.0]], [[3.0, 5.0]], [[0.2, 0.2]]])
def test_scores_in_place_of_probabilities_are_refused(probabilities):
    with pytest.raises(ValueError, match="softmax"):
        metrics.expected_calibration_error(probabilities, [0])


def test_no_bins_are_refused():
    with pytest.raises(ValueError, match="bins expects an integer of 1 or more"):
        metrics.calibration([[0.5, 0.5]], [0], bins=0)


@pytest.mark.parametrize(
    "matrix", [[[1, 2, 3]], [1, 2], [[0.5, 0], [0, 1]], [[-1, 2], [0, 0]], [[0]]]
)
@pytest.mark.parametrize("metric", [metrics.precision_recall_f1, metrics.classification_report])
def test_what_is_no_confusion_matrix_is_refused(metric, matrix):
    with pytest.raises(ValueError, match="confusion matrix"):
        metric(matrix)
