"""Read 2 of 8: elementwise functions. Each row pairs a NumPy function with its gradient rules.

A rule takes the gradient of the output `g`, the output `y`, then the inputs, and returns the
gradient of one input. So the row of exp says: of y = e ** x, dL/dx = g * y. The engine undoes
broadcasting, so a rule is only the derivative.
"""

import math

import numpy as np

from ..autograd import primitive

LN2, LN10 = math.log(2), math.log(10)
INTEGERS = {2: np.uint16, 4: np.uint32, 8: np.uint64}  # by their bytes


def gated(g, mask, out=None):
    """`g` where a Boolean mask holds, else 0: the bits of each float, as an integer, times 1 or 0.

    As quick as g * mask; np.where takes 20 times as long.
    """
    integer = INTEGERS.get(g.dtype.itemsize)
    if integer is None:  # none is as long as a longdouble
        passed = np.where(mask, g, g.dtype.type(0))
        if out is None:
            return passed
        out[...] = passed
        return out
    bits = None if out is None else out.view(integer)
    return np.multiply(g.view(integer), np.asarray(mask).view(np.uint8), out=bits).view(g.dtype)


def _sigmoid(x):
    e = np.exp(-np.abs(x))  # never above 1
    return np.maximum(e, x >= 0) / (1 + e)  # 1 or e, over 1 + e


# A table is read down its columns.
# fmt: off

# ---- arithmetic: add, subtract, multiply, divide, signs, power, square, reciprocal, sqrt ---------

add        = primitive(np.add,        lambda g, y, a, b: g,
                                      lambda g, y, a, b: g,          doc="a + b")
subtract   = primitive(np.subtract,   lambda g, y, a, b: g,
                                      lambda g, y, a, b: -g,         doc="a - b")
multiply   = primitive(np.multiply,   lambda g, y, a, b: g * b,
                                      lambda g, y, a, b: g * a,      doc="a * b")
divide     = primitive(np.divide,     lambda g, y, a, b: g / b,
                                      lambda g, y, a, b: -g * y / b, doc="a / b")
positive   = primitive(np.positive,   lambda g, y, x: g,             doc="+x, a copy of x")
negative   = primitive(np.negative,   lambda g, y, x: -g,            doc="-x")
power      = primitive(lambda a, b: a**b,  # quick for b = 2 and 0.5, unlike np.power
                                      lambda g, y, a, b: g * (b * a ** _one_less(a, b)),
                                      lambda g, y, a, b: g * y * _log_base(a),
                       name="power",  doc="a ** b; at 0 ** 0 both gradients are 0")
square     = primitive(np.square,     lambda g, y, x: g * (2 * x),   doc="x ** 2")
reciprocal = primitive(np.reciprocal, lambda g, y, x: -g * y * y,    doc="1 / x")
sqrt       = primitive(np.sqrt,       lambda g, y, x: g / (2 * y),
                                      doc="Square root; its gradient at 0 is inf")

# ---- exponentials: exp, expm1, log, log1p, log2, log10, logaddexp, sigmoid -----------------------

exp        = primitive(np.exp,        lambda g, y, x: g * y,          doc="e ** x")
expm1      = primitive(np.expm1,      lambda g, y, x: g * (y + 1),    doc="e ** x - 1 for x near 0")
log        = primitive(np.log,        lambda g, y, x: g / x,          doc="Natural logarithm")
log1p      = primitive(np.log1p,      lambda g, y, x: g / (1 + x),    doc="log(1 + x) for x near 0")
log2       = primitive(np.log2,       lambda g, y, x: g / (x * LN2),  doc="Logarithm, base 2")
log10      = primitive(np.log10,      lambda g, y, x: g / (x * LN10), doc="Logarithm, base 10")
logaddexp  = primitive(np.logaddexp,  lambda g, y, a, b: g * sigmoid(a - b),
                                      lambda g, y, a, b: g * sigmoid(b - a),
                                      doc="log(e ** a + e ** b), without overflow")
sigmoid    = primitive(_sigmoid,      lambda g, y, x: g * (y * (1 - y)), doc="1 / (1 + exp(-x))")

# ---- trigonometry: sin, cos, tan and their inverses ----------------------------------------------

sin        = primitive(np.sin,        lambda g, y, x: g * cos(x),           doc="Sine of radians")
cos        = primitive(np.cos,        lambda g, y, x: -g * sin(x),          doc="Cosine of radians")
tan        = primitive(np.tan,        lambda g, y, x: g * (1 + y * y),      doc="Tangent")
arcsin     = primitive(np.arcsin,     lambda g, y, x: g / sqrt(1 - x * x),  doc="Inverse sine")
arccos     = primitive(np.arccos,     lambda g, y, x: -g / sqrt(1 - x * x), doc="Inverse cosine")
arctan     = primitive(np.arctan,     lambda g, y, x: g / (1 + x * x),      doc="Inverse tangent")
arctan2    = primitive(np.arctan2,    lambda g, y, a, b: g * b / (a * a + b * b),
                                      lambda g, y, a, b: -g * a / (a * a + b * b),
                                      doc="Angle of the point (b, a)")

# ---- hyperbolic: sinh, cosh, tanh ----------------------------------------------------------------

sinh       = primitive(np.sinh,       lambda g, y, x: g * cosh(x),     doc="Hyperbolic sine")
cosh       = primitive(np.cosh,       lambda g, y, x: g * sinh(x),     doc="Hyperbolic cosine")
tanh       = primitive(np.tanh,       lambda g, y, x: g * (1 - y * y), doc="Hyperbolic tangent")

# ---- choices: gate, absolute, maximum, minimum, clip, where --------------------------------------
# A rule that lets a gradient pass or not is a gate and no product: 0 * inf would be NaN.

gate       = primitive(lambda g, mask: gated(g, mask), lambda h, y, g, mask: gate(h, mask),
                       name="gate",   doc="g where the mask holds, else 0, even if g is inf or NaN")
absolute   = primitive(np.absolute,   lambda g, y, x: g * sign(x), doc="|x|; the slope at 0 is 0")
maximum    = primitive(np.maximum,    lambda g, y, a, b: (gate(g, a > b) + gate(g, a >= b)) / 2,
                                      lambda g, y, a, b: (gate(g, a < b) + gate(g, a <= b)) / 2,
                                      doc="The larger of a and b; a tie halves the gradient")
minimum    = primitive(np.minimum,    lambda g, y, a, b: (gate(g, a < b) + gate(g, a <= b)) / 2,
                                      lambda g, y, a, b: (gate(g, a > b) + gate(g, a >= b)) / 2,
                                      doc="The smaller of a and b; a tie halves the gradient")
_clip      = primitive(lambda x, low, high: np.clip(x, low, high),
                                      lambda g, y, x, low, high: gate(g, y == x),
                       name="clip",   doc="x within low and high; the gradient at a bound is 1")
where      = primitive(lambda condition, a, b: np.where(condition, a, b),
                                      None,
                                      lambda g, y, condition, a, b:
                                          gate(g, np.not_equal(condition, 0)),
                                      lambda g, y, condition, a, b:
                                          gate(g, np.equal(condition, 0)),
                       name="where",  doc="a where the condition holds, else b")

# ---- steps, of zero gradient: sign, floor, ceil, round -------------------------------------------

sign       = primitive(np.sign,       lambda g, y, x: gate(g, False), doc="-1, 0 or 1")
floor      = primitive(np.floor,      lambda g, y, x: gate(g, False), doc="Largest integer <= x")
ceil       = primitive(np.ceil,       lambda g, y, x: gate(g, False), doc="Smallest integer >= x")
round      = primitive(lambda x, decimals=0: np.round(x, decimals),
                                      lambda g, y, x, decimals=0: gate(g, False),
                       name="round",  doc="x rounded to the given number of decimals")

# fmt: on

# ---- the bounds of clip --------------------------------------------------------------------------


def clip(x, a_min=None, a_max=None, *, min=None, max=None):
    """`x` within bounds, which are constants; None, or left out, is no bound.

    The gradient is 1 within the bounds and at them, 0 outside. Both have two names, as in np.clip.

    Raises
    ------
    ValueError
        If a bound is given by both of its names.

    Examples
    --------
    >>> clip(np.array([-1.0, 0.5, 2.0]), 0, 1)
    array([0. , 0.5, 1. ])
    """
    if (a_min is not None and min is not None) or (a_max is not None and max is not None):
        raise ValueError(
            f"clip expects each bound once, got {a_min=}, {a_max=}, {min=} and {max=}: "
            "a_min and min are the same bound, and so are a_max and max."
        )
    return _clip(x, a_min if min is None else min, a_max if max is None else max)


# ---- the edges of power --------------------------------------------------------------------------


def _one_less(a, b):
    """The exponent of the slope b * a ** (b - 1).

    Where a and b are 0 it is 1: the slope is to be 0 there, and 0 * 0 ** -1 would be NaN.
    """
    if isinstance(b, int | float):
        return b - 1 if b else 1
    return where((a == 0) & (b == 0), 1, b - 1)


def _log_base(a):
    """The log(a) of the slope y * log(a) by b, but 0 at a = 0, where 0 * -inf would be NaN.

    A number stays a number, so that float32 does not become float64.
    """
    if not isinstance(a, int | float):
        return log(where(a == 0, 1, a))
    if a == 0:
        return 0.0
    return math.log(a) if a > 0 else math.nan
