"""What Sphinx is told about the pages: their order, links that leave the folder, plain docstrings.

`docs/conf.py` connects it.
"""

import re
from html import escape
from pathlib import Path

from docutils import nodes
from make_reference import plain
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import get_lexer_for_filename
from sphinx import addnodes
from sphinx.transforms import SphinxTransform
from sphinx.util.nodes import make_refnode

HERE = Path(__file__).parent
APPENDIX = ("where-the-time-goes", "table")
HOW_TO = (
    "recipes",
    "new-operation",
    "coming-from-pytorch",
    "weights",
    "onnx",
    "shared-machine",
    "several-machines",
)


# ---- the order of the pages ----------------------------------------------------------------------


def chapters(folder=HERE):
    """The names of the chapters, 0 to 12, those that are there."""
    found = [path.stem for path in folder.glob("[0-9]*-*.md")]
    return sorted(found, key=lambda name: int(name.partition("-")[0]))


def contents(folder=HERE):
    """The table of contents, as text at the end of the first page."""
    parts = {"The course": chapters(folder), "Appendix": APPENDIX, "How to": HOW_TO}
    parts["Reference"] = ("reference/index",)
    text = ""
    for caption, names in parts.items():
        there = [n for n in names if (folder / f"{n}.md").exists() or n.startswith("reference/")]
        if there:
            lines = "\n".join(there)
            text += f"\n\n```{{toctree}}\n:hidden:\n:caption: {caption}\n\n{lines}\n```\n"
    return text


def add_contents(app, docname, source):
    if docname == app.config.root_doc:
        source[0] += contents(Path(app.srcdir))


def add_index(app, error):
    """index.html, which browsers and servers look for, leads to the first page."""
    if error is None and app.builder.format == "html":
        text = '<!doctype html><meta charset="utf-8"><title>minigrad</title>\n'
        text += '<meta http-equiv="refresh" content="0; url={0}"><a href="{0}">minigrad</a>\n'
        text = text.format(f"{app.config.root_doc}.html")
        Path(app.outdir, "index.html").write_text(text, "utf-8")


# ---- links to files that are no pages ------------------------------------------------------------


class Links(SphinxTransform):
    """A link to a file above this folder leads to a page that shows it; to _static/, to the copy."""

    default_priority = 400  # before Sphinx collects what is to be downloaded

    def apply(self):
        kinds = addnodes.download_reference, addnodes.pending_xref
        for link in [link for kind in kinds for link in self.document.findall(kind)]:
            target = there(link["reftarget"], link.get("refdomain"))
            if target:
                new = nodes.reference("", "", *link.children, refuri=target, internal=True)
                link.replace_self(new)


def there(target, domain):
    """Where a link to a file that is no page leads; None where Sphinx knows better."""
    path = Path(target)
    if domain == "doc" and path.is_absolute() and not path.is_relative_to(HERE):
        return shown(f"{path.relative_to(HERE.parent).as_posix()}.md")
    if target.startswith("../"):
        return shown(target.removeprefix("../"))
    return target if target.startswith("_static/") else None


def shown(path):
    """The page that shows a file of the repository."""
    return f"source/{path}.html"


def sources(app):
    """A page for each file above this folder that a page links to."""
    texts = [path.read_text("utf-8") for path in HERE.glob("*.md")]
    paths = {p for text in texts for p in re.findall(r"\]\(\.\./([^)#\s]+)", text)}
    for path in sorted(paths):
        text = (HERE.parent / path).read_text("utf-8")
        lexer = get_lexer_for_filename(path)
        body = highlight(text, lexer, HtmlFormatter(wrapcode=True))
        body = (
            f'<section><h1>{escape(path)}</h1><div class="highlight-python">{body}</div></section>'
        )
        yield shown(path).removesuffix(".html"), {"title": path, "body": body}, "page.html"


# ---- printed output that stands in the page too --------------------------------------------------


class PrintedOnce(SphinxTransform):
    """Where a ```text fence repeats what the cell above it has printed, the fence is left out."""

    default_priority = 400

    def apply(self):
        for fence in list(self.document.findall(nodes.literal_block)):
            before = fence.previous_sibling()
            if fence.get("language") == "text" and "cell" in getattr(before, "attributes", {}).get(
                "classes", ()
            ):
                printed = [o.astext() for o in before.findall(is_output)]
                if same_text("\n".join(printed), fence.astext()):
                    fence.parent.remove(fence)


def is_output(node):
    return isinstance(node, nodes.literal_block) and "output" in node["classes"]


def same_text(a, b):
    """Whether two texts differ in the ends of their lines at most."""
    a, b = ([line.rstrip() for line in text.strip("\n").splitlines()] for text in (a, b))
    return a == b


# ---- docstrings ----------------------------------------------------------------------------------


def as_markup(app, what, name, obj, options, lines):
    """A docstring is written for `help`: its stars and bars are no markup, and code after a colon,
    indented, is code."""
    code = example = False
    for i, line in enumerate(lines):
        if line and not line.startswith(" "):
            code = False
        example = line.lstrip().startswith(">>>") or (example and line != "")
        if lines[i - 1 : i] == [""] and line.startswith("    ") and lines[i - 2].endswith(":"):
            code = True
            lines[i - 2] += ":"
        if not (code or example):
            lines[i] = plain(line)


def found_in_minigrad(app, env, node, contnode):
    """`conv2d` and `mg.conv2d` in a docstring are minigrad's, wherever that stands."""
    name = "minigrad." + node["reftarget"].removeprefix("mg.").removeprefix("minigrad.")
    known = env.get_domain("py").objects.get(name) if node.get("refdomain") == "py" else None
    if known:
        to = known.docname, known.node_id
        return make_refnode(app.builder, node["refdoc"], *to, contnode, name)
    return None


def connect(app):
    app.add_transform(Links)
    app.add_transform(PrintedOnce)
    app.connect("source-read", add_contents)
    app.connect("html-collect-pages", sources)
    app.connect("autodoc-process-docstring", as_markup, priority=400)  # before napoleon
    app.connect("missing-reference", found_in_minigrad)
    app.connect("build-finished", add_index)
