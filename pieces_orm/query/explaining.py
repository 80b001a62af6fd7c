"""The explanation of a query, as `explain()` returns it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from attrs import frozen

from ..wire.kinds import Route


@frozen
class Explanation:
    """The way of a query to its answer: requests, the part of the server and the part decided here; prints well.

    A request with a note in brackets is made as often as what comes before it asks for it, which may be not at all.
    """

    collection: str
    requests: tuple[str, ...]
    server: tuple[str, ...]
    here: tuple[str, ...]

    def __str__(self) -> str:
        parts = {"requests": self.requests, "the server decides": self.server, "decided here": self.here}
        lines = [f"query of {self.collection}"]
        for title, each in parts.items():
            lines += [f"  {title}:", *(f"    {line}" for line in each)] if each else [f"  {title}: nothing"]
        return "\n".join(lines)


def request_text(route: Route, query: Mapping[str, Any] | None = None, note: str = "") -> str:
    """Return the text of a request; its path may have a place for an id in it.

    Args:
        note: how often it is made, for people; empty: once.
    """
    given = {name: str(value).lower() if isinstance(value, bool) else value for name, value in (query or {}).items()}
    question = f"?{urlencode(given, safe=':')}" if given else ""
    return f"{route.method} {route.path}{question}{f' ({note})' if note else ''}"
