"""`check(case, data)`: everything that must hold of an operation, in one line.

The truth of a value is NumPy, or loops in op_truth.py; the truth of a gradient is a central
difference along a random direction, which no wrong element escapes. The gradient itself, also as a
function of the incoming gradient, is differentiated in the same way: that is the second order.
"""

import sys
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import hypothesis.extra.numpy as hnp
import numpy as np
from hypothesis import strategies as st

import minigrad as mg
from minigrad.autograd import Tensor, gradients, registry, setting, topological_order, watching

EPS, ATOL, RTOL = 1e-6, 1e-7, 1e-5


@dataclass
class Case:
    """An operation, its truth, and how to draw (inputs, options) for it.

    Inputs that are arrays of floats are differentiated; whatever else is drawn is a constant.
    `row` is the row of the table that the case is there for; all of its rules must then run.
    """

    name: str
    op: Any
    truth: Any
    strategy: Any
    row: str | None = None
    keeps_dtype: bool = True
    atol: float = 1e-12


# ---- drawing: shapes, layouts in memory, arguments -----------------------------------------------


def _laid_out(x, layout):
    """The values of `x`, in another order or with other strides in memory."""
    if layout == "fortran":
        return np.asfortranarray(x)
    if layout == "reversed":
        return np.flip(np.flip(x).copy())
    if layout == "gaps":
        nothing = np.nan if x.dtype.kind == "f" else 99
        wide = np.full([2 * n for n in x.shape], nothing, x.dtype)
        view = wide[(slice(None, None, 2),) * x.ndim]
        view[...] = x
        return view
    if layout == "channels last" and x.ndim > 2:
        return np.moveaxis(np.moveaxis(x, 1, -1).copy(), -1, 1)
    if layout == "odd strides" and 1 in x.shape:  # the stride of an axis of length 1 is arbitrary
        strides = [s if n > 1 else 7777 * x.itemsize for n, s in zip(x.shape, x.strides)]
        return np.lib.stride_tricks.as_strided(x, x.shape, strides)
    return x


LAYOUTS = "plain", "fortran", "reversed", "gaps", "channels last", "odd strides"


def draw_array(draw, shape, low=-2.0, high=2.0, salt=0):
    """Random floats of order 1 in a random layout, read-only; another `salt`, other floats."""
    rng = np.random.default_rng([draw(st.integers(0, 2**32 - 1)), salt])
    x = np.asarray(rng.uniform(low, high, shape))
    x = _laid_out(x, draw(st.sampled_from(LAYOUTS))) if shape else x
    x.flags.writeable = False
    return x


def draw_shape(draw, min_dims=0, max_dims=3, min_side=0, max_side=3):
    """A shape; sides of 2 and 3 more often than hypothesis would, which likes 0 and 1."""
    sides = st.sampled_from([n for n in (2, 3, 1, 2, 3, 0) if min_side <= n <= max_side])
    dims = draw(st.sampled_from(range(min_dims, max_dims + 1)))
    return tuple(draw(sides) for _ in range(dims))


@st.composite
def elementwise(draw, count=1, low=-2.0, high=2.0, **options):
    """`count` arrays whose shapes broadcast."""
    shapes = draw(
        hnp.mutually_broadcastable_shapes(num_shapes=count, min_side=0, max_side=3, max_dims=4)
    ).input_shapes
    return [draw_array(draw, shape, low, high, i) for i, shape in enumerate(shapes)], options


@st.composite
def beside_scalar(draw, low=-2.0, high=2.0, first=False, scalars=(2, -1, 0.5, 3.0)):
    """An array and a Python number, in either order."""
    x = draw_array(draw, draw_shape(draw), low, high)
    c = draw(st.sampled_from(scalars))
    return ([c, x] if first else [x, c]), {}


@st.composite
def one(draw, options=None, low=-2.0, high=2.0, **shape):
    """An array, and options drawn by `options(draw, shape)`."""
    shape = draw_shape(draw, **shape)
    return [draw_array(draw, shape, low, high)], options(draw, shape) if options else {}


def draw_axis(draw, shape, several=True, none=True):
    """None, an axis, or several, counted from either end."""
    kinds = [st.none()] * none
    if shape:
        axis = st.integers(-len(shape), len(shape) - 1)
        kinds.append(axis)
        if several:
            kinds.append(st.lists(axis, unique_by=lambda a: a % len(shape)).map(tuple))
    return draw(st.one_of(kinds))


def reduced(draw, shape):
    return {"axis": draw_axis(draw, shape), "keepdims": draw(st.booleans())}


# ---- the check -----------------------------------------------------------------------------------


class _Strict:
    """A watcher: every value and gradient has one dtype, and nobody writes into them."""

    def __init__(self, dtype):
        self.dtype = dtype

    def forward(self, out, *_):
        self.look(out._data)

    def backward(self, t, i, *gradients):
        self.look(getattr(gradients[-1], "_data", gradients[-1]))

    def look(self, x):
        if x.dtype.kind == "f":
            assert self.dtype in (None, x.dtype)
        if isinstance(x, np.ndarray):  # and no scalar
            x.flags.writeable = False


@contextmanager
def blocks_of(size):
    """Inside `with`, all rooms of operations that work in blocks work in blocks of this size."""
    rooms = [m for name, m in sys.modules.items() if name.startswith("minigrad.ops.")]
    usual = {room: room.BLOCK_BYTES for room in rooms if hasattr(room, "BLOCK_BYTES")}
    assert usual, "no room works in blocks: has BLOCK_BYTES got another name?"
    try:
        for room in usual:
            room.BLOCK_BYTES = size
        yield
    finally:
        for room, before in usual.items():
            room.BLOCK_BYTES = before


@contextmanager
def strict(dtype=None):
    with setting(watching, _Strict(dtype)):
        yield


def _flat(y):
    """One tensor of the parts of a list."""
    return mg.concatenate([mg.reshape(part, (-1,)) for part in y]) if isinstance(y, list) else y


def is_float(x):
    return isinstance(x, np.ndarray) and x.dtype.kind == "f"


def _tensors(inputs):
    return [Tensor(x, requires_grad=True) if is_float(x) else x for x in inputs]


def _slopes(f, inputs, weights, create_graph=False):
    """d sum(f * weights) / d(input), zeros where it does not depend."""
    tensors = _tensors(inputs)
    loss = mg.sum(f(*tensors) * weights)
    variables = [t for t in tensors if isinstance(t, Tensor)]
    found = gradients(loss, variables, create_graph=create_graph)
    zeros = [np.zeros(t.shape, t.dtype) if g is None else g for g, t in zip(found, variables)]
    return zeros, variables


def check(case, data):
    """Value, and gradient of first and second order; nothing is written to."""
    inputs, options = data.draw(case.strategy)
    with blocks_of(data.draw(st.sampled_from([1, 200, 2**21]))):
        check_value(case, inputs, options)
        check_gradients(lambda *xs: _flat(case.op(*xs, **options)), inputs, case)


def check_value(case, inputs, options):
    expected = case.truth(*inputs, **options)
    plain = case.op(*inputs, **options)
    found = case.op(*_tensors(inputs), **options)
    if not isinstance(expected, list):
        expected, plain, found = [expected], [plain], [found]
    for truth, array, tensor in zip(expected, plain, found, strict=True):
        assert not isinstance(array, Tensor)
        assert isinstance(tensor, Tensor)
        assert np.shape(array) == tensor.shape == np.shape(truth)
        assert tensor.dtype == np.asarray(truth).dtype
        np.testing.assert_allclose(tensor.data, truth, rtol=1e-10, atol=case.atol)
        np.testing.assert_array_equal(array, tensor.data)


def check_gradients(f, inputs, case=None):
    rng = np.random.default_rng(0)
    y = f(*_tensors(inputs))
    if case and case.row:
        check_rules_run(case.row, y)
    weights = rng.uniform(0.5, 1.5, y.shape)
    weights.flags.writeable = False
    with strict(np.dtype(float) if case is None or case.keeps_dtype else None):
        slopes, _ = _slopes(f, inputs, weights)
        bent, directions = second_order(f, inputs, weights, rng)
    floats = [i for i, x in enumerate(inputs) if is_float(x)]
    for i, slope in zip(floats, slopes, strict=True):
        assert type(slope) is np.ndarray
        assert slope.shape == inputs[i].shape
        assert slope.dtype == inputs[i].dtype
        v = rng.normal(size=slope.shape)
        expected = difference(lambda x, i=i: total(f, put(inputs, i, x), weights), inputs[i], v)
        assert_near(np.sum(slope * v), expected, f"gradient of input {i}")

    def first(*everything):
        *xs, w = everything
        return sum(np.sum(g * u) for g, u in zip(_slopes(f, xs, w)[0], directions, strict=True))

    everything = [*inputs, weights]
    for i, slope in zip([*floats, len(inputs)], bent, strict=True):
        v = rng.normal(size=slope.shape)
        expected = difference(lambda x, i=i: first(*put(everything, i, x)), everything[i], v)
        assert_near(np.sum(slope * v), expected, f"second gradient by input {i}")


def second_order(f, inputs, weights, rng):
    """The gradient of sum(gradient * direction), by the inputs and by the incoming gradient."""
    w = Tensor(weights, requires_grad=True)
    slopes, variables = _slopes(f, inputs, w, create_graph=True)
    directions = [rng.normal(size=slope.shape) for slope in slopes]
    bend = Tensor(0.0, dtype=weights.dtype)
    for slope, u in zip(slopes, directions, strict=True):
        bend = bend + mg.sum(slope * u.astype(weights.dtype))
    if not bend.requires_grad:
        return [np.zeros(t.shape) for t in [*variables, w]], directions
    found = gradients(bend, [*variables, w])
    zeros = [np.zeros(t.shape) if g is None else g for g, t in zip(found, [*variables, w])]
    return zeros, directions


def check_rules_run(name, y):
    """The graph holds the row, with every argument that it has a rule for."""
    row = registry[name]
    nodes = [t.node for t in topological_order(y) if t.node and t.node[0] is row]
    assert nodes, f"the case does not use the row {name}"
    for i, rule in enumerate(row.rules):
        used = any(i == place for node in nodes for place, _ in node[-1])
        assert used or rule is None, f"no gradient of {name} is asked of argument {i}"


def total(f, inputs, weights):
    return np.sum(np.asarray(_value(f(*inputs))) * weights)


def _value(y):
    return y.data if isinstance(y, Tensor) else y


def put(inputs, i, x):
    return [*inputs[:i], np.asarray(x), *inputs[i + 1 :]]


def difference(f, x, v):
    """The derivative of f at x along v; in the memory order of x, in which a mask is drawn."""
    up, down = np.empty_like(x), np.empty_like(x)
    np.add(x, EPS * v, out=up)
    np.subtract(x, EPS * v, out=down)
    return (f(up) - f(down)) / (2 * EPS)


def assert_near(got, expected, what):
    allowed = ATOL + RTOL * abs(expected)
    assert abs(got - expected) <= allowed, f"{what}: expected {expected:.9g}, got {got:.9g}"
