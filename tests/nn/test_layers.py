"""Layers: gradients of whole modules, modes, errors, initial weights."""

import copy
import inspect
import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import minigrad as mg
from minigrad import nn

rng = np.random.default_rng(3)


def draw(*shape):
    return rng.uniform(-1, 1, shape)


@pytest.mark.parametrize(
    ("layer", "shape"),
    [
        (nn.Dense(4, 3), (5, 4)),
        (nn.Dense(4, 3, bias=False), (2, 5, 4)),
        (nn.Conv2D(2, 3, 3), (2, 2, 5, 6)),
        (nn.Conv2D(4, 6, (2, 3), stride=2, padding=1, groups=2, bias=False), (2, 4, 5, 6)),
        (nn.Conv2D(1, 2, 2, dilation=2), (1, 1, 5, 5)),
        (nn.Conv1D(2, 3, 3), (2, 2, 6)),
        (nn.Conv1D(4, 2, 2, 2, 1, 2, 2, False), (2, 4, 6)),
        (nn.ConvTranspose2D(2, 3, 3), (2, 2, 3, 4)),
        (nn.ConvTranspose2D(4, 2, (2, 3), 2, 1, 1, 2, False, 2), (2, 4, 3, 3)),
        (nn.BatchNorm(3), (6, 3)),
        (nn.BatchNorm(3), (2, 3, 3, 2)),
        (nn.BatchNorm(3).eval(), (2, 3, 3, 2)),
        (nn.LayerNorm(4), (3, 4)),
        (nn.LayerNorm((2, 4)), (3, 2, 4)),
        (nn.MaxPool(2), (2, 3, 4, 4)),
        (nn.MaxPool(3, stride=1, padding=1), (1, 2, 4, 4)),
        (nn.AvgPool(2, padding=1), (2, 3, 4, 4)),
        (nn.AdaptiveAvgPool((2, 3)), (2, 3, 5, 4)),
        (nn.Dropout(0.5).eval(), (3, 4)),
        (nn.Identity(), (3, 4)),
        (nn.Flatten(), (2, 3, 4)),
        (nn.LeakyReLU(), (3, 4)),
        (nn.ReLU(), (3, 4)),
        (nn.ELU(), (3, 4)),
        (nn.ELU(0.5), (3, 4)),
        (nn.Softplus(), (3, 4)),
        (nn.GELU(), (3, 4)),
        (nn.SiLU(), (3, 4)),
        (nn.Sigmoid(), (3, 4)),
        (nn.Tanh(), (3, 4)),
        (nn.Softmax(), (3, 4)),
        (nn.Sequential(nn.Conv2D(1, 2, 3), nn.BatchNorm(2), nn.ReLU(), nn.Flatten()), (2, 1, 5, 5)),
    ],
    ids=lambda x: repr(x).split("\n")[0],
)
def test_gradients_of_all_parameters_and_of_the_input(layer, shape):
    assert mg.gradcheck(layer, draw(*shape))
    assert layer(draw(*shape).astype(np.float32)).dtype == np.float32


@pytest.mark.parametrize(
    ("layer", "function"),
    [
        (nn.Identity(), lambda x: x),
        (nn.ELU(0.5), lambda x: mg.elu(x, 0.5)),
        (nn.Softplus(), mg.softplus),
        (nn.AdaptiveAvgPool(2), lambda x: mg.adaptive_avg_pool2d(x, 2)),
        (nn.Conv1D(1, 1, 1), None),
    ],
)
def test_layers_are_their_functions(layer, function):
    if function is None:
        x = rng.normal(size=(2, 1, 5)).astype(np.float32)
        expected = x * layer.weight.data.item() + layer.bias.data.item()
    else:
        x = rng.normal(size=(2, 3, 5, 4)).astype(np.float32)
        expected = function(x)
    assert np.allclose(layer(x).data, expected)


LAYERS = [
    nn.Dense(2, 3),
    nn.Conv1D(4, 6, 3, 2, 1, 2, 2),
    nn.Conv2D(4, 6, (3, 2), 2, (1, 0), 2, 2),
    nn.ConvTranspose2D(4, 6, (3, 2), 2, (1, 0), 1, 2, False, 2),
    nn.Embedding(5, 3),
    nn.BatchNorm(3, 1e-3, 0.2),
    nn.LayerNorm((2, 3), 1e-3),
    nn.MaxPool(2, 1, 1),
    nn.AvgPool(2, 1, 1),
    nn.AdaptiveAvgPool(3),
    nn.Dropout(0.2),
    nn.LeakyReLU(0.1),
    nn.ELU(0.5),
    nn.Softmax(1),
]


@pytest.mark.parametrize("layer", LAYERS, ids=repr)
def test_a_layer_keeps_its_arguments_as_attributes(layer):
    names = [name for name in inspect.signature(type(layer)).parameters if name != "rng"]
    settings = {name: getattr(layer, name) for name in names}
    if "bias" in settings:
        settings["bias"] = settings["bias"] is not None
    again = type(layer)(**settings)
    assert repr(again) == repr(layer)
    shapes = [(name, value.shape) for name, value in layer.state_dict().items()]
    assert shapes == [(name, value.shape) for name, value in again.state_dict().items()]
    assert len(layer.modules()) == 1


@pytest.mark.parametrize("layer", LAYERS, ids=repr)
def test_repr_shows_the_options_that_differ_from_their_defaults_and_no_others(layer):
    parameters = inspect.signature(type(layer)).parameters.values()
    needed = {p.name: getattr(layer, p.name) for p in parameters if p.default is p.empty}
    plain = repr(type(layer)(**needed)) if needed else ""
    for option in parameters:
        if option.default is option.empty or option.name == "rng" or not needed:
            continue  # without any other argument, its option always shows: Dropout(0.5)
        changed = False if option.name == "bias" else getattr(layer, option.name)
        # More pixels at the edge than a stride of 1 leaves make no sense.
        beside = {"stride": 2} if option.name == "output_padding" else {}
        options = beside | {option.name: changed}
        shown = "".join(f", {name}={value}" for name, value in options.items())
        assert repr(type(layer)(**needed, **options)) == f"{plain[:-1]}{shown})"
        assert repr(type(layer)(**needed, **{option.name: option.default})) == plain


def test_attributes_of_layers_have_the_values_given():
    dense, conv = nn.Dense(2, 3), nn.Conv2D(4, 6, (3, 2), padding=1, groups=2)
    assert (dense.in_features, dense.out_features) == (2, 3)
    assert (conv.in_channels, conv.out_channels, conv.kernel_size) == (4, 6, (3, 2))
    assert (conv.stride, conv.padding, conv.dilation, conv.groups) == (1, 1, 1, 2)
    conv.stride = 2  # what is set afterwards counts
    assert conv(np.ones((1, 4, 5, 5))).shape == (1, 6, 3, 3)
    assert "stride=2" in repr(conv)


@pytest.mark.parametrize("layer", LAYERS, ids=repr)
@pytest.mark.parametrize(
    "duplicate", [copy.copy, copy.deepcopy, lambda m: pickle.loads(pickle.dumps(m))]
)
def test_a_layer_can_be_copied_and_pickled(layer, duplicate):
    other = duplicate(layer)
    assert repr(other) == repr(layer)
    for name, value in layer.state_dict().items():
        assert (other.state_dict()[name] == value).all()


def test_a_convolution_pickled_by_version_0_1_works():
    """It held its options in a dict, and neither its sizes nor its kernel's."""
    layer = nn.Conv2D(4, 6, (3, 2), stride=2, padding=1, groups=2)
    options = {"stride": 2, "padding": 1, "dilation": 1, "groups": 2}
    old = nn.Conv2D.__new__(nn.Conv2D)
    old.__setstate__({"weight": layer.weight, "bias": layer.bias, "options": options})
    x = rng.normal(size=(2, 4, 5, 5))
    assert repr(old) == repr(layer)
    assert (old(x).data == layer(x).data).all()
    assert repr(copy.deepcopy(old)) == repr(layer)


def test_sizes_may_be_numpys_integers():
    three, two = np.int64(3), np.int32(2)
    assert nn.Conv2D(1, two, three, stride=two).weight.shape == (2, 1, 3, 3)
    assert nn.ConvTranspose2D(1, two, three, stride=two).weight.shape == (1, 2, 3, 3)
    assert nn.Conv1D(1, two, three, stride=two)(np.ones((1, 1, 5))).shape == (1, 2, 2)
    assert nn.Dense(three, two).weight.shape == (2, 3)
    assert nn.MaxPool(two)(np.ones((1, 1, 4, 4))).shape == (1, 1, 2, 2)


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        ("Linear", "nn.Dense"),
        ("Conv2d", "nn.Conv2D"),
        ("MaxPool2d", "nn.MaxPool"),
        ("BatchNorm2d", "nn.BatchNorm"),
        ("ModuleList", "a list of modules"),
        ("CrossEntropyLoss", "the function mg.cross_entropy"),
    ],
)
def test_pytorchs_names_say_what_they_are_here(theirs, ours):
    with pytest.raises(AttributeError, match=rf"nn\.{theirs} is {ours} here"):
        getattr(nn, theirs)


def test_every_name_that_stands_for_one_of_pytorchs_exists():
    for ours in nn._PYTORCH_NAMES.values():
        *_, name = ours.split()
        home, _, attribute = name.rpartition(".")
        assert not home or hasattr({"nn": nn, "mg": mg}[home], attribute)


def test_an_unknown_name_of_nn_raises_as_usual():
    with pytest.raises(AttributeError, match=r"module 'minigrad\.nn' has no attribute 'Dens'"):
        nn.Dens  # noqa: B018
    assert not hasattr(nn, "Linear")


def test_embedding_reads_rows_and_adds_up_their_gradients():
    layer = nn.Embedding(4, 2)
    x = np.array([[1, 3, 1]])
    y = layer(x)
    assert (y.data == layer.weight.data[x]).all()
    y.sum().backward()
    assert layer.weight.grad.tolist() == [[0, 0], [2, 2], [0, 0], [1, 1]]
    assert mg.gradcheck(layer, x)


@pytest.mark.parametrize("wrong", [np.array([4]), np.array([-1])])
def test_embedding_refuses_what_has_no_row(wrong):
    with pytest.raises(ValueError, match="expects 0 to 3"):
        nn.Embedding(4, 2)(wrong)


@pytest.mark.parametrize(
    ("layer", "x", "match"),
    [
        (
            nn.Dense(4, 3),
            np.ones((2, 5)),
            r"Dense\(4, 3\) expects shape \(\.\.\., 4\), got \(2, 5\)",
        ),
        (nn.Dense(4, 3), np.ones((2, 1, 2, 2)), "Flatten"),
        (
            nn.Conv2D(1, 8, 5),
            np.ones((2, 28, 28)),
            r"\(N, 1, H, W\), got \(2, 28, 28\).*x\[:, None\]",
        ),
        (nn.Conv2D(1, 8, 5), np.ones((2, 3, 28, 28)), r"\(N, 1, H, W\), got \(2, 3, 28, 28\)"),
        (nn.Conv2D(1, 8, 5), np.ones((2, 1, 4, 4)), "does not fit"),
        (nn.Conv1D(2, 8, 5), np.ones((2, 28)), r"\(N, 2, L\), got \(2, 28\).*x\[:, None\]"),
        (nn.ConvTranspose2D(2, 8, 5), np.ones((2, 8)), r"\(N, 2, H, W\), got \(2, 8\)"),
        (nn.BatchNorm(3), np.ones((2, 4)), r"\(N, 3\) or \(N, 3, H, W\), got \(2, 4\)"),
        (nn.BatchNorm(3), np.ones((1, 3)), "two values or more .* drop_last=True"),
        (nn.LayerNorm(3), np.ones((2, 4)), r"\(\.\.\., 3\), got \(2, 4\)"),
        (nn.MaxPool(2), np.ones((2, 4, 4)), r"\(N, C, H, W\), got \(2, 4, 4\)"),
        (nn.MaxPool(5), np.ones((2, 1, 4, 4)), "does not fit"),
    ],
    ids=repr,
)
def test_a_wrong_shape_says_what_was_expected_and_what_came(layer, x, match):
    with pytest.raises(ValueError, match=match):
        layer(x)


@pytest.mark.parametrize("shape", [(0, 3), (0, 3, 2, 2), (2, 3, 0, 2)])
def test_batch_norm_of_an_empty_batch_says_so_in_training_and_passes_in_evaluation(shape):
    layer = nn.BatchNorm(3)
    before = layer.state_dict()
    with pytest.raises(
        ValueError, match=rf"expects a batch of examples, got shape \({shape[0]}, 3"
    ):
        layer(np.ones(shape))
    assert all((value == before[name]).all() for name, value in layer.state_dict().items())
    assert layer.eval()(np.ones(shape)).shape == shape


def test_the_name_of_a_layer_is_made_where_it_refuses_alone():
    class Unnamed(nn.Conv2D):
        def __repr__(self):
            raise AssertionError("takes as long as a small operation")

    assert Unnamed(1, 2, 3)(np.ones((1, 1, 4, 4))).shape == (1, 2, 2, 2)


@pytest.mark.parametrize(
    ("layer", "shape"),
    [
        (nn.Dense(64, 2), (3, 64)),
        (nn.Conv2D(2, 3, 1), (1, 2, 4, 4)),
        (nn.BatchNorm(3), (2, 3)),
        (nn.LayerNorm(3), (2, 3)),
    ],
    ids=repr,
)
def test_the_error_of_a_float64_tensor_names_the_numpy_scalar_that_made_it(layer, shape):
    x = mg.Tensor(np.ones(shape, np.float32))
    with pytest.raises(TypeError, match=r"float32, got float64: .*NumPy scalar.* 64\*\*0\.5"):
        layer(x / np.sqrt(64))
    for fine in x / 64**0.5, x / float(np.sqrt(64)), (x / np.sqrt(64)).astype(np.float32):
        assert layer(fine).dtype == np.float32


HALF = np.float64(0.5)


@pytest.mark.parametrize(
    "layer",
    [nn.LeakyReLU(HALF), nn.ELU(HALF), nn.LayerNorm(3, eps=HALF), nn.BatchNorm(3, eps=HALF)],
    ids=repr,
)
def test_options_that_are_numpy_scalars_leave_float32_as_it_is(layer):
    assert layer(mg.Tensor(np.ones((2, 3), np.float32))).dtype == np.float32


@pytest.mark.parametrize("p", [-0.1, 1.0, 2])
def test_dropout_refuses_what_is_no_probability(p):
    with pytest.raises(
        ValueError, match="the probability p expects a number, 0 or more, less than 1"
    ):
        nn.Dropout(p)


@settings(max_examples=20, deadline=None)
@given(st.floats(0.05, 0.9), st.integers(0, 100))
def test_dropout_keeps_the_mean_and_drops_the_share(p, seed):
    y = nn.Dropout(p, rng=np.random.default_rng(seed))(np.ones(40000, np.float32)).data
    kept = y[y > 0]
    assert (kept == kept[0]).all()
    # Four standard deviations of a binomial share.
    assert abs((y == 0).mean() - p) < 4 * (p * (1 - p) / y.size) ** 0.5
    assert kept[0] * (1 - round(p * 65536) / 65536) == pytest.approx(1, rel=1e-6)


def test_dropout_gradient_is_its_mask():
    layer = nn.Dropout(0.5, rng=np.random.default_rng(0))
    x = mg.Tensor(np.ones((4, 5), np.float32), requires_grad=True)
    y = layer(x)
    y.sum().backward()
    assert (x.grad == y.data).all()
    assert 0 < (y.data == 0).sum() < y.size


def test_dropout_draws_from_manual_seed():
    def draw_once():
        mg.manual_seed(1)
        return nn.Dropout(0.5)(np.ones(64)).data

    assert (draw_once() == draw_once()).all()


def test_dropout_mask_follows_the_memory_order():
    x = mg.Tensor(np.ones((2, 5, 5, 3), np.float32).transpose(0, 3, 1, 2))
    assert mg.dropout(x, 0.5).data.strides == x.data.strides


def test_batch_norm_normalizes_by_the_batch_and_tracks_the_unbiased_variance():
    x = rng.normal(3, 2, (8, 2, 3, 3))
    layer = nn.BatchNorm(2).astype(np.float64)
    y = layer(x).data
    assert np.allclose(y.mean((0, 2, 3)), 0)
    assert np.allclose(y.var((0, 2, 3)), 1, atol=1e-4)
    assert np.allclose(layer.running_mean, 0.1 * x.mean((0, 2, 3)))
    assert np.allclose(layer.running_var, 0.9 + 0.1 * x.var((0, 2, 3), ddof=1))
    assert layer.num_batches_tracked == 1
    layer.eval()
    mean, var = layer.running_mean[:, None, None], layer.running_var[:, None, None]
    assert np.allclose(layer(x).data, (x - mean) / np.sqrt(var + 1e-5))
    assert layer.num_batches_tracked == 1


@pytest.mark.parametrize(
    ("layer", "shape", "bound"),
    [
        (nn.Dense(100, 400), (400, 100), 0.1),
        (nn.Conv2D(4, 50, 5), (50, 4, 5, 5), 0.1),
        (nn.Conv1D(20, 50, 5), (50, 20, 5), 0.1),
        (nn.ConvTranspose2D(100, 100, 5, groups=25), (100, 4, 5, 5), 0.1),
    ],
)
def test_initial_weights_are_pytorchs_uniform_ones(layer, shape, bound):
    assert layer.weight.shape == shape
    for p in layer.parameters():
        assert abs(p.data).max() <= bound
        assert abs(p.data).max() > 0.8 * bound
    assert layer.weight.data.std() == pytest.approx(bound / 3**0.5, rel=0.05)


@pytest.mark.parametrize(
    ("initializer", "variance"),
    [
        (nn.init.he_uniform, 2 / 200),
        (nn.init.he_normal, 2 / 200),
        (nn.init.glorot_uniform, 2 / 600),
        (nn.init.glorot_normal, 2 / 600),
    ],
)
def test_initializers_have_their_papers_variance(initializer, variance):
    w = initializer((16, 8, 5, 5), rng=np.random.default_rng(0))
    assert nn.init.fans(w.shape) == (200, 400)
    assert w.dtype == np.float32
    assert w.var() == pytest.approx(variance, rel=0.06)
    assert (w == initializer((16, 8, 5, 5), rng=np.random.default_rng(0))).all()


def test_rng_makes_the_initial_weights():
    one, two = (nn.Dense(3, 2, rng=np.random.default_rng(5)).weight.data for _ in range(2))
    assert (one == two).all()
