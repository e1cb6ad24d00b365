"""The exercises of chapter 1: slopes."""

import math

import numpy as np

from . import Wrong, exercise, nudged, same


@exercise("1a", "slopes from both sides", answer="slopes")
def slopes_from_both_sides(rng):
    for name, f, size, h in (
        ("x**3 at one place, h 0.1", lambda p: p[0] ** 3, 1, 0.1),
        ("x * y, h 0.01", lambda p: p[0] * p[1], 2, 0.01),
        ("sin(x) + y**2 * z, h 0.1", lambda p: math.sin(p[0]) + p[1] ** 2 * p[2], 3, 0.1),
        ("exp(x - y), h 0.000001", lambda p: math.exp(p[0] - p[1]), 2, 1e-6),
    ):
        p = rng.uniform(0.5, 2, size).round(2).tolist()

        def check(answer, f=f, p=p, h=h):
            given = list(p)
            found = answer(f, given, h)
            if given != p:
                raise Wrong(
                    f"the list p was {p}, and is {given} afterwards",
                    "a nudge stayed in p, so that the next slope starts elsewhere: nudge a copy",
                    "up = p is a second name of the same list; up = list(p) is a copy",
                )
            if isinstance(found, (list, tuple)) and len(found) < len(p):
                raise Wrong(
                    f"expected {len(p)} slopes, got {len(found)}",
                    "each turn of the loop appends one slope to found: is every ... filled in?",
                    "found.append(...), inside the loop",
                )
            expected = nudged(f, p, h)
            here = f(p)
            forward = np.array([f([*p[:i], x + h, *p[i + 1 :]]) for i, x in enumerate(p)]) - here
            backward = here - np.array([f([*p[:i], x - h, *p[i + 1 :]]) for i, x in enumerate(p)])
            same(
                "slopes",
                found,
                expected,
                "the slope is the change of f, divided by how far the number was moved",
                "move p[i] up by h in one copy, down by h in another; only p[i] differs in them",
                known=[
                    (
                        2 * expected,
                        "twice too large: how far apart are the two places that you compare?",
                        "from h below to h above is a way of 2 * h",
                    ),
                    *(
                        (
                            one / h,
                            "that is the slope from one side: the table shows how far it is off",
                            "compare f one nudge above with f one nudge below, not with f(p)",
                        )
                        for one in (forward, backward)
                    ),
                    (
                        -expected,
                        "the sign: where f grows with the number, the slope is positive",
                        "the change is f above minus f below",
                    ),
                    (
                        2 * h * expected,
                        "that is the change of f; the slope is the change for each unit of p[i]",
                        "divide by the way from the lower place to the upper one",
                    ),
                    (
                        np.zeros(len(p)),
                        "f has not changed: are up and down two lists, or two names of one?",
                        "up = p is a second name of the same list; up = list(p) is a copy",
                    ),
                    (
                        np.full(len(p), expected.sum()),
                        "all numbers were moved at once: each slope is about one of them",
                        "up and down differ from p only at the place i",
                    ),
                ],
            )

        yield name, check


@exercise("1b", "a parabola's gradient", answer="parabola_slopes")
def parabola(rng):
    for n, degree in (1, 0), (1, 2), (3, 2), (5, 2), (8, 2):
        a, w, b = rng.uniform(-1, 1, 3) if degree else (0.0, 0.0, 1.0)
        xs, ys = rng.uniform(-2, 2, n), rng.uniform(-3, 3, n)

        def check(answer, place=(a, w, b), x=xs, y=ys):
            expected = nudged(lambda p: ((p[0] * x * x + p[1] * x + p[2] - y) ** 2).mean(), place)
            a, w, b = map(float, place)
            error = 2 * (a * x * x + w * x + b - y) / len(x)
            found = answer(a, w, b, x.tolist(), y.tolist())
            same(
                "slopes of a, w and b",
                found,
                expected,
                "for each point: 2 * error, times what the parameter is multiplied by",
                "write the steps down as the chapter does: a * x * x is one of the terms of q",
                known=[
                    (
                        np.zeros(3),
                        "all three are still 0: is the ... of the stub filled in?",
                        "add each point's share to slope_a, slope_w and slope_b",
                    ),
                    (
                        np.array([(error * x).sum(), (error * x).sum(), error.sum()]),
                        "a has the slope of w: look at what a is multiplied by, and what w",
                        "if a moves by d, a * x * x moves by x * x * d",
                    ),
                    (
                        np.array([(error * 2 * x).sum(), (error * x).sum(), error.sum()]),
                        "2 * x is the slope of x * x as x moves; here a moves, and x stays",
                        "if a moves by d, a * x * x moves by x * x * d",
                    ),
                    (
                        expected * len(x),
                        "too large by the number of points: the loss is a mean",
                        "each point's share of the slope is divided by len(xs)",
                    ),
                    (
                        expected / 2,
                        "half of what it should be: what is the slope of r * r?",
                        "if r moves by d, r * r moves by 2 * r * d",
                    ),
                    (
                        -expected,
                        "the sign: is your error the line minus y, or y minus the line?",
                        "r = q - y, where q is the curve's height at x",
                    ),
                    (
                        np.array([error[-1] * x[-1] ** 2, error[-1] * x[-1], error[-1]]),
                        "only the last point counts: the shares of all points are added",
                        "slope_a += ..., not slope_a = ...",
                    ),
                ],
                tolerance=1e-5,
            )

        yield f"{n} point{'s' * (n > 1)}", check
