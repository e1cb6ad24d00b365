"""Write the pages of the reference, docs/reference/*.rst, from what minigrad offers.

    python docs/make_reference.py

`docs/conf.py` does so before each build, so that the pages are not committed. A name belongs to the
page of the module it is defined in: a new function appears by itself, a new module is asked for.
"""

import importlib
import inspect
import re
from pathlib import Path
from types import ModuleType

import minigrad as mg
from minigrad.autograd import primitive
from minigrad.graph import recite
from minigrad.ops import numpy_protocol
from minigrad.ops.numpy_protocol import OPERATORS

FOLDER = Path(__file__).with_name("reference")

# What a name is called with, and where it is found.
OFFERED = {
    "minigrad": mg,
    "minigrad.nn": mg.nn,
    "minigrad.nn.init": mg.nn.init,
    "minigrad.optim": mg.optim,
    "minigrad.data": mg.data,
    "minigrad.data.augment": mg.data.augment,
    "minigrad.metrics": mg.metrics,
    "minigrad.plot": mg.plot,
    "minigrad.onnx": mg.onnx,
}

# Part, page, title, and the modules whose names stand there. The first one's docstring begins it.
PAGES = [
    ("Gradients", "tensors", "Tensors and gradients", "autograd"),
    ("Gradients", "transforms", "Derivatives of functions", "transforms"),
    ("Operations", "elementwise", "Element by element", "ops.elementwise"),
    ("Operations", "reduction", "Sums and other reductions", "ops.reduction"),
    ("Operations", "shaping", "Shapes", "ops.shaping"),
    ("Operations", "arranging", "Arranging", "ops.arranging"),
    ("Operations", "selection", "Selecting", "ops.selection"),
    ("Operations", "linalg", "Matrix products", "ops.linalg"),
    ("Operations", "einsum", "Einsum", "ops.einsum"),
    ("Operations", "activation", "Activations", "ops.activation"),
    ("Operations", "convolution", "Convolutions", "ops.convolution ops.windows"),
    ("Operations", "pooling", "Pooling", "ops.pooling"),
    ("Operations", "normalization", "Normalization", "ops.normalization"),
    ("Operations", "dropout", "Dropout", "ops.dropout"),
    ("Operations", "attention", "Attention", "ops.attention"),
    ("Operations", "loss", "Losses", "ops.loss"),
    ("Networks", "module", "Modules and parameters", "nn.module"),
    ("Networks", "layers", "Layers", "nn.layers nn.convolution nn.normalization"),
    ("Networks", "init", "Initial weights", "nn.init"),
    ("Networks", "data", "Data", "data.loader data.mnist data.kaggle data.synthetic"),
    ("Networks", "augment", "Augmentation", "data.augment"),
    ("Training", "optimizers", "Optimizers", "optim.optimizers optim.clipping"),
    ("Training", "schedules", "Schedules of the learning rate", "optim.schedules"),
    ("Training", "training", "Training", "training run callbacks lr_range random"),
    ("Training", "evaluation", "Evaluation and weights in files", "evaluation checkpoint"),
    ("Training", "onnx", "Export to ONNX", "onnx.export_model"),
    ("Looking", "metrics", "Metrics", "metrics"),
    ("Looking", "plot", "Pictures", "plot.canvas plot.curves plot.results plot.inside"),
    ("Looking", "checks", "Checks, debugging, graphs", "gradcheck debug graph"),
]

SYMBOLS = {"add": "+", "sub": "-", "mul": "*", "truediv": "/", "pow": "**", "matmul": "@",
           "mod": "%", "floordiv": "//"}  # fmt: skip

INDEX = """\
Reference
=========

Every public name, from its docstring, which Python shows too, as in ``help(mg.fit)``; the examples
run as tests. Where a name begins with ``minigrad.``, a program has ``mg.``, after
``import minigrad as mg``. What each operation computes, and what its gradient is, stands in one
line in :doc:`the table </table>`.
"""


def public():
    """{module that defines it: {public name with dots: object}}"""
    found = {}
    for place, module in OFFERED.items():
        for name, value in vars(module).items():
            if isinstance(value, ModuleType) or name[0] == "_":
                continue
            home = getattr(value, "__module__", None)
            if home is None and place == "minigrad.plot":
                home = "minigrad.plot.canvas"  # of its colors and markers
            if home and home.startswith(place):
                found.setdefault(home.removeprefix("minigrad."), {})[f"{place}.{name}"] = value
    return found


def of_pages():
    """{page: {public name: object}}; raises where a module has no page."""
    names = public()
    homes = {home for *_, homes in PAGES for home in homes.split()}
    if names.keys() != homes:
        raise ValueError(f"docs/make_reference.py: PAGES differ in {sorted(names.keys() ^ homes)}.")
    return {page: {name: value for home in homes.split() for name, value in names[home].items()}
            for _, page, _, homes in PAGES}  # fmt: skip


# ---- reStructuredText ----------------------------------------------------------------------------


def plain(text):
    """A sentence whose stars, bars and final underscores are no markup."""
    parts = re.split(r"(`[^`]*`)", text)  # code stays as it is
    return "".join(p if p[:1] == "`" else re.sub(r"([*|\\]|_\b)", r"\\\1", p) for p in parts)


def heading(title, line="="):
    return f"{title}\n{line * len(title)}\n"


def indented(text):
    return "".join(f"   {line}".rstrip() + "\n" for line in text.splitlines())


def row_entry(name, row):
    """A row of the table: what it computes, and its rules."""
    signature, doc, *rules = recite(row).replace("`", "").split("\n    ")
    body = plain(doc) + ".\n"
    if rules:
        body += "\n.. code-block:: python\n\n" + indented("\n".join(rules))
    arguments = re.sub(r", /.*", ")", signature.partition("(")[2])  # not all options of a ufunc
    return f".. py:function:: {name}({arguments}\n\n{indented(body)}"


def entry(name, value):
    """The directive of one public name."""
    short = name.rpartition(".")[2]
    own = getattr(value, "__name__", short)
    if own != short:
        return f".. py:function:: {name}(...)\n\n   The same as `{own}`.\n"
    if isinstance(value, primitive):
        return row_entry(name, value)
    if inspect.isclass(value):
        members = " backward" * (value is mg.Tensor)  # the others stand below, in `bound`
        functions = "   :exclude-members: forward, pool\n"  # of layers, some an operation as it is
        return f".. autoclass:: {name}\n   :members:{members}\n{functions}   :show-inheritance:\n"
    if callable(value):
        return f".. autofunction:: {name}\n"
    return f".. py:data:: {name}\n   :value: {value!r}\n"


def bound():
    """What a tensor has beside its docstring: operators, methods, attributes."""
    methods = " ".join(numpy_protocol.METHODS.values()).split()
    arrays = [name for name in numpy_protocol.PLAIN_METHODS.split() if name[0] != "_"]
    others = [n for n in dir(mg.Tensor) if n[0] != "_" and n not in numpy_protocol.ABSENT]
    others = [name for name in others if name not in {*methods, *arrays, "backward"}]
    attributes = [name for name in others if not inspect.isfunction(getattr(mg.Tensor, name))]
    own = [f"``t.{name}(...)``" for name in others if name not in attributes]
    symbols = [f"``{SYMBOLS[name]}`` `{row.__name__}`" for name, row in OPERATORS.items()]
    paragraphs = [
        f"Attributes of a tensor ``t``: {', '.join(f'``t.{name}``' for name in attributes)}.",
        f"Operators, each with its operation: {', '.join(symbols)}.",
        f"Methods that call the operation of their name: {', '.join(f'`{n}`' for n in methods)}.",
        f"Methods as the array's, without a gradient: {', '.join(f'``{n}``' for n in arrays)}.",
        f"Other methods: {', '.join(own)}.",
        "NumPy's functions call the operation of their name, too: ``np.exp(t)``.",
    ]
    return heading("What a tensor can do", "-") + "".join(f"\n{text}\n" for text in paragraphs)


def page(title, home, names):
    """The text of one page: the first paragraph of its module, the names, their entries."""
    doc = inspect.getdoc(importlib.import_module(f"minigrad.{home}"))
    doc = re.sub(r"^Read \d of 8: ", "", doc).partition("\n\n")[0]
    listed = ", ".join(f"`~{name}`" for name in names)
    parts = [heading(title), plain(doc[0].upper() + doc[1:]) + "\n", listed + "\n"]
    parts += [".. py:currentmodule:: minigrad\n", *(entry(*item) for item in names.items())]
    return "\n".join(parts + [bound()] * (home == "autograd"))


def index():
    """The first page: the others, by parts."""
    parts = [INDEX]
    for part in dict.fromkeys(part for part, *_ in PAGES):
        pages = [page for other, page, *_ in PAGES if other == part]
        parts.append(
            f".. toctree::\n   :caption: {part}\n   :titlesonly:\n\n" + indented("\n".join(pages))
        )
    return "\n".join(parts)


def write(folder=FOLDER):
    """Write all pages, those that changed."""
    names = of_pages()
    texts = {"index": index()}
    texts |= {p: page(title, homes.split()[0], names[p]) for _, p, title, homes in PAGES}
    folder.mkdir(exist_ok=True)
    for old in folder.glob("*.rst"):
        if old.stem not in texts:
            old.unlink()
    for name, text in texts.items():
        path = folder / f"{name}.rst"
        if not path.exists() or path.read_text("utf-8") != text:
            path.write_text(text, "utf-8")


if __name__ == "__main__":
    write()
