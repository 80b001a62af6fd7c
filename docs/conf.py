"""Sphinx settings. The build is offline and strict: `sphinx-build -W docs docs/_build`."""

from importlib.metadata import version as _installed

project = "pieces_orm"
author = "pieces_orm contributors"
release = version = _installed("pieces_orm")

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
exclude_patterns = ["_build"]
nitpicky = False

# Headings get anchors, so that one page can link to a section of another.
myst_heading_anchors = 3
myst_enable_extensions = ["deflist", "fieldlist"]

autodoc_member_order = "bysource"
autodoc_typehints = "description"
napoleon_google_docstring = True
napoleon_numpy_docstring = False
napoleon_custom_sections = [("Requests", "params_style")]

# Sphinx brings this theme itself: nothing to install, no web fonts, no scripts from elsewhere.
html_theme = "alabaster"
html_theme_options = {"description": "Pieces data as Python objects", "page_width": "1080px"}
html_show_sourcelink = False
