"""To see what is there: `graph` draws how a tensor was computed, an operation recites its rules.

The drawings are text: Mermaid, which code hosts and notebooks draw, and DOT, for Graphviz.
"""

import ast
import inspect
import linecache
from functools import lru_cache

import numpy as np

from .autograd import _FREED, Tensor, gradients, primitive, topological_order

# ---- graph: nodes, edges, text -------------------------------------------------------------------


class Graph:
    """What `graph` found: boxes, of tensors and constants, circles, of operations, and arrows.

    Attributes
    ----------
    boxes, circles : dict of str to str
        The label of each node; its lines are parted by line breaks.
    arrows : list of (str, str)
    """

    def __init__(self):
        self.boxes, self.circles, self.arrows = {}, {}, []

    def mermaid(self):
        """The graph in the language of Mermaid."""
        nodes = [f'{key}["{_mermaid(text)}"]' for key, text in self.boxes.items()]
        nodes += [f'{key}(["{_mermaid(text)}"])' for key, text in self.circles.items()]
        return "\n    ".join(["graph LR", *nodes, *(f"{a} --> {b}" for a, b in self.arrows)])

    def dot(self):
        """The graph in the language of Graphviz."""
        nodes = [f'{key} [shape=box, label="{_dot(text)}"];' for key, text in self.boxes.items()]
        nodes += [f'{key} [label="{_dot(text)}"];' for key, text in self.circles.items()]
        arrows = [f"{a} -> {b};" for a, b in self.arrows]
        return "\n    ".join(["digraph {", "rankdir=LR;", *nodes, *arrows]) + "\n}"

    __str__ = mermaid

    def __repr__(self):
        return f"<Graph of {len(self.boxes)} values and {len(self.circles)} operations>"

    def _repr_markdown_(self):  # notebooks draw it
        return f"```mermaid\n{self.mermaid()}\n```"


def _mermaid(text):
    """Mermaid reads entities written with # and without &, and Markdown between backquotes."""
    text = "".join(f"#{ord(a)};" if a in '#"<>&`\\' else a for a in text)
    return text.replace("\n", "<br/>")


def _dot(text):
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def graph(tensor, model=None):
    """How `tensor` was computed, as a drawing: `print(mg.graph(loss))`.

    Each tensor shows its name and shape; one of a single number shows its data, and as grad the
    derivative of `tensor` by it, where `tensor` is a single number too. No `.grad` is written.

    Parameters
    ----------
    tensor : Tensor
        Before its `backward()`, which frees the graph.
    model : Module, optional
        Its parameters are shown by name.

    Returns
    -------
    Graph
        With `.mermaid()` and `.dot()`; printed, and in a notebook, it is Mermaid.

    Raises
    ------
    ValueError
        If the graph was freed.

    Examples
    --------
    >>> import minigrad as mg
    >>> x = mg.Tensor(3.0, requires_grad=True, name="x")
    >>> print(mg.graph(x * 2))
    graph LR
        t0["data 6<br/>grad 1"]
        c2["2"]
        t1["x<br/>data 3<br/>grad 2"]
        o0(["multiply"])
        t1 --> o0
        c2 --> o0
        o0 --> t0
    """
    names = {} if model is None else {id(p): name for name, p in model.named_parameters()}
    slopes = {} if tensor._node is _FREED else _slopes(tensor)
    drawing, keys, stack = Graph(), {id(tensor): "t0"}, [tensor]
    while stack:
        t = stack.pop()
        if t._node is _FREED:
            raise ValueError("a backward() freed this: draw it before, or give retain_graph=True.")
        key = keys[id(t)]
        drawing.boxes[key] = _label(t, names.get(id(t), t.name), slopes.get(id(t)))
        if t._node:
            stack += _draw_operation(drawing, t._node, key, keys)
    return drawing


def _draw_operation(drawing, node, key, keys):
    """Add the operation that made `key`; gives those of its inputs that are new tensors."""
    row, inputs, _, keywords, _ = node
    circle, names, options, new = key.replace("t", "o"), _arguments(row), [], []
    for i, x in enumerate(inputs):
        if isinstance(x, Tensor):
            if id(x) not in keys:
                keys[id(x)] = f"t{len(keys)}"
                new.append(x)
            drawing.arrows.append((keys[id(x)], circle))
        elif row.each or (i < len(row.rules) and row.rules[i]):
            constant = keys[("constant", key, i)] = f"c{len(keys)}"
            drawing.boxes[constant] = _short(x)
            drawing.arrows.append((constant, circle))
        elif x is not None:
            options.append(f"{names[i]}={_short(x)}" if i < len(names) else _short(x))
    options += [f"{name}={_short(value)}" for name, value in keywords.items()]
    drawing.circles[circle] = "\n".join([row.name, *options])
    drawing.arrows.append((circle, key))
    return new


def _slopes(tensor):
    """d(tensor) / dx of each x of one number that it was computed from, by id."""
    if tensor._data.size != 1 or not tensor.requires_grad:
        return {}
    singles = [x for x in topological_order(tensor)[0] if x._data.size == 1]
    found = gradients(tensor, singles, np.ones(tensor.shape), retain_graph=True)
    return {id(x): g.item() for x, g in zip(singles, found, strict=True)}


def _label(t, name, slope):
    lines = [name] if name else []
    if t._data.size == 1:
        lines += [f"data {t._data.item():.4g}"]
        lines += [] if slope is None else [f"grad {slope:.4g}"]
    else:
        lines += [str(t.shape)]
    return "\n".join(lines)


def _short(x):
    """A constant or an option in a few letters."""
    if isinstance(x, np.ndarray) and x.size != 1:
        return f"array {x.shape}"
    text = f"{x.item():.4g}" if isinstance(x, np.ndarray | np.floating) else str(x)
    return text if len(text) <= 40 else text[:37] + "..."


# ---- print(mg.tanh): an operation recites its rules ----------------------------------------------


def recite(row):
    """The signature of a primitive, its doc, and its rules as they stand in the table.

    Examples
    --------
    >>> import minigrad as mg
    >>> print(mg.tanh)
    tanh(x)
        Hyperbolic tangent
        dx = g * (1 - y * y)
    """
    lines = [f"{row.name}{_signature(row)}", *([row.__doc__] if row.__doc__ else [])]
    if row.each:
        lines.append("d(input i) = " + _spoken(row.each))
    for name, rule in zip(_arguments(row), row.rules):
        lines.append(f"d{name} = {_spoken(rule)}" if rule else f"{name} is a constant")
    return "\n    ".join(lines)


def _parameters(rule):
    """What a rule takes after g and y, which is what the operation takes."""
    return list(inspect.signature(rule).parameters.values())[2:]


def _arguments(row):
    """The names of the inputs, as the longest of the rules calls them."""
    rules = [_parameters(rule) for rule in row.rules if rule]
    return [p.name for p in max(rules, key=len, default=[])]


def _signature(row):
    """From the rules, which name the inputs; from the function where they take any keywords."""
    parameters = max((_parameters(rule) for rule in row.rules if rule), key=len, default=[])
    if parameters and not any(p.kind is p.VAR_KEYWORD for p in parameters):
        return inspect.Signature(parameters)
    try:
        return inspect.signature(row.function)
    except ValueError:  # some functions written in C have none
        return "(...)"


def _spoken(rule):
    """A rule as a line: a lambda's body, or the name and the doc's first line of a function."""
    if rule.__name__ != "<lambda>":
        doc = (inspect.getdoc(rule) or "").partition("\n")[0]
        return rule.__name__ + (f": {doc}" if doc else str(inspect.signature(rule)))
    body = _body(rule.__code__)
    return ast.unparse(body) if body else "a rule whose source is not at hand"


def _body(code):
    """The body of a lambda in its file: the smallest that holds all positions of its code."""
    spots = [spot for spot in code.co_positions() if None not in spot and spot[3]]
    if not spots:
        return None
    start = min((line, column) for line, _, column, _ in spots)
    end = max((line, column) for _, line, _, column in spots)
    fits = [
        body
        for body in _lambda_bodies(code.co_filename)
        if (body.lineno, body.col_offset) <= start and end <= (body.end_lineno, body.end_col_offset)
    ]
    return min(fits, key=lambda body: len(ast.unparse(body)), default=None)


@lru_cache
def _lambda_bodies(file):
    try:
        tree = ast.parse("".join(linecache.getlines(file)))
    except SyntaxError:
        return []
    return [node.body for node in ast.walk(tree) if isinstance(node, ast.Lambda)]


primitive.__str__ = recite  # type: ignore[method-assign]
primitive.__repr__ = lambda row: f"<primitive {row.name}{_signature(row)}>"  # type: ignore
