"""Wrong answers to 1a, written without a look at its check."""


def divided_by_h(f, p, h=1e-6):
    found = []
    for i in range(len(p)):
        up, down = list(p), list(p)
        up[i] += h
        down[i] -= h
        found.append((f(up) - f(down)) / h)
    return found


def one_side(f, p, h=1e-6):
    found = []
    for i in range(len(p)):
        up = list(p)
        up[i] += h
        found.append((f(up) - f(p)) / h)
    return found


def wrong_sign(f, p, h=1e-6):
    found = []
    for i in range(len(p)):
        up, down = list(p), list(p)
        up[i] += h
        down[i] -= h
        found.append((f(down) - f(up)) / (2 * h))
    return found


def nudges_stay(f, p, h=1e-6):
    found = []
    for i in range(len(p)):
        up, down = p, list(p)
        up[i] += h
        down[i] -= h
        found.append((f(up) - f(down)) / (2 * h))
    return found


def all_nudged_at_once(f, p, h=1e-6):
    found = []
    for _ in range(len(p)):
        up = [x + h for x in p]
        down = [x - h for x in p]
        found.append((f(up) - f(down)) / (2 * h))
    return found
