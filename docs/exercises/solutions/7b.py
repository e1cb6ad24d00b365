"""7b  Catch the bad rule.

`f` makes a number of an array `x`, and `rule(x)` is said to be its gradient, in the shape of `x`.
Return True if it agrees with nudges of every element, False if it does not. A rule that is wrong by
0.05 % in a single element must be caught; one that is right must pass, even where a slope is 0.
"""

import numpy as np


def agrees(f, rule, x):
    claimed = rule(x)
    for index in np.ndindex(x.shape):
        up, down = x.copy(), x.copy()  # hole: measure the slope of f by nudging x[index]
        up[index] += 1e-6  # hole
        down[index] -= 1e-6  # hole
        slope = (f(up) - f(down)) / 2e-6  # hole
        wrong = not np.isclose(claimed[index], slope, 1e-5, 1e-7)  # hole: wrong = do they differ?
        if wrong:
            return False
    return True
