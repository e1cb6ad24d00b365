"""The table that `Module.summary` shows: one example of zeros is run through the model."""

import numpy as np

from ..ops.expect import wholes


def table(model, input_shape):
    """The layers of a model, their output shapes and numbers of parameters, as text."""
    rows = [("layer", "output", "parameters")]
    counted = set()  # ids of parameters: shared ones count where they come first
    for name, layer, output_shape in _run(model, input_shape):
        sizes = {id(p): p.size for p in layer.parameters() if id(p) not in counted}
        counted.update(sizes)
        shape = ", ".join(["N", *map(str, output_shape[1:])])
        label = f"{name} {type(layer).__name__}".strip()
        rows.append((label, f"({shape})", f"{sum(sizes.values()):,}"))
    rows.append(("total", "", f"{sum(p.size for p in model.parameters()):,}"))
    widths = [max(map(len, column)) for column in zip(*rows)]
    lines = [
        f"{layer:<{widths[0]}}  {output:>{widths[1]}}  {parameters:>{widths[2]}}"
        for layer, output, parameters in rows
    ]
    return "\n".join(lines)


def _run(model, input_shape):
    """(name, layer, shape of its output) of each layer that ran, in that order, each time it ran.

    The model is left as it was.
    """
    sizes = wholes("input_shape", input_shape)
    # A layer is a module with no other inside.
    layers = [(name, m) for name, m in model.named_modules() if len(m.modules()) == 1]
    runs = []
    try:
        for name, layer in layers:
            layer.forward = _watched(name, layer, runs)
        with model.evaluating():
            _run_on_zeros(model, (1, *sizes), runs)
    finally:
        for _, layer in layers:
            del layer.forward  # of this object; that of its class shows again
    return runs


def _run_on_zeros(model, shape, runs):
    """Run a model on floats, or on integers where it refuses those, as an Embedding does."""
    try:
        model(np.zeros(shape, np.float32))
    except TypeError as refusal:
        runs.clear()
        try:
            model(np.zeros(shape, np.int64))
        except TypeError:
            raise refusal from None


def _watched(name, layer, runs):
    """The `forward` of a layer, which is now noted down each time that it runs."""
    original = layer.forward

    def forward(*inputs, **keywords):
        y = original(*inputs, **keywords)
        runs.append((name, layer, y.shape))
        return y

    return forward
