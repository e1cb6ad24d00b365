"""2c  The order of the walk.

`parents` says for each name which names it was computed from: for y = p + a, p = a * b it is
{"y": ["p", "a"], "p": ["a", "b"], "a": [], "b": []}. Return the list of the names in the order in
which backward visits them from `last`: each once, and after every name that was computed from it.
"""


def walk_order(parents, last):
    order = []

    def enter(name):
        if name not in order:  # hole: enter the name and all that it was computed from into order
            for parent in parents[name]:  # hole
                enter(parent)  # hole
            order.append(name)  # hole

    enter(last)
    return order[::-1]  # hole: return the order of the walk
