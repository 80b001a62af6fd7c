"""Helpers for JSON: text of values, and parts of objects that clients sent."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import msgspec

from .request_errors import RequestError

T = TypeVar("T")
MAX_LEVELS = 100
"""Levels of objects and lists within each other that a body may have, itself included."""

_CONTAINERS = frozenset({dict, list})
_objects = msgspec.json.Decoder(dict[str, Any])
_fields = msgspec.json.Decoder(dict[str, msgspec.Raw])


def json_text(value: object) -> str:
    """Encode a value as JSON text."""
    return _on_fresh_stack(msgspec.json.encode, value).decode()


def stored_object(text: str | bytes) -> dict[str, Any]:
    """Decode the text of a JSON object from the database."""
    return _on_fresh_stack(_objects.decode, text)


def raw_fields(text: str | bytes) -> dict[str, msgspec.Raw]:
    """Split the text of a JSON object into its undecoded values."""
    return _on_fresh_stack(_fields.decode, text)


def _on_fresh_stack(function: Callable[[Any], T], value: Any) -> T:
    """Call a function of JSON, again in a thread of its own where values are nested too deeply for this one's stack.

    Older databases hold documents of more levels than are accepted now; all were decoded once, in a thread that had
    come further than a new one.
    """
    try:
        return function(value)
    except RecursionError:
        with ThreadPoolExecutor(1) as executor:
            return executor.submit(function, value).result()


def levels(value: Any) -> Iterator[list[Any]]:
    """Yield the objects and lists of each level of a decoded object, the outermost first."""
    level = [value]
    while level:
        yield level
        parts = (part for each in level for part in (each.values() if type(each) is dict else each))
        level = [part for part in parts if type(part) in _CONTAINERS]


def is_too_deep(value: Any) -> bool:
    """Tell whether a decoded object has more than `MAX_LEVELS` levels."""
    return any(depth == MAX_LEVELS for depth, _ in enumerate(levels(value)))


def object_in(value: Any, name: str) -> Mapping[str, Any]:
    """Return the JSON object under a name, an empty one when there is none."""
    found = value.get(name) if isinstance(value, Mapping) else None
    return found if isinstance(found, Mapping) else {}


def referenced_id(value: Any, where: str = "Each item") -> str:
    """Return the id in a reference such as `{"id": "..."}`; `where` names it in the error.

    Raises:
        RequestError: 400, the value has no id.
    """
    id = value.get("id") if isinstance(value, Mapping) else None
    if not isinstance(id, str):
        raise RequestError(400, f"{where} must have a string as id.")
    return id
