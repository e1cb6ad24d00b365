"""The graph that is being written: values by name, the operators between them, constants.

An entry of the table in operators.py gets Values and makes new ones: `x.op("Exp")`, `a + b`.
"""

from dataclasses import dataclass

import numpy as np

INT64, BOOL = np.dtype(np.int64), np.dtype(bool)


class Refused(Exception):
    """Why a call of a row cannot be exported; `export` adds which row it was, and where."""


@dataclass(frozen=True)
class Batch:
    """An integer that follows the size of the batch: `times` N."""

    times: int


class Value:
    """An array of the graph.

    Attributes
    ----------
    writer : Writer
    dtype : numpy.dtype
    shape : tuple
        Of integers, of `Batch` where a size follows that of the batch, and of None where it does so
        in another way. None alone for what an entry makes on the way and asks no shape of.
    name : str or None
        None before the first use of a constant, which gives it one.
    array : array or None
        Of a constant, what it holds.
    """

    def __init__(self, writer, dtype, shape=None, name=None, array=None):
        self.writer = writer
        self.dtype = np.dtype(dtype)
        if self.dtype.kind not in "biuf" or self.dtype.itemsize > 8:
            raise Refused(f"ONNX has no arrays of {self.dtype}.")
        self.shape = shape
        self.name = name
        self.array = array

    @property
    def ndim(self):
        return len(self.shape)

    def op(self, operator, *others, dtype=None, **attributes):
        """What an operator of ONNX makes of this value and the others.

        Numbers among the others become constants of this dtype, None an input that is left out.
        Without `dtype`, the result is of this dtype too.
        """
        inputs = [self]
        for x in others:
            inputs.append(x if x is None or isinstance(x, Value) else self.like(x))
        name = self.writer.node(operator, inputs, attributes)
        return Value(self.writer, dtype or self.dtype, name=name)

    def like(self, x):
        """`x`, a Value or a number, in this dtype."""
        if isinstance(x, Batch):
            x = self.writer.size(x).op("Squeeze", self.writer.ints([0]))
        if not isinstance(x, Value):
            return self.writer.constant(np.asarray(x, self.dtype))
        return x.cast(self.dtype)

    def cast(self, dtype):
        """This value in a dtype."""
        if self.dtype == dtype:
            return self
        y = self.op("Cast", to=np.dtype(dtype), dtype=dtype)
        y.shape = self.shape
        return y

    def reshaped(self, shape):
        """This value in a shape; one size that is no integer follows from the others."""
        sizes = list(shape)
        following = [n for n in shape if not isinstance(n, int)]
        if len(following) == 1 and 0 not in shape:
            sizes = [n if isinstance(n, int) else -1 for n in shape]
        options = {"allowzero": 1} if 0 in shape else {}  # else 0 means: as it was
        y = self.op("Reshape", self.writer.ints(sizes), **options)
        y.shape = tuple(shape)
        return y

    def transposed(self, axes):
        """This value with its axes in this order."""
        if list(axes) == sorted(axes):
            return self
        y = self.op("Transpose", perm=list(axes))
        if self.shape is not None:
            y.shape = tuple(self.shape[axis] for axis in axes)
        return y

    def __add__(self, other):
        return self.op("Add", other)

    def __sub__(self, other):
        return self.op("Sub", other)

    def __mul__(self, other):
        return self.op("Mul", other)

    def __truediv__(self, other):
        return self.op("Div", other)

    def __neg__(self):
        return self.op("Neg")

    def __lt__(self, other):
        return self.op("Less", other, dtype=BOOL)

    def where(self, a, b):
        """`a` where this value, of Booleans, is True, else `b`; one of them is a Value."""
        kind = a if isinstance(a, Value) else b
        return self.op("Where", kind.like(a), kind.like(b), dtype=kind.dtype)


class Writer:
    """Nodes and initializers, in the order in which they are needed.

    Attributes
    ----------
    nodes : list of (operator, names of inputs, name of the output, attributes)
    initializers : dict of str to array
        The constants that some node reads.
    rows : dict of str to str
        For the output of each node the row that made it, and where that was called.
    """

    def __init__(self, names, largest):
        self.nodes = []
        self.initializers = {}
        self.names = names  # of the model's own arrays, by id
        self.taken = set(names.values())
        self.constants = {}  # by what they hold
        self.batch_size = None  # a Value, once it is needed
        self.largest = largest  # size of the batches that were run
        self.rows = {}
        self.row = "the output"  # that is being written
        self.input = None

    def unused(self, name):
        """The name, or the name and underscores if it is taken, from now on taken itself."""
        while name in self.taken:
            name += "_"
        self.taken.add(name)
        return name

    def node(self, operator, inputs, attributes, name=None):
        """Write an operator; returns the name of its output."""
        names = ["" if x is None else self.named(x) for x in inputs]
        while names[-1] == "":  # inputs that are left out at the end
            names.pop()
        output = name or self.unused(f"{operator}_{len(self.nodes)}")
        self.nodes.append((operator, names, output, attributes))
        self.rows[output] = self.row
        return output

    def named(self, value):
        """The name of a value; a constant gets one, and its place in the file, at its first use."""
        if value.array is not None and value.name not in self.initializers:
            if value.name is None:
                value.name = self.unused(f"constant_{len(self.initializers)}")
            self.initializers[value.name] = value.array
        return value.name

    def constant(self, array):
        """An array as a Value: by its own name where it is one of the model's."""
        array = np.asarray(array)
        name = self.names.get(id(array))
        whole = array.base
        if id(whole) in self.names and np.array_equal(whole.reshape(-1), array.reshape(-1)):
            return self.constant(whole).reshaped(array.shape)  # another view of the same numbers
        key = name or (array.dtype.str, array.shape, array.tobytes())
        if key not in self.constants:
            self.constants[key] = Value(self, array.dtype, array.shape, name, array)
        return self.constants[key]

    def ints(self, numbers):
        """Integers, some of which may follow the batch, as a Value of one axis."""
        if None in numbers:
            raise Refused("a size follows that of the batch, but is no multiple of it.")
        if not any(isinstance(n, Batch) for n in numbers):
            return self.constant(np.array(numbers, INT64))
        parts = [self.size(n) if isinstance(n, Batch) else self.ints([n]) for n in numbers]
        return parts[0].op("Concat", *parts[1:], axis=0)

    def size(self, batch):
        """A multiple of the size of the batch, as a Value of one element."""
        if self.batch_size is None:
            self.batch_size = self.input.op("Shape", start=0, end=1, dtype=INT64)
        if batch.times == 1:
            return self.batch_size
        return self.batch_size * self.ints([batch.times])
