"""Export: a model is run twice, and what its rows did becomes a graph of ONNX.

The second run has other data and one more batch size. What differs between the runs follows the
batch, or else it depends on the data in a way that no row has seen, and is refused.
"""

import numpy as np

from ..autograd import registry
from ..evaluation import check_model
from ..files import path_of, replacing
from ..ops.shaping import plain
from .operators import IR_VERSION, OPERATORS, OPSET, WITHOUT
from .trace import trace
from .values import Batch, Refused, Value, Writer

MISSING = "mg.onnx.export needs the package onnx: pip install 'minigrad-numpy[onnx]'"


def export(model, path, example):
    """Write a model as an ONNX file, which other programs run, such as onnxruntime.

    The model is run twice in evaluation mode, on the example and on a batch of another size with
    other values, and each row of the table that leads to the output becomes operators of ONNX. The
    file has one input, "input", and one output, "output"; its batch may have any size, "N". Weights
    keep the names they have in `state_dict`.

    Parameters
    ----------
    model : Module
        Whose forward takes one array and returns one Tensor.
    path : str or Path
        Ends with ".onnx". A file that is there is replaced, once the new one is complete.
    example : array (N, ...)
        One batch, as the model gets it: floats, or integers such as the codes of letters. Integers
        of the second batch are drawn from the range of these.

    Raises
    ------
    ImportError
        If the package onnx is not installed.
    ValueError
        If a row has no operator of ONNX, which is named with the line that called it; if the two
        runs call different rows; or if a row gets an array that no row made and that is another one
        in the second run, such as a mask from a comparison, the result of argsort, or a draw.
    TypeError
        If the model is no Module, if it returns anything but one Tensor, or if the example is no
        array of numbers.

    Examples
    --------
    >>> import minigrad as mg
    >>> model = mg.nn.Sequential(mg.nn.Dense(4, 8), mg.nn.ReLU(), mg.nn.Dense(8, 3))
    >>> mg.onnx.export(model, "model.onnx", np.zeros((2, 4), np.float32))  # doctest: +SKIP
    """
    try:
        import onnx
    except ImportError as error:
        raise ImportError(MISSING) from error
    check_model("mg.onnx.export", model)
    path = path_of("mg.onnx.export", path)
    if path.suffix != ".onnx":
        raise ValueError(
            f"mg.onnx.export writes files that end with .onnx, got {str(path)!r}: other programs "
            f"know them by that. Take {path.stem + '.onnx'!r}."
        )
    first, second = _batches(model, example)
    writer, output = _Conversion(model, trace(model, first), trace(model, second)).graph()
    proto = _model_proto(onnx, type(model).__name__, writer, output)
    onnx.checker.check_model(proto, full_check=True)
    with replacing(path) as file:
        file.write(proto.SerializeToString())


# ---- two batches ---------------------------------------------------------------------------------


def _batches(model, example):
    """The example, of two rows or more, and another batch of another size with other values."""
    if not isinstance(example, np.ndarray):
        raise TypeError(
            "mg.onnx.export expects an example, an array of one batch as the model gets it, got "
            f"{type(example).__name__}: a Tensor has one as .data, np.array makes one of a list."
        )
    if example.dtype.kind not in "biuf":
        raise TypeError(f"mg.onnx.export expects an example of numbers, got {example.dtype}.")
    if example.size == 0 or example.ndim == 0:
        raise ValueError(
            "mg.onnx.export expects an example of one batch, (N, ...), with a number in it, got "
            f"shape {example.shape}: x[:2] are the first two of many."
        )
    if example.dtype.kind == "f":  # as a call of the model does
        dtypes = (p.dtype for p in model.parameters())
        example = example.astype(next(dtypes, example.dtype), copy=False)
    several = len(example) > 1
    first = example.copy() if several else np.repeat(example, 2, axis=0)
    rng = np.random.default_rng(0)
    shape = (len(first) + 3, *first.shape[1:])
    low = example.min(axis=0) if several else example.min()  # columns may mean different things
    high = example.max(axis=0) if several else example.max()
    if example.dtype.kind == "b":
        return first, rng.integers(0, 2, shape).astype(bool)
    if example.dtype.kind in "iu":
        return first, rng.integers(low, high, shape, example.dtype, endpoint=True)
    width = np.where(high > low, high - low, 1)  # an example of zeros alone is no reason to repeat
    return first, (low + width * rng.random(shape)).astype(example.dtype)


# ---- two runs, one graph -------------------------------------------------------------------------


class _Conversion:
    """Two traces of a model, taken together call by call."""

    def __init__(self, model, first, second):
        self.first = first
        self.second = second
        self.sizes = len(first.input), len(second.input)
        names = {}
        for name, array in model.named_arrays():
            names.setdefault(id(array), name)  # what is shared has its first name
        self.writer = Writer(names)
        self.values = {}, {}  # what the input and the rows have made, by id, in each of the runs

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
        except Refused as reason:
            raise ValueError(f"mg.onnx.export cannot export the output: {reason}") from None
        shape = self.sizes_of(self.first.output, self.second.output)
        name = self.writer.unused("output")
        self.writer.node("Identity", [value], {}, name)
        return self.writer, Value(self.writer, value.dtype, shape, name)

    def check_rows(self):
        """Raise unless both runs call the same rows."""
        calls = [*self.first.calls], [*self.second.calls]
        for one, other in zip(*calls, strict=False):
            if _form(one) != _form(other):
                break
        else:
            if len(calls[0]) == len(calls[1]):
                return
            longer = max(calls, key=len)
            one = other = longer[min(map(len, calls))]
        raise ValueError(
            f"mg.onnx.export got other rows for a batch of {self.sizes[1]} with other values than "
            f"for the example: {one.row.name}{one.place}; {other.row.name}{other.place}. The file "
            "has one order of operators for all batches: where the data decides, use mg.where."
        )

    def translated(self, one, other):
        """The value that the entry of a row makes of its inputs and options."""
        name = one.row.name
        try:
            entry = OPERATORS.get(name)
            if entry is None or registry.get(name, one.row) is not one.row:
                why = WITHOUT.get(name, "it has no entry in the table of minigrad/onnx.")
                raise Refused(why if entry is None else "it is another row than minigrad's.")
            inputs = [
                self.merged(a, b, f"argument {i}")
                for i, (a, b) in enumerate(zip(one.values, other.values, strict=True))
            ]
            options = {
                key: self.merged(value, other.keywords[key], f"{key}=")
                for key, value in one.keywords.items()
            }
            shape = self.sizes_of(one.result, other.result)
            y = Value(self.writer, one.result.dtype, shape)
            made = entry(y, *inputs, **options)
            return Value(self.writer, y.dtype, shape, made.name, made.array)
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
        """Two numbers as one, or as a multiple of the size of the batch; None if they are neither."""
        if a == b or (a != a and b != b):  # NaN
            return a
        n, m = self.sizes
        return Batch(int(a // n)) if a % n == 0 and a * m == b * n else None

    def merged(self, a, b, where):
        """What a row got in both runs, as one."""
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
        if isinstance(a, int | float | np.integer | np.floating) and not isinstance(a, bool):
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
        """The value of two arrays that the same row made, or of a constant."""
        value = self.values[0].get(id(a))
        if value is not None and value is self.values[1].get(id(b)):
            return value
        if value is None and _equal(a, b):
            return self.writer.constant(a)
        raise Refused(
            f"{where} an array, {a.dtype} {a.shape}, that no row made and that another batch "
            "changes. It may be a mask from a comparison, the result of argsort, a random draw, or "
            "what NumPy made of .data: make it of Tensors by operations of minigrad, or of nothing "
            "that the batch changes, in a shape that broadcasts."
        )


def _form(call):
    """What two calls must have in common."""
    return call.row.name, len(call.values), call.keywords.keys(), call.result.ndim


def _equal(a, b):
    """Whether two arrays are one constant."""
    if not isinstance(b, np.ndarray) or a.dtype != b.dtype or a.shape != b.shape:
        return False
    return a is b or np.array_equal(a, b, equal_nan=a.dtype.kind == "f")


# ---- the file ------------------------------------------------------------------------------------


def _model_proto(onnx, name, writer, output):
    """The graph in the form of the package onnx."""
    helper = onnx.helper

    def described(value):
        kind = helper.np_dtype_to_tensor_dtype(value.dtype)
        sizes = [_named_size(n) for n in value.shape]
        return helper.make_tensor_value_info(value.name, kind, sizes)

    nodes = []
    for operator, inputs, made, attributes in writer.nodes:
        for key, value in attributes.items():
            if isinstance(value, np.dtype):
                attributes[key] = helper.np_dtype_to_tensor_dtype(value)
        nodes.append(helper.make_node(operator, inputs, [made], name=made, **attributes))
    arrays = [
        onnx.numpy_helper.from_array(np.asarray(array, order="C"), name)
        for name, array in writer.initializers.items()
    ]
    graph = helper.make_graph(
        nodes, name, [described(writer.input)], [described(output)], initializer=arrays
    )
    opset = [helper.make_opsetid("", OPSET)]
    return helper.make_model(
        graph, opset_imports=opset, ir_version=IR_VERSION, producer_name="minigrad"
    )


def _named_size(n):
    """A size of an axis as ONNX has it: a number, a name, or None."""
    if isinstance(n, Batch):
        return "N" if n.times == 1 else f"{n.times}*N"
    return n
