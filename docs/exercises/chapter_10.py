"""The exercises of chapter 10: the clinic."""

import numpy as np

import minigrad as mg

from . import Wrong, exercise, same

# ---- 10a -----------------------------------------------------------------------------------------


@exercise("10a", "update ratio", answer="update_ratio")
def update_ratio(rng):
    for name, make, shape in (
        ("SGD, rate 0.1", lambda p: mg.optim.SGD(p, lr=0.1), (3, 4)),
        ("SGD, rate 2", lambda p: mg.optim.SGD(p, lr=2.0), (10, 5)),
        ("momentum", lambda p: mg.optim.SGD(p, lr=0.05, momentum=0.9), (4, 4)),
        ("Adam", lambda p: mg.optim.Adam(p, lr=0.01), (6, 2)),
        ("a bias", lambda p: mg.optim.SGD(p, lr=0.3), (7,)),
    ):
        data, grad = rng.normal(size=shape), rng.normal(size=shape)
        yield name, lambda answer, data=data, grad=grad, make=make: _ratio(answer, data, grad, make)


def _ratio(answer, data, grad, make):
    weight = mg.nn.Parameter(data, dtype=np.float64)
    weight.grad = grad.copy()
    optimizer, calls = make([weight]), []

    def step():
        calls.append(None)
        optimizer.step()

    found = answer(weight, step)
    if len(calls) != 1:
        raise Wrong(
            f"step was called {len(calls)} times",
            "call step() once, between a look at the weights and another",
            "step is a function without arguments: step()",
        )
    same(
        "ratio",
        found.data if isinstance(found, mg.Tensor) else found,
        np.linalg.norm(weight.data - data) / np.linalg.norm(data),
        "the length of the change, over the length of the weights before it",
        "np.linalg.norm(after - before), then np.linalg.norm(before)",
        known=list(_other_ratios(data, weight.data, grad)),
    )


def _other_ratios(before, after, grad):
    """What comes of a mistake, with its hints."""
    length = np.linalg.norm
    moved = length(after - before)
    yield (
        (moved / length(before)) ** 2,
        "squared: a length is the root of the sum of squares",
        "1 % of the weights would read as 0.0001 of them: take the root of both sums",
    )
    for base in before, after:
        yield (
            length(grad) / length(base),
            "a gradient is no step yet: what does the optimizer make of it?",
            "SGD multiplies it by the rate, Adam does more: measure the change itself",
        )
    yield (
        moved / length(after),
        "over the weights after the step; a share is of what was there before it",
        "which of the two lengths must be taken before step() is called?",
    )
    yield (
        0.0,
        "no change: step writes into weight.data, also under its second name",
        "before = weight.data is no copy: look for a method that makes one",
    )
    yield (
        length(before) / moved,
        "upside down: a healthy step is small beside the weights",
        "the change stands above, the weights below",
    )
    yield (
        np.std(after - before) / np.std(before),
        "a standard deviation subtracts the mean first, a length does not",
        "np.linalg.norm is the root of the sum of squares",
    )
    yield (
        np.abs(after - before).sum() / np.abs(before).sum(),
        "sums of absolute values; a length is the root of the sum of squares",
        "np.linalg.norm does it for any array",
    )


# ---- 10b -----------------------------------------------------------------------------------------

WARD = range(1, 11)


@exercise("10b", "name all ten", answer="diagnoses")
def name_all_ten(rng):
    yield "the list", _complete
    yield "ten diseases", _different
    for number in WARD:
        yield f"patient {number}", lambda answer, number=number: _named(answer, number)


def _list(answer):
    names = answer()
    if not isinstance(names, dict):
        raise Wrong(
            f"expected a dict, got {type(names).__name__}",
            "return a dict: {1: a name, 2: a name, ...}",
            "a list has no number beside each name, so the clinic cannot tell who is who",
        )
    return {int(number): name for number, name in names.items()}


def _complete(answer):
    from .diagnosis import named

    names = _list(answer)
    missing = [number for number in WARD if names.get(number, ...) is ...]
    if 0 in names and missing:
        raise Wrong(
            "there is a patient 0",
            "the sick are 1 to 10; number 0 is healthy",
            "enumerate(names, 1) counts from one",
        )
    if missing:
        raise Wrong(
            f"patients without a name: {', '.join(map(str, missing))}",
            f"examine the missing: python docs/check.py zoo {missing[0]}",
            "once nine are named, one disease is left over; measure even so",
        )
    for number in WARD:
        try:
            named(names[number])
        except ValueError:
            raise Wrong(
                f"patient {number}: {names[number]!r:.40} is none of the names, or several",
                "take the names that python docs/check.py zoo 1 prints",
                "letter by letter, if your own words are not understood",
            ) from None


def _different(answer):
    from .diagnosis import named

    found = {}
    names = _list(answer)
    for number in filter(names.get, WARD):
        found.setdefault(named(names[number]), []).append(number)
    for name, numbers in found.items():
        if len(numbers) > 1:
            raise Wrong(
                f"{name}: patients {', '.join(map(str, numbers))}",
                "no two have the same disease: which measurement tells these patients apart?",
                "first loss, gradients, update ratio: put their numbers side by side",
            )


def _named(answer, number):
    from . import zoo
    from .diagnosis import contradiction, named

    guess = named(_list(answer)[number])
    if guess != zoo.chart(number):
        raise Wrong(
            f"patient {number}: not {guess}",
            contradiction(number, guess),
            f"what a healthy one shows there: the same measurement on zoo.patient(0), not {number}",
        )
