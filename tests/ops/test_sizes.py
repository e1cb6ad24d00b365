"""Every row, and every function derived from it, of inputs of other sizes: 0-d, empty, of one number.

The inputs are those of cases.py with axes cut to the length 0 or 1: in one array alone, or in all.
Where NumPy has an answer, there has to be the same one here; where it raises, so must the row.
"""

import functools
import math

import numpy as np
import pytest
from cases import CASES
from op_checks import _tensors, is_float
from op_samples import (
    REFUSALS,
    function,
    incoming,
    is_numpys,
    quiet,
    run,
    samples,
    telling,
    unchanged,
)

from minigrad.autograd import registry

# Alone, and with what fits: these have only the inputs that are drawn for them. What their inputs
# never are: an image has four axes, and moments are those of two numbers or more.
CALLED_BY_RULES = {
    "in_order": (),
    "conv2d_input_gradient": ("0-d",),
    "conv2d_weight_gradient": ("0-d",),
    "max_scatter": ("0-d",),
    "max_gather": ("0-d", "of one number"),
    "window_share": ("0-d",),
    "batch_norm_input_gradient": ("0-d", "empty"),
    "batch_norm_weight_gradient": ("0-d", "empty", "of one number"),
}
NUMPYS_OWN = {
    "einsum ii->i": "of an array (0, 3) NumPy reads memory that is not the array's",
    "einsum iij->ij": "of an array (0, 3, 1) NumPy reads memory that is not the array's",
    "take": "NumPy does not look at the indices where there is nothing to take",
}


def cut(x, axes, n):
    """The array with these axes cut to the length n, as far as it has them, counted from the end."""
    index = [slice(None)] * x.ndim
    for axis in axes:
        if -x.ndim <= axis < x.ndim:
            index[axis] = slice(n)
    return x[tuple(index)].copy()


def variants(arrays):
    """Lists of arrays of other sizes."""
    for n in 0, 1:
        for i, x in enumerate(arrays):
            for axis in range(x.ndim):
                yield [*arrays[:i], cut(x, [axis], n), *arrays[i + 1 :]]
        for axis in range(-4, 4):
            yield [cut(x, [axis], n) for x in arrays]
        for size in sorted({size for x in arrays for size in x.shape}):
            yield [cut(x, [a for a, k in enumerate(x.shape) if k == size], n) for x in arrays]
        yield [cut(x, range(x.ndim), n) for x in arrays]
    for i, x in enumerate(arrays):
        yield [*arrays[:i], x.reshape(-1)[:1].sum(), *arrays[i + 1 :]]
    yield [np.asarray(x.reshape(-1)[:1].sum()) for x in arrays]


def resized(inputs, options):
    """The inputs and options with other arrays in the places of theirs, each list of sizes once."""
    items = [*enumerate(inputs), *options.items()]
    names = [name for name, x in items if isinstance(x, np.ndarray)]
    seen = set()
    for arrays in variants([dict(items)[name] for name in names]):
        shapes = tuple(np.shape(x) for x in arrays)
        if shapes not in seen:
            seen.add(shapes)
            new = dict(items) | dict(zip(names, map(np.asarray, arrays)))
            yield [new[i] for i in range(len(inputs))], {key: new[key] for key in options}


def answer(f, *inputs, **options):
    """What a function gives, or the error it raises; what it is given stays as it is."""
    try:
        with quiet(), unchanged(inputs, options):
            return f(*inputs, **options)
    except (*REFUSALS, ZeroDivisionError) as error:  # one divided by a length
        return error


def compare(case, inputs, options):
    """Whether there is an answer, or the truth has none either.

    The answer has to be the truth's, with gradients of the inputs' shapes.
    """
    truth = answer(case.truth, *inputs, **options)
    found = answer(lambda *xs, **o: function(case, o)(*_tensors(xs)), *inputs, **options)
    shapes = [np.shape(x) for x in inputs]
    said = f"of {shapes} the truth gives {truth!r}, the row {found!r}"
    if isinstance(truth, Exception) and case.row not in CALLED_BY_RULES:
        assert isinstance(found, Exception), said
    if is_numpys(case.truth):
        assert isinstance(truth, Exception) or not isinstance(found, Exception), said
    if isinstance(found, Exception) or isinstance(truth, Exception):
        return isinstance(found, Exception) and isinstance(truth, Exception)
    truth = np.concatenate([np.ravel(part) for part in truth]) if isinstance(truth, list) else truth
    assert found.shape == np.shape(truth), f"of {shapes}"
    np.testing.assert_allclose(found.data, truth, rtol=1e-10, atol=1e-12, err_msg=f"of {shapes}")
    with quiet():
        results = run(case, inputs, options, *incoming(case, inputs, options))
    for i, x in enumerate(inputs):
        h = results.get(f"gradient {i}")
        assert h is None or (h.shape, h.dtype) == (x.shape, x.dtype), f"of {shapes}"
    return True


@functools.cache
def answered(case_name):
    """The kinds of inputs of which the case was compared with its truth."""
    (case,) = [case for case in CASES if case.name == case_name]
    kinds = set()
    drawn = samples(case)
    if case.row not in CALLED_BY_RULES and case.name not in NUMPYS_OWN:
        drawn += [new for sample in telling(case, 2) for new in resized(*sample)]
    for inputs, options in drawn:
        if compare(case, inputs, options):
            shapes = [x.shape for x in inputs if is_float(x)]
            kinds |= {"0-d"} if () in shapes else set()
            kinds |= {"empty"} if any(0 in shape for shape in shapes) else set()
            kinds |= {"of one number"} if any(math.prod(shape) == 1 for shape in shapes) else set()
    return kinds


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_inputs_of_any_size_give_what_numpy_gives_or_raise_as_it_does(case):
    answered(case.name)


@pytest.mark.parametrize("row", registry)
@pytest.mark.parametrize("kind", ["0-d", "empty", "of one number"])
def test_every_row_is_tested_of(kind, row):
    cases = [case.name for case in CASES if case.row == row]
    seen = any(kind in answered(name) for name in cases)
    excepted = kind in CALLED_BY_RULES.get(row, ())
    assert seen or excepted, f"{row} has no case of inputs that are {kind}"
    assert not (seen and excepted), f"{row} is an exception no longer"
