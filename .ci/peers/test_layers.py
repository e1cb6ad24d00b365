"""Layers with the same weights: values, first and second derivatives by input and parameters."""

import numpy as np
import pytest
import torch
from compare import agree, our_tensor, same, sampling, their_tensor
from hypothesis import given
from hypothesis import strategies as st
from layer_table import LAYERS
from op_checks import draw_array

import minigrad as mg
from minigrad import nn

ELSEWHERE = {"Module", "Parameter", "Sequential", "BatchNorm", "Dropout"}  # tests of their own


def carry_over(ours, theirs, rng):
    """Both in float64, with the same random weights: by `state_dict`, nothing transposed."""
    ours.astype(np.float64)
    for p in ours.parameters():
        p.data[...] = rng.normal(size=p.shape)
    state = {name: torch.tensor(array) for name, array in ours.state_dict().items()}
    theirs.double().load_state_dict(state)


def agree_as_functions(name, ours, theirs, x):
    """The layers agree, as functions of the input and of all parameters."""
    our_x, their_x = our_tensor(x), their_tensor(x)
    their_parameters = dict(theirs.named_parameters())
    our_variables = ours.parameters()
    their_variables = [their_parameters[name] for name, _ in ours.named_parameters()]
    if their_x.requires_grad:
        our_variables = [our_x, *our_variables]
        their_variables = [their_x, *their_variables]
    agree(name, lambda: ours(our_x), our_variables, lambda: theirs(their_x), their_variables)


def agree_in_state(name, ours, theirs):
    arrays, state = ours.state_dict(), theirs.state_dict()
    assert sorted(arrays) == sorted(state)
    same(f"{name}, state_dict", list(arrays.values()), [state[key] for key in arrays])


@pytest.mark.filterwarnings("ignore:Initializing zero-element tensors:UserWarning")
@pytest.mark.parametrize("name", LAYERS)
@sampling
@given(data=st.data())
def test_layer(name, data):
    our_class, their_class, strategy = LAYERS[name]
    arguments, x = data.draw(strategy)
    ours, theirs = our_class(**arguments), their_class(**arguments)
    carry_over(ours, theirs, np.random.default_rng(0))
    agree_as_functions(f"nn.{name}", ours, theirs, x)


def test_every_layer_is_compared():
    classes = {name for name, value in vars(nn).items() if isinstance(value, type)}
    missing = classes - {*LAYERS} - ELSEWHERE
    assert not missing, (
        f"PyTorch is not compared with nn.{', nn.'.join(sorted(missing))}: add to "
        ".ci/peers/layer_table.py its layer of that meaning."
    )


@sampling
@given(data=st.data())
def test_batch_norm_in_training_and_then_in_evaluation(data):
    """Several batches, of which the running averages are the memory."""
    C = data.draw(st.integers(1, 3))
    space = data.draw(st.sampled_from([(), (1, 1), (2, 3)]))
    options = {
        "eps": data.draw(st.sampled_from([1e-5, 0.1])),
        "momentum": data.draw(st.sampled_from([0.1, 0.0, 0.7, 1.0])),
    }
    ours = nn.BatchNorm(C, **options)
    theirs = (torch.nn.BatchNorm2d if space else torch.nn.BatchNorm1d)(C, **options)
    carry_over(ours, theirs, np.random.default_rng(0))
    for step in range(data.draw(st.integers(1, 3))):
        x = draw_array(data.draw, (data.draw(st.integers(2, 4)), C, *space), salt=step)
        agree_as_functions("nn.BatchNorm", ours, theirs, x)
        agree_in_state("nn.BatchNorm", ours, theirs)
    x = draw_array(data.draw, (data.draw(st.integers(0, 3)), C, *space), salt=9)
    agree_as_functions("nn.BatchNorm", ours.eval(), theirs.eval(), x)


def a_network(library):
    """A network of most layers, in the words of minigrad or of PyTorch."""
    if library is nn:
        conv, norm, pool, dense = nn.Conv2D, nn.BatchNorm, nn.MaxPool, nn.Dense
    else:
        conv, norm, pool, dense = (
            library.Conv2d, library.BatchNorm2d, library.MaxPool2d, library.Linear
        )  # fmt: skip
    return library.Sequential(
        library.Sequential(conv(2, 3, 3, padding=1), norm(3), library.ReLU(), pool(2)),
        library.Flatten(),
        dense(12, 6),
        library.LayerNorm(6),
        library.Tanh(),
        dense(6, 4, bias=False),
        library.Softplus(),
    )


@sampling
@given(data=st.data())
def test_sequential_of_sequentials(data):
    ours, theirs = a_network(nn), a_network(torch.nn)
    carry_over(ours, theirs, np.random.default_rng(0))
    for step in range(2):
        x = draw_array(data.draw, (data.draw(st.integers(2, 4)), 2, 4, 4), salt=step)
        agree_as_functions("nn.Sequential", ours, theirs, x)
    agree_in_state("nn.Sequential", ours, theirs)
    agree_as_functions("nn.Sequential", ours.eval(), theirs.eval(), x)


@pytest.mark.parametrize("p", [0.0, 0.25, 0.5, 0.875])
def test_dropout_is_nothing_in_evaluation_and_scales_what_it_keeps_in_training(p):
    """These probabilities are multiples of 1 / 65536, in which minigrad draws; so is the scale."""
    x = np.random.default_rng(0).normal(size=(50, 20))
    torch.manual_seed(0)
    ours, theirs = nn.Dropout(p, rng=np.random.default_rng(0)), torch.nn.Dropout(p)
    found, expected = ours(mg.Tensor(x)).data, theirs(torch.tensor(x)).numpy()
    both = (found != 0) & (expected != 0)
    assert both.sum() > 0
    same("nn.Dropout", [found[both]], [expected[both]])
    assert abs(np.mean(found == 0) - p) < 0.05
    agree_as_functions("nn.Dropout", ours.eval(), theirs.eval(), x)


def test_dropout_scales_by_the_probability_that_is_really_drawn():
    """minigrad draws 16-bit integers: 0.3 is 19661 / 65536 there, by which the mean is kept."""
    torch.manual_seed(0)
    found = np.max(nn.Dropout(0.3, rng=np.random.default_rng(0))(np.ones(100)).data)
    expected = torch.nn.Dropout(0.3)(torch.ones(100, dtype=torch.float64)).max()
    same("nn.Dropout of 0.3", [found, expected.numpy()], [65536 / (65536 - 19661), 1 / (1 - 0.3)])


# ---- initial weights -----------------------------------------------------------------------------

QUANTILES = np.linspace(0.01, 0.99, 21)


def assert_same_distribution(found, expected, tolerance):
    """By quantiles, which may differ by a share of the spread."""
    difference = np.quantile(found, QUANTILES) - np.quantile(expected, QUANTILES)
    assert np.max(np.abs(difference)) < tolerance * np.std(expected)


@pytest.mark.parametrize(
    ("name", "theirs", "sizes", "options"),
    [
        ("Dense", torch.nn.Linear, (60, 500), {}),
        ("Conv1D", torch.nn.Conv1d, (30, 400, 5), {}),
        ("Conv2D", torch.nn.Conv2d, (24, 400, 3), {"groups": 4}),
        ("ConvTranspose2D", torch.nn.ConvTranspose2d, (40, 200, 3), {"groups": 2}),
        ("Embedding", torch.nn.Embedding, (200, 200), {}),
    ],
)
def test_initial_weights_of_a_layer(name, theirs, sizes, options):
    mg.manual_seed(0)
    torch.manual_seed(0)
    found = getattr(nn, name)(*sizes, **options).state_dict()
    expected = theirs(*sizes, **options).state_dict()
    assert list(found) == list(expected)
    for key, array in found.items():  # biases are few, and so their quantiles less exact
        assert_same_distribution(array, expected[key].numpy(), 0.05 if key == "weight" else 0.3)


@pytest.mark.parametrize(
    ("name", "theirs"),
    [
        ("he_uniform", lambda w: torch.nn.init.kaiming_uniform_(w, nonlinearity="relu")),
        ("he_normal", lambda w: torch.nn.init.kaiming_normal_(w, nonlinearity="relu")),
        ("glorot_uniform", torch.nn.init.xavier_uniform_),
        ("glorot_normal", torch.nn.init.xavier_normal_),
    ],
)
@pytest.mark.parametrize("shape", [(300, 200), (60, 80, 3, 5)])
def test_initial_weights_by_name(name, theirs, shape):
    torch.manual_seed(0)
    found = getattr(nn.init, name)(shape, rng=np.random.default_rng(0))
    assert_same_distribution(found, theirs(torch.empty(shape)).numpy(), 0.05)
