"""Look-up of routes by method and path; literal segments win over parameters, at every segment."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from typing import Generic, TypeVar
from urllib.parse import unquote

T = TypeVar("T")

_Methods = dict[str, tuple[T, tuple[str, ...]]]


class Router(Generic[T]):
    """Routes by pattern: the segments of a path, with None for each parameter.

    A path is split before it is decoded, so that an encoded slash in an id never reaches another route.
    """

    def __init__(self) -> None:
        self._routes: dict[tuple[str | None, ...], _Methods[T]] = {}
        self._max_segments = 0

    def add(self, method: str, template: str, target: T) -> None:
        """Add a route for a path template such as /asset/{asset}."""
        segments = template.strip("/").split("/")
        pattern = tuple(None if segment.startswith("{") else segment for segment in segments)
        methods = self._routes.setdefault(pattern, {})
        if method in methods:
            message = f"{method} {template} is routed twice."
            raise ValueError(message)
        methods[method] = target, tuple(segment[1:-1] for segment in segments if segment.startswith("{"))
        self._max_segments = max(self._max_segments, len(segments))

    def find(self, method: str, raw_path: str) -> tuple[T, dict[str, str]] | None:
        """Find the target of a request, and its decoded path parameters."""
        methods, values = self._match(raw_path)
        if method not in methods:
            return None
        target, names = methods[method]
        return target, dict(zip(names, values, strict=True))

    def methods(self, raw_path: str) -> tuple[str, ...]:
        """Return the methods of a path, none when there is no such path."""
        return tuple(sorted(self._match(raw_path)[0]))

    def _match(self, raw_path: str) -> tuple[Mapping[str, tuple[T, tuple[str, ...]]], list[str]]:
        segments = [unquote(segment) for segment in raw_path.removeprefix("/").split("/")]
        if len(segments) <= self._max_segments:
            for pattern in itertools.product(*((segment, None) for segment in segments)):
                if pattern in self._routes:
                    values = [segment for segment, literal in zip(segments, pattern, strict=True) if literal is None]
                    if all(values):
                        return self._routes[pattern], values
        return {}, []
