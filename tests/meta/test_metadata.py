"""The package's metadata: what an installation brings, and where it leads."""

import ast
import re
import sys
from importlib.metadata import packages_distributions

import pytest

from .sources import PACKAGE, ROOT, parsed, python_files

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib  # pytest brings it

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
EXTRAS = PROJECT["optional-dependencies"]


def name_of(requirement):
    return re.match(r"[\w.-]+", requirement)[0].lower().replace("_", "-")


def imported():
    """The top-level modules that the package imports anywhere, as late as may be."""
    found = set()
    for path in python_files(PACKAGE):
        for node in ast.walk(parsed(path)):
            if isinstance(node, ast.Import):
                found |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and not node.level:
                found.add(node.module.split(".")[0])
    return found


@pytest.mark.parametrize("requirement", [*PROJECT["dependencies"], *EXTRAS["server"], *EXTRAS["cli"]], ids=name_of)
def test_everything_that_an_installation_brings_is_used(requirement):
    modules = {
        module
        for module, distributions in packages_distributions().items()
        if name_of(requirement) in {each.lower().replace("_", "-") for each in distributions}
    }
    assert modules & imported()


def test_all_is_the_server_and_the_command_line():
    assert EXTRAS["all"] == ["pieces_orm[server,cli]"]
    assert set(EXTRAS) == {"server", "cli", "all", "test"}


def test_the_metadata_leads_to_the_documentation_the_source_the_changelog_and_the_issues():
    assert set(PROJECT["urls"]) == {"Documentation", "Source", "Changelog", "Issues"}
    for name in ("Documentation", "Changelog"):
        assert (ROOT / PROJECT["urls"][name].partition("/blob/main/")[2]).is_file(), name
