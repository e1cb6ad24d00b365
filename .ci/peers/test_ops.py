"""Every operation that PyTorch has too: values, first and second derivatives."""

import pytest
import torch
from cases import CASES
from compare import agree, is_float, our_tensor, sampling, their_tensor
from hypothesis import assume, given
from hypothesis import strategies as st
from op_checks import blocks_of, draw_array
from table import AWAY_FROM_KINKS, NO_PEER, PEERS, operation_of, peer_of

import minigrad as mg

COMPARED = [case for case in CASES if peer_of(case.name) and operation_of(case.name) not in NO_PEER]


def always(*inputs, **options):
    return True


@pytest.mark.parametrize("case", COMPARED, ids=lambda case: case.name)
@sampling
@given(data=st.data())
def test_derivatives(case, data):
    inputs, options = data.draw(case.strategy)
    assume(AWAY_FROM_KINKS.get(case.name, always)(*inputs, **options))
    ours = [our_tensor(x) for x in inputs]
    theirs = [their_tensor(x) for x in inputs]
    floats = [i for i, x in enumerate(inputs) if is_float(x)]
    peer = peer_of(case.name)
    with blocks_of(data.draw(st.sampled_from([1, 200, 2**21]))):
        agree(
            operation_of(case.name),
            lambda: case.op(*ours, **options),
            [ours[i] for i in floats],
            lambda: peer(*theirs, **options),
            [theirs[i] for i in floats],
        )


@sampling
@given(data=st.data())
def test_convolution_and_pooling_of_images_of_usual_sizes(data):
    """The cases draw the smallest that show anything; these fill several blocks of the cache."""
    draw = data.draw
    K, groups = draw(st.integers(1, 5)), draw(st.sampled_from([1, 1, 2, 4]))
    N, C, F = draw(st.integers(1, 6)), 4 * draw(st.integers(1, 4)), 4 * draw(st.integers(1, 4))
    shape = N, C, draw(st.integers(9, 24)), draw(st.integers(9, 24))
    x = draw_array(draw, shape)
    w = draw_array(draw, (F, C // groups, K, draw(st.integers(1, 5))), salt=1)
    options = {
        "stride": draw(st.integers(1, 2)),
        "padding": draw(st.integers(0, 2)),
        "dilation": draw(st.integers(1, 2)),
        "groups": groups,
    }
    ours, theirs = [our_tensor(a) for a in (x, w)], [their_tensor(a) for a in (x, w)]
    stride = draw(st.sampled_from([1, 2]))

    def network(library, x, w):
        return library.max_pool2d(library.conv2d(x, w, None, **options), 2, stride)

    agree(
        "conv2d",
        lambda: network(mg, *ours),
        ours,
        lambda: network(torch.nn.functional, *theirs),
        theirs,
    )


def test_every_public_operation_has_a_peer_or_a_reason():
    missing = {*mg.ops.__all__} - {*PEERS, *NO_PEER}
    assert not missing, (
        f"PyTorch is not compared with {', '.join(sorted(missing))}: add to .ci/peers/table.py its "
        "function of that meaning to PEERS, or to NO_PEER the reason why it has none."
    )


def test_every_peer_of_a_public_operation_is_compared():
    compared = {operation_of(case.name) for case in COMPARED}
    missing = {*mg.ops.__all__} - {*NO_PEER} - compared
    assert not missing, (
        f"no case in tests/ops/cases.py draws arguments for {', '.join(sorted(missing))}: "
        "add one whose name begins with that of the operation."
    )
