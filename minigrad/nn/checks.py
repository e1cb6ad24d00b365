"""What layers refuse by name, and what is refused in place of a model or of its parameters."""

from collections.abc import Iterable

from ..autograd import Tensor
from ..ops.expect import array, whole
from .module import Module, Parameter

# ---- by layers -----------------------------------------------------------------------------------


def check_dtype(layer, x):
    """Refuse what is not floats, and floats of another dtype than the parameters."""
    array(layer, x)
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


def check_channels(layer, in_channels, out_channels, groups):
    """Refuse numbers of channels that are none, and groups that do not divide them."""
    whole("in_channels", in_channels, least=1)
    whole("out_channels", out_channels, least=1)
    whole("groups", groups, least=1)
    if in_channels % groups or out_channels % groups:
        raise ValueError(
            f"{type(layer).__name__} expects groups that divide both numbers of channels, "
            f"got {groups=}, {in_channels=}, {out_channels=}."
        )


# ---- in place of a model, or of parameters -------------------------------------------------------


def check_model(caller, model):
    """Raise a TypeError unless it is a Module."""
    if not isinstance(model, Module):
        raise TypeError(
            f"{caller} expects a model, such as nn.Sequential(...) or a class of your own that is "
            f"derived from nn.Module, got {model!r:.80}."
        )


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
            f"{caller} expects a list of Parameters, got a single "
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
                f"{caller} expects Parameters, got {type(p).__name__} of {type(p).__module__}: "
                "pass model.parameters(), or wrap an array as nn.Parameter(array)."
            )
    if len({id(p) for p in params}) < len(params):
        raise ValueError(
            f"{caller} expects each parameter once, got one twice: leave it out in one of the two "
            "places."
        )
