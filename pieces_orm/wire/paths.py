"""Paths: route templates with ids put in, each id one safe segment."""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import quote

from ..errors import InvalidIdError
from .kinds import Route

# Not allowed in an id: a server that decodes %2F before it routes would take the slash for that of another route.
_FORBIDDEN = re.compile(r"[/\\\x00-\x1f]")


def path_of(route: Route, ids: Mapping[str, str]) -> str:
    """Return the path of a route with ids put in, each one percent-encoded segment.

    Raises:
        InvalidIdError: an id is empty, `.` or `..`, or would lead to another route.
    """
    path = route.path
    for name, id in ids.items():
        path = path.replace(f"{{{name}}}", segment(id))
    return path


def segment(id: str) -> str:
    """Return an id as one percent-encoded path segment.

    Raises:
        InvalidIdError: the id is not a str, is empty, `.` or `..`, or has a slash or a control character in it.
    """
    if not isinstance(id, str) or id in ("", ".", "..") or _FORBIDDEN.search(id):
        message = f"Invalid id {id!r}: an id is one non-empty path segment without slashes."
        raise InvalidIdError(message)
    return quote(id, safe="")
