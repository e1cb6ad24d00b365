"""Wrong answers to 10b, written without a look at its check."""

from exercises import zoo


def all_the_same():
    return dict.fromkeys(range(1, 11), "rate too small")


def two_neighbors_exchanged():
    names = {number: zoo.chart(number) for number in range(1, 11)}
    names[8], names[9] = names[9], names[8]
    return names


def one_missing():
    names = {number: zoo.chart(number) for number in range(1, 11)}
    del names[7]
    return names


def counted_from_zero():
    return {number - 1: zoo.chart(number) for number in range(1, 11)}


def a_list():
    return [zoo.chart(number) for number in range(1, 11)]
