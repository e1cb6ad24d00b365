"""The table of peers: what PyTorch calls each of minigrad's operations, or why it has none.

The arguments come from the cases in tests/ops/cases.py; the first word of a case's name is the name
of an operation, by which it finds its peer here.
"""

import numpy as np
import torch
import torch.nn.functional as F
import translated as as_in
from translated import along, over, triangle, with_numbers, with_targets

# What has the same name, and the same arguments in these cases.
SAME_NAME = """
    positive negative square reciprocal sqrt exp expm1 log log1p log2 log10 sin cos tan arcsin
    arccos arctan sinh cosh tanh absolute sign floor ceil round sigmoid moveaxis matmul inner relu
    arcsinh arccosh arctanh exp2 sinc deg2rad rad2deg ravel kron flipud fliplr
"""
PEERS = {name: getattr(torch, name) for name in SAME_NAME.split()}

for name, peer in {
    "add": torch.add,
    "subtract": torch.subtract,
    "multiply": torch.multiply,
    "divide": torch.divide,
    "power": torch.pow,
    "logaddexp": torch.logaddexp,
    "arctan2": torch.arctan2,
    "maximum": torch.maximum,
    "minimum": torch.minimum,
    "remainder": torch.remainder,
    "mod": torch.remainder,
    "floor_divide": as_in.floor_divide,
    "hypot": torch.hypot,
    "logaddexp2": torch.logaddexp2,
    "fmax": torch.fmax,
    "fmin": torch.fmin,
}.items():
    PEERS[name] = with_numbers(peer)

PEERS |= {
    # elementwise
    "clip": as_in.clip,
    "where": as_in.where,
    "cbrt": lambda x: torch.sign(x) * torch.abs(x) ** (1 / 3),
    "abs": torch.abs,
    "fabs": torch.abs,
    "nan_to_num": as_in.nan_to_num,
    # reductions
    "sum": over(torch.sum),
    "prod": over(torch.prod),
    "mean": over(torch.mean),
    "var": over(as_in.var),
    "std": over(as_in.std),
    "max": over(torch.amax),
    "min": over(torch.amin),
    "logsumexp": over(torch.logsumexp),
    "norm": as_in.norm,
    "cumsum": along(torch.cumsum),
    "cumprod": along(torch.cumprod),
    "sort": along(lambda x, dim: torch.sort(x, dim).values),
    "diff": as_in.diff,
    # shapes
    "reshape": as_in.reshape,
    "broadcast_to": as_in.broadcast_to,
    "transpose": as_in.transpose,
    "swapaxes": as_in.swapaxes,
    "matrix_transpose": lambda x: x.mT,
    "expand_dims": as_in.expand_dims,
    "squeeze": as_in.squeeze,
    "concatenate": lambda *xs, axis: torch.cat(xs, axis),
    "stack": lambda *xs, axis: torch.stack(xs, axis),
    "split": as_in.split,
    "tile": as_in.tile,
    "repeat": as_in.repeat,
    "flip": as_in.flip,
    "roll": as_in.roll,
    "pad": as_in.pad,
    "diagonal": as_in.diagonal,
    "diag": lambda x, k=0: torch.diag(x, k),
    "trace": as_in.trace,
    "astype": torch.square,  # what the case computes, in a dtype that PyTorch lacks
    "getitem": as_in.getitem,
    "scatter": as_in.scatter,
    "take": as_in.take,
    "take_along_axis": as_in.take_along_axis,
    "tril": triangle(torch.tril),
    "triu": triangle(torch.triu),
    "rot90": lambda x, k=1, axes=(0, 1): torch.rot90(x, k, axes),
    "append": as_in.append,
    "atleast_1d": torch.atleast_1d,
    "atleast_2d": torch.atleast_2d,
    "atleast_3d": torch.atleast_3d,
    "vstack": lambda *xs: torch.vstack(xs),
    "hstack": lambda *xs: torch.hstack(xs),
    "dstack": lambda *xs: torch.dstack(xs),
    "column_stack": lambda *xs: torch.column_stack(xs),
    "array_split": as_in.split,
    "vsplit": lambda x, sections: torch.vsplit(x, sections),
    "hsplit": lambda x, sections: torch.hsplit(x, sections),
    "dsplit": lambda x, sections: torch.dsplit(x, sections),
    # products
    "linear": F.linear,
    "dot": as_in.dot,
    "outer": lambda a, b: torch.outer(a.reshape(-1), b.reshape(-1)),
    "einsum": as_in.einsum,
    "tensordot": as_in.tensordot,
    "cross": as_in.cross,
    # activations and attention
    "leaky_relu": F.leaky_relu,
    "elu": F.elu,
    "silu": F.silu,
    "gelu": lambda x: F.gelu(x, approximate="tanh"),
    "softplus": F.softplus,
    "softmax": lambda x, axis: torch.softmax(x, axis),
    "log_softmax": lambda x, axis: torch.log_softmax(x, axis),
    "scaled_dot_product_attention": as_in.attention,
    # convolution and pooling
    "conv1d": F.conv1d,
    "conv2d": F.conv2d,
    "conv2d_textbook": F.conv2d,
    "conv_transpose2d": F.conv_transpose2d,
    "im2col": as_in.im2col,
    "col2im": as_in.col2im,
    "max_pool2d": F.max_pool2d,
    "avg_pool2d": F.avg_pool2d,
    "adaptive_avg_pool2d": F.adaptive_avg_pool2d,
    "global_avg_pool2d": lambda x: F.adaptive_avg_pool2d(x, 1),
    # normalization and losses
    "batch_norm": as_in.batch_norm,
    "layer_norm": lambda x, w, b: F.layer_norm(x, w.shape, w, b),
    "normalize": as_in.normalize,
    "embedding": as_in.embedding,
    "cross_entropy": with_targets(F.cross_entropy),
    "nll_loss": with_targets(F.nll_loss),
    "binary_cross_entropy_with_logits": F.binary_cross_entropy_with_logits,
    "kl_div": as_in.kl_div,
    "mse_loss": F.mse_loss,
    "l1_loss": F.l1_loss,
    "huber_loss": F.huber_loss,
}

# Cases that call their operation in a way of their own.
PEERS |= {
    "round to a place": lambda x, decimals: torch.round(x, decimals=decimals),
    "concatenate all": lambda *xs, axis: torch.cat([x.reshape(-1) for x in xs]),
    "layer_norm, plain": as_in.plain_layer_norm,
    "einsum of lists": lambda a, b: torch.einsum(a, [3, 40, ...], b, [40, 5], [..., 5, 3]),
    "norm of order 1.5": lambda x, **options: as_in.norm(x, 1.5, **options),
    "append, axis": lambda *xs, axis: torch.cat([xs[0], xs[-1]], axis),
    "clip from below": torch.maximum,
    "clip from above": torch.minimum,
    "x % y": lambda x, y: x % y,
    "-7 % x": lambda x: with_numbers(torch.remainder)(-7, x),
    "x // 0.7": lambda x: with_numbers(as_in.floor_divide)(x, 0.7),
    "where, number": lambda x: x + 0.0,
    "where of itself": lambda x: torch.where(x > 0, x, 0) + torch.where(x > 0, -1, x),
    "x ** 2": lambda x: x**2,
    "2 ** x": lambda x: 2**x,
    "1 / x": lambda x: 1 / x,
    "3 - x": lambda x: 3 - x,
    "abs(-x + [1])": lambda x: abs(-x) + 1,
    "a @ a.T": lambda a: a @ a.T,
}

# Where a case draws arguments at a kink: the samples to keep, given (*inputs, **options).
AWAY_FROM_KINKS = {
    "std": lambda x, **options: np.all(np.std(x, **options) > 0),
}

# What PyTorch lacks, or does otherwise by design.
NO_PEER = {
    "dropout": "each library draws masks of its own; test_layers.py gives both the same one",
}


def peer_of(case_name):
    """PyTorch's function for a case, by its whole name or by its operation's, or None."""
    return PEERS.get(case_name) or PEERS.get(operation_of(case_name))


def operation_of(case_name):
    """The operation that a case is of: the first word of its name."""
    word = case_name.split(",")[0].split(" ")[0]
    if word == "attention":
        return "scaled_dot_product_attention"
    return word if word in PEERS or word in NO_PEER else "operators"  # such as x ** 2
