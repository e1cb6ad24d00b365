"""What layers and optimizers refuse, by name: inputs, options, lists of anything but parameters."""

from collections.abc import Iterable

from ..autograd import Tensor
from ..ops.expect import array, pair, whole
from .module import Module, Parameter

# ---- of layers -----------------------------------------------------------------------------------


def check_dtype(layer, x):
    """Refuse what is not floats, and floats of another dtype than the parameters."""
    array(repr(layer), x)
    if x.dtype.kind != "f":
        raise TypeError(
            f"{layer!r} expects floats, got {x.dtype}: use minigrad.data.normalize for images, "
            ".astype(np.float32) for other data."
        )
    if x.dtype != layer.weight.dtype:
        raise TypeError(
            f"{layer!r} has parameters of {layer.weight.dtype}, got {x.dtype}: "
            f"use x.astype(np.{layer.weight.dtype}), or model.astype(np.{x.dtype}). "
            "The likely cause of an unwanted float64 is a NumPy scalar: in place of "
            "x / np.sqrt(64), write x / 64**0.5, or x / float(np.sqrt(64))."
        )


def check_kernels(layer, in_channels, out_channels, groups, kernel_size, **options):
    """Refuse what makes no convolution, such as groups that do not divide the channels."""
    whole("in_channels", in_channels, least=1)
    whole("out_channels", out_channels, least=1)
    whole("groups", groups, least=1)
    pair(kernel_size, "kernel_size", least=1)
    for name, value in options.items():
        pair(value, name, least=1 if name in ("stride", "dilation") else 0)
    if in_channels % groups or out_channels % groups:
        raise ValueError(
            f"{type(layer).__name__} expects groups that divide both numbers of channels, "
            f"got {groups=}, {in_channels=}, {out_channels=}."
        )


def check_pool(kernel_size, stride, padding):
    """Refuse sizes that make no windows; a stride of None is the kernel's size."""
    pair(kernel_size, "kernel_size", least=1)
    pair(kernel_size if stride is None else stride, "stride", least=1)
    pair(padding, "padding")


# ---- of optimizers and clip_grad_norm ------------------------------------------------------------


def listed(caller, params):
    """`params` as a list.

    Raises
    ------
    TypeError
        If it is no list, or an iterable of another kind, such as a model or a single tensor.
    """
    if isinstance(params, Module):
        raise TypeError(
            f"{caller} expects a list of Parameters, got the model {type(params).__name__}: pass "
            "model.parameters()."
        )
    if callable(params):
        raise TypeError(
            f"{caller} expects a list of Parameters, got a function: call it, as "
            "model.parameters()."
        )
    if isinstance(params, Tensor | dict):
        raise TypeError(
            f"{caller} expects a list of Parameters or of groups, got a single "
            f"{type(params).__name__}: put it into a list, [it]."
        )
    if not isinstance(params, Iterable):
        raise TypeError(
            f"{caller} expects a list of Parameters, got {params!r:.80}: pass model.parameters()."
        )
    return list(params)


def groups_of(caller, params):
    """What an optimizer is given, parameters or groups of them, as a list of groups.

    Raises
    ------
    TypeError, ValueError
        As `listed` does, if a group is no dict with a list of "params", or if all are empty.
    """
    groups = listed(caller, params)
    if not any(isinstance(group, dict) for group in groups):
        groups = [{"params": groups}]
    for group in groups:
        if not isinstance(group, dict) or not isinstance(group.get("params"), Iterable):
            raise ValueError(f'a group expects "params", a list, got {group!r:.80}.')
    groups = [{**group, "params": list(group["params"])} for group in groups]
    if not any(group["params"] for group in groups):
        raise ValueError(f"{caller} got no parameters: pass model.parameters().")
    return groups


def check_parameters(caller, params):
    """Raise an error unless a list holds Parameters alone, each of them once."""
    for p in params:
        if not isinstance(p, Parameter):
            raise TypeError(
                f"{caller} expects Parameters, got {type(p).__name__}: "
                "pass model.parameters(), or wrap an array as nn.Parameter(array)."
            )
    if len({id(p) for p in params}) < len(params):
        raise ValueError(
            f"{caller} expects each parameter once, got one twice: leave it out in one of the two "
            "places."
        )
