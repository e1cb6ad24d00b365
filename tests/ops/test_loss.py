"""Losses beyond the table of cases: known values, dtypes, reductions, errors."""

import numpy as np
import pytest

import minigrad as mg
from minigrad import Tensor, gradients

LOGITS = np.array([[1.0, 2.0, 0.5], [0.1, -1.0, 3.0]])


def test_of_no_knowledge_is_the_logarithm_of_the_number_of_classes():
    assert mg.cross_entropy(np.zeros((4, 10)), np.arange(4)) == pytest.approx(np.log(10))


def test_pytorchs_values():
    """Computed once with torch.nn.functional 2.13 in float64."""
    classes, p = np.array([2, 0]), np.array([[0.2, 0.3, 0.5], [0.6, 0.4, 0.0]])
    logs = np.log(np.array([[0.3, 0.3, 0.4], [0.5, 0.25, 0.25]]))
    for got, expected in [
        (mg.cross_entropy(LOGITS, classes), 2.467571501534218),
        (mg.cross_entropy(LOGITS, classes, label_smoothing=0.1), 2.4042381682008847),
        (mg.cross_entropy(LOGITS, p, reduction="sum"), 4.825143003068437),
        (mg.nll_loss(logs, classes), 0.8047189562170501),
        (mg.kl_div(logs, p), 0.05464552330168982),
        (mg.kl_div(logs, p, reduction="batchmean"), 0.16393656990506947),
        (mg.huber_loss(LOGITS, p, delta=0.5), 0.5125000000000001),
        (mg.binary_cross_entropy_with_logits(LOGITS, p), 1.3017520636511397),
        (mg.l1_loss(LOGITS, p), 1.2333333333333334),
        (mg.mse_loss(LOGITS, p, reduction="sum"), 14.739999999999998),
    ]:
        assert float(got) == pytest.approx(expected, rel=1e-12)


LOSSES = [
    mg.mse_loss,
    mg.l1_loss,
    mg.huber_loss,
    mg.binary_cross_entropy_with_logits,
    mg.kl_div,
    mg.cross_entropy,
]


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("targets", [np.float64, np.float32, np.uint8, list])
def test_the_targets_do_not_change_the_dtype(loss, targets):
    values = np.array([[0.0, 1.0], [1.0, 0.0]])
    values = values.tolist() if targets is list else values.astype(targets)
    if loss is mg.cross_entropy and targets is np.uint8:
        values = values.argmax(axis=1)
    x = Tensor(np.array([[-0.5, -0.2], [-1.0, -0.7]], np.float32), requires_grad=True)
    y = loss(x, values)
    assert y.dtype == np.float32
    assert gradients(y, [x])[0].dtype == np.float32


@pytest.mark.parametrize("loss", LOSSES)
def test_reductions(loss):
    x, p = np.array([[-0.5, -0.2], [-1.0, -0.7]]), np.array([[0.3, 0.7], [1.0, 0.0]])
    each = loss(x, p, reduction="none")
    assert each.shape == ((2,) if loss is mg.cross_entropy else (2, 2))
    assert loss(x, p) == pytest.approx(each.mean())
    assert loss(x, p, "sum") == pytest.approx(each.sum())
    with pytest.raises(ValueError, match="avg"):
        loss(x, p, reduction="avg")


@pytest.mark.parametrize("loss", LOSSES[:-1])
def test_shapes_that_broadcast_by_accident_raise(loss):
    for x, target in ((3,), (3, 1)), ((3, 1), (3,)), ((3,), ()):
        with pytest.raises(ValueError, match="by accident"):
            loss(np.zeros(x), np.ones(target))


@pytest.mark.parametrize("loss", [mg.cross_entropy, mg.nll_loss])
@pytest.mark.parametrize(
    ("scores", "targets", "reason"),
    [
        ((2, 3), np.array([0, 3]), "from 0 to 2"),
        ((2, 3), np.array([-1, 0]), "from 0 to 2"),
        ((2, 3), np.array([0.0, 1.0]), "integer targets"),
        ((2, 3), np.array([[0], [1]]), "shape"),
        ((2, 3), np.array([0, 1, 2]), "shape"),
        ((3,), np.array(0), "reshape"),
        ((2, 3, 3), np.zeros((2, 2), int), r"reshape|\(2, 3\)"),
    ],
)
def test_wrong_classes_raise(loss, scores, targets, reason):
    with pytest.raises(ValueError, match=reason):
        loss(np.zeros(scores), targets)


def test_classes_may_be_a_list_or_a_tensor():
    expected = mg.cross_entropy(LOGITS, np.array([2, 0]))
    assert mg.cross_entropy(LOGITS, [2, 0]) == expected
    assert mg.cross_entropy(LOGITS, Tensor(np.array([2, 0]))).item() == expected


@pytest.mark.parametrize("dtype", [int, bool, np.uint8])
def test_integers_in_the_shape_of_the_logits_are_no_probabilities(dtype):
    with pytest.raises(ValueError, match=r"argmax\(axis=1\).*astype\(np.float32\)"):
        mg.cross_entropy(LOGITS, np.eye(2, 3, dtype=dtype))


@pytest.mark.parametrize("offset", [20, 1e3, 1e5])
def test_a_large_offset_of_the_logits_costs_no_digits(offset):
    """Adding a number to a row of logits changes nothing; float32 keeps what is left of them."""
    logits = (LOGITS + offset).astype(np.float32)
    for targets in np.array([2, 0]), np.array([[0.2, 0.3, 0.5], [0.6, 0.4, 0.0]]):
        exact = mg.cross_entropy(logits.astype(np.float64), targets)
        assert float(mg.cross_entropy(logits, targets)) == pytest.approx(float(exact), rel=3e-7)


def test_options_that_are_numpy_scalars_leave_float32_as_it_is():
    logits = Tensor(LOGITS.astype(np.float32))
    share = np.float64(0.5)
    for loss in (
        mg.cross_entropy(logits, np.array([2, 0]), label_smoothing=share),
        mg.huber_loss(logits, LOGITS + 1, delta=share),
    ):
        assert loss.dtype == np.float32


def test_a_logit_of_minus_infinity_is_a_class_that_is_ruled_out():
    logits = np.array([[1.0, -np.inf, 2.0], [-np.inf, 0.0, -np.inf]])
    shown = np.array([[1.0, 2.0]])
    for targets in np.array([2, 1]), np.array([[0.0, 0.0, 1.0], [0.0, 1.0, 0.0]]):
        x = Tensor(logits, requires_grad=True)
        each = mg.cross_entropy(x, targets, "none")
        assert each.data.tolist() == [mg.cross_entropy(shown, [1]), 0]
        (g,) = gradients(each, [x], np.ones(2))
        assert np.isfinite(g).all()
        assert g[0, 1] == 0
    assert mg.cross_entropy(logits, np.array([1, 1]), "none").tolist() == [np.inf, 0]


def by_hand(logits, classes, weight, ignore_index, smoothing):
    """Losses and counts of each row, in loops: as in PyTorch's documentation."""
    losses, counts = [], []
    for row, c in zip(logits, classes, strict=True):
        logs = row - np.log(np.sum(np.exp(row)))
        if c == ignore_index:
            losses.append(0.0)
            counts.append(0.0)
        else:
            spread = -np.sum(weight * logs) / len(row)
            losses.append((1 - smoothing) * -weight[c] * logs[c] + smoothing * spread)
            counts.append(weight[c])
    return np.array(losses), np.array(counts)


@pytest.mark.parametrize("weight", [None, np.array([0.5, 2.0, 3.0])])
@pytest.mark.parametrize("ignore_index", [-100, 1])
@pytest.mark.parametrize("smoothing", [0.0, 0.2])
def test_weights_and_ignored_classes(weight, ignore_index, smoothing):
    logits = np.random.default_rng(0).normal(size=(6, 3))
    classes = np.array([0, 1, 2, 1, 0, 0 if ignore_index == 1 else -100])
    ones = np.ones(3) if weight is None else weight
    losses, counts = by_hand(logits, classes, ones, ignore_index, smoothing)
    options = {"weight": weight, "ignore_index": ignore_index, "label_smoothing": smoothing}
    for reduction, expected in [
        ("none", losses),
        ("sum", losses.sum()),
        ("mean", losses.sum() / counts.sum()),
    ]:
        found = mg.cross_entropy(logits, classes, reduction, **options)
        np.testing.assert_allclose(found, expected, rtol=1e-12)
        loss = lambda x, r=reduction: mg.sum(mg.cross_entropy(x, classes, r, **options))
        assert mg.gradcheck(loss, [logits])


def test_weights_of_probabilities_weigh_their_terms():
    p, weight = np.array([[0.2, 0.3, 0.5], [0.6, 0.4, 0.0]]), np.array([0.5, 2.0, 3.0])
    logs = LOGITS - np.log(np.exp(LOGITS).sum(1, keepdims=True))
    found = mg.cross_entropy(LOGITS, p, weight=weight)
    assert found == pytest.approx(-(weight * p * logs).sum() / 2, rel=1e-12)


def test_a_mean_of_nothing_says_so():
    for options in {"ignore_index": 1}, {"weight": np.array([1.0, 0.0, 1.0])}:
        with pytest.raises(ValueError, match="a target that counts"):
            mg.cross_entropy(LOGITS, np.array([1, 1]), **options)
        assert mg.cross_entropy(LOGITS, np.array([1, 1]), "sum", **options) == 0


def test_a_weight_for_each_class_is_asked_for():
    with pytest.raises(ValueError, match=r"weight= of shape \(3,\).*got \(2,\)"):
        mg.cross_entropy(LOGITS, np.array([2, 0]), weight=np.ones(2))


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
def test_scores_of_many_places_have_their_classes_in_axis_1(reduction):
    rng = np.random.default_rng(0)
    scores, classes = rng.normal(size=(2, 4, 3, 5)), rng.integers(0, 4, (2, 3, 5))
    rows = scores.transpose(0, 2, 3, 1).reshape(-1, 4)
    expected = mg.cross_entropy(rows, classes.ravel(), reduction)
    found = mg.cross_entropy(scores, classes, reduction)
    np.testing.assert_array_equal(
        found, np.reshape(expected, (2, 3, 5) if reduction == "none" else ())
    )
    p = np.moveaxis(np.eye(4)[classes], -1, 1)
    np.testing.assert_allclose(mg.cross_entropy(scores, p, reduction), found)
    loss = lambda x: mg.sum(mg.cross_entropy(x, classes, reduction, label_smoothing=0.1))
    assert mg.gradcheck(loss, [scores])


def test_a_weight_where_pytorch_has_it_is_no_reduction():
    with pytest.raises(ValueError, match='reduction expects "mean", "sum" or "none"'):
        mg.cross_entropy(LOGITS, np.array([2, 0]), np.ones(3))


def test_smoothing_out_of_range_raises():
    with pytest.raises(ValueError, match=r"1\.5"):
        mg.cross_entropy(LOGITS, np.array([2, 0]), label_smoothing=1.5)


def test_targets_can_be_differentiated():
    p = Tensor(np.array([[0.2, 0.8]]), requires_grad=True)
    (g,) = gradients(mg.cross_entropy(np.log([[0.5, 0.5]]), p), [p])
    np.testing.assert_allclose(g, np.log([[2, 2]]))


@pytest.mark.parametrize("loss", [mg.mse_loss, mg.l1_loss, mg.huber_loss])
def test_the_targets_of_integers_keep_their_fractions(loss):
    assert loss(np.array([1, 2]), np.array([0.5, 1.5])) == loss(np.array([1.0]), np.array([0.5]))
    assert mg.cross_entropy(np.array([[1, 1]]), np.array([[0.5, 0.5]])) == pytest.approx(np.log(2))
