"""Two runs of a model, taken together call by call, become one graph.

The runs have other data and other sizes of the batch. An integer that differs follows the size of
the batch; an array that differs, and that no row made, depends on the data in a way that no row has
seen: it is refused.
"""

from itertools import zip_longest
from numbers import Real

import numpy as np

from ..autograd import registry
from ..ops.shaping import plain
from .operators import OPERATORS, WITHOUT
from .values import Batch, Refused, Value, Writer


def converted(model, first, second):
    """The writer of the graph that two traces have in common, and the value of its output.

    Raises
    ------
    ValueError
        If a call of a row cannot be exported, or if the two runs call different rows.
    """
    return _Conversion(model, first, second).graph()


class _Conversion:
    """What both traces stand for: `values` of arrays by id, for each of the two."""

    def __init__(self, model, first, second):
        self.first = first
        self.second = second
        self.sizes = len(first.input), len(second.input)
        names = {}
        for name, array in model.named_arrays():
            names.setdefault(id(array), name)  # what is shared has its first name
        self.writer = Writer(names)
        self.values = {}, {}  # of the input, and of what the rows have made

    def graph(self):
        """The writer, and the value of the output."""
        self.check_rows()
        shape = self.sizes_of(self.first.input, self.second.input)
        name = self.writer.unused("input")
        value = Value(self.writer, self.first.input.dtype, shape, name)
        self.writer.input = value
        self.keep(self.first.input, self.second.input, value)
        for one, other in zip(self.first.calls, self.second.calls, strict=True):
            self.keep(one.result, other.result, self.translated(one, other))
        try:
            value = self.array(self.first.output, self.second.output)
            if isinstance(value, np.ndarray):
                value = self.writer.constant(value)
        except Refused as reason:
            raise ValueError(f"mg.onnx.export cannot export the output: {reason}") from None
        shape = self.sizes_of(self.first.output, self.second.output)
        name = self.writer.unused("output")
        self.writer.node("Identity", [value], {}, name)
        return self.writer, Value(self.writer, value.dtype, shape, name)

    def check_rows(self):
        """Raise unless both runs call the same rows."""
        for one, other in zip_longest(self.first.calls, self.second.calls):
            if _form(one) != _form(other):
                raise ValueError(
                    f"mg.onnx.export got {_told(other)} for a batch of {self.sizes[1]} with other "
                    f"values, where it got {_told(one)} for the example. The file has one order of "
                    "operators for all batches: where the data decides, use mg.where."
                )

    def translated(self, one, other):
        """The value that the entry of a row makes of its inputs and options."""
        name = one.row.name
        try:
            entry = OPERATORS.get(name)
            if entry is None or registry.get(name, one.row) is not one.row:
                why = WITHOUT.get(name, "it has no entry in the table of minigrad/onnx.")
                raise Refused(why if entry is None else "it is another row than minigrad's.")
            inputs = []
            for i, (a, b) in enumerate(zip(one.values, other.values, strict=True)):
                x = self.merged(a, b, f"argument {i}")
                is_input = one.row.rule(i) and isinstance(x, np.ndarray)
                inputs.append(self.writer.constant(x) if is_input else x)
            options = {
                key: self.merged(value, other.keywords[key], f"{key}=")
                for key, value in one.keywords.items()
            }
            shape = self.sizes_of(one.result, other.result)
            y = Value(self.writer, one.result.dtype, shape)
            made = entry(y, *inputs, **options)
            made.shape = shape
            return made
        except Refused as reason:
            raise ValueError(f"mg.onnx.export cannot export {name}{one.place}: {reason}") from None

    # ---- what both runs have: values, constants, numbers that follow the batch -------------------

    def keep(self, one, other, value):
        """Both arrays stand for this value."""
        self.values[0][id(one)] = value
        self.values[1][id(other)] = value

    def sizes_of(self, one, other):
        """The shape of two arrays, with `Batch` for what follows the batch, None for what else."""
        return tuple(self.followed(n, m) for n, m in zip(one.shape, other.shape, strict=True))

    def followed(self, a, b):
        """Two numbers as one, or as a multiple of the batch's size; None if they are neither."""
        if a == b or (a != a and b != b):  # NaN
            return a
        n, m = self.sizes
        return Batch(int(a // n)) if a % n == 0 and a * m == b * n else None

    def merged(self, a, b, where):
        """What a row got in both runs, as one: a Value for what a row has made."""
        a, b = plain(a), plain(b)
        if isinstance(a, np.ndarray):
            return self.array(a, b, f"its {where} is")
        if type(a) is not type(b):
            raise Refused(f"its {where} is {a!r:.60} for one batch, {b!r:.60} for another.")
        if isinstance(a, list | tuple) and len(a) == len(b):
            return type(a)([self.merged(*pair, where) for pair in zip(a, b, strict=True)])
        if isinstance(a, slice):
            bounds = zip((a.start, a.stop, a.step), (b.start, b.stop, b.step), strict=True)
            return slice(*[self.merged(*pair, where) for pair in bounds])
        if isinstance(a, Real) and not isinstance(a, bool):
            number = self.followed(a, b)
            if number is not None:
                return number
        elif a == b:
            return a
        raise Refused(
            f"its {where} is {a!r:.60} for the example, {b!r:.60} for a batch of {self.sizes[1]} "
            "with other values. A number may follow the size of the batch as a multiple of it."
        )

    def array(self, a, b, where="it is"):
        """The Value of two arrays that the same row made, or the constant that both are."""
        value = self.values[0].get(id(a))
        if value is not None and value is self.values[1].get(id(b)):
            return value
        if value is None and _equal(a, b):
            return a
        raise Refused(
            f"{where} an array, {a.dtype} {a.shape}, that no row made and that another batch "
            "changes. It may be a mask from a comparison, the result of argsort, a random draw, "
            "zeros in the size of the batch, or what NumPy made of .data: make it of Tensors by "
            "operations of minigrad (zeros by x * 0), or in a shape that broadcasts."
        )


def _form(call):
    """What two calls must have in common."""
    if call is None:  # one run has ended before the other
        return None
    return call.row.name, len(call.values), call.keywords.keys(), call.result.ndim


def _told(call):
    return "the end" if call is None else call.row.name + call.place


def _equal(a, b):
    """Whether two arrays are one constant."""
    if not isinstance(b, np.ndarray) or a.dtype != b.dtype:
        return False
    return np.array_equal(a, b, equal_nan=a.dtype.kind == "f")
