"""The exercises of chapter 4: arrays."""

from . import Wrong, exercise, nudged, same


@exercise("4b", "matmul", answer="matmul_slopes")
def matmul(rng):
    for n, k, m in (1, 1, 1), (2, 2, 2), (1, 3, 1), (2, 3, 4), (5, 2, 3):
        x, w, g = rng.normal(size=(n, k)), rng.normal(size=(k, m)), rng.normal(size=(n, m))

        def check(answer, x=x, w=w, g=g):
            found = answer(g, x, w)
            if not isinstance(found, tuple) or len(found) != 2:
                raise Wrong(
                    f"expected two slopes, of x and of w, got {found!r:.60}",
                    "return both: return slope_x, slope_w",
                    "the first has the shape of x, the second that of w",
                )
            of_x = nudged(lambda v: (v @ w * g).sum(), x)
            of_w = nudged(lambda v: (x @ v * g).sum(), w)
            for name, slope, expected, other in (
                ("slope of x", found[0], of_x, of_w),
                ("slope of w", found[1], of_w, of_x),
            ):
                same(
                    name,
                    slope,
                    expected,
                    "each slope is a sum of products: which g met this element on its way?",
                    "x[i, k] meets w[k, j] on its way to y[i, j]: write that sum, then as a product",
                    known=[
                        (
                            expected.T,
                            "transposed; each weight's slope has its weight's place",
                            "(a @ b).T is b.T @ a.T: which of the two do you have?",
                        ),
                        (
                            other,
                            "swapped: the slope of x comes first, that of w second",
                            "look at the shapes: that of x is (n, k)",
                        ),
                    ],
                )

        yield f"x {x.shape}, w {w.shape}", check
