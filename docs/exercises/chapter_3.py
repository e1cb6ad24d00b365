"""The exercises of chapter 3: a neuron, and a step of training."""

import math

import numpy as np

from . import Wrong, exercise, nudged, same
from .engine import engine_of

FILLED = (
    "is every ... of the stub filled in, and does the function return something?",
    "a Python function without a return gives None",
)


@exercise("3a", "a neuron", answer="neuron")
def neuron(rng):
    for count in 2, 1, 5:
        numbers = rng.uniform(-1, 1, 2 * count + 1)

        def check(answer, numbers=numbers, count=count):
            values = [engine_of(answer).Value(float(number)) for number in numbers]
            weights, bias, inputs = values[:count], values[count], values[count + 1 :]
            y = answer(weights, bias, [float(x.data) for x in inputs])
            check_number(y, numbers[:count], numbers[count], numbers[count + 1 :])
            y = answer(weights, bias, inputs)  # of values: a neuron behind other neurons
            engine_of(answer).backward(y)
            same(
                "slopes of weights, bias and inputs",
                [float(np.asarray(v.grad)) for v in values],
                nudged(lambda v: response(v[:count], v[count], v[count + 1 :]), numbers),
                "the number is right, its slopes are not: is all of it computed with values?",
                "what is computed with .data are floats, and floats remember no parents",
            )

        yield f"{count} input{'s' * (count > 1)}", check
    for weights, inputs in (3, 2), (2, 3):

        def refuses(answer, weights=weights, inputs=inputs):
            Value = engine_of(answer).Value
            try:
                answer([Value(0.5) for _ in range(weights)], Value(0.1), [0.2] * inputs)
            except ValueError:
                return
            raise Wrong(
                f"{weights} weights and {inputs} inputs: expected a ValueError, got an answer",
                "zip stops at the shorter list without a word, and something is left out",
                "compare the lengths first; or look up strict in the documentation of zip",
            )

        yield f"{weights} weights, {inputs} inputs", refuses


def response(weights, bias, inputs):
    """What a neuron answers, in NumPy."""
    return math.tanh(float(np.dot(weights, inputs)) + float(bias))


def check_number(y, w, b, x):
    """Raise `Wrong` unless the neuron's answer is right."""
    if y is None or y is ...:
        raise Wrong("nothing came back", *FILLED)
    if not hasattr(y, "data") or not hasattr(y, "grad"):
        raise Wrong(
            f"expected a Value, got {type(y).__name__}",
            "the answer must remember its parents: compute with the values, not their data",
            "tanh is that of my_engine, not that of math",
        )
    terms = w * x
    of_each = (
        "tanh bends each term; it bends the sum, once",
        "first the loop that adds, then tanh",
    )
    same(
        "answer",
        y.data,
        response(w, b, x),
        "add up the products and the bias, then bend the sum",
        "start with total = bias, and add weight * x for each pair",
        known=[
            (math.tanh(terms.sum()), "the bias is missing", "each neuron adds its bias, once"),
            (
                math.tanh(terms.sum() + len(x) * b),
                "the bias is added for each input; it belongs to the sum",
                "add the bias before the loop or after it",
            ),
            (terms.sum() + b, "the sum is not bent: tanh is missing", "return tanh of the sum"),
            (np.tanh(terms).sum() + b, *of_each),
            (np.tanh(terms).sum(), *of_each),
            (np.tanh(terms).sum() + np.tanh(b), *of_each),
            (np.tanh(terms + b).sum(), *of_each),
            (np.tanh(np.tanh(terms).sum() + b), *of_each),
        ],
    )


LOSSES = (
    ("(p - 3)**2", lambda p: (p[0] - 3) ** 2, 1, False),
    ("a**2 + 10 * b**2", lambda p: p[0] ** 2 + p[1] ** 2 * 10, 2, False),
    ("a * b + a, slopes of an earlier walk", lambda p: p[0] * p[1] + p[0], 2, True),
)


@exercise("3b", "a step", answer="train_step")
def step(rng):
    for name, loss, count, stale in LOSSES:
        places = rng.uniform(-1, 1, count).round(2)

        def check(answer, loss=loss, places=places, stale=stale):
            parameters = [engine_of(answer).Value(float(place)) for place in places]
            for p in parameters:
                p.grad = 4.0 if stale else 0.0
            found = answer(parameters, lambda: loss(parameters), 0.05)
            check_step(parameters, places, nudged(loss, places), 4.0 if stale else 0.0)
            check_loss(found, loss(places), loss([float(p.data) for p in parameters]))

        yield name, check

    def twenty(answer):
        p = engine_of(answer).Value(0.0)
        losses = [answer([p], lambda: (p - 3) ** 2, 0.1) for _ in range(20)]
        expected = 3 - 3 * 0.8**20
        same(
            "p after 20 steps of (p - 3)**2",
            float(p.data),
            expected,
            "one step is right, a second after it is not: slopes of the first are left over",
            "backward adds to grad; before each walk it has to be 0",
        )
        same("losses of 20 steps", losses, [9 * 0.64**i for i in range(20)], *BEFORE)

    yield "20 steps", twenty


BEFORE = (
    "return the loss that was computed before the parameters moved",
    "the number of the loss is in its data",
)


def check_step(parameters, places, slopes, stale):
    """Raise `Wrong` unless each parameter has moved by -0.05 times its slope."""
    moved = [float(p.data) for p in parameters]
    same(
        "parameters after a step",
        moved,
        places - 0.05 * slopes,
        "each parameter moves by rate * its slope, against the slope",
        "p.data changes, by rate * p.grad, after backward(loss)",
        known=[
            (
                places,
                "nothing has moved: the slopes are 0 when they are used; or the stub is not filled in",
                "clear them before the walk, use them after it",
            ),
            (
                places + 0.05 * slopes,
                "uphill: the slope says where the loss grows",
                "downhill is p.data minus something",
            ),
            (
                places - 0.05 * (slopes + stale),
                "the slopes of an earlier walk were still there, and have been added",
                "backward adds to grad; before each walk it has to be 0",
            ),
            (
                places - slopes,
                "the rate is missing: a whole slope is a long way",
                "the step is the rate times the slope",
            ),
            (
                places - 0.05 * stale,
                "the step was taken with the slopes of an earlier walk",
                "first the walk, then the step",
            ),
        ],
    )


def check_loss(found, before, after):
    """Raise `Wrong` unless the loss came back, as a number."""
    if found is None or found is ...:
        raise Wrong("the step was made, but no loss came back", *FILLED)
    if hasattr(found, "grad"):
        raise Wrong(
            f"expected the loss as a number, got {type(found).__name__}",
            "a Value keeps its whole graph alive; its number is enough",
            BEFORE[1],
        )
    same(
        "the loss that comes back",
        found,
        before,
        *BEFORE,
        known=[(after, "that is the loss after the step; the one before was asked for", BEFORE[1])],
    )
