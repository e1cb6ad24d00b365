"""Several runs of a model, taken together call by call, become one graph.

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


def converted(model, traces):
    """The writer of the graph that all traces have in common, and the value of its output.

    Raises
    ------
    ValueError
        If a call of a row cannot be exported, or if the runs call different rows.
    """
    return _Conversion(model, traces).graph()


class _Conversion:
    """What the traces stand for: `values` of arrays by id, for each of them."""

    def __init__(self, model, traces):
        self.traces = traces
        self.sizes = [len(trace.input) for trace in traces]
        names = {}
        for name, array in model.named_arrays():
            names.setdefault(id(array), name)  # what is shared has its first name
        self.writer = Writer(names, max(self.sizes))
        self.values = [{} for _ in traces]  # of the input, and of what the rows have made

    def graph(self):
        """The writer, and the value of the output."""
        self.check_rows()
        inputs = [trace.input for trace in self.traces]
        name = self.writer.unused("input")
        value = Value(self.writer, inputs[0].dtype, self.shape_of(inputs), name)
        self.writer.input = value
        self.keep(inputs, value)
        for calls in zip(*[trace.calls for trace in self.traces], strict=True):
            self.keep([call.result for call in calls], self.translated(calls))
        outputs = [trace.output for trace in self.traces]
        try:
            value = self.array(outputs)
            if isinstance(value, np.ndarray):
                value = self.writer.constant(value)
        except Refused as reason:
            raise ValueError(f"mg.onnx.export cannot export the output: {reason}") from None
        name = self.writer.unused("output")
        self.writer.node("Identity", [value], {}, name)
        return self.writer, Value(self.writer, value.dtype, self.shape_of(outputs), name)

    def check_rows(self):
        """Raise unless all runs call the same rows."""
        example = self.traces[0]
        for trace in self.traces[1:]:
            for one, other in zip_longest(example.calls, trace.calls):
                if _form(one) != _form(other):
                    raise ValueError(
                        f"mg.onnx.export got {_told(other)} for a batch of {len(trace.input)} with "
                        f"other values, where it got {_told(one)} for the example. The file has "
                        "one order of operators for all batches: where the data decides, use "
                        "mg.where; mg.squeeze needs its axis, or it takes that of a batch of 1."
                    )

    def translated(self, calls):
        """The value that the entry of a row makes of its inputs and options."""
        one = calls[0]
        name = one.row.name
        self.writer.row = name + one.place
        try:
            entry = OPERATORS.get(name)
            if entry is None or registry.get(name, one.row) is not one.row:
                why = WITHOUT.get(name, "it has no entry in the table of minigrad/onnx.")
                raise Refused(why if entry is None else "it is another row than minigrad's.")
            inputs = []
            for i, values in enumerate(zip(*[call.values for call in calls], strict=True)):
                x = self.merged(values, f"argument {i}")
                is_input = one.row.rule(i) and isinstance(x, np.ndarray)
                inputs.append(self.writer.constant(x) if is_input else x)
            options = {
                key: self.merged([call.keywords[key] for call in calls], f"{key}=")
                for key in one.keywords
            }
            shape = self.shape_of([call.result for call in calls])
            y = Value(self.writer, one.result.dtype, shape)
            try:
                made = entry(y, *inputs, **options)
            except TypeError as error:  # of a Batch or a Value, in place of a number
                raise Refused(
                    f"an option follows the batch or depends on the data, {error}."
                ) from error
            made.shape = shape
            return made
        except Refused as reason:
            raise ValueError(f"mg.onnx.export cannot export {name}{one.place}: {reason}") from None

    # ---- what all runs have: values, constants, numbers that follow the batch --------------------

    def keep(self, arrays, value):
        """The arrays, one of each run, stand for this value."""
        for values, array in zip(self.values, arrays, strict=True):
            values[id(array)] = value

    def shape_of(self, arrays):
        """The shape of arrays, with `Batch` for what follows the batch, None for what else."""
        return tuple(map(self.followed, zip(*[array.shape for array in arrays], strict=True)))

    def followed(self, numbers):
        """Numbers as one, or as a multiple of the batch's size; None if they are neither."""
        first = numbers[0]
        if all(a == first or (a != a and first != first) for a in numbers):  # NaN
            return first
        times = first // self.sizes[0]
        return Batch(int(times)) if numbers == tuple(times * n for n in self.sizes) else None

    def merged(self, values, where):
        """What a row got in all runs, as one: a Value for what a row has made."""
        values = tuple(map(plain, values))
        a = values[0]
        if isinstance(a, np.ndarray):
            return self.array(values, f"its {where} is")
        if len({(type(b), len(b) if isinstance(b, list | tuple) else 0) for b in values}) == 1:
            if isinstance(a, list | tuple):
                return type(a)([self.merged(parts, where) for parts in zip(*values, strict=True)])
            if isinstance(a, slice):
                bounds = zip(*[(x.start, x.stop, x.step) for x in values], strict=True)
                return slice(*[self.merged(parts, where) for parts in bounds])
            number = self.followed(values) if isinstance(a, Real) else None
            if number is not None:
                return number
            if all(a == b for b in values):
                return a
        others = zip(self.sizes[1:], values[1:], strict=True)
        told = [f"{b!r:.60} for a batch of {n}" for n, b in others]
        raise Refused(
            f"its {where} is {a!r:.60} for the example, {', '.join(told)} with other values. "
            "A number may follow the size of the batch as a multiple of it."
        )

    def array(self, arrays, where="it is"):
        """The Value of arrays that the same row made, or the constant that all are."""
        a = arrays[0]
        first, *others = [
            values.get(id(array)) for values, array in zip(self.values, arrays, strict=True)
        ]
        if first is not None and all(value is first for value in others):
            return first
        if first is None and all(_equal(a, b) for b in arrays):
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
