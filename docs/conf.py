"""Sphinx settings. The build is offline and strict: `sphinx-build -W docs docs/_build`."""

from importlib.metadata import version as _installed

import pieces_orm as _package

project = "pieces_orm"
author = "pieces_orm contributors"
release = version = _installed("pieces_orm")
copyright = author

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "sphinx_copybutton"]
exclude_patterns = ["_build"]

# Headings get anchors, so that one page can link to a section of another.
myst_heading_anchors = 3
myst_enable_extensions = ["deflist", "fieldlist"]

autodoc_member_order = "bysource"
autodoc_typehints = "signature"
# The list of contents of a page names a member without its class.
toc_object_entries_show_parents = "hide"
# `name` in a docstring is code.
default_role = "code"
# One parameter a line in signatures that are longer than this.
maximum_signature_line_length = 88
python_use_unqualified_type_names = True
napoleon_google_docstring = True
napoleon_numpy_docstring = False
napoleon_custom_sections = [("Fields", "params_style"), ("Relations", "params_style")]

# The button copies what a reader would type: prompts are left out, and so is output after them.
copybutton_prompt_text = r">>> |\.\.\. |\$ "
copybutton_prompt_is_regexp = True
copybutton_exclude = ".linenos, .gp"

# Furo brings its fonts' names and its scripts along: nothing is loaded from elsewhere.
html_theme = "furo"
html_title = f"pieces_orm {release}"
html_theme_options = {
    "navigation_with_keys": True,
    "source_repository": "https://github.com/pieces-orm/pieces_orm/",
    "source_branch": "main",
    "source_directory": "docs/",
}
html_show_sourcelink = False
html_copy_source = False


def _set_off_requests(_app, _what, _name, _obj, _options, lines):
    """Set off the paragraph of a docstring that names the requests of a call, as napoleon does with its sections."""
    for number, line in enumerate(lines):
        if line.startswith("Requests: "):
            lines[number] = line.replace("Requests:", "**Requests:**", 1)


# Sessions make the objects of these classes, so how they are made is no part of the interface.
_MADE_BY_SESSIONS = (_package.Changes, _package.Collection, _package.Entity, _package.Live, _package.Watch)


def _leave_out_constructor(_app, what, _name, obj, _options, _signature, _returned):
    return ("", None) if what == "class" and issubclass(obj, _MADE_BY_SESSIONS) else None


def _leave_out_arguments(_app, what, _name, obj, _options, lines):
    """Remove the arguments of a constructor that is left out; napoleon runs after this."""
    if what == "class" and issubclass(obj, _MADE_BY_SESSIONS) and "Args:" in lines:
        first = lines.index("Args:")
        last = next((number for number in range(first, len(lines)) if not lines[number]), len(lines))
        del lines[first:last]


def setup(app):
    app.connect("autodoc-process-signature", _leave_out_constructor)
    app.connect("autodoc-process-docstring", _leave_out_arguments, priority=100)
    app.connect("autodoc-process-docstring", _set_off_requests)
