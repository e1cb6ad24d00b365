"""What every row of the table, and every function derived from it, has in common.

Nothing here names a row, but for the exceptions at the top: a row that is added is covered by the
case that stands for it in cases.py.
"""

from contextlib import contextmanager

import numpy as np
import pytest
from cases import CASES
from op_checks import LAYOUTS, _laid_out, _tensors, is_float
from op_samples import (
    REFUSALS,
    assert_same,
    function,
    incoming,
    is_exact,
    is_numpys,
    one_by_one,
    plainly,
    quiet,
    rounding,
    run,
    same_bits,
    samples,
    telling,
    watched,
)

from minigrad.autograd import Tensor, gradients

DRAWS_IN_MEMORY_ORDER = {"dropout": "which elements it drops follows their order in memory"}

REFUSES_INTEGERS = {
    "normalize": "bytes are images, of which data.normalize makes floats",
    "batch_norm": "of a layer that learns, the inputs are floats",
    "batch_norm_input_gradient": "a gradient is a float, and so are moments",
    "batch_norm_weight_gradient": "a gradient is a float, and so are moments",
    "cross_entropy of probabilities": "integers are classes",
}

BYTES_WRAP = {  # as in NumPy: bytes less bytes are bytes, and so is minus a byte
    "nll_loss",
    "mse_loss",
    "l1_loss",
    "huber_loss",
    "binary_cross_entropy_with_logits",
    "kl_div of logarithms",
}

every_case = pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)


def sampled(case):
    """The more cases a row has, the fewer samples of each."""
    siblings = [other for other in CASES if case.row and other.row == case.row]
    return telling(case, 1 if len(siblings) > 3 or not case.row else 3)


def read_only(x):
    x = x.copy()
    x.flags.writeable = False
    return x


def in_all_layouts(arrays):
    """The arrays with each one alone, and with all, in each layout: pairs (what, arrays)."""
    floats = [i for i, x in enumerate(arrays) if isinstance(x, np.ndarray) and x.ndim]
    for layout in [*LAYOUTS[1:], "read-only"]:
        lay = read_only if layout == "read-only" else lambda x, layout=layout: _laid_out(x, layout)
        laid = [lay(x) if i in floats else x for i, x in enumerate(arrays)]
        yield f"all {layout}", laid
        if len(floats) > 1:
            for i in floats:
                yield f"input {i} {layout}", [*arrays[:i], laid[i], *arrays[i + 1 :]]


def tolerance(case, inputs, options, g, directions):
    with watched() as watch:
        run(case, inputs, options, g, directions)
    if all(map(is_exact, watch.rows)) and one_by_one(case, inputs, options):
        return None
    return rounding(case, inputs, options, g, directions) * np.finfo(float).eps


@every_case
def test_the_memory_layout_of_the_inputs_does_not_matter(case):
    if case.name in DRAWS_IN_MEMORY_ORDER:
        return
    for inputs, options in sampled(case):
        g, directions = incoming(case, inputs, options)
        expected = run(case, inputs, options, g, directions)
        allowed = tolerance(case, inputs, options, g, directions)
        for what, laid in in_all_layouts(inputs):
            assert_same(run(case, laid, options, g, directions), expected, allowed, what)
        for what, laid in in_all_layouts(list(options.values())):
            found = run(case, inputs, dict(zip(options, laid)), g, directions)
            assert_same(found, expected, allowed, f"option: {what}")


@every_case
def test_the_memory_layout_of_the_incoming_gradient_does_not_matter(case):
    for inputs, options in sampled(case):
        g, directions = incoming(case, inputs, options)
        expected = run(case, inputs, options, g, directions)
        allowed = tolerance(case, inputs, options, g, directions)
        for what, (laid,) in in_all_layouts([g]):
            assert_same(
                run(case, inputs, options, laid, directions), expected, allowed, f"g: {what}"
            )
        for axis in range(g.ndim):
            constant = np.broadcast_to(g.take([0] * min(1, g.shape[axis]), axis), g.shape)
            expected = run(case, inputs, options, constant.copy("C"), directions)
            found = run(case, inputs, options, constant, directions)
            assert_same(found, expected, allowed, f"g: constant along axis {axis}")


# ---- dtypes --------------------------------------------------------------------------------------


def cast(x, dtype):
    """The floats among what may hold arrays, in another dtype."""
    if isinstance(x, list | tuple):
        return type(x)(cast(part, dtype) for part in x)
    if isinstance(x, dict):
        return {key: cast(part, dtype) for key, part in x.items()}
    return x.astype(dtype) if is_float(x) else x


def numpys_dtype(case, inputs, options, places):
    """The dtype that NumPy's function gives; where that is not the truth, that of these inputs."""
    if not is_numpys(case.truth):
        return np.result_type(*[inputs[i] for i in places])
    with quiet():
        y = case.truth(*inputs, **options)
    return np.asarray(y[0] if isinstance(y, list) else y).dtype


def assert_near(case, inputs, options, dtype):
    """The run of these inputs against that of the same numbers in float64."""
    exact = cast(inputs, float)
    g, directions = incoming(case, exact, cast(options, float))
    g, directions = cast([g, directions], dtype)
    wide = [exact, cast(options, float), *cast([g, directions], float)]
    expected = run(case, *wide)
    allowed = rounding(case, *wide) * max(np.finfo(dtype).eps, np.finfo(float).eps)
    found = run(case, inputs, options, g, directions)
    assert_same(found, expected, allowed, str(np.dtype(dtype)))
    return found


@every_case
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.longdouble])
def test_every_dtype_is_exact_to_its_rounding(case, dtype):
    for inputs, options in sampled(case):
        inputs, options = cast([inputs, options], dtype)
        found = assert_near(case, inputs, options, dtype)
        if case.keeps_dtype:
            assert found["value"].dtype == numpys_dtype(case, inputs, options, floats_of(inputs))


# In float16, a mean goes by way of float32: its sum may be too large.
MEANS = "mean", "var", "std", "adaptive_avg_pool", "global_avg_pool", "layer_norm", "batch_norm"


@every_case
@pytest.mark.parametrize("dtype", [np.float16, np.float32])
def test_no_float_turns_into_another_on_the_way(case, dtype):
    """Values, gradients as the rules return them, and theirs again; the engine casts none."""
    if not case.keeps_dtype:
        return
    for inputs, options in samples(case) if dtype == np.float32 else sampled(case):
        inputs, options = cast([inputs, options], dtype)
        g, directions = cast(list(incoming(case, inputs, options)), dtype)
        with watched(dtype) as watch:
            run(case, inputs, options, g, directions)
        assert not watch.cast, "rules whose gradient has not the dtype of the input"
        by_float32 = dtype == np.float16 and case.name.startswith(MEANS)
        assert by_float32 or not watch.turned, "rows that give another dtype"


def floats_of(inputs):
    return [i for i, x in enumerate(inputs) if is_float(x)]


def put(arrays, i, x):
    return [*arrays[:i], x, *arrays[i + 1 :]]


def rounded_up(x):
    """Whole numbers that are small and not negative."""
    return np.ceil(np.abs(np.nan_to_num(x, posinf=1, neginf=1)))


@every_case
def test_each_input_may_have_a_float_dtype_of_its_own(case):
    for inputs, options in sampled(case):
        floats = floats_of(inputs)
        for i in floats if len(floats) > 1 else ():
            for one, others in (np.float32, np.float64), (np.float64, np.float32):
                mixed = cast(inputs, others)
                mixed = put(mixed, i, mixed[i].astype(one))
                found = assert_near(case, mixed, options, np.float32)
                assert found["value"].dtype == numpys_dtype(case, mixed, options, floats)
                for k in floats:
                    h = found.get(f"gradient {k}")
                    assert h is None or (h.shape, h.dtype) == (mixed[k].shape, mixed[k].dtype)


@every_case
@pytest.mark.parametrize("dtype", [np.int64, np.uint8, bool])
def test_any_input_may_be_integers_beside_floats(case, dtype):
    for inputs, options in sampled(case):
        floats = floats_of(inputs)
        for i in floats if len(floats) > 1 else ():
            whole = put(inputs, i, rounded_up(inputs[i]).astype(dtype))
            with allowed_to_refuse(case, REFUSES_INTEGERS):
                compare_with_floats(case, whole, options, floats, i)


def compare_with_floats(case, whole, options, floats, i):
    """Input `i` as integers against the same numbers as floats."""
    same = put(whole, i, whole[i].astype(float))
    g, directions = incoming(case, same, options)
    of_floats = run(case, same, options, g, directions)
    found = run(case, whole, options, g, directions)
    assert found["value"].dtype == numpys_dtype(case, whole, options, floats)
    assert same_bits(np.asarray(function(case, options)(*whole)), found["value"])
    allowed = rounding(case, same, options, g, directions) * np.finfo(float).eps
    assert_same(found, {name: of_floats[name] for name in found}, allowed, f"integers as input {i}")


@every_case
def test_integers_alone_give_what_numpy_gives_or_what_floats_give(case):
    """Bytes too, where the result is of floats: NumPy's bytes wrap around, and have small floats."""
    for inputs, options in sampled(case) if case.keeps_dtype else ():
        f = function(case, options)
        whole = [rounded_up(x).astype(int) if is_float(x) else x for x in inputs]
        with allowed_to_refuse(case, REFUSES_INTEGERS), quiet():
            found = f(*whole)
            if is_numpys(case.truth):
                truth = case.truth(*whole, **options)
                assert np.asarray(found).dtype == np.asarray(truth).dtype
            else:
                truth = f(*[x.astype(float) if is_float(y) else x for x, y in zip(whole, inputs)])
                small = [x.astype(np.uint8) if is_float(y) else x for x, y in zip(whole, inputs)]
                bytes_wrap = np.asarray(found).dtype.kind != "f" or case.name in BYTES_WRAP
                assert bytes_wrap or np.allclose(f(*small), truth, rtol=1e-2), "of bytes"
            np.testing.assert_allclose(found, truth, rtol=1e-12)


@contextmanager
def allowed_to_refuse(case, table):
    try:
        yield
    except REFUSALS:
        if case.name not in table:
            raise


# ---- the rules -----------------------------------------------------------------------------------


@every_case
def test_the_rules_are_linear_in_the_incoming_gradient(case):
    for inputs, options in sampled(case):
        g, directions = incoming(case, inputs, options)
        other = np.random.default_rng(3).uniform(-2, 2, g.shape)
        a, b = 0.75, -1.5
        of_both, of_g, of_other, of_zero = (
            run(case, inputs, options, np.asarray(h), directions)
            for h in (a * g + b * other, g, other, g * 0)
        )
        allowed = 4 * rounding(case, inputs, options, g, directions) * np.finfo(float).eps
        for name in of_g:
            linear = name != "value" and not name.endswith("by g")  # that is constant in g
            if linear and of_g[name] is not None:
                off = of_both[name] - (a * of_g[name] + b * of_other[name])
                assert np.max(np.abs(off), initial=0) <= allowed, name
                assert not of_zero[name].any(), f"{name} of zero"


@every_case
def test_what_is_given_stays_as_it_is_and_what_is_returned_is_the_callers_own(case):
    """`run` compares all that is given; here also with itself, a second time."""
    for inputs, options in samples(case):
        g, directions = incoming(case, inputs, options)
        first = run(case, inputs, options, g, directions)
        with_a_graph = {name.removesuffix(" with a graph"): h for name, h in first.items()}
        assert all(same_bits(h, first[name]) for name, h in with_a_graph.items())
        own(case, inputs, options, g)
        assert same_bits(run(case, inputs, options, g, directions), first)


def own(case, inputs, options, g):
    """The gradients may be written into: nothing else changes by that, neither do they alias."""
    tensors = _tensors(inputs)
    y = function(case, options)(*tensors)
    variables = [t for t in tensors if isinstance(t, Tensor)]
    if not y.requires_grad:
        return
    before = plainly([inputs, options, g, y.data])
    found = [h for h in gradients(y, variables, g, retain_graph=True) if h is not None]
    for n, h in enumerate(found):
        kept = plainly(found[n + 1 :])
        h.fill(np.nan)
        assert same_bits(kept, found[n + 1 :])
    assert same_bits(before, [inputs, options, g, y.data])
