"""The table that `Module.summary` shows: one example of zeros is run through the model."""

import numpy as np


def table(model, input_shape):
    """The layers of a model, their output shapes and numbers of parameters, as text."""
    rows = [("layer", "output", "parameters"), *_run(model, input_shape)]
    rows.append(("total", "", _count(model)))
    a, b, c = (max(len(row[i]) for row in rows) for i in range(3))
    return "\n".join(f"{x:<{a}}  {y:>{b}}  {z:>{c}}" for x, y, z in rows)


def _count(module):
    return f"{sum(p.size for p in module.parameters()):,}"


def _run(model, input_shape):
    """A row for each layer that ran, in this order; the model is left as it was."""
    layers = [(name, m) for name, m in model.named_modules() if len(m.modules()) == 1]
    rows = []
    try:
        for name, layer in layers:
            layer.forward = _watched(name, layer, rows)
        with model.evaluating():
            model(np.zeros((1, *input_shape), np.float32))
    finally:
        for _, layer in layers:
            del layer.forward
    return rows


def _watched(name, layer, rows):
    plain = layer.forward

    def forward(*inputs):
        y = plain(*inputs)
        shape = ", ".join(["N", *map(str, y.shape[1:])])
        rows.append((f"{name} {type(layer).__name__}".strip(), f"({shape})", _count(layer)))
        return y

    return forward
