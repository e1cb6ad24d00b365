"""1a  Slopes from both sides.

`f` takes a list of numbers and returns a number. Return the list of its slopes at `p`, one for each
number in `p`, each measured with a nudge up and a nudge down by `h`. Leave `p` as it is.
"""


def slopes(f, p, h=1e-6):
    found = []
    for i in range(len(p)):
        up, down = list(p), list(p)  # two copies
        up[i] += h  # hole: nudge the number i in both copies
        down[i] -= h  # hole
        found.append((f(up) - f(down)) / (2 * h))  # hole: append the slope to found
    return found
