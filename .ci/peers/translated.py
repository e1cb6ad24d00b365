"""NumPy's names and options in PyTorch's words, where the two differ in more than the name."""

import math

import numpy as np
import torch
import torch.nn.functional as F
from numpy.lib.array_utils import normalize_axis_tuple

# ---- elementwise ---------------------------------------------------------------------------------


def with_numbers(f):
    """A function of tensors, of which some may be Python numbers."""

    def function(*arguments):
        return f(*(torch.as_tensor(a, dtype=torch.float64) for a in arguments))

    return function


def clip(x, a_min=None, a_max=None, *, min=None, max=None):
    low, high = (b if a is None else a for a, b in ((min, a_min), (max, a_max)))
    if isinstance(low, torch.Tensor) and isinstance(high, torch.Tensor):
        # PyTorch's gradient raises where a bound of no elements is broadcast.
        x, low, high = torch.broadcast_tensors(x, low, high)
    return torch.clamp(x, low, high)


def floor_divide(a, b):
    """As a constant, since PyTorch has no gradient of it; minigrad's is 0."""
    return torch.floor_divide(a.detach(), b.detach())


def where(condition, a, b):
    return torch.where(condition.bool(), a, b)


def nan_to_num(x, copy=True, nan=0.0, posinf=None, neginf=None):
    return torch.nan_to_num(x, nan, posinf, neginf)


# ---- reductions ----------------------------------------------------------------------------------


def over(f):
    """A reduction over NumPy's axes: None for all, () for none, several, as they come.

    `f(x, dim=-1, **options)` reduces the last axis, into which those to be reduced are gathered;
    PyTorch takes () for all of them, and several not everywhere.
    """

    def function(x, axis=None, keepdims=False, **options):
        axes = normalize_axis_tuple(range(x.ndim) if axis is None else axis, x.ndim)
        kept = [a for a in range(x.ndim) if a not in axes]
        sides = [x.shape[a] for a in kept]
        rows = x.permute((*kept, *axes)).reshape(*sides, math.prod(x.shape[a] for a in axes))
        y = f(rows, dim=-1, **options)
        return y.reshape([1 if a in axes else n for a, n in enumerate(x.shape)]) if keepdims else y

    return function


def var(x, dim, ddof=0):
    return torch.var(x, dim, correction=ddof)


def std(x, dim, ddof=0):
    return torch.std(x, dim, correction=ddof)


def along(f):
    """A function along one axis; with None, of all elements in a row."""

    def function(x, axis=-1, **options):
        return f(x.reshape(-1), 0, **options) if axis is None else f(x, axis, **options)

    return function


def norm(x, ord=None, axis=None, keepdims=False):
    axes = normalize_axis_tuple(range(x.ndim) if axis is None else axis, x.ndim)
    if len(axes) == 2 and ord is not None:
        return torch.linalg.matrix_norm(x, ord, axes, keepdims)
    order = 2 if ord is None else ord
    return over(lambda x, dim: torch.linalg.vector_norm(x, order, dim))(x, axis, keepdims)


# ---- shapes --------------------------------------------------------------------------------------


def transpose(x, axes=None):
    return x.permute(tuple(reversed(range(x.ndim))) if axes is None else axes)


def reshape(x, shape):
    return x.reshape(shape)


def broadcast_to(x, shape):
    return x.broadcast_to(shape)


def swapaxes(x, axis1, axis2):
    return x.swapaxes(axis1, axis2)


def expand_dims(x, axis):
    places = axis if isinstance(axis, tuple) else (axis,)
    ndim = x.ndim + len(places)
    for place in sorted(normalize_axis_tuple(places, ndim)):
        x = x.unsqueeze(place)
    return x


def squeeze(x, axis=None):
    return x.squeeze() if axis is None else x.squeeze(axis)


def split(x, sections, axis=0):
    return torch.tensor_split(x, sections, axis)


def repeat(x, repeats, axis=None):
    count = torch.tensor(repeats) if isinstance(repeats, list) else repeats
    return torch.repeat_interleave(x, count, axis)


def tile(x, reps):
    return torch.tile(x, reps if isinstance(reps, tuple) else (reps,))


def flip(x, axis=None):
    return torch.flip(x, normalize_axis_tuple(range(x.ndim) if axis is None else axis, x.ndim))


def roll(x, shift, axis=None):
    """Several axes one after the other; torch.roll wants as many shifts as axes."""
    if axis is None:
        return torch.roll(x, shift)
    axes = axis if isinstance(axis, tuple) else (axis,)
    shifts = shift if isinstance(shift, tuple) else (shift,) * len(axes)
    for s, a in zip(shifts, axes):
        x = torch.roll(x, s, a)
    return x


def pad(x, pad_width, constant_values=0):
    """F.pad counts from the last axis on, and takes the widths in one list."""
    widths = np.broadcast_to(np.asarray(pad_width), (x.ndim, 2))
    return F.pad(x, widths[::-1].ravel().tolist(), value=constant_values)


def diagonal(x, offset=0, axis1=0, axis2=1):
    return torch.diagonal(x, offset, axis1, axis2)


def triangle(f):
    """triu or tril; NumPy makes a matrix of a vector first, each row that vector."""
    return lambda x, k=0: f(x.expand(len(x), len(x)) if x.ndim == 1 else x, k)


def getitem(x, index):
    if _steps_back(index):  # which PyTorch refuses: NumPy finds the places, PyTorch reads there
        return x.reshape(-1)[_places(tuple(x.shape), index)]
    parts = index if isinstance(index, tuple) else (index,)
    return x[tuple(torch.tensor(p) if isinstance(p, np.ndarray | list) else p for p in parts)]


def scatter(x, index, shape):
    places = _places(shape, index).reshape(-1)
    flat = torch.zeros(math.prod(shape), dtype=x.dtype)
    return flat.index_add(0, places, x.reshape(-1)).reshape(shape)


def _steps_back(index):
    parts = index if isinstance(index, tuple) else (index,)
    return any(isinstance(p, slice) and (p.step or 1) < 0 for p in parts)


def _places(shape, index):
    """Where in the flat array the elements x[index] stand."""
    return torch.tensor(np.asarray(np.arange(math.prod(shape)).reshape(shape)[index]).copy())


def take(x, indices, axis=None):
    if axis is None:
        return torch.take(x, torch.tensor(indices))
    return x[(slice(None),) * (axis % x.ndim) + (torch.tensor(indices),)]


def take_along_axis(x, indices, axis=-1):
    n = x.numel() if axis is None else x.shape[axis]
    return torch.take_along_dim(x, torch.tensor(indices % n), axis)


def diff(x, n=1, axis=-1):
    return torch.diff(x, n, axis)


def append(a, b, axis=None):
    if axis is None:
        return torch.cat([a.reshape(-1), b.reshape(-1)])
    return torch.cat([a, b], axis)


def trace(x, offset=0, axis1=0, axis2=1):
    return torch.diagonal(x, offset, axis1, axis2).sum(-1)


# ---- products ------------------------------------------------------------------------------------


def dot(a, b):
    if a.ndim == 0 or b.ndim == 0:
        return a * b
    return torch.tensordot(a, b, ([-1], [-2] if b.ndim > 1 else [0]))


def tensordot(a, b, axes):
    pairs = isinstance(axes, tuple) and [[n] if isinstance(n, int) else n for n in axes]
    return torch.tensordot(a, b, pairs or axes)


def cross(a, b, axisa=-1, axisb=-1, axisc=-1):
    a, b = torch.broadcast_tensors(a.movedim(axisa, -1), b.movedim(axisb, -1))
    return torch.linalg.cross(a, b).movedim(-1, axisc)


def einsum(*arguments, text=None, optimize=False):
    return torch.einsum(text, *arguments)


# ---- networks ------------------------------------------------------------------------------------


def im2col(x, kernel_size, stride=1, padding=0, dilation=1):
    """F.unfold gives (N, C * places, windows), im2col (N * windows, places * C)."""
    N, C = x.shape[:2]
    columns = F.unfold(x, kernel_size, dilation, padding, stride)
    places, windows = columns.shape[1] // C, columns.shape[2]
    columns = columns.reshape(N, C, places, windows).permute(0, 3, 2, 1)
    return columns.reshape(N * windows, places * C)


def col2im(columns, shape, kernel_size, stride=1, padding=0, dilation=1):
    N, C, *size = shape
    places = columns.shape[1] // C
    windows = F.unfold(torch.zeros(1, C, *size), kernel_size, dilation, padding, stride).shape[2]
    columns = columns.reshape(N, windows, places, C).permute(0, 3, 2, 1)
    columns = columns.reshape(N, C * places, windows)
    return F.fold(columns, size, kernel_size, dilation, padding, stride)


def normalize(x, mean, var, weight=1, bias=0, eps=1e-5):
    """As a formula: F.batch_norm does not differentiate by the moments it is given."""
    return (x - mean) / torch.sqrt(var + eps) * weight + bias


def batch_norm(x, weight, bias, eps=1e-5):
    return F.batch_norm(x, None, None, weight, bias, training=True, eps=eps)


def plain_layer_norm(x, normalized_shape, eps):
    shape = normalized_shape if isinstance(normalized_shape, tuple) else (normalized_shape,)
    return F.layer_norm(x, shape, eps=eps)


def attention(query, key, value, attn_mask=None, **options):
    mask = None if attn_mask is None else torch.tensor(attn_mask)
    with torch.nn.attention.sdpa_kernel(torch.nn.attention.SDPBackend.MATH):  # others: no second
        return F.scaled_dot_product_attention(query, key, value, mask, **options)


def embedding(indices, weight):
    """By plain indexing where nothing is looked up: PyTorch's gradients of F.embedding raise."""
    nothing = not (indices.numel() and weight.numel())
    return weight[indices] if nothing else F.embedding(indices, weight)


def kl_div(x, targets, reduction, **options):
    """The mean over elements in PyTorch's words; its "mean" warns that it will change."""
    losses = F.kl_div(x, targets, reduction="none" if reduction == "mean" else reduction, **options)
    return losses.mean() if reduction == "mean" else losses


def with_targets(loss):
    """A loss whose integer targets are an option, an array."""

    def function(x, *others, targets=None, **options):
        targets = others if targets is None else (torch.tensor(targets),)
        return loss(x, *targets, **options)

    return function
