"""Sizes, exported names, and what lies where."""

import ast
import importlib
import re

import pytest

from .sources import PACKAGE, ROOT, modules, parsed, project_files, python_files, relative

MODULE_LINES = 400
FUNCTION_LINES = 40
TOP_LEVEL = {"pieces_orm", "tests", "docs", "setup.cfg", "pyproject.toml", "README.md", "LICENSE", "CHANGELOG.md"}
SDIST = {"PKG-INFO"}  # what a build adds

MACHINE = re.compile(
    r"""
    (?<![\w.]) (?: /home[/]\w | /root[/] | /work[/](?:main|shared) )
    | (?<![\w./]) /Users/\w
    | [A-Z]:\\{1,2}Users\\
    """,
    re.VERBOSE,
)
# In brackets, so that this file does not name what it forbids.
REGISTRY = re.compile(r"pypi[.]org|pythonhosted[.]org|--(?:extra-)?index[-]url")


def length(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines from `def` to the end, less the docstring."""
    lines = function.end_lineno - function.lineno + 1
    first = function.body[0]
    if ast.get_docstring(function, clean=False) is not None:
        lines -= first.end_lineno - first.lineno + 1
    return lines


@pytest.mark.parametrize("path", python_files(PACKAGE, "tests"), ids=relative)
def test_no_module_is_over_400_lines(path):
    assert len(path.read_text("utf-8").splitlines()) <= MODULE_LINES


@pytest.mark.parametrize("path", python_files(PACKAGE), ids=relative)
def test_no_function_is_over_40_lines(path):
    functions = [n for n in ast.walk(parsed(path)) if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef)]
    long = {f"{f.name}, line {f.lineno}": length(f) for f in functions if length(f) > FUNCTION_LINES}
    assert not long


def exported() -> list[str]:
    return list(getattr(importlib.import_module(PACKAGE), "__all__", ()))


def bound_by_the_package() -> set[str]:
    """The public names that pieces_orm/__init__.py binds itself (submodules that others loaded are not its doing)."""
    names: set[str] = set()
    for node in parsed(modules()["__init__"]).body:
        if isinstance(node, ast.Import):
            names |= {alias.asname or alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module != "__future__":
            names |= {alias.asname or alias.name for alias in node.names if alias.name != "*"}
        elif isinstance(node, ast.FunctionDef | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            names |= {name.id for target in targets for name in ast.walk(target) if isinstance(name, ast.Name)}
    return {name for name in names if not name.startswith("_")}


def test_all_names_are_exported_once():
    assert sorted(exported()) == sorted(set(exported()))


def test_all_names_can_be_imported():
    package = importlib.import_module(PACKAGE)
    assert [name for name in exported() if not hasattr(package, name)] == []


def test_nothing_public_is_missing_from_all():
    assert bound_by_the_package() - set(exported()) == set()


def test_top_level_holds_only_what_the_design_names():
    found = {relative(path).split("/")[0] for path in project_files()}
    added = set() if (ROOT / ".git").exists() else SDIST
    assert {name for name in found if not name.startswith(".")} - TOP_LEVEL - added == set()


@pytest.mark.parametrize("pattern", [MACHINE, REGISTRY], ids=["machine paths", "registry hosts"])
def test_no_file_names_a_machine_or_a_registry(pattern):
    found = []
    for path in project_files():
        try:
            text = path.read_text("utf-8")
        except UnicodeDecodeError:
            continue  # not a text
        found += [f"{relative(path)}: {match.group()}" for match in pattern.finditer(text)]
    assert not found


def test_the_package_is_marked_as_typed():
    assert (ROOT / PACKAGE / "py.typed").is_file()
