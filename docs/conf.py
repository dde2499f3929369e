"""The site: `make docs` builds it into docs/_build/html, without the network."""

import sys
import warnings
from importlib.metadata import version as version_of
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE / "_ext"))

project = "skdann"
author = "The skdann developers"
version = release = version_of("skdann")
project_copyright = author

extensions = [
    "elsewhere",
    "mathml",
    "own_members",
    "parameter_groups",
    "stored_figures",
    "tables",
    "trim",
    "myst_parser",
    "numpydoc",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.intersphinx",
    "sphinx.ext.viewcode",
    "sphinx_copybutton",
    "sphinx_design",
    "sphinx_gallery.gen_gallery",
]
exclude_patterns = ["_build", "_templates", "changes", "examples", "results"]
templates_path = ["_templates"]
toc_object_entries_show_parents = "hide"  # DANNClassifier.predict has no room there
nitpicky = True
# What has no page of its own there.
nitpick_ignore_regex = [(r"py:.*", r"(collections|torch|sklearn|skorch|numpy)\..*")]
suppress_warnings = ["config.cache"]

# Copied without prompts and without what is printed.
copybutton_prompt_text = r">>> |\.\.\. "
copybutton_prompt_is_regexp = True
copybutton_exclude = ".linenos, .gp, .go"

myst_enable_extensions = ["colon_fence", "dollarmath", "deflist"]
myst_heading_anchors = 3

autosummary_generate = True
autodoc_typehints = "none"  # numpydoc's sections tell them
autodoc_inherit_docstrings = False
numpydoc_show_class_members = False
numpydoc_xref_param_type = False


def _without_path(message, category, *where, **kwargs):
    return f"{category.__name__}: {message}\n"


warnings.formatwarning = _without_path  # what examples show has no path of the machine

sphinx_gallery_conf = {
    "examples_dirs": "examples",
    "gallery_dirs": "auto_examples",
    "filename_pattern": r"plot_",
    "within_subsection_order": "order.Order",
    "doc_module": ("skdann",),
    "reference_url": {"skdann": None},
    "backreferences_dir": "api/backreferences",
    "abort_on_example_error": True,
    "download_all_examples": False,
    "show_memory": False,
    "show_signature": False,
    "write_computation_times": False,
    "min_reported_time": 0,
    "capture_repr": ("_repr_html_",),  # tables and reports, no legends
    "remove_config_comments": True,
    "image_srcset": ["2x"],
}

html_context = {"default_mode": "auto"}  # light or dark as the reader's system is
html_theme = "pydata_sphinx_theme"
html_title = "skdann"
html_favicon = "_static/favicon.svg"
html_static_path = ["_static"]
html_css_files = ["skdann.css"]
html_math_renderer = "mathml"
html_show_sourcelink = False
html_copy_source = False
html_theme_options = {
    "logo": {"text": "skdann"},
    "navigation_with_keys": False,
    "header_links_before_dropdown": 4,
    "secondary_sidebar_items": ["page-toc"],
    "footer_start": ["copyright"],
    "footer_end": [],
    "pygments_light_style": "a11y-high-contrast-light",
    "pygments_dark_style": "a11y-high-contrast-dark",
}
WITHOUT_SIDEBAR = (
    "index",
    "results",
    "pairs",
    "combining",
    "regression",
    "reliability",
    "comparison",
    "roadmap",
    "changelog",
    "contributing",
)
html_sidebars = {name: [] for name in WITHOUT_SIDEBAR}
