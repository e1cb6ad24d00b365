"""The exercises of chapter 2: operations for the reader's own engine, and the order of the walk."""

import math

import numpy as np

from . import Wrong, exercise, nudged, same
from .engine import engine_of


def by_rule(y, parents, g):
    """The slopes that the rule of an operation returns for its parents, after a look at both."""
    if y is None or y is ...:
        raise Wrong(
            "nothing came back",
            "is every ... of the stub filled in, and does the function return a Value?",
            "tanh in my_engine.py has the same form",
        )
    if not hasattr(y, "rule"):
        raise Wrong(
            f"expected a Value, got {type(y).__name__}",
            "a float remembers nothing: return Value(number, parents, rule)",
            "tanh in my_engine.py has the same form",
        )
    if len(y.parents) != len(parents) or any(p is not q for p, q in zip(y.parents, parents)):
        names = "x" if len(parents) == 1 else "a and b, in this order"
        raise Wrong(
            f"expected the parents {names}, got {len(y.parents)} parents: {y.parents!r:.50}",
            "one operation, whose parents are what the function was given",
            "the parents are a tuple, (x,) for one and (a, b) for two",
        )
    if y.rule is None:
        raise Wrong(
            "the Value has no rule",
            "the third thing that Value takes is a function of g that returns the slopes",
            "lambda g: (...), with one slope for each parent",
        )
    slopes = y.rule(g)
    if any(np.any(parent.grad) for parent in parents):
        raise Wrong(
            "the rule has changed grad itself",
            "a rule changes nothing: it returns slopes, and backward adds them up",
            "with = in a rule, a number that is used twice loses one of its slopes",
        )
    if not isinstance(slopes, (tuple, list)) or len(slopes) != len(parents):
        raise Wrong(
            f"the rule returned {slopes!r:.60}",
            f"a rule returns a tuple of {len(parents)}, one slope for each parent",
            "a tuple of one is written with a comma: (slope,)",
        )
    return [float(slope) for slope in slopes]


@exercise("2a", "exp", answer="exp")
def exp(rng):
    for name, x, g in (
        ("x = 2, g = 1", 2.0, 1.0),
        ("x = 0, g = 1", 0.0, 1.0),
        ("g = 3", rng.uniform(0.5, 2), 3.0),
        ("x below 0", rng.uniform(-2, -0.5), -2.0),
    ):

        def check(answer, x=x, g=g):
            value = engine_of(answer).Value(x)
            y = answer(value)
            slopes = by_rule(y, [value], g)
            same("number", y.data, math.exp(x), "the number is math.exp(x.data)", "look at x.data")
            expected = nudged(lambda v: g * math.exp(v[0]), [x])
            same(
                "slope that the rule returns",
                slopes,
                expected,
                "exp is its own slope, and along the path it is times g",
                "you have computed the slope already: it is the number itself",
                known=[
                    ([g], "the slope of exp is not 1", "where exp is large it is steep, too"),
                    (
                        [g * x],
                        "the slope was made of x; it is exp itself, at x",
                        "the slope of a product uses its inputs; that of exp uses its result",
                    ),
                    (
                        expected / g,
                        "g is missing: along a path slopes are multiplied",
                        "the rule gets g, the slope of the result with respect to this number",
                    ),
                    ([g * x * math.exp(x - 1)], *POWER),
                ],
            )

        yield name, check

    def in_a_formula(answer):
        engine = engine_of(answer)
        x = engine.Value(0.5)
        y = answer(x * 2) * 3 + answer(x) * x
        engine.backward(y)
        expected = nudged(lambda v: math.exp(v[0] * 2) * 3 + math.exp(v[0]) * v[0], [0.5])
        same(
            "slope of x",
            [float(x.grad)],
            expected,
            "the rule is right by itself: is your engine? python docs/check.py my_engine.py",
            "paths add: backward needs +=",
        )

    yield "exp(2 * x) * 3 + exp(x) * x", in_a_formula


POWER = (
    "that is the rule of a power, whose base varies; in exp it is the exponent that varies",
    "the slope of exp needs no x, only its own result",
)


@exercise("2b", "divide", answer="divide")
def divide(rng):
    for name, a, b, g in (
        ("a = 1, b = 2", 1.0, 2.0, 1.0),
        ("a = 6, b = 3", 6.0, 3.0, 1.0),
        ("g = 2", *rng.uniform(1, 3, 2), 2.0),
        ("b below 0", rng.uniform(1, 3), rng.uniform(-3, -1), 1.5),
    ):

        def check(answer, a=a, b=b, g=g):
            values = [engine_of(answer).Value(number) for number in (float(a), float(b))]
            y = answer(*values)
            slopes = by_rule(y, values, g)
            same("number", y.data, a / b, "the number is a.data / b.data", "which is divided?")
            of_a, of_b = nudged(lambda v: g * v[0] / v[1], [a, b])
            same(
                "slope of a",
                slopes[0],
                of_a,
                "a / b is a times 1/b: what is the slope of a product?",
                "if a moves by d, a / b moves by d / b",
                known=[(of_a / g, *FORGOT_G), (of_b, *EXCHANGED)],
            )
            same(
                "slope of b",
                slopes[1],
                of_b,
                "write a / b as a * b**-1: what is the slope of a power?",
                "n * b ** (n - 1) with n = -1, times a, times g",
                known=[
                    (-of_b, "the sign: if b grows, does a / b grow?", "b**-1 has the slope -b**-2"),
                    (
                        g / b,
                        "1/b is the slope of a; b stands below the line",
                        "write a / b as a * b**-1, and take the slope of the power",
                    ),
                    (
                        of_b * b,
                        "a power of b is missing below the line",
                        "the exponent -1 becomes -2, not -1",
                    ),
                    (
                        of_b / a,
                        "a is missing: twice the a makes twice the change",
                        "the slope of 1/b is multiplied by a, as a stands before it",
                    ),
                    (of_b / g, *FORGOT_G),
                ],
            )

        yield name, check


FORGOT_G = (
    "g is missing: along a path slopes are multiplied",
    "each slope that the rule returns is times g",
)
EXCHANGED = ("that is the slope of b: first a's, then b's", "the slopes come in the parents' order")

GRAPHS = (
    ("y = a + b", {"y": ["a", "b"], "a": [], "b": []}),
    ("y = p + a, p = a * b", {"a": [], "b": [], "p": ["a", "b"], "y": ["p", "a"]}),
    ("y = a + p, p = a * b", {"a": [], "b": [], "p": ["a", "b"], "y": ["a", "p"]}),
    ("y = p + p, p = a * a", {"a": [], "p": ["a", "a"], "y": ["p", "p"]}),
    (
        "y = p + r, r = q * q, q = p * a",
        {"y": ["p", "r"], "r": ["q", "q"], "q": ["p", "a"], "p": ["a"], "a": [], "unused": ["y"]},
    ),
)


@exercise("2c", "the order of the walk", answer="walk_order")
def order(rng):
    names = [f"v{i}" for i in range(8)]
    drawn = {
        name: [names[k] for k in rng.integers(0, i, size=2)] if i > 1 else []
        for i, name in enumerate(names)
    }
    for label, graph in (*GRAPHS, ("eight names, drawn", drawn)):
        last = "y" if "y" in graph else names[-1]

        def check(answer, graph=graph, last=last):
            found = answer({name: list(given) for name, given in graph.items()}, last)
            check_order(found, graph)
            if found[0] != last:
                raise Wrong(
                    f"the walk starts at {found[0]}, expected {last}",
                    "the walk starts at the result, and only there is the slope known",
                    "what is not needed for the result does not stand in the list",
                )
            missing = reached(graph, last) ^ set(found)
            if missing:
                raise Wrong(
                    f"{', '.join(sorted(missing))} is missing, or is not needed for {last}",
                    "the list holds the result, its parents, their parents, and so on",
                    "every name that is entered enters its parents as well",
                )

        yield label, check


def check_order(found, graph):
    """Raise `Wrong` unless each name stands once, before its parents."""
    if not isinstance(found, (list, tuple)) or not found or found[0] is ...:
        raise Wrong(
            f"expected a list of names, got {found!r:.60}",
            "is every ... of the stub filled in, and does the function return the list?",
            "the names go into the list order",
        )
    shown = " ".join(map(str, found))[:60]
    if len(set(found)) < len(found):
        twice = next(name for i, name in enumerate(found) if name in found[:i])
        raise Wrong(
            f"{shown}: {twice} stands there more than once",
            "a rule runs once for each place in the list: is a name in it already?",
            "ask, before anything else is done for a name, whether it was entered",
        )
    before = [
        (p, name) for name in found for p in graph.get(name, ()) if p in found[: found.index(name)]
    ]
    if not before:
        return
    backward = list(found)[::-1]
    if not any(
        p in backward[: backward.index(name)] for name in found for p in graph.get(name, ())
    ):
        raise Wrong(
            f"{shown}: that is the way forward",
            "the walk goes backward: it starts at the result",
            "the same list, from its end",
        )
    raise Wrong(
        f"{shown}: {before[0][0]} comes before {before[0][1]}, which was computed from it",
        "a name hands its slope on only when all that used it have handed on theirs",
        "enter a name after its parents, when all of them are in; then reverse the list",
    )


def reached(graph, last):
    """The names that `last` was computed from, and itself."""
    found, todo = set(), [last]
    while todo:
        name = todo.pop()
        found.add(name)
        todo += [parent for parent in graph[name] if parent not in found]
    return found
