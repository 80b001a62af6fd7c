"""Merge edits into documents: every byte that no edit concerns goes back to the server as it came."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import Raw

from ..values.structs import Patch
from .decoding import encoded, without_removed
from .document import Document, open_object


def merge(document: Document, edits: Mapping[str, Any]) -> bytes:
    """Return the document with other values at some (dotted) paths; every other byte goes back as it came.

    An edit that is a JSON object is put over the object that is there: keys it does not know survive.
    """
    keys = dict(document.keys)
    for path, value in edits.items():
        head, *rest = path.split(".")
        nested_value = value
        for name in reversed(rest):
            nested_value = {name: nested_value}
        keys[head] = Raw(_put_over(keys.get(head), nested_value))
    return msgspec.json.encode(keys)


def _put_over(raw: Raw | None, value: Any) -> bytes:
    """Encode a value over what stands there, so that object keys unknown to the value survive."""
    if not isinstance(value, dict) or raw is None or not bytes(raw).startswith(b"{"):
        return encoded(without_removed(value))
    keys = open_object(raw)
    for name, item in value.items():
        if item is None and isinstance(value, Patch):
            keys.pop(name, None)
        else:
            keys[name] = Raw(_put_over(keys.get(name), item))
    return msgspec.json.encode(keys)
