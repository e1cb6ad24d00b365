"""Read 2 of 8: elementwise functions. Each row pairs a NumPy function with its gradient rules.

A rule takes the gradient of the output `g`, the output `y`, then the inputs, and returns the
gradient of one input. So the row of exp says: of y = e ** x, dL/dx = g * y. The engine undoes
broadcasting, so a rule is only the derivative.
"""

import math

import numpy as np

from ..autograd import primitive
from .shaping import copied

LN2, LN10, PI = math.log(2), math.log(10), math.pi
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
    e = np.exp(-1.0 * np.abs(x))  # never above 1; of bytes too, where -1 would be 255
    return np.maximum(e, x >= 0) / (1 + e)  # 1 or e, over 1 + e


# A table is read down its columns.
# fmt: off

# ---- arithmetic: add, subtract, multiply, divide, remainder, signs, powers and roots -------------

add        = primitive(np.add,        lambda g, y, a, b: g,
                                      lambda g, y, a, b: g,          doc="a + b")
subtract   = primitive(np.subtract,   lambda g, y, a, b: g,
                                      lambda g, y, a, b: -g,         doc="a - b")
multiply   = primitive(np.multiply,   lambda g, y, a, b: g * b,
                                      lambda g, y, a, b: g * a,      doc="a * b")
divide     = primitive(np.divide,     lambda g, y, a, b: g / b,
                                      lambda g, y, a, b: -g * y / b, doc="a / b")
remainder  = primitive(np.remainder,  lambda g, y, a, b: g,
                                      lambda g, y, a, b: -g * floor_divide(a, b),
                                      doc="a % b, what is left of a; it has the sign of b")
positive   = primitive(np.positive,   lambda g, y, x: g,             doc="+x, a copy of x")
negative   = primitive(np.negative,   lambda g, y, x: -g,            doc="-x")
power      = primitive(lambda a, b: a**b,  # quick for b = 2 and 0.5, unlike np.power
                                      lambda g, y, a, b: g * (b * a ** _one_less(a, b)),
                                      lambda g, y, a, b: g * y * _log_base(a, y),
                       name="power",  doc="a ** b; at 0 ** 0 both gradients are 0")
square     = primitive(np.square,     lambda g, y, x: g * (2 * x),   doc="x ** 2")
reciprocal = primitive(np.reciprocal, lambda g, y, x: -g * y * y,    doc="1 / x")
sqrt       = primitive(np.sqrt,       lambda g, y, x: g / (2 * y),
                                      doc="Square root; its gradient at 0 is inf")
cbrt       = primitive(np.cbrt,       lambda g, y, x: g / (3 * y * y),
                                      doc="Cube root; its gradient at 0 is inf")
hypot      = primitive(np.hypot,      lambda g, y, a, b: g * (a / where(y == 0, 1, y)),
                                      lambda g, y, a, b: g * (b / where(y == 0, 1, y)),
                                      doc="sqrt(a ** 2 + b ** 2); its gradients at 0 are 0")

# ---- exponentials: exp, expm1, log, log1p, of other bases, logaddexp, sigmoid --------------------

exp        = primitive(np.exp,        lambda g, y, x: g * y,          doc="e ** x")
exp2       = primitive(np.exp2,       lambda g, y, x: g * (y * LN2),  doc="2 ** x")
expm1      = primitive(np.expm1,      lambda g, y, x: g * exp(x),     doc="e ** x - 1 for x near 0")
log        = primitive(np.log,        lambda g, y, x: g / x,          doc="Natural logarithm")
log1p      = primitive(np.log1p,      lambda g, y, x: g / (1 + x),    doc="log(1 + x) for x near 0")
log2       = primitive(np.log2,       lambda g, y, x: g / (x * LN2),  doc="Logarithm, base 2")
log10      = primitive(np.log10,      lambda g, y, x: g / (x * LN10), doc="Logarithm, base 10")
logaddexp  = primitive(np.logaddexp,  lambda g, y, a, b: g * sigmoid(a - b),
                                      lambda g, y, a, b: g * sigmoid(b - a),
                                      doc="log(e ** a + e ** b), without overflow")
logaddexp2 = primitive(np.logaddexp2, lambda g, y, a, b: g * sigmoid((a - b) * LN2),
                                      lambda g, y, a, b: g * sigmoid((b - a) * LN2),
                                      doc="log2(2 ** a + 2 ** b), without overflow")
sigmoid    = primitive(_sigmoid,      lambda g, y, x: g * (y * (1 - y)), doc="1 / (1 + exp(-x))")

# ---- trigonometry: sin, cos, tan and their inverses; degrees -------------------------------------
# (1 - x) * (1 + x) keeps the digits that 1 - x * x loses near 1.

sin        = primitive(np.sin,        lambda g, y, x: g * cos(x),           doc="Sine of radians")
cos        = primitive(np.cos,        lambda g, y, x: -g * sin(x),          doc="Cosine of radians")
tan        = primitive(np.tan,        lambda g, y, x: g * (1 + y * y),      doc="Tangent")
arcsin     = primitive(np.arcsin,     lambda g, y, x: g / sqrt((1 - x) * (1 + x)),
                                      doc="Inverse sine")
arccos     = primitive(np.arccos,     lambda g, y, x: -g / sqrt((1 - x) * (1 + x)),
                                      doc="Inverse cosine")
arctan     = primitive(np.arctan,     lambda g, y, x: g / (1 + x * x),      doc="Inverse tangent")
arctan2    = primitive(np.arctan2,    lambda g, y, a, b: g * (b / _radius(a, b)) / _radius(a, b),
                                      lambda g, y, a, b: -g * (a / _radius(a, b)) / _radius(a, b),
                                      doc="Angle of the point (b, a); its gradients at 0 are 0")
deg2rad    = primitive(np.deg2rad,    lambda g, y, x: deg2rad(g),    doc="Radians of degrees")
rad2deg    = primitive(np.rad2deg,    lambda g, y, x: rad2deg(g),    doc="Degrees of radians")

# ---- hyperbolic: sinh, cosh, tanh and their inverses ---------------------------------------------

sinh       = primitive(np.sinh,       lambda g, y, x: g * cosh(x),     doc="Hyperbolic sine")
cosh       = primitive(np.cosh,       lambda g, y, x: g * sinh(x),     doc="Hyperbolic cosine")
tanh       = primitive(np.tanh,       lambda g, y, x: g * (1 - y * y), doc="Hyperbolic tangent")
arcsinh    = primitive(np.arcsinh,    lambda g, y, x: g / hypot(x, 1),
                                      doc="Inverse hyperbolic sine")
arccosh    = primitive(np.arccosh,    lambda g, y, x: g / (sqrt(x - 1) * sqrt(x + 1)),
                                      doc="Inverse hyperbolic cosine")
arctanh    = primitive(np.arctanh,    lambda g, y, x: g / ((1 - x) * (1 + x)),
                                      doc="Inverse hyperbolic tangent")

# ---- choices: gate, absolute, maximum, minimum, bounds, nan_to_num, where ------------------------
# A rule that lets a gradient pass or not is a gate and no product: 0 * inf would be NaN.

gate       = primitive(lambda g, mask: gated(g, mask), lambda h, y, g, mask: gate(h, mask),
                       name="gate",   doc="g where the mask holds, else 0, even if g is inf or NaN")
absolute   = primitive(np.absolute,   lambda g, y, x: g * sign(x), doc="|x|; the slope at 0 is 0")
fabs       = primitive(np.fabs,       lambda g, y, x: g * sign(x), doc="|x|; slope 0 at 0; a float")
maximum    = primitive(np.maximum,    lambda g, y, a, b: (gate(g, y == a) + gate(g, y != b)) / 2,
                                      lambda g, y, a, b: (gate(g, y == b) + gate(g, y != a)) / 2,
                                      doc="The larger of a and b; a tie halves the gradient")
minimum    = primitive(np.minimum,     *maximum.rules,
                                      doc="The smaller of a and b; a tie halves the gradient")
fmax       = primitive(np.fmax,        *maximum.rules,
                                      doc="The larger of a and b, or the one that is not NaN")
fmin       = primitive(np.fmin,        *maximum.rules,
                                      doc="The smaller of a and b, or the one that is not NaN")
_at_least  = primitive(lambda x, low: np.clip(x, low, None),
                                      lambda g, y, x, low: gate(g, y == x),
                                      lambda g, y, x, low: gate(g, x < low),
                       name="at_least", doc="x, but low where x is less")
_at_most   = primitive(lambda x, high: np.clip(x, None, high),
                                      lambda g, y, x, high: gate(g, y == x),
                                      lambda g, y, x, high: gate(g, x > high),
                       name="at_most",  doc="x, but high where x is more")
nan_to_num = primitive(lambda x, nan=0.0, posinf=None, neginf=None:
                           np.nan_to_num(x, nan=nan, posinf=posinf, neginf=neginf),
                                      lambda g, y, x, **o: gate(g, np.isfinite(x)),
                       name="nan_to_num", doc="x, with numbers where it is NaN or infinite")
where      = primitive(lambda condition, a, b: np.where(condition, a, b),
                                      None,
                                      lambda g, y, condition, a, b:
                                          gate(g, np.not_equal(condition, 0)),
                                      lambda g, y, condition, a, b:
                                          gate(g, np.equal(condition, 0)),
                       name="where",  doc="a where the condition holds, else b")

# ---- steps, of zero gradient: sign, floor, ceil, round, floor_divide -----------------------------

sign       = primitive(np.sign,       lambda g, y, x: gate(g, False), doc="-1, 0 or 1")
floor      = primitive(np.floor,      lambda g, y, x: gate(g, False), doc="Largest integer <= x")
ceil       = primitive(np.ceil,       lambda g, y, x: gate(g, False), doc="Smallest integer >= x")
round      = primitive(lambda x, decimals=0: np.round(x, decimals),
                                      lambda g, y, x, decimals=0: gate(g, False),
                       name="round",  doc="x rounded to the given number of decimals")
floor_divide = primitive(np.floor_divide, lambda g, y, a, b: gate(g, False),
                                          lambda g, y, a, b: gate(g, False),
                                      doc="a // b, the largest integer <= a / b")

abs, mod = absolute, remainder  # other names, as in NumPy

# fmt: on

# ---- derived: clip, sinc -------------------------------------------------------------------------


def clip(x, a_min=None, a_max=None, *, min=None, max=None):
    """`x` within bounds: numbers, arrays or Tensors; None, or left out, is no bound.

    The gradient goes to `x` within the bounds and at them; outside, to the bound. Both bounds have
    two names, as in np.clip.

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
    low = a_min if min is None else min
    high = a_max if max is None else max
    if low is None and high is None:
        return copied(x)
    x = x if low is None else _at_least(x, low)
    return x if high is None else _at_most(x, high)


def sinc(x):
    """sin(pi x) / (pi x), and 1 at 0, as np.sinc.

    Near 0 it is the Taylor series, so that its first derivatives are right there too.

    Examples
    --------
    >>> sinc(np.array([0.0, 0.5, 1.0])).round(4)
    array([1.    , 0.6366, 0.    ])
    """
    z = multiply(x, PI)
    near = absolute(z) < 0.5
    far = where(near, 1, z)
    square_z = where(near, z * z, 0)
    series = 1
    for n in (14, 12, 10, 8, 6, 4, 2):  # 1 - z**2 / 3! + z**4 / 5! - ...; the next is below 1e-16
        series = 1 - series * square_z / (n * (n + 1))
    return where(near, series, sin(far) / far)


# ---- the edges of arctan2 and power --------------------------------------------------------------


def _radius(a, b):
    """The distance of the point (b, a) from 0, but 1 at 0, as it stands below a fraction line."""
    r = hypot(a, b)
    return where(r == 0, 1, r)


def _one_less(a, b):
    """The exponent of the slope b * a ** (b - 1).

    Where a and b are 0 it is 1: the slope is to be 0 there, and 0 * 0 ** -1 would be NaN.
    """
    if isinstance(b, int | float):
        return b - 1 if b else 1
    return where((a == 0) & (b == 0), 1, b - 1)


def _log_base(a, y):
    """The log(a) of the slope y * log(a) by b, but 0 at a = 0, where 0 * -inf would be NaN.

    A number stays a number, so that float32 does not become float64. Integers become floats of the
    dtype of y, as NumPy's log of bytes has but three digits.
    """
    if not isinstance(a, int | float):
        one = np.ones((), y.dtype if a.dtype.kind in "iub" else a.dtype)
        return log(where(a == 0, one, a))
    if a == 0:
        return 0.0
    return math.log(a) if a > 0 else math.nan
