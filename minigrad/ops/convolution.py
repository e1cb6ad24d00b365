"""Read 4 of 8: convolution, as a product of matrices.

The window under each output pixel becomes a row (`im2col`), each kernel a column, and one product
of the two does all the work (Chellapilla et al. 2006). That is the textbook, first in this file.
Below it, `conv2d` does the same a few images at a time, so that the rows stay in the processor's
cache; conv_blocks.py shows how, and the tests compare it with the textbook. `im2col` and its
reverse, `col2im`, are in windows.py: open that file beside this one.

    N images   C channels   H W height, width   F filters   KH KW kernel   OH OW output
"""

import numpy as np

from ..autograd import primitive
from .conv_blocks import conv2d_input_gradient_row, conv2d_row  # rows that work block by block
from .expect import pair, whole
from .shaping import concatenate, expand_dims, pieces, reshape, shaped, squeeze
from .windows import check_windows, col2im, im2col, output_size, window_options

# ---- the textbook: conv2d_textbook and its two gradients -----------------------------------------
# y = columns @ matrix is a product, so that these are the two gradients of linalg.py.


def _as_matrix(w):
    """The kernels as columns, in the order of a window: (F, C, KH, KW) -> (KH * KW * C, F)"""
    return w.transpose(2, 3, 1, 0).reshape(-1, len(w))


def _as_rows(g):
    """The pixels as rows: (N, F, OH, OW) -> (N * OH * OW, F)"""
    return g.transpose(0, 2, 3, 1).reshape(-1, g.shape[1])


def _textbook(x, w, *, stride, padding, dilation):
    """y = columns @ matrix"""
    F, _, KH, KW = w.shape
    OH, OW = output_size(x.shape, (KH, KW), stride, padding, dilation)
    columns = im2col(x, (KH, KW), stride, padding, dilation)  # (N * OH * OW, KH * KW * C)
    y = columns @ _as_matrix(w)  # (N * OH * OW, F)
    return y.reshape(len(x), OH, OW, F).transpose(0, 3, 1, 2)  # (N, F, OH, OW)


def _textbook_input_gradient(g, y, x, w, **options):
    """dcolumns = dy @ matrix.T, and each window adds its row to the pixels that it read."""
    columns = _as_rows(g) @ _as_matrix(w).T  # (N * OH * OW, KH * KW * C)
    return col2im(columns, x.shape, w.shape[2:], **options)  # (N, C, H, W)


def _textbook_weight_gradient(g, y, x, w, **options):
    """dmatrix = columns.T @ dy"""
    F, C, KH, KW = w.shape
    d_matrix = im2col(x, (KH, KW), **options).T @ _as_rows(g)  # (KH * KW * C, F)
    return d_matrix.reshape(KH, KW, C, F).transpose(3, 2, 0, 1)  # (F, C, KH, KW)


_textbook_row = primitive(
    _textbook,
    _textbook_input_gradient,
    _textbook_weight_gradient,
    name="conv2d_textbook",
    doc="Each window of x times each kernel of w: im2col, matmul, reshape",
)


def conv2d_textbook(x, w, stride=1, padding=0, dilation=1):
    """Convolution in three lines: im2col, matmul, reshape. The reference for `conv2d`.

    Parameters
    ----------
    x : (N, C, H, W)
    w : (F, C, KH, KW)
    stride, padding, dilation : int or (int, int)

    Returns
    -------
    y : (N, F, OH, OW)

    Examples
    --------
    >>> conv2d_textbook(np.arange(9.0).reshape(1, 1, 3, 3), np.ones((1, 1, 2, 2)))[0, 0]
    array([[ 8., 12.],
           [20., 24.]])
    """
    return _textbook_row(x, w, **window_options(stride, padding, dilation))


# ---- the fast one: conv2d, conv1d, conv_transpose2d ----------------------------------------------


def conv2d(x, w, b=None, stride=1, padding=0, dilation=1, groups=1):
    """Slide each kernel over the images: the cross-correlation that networks call convolution.

    Parameters
    ----------
    x : (N, C, H, W)
    w : (F, C / groups, KH, KW)
    b : (F,), optional
    stride, padding, dilation : int or (int, int)
    groups : int
        Channels and filters are cut into this many groups, which do not see each other.

    Returns
    -------
    (N, F, OH, OW), with OH = (H + 2 padding - dilation (KH - 1) - 1) // stride + 1

    Raises
    ------
    ValueError
        For shapes that do not fit, or a kernel larger than the padded image.

    Examples
    --------
    >>> conv2d(np.ones((1, 1, 4, 4)), np.ones((2, 1, 3, 3))).shape
    (1, 2, 2, 2)
    """
    options = window_options(stride, padding, dilation)
    x, w, b = _arrays(x, w, b)
    _check_kernels(x, w, b, whole("groups", groups, least=1))
    check_windows("conv2d", x.shape, w.shape[2:], **options)
    if groups == 1:
        return conv2d_row(x, w, b, **options)
    groups_of_both = zip(pieces(x, groups, axis=1), pieces(w, groups, axis=0))
    parts = [conv2d_row(channels, kernels, **options) for channels, kernels in groups_of_both]
    y = concatenate(parts, axis=1)
    return y if b is None else y + reshape(b, (-1, 1, 1))


def _arrays(x, w, b):
    """Arrays or Tensors; lists are converted."""
    return shaped(x), shaped(w), None if b is None else shaped(b)


def _check_kernels(x, w, b, groups):
    fits = x.ndim == w.ndim == 4 and x.shape[1] == w.shape[1] * groups and len(w) % groups == 0
    if not fits or (b is not None and b.shape != w.shape[:1]):
        raise ValueError(
            "conv2d expects x (N, C, H, W), w (F, C / groups, KH, KW), b (F,) and groups that "
            f"divide F, got {x.shape}, {w.shape} and {np.shape(b)} with {groups=}."
        )


def conv1d(x, w, b=None, stride=1, padding=0, dilation=1, groups=1):
    """Slide each kernel along the sequences: `conv2d` of images of height 1.

    Parameters
    ----------
    x : (N, C, L)
    w : (F, C / groups, K)
    b : (F,), optional
    stride, padding, dilation, groups : int

    Returns
    -------
    (N, F, OL), with OL = (L + 2 padding - dilation (K - 1) - 1) // stride + 1

    Examples
    --------
    >>> conv1d(np.arange(4.0).reshape(1, 1, 4), np.ones((1, 1, 2))).tolist()
    [[[1.0, 3.0, 5.0]]]
    """
    x, w = shaped(x), shaped(w)
    if x.ndim != 3 or w.ndim != 3:
        raise ValueError(
            f"conv1d expects x (N, C, L) and w (F, C / groups, K), got {x.shape} and {w.shape}."
        )
    x = expand_dims(x, 2)  # (N, C, 1, L)
    w = expand_dims(w, 2)  # (F, C / groups, 1, K)
    y = conv2d(x, w, b, (1, stride), (0, padding), (1, dilation), groups)
    return squeeze(y, 2)  # (N, F, OL)


def conv_transpose2d(x, w, b=None, stride=1, padding=0, output_padding=0, groups=1, dilation=1):
    """Each pixel lays its kernel onto a larger image: `conv2d` in reverse (Zeiler et al. 2010).

    It is the gradient of `conv2d` by its images: what is x here is the gradient of the output
    there. Its matrix is the transpose of that of `conv2d`, hence the name; it is no inverse.

    Parameters
    ----------
    x : (N, C, H, W)
    w : (C, F / groups, KH, KW)
    b : (F,), optional
    stride, padding, dilation : int or (int, int)
        Those of the `conv2d` in reverse: the stride spreads the pixels of x, the padding crops.
    output_padding : int or (int, int)
        Where a stride above 1 makes one size of several, this chooses among them: so many rows and
        columns more at the lower and right edge, fewer than the stride.
    groups : int
        As in `conv2d`.

    Returns
    -------
    (N, F, OH, OW), with OH = (H - 1) stride - 2 padding + dilation (KH - 1) + output_padding + 1

    Raises
    ------
    ValueError
        For shapes or options that do not fit.

    Examples
    --------
    >>> conv_transpose2d(np.array([[[[1.0, 2.0]]]]), np.ones((1, 1, 2, 2)), stride=2).tolist()
    [[[[1.0, 1.0, 2.0, 2.0], [1.0, 1.0, 2.0, 2.0]]]]
    """
    options = window_options(stride, padding, dilation)
    x, w, b = _arrays(x, w, b)
    output_padding = pair("output_padding", output_padding)
    groups = whole("groups", groups, least=1)
    shape = _transposed_shape(x, w, b, groups, output_padding=output_padding, **options)
    groups_of_both = zip(pieces(x, groups, axis=1), pieces(w, groups, axis=0))
    parts = [
        conv2d_input_gradient_row(channels, kernels, shape=shape, **options)
        for channels, kernels in groups_of_both
    ]
    y = parts[0] if groups == 1 else concatenate(parts, axis=1)  # (N, F, OH, OW)
    return y if b is None else y + reshape(b, (-1, 1, 1))


def _transposed_shape(x, w, b, groups, stride, padding, dilation, output_padding):
    """The shape of one group's output, (N, F / groups, OH, OW), after a check of all shapes."""
    fits = x.ndim == w.ndim == 4 and x.shape[1] == len(w) and len(w) % groups == 0
    if not fits or (b is not None and b.shape != (w.shape[1] * groups,)):
        raise ValueError(
            "conv_transpose2d expects x (N, C, H, W), w (C, F / groups, KH, KW), b (F,) and groups "
            f"that divide C, got {x.shape}, {w.shape} and {np.shape(b)} with {groups=}."
        )
    if any(o >= s for o, s in zip(output_padding, stride)):
        raise ValueError(
            "conv_transpose2d expects an output_padding that is less than the stride, "
            f"got {output_padding=} and {stride=}."
        )
    sizes = zip(x.shape[2:], w.shape[2:], stride, padding, dilation, output_padding)
    OH, OW = ((n - 1) * s - 2 * p + d * (k - 1) + o + 1 for n, k, s, p, d, o in sizes)
    if min(OH, OW, *x.shape[2:]) < 1:
        raise ValueError(
            f"conv_transpose2d of {x.shape} by kernels {w.shape[2:]} with {padding=} would give "
            f"images of {(OH, OW)}, without a pixel: pad less, or give it larger images."
        )
    shape = (len(x), w.shape[1], OH, OW)
    check_windows("conv_transpose2d", shape, w.shape[2:], stride, padding, dilation)
    return shape
