"""Tensor behaves as an array does: operators, methods, and NumPy's own functions.

Everything is bound from tables, by name: `t + u`, `t.sum()` and `np.exp(t)` call the rows of the
other files. A NumPy function without a row raises; it never returns a silent constant.
"""

import numpy as np

from ..autograd import Tensor
from . import activation, elementwise, linalg, reduction, selection, shaping

# fmt: off  (tables)

# ---- np.f(tensor) calls the row of the same name -------------------------------------------------

ROWS = {
    elementwise: "add subtract multiply divide negative power square reciprocal sqrt exp expm1 log "
    "log1p log2 log10 logaddexp sin cos tan arcsin arccos arctan arctan2 sinh cosh "
    "tanh absolute maximum minimum clip where sign floor ceil round",
    reduction: "sum mean var std max min prod cumsum",
    shaping: "reshape transpose broadcast_to flip pad diagonal concatenate stack split repeat "
    "tile roll swapaxes moveaxis expand_dims squeeze",
    selection: "take take_along_axis sort triu tril",
    linalg: "matmul einsum dot inner outer tensordot",
}

# ---- np.f(tensor) has no gradient and returns what NumPy returns ---------------------------------

CONSTANTS = (
    "equal not_equal less less_equal greater greater_equal logical_and logical_or logical_not "
    "isfinite isnan isinf argmax argmin argsort any all allclose array_equal isclose zeros_like "
    "ones_like empty_like full_like shape ndim size result_type may_share_memory shares_memory"
)

# ---- operators and methods -----------------------------------------------------------------------

OPERATORS = {
    "add": elementwise.add,
    "sub": elementwise.subtract,
    "mul": elementwise.multiply,
    "truediv": elementwise.divide,
    "pow": elementwise.power,
    "matmul": linalg.matmul,
}
COMPARISONS = {
    "lt": "less",
    "le": "less_equal",
    "gt": "greater",
    "ge": "greater_equal",
    "eq": "equal",
    "ne": "not_equal",
}
METHODS = {
    elementwise: "exp log sqrt tanh clip round",
    reduction: "sum mean var std max min prod cumsum",
    shaping: "astype repeat squeeze swapaxes diagonal",
    selection: "take",
    linalg: "dot",
    activation: "relu sigmoid softmax",
}
# fmt: on

FUNCTIONS = {
    getattr(np, name): getattr(room, name) for room, names in ROWS.items() for name in names.split()
}
FUNCTIONS[np.linalg.norm] = reduction.norm
PLAIN = {getattr(np, name) for name in CONSTANTS.split()}
REFUSED = {"out", "where", "dtype", "casting", "order", "subok", "initial", "signature"}


def _call(function, args, keywords):
    """Run a NumPy function on Tensors: its row, or its value where there is no gradient."""
    name = function.__name__
    if function in PLAIN:
        return function(*_plain(args), **_plain(keywords))
    if function not in FUNCTIONS:
        raise TypeError(
            f"np.{name} of a Tensor has no gradient rule: use a function that minigrad has, "
            "or say .detach().numpy() if a constant is meant."
        )
    if refused := REFUSED & set(keywords):
        options = ", ".join(f"{option}=" for option in sorted(refused))
        raise TypeError(f"np.{name} of a Tensor does not take {options}: use .astype or mg.where.")
    return FUNCTIONS[function](*args, **keywords)


def _plain(x):
    """The arrays in place of the Tensors, also inside lists, tuples and dicts."""
    if isinstance(x, Tensor):
        return x.data
    if isinstance(x, list | tuple):
        return type(x)(map(_plain, x))
    return {key: _plain(value) for key, value in x.items()} if isinstance(x, dict) else x


def _operand(tensor, other):
    """Lists take the tensor's dtype, as a number does; what is no number is refused."""
    if isinstance(other, list | tuple):
        return np.asarray(_plain(other), tensor.dtype)
    if isinstance(other, np.generic | bool):
        return other
    raise TypeError(f"a Tensor does not go together with {type(other).__name__} {other!r}.")


_QUICK = Tensor, np.ndarray, float, int


def _bind_operator(name, row):
    def forward(self, other):
        return row(self, other if isinstance(other, _QUICK) else _operand(self, other))

    def reflected(self, other):
        return row(other if isinstance(other, _QUICK) else _operand(self, other), self)

    def in_place(self, other):
        if self.requires_grad and self._node is None:
            raise TypeError(
                "a leaf that requires a gradient is not changed in place: to update a parameter, "
                "write p.data -= lr * p.grad; for a new tensor, write t = t + u."
            )
        return forward(self, other)

    for prefix, function in (("", forward), ("r", reflected), ("i", in_place)):
        setattr(Tensor, f"__{prefix}{name}__", function)


def _bind_comparison(name, ufunc):
    setattr(Tensor, f"__{name}__", lambda self, other: ufunc(self.data, _plain(other)))


def _bind_method(name, function):
    def method(self, *args, **keywords):
        return function(self, *args, **keywords)

    method.__doc__, method.__name__ = function.__doc__, name
    setattr(Tensor, name, method)


def _constant(self):
    """The array of a tensor, where that loses no gradient without a word."""
    if self.requires_grad:
        raise TypeError(
            "this would make a constant of a tensor that requires a gradient: "
            "say .detach() first if that is meant, or .item() for a number."
        )
    return self.data


def _ufunc(self, ufunc, method, *inputs, **keywords):
    if method != "__call__":
        raise TypeError(f"np.{ufunc.__name__}.{method} of a Tensor has no gradient rule.")
    return _call(ufunc, inputs, keywords)


def _refuse_write(self, index, value):
    raise TypeError(
        "t[i] = v would change what the graph has already used: build a new tensor with mg.where "
        "or mg.concatenate, or write t.data[i] = v on a leaf."
    )


def _repr(self):
    values = np.array2string(self.data, separator=", ", prefix="Tensor(", threshold=50)
    grad = ", requires_grad=True" if self.requires_grad else ""
    label = f", name={self.name!r}" if self.name else ""
    return f"Tensor({values}, {self.dtype}{grad}{label})"


def _sizes(args):
    """reshape(2, 3) and reshape((2, 3)) mean the same."""
    return args[0] if len(args) == 1 and isinstance(args[0], list | tuple) else args


SPECIAL = {
    "__array_ufunc__": _ufunc,
    "__array_function__": lambda self, function, types, args, kwargs: _call(function, args, kwargs),
    "__array__": lambda self, dtype=None, copy=None: np.array(_constant(self), dtype, copy=copy),
    "__neg__": lambda self: elementwise.negative(self),
    "__pos__": lambda self: self,
    "__abs__": lambda self: elementwise.absolute(self),
    "__getitem__": lambda self, index: shaping.getitem(self, _plain(index)),
    "__setitem__": _refuse_write,
    "__len__": lambda self: len(self.data),
    "__iter__": lambda self: (self[i] for i in range(len(self))),
    "__contains__": lambda self, value: _plain(value) in self.data,
    "__bool__": lambda self: bool(self.data),
    "__float__": lambda self: float(_constant(self)),
    "__int__": lambda self: int(_constant(self)),
    "__index__": lambda self: self.data.__index__(),
    "__hash__": object.__hash__,
    "__repr__": _repr,
    "__format__": lambda self, spec: format(self.item(), spec) if spec else repr(self),
    "ndim": property(lambda self: self.data.ndim),
    "size": property(lambda self: self.data.size),
    "T": property(lambda self: shaping.transpose(self), doc="The axes in reversed order."),
    "item": lambda self: self.data.item(),
    "numpy": _constant,
    "detach": lambda self: Tensor(self.data, name=self.name),
    "retain_grad": lambda self: setattr(self, "_retains", True),
    "reshape": lambda self, *shape: shaping.reshape(self, _sizes(shape)),
    "transpose": lambda self, *axes: shaping.transpose(self, _sizes(axes) or None),
    "flatten": lambda self: shaping.reshape(self, (-1,)),
    "argmax": lambda self, axis=None: self.data.argmax(axis),
    "argmin": lambda self, axis=None: self.data.argmin(axis),
}

for _name, _row in OPERATORS.items():
    _bind_operator(_name, _row)
for _name, _ufunc_name in COMPARISONS.items():
    _bind_comparison(_name, getattr(np, _ufunc_name))
for _room, _names in METHODS.items():
    for _name in _names.split():
        _bind_method(_name, getattr(_room, _name))
for _name, _function in SPECIAL.items():
    setattr(Tensor, _name, _function)
