"""ONNX: an exported model gives onnxruntime's answers, for any batch; what cannot go is refused.

The oracle is onnxruntime, which shares no code with minigrad.
"""

import importlib
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import minigrad as mg
from minigrad import nn
from minigrad.autograd import primitive, registry, setting, watching
from minigrad.onnx.operators import OPERATORS, OPSET, WITHOUT

ROOT = Path(__file__).parents[1]
WHY = "the answers of exported files are not compared: pip install onnx onnxruntime"
BATCHES = 1, 3, 64


@pytest.fixture
def onnx():
    return pytest.importorskip("onnx", reason=WHY)


@pytest.fixture
def answers(onnx, tmp_path):
    """Export a model by an example; a function that asks onnxruntime for its outputs."""
    runtime = pytest.importorskip("onnxruntime", reason=WHY)

    def exported(model, example):
        path = tmp_path / "model.onnx"
        mg.onnx.export(model, path, example)
        session = runtime.InferenceSession(path, providers=["CPUExecutionProvider"])
        return lambda x: session.run(["output"], {"input": x})[0]

    return exported


@pytest.fixture
def written(onnx, tmp_path):
    """Export a model by an example; what is in the file."""

    def exported(model, example):
        mg.onnx.export(model, tmp_path / "model.onnx", example)
        return onnx.load(tmp_path / "model.onnx")

    return exported


def compare(answers, model, make, batches=BATCHES, tolerance=1e-5):
    """Both outputs for batches of 1, 3 and 64, where the example had 2."""
    ask = answers(model, make(2))
    for n in batches:
        x = make(n)
        expected = model.eval()(x).data
        found = ask(x)
        assert found.dtype == expected.dtype
        np.testing.assert_allclose(found, expected, rtol=tolerance, atol=tolerance, strict=True)


class Formula(nn.Module):
    """A model that is one function."""

    def __init__(self, function):
        self.function = function

    def forward(self, x):
        return self.function(x)


def numbers(*shape, seed=0):
    """A function of n that draws a batch of n arrays of this shape, of numbers around 0."""
    rng = np.random.default_rng(seed)
    return lambda n: rng.normal(size=(n, *shape)).astype(np.float32)


def codes(*shape, most=5):
    rng = np.random.default_rng(1)
    return lambda n: rng.integers(0, most, (n, *shape))


# ---- the networks of the examples ----------------------------------------------------------------


@pytest.fixture
def examples(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "examples"))
    return importlib.import_module


def trained_a_little(model, make):
    """The model after two batches, so that batch norm has statistics of its own."""
    for p in model.parameters():
        p.data += 0.05 * np.random.default_rng(p.size).normal(size=p.shape).astype(np.float32)
    for n in (8, 9):
        model.train()(make(n))
    return model


@pytest.mark.parametrize("name", ["linear", "mlp", "lenet", "cnn"])
def test_the_four_networks_of_the_examples(name, examples, answers):
    mg.manual_seed(0)
    compare(answers, examples("models").MODELS[name](), numbers(1, 28, 28))


@pytest.mark.parametrize(
    "widths", [(16, 32, 64, 64, 96, 128), (6, 8, 10, 10, 12, 12)], ids=["large", "tiny"]
)
def test_the_networks_of_the_record(widths, examples, answers):
    mg.manual_seed(0)
    model = examples("mnist_record").network(widths, 0.1)
    compare(answers, trained_a_little(model, numbers(1, 28, 28)), numbers(1, 28, 28))


class ResNet(nn.Module):
    """A block with a shortcut, batch norm and global pooling (He et al. 2016)."""

    def __init__(self, inputs, filters):
        self.conv1 = nn.Conv2D(inputs, filters, 3, stride=2, padding=1, bias=False)
        self.norm1 = nn.BatchNorm(filters)
        self.conv2 = nn.Conv2D(filters, filters, 3, padding=1, bias=False)
        self.norm2 = nn.BatchNorm(filters)
        self.shortcut = nn.Conv2D(inputs, filters, 1, stride=2)
        self.dense = nn.Dense(filters, 10)

    def forward(self, x):
        y = mg.relu(self.norm1(self.conv1(x)))
        y = mg.relu(self.norm2(self.conv2(y)) + self.shortcut(x))
        return self.dense(mg.global_avg_pool2d(y).reshape(len(x), -1))


def test_a_residual_block_with_batch_norm_and_global_pooling(answers):
    mg.manual_seed(0)
    make = numbers(3, 12, 12)
    compare(answers, trained_a_little(ResNet(3, 8), make), make)


def test_the_autoencoder(examples, answers):
    mg.manual_seed(0)
    compare(answers, examples("autoencoder").Autoencoder(), numbers(784))


def test_the_transformer_of_integers(examples, answers):
    mg.manual_seed(0)
    script = examples("attention")
    model = script.Transformer(len(script.LETTERS), script.LENGTH, script.WIDTH, script.BLOCKS)
    compare(answers, model, codes(script.LENGTH, most=len(script.LETTERS)))


LAYERS = {
    "Conv1D": (lambda: nn.Conv1D(4, 6, 3, stride=2, padding=1, groups=2), (4, 9)),
    "dilated": (lambda: nn.Conv2D(2, 3, 3, dilation=2, padding=(2, 1)), (2, 8, 9)),
    "grouped": (lambda: nn.Conv2D(4, 6, 3, groups=2, stride=(2, 1)), (4, 8, 9)),
    "ConvTranspose2D": (
        lambda: nn.ConvTranspose2D(4, 6, 3, stride=2, padding=1, output_padding=1, groups=2),
        (4, 5, 6),
    ),
    "ConvTranspose2D dilated": (lambda: nn.ConvTranspose2D(2, 3, 3, dilation=2), (2, 5, 6)),
    "MaxPool bordered": (lambda: nn.MaxPool(3, stride=2, padding=1), (2, 7, 8)),
    "AvgPool bordered": (lambda: nn.AvgPool(3, stride=2, padding=1), (2, 7, 8)),
    "AdaptiveAvgPool": (lambda: nn.AdaptiveAvgPool((3, 2)), (2, 7, 8)),
    "BatchNorm": (lambda: nn.BatchNorm(5), (5,)),
    "LayerNorm": (lambda: nn.LayerNorm((3, 4)), (2, 3, 4)),
    "Identity": (nn.Identity, (3,)),
    "ELU": (lambda: nn.ELU(0.5), (3,)),
    "LeakyReLU": (nn.LeakyReLU, (3,)),
    "GELU": (nn.GELU, (3,)),
    "SiLU": (nn.SiLU, (3,)),
    "Softplus": (nn.Softplus, (3,)),
    "Dropout": (nn.Dropout, (3,)),
    "Dense of sequences": (lambda: nn.Dense(4, 3, bias=False), (5, 4)),
}


@pytest.mark.parametrize("name", LAYERS)
def test_layers(name, answers):
    mg.manual_seed(0)
    layer, shape = LAYERS[name]
    compare(answers, trained_a_little(layer(), numbers(*shape)), numbers(*shape))


# ---- each row of the table -----------------------------------------------------------------------

W = np.random.default_rng(5).normal(size=(6, 4)).astype(np.float32)
PLACES = np.array([[2, -1, 0], [1, 1, 0]])

# Formulas of x (N, 3, 4), with numbers around 0; each calls the rows that it names.
FORMULAS = {
    "add subtract multiply divide": lambda x: (x + 2) * (1 - x) / (x * x + 1),
    "remainder": lambda x: x % 0.7 + x % -0.7,
    "floor_divide": lambda x: x // 0.7 + x // -0.6,
    "floor_divide by 0 and by inf": lambda x: mg.concatenate([x // 0.0, x // np.inf], axis=1),
    "remainder of what is tiny": lambda x: (x * 1e-30) % -1e-20 * 1e20,
    "hypot of what has no square": lambda x: mg.hypot(x * 1e30, 1e30) * 1e-30,
    "positive negative": lambda x: +x - -x,
    "power": lambda x: (x * x + 0.5) ** 1.5 + 2.0**x,
    "square reciprocal": lambda x: mg.reciprocal(mg.square(x) + 1),
    "sqrt cbrt hypot": lambda x: mg.sqrt(mg.hypot(x, 2.0)) + mg.cbrt(x),
    "exp exp2": lambda x: mg.exp(x) + mg.exp2(x),
    "expm1 log1p": lambda x: 1e4 * mg.expm1(x * 1e-6) + mg.expm1(x) + mg.log1p(x * x),
    "log log2 log10": lambda x: mg.log(x * x + 0.1) + mg.log2(x * x + 0.1) + mg.log10(x * x + 0.1),
    "logaddexp logaddexp2": lambda x: mg.logaddexp(x, 30 * x) + mg.logaddexp2(1.0, x),
    "sigmoid tanh": lambda x: mg.sigmoid(5 * x) + mg.tanh(x),
    "sin cos tan": lambda x: mg.sin(x) + mg.cos(x) + mg.tan(x / 4),
    "arcsin arccos arctan": lambda x: (
        mg.arcsin(mg.sin(x)) + mg.arccos(mg.cos(x) * 0.9) + mg.arctan(x)
    ),
    "arctan2": lambda x: mg.arctan2(x, x[:, ::-1]) + mg.arctan2(x, 0.0) + mg.arctan2(0.0, x),
    "deg2rad rad2deg": lambda x: mg.deg2rad(x) + mg.rad2deg(x),
    "sinh cosh": lambda x: mg.sinh(x) + mg.cosh(x),
    "arcsinh arccosh arctanh": lambda x: (
        mg.arcsinh(x) + mg.arccosh(1.5 + x * x) + mg.arctanh(mg.tanh(x))
    ),
    "absolute fabs": lambda x: mg.absolute(x) + mg.fabs(x),
    "maximum minimum": lambda x: mg.maximum(x, 0.3) + mg.minimum(x, x[:, :1]),
    "fmax fmin": lambda x: mg.fmax(mg.log(x), x) + mg.fmin(x, mg.log(x)),
    "at_least at_most": lambda x: x.clip(-0.5, 0.4) + x.clip(min=-1),
    "nan_to_num": lambda x: mg.nan_to_num(mg.log(mg.relu(x)), neginf=-3.0) + mg.nan_to_num(x / 0),
    "where": lambda x: mg.where(np.tri(3, 4, dtype=bool), x, -1) + mg.where(mg.relu(x), 2.0, x),
    "sign floor ceil round": lambda x: (
        mg.sign(x) + mg.floor(x) + 3 * mg.ceil(x) + mg.round(x * 2) + mg.round(x, 1)
    ),
    "relu": mg.relu,
    "softmax": lambda x: mg.softmax(x) + mg.softmax(x, axis=1) + mg.softmax(x, axis=(1, 2)),
    "log_softmax": lambda x: mg.log_softmax(50 * x, axis=1) + mg.log_softmax(x, axis=(-1, -2)),
    "sum": lambda x: x.sum((0, 2)) + x.sum(axis=1).sum() + x.sum(0, keepdims=True)[0, :, 0],
    "prod": lambda x: x.prod(axis=(1, 2)) + x.prod(-1).prod(-1),
    "max min": lambda x: x.max(2, keepdims=True) - x.min() + x.max((1, 2), keepdims=True),
    "logsumexp": lambda x: mg.logsumexp(100 * x, axis=1) + mg.logsumexp(x, axis=(1, 2))[:, None],
    "logsumexp of little beside -inf": lambda x: mg.logsumexp(
        mg.pad(x - 200, ((0, 0), (1, 0), (0, 0)), constant_values=-np.inf), axis=1
    ),
    "norm": lambda x: mg.norm(x, axis=2) + mg.norm(x) + mg.std(x, axis=1)[:, :3],
    "norm_of_order": lambda x: mg.norm(x, 3, axis=1, keepdims=True),
    "cumsum": lambda x: x.cumsum(1) + x.cumsum(-1) + x.cumsum(0),
    "cumprod": lambda x: x.cumprod(1) + x.cumprod(-1),
    "reshape": lambda x: x.reshape(len(x) * 3, 4) @ W.T,
    "reshape of two sizes that follow": lambda x: mg.concatenate([x, x]).reshape(len(x), 2, 3, -1),
    "transpose": lambda x: x.transpose(0, -1, 1) + x.T.transpose(2, 0, 1),
    "broadcast_to": lambda x: mg.broadcast_to(x[:, None], (len(x), 2, 3, 4)),
    "broadcast_to from one": lambda x: mg.broadcast_to(x.sum(0, keepdims=True), (len(x), 3, 4)),
    "flip": lambda x: mg.flip(x, 1) + mg.flip(x) + mg.flip(x, (0, -1)),
    "roll": lambda x: mg.roll(x, 2, 1) + mg.roll(x, (1, -3), (1, 2)) + mg.roll(x[0], -5),
    "getitem beyond the ends": lambda x: (
        x[:, -9:, 9::-3] + x[:, 0:9:4, :2] * (1 + x[:, -9::-1].sum())
    ),
    "getitem along the batch": lambda x: (
        x[1:].sum(0) + x[::-1][-1] + x[:-1].sum(0) + x[..., 0].sum()
    ),
    "getitem as far as the batch goes": lambda x: (
        mg.Tensor(np.eye(70, 4, dtype="f"))[: len(x)] + mg.Tensor(W)[2 : len(x)].sum() + x[:, 0]
    ),
    "getitem by arrays with dots between": lambda x: (
        x[:, [0, 2], ..., [1, 3]] + x[:, 1, ..., [0, 2]]
    ),
    "getitem by slices": lambda x: x[:, ::-2, 1:3] + x[..., 0:1, -3:-1] + x[:, None, -1:, ::3],
    "getitem by integers": lambda x: x[:, 1, -2] + x[:, :, 0].sum(1) + x[-1, 0] @ W[0],
    "getitem by an array": lambda x: x[:, PLACES] + x[:, None][..., PLACES, 1:2][:, 0, :2, :, :],
    "getitem by a tuple or a range": lambda x: x[:, (0, 2)] + x[:, range(1, 3)],
    "getitem by a list": lambda x: x[:, [0, 2]] + x[..., [1, 0], :],
    "getitem by arrays side by side": lambda x: x[:, PLACES, PLACES.T[:, :2].T[:, :1]] + 1,
    "getitem by arrays apart": lambda x: x[:, None][:, :, [0, 1], None, [2, 3]],
    "getitem by an array and an integer": lambda x: x[:, 1, [0, 2]] + x[0, :, [1, 3]].sum(1),
    "getitem by a mask": lambda x: (
        x[:, np.eye(3, 4, dtype=bool)] + x[:, np.array([1, 0, 1]) > 0, 0:1][:, 1]
    ),
    "getitem with new axes": lambda x: (
        x[None, :, [0, 1], None, 2, None] + x[:, 1, 1][:, None, None]
    ),
    "a constant among options": lambda x: (
        mg.transpose(x, np.array([0, 2, 1])) + mg.sum(x, ())[:, :1, :1]
    ),
    "scatter": lambda x: (
        mg.diag(mg.sum(x, (0, 1)), k=-1)
        + mg.scatter(x[0, 0], index=(np.array([0, 1, 1, 0]),), shape=(5, 5)[:1])
    ),
    "pad": lambda x: (
        mg.pad(x, ((0, 0), (1, 2), (0, 3)), constant_values=-np.inf).max(2) + mg.pad(x.sum(), 0)
    ),
    "pad with zeros, of which the largest is taken": lambda x: mg.max_pool2d(
        mg.pad(-1 - x[:, None] ** 2, ((0, 0), (0, 0), (1, 2), (1, 1))), 2, 1
    ),
    "copy": lambda x: x.copy(),
    "astype": lambda x: (x * 3).astype(np.int64) + x.astype(bool).astype(np.int64),
    "diagonal": lambda x: mg.diagonal(x, 1, 2, 1) + mg.diagonal(x, axis1=1, axis2=2)[:, :2],
    "concatenate": lambda x: mg.concatenate([x, x[:, :1] * 2, W[None, :1] + 0 * x[:, :1]], axis=1),
    "matmul": lambda x: (
        x @ W.T + (x @ W[0])[..., None] + (x[:, 0] @ x[0].T @ np.ones(3, "f"))[:, None, None]
    ),
    "linear": lambda x: mg.linear(x, W) + mg.linear(x[:, 0], W, W[:, 0])[:, None],
    "einsum": lambda x: mg.einsum("...ij,kj->...ki", x, W) + mg.einsum("nij->n", x)[:, None, None],
    "einsum in integers": lambda x: (
        mg.tensordot(x, W, ([2], [1])) + mg.einsum(x, [0, 1, 2], [0, 1])[..., None]
    ),
    "einsum of a diagonal": lambda x: mg.einsum("nii->ni", x[..., :3]),
    "conv2d_textbook": lambda x: mg.conv2d_textbook(x[:, None], W.reshape(6, 1, 2, 2), padding=1),
    "im2col": lambda x: mg.im2col(x[:, None], 2, stride=(1, 2), padding=1) @ W.T,
    "col2im": lambda x: mg.col2im(mg.im2col(x[:, None], 2), (len(x), 1, 3, 4), 2),
    "conv2d max_pool2d": lambda x: mg.max_pool2d(
        mg.conv2d(x[:, None], W.reshape(6, 1, 2, 2)), 2, 1
    ),
    "conv2d_input_gradient": lambda x: mg.conv_transpose2d(
        x[:, None], W.reshape(1, 6, 2, 2), W[:, 0]
    ),
    "window_sum": lambda x: mg.avg_pool2d(x[:, None], (2, 3), 1, padding=(1, 0)),
}


@pytest.mark.filterwarnings("ignore:divide by zero", "ignore:invalid value")
@pytest.mark.parametrize("rows", FORMULAS)
def test_the_entry_of_a_row(rows, answers):
    compare(answers, Formula(FORMULAS[rows]), numbers(3, 4), tolerance=2e-5)


@pytest.mark.filterwarnings("ignore:divide by zero", "ignore:invalid value")
def test_every_entry_has_a_formula_that_calls_its_row():
    class Watcher:
        def forward(self, out, row, values, keywords):
            called.add(row.name)

    called = {"in_order"}  # returns what it is given; comes in gradients alone
    with setting(watching, Watcher()):
        for function in FORMULAS.values():
            function(mg.Tensor(numbers(3, 4)(2)))
        nn.MaxPool(2, padding=1)(np.ones((1, 1, 4, 4), np.float32))
    assert OPERATORS.keys() - called == set()


def test_every_row_has_an_entry_or_a_reason_why_there_is_none():
    assert registry.keys() == OPERATORS.keys() | WITHOUT.keys()
    assert OPERATORS.keys() & WITHOUT.keys() == set()


INTEGER_FORMULAS = {
    "arithmetic": lambda x: (x * 2 - 7) // 3 + x % 4 - x % -3 + (x - 2) // -2,
    "floats": lambda x: x / 3 + mg.sqrt(x),
    "reductions": lambda x: x.sum(1) + x.max(1) - x.min(axis=1),
    "mean": lambda x: x.mean(1),
    "matrices": lambda x: mg.linear(x, np.arange(8).reshape(2, 4)) + x @ np.ones(4, int)[:, None],
    "running sums over all": lambda x: mg.cumsum(x),
    "as they are": lambda x: mg.round(x) + mg.nan_to_num(x) + mg.ceil(x) + mg.flip(x, ()),
    "choices": lambda x: mg.where(x % 2, x, 7) + x.clip(1, 3) + mg.relu(x - 2) + mg.floor(x),
    "an index": lambda x: mg.Tensor(W)[x % 6] + W[0],
    "an index of bytes": lambda x: mg.take(mg.Tensor(W), x.astype(np.uint8), axis=0),
    "arrays of indices": lambda x: mg.Tensor(W)[x % 6, (x + 1) % 4],
    "an array and an integer": lambda x: mg.Tensor(W)[x, 1],
    "an array beside a constant": lambda x: mg.Tensor(W)[x[:, :2], np.array([1, 0])],
    "embedding and places": lambda x: mg.embedding(x, mg.Tensor(W)) + W[np.arange(x.shape[1])],
}


@pytest.mark.parametrize("name", INTEGER_FORMULAS)
def test_integers(name, answers):
    compare(answers, Formula(INTEGER_FORMULAS[name]), codes(4))


def test_a_mean_over_the_batch_divides_by_its_size(answers):
    compare(answers, Formula(lambda x: x - x.mean(0) + mg.var(x, (0, 1))), numbers(3, 4))


def test_what_numpy_is_asked_for_runs_as_rows(answers):
    function = lambda x: np.concatenate([np.exp(x), np.tanh(x) @ W.T], axis=-1).sum(axis=1)
    compare(answers, Formula(function), numbers(3, 4))


def test_masks_that_no_batch_changes_are_constants(answers):
    attend = lambda x: mg.scaled_dot_product_attention(x, x, x * 2, is_causal=True)
    compare(answers, Formula(attend), numbers(5, 4))


# ---- what is in the file -------------------------------------------------------------------------


def test_weights_keep_their_names_and_the_batch_is_called_n(onnx, written):
    model = trained_a_little(ResNet(3, 8), numbers(3, 12, 12))
    proto = written(model, numbers(3, 12, 12)(2))
    arrays = {a.name: onnx.numpy_helper.to_array(a) for a in proto.graph.initializer}
    state = model.state_dict()
    # The variances are folded with eps into a divisor; how many batches there were is not used.
    unused = {name for name in state if name.endswith(("running_var", "num_batches_tracked"))}
    for name in state.keys() - unused:
        np.testing.assert_array_equal(arrays[name], state[name], strict=True)
    assert [o.version for o in proto.opset_import] == [OPSET] == [18]
    assert proto.ir_version == 8
    (given,) = proto.graph.input
    (made,) = proto.graph.output
    assert (given.name, made.name) == ("input", "output")
    sizes = [
        [d.dim_param or d.dim_value for d in v.type.tensor_type.shape.dim] for v in (given, made)
    ]
    assert sizes == [["N", 3, 12, 12], ["N", 10]]
    assert len(arrays) == len(proto.graph.initializer)  # each has a name of its own


def test_a_shared_weight_is_in_the_file_once_by_its_first_name(written):
    model = nn.Sequential(nn.Dense(4, 4), nn.ReLU(), nn.Dense(4, 4))
    model[2].weight = model[0].weight
    names = [a.name for a in written(model, numbers(4)(2)).graph.initializer]
    assert sorted(names) == ["0.bias", "0.weight", "2.bias"]


def test_a_parameter_called_input_keeps_its_name(written):
    class Named(nn.Module):
        def __init__(self):
            self.input = nn.Parameter(np.ones(4))
            self.output = nn.Parameter(np.ones(4))

        def forward(self, x):
            return x * self.input + self.output

    graph = written(Named(), numbers(4)(2)).graph
    assert [a.name for a in graph.initializer] == ["input", "output"]
    assert [graph.input[0].name, graph.output[0].name] == ["input_", "output_"]


def test_rows_that_do_not_lead_to_the_output_are_left_out(written):
    class Watched(nn.Dense):
        def forward(self, x):
            self.entropy = mg.cross_entropy(super().forward(x), np.zeros(len(x), int))
            return super().forward(x)

    operators = [node.op_type for node in written(Watched(4, 3), numbers(4)(2)).graph.node]
    assert operators == ["Gemm", "Identity"]


def test_exporting_changes_nothing(onnx, tmp_path):
    model = trained_a_little(ResNet(3, 8), numbers(3, 12, 12))
    before = model.state_dict()
    example = numbers(3, 12, 12)(2)
    given = example.copy()
    mg.onnx.export(model, tmp_path / "model.onnx", example)
    assert model.training
    assert model.norm1.training
    assert all(p.data.flags.writeable for p in model.parameters())
    assert model.norm1.running_mean.flags.writeable
    np.testing.assert_array_equal(example, given)
    assert example.flags.writeable
    for name, array in model.state_dict().items():
        np.testing.assert_array_equal(array, before[name])


def test_a_view_of_what_is_read_only_does_not_keep_the_rest_locked(onnx, tmp_path):
    model = nn.Dense(4, 3)
    whole = np.ones((3, 8), np.float32)
    model.weight.data = whole[:, :4]
    whole.flags.writeable = False
    mg.onnx.export(model, tmp_path / "model.onnx", numbers(4)(2))
    assert model.bias.data.flags.writeable


def test_a_view_that_is_used_before_its_owner_can_be_written_to_afterward(onnx, tmp_path):
    class Shares(nn.Module):
        def __init__(self):
            self.table = nn.Parameter(np.ones((3, 4)))
            self.row = nn.Parameter(np.ones(4))
            self.row.data = self.table.data[0]

        def forward(self, x):
            return x * self.row + mg.sum(self.table, axis=0)

    model = Shares()
    mg.onnx.export(model, tmp_path / "model.onnx", numbers(4)(2))
    assert model.table.data.flags.writeable
    assert model.row.data.flags.writeable


def test_an_example_of_one_row_or_of_float64_serves_as_well(answers):
    model = nn.Sequential(nn.Flatten(), nn.Dense(12, 2))
    ask = answers(model, np.zeros((1, 3, 4)))
    for n in BATCHES:
        x = numbers(3, 4)(n)
        np.testing.assert_allclose(ask(x), mg.predict(model, x), atol=1e-5)


@pytest.mark.parametrize("one", [True, False], ids=["one row", "three rows"])
@pytest.mark.parametrize("dtype", [np.float32, np.int64, np.uint8, bool])
def test_the_other_batches_have_other_values_of_the_same_range_and_other_sizes(
    dtype, one, onnx, tmp_path
):
    seen = []

    class Watched(nn.Module):
        def forward(self, x):
            seen.append(x.data.copy())
            return x.astype(np.float32) + 1

    example = np.arange(24).reshape(3, 8) % 7 + 20
    if dtype is bool:
        example = example % 2
    example = example[: 1 if one else 3].astype(dtype)
    mg.onnx.export(Watched(), tmp_path / "model.onnx", example)
    first, second, third = seen
    expected = np.concatenate([example, example]) if one else example
    np.testing.assert_array_equal(first, expected, strict=True)
    assert second.dtype == dtype
    assert second.shape[1:] == first.shape[1:]
    assert len(second) == len(first) + 1  # so that the remainders of no division are the same
    assert example.min() <= second.min() < second.max() <= example.max()
    assert not np.array_equal(second[: len(first)], first)
    assert third.dtype == dtype
    assert third.shape == (1, *first.shape[1:])
    assert example.min() <= third.min() <= third.max() <= example.max()


def test_an_example_of_zeros_alone_has_another_batch_too(onnx, tmp_path):
    with pytest.raises(ValueError, match=r"argument 1 is -?0\.0 for the example"):
        mg.onnx.export(
            Formula(lambda x: x * float(x.data.mean())), tmp_path / "m.onnx", np.zeros((2, 3), "f")
        )


@pytest.mark.parametrize("code", [-1, 0, 3])
@pytest.mark.parametrize("dtype", [np.int64, np.uint8])
def test_an_example_of_one_integer_alone_has_other_batches_too(code, dtype, onnx, tmp_path):
    example = np.full((2, 3), code, int).astype(dtype)
    with pytest.raises(ValueError, match=r"argument 1 is .* for the example"):
        mg.onnx.export(Formula(lambda x: x * float(x.data.mean())), tmp_path / "m.onnx", example)


def test_columns_of_integers_stay_each_within_its_range(answers):
    class Table(nn.Module):
        def __init__(self):
            self.city = nn.Embedding(50, 3)
            self.kind = nn.Embedding(2, 3)

        def forward(self, x):
            return self.city(x[:, 0]) + self.kind(x[:, 1])

    make = lambda n: np.stack([np.arange(n) % 50, np.arange(n) % 2], axis=1)
    compare(answers, Table(), make)


def test_the_file_runs_where_there_is_no_minigrad(onnx, tmp_path):
    pytest.importorskip("onnxruntime", reason=WHY)
    mg.onnx.export(nn.Dense(4, 3), tmp_path / "model.onnx", numbers(4)(2))
    code = (
        "import sys; sys.modules['minigrad'] = None\n"
        "import numpy as np, onnxruntime\n"
        "session = onnxruntime.InferenceSession('model.onnx')\n"
        "print(session.run(None, {'input': np.ones((7, 4), 'f')})[0].shape)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "(7, 3)"


# ---- what is refused -----------------------------------------------------------------------------

cube = primitive(lambda x: x**3, lambda g, y, x: g * 3 * x**2, name="cube")
relu = primitive(lambda x: -x, lambda g, y, x: -g, name="relu")  # no relu at all


def _changing(x):
    x.data[...] *= 2
    return x + 1


REFUSED = {
    "a row of one's own": (lambda x: cube(x), r"cannot export cube, called at .*test_onnx\.py:\d+"),
    "a row that has the name of another": (lambda x: relu(x), "relu, called at.*another row than"),
    "a loss": (lambda x: mg.cross_entropy(x, np.zeros(len(x), int)), "cross_entropy, .* a loss"),
    "moments of the batch": (
        lambda x: mg.batch_norm(x, np.ones(4, "f"), np.zeros(4, "f"))[0],
        "batch_norm, called .*nn.BatchNorm has those of all batches",
    ),
    "a constant of another dtype": (
        lambda x: x + np.ones(4, "f" if len(x) == 2 else "d"),
        "add, called .*argument 1",
    ),
    "a number in place of an array": (
        lambda x: x + (1.0 if len(x) == 2 else np.ones(4, "f")),
        "add, called .*argument 1",
    ),
    "an array in place of a number": (
        lambda x: x + (1.0 if len(x) > 2 else np.ones(4, "f")),
        "add, called .*argument 1",
    ),
    "a mask": (lambda x: mg.where(x > 0, x, 1), "where, called .*argument 0 is an array.*mask"),
    "argsort": (lambda x: mg.sort(x), "getitem, called .*argument 1 is an array.*argsort"),
    "a draw": (lambda x: mg.dropout(x, 0.5), "multiply, called .*argument 1.*random draw"),
    "a draw of one shape": (
        lambda x: x * np.random.default_rng().random(4).astype("f"),
        "multiply, called .*argument 1.*random draw",
    ),
    "a constant of the batch's size": (
        lambda x: mg.concatenate([x, np.zeros((len(x), 2), "f")], axis=1),
        "concatenate, called .*a shape that broadcasts",
    ),
    "NumPy on the data": (lambda x: x + x.data * 2, "add, called .*argument 1.*what NumPy made of"),
    "a view made by NumPy": (lambda x: x + x.data[:, ::-1], "add, called .*argument 1"),
    "a number from the data": (lambda x: x * float(x.data.max()), "multiply.*argument 1 is"),
    "the output by NumPy": (lambda x: mg.Tensor(np.exp(x.data)), "cannot export the output: it is"),
    "a branch": (
        lambda x: mg.exp(x) if len(x) % 2 else mg.tanh(x),
        r"got exp, called at .* for a batch of 3 .* got tanh, called at .*mg\.where",
    ),
    "more rows": (lambda x: _times(x, len(x)), "got add, called at .* got the end for the example"),
    "an integer that is no multiple": (lambda x: x[: len(x) - 1], "getitem.*argument 1.*multiple"),
    "two sizes that are no multiples": (
        lambda x: mg.broadcast_to(x[1:], (2, len(x) - 1, 4)),
        "broadcast_to.*argument 1.*multiple",
    ),
    "Booleans as numbers": (lambda x: (x.astype(bool) * x.astype(bool)).astype("f"), "Booleans"),
    "the batch rolled": (lambda x: mg.roll(x, 1, 0), "roll, called .*axis of the batch"),
    "all rolled": (lambda x: mg.roll(x, 1), "roll, called .*axis of the batch"),
    "products along the batch": (lambda x: mg.cumprod(x, 0), "cumprod, called .*axis of the batch"),
    "a diagonal of the batch": (mg.diagonal, "diagonal, called .*axis of the batch"),
    "a matrix of the batch's size": (lambda x: mg.diag(x[:, 0]), "scatter, called .*index="),
    "places of the batch's size": (
        lambda x: mg.scatter(x, index=slice(0, len(x)), shape=(len(x), 4)),
        "scatter, called .*shape follows that of the batch",
    ),
    "the batch's size as an index": (
        lambda x: mg.Tensor(np.eye(9, dtype="f"))[len(x)] + x[:, :1],
        "Batch",
    ),
    "one example squeezed": (
        lambda x: mg.squeeze(x[:, :1]),
        "got reshape, called at .* for a batch of 1 .*mg.squeeze needs its axis",
    ),
    "a number for one example alone": (
        lambda x: x * (1.0 if len(x) == 1 else 2.0),
        "multiply, called .*argument 1 is 2.0 for the example, .*1.0 for a batch of 1",
    ),
    "a remainder of the batch's size": (
        lambda x: x * (len(x) % 3),
        "multiply, called .*argument 1 is",
    ),
    "the mean of a batch that is cut": (
        lambda x: x - x[:2].mean(0),
        "divide, called .*argument 1 is 2 for the example, 2 for a batch of 3, 1 for a batch of 1",
    ),
    "a batch that is cut where it has no end yet": (
        lambda x: x - x[:9].mean(0),
        r"getitem, called .*cuts the batch at \[9\]",
    ),
    "a batch that goes back from a place that it may not have": (
        lambda x: x + x[-2::-1].sum(0),
        "getitem, called .*goes back from a place",
    ),
    "a list of what rows made": (
        lambda x: mg.Tensor(np.eye(4, dtype="f"))[[x[0, 0].astype(int) * 0]],
        "getitem, called .*list of what other rows made",
    ),
    "the batch's size as an option": (
        lambda x: mg.roll(x, len(x), 1),
        "roll, called .*an option follows the batch",
    ),
    "an operator that does not take Booleans": (
        lambda x: x.astype(bool).max(1).astype("f"),
        "cannot export max, called at .*does not take this.*unsupported type",
    ),
    "a choice between Booleans": (
        lambda x: mg.where(np.eye(1, 4, dtype=bool), x.astype(bool), x.astype(bool)).astype("f"),
        "where, called .*Booleans",
    ),
    "True as an index": (lambda x: x[True], "getitem, called .*True as an index"),
    "places that depend on the data": (
        lambda x: mg.scatter(x.sum(), index=(x[0, :1].astype(int).data,), shape=(9,)),
        "scatter, called .*places that depend on the data",
    ),
    "a mask that rows made": (
        lambda x: x.sum(0)[x.sum(0).astype(bool).data],
        "getitem.* a mask, and",
    ),
    "long doubles": (lambda x: (x.astype(np.longdouble) * 2).astype("f"), "no arrays of"),
    "what is changed in place": (_changing, "read-only"),
    "None": (lambda x: None, "forward expects to return its outputs, got None"),
    "two outputs": (lambda x: (x + 1, x + 2), "expects one Tensor .*got tuple"),
    "an array": (lambda x: x.data, "expects one Tensor .*got ndarray"),
}


def _times(x, n):
    for _ in range(n):
        x = x + 1
    return x


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_exported_is_refused_by_name(name, onnx, tmp_path):
    function, message = REFUSED[name]
    with pytest.raises((ValueError, TypeError), match=message):
        mg.onnx.export(Formula(function), tmp_path / "model.onnx", numbers(4)(2))
    assert list(tmp_path.iterdir()) == []


MODEL = nn.Dense(4, 3)
WRONG = {
    "the path first": (("model.onnx", MODEL, numbers(4)(2)), TypeError, "expects a model"),
    "a function": ((mg.relu, "model.onnx", numbers(4)(2)), TypeError, "expects a model"),
    "no path": ((MODEL, None, numbers(4)(2)), TypeError, "expects a path"),
    "another ending": ((MODEL, "model.npz", numbers(4)(2)), ValueError, "'model.onnx'"),
    "a shape": ((MODEL, "model.onnx", (1, 4)), TypeError, "array of one batch .* got tuple"),
    "a Tensor": ((MODEL, "model.onnx", mg.Tensor([[1.0]])), TypeError, "has one as .data"),
    "words": ((MODEL, "model.onnx", np.array(["a"])), TypeError, "example of numbers, got <U1"),
    "nothing": ((MODEL, "model.onnx", np.zeros((0, 4), "f")), ValueError, r"got shape \(0, 4\)"),
    "a number": ((MODEL, "model.onnx", np.array(1.0)), ValueError, r"\(N, ...\)"),
    "NaN": ((MODEL, "model.onnx", np.full((2, 4), np.nan, "f")), ValueError, "finite numbers"),
    "integers": ((MODEL, "model.onnx", np.ones((2, 4), int)), TypeError, "expects floats"),
    "one example": ((MODEL, "model.onnx", np.ones(4, "f")), ValueError, "expects shape"),
}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_uses_are_refused(name, onnx, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    arguments, error, message = WRONG[name]
    with pytest.raises(error, match=message):
        mg.onnx.export(*arguments)
    assert list(tmp_path.iterdir()) == []


def test_an_error_of_the_model_says_that_export_ran_it(onnx, tmp_path):
    with pytest.raises(ValueError) as raised:
        mg.onnx.export(nn.Conv2D(1, 2, 3), tmp_path / "model.onnx", np.ones((1, 8, 8), "f"))
    (note,) = raised.value.__notes__
    assert "float32 (2, 8, 8): its first axis counts the examples" in note


def test_without_the_package_the_error_says_how_to_get_it(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(ImportError, match=r"pip install 'minigrad-numpy\[onnx\]'"):
        mg.onnx.export(MODEL, tmp_path / "model.onnx", numbers(4)(2))


def test_a_file_that_is_there_stays_if_the_new_one_fails(onnx, tmp_path):
    path = tmp_path / "model.onnx"
    path.write_text("the old one")
    with pytest.raises(ValueError):
        mg.onnx.export(Formula(mg.sort), path, numbers(4)(2))
    assert path.read_text() == "the old one"


def test_mg_onnx_needs_no_import_and_loads_no_package():
    code = "import sys, minigrad; minigrad.onnx.export; print('onnx' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
