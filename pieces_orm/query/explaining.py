"""The explanation of a query, as `explain()` returns it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from attrs import frozen

from ..wire.kinds import Route


@frozen
class Request:
    """A request that a query makes; the path may have a place for an id in it.

    Attributes:
        as_needed: whether it is made as often as what comes first asks for it, which may be not at all; else once.
        note: when that is, for people.
    """

    method: str
    path: str
    query: str = ""
    as_needed: bool = False
    note: str = ""

    @staticmethod
    def of(route: Route, query: Mapping[str, Any] | None = None, *, as_needed: bool = False, note: str = "") -> Request:
        """Return the request to a route."""
        texts = {
            name: str(value).lower() if isinstance(value, bool) else value for name, value in (query or {}).items()
        }
        return Request(route.method, route.path, urlencode(texts), as_needed, note)

    def __str__(self) -> str:
        question = f"?{self.query}" if self.query else ""
        return f"{self.method} {self.path}{question}{f' ({self.note})' if self.note else ''}"


@frozen
class Explanation:
    """How a query is answered: its requests, what the server decides, and what is decided here; prints well."""

    collection: str
    requests: tuple[Request, ...]
    server: tuple[str, ...]
    here: tuple[str, ...]

    def __str__(self) -> str:
        parts = {"requests": self.requests, "the server decides": self.server, "decided here": self.here}
        lines = [f"query of {self.collection}"]
        for title, each in parts.items():
            lines += [f"  {title}:", *(f"    {line}" for line in each)] if each else [f"  {title}: nothing"]
        return "\n".join(lines)
