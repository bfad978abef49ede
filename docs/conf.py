"""Configure Sphinx.

``python -m sphinx -W docs docs/_build/html`` builds the documentation.
"""

import re
import sys
from pathlib import Path

import skseq

sys.path.insert(0, str(Path(__file__).parent))
import gallery

project = "skseq"
author = "the skseq developers"
copyright = f"2026, {author}"
version = release = skseq.__version__

extensions = [
    "myst_parser",
    "numpydoc",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx_copybutton",
    "sphinx_design",
    "sphinx_gallery.gen_gallery",
    "gallery",
]
# Pages then name the package index beside the clone.
PUBLISHED = False

myst_heading_anchors = 3
templates_path = ["_templates"]
exclude_patterns = ["_build"]
root_doc = "index"
default_role = "code"
smartquotes = False

html_theme = "pydata_sphinx_theme"
html_title = f"skseq {version}"
html_theme_options = {
    "navigation_with_keys": False,
    "navbar_align": "left",
    "show_prev_next": False,
    "footer_start": ["copyright"],
    "footer_end": [],
    "secondary_sidebar_items": {"**": ["page-toc"]},
    "show_toc_level": 2,
}
html_sidebars = {"index": [], "**sg_execution_times": [], "sg_execution_times": []}
copybutton_exclude = ".linenos, .gp, .go"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_show_sourcelink = False

autosummary_generate = True
autodoc_typehints = "none"
numpydoc_show_class_members = False
numpydoc_xref_param_type = False

sphinx_gallery_conf = {
    "examples_dirs": "../examples",
    "gallery_dirs": "auto_examples",
    "filename_pattern": r"[/\\](plot_|quickstart)",
    "subsection_order": [f"../examples/{name}" for name in gallery.SECTIONS if name],
    "within_subsection_order": "gallery.ExampleOrder",
    "nested_sections": True,
    "abort_on_example_error": True,
    "download_all_examples": False,
    "show_signature": False,
    "remove_config_comments": True,
}


def _unlink(app, what, name, obj, options, lines):
    """Replace links to labels and terms of scikit-learn by plain text."""
    if getattr(obj, "__module__", "").startswith("sklearn."):
        lines[:] = [re.sub(r":(ref|term):`([^`<]*)[^`]*`", r"\2", one) for one in lines]


def _group_parameters(app, what, name, obj, options, lines):
    """Put the parameters of an estimator under the names of their groups."""
    groups = {
        f"    **{key}**": one.group
        for key, one in getattr(obj, "_parameters", {}).items()
    }
    if len(set(groups.values())) < 2:  # a transformer has no groups
        return
    grouped, seen = [], set()
    for line in lines:
        group = groups.get(line.split(" : ")[0])
        if group and group not in seen:
            seen.add(group)
            title = f"    .. rubric:: {group.capitalize()}"
            grouped += ["", title, "       :class: parameter-group", ""]
        grouped.append(line)
    lines[:] = grouped


def setup(app):
    if PUBLISHED:
        app.tags.add("published")
    app.connect("autodoc-process-docstring", _unlink)
    # After numpydoc, which has the priority 500.
    app.connect("autodoc-process-docstring", _group_parameters, priority=600)
