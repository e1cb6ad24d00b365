"""A Tensor behaves like an array: operators, methods, and NumPy's own functions.

Everything is bound from tables, by name: `t + u`, `t.sum()` and `np.exp(t)` call the rows of the
other files. A NumPy function without a row raises; it never silently returns a constant.
"""

import copy
import inspect
from functools import cache, partial
from operator import attrgetter

import numpy as np

from ..autograd import Tensor, primitive
from . import activation, arranging, elementwise, hint, linalg, reduction, selection, shaping
from .einsum import cross, einsum, inner, kron, tensordot

# Tables are read down their columns.
# fmt: off

# ---- np.f(tensor) calls the row of the same name -------------------------------------------------

FUNCTIONS = {
    getattr(np, name): function
    for room in (elementwise, linalg, reduction, shaping, arranging, selection)
    for name, function in vars(room).items()
    if getattr(function, "__module__", "") == room.__name__ and hasattr(np, name)
}
FUNCTIONS |= {np.einsum: einsum, np.inner: inner, np.tensordot: tensordot,
              np.around: elementwise.round, np.amax: reduction.max, np.amin: reduction.min,
              np.radians: elementwise.deg2rad, np.degrees: elementwise.rad2deg,
              np.kron: kron, np.cross: cross, np.copy: shaping.copied,
              np.linalg.norm: reduction.norm, np.linalg.matmul: linalg.matmul,
              np.linalg.cross: cross, np.linalg.matrix_transpose: arranging.matrix_transpose}
REFUSED = {"out", "where", "dtype", "casting", "order", "subok", "initial", "signature", "copy",
           "device", "kind", "mean", "stable"}

# ---- np.f(tensor) has no gradient and returns what NumPy returns ---------------------------------

CONSTANTS = (
    "equal not_equal less less_equal greater greater_equal logical_and logical_or logical_not "
    "logical_xor isfinite isnan isinf isposinf isneginf isin signbit any all allclose array_equal "
    "array_equiv isclose argmax argmin nanargmax nanargmin argsort argpartition argwhere nonzero "
    "flatnonzero count_nonzero searchsorted digitize zeros_like ones_like empty_like full_like "
    "shape ndim size result_type may_share_memory shares_memory")
PLAIN = {getattr(np, name) for name in CONSTANTS.split()}

# ---- for a function without a row: what to use instead -------------------------------------------

INSTEAD = {
    "mg.concatenate or mg.stack": "block insert delete resize",
    "mg.where(np.isnan(x), 0, x)": "nansum nanmean nanmax nanmin nanstd nanvar nanprod",
    "mg.where": "select choose piecewise copyto putmask place put heaviside fill_diagonal",
    "mg.split or slices": "unstack", "mg.cumsum": "accumulate", "mg.moveaxis": "rollaxis",
    "x[mask]": "compress extract", "mg.einsum": "vdot vecdot matvec vecmat",
    "mg.diff": "ediff1d gradient", "(x * weights).sum()": "average",
    "mg.sort": "median percentile quantile partition", "mg.max and mg.min": "ptp",
    "mg.floor_divide and mg.remainder": "divmod modf fmod", "mg.floor": "trunc fix rint",
    "a[:, None] and an operator": "outer", "mg.power": "float_power",
    "mg.sum, mg.prod, mg.max or mg.min": "reduce", "mg.scatter": "at reduceat",
    "mg.conv1d": "convolve correlate", "x, which is real": "conjugate real imag",
}

# ---- for an attribute that a Tensor does not have: what to use instead ---------------------------

_OF_ARRAYS = [name for name in dir(np.ndarray) if name[0] != "_"]
ABSENT = {name: f"t.data.{name}, which has no gradient" for name in _OF_ARRAYS}
ABSENT |= {f.__name__: f"mg.{f.__name__}(t)" for f in FUNCTIONS.values()}
ABSENT |= {  # names of PyTorch
    "view": "t.reshape(...)", "permute": "t.transpose(...)", "unsqueeze": "mg.expand_dims(t, axis)",
    "expand": "mg.broadcast_to(t, shape)", "gather": "mg.take_along_axis(t, indices, axis)",
    "double": "t.astype(np.float64)", "float": "t.astype(np.float32)", "long": "t.astype(np.int64)",
    "requires_grad_": "Tensor(data, requires_grad=True)", "clamp": "t.clip(low, high)",
    "clone": "t.copy()", "dim": "t.ndim", "numel": "t.size", "mm": "t @ u", "t": "t.T",
    "to": "t.astype(dtype); there is one device", "cpu": "t; there is one device",
    "where": "mg.where(condition, t, other)", "einsum": "mg.einsum(subscripts, t)",
}

# ---- operators and methods -----------------------------------------------------------------------

OPERATORS = {"add": elementwise.add, "sub": elementwise.subtract, "mul": elementwise.multiply,
             "truediv": elementwise.divide, "pow": elementwise.power, "matmul": linalg.matmul,
             "mod": elementwise.remainder, "floordiv": elementwise.floor_divide}
METHODS = {  # those of the array, and the functions that networks are made of
    elementwise: "clip round abs exp log sqrt tanh", activation: "relu sigmoid softmax",
    reduction: "sum mean var std max min prod cumsum cumprod", linalg: "dot", selection: "take",
    shaping: "astype repeat squeeze swapaxes diagonal", arranging: "ravel trace"}
PLAIN_METHODS = (  # those of the array whose values are Boolean, indices, or Python's own
    "item tolist argmax argmin argsort argpartition nonzero searchsorted any all "
    "__lt__ __le__ __gt__ __ge__ __eq__ __ne__ __len__ __bool__ __contains__ __index__")
# fmt: on


def _call(function, args, keywords):
    """Run a NumPy function on Tensors: its row, or its value where there is no gradient."""
    if function in PLAIN:
        return function(*_arrays(args), **_arrays(_without(function, {"out"}, keywords)))
    if function not in FUNCTIONS:
        module = getattr(function, "__module__", None) or "numpy"
        raise _no_row(f"{module}.{function.__name__}".replace("numpy", "np"), function.__name__)
    args, keywords = _named(function, args, keywords)
    return FUNCTIONS[function](*args, **_without(function, REFUSED, keywords))


def _without(function, refused, keywords):
    """The keywords without the refused ones, which may only be None: that means left out."""
    given = [name for name in sorted(refused & keywords.keys()) if keywords[name] is not None]
    if given:
        options = ", ".join(f"{name}=" for name in given)
        raise TypeError(
            f"np.{function.__name__} of a Tensor does not take {options}: leave it out; "
            "use .astype for a dtype, mg.where or x[mask] for a part."
        )
    return {name: value for name, value in keywords.items() if name not in refused}


def _named(function, args, keywords):
    """`args` and `keywords`, the arguments from the first refused one on given by name.

    NumPy's functions have options, such as dtype, between those that rows have.
    """
    names = names_by_place(function)
    for i, name in enumerate(names[: len(args)]):
        if name in REFUSED:
            return args[:i], dict(zip(names[i:], args[i:], strict=False)) | keywords
    return args, keywords


@cache
def names_by_place(function):
    """The names of the arguments that may be given by place or by name; "" for place alone."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except ValueError:  # before NumPy 2.4, some have none
        return []
    by_place = [p for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    return ["" if p.kind is p.POSITIONAL_ONLY else p.name for p in by_place]


def _no_row(name, key):
    hints = [hint for hint, names in INSTEAD.items() if key in names.split()]
    instead = hints[0] if hints else "an operation of minigrad"
    return TypeError(
        f"{name} of a Tensor has no gradient rule: use {instead}, "
        "or .detach().numpy() if a constant is meant."
    )


def _ufunc(self, ufunc, method, *inputs, **keywords):
    if method != "__call__":
        raise _no_row(f"np.{ufunc.__name__}.{method}", method)
    return _call(ufunc, inputs, keywords)


def _arrays(x):
    """Arrays in place of Tensors, inside lists, tuples and dicts too."""
    if isinstance(x, list | tuple):
        return type(x)(map(_arrays, x))
    if isinstance(x, dict):
        return {key: _arrays(value) for key, value in x.items()}
    return x.data if isinstance(x, Tensor) else x


_QUICK = Tensor, np.ndarray, float, int


def _operand(tensor, other):
    """Lists take the dtype of a float tensor, as numbers do; anything but numbers is refused."""
    if isinstance(other, np.generic):
        return other
    if isinstance(other, list | tuple):
        return shaping.operands([tensor, other])[1]
    raise TypeError(
        f"a Tensor does not go together with {type(other).__name__} {other!r:.80}: np.array(...) "
        "makes an array of another library's tensor."
    )


def _bind_operator(name, row):
    def forward(self, other):
        return row(self, other if isinstance(other, _QUICK) else _operand(self, other))

    def reflected(self, other):
        return row(other if isinstance(other, _QUICK) else _operand(self, other), self)

    def in_place(self, other):
        if self.requires_grad and self.node is None:
            raise TypeError(
                "a leaf that requires a gradient cannot be changed in place: update a parameter "
                "with p.data -= lr * p.grad, or make a new tensor with t = t + u."
            )
        return forward(self, other)

    for prefix, function in (("", forward), ("r", reflected), ("i", in_place)):
        setattr(Tensor, f"__{prefix}{name}__", function)


def _bind_method(name, function, unwrap=lambda x: x):
    def method(self, *args, **keywords):
        return function(unwrap(self), *map(unwrap, args), **keywords)

    method.__doc__, method.__name__ = function.__doc__, name
    setattr(Tensor, name, method)


def _constant(self):
    """The array of a tensor; raises where that would silently lose a gradient."""
    if self.requires_grad:
        raise TypeError(
            "this would make a constant of a tensor that requires a gradient: call .detach() first "
            "if that is meant, or .item() for a number; mg.stack makes one tensor of several."
        )
    return self.data


def _refuse_write(self, index, value):
    raise TypeError(
        "t[i] = v would change what the graph has already used: build a new tensor with mg.where "
        "or mg.concatenate, or write t.data[i] = v on a leaf."
    )


def _state(self):
    """What copying and pickling keep: a leaf or a constant, never a graph."""
    if self.node is not None:
        raise TypeError(
            "a computed tensor cannot be copied or pickled: call .detach() first; "
            "t + 0 is a copy that keeps the gradient."
        )
    return object.__getstate__(self)


def _set_state(self, state):
    """What `_state` gave; version 0.1 had other names for two of its fields."""
    _, fields = state
    for name, value in fields.items():
        setattr(self, {"_node": "node", "_retains": "retains_grad"}.get(name, name), value)


def _repr(self):
    values = np.array2string(self.data, separator=", ", prefix="Tensor(", threshold=50)
    grad = ", requires_grad=True" if self.requires_grad else ""
    label = f", name={self.name!r}" if self.name else ""
    return f"Tensor({values}, {self.dtype}{grad}{label})"


def _absent(name, instead, tensor):
    raise AttributeError(f"a Tensor has no {name!r}: use {instead}", name=name, obj=tensor)


def _sizes(args):
    """reshape(2, 3) and reshape((2, 3)) mean the same."""
    return args[0] if len(args) == 1 and not isinstance(args[0], int | np.integer) else args


SPECIAL = {
    "__array_ufunc__": _ufunc,
    "__array_function__": lambda self, function, types, args, kwargs: _call(function, args, kwargs),
    "__array__": lambda self, dtype=None, copy=None: np.array(_constant(self), dtype, copy=copy),
    "__neg__": lambda self: elementwise.negative(self),
    "__pos__": lambda self: elementwise.positive(self),
    "__abs__": lambda self: elementwise.absolute(self),
    "__getitem__": lambda self, index: shaping.getitem(self, _arrays(index)),
    "__setitem__": _refuse_write,
    "__iter__": lambda self: (self[i] for i in range(len(self))),
    "__float__": lambda self: float(_constant(self)),
    "__int__": lambda self: int(_constant(self)),
    "__copy__": copy.deepcopy,  # as with arrays, nothing is shared
    "__getstate__": _state,
    "__setstate__": _set_state,
    "__dir__": lambda self: sorted(set(object.__dir__(self)) - ABSENT.keys()),
    "__repr__": _repr,
    "__format__": lambda self, spec: format(self.item(), spec) if spec else repr(self),
    "ndim": property(attrgetter("data.ndim")),
    "size": property(attrgetter("data.size")),
    "T": property(lambda self: shaping.transpose(self), doc="The axes in reverse order."),
    "mT": property(arranging.matrix_transpose, doc="The last two axes exchanged."),
    "numpy": _constant,
    "detach": lambda self: Tensor(self.data, name=self.name),
    "retain_grad": lambda self: setattr(self, "retains_grad", True),
    "reshape": lambda self, *shape: shaping.reshape(self, _sizes(shape)),
    "transpose": lambda self, *axes: shaping.transpose(self, _sizes(axes) if axes else None),
    "flatten": lambda self: shaping.reshape(self, (-1,)),
    "copy": lambda self: shaping.copied(self),
}

for _helper in (shaping.without_lists, shaping.check_options, hint.explain):
    setattr(primitive, _helper.__name__, _helper)
for _name, _row in OPERATORS.items():
    _bind_operator(_name, _row)
for _room, _names in METHODS.items():
    for _name in _names.split():
        _bind_method(_name, getattr(_room, _name))
for _name in PLAIN_METHODS.split():
    _bind_method(_name, getattr(np.ndarray, _name), _arrays)
for _name, _function in SPECIAL.items():
    setattr(Tensor, _name, _function)
for _name in [name for name in ABSENT if hasattr(Tensor, name)]:
    del ABSENT[_name]
for _name, _instead in ABSENT.items():  # a __getattr__ would slow down every other attribute
    _doc = f"Absent: use {_instead}."
    setattr(Tensor, _name, property(partial(_absent, _name, _instead), doc=_doc))
