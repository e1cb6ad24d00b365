"""The exercises of chapter 7: a row of minigrad's table, a gradient check, a rule without a table."""

import numpy as np

import minigrad as mg

from . import Wrong, exercise, near, nudged, same

# ---- 7a ------------------------------------------------------------------------------------------


@exercise("7a", "softplus", answer="softplus")
def softplus(rng):
    x, g = rng.normal(size=(2, 3)), rng.normal(size=(2, 3))
    yield "values", lambda answer: _values(answer, x)
    yield "slopes, g = 1", lambda answer: _slopes(answer, x, np.ones((2, 3)))
    yield f"slopes, g {g.shape}", lambda answer: _slopes(answer, x, g)
    yield "x = -1000, 1000", _far_away
    yield "slopes of slopes", lambda answer: _twice(answer, x[0])


def _true(x):
    """ln(1 + exp(x)) for small x."""
    return np.log1p(np.exp(x))


def _values(answer, x):
    if not isinstance(answer, mg.primitive):
        raise Wrong(
            f"softplus is a {type(answer).__name__}, expected a row of the table",
            "keep the last line of the stub: mg.primitive(function, rule, name=...)",
            "mg.primitive makes a row of a function and its rule",
        )
    same(
        "softplus(x)",
        answer(x),
        _true(x),
        "the function is ln(1 + exp(x)), of every element",
        "np.logaddexp(a, b) is ln(exp(a) + exp(b)): which b makes exp(b) a 1?",
    )


def _pulled(answer, x, g):
    """The slope of x, by the row."""
    tensor = mg.Tensor(x, requires_grad=True)
    with np.errstate(all="ignore"):
        return mg.gradients(answer(tensor), [tensor], gradient=g)[0]


def _slopes(answer, x, g):
    y, p = _true(x), 1 / (1 + np.exp(-x))
    place = "with y = ln(1 + exp(x)): what is exp(-y)? The row is given both, x and y"
    same(
        "slope of x",
        _pulled(answer, x, g),
        nudged(lambda v: (_true(v) * g).sum(), x),
        "the slope of ln(u) is 1/u; multiply by the slope of u = 1 + exp(x)",
        "it is a number between 0 and 1, which grows with x; test your rule at x = 0, where it is g / 2",
        known=[
            (g * (1 - np.exp(-x)), "x stands where y belongs", place),
            (g / (1 + np.exp(-y)), "y stands where x belongs", place),
            (
                p,
                "right for g = 1: what became of g, the slope that comes in?",
                "the chain rule multiplies: g times the slope of softplus",
            ),
        ],
    )


def _far_away(answer):
    x = np.array([-1000.0, 1000.0])
    with np.errstate(all="ignore"):
        y, slope = answer(x), _pulled(answer, x, np.ones(2))
    same(
        "softplus of -1000 and 1000",
        y,
        [0, 1000],
        "overflow: exp(1000) is more than a float can hold",
        "np.logaddexp takes the larger of its two numbers out before it calls exp",
    )
    same(
        "slope at -1000 and 1000",
        slope,
        [0, 1],
        "the rule overflows: of exp(x) / (1 + exp(x)) it makes inf / inf at 1000",
        "write the slope with exp(-x), or with y, which is never below 0",
    )


def _twice(answer, x):
    hint = "the rule is to be written in operators and functions of mg, not with x.data or lists"
    more = "as mg.exp(-y), which takes arrays and tensors"
    try:
        found = mg.grad(lambda v: mg.grad(lambda w: answer(w).sum())(v).sum())(x)
    except Exception as error:
        raise Wrong(f"the rule has no slope itself: {error!r:.60}", hint, more) from error
    p = 1 / (1 + np.exp(-x))
    same("slope of the slope", found, p * (1 - p), hint, more)


# ---- 7b ------------------------------------------------------------------------------------------


@exercise("7b", "catch the bad rule", answer="agrees")
def bad_rule(rng):
    x = rng.uniform(0.5, 1.5, size=(2, 3))
    error = np.array([0.01, -0.01])

    def one_wrong(x):
        slope = 2 * x
        slope[-1] *= 1.1
        return slope

    cubes = lambda x: (x**3).sum()
    waves = lambda x: np.sin(300 * x).sum() / 300
    flat = lambda x: (x**3).sum() / 100
    squares = lambda x: (x * x).sum()
    shares = lambda x: (x / x.sum()).sum()  # always 1
    yield "a right rule", _verdict(cubes, lambda x: 3 * x * x, x, True)
    yield "slopes that are 0", _verdict(shares, np.zeros_like, x, True)
    yield "a bent function", _verdict(waves, lambda x: np.cos(300 * x), 0.01 * x[0], True)
    yield "a rule for another function", _verdict(cubes, lambda x: 2 * x, x, False)
    yield "3.0015 for 3", _verdict(cubes, lambda x: 3.0015 * x * x, x, False)
    yield "3.0015 for 3, a 100th", _verdict(flat, lambda x: 0.030015 * x * x, x, False)
    yield "one element wrong", _verdict(squares, one_wrong, x[0], False)
    yield "errors that cancel", _verdict(squares, lambda x: 2 * x + error, x[0, :2], False)


def _verdict(f, rule, x, expected):
    """A check that wants `expected`, and looks at where f was asked to find out what went wrong."""

    def check(answer):
        asked = []

        def watched(v):
            asked.append(np.array(v, float) - x)
            return f(np.asarray(v, float))

        given = x.copy()
        found = answer(watched, lambda v: rule(np.asarray(v, float)), given)
        if found is None or found is ...:
            same("agrees(f, rule, x)", None, 0, "", "")
        if not np.array_equal(given, x):
            raise Wrong(
                "x itself was changed",
                "nudge a copy: x.copy(); x belongs to whoever called",
                "two names of one array are one array: up = x copies nothing",
            )
        if bool(found) != expected:
            which = "right" if expected else "wrong"
            raise Wrong(f"the rule is {which}, and you say {found}", *_reason(asked, expected))

    return check


def _reason(asked, expected):
    """Two hints, from the nudges that were made."""
    moves = np.concatenate([np.ravel(d) for d in asked] or [np.zeros(1)])
    sizes = np.abs(moves[moves != 0])
    if not sizes.size:
        return (
            "f was never asked beside x: a gradient is checked by nudging",
            "move one element up and down by h, and see how much f changes",
        )
    if max(np.count_nonzero(d) for d in asked) > 1:
        return (
            "several elements were nudged at once: nudge one at a time",
            "a copy of x with a single element moved",
        )
    if expected and sizes.max() < 1e-8:
        return (
            f"a nudge of {sizes.max():.0e} leaves few digits of f(up) - f(down)",
            "chapter 1 tried four sizes: which had the smallest error?",
        )
    if expected and not ((moves < 0).any() and (moves > 0).any()):
        return (
            "from one side, a bend of the function counts as an error of the rule",
            "with a nudge to the other side too, the bends cancel: how far apart are the two then?",
        )
    return _tolerance(sizes, expected)


def _tolerance(sizes, expected):
    if expected and sizes.max() > 3e-5:
        return (
            f"a nudge of {sizes.max():.0e} measures the bends of the function too",
            "chapter 1 tried four sizes: which had the smallest error?",
        )
    if expected:
        return (
            "how exact are nudges? Some 1e-9 is lost, also where a slope is 0",
            "allow a share of the slope, 1e-5, and a little more by itself, as 1e-7",
        )
    return (
        "it passed: is every element compared, and how large a difference do you allow?",
        "0.05 % is 5e-4 of the slope, however small that is: allow a share of it, 1e-5, and hardly more",
    )


# ---- 7c ------------------------------------------------------------------------------------------


@exercise("7c", "vector times Jacobian", answer="shares_rule")
def shares(rng):
    for n in 3, 2, 5, 1, 50:
        x, g = rng.uniform(0.5, 2.0, size=n), rng.normal(size=n)

        def check(answer, x=x, g=g):
            y = x / x.sum()
            table = mg.jacobian(lambda v: v / v.sum())(x)
            more = "x[j] is in y[j], and in the sum that divides every y[i]"
            found = answer(g, y, x)
            if found is not None and np.shape(found) == table.shape != (1, 1):
                hint = "the whole table came back: multiply it by g and add up, or go there at once"
                if not near(found, table):
                    hint = "a whole table came back: add it up over i, the results"
                raise Wrong(f"expected shape {x.shape}, got {np.shape(found)}", hint, more)
            same(
                "slope of x",
                found,
                nudged(lambda v: (v / v.sum() * g).sum(), x),
                "add up over all results y[i]: g[i] times the slope of y[i] with respect to x[j]",
                more,
                known=[
                    (
                        table @ g,
                        "transposed: you add up over the inputs; g belongs to the results",
                        "the sum runs over i of g[i] * dy[i]/dx[j]: along which axis of the table is that?",
                    ),
                    (
                        g * np.diag(table),
                        "that is the diagonal alone: x[j] moves the other shares too",
                        more,
                    ),
                    (
                        g / x.sum(),
                        "the sum was taken for a constant: it moves with every x[j]",
                        more,
                    ),
                ],
            )

        yield f"n = {n}", check
