"""3a  A neuron.

`weights` is a list of Values, `bias` a Value, and `inputs` a list of numbers or Values. Return tanh
of the sum of weight times input, plus the bias. If there are not as many inputs as weights, raise a
ValueError.
"""

from my_engine import tanh


def neuron(weights, bias, inputs):
    if len(weights) != len(inputs):  # hole: raise a ValueError, or return the neuron's answer
        raise ValueError(f"{len(weights)} weights, but {len(inputs)} inputs")  # hole
    total = bias  # hole
    for weight, x in zip(weights, inputs):  # hole
        total = total + weight * x  # hole
    return tanh(total)  # hole
