"""Samples of the cases, and all that can be computed from one: what test_properties.py compares."""

import copy
import functools
import warnings
from contextlib import contextmanager

import numpy as np
from hypothesis import HealthCheck, Phase, given, settings
from op_checks import _flat, _tensors, is_float

from minigrad.autograd import Tensor, gradients, primitive, setting, watching

REFUSALS = ValueError, TypeError, IndexError
DRAWN = 16  # samples of each case
drawing = settings(
    max_examples=DRAWN,
    phases=[Phase.generate],
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)


# ---- samples -------------------------------------------------------------------------------------


def plainly(x):
    """A copy, in C order and writable, of what may hold arrays."""
    if isinstance(x, np.ndarray):
        return np.array(x, order="C")
    if isinstance(x, list | tuple):
        return type(x)(plainly(part) for part in x)
    if isinstance(x, dict):
        return {key: plainly(part) for key, part in x.items()}
    return x


@functools.cache
def _drawn(strategy):
    found = []

    @drawing
    @given(strategy)
    def draw(sample):
        found.append(plainly(sample))

    draw()
    return found


def samples(case):
    """Pairs (inputs, options), the same in every run of the tests."""
    return copy.deepcopy(_drawn(case.strategy))


def telling(case, count):
    """The largest samples, of which one has an axis of length 1 where any has."""
    large = sorted(samples(case), key=lambda sample: -_numbers(sample[0]))
    with_one = [sample for sample in large if any(1 in np.shape(x) for x in sample[0])]
    return [*with_one[:1], *large][:count]


def _numbers(inputs):
    return sum(x.size for x in inputs if isinstance(x, np.ndarray))


# ---- a run ---------------------------------------------------------------------------------------


def same_bits(a, b):
    """Whether two values, or containers of values, are equal to the bit, in dtype and in shape."""
    if isinstance(a, np.ndarray):
        return (a.shape, a.dtype, a.tobytes()) == (b.shape, b.dtype, b.tobytes())
    if isinstance(a, list | tuple):
        return len(a) == len(b) and all(map(same_bits, a, b))
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(same_bits(a[key], b[key]) for key in a)
    return a is b or a == b


@contextmanager
def unchanged(*given):
    """What is inside `with` must not write into any of these."""
    before = copy.deepcopy(given)
    try:
        yield
    finally:
        for old, new in zip(before, given):
            assert same_bits(old, new), f"written into: {old} became {new}"


class Watch:
    """Notes which rows are called, which give floats of another dtype than `dtype`, and of which a
    rule does not give the dtype of its input, so that the engine has to cast."""

    def __init__(self, dtype=None):
        self.dtype = dtype
        self.rows = set()
        self.turned = set()
        self.cast = set()

    def forward(self, out, row, *_):
        self.rows.add(row)
        if out.dtype.kind == "f" and out.dtype != self.dtype:
            self.turned.add(row.name)

    def backward(self, t, i, g, h):
        row, inputs = t.node[:2]
        if h.dtype != inputs[i].dtype:
            self.cast.add(row.name)


@contextmanager
def watched(dtype=None):
    watch = Watch(dtype)
    with setting(watching, watch):
        yield watch


@contextmanager
def quiet():
    """No warnings: of edges, the values are what is looked at."""
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def is_numpys(f):
    """Whether a truth is a function of NumPy's, and none that was written for the tests."""
    return isinstance(f, np.ufunc) or f.__module__.startswith("numpy")


def function(case, options):
    return lambda *inputs: _flat(case.op(*inputs, **options))


def incoming(case, inputs, options):
    """Random arrays: dL/dy, and for the gradient of each input a direction to differentiate it."""
    y = function(case, options)(*inputs)
    rng = np.random.default_rng(1)
    directions = [rng.uniform(-2, 2, x.shape) if is_float(x) else None for x in inputs]
    return rng.uniform(-2, 2, np.shape(y)), directions


def run(case, inputs, options, g, directions):
    """The value, the gradients, and theirs along the directions, by name; as arrays.

    The rules get `g` in the memory that it has. Nothing that is given is written into, nor is the
    output.
    """
    tensors = _tensors(inputs)
    variables = {i: t for i, t in enumerate(tensors) if isinstance(t, Tensor)}
    with unchanged(inputs, options, g, directions):
        y = function(case, options)(*tensors)
        results = {"value": y.data.copy()}
        if y.requires_grad:
            given_g = primitive(lambda y: y, lambda h, out, y: g, name="given_g")
            zeros = np.zeros(y.shape)
            first = gradients(given_g(y), [*variables.values()], zeros, retain_graph=True)
            results |= {f"gradient {i}": h for i, h in zip(variables, first)}
            results |= _second(y, variables, g, directions)
        assert same_bits(y.data.copy(), results["value"]), "a rule wrote into the output"
    return results


def _second(y, variables, g, directions):
    w = Tensor(g, requires_grad=True)
    slopes = gradients(y, [*variables.values()], w, create_graph=True)
    results = {}
    for i, slope in zip(variables, slopes):
        if slope is None:
            continue
        results[f"gradient {i} with a graph"] = slope.data.copy()
        if slope.requires_grad:
            everything = variables | {"g": w}
            bent = gradients(slope, [*everything.values()], directions[i], retain_graph=True)
            results |= {f"gradient {i} by {name}": h for name, h in zip(everything, bent)}
    return results


# ---- how near two results must be ----------------------------------------------------------------


# IEEE 754 says to the bit what these give; of sin, exp, ... NumPy computes the last digit in another
# way where an array is not contiguous.
EXACT = (
    "add subtract multiply divide true_divide negative positive absolute abs fabs sign sqrt square "
    "reciprocal floor ceil trunc rint maximum minimum fmax fmin conj conjugate copysign"
)
INEXACT = {name for name, f in vars(np).items() if isinstance(f, np.ufunc)} - {*EXACT.split()}


def is_exact(row):
    """Whether no function that a row calls may differ in its last digit."""
    code = getattr(row.function, "__code__", None)
    names = {row.name, row.function.__name__, *(code.co_names if code else ())}
    return names.isdisjoint(INEXACT)


def one_by_one(case, inputs, options):
    """Whether each number of the output depends on at most one of each input, and reversely.

    So it is with elementwise functions and with moves. Found out by a NaN in each place in turn.
    """
    f = function(case, options)
    with quiet():
        y = np.asarray(f(*inputs))
        for n, x in enumerate(inputs):
            if not is_float(x):
                continue
            times = np.zeros(y.shape, int)
            for place in np.ndindex(x.shape):
                other = x.copy()
                other[place] = np.nan
                differs = f(*inputs[:n], other, *inputs[n + 1 :]) != y
                times += differs
                if np.sum(differs) > 1 or times.max(initial=0) > 1:
                    return False
    return True


def rounding(case, inputs, options, g, directions):
    """How far the results of a run may be off, in units of eps of the dtype.

    A sum of n terms is rounded n times, each time by at most eps times the sum of the magnitudes of
    its terms; and so is a stable formula, of a few more operations. These magnitudes are measured:
    the largest of the results, and of what they change by if all that they are made of changes by a
    small share, with random signs, divided by that share. Of all results together, as one may be 0
    because terms as large as others cancel.
    """
    share = 2.0**-22
    rng = np.random.default_rng(2)
    base = run(case, inputs, options, g, directions)
    size = max(map(_largest, base.values()))

    def stir(x):
        return np.asarray(x * (1 + share * rng.choice([-1, 1], x.shape))) if is_float(x) else x

    for _ in range(3):
        moved = run(case, list(map(stir, inputs)), options, stir(g), list(map(stir, directions)))
        for name in base.keys() & moved.keys():
            if base[name] is not None:
                size = max(size, _largest(moved[name] - base[name]) / share)
    return (8 + _numbers(inputs) + g.size) * size


def _largest(h):
    return 0.0 if h is None else float(np.max(np.abs(h), initial=0))


def assert_same(found, expected, allowed, what):
    """`allowed` says by how much each result may differ; None means to the bit."""
    assert found.keys() == expected.keys(), what
    for name, h in found.items():
        truth = expected[name]
        if h is None or truth is None:
            assert h is truth, f"{what}: {name} is {h}, expected {truth}"
        elif allowed is None:
            assert same_bits(h, truth), f"{what}: {name} is {h!r}, expected the bits of {truth!r}"
        else:
            assert h.shape == truth.shape
            off = _largest(h.astype(np.longdouble) - truth)
            assert off <= allowed, f"{what}: {name} is off by {off:.3g} > {allowed:.3g}"
