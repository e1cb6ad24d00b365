"""The table: each row of minigrad's own, by name, and the operators of ONNX that compute the same.

An entry takes the output `y`, of which it asks dtype and shape alone, then what the row took: its
inputs as Values, its options as they are. It returns a Value. Entries longer than a line stand in
entries.py. What the operators compute is said in https://onnx.ai/onnx/operators/.
"""

import math

from . import entries
from .entries import alike, operator, reduction, step
from .indexing import getitem, scatter

OPSET = 18  # of 2022, with which the IR version 8 came; read by onnxruntime 1.14 and all later ones
IR_VERSION = 8

LN2, LN10 = math.log(2), math.log(10)

# A table is read down its columns.
# fmt: off
OPERATORS = {
    # ---- arithmetic ------------------------------------------------------------------------------
    "add":          operator("Add"),
    "subtract":     operator("Sub"),
    "multiply":     operator("Mul"),
    "divide":       operator("Div"),
    "remainder":    alike(entries.remainder),
    "floor_divide": alike(entries.floor_divide),
    "positive":     alike(lambda x: x),
    "negative":     operator("Neg"),
    "power":        operator("Pow"),
    "square":       alike(lambda x: x * x),
    "reciprocal":   operator("Reciprocal"),
    "sqrt":         operator("Sqrt"),
    "cbrt":         alike(lambda x: x.op("Sign") * x.op("Abs").op("Pow", 1 / 3)),
    "hypot":        alike(entries.hypot),

    # ---- exponentials ----------------------------------------------------------------------------
    "exp":          operator("Exp"),
    "exp2":         alike(lambda x: x.like(2).op("Pow", x)),
    "expm1":        alike(entries.expm1),
    "log":          operator("Log"),
    "log1p":        alike(entries.log1p),
    "log2":         alike(lambda x: x.op("Log") / LN2),
    "log10":        alike(lambda x: x.op("Log") / LN10),
    "logaddexp":    alike(entries.logaddexp),
    "logaddexp2":   alike(lambda a, b: entries.logaddexp(a * LN2, b * LN2) / LN2),
    "sigmoid":      operator("Sigmoid"),

    # ---- trigonometry ----------------------------------------------------------------------------
    "sin":          operator("Sin"),
    "cos":          operator("Cos"),
    "tan":          operator("Tan"),
    "arcsin":       operator("Asin"),
    "arccos":       operator("Acos"),
    "arctan":       operator("Atan"),
    "arctan2":      alike(entries.arctan2),
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
    "fmax":         entries.larger_number("Max"),
    "fmin":         entries.larger_number("Min"),
    "at_least":     operator("Max"),
    "at_most":      operator("Min"),
    "nan_to_num":   entries.nan_to_num,
    "where":        entries.where,
    "sign":         operator("Sign"),
    "floor":        step("Floor"),
    "ceil":         step("Ceil"),
    "round":        entries.round,

    # ---- activations -----------------------------------------------------------------------------
    "relu":         alike(lambda x: x.op("Relu") if x.dtype.kind == "f" else x.op("Max", 0)),
    "softmax":      entries.softmax("Softmax"),
    "log_softmax":  entries.softmax("LogSoftmax"),

    # ---- reductions ------------------------------------------------------------------------------
    "sum":          reduction("ReduceSum"),
    "prod":         reduction("ReduceProd"),
    "max":          reduction("ReduceMax"),
    "min":          reduction("ReduceMin"),
    "logsumexp":    entries.logsumexp,
    "norm":         reduction("ReduceL2"),
    "norm_of_order": entries.norm_of_order,
    "cumsum":       entries.cumsum,
    "cumprod":      entries.cumprod,

    # ---- shapes and choices of elements ----------------------------------------------------------
    "reshape":      lambda y, x, shape: x.reshaped(y.shape),
    "in_order":     lambda y, x, axes: x,
    "transpose":    entries.transpose,
    "broadcast_to": lambda y, x, shape: x.op("Expand", x.writer.ints(y.shape)),
    "flip":         entries.flip,
    "roll":         entries.roll,
    "getitem":      getitem,
    "scatter":      scatter,
    "pad":          entries.pad,
    "copy":         lambda y, x: y.like(x),
    "astype":       lambda y, x, dtype: y.like(x),
    "diagonal":     entries.diagonal,
    "concatenate":  entries.concatenate,

    # ---- products and windows --------------------------------------------------------------------
    "matmul":       operator("MatMul"),
    "linear":       entries.linear,
    "einsum":       entries.einsum,
    "conv2d":       entries.conv2d,
    "conv2d_textbook": entries.conv2d,
    "conv2d_input_gradient": entries.conv2d_input_gradient,
    "im2col":       entries.im2col,
    "col2im":       entries.col2im,
    "max_pool2d":   entries.max_pool2d,
    "window_sum":   entries.window_sum,
}

# Rows that have no entry, each with the reason.
_LOSS = "a loss needs targets, which an exported model does not get: leave it out of forward."
_GRADIENT = "it is part of a gradient, which an exported model does not compute."
WITHOUT = {
    "batch_norm": "it normalizes by the moments of the batch, as in training: nn.BatchNorm has "
                  "those of all batches in evaluation, and mg.normalize takes any.",
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
