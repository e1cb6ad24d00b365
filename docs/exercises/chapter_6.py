"""The exercises of chapter 6: the rule of relu, the size of initial weights."""

import numpy as np

from . import Wrong, exercise, nudged, same

# ---- 6a: relu's rule -----------------------------------------------------------------------------


@exercise("6a", "relu's rule", answer="relu_slope")
def relu_rule(rng):
    mixed = rng.normal(size=(3, 4))
    with_zeros = mixed * (rng.random((3, 4)) < 0.5)
    with_zeros[0, 0] = 0.0
    cases = {"x (3, 4)": mixed, "x (5,)": rng.normal(size=5), "x with zeros": with_zeros}
    cases["x of one number"] = np.array(-1.5)
    for label, x in cases.items():
        g = np.asarray(rng.normal(size=x.shape))

        def check(answer, x=x, g=g):
            right = np.where(x == 0, 0, nudged(lambda v: (np.maximum(v, 0) * g).sum(), x))
            found = answer(g.copy(), x.copy())
            at_zero = np.where(x == 0, g, right)
            leaks = 0.01, 0.1, 0.2, 0.001
            same(
                "slope of x",
                found,
                right,
                "where x is above zero g passes as it is, elsewhere nothing does",
                "x > 0 is an array of True and False, which count as 1 and 0",
                [
                    (
                        np.maximum(g, 0),
                        "that asks for the sign of g; what relu cut off was decided by x",
                        "a negative g may well pass: where was x above zero?",
                    ),
                    (np.where(x > 0, np.maximum(g, 0), 0), *CLIPPED),
                    (
                        at_zero,
                        "at zero itself the slope is 0 by the task's choice",
                        "> or >=?",
                    ),
                    (
                        (x > 0) * 1.0,
                        "that is the slope of relu alone: multiply along the path",
                        "g is what comes back to relu's result",
                    ),
                    *((np.where(x > 0, g, leak * g), *LEAKY) for leak in leaks),
                ],
            )

        yield label, check


CLIPPED = (
    "negative slopes were cut off too: g is not passed through relu, it is masked by x",
    "where x is above zero, g passes whatever its sign",
)
LEAKY = (
    "that lets a little through below zero: it is the rule of a leaky relu",
    "max(x, 0) is flat below zero: what is the slope of a flat line?",
)


# ---- 6b: He's scale ------------------------------------------------------------------------------


@exercise("6b", "He's scale", answer="he_weights")
def he_scale(rng):
    for n, m in (784, 128), (100, 400), (400, 100), (64, 64):
        seed = int(rng.integers(1 << 30))

        def check(answer, n=n, m=m, seed=seed):
            w = answer(np.random.default_rng(seed), n, m)
            if w is None or w is ... or np.shape(w) != (n, m):
                got = np.shape(w) if isinstance(w, np.ndarray) else w
                raise Wrong(
                    f"expected weights of shape {(n, m)}, got {got!r:.50}",
                    "one weight for each pair of an input and a unit: (n_in, n_out)",
                    "rng.normal(size=(n_in, n_out)) draws them with a standard deviation of 1",
                )
            judge_size(np.asarray(w, float), n, m)
            judge_draws(answer, n, m, seed)

        yield f"{n} inputs, {m} units", check


def judge_size(w, n, m):
    """The deviation of the weights is sqrt(2 / n), as nearly as one can tell from so many."""
    deviation, expected = w.std(), (2 / n) ** 0.5
    margin = 5 / (2 * w.size) ** 0.5  # five standard errors of a deviation, relative
    if abs(deviation / expected - 1) < margin and abs(w.mean()) < 5 * expected / w.size**0.5:
        return
    hint, more = (
        "what n terms of variance s * s add up to, relu halves: which s leaves the size as it was?",
        "multiply your weights with x of rng.normal(size=(1000, n_in)): what is the mean of relu**2?",
    )
    if abs(w.mean()) > 0.2 * deviation:
        hint, more = (
            "the mean is not 0: some weights must be negative",
            "look at w.min() and w.max()",
        )
    for mistake, its_hint, its_more in (
        (
            2 / n,
            "2 / n is the variance; rng.normal has to be scaled by the standard deviation",
            "the deviation is the root of the variance",
        ),
        (
            (2 / m) ** 0.5,
            "that counts the units; what adds up in one unit are its inputs",
            "a unit's sum has n_in terms",
        ),
        (
            (1 / n) ** 0.5,
            "that would do without relu, which sets half of the results to zero",
            "what makes up for half of the mean square being lost?",
        ),
        (
            1.0,
            "the weights have a deviation of 1: they are not scaled yet",
            "multiply what rng.normal gives by a number that depends on n_in",
        ),
    ):
        if abs(deviation / mistake - 1) < margin and mistake != expected:
            hint, more = its_hint, its_more
            break
    found = f"got {w.mean():.2g} and {deviation:.4g}"
    raise Wrong(
        f"expected a mean near 0 and a deviation near {expected:.4g}, {found}",
        hint,
        more,
    )


def judge_draws(answer, n, m, seed):
    """The weights come from the generator that was given."""
    first, again, other = (
        np.asarray(answer(np.random.default_rng(s), n, m)) for s in (seed, seed, seed + 1)
    )
    if not np.array_equal(first, again) or np.array_equal(first, other):
        raise Wrong(
            "the same rng did not give the same weights, or another rng did",
            "draw from the rng that is given, so that a seed decides what comes",
            "rng.normal, not np.random.normal, nor a generator made in the function",
        )
