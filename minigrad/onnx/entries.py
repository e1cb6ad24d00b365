"""Entries that take more than a line: from the inputs and options of a row to operators of ONNX.

Each takes the output `y`, of which it asks dtype and shape alone, then what the row took: its
inputs as Values, its options as they are. Functions for `alike` take nothing but inputs, already in
the dtype of the output.
"""

import math
import sys

import numpy as np
from numpy.lib.array_utils import normalize_axis_index, normalize_axis_tuple

from ..ops.einsum import explicit
from ..ops.windows import output_size
from .values import BOOL, Refused, Value

BOOLEANS = "it computes with Booleans: .astype(np.float32) makes numbers of them."

# ---- what entries are made by --------------------------------------------------------------------


def alike(formula):
    """An entry whose inputs are all taken in the dtype of the output, as NumPy does."""

    def entry(y, *inputs):
        if y.dtype == BOOL:
            raise Refused(BOOLEANS)
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


def _fixed(*sizes):
    """Raise unless all sizes are numbers."""
    if not all(isinstance(n, int) for n in sizes):
        raise Refused("it goes along the axis of the batch, which may have any length.")


def _reduced(x, name, axes, keepdims):
    if not axes:  # which would mean all of them
        return x
    return x.op(name, x.writer.ints(axes), keepdims=int(keepdims))


# ---- elementwise ---------------------------------------------------------------------------------


def _rest(a, b):
    """What is left of a, with the sign of a, and whether b has the other sign."""
    rest = a.op("Mod", b, fmod=1)
    return rest, rest.op("Sign") * b < 0


def remainder(a, b):
    """What is left of a, with the sign of b."""
    if a.dtype.kind in "iu":
        return a.op("Mod", b)
    rest, other_sign = _rest(a, b)
    return other_sign.where(rest + b, rest)


def floor_divide(a, b):
    """The whole number of times that b goes into a; by 0, as a / b."""
    if a.dtype.kind in "iu":
        return (a - a.op("Mod", b)) / b
    rest, other_sign = _rest(a, b)
    whole = ((a - rest) / b).op("Round")
    whole = other_sign.where(whole - 1, whole)
    return b.op("Equal", 0, dtype=BOOL).where(a / b, whole)


def hypot(a, b):
    """m * sqrt(1 + (n / m) ** 2) of the larger |x| and the smaller: a square may overflow"""
    a = a.op("Abs")
    b = b.op("Abs")
    m = a.op("Max", b)
    ratio = a.op("Equal", b, dtype=BOOL).where(1, a.op("Min", b) / m)
    return m * (ratio * ratio + 1).op("Sqrt")


def expm1(x):
    """(exp(x) + 1) * tanh(x / 2), which keeps the digits near 0"""
    return (x.op("Exp") + 1) * (x * 0.5).op("Tanh")


def log1p(x):
    """2 * artanh(x / (2 + x)) near 0, where 1 + x would lose digits"""
    near = x.op("Abs") < 0.5
    inside = near.where(x, 0)
    series = (inside / (inside + 2)).op("Atanh") * 2
    return near.where(series, (x + 1).op("Log"))


def logaddexp(a, b):
    """max(a, b) + log(1 + exp(-|a - b|)); of equal infinities the difference would be NaN"""
    same = a.op("Equal", b, dtype=BOOL)
    distance = same.where(0, (a - b).op("Abs"))
    return a.op("Max", b) + (-distance).op("Softplus")


def arctan2(a, b):
    """The angle of the point (b, a): arctan(a / b), turned by half a circle where b is negative"""
    level = b.op("Equal", 0, dtype=BOOL)
    right = (a / level.where(1, b)).op("Atan")
    left = right + (a < 0).where(-math.pi, a.like(math.pi))
    turned = (b < 0).where(left, right)
    return level.where(a.op("Sign") * (math.pi / 2), turned)


def larger_number(name):
    """The larger or smaller one, or the one that is not NaN."""

    def formula(a, b):
        without_a = a.op("IsNaN", dtype=BOOL).where(b, a.op(name, b))
        return b.op("IsNaN", dtype=BOOL).where(a, without_a)

    return alike(formula)


def nan_to_num(y, x, nan=0.0, posinf=None, neginf=None):
    """Numbers where x is NaN or infinite; of integers, x as it is."""
    if y.dtype.kind != "f":
        return x
    limits = np.finfo(y.dtype)
    high = limits.max if posinf is None else posinf
    low = limits.min if neginf is None else neginf
    clean = x.op("IsNaN", dtype=BOOL).where(nan, x)
    clean = x.op("IsInf", detect_negative=0, dtype=BOOL).where(high, clean)
    return x.op("IsInf", detect_positive=0, dtype=BOOL).where(low, clean)


def where(y, condition, a, b):
    """The condition may be an array of numbers, of which all but 0 hold."""
    if y.dtype == BOOL:
        raise Refused(BOOLEANS)
    if not isinstance(condition, Value):  # a constant
        condition = y.writer.constant(np.asarray(condition, bool))
    return condition.cast(BOOL).where(y.like(a), y.like(b))


def round(y, x, decimals=0):
    """To so many decimals; a half goes to the even neighbor, as in NumPy."""
    if y.dtype.kind != "f":
        if decimals < 0:
            raise Refused("it rounds integers: .astype(np.float32) makes floats of them.")
        return x
    if not decimals:
        return x.op("Round")
    return (x * 10.0**decimals).op("Round") / 10.0**decimals


# ---- reductions and what goes along an axis ------------------------------------------------------


def norm_of_order(y, x, ord, axis=None, keepdims=False):
    """sum(|x| ** ord) ** (1 / ord)"""
    powers = y.like(x).op("Abs").op("Pow", ord)
    return _reduced(powers, "ReduceSum", _axes(x, axis), keepdims).op("Pow", 1 / ord)


def logsumexp(y, x, axis=None, keepdims=False):
    """top + log(sum(exp(x - top))): by onnxruntime's own, [-inf, -104] would be -inf"""
    x = y.like(x)
    axes = _axes(x, axis)
    limits = np.finfo(y.dtype)
    top = _reduced(x, "ReduceMax", axes, keepdims=True).op("Clip", limits.min, limits.max)
    sums = _reduced((x - top).op("Exp"), "ReduceSum", axes, keepdims=True).op("Log") + top
    return sums if keepdims or not axes else sums.op("Squeeze", x.writer.ints(axes))


def _flat_or_along(y, x, axis):
    """`x` in the dtype of y and the axis, both for all elements in one axis if the axis is None."""
    if axis is None or x.ndim == 0:
        return y.like(x).reshaped([-1]), 0
    return y.like(x), normalize_axis_index(axis, x.ndim)


def cumsum(y, x, axis=None):
    """Running sums along an axis, or over all."""
    x, axis = _flat_or_along(y, x, axis)
    return x.op("CumSum", x.writer.constant(np.array(axis)))


def cumprod(y, x, axis=None):
    """The product, along a new axis, of the elements up to each, and of ones: n * n for n"""
    x, axis = _flat_or_along(y, x, axis)
    n = y.shape[axis]
    _fixed(n)
    until = np.tri(n, dtype=bool).reshape(n, n, *[1] * (y.ndim - 1 - axis))
    writer = y.writer
    rows = x.op("Unsqueeze", writer.ints([axis]))  # (..., 1, n, ...)
    rows = writer.constant(until).where(rows, 1)  # (..., n, n, ...)
    return rows.op("ReduceProd", writer.ints([axis + 1]), keepdims=0)


def softmax(name):
    """The operator of this name, or over several axes what it is made of."""

    def entry(y, x, axis=-1):
        x = y.like(x)
        if isinstance(axis, int):
            return x.op(name, axis=axis)
        logs = x - logsumexp(y, x, axis, keepdims=True)
        return logs if name == "LogSoftmax" else logs.op("Exp")

    return entry


# ---- shapes --------------------------------------------------------------------------------------


def transpose(y, x, axes=None):
    """The axes in the given order, by default reversed."""
    if axes is None:
        return x.transposed(range(x.ndim)[::-1])
    return x.transposed(normalize_axis_tuple(axes, x.ndim))


def flip(y, x, axis=None):
    """Slices that go from the last element to before the first."""
    axes = _axes(x, axis)
    if not axes:
        return x
    ints = x.writer.ints
    count = len(axes)
    last, before_first = ints([-1] * count), ints([-sys.maxsize] * count)
    return x.op("Slice", last, before_first, ints(axes), ints([-1] * count))


def roll(y, x, shift, axis=None):
    """The elements moved along; without an axis, as if there were one."""
    if axis is None:
        _fixed(*x.shape)
        return _rolled(x.reshaped([-1]), math.prod(x.shape), shift, 0).reshaped(y.shape)
    shifts, axes = np.broadcast_arrays(shift, axis)
    for distance, along in zip(shifts.reshape(-1).tolist(), axes.reshape(-1).tolist()):
        x = _rolled(x, y.shape[along], distance, along)
    return x


def _rolled(x, n, shift, axis):
    _fixed(n)
    return x.op("Gather", x.writer.ints(np.roll(np.arange(n), shift).tolist()), axis=axis)


def pad(y, x, *, widths, value):
    """The border in the order of ONNX: first what goes before each axis, then what goes after."""
    if not widths:  # of a number
        return x
    pads = [low for low, _ in widths] + [high for _, high in widths]
    border = x.writer.constant(np.array(value, x.dtype))
    # With axes, as without them onnxruntime 1.31 makes zeros around a MaxPool the border of that.
    return x.op("Pad", x.writer.ints(pads), border, x.writer.ints(range(x.ndim)))


def diagonal(y, x, offset=0, axis1=0, axis2=1):
    """The two axes as one, the last, and from that the places of the diagonal"""
    axes = normalize_axis_tuple((axis1, axis2), x.ndim)
    rest = [axis for axis in range(x.ndim) if axis not in axes]
    n, m = (x.shape[axis] for axis in axes)
    _fixed(n, m)
    flat = x.transposed([*rest, *axes]).reshaped([*(x.shape[axis] for axis in rest), n * m])
    places = np.arange(n * m).reshape(n, m).diagonal(offset)
    return flat.op("Gather", x.writer.ints(places.tolist()), axis=-1)


def concatenate(y, *arrays, axis):
    """Arrays one after the other, in one dtype."""
    first, *rest = [y.like(x) for x in arrays]
    return first.op("Concat", *rest, axis=axis)


# ---- products and windows ------------------------------------------------------------------------


def linear(y, x, w, b=None):
    """x @ w.T + b, of which ONNX has an operator for matrices alone."""
    b = None if b is None else y.like(b)
    if x.ndim == 2 and y.dtype.kind == "f":
        return y.like(x).op("Gemm", y.like(w), b, transB=1)
    product = y.like(x).op("MatMul", y.like(w).transposed([1, 0]))
    return product if b is None else product + b


def einsum(y, *operands, subscripts, optimize):
    """Sum of products over labeled axes. "..." is written out: in ONNX it has one length."""
    first, *rest = [y.like(x) for x in operands]
    return first.op("Einsum", *rest, equation=explicit(subscripts, operands))


def conv2d(y, x, w, b=None, *, stride, padding, dilation):
    """The kernels slide over the images; a border of zeros is part of the operator."""
    options = _window_options(stride, padding, dilation)
    b = None if b is None else y.like(b)
    return y.like(x).op("Conv", y.like(w), b, kernel_shape=list(w.shape[2:]), **options)


def conv2d_input_gradient(y, g, w, *, shape, stride, padding, dilation):
    """conv_transpose2d. Where a stride makes one size of several, `shape` says which one."""
    options = _window_options(stride, padding, dilation)
    sizes = zip(shape[2:], w.shape[2:], stride, padding, dilation, strict=True)
    more = [(n + 2 * p - d * (k - 1) - 1) % s for n, k, s, p, d in sizes]  # see output_size
    options |= {"kernel_shape": list(w.shape[2:]), "output_padding": more}
    return y.like(g).op("ConvTranspose", y.like(w), **options)


def _window_options(stride, padding, dilation):
    return {
        "strides": list(stride),
        "pads": [*padding, *padding],
        "dilations": list(dilation),
    }


def _one_hot(y, C, kernel_size):
    """A kernel for each place of a window and each channel, which reads that number alone."""
    KH, KW = kernel_size
    kernels = np.eye(KH * KW * C, dtype=y.dtype).reshape(KH * KW * C, KH, KW, C)
    return y.writer.constant(kernels.transpose(0, 3, 1, 2))


def im2col(y, x, *, kernel_size, stride, padding, dilation):
    """A convolution with kernels that only read; its channels are the numbers of a row."""
    kernels = _one_hot(y, x.shape[1], kernel_size)
    columns = conv2d(y, x, kernels, stride=stride, padding=padding, dilation=dilation)
    return columns.transposed([0, 2, 3, 1]).reshaped(y.shape)


def col2im(y, columns, *, shape, kernel_size, stride, padding, dilation):
    """The reverse, with the same kernels."""
    OH, OW = output_size(shape, kernel_size, stride, padding, dilation)
    kernels = _one_hot(y, shape[1], kernel_size)
    images = columns.reshaped([shape[0], OH, OW, columns.shape[1]]).transposed([0, 3, 1, 2])
    options = {"stride": stride, "padding": padding, "dilation": dilation}
    return conv2d_input_gradient(y, images, kernels, shape=shape, **options)


def max_pool2d(y, x, *, kernel_size, stride, border=(0, 0)):
    """The border of -inf is there already: by a row of its own."""
    return x.op("MaxPool", kernel_shape=list(kernel_size), strides=list(stride))


def window_sum(y, x, *, kernel_size, stride):
    """The border of zeros is there already, so that it counts."""
    means = x.op("AveragePool", kernel_shape=list(kernel_size), strides=list(stride))
    return means * math.prod(kernel_size)
