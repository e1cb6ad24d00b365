"""What a model computes: the calls of rows that lead from its input to its output.

The engine's watcher sees every row that gets a Tensor, also before the first parameter and of
integers, where no graph is recorded. What one row makes and another reads is one array, the same
object: so arrays are told by identity, and none is freed before the trace is.
"""

from contextlib import suppress
from typing import Any, NamedTuple

import numpy as np

from ..autograd import Tensor, setting, watching
from ..debug import caller
from ..evaluation import outputs_of
from ..ops.shaping import plain


class Call(NamedTuple):
    """One call of a row: its inputs and options, the array it made, and where it was called."""

    row: Any
    values: list
    keywords: dict
    result: np.ndarray
    place: str


class Trace(NamedTuple):
    """One run of a model."""

    input: np.ndarray
    calls: list
    output: np.ndarray


class _Tracer:
    """The watcher: keeps all calls.

    Meanwhile the arrays are read-only. What changed one of them without a row would not be seen.
    """

    def __init__(self):
        self.calls = []
        self.locked = []

    def forward(self, out, row, values, keywords):
        self.calls.append(Call(row, values, keywords, out.data, caller()))
        for x in [*values, out.data]:
            self.lock(x)

    def backward(self, t, i, g, h):
        """Nothing: gradients that a forward takes are arrays that no row has made."""

    def lock(self, x):
        if isinstance(x, np.ndarray) and x.flags.writeable:
            x.flags.writeable = False
            self.locked.append(x)

    def release(self):
        for x in sorted(self.locked, key=lambda x: x.base is not None):  # arrays before views
            with suppress(ValueError):  # of a view of what its owner has locked
                x.flags.writeable = True


def trace(model, batch):
    """Run a model on a batch, in evaluation mode.

    Raises
    ------
    TypeError
        If it returns anything but one Tensor.
    """
    tracer = _Tracer()
    tracer.lock(batch)
    try:
        with model.evaluating(), setting(watching, tracer):
            output = outputs_of(model, Tensor(batch))
    except Exception as error:
        error.add_note(
            f"in mg.onnx.export, which runs {type(model).__name__} on batches made of the example, "
            f"here {batch.dtype} {batch.shape}: its first axis counts the examples, and nothing "
            "may be changed in place."
        )
        raise
    finally:
        tracer.release()
    if not isinstance(output, Tensor):
        raise TypeError(
            f"mg.onnx.export expects one Tensor from {type(model).__name__}.forward, got "
            f"{type(output).__name__}: write a Module whose forward returns one of them."
        )
    return Trace(batch, _leading_to(output.data, tracer.calls), output.data)


def _leading_to(output, calls):
    """The calls whose results the output depends on, in their order."""
    needed = {id(output)}
    kept = []
    for call in reversed(calls):
        if id(call.result) in needed:
            kept.append(call)
            needed |= {id(x) for x in _arrays_in([call.values, call.keywords])}
    return kept[::-1]


def _arrays_in(value):
    """All arrays in nested lists, tuples and dicts, such as those of an index."""
    value = plain(value)
    if isinstance(value, np.ndarray):
        yield value
    elif isinstance(value, dict):
        yield from _arrays_in(list(value.values()))
    elif isinstance(value, list | tuple):
        for part in value:
            yield from _arrays_in(part)
