"""Module: where parameters are found, state, modes, repr, summary."""

import numpy as np
import pytest

import minigrad as mg
from minigrad import nn


class Odd(nn.Module):
    """Parameters and parts in attributes, lists and dicts."""

    def __init__(self):
        self.scale = nn.Parameter(np.ones(2))
        self.layers = [nn.Dense(2, 3), nn.BatchNorm(3)]
        self.heads = {"a": nn.Dense(3, 1), "b": [nn.Parameter(np.zeros(1))]}
        self.note = "no part"

    def forward(self, x):
        for layer in self.layers:
            x = layer(x * self.scale if layer is self.layers[0] else x)
        return self.heads["a"](x) + self.heads["b"][0]


def test_parameters_are_found_in_attributes_lists_and_dicts_in_order_of_assignment():
    names = [name for name, _ in Odd().named_parameters()]
    assert names == [
        "scale", "layers.0.weight", "layers.0.bias", "layers.1.weight",
        "layers.1.bias", "heads.a.weight", "heads.a.bias", "heads.b.0",
    ]  # fmt: skip


def test_a_shared_parameter_comes_once():
    model = nn.Sequential(nn.Dense(2, 2, bias=False), nn.Dense(2, 2, bias=False))
    model[1].weight = model[0].weight
    assert [name for name, _ in model.named_parameters()] == ["0.weight"]


def test_a_shared_module_comes_once():
    relu = nn.ReLU()
    model = nn.Sequential(nn.Dense(2, 2), relu, nn.Sequential(relu))
    assert [name for name, _ in model.named_modules()] == ["", "0", "1", "2"]


class Tied(nn.Module):
    """A language model in small: the scores use the weight of the embedding (Press and Wolf 2017)."""

    def __init__(self):
        self.embedding = nn.Embedding(5, 3)
        self.scores = nn.Dense(3, 5)
        self.scores.weight = self.embedding.weight

    def forward(self, x):
        return self.scores(self.embedding(x))


def test_tied_weights_are_saved_under_both_names_as_in_pytorch():
    state = Tied().state_dict()
    assert list(state) == ["embedding.weight", "scores.weight", "scores.bias"]
    assert (state["embedding.weight"] == state["scores.weight"]).all()
    model = Tied()
    model.load_state_dict(state)
    assert model.scores.weight is model.embedding.weight
    assert (model.embedding.weight.data == state["scores.weight"]).all()


@pytest.mark.parametrize("absent", ["embedding.weight", "scores.weight"])
def test_tied_weights_load_by_either_name(absent):
    """Files of version 0.1 hold the first alone."""
    state = Tied().state_dict()
    kept = state.pop(absent)
    model = Tied()
    model.load_state_dict(state)
    assert (model.embedding.weight.data == kept).all()
    state.pop("scores.bias")
    with pytest.raises(ValueError, match=r"missing \['scores\.bias'\]"):
        model.load_state_dict(state)


def test_tied_weights_missing_under_both_names_are_missing():
    with pytest.raises(ValueError, match=r"\['embedding\.weight', 'scores\.weight'\]"):
        Tied().load_state_dict({"scores.bias": np.zeros(5)})


def test_tied_weights_stay_tied_in_another_dtype():
    model = Tied().astype(np.float64)
    assert model.scores.weight is model.embedding.weight
    assert {v.dtype for v in model.state_dict().values()} == {np.dtype(float)}


def test_a_shared_batch_norm_is_saved_under_both_names():
    norm = nn.BatchNorm(2)
    state = nn.Sequential(norm, norm).state_dict()
    assert set(state) == {f"{i}.{name}" for i in (0, 1) for name in norm.state_dict()}


def test_keywords_reach_forward_and_arrays_become_tensors():
    class Masked(nn.Module):
        def __init__(self):
            self.dense = nn.Dense(2, 2)

        def forward(self, x, *, mask=None, scale=1.0):
            assert mask is None or isinstance(mask, mg.Tensor)
            y = self.dense(x) * scale
            return y if mask is None else y * mask

    model = Masked()
    x, mask = np.ones((3, 2)), np.array([1.0, 0.0])
    y = model(x, mask=mask, scale=2.0)
    assert y.dtype == np.float32
    assert (y.data == model(x=x).data * 2 * mask).all()
    assert "(N, 2)" in model.summary((2,))


def test_a_model_without_super_init_trains():
    x = np.random.default_rng(0).normal(size=(8, 2))
    model = Odd()
    model(x).sum().backward()
    assert all(p.grad is not None and p.grad.dtype == np.float32 for p in model.parameters())
    model.zero_grad()
    assert all(p.grad is None for p in model.parameters())


def test_parameters_are_float32_copies():
    source = np.zeros(2)
    p = nn.Parameter(source)
    p.data += 1
    assert p.dtype == np.float32
    assert p.requires_grad
    assert (source == 0).all()


def test_state_dict_has_pytorchs_names_and_copies():
    model = nn.Sequential(nn.Conv2D(1, 2, 3), nn.BatchNorm(2), nn.Flatten(), nn.Dense(2, 3))
    state = model.state_dict()
    assert set(state) == {
        "0.weight", "0.bias", "1.weight", "1.bias", "1.running_mean", "1.running_var",
        "1.num_batches_tracked", "3.weight", "3.bias",
    }  # fmt: skip
    assert state["0.weight"].shape == (2, 1, 3, 3)
    assert state["3.weight"].shape == (3, 2)
    state["3.bias"] += 1
    assert not (model[3].bias.data == state["3.bias"]).any()


def test_load_state_dict_fills_in_place():
    one, two = Odd(), Odd()
    places = [p.data for p in two.parameters()]
    two.load_state_dict(one.state_dict())
    for name, value in two.state_dict().items():
        assert (value == one.state_dict()[name]).all()
    assert all(p.data is place for p, place in zip(two.parameters(), places, strict=True))


@pytest.mark.parametrize("spoil", ["missing", "unknown", "shape"])
def test_a_state_that_does_not_fit_changes_nothing(spoil):
    model = nn.Sequential(nn.Dense(2, 3), nn.Dense(3, 2))
    before, state = model.state_dict(), {k: v + 1 for k, v in model.state_dict().items()}
    if spoil == "missing":
        del state["1.bias"]
    elif spoil == "unknown":
        state["2.bias"] = np.zeros(1)
    else:
        state["1.weight"] = np.zeros((3, 3))
    with pytest.raises(ValueError, match=r"1\.bias|2\.bias|\(2, 3\)"):
        model.load_state_dict(state)
    assert all((value == before[name]).all() for name, value in model.state_dict().items())


NO_NUMBERS = {
    "text": np.array(["a", "b", "c"]),
    "numbers as text": np.array(["1", "2", "3"]),
    "bytes": np.array([b"1", b"2", b"3"]),
    "objects": np.array([1, 2, 3], dtype=object),
    "a table": np.zeros(3, [("a", "f4")]),
    "complex": np.ones(3, complex),
    "dates": np.zeros(3, "M8[s]"),
    "a ragged list": [1, [2, 3], 4],
    "None": None,
    "too large for float32": np.full(3, 1e300),
    "too long": np.ones(4),
    "a single number": 1.0,
}


@pytest.mark.parametrize("kind", NO_NUMBERS)
def test_a_state_of_anything_but_fitting_numbers_changes_nothing(kind):
    model = nn.Dense(2, 3)
    before = model.state_dict()
    state = {"weight": np.ones((3, 2)), "bias": NO_NUMBERS[kind]}
    for strict in (True, False):
        with pytest.raises(ValueError, match="bias"):
            model.load_state_dict(state, strict)
        assert all((value == before[name]).all() for name, value in model.state_dict().items())


def test_a_parameter_that_is_read_only_leaves_all_others_as_they_are():
    model = nn.Dense(2, 3)
    model.bias.data.flags.writeable = False
    before = model.state_dict()
    with pytest.raises(ValueError, match="bias expects an array that can be written to"):
        model.load_state_dict({"weight": np.ones((3, 2)), "bias": np.ones(3)})
    assert (model.weight.data == before["weight"]).all()


def test_layers_that_are_given_each_others_weights_exchange_them():
    model = nn.Sequential(nn.Dense(2, 2), nn.Dense(2, 2))
    before = model.state_dict()
    views = dict(model.named_arrays())
    other = {"0": "1", "1": "0"}
    model.load_state_dict({other[name[0]] + name[1:]: view for name, view in views.items()})
    assert (model[0].weight.data == before["1.weight"]).all()
    assert (model[1].weight.data == before["0.weight"]).all()


class Keyed(nn.Module):
    """Parameters in a dict with keys of any kind."""

    def __init__(self, parts):
        self.parts = parts

    def forward(self, x):
        return x


@pytest.mark.parametrize(
    ("keys", "name"),
    [
        ({1: [2.0], "1": [3.0]}, r"parts\.1"),
        ({"b.c": [2.0], "b": {"c": [3.0]}}, r"parts\.b\.c"),
    ],
)
def test_two_parameters_of_one_name_are_refused_wherever_names_count(keys, name, tmp_path):
    def parameters(part):
        if isinstance(part, dict):
            return {key: parameters(value) for key, value in part.items()}
        return nn.Parameter(part)

    model = Keyed(parameters(keys))
    assert len(model.parameters()) == 2
    for use in (model.state_dict, lambda: model.load_state_dict({}), model.named_arrays):
        with pytest.raises(ValueError, match=f"two arrays of Keyed have the name {name}"):
            use()
    with pytest.raises(ValueError, match=f"two arrays of Keyed have the name {name}"):
        mg.save(tmp_path / "model.npz", model)
    assert list(tmp_path.iterdir()) == []


def test_load_state_dict_not_strict_takes_what_is_there():
    model = nn.Dense(2, 3)
    model.load_state_dict({"bias": np.full(3, 7.0), "else": np.zeros(1)}, strict=False)
    assert (model.bias.data == 7).all()


def test_modes_reach_all_modules_of_this_model_alone():
    one, two = nn.Sequential(nn.Sequential(nn.Dropout())), nn.Dropout()
    assert one.eval() is one
    assert [m.training for m in one.modules()] == [False] * 3
    assert two.training
    one.train()
    assert all(m.training for m in one.modules())


def test_astype_converts_parameters_and_buffers():
    model = nn.Sequential(nn.Dense(2, 2), nn.BatchNorm(2)).astype(np.float64)
    kinds = {name: value.dtype for name, value in model.state_dict().items()}
    assert kinds.pop("1.num_batches_tracked").kind == "i"
    assert set(kinds.values()) == {np.dtype(np.float64)}
    assert model(np.ones((3, 2), np.float32)).dtype == np.float64


def test_arrays_are_wrapped_and_cast_to_the_parameters_dtype():
    y = nn.Dense(2, 2)(np.ones((3, 2), np.float64))
    assert isinstance(y, mg.Tensor)
    assert y.dtype == np.float32


def test_a_tensor_of_another_float_dtype_names_astype():
    with pytest.raises(TypeError, match="astype"):
        nn.Dense(2, 2)(mg.Tensor(np.ones((3, 2))))


def test_integer_images_name_normalize():
    with pytest.raises(TypeError, match=r"data\.normalize"):
        nn.Sequential(nn.Flatten(), nn.Dense(4, 2))(np.ones((3, 2, 2), np.uint8))


def test_unknown_attributes_raise():
    with pytest.raises(AttributeError):
        nn.Dense(2, 2).wieght  # noqa: B018


def test_forward_is_asked_for_where_it_is_missing():
    class Empty(nn.Module):
        pass

    with pytest.raises(NotImplementedError, match=r"Empty has no forward"):
        Empty()(np.ones(1))


def test_repr_shows_the_tree():
    inner = nn.Sequential(nn.Dense(2, 3), nn.ReLU())
    assert repr(nn.Sequential(inner, nn.Dense(3, 1, bias=False))) == (
        "Sequential(\n"
        "  (0): Sequential(\n"
        "    (0): Dense(2, 3)\n"
        "    (1): ReLU()\n"
        "  )\n"
        "  (1): Dense(3, 1, bias=False)\n"
        ")"
    )


def test_sequential_indexes_slices_and_refuses_what_is_no_module():
    model = nn.Sequential(nn.Dense(2, 3), nn.ReLU(), nn.Dense(3, 1))
    assert len(model) == 3
    assert model[-1] is model[2]
    assert len(model[:2]) == 2
    assert list(model) == [model[0], model[1], model[2]]
    with pytest.raises(TypeError, match="place 1"):
        nn.Sequential(nn.ReLU(), mg.relu)


def test_summary_runs_once_and_leaves_the_model_as_it_was():
    model = nn.Sequential(nn.Conv2D(1, 4, 3), nn.BatchNorm(4), nn.Dropout(), nn.Flatten())
    model[2].eval()
    before = model.state_dict()
    text = model.summary((1, 5, 5))
    assert "(N, 4, 3, 3)" in text
    assert "(N, 36)" in text
    assert text.splitlines()[-1].split() == ["total", "48"]
    assert [m.training for m in model.modules()] == [True, True, True, False, True]
    assert all((value == before[name]).all() for name, value in model.state_dict().items())
    assert "forward" not in vars(model[0])


def test_summary_of_a_layer_used_twice_has_a_row_for_each_use_and_counts_it_once():
    relu, dense = nn.ReLU(), nn.Dense(3, 3)
    model = nn.Sequential(dense, relu, dense, relu)
    rows = [line.split() for line in model.summary((3,)).splitlines()[1:]]
    assert rows == [
        ["0", "Dense", "(N,", "3)", "12"],
        ["1", "ReLU", "(N,", "3)", "0"],
        ["0", "Dense", "(N,", "3)", "0"],
        ["1", "ReLU", "(N,", "3)", "0"],
        ["total", "12"],
    ]
    assert not any("forward" in vars(layer) for layer in model.modules())


def test_summary_counts_tied_weights_once():
    rows = [line.split() for line in Tied().summary((4,)).splitlines()[1:]]
    assert rows == [
        ["embedding", "Embedding", "(N,", "4,", "3)", "15"],
        ["scores", "Dense", "(N,", "4,", "5)", "5"],
        ["total", "20"],
    ]


def test_summary_raises_what_a_model_says_of_floats_if_it_takes_no_integers_either():
    class Wrong(nn.Module):
        def forward(self, x):
            raise TypeError(f"wrong with {x.dtype}")

    with pytest.raises(TypeError, match="wrong with float32"):
        Wrong().summary((2,))


def test_a_module_inside_itself_is_named():
    model = nn.Sequential(nn.Dense(2, 2))
    model.again = model
    with pytest.raises(ValueError, match="again is a Sequential inside itself"):
        model.parameters()
    assert repr(model) == "Sequential(\n  (0): Dense(2, 2)\n  (again): ...\n)"


def test_a_layer_that_knows_its_model_says_what_is_wrong_with_its_input():
    model = nn.Sequential(nn.Dense(2, 2))
    model[0].model = model  # its repr is in its errors
    with pytest.raises(ValueError, match=r"expects shape \(\.\.\., 2\), got \(1, 5\)"):
        model[0](mg.Tensor(np.ones((1, 5), np.float32)))


def test_a_list_inside_itself_is_named():
    model = nn.Dense(2, 2)
    model.parts = [nn.Dense(2, 2)]
    model.parts.append(model.parts)
    with pytest.raises(ValueError, match="1 is a list inside itself"):
        model.state_dict()


@pytest.mark.parametrize("dtype", [int, "bool", complex, np.uint8])
def test_a_model_of_anything_but_floats_is_refused(dtype):
    model = nn.Dense(2, 2)
    before = model.weight.data
    with pytest.raises(TypeError, match="astype of a module expects a dtype of floats"):
        model.astype(dtype)
    assert model.weight.data is before
