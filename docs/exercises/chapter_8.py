"""The exercises of chapter 8: momentum, Adam, and a schedule.

A step is judged by where it came from: the truth is a sum over all slopes that were handed out.
"""

import numpy as np

from . import Wrong, exercise, same


def walked(answer, slope, p, steps, *arguments):
    """What `answer` did: the points it asked at and the one it returned, and the slopes it got."""
    points, slopes = [], []

    def watched(p):
        points.append(np.array(p, float))
        slopes.append(np.array(slope(points[-1]), float))
        return slopes[-1].copy()

    with np.errstate(all="ignore"):
        end = answer(watched, np.array(p, float), *arguments)
    if end is None or end is ...:
        same("the last p", None, 0, "", "")
    if len(points) != steps:
        raise Wrong(
            f"slope was called {len(points)} times, expected {steps}, once in each step",
            "slope(p) belongs in the loop, once: each step asks at the place where it stands",
            "keep it in a name: g = slope(p)",
        )
    return [*points, np.asarray(end, float)], slopes


def valley(p):
    return np.array([10.0, 0.1]) * p


# ---- 8a ------------------------------------------------------------------------------------------


@exercise("8a", "momentum", answer="descend")
def momentum(rng):
    pushes = rng.normal(size=(6, 2))
    for label, rates, beta in (
        ("one step", [0.05], 0.9),
        ("momentum 0", [0.05, 0.05], 0.0),
        ("two steps", [0.05, 0.05], 0.9),
        ("a rate that falls", [0.05, 0.04, 0.02, 0.01], 0.9),
        ("slopes at random", [0.1] * 6, 0.5),
    ):

        def check(answer, label=label, rates=rates, beta=beta):
            rows = iter(pushes)
            f = (lambda p: next(rows)) if label == "slopes at random" else valley
            points, slopes = walked(answer, f, [1.0, 2.0], len(rates), rates, beta)
            for t in range(len(rates)):
                _momentum_step(t, points, slopes, rates, beta)

        yield label, check


def _momentum_step(t, points, slopes, rates, beta):
    """Step t must go along all slopes so far, the older ones faded: beta ** age."""
    fade = beta ** np.arange(t, -1.0, -1)  # 0 ** 0 is 1
    so_far = np.array(slopes[: t + 1])
    v = fade @ so_far
    start = points[t]
    inside = (fade * rates[: t + 1]) @ so_far
    same(
        f"p after step {t + 1}",
        points[t + 1],
        start - rates[t] * v,
        "v is momentum * v + slope(p), and the step is -rate * v",
        "write down two steps by hand: how much of the first slope is in the second step?",
        known=[
            (start + rates[t] * v, "uphill: a step goes against v", "which sign has the step?"),
            (
                start - rates[t] * (1 - beta) * v,
                "the slope is scaled by 1 - momentum, as in Adam; here it is added whole",
                "with a constant slope and a momentum of 0.9, v is to grow to ten times the slope",
            ),
            (
                start - rates[t] * slopes[t],
                "nothing is left of the steps before: is v set to 0 anew in every step?",
                "v is made once, before the loop, and kept from step to step",
            ),
            (
                start - inside,
                "the rate went into v: when the rate falls, old steps keep their old rate",
                "v collects slopes alone; the rate multiplies v in the step",
            ),
            (
                start - rates[t] * inside,
                "the rate is in v and in the step: once is enough",
                "v collects slopes alone; the rate multiplies v in the step",
            ),
        ],
    )


# ---- 8b ------------------------------------------------------------------------------------------


@exercise("8b", "Adam", answer="adam")
def adam(rng):
    pushes = rng.normal(size=(8, 2))
    for label, steps, scale, options in (
        ("one step", 1, 1.0, ()),
        ("two steps", 2, 1.0, ()),
        ("8 steps, another rate and betas", 8, 1.0, (0.01, 0.5, 0.8, 1e-8)),
        ("slopes of 0.00001", 4, 1e-5, ()),
        ("eps = 0.1", 3, 1.0, (0.1, 0.9, 0.999, 0.1)),
    ):

        def check(answer, steps=steps, scale=scale, options=options):
            rows = iter(scale * pushes)
            found = walked(answer, lambda p: next(rows), [1.0, -2.0], steps, steps, *options)
            for t in range(steps):
                _adam_step(t, *found, *(options or (0.1, 0.9, 0.999, 1e-8)))

        yield label, check


def _adam_step(t, points, slopes, lr, beta1, beta2, eps):
    """Step t, in which m_hat and v_hat are means of all slopes so far, the older ones faded."""
    so_far, ages = np.array(slopes[: t + 1]), np.arange(t, -1, -1)
    m_hat = np.average(so_far, axis=0, weights=beta1**ages)
    v_hat = np.average(so_far**2, axis=0, weights=beta2**ages)
    m, v = m_hat * (1 - beta1 ** (t + 1)), v_hat * (1 - beta2 ** (t + 1))
    start, found = points[t], points[t + 1]
    _finite(found, t)
    both = _overwritten(so_far, beta1, beta2)
    same(
        f"p after step {t + 1}",
        found,
        start - lr * m_hat / (np.sqrt(v_hat) + eps),
        "m is beta1 * m + (1 - beta1) * g, v the same of g * g; the step is m_hat / root of v_hat",
        "the first step has the length lr in every direction: does yours?",
        known=[
            (
                start - lr * m / (np.sqrt(v) + eps),
                "both means start at 0 and are too small at first: that is to be corrected",
                "after one step m is 0.1 of the slope: divide by what to get the slope itself? After t steps?",
            ),
            (
                start - lr * m_hat / np.sqrt(v_hat + eps),
                "eps stands inside the root, where it counts as its own root, 1e-4",
                "eps is there so that nothing is divided by 0: first the root, then eps",
            ),
            (
                start - lr * both[0] / (np.sqrt(both[1]) + eps),
                "m and v go on corrected: the next step then fades what was corrected before",
                "keep m and v as they are, and give the corrected ones other names",
            ),
            (
                start - lr * m_hat / (v_hat + eps),
                "the root of v_hat is missing: v is a square, the step divides by a size",
                "slopes 100 times as large must give the same step",
            ),
            (
                start + lr * m_hat / (np.sqrt(v_hat) + eps),
                "uphill: a step goes against m",
                "which sign has the step?",
            ),
        ],
    )


def _finite(found, t):
    bad = ~np.isfinite(found)
    if bad.all():
        raise Wrong(
            f"p after step {t + 1} is {found[0]}",
            "a division by 0: what is 1 - beta1**t at the t of your first step?",
            "t counts the steps and is 1 in the first: range(1, steps + 1)",
        )
    if bad.any():
        raise Wrong(
            f"p after step {t + 1} is {found} (the slopes have both signs)",
            "the root of a negative number: v is a mean of squares",
            "g * g is never negative, whatever sign g has",
        )


def _overwritten(slopes, beta1, beta2):
    """m and v where their corrected values take their places."""
    m = v = np.zeros(2)
    for t, g in enumerate(slopes, 1):
        m = (beta1 * m + (1 - beta1) * g) / (1 - beta1**t)
        v = (beta2 * v + (1 - beta2) * g * g) / (1 - beta2**t)
    return m, v


# ---- 8c ------------------------------------------------------------------------------------------


@exercise("8c", "warm-up and cosine", answer="rate")
def schedule(rng):
    drawn = int(rng.integers(20, 40)), int(rng.integers(3, 9)), float(rng.uniform(0.1, 1)), 0.01
    for total, warmup, top, floor in (10, 4, 1.0, 0.0), (100, 10, 0.1, 0.001), drawn:

        def check(answer, total=total, warmup=warmup, top=top, floor=floor):
            found = [answer(t, total, warmup, top, floor) for t in range(total)]
            if any(r is None or r is ... for r in found):
                same("rate", None, 0, "", "")
            found = np.asarray(found, float)
            _way_up(found[:warmup], warmup, top)
            _way_down(found[warmup - 1 :], total - warmup, top, floor)

        yield f"{total} steps, {warmup} of them up, {top:.2g} to {floor}", check


def _way_up(found, n, top):
    same(
        f"rates of t = 0 ... {n - 1}",
        found,
        np.linspace(0, top, n + 1)[1:],
        "on the way up every step adds top / warmup; the last, t = warmup - 1, is at top",
        "at t = 0 it is top / warmup, at t = 1 twice that",
        known=[
            (
                np.linspace(0, top, n + 1)[:-1],
                "off by one: at t = 0 the rate is 0, so that the first step goes nowhere",
                "t counts from 0: step t is the step number t + 1",
            ),
            (
                np.linspace(0, top, n),
                "from 0 to top in warmup steps; but the first step is to go somewhere",
                "at t = 0 the rate is top / warmup",
            ),
        ],
    )


def _way_down(found, n, top, floor):
    """`found` begins at the top; the truth is a point that turns by half a circle in n steps."""
    height = lambda angles: (1 + np.exp(1j * angles).real) / 2
    half = np.linspace(0, np.pi, n + 1)
    down = floor + (top - floor) * height(half)
    late = np.concatenate([[top], floor + (top - floor) * height(half)[:-1]])
    hurried = np.concatenate([[top], floor + (top - floor) * height(np.linspace(0, np.pi, n))])
    same(
        "rates from t = warmup - 1 on",
        found,
        down,
        "half a cosine: from top to floor, half of the way after half of the steps",
        "cos falls from 1 to -1 on half a circle: move and scale it to fall from top to floor",
        known=[
            (
                late,
                "one step late: the top comes twice, and the floor is never reached",
                "share is 0 at t = warmup - 1, and 1 at t = total - 1",
            ),
            (
                hurried,
                "the top comes twice, at t = warmup - 1 and at t = warmup, and the way down is one short",
                "from t = warmup - 1 to t = total - 1 there are total - warmup steps",
            ),
            (
                floor + (top - floor) * height(half / np.pi * 180),
                "math.cos takes radians, not degrees",
                "half a circle is pi, not 180",
            ),
            (
                np.concatenate([[top], top * height(half)[1:]]),
                "the way down ends at 0, not at floor",
                "the cosine moves between top and floor: only their difference is scaled",
            ),
            (
                np.concatenate([[top], (floor + top * height(half))[1:]]),
                "it starts above top: the cosine is scaled by top, and floor is added",
                "only the difference of top and floor is scaled",
            ),
        ],
    )
