"""A model and a batch make an ONNX file, which other programs run, such as onnxruntime."""

import numpy as np

from ..files import path_of, replacing
from ..nn.checks import check_model
from .conversion import converted
from .operators import IR_VERSION, OPSET
from .trace import trace
from .values import Batch

MISSING = "mg.onnx.export needs the package onnx: pip install 'minigrad-numpy[onnx]'"


def export(model, path, example):
    """Write a model as an ONNX file, which other programs run, such as onnxruntime.

    The model is run in evaluation mode on the example, then on a larger batch and on a batch of 1
    with other values, and each row of the table that leads to the output becomes operators of ONNX.
    The file has one input, "input", and one output, "output"; its batch may have any size, "N".
    Weights keep the names they have in `state_dict`, but for the running variances of a batch norm,
    which become divisors.

    Parameters
    ----------
    model : Module
        Whose forward takes one array and returns one Tensor.
    path : str or Path
        Ends with ".onnx". A file that is there is replaced, once the new one is complete.
    example : array (N, ...)
        One batch, as the model gets it: floats, or integers such as the codes of letters. Integers
        of the other batches are drawn from the range of these.

    Raises
    ------
    ImportError
        If the package onnx is not installed.
    ValueError
        If a row has no operator of ONNX, which is named with the line that called it; if the runs
        call different rows; or if a row gets an array that no row made and that is another one in
        another run, such as a mask from a comparison, the result of argsort, or a draw.
    TypeError
        If the model is no Module, if it returns anything but one Tensor, or if the example is no
        array of numbers.

    Examples
    --------
    >>> import tempfile
    >>> import minigrad as mg
    >>> model = mg.nn.Sequential(mg.nn.Dense(4, 8), mg.nn.ReLU(), mg.nn.Dense(8, 3))
    >>> path = tempfile.mkdtemp() + "/model.onnx"
    >>> mg.onnx.export(model, path, np.zeros((2, 4)))
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
    writer, output = converted(model, [trace(model, x) for x in _batches(model, example)])
    proto = _model_proto(onnx, type(model).__name__, writer, output)
    try:
        onnx.checker.check_model(proto, full_check=True)
    except Exception as error:  # of several kinds, with the name of the node in the text
        rows = [row for node, row in writer.rows.items() if f"node name: {node})" in str(error)]
        what = rows[0] if rows else "the model"
        raise ValueError(
            f"mg.onnx.export cannot export {what}: the operator does not take this, such as "
            f"integers or Booleans, of which .astype(np.float32) makes floats. {error}"
        ) from error
    with replacing(path) as file:
        file.write(proto.SerializeToString())


# ---- the batches ---------------------------------------------------------------------------------


def _batches(model, example):
    """The example, of two rows or more, then a larger batch and a batch of 1 with other values."""
    if not isinstance(example, np.ndarray):
        raise TypeError(
            "mg.onnx.export expects an example, an array of one batch as the model gets it, got "
            f"{type(example).__name__}: a Tensor has one as .data, np.array makes one of a list."
        )
    if example.dtype.kind not in "biuf" or example.dtype.itemsize > 8:
        raise TypeError(f"mg.onnx.export expects an example of numbers, got {example.dtype}.")
    if example.size == 0 or example.ndim == 0 or not np.isfinite(example).all():
        raise ValueError(
            "mg.onnx.export expects an example of one batch, (N, ...), of finite numbers, got "
            f"shape {example.shape} with {np.isfinite(example).sum()} of them: x[:2] are the first "
            "two of many."
        )
    if example.dtype.kind == "f":  # as a call of the model does
        dtypes = (p.dtype for p in model.parameters())
        example = example.astype(next(dtypes, example.dtype), copy=False)
    several = len(example) > 1
    first = example.copy() if several else np.repeat(example, 2, axis=0)
    low = example.min(axis=0) if several else example.min()  # columns may mean different things
    high = example.max(axis=0) if several else example.max()
    if example.dtype.kind in "iu" and example.min() == example.max():  # no reason to repeat it
        low, high = (low - 1, high) if example.max() > 0 else (low, high + 1)
    rng = np.random.default_rng(0)
    sizes = len(first) + 1, 1  # so that no remainder of the size is the same
    return [first] + [_drawn(rng, (n, *first.shape[1:]), low, high, first.dtype) for n in sizes]


def _drawn(rng, shape, low, high, dtype):
    """An array of values from low to high."""
    if dtype.kind == "b":
        return rng.integers(0, 2, shape).astype(bool)
    if dtype.kind in "iu":
        return rng.integers(low, high, shape, dtype, endpoint=True)
    width = np.where(high > low, high - low, 1)  # an example of zeros alone is no reason to repeat
    return (low + width * rng.random(shape)).astype(dtype)


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
