"""A Tensor where an array is expected: the row, the value, or an error with its reason."""

import copy
import math
import operator
import pickle
from types import FunctionType

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from op_checks import draw_array, draw_axis, draw_shape

import minigrad as mg
from minigrad import Tensor, gradients, nn
from minigrad.autograd import registry
from minigrad.ops import numpy_protocol


@pytest.fixture
def t():
    return Tensor(np.array([1.0, 2.0]), requires_grad=True, name="t")


@pytest.fixture
def m():
    return Tensor(np.array([[1.0, 2.0], [3.0, 4.0]]), requires_grad=True)


@pytest.fixture
def constant():
    return Tensor(np.array([1.0, 2.0]))


# ---- np.f(tensor) --------------------------------------------------------------------------------

ARGUMENTS = {
    "power": (2,), "clip": (0, 1), "where": (0,), "reshape": (4,), "broadcast_to": ((3, 2, 2),),
    "pad": (1,), "split": (2,), "repeat": (2,), "tile": (2,), "roll": (1,), "swapaxes": (0, 1),
    "moveaxis": (0, 1), "expand_dims": (0,), "take": ([0, 1],), "tensordot": (1,),
    "astype": (np.float64,), "array_split": (2,), "vsplit": (2,), "hsplit": (2,), "dsplit": (2,),
}  # fmt: skip
TWO = (
    "add subtract multiply divide remainder floor_divide hypot logaddexp logaddexp2 arctan2 "
    "maximum minimum fmax fmin matmul dot inner outer kron cross append"
)
INPUTS = {  # where a matrix of small numbers will not do
    "arccosh": [[1.1, 1.2], [1.3, 1.4]], "cross": [[0.1, 0.2, 0.3]], "dsplit": [[[0.1, 0.2]]],
}  # fmt: skip
SPLITS = np.split, np.array_split, np.vsplit, np.hsplit, np.dsplit


def arguments(name, x):
    """Arguments for NumPy's function of that name, of which the first are `x`."""
    if name == "take_along_axis":
        return x, np.array([[0], [1]]), 1
    if name == "where":
        return [True, False], x, 0
    if name == "einsum":
        return "ij,jk", x, x
    if name in ("concatenate", "stack"):
        return ([x, np.ones((2, 2)), x],)
    if name in TWO.split() or name == "tensordot":
        return x, x, *ARGUMENTS.get(name, ())
    return x, *ARGUMENTS.get(name, ())


each_function = pytest.mark.parametrize(
    "function", numpy_protocol.FUNCTIONS, ids=lambda f: f.__name__
)


@each_function
def test_numpys_functions_of_a_tensor_are_the_rows(function):
    name = function.__name__
    x = np.array(INPUTS.get(name, [[0.1, 0.2], [0.3, 0.4]]))
    tensor = function(*arguments(name, Tensor(x, requires_grad=True)))
    truth = function(*arguments(name, x))
    pairs = zip(tensor, truth, strict=True) if function in SPLITS else [(tensor, truth)]
    for got, expected in pairs:
        assert isinstance(got, Tensor)
        assert got.requires_grad
        np.testing.assert_allclose(got.data, expected)


TAKES_ARRAYS_ALONE = (
    *(np.astype, np.take_along_axis, np.split, np.vsplit, np.hsplit, np.dsplit),
    np.power,  # which is a ** b here
)


@pytest.mark.parametrize(
    "function",
    [f for f in numpy_protocol.FUNCTIONS if f not in TAKES_ARRAYS_ALONE],
    ids=lambda f: f.__name__,
)
def test_the_rows_take_lists_and_numbers_as_numpy_does(function):
    row, name = numpy_protocol.FUNCTIONS[function], function.__name__
    matrix = INPUTS.get(name, [[0.1, 0.2], [0.3, 0.4]])
    for x in matrix, matrix[0], matrix[0][0]:
        try:
            truth = function(*arguments(name, x))
        except (ValueError, TypeError, IndexError):
            assert x is not matrix  # NumPy takes at least the matrix
            continue
        found = row(*arguments(name, x))
        pairs = zip(found, truth, strict=True) if function in SPLITS else [(found, truth)]
        for got, expected in pairs:
            np.testing.assert_allclose(got, expected, strict=True)


LEFT_OUT = object()
WITH_AXIS = [
    function
    for function in [*numpy_protocol.FUNCTIONS, *numpy_protocol.PLAIN]
    if "axis" in numpy_protocol.names_by_place(function) or function is np.concatenate
]


@st.composite
def calls_with_axis(draw, function):
    """An array; a function that makes arguments of it or of its Tensor; and keywords."""
    shape = draw_shape(draw, min_side=function is np.take)  # there is no index into nothing
    x = draw_array(draw, shape)
    axis = draw(st.sampled_from([None, LEFT_OUT, "inside", "anywhere"]))
    if axis == "inside":
        axis = draw_axis(draw, shape)
    elif axis == "anywhere":
        axis = draw(st.integers(-4, 3))
    name = function.__name__
    if name in ("concatenate", "stack"):
        make = lambda x: ((x, x),)
    elif name == "take_along_axis":
        index = np.zeros(x.size if axis is None else shape, int)
        make = lambda x: (x, index)
    else:
        more = {
            "repeat": (2,),
            "split": (1,),
            "array_split": (2,),
            "take": ([0, 0],),
            "roll": (1,),
            "argpartition": (0,),
        }.get(name, ())
        make = lambda x: (x, *more)
    if axis is LEFT_OUT:
        return x, make, {}
    following = numpy_protocol.names_by_place(function)[len(make(x)) :]
    if following[:1] == ["axis"] and draw(st.booleans()):
        return x, lambda x: (*make(x), axis), {}
    return x, make, {"axis": axis}


@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # of the mean of nothing
@pytest.mark.parametrize("function", WITH_AXIS, ids=lambda f: f.__name__)
@settings(max_examples=80, deadline=None, derandomize=True, database=None)
@given(data=st.data())
def test_an_axis_reaches_the_row_as_it_was_passed(function, data):
    """None, given or left out, an axis, several, or one that there is not: all is as in NumPy."""
    x, make, keywords = data.draw(calls_with_axis(function))
    t = Tensor(x, requires_grad=True)
    try:
        truth = function(*make(x), **keywords)
    except (TypeError, ValueError, IndexError):
        if function is not np.linalg.norm:  # which takes more axes here than in NumPy
            with pytest.raises((TypeError, ValueError, IndexError)):
                function(*make(t), **keywords)
        return
    found = function(*make(t), **keywords)
    for got, expected in zip(found, truth) if function in SPLITS else [(found, truth)]:
        if function in numpy_protocol.FUNCTIONS:
            assert got.requires_grad
            got = got.data
        np.testing.assert_allclose(got, expected, rtol=1e-10, atol=1e-12, strict=True)


@pytest.mark.parametrize(
    ("function", "options"),
    [
        (np.sum, (0, None, None, True)),
        (np.prod, (0, None, None, True)),
        (np.mean, (None, None, None, True)),
        (np.var, (0, None, None, 1, True)),
        (np.std, (0, None, None, 1)),
        (np.max, (1, None, True)),
        (np.min, (1, None, True)),
        (np.cumsum, (None, None, None)),
        (np.round, (1, None)),
        (np.sort, (None, None, None)),
        (np.take, ([1, 0], None, None)),
        (np.clip, (1.5, None, None)),
        (np.reshape, (4,)),
    ],
)
def test_options_by_place_are_those_of_numpy(function, options, m):
    np.testing.assert_array_equal(function(m, *options).data, function(m.data, *options))


@pytest.mark.parametrize("name", numpy_protocol.CONSTANTS.split())
def test_functions_without_a_gradient_give_numpys_value(name, t):
    function, x = getattr(np, name), t.data
    more = {"full_like": (3,), "searchsorted": (1.5,), "argpartition": (1,)}.get(name, ())
    two = (
        "equal not_equal less less_equal greater greater_equal logical_and logical_or logical_xor "
        "allclose array_equal array_equiv isclose isin digitize shares_memory may_share_memory"
    )
    if name in two.split():
        more = (np.array([1.0, 3.0]),)
    got, expected = function(t, *more), function(x, *more)
    assert type(got) is type(expected)
    np.testing.assert_array_equal(got, expected) if name != "empty_like" else None


@pytest.mark.parametrize(
    ("call", "hint"),
    [
        (lambda t: np.nansum(t), r"np.nansum .*mg.where"),
        (lambda t: np.ediff1d(t), r"np.ediff1d .*mg.diff"),
        (lambda t: np.block([t, t]), r"np.block .*mg.concatenate"),
        (lambda t: np.linalg.inv(t), r"np.linalg.inv .*detach"),
        (lambda t: np.fft.fft(t), r"np.fft.fft .*detach"),
        (lambda t: np.unique(t), r"np.unique .*detach"),
        (lambda t: np.add.reduce(t), r"np.add.reduce .*mg.sum"),
        (lambda t: np.add.accumulate(t), r"np.add.accumulate .*mg.cumsum"),
        (lambda t: np.multiply.outer(t, t), r"np.multiply.outer .*a\[:, None\]"),
        (lambda t: np.divmod(t, 2), r"np.divmod .*mg.floor_divide and mg.remainder"),
        (lambda t: np.conjugate(t), r"np.conjugate .*real"),
        (lambda t: np.add.at(np.zeros(2), [0], t), r"np.add.at .*mg.scatter"),
        (lambda t: np.copyto(np.zeros(2), t), r"np.copyto .*mg.where"),
        (lambda t: np.save("nowhere.npy", t), r"np.save .*detach"),
    ],
)
def test_a_function_without_a_row_says_what_to_use_instead(call, hint, t):
    with pytest.raises(TypeError, match=hint):
        call(t)


@pytest.mark.parametrize(
    ("call", "option"),
    [
        (lambda t: np.exp(t, out=np.zeros(2)), "out="),
        (lambda t: np.exp(t, np.zeros(2)), "out="),
        (lambda t: np.exp(np.zeros(2), out=t), "out="),
        (lambda t: np.less(t, 1, out=np.zeros(2, bool)), "out="),
        (lambda t: np.mean(t, dtype=np.float32), "dtype="),
        (lambda t: np.sum(t, where=[True, False]), "where="),
        (lambda t: np.sum(t, initial=1), "initial="),
        (lambda t: np.add(t, 1, where=[True, False]), "where="),
        (lambda t: np.reshape(t, 2, order="F"), "order="),
        (lambda t: np.concatenate([t, t], dtype=np.float32), "dtype="),
        (lambda t: np.sum(t, 0, np.float32), "dtype="),
        (lambda t: np.max(t, 0, np.zeros(())), "out="),
        (lambda t: np.clip(t, 0, 1, np.zeros(2)), "out="),
        (lambda t: np.reshape(t, 2, "F"), "order="),
        (lambda t: np.sort(t, kind="stable"), "kind="),
        (lambda t: np.var(t, mean=1), "mean="),
        (lambda t: np.astype(t, float, copy=False), "copy="),
        (lambda t: operator.iadd(np.zeros(2), t), "out="),
    ],
)
def test_options_that_have_no_meaning_are_refused_by_name(call, option, t):
    with pytest.raises(TypeError, match=option):
        call(t)


@pytest.mark.parametrize(
    "call",
    [
        lambda t: np.where(t),
        lambda t: np.cumsum(t, 0, np.float32),
        lambda t: np.sum(a=t),
    ],
)
def test_forms_of_a_call_that_are_not_supported_raise(call, t):
    with pytest.raises(TypeError):
        call(t)


@pytest.mark.parametrize(
    ("call", "reason"),
    [
        (lambda t: np.where(t), r"^where\(\) missing .*'a' and 'b'"),
        (lambda t: t.astype(float, copy=False), r"^astype\(\) .*'copy'"),
        (lambda t: t.sum(dim=1), r"^sum\(\) .*'dim'"),
        (lambda t: mg.primitive(lambda x: x, name="same")(t, t), r"^same\(\) takes 1"),
    ],
)
def test_wrong_arguments_are_blamed_on_the_operation(call, reason, t):
    with pytest.raises(TypeError, match=reason):
        call(t)


@pytest.mark.parametrize("row", registry.values(), ids=lambda row: row.name)
def test_no_row_calls_itself_a_lambda_in_errors(row):
    with pytest.raises(TypeError) as error:
        row(no_such_option=1)
    assert "lambda" not in str(error.value)
    if isinstance(row.function, FunctionType):  # others are NumPy's and Python's own
        assert str(error.value).startswith(f"{row.name}()")


def test_options_left_at_none_are_taken_as_left_out(t):
    assert np.sum(t, dtype=None, out=None).item() == 3


def test_norm_of_a_matrix_is_numpys_or_says_why_there_is_none(m):
    for order in (None, "fro", 1, -1, np.inf, -np.inf):
        assert np.linalg.norm(m, order).item() == np.linalg.norm(m.data, order)
        assert np.linalg.norm(m, order, (1, 0)).item() == np.linalg.norm(m.data, order, (1, 0))
    for order in (2, -2, "nuc", 3, 0):
        with pytest.raises(ValueError, match="singular values"):
            np.linalg.norm(m, ord=order)
        with pytest.raises(ValueError, match="singular values"):
            mg.norm(m, ord=order, axis=(0, 1))
    for order in ("fro", "nuc"):
        with pytest.raises(ValueError, match="any number for a vector"):
            mg.norm(m[0], ord=order)


# ---- operators -----------------------------------------------------------------------------------

OPERATORS = [
    operator.add,
    operator.sub,
    operator.mul,
    operator.truediv,
    operator.pow,
    operator.mod,
    operator.floordiv,
    operator.lt,
    operator.le,
    operator.gt,
    operator.ge,
    operator.eq,
    operator.ne,
]
OTHERS = [
    2, 0.5, True, [3.0, 4.0], (3.0, 4.0), np.array([3.0, 4.0]), np.array([[3.0], [4.0]]),
    np.float64(2), np.float32(2), np.int64(2),
]  # fmt: skip


@pytest.mark.parametrize("other", OTHERS, ids=repr)
@pytest.mark.parametrize("apply", OPERATORS, ids=lambda f: f.__name__)
def test_operators_in_both_orders(apply, other, t):
    for got, truth in (
        (apply(t, other), apply(t.data, other)),
        (apply(other, t), apply(other, t.data)),
    ):
        value = got.data if isinstance(got, Tensor) else got
        assert type(value) is np.ndarray
        assert value.dtype == truth.dtype
        np.testing.assert_allclose(value, truth)
        if isinstance(got, Tensor):
            assert got.requires_grad


@pytest.mark.parametrize("other", [2, 0.5, True, [3.0, 4.0], np.ones(2, np.float32)], ids=repr)
@pytest.mark.parametrize("apply", OPERATORS[:7], ids=lambda f: f.__name__)
def test_float32_stays_float32_beside_numbers_and_lists(apply, other):
    x = Tensor(np.array([1.0, 2.0], np.float32), requires_grad=True)
    for y in apply(x, other), apply(other, x):
        assert y.dtype == np.float32
        assert gradients(y, [x], np.ones(2))[0].dtype == np.float32


def test_matmul_with_arrays_and_lists_in_both_orders(m):
    for other in [1.0, 2.0], np.array([1.0, 2.0]), [[1.0], [2.0]]:
        np.testing.assert_allclose((m @ other).data, m.data @ np.array(other))
        (g,) = gradients(m @ other, [m], np.ones((m @ other).shape))
        np.testing.assert_allclose(g, np.ones((2, 1)) * np.ravel(other))
    np.testing.assert_allclose(([1.0, 2.0] @ m).data, [7, 10])
    np.testing.assert_allclose((np.eye(2) @ m).data, m.data)


def test_numpys_products_take_lists(t):
    for product in (np.dot(t, [3, 4]), np.inner([3, 4], t), np.tensordot([3, 4], t, 1)):
        assert product.item() == 11
        assert product.requires_grad


@pytest.mark.parametrize(
    ("function", "apply"),
    [
        (np.add, operator.add),
        (np.subtract, operator.sub),
        (np.multiply, operator.mul),
        (np.divide, operator.truediv),
        (np.power, operator.pow),
        (np.remainder, operator.mod),
        (np.floor_divide, operator.floordiv),
        (np.matmul, operator.matmul),
    ],
)
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, np.int64])
def test_a_list_means_the_same_in_numpys_function_and_beside_the_operator(function, apply, dtype):
    t = Tensor(np.array([1, 2], dtype))
    for pair in (t, [2.5, 1.0]), ([2.5, 1.0], t), (t, (2, 1)):
        np.testing.assert_array_equal(function(*pair).data, apply(*pair).data, strict=True)


def test_lists_as_bounds_and_choices_keep_float32():
    t = Tensor(np.array([1, 2], np.float32), requires_grad=True)
    assert np.clip(t, [0.5, 0.5], [1.5, 1.5]).dtype == np.float32
    assert np.maximum([1.5, 1.5], t).dtype == np.float32
    assert np.where([True, False], t, [0.5, 0.5]).dtype == np.float32
    assert np.where([True, False], [0.5, 0.5], t).data.tolist() == [0.5, 2]


def test_a_list_beside_integers_keeps_its_fractions():
    assert (Tensor(np.array([1, 2])) + [0.5, 0.5]).data.tolist() == [1.5, 2.5]


LISTS = {  # each with the same made by mg.stack
    "of tensors": (lambda t: [t, t * 2], lambda t: mg.stack([t, t * 2])),
    "of a tensor and a list": (lambda t: [t, [3.0, 4.0]], lambda t: mg.stack([t, t * 0 + [3, 4]])),
    "of lists of tensors": (
        lambda t: [[t, t], (t, t * 3)],
        lambda t: mg.stack([mg.stack([t, t]), mg.stack([t, t * 3])]),
    ),
    "of numbers": (lambda t: [t[1], 1.5], lambda t: mg.stack([t[1], t[1] * 0 + 1.5])),
}
TAKE_A_LIST = {
    "sum": mg.sum, "mean": mg.mean, "prod": mg.prod, "max": mg.max, "std": mg.std, "norm": mg.norm,
    "logsumexp": mg.logsumexp, "cumsum": mg.cumsum, "exp": mg.exp, "sinc": mg.sinc, "diff": mg.diff,
    "sort": mg.sort, "ravel": mg.ravel, "squeeze": mg.squeeze, "flip": mg.flip, "triu": mg.triu,
    "reshape": lambda x: mg.reshape(x, -1), "maximum": lambda x: mg.maximum(1.2, x),
    "concatenate": lambda x: mg.concatenate([x, x]), "kron": lambda x: mg.kron(x, x),
    "atleast_3d": mg.atleast_3d, "expand_dims": lambda x: mg.expand_dims(x, 0), "clip": mg.clip,
}  # fmt: skip


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("make", LISTS.values(), ids=LISTS)
@pytest.mark.parametrize("f", TAKE_A_LIST.values(), ids=TAKE_A_LIST)
def test_a_list_of_tensors_is_taken_as_one_tensor(f, make, dtype):
    t = Tensor(np.array([1, 2], dtype), requires_grad=True)
    of_list, of_stack = (f(values(t)) for values in make)
    np.testing.assert_array_equal(of_list.data, of_stack.data, strict=True)
    assert of_list.dtype == dtype
    g = np.arange(1, of_list.size + 1).reshape(of_list.shape)
    for got, expected in zip(gradients(of_list, [t], g), gradients(of_stack, [t], g)):
        np.testing.assert_array_equal(got, expected)


@pytest.mark.parametrize("apply", OPERATORS[:7], ids=lambda f: f.__name__)
def test_a_list_that_holds_tensors_goes_together_with_a_tensor(apply, t):
    for y, truth in (
        (apply(t, [t[1], 1.5]), apply(t.data, [2.0, 1.5])),
        (apply([t[1], 1.5], t), apply([2.0, 1.5], t.data)),
    ):
        np.testing.assert_array_equal(y.data, truth)
        assert y.requires_grad


@pytest.mark.parametrize("name", [*TWO.split(), "where", "clip", "power"])
def test_lists_beside_a_tensor_keep_float32_and_lists_alone_are_arrays(name):
    f, x = getattr(mg, name), [0.5, 1.5, 2.5]
    t = Tensor(np.array(x, np.float32), requires_grad=True)
    more = {"where": ([True, False, True],)}.get(name, ())
    for y in f(*more, t, x), f(*more, x, t), f(*more, t, tuple(x)):
        assert y.dtype == np.float32
        assert y.requires_grad
    array = np.array(x)
    np.testing.assert_array_equal(f(*more, x, x), f(*more, array, array), strict=True)


@pytest.mark.parametrize(
    "call",
    [
        lambda t: mg.concatenate([t, [None]]),
        lambda t: mg.clip(t, [0.0, None], 2),
        lambda t: t + [1.0, None],
        lambda t: mg.add(t, ["1.5", "2"]),
        lambda t: t + [1j, 2],
    ],
)
def test_what_is_no_number_in_a_list_beside_a_tensor_is_refused(call, t):
    with pytest.raises(TypeError, match="expected an array, a Tensor or numbers"):
        call(t)


def test_a_dtype_that_is_not_of_real_numbers_is_refused(t):
    for dtype in complex, str, object:
        with pytest.raises(TypeError, match="real numbers"):
            t.astype(dtype)


def test_lists_and_numbers_beside_tensors_of_two_dtypes_take_the_wider(t):
    x = t.astype(np.float32)
    assert mg.concatenate([x, [0.1], t]).data[2] == 0.1
    assert mg.concatenate([x, [0.1]]).data[2] == np.float32(0.1)
    assert mg.append(x, np.float64(1e300)).data[2] == 1e300


@pytest.mark.parametrize("name", ["add", "maximum", "hypot", "exp", "fmax", "remainder"])
def test_an_input_too_many_is_refused_and_not_written_into(name, t):
    row, bias = registry[name], np.array([5.0, 6.0])
    for call in (
        lambda: row(*[t] * row.function.nin, bias),
        lambda: row(*[t.data] * row.function.nin, bias),
        lambda: row(*[t.data] * row.function.nin, out=bias),
        lambda: row(*[t] * row.function.nin, where=[True, False]),
    ):
        with pytest.raises(
            TypeError, match=rf"{name} takes {row.function.nin} arrays and no options"
        ):
            call()
    assert bias.tolist() == [5, 6]


def test_arrays_without_their_list_are_missed(t):
    for f in mg.concatenate, mg.stack:
        with pytest.raises(TypeError, match="in a list"):
            f(t, t)


def test_an_option_that_is_a_tuple_stays_one(m):
    assert mg.sum([m, m], (0, 1)).shape == (2,)
    assert mg.transpose([m, m], (2, 0, 1)).shape == (2, 2, 2)


def test_array_split_cuts_at_any_indices_as_numpy_does(t):
    x = np.arange(5.0)
    for sections in ([3, 1], [-1, 0], [4, -3], [], 2, 3, Tensor(np.array(2)), np.array(2)):
        truth = np.array_split(x, sections.data if isinstance(sections, Tensor) else sections)
        for found in mg.array_split(x, sections), mg.array_split(Tensor(x), sections):
            assert len(found) == len(truth)
            for got, expected in zip(found, truth):
                np.testing.assert_array_equal(getattr(got, "data", got), expected)


def test_the_axis_of_a_cross_product_is_that_of_all_three():
    a, b = np.arange(6.0).reshape(3, 2), np.ones((3, 2))
    np.testing.assert_allclose(mg.cross(a, b, axis=0), np.cross(a, b, axis=0))


def test_booleans_can_be_copied():
    flags = Tensor(np.array([True, False]))
    for copied in flags.copy(), np.copy(flags), mg.clip(flags):
        assert copied.dtype == bool
        assert not np.shares_memory(copied.data, flags.data)


def test_lists_and_numbers_that_are_joined_to_a_tensor_keep_float32(t):
    x = t.astype(np.float32)
    for y in (
        mg.concatenate([x, [0.5]]),
        mg.append(x, 0.5),
        mg.stack([x[0], 0.5, 1]),
        mg.vstack([[0.5, 1.5], x]),
        np.hstack([[0.5], x]),
    ):
        assert y.dtype == np.float32
        assert 0.5 in y
    assert mg.append(Tensor(np.array([1, 2])), 0.5).data.tolist() == [1, 2, 0.5]


@pytest.mark.parametrize("other", [None, "a", {}, object()])
def test_what_is_no_number_is_refused(other, t):
    with pytest.raises(TypeError, match="does not go together"):
        t + other


@pytest.mark.parametrize("apply", [operator.and_, operator.or_, divmod])
def test_other_operators_raise(apply, t):
    for pair in (t, 2), (2, t):
        with pytest.raises(TypeError, match="unsupported operand"):
            apply(*pair)


def test_sum_of_a_list_of_tensors(t):
    assert sum([t, t, t]).data.tolist() == [3, 6]


def test_in_place_operators_make_new_tensors_except_of_leaves(t):
    u = kept = t * 1
    u += 1
    assert u is not kept
    assert kept.data.tolist() == [1, 2]
    with pytest.raises(TypeError, match=r"p.data -= lr \* p.grad"):
        t += 1
    with pytest.raises(TypeError, match=r"mg\.where"):
        u[0] = 1


def test_signs(t):
    assert (-t).data.tolist() == [-1, -2]
    assert (+t).data.tolist() == [1, 2]
    assert abs(-t).data.tolist() == [1, 2]


def test_a_plus_sign_makes_a_tensor_of_its_own(t):
    y = +t
    y += 1
    y.data[0] = 7
    assert t.data.tolist() == [1, 2]
    assert gradients(y, [t], np.array([3.0, 4.0]))[0].tolist() == [3, 4]


# ---- Python's protocols --------------------------------------------------------------------------


def test_length_iteration_and_truth_are_as_of_arrays(t, m):
    assert len(m) == 2
    assert [row.data.tolist() for row in m] == [[1, 2], [3, 4]]
    assert all(row.requires_grad for row in m)
    assert bool(t[0])
    with pytest.raises(ValueError, match="ambiguous"):
        bool(t)
    with pytest.raises(TypeError, match="unsized"):
        len(t[0])
    with pytest.raises(TypeError):
        list(t[0])
    assert 2.0 in t
    assert 3.0 not in t
    _, second = t
    assert second.item() == 2


def test_equality_and_hash(t, constant):
    assert (t == [1, 3]).tolist() == [True, False]
    assert (t == constant).tolist() == [True, True]
    assert (t == None).tolist() == [False, False]  # noqa: E711
    assert len({t, t, constant}) == 2
    with pytest.raises(ValueError, match="ambiguous"):
        t in [constant, t]  # noqa: B015


def test_comparisons_and_choices_without_gradient_are_arrays(t):
    for value in (t > 1, t.argmax(), t.argmin(), t.any(), t.all(), t.argsort(), t.tolist()):
        assert not isinstance(value, Tensor)
    assert (t > 1).tolist() == [False, True]
    assert (t.argmax(), t.argmin(), t.any(), t.all()) == (1, 0, True, True)
    assert t[t > 1].data.tolist() == [2]


@pytest.mark.parametrize(
    "lose",
    [
        np.asarray,
        lambda t: np.asarray(t, np.float32),
        lambda t: np.array([t, t]),
        lambda t: np.asarray([t[0], t[1]]),
        lambda t: operator.setitem(np.zeros(2), slice(None), t),
        lambda t: float(t[0]),
        lambda t: int(t[0]),
        lambda t: complex(t[0]),
        lambda t: math.exp(t[0]),
        lambda t: np.full(2, t[0]),
        lambda t: np.mean([t, t]),
        lambda t: np.testing.assert_allclose(t, t),
        lambda t: t.numpy(),
    ],
)
def test_a_gradient_is_never_lost_without_a_word(lose, t, constant):
    with pytest.raises(TypeError, match="detach"):
        lose(t)
    lose(constant)
    lose(t.detach())


def test_an_array_of_tensors_names_stack(t):
    with pytest.raises(TypeError, match=r"mg\.stack"):
        np.array([t, t])


def test_one_element_of_an_array_is_not_set_to_a_tensor_with_a_gradient(t):
    array = np.zeros(2)
    with pytest.raises((TypeError, ValueError)):
        array[0] = t[0]
    array[0] = t[1].item()
    assert array.tolist() == [2, 0]


def test_arrays_of_constants(constant):
    assert np.asarray(constant, np.float32).dtype == np.float32
    assert np.asarray(constant) is not None
    assert np.shares_memory(np.asarray(constant), constant.data)
    assert not np.shares_memory(np.array(constant), constant.data)
    with pytest.raises(ValueError, match="copy"):
        np.array(constant, np.float32, copy=False)
    assert math.exp(constant[0]) == math.e


def test_integers_index(m):
    two = Tensor(np.array(1))
    assert list(range(two)) == [0]
    assert m[two].data.tolist() == [3, 4]
    assert m[Tensor(np.array([0, 0]))].data.tolist() == [[1, 2], [1, 2]]
    with pytest.raises(TypeError):
        operator.index(Tensor(1.0))


@pytest.mark.parametrize(
    "duplicate", [copy.copy, copy.deepcopy, lambda t: pickle.loads(pickle.dumps(t))]
)
def test_a_copy_shares_nothing(duplicate, t):
    t.grad = np.array([5.0, 6.0])
    other = duplicate(t)
    assert (other.name, other.requires_grad, other.dtype) == ("t", True, np.float64)
    assert other.data.tolist() == [1, 2]
    assert other.grad.tolist() == [5, 6]
    other.data[:] = 0
    other.grad[:] = 0
    assert (t.data.tolist(), t.grad.tolist()) == ([1, 2], [5, 6])
    with pytest.raises(TypeError, match="detach"):
        duplicate(t * 2)
    assert duplicate((t * 2).detach()).data.tolist() == [2, 4]


def test_a_used_graph_is_not_copied_either(t):
    loss = (t * t).sum()
    loss.backward()
    with pytest.raises(TypeError, match="detach"):
        copy.deepcopy(loss)


def test_a_parameter_stays_a_parameter():
    p = copy.deepcopy(nn.Parameter([1.0]))
    assert type(p) is nn.Parameter
    assert p.requires_grad


def test_text(t):
    assert repr(t) == "Tensor([1., 2.], float64, requires_grad=True, name='t')"
    assert f"{t[0]:.2f}" == "1.00"
    assert f"{t[0] * 1}" == "Tensor(1., float64, requires_grad=True)"
    with pytest.raises(ValueError, match=r"size 1|one element"):
        f"{t:.2f}"


def test_unknown_attributes_raise(t):
    with pytest.raises(AttributeError, match=r"no attribute 'data_'"):
        t.data_  # noqa: B018
    with pytest.raises(AttributeError):
        t.required_grad = True


# ---- methods -------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [name for name in dir(np.ndarray) if name[0] != "_"])
def test_what_an_array_has_a_tensor_has_or_names_what_stands_for_it(name, m):
    assert hasattr(m, name) == (name in dir(m))
    if not hasattr(m, name):
        with pytest.raises(AttributeError, match=rf"t\.data\.{name}|mg\.{name}|t\.reshape"):
            getattr(m, name)


def test_a_function_or_a_name_of_pytorch_that_is_no_method_is_named(t):
    for name, instead in ("sin", "mg.sin"), ("norm", "mg.norm"), ("clone", r"t\.copy"):
        with pytest.raises(AttributeError, match=instead):
            getattr(t, name)


def test_copy_keeps_the_gradient_and_nothing_else(t):
    y = t.copy()
    assert not np.shares_memory(y.data, t.data)
    assert gradients(y.sum(), [t])[0].tolist() == [1, 1]
    assert np.copy(t).requires_grad


def test_methods_are_the_functions_of_that_name(m):
    for names in numpy_protocol.METHODS.values():
        for name in names.split():
            more = {
                "clip": (0, 1),
                "astype": (np.float32,),
                "repeat": (2,),
                "swapaxes": (0, 1),
                "take": ([0],),
                "dot": (np.eye(2),),
            }.get(name, ())
            got, truth = getattr(m, name)(*more), getattr(mg, name)(m.data, *more)
            assert got.requires_grad
            np.testing.assert_array_equal(got.data, truth)


def test_shapes_and_sizes(m):
    assert (m.ndim, m.size, m.shape, m.T.data.tolist()) == (2, 4, (2, 2), [[1, 3], [2, 4]])
    assert m[None].mT.data.tolist() == [[[1, 3], [2, 4]]]
    with pytest.raises(ValueError, match="axis"):
        m[0].mT  # noqa: B018
    for shape in ((4, 1), [4, 1], np.array([4, 1])):
        assert m.reshape(shape).shape == m.reshape(4, -1).shape == (4, 1)
    assert m.flatten().shape == m.reshape(-1).shape == (4,)
    for swapped in (m.transpose(), m.transpose(None), m.transpose(1, 0), m.transpose((1, 0))):
        assert swapped.data.tolist() == [[1, 3], [2, 4]]
    assert m[0, 0].item() == 1
    assert np.shares_memory(m.detach().data, m.data)
