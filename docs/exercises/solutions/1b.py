"""1b  A parabola's gradient.

The loss of the curve a * x * x + w * x + b is the mean of the squared errors over the points. Return
its slopes with respect to a, w and b, by the chain rule: no nudges.
"""


def parabola_slopes(a, w, b, xs, ys):
    slope_a = slope_w = slope_b = 0.0
    for x, y in zip(xs, ys):
        error = a * x * x + w * x + b - y
        slope = 2 * error / len(xs)  # hole: add this point's share to the three slopes
        slope_a += slope * x * x  # hole
        slope_w += slope * x  # hole
        slope_b += slope  # hole
    return slope_a, slope_w, slope_b
