"""The table that `Module.summary` shows: one example of zeros is run through the model."""

import numpy as np


def table(model, input_shape):
    """The layers of a model, their output shapes and numbers of parameters, as text."""
    rows = [("layer", "output", "parameters"), *_run(model, input_shape)]
    rows.append(("total", "", _count(model)))
    widths = [max(map(len, column)) for column in zip(*rows)]
    lines = [
        f"{layer:<{widths[0]}}  {output:>{widths[1]}}  {parameters:>{widths[2]}}"
        for layer, output, parameters in rows
    ]
    return "\n".join(lines)


def _count(module):
    return f"{sum(p.size for p in module.parameters()):,}"


def _run(model, input_shape):
    """A row for each layer, in the order in which they ran; the model is left as it was."""
    # A layer is a module with no other inside.
    layers = [(name, m) for name, m in model.named_modules() if len(m.modules()) == 1]
    rows = []
    try:
        for name, layer in layers:
            layer.forward = _watched(name, layer, rows)
        with model.evaluating():
            model(np.zeros((1, *input_shape), np.float32))
    finally:
        for _, layer in layers:
            del layer.forward  # of this object; that of its class shows again
    return rows


def _watched(name, layer, rows):
    """The `forward` of a layer, which now adds a row each time that it runs."""
    original = layer.forward

    def forward(*inputs):
        y = original(*inputs)
        shape = ", ".join(["N", *map(str, y.shape[1:])])
        rows.append((f"{name} {type(layer).__name__}".strip(), f"({shape})", _count(layer)))
        return y

    return forward
