"""Winograd's convolution: kernels of three rows for half the products.

On a board
----------
Take four pixels of a column, d0 to d3, and a kernel of three weights, w0 to w2. Two outputs,

    y0 = d0 w0 + d1 w1 + d2 w2
    y1 = d1 w0 + d2 w1 + d3 w2

are six products. Winograd (1980) needs four:

    p0 = (d0 - d2) w0                          y0 = p0 + p1 + p2
    p1 = (d1 + d2) (w0 + w1 + w2) / 2          y1 = p1 - p2 + p3
    p2 = (d2 - d1) (w0 - w1 + w2) / 2
    p3 = (d3 - d1) w2

With the pixels 1 2 3 4 and the weights 5 6 7 these are -10, 45, 3 and 14; and -10 + 45 + 3 is 38,
which is 1 5 + 2 6 + 3 7, and 45 - 3 + 14 is 56, which is 2 5 + 3 6 + 4 7. What is done to the
weights alone is done once for all pixels; what is done to the pixels alone are additions.

Why it works
------------
Multiply two polynomials, w0 + w1 t + w2 t^2 by u0 + u1 t. The product has the coefficients

    s0 = w0 u0    s1 = w1 u0 + w0 u1    s2 = w2 u0 + w1 u1    s3 = w2 u1

which are six products again. But a polynomial of degree 3 is known from its values at four points,
and a value of the product is the product of the values: so evaluate both at four points, multiply
four numbers, and go back to the coefficients. The points here are 0, 1, -1 and infinity, where the
value of a polynomial is its leading coefficient. To evaluate n coefficients is to multiply by
V(n), the matrix with a row 1 t t^2 ... for each point t, so that

    s = inv(V(4)) @ ((V(3) @ w) * (V(2) @ u))

That is not yet a convolution; but weigh each coefficient by a pixel and add up:

    L = d0 s0 + d1 s1 + d2 s2 + d3 s3 = u0 y0 + u1 y1

where y0 and y1 are those above. So y is dL/du, and with D = inv(V(4)).T @ d for the pixels,
W = V(3) @ w for the weights and U = V(2) @ u, the whole is one sum of four products of three:

    L = sum(D * W * U)

Here are all three functions of this file. The convolution is dL/du. If u is the gradient g that
arrives at the outputs, dL/dw is the gradient of the weights, and dL/dd that of the images:

    y     = V(2).T @ (D * W)
    dL/dw = V(3).T @ (D * U)
    dL/dd = inv(V(4)) @ (W * U)

In this file
------------
Four rows of output at a time, from six of input: with a point 2 and a point -1/2 besides, six
products do the work of twelve. The pixels d are whole rows of the image, all columns and channels,
so that a transform is a small matrix times long rows; and `*` is a product of matrices, which sums
over the channels. Along the width the windows are laid out as columns, as in windows.py. (In two
dimensions the same idea saves more products, but moves more numbers about: 4x4 outputs from 6x6
pixels took 1.1 to 1.4 times the time of this.)

    N images   C channels   F filters   KW width of the kernel   OH OW output
    a strip    four rows of output, the six rows of input that they see

Rounding
--------
In float32 the largest error over the largest output is about 1e-6, twice that of im2col; in
float64, 3e-15. It falls elsewhere, too: what cancels in the end is as large as the largest pixel of
a strip. A pixel of 10,000 among others of size 1 leaves an error of 3e-3 in all outputs of its
strip, where im2col leaves 2e-3 in those that see the pixel and 3e-6 in the others.

A pixel that is infinite or not a number would even spoil its whole strip. So each function says
which of its results are not finite, and conv_blocks.py computes them anew by columns. To look for
them takes 3 % of the time.

Winograd, Arithmetic Complexity of Computations (1980); Lavin and Gray (2016), for networks.
"""

import numpy as np
from numpy.lib.stride_tricks import as_strided

from .blocks import blocks
from .windows import channels_last

BLOCK_BYTES = 2**20  # of columns

KERNEL = 3  # rows of a kernel
STRIP = 4  # rows of output that are computed together
SEEN = STRIP + KERNEL - 1  # rows of input that they see; and as many products do
POINTS = (1, 0, -1, 2, -1 / 2)  # and infinity


# ---- transforms ----------------------------------------------------------------------------------


def _evaluate(n):
    """V(n): takes n coefficients of a polynomial to its values at all points."""
    at_infinity = np.eye(n)[-1:]  # the leading coefficient
    return np.concatenate([np.vander(POINTS, n, increasing=True), at_infinity])


# Its numbers are multiples of 1/30. As `inv` gives them, off by 1e-16, float64 loses a third more.
OF_INPUT = np.round(30 * np.linalg.inv(_evaluate(SEEN)).T) / 30
OF_KERNEL = _evaluate(KERNEL)
OF_OUTPUT = _evaluate(STRIP)


def _strips(x, rows):
    """A view of images (n, H, W, C): `rows` of them, every four rows, as (n * strips, rows, W * C)

    For SEEN rows the strips overlap by two.
    """
    n, H, W, C = x.shape
    row = W * C * x.itemsize  # bytes
    number = (H - rows) // STRIP + 1
    shape = (n, number, rows, W * C)
    return as_strided(x, shape, (H * row, STRIP * row, row, x.itemsize), writeable=False)


def _transformed(matrix, x, rows):
    """`matrix` times the rows of each strip: (points, n * strips, W * C)"""
    strips = _strips(x, rows)
    n, number, _, length = strips.shape
    out = np.empty((len(matrix), n, number, length), x.dtype)
    np.matmul(matrix.astype(x.dtype), strips, out=out.transpose(1, 2, 0, 3))
    return out.reshape(len(matrix), n * number, length)


def _kernels(w):
    """The transformed kernels: (F, C, 3, KW) -> (points, KW, C, F)"""
    rows = np.ascontiguousarray(w.transpose(2, 3, 1, 0))  # (3, KW, C, F)
    values = OF_KERNEL.astype(w.dtype) @ rows.reshape(KERNEL, -1)
    return values.reshape(SEEN, *rows.shape[1:])


def _columns(x, KW, C):
    """The windows along the width: (points, rows, W * C) -> (points, rows * OW, KW * C)"""
    points, rows, length = x.shape
    OW = length // C - KW + 1
    size = x.itemsize
    strides = (rows * length * size, length * size, C * size, size)
    return as_strided(x, (points, rows, OW, KW * C), strides).reshape(points, -1, KW * C)


def _is_finite(x):
    """Whether all numbers are finite, or False if their squares are not: quicker, and rarely so."""
    flat = x.reshape(-1)
    return np.isfinite(np.dot(flat, flat))


# ---- the three functions, images a few at a time -------------------------------------------------


# What is not finite is computed anew by columns, which warns if there is something to warn of. And
# what underflows here is an intermediate, such as the square of 1e-20 in a check.
quiet = np.errstate(over="ignore", under="ignore", invalid="ignore")


def pays(x, w, shape, OH, stride, dilation):
    """Whether this is quicker than im2col, for kernels (F, C, KH, KW) and OH rows of output.

    It is from 8 channels, 8 filters and 4 rows on (measured); with fewer, the transforms take what
    the products save. Integers would be cut off at the halves and thirds of the transforms, and in
    float16 the error is four times that of im2col.
    """
    F, C, KH, _ = shape
    floats = x.dtype == w.dtype and x.dtype in (np.float32, np.float64)
    fits = KH == KERNEL and stride == dilation == (1, 1)
    return floats and fits and min(F, C) >= 8 and OH >= STRIP


@quiet
def convolution(x, w, b, padding):
    """(N, C, H, W), (F, C, 3, KW), (F,) or None -> (N, F, OH, OW); blocks that are not finite"""
    N, C, H, W = x.shape
    F, _, _, KW = w.shape
    OH = H + 2 * padding[0] - KERNEL + 1
    OW = W + 2 * padding[1] - KW + 1
    strips = -(-OH // STRIP)
    x = channels_last(x, padding, rows=STRIP * strips + KERNEL - 1)
    kernels = _kernels(w).reshape(SEEN, KW * C, F)
    back = OF_OUTPUT.T.astype(x.dtype)
    y = np.empty((N, OH, OW * F), x.dtype)
    spoiled = []
    for images in blocks(N, SEEN * strips * OW * KW * C * x.itemsize, BLOCK_BYTES):
        columns = _columns(_transformed(OF_INPUT, x[images], SEEN), KW, C)
        products = (columns @ kernels).reshape(SEEN, -1, OW * F)
        if b is not None:  # all four outputs count the value at the point 1 once
            products[POINTS.index(1)] += np.tile(b, OW)
        rows = back @ products.transpose(1, 0, 2)  # (n * strips, 4, OW * F)
        y[images] = rows.reshape(-1, STRIP * strips, OW * F)[:, :OH]
        if not _is_finite(rows):
            spoiled.append(images)
    return y.reshape(N, OH, OW, F).transpose(0, 3, 1, 2), spoiled


@quiet
def weight_gradient(g, x, shape, padding):
    """(N, F, OH, OW), (N, C, H, W) -> (F, C, 3, KW), or None if it is not finite"""
    F, C, _, KW = shape
    N, _, OH, OW = g.shape
    strips = -(-OH // STRIP)
    x = channels_last(x, padding, rows=STRIP * strips + KERNEL - 1)
    g = channels_last(g, rows=STRIP * strips)
    total = np.zeros((SEEN, KW * C, F), x.dtype)
    for images in blocks(N, SEEN * strips * OW * KW * C * x.itemsize, BLOCK_BYTES):
        columns = _columns(_transformed(OF_INPUT, x[images], SEEN), KW, C)
        outputs = _transformed(OF_OUTPUT, g[images], STRIP).reshape(SEEN, -1, F)
        total += columns.transpose(0, 2, 1) @ outputs
    rows = OF_KERNEL.T.astype(x.dtype) @ total.reshape(SEEN, -1)
    if not _is_finite(rows):
        return None
    return np.ascontiguousarray(rows.reshape(KERNEL, KW, C, F).transpose(3, 2, 0, 1))


@quiet
def input_gradient(g, w, shape, padding):
    """(N, F, OH, OW), (F, C, 3, KW) -> (N, C, H, W); blocks that are not finite"""
    N, C, H, W = shape
    F, _, _, KW = w.shape
    PH, PW = padding
    OH, OW = g.shape[2:]
    strips = -(-OH // STRIP)
    g = channels_last(g, rows=STRIP * strips)
    kernels = np.ascontiguousarray(_kernels(w).swapaxes(2, 3))  # (points, KW, F, C)
    back = OF_INPUT.T.astype(g.dtype)
    x = np.empty((N, H, W, C), g.dtype)
    spoiled = []
    for images in blocks(N, SEEN * strips * OW * KW * C * g.itemsize, BLOCK_BYTES):
        outputs = _transformed(OF_OUTPUT, g[images], STRIP).reshape(SEEN, 1, -1, F)
        products = (outputs @ kernels).reshape(SEEN, KW, -1, OW, C)
        wide = np.zeros((SEEN, products.shape[2], W + 2 * PW, C), g.dtype)
        for j in range(KW):
            wide[:, :, j : j + OW] += products[:, j]
        rows = back @ wide.reshape(*wide.shape[:2], -1).swapaxes(0, 1)  # (n * strips, 6, ...)
        rows = rows.reshape(-1, strips, SEEN, (W + 2 * PW) * C)
        tall = np.zeros((len(rows), strips + 1, STRIP, rows.shape[3]), g.dtype)
        tall[:, :-1] = rows[:, :, :STRIP]
        tall[:, 1:, : SEEN - STRIP] += rows[:, :, STRIP:]  # where a strip overlaps with the next
        x[images] = tall.reshape(len(rows), -1, W + 2 * PW, C)[:, PH : PH + H, PW : PW + W]
        if not _is_finite(rows):
            spoiled.append(images)
    return x.transpose(0, 3, 1, 2), spoiled
