"""Read 3 of 8: products of matrices. matmul, and einsum, from which the others are derived.

One line of calculus: of Y = A @ B, the gradients are dA = dY @ B.T and dB = A.T @ dY. The rest is
vectors, which NumPy promotes to matrices, and batches, over which the engine sums.
"""

import math
import string

import numpy as np
from numpy.lib.array_utils import normalize_axis_tuple

from ..autograd import primitive
from .elementwise import multiply
from .shaping import broadcast_to, expand_dims, plain, reshape, scatter


def _T(x):
    return x.swapaxes(-1, -2)


def _matmul_left(g, y, a, b):
    """g @ b.T, of vectors and batches too."""
    if b.ndim == 1:  # (..., n, k) @ (k,) -> (..., n)
        return g[..., None] * b
    if a.ndim == 1:  # (k,) @ (..., k, m) -> (..., m)
        return matmul(b, g[..., None])[..., 0]
    return matmul(g, _T(b))


def _matmul_right(g, y, a, b):
    """a.T @ g, of vectors and batches too."""
    if a.ndim == 1:  # (k,) @ (..., k, m) -> (..., m), or (k,) @ (k,) -> ()
        return a * g if b.ndim == 1 else a[:, None] * g[..., None, :]
    if b.ndim == 1:  # (..., n, k) @ (k,) -> (..., n)
        return matmul(_T(a), g[..., None])[..., 0]
    if b.ndim == 2 and a.ndim > 2:  # one matrix for all: one product instead of a sum of many
        return _matmul_right(_matrix(g), y, _matrix(a), b)
    if _is_transposed(b):  # a gradient in the memory order of its matrix needs no copy later
        return _T(matmul(_T(g), a))
    return matmul(_T(a), g)


def _matrix(x):
    return reshape(x, (math.prod(x.shape[:-1]), x.shape[-1]))


def _is_transposed(x):
    strides = plain(x).strides
    return strides[-1] > strides[-2]


def _einsum(*operands, subscripts, optimize):
    return np.einsum(subscripts, *operands, optimize=optimize if len(operands) > 1 else False)


def _einsum_gradient(i, g, y, *operands, subscripts, optimize):
    """The einsum of `g` and the other operands, with the labels of operand `i` as its output."""
    *labels, out = _explicit(subscripts, operands).replace("->", ",").split(",")
    x, own = operands[i], "".join(dict.fromkeys(labels[i]))
    others = [n for n in range(len(operands)) if n != i]
    given = [out, *(labels[n] for n in others)]
    seen = [a for a in own if any(a in part for part in given)]
    h = einsum(",".join(given) + "->" + "".join(seen), g, *(operands[n] for n in others))
    if absent := tuple(axis for axis, a in enumerate(own) if a not in seen):
        h = expand_dims(h, absent)
    shape = [x.shape[labels[i].index(a)] for a in own]
    h = broadcast_to(h, np.broadcast_shapes(h.shape, shape))  # what was only summed is spread
    if own == labels[i]:
        return h
    places = dict(zip(own, np.indices(shape, sparse=True), strict=True))  # a repeated label
    return scatter(h, index=tuple(places[a] for a in labels[i]), shape=x.shape)


def _explicit(subscripts, operands):
    """The subscripts with letters in place of "..." and with the output written out."""
    inputs, arrow, out = subscripts.replace(" ", "").partition("->")
    free = [a for a in string.ascii_letters if a not in subscripts]
    parts, dots = [], ""
    for part, x in zip(inputs.split(","), operands, strict=True):
        letters = "".join(free[: x.ndim - len(part.replace("...", ""))])[::-1]  # aligned at the end
        parts.append(part.replace("...", letters))
        dots = max(dots, letters, key=len) if "..." in part else dots
    if not arrow:
        used = inputs.replace(",", "").replace("...", "")
        out = "..." + "".join(a for a in sorted(set(used)) if used.count(a) == 1)
    return ",".join(parts) + "->" + out.replace("...", dots)


def _in_letters(operands):
    """einsum(a, [0, 1], b, [1, 2], [0, 2]) as subscripts, in letters, and operands."""
    letters, explicit = string.ascii_uppercase + string.ascii_lowercase, len(operands) % 2
    labels = [*operands[1::2], *operands[-1:] * explicit]
    words = ["".join("..." if n is ... else letters[n] for n in part) for part in labels]
    inputs = words[:-1] if explicit else words
    return ",".join(inputs) + ("->" + words[-1]) * explicit, operands[: 2 * len(inputs) : 2]


# A table is read down its columns.
# fmt: off
matmul   = primitive(np.matmul, _matmul_left, _matmul_right,
                     doc="a @ b: the product of matrices, of vectors, or of batches of matrices")
_product = primitive(_einsum, each=_einsum_gradient,
                     doc="Sum of products over labelled axes")
# fmt: on

# ---- derived: einsum, dot, inner, outer, tensordot -----------------------------------------------


def einsum(*operands, optimize=True):
    """Sum of products over labelled axes, in every form of np.einsum.

    Parameters
    ----------
    *operands : str, then arrays or Tensors
        Labels as "ij,jk->ik", and what they label; or arrays and lists of integers in turn.
    optimize : as np.einsum takes it

    Examples
    --------
    >>> einsum("ij,ij->i", np.ones((2, 3)), np.ones((2, 3)))
    array([3., 3.])
    >>> einsum(np.ones((2, 3)), [0, 1], [1])
    array([2., 2., 2.])
    """
    subscripts, *arrays = operands
    if not isinstance(subscripts, str):
        subscripts, arrays = _in_letters(operands)
    return _product(*arrays, subscripts=subscripts, optimize=optimize)


def dot(a, b):
    """np.dot: the last axis of `a` with the second to last of `b`; products with a number.

    Examples
    --------
    >>> float(dot(np.array([1.0, 2.0]), np.array([3.0, 4.0])))
    11.0
    """
    if np.ndim(plain(a)) == 0 or np.ndim(plain(b)) == 0:
        return multiply(a, b)
    return matmul(a, b) if b.ndim <= 2 else tensordot(a, b, (-1, -2))


def inner(a, b):
    """np.inner: the last axis of `a` with the last of `b`.

    Examples
    --------
    >>> inner(np.array([[1.0, 2.0]]), np.array([3.0, 4.0]))
    array([11.])
    """
    if np.ndim(plain(a)) == 0 or np.ndim(plain(b)) == 0:
        return multiply(a, b)
    return tensordot(a, b, (-1, -1))


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
        axes = range(-axes, 0), range(axes)
    of_a, of_b = normalize_axis_tuple(axes[0], a.ndim), normalize_axis_tuple(axes[1], b.ndim)
    if [a.shape[i] for i in of_a] != [b.shape[j] for j in of_b]:
        raise ValueError(f"tensordot over {axes=} of shapes {a.shape} and {b.shape}: they differ.")
    labels_a, labels_b = [*range(a.ndim)], [*range(a.ndim, a.ndim + b.ndim)]
    for i, j in zip(of_a, of_b, strict=True):
        labels_b[j] = labels_a[i]
    free = [n for n in labels_a + labels_b if n not in of_a]
    return einsum(a, labels_a, b, labels_b, free)
