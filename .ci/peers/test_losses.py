"""Losses with all their options; test_ops.py has the plain ones."""

import hypothesis.extra.numpy as hnp
import numpy as np
import pytest
import torch
import torch.nn.functional as F
from compare import agree, our_tensor, sampling, their_tensor
from hypothesis import given
from hypothesis import strategies as st
from op_checks import draw_array

import minigrad as mg

REDUCTIONS = st.sampled_from(["mean", "sum", "none"])


@st.composite
def scores(draw):
    """Scores (N, K, ...), weights of the classes or None, and the options of all cross-entropies."""
    N, K = draw(st.integers(1, 4)), draw(st.integers(1, 4))
    space = draw(st.sampled_from([(), (2,), (2, 3)]))
    logits = draw_array(draw, (N, K, *space))
    weight = draw(st.sampled_from([None, draw_array(draw, (K,), 0.1, 3, salt=1)]))
    smoothing = draw(st.sampled_from([0.0, 0.1, 0.7, 1.0]))
    return logits, weight, {"reduction": draw(REDUCTIONS), "label_smoothing": smoothing}


def agree_on_cross_entropy(ours, theirs, weight, options):
    """`ours` and `theirs` are the variables: scores, and perhaps probabilities."""
    their_weight = None if weight is None else torch.tensor(weight.copy())
    agree(
        "cross_entropy",
        lambda: mg.cross_entropy(*ours, weight=weight, **options),
        [x for x in ours if isinstance(x, mg.Tensor)],
        lambda: F.cross_entropy(*theirs, weight=their_weight, **options),
        [x for x in theirs if x.requires_grad],
    )


@sampling
@given(data=st.data())
def test_cross_entropy_of_classes(data):
    logits, weight, options = data.draw(scores())
    K = logits.shape[1]
    places = logits.shape[:1] + logits.shape[2:]
    targets = data.draw(hnp.arrays(np.int64, places, elements=st.integers(0, K - 1)))
    ignored = data.draw(hnp.arrays(bool, places))
    ignored.flat[0] = False  # minigrad refuses the mean of nothing, which is nan in PyTorch
    targets[ignored] = options["ignore_index"] = data.draw(st.sampled_from([-100, -1, K + 5]))
    agree_on_cross_entropy(
        [our_tensor(logits), targets],
        [their_tensor(logits), torch.tensor(targets)],
        weight,
        options,
    )


@sampling
@given(data=st.data())
def test_cross_entropy_of_probabilities(data):
    logits, weight, options = data.draw(scores())
    targets = draw_array(data.draw, logits.shape, 0.0, 1.0, salt=2)
    arrays = [logits, targets]
    agree_on_cross_entropy(
        [our_tensor(x) for x in arrays], [their_tensor(x) for x in arrays], weight, options
    )


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("huber_loss", {"delta": st.floats(0.1, 3.0)}),
        ("mse_loss", {}),
        ("l1_loss", {}),
        ("binary_cross_entropy_with_logits", {}),
    ],
)
@sampling
@given(data=st.data())
def test_loss_of_numbers(name, options, data):
    options = {key: data.draw(value) for key, value in options.items()}
    options["reduction"] = data.draw(REDUCTIONS)
    shape = data.draw(hnp.array_shapes(min_dims=0, max_dims=4, max_side=4))
    arrays = [draw_array(data.draw, shape, -30.0, 30.0, salt) for salt in range(2)]
    ours = [our_tensor(x) for x in arrays]
    theirs = [their_tensor(x) for x in arrays]
    agree(
        name,
        lambda: getattr(mg, name)(*ours, **options),
        ours,
        lambda: getattr(F, name)(*theirs, **options),
        theirs,
    )
