"""The site: Sphinx makes it of the pages in this folder and of the docstrings.

    python docs/build_site.py        builds build/site, and opens it

The pages stay plain Markdown. Each is read as a notebook and run, in this folder, so that what its
cells print and draw stands below them.
"""

import os
import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))

import make_reference  # noqa: E402
import site_pages  # noqa: E402

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # of the pages' cells; pages run in parallel
os.environ.setdefault("MPLBACKEND", "agg")

project = "minigrad"
author = "the authors of minigrad"
html_title = "minigrad"
language = "en"

extensions = ["myst_nb", "sphinx.ext.autodoc", "numpydoc", "sphinx.ext.viewcode"]
root_doc = "README"
exclude_patterns = ["exercises", "drawings", "pictures", "work", "_static", "_build"]
templates_path = ["_templates"]

# ---- pages ---------------------------------------------------------------------------------------

nb_custom_formats = {".md": ["jupytext.reads", {"fmt": "md"}]}
nb_execution_mode = "force"
nb_execution_timeout = 300
nb_execution_show_tb = True  # a failing cell is a warning, and warnings fail
nb_merge_streams = True
nb_ipywidgets_js = {}  # nothing is loaded from elsewhere
myst_heading_anchors = 4

# ---- the reference -------------------------------------------------------------------------------

default_role = "py:obj"  # `mg.fit` in a docstring is a link, where there is such a name, or code
add_module_names = False
autodoc_member_order = "bysource"
autodoc_typehints = "none"
autodoc_inherit_docstrings = False
numpydoc_show_class_members = False

# ---- how it looks --------------------------------------------------------------------------------

html_theme = "pydata_sphinx_theme"
html_context = {"default_mode": "auto"}
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_sidebars = {"**": ["contents.html"]}
html_show_sourcelink = False
html_copy_source = False
html_theme_options = {
    "logo": {"text": "minigrad"},
    "navbar_center": [],
    "navbar_end": ["theme-switcher"],
    "secondary_sidebar_items": ["page-toc"],
    "show_toc_level": 2,
    "footer_start": [],
    "footer_end": [],
    "back_to_top_button": False,
    "pygments_light_style": "github-light",
    "pygments_dark_style": "github-dark",
}


def setup(app):
    make_reference.write()
    site_pages.connect(app)
