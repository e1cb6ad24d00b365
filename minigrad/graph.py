"""To see what is there: `graph` draws how a tensor was computed, an operation recites its rules.

The drawings are text: Mermaid, which code hosts and notebooks draw, and DOT, for Graphviz.
"""

import ast
import inspect
import linecache
import re
import textwrap

import numpy as np

from .autograd import Tensor, gradients, primitive, topological_order

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
        lines = [f'{key}["{_entities(text)}"]' for key, text in self.boxes.items()]
        lines += [f'{key}(["{_entities(text)}"])' for key, text in self.circles.items()]
        lines += [f"{a} --> {b}" for a, b in self.arrows]
        return "\n    ".join(["graph LR", *lines])

    def dot(self):
        """The graph in the language of Graphviz."""
        lines = [f'{k} [shape=box, label="{_escaped(text)}"];' for k, text in self.boxes.items()]
        lines += [f'{key} [label="{_escaped(text)}"];' for key, text in self.circles.items()]
        lines += [f"{a} -> {b};" for a, b in self.arrows]
        return "\n    ".join(["digraph {", "rankdir=LR;", *lines]) + "\n}"

    __str__ = mermaid

    def __repr__(self):
        return f"<Graph of {len(self.boxes)} values and {len(self.circles)} operations>"

    def _repr_markdown_(self):  # notebooks draw it
        return f"```mermaid\n{self.mermaid()}\n```"


def _entities(text):
    """Mermaid reads entities written with # and without &, and Markdown between backquotes."""
    return re.sub(r'[#"<>&`\\]', lambda a: f"#{ord(a[0])};", text).replace("\n", "<br/>")


def _escaped(text):
    return text.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")


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
        c0_1["2"]
        t1["x<br/>data 3<br/>grad 2"]
        o0(["multiply"])
        t1 --> o0
        c0_1 --> o0
        o0 --> t0
    """
    order = topological_order(tensor)[::-1] if tensor.requires_grad else [tensor]
    constants = [x for t in order if t.node for x in t.node[1] if isinstance(x, Tensor)]
    tensors = {id(t): t for t in order + constants}
    keys = {at: f"t{number}" for number, at in enumerate(tensors)}
    names = {} if model is None else {id(p): name for name, p in model.named_parameters()}
    slopes, drawing = _slopes(tensor, order), Graph()
    for at, t in tensors.items():
        drawing.boxes[keys[at]] = _label(t, names.get(at, t.name), slopes.get(at))
        if t.node:
            _draw_operation(drawing, t, keys)
    return drawing


def _draw_operation(drawing, t, keys):
    """Add the operation that made `t`, its options, and arrows from its inputs."""
    row, inputs, _, keywords, _ = t.node
    number, options = keys[id(t)][1:], {}
    circle, names = f"o{number}", list(_parameters(row))
    for i, x in enumerate(inputs):
        if id(x) in keys:
            drawing.arrows.append((keys[id(x)], circle))
        elif x is not None and row.rule(i):  # it could have been a tensor
            constant = f"c{number}_{i}"
            drawing.boxes[constant] = _short(x)
            drawing.arrows.append((constant, circle))
        elif x is not None and i < len(names):
            options[names[i]] = x
    labels = [f"{name}={_short(x)}" for name, x in (options | keywords).items()]
    drawing.circles[circle] = "\n".join([row.name, *labels])
    drawing.arrows.append((circle, keys[id(t)]))


def _slopes(tensor, order):
    """d(tensor) / dx of each x of one number that it was computed from, by id."""
    if tensor._data.size != 1 or not tensor.requires_grad:
        return {}
    singles = [x for x in order if x._data.size == 1]
    return {id(x): g.item() for x, g in zip(singles, gradients(tensor, singles, retain_graph=True))}


def _label(t, name, slope):
    value = f"data {t._data.item():.4g}" if t._data.size == 1 else str(t.shape)
    lines = [name, value, None if slope is None else f"grad {slope:.4g}"]
    return "\n".join(filter(None, lines))


def _short(x):
    """A constant or an option in a few letters."""
    if isinstance(x, np.ndarray) and x.size != 1:
        return f"array {x.shape}"
    text = f"{x.item():.4g}" if isinstance(x, np.ndarray | np.floating) else str(x)
    return textwrap.shorten(text, 40, placeholder="...")


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
    for name, rule in zip(_parameters(row), row.rules):
        lines.append(f"d{name} = {_spoken(rule)}" if rule else f"{name} is a constant")
    return "\n    ".join(lines)


def _parameters(row):
    """The inputs and options by name, as the longest of the rules takes them after g and y."""
    rules = [list(inspect.signature(rule).parameters.items())[2:] for rule in row.rules if rule]
    return dict(max(rules, key=len, default=()))


def _signature(row):
    """From the rules, which name the inputs; from the function where they take any keywords."""
    parameters = _parameters(row).values()
    if parameters and not any(p.kind is p.VAR_KEYWORD for p in parameters):
        return inspect.Signature(list(parameters))
    try:
        return inspect.signature(row.function)
    except ValueError:  # some functions written in C have none
        return "(...)"


def _spoken(rule):
    """A rule as a line: a lambda's body, or the name and the doc's first line of a function."""
    if rule.__name__ != "<lambda>":
        doc = (inspect.getdoc(rule) or "").partition("\n")[0]
        return rule.__name__ + (f": {doc}" if doc else str(inspect.signature(rule)))
    try:
        return _body(rule.__code__)
    except (IndexError, ValueError, SyntaxError):  # no source, no positions, or parts of a whole
        return "a rule whose source is not at hand"


def _body(code):
    """The body of a lambda, cut from its file where the positions of its code begin and end."""
    spots = [spot for spot in code.co_positions() if None not in spot and spot[3]]
    start = min((line, column) for line, _, column, _ in spots)
    end = max((line, column) for _, line, _, column in spots)
    source = "".join(linecache.getlines(code.co_filename))
    span = ast.Pass(lineno=start[0], col_offset=start[1], end_lineno=end[0], end_col_offset=end[1])
    return ast.unparse(ast.parse(f"({ast.get_source_segment(source, span)})", mode="eval"))


primitive.__str__ = recite  # type: ignore[method-assign]
primitive.__repr__ = lambda row: f"<primitive {row.name}{_signature(row)}>"  # type: ignore
