"""The table of layers: both classes, and how to draw their arguments and an input.

A strategy gives the arguments of minigrad's layer, those of PyTorch's where they differ in more
than their names, and the input.
"""

import cases
import hypothesis.extra.numpy as hnp
import numpy as np
import torch
from hypothesis import strategies as st
from op_checks import draw_array, draw_shape

import minigrad as mg

LAYERS = {}  # name: (minigrad's layer, PyTorch's layer, strategy of (arguments, input))


def layer(name, theirs, strategy):
    LAYERS[name] = getattr(mg.nn, name), theirs, strategy


@st.composite
def features(draw):
    shape = draw_shape(draw, min_dims=1, max_dims=4)
    bias = draw(st.booleans())
    arguments = {"in_features": shape[-1], "out_features": draw(st.integers(1, 4)), "bias": bias}
    return arguments, draw_array(draw, shape)


@st.composite
def channels(draw, strategy, transposed=False):
    """What cases.py draws for a convolution, as the arguments of a layer."""
    (x, w, *_), options = draw(strategy)
    groups = options.get("groups", 1)
    out_channels = w.shape[1] * groups if transposed else w.shape[0]
    kernel_size = w.shape[2] if w.ndim == 3 else w.shape[2:]
    sizes = {"in_channels": x.shape[1], "out_channels": out_channels, "kernel_size": kernel_size}
    return {**sizes, **options, "bias": draw(st.booleans())}, x


@st.composite
def windows(draw):
    (x,), options = draw(cases.poolings())
    return options, x


@st.composite
def output_sizes(draw):
    side = st.integers(1, 4)
    size = draw(st.one_of(side, st.tuples(side, side)))
    return {"output_size": size}, draw_array(draw, draw_shape(draw, 4, 4, 1, 3))


@st.composite
def words(draw):
    sizes = {"num_embeddings": draw(st.integers(1, 5)), "embedding_dim": draw(st.integers(1, 4))}
    below = st.integers(0, sizes["num_embeddings"] - 1)
    shape = draw(hnp.array_shapes(min_dims=0, max_dims=3, max_side=4))
    return sizes, draw(hnp.arrays(np.int64, shape, elements=below))


@st.composite
def last_axes(draw):
    shape = draw_shape(draw, min_dims=1, max_dims=4, min_side=2)
    last = shape[draw(st.integers(0, len(shape) - 1)) :]
    arguments = {"normalized_shape": last, "eps": draw(st.sampled_from([1e-5, 0.1]))}
    return arguments, draw_array(draw, shape)


@st.composite
def any_shape(draw, min_dims=0, min_side=0, **options):
    """An array, and options of which each has a strategy."""
    x = draw_array(draw, draw_shape(draw, min_dims, 4, min_side), -5.0, 5.0)
    return {name: draw(values) for name, values in options.items()}, x


def gelu():
    return torch.nn.GELU(approximate="tanh")


def softmax(axis):
    return torch.nn.Softmax(axis)


layer("Dense", torch.nn.Linear, features())
layer("Conv1D", torch.nn.Conv1d, channels(cases.sequences()))
layer("Conv2D", torch.nn.Conv2d, channels(cases.convolutions(groups=(1, 2, 3))))
layer("ConvTranspose2D", torch.nn.ConvTranspose2d, channels(cases.transposed(), transposed=True))
layer("MaxPool", torch.nn.MaxPool2d, windows())
layer("AvgPool", torch.nn.AvgPool2d, windows())
layer("AdaptiveAvgPool", torch.nn.AdaptiveAvgPool2d, output_sizes())
layer("Embedding", torch.nn.Embedding, words())
layer("LayerNorm", torch.nn.LayerNorm, last_axes())
layer("Flatten", torch.nn.Flatten, any_shape(min_dims=2))
layer("Identity", torch.nn.Identity, any_shape())
layer("ReLU", torch.nn.ReLU, any_shape())
layer("LeakyReLU", torch.nn.LeakyReLU, any_shape(negative_slope=st.floats(0, 2)))
layer("ELU", torch.nn.ELU, any_shape(alpha=st.floats(0.1, 2)))
layer("GELU", gelu, any_shape())
layer("SiLU", torch.nn.SiLU, any_shape())
layer("Softplus", torch.nn.Softplus, any_shape())
layer("Sigmoid", torch.nn.Sigmoid, any_shape())
layer("Tanh", torch.nn.Tanh, any_shape())
layer("Softmax", softmax, any_shape(1, 1, axis=st.sampled_from([-1, 0])))
