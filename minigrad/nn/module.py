"""Read 6 of 8: Module, Parameter, Sequential. What has parameters, and where they are found.

A module is a class with a `forward`. Its parameters and its parts are found in its attributes, also
inside lists and dicts, in the order of assignment; nothing is registered.
"""

from contextlib import contextmanager
from contextvars import ContextVar
from reprlib import recursive_repr
from textwrap import indent

import numpy as np

from ..autograd import Tensor, no_grad, setting
from ..ops.shaping import of_list
from ..state import matching
from .summary import table

evaluation: ContextVar = ContextVar("evaluation", default=False)  # inside Module.evaluating()


class Parameter(Tensor):
    """A tensor that is trained: a float32 copy of `data`, which requires a gradient.

    Examples
    --------
    >>> Parameter(np.zeros(2)).dtype
    dtype('float32')
    """

    __slots__ = ()

    def __init__(self, data, requires_grad=True, dtype=np.float32, name=None):
        super().__init__(np.array(of_list(data), dtype), requires_grad, name=name)


def _items(values, around=()):
    """(name, value) of all attributes; inside lists, tuples and dicts by dotted name.

    `around` has the ids of the lists and dicts that these are inside of.
    """
    for name, value in list(values.items()):  # a copy: another thread may add attributes
        if isinstance(value, list | tuple | dict):
            if id(value) in around:
                raise ValueError(f"{name} is a {type(value).__name__} inside itself: leave it out.")
            parts = value if isinstance(value, dict) else dict(enumerate(value))
            for key, part in _items(parts, (*around, id(value))):
                yield f"{name}.{key}", part
        else:
            yield name, value


class Module:
    """Base of layers and networks: write `forward`, call the module.

    Attributes
    ----------
    training : bool
        Whether dropout drops and batch norm uses the batch; set by `train()` and `eval()`. Always
        False inside `evaluating()`, as while `mg.predict` or `mg.evaluate` calls the module.
    buffers : tuple of str
        Names of attributes that are arrays to be saved, but not trained.

    Examples
    --------
    >>> class Double(Module):
    ...     def __init__(self):
    ...         self.scale = Parameter(2.0)
    ...     def forward(self, x):
    ...         return x * self.scale
    >>> Double()(np.array([1.0, 2.0])).data.tolist()
    [2.0, 4.0]
    """

    buffers: tuple[str, ...] = ()

    @property
    def training(self):
        return vars(self).get("training", True) and not evaluation.get()

    @training.setter
    def training(self, mode):
        vars(self)["training"] = mode

    def forward(self, x):
        raise NotImplementedError(f"{type(self).__name__} has no forward(self, x): write one.")

    def __call__(self, *inputs, **keywords):
        """Run `forward`. Arrays become Tensors, those of floats in the parameters' dtype."""
        inputs = [self._tensor(x) if isinstance(x, np.ndarray) else x for x in inputs]
        for name, x in keywords.items():
            if isinstance(x, np.ndarray):
                keywords[name] = self._tensor(x)
        return self.forward(*inputs, **keywords)

    def _tensor(self, array):
        """A Tensor of an array; floats are converted to the dtype of the first parameter."""
        if array.dtype.kind == "f":
            dtypes = (part.dtype for _, part in self._inside() if isinstance(part, Parameter))
            array = array.astype(next(dtypes, array.dtype), copy=False)
        return Tensor(array)

    # ---- what is inside: modules, parameters, state ----------------------------------------------

    def _inside(self, prefix="", around=()):
        """This module, and all modules and parameters inside it, as (dotted path, value).

        `around` has the ids of the modules that this one is inside of.
        """
        if id(self) in around:
            raise ValueError(
                f"{prefix} is a {type(self).__name__} inside itself: leave this attribute out, or "
                "make it a function that returns the module."
            )
        yield prefix, self
        for name, value in _items(vars(self)):
            path = f"{prefix}.{name}" if prefix else name
            if isinstance(value, Module):
                yield from value._inside(path, (*around, id(self)))
            elif isinstance(value, Parameter):
                yield path, value

    def named_modules(self):
        """This module and all inside it, as (name, module); the names are dotted paths.

        A shared one comes once, by its first name.
        """
        return self._first_named(Module)

    def named_parameters(self):
        """All parameters, as (name, parameter); a shared one comes once, by its first name."""
        return self._first_named(Parameter)

    def _first_named(self, kind):
        """All of this kind, as (name, value), each once."""
        found = {}
        for path, value in self._inside():
            if isinstance(value, kind):
                found.setdefault(id(value), (path, value))
        return list(found.values())

    def parameters(self):
        """All parameters, as a list."""
        return [p for _, p in self.named_parameters()]

    def modules(self):
        """This module and all inside it."""
        return [module for _, module in self.named_modules()]

    def _state(self):
        """For each array that is saved, by name: the object and the attribute that hold it.

        What is shared comes under each of its names, as in PyTorch.
        """
        inside = list(self._inside())
        found = [(path, p, "data") for path, p in inside if isinstance(p, Parameter)]
        for prefix, module in inside:
            for name in module.buffers if isinstance(module, Module) else ():
                if not isinstance(getattr(module, name, None), np.ndarray | np.generic):
                    raise TypeError(
                        f"buffers of {type(module).__name__} expects names of attributes that are "
                        f'arrays, such as buffers = ("mean",), got {module.buffers!r:.80}, where '
                        f"{name} is {getattr(module, name, None)!r:.80}."
                    )
                found.append((f"{prefix}.{name}" if prefix else name, module, name))
        state = {}
        for path, holder, attribute in found:
            if path in state:
                raise ValueError(
                    f"two arrays of {type(self).__name__} have the name {path}, as those of the "
                    'keys 1 and "1" of a dict have, or "a.b" and "b" in "a": take other keys.'
                )
            state[path] = (holder, attribute)
        return state

    def named_arrays(self):
        """The arrays of all parameters and buffers, as (name, array); no copies.

        What is shared comes under each of its names.
        """
        state = self._state().items()
        return [(name, getattr(holder, attribute)) for name, (holder, attribute) in state]

    def state_dict(self):
        """Copies of all parameters and buffers, by name; names and shapes are PyTorch's."""
        return {name: array.copy() for name, array in self.named_arrays()}

    def load_state_dict(self, state, strict=True):
        """Copy the arrays of `state` into the parameters and buffers, in place; all or none.

        Of the names of what is shared, one is enough.

        Raises
        ------
        ValueError
            If a shape differs, or something is not of numbers; with `strict`, also if a name is
            missing or unknown.
        """
        new = self.matching(state, strict)
        for name, array in self.named_arrays():
            if name in new:
                array[...] = new[name]

    def matching(self, state, strict=True):
        """What `load_state_dict` would fill the own arrays with, by name; raises as that does."""
        return matching(dict(self.named_arrays()), state, strict)

    # ---- modes and dtype -------------------------------------------------------------------------

    def train(self, mode=True):
        """Switch this module and all inside it to training, or to evaluation; returns it."""
        for module in self.modules():
            module.training = mode
        return self

    def eval(self):
        """Switch to evaluation: nothing is dropped, batch norm uses its running averages."""
        return self.train(False)

    @contextmanager
    def evaluating(self):
        """Inside `with`: evaluation, and nothing is recorded, in this thread.

        No module is changed, so that other threads may train or evaluate meanwhile.
        """
        with setting(evaluation, True), no_grad():
            yield

    def zero_grad(self):
        """Forget the gradients of all parameters."""
        for p in self.parameters():
            p.grad = None

    def astype(self, dtype):
        """Convert all parameters and floating-point buffers, in place; returns the module."""
        if np.dtype(dtype).kind != "f":
            raise TypeError(f"astype of a module expects a dtype of floats, got {dtype}.")
        for holder, name in self._state().values():
            value = getattr(holder, name)
            if value.dtype.kind == "f":
                setattr(holder, name, value.astype(dtype))
        self.zero_grad()  # gradients of the old dtype
        return self

    # ---- how it looks ----------------------------------------------------------------------------

    def describe(self):
        """What `repr` shows between the parentheses."""
        return ""

    @recursive_repr()  # of a module inside itself, which `parameters` refuses by name
    def __repr__(self):
        items = _items(vars(self))
        parts = [f"({name}): {value!r}" for name, value in items if isinstance(value, Module)]
        if not parts:
            return f"{type(self).__name__}({self.describe()})"
        return f"{type(self).__name__}(\n" + indent("\n".join(parts), "  ") + "\n)"

    def summary(self, input_shape):
        """A table of the layers, their output shapes and numbers of parameters, as text.

        Parameters
        ----------
        input_shape : tuple of int
            The shape of one example, such as (1, 28, 28).

        Examples
        --------
        >>> from minigrad import nn
        >>> print(nn.Sequential(nn.Flatten(), nn.Dense(784, 10)).summary((1, 28, 28)))
        layer        output  parameters
        0 Flatten  (N, 784)           0
        1 Dense     (N, 10)       7,850
        total                     7,850
        """
        return table(self, input_shape)


class Sequential(Module):
    """Modules one after the other: each takes the output of the one before.

    Examples
    --------
    >>> from minigrad import nn
    >>> model = nn.Sequential(nn.Dense(4, 8), nn.ReLU(), nn.Dense(8, 2))
    >>> model(np.zeros((5, 4))).shape, len(model), model[0].weight.shape
    ((5, 2), 3, (8, 4))
    """

    def __init__(self, *modules):
        for i, module in enumerate(modules):
            if not isinstance(module, Module):
                raise TypeError(
                    f"Sequential expects modules, got {module!r} at place {i}. "
                    "For a function take its layer, such as nn.ReLU(), or call it in a forward."
                )
            setattr(self, str(i), module)  # PyTorch's names: "0.weight"

    def _layers(self):
        return [value for name, value in vars(self).items() if name.isdigit()]

    def __len__(self):
        return len(self._layers())

    def __getitem__(self, i):
        layers = self._layers()
        return Sequential(*layers[i]) if isinstance(i, slice) else layers[i]

    def forward(self, x):
        for module in self._layers():
            x = module(x)
        return x
