"""Where a function has no derivative, or several: both libraries' answers, as facts.

Elsewhere the samples keep away from these points. minigrad's answers are its conventions, each the
gradient of sum(y) by each input; where PyTorch's is another, the table says why minigrad keeps its
own.
"""

import numpy as np
import pytest
import torch
import torch.nn.functional as F

import minigrad as mg

nan, inf = np.nan, np.inf


def images(pool):
    return lambda x: pool(x.reshape(1, 1, 2, 2), 2)


def lse(x):
    return torch.logsumexp(x, 0)


# name, minigrad's function, PyTorch's, the inputs, the gradient that both give
AGREED = [
    ("relu at 0", mg.relu, F.relu, [0.0], [0.0]),
    ("absolute at 0", mg.absolute, torch.abs, [0.0], [0.0]),
    ("sign at 0", mg.sign, torch.sign, [0.0], [0.0]),
    ("round between two integers", mg.round, torch.round, [0.5], [0.0]),
    ("leaky_relu at 0", mg.leaky_relu, F.leaky_relu, [0.0], [0.01]),
    ("elu at 0", lambda x: mg.elu(x, 0.5), lambda x: F.elu(x, 0.5), [0.0], [0.5]),
    ("clip at its bounds", lambda x: mg.clip(x, 0, 1), lambda x: torch.clamp(x, 0, 1),
     [[0.0, 1.0]], [[1.0, 1.0]]),
    ("maximum of equals", mg.maximum, torch.maximum, [1.0, 1.0], [0.5, 0.5]),
    ("minimum of equals", mg.minimum, torch.minimum, [1.0, 1.0], [0.5, 0.5]),
    ("max of equals", mg.max, torch.amax, [[1.0, 3.0, 3.0]], [[0.0, 0.5, 0.5]]),
    ("min of equals", mg.min, torch.amin, [[1.0, 1.0, 3.0]], [[0.5, 0.5, 0.0]]),
    ("max_pool2d of equals", images(mg.max_pool2d), images(F.max_pool2d),
     [[1.0, 3.0, 3.0, 2.0]], [[0.0, 1.0, 0.0, 0.0]]),
    ("sort of equals", lambda x: mg.sort(x)[0], lambda x: torch.sort(x, stable=True).values[0],
     [[1.0, 1.0]], [[1.0, 0.0]]),
    ("norm at 0", mg.norm, torch.linalg.vector_norm, [[0.0, 0.0]], [[0.0, 0.0]]),
    ("norm of order 1 at 0", lambda x: mg.norm(x, 1), lambda x: torch.linalg.vector_norm(x, 1),
     [[0.0, -2.0]], [[0.0, -1.0]]),
    ("norm of order inf of equals", lambda x: mg.norm(x, inf),
     lambda x: torch.linalg.vector_norm(x, inf), [[2.0, -2.0]], [[0.5, -0.5]]),
    ("std of equals", mg.std, lambda x: torch.std(x, correction=0), [[2.0, 2.0]], [[0.0, 0.0]]),
    ("sqrt at 0", mg.sqrt, torch.sqrt, [0.0], [inf]),
    ("log at 0", mg.log, torch.log, [0.0], [inf]),
    ("arcsin at 1", mg.arcsin, torch.arcsin, [1.0], [inf]),
    ("arccos at 1", mg.arccos, torch.arccos, [1.0], [-inf]),
    ("reciprocal at 0", mg.reciprocal, torch.reciprocal, [0.0], [-inf]),
    ("power 0 ** 0", mg.power, torch.pow, [0.0, 0.0], [0.0, 0.0]),
    ("power 0 ** 1", mg.power, torch.pow, [0.0, 1.0], [1.0, 0.0]),
    ("power of a negative base", mg.power, torch.pow, [-1.0, 2.0], [-2.0, nan]),
    ("prod with two zeros", mg.prod, torch.prod, [[0.0, 0.0, 3.0]], [[0.0, 0.0, 0.0]]),
    ("logsumexp of -inf alone", mg.logsumexp, lse, [[-inf, -inf]], [[nan, nan]]),
    ("softmax beside -inf", mg.softmax, lambda x: torch.softmax(x, -1), [[-inf, 0.0]], [[0.0, 0.0]]),
    ("l1_loss of equals", mg.l1_loss, F.l1_loss, [1.0, 1.0], [0.0, 0.0]),
    ("huber_loss at delta", mg.huber_loss, F.huber_loss, [1.0, 0.0], [1.0, -1.0]),
    ("where beside a branch that is nan", lambda x: mg.where(x > 0, mg.sqrt(x), 0),
     lambda x: torch.where(x > 0, torch.sqrt(x), 0), [-1.0], [nan]),
]  # fmt: skip

# name, functions, inputs, minigrad's gradient, PyTorch's, and why minigrad keeps its own
DIFFERENT = [
    ("max along an axis, of equals", lambda x: mg.max(x, 0), lambda x: torch.max(x, 0).values,
     [[1.0, 3.0, 3.0]], [[0.0, 0.5, 0.5]], [[0.0, 1.0, 0.0]],
     "equals share, with an axis as without; PyTorch's torch.amax does so too, torch.max does not"),
    ("kl_div at a target of 0", lambda x, t: mg.kl_div(x, t, "sum"),
     lambda x, t: F.kl_div(x, t, reduction="sum"), [-1.0, 0.0], [0.0, 1.0], [0.0, nan],
     "the term t * log(t) is left out there, and its gradient, which has the limit -inf, with it"),
    ("relu of nan", mg.relu, F.relu, [nan], [0.0], [1.0],
     "nan > 0 is false; the value is nan in both"),
    ("max beside nan", mg.max, torch.amax, [[nan, 1.0]], [[0.0, 0.0]], [[nan, nan]],
     "nan equals none; the value is nan in both"),
]  # fmt: skip

# The same of the derivative of the gradient by the last input, where the gradients agree.
DIFFERENT_AGAIN = [
    ("norm at 0", mg.norm, torch.linalg.vector_norm, [[0.0, 0.0]], [[1.0, 1.0]], [[nan, nan]],
     "a number, whatever it is, keeps a gradient penalty going where PyTorch's ends in nan"),
    ("elu at 0", lambda x: mg.elu(x, 0.5), lambda x: F.elu(x, 0.5), [0.0], [0.5], [0.0],
     "from the left it is alpha, from the right 0; the first gradient is that from the left too"),
    ("power 0 ** 2", mg.power, torch.pow, [0.0, 2.0], [0.0, 0.0], [nan, nan],
     "x ** 2 * log(x), the gradient by the exponent, has the slope 0 at 0, as its limit"),
    ("huber_loss at delta", mg.huber_loss, F.huber_loss, [1.0, 0.0], [-1.0, 1.0], [0.0, 0.0],
     "from within it is 1, from beyond 0; the gradient of clip at a bound is 1"),
]  # fmt: skip

# name, minigrad's function, PyTorch's, the input, PyTorch's value, and why minigrad raises
REFUSED = [
    ("cross_entropy of nothing but ignored targets",
     lambda x: mg.cross_entropy(x, np.array([-100])),
     lambda x: F.cross_entropy(x, torch.tensor([-100])),
     np.zeros((1, 2)), nan, "the mean of nothing is nan, which would end a training in silence"),
]  # fmt: skip


def our_gradients(f, inputs, again=False):
    xs = [mg.Tensor(np.array(x, np.float64), requires_grad=True) for x in inputs]
    with np.errstate(all="ignore"):
        found = mg.gradients(mg.sum(f(*xs)), xs, create_graph=again)
        return mg.gradients(found[-1].sum(), xs) if again else found


def their_gradients(f, inputs, again=False):
    xs = [torch.tensor(x, dtype=torch.float64, requires_grad=True) for x in inputs]
    found = torch.autograd.grad(torch.sum(f(*xs)), xs, create_graph=again)
    found = torch.autograd.grad(found[-1].sum(), xs) if again else found
    return [g.numpy(force=True) for g in found]


def assert_are(found, expected):
    for got, wanted in zip(found, expected, strict=True):
        np.testing.assert_array_equal(got, np.array(wanted))


@pytest.mark.parametrize("row", AGREED, ids=lambda row: row[0])
def test_kink_at_which_both_agree(row):
    _, ours, theirs, inputs, gradient = row
    assert_are(our_gradients(ours, inputs), gradient)
    assert_are(their_gradients(theirs, inputs), gradient)


@pytest.mark.parametrize("row", DIFFERENT, ids=lambda row: row[0])
def test_kink_at_which_they_differ(row):
    _, ours, theirs, inputs, our_gradient, their_gradient, _why = row
    assert_are(our_gradients(ours, inputs), our_gradient)
    assert_are(their_gradients(theirs, inputs), their_gradient)


@pytest.mark.parametrize("row", DIFFERENT_AGAIN, ids=lambda row: row[0])
def test_kink_at_which_second_derivatives_differ(row):
    _, ours, theirs, inputs, our_gradient, their_gradient, _why = row
    assert_are(our_gradients(ours, inputs), their_gradients(theirs, inputs))
    assert_are(our_gradients(ours, inputs, again=True), our_gradient)
    assert_are(their_gradients(theirs, inputs, again=True), their_gradient)


@pytest.mark.parametrize("row", REFUSED, ids=lambda row: row[0])
def test_input_that_minigrad_refuses(row):
    _, ours, theirs, x, value, _why = row
    with pytest.raises(ValueError):
        ours(mg.Tensor(x))
    np.testing.assert_array_equal(theirs(torch.tensor(x)).numpy(), value)
