"""States, arrays by name: what `state_dict` gives of a model or an optimizer, and takes back.

All or nothing: a state is checked, as new arrays of the right shapes and dtypes, before any of it
is copied into its place.
"""

from collections.abc import Mapping

import numpy as np

from .ops.expect import as_array

# ---- names and arrays ----------------------------------------------------------------------------


def prefixed(prefix, arrays):
    """The arrays, with `prefix` and a dot before each name.

    Raises
    ------
    TypeError
        If it is no dict, or a name is no text: 1 and "1" would become the same.
    """
    if not isinstance(arrays, dict) or not all(isinstance(name, str) for name in arrays):
        raise TypeError(
            f"{prefix} expects a state_dict() that returns a dict of arrays by name, "
            f"got {arrays!r:.80}."
        )
    return {f"{prefix}.{name}": array for name, array in arrays.items()}


def below(prefix, arrays):
    """The arrays that `prefixed` named, by the names they had before."""
    start = f"{prefix}."
    return {name.removeprefix(start): a for name, a in arrays.items() if name.startswith(start)}


def check_state(state):
    """Raise a TypeError unless it is what a `state_dict` gives, or a file of np.load."""
    if not isinstance(state, Mapping):
        raise TypeError(
            f"load_state_dict expects a dict of arrays by name, got {state!r:.80}: "
            "mg.load(path, model) reads a file, other.state_dict() gives the state of another."
        )


def filling(name, value, own):
    """`value` as a new array of the dtype of the array `own`, into which it can be copied.

    Raises
    ------
    ValueError
        If it has another shape, is not of real numbers, is too large for the dtype, or `own` is
        read-only.
    """
    array = as_array(value)
    if array.shape != own.shape:
        raise ValueError(f"{name} expects shape {own.shape}, got {array.shape}.")
    if array.dtype.kind == own.dtype.kind and own.dtype.kind in "cmMSU":
        fits = np.can_cast(array.dtype, own.dtype)  # such as text that is no longer
    else:
        fits = array.dtype.kind in "biuf" and np.can_cast(array.dtype, own.dtype, "same_kind")
    if not fits:
        raise ValueError(f"{name} expects numbers that fit {own.dtype}, got {array.dtype}.")
    if not own.flags.writeable:
        raise ValueError(f"{name} expects an array that can be written to, but this one cannot.")
    with np.errstate(over="raise"):
        try:
            return array.astype(own.dtype)  # a copy, as it may be a view of what is filled first
        except FloatingPointError:
            raise ValueError(f"{name} has numbers too large for {own.dtype}.") from None


def counter(name, state, least=0):
    """The whole number that `state` holds under `name`.

    Raises
    ------
    ValueError
        If it is missing, below `least`, or anything else.
    """
    if name not in state:
        raise ValueError(f"{name} is missing.")
    number = int(filling(name, state[name], np.array(0)))
    if number < least:
        raise ValueError(f"{name} expects a whole number of {least} or more, got {number}.")
    return number


# ---- of a model, of an optimizer -----------------------------------------------------------------


def matching(own, state, strict=True):
    """What of `state` fills the arrays `own` of a model, by name.

    Raises
    ------
    ValueError
        If a shape differs, or something is not of numbers; with `strict`, also if a name is
        missing or unknown. Of the names of one array, one is enough.
    """
    check_state(state)
    given = {id(array) for name, array in own.items() if name in state}
    missing = [name for name, array in own.items() if id(array) not in given]
    unknown = [name for name in state if name not in own]
    if strict and (missing or unknown):
        raise ValueError(
            "load_state_dict expects the names of this model's own state, got a state with "
            f"missing {missing or 'nothing'}, unknown {unknown or 'nothing'}. "
            "Is it of another model? load_state_dict(state, strict=False) takes what fits."
        )
    try:
        return {name: filling(name, state[name], own[name]) for name in own if name in state}
    except ValueError as error:
        raise ValueError(
            f"{error} Build the model with the sizes of the one that was saved."
        ) from error


def state_of(optimizer):
    """Copies of the arrays of all parameters, their steps, and the options of the groups."""
    return {name: np.array(value) for name, value in _values(optimizer)}


def _values(optimizer):
    """What `state_of` copies, as (name, value)."""
    yield from ((f"{i}.step", n) for i, n in enumerate(optimizer.steps))
    for i, arrays in enumerate(optimizer.state):
        yield from ((f"{i}.{name}", array) for name, array in arrays.items())
    for i, group in enumerate(optimizer.param_groups):
        for option, value in group.items():
            if option != "params":
                yield f"group.{i}.{option}", value


def fill_state(optimizer, state):
    """Take over what `state_of` gave, of the same parameters and groups; all or nothing.

    Raises
    ------
    ValueError
        If names, shapes or options do not fit.
    """
    check_state(state)
    new = _checked(optimizer, state)
    groups = _groups(optimizer, state)
    for group, changed in zip(optimizer.param_groups, groups):
        group.update(changed)
    optimizer.steps = [int(new[f"{i}.step"]) for i in range(len(optimizer.steps))]
    for i, arrays in enumerate(optimizer.state):
        for name, array in arrays.items():
            array[...] = new[f"{i}.{name}"]


def _checked(optimizer, state):
    """The arrays of `state`, of the names, shapes and kinds of the optimizer's own."""
    own = {name: np.asarray(value) for name, value in _values(optimizer)}
    # A schedule adds initial_lr, so that one of the two may lack it.
    own |= {f"group.{i}.initial_lr": np.array(0.0) for i in range(len(optimizer.param_groups))}
    differing = own.keys() ^ state.keys()
    wrong = [n for n in differing if n in state or not n.endswith(".initial_lr")]
    if wrong:
        raise ValueError(
            "the state is of another optimizer, or of other parameters; these arrays differ: "
            f"{', '.join(sorted(wrong)[:5])}. Make the optimizer as the one that was saved."
        )
    for name, array in own.items():
        if name.startswith("group.") and array.dtype.kind in "iu":
            own[name] = array.astype(float)  # of momentum=0 a schedule may have made 0.85
        elif name.startswith("group.") and array.dtype.kind == "U":
            own[name] = array.astype("U1000")  # an option is replaced, so that it may be longer
    try:
        new = {name: filling(name, array, own[name]) for name, array in state.items()}
        for i in range(len(optimizer.steps)):
            counter(f"{i}.step", state)
    except ValueError as error:
        raise ValueError(
            f"the state is of another optimizer, or of other parameters: {error} "
            "Make the optimizer as the one that was saved."
        ) from error
    return new


def _groups(optimizer, state):
    """The options of the groups as `state` has them; raises for one outside its limits."""
    groups = [dict(group) for group in optimizer.param_groups]
    for name, value in state.items():
        if name.startswith("group."):
            _, i, option = name.split(".")
            array = np.asarray(value)
            groups[int(i)][option] = tuple(array.tolist()) if array.ndim else array.item()
    for group in groups:
        optimizer.check_limits(group)
    return groups
