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
which is 1 5 + 2 6 + 3 7, and 45 - 3 + 14 is 56, which is 2 5 + 3 6 + 4 7.

There are more additions now. But with C channels and F filters a pixel is a row of C numbers, a
weight is a matrix of C by F, and a product of the two takes C F multiplications, where to add two
pixels takes C additions, and to add two products F. With 32 channels and 64 filters it is the
products that take the time. And what is done to the weights is done once for all pixels.

Why it works
------------
Leave the pixels aside and multiply two polynomials: w0 + w1 t + w2 t^2, made of the weights, and
some u0 + u1 t. The product has the coefficients

    s0 = w0 u0    s1 = w1 u0 + w0 u1    s2 = w2 u0 + w1 u1    s3 = w2 u1

which are six products again. But a polynomial of degree 3 is known from its values at four points,
and a value of the product is the product of the values. So evaluate both at four points, multiply
four pairs of numbers, and go back from values to coefficients (Toom 1963, Cook 1966). At the points
0, 1 and -1 the values take additions only. The fourth point is infinity: there the highest power
outgrows all others, so that its coefficient stands for the value; that of the product is w2 u1,
which is once more the product of the values.

To evaluate n coefficients is to multiply by V(n), which has a row 1 t t^2 ... for each point t:

    V(2) = 1  0        V(3) = 1  0  0        V(4) = 1  0  0  0        0
           1  1               1  1  1               1  1  1  1        1
           1 -1               1 -1  1               1 -1  1 -1       -1
           0  1               0  0  1               0  0  0  1        infinity

The values are W = V(3) @ w and U = V(2) @ u, and those of the product, V(4) @ s, are W * U. So

    s = inv(V(4)) @ (W * U)

Now the pixels: weigh each coefficient by a pixel, add up, and sort by u0 and u1,

    L = d0 s0 + d1 s1 + d2 s2 + d3 s3
      = u0 (d0 w0 + d1 w1 + d2 w2) + u1 (d1 w0 + d2 w1 + d3 w2)
      = u0 y0 + u1 y1

There are the outputs: y is dL/du. But L is d @ s, too, which is d @ inv(V(4)) @ (W * U). With
D = inv(V(4)).T @ d it becomes one sum of four products of three:

    L = sum(D * W * U)

Its derivative by U is D * W; and as U is V(2) @ u, that by u is y = V(2).T @ (D * W). This is what
the board shows, with p = D * W, but that the halves now stand with the pixels:

    D = d0 - d2,  (d1 + d2) / 2,  (d2 - d1) / 2,  d3 - d1          V(2).T = 1  1  1  0
    W = w0,       w0 + w1 + w2,   w0 - w1 + w2,   w2                        0  1 -1  1

And L holds more. If u is the gradient g that arrives at the outputs, L is g @ y, and the gradients
that the weights and the pixels get are dL/dw and dL/dd. So these are the three functions below:

    y     = V(2).T @ (D * W)            the convolution
    dL/dw = V(3).T @ (D * U)            the gradient of the weights
    dL/dd = inv(V(4)) @ (W * U)         the gradient of the images

In this file
------------
In general m outputs of r weights take m + r - 1 products instead of m r, one for each coefficient
of the polynomials' product, and no way takes fewer (Winograd 1980). Here r is 3 and m is 4, so that
six products do the work of twelve; the points 2 and -1/2 make six. A strip is four rows of output
with the six rows of input that they see:

    rows of input    0 1 2 3 4 5 6 7 8 9
    first strip      * * * * * *                rows of output 0 1 2 3
    second strip             * * * * * *        rows of output 4 5 6 7

A d is a whole row of the image, all its columns and channels, so that a transform is a small matrix
times long rows. Along the width nothing is new: the windows of KW * C numbers are laid out as
columns, as in windows.py, and `*` is the product of these columns with a matrix of weights. (In two
dimensions the same idea saves more products, but moves more numbers about: 4x4 outputs from 6x6
pixels took 1.1 to 1.4 times the time of this.)

    N images   C channels   F filters   KW width of the kernel   OH OW output

Rounding
--------
The largest error over the largest output, in hundreds of random shapes:

                  here: median   worst        im2col: median   worst
    float32             6e-7     2.5e-6               4e-7     9e-7
    float64             1e-15    3e-15                6e-16    1.6e-15

It grows with the powers of the points, up to the fifth in V(6), and with their likeness: with 2 and
-2 it is 1.5 times as large, with 2 and 1/2 1.6 times. Six rows of output at once need two points
more: 15 % less time for twice the error.

It falls elsewhere, too. A product sees rows of its strip that an output does not; they cancel when
products are added up, but for rounding, which goes by the largest of them. A pixel of 10,000 among
others of size 1 leaves an error of up to 3e-3 in all outputs of its strip, where im2col leaves 1e-3
in those that see the pixel and 1e-6 in the others.

A pixel that is infinite or not a number does not cancel at all and would spoil its strip. So each
function says which of its results are not finite, and conv_blocks.py computes them anew by columns.
To look for them takes 3 % of the time.

Winograd, Arithmetic Complexity of Computations (1980). Lavin and Gray, Fast Algorithms for
Convolutional Neural Networks (2016): the same for networks, in two dimensions.
"""

import numpy as np
from numpy.lib.stride_tricks import as_strided

from .blocks import blocks
from .windows import channels_last, output_size

BLOCK_BYTES = 2**20  # of columns

KERNEL = 3  # rows of a kernel
STRIP = 4  # rows of output that are computed together
SEEN = STRIP + KERNEL - 1  # rows of input that they see; points and products are as many
POINTS = (1, 0, -1, 2, -1 / 2)  # and infinity


# ---- transforms ----------------------------------------------------------------------------------


def _evaluate(n):
    """V(n): takes n coefficients of a polynomial to its values at all points."""
    at_infinity = np.eye(n)[-1:]  # the leading coefficient
    return np.concatenate([np.vander(POINTS, n, increasing=True), at_infinity])


# The inverse of V(6) consists of multiples of 1/30, but for what `inv` rounds: without that, the
# errors in float64 are a quarter smaller.
OF_INPUT = np.round(30 * np.linalg.inv(_evaluate(SEEN)).T) / 30
OF_KERNEL = _evaluate(KERNEL)
OF_OUTPUT = _evaluate(STRIP)


def _strips(x, rows):
    """A view of images (n, H, W, C), `rows` rows at every fourth: (n, strips, rows, W * C)

    Strips of SEEN rows overlap by two; those of STRIP rows lie side by side.
    """
    n, H, W, C = x.shape
    row = W * C * x.itemsize  # bytes
    number = (H - rows) // STRIP + 1
    shape = (n, number, rows, W * C)
    return as_strided(x, shape, (H * row, STRIP * row, row, x.itemsize), writeable=False)


def _kernels(w):
    """W: the transformed kernels, (F, C, 3, KW) -> (points, KW, C, F)"""
    rows = np.ascontiguousarray(w.transpose(2, 3, 1, 0))  # (3, KW, C, F)
    values = OF_KERNEL.astype(w.dtype) @ rows.reshape(KERNEL, -1)
    return values.reshape(SEEN, *rows.shape[1:])


def _is_finite(x):
    """Whether the sum of the squares is finite, as BLAS is quicker than a look at each number.

    It is not, either, for finite numbers beyond 1e19 in float32: they go by columns for nothing.
    """
    flat = x.reshape(-1)
    return np.isfinite(np.dot(flat, flat))


# ---- blocks of a few images ----------------------------------------------------------------------
# What a block is computed in is made once and used again for all blocks, of which the first is the
# largest: so it stays in the cache, and threads wait less for each other's Python. A training step
# of two workers takes 0.94 of the time.


def _blocks(x, size):
    """The slices that cut x into blocks, and how many images the largest has.

    `size` is how many numbers the columns of an image have at one point.
    """
    cuts = blocks(len(x), SEEN * size * x.itemsize, BLOCK_BYTES)
    return cuts, max((len(x[images]) for images in cuts), default=0)


def _transformed(matrix, x, rows, cuts, most):
    """D or U: for each block, `matrix` times the rows of its strips, (points, n, strips, W * C)

    Yields the slice of its images first.
    """
    strips = _strips(x, rows)
    _, number, _, length = strips.shape
    matrix = matrix.astype(x.dtype)
    out = np.empty((len(matrix), most, number, length), x.dtype)
    for images in cuts:
        block = out[:, : len(strips[images])]
        np.matmul(matrix, strips[images], out=block.transpose(1, 2, 0, 3))
        yield images, block


def _columns(x, KW, cuts, most):
    """D: for each block, its windows along the width, (points, n * strips * OW, KW * C)

    Yields the slice of its images first. x is (N, H, W, C).
    """
    _, _, W, C = x.shape
    OW = W - KW + 1
    columns = None  # one for all blocks
    for images, block in _transformed(OF_INPUT, x, SEEN, cuts, most):
        points, n, number, _ = block.shape
        if columns is None:
            shape = (points, n, number, OW, KW * C)
            windows = as_strided(block, shape, (*block.strides[:3], C * x.itemsize, x.itemsize))
            columns = np.empty(shape, x.dtype)
        columns[:, :n] = windows[:, :n]
        yield images, columns[:, :n].reshape(points, -1, KW * C)


# ---- the three functions, images a few at a time -------------------------------------------------


# What is not finite is computed anew by columns, which warns if there is something to warn of. What
# underflows is seldom a result, and often the square of 1e-20 in the check: it is not reported.
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
    N, C, _, _ = x.shape
    F, _, _, KW = w.shape
    OH, OW = output_size(x.shape, (KERNEL, KW), padding=padding)
    strips = -(-OH // STRIP)
    x = channels_last(x, padding, rows=STRIP * strips + KERNEL - 1)
    cuts, most = _blocks(x, strips * OW * KW * C)
    kernels = _kernels(w).reshape(SEEN, KW * C, F)  # W
    back = OF_OUTPUT.T.astype(x.dtype)
    bias = None if b is None else np.tile(b, OW)
    products = np.empty((SEEN, most, strips, OW * F), x.dtype)
    rows = np.empty((most, strips, STRIP, OW * F), x.dtype)
    y = np.empty((N, OH, OW * F), x.dtype)
    spoiled = []
    for images, columns in _columns(x, KW, cuts, most):
        n = len(y[images])
        np.matmul(columns, kernels, out=products[:, :n].reshape(SEEN, -1, F))  # D * W
        if b is not None:  # each of the four outputs counts the product at the point 1 once
            products[POINTS.index(1), :n] += bias
        np.matmul(back, products[:, :n].transpose(1, 2, 0, 3), out=rows[:n])
        y[images] = rows[:n].reshape(n, -1, OW * F)[:, :OH]
        if not _is_finite(rows[:n]):
            spoiled.append(images)
    return y.reshape(N, OH, OW, F).transpose(0, 3, 1, 2), spoiled


@quiet
def weight_gradient(g, x, shape, padding):
    """(N, F, OH, OW), (N, C, H, W) -> (F, C, 3, KW), or None if it is not finite"""
    F, C, _, KW = shape
    _, _, OH, OW = g.shape
    strips = -(-OH // STRIP)
    x = channels_last(x, padding, rows=STRIP * strips + KERNEL - 1)
    g = channels_last(g, rows=STRIP * strips)
    cuts, most = _blocks(x, strips * OW * KW * C)
    total = np.zeros((SEEN, KW * C, F), x.dtype)
    product = np.empty_like(total)
    both = zip(_columns(x, KW, cuts, most), _transformed(OF_OUTPUT, g, STRIP, cuts, most))
    for (_, columns), (_, outputs) in both:
        outputs = outputs.reshape(SEEN, -1, F)  # U
        total += np.matmul(columns.transpose(0, 2, 1), outputs, out=product)  # D * U, summed up
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
    row = (W + 2 * PW) * C
    strips = -(-OH // STRIP)
    g = channels_last(g, rows=STRIP * strips)
    cuts, most = _blocks(g, strips * OW * KW * C)
    kernels = np.ascontiguousarray(_kernels(w).swapaxes(2, 3))  # W: (points, KW, F, C)
    back = np.ascontiguousarray(OF_INPUT.T, g.dtype)
    products = np.empty((SEEN, KW, most, strips, OW * C), g.dtype)
    wide = np.empty((SEEN, most, strips, row), g.dtype)
    rows = np.empty((most, strips, SEEN, row), g.dtype)
    tall = np.empty((most, strips + 1, STRIP, row), g.dtype)
    x = np.empty((N, H, W, C), g.dtype)
    spoiled = []
    for images, outputs in _transformed(OF_OUTPUT, g, STRIP, cuts, most):
        n = len(x[images])
        outputs = outputs.reshape(SEEN, 1, -1, F)  # U
        np.matmul(outputs, kernels, out=products[:, :, :n].reshape(SEEN, KW, -1, C))  # W * U
        # Each output hands back to the KW pixels that it saw of a row.
        wide[:, :n, :, : OW * C] = products[:, 0, :n]
        wide[:, :n, :, OW * C :] = 0
        for j in range(1, KW):
            wide[:, :n, :, j * C : (j + OW) * C] += products[:, j, :n]
        np.matmul(back, wide[:, :n].transpose(1, 2, 0, 3), out=rows[:n])
        # And each strip to six rows, of which the next strip sees two as well.
        tall[:n, :-1] = rows[:n, :, :STRIP]
        tall[:n, -1] = 0
        tall[:n, 1:, : SEEN - STRIP] += rows[:n, :, STRIP:]
        x[images] = tall[:n].reshape(n, -1, W + 2 * PW, C)[:, PH : PH + H, PW : PW + W]
        if not _is_finite(rows[:n]):
            spoiled.append(images)
    return x.transpose(0, 3, 1, 2), spoiled
