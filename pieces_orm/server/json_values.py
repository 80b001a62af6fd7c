"""Helpers for JSON: text of values, and parts of objects that clients sent."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from .request_errors import RequestError

_fields = msgspec.json.Decoder(dict[str, msgspec.Raw])


def json_text(value: object) -> str:
    """Encode a value as JSON text."""
    return msgspec.json.encode(value).decode()


def raw_fields(text: str | bytes) -> dict[str, msgspec.Raw]:
    """Split the text of a JSON object into its undecoded values."""
    return _fields.decode(text)


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
