"""The judge of a reader's engine, my_engine.py: its errors, and its limits.

Only what the chapters agree on is used: `Value(data)` with `data` and `grad`, the operators,
`tanh(x)` and `backward(y)`; of an engine that knows `@`, the arrays of chapter 4 as well. The truth
is a central difference of the same formula on plain floats, or on NumPy's arrays.
The checks come in stages; each needs those before it, so that the first stage that finds errors is
the last one: what follows would only repeat them.
"""

import importlib
import importlib.util
import math
import random
from pathlib import Path
from types import SimpleNamespace

import numpy as np

from . import near, nudged

ADDED = "a number is used twice: the slopes of its uses are added, +="
TWICE = "too large: is a value twice in the list, so that its rule runs twice?"
BACK = "walk from the result back: the list reversed, each value after its parents"
WAIT = "a value hands its slope on only after all that used it: parents first in the list, reversed"
CONVERT = "a plain number becomes a Value: other = value(other)"
SWAPPED = "a * b: the slope of a is b, that of b is a"
CHAIN = "along a path slopes are multiplied: each slope of the rule is times g"

# The formulas of one operation: what it is called, how it is computed, and what to look at.
OPERATIONS = (
    ("a + b", lambda a, b, tanh: a + b, "__add__"),
    ("a * b", lambda a, b, tanh: a * b, "__mul__"),
    ("a**3", lambda a, b, tanh: a**3, "__pow__"),
    ("tanh(a)", lambda a, b, tanh: tanh(a), "the function tanh"),
)
PLAIN = (
    ("a + 1", lambda a, b, tanh: a + 1, CONVERT),
    ("a * 2", lambda a, b, tanh: a * 2, CONVERT),
)
COMPOSED = (
    ("-a", lambda a, b, tanh: -a, "__neg__"),
    ("a - b", lambda a, b, tanh: a - b, "__sub__"),
    ("a / b", lambda a, b, tanh: a / b, "__truediv__"),
    ("a - 1", lambda a, b, tanh: a - 1, CONVERT),
    ("a / 2", lambda a, b, tanh: a / 2, CONVERT),
    ("1 + a", lambda a, b, tanh: 1 + a, "a number on the left asks __radd__"),
    ("2 * a", lambda a, b, tanh: 2 * a, "a number on the left asks __rmul__"),
    ("1 - a", lambda a, b, tanh: 1 - a, "a number on the left asks __rsub__"),
    ("2 / a", lambda a, b, tanh: 2 / a, "a number on the left asks __rtruediv__"),
    ("a**-1", lambda a, b, tanh: a**-1, "__pow__ holds for negative powers too"),
    ("a**0.5", lambda a, b, tanh: a**0.5, "__pow__ holds for fractions too"),
)
STRETCHED = (
    "what was stretched is summed, and has its own shape again: see unbroadcast, in backward"
)
SUMMED = "total: each element has the slope of the sum that it went into"
# The formulas of arrays: what it is called, how it is computed, the shapes, and what to look at.
ARRAYS = (
    ("x * y, both (2, 3),", lambda x, y, total: x * y, [(2, 3), (2, 3)], SWAPPED),
    ("x + b, (2, 3) and (3,),", lambda x, b, total: x + b, [(2, 3), (3,)], STRETCHED),
    ("x * c, (2, 3) and (2, 1),", lambda x, c, total: x * c, [(2, 3), (2, 1)], STRETCHED),
    ("x * s, (2, 3) and (),", lambda x, s, total: x * s, [(2, 3), ()], STRETCHED),
    (
        "x @ w, (2, 3) and (3, 4),",
        lambda x, w, total: x @ w,
        [(2, 3), (3, 4)],
        "the slopes of x @ w are g @ w.T and x.T @ g",
    ),
    (
        "images @ w with a plain array",
        lambda w, total: np.arange(6.0).reshape(2, 3) @ w,
        [(3, 4)],
        "an array on the left asks __rmatmul__, if __array_ufunc__ is None: a.T @ g",
    ),
)
SUMS = (
    ("total(x), (2, 3),", lambda x, total: total(x), [(2, 3)], SUMMED),
    ("total(x, axis=1), (2, 3),", lambda x, total: total(x, axis=1), [(2, 3)], SUMMED),
)
SLOPES = {
    "a + b": "both terms of a sum have the slope 1",
    "a * b": SWAPPED,
    "a**3": "the slope of a**n is n * a ** (n - 1)",
    "tanh(a)": "the slope of tanh(x) is 1 - tanh(x)**2",
}


def judge_engine(path):
    """What is wrong with an engine, and what it cannot do: two lists of "what; hint"."""
    try:
        engine = _load(path)
    except (Exception, SystemExit) as error:
        return [f"{Path(path).name} does not run: {type(error).__name__}: {error}"[:100]], []
    missing = [name for name in ("Value", "backward", "tanh") if not hasattr(engine, name)]
    if missing:
        return [f"there is no {name}; chapter 2 defines it" for name in missing], []
    for stage in STAGES:
        errors = list(stage(engine))
        if errors:
            return errors, []
    return [], [limit for test in LIMITS if (limit := test(engine))]


def engine_of(answer):
    """The Value, backward and tanh that an answer uses: where it was written, or in my_engine."""
    engine = vars(importlib.import_module("my_engine"))
    there = getattr(answer, "__globals__", {})
    names = ("Value", "backward", "tanh")
    return SimpleNamespace(**{name: there.get(name, engine.get(name)) for name in names})


def _load(path):
    spec = importlib.util.spec_from_file_location("judged_engine", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


# ---- measuring -----------------------------------------------------------------------------------


def _walked(engine, f, numbers):
    """The result of a formula, and the slopes that the engine finds."""
    values = [engine.Value(number) for number in numbers]
    y = f(*values, engine.tanh)
    engine.backward(y)
    return float(y.data), [0.0 if v.grad is None else float(v.grad) for v in values]


def _nudged(f, numbers, h=1e-6):
    """The result and the slopes of a formula on floats, by central differences."""
    slopes = []
    for i in range(len(numbers)):
        up, down = list(numbers), list(numbers)
        up[i] += h
        down[i] -= h
        slopes.append((f(*up, math.tanh) - f(*down, math.tanh)) / (2 * h))
    return f(*numbers, math.tanh), slopes


def _near(found, expected):
    return math.isclose(found, expected, rel_tol=1e-6, abs_tol=1e-6)


def _compare(engine, text, f, numbers, number_hint, slope_hint):
    """One sentence, or none, about a formula: its number first, then its slopes."""
    place = ", ".join(f"{name} = {number:g}" for name, number in zip("abc", numbers))
    try:
        number, slopes = _walked(engine, f, numbers)
    except Exception as error:
        return [f"{text} raises {type(error).__name__}: {error}"[:80] + f"; {number_hint}"]
    expected, nudged = _nudged(f, numbers)
    if not _near(number, expected):
        return [f"{text} at {place}: expected {expected:.4g}, got {number:.4g}; {number_hint}"]
    for name, slope, truth in zip("abc", slopes, nudged):
        if not _near(slope, truth):
            where = f"{text} at {place}: slope of {name} expected {truth:.4g}, got {slope:.4g}"
            return [f"{where}; {slope_hint(slope, truth) if callable(slope_hint) else slope_hint}"]
    return []


# ---- the stages ----------------------------------------------------------------------------------


def start(engine):
    """The walk starts with a slope of 1 and reaches the parents."""
    try:
        _, slopes = _walked(engine, lambda a, b, tanh: a + b, (3.0, 2.0))
    except Exception as error:
        yield f"backward(a + b) raises {type(error).__name__}: {error}"[:100]
        return
    if slopes == [0, 0]:
        yield "a + b: both slopes are 0; the walk starts with y.grad = 1.0 and hands it to the parents"


def operations(engine):
    """Each operation that has a rule, alone."""
    for text, f, name in OPERATIONS:
        yield from _compare(engine, text, f, (1.5, 0.5), f"look at {name}", SLOPES[text])


def chains(engine):
    """A path of two steps; what is wrong is the walk, or a rule that does not use g."""

    def hint(found, expected):
        return BACK if found == 0 else CHAIN

    for text, f, _ in OPERATIONS:
        times = lambda a, b, c, tanh, f=f: f(a, b, tanh) * c
        text = f"{text} * c" if text.endswith(")") else f"({text}) * c"
        yield from _compare(engine, text, times, (1.5, 0.5, 3.0), CONVERT, hint)


def plain_numbers(engine):
    """A plain number beside a value."""
    for text, f, hint in PLAIN:
        yield from _compare(engine, text, f, (1.5, 0.5), hint, hint)


def numbers(engine):
    """The operators that are made of others, also with a plain number on the left."""
    for text, f, hint in COMPOSED:
        hint = f"look at {hint}" if hint.startswith("__") and " " not in hint else hint
        yield from _compare(engine, text, f, (1.5, 0.5), hint, hint)


def uses(engine):
    """Fan-out: one number is used several times."""

    def hint(found, expected):
        return TWICE if found > expected else ADDED

    for text, f in (
        ("a + a", lambda a, tanh: a + a),
        ("a * a", lambda a, tanh: a * a),
        ("p + p with p = a * 3", lambda a, tanh: (lambda p: p + p)(a * 3)),
        ("a * 2 + tanh(a)", lambda a, tanh: a * 2 + tanh(a)),
    ):
        yield from _compare(engine, text, f, (1.5,), CONVERT, hint)


def diamonds(engine):
    """Paths of different lengths that meet again: only the right order adds them all up."""

    def hint(found, expected):
        return TWICE if found > expected else WAIT

    def short_first(a, tanh):
        p = a * 2
        return p + p * 5 * 3

    def long_first(a, tanh):
        p = a * 2
        return p * 5 * 3 + p

    def doubled(a, tanh):
        for _ in range(10):
            a = a + a
        return a

    yield from _compare(engine, "p + p * 15 with p = a * 2", short_first, (1.5,), CONVERT, hint)
    yield from _compare(engine, "p * 15 + p with p = a * 2", long_first, (1.5,), CONVERT, hint)
    yield from _compare(engine, "a = a + a, ten times,", doubled, (1.5,), CONVERT, hint)


def two_formulas(engine):
    """A leaf keeps the slopes of two formulas, added up, until it is cleared."""
    a = engine.Value(3.0)
    engine.backward(a * 5)
    engine.backward(a * a)
    if not _near(float(a.grad), 11):
        found = (
            f"a * 5, then a * a at a = 3: slope of a expected 5 + 6 = 11, got {float(a.grad):.4g}"
        )
        yield f"{found}; backward adds to grad"


def formulas(engine):
    """Several operations at random places, against central differences."""

    def knot(a, b, c, tanh):
        d = tanh(a * b + c)
        return d * d * a - tanh(d / b) * c + d**3

    def ratio(a, b, c, tanh):
        return (1 - a) / (2 + b * b) + 3 / (c * c + 1) - -a * c

    draw = random.Random(0)
    hint = "each operation alone is right: look at the order of the walk, and at +="
    for text, f in ("d * d * a - tanh(d / b) * c + d**3", knot), ("(1 - a) / (2 + b * b)", ratio):
        for _ in range(3):
            places = [round(draw.uniform(0.2, 1.5), 1) for _ in range(3)]
            errors = _compare(engine, text, f, places, hint, "check this formula by hand")
            yield from errors
            if errors:
                break


def arrays(engine):
    """Arrays, once the engine knows `@`: each slope has the shape and the numbers of a nudge's."""
    if not hasattr(engine.Value, "__matmul__"):
        return
    draw = np.random.default_rng(0)
    for text, f, shapes, hint in ARRAYS + SUMS * hasattr(engine, "total"):
        numbers = [draw.normal(size=shape) for shape in shapes]
        error = _array_error(engine, f, numbers, draw)
        if error:
            yield f"{text} {error}"[:100] + f"; {hint}"


def _array_error(engine, f, numbers, draw):
    """What is wrong with a formula of arrays, or nothing; its results count unequally."""
    sums = lambda x, axis=None: np.sum(x, axis=axis, keepdims=axis is not None)
    expected = f(*numbers, sums)
    g = draw.normal(size=np.shape(expected))
    try:
        values = [engine.Value(number) for number in numbers]
        y = f(*values, getattr(engine, "total", None))
        if not near(y.data, expected):
            return "is not what NumPy computes"
        engine.backward(y * g)
    except Exception as error:
        return f"raises {type(error).__name__}: {error}"
    for i, (value, number) in enumerate(zip(values, numbers)):
        loss = lambda v, i=i: np.sum(f(*numbers[:i], v, *numbers[i + 1 :], sums) * g)
        if np.shape(value.grad) != number.shape:
            return f"slope {i + 1}: expected shape {number.shape}, got {np.shape(value.grad)}"
        if not near(value.grad, nudged(loss, number)):
            return f"slope {i + 1} is not what nudges say"
    return ""


STAGES = (
    start,
    operations,
    chains,
    plain_numbers,
    numbers,
    uses,
    diamonds,
    two_formulas,
    formulas,
    arrays,
)


# ---- limits --------------------------------------------------------------------------------------


def long_chain(engine):
    """A sum of 10,000 terms, which a recursion does not survive."""
    what = "a chain of 10,000 operations"
    x = engine.Value(0.0)
    y = x
    for _ in range(10_000):
        y = y + 1
    try:
        engine.backward(y)
    except RecursionError:
        return f"{what} raises RecursionError; chapter 4 lists the values in a loop"
    except Exception as error:
        return f"{what} raises {type(error).__name__}: {error}"[:100]
    if not _near(float(x.grad), 1):
        return f"{what}: slope expected 1, got {float(x.grad):.4g}; chapter 4 walks it in a loop"
    return ""


def second_walk(engine):
    """Another backward on the same graph adds the same slopes once more."""
    x = engine.Value(2.0)
    y = x * x * x
    engine.backward(y)
    try:
        engine.backward(y)
    except Exception as error:
        return f"a second backward raises {type(error).__name__}: {error}"[:100]
    if _near(float(x.grad), 24):
        return ""
    what = f"a second backward: slope of x * x * x expected 12 + 12, got {float(x.grad):.4g}"
    return f"{what}; chapter 4 keeps slopes apart"


LIMITS = (long_chain, second_walk)
