"""Wrong answers to 1b, written without a look at its check."""


def x_for_x_squared(a, w, b, xs, ys):
    g_a = g_w = g_b = 0.0
    for x, y in zip(xs, ys):
        r = a * x * x + w * x + b - y
        g_a += 2 * r * x / len(xs)
        g_w += 2 * r * x / len(xs)
        g_b += 2 * r / len(xs)
    return g_a, g_w, g_b


def sum_for_mean(a, w, b, xs, ys):
    g_a = g_w = g_b = 0.0
    for x, y in zip(xs, ys):
        r = a * x * x + w * x + b - y
        g_a += 2 * r * x * x
        g_w += 2 * r * x
        g_b += 2 * r
    return g_a, g_w, g_b


def forgets_2(a, w, b, xs, ys):
    n = len(xs)
    errors = [a * x**2 + w * x + b - y for x, y in zip(xs, ys)]
    g_a = sum(r * x**2 for r, x in zip(errors, xs)) / n
    g_w = sum(r * x for r, x in zip(errors, xs)) / n
    return g_a, g_w, sum(errors) / n


def only_the_last_point(a, w, b, xs, ys):
    for x, y in zip(xs, ys):
        r = a * x * x + w * x + b - y
        g_a = 2 * r * x * x / len(xs)
        g_w = 2 * r * x / len(xs)
        g_b = 2 * r / len(xs)
    return g_a, g_w, g_b
