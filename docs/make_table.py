"""Write docs/table.md, the table of operations with their rules, from the registry.

python docs/make_table.py
"""

import inspect
from pathlib import Path

import minigrad as mg
from minigrad.autograd import primitive, registry
from minigrad.graph import recite

PAGE = Path(__file__).with_name("table.md")
INTRODUCTION = """\
# The table

Written by `python docs/make_table.py` from the operations: what stands here is what runs.

All the calculus that minigrad knows is on this page. A row is a function and its gradient rules. In
a rule, `g` is the gradient of the output, `y` the output, the other names are the inputs; `dx` is
the gradient of the input `x`. (Where a row is itself a gradient and has an input `g`, its own
incoming gradient is `h`.) Summing over what was broadcast, and adding up where a value was used
twice, is the engine's. A name with an underscore is a row or a helper in the room's file; `**o` are
the row's options. A public function may have other defaults than its row: `mg.cross_entropy` takes
the mean. The last table lists what is built from the rows and needs no rule.
`print(mg.tanh)` shows a row in Python.
"""


def rooms():
    """Each room of operations, and its rows."""
    found = {}
    for row in registry.values():
        if row.__module__.startswith("minigrad.ops."):
            found.setdefault(row.__module__.rpartition(".")[2], []).append(row)
    return found


def line(*cells):
    return "| " + " | ".join(cell.replace("|", r"\|") for cell in cells) + " |"


def row_line(row):
    signature, doc, *rules = recite(row).replace("`", "").split("\n    ")
    return line(f"`{signature}`", doc, "<br>".join(f"`{rule}`" for rule in rules))


def derived_lines():
    """A line for each public function that is no row."""
    functions = [getattr(mg, name) for name in mg.ops.__all__]
    for f in sorted(functions, key=lambda f: (f.__module__, f.__name__)):
        if not isinstance(f, primitive) and f.__name__ not in registry:
            room = f.__module__.rpartition(".")[2]
            signature = f"{f.__name__}{inspect.signature(f)}"
            yield line(room, f"`{signature}`", inspect.getdoc(f).partition("\n")[0])


def page():
    """The text of docs/table.md."""
    parts = [INTRODUCTION]
    for room, rows in rooms().items():
        parts += [f"## {room}\n", line("operation", "what it is", "rules"), "|---|---|---|"]
        parts += [*map(row_line, rows), ""]
    parts += ["## Built from the rows\n", line("room", "function", "what it is"), "|---|---|---|"]
    return "\n".join([*parts, *derived_lines(), ""])


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
