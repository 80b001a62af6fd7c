"""Paths of routes with ids in place, each id one safe segment."""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import quote

from ..errors import InvalidIdError
from .kinds import Route

# What an id may not have in it: a server that decodes %2F before it routes would take a slash for another route.
_FORBIDDEN = re.compile(r"[/\\\x00-\x1f]")


def path_of(route: Route, ids: Mapping[str, str]) -> str:
    """The path of a route with its ids in place, each one percent-encoded segment.

    Raises:
        InvalidIdError: an id is empty, `.`, `..`, or would reach another route.
    """
    path = route.path
    for name, id in ids.items():
        path = path.replace(f"{{{name}}}", segment(id))
    return path


def segment(id: str) -> str:
    """An id as one path segment.

    Raises:
        InvalidIdError: it is no text, empty, `.`, `..`, or has a slash or a control character in it.
    """
    if not isinstance(id, str) or id in ("", ".", "..") or _FORBIDDEN.search(id):
        message = f"{id!r} is no id: an id is one non-empty path segment without slashes."
        raise InvalidIdError(message)
    return quote(id, safe="")
