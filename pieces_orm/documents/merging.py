"""Merge edits into documents: every byte that no edit concerns goes back to the server as it came."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import Raw

from ..values.structs import Patch
from .decoding import encoded, without_removed
from .document import BROKEN, Document, open_object, read_head, read_page


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


def put_member(document: Document, key: str, id: str, member: Document | None) -> Document:
    """Return the document with another copy of one member of a collection; with None, without that member."""
    raw = document.get_key(key)
    try:
        page = None if raw is None else read_page(raw)
        ids = [] if page is None else [read_head(each).id for each in page.iterable]
    except BROKEN:
        return document
    if raw is None or page is None:
        return document
    kept = [
        (Raw(member.data) if member is not None and own == id else each, own)
        for own, each in zip(ids, page.iterable, strict=True)
    ]
    if member is None:
        kept = [pair for pair in kept if pair[1] != id]
    elif id not in ids:
        kept.append((Raw(member.data), id))
    changed: dict[str, Any] = {**open_object(raw), "iterable": [each for each, _ in kept]}
    if page.indices is not None and member is None:
        changed["indices"] = {own: place for own, place in page.indices.items() if own != id}
    return _with_keys(document, {**document.keys, key: Raw(msgspec.json.encode(changed))})


def without_key(document: Document, key: str) -> Document:
    """Return the document without one of its keys."""
    return _with_keys(document, {name: raw for name, raw in document.keys.items() if name != key})


def joined(newer: Document, older: Document) -> Document:
    """Return a copy with the keys of both; those that both have are the newer one's."""
    return _with_keys(newer, {**older.keys, **newer.keys})


def _with_keys(document: Document, keys: Mapping[str, Raw]) -> Document:
    """Return a document of the same sort with other keys."""
    return Document(msgspec.json.encode(keys), complete=document.complete, contents=document.contents)


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
