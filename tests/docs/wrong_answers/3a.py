"""Wrong answers to 3a, written without a look at its check."""

from my_engine import tanh


def no_bias(weights, bias, inputs):
    if len(weights) != len(inputs):
        raise ValueError("lengths")
    total = 0.0
    for w, x in zip(weights, inputs):
        total = w * x + total
    return tanh(total)


def zip_cuts(weights, bias, inputs):
    total = bias
    for w, x in zip(weights, inputs):
        total = total + w * x
    return tanh(total)


def tanh_of_each(weights, bias, inputs):
    if len(weights) != len(inputs):
        raise ValueError("lengths")
    total = bias
    for w, x in zip(weights, inputs):
        total = total + tanh(w * x)
    return total


def bias_each_time(weights, bias, inputs):
    if len(weights) != len(inputs):
        raise ValueError("lengths")
    return tanh(sum(w * x + bias for w, x in zip(weights, inputs)))


def no_tanh(weights, bias, inputs):
    return sum((w * x for w, x in zip(weights, inputs, strict=True)), bias)


def of_the_data(weights, bias, inputs):
    total = bias
    for w, x in zip(weights, inputs, strict=True):
        total = total + w.data * getattr(x, "data", x)
    return tanh(total)
