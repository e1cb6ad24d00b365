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
    values = np.array([[0, 1], [1, 0]])
    values = values.tolist() if targets is list else values.astype(targets)
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
        ((2, 3, 3), np.zeros((2, 3), int), "reshape"),
    ],
)
def test_wrong_classes_raise(loss, scores, targets, reason):
    with pytest.raises(ValueError, match=reason):
        loss(np.zeros(scores), targets)


def test_classes_may_be_a_list_or_a_tensor():
    expected = mg.cross_entropy(LOGITS, np.array([2, 0]))
    assert mg.cross_entropy(LOGITS, [2, 0]) == expected
    assert mg.cross_entropy(LOGITS, Tensor(np.array([2, 0]))).item() == expected


def test_smoothing_out_of_range_raises():
    with pytest.raises(ValueError, match=r"1\.5"):
        mg.cross_entropy(LOGITS, np.array([2, 0]), label_smoothing=1.5)


def test_targets_can_be_differentiated():
    p = Tensor(np.array([[0.2, 0.8]]), requires_grad=True)
    (g,) = gradients(mg.cross_entropy(np.log([[0.5, 0.5]]), p), [p])
    np.testing.assert_allclose(g, np.log([[2, 2]]))
