"""Where the sources are, and what they import."""

import ast
import subprocess
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = "pieces_orm"


@cache
def project_files() -> tuple[Path, ...]:
    """Every file that is tracked, or would be by `git add .`."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    paths = sorted({ROOT / name for name in listed.split("\0") if name})
    return tuple(path for path in paths if path.is_file())


def python_files(*folders: str) -> list[Path]:
    return [path for path in project_files() if path.suffix == ".py" and relative(path).split("/")[0] in folders]


def relative(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def module_name(path: Path) -> str:
    """The dotted name below the package: `session`, `server.app`; the package itself is `__init__`."""
    parts = path.relative_to(ROOT / PACKAGE).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" and len(parts) > 1 else parts)


def modules() -> dict[str, Path]:
    return {module_name(path): path for path in python_files(PACKAGE)}


@cache
def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text("utf-8"), str(path))


def imports(path: Path) -> list[tuple[int, str]]:
    """The modules of the package that a file imports, with line numbers; not what only a type checker reads."""
    finder = _Imports(path)
    finder.visit(parsed(path))
    return finder.found


class _Imports(ast.NodeVisitor):
    def __init__(self, path: Path) -> None:
        self.found: list[tuple[int, str]] = []
        within = [PACKAGE, *path.relative_to(ROOT / PACKAGE).parts]
        self.within = within[:-1]  # the package that a single dot means

    def visit_If(self, node: ast.If) -> None:
        if ast.unparse(node.test) in {"TYPE_CHECKING", "typing.TYPE_CHECKING"}:
            for statement in node.orelse:
                self.visit(statement)
        else:
            self.generic_visit(node)

    def visit_Import(self, node: ast.Import) -> None:
        for alias in node.names:
            self._add(node.lineno, alias.name)

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        base = self.within[: len(self.within) - node.level + 1] if node.level else []
        source = ".".join([*base, *filter(None, [node.module])])
        for alias in node.names:
            # `from . import endpoints` names a module, `from .endpoints import KINDS` something inside one.
            inside = f"{source}.{alias.name}".removeprefix(f"{PACKAGE}.")
            self._add(node.lineno, f"{source}.{alias.name}" if inside in modules() else source)

    def _add(self, line: int, name: str) -> None:
        if name == PACKAGE:
            self.found.append((line, "__init__"))
        elif name.startswith(f"{PACKAGE}."):
            self.found.append((line, name.removeprefix(f"{PACKAGE}.")))
