"""Drawings of a graph, and operations that recite their rules."""

import dis
import inspect
import re
import shutil
import subprocess

import numpy as np
import pytest

import minigrad as mg
from minigrad import nn
from minigrad.autograd import primitive, registry


def leaf(data, name=None):
    return mg.Tensor(np.array(data), requires_grad=True, name=name)


def connections(drawing):
    """(label, label) of each arrow, with the labels as they are before escaping."""
    nodes = drawing.boxes | drawing.circles
    return sorted((nodes[a], nodes[b]) for a, b in drawing.arrows)


# ---- what is drawn -------------------------------------------------------------------------------


def test_the_graph_of_micrograd_with_data_and_grad_at_each_node():
    a, b = leaf(2.0, "a"), leaf(-3.0, "b")
    drawing = mg.graph(a * b + b)
    assert connections(drawing) == [
        ("a\ndata 2\ngrad -3", "multiply"),
        ("add", "data -9\ngrad 1"),
        ("b\ndata -3\ngrad 3", "add"),
        ("b\ndata -3\ngrad 3", "multiply"),
        ("data -6\ngrad 1", "add"),
        ("multiply", "data -6\ngrad 1"),
    ]
    assert a.grad is None  # nothing is written, nothing freed
    (a * b + b).backward()
    assert (a.grad, b.grad) == (-3, 3)


def test_a_tensor_used_twice_is_one_box():
    x = leaf(3.0, "x")
    drawing = mg.graph(x * x)
    assert len(drawing.boxes) == 2
    assert connections(drawing).count(("x\ndata 3\ngrad 6", "multiply")) == 2


def test_arrays_show_their_shapes_and_constants_are_boxes():
    x = leaf(np.ones((2, 3)))
    drawing = mg.graph((x * np.ones(3) * 0.5).sum(axis=0))
    labels = set(drawing.boxes.values())
    assert {"(2, 3)", "array (3,)", "0.5", "(3,)"} == labels
    assert set(drawing.circles.values()) == {"multiply", "sum\naxis=0"}


def test_options_stand_with_the_operation():
    drawing = mg.graph(mg.reshape(leaf(np.ones(6)), (2, 3)))
    assert list(drawing.circles.values()) == ["reshape\nshape=(2, 3)"]


def test_long_options_are_cut():
    drawing = mg.graph(mg.getitem(leaf(np.ones(99)), list(range(99))))
    (label,) = drawing.circles.values()
    assert label.endswith("...")
    assert len(label) < 60


def test_parameters_are_named():
    model = nn.Sequential(nn.Dense(3, 4), nn.ReLU(), nn.Dense(4, 2))
    drawing = mg.graph(model(np.ones((5, 3))).sum(), model)
    parameters = {"0.weight\n(4, 3)", "0.bias\n(4,)", "2.weight\n(2, 4)", "2.bias\n(2,)"}
    assert parameters <= set(drawing.boxes.values())


def test_what_requires_no_gradient_is_one_box():
    drawing = mg.graph(mg.Tensor([1.0, 2.0]) * 2)
    assert list(drawing.boxes.values()) == ["(2,)"]
    assert drawing.arrows == []
    assert list(mg.graph(mg.Tensor(2.0)).boxes.values()) == ["data 2"]


def test_a_freed_graph_is_refused_with_a_way_out():
    y = leaf(2.0) * 3
    y.backward()
    for t in (y, y * 2, mg.concatenate([y.reshape(1), leaf([1.0, 2.0])])):
        with pytest.raises(ValueError, match="retain_graph=True"):
            mg.graph(t)
    kept = leaf(2.0) * 3
    kept.backward(retain_graph=True)
    assert "data 6" in str(mg.graph(kept))


def test_a_chain_longer_than_the_stack():
    t = leaf(1.0)
    for _ in range(5000):
        t = t + 0.0
    drawing = mg.graph(t)
    assert len(drawing.circles) == 5000
    assert len(drawing.mermaid().splitlines()) == 1 + 5000 * 3 + 1 + 5000 * 3


def test_it_draws_inside_debug_and_under_no_grad():
    with mg.debug():
        y = leaf(2.0, "x") * 3
        assert "grad 3" in str(mg.graph(y))
    with mg.no_grad():
        assert "grad 3" in str(mg.graph(y))


# ---- as text -------------------------------------------------------------------------------------

NASTY = '#9829; a"b<c>&#;`d\\e[f]{g}|h\ni%%j'


def test_mermaid_is_one_statement_per_line_with_labels_escaped():
    drawing = mg.graph(leaf(1.0, NASTY) * 2)
    first, *lines = drawing.mermaid().splitlines()
    assert first == "graph LR"
    node = re.compile(r'^    \w+(\["[^"<>`&\\]*"\]|\(\["[^"<>`&\\]*"\]\))$')
    arrow = re.compile(r"^    \w+ --> \w+$")
    plain = [line.replace("<br/>", "") for line in lines]
    assert all(node.match(line) or arrow.match(line) for line in plain)
    (label,) = [line for line in lines if "#34;" in line]
    text = label.partition('"')[2].rpartition('"')[0].replace("<br/>", "\n")
    assert re.sub(r"#(\d+);", lambda m: chr(int(m[1])), text) == f"{NASTY}\ndata 1\ngrad 2"


def test_dot_quotes_what_it_must():
    drawing = mg.graph(leaf(1.0, NASTY) * 2)
    lines = drawing.dot().splitlines()
    assert lines[0] == "digraph {"
    assert lines[-1] == "}"
    (label,) = [line for line in lines if "9829" in line]
    text = re.search(r'label="((?:[^"\\]|\\.)*)"', label)[1]
    plain = re.sub(r"\\(.)", lambda m: "\n" if m[1] == "n" else m[1], text)
    assert plain == f"{NASTY}\ndata 1\ngrad 2"


@pytest.mark.skipif(shutil.which("dot") is None, reason="Graphviz is not installed")
def test_graphviz_reads_it():
    drawing = mg.graph(leaf(1.0, NASTY) * 2)
    subprocess.run(["dot", "-Tsvg"], input=drawing.dot().encode(), check=True, capture_output=True)


def test_every_arrow_joins_nodes_that_are_there():
    model = nn.Sequential(nn.Conv2D(1, 2, 3), nn.BatchNorm(2), nn.ReLU(), nn.Flatten())
    drawing = mg.graph(model(np.ones((2, 1, 5, 5))).sum(), model)
    nodes = drawing.boxes.keys() | drawing.circles.keys()
    assert not drawing.boxes.keys() & drawing.circles.keys()
    assert {end for arrow in drawing.arrows for end in arrow} == nodes


def test_it_prints_as_mermaid_and_notebooks_draw_it():
    drawing = mg.graph(leaf(2.0) * 3)
    assert str(drawing) == drawing.mermaid()
    assert drawing._repr_markdown_() == f"```mermaid\n{drawing.mermaid()}\n```"
    assert repr(drawing) == "<Graph of 3 values and 1 operations>"


# ---- print(mg.tanh) ------------------------------------------------------------------------------


def test_an_operation_recites_signature_doc_and_rules():
    assert str(mg.tanh) == "tanh(x)\n    Hyperbolic tangent\n    dx = g * (1 - y * y)"
    assert repr(mg.tanh) == "<primitive tanh(x)>"


def test_lambdas_that_share_a_line_are_told_apart():
    row = primitive(np.multiply, lambda g, y, a, b: g * b, lambda g, y, a, b: g * a, name="row")
    assert str(row) == "row(a, b)\n    da = g * b\n    db = g * a"


def test_a_lambda_inside_a_lambda():
    outer = primitive(np.exp, lambda g, y, x: (lambda h: h * 2)(g) * y, name="outer")
    make = lambda k: lambda g, y, x: k * g
    inner = primitive(np.exp, make(3), name="inner")
    assert "dx = (lambda h: h * 2)(g) * y" in str(outer)
    assert "dx = k * g" in str(inner)


def test_a_rule_over_several_lines_is_recited_in_one():
    # The formatter would make one line of it.
    # fmt: off
    row = primitive(np.exp, lambda g, y, x: (
        g
        * y
    ), name="row")
    # fmt: on
    assert str(row) == "row(x)\n    dx = g * y"


def test_a_named_rule_shows_its_name_and_doc():
    def doubled(g, y, x):
        """Twice the gradient.

        And more.
        """
        return 2 * g

    def bare(g, y, x):
        return g

    assert "dx = doubled: Twice the gradient." in str(primitive(np.exp, doubled, name="row"))
    assert "dx = bare(g, y, x)" in str(primitive(np.exp, bare, name="row"))


def test_constants_options_and_many_inputs():
    assert "condition is a constant" in str(mg.where)
    assert str(mg.sum).startswith("sum(x, axis=None, keepdims=False)\n")
    many = primitive(lambda *xs: sum(xs), each=lambda i, g, y, *xs: g, name="many")
    assert str(many) == "many(*xs)\n    d(input i) = g"


def test_a_row_without_rules():
    assert str(primitive(lambda x: x, name="plain")) == "plain(x)"
    assert str(primitive(np.sign, name="plain")).startswith("plain(")


def test_rules_without_source_are_recited_without_it():
    space = {"primitive": primitive, "np": np, "__name__": "nowhere"}
    exec("row = primitive(np.exp, lambda g, y, x: g * y, name='row')", space)
    assert str(space["row"]) == "row(x)\n    dx = a rule whose source is not at hand"


def steps(function):
    """What a function loads, and the operators it applies, in order."""
    kinds = ("LOAD", "BINARY", "COMPARE", "UNARY")
    code = [i for i in dis.get_instructions(function) if i.opname.startswith(kinds)]
    return [(i.opname[:4], i.argval) for i in code]


@pytest.mark.parametrize("name", sorted(registry))
def test_every_row_of_the_table_recites_all_its_rules(name):
    row = registry[name]
    head, *lines = str(row).splitlines()
    assert head.startswith(f"{name}(")
    assert "not at hand" not in str(row)
    assert "\n" not in repr(row)
    rules = [row.each] if row.each else row.rules
    for rule, line in zip(rules, lines[1:], strict=True):  # without the doc
        if rule is None:
            assert line.endswith(" is a constant")
        elif rule.__name__ == "<lambda>":  # what is recited, compiled, does the same
            body = line.partition(" = ")[2]
            again = eval(f"lambda {str(inspect.signature(rule))[1:-1]}: {body}")
            assert steps(again) == steps(rule)
        else:
            assert f" = {rule.__name__}" in line
