"""Read 3 of 8: products of matrices. matmul, and einsum, from which the others are derived.

One line of calculus: of Y = A @ B, the gradients are dA = dY @ B.T and dB = A.T @ dY. The rest is
vectors, which NumPy promotes to matrices, and batches, over which the engine sums.
"""

import string

import numpy as np

from ..autograd import primitive
from .elementwise import multiply
from .shaping import broadcast_to, expand_dims, reshape, scatter, swapaxes


def _T(x):
    return swapaxes(x, -1, -2)


def _matmul_left(g, y, a, b):
    if b.ndim == 1:  # (..., n, k) @ (k,) -> (..., n)
        return expand_dims(g, -1) * b
    if a.ndim == 1:  # (k,) @ (..., k, m) -> (..., m)
        return matmul(b, expand_dims(g, -1))[..., 0]
    return matmul(g, _T(b))


def _matmul_right(g, y, a, b):
    if a.ndim == 1:  # (k,) @ (..., k, m) -> (..., m), or (k,) @ (k,) -> ()
        return a * g if b.ndim == 1 else expand_dims(a, -1) * expand_dims(g, -2)
    if b.ndim == 1:  # (..., n, k) @ (k,) -> (..., n)
        return matmul(_T(a), expand_dims(g, -1))[..., 0]
    if b.ndim == 2 and a.ndim > 2:  # one matrix for all: one product instead of a sum of many
        return _matmul_right(reshape(g, (-1, g.shape[-1])), y, reshape(a, (-1, a.shape[-1])), b)
    if _is_transposed(b):  # a gradient in the memory order of its matrix needs no copy later
        return _T(matmul(_T(g), a))
    return matmul(_T(a), g)


def _is_transposed(x):
    strides = getattr(x, "_data", x).strides
    return strides[-1] > strides[-2]


def _einsum(*operands, subscripts):
    return np.einsum(subscripts, *operands, optimize=len(operands) > 2)


def _einsum_gradient(i, g, y, *operands, subscripts):
    """The einsum of `g` and the other operands, with the labels of operand `i` as its output."""
    *labels, out = subscripts.replace("->", ",").split(",")
    x, own = operands[i], "".join(dict.fromkeys(labels[i]))
    others = [n for n in range(len(operands)) if n != i]
    seen = [a for a in own if any(a in part for part in [out, *(labels[n] for n in others)])]
    rule = ",".join([out, *(labels[n] for n in others)]) + "->" + "".join(seen)
    h = einsum(rule, g, *(operands[n] for n in others))
    absent = tuple(axis for axis, a in enumerate(own) if a not in seen)
    shape = tuple(x.shape[labels[i].index(a)] for a in own)
    h = expand_dims(h, absent) if absent else h
    h = broadcast_to(h, np.broadcast_shapes(h.shape, shape))  # what was only summed is spread
    if own == labels[i]:
        return h
    places = dict(zip(own, np.indices(shape, sparse=True), strict=True))  # a repeated label
    return scatter(h, index=tuple(places[a] for a in labels[i]), shape=x.shape)


def _explicit(subscripts, ndims):
    """The subscripts with letters in place of "..." and with the output written out."""
    inputs, arrow, out = subscripts.replace(" ", "").partition("->")
    parts = inputs.split(",")
    if len(parts) != len(ndims):
        raise ValueError(f"einsum {subscripts!r} names {len(parts)} operands, got {len(ndims)}.")
    free = [a for a in string.ascii_letters if a not in subscripts]
    extra = [n - len(part.replace("...", "")) for part, n in zip(parts, ndims, strict=True)]
    dots = "".join(free[: max([0, *(n for n, p in zip(extra, parts, strict=True) if "..." in p)])])
    parts = [p.replace("...", dots[len(dots) - n :]) for n, p in zip(extra, parts, strict=True)]
    if not arrow:
        used = inputs.replace(",", "").replace("...", "")
        out = "..." + "".join(a for a in sorted(set(used)) if used.count(a) == 1)
    return ",".join(parts) + "->" + out.replace("...", dots)


# fmt: off  (a table is read down its columns)
matmul = primitive(
    np.matmul,
    _matmul_left,
    _matmul_right,
    doc="a @ b: the product of matrices, of vectors, or of batches of matrices",
)
_product = primitive(_einsum, each=_einsum_gradient, doc="Sum of products over labelled axes")
# fmt: on

# ---- derived: einsum, dot, inner, outer, tensordot -----------------------------------------------


def einsum(subscripts, *operands):
    """Sum of products over labelled axes, in the forms of np.einsum that name axes by letters.

    Examples
    --------
    >>> einsum("ij,ij->i", np.ones((2, 3)), np.ones((2, 3)))
    array([3., 3.])
    """
    if not isinstance(subscripts, str):
        raise TypeError('einsum expects its subscripts as a string first, as "ij,jk->ik".')
    return _product(*operands, subscripts=_explicit(subscripts, [np.ndim(x) for x in operands]))


def dot(a, b):
    """np.dot: the last axis of `a` with the second to last of `b`; products with a number.

    Examples
    --------
    >>> float(dot(np.array([1.0, 2.0]), np.array([3.0, 4.0])))
    11.0
    """
    if np.ndim(a) == 0 or np.ndim(b) == 0:
        return multiply(a, b)
    return matmul(a, b) if b.ndim <= 2 else tensordot(a, b, ([-1], [-2]))


def inner(a, b):
    """np.inner: the last axis of `a` with the last of `b`.

    Examples
    --------
    >>> inner(np.array([[1.0, 2.0]]), np.array([3.0, 4.0]))
    array([11.])
    """
    if np.ndim(a) == 0 or np.ndim(b) == 0:
        return multiply(a, b)
    return tensordot(a, b, ([-1], [-1]))


def outer(a, b):
    """Every product of an element of `a` with one of `b`: (a.size, b.size).

    Examples
    --------
    >>> outer(np.array([1.0, 2.0]), np.array([3.0, 4.0])).tolist()
    [[3.0, 4.0], [6.0, 8.0]]
    """
    return reshape(a, (-1, 1)) * reshape(b, (1, -1))


def tensordot(a, b, axes=2):
    """Sum over pairs of axes, or over so many last ones of `a` and first ones of `b`.

    Examples
    --------
    >>> tensordot(np.ones((2, 3)), np.ones((3, 4)), 1).shape
    (2, 4)
    """
    if isinstance(axes, int):
        axes = range(a.ndim - axes, a.ndim), range(axes)
    of_a, of_b = [[int(i) for i in np.ravel(group)] for group in axes]
    letters_a, letters_b = (
        list(string.ascii_letters[: a.ndim]),
        list(string.ascii_letters[-b.ndim :]),
    )
    for i, j in zip(of_a, of_b, strict=True):
        letters_b[j] = letters_a[i]
    summed = {letters_a[i] for i in of_a}
    out = [letter for letter in letters_a + letters_b if letter not in summed]
    return einsum(f"{''.join(letters_a)},{''.join(letters_b)}->{''.join(out)}", a, b)
