"""Sums of products over labeled axes: einsum, inner and tensordot; and products: kron, cross.

The gradient of an einsum is an einsum: of the output's gradient and the other operands, with the
operand's own labels as the output. Most of this file deals with the many forms of subscripts.
"""

import string

import numpy as np
from numpy.lib.array_utils import normalize_axis_index

from ..autograd import primitive
from .shaping import arrays_of, broadcast_to, expand_dims, moveaxis, reshape, roll, scatter


def _einsum(*operands, subscripts, optimize):
    if len(operands) == 1:
        return np.einsum(subscripts, *operands)
    operands = [np.asarray(x) for x in operands]
    dtype = np.result_type(*operands)  # for an operand that is summed alone, before the product
    operands = [x.astype(dtype, copy=False) for x in operands]
    return np.einsum(subscripts, *operands, optimize=optimize)


def _einsum_gradient(i, g, y, *operands, subscripts, optimize):
    """The einsum of `g` and the other operands, with the labels of operand `i` as its output."""
    *labels, out = explicit(subscripts, operands).replace("->", ",").split(",")
    x, own = operands[i], "".join(dict.fromkeys(labels[i]))
    others = [n for n in range(len(operands)) if n != i]
    given = [out, *(labels[n] for n in others)]
    seen = [a for a in own if any(a in part for part in given)]
    h = einsum(",".join(given) + "->" + "".join(seen), g, *(operands[n] for n in others))
    absent = tuple(axis for axis, a in enumerate(own) if a not in seen)
    if absent:
        h = expand_dims(h, absent)
    shape = [x.shape[labels[i].index(a)] for a in own]
    h = broadcast_to(h, np.broadcast_shapes(h.shape, shape))  # axes that were only summed
    if own == labels[i]:
        return h
    stretched = tuple(a for a, n in enumerate(shape) if n != h.shape[a])
    h = h.sum(stretched, keepdims=True)  # a diagonal of length 1, which was broadcast
    places = dict(zip(own, np.indices(shape, sparse=True), strict=True))  # a repeated label
    return scatter(h, index=tuple(places[a] for a in labels[i]), shape=x.shape)


def explicit(subscripts, operands):
    """The subscripts with letters in place of "..." and with the output written out."""
    inputs, arrow, out = subscripts.replace(" ", "").partition("->")
    free = [a for a in string.ascii_letters if a not in subscripts]
    parts = []
    dots = ""  # the letters of the longest "..."
    for part, x in zip(inputs.split(","), operands, strict=True):
        letters = "".join(free[: x.ndim - len(part.replace("...", ""))])[::-1]  # aligned at the end
        parts.append(part.replace("...", letters))
        dots = max(dots, letters, key=len) if "..." in part else dots
    if not arrow:
        used = inputs.replace(",", "").replace("...", "")
        out = "..." + "".join(a for a in sorted(set(used)) if used.count(a) == 1)
    return ",".join(parts) + "->" + out.replace("...", dots)


def _in_letters(operands):
    """einsum(a, [0, 1], b, [1, 2], [0, 2]) as subscripts in letters, and the operands."""
    letters = string.ascii_uppercase + string.ascii_lowercase
    spell = lambda labels: "".join("..." if n is ... else letters[n] for n in labels)
    inputs = ",".join(map(spell, operands[1::2]))
    if len(operands) % 2:
        return f"{inputs}->{spell(operands[-1])}", operands[:-1:2]
    return inputs, operands[::2]


_product = primitive(_einsum, each=_einsum_gradient, doc="Sum of products over labeled axes")


def einsum(*operands, optimize=True):
    """Sum of products over labeled axes, in every form of np.einsum.

    Parameters
    ----------
    *operands : str, then arrays or Tensors
        Labels such as "ij,jk->ik", then what they label; or arrays and lists of integers in turn.
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


def inner(a, b):
    """np.inner: products summed over the last axis of `a` and the last of `b`.

    Examples
    --------
    >>> inner(np.array([[1.0, 2.0]]), np.array([3.0, 4.0]))
    array([11.])
    """
    a, b = arrays_of(a, b)
    if a.ndim == 0 or b.ndim == 0:
        return a * b
    return tensordot(a, b, (-1, -1))


def tensordot(a, b, axes=2):
    """Products summed over pairs of axes, or over the last `axes` of `a` and the first of `b`.

    Examples
    --------
    >>> tensordot(np.ones((2, 3)), np.ones((3, 4)), 1).shape
    (2, 4)
    """
    a, b = arrays_of(a, b)
    if isinstance(axes, int | np.integer):
        axes = range(-axes, 0), range(axes)
    labels_a, labels_b = [*range(a.ndim)], [*range(a.ndim, a.ndim + b.ndim)]
    for i, j in zip(*map(np.atleast_1d, axes), strict=True):
        i, j = normalize_axis_index(i, a.ndim), normalize_axis_index(j, b.ndim)
        if a.shape[i] != b.shape[j]:
            raise ValueError(f"tensordot over {axes=} of {a.shape} and {b.shape}: lengths differ.")
        labels_b[j] = labels_a[i]
    return einsum(a, labels_a, b, labels_b, sorted({*labels_a} ^ {*labels_b}))


def kron(a, b):
    """Kronecker product: every element of `a` times the whole of `b`, side by side.

    Shapes (n, m, ...) and (p, q, ...) make (n p, m q, ...).

    Examples
    --------
    >>> kron(np.array([1.0, 10.0]), np.array([1.0, 2.0]))
    array([ 1.,  2., 10., 20.])
    """
    a, b = arrays_of(a, b)
    ndim = max(a.ndim, b.ndim)
    product = _every_other(a, ndim, 0) * _every_other(b, ndim, 1)  # (n, p, m, q, ...)
    sizes = product.shape
    return reshape(product, [n * p for n, p in zip(sizes[::2], sizes[1::2], strict=True)])


def _every_other(x, ndim, first):
    """`x` in 2 * ndim axes, its own at every other place and axes of length 1 between."""
    own = range(first, 2 * ndim, 2)[ndim - x.ndim :]
    return expand_dims(x, [axis for axis in range(2 * ndim) if axis not in own])


def cross(a, b, axisa=-1, axisb=-1, axisc=-1, axis=None):
    """Cross product of vectors of three numbers: a[1] b[2] - a[2] b[1], and so on around.

    Parameters
    ----------
    a, b : arrays or Tensors whose shapes broadcast
    axisa, axisb, axisc : int
        The axes of the vectors in `a`, in `b` and in the result.
    axis : int, optional
        One axis for all three.

    Raises
    ------
    ValueError
        If the vectors have not three numbers.

    Examples
    --------
    >>> cross(np.array([1.0, 0.0, 0.0]), np.array([0.0, 1.0, 0.0]))
    array([0., 0., 1.])
    """
    if axis is not None:
        axisa = axisb = axisc = axis
    a, b = arrays_of(a, b)
    a = moveaxis(a, axisa, -1)
    b = moveaxis(b, axisb, -1)
    if a.shape[-1] != 3 or b.shape[-1] != 3:
        raise ValueError(
            f"cross expects vectors of 3 numbers, got {a.shape[-1]} and {b.shape[-1]}: "
            "vectors in a plane have no cross product; a[0] * b[1] - a[1] * b[0] is its height."
        )
    product = roll(a, -1, -1) * roll(b, -2, -1) - roll(a, -2, -1) * roll(b, -1, -1)
    return moveaxis(product, -1, axisc)
