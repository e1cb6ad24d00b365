"""Wrong answers to 2c, written without a look at its check."""


def preorder(parents, last):
    order = []

    def enter(name):
        if name not in order:
            order.append(name)
            for parent in parents[name]:
                enter(parent)

    enter(last)
    return order


def duplicates(parents, last):
    order = []

    def enter(name):
        for parent in parents[name]:
            enter(parent)
        order.append(name)

    enter(last)
    return order[::-1]


def not_reversed(parents, last):
    order = []

    def enter(name):
        if name not in order:
            for parent in parents[name]:
                enter(parent)
            order.append(name)

    enter(last)
    return order


def only_the_parents(parents, last):
    return [last, *dict.fromkeys(parents[last])]


def all_there_are(parents, last):
    order = []

    def enter(name):
        if name not in order:
            for parent in parents[name]:
                enter(parent)
            order.append(name)

    for name in parents:
        enter(name)
    return order[::-1]
