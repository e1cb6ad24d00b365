"""9b  A split.

Hold back a share of the examples for validation: round(share * N) of them, drawn at random. `x` and
`y` are arrays of N examples and their labels, and may be sorted by label. rng.permutation(N) is 0
to N - 1 in random order.
"""


def split(x, y, share, rng):
    order = rng.permutation(len(x))  # hole: train, validation = the positions of both parts
    count = round(share * len(x))  # hole
    train, validation = order[count:], order[:count]  # hole
    return (x[train], y[train]), (x[validation], y[validation])
