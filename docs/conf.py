"""The settings of the documentation site; ``make docs`` builds it."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import numpydoc.xref

import gaussmix

sys.path.insert(0, str(Path(__file__).parent / "_ext"))

project = "gaussmix"
author = "gaussmix developers"
copyright = "gaussmix developers"
version = release = gaussmix.__version__

extensions = [
    "myst_nb",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "numpydoc",
    "sphinx_copybutton",
    "sphinx_design",
    "command",  # from here on those of docs/_ext
    "example_report",
    "examples",
    "formulas",
    "links",
    "public_members",
]
templates_path = ["_templates"]
exclude_patterns: list[str] = []

# Pages: Markdown; a page with a kernel in its head is a notebook, and is executed whenever the site is built.
# A result that is kept from an earlier build would be that of an earlier gaussmix.
myst_enable_extensions = ["attrs_block", "attrs_inline", "colon_fence", "deflist", "dollarmath"]
myst_heading_anchors = 3
nb_execution_mode = "force"
nb_execution_in_temp = True
nb_execution_raise_on_error = True
nb_execution_timeout = 120  # seconds for one cell
nb_merge_streams = True
# Kernels read this profile, not that of who builds the site. They would warn of an open port.
_profiles = TemporaryDirectory()
os.environ["IPYTHONDIR"] = _profiles.name
(Path(_profiles.name) / "profile_default").mkdir()
(Path(_profiles.name) / "profile_default" / "ipython_kernel_config.py").write_text(
    'c.IPKernelApp.log_level = "ERROR"\nc.InlineBackend.figure_formats = {"retina"}\n'
)
highlight_language = "none"  # blocks that are indented hold formulas

# The reference
autosummary_generate = True
autodoc_typehints = "none"  # numpydoc's sections have them, with shapes
numpydoc_show_class_members = False  # the template lists them
# A docstring that numpydoc would misread: unknown sections or parameters, sections out of order, a lost colon
numpydoc_validation_checks = {"GL06", "GL07", "PR02", "PR10"}
# Types of parameters and results link to the names of this package
numpydoc_xref_param_type = True
numpydoc_xref_ignore = "all"
numpydoc.xref.DEFAULT_LINKS.clear()  # to Python's own documentation, which is on the network
numpydoc_xref_aliases = {name: f"gaussmix.{name}" for name in gaussmix.__all__}
default_role = "code"
toc_object_entries_show_parents = "hide"
smartquotes = False  # "full" is a word to type
html_math_renderer = "mathml"

# Every reference has to resolve. Those to other packages do by name alone: their indices are on the network.
nitpicky = True
nitpick_ignore_regex = [
    (r"py:.*", r"(sklearn|numpy|np|scipy|matplotlib|pandas|polars|narwhals|pathlib|collections|os)\..*")
]

python_maximum_signature_line_length = 90  # characters; a longer signature has a line for each parameter
html_theme = "pydata_sphinx_theme"
html_context = {"default_mode": "auto"}
html_title = "gaussmix"
html_static_path = ["_static"]
html_css_files = ["style.css"]
html_logo = "_static/logo.svg"
html_favicon = "_static/logo.svg"
html_show_sourcelink = False
html_copy_source = False
html_theme_options = {
    "logo": {"text": "gaussmix", "alt_text": "gaussmix, the first page"},
    "header_links_before_dropdown": 8,
    "navbar_persistent": ["search-button"],
    "navigation_with_keys": False,
    "show_toc_level": 2,
    "footer_start": ["copyright"],
    "footer_end": ["sphinx-version"],
    "secondary_sidebar_items": ["page-toc"],
    "pygments_light_style": "a11y-high-contrast-light",
    "pygments_dark_style": "a11y-high-contrast-dark",
}
html_sidebars = {"index": [], "getting-started": [], "gallery": [], "benchmarks": []}
copybutton_prompt_text = r">>> |\.\.\. |\$ "
copybutton_prompt_is_regexp = True
