"""Sliding windows: im2col and col2im, sizes and checks. Convolution and pooling build on these.

A window is what a kernel sees of an image at one place. `im2col` lays all windows out as the rows
of a matrix (Chellapilla et al. 2006); `col2im` is its reverse; each is the other's gradient. Both
loop over the few places of a kernel, never over the many of an image.

    N images   C channels   H W height, width   KH KW kernel   OH OW output

Images are (N, C, H, W), as in PyTorch; in memory the channels come last, (N, H, W, C), so that a
row of a window is one run of KW * C numbers.
"""

import numpy as np

from ..autograd import primitive
from .expect import pair

# ---- sizes and checks ----------------------------------------------------------------------------


def output_size(shape, kernel_size, stride=(1, 1), padding=(0, 0), dilation=(1, 1)):
    """(OH, OW): in how many places a kernel fits inside the padded images (..., H, W)."""
    sizes = zip(shape[-2:], kernel_size, stride, padding, dilation)
    return tuple((n + 2 * p - d * (k - 1) - 1) // s + 1 for n, k, s, p, d in sizes)


def window_options(stride, padding, dilation):
    """The options of a row as pairs of integers; raises as `pair` does, by name."""
    return {
        "stride": pair("stride", stride, least=1),
        "padding": pair("padding", padding),
        "dilation": pair("dilation", dilation, least=1),
    }


def pool_options(kernel_size, stride, padding):
    """(kernel_size, stride, padding) of a pool as pairs; a stride of None is the kernel's size."""
    kernel_size = pair("kernel_size", kernel_size, least=1)
    stride = kernel_size if stride is None else pair("stride", stride, least=1)
    return kernel_size, stride, pair("padding", padding)


def check_windows(name, shape, kernel_size, stride, padding, dilation=(1, 1)):
    """Raise a ValueError if windows cannot slide over images of this shape."""
    if len(shape) != 4:
        raise ValueError(f"{name} expects images (N, C, H, W), got {shape}: x[None] makes a batch.")
    if min(kernel_size) < 1:
        raise ValueError(f"{name} expects a kernel of 1 or more, got {kernel_size=}.")
    if min(output_size(shape, kernel_size, stride, padding, dilation)) < 1:
        raise ValueError(
            f"{name}: a kernel of {kernel_size} with {dilation=} does not fit into images of "
            f"{shape[2:]} with {padding=}: pad them, or use a smaller kernel."
        )


# ---- windows: views, im2col, col2im --------------------------------------------------------------


def channels_last(x, padding=(0, 0), rows=0):
    """Images as contiguous (N, H, W, C), inside a border of zeros; with at least so many rows."""
    N, C, H, W = x.shape
    PH, PW = padding
    rows = max(rows, H + 2 * PH)
    if rows == H and PW == 0:
        return np.ascontiguousarray(x.transpose(0, 2, 3, 1))
    out = np.zeros((N, rows, W + 2 * PW, C), x.dtype)
    out[:, PH : PH + H, PW : PW + W] = x.transpose(0, 2, 3, 1)
    return out


def views(x, kernel_size, stride, dilation=(1, 1)):
    """For each place (i, j) of the kernel, the pixels there in all windows: (N, C, OH, OW)."""
    OH, OW = output_size(x.shape, kernel_size, stride, dilation=dilation)
    KH, KW = kernel_size
    SH, SW = stride
    DH, DW = dilation
    for i, j in np.ndindex(KH, KW):
        yield x[:, :, i * DH : i * DH + SH * OH : SH, j * DW : j * DW + SW * OW : SW]


def _read_windows(x, *, kernel_size, stride, padding, dilation):
    """Copy what the windows see, one place of the kernel at a time."""
    N, C, _, _ = x.shape
    KH, KW = kernel_size
    PH, PW = padding
    OH, OW = output_size(x.shape, kernel_size, stride, padding, dilation)
    x = np.pad(x.transpose(0, 2, 3, 1), ((0, 0), (PH, PH), (PW, PW), (0, 0)))  # channels last
    x = x.transpose(0, 3, 1, 2)  # seen as (N, C, H, W) again
    columns = np.empty((N, OH, OW, KH * KW, C), x.dtype)
    for place, view in enumerate(views(x, kernel_size, stride, dilation)):
        columns[:, :, :, place] = view.transpose(0, 2, 3, 1)  # (N, OH, OW, C)
    return columns.reshape(N * OH * OW, KH * KW * C)


def _add_windows(columns, *, shape, kernel_size, stride, padding, dilation):
    """The same walk, adding to the pixels instead of reading them."""
    N, C, H, W = shape
    KH, KW = kernel_size
    PH, PW = padding
    OH, OW = output_size(shape, kernel_size, stride, padding, dilation)
    if columns.shape != (N * OH * OW, KH * KW * C):
        raise ValueError(
            f"col2im expects columns {(N * OH * OW, KH * KW * C)} for images of {shape}, "
            f"got {columns.shape}."
        )
    columns = columns.reshape(N, OH, OW, KH * KW, C)
    x = np.zeros((N, H + 2 * PH, W + 2 * PW, C), columns.dtype).transpose(0, 3, 1, 2)
    for place, view in enumerate(views(x, kernel_size, stride, dilation)):
        view += columns[:, :, :, place].transpose(0, 3, 1, 2)  # (N, C, OH, OW)
    return x[:, :, PH : PH + H, PW : PW + W]


# A table is read down its columns: the rows are each other's gradients.
# fmt: off
_im2col = primitive(_read_windows, lambda g, y, x, **o: _col2im(g, shape=x.shape, **o),
                    name="im2col", doc="The window under each output pixel, as a row")
_col2im = primitive(_add_windows, lambda h, y, columns, *, shape, **o: _im2col(h, **o),
                    name="col2im", doc="Each row added to the pixels of its window")
# fmt: on


def im2col(x, kernel_size, stride=1, padding=0, dilation=1):
    """The window under each output pixel as a row.

    Parameters
    ----------
    x : (N, C, H, W)
    kernel_size, stride, padding, dilation : int or (int, int)

    Returns
    -------
    columns : (N * OH * OW, KH * KW * C)

    Examples
    --------
    >>> im2col(np.arange(9.0).reshape(1, 1, 3, 3), 2)
    array([[0., 1., 3., 4.],
           [1., 2., 4., 5.],
           [3., 4., 6., 7.],
           [4., 5., 7., 8.]])
    """
    options = window_options(stride, padding, dilation)
    return _im2col(x, kernel_size=pair("kernel_size", kernel_size, least=1), **options)


def col2im(columns, shape, kernel_size, stride=1, padding=0, dilation=1):
    """The reverse of `im2col`: every window adds its row to the pixels that it read.

    Parameters
    ----------
    columns : (N * OH * OW, KH * KW * C)
    shape : (N, C, H, W)
    kernel_size, stride, padding, dilation : int or (int, int)

    Returns
    -------
    x : (N, C, H, W)

    Examples
    --------
    >>> col2im(np.ones((4, 4)), (1, 1, 3, 3), 2)[0, 0]  # how many windows read each pixel
    array([[1., 2., 1.],
           [2., 4., 2.],
           [1., 2., 1.]])
    """
    options = window_options(stride, padding, dilation)
    kernel_size = pair("kernel_size", kernel_size, least=1)
    return _col2im(columns, shape=shape, kernel_size=kernel_size, **options)
