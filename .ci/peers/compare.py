"""`agree`: what minigrad and PyTorch say of one function at one point, number by number.

Both compute values, the gradient by every input, and the derivative of a random contraction of
these gradients, by every input and by the gradient that came in. All in float64.
"""

from collections import Counter

import numpy as np
import torch
from hypothesis import HealthCheck, settings

import minigrad as mg

TOLERANCE = 1e-9  # absolute and relative
# How many samples agreed, by the name of what was compared.
agreed: Counter = Counter()  # in values, first and second derivatives
in_step: Counter = Counter()  # step by step: optimizers, schedules, trainings

sampling = settings(
    max_examples=80,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


def agree(name, ours, our_variables, theirs, their_variables):
    """Assert that both functions agree in values, and in first and second derivatives.

    `ours()` and `theirs()` return a tensor or a list of them, computed from the variables, which
    require gradients.
    """
    found = _by_minigrad(ours, our_variables, np.random.default_rng(0))
    expected = _by_pytorch(theirs, their_variables, np.random.default_rng(0))
    for what in expected:
        same(f"{name}, {what}", found[what], expected[what])
    agreed[name] += 1


def same(name, found, expected):
    """Assert that two lists of arrays are equal in shapes, dtypes and, nearly, in numbers."""
    assert len(found) == len(expected), f"{name}: {len(found)} arrays, PyTorch has {len(expected)}"
    for i, (ours, theirs) in enumerate(zip(found, expected)):
        ours, theirs = np.asarray(plain(ours)), np.asarray(plain(theirs))
        message = f"{name} {i}: minigrad (ACTUAL) and PyTorch (DESIRED) differ"
        assert ours.shape == theirs.shape, f"{message} in shape: {ours.shape}, {theirs.shape}"
        assert ours.dtype == theirs.dtype, f"{message} in dtype: {ours.dtype}, {theirs.dtype}"
        np.testing.assert_allclose(ours, theirs, TOLERANCE, TOLERANCE, err_msg=message)


def plain(x):
    """The array of a tensor of either library."""
    if isinstance(x, torch.Tensor):
        return x.detach().numpy(force=True)  # PyTorch has tensors of zeros without memory
    return x.data if isinstance(x, mg.Tensor) else x


def our_tensor(x):
    """An array of floats as a tensor of minigrad that requires a gradient; others as they are."""
    return mg.Tensor(x, requires_grad=True) if is_float(x) else x


def their_tensor(x):
    """An array as a tensor of PyTorch, which requires a gradient if it holds floats."""
    if not isinstance(x, np.ndarray):
        return x
    return torch.tensor(x.copy(), requires_grad=is_float(x))  # copied: it may be read-only


def is_float(x):
    return isinstance(x, np.ndarray) and x.dtype.kind == "f"


def _by_minigrad(f, variables, rng):
    outputs = _listed(f())
    weights = [our_tensor(_normal(rng, y)) for y in outputs]
    loss = sum(mg.sum(y * w) for y, w in zip(outputs, weights))
    slopes = _filled(mg.gradients(loss, variables, create_graph=True), variables, mg.Tensor)
    bend = sum((mg.sum(slope * _normal(rng, slope)) for slope in slopes), mg.Tensor(np.zeros(())))
    everything = [*variables, *weights]
    bends = mg.gradients(bend, everything) if bend.requires_grad else [None] * len(everything)
    return _named(outputs, slopes, _filled(bends, everything, mg.Tensor))


def _by_pytorch(f, variables, rng):
    outputs = _listed(f())
    weights = [their_tensor(_normal(rng, y)) for y in outputs]
    loss = sum(torch.sum(y * w) for y, w in zip(outputs, weights))
    slopes = _slopes(loss, variables, create_graph=True)
    directions = [their_tensor(_normal(rng, slope)).detach() for slope in slopes]
    bend = sum(torch.sum(slope * v) for slope, v in zip(slopes, directions))
    everything = [*variables, *weights]
    depends = isinstance(bend, torch.Tensor) and bend.requires_grad
    bends = _slopes(bend, everything) if depends else _filled([None] * len(everything), everything)
    return _named(outputs, slopes, bends)


def _slopes(y, variables, create_graph=False):
    """PyTorch's gradients, zeros where y does not depend on a variable."""
    if not variables:
        return []
    found = torch.autograd.grad(y, variables, create_graph=create_graph, allow_unused=True)
    return _filled(found, variables)


def _filled(gradients, variables, tensor=torch.tensor):
    zeros = [tensor(np.zeros(tuple(v.shape))) for v in variables]
    return [zero if g is None else g for g, zero in zip(gradients, zeros)]


def _normal(rng, like):
    return np.asarray(rng.normal(size=tuple(like.shape)))


def _listed(y):
    return list(y) if isinstance(y, list | tuple) else [y]


def _named(outputs, slopes, bends):
    return {"value": outputs, "first derivative": slopes, "second derivative": bends}
