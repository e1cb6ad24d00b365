"""Read 3 of 8: matrix products, matmul and linear; outer and dot are derived.

One line of calculus: for Y = A @ B, the gradients are dA = dY @ B.T and dB = A.T @ dY. (y_ij is the
sum of a_ik b_kj over k, so that its slope by a_ik is b_kj, and da_ik is the sum of dy_ij b_kj over
j.) The rest handles vectors, which NumPy promotes to matrices, and batches, over which the engine
sums.
"""

import math

import numpy as np

from ..autograd import primitive
from .einsum import tensordot
from .shaping import arrays_of, reshape


def _matmul_left(g, y, a, b):
    """g @ b.T, for vectors and batches too."""
    if b.ndim == 1:  # a @ b: (..., n, k) @ (k,) -> (..., n)
        return g[..., None] * b  # (..., n, k)
    if a.ndim == 1:  # a @ b: (k,) @ (..., k, m) -> (..., m)
        return (b @ g[..., None])[..., 0]  # (..., k)
    return g @ b.swapaxes(-1, -2)


def _matmul_right(g, y, a, b):
    """a.T @ g, for vectors and batches too."""
    if a.ndim == b.ndim == 1:  # a @ b: (k,) @ (k,) -> ()
        return a * g  # (k,)
    if a.ndim == 1:  # a @ b: (k,) @ (..., k, m) -> (..., m)
        return a[:, None] * g[..., None, :]  # (..., k, m)
    if b.ndim == 1:  # a @ b: (..., n, k) @ (k,) -> (..., n)
        return (a.swapaxes(-1, -2) @ g[..., None])[..., 0]  # (..., k)
    if b.ndim == 2 and a.ndim > 2:  # one b for a whole batch: one product, not a sum of many
        a = _matrix(a)
        g = _matrix(g)
    return a.swapaxes(-1, -2) @ g


def _matrix(x):
    """All but the last axis as one: (..., K) -> (N, K)"""
    return x if x.ndim == 2 else reshape(x, (math.prod(x.shape[:-1]), x.shape[-1]))


def _linear(x, w, b=None):
    """(..., K), (F, K), (F,) -> (..., F)"""
    y = np.matmul(x, w.T)
    if b is None:
        return y
    if b.shape != w.shape[:1]:
        raise ValueError(f"linear expects a bias of shape {w.shape[:1]}, got {b.shape}.")
    return y + b


# A table is read down its columns. linear could be made of the others, with which a small network
# takes 1.1 to 1.2 times as long.
# fmt: off
matmul = primitive(np.matmul, _matmul_left, _matmul_right,
                   doc="a @ b: the product of matrices, of vectors, or of batches of matrices")
linear = primitive(_linear, lambda g, y, x, w, b=None: g @ w,
                            lambda g, y, x, w, b=None: _matrix(g).T @ _matrix(x),
                            lambda g, y, x, w, b=None: g,
                   name="linear", doc="x @ w.T + b, for rows x (..., K), weights (F, K), bias (F,)")
# fmt: on


def outer(a, b):
    """Every product of an element of `a` with one of `b`: (a.size, b.size).

    Examples
    --------
    >>> outer(np.array([1.0, 2.0]), np.array([3.0, 4.0])).tolist()
    [[3.0, 4.0], [6.0, 8.0]]
    """
    a, b = arrays_of(a, b)
    return reshape(a, (-1, 1)) * reshape(b, (1, -1))


def dot(a, b):
    """np.dot: products summed over the last axis of `a` and the second to last of `b`.

    Where one of them is a number, their product.

    Examples
    --------
    >>> float(dot(np.array([1.0, 2.0]), np.array([3.0, 4.0])))
    11.0
    """
    a, b = arrays_of(a, b)
    if a.ndim == 0 or b.ndim == 0:
        return a * b
    return matmul(a, b) if b.ndim <= 2 else tensordot(a, b, (-1, -2))
