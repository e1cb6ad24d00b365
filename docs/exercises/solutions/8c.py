"""8c  Warm-up and cosine.

The learning rate of step t, for t = 0 ... total - 1. It rises by the same amount each step, from
top / warmup at t = 0 to `top` at t = warmup - 1. From there it falls along half a cosine, to
`floor` at t = total - 1: steep in the middle, level at both ends.
"""

import math


def rate(t, total, warmup, top, floor):
    if t < warmup:
        return top * (t + 1) / warmup  # hole: return the rate on the way up
    share = (t - warmup + 1) / (total - warmup)  # hole: share = of the way down, 0 to 1
    return floor + (top - floor) * (1 + math.cos(math.pi * share)) / 2  # hole: return the rate
