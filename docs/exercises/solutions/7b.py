"""7b  Catch the bad rule.

`f` makes a number of an array `x`, and `rule(x)` is said to be its gradient, in the shape of `x`.
Return True if it agrees with nudges of every element, False if it does not. A rule that is wrong by
0.05 % in a single element must be caught; one that is right must pass, even where a slope is 0.
"""

import numpy as np


def agrees(f, rule, x, h=1e-6):
    claimed = rule(x)
    for index in np.ndindex(x.shape):
        up, down = x.copy(), x.copy()
        up[index] += h  # hole: nudge this element, and measure the slope
        down[index] -= h  # hole
        slope = (f(up) - f(down)) / (2 * h)  # hole
        if abs(claimed[index] - slope) > 1e-7 + 1e-5 * abs(slope):  # hole: return False if wrong
            return False  # hole
    return True
