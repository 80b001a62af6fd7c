"""The way from method and path to a route; literal segments win over parameters, at every segment."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Generic, TypeVar
from urllib.parse import unquote

from attrs import Factory, define

T = TypeVar("T")


@define
class _Node(Generic[T]):
    literals: dict[str, _Node[T]] = Factory(dict)
    parameter: _Node[T] | None = None
    methods: dict[str, tuple[T, tuple[str, ...]]] = Factory(dict)


class Router(Generic[T]):
    """A tree of path segments.

    The path is taken apart before it is decoded, so an encoded slash in an id never reaches another route.
    """

    def __init__(self) -> None:
        self._root: _Node[T] = _Node()

    def add(self, method: str, template: str, target: T) -> None:
        """Add a route for a path template such as /asset/{asset}."""
        node, names = self._root, []
        for segment in template.strip("/").split("/"):
            if segment.startswith("{"):
                names.append(segment[1:-1])
                node.parameter = node.parameter or _Node()
                node = node.parameter
            else:
                node = node.literals.setdefault(segment, _Node())
        if method in node.methods:
            message = f"{method} {template} is routed twice."
            raise ValueError(message)
        node.methods[method] = (target, tuple(names))

    def find(self, method: str, raw_path: str) -> tuple[T, dict[str, str]] | None:
        """Find the target of a request, and its decoded path parameters."""
        node, values = self._node(raw_path)
        if node is None or method not in node.methods:
            return None
        target, names = node.methods[method]
        return target, dict(zip(names, values, strict=True))

    def methods(self, raw_path: str) -> tuple[str, ...]:
        """Return the methods of a path, none when there is no such path."""
        node, _ = self._node(raw_path)
        return () if node is None else tuple(sorted(node.methods))

    def _node(self, raw_path: str) -> tuple[_Node[T] | None, tuple[str, ...]]:
        segments = [unquote(segment) for segment in raw_path.removeprefix("/").split("/")]
        return next(_matches(self._root, segments, ()), (None, ()))


def _matches(
    node: _Node[T], segments: Sequence[str], values: tuple[str, ...]
) -> Iterator[tuple[_Node[T], tuple[str, ...]]]:
    """Yield every node with routes that the segments lead to, the most literal first."""
    if not segments:
        if node.methods:
            yield node, values
        return
    literal = node.literals.get(segments[0])
    if literal is not None:
        yield from _matches(literal, segments[1:], values)
    if node.parameter is not None and segments[0]:
        yield from _matches(node.parameter, segments[1:], (*values, segments[0]))
