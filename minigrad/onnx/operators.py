"""The table: each row of minigrad's own, by name, and the operators of ONNX that compute the same.

An entry takes the output `y`, of which it asks dtype and shape alone, then what the row took: its
inputs as Values, its options as they are. It returns a Value. What the operators compute stands in
https://onnx.ai/onnx/operators/, for the version OPSET.
"""

import math
import sys

import numpy as np
from numpy.lib.array_utils import normalize_axis_index, normalize_axis_tuple

from ..ops.expect import pair
from ..ops.windows import output_size
from .indexing import getitem, scatter
from .values import BOOL, Refused, Value

OPSET = 18  # of 2022, with which the IR version 8 came; read by onnxruntime 1.14 and all later ones
IR_VERSION = 8

LN2, LN10 = math.log(2), math.log(10)

# ---- what entries are made by --------------------------------------------------------------------


def alike(formula):
    """An entry whose inputs are all taken in the dtype of the output, as NumPy does."""

    def entry(y, *inputs):
        if y.dtype == BOOL:
            raise Refused("it computes with Booleans: .astype(np.float32) makes numbers of them.")
        return formula(*[y.like(x) for x in inputs])

    return entry


def operator(name):
    """An entry that is one operator."""
    return alike(lambda x, *others: x.op(name, *others))


def step(name):
    """An operator that rounds floats, and for which integers stay as they are."""
    return alike(lambda x: x.op(name) if x.dtype.kind == "f" else x)


def reduction(name):
    """An operator over axes."""

    def entry(y, x, axis=None, keepdims=False):
        return _reduced(y.like(x), name, _axes(x, axis), keepdims)

    return entry


def _axes(x, axis):
    """The axes of a reduction, from 0 on."""
    return list(normalize_axis_tuple(range(x.ndim) if axis is None else axis, x.ndim))


def _reduced(x, name, axes, keepdims):
    if not axes:  # which would mean all of them
        return x
    return x.op(name, x.writer.ints(axes), keepdims=int(keepdims))


# ---- elementwise ---------------------------------------------------------------------------------


def _remainder(a, b):
    """What is left of a, with the sign of b."""
    if a.dtype.kind in "iu":
        return a.op("Mod", b)
    rest = a.op("Mod", b, fmod=1)  # with the sign of a
    other_sign = rest * b < 0
    return other_sign.where(rest + b, rest)


def _floor_divide(a, b):
    whole = (a - _remainder(a, b)) / b
    return whole if a.dtype.kind in "iu" else whole.op("Round")


def _expm1(x):
    """(exp(x) + 1) * tanh(x / 2), which keeps the digits near 0"""
    return (x.op("Exp") + 1) * (x * 0.5).op("Tanh")


def _log1p(x):
    """2 * artanh(x / (2 + x)) near 0, where 1 + x would lose digits"""
    near = x.op("Abs") < 0.5
    inside = near.where(x, 0)
    series = (inside / (inside + 2)).op("Atanh") * 2
    return near.where(series, (x + 1).op("Log"))


def _logaddexp(a, b):
    """max(a, b) + log(1 + exp(-|a - b|)); of equal infinities the difference would be NaN"""
    same = a.op("Equal", b, dtype=BOOL)
    distance = same.where(0, (a - b).op("Abs"))
    return a.op("Max", b) + (-distance).op("Softplus")


def _arctan2(a, b):
    """The angle of the point (b, a): arctan(a / b), turned by half a circle where b is negative"""
    level = b.op("Equal", 0, dtype=BOOL)
    right = (a / level.where(1, b)).op("Atan")
    left = right + (a < 0).where(-math.pi, a.like(math.pi))
    turned = (b < 0).where(left, right)
    return level.where(a.op("Sign") * (math.pi / 2), turned)


def _larger_number(name):
    """The larger or smaller one, or the one that is not NaN."""

    def formula(a, b):
        without_a = a.op("IsNaN", dtype=BOOL).where(b, a.op(name, b))
        return b.op("IsNaN", dtype=BOOL).where(a, without_a)

    return alike(formula)


def _nan_to_num(y, x, nan=0.0, posinf=None, neginf=None):
    if y.dtype.kind != "f":
        return x
    limits = np.finfo(y.dtype)
    high = limits.max if posinf is None else posinf
    low = limits.min if neginf is None else neginf
    clean = x.op("IsNaN", dtype=BOOL).where(nan, x)
    clean = x.op("IsInf", detect_negative=0, dtype=BOOL).where(high, clean)
    return x.op("IsInf", detect_positive=0, dtype=BOOL).where(low, clean)


def _where(y, condition, a, b):
    if not isinstance(condition, Value):  # a number
        condition = y.writer.constant(np.asarray(condition, bool))
    return condition.cast(BOOL).where(y.like(a), y.like(b))


def _round(y, x, decimals=0):
    if y.dtype.kind != "f":
        if decimals < 0:
            raise Refused("it rounds integers: .astype(np.float32) makes floats of them.")
        return x
    if not decimals:
        return x.op("Round")
    return (x * 10.0**decimals).op("Round") / 10.0**decimals


# ---- reductions and what goes along an axis ------------------------------------------------------


def _norm_of_order(y, x, ord, axis=None, keepdims=False):
    powers = x.op("Abs").op("Pow", ord)
    return _reduced(powers, "ReduceSum", _axes(x, axis), keepdims).op("Pow", 1 / ord)


def _flat_or_along(y, x, axis):
    """`x` in the dtype of y and the axis, both for all elements in one axis if the axis is None."""
    if axis is None or x.ndim == 0:
        return y.like(x).reshaped([-1]), 0
    return y.like(x), normalize_axis_index(axis, x.ndim)


def _cumsum(y, x, axis=None):
    x, axis = _flat_or_along(y, x, axis)
    return x.op("CumSum", x.writer.constant(np.array(axis)))


def _cumprod(y, x, axis=None):
    """The product, along a new axis, of the elements up to each, and of ones: n * n for n"""
    x, axis = _flat_or_along(y, x, axis)
    n = y.shape[axis]
    if not isinstance(n, int):
        raise Refused("it goes along the axis of the batch.")
    until = np.tri(n, dtype=bool).reshape(n, n, *[1] * (y.ndim - 1 - axis))
    writer = y.writer
    rows = x.op("Unsqueeze", writer.ints([axis]))  # (..., 1, n, ...)
    rows = writer.constant(until).where(rows, 1)  # (..., n, n, ...)
    return rows.op("ReduceProd", writer.ints([axis + 1]), keepdims=0)


def _softmax(name):
    def entry(y, x, axis=-1):
        x = y.like(x)
        if isinstance(axis, int):
            return x.op(name, axis=axis)
        logs = x - x.op("ReduceLogSumExp", x.writer.ints(_axes(y, axis)), keepdims=1)
        return logs if name == "LogSoftmax" else logs.op("Exp")

    return entry


# ---- shapes --------------------------------------------------------------------------------------


def _transpose(y, x, axes=None):
    if axes is None:
        return x.transposed(range(x.ndim)[::-1])
    return x.transposed(normalize_axis_tuple(axes, x.ndim))


def _flip(y, x, axis=None):
    axes = _axes(x, axis)
    if not axes:
        return x
    ints = x.writer.ints
    count = len(axes)
    last, before_first = ints([-1] * count), ints([-sys.maxsize] * count)
    return x.op("Slice", last, before_first, ints(axes), ints([-1] * count))


def _roll(y, x, shift, axis=None):
    if axis is None:
        return _rolled(x.reshaped([-1]), math.prod(x.shape), shift, 0).reshaped(y.shape)
    shifts, axes = np.broadcast_arrays(shift, axis)
    for distance, along in zip(shifts.reshape(-1).tolist(), axes.reshape(-1).tolist()):
        x_axis = normalize_axis_index(along, y.ndim)
        x = _rolled(x, y.shape[x_axis], distance, x_axis)
    return x


def _rolled(x, n, shift, axis):
    if not isinstance(n, int):
        raise Refused("it rolls the axis of the batch.")
    return x.op("Gather", x.writer.ints(np.roll(np.arange(n), shift).tolist()), axis=axis)


def _pad(y, x, *, widths, value):
    pads = [low for low, _ in widths] + [high for _, high in widths]
    return x.op("Pad", x.writer.ints(pads), x.writer.constant(np.array(value, x.dtype)))


def _diagonal(y, x, offset=0, axis1=0, axis2=1):
    """The two axes as one, the last, and from that the places of the diagonal"""
    axes = normalize_axis_tuple((axis1, axis2), x.ndim)
    rest = [axis for axis in range(x.ndim) if axis not in axes]
    n, m = (x.shape[axis] for axis in axes)
    if not (isinstance(n, int) and isinstance(m, int)):
        raise Refused("it goes along the axis of the batch.")
    flat = x.transposed([*rest, *axes]).reshaped([*(x.shape[axis] for axis in rest), n * m])
    places = np.arange(n * m).reshape(n, m).diagonal(offset)
    return flat.op("Gather", x.writer.ints(places.tolist()), axis=-1)


def _concatenate(y, *arrays, axis):
    first, *rest = [y.like(x) for x in arrays]
    return first.op("Concat", *rest, axis=axis)


# ---- products and windows ------------------------------------------------------------------------


def _linear(y, x, w, b=None):
    b = None if b is None else y.like(b)
    if x.ndim == 2:
        return y.like(x).op("Gemm", y.like(w), b, transB=1)
    product = y.like(x).op("MatMul", y.like(w).transposed([1, 0]))
    return product if b is None else product + b


def _einsum(y, *operands, subscripts, optimize):
    first, *rest = [y.like(x) for x in operands]
    return first.op("Einsum", *rest, equation=subscripts.replace(" ", ""))


def _conv2d(y, x, w, b=None, *, stride, padding, dilation):
    options = _window_options(stride, padding, dilation)
    b = None if b is None else y.like(b)
    return y.like(x).op("Conv", y.like(w), b, kernel_shape=list(w.shape[2:]), **options)


def _conv2d_input_gradient(y, g, w, *, shape, stride, padding, dilation):
    """conv_transpose2d. Where a stride makes one size of several, `shape` says which one."""
    options = _window_options(stride, padding, dilation)
    sizes = zip(g.shape[2:], w.shape[2:], pair(stride), pair(padding), pair(dilation), strict=True)
    least = [(n - 1) * s - 2 * p + d * (k - 1) + 1 for n, k, s, p, d in sizes]
    more = [n - m for n, m in zip(shape[2:], least, strict=True)]
    options |= {"kernel_shape": list(w.shape[2:]), "output_padding": more}
    return y.like(g).op("ConvTranspose", y.like(w), **options)


def _window_options(stride, padding, dilation):
    return {
        "strides": list(pair(stride)),
        "pads": [*pair(padding), *pair(padding)],
        "dilations": list(pair(dilation)),
    }


def _one_hot(y, C, kernel_size):
    """A kernel for each place of a window and each channel, which reads that number alone."""
    KH, KW = pair(kernel_size)
    kernels = np.eye(KH * KW * C, dtype=y.dtype).reshape(KH * KW * C, KH, KW, C)
    return y.writer.constant(np.ascontiguousarray(kernels.transpose(0, 3, 1, 2)))


def _im2col(y, x, *, kernel_size, stride, padding, dilation):
    """A convolution with kernels that only read; its channels are the numbers of a row."""
    kernels = _one_hot(y, x.shape[1], kernel_size)
    columns = _conv2d(y, x, kernels, stride=stride, padding=padding, dilation=dilation)
    return columns.transposed([0, 2, 3, 1]).reshaped(y.shape)


def _col2im(y, columns, *, shape, kernel_size, stride, padding, dilation):
    """The reverse, with the same kernels."""
    OH, OW = output_size(shape, kernel_size, stride, padding, dilation)
    kernels = _one_hot(y, shape[1], kernel_size)
    images = columns.reshaped([shape[0], OH, OW, columns.shape[1]]).transposed([0, 3, 1, 2])
    options = {"stride": stride, "padding": padding, "dilation": dilation}
    return _conv2d_input_gradient(y, images, kernels, shape=shape, **options)


def _max_pool2d(y, x, *, kernel_size, stride, border=(0, 0)):
    """The border of -inf is there already: by a row of its own."""
    return x.op("MaxPool", kernel_shape=list(kernel_size), strides=list(stride))


def _window_sum(y, x, *, kernel_size, stride):
    """The border of zeros is there already, so that it counts."""
    means = x.op("AveragePool", kernel_shape=list(kernel_size), strides=list(stride))
    return means * math.prod(kernel_size)


# A table is read down its columns.
# fmt: off
OPERATORS = {
    # ---- arithmetic ------------------------------------------------------------------------------
    "add":          operator("Add"),
    "subtract":     operator("Sub"),
    "multiply":     operator("Mul"),
    "divide":       operator("Div"),
    "remainder":    alike(_remainder),
    "floor_divide": alike(_floor_divide),
    "positive":     alike(lambda x: x),
    "negative":     operator("Neg"),
    "power":        operator("Pow"),
    "square":       alike(lambda x: x * x),
    "reciprocal":   operator("Reciprocal"),
    "sqrt":         operator("Sqrt"),
    "cbrt":         alike(lambda x: x.op("Sign") * x.op("Abs").op("Pow", 1 / 3)),
    "hypot":        alike(lambda a, b: (a * a + b * b).op("Sqrt")),

    # ---- exponentials ----------------------------------------------------------------------------
    "exp":          operator("Exp"),
    "exp2":         alike(lambda x: x.like(2).op("Pow", x)),
    "expm1":        alike(_expm1),
    "log":          operator("Log"),
    "log1p":        alike(_log1p),
    "log2":         alike(lambda x: x.op("Log") / LN2),
    "log10":        alike(lambda x: x.op("Log") / LN10),
    "logaddexp":    alike(_logaddexp),
    "logaddexp2":   alike(lambda a, b: _logaddexp(a * LN2, b * LN2) / LN2),
    "sigmoid":      operator("Sigmoid"),

    # ---- trigonometry ----------------------------------------------------------------------------
    "sin":          operator("Sin"),
    "cos":          operator("Cos"),
    "tan":          operator("Tan"),
    "arcsin":       operator("Asin"),
    "arccos":       operator("Acos"),
    "arctan":       operator("Atan"),
    "arctan2":      alike(_arctan2),
    "deg2rad":      alike(lambda x: x * (math.pi / 180)),
    "rad2deg":      alike(lambda x: x * (180 / math.pi)),
    "sinh":         operator("Sinh"),
    "cosh":         operator("Cosh"),
    "tanh":         operator("Tanh"),
    "arcsinh":      operator("Asinh"),
    "arccosh":      operator("Acosh"),
    "arctanh":      operator("Atanh"),

    # ---- choices and steps -----------------------------------------------------------------------
    "absolute":     operator("Abs"),
    "fabs":         operator("Abs"),
    "maximum":      operator("Max"),
    "minimum":      operator("Min"),
    "fmax":         _larger_number("Max"),
    "fmin":         _larger_number("Min"),
    "at_least":     operator("Max"),
    "at_most":      operator("Min"),
    "nan_to_num":   _nan_to_num,
    "where":        _where,
    "sign":         operator("Sign"),
    "floor":        step("Floor"),
    "ceil":         step("Ceil"),
    "round":        _round,

    # ---- activations -----------------------------------------------------------------------------
    "relu":         alike(lambda x: x.op("Relu") if x.dtype.kind == "f" else x.op("Max", 0)),
    "softmax":      _softmax("Softmax"),
    "log_softmax":  _softmax("LogSoftmax"),

    # ---- reductions ------------------------------------------------------------------------------
    "sum":          reduction("ReduceSum"),
    "prod":         reduction("ReduceProd"),
    "max":          reduction("ReduceMax"),
    "min":          reduction("ReduceMin"),
    "logsumexp":    reduction("ReduceLogSumExp"),
    "norm":         reduction("ReduceL2"),
    "norm_of_order": _norm_of_order,
    "cumsum":       _cumsum,
    "cumprod":      _cumprod,

    # ---- shapes and choices of elements ----------------------------------------------------------
    "reshape":      lambda y, x, shape: x.reshaped(y.shape),
    "in_order":     lambda y, x, axes: x,
    "transpose":    _transpose,
    "broadcast_to": lambda y, x, shape: x.op("Expand", x.writer.ints(y.shape)),
    "flip":         _flip,
    "roll":         _roll,
    "getitem":      getitem,
    "scatter":      scatter,
    "pad":          _pad,
    "copy":         lambda y, x: y.like(x),
    "astype":       lambda y, x, dtype: y.like(x),
    "diagonal":     _diagonal,
    "concatenate":  _concatenate,

    # ---- products and windows --------------------------------------------------------------------
    "matmul":       operator("MatMul"),
    "linear":       _linear,
    "einsum":       _einsum,
    "conv2d":       _conv2d,
    "conv2d_textbook": _conv2d,
    "conv2d_input_gradient": _conv2d_input_gradient,
    "im2col":       _im2col,
    "col2im":       _col2im,
    "max_pool2d":   _max_pool2d,
    "window_sum":   _window_sum,
}

# Rows that have no entry, each with the reason.
_LOSS = "a loss compares with targets, which an exported model does not get: leave it out of forward."
_GRADIENT = "it is part of a gradient, which an exported model does not compute."
WITHOUT = {
    "batch_norm": "it normalizes by the batch's own moments, as in training: nn.BatchNorm has those "
                  "of the training in evaluation, and mg.normalize takes any.",
    "cross_entropy": _LOSS,
    "soft_cross_entropy": _LOSS,
    "binary_cross_entropy": _LOSS,
    "gate": _GRADIENT,
    "later": _GRADIENT,
    "conv2d_weight_gradient": _GRADIENT,
    "max_scatter": _GRADIENT,
    "max_gather": _GRADIENT,
    "window_share": _GRADIENT,
    "batch_norm_input_gradient": _GRADIENT,
    "batch_norm_weight_gradient": _GRADIENT,
}
# fmt: on
