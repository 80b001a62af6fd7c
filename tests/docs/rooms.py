"""The rooms of the package, which are its folders and top-level modules, and the rooms that each imports.

Imports for type checkers count like any other.
"""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

from .pages import ROOT

PACKAGE = "pieces_orm"
# The package itself and `python -m pieces_orm` are the way in, not a room.
ENTRANCES = {PACKAGE, f"{PACKAGE}.__main__"}

Graph = dict[str, set[str]]


@cache
def imports(within: str = PACKAGE) -> Graph:
    """Return, for each room of a package, the rooms that its modules import.

    Args:
        within: dotted name of a package. Rooms outside it are named by their place in the whole package.
    """
    graph: Graph = defaultdict(set)
    for module, path in sorted(_modules().items()):
        room = _room(module, within)
        if room is None or module in ENTRANCES or not module.startswith(f"{within}."):
            continue
        graph[room] |= set()
        for target in _imported(module, path):
            # A program that imports the package itself stands on all that it exports: above the opening of sessions.
            other = "opening" if target == within == PACKAGE else _room(target, within)
            if other not in {room, None} and (other == "opening" or target not in {within, *ENTRANCES}):
                graph[room].add(other)
                graph[other] |= set()
    return dict(graph)


def circles(graph: Graph) -> list[set[str]]:
    """Return the groups of rooms that import each other, directly or through others."""
    reach = {room: set(_reached(graph, room)) for room in graph}
    groups = [frozenset({room, *(other for other in reach[room] if room in reach[other])}) for room in graph]
    return [set(group) for group in dict.fromkeys(groups) if len(group) > 1]


def levels(graph: Graph) -> dict[str, int]:
    """Return the floor of each room: one above the highest room that it imports, circles on one floor."""
    together = {room: group for group in circles(graph) for room in group}
    found: dict[str, int] = {}

    def floor(room: str) -> int:
        if room not in found:
            group = together.get(room, {room})
            below = set().union(*(graph[each] for each in group)) - group
            number = 1 + max(map(floor, sorted(below)), default=-1)
            found.update(dict.fromkeys(group, number))
        return found[room]

    return {room: floor(room) for room in sorted(graph)}


def reduced(graph: Graph) -> Graph:
    """Return the graph without arrows that a longer way implies; arrows within a circle stay."""
    kept: Graph = {room: set() for room in graph}
    together = {room: group for group in circles(graph) for room in group}
    for room, targets in graph.items():
        for target in targets:
            own, theirs = (together.get(each, {each}) for each in (room, target))
            others = targets - own - theirs
            if target in own or not any(target in _reached(graph, each) for each in others):
                kept[room].add(target)
    return kept


def _reached(graph: Graph, room: str) -> Iterable[str]:
    seen: set[str] = set()
    waiting = list(graph[room])
    while waiting:
        each = waiting.pop()
        if each not in seen:
            seen.add(each)
            waiting += graph[each]
    return seen


@cache
def _modules() -> dict[str, Path]:
    found = {}
    for path in (ROOT / PACKAGE).rglob("*.py"):
        parts = path.relative_to(ROOT).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def _room(module: str, within: str) -> str | None:
    """The room of a module, as seen from a package; None for the package itself."""
    inside = module.startswith(f"{within}.")
    parts = module.removeprefix(f"{within if inside else PACKAGE}.").split(".")
    return None if module in {within, PACKAGE} else parts[0]


def _imported(module: str, path: Path) -> Iterator[str]:
    """The modules of the package that a module imports."""
    known = _modules()
    package = module if path.name == "__init__.py" else module.rpartition(".")[0]
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            parents = package.split(".")
            parents = parents[: len(parents) - node.level + 1] if node.level else []
            base = ".".join([*parents, *([node.module] if node.module else [])])
            names = [f"{base}.{alias.name}" for alias in node.names]
        else:
            continue
        for name in names:
            # `from .record import Record` names a class, `from . import record` a module.
            yield from [name] if name in known else [each for each in [name.rpartition(".")[0]] if each in known]
