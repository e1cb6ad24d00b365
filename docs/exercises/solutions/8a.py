"""8a  Descent with momentum.

`slope(p)` is the gradient at p, an array. Take a step for each rate in `rates`. The velocity v is 0
at first; each step multiplies it by `momentum` and adds the slope, then moves p against v, by the
rate times v. Return the last p.
"""

import numpy as np


def descend(slope, p, rates, momentum):
    p = np.array(p, float)
    v = np.zeros_like(p)  # hole: before the loop
    for rate in rates:
        v = momentum * v + slope(p)  # hole: one step
        p = p - rate * v  # hole
    return p
