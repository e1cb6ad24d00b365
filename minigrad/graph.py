"""Look inside: `graph` draws how a tensor was computed, and an operation recites its rules.

The drawings are text: Mermaid, which code hosts and notebooks render, and DOT, for Graphviz.
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
    """A drawing made by `graph`: boxes for tensors and constants, circles for operations, arrows.

    Attributes
    ----------
    boxes, circles : dict of str to str
        The label of each node by its key; a label may have several lines.
    arrows : list of (str, str)
        Keys of nodes: from, to.
    """

    def __init__(self):
        self.boxes = {}
        self.circles = {}
        self.arrows = []

    def mermaid(self):
        """The graph in the language of Mermaid."""
        lines = ["graph LR"]
        for key, label in self.boxes.items():
            lines.append(f'{key}["{_entities(label)}"]')
        for key, label in self.circles.items():
            lines.append(f'{key}(["{_entities(label)}"])')
        for start, end in self.arrows:
            lines.append(f"{start} --> {end}")
        return "\n    ".join(lines)

    def dot(self):
        """The graph in the language of Graphviz."""
        lines = ["digraph {", "rankdir=LR;"]
        for key, label in self.boxes.items():
            lines.append(f'{key} [shape=box, label="{_escaped(label)}"];')
        for key, label in self.circles.items():
            lines.append(f'{key} [label="{_escaped(label)}"];')
        for start, end in self.arrows:
            lines.append(f"{start} -> {end};")
        return "\n    ".join(lines) + "\n}"

    __str__ = mermaid

    def __repr__(self):
        return f"<Graph of {len(self.boxes)} values and {len(self.circles)} operations>"

    def _repr_markdown_(self):  # notebooks render it
        return f"```mermaid\n{self.mermaid()}\n```"


def _entities(text):
    """`text` for Mermaid, whose entities begin with #, not &; backquotes would mean Markdown."""
    coded = re.sub(r'[#"<>&`\\]', lambda match: f"#{ord(match[0])};", text)
    return coded.replace("\n", "<br/>")


def _escaped(text):
    """`text` for Graphviz, inside double quotes."""
    return text.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")


def graph(tensor, model=None):
    """How `tensor` was computed, as a drawing: `print(mg.graph(loss))`.

    Each tensor shows its name and its shape or, if it holds a single number, its data. Where
    `tensor` is a single number too, grad is its derivative by that number. No `.grad` is written.

    Parameters
    ----------
    tensor : Tensor
        Draw it before calling its `backward()`, which frees the graph.
    model : Module, optional
        Its parameters are shown by name.

    Returns
    -------
    Graph
        With `.mermaid()` and `.dot()`; printed, or shown in a notebook, it is Mermaid.

    Raises
    ------
    ValueError
        If the graph has been freed.

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
    if not isinstance(tensor, Tensor):
        raise TypeError(
            f"graph expects a Tensor, got {tensor!r:.80}: draw the loss, before its backward()."
        )
    order = [tensor]
    if tensor.requires_grad:
        order = topological_order(tensor)[::-1]  # the result first
    tensors = {id(t): t for t in order}
    for t in order:
        if t.node:
            inputs = t.node[1]  # those that require no gradient are missing from `order`
            tensors.update({id(x): x for x in inputs if isinstance(x, Tensor)})
    keys = {identity: f"t{number}" for number, identity in enumerate(tensors)}
    names = {}
    if model is not None:
        names = {id(p): name for name, p in model.named_parameters()}
    slopes = _slopes(tensor, order)
    drawing = Graph()
    for identity, t in tensors.items():
        name = names.get(identity, t.name)
        drawing.boxes[keys[identity]] = _label(t, name, slopes.get(identity))
        if t.node:
            _draw_operation(drawing, t, keys)
    return drawing


def _draw_operation(drawing, t, keys):
    """Add the operation that made `t`, its options, and the arrows from its inputs and to `t`."""
    row, inputs, _, keywords, _ = t.node
    number = keys[id(t)].removeprefix("t")
    circle = f"o{number}"
    names = list(_parameters(row))
    options = {}
    for i, x in enumerate(inputs):
        if id(x) in keys:
            drawing.arrows.append((keys[id(x)], circle))
        elif x is not None and row.rule(i):  # a constant, where a tensor could have been
            constant = f"c{number}_{i}"
            drawing.boxes[constant] = _short(x)
            drawing.arrows.append((constant, circle))
        elif x is not None and i < len(names):
            options[names[i]] = x
    labels = [f"{name}={_short(x)}" for name, x in (options | keywords).items()]
    drawing.circles[circle] = "\n".join([row.name, *labels])
    drawing.arrows.append((circle, keys[id(t)]))


def _slopes(tensor, order):
    """d(tensor) / dx for each single number x that it was computed from, by the id of x."""
    if tensor.data.size != 1 or not tensor.requires_grad:
        return {}
    singles = [x for x in order if x.data.size == 1]
    slopes = gradients(tensor, singles, retain_graph=True)
    return {id(x): slope.item() for x, slope in zip(singles, slopes)}


def _label(t, name, slope):
    lines = []
    if name:
        lines.append(name)
    if t.data.size == 1:
        lines.append(f"data {t.data.item():.4g}")
    else:
        lines.append(str(t.shape))
    if slope is not None:
        lines.append(f"grad {slope:.4g}")
    return "\n".join(lines)


def _short(x):
    """A constant or an option in a few characters."""
    if isinstance(x, np.ndarray) and x.size != 1:
        return f"array {x.shape}"
    text = f"{x.item():.4g}" if isinstance(x, np.ndarray | np.floating) else str(x)
    return textwrap.shorten(text, 40, placeholder="...")


# ---- print(mg.tanh): an operation recites its rules ----------------------------------------------


def recite(row):
    """The signature of a primitive, its doc, and its rules as they are written in the table.

    Examples
    --------
    >>> import minigrad as mg
    >>> print(mg.tanh)
    tanh(x)
        Hyperbolic tangent
        dx = g * (1 - y * y)
    """
    lines = [f"{row.name}{_signature(row)}"]
    if row.__doc__:
        lines.append(row.__doc__)
    if row.each:
        lines.append("d(input i) = " + _spoken(row.each))
    for name, rule in zip(_parameters(row), row.rules):
        lines.append(f"d{name} = {_spoken(rule)}" if rule else f"{name} is a constant")
    return "\n    ".join(lines)


def _parameters(row):
    """The inputs and options by name, as the rule with most of them takes them after g and y."""
    signatures = [inspect.signature(rule) for rule in row.rules if rule]
    parameters = [list(signature.parameters.items()) for signature in signatures]
    return dict(max(parameters, key=len, default=[])[2:])


def _signature(row):
    """From the rules, which name the inputs; from the function if rules take any keywords."""
    parameters = _parameters(row).values()
    if parameters and not any(p.kind is p.VAR_KEYWORD for p in parameters):
        return inspect.Signature(list(parameters))
    try:
        return inspect.signature(row.function)
    except ValueError:  # some functions written in C have no signature
        return "(...)"


def _spoken(rule):
    """A rule in one line: the body of a lambda, or a function's name and first line of its doc."""
    if rule.__name__ == "<lambda>":
        try:
            return _body(rule.__code__)
        except (ValueError, SyntaxError):  # no source, no positions, or no expression
            return "a rule whose source is not at hand"
    doc = inspect.getdoc(rule)
    if doc:
        first = doc.partition("\n")[0]
        return f"{rule.__name__}: {first}"
    return f"{rule.__name__}{inspect.signature(rule)}"


def _body(code):
    """The body of a lambda, cut from its file by the positions that its bytecode remembers."""
    spans = []
    for span in code.co_positions():  # (first line, last line, first column, end column)
        if None not in span and span[3] > 0:  # without those that belong to no expression
            spans.append(span)
    start_line, start_column = min((line, column) for line, _, column, _ in spans)
    end_line, end_column = max((line, column) for _, line, _, column in spans)
    whole = ast.Pass(  # any node will do: get_source_segment reads nothing but the positions
        lineno=start_line,
        col_offset=start_column,
        end_lineno=end_line,
        end_col_offset=end_column,
    )
    lines = linecache.getlines(code.co_filename)
    if len(lines) < end_line:  # Python 3.13 reads missing lines as empty ones
        raise ValueError("there is no source")
    body = ast.get_source_segment("".join(lines), whole)
    return ast.unparse(ast.parse(f"({body})", mode="eval"))  # parentheses allow several lines


primitive.__str__ = recite  # type: ignore[method-assign]
primitive.__repr__ = lambda row: f"<primitive {row.name}{_signature(row)}>"  # type: ignore
