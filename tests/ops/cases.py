"""The table of cases: each operation, its truth, and what to feed it.

`row=` names the row of minigrad's table that a case stands for; one without a case fails
test_table.py.
"""

import hypothesis.extra.numpy as hnp
import numpy as np
import op_truth as truth
from hypothesis import strategies as st
from op_checks import (
    Case,
    beside_scalar,
    draw_array,
    draw_axis,
    draw_shape,
    elementwise,
    one,
    reduced,
)

import minigrad as mg
from minigrad.autograd import registry
from minigrad.ops.elementwise import gate

CASES = []


def case(name, op, truth, strategy, row=None, **more):
    CASES.append(Case(name, op, truth, strategy, row, **more))


# ---- elementwise ---------------------------------------------------------------------------------

for name, low, high in [
    ("positive", -2, 2),
    ("negative", -2, 2),
    ("square", -2, 2),
    ("reciprocal", 0.5, 2),
    ("sqrt", 0.1, 3),
    ("cbrt", 0.1, 3),
    ("exp", -2, 2),
    ("exp2", -2, 2),
    ("expm1", -2, 2),
    ("log", 0.1, 3),
    ("log1p", -0.8, 3),
    ("log2", 0.1, 3),
    ("log10", 0.1, 3),
    ("sin", -3, 3),
    ("cos", -3, 3),
    ("tan", -1.2, 1.2),
    ("arcsin", -0.9, 0.9),
    ("arccos", -0.9, 0.9),
    ("arctan", -3, 3),
    ("deg2rad", -200, 200),
    ("rad2deg", -3, 3),
    ("sinh", -2, 2),
    ("cosh", -2, 2),
    ("tanh", -2, 2),
    ("arcsinh", -3, 3),
    ("arccosh", 1.1, 3),
    ("arctanh", -0.9, 0.9),
    ("absolute", -2, 2),
    ("fabs", -2, 2),
    ("sign", -2, 2),
    ("floor", -2, 2),
    ("ceil", -2, 2),
    ("round", -2, 2),
]:
    case(name, getattr(mg, name), getattr(np, name), elementwise(1, low, high), row=name)

for name, low, high in [
    ("add", -2, 2),
    ("subtract", -2, 2),
    ("multiply", -2, 2),
    ("divide", 0.5, 2),
    ("power", 0.5, 2),
    ("remainder", 0.5, 2),
    ("floor_divide", 0.5, 2),
    ("hypot", 0.1, 2),
    ("logaddexp", -2, 2),
    ("logaddexp2", -2, 2),
    ("arctan2", -2, 2),
    ("maximum", -2, 2),
    ("minimum", -2, 2),
    ("fmax", -2, 2),
    ("fmin", -2, 2),
]:
    op, numpy = getattr(mg, name), getattr(np, name)
    case(name, op, numpy, elementwise(2, low, high), row=name)
    case(f"{name}, number right", op, numpy, beside_scalar(low, high, scalars=(2, 1, 0.5)))
    case(f"{name}, number left", op, numpy, beside_scalar(low, high, True, scalars=(2, 1, 0.5)))

case("power of any base", mg.power, np.power, beside_scalar(-2, 2, scalars=(0, 1, 2, 3)))
case("x ** 2", lambda x: x**2, lambda x: x**2, elementwise())
case("2 ** x", lambda x: 2**x, lambda x: 2**x, elementwise())
case("1 / x", lambda x: 1 / x, lambda x: 1 / x, elementwise(1, 0.5, 2))
case("3 - x", lambda x: 3 - x, lambda x: 3 - x, elementwise())
case("abs(-x + [1])", lambda x: abs(-x) + 1, lambda x: abs(-x) + 1, elementwise())
case("x % y", lambda x, y: x % y, lambda x, y: x % y, elementwise(2, -2, -0.3))
case("-7 % x", lambda x: -7 % x, lambda x: -7 % x, elementwise(1, 0.5, 2))
case("x // 0.7", lambda x: x // 0.7, lambda x: x // 0.7, elementwise())
case("abs", mg.abs, np.abs, elementwise())
case("mod", mg.mod, np.mod, elementwise(2, 0.5, 2))
case("sinc", mg.sinc, np.sinc, elementwise(1, -3, 3))
case("sinc near 0", mg.sinc, np.sinc, elementwise(1, -0.2, 0.2))
case("clip", mg.clip, np.clip, elementwise(1, a_min=-0.7, a_max=0.9))
case("clip within tensors", mg.clip, np.clip, elementwise(3))
case("clip from below", lambda x, a: mg.clip(x, min=a), np.maximum, elementwise(2), row="at_least")
case("clip from above", lambda x, a: mg.clip(x, max=a), np.minimum, elementwise(2), row="at_most")
case("clip below", mg.clip, np.clip, elementwise(1, a_min=None, a_max=0.9))
case("clip, max=", mg.clip, lambda x, max: np.minimum(x, max), elementwise(1, max=1))
case("round to a place", mg.round, np.round, elementwise(1, decimals=1))


@st.composite
def choices(draw):
    condition, a, b = draw(
        hnp.mutually_broadcastable_shapes(num_shapes=3, min_side=0, max_side=3)
    ).input_shapes
    condition = draw(hnp.arrays(draw(st.sampled_from([bool, int])), condition))
    return [condition, draw_array(draw, a), draw_array(draw, b)], {}


@st.composite
def with_holes(draw):
    """Numbers, some of which are NaN or infinite; and what is to stand for those."""
    (x,), _ = draw(elementwise())
    x = np.array(x)
    for odd in np.nan, np.inf, -np.inf:
        x[draw(hnp.arrays(bool, x.shape))] = odd
    return [x], {
        name: draw(st.sampled_from([0.0, -1.5, 7])) for name in ("nan", "posinf", "neginf")
    }


case("nan_to_num", mg.nan_to_num, np.nan_to_num, with_holes(), row="nan_to_num")
case("where", mg.where, np.where, choices(), row="where")
case(
    "gate",
    lambda g: gate(g, g > -0.5),
    lambda g: np.where(g > -0.5, g, 0),
    elementwise(),
    row="gate",
)
case("where, number", lambda x: mg.where(np.cos(0) > 0.5, x, 0), lambda x: x + 0.0, elementwise())
case(
    "where of itself",
    lambda x: mg.where(x > 0, x, 0) + mg.where(x > 0, -1, x),
    lambda x: np.maximum(x, 0) + np.where(x > 0, -1, x),
    elementwise(),
)

# ---- reductions ----------------------------------------------------------------------------------

for name in "sum", "prod":
    case(name, getattr(mg, name), getattr(np, name), one(reduced), row=name)
for name in "mean", "var", "std":
    strategy = one(reduced, min_side=2 if name == "std" else 1)
    case(name, getattr(mg, name), getattr(np, name), strategy)
for name in "max", "min":
    case(name, getattr(mg, name), getattr(np, name), one(reduced, min_side=1), row=name)


@st.composite
def alike_pairs(draw):
    shape = draw_shape(draw, min_dims=1)
    return [draw_array(draw, shape, salt=i) for i in range(2)], {}


@st.composite
def with_zeros(draw, options=reduced):
    (x,), options = draw(one(options))
    return [np.asarray(x * draw(hnp.arrays(bool, x.shape)))], options


def moments(draw, shape):
    return {"axis": draw_axis(draw, shape, several=False), "ddof": 1}


def lengths(draw, shape):
    return {
        "ord": draw(st.sampled_from([0, 0.5, 1, 1.5, 2, 3, -1, -2, np.inf, -np.inf])),
        "axis": draw_axis(draw, shape, False, False),
        "keepdims": draw(st.booleans()),
    }


def matrix_norms(draw, shape):
    rows, columns = draw(st.permutations(range(len(shape))))[:2]
    return {
        "ord": draw(st.sampled_from(["fro", None, 1, -1, np.inf, -np.inf])),
        "axis": (rows, columns - len(shape)),
        "keepdims": draw(st.booleans()),
    }


def differences_of_order(draw, shape):
    return {"n": draw(st.integers(0, 3)), "axis": draw_axis(draw, shape, False, False)}


def along(draw, shape):
    return {"axis": draw_axis(draw, shape, several=False)}


def logsumexp(x, axis, keepdims):
    return np.log(np.sum(np.exp(x), axis, keepdims=keepdims))


def length(x, axis, keepdims):
    return np.sqrt(np.sum(x * x, axis, keepdims=keepdims))


vector = {"min_dims": 1, "min_side": 2}
case("prod with zeros", mg.prod, np.prod, with_zeros())
case("var, ddof", mg.var, np.var, one(moments, **vector))
case("std, ddof", mg.std, np.std, one(moments, **vector))
case("logsumexp", mg.logsumexp, logsumexp, one(reduced, min_side=1), row="logsumexp")
case("norm", mg.norm, length, one(reduced, low=0.3, high=2.0), row="norm")
case("norm of order", mg.norm, np.linalg.norm, one(lengths, **vector))
case(
    "norm of order 1.5",
    lambda x, **o: mg.norm(x, 1.5, **o),
    lambda x, **o: np.linalg.norm(x, 1.5, **o),
    one(lambda d, s: {"axis": draw_axis(d, s, False, False)}, **vector),
    row="norm_of_order",
)
case("norm of a matrix", mg.norm, np.linalg.norm, one(matrix_norms, min_dims=2, min_side=2))
case("cumsum", mg.cumsum, np.cumsum, one(along), row="cumsum")
case("cumprod", mg.cumprod, np.cumprod, one(along), row="cumprod")
case(
    "later",
    registry["later"],
    truth.later,
    alike_pairs(),
    row="later",
)
case("cumprod with zeros", mg.cumprod, np.cumprod, with_zeros(along))
case("diff", mg.diff, np.diff, one(differences_of_order, min_dims=1))
case("sort", mg.sort, np.sort, one(along, min_dims=1))

# ---- shapes --------------------------------------------------------------------------------------


def new_shape(draw, shape):
    n = int(np.prod(shape))
    shapes = [(n,), (n, 1), shape[::-1], (1, *shape)] + [(-1,), -1] * (n > 0)
    return {"shape": draw(st.sampled_from(shapes))}


def new_axes(draw, shape):
    axes = draw(st.permutations(range(len(shape))))
    axes = [a - len(shape) * draw(st.booleans()) for a in axes]
    return {"axes": draw(st.sampled_from([None, tuple(axes)]))}


def broader(draw, shape):
    shape = tuple(draw(st.integers(0, 3)) if n == 1 else n for n in shape)
    return {"shape": (*draw_shape(draw, max_dims=1), *shape)}


def border(draw, shape):
    width = st.integers(0, 2)
    widths = [[draw(width), draw(width)] for _ in shape]
    return {
        "pad_width": draw(st.sampled_from([widths, 1, (1, 2)])),
        "constant_values": draw(st.sampled_from([0, 1, -0.5])),
    }


def two_axes(draw, shape):
    axis = st.integers(-len(shape), len(shape) - 1)
    return {"axis1": draw(axis), "axis2": draw(axis)}


def different_axes(draw, shape):
    a, b = draw(st.permutations(range(len(shape))))[:2]
    return {"offset": draw(st.integers(-2, 2)), "axis1": a - len(shape), "axis2": b}


def moves(draw, shape):
    axes = draw(st.permutations(range(len(shape))))
    count = draw(st.integers(0, len(shape)))
    to = draw(st.permutations(range(-len(shape), 0)))
    return {"source": axes[:count], "destination": to[:count]}


def new_places(draw, shape):
    axis = draw(st.sampled_from([0, -1, (0, -1), len(shape), (0, 1)]))
    return {"axis": axis}


def ones(draw, shape):
    places = [a - len(shape) * draw(st.booleans()) for a, n in enumerate(shape) if n == 1]
    return {"axis": draw(st.sampled_from([None, tuple(places), *places[:1]]))}


def cuts(draw, shape):
    axis = draw(st.integers(-len(shape), len(shape) - 1))
    n = shape[axis]
    equal = [k for k in (1, 2, 3) if n % k == 0]
    at = draw(st.lists(st.integers(0, n), max_size=3).map(sorted))
    return {"sections": draw(st.sampled_from([*equal, at])), "axis": axis}


def repeats(draw, shape):
    axis = draw_axis(draw, shape, several=False)
    n = int(np.prod(shape)) if axis is None else shape[axis]
    each = draw(st.lists(st.integers(0, 2), min_size=n, max_size=n))
    return {"repeats": draw(st.sampled_from([2, each or 1])), "axis": axis}


def tiles(draw, shape):
    count = st.integers(0, 2)
    return {"reps": draw(st.one_of(count, st.lists(count, min_size=1, max_size=4).map(tuple)))}


def rolls(draw, shape):
    axis = draw_axis(draw, shape)
    by = st.integers(-4, 4)
    shift = tuple(draw(by) for _ in axis) if isinstance(axis, tuple) else draw(by)
    return {"shift": shift, "axis": axis}


def indices(draw, shape):
    """Slices, integers, None, ...; integer arrays that repeat; boolean arrays."""
    kinds = [hnp.basic_indices(shape, allow_newaxis=True)]
    if shape and 0 not in shape:
        kinds.append(hnp.integer_array_indices(shape))
        kinds.append(st.just(([0, 0, -1],)))
        kinds.append(st.just(((0, 0),)))
        if len(shape) > 1:
            kinds.append(st.tuples(st.just(slice(None)), st.just([-1, 0, 0])))
    kinds.append(hnp.arrays(bool, shape))
    return {"index": draw(st.one_of(kinds))}


def places(draw, shape):
    axis = draw_axis(draw, shape, several=False)
    n = int(np.prod(shape)) if axis is None else shape[axis]
    side = hnp.array_shapes(min_dims=0, max_dims=2, max_side=3)
    return {"indices": draw(hnp.arrays(int, side, elements=st.integers(-n, n - 1))), "axis": axis}


def places_along(draw, shape):
    axis = draw_axis(draw, shape, several=False, none=False)
    wide = list(shape)
    wide[axis] = draw(st.integers(1, 4))
    within = st.integers(-shape[axis], shape[axis] - 1)
    return {"indices": draw(hnp.arrays(int, tuple(wide), elements=within)), "axis": axis}


def diagonals(draw, shape):
    return {"k": draw(st.integers(-2, 2))}


def scattered(x, index, shape):
    out = np.zeros(shape)
    np.add.at(out, index, x)
    return out


@st.composite
def scatterings(draw):
    shape = draw_shape(draw, min_dims=1, min_side=1)
    index = indices(draw, shape)["index"]
    x = np.zeros(shape)[index]
    return [draw_array(draw, np.shape(x))], {"index": index, "shape": shape}


@st.composite
def several(draw, same=False):
    shape, axis = draw_shape(draw, min_dims=1), 0
    axis = draw(st.integers(-len(shape), len(shape) - 1))
    arrays = []
    for _ in range(draw(st.integers(1, 3))):
        wide = list(shape)
        if not same:
            wide[axis] = draw(st.integers(0, 3))
        arrays.append(draw_array(draw, tuple(wide)))
    return arrays, {"axis": axis}


deep, full, matrix = {"min_dims": 1}, {"min_dims": 1, "min_side": 1}, {"min_dims": 2}
case("reshape", mg.reshape, lambda x, shape: np.reshape(x, shape), one(new_shape), row="reshape")
case("transpose", mg.transpose, np.transpose, one(new_axes), row="transpose")
case(
    "in_order",
    lambda x, axes: registry["in_order"](x, axes=tuple(range(x.ndim)) if axes is None else axes),
    lambda x, axes: x,
    one(lambda draw, shape: {"axes": tuple(draw(st.permutations(range(len(shape)))))}),
    row="in_order",
)
case("broadcast_to", mg.broadcast_to, np.broadcast_to, one(broader), row="broadcast_to")
case("flip", mg.flip, np.flip, one(lambda d, s: {"axis": draw_axis(d, s)}), row="flip")
case("pad", mg.pad, np.pad, one(border, **deep), row="pad")
case(
    "getitem",
    lambda x, index: mg.getitem(x, index),
    lambda x, index: x[index],
    one(indices),
    row="getitem",
)
case("scatter", mg.scatter, scattered, scatterings(), row="scatter")
case(
    "astype",
    lambda x: mg.astype(mg.square(mg.astype(x, np.longdouble)), np.float64),
    np.square,
    elementwise(),
    row="astype",
    keeps_dtype=False,
)
case("copy", registry["copy"], np.copy, one(), row="copy")
case("diagonal", mg.diagonal, np.diagonal, one(different_axes, **matrix), row="diagonal")
case(
    "concatenate",
    lambda *xs, axis: mg.concatenate(xs, axis),
    lambda *xs, axis: np.concatenate(xs, axis),
    several(),
    row="concatenate",
)
case(
    "concatenate all",
    lambda *xs, axis: mg.concatenate(xs, None),
    lambda *xs, axis: np.concatenate(xs, None),
    several(),
)
case(
    "stack",
    lambda *xs, axis: mg.stack(xs, axis),
    lambda *xs, axis: np.stack(xs, axis),
    several(same=True),
)
case("swapaxes", mg.swapaxes, np.swapaxes, one(two_axes, **deep))
case("moveaxis", mg.moveaxis, np.moveaxis, one(moves))
case("expand_dims", mg.expand_dims, np.expand_dims, one(new_places))
case("squeeze", mg.squeeze, np.squeeze, one(ones, max_side=2))
case("split", mg.split, lambda x, sections, axis: np.split(x, sections, axis), one(cuts, **deep))
case("repeat", mg.repeat, np.repeat, one(repeats))
case("tile", mg.tile, np.tile, one(tiles))
case("roll", mg.roll, np.roll, one(rolls), row="roll")
case("take", mg.take, np.take, one(places, **full))
case("take_along_axis", mg.take_along_axis, np.take_along_axis, one(places_along, **full))
case("triu", mg.triu, np.triu, one(diagonals, **deep))
case("tril", mg.tril, np.tril, one(diagonals, **deep))

# ---- arranged ------------------------------------------------------------------------------------


def turns(draw, shape):
    first, second = draw(st.permutations(range(len(shape))))[:2]
    return {"k": draw(st.integers(-5, 5)), "axes": (first, second - len(shape))}


def pieces(axis, unequal=False):
    """The options of a function that splits along an axis: where, or into how many parts."""

    def draw_options(draw, shape):
        n = shape[axis if axis < len(shape) else 0]
        equal = [k for k in (1, 2, 3, 4) if unequal or n % k == 0]
        at = draw(st.lists(st.integers(0, n), max_size=3).map(sorted))
        return {"sections": draw(st.sampled_from([*equal, at]))}

    return draw_options


@st.composite
def alike(draw, max_dims=4):
    """One to three arrays of one shape."""
    shape = draw_shape(draw, max_dims=max_dims)
    return [draw_array(draw, shape, salt=i) for i in range(draw(st.integers(1, 3)))], {}


@st.composite
def of_any_shape(draw):
    return [draw_array(draw, draw_shape(draw), salt=i) for i in range(2)], {}


@st.composite
def in_space(draw):
    """Two arrays of vectors of three numbers, whose other axes broadcast; and where the three are."""
    shapes = draw(hnp.mutually_broadcastable_shapes(num_shapes=2, max_side=3, max_dims=2))
    places = [draw(st.integers(0, len(shape))) for shape in shapes.input_shapes]
    arrays = [
        draw_array(draw, (*shape[:place], 3, *shape[place:]), salt=place)
        for shape, place in zip(shapes.input_shapes, places)
    ]
    to = draw(st.integers(0, len(shapes.result_shape)))
    return arrays, {"axisa": places[0], "axisb": places[1], "axisc": to}


def as_list(f):
    return lambda *xs, **options: list(f(*xs, **options))


for name in "ravel", "atleast_1d", "atleast_2d", "atleast_3d", "flipud":
    least = 1 if name == "flipud" else 0
    case(name, getattr(mg, name), getattr(np, name), one(min_dims=least, max_dims=4))
case(
    "atleast_2d of several",
    lambda x, y: list(mg.atleast_2d(x, y)),
    lambda x, y: list(np.atleast_2d(x, y)),
    of_any_shape(),
)
for name in "vstack", "hstack", "dstack", "column_stack":
    op, numpy = getattr(mg, name), getattr(np, name)
    case(name, lambda *xs, op=op: op(xs), lambda *xs, numpy=numpy: numpy(xs), alike())
case("append", mg.append, np.append, of_any_shape())
case(
    "append, axis",
    lambda *xs, axis: mg.append(xs[0], xs[-1], axis),
    lambda *xs, axis: np.append(xs[0], xs[-1], axis),
    several(),
)
for name, axis, least in ("vsplit", 0, 2), ("hsplit", 1, 1), ("dsplit", 2, 3):
    split = getattr(np, name)
    op = lambda x, sections, split=split: split(x, sections)
    case(name, getattr(mg, name), op, one(pieces(axis), min_dims=least, max_dims=4))
case(
    "array_split",
    mg.array_split,
    lambda x, sections: np.array_split(x, sections),
    one(pieces(0, unequal=True), **deep),
)
case("matrix_transpose", mg.matrix_transpose, np.matrix_transpose, one(**matrix))
case("fliplr", mg.fliplr, np.fliplr, one(**matrix))
case("rot90", mg.rot90, np.rot90, one(turns, **matrix))
case("diag", mg.diag, np.diag, one(diagonals, min_dims=1, max_dims=2))
case("trace", mg.trace, np.trace, one(different_axes, **matrix))
case("kron", mg.kron, np.kron, of_any_shape())
case("cross", mg.cross, np.cross, in_space())

# ---- products ------------------------------------------------------------------------------------


@st.composite
def matrices(draw):
    shapes = draw(
        hnp.mutually_broadcastable_shapes(signature=np.matmul.signature, min_side=0, max_side=3)
    ).input_shapes
    return [draw_array(draw, shape) for shape in shapes], {}


@st.composite
def stacked(draw):
    signature = "(n,k),(k,m)->(n,m)"
    shapes = draw(
        hnp.mutually_broadcastable_shapes(signature=signature, min_side=0, max_side=3)
    ).input_shapes
    return [draw_array(draw, shape) for shape in shapes], {}


@st.composite
def affine(draw, bias=True):
    """Rows x (..., K) of any number of axes, w (F, K), b (F,)."""
    x = draw_shape(draw, min_dims=1)
    w = draw_shape(draw, 1, 1) + x[-1:]
    shapes = [x, w, w[:1]] if bias else [x, w]
    return [draw_array(draw, shape, salt=i) for i, shape in enumerate(shapes)], {}


FORMS = (
    "i i-> ij->i ...i->... ij,k->i ij->ji ij-> ii ii->i iij->j iij->ij ...i->i... ...->... ij...->...j i... "
    "i,i ij,jk ij,jk->ik ij,jk->ki ba,bc i,j i,j->ij i,->i ij,ij-> ii,ij->j ij,ik->jk "
    "...ij,...jk->...ik ...i,...i->... ...,...i i...,i... ij,kl-> ij,ij,ij->i ij,jk,kl->il "
    "i,ij,j a,b,c->cab ii,i,i-> i,i,...->... ...ij,jk,...k->...i bnq,bnc->bqc aB,Bc"
)


@st.composite
def labelled(draw, text):
    """Operands of the subscripts, with sizes of 0 to 3 and some axes of length 1 under the dots."""
    side = st.sampled_from([2, 3, 1, 0] if text.count(",") < 2 else [2, 3, 1])
    sizes = {a: draw(side) for a in "abcijklnqB"}
    dots, arrays = draw(st.sampled_from([(3, 2), (2, 3), (2,), (), (0, 2)])), []
    for part in text.split("->")[0].split(","):
        own = dots[draw(st.sampled_from(range(len(dots) + 1))) :] if "..." in part else ()
        own = tuple(draw(st.sampled_from([n, n, 1])) for n in own)
        before, _, after = part.partition("...")
        sides = [tuple(sizes[a] for a in letters) for letters in (before, after)]
        arrays.append(draw_array(draw, (*sides[0], *own, *sides[1])))
    return arrays, {"text": text, "optimize": draw(st.booleans())}


def np_einsum(*xs, text, optimize):
    return np.einsum(text, *xs)


@st.composite
def contractions(draw):
    shared = draw_shape(draw, max_dims=2)
    left, right = draw_shape(draw, max_dims=2), draw_shape(draw, max_dims=1)
    a, b = (*left, *shared), (*shared, *right)
    pairs = [*range(len(left), len(a))], [*range(len(shared))]
    forms = [len(shared), pairs, ([i - len(a) for i in pairs[0]][::-1], pairs[1][::-1])]
    if len(shared) == 1:
        forms.append((len(left), 0))
    return [draw_array(draw, a), draw_array(draw, b)], {"axes": draw(st.sampled_from(forms))}


@st.composite
def inner_shapes(draw, dot=False):
    n, left, right = (
        draw(st.integers(0, 3)),
        draw_shape(draw, max_dims=2),
        draw_shape(draw, max_dims=2),
    )
    b = (*right[:-1], n, *right[-1:]) if dot else (*right, n)
    pair = [(*left, n), b]
    if draw(st.integers(0, 3)) == 0:
        pair[draw(st.integers(0, 1))] = ()
    return [draw_array(draw, shape) for shape in pair], {}


case("matmul", mg.matmul, np.matmul, stacked(), row="matmul")
case("linear", mg.linear, lambda x, w, b: x @ w.T + b, affine(), row="linear")
case("linear, no bias", mg.linear, lambda x, w: x @ w.T, affine(bias=False))
case("matmul of vectors", mg.matmul, np.matmul, matrices())
case("a @ a.T", lambda a: a @ a.T, lambda a: a @ a.T, one(min_dims=2, max_dims=2))
for form in FORMS.split():  # implicit, explicit, repeated, with ..., one to three operands
    case(
        f"einsum {form}",
        lambda *xs, text, optimize: mg.einsum(text, *xs, optimize=optimize),
        np_einsum,
        labelled(form),
        row="einsum",
    )


@st.composite
def stretched_diagonals(draw):
    """A vector, and a diagonal of length 1 or of the vector's."""
    n = draw(st.integers(0, 3))
    k = draw(st.sampled_from([1, n]))
    arrays = [draw_array(draw, (n,)), draw_array(draw, (k, k, 2))]
    return arrays, {"text": draw(st.sampled_from(["d,ddk->dk", "d,ddk->k", "d,ddk->", "d,ddk"]))}


case(
    "einsum of a diagonal that is broadcast",
    lambda *xs, text: mg.einsum(text, *xs),
    lambda *xs, text: np.einsum(text, *xs),
    stretched_diagonals(),
    row="einsum",
)
case(
    "einsum of lists",
    lambda a, b: mg.einsum(a, [3, 40, ...], b, [40, 5], [..., 5, 3]),
    lambda a, b: np.einsum(a, [3, 40, ...], b, [40, 5], [..., 5, 3]),
    st.builds(lambda a, b: ([a, b], {}), hnp.arrays(float, (2, 3, 2), elements=st.floats(-1, 1)),
              hnp.arrays(float, (3, 4), elements=st.floats(-1, 1))),
)  # fmt: skip
case("dot", mg.dot, np.dot, inner_shapes(dot=True))
case("inner", mg.inner, np.inner, inner_shapes())
case("outer", mg.outer, np.outer, inner_shapes())
case("tensordot", mg.tensordot, np.tensordot, contractions())

# ---- activations and attention -------------------------------------------------------------------


def gelu(x):
    return x / 2 * (1 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3)))


def log_softmax(x, axis=-1):
    return np.log(truth.softmax(x, axis))


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def leaky(x, negative_slope=0.01):
    return np.where(x > 0, x, negative_slope * x)


def elu(x, alpha=1.0):
    return np.where(x > 0, x, alpha * np.expm1(x))


def an_axis(draw, shape):
    return {"axis": draw(st.integers(-len(shape), len(shape) - 1))}


some = {"min_dims": 1, "max_dims": 4, "min_side": 1}
case("relu", mg.relu, lambda x: np.maximum(x, 0), elementwise(), row="relu")
case("sigmoid", mg.sigmoid, sigmoid, elementwise(1, -3, 3), row="sigmoid")
case("softmax", mg.softmax, truth.softmax, one(an_axis, **some), row="softmax")
case("log_softmax", mg.log_softmax, log_softmax, one(an_axis, **some), row="log_softmax")
case("leaky_relu", mg.leaky_relu, leaky, elementwise())
case("leaky_relu, steep", mg.leaky_relu, leaky, elementwise(negative_slope=1.5))
case("elu", mg.elu, elu, elementwise(1, alpha=0.7))
case("silu", mg.silu, lambda x: x * sigmoid(x), elementwise())
case("gelu", mg.gelu, gelu, elementwise())
case("softplus", mg.softplus, lambda x: np.log1p(np.exp(x)), elementwise())


@st.composite
def questions(draw):
    batch, side = draw_shape(draw, max_dims=2, min_side=1, max_side=2), st.integers(1, 3)
    L, S, E, V = (draw(side) for _ in range(4))
    kind = draw(st.sampled_from(["", "causal", "scale", "mask", "scores"]))
    options = {"causal": {"is_causal": True}, "scale": {"scale": 0.3}}.get(kind, {})
    if kind == "mask":
        options = {"attn_mask": draw(hnp.arrays(bool, (L, S)))}
    if kind == "scores":
        options = {"attn_mask": np.asarray(draw_array(draw, (L, S)))}
    shapes = (*batch, L, E), (*batch, S, E), (*batch, S, V)
    return [draw_array(draw, shape) for shape in shapes], options


case("attention", mg.scaled_dot_product_attention, truth.attention, questions())

# ---- convolution and pooling ---------------------------------------------------------------------


def draw_pair(draw, low, high):
    """One number for both axes, or two."""
    n = st.integers(low, high)
    return draw(st.one_of(n, st.tuples(n, n)))


@st.composite
def convolutions(draw, groups=(1,), bias=True):
    """Images and kernels; the images no larger than the kernels need, and a little more."""
    options = {
        "stride": draw_pair(draw, 1, 3),
        "padding": draw_pair(draw, 0, 2),
        "dilation": draw_pair(draw, 1, 2),
    }
    kernel = [draw(st.integers(1, 3)) for _ in range(2)]
    pads, steps = truth.pair(options["padding"]), truth.pair(options["dilation"])
    sizes = [
        max(1, d * (k - 1) + 1 - 2 * p) + draw(st.integers(0, 3))
        for k, p, d in zip(kernel, pads, steps)
    ]
    g = draw(st.sampled_from(groups))
    N, C, F = (draw(st.integers(least, 2)) for least in (0, 1, 1))
    x, w = draw_array(draw, (N, C * g, *sizes)), draw_array(draw, (F * g, C, *kernel))
    if groups != (1,):
        options["groups"] = g
    return [x, w] + [draw_array(draw, (F * g,))] * bias, options


def pairs(options):
    return {key: truth.pair(value) for key, value in options.items()}


def conv_gradient(draw, of_input):
    """The arguments of a gradient of conv2d, which are g and w, or g and x."""
    (x, w), options = draw(convolutions(bias=False))
    g = draw_array(draw, truth.conv2d(x, w, **options).shape)
    shape = x.shape if of_input else w.shape
    return [g, w if of_input else x], {"shape": shape, **pairs(options)}


@st.composite
def windows(draw):
    """An image, and the options of im2col."""
    kernel, padding = draw_pair(draw, 1, 3), draw_pair(draw, 0, 2)
    options = {"stride": draw_pair(draw, 1, 3), "dilation": draw_pair(draw, 1, 2)}
    steps = zip(truth.pair(kernel), truth.pair(padding), truth.pair(options["dilation"]))
    sizes = [max(1, d * (k - 1) + 1 - 2 * p) + draw(st.integers(0, 3)) for k, p, d in steps]
    shape = draw(st.integers(0, 2)), draw(st.integers(1, 2)), *sizes
    return [draw_array(draw, shape)], {"kernel_size": kernel, "padding": padding, **options}


@st.composite
def columns(draw):
    """The arguments of col2im."""
    (x,), options = draw(windows())
    return [draw_array(draw, truth.im2col(x, **options).shape)], {"shape": x.shape, **options}


@st.composite
def poolings(draw, padded=True):
    kernel = draw_pair(draw, 1, 3)
    options = {"kernel_size": kernel, "stride": draw_pair(draw, 1, 3)}
    if padded:
        options["stride"] = draw(st.sampled_from([None, options["stride"]]))
        options["padding"] = tuple(draw(st.integers(0, k // 2)) for k in truth.pair(kernel))
    else:
        options = pairs(options)
    sizes = [k + draw(st.integers(0, 3)) for k in truth.pair(kernel)]
    shape = (draw(st.integers(0, 2)), draw(st.integers(1, 3)), *sizes)
    return [draw_array(draw, shape)], options


@st.composite
def pooled(draw, kind):
    """Arguments of the rows under the pools: an array, and options that say of which window."""
    (x,), options = draw(poolings(padded=False))
    y = truth.max_pool2d(x, **options)
    g = draw_array(draw, y.shape)
    if kind == "gather":
        return [draw_array(draw, x.shape)], {"x": x, "y": y, **options}
    return [g], {"shape": x.shape, **options} if kind == "share" else {"x": x, "y": y, **options}


def scatter_row(g, x, y, **options):
    return registry["max_scatter"](g, x, y, **options)


def gather_row(h, x, y, **options):
    return registry["max_gather"](h, x, y, **options)


@st.composite
def sequences(draw):
    K, pad, groups = draw(st.integers(1, 3)), draw(st.integers(0, 2)), draw(st.integers(1, 2))
    options = {
        "stride": draw(st.integers(1, 2)),
        "padding": pad,
        "dilation": draw(st.integers(1, 2)),
    }
    L = max(1, options["dilation"] * (K - 1) + 1 - 2 * pad) + draw(st.integers(0, 3))
    shapes = (draw(st.integers(1, 2)), 2 * groups, L), (groups, 2, K), (groups,)
    return [draw_array(draw, shape) for shape in shapes], {**options, "groups": groups}


@st.composite
def transposed(draw):
    """Small images and kernels, and a padding that leaves at least one pixel."""
    groups = draw(st.integers(1, 2))
    stride, dilation = draw_pair(draw, 1, 3), draw_pair(draw, 1, 2)
    more = tuple(draw(st.integers(0, s - 1)) for s in truth.pair(stride))
    N, C, F, H, W, KH, KW = (draw(st.integers(1, n)) for n in (2, 2, 2, 3, 3, 3, 3))
    steps = zip((H, W), (KH, KW), truth.pair(stride), truth.pair(dilation), more)
    large = [(n - 1) * s + d * (k - 1) + o + 1 for n, k, s, d, o in steps]
    padding = tuple(draw(st.integers(0, min(2, (n - 1) // 2))) for n in large)
    shapes = (N, C * groups, H, W), (C * groups, F, KH, KW), (F * groups,)
    return [draw_array(draw, shape, salt=i) for i, shape in enumerate(shapes)], {
        "stride": stride,
        "padding": padding,
        "output_padding": more,
        "groups": groups,
        "dilation": dilation,
    }


def conv1d(x, w, b, stride, padding, dilation, groups):
    wide = (1, stride), (0, padding), (1, dilation)
    return truth.conv2d(x[:, :, None], w[:, :, None], b, *wide, groups)[:, :, 0]


images = {"min_dims": 4, "max_dims": 4, "min_side": 1}
conv = truth.conv2d
case("conv2d", mg.conv2d, conv, convolutions(), row="conv2d")
case("conv2d_textbook", mg.conv2d_textbook, conv, convolutions(bias=False), row="conv2d_textbook")
case("im2col", mg.im2col, truth.im2col, windows(), row="im2col")
case("col2im", mg.col2im, truth.col2im, columns(), row="col2im")
case("conv2d, no bias", mg.conv2d, conv, convolutions(bias=False))
case("conv2d in groups", mg.conv2d, conv, convolutions(groups=(1, 2, 3)))
for part, of_input in (("input", True), ("weight", False)):
    name = f"conv2d_{part}_gradient"
    strategy = st.composite(conv_gradient)(of_input)
    case(name, registry[name], getattr(truth, name), strategy, row=name)
case("conv1d", mg.conv1d, conv1d, sequences())
case("conv_transpose2d", mg.conv_transpose2d, truth.conv_transpose2d, transposed())
case("max_pool2d", mg.max_pool2d, truth.max_pool2d, poolings(), row="max_pool2d")
case("avg_pool2d", mg.avg_pool2d, truth.avg_pool2d, poolings())
for row, name, op, by_loops in [
    ("max_scatter", "scatter", scatter_row, lambda g, x, y, **o: truth.max_scatter(g, x, **o)),
    ("max_gather", "gather", gather_row, lambda h, x, y, **o: truth.max_gather(h, x, **o)),
    ("window_share", "share", registry["window_share"], truth.window_share),
]:
    case(row, op, by_loops, pooled(name), row=row)
case("window_sum", registry["window_sum"], truth.window_sum, poolings(False), row="window_sum")
case(
    "adaptive_avg_pool2d",
    mg.adaptive_avg_pool2d,
    truth.adaptive_avg_pool2d,
    one(lambda draw, shape: {"output_size": draw_pair(draw, 1, 4)}, **images),
)
case(
    "global_avg_pool2d",
    mg.global_avg_pool2d,
    lambda x: x.mean((2, 3), keepdims=True),
    one(**images),
)

# ---- normalization and losses --------------------------------------------------------------------


@st.composite
def statistics(draw):
    N, C = draw(st.integers(0, 3)), draw(st.integers(1, 3))
    per_channel = [draw_array(draw, (1, C, 1), 0.5, 2) for _ in range(4)]
    return [draw_array(draw, (N, C, 2)), *per_channel], {"eps": draw(st.sampled_from([0.0, 0.1]))}


@st.composite
def batches(draw):
    N, C = draw(st.integers(2, 4)), draw(st.integers(1, 3))
    space = draw(st.sampled_from([(), (2, 3), (1, 1)]))
    return [draw_array(draw, shape) for shape in ((N, C, *space), (C,), (C,))], {"eps": 0.1}


@st.composite
def batch_gradients(draw, by_weight):
    """g, x, and the weight where the gradient is that of the input."""
    (x, weight, _), options = draw(batches())
    g = draw_array(draw, x.shape, salt=1)
    return [g, x] if by_weight else [g, x, weight], options


def with_moments(row):
    """A row that takes the moments of its second argument as its last two, which are constants."""

    def function(g, x, *weight, eps):
        array = x.data if isinstance(x, mg.Tensor) else x
        axes = (0, *range(2, array.ndim))
        return registry[row](g, x, *weight, array.mean(axes), array.var(axes), eps=eps)

    return function


@st.composite
def layers(draw):
    inner = draw_shape(draw, min_dims=1, max_dims=2, min_side=2)
    outer = draw_shape(draw, max_dims=2)
    return [draw_array(draw, shape) for shape in ((*outer, *inner), inner, inner)], {}


def layer_norm(x, weight, bias):
    axes = tuple(range(x.ndim - weight.ndim, x.ndim))
    moments = x.mean(axes, keepdims=True), x.var(axes, keepdims=True)
    return truth.normalize(x, *moments, weight, bias)


def last_axes(draw, shape):
    shapes = [shape[i:] for i in range(len(shape))] + [shape[-1]]
    return {"normalized_shape": draw(st.sampled_from(shapes)), "eps": 0.1}


def plain_layer_norm(x, normalized_shape, eps):
    axes = tuple(range(-np.size(normalized_shape), 0))
    return (x - x.mean(axes, keepdims=True)) / np.sqrt(x.var(axes, keepdims=True) + eps)


REDUCTIONS = st.sampled_from(["mean", "sum", "none"])


@st.composite
def pairs_of(draw, low=-2.0, high=2.0, batchmean=False, **options):
    """Two arrays of one shape, both differentiated."""
    shape = draw_shape(draw, min_dims=1, min_side=1)
    reduction = draw(st.one_of(REDUCTIONS, st.just("batchmean")) if batchmean else REDUCTIONS)
    arrays = [draw_array(draw, shape, low, high, salt) for salt in range(2)]
    return arrays, {"reduction": reduction, **options}


@st.composite
def classes(draw, smoothing=True):
    N, K = draw(st.integers(1, 3)), draw(st.integers(1, 4))
    options = {"label_smoothing": draw(st.sampled_from([0.0, 0.2]))} if smoothing else {}
    targets = draw(hnp.arrays(np.int64, N, elements=st.integers(0, K - 1)))
    return [draw_array(draw, (N, K))], {
        "targets": targets,
        "reduction": draw(REDUCTIONS),
        **options,
    }


@st.composite
def probabilities(draw):
    N, K = draw(st.integers(1, 3)), draw(st.integers(1, 4))
    arrays = [draw_array(draw, (N, K)), draw_array(draw, (N, K), 0, 1)]
    return arrays, {"reduction": draw(REDUCTIONS)}


def nll(logs, targets, reduction):
    return truth.reduced(-logs[np.arange(len(logs)), targets], reduction)


def differences(f):
    return lambda a, b, reduction: truth.reduced(f(a - b), reduction)


case("normalize", mg.normalize, truth.normalize, statistics())
case(
    "batch_norm",
    lambda *xs, eps: mg.batch_norm(*xs, eps)[0],
    truth.batch_norm,
    batches(),
    row="batch_norm",
)
for name, by_weight in ("batch_norm_input_gradient", False), ("batch_norm_weight_gradient", True):
    case(name, with_moments(name), getattr(truth, name), batch_gradients(by_weight), row=name)
case("layer_norm", lambda x, w, b: mg.layer_norm(x, w.shape, w, b), layer_norm, layers())
case("layer_norm, plain", mg.layer_norm, plain_layer_norm, one(last_axes, min_dims=1, min_side=2))
case(
    "cross_entropy of probabilities",
    mg.cross_entropy,
    truth.cross_entropy,
    probabilities(),
    row="soft_cross_entropy",
)
case(
    "cross_entropy",
    mg.cross_entropy,
    truth.cross_entropy,
    classes(smoothing=False),
    row="cross_entropy",
)
case("cross_entropy, smoothed", mg.cross_entropy, truth.cross_entropy, classes())
case("nll_loss", mg.nll_loss, nll, classes(smoothing=False))
case("mse_loss", mg.mse_loss, differences(np.square), pairs_of())
case("l1_loss", mg.l1_loss, differences(np.abs), pairs_of())
case("huber_loss", mg.huber_loss, truth.huber, pairs_of(delta=0.8))
bce = mg.binary_cross_entropy_with_logits
case(
    "binary_cross_entropy_with_logits",
    bce,
    truth.binary_cross_entropy,
    pairs_of(),
    row="binary_cross_entropy",
)
case("kl_div", mg.kl_div, truth.kl_div, pairs_of(0.2, 1, batchmean=True))
case("kl_div of logarithms", mg.kl_div, truth.kl_div, pairs_of(-2, 0, log_target=True))


@st.composite
def looked_up(draw):
    K, D = draw(st.integers(1, 4)), draw(st.integers(0, 3))
    side = hnp.array_shapes(min_dims=0, max_dims=2, min_side=0, max_side=3)
    return [
        draw(hnp.arrays(int, side, elements=st.integers(0, K - 1))),
        draw_array(draw, (K, D)),
    ], {}


case("embedding", mg.embedding, lambda i, w: w[i], looked_up())
case(
    "dropout",
    lambda x: mg.dropout(x, 0.5, np.random.default_rng(0)),
    lambda x: x * mg.dropout(np.ones_like(x), 0.5, np.random.default_rng(0)),
    elementwise(),
)
