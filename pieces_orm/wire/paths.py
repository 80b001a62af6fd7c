"""Paths: route templates with ids put in, each id one safe segment."""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import quote

from ..errors import InvalidIdError
from ..values.checking import is_sendable
from .kinds import Route

# Not allowed in an id: a server that decodes %2F before it routes would take the slash for that of another route.
_FORBIDDEN = re.compile(r"[/\\\x00-\x1f]")

_UUID = re.compile(r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}")


def path_of(route: Route, ids: Mapping[str, str]) -> str:
    """Return the path of a route with ids put in, each one percent-encoded segment.

    Raises:
        InvalidIdError: an id is empty, `.` or `..`, or would lead to another route.
    """
    path = route.path
    for name, id in ids.items():
        path = path.replace(f"{{{name}}}", segment(id))
    return path


def has_id_form(text: str) -> bool:
    """Tell whether a text has the form of an id, which is that of a UUID; a server may give others all the same."""
    return _UUID.fullmatch(text) is not None


def checked_id(id: str) -> str:
    """Return an id as a plain str.

    Raises:
        InvalidIdError: the id is not a str, is empty, `.` or `..`, has a slash or a control character in it, or cannot
            be sent.
    """
    plain = str.__str__(id) if isinstance(id, str) else ""
    if plain in ("", ".", "..") or _FORBIDDEN.search(plain) or not is_sendable(plain):
        hint = f" Pass the entity's id, {id.id!r}." if hasattr(id, "id") else ""
        message = f"Invalid id {id!r}: an id is one non-empty path segment without slashes.{hint}"
        raise InvalidIdError(message)
    return plain


def segment(id: str) -> str:
    """Return an id as one percent-encoded path segment; for the errors see `checked_id`."""
    return quote(checked_id(id), safe="")
