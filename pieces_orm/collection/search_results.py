"""Answers of searches: decode the hits, and return their entities."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

import msgspec

from ..documents import answers
from ..documents.document import BROKEN, malformed, open_object, read_shortened, readable
from ..orm import loading, state_changes
from ..orm.context import Context
from ..orm.entity import Entity

E = TypeVar("E", bound=Entity)
_log = logging.getLogger("pieces_orm.search")


class Match(msgspec.Struct):
    """One hit as the wire sends it; `document` is the material's own, where the answer has it."""

    identifier: str
    exact: bool = False
    score: float = 0.0
    similarity: float = 0.0
    match: str = "UNKNOWN"
    document: bytes | None = None


class _Results(msgspec.Struct):
    iterable: list[msgspec.Raw]


_results = msgspec.json.Decoder(_Results).decode


class _Head(msgspec.Struct):
    id: str = ""


_TYPES = {"exact": bool, "score": float, "similarity": float, "match": str}


def matches(data: bytes, kind: str) -> list[Match]:
    """Decode the hits of an answer; those that name no material are left out, with a warning in the log.

    Raises:
        DecodeError: it is not the answer to a search: malformed, or none of its hits names a material.
    """
    try:
        hits = read_shortened(_results, data).iterable
        return readable(_match(hit, kind) for hit in hits)
    except BROKEN as error:
        raise malformed(data, kind, "", error, "search") from error


def _match(hit: msgspec.Raw, kind: str) -> Match | None:
    """Decode one hit; its document is under a key that differs by kind, and has the id of the hit.

    A part that is null or of another type says nothing; only a hit that names no material cannot be used.
    """
    parts = open_object(hit) if bytes(hit).startswith(b"{") else {}
    documents = {_id_in(bytes(raw)): bytes(raw) for raw in parts.values()}
    # Without an identifier, the only material in the hit is what was found.
    ids = [id for id in documents if id]
    identifier = _part(parts, "identifier", str) or (ids[0] if len(ids) == 1 else None)
    if identifier is None:
        start = bytes(hit)[:80].decode("utf-8", "replace")
        _log.warning("A hit that names no %s is left out of the server's answer; it begins %r.", kind, start)
        return None
    known = {name: value for name, cls in _TYPES.items() if (value := _part(parts, name, cls)) is not None}
    return Match(identifier, **known, document=documents.get(identifier))


def _part(parts: Mapping[str, msgspec.Raw], name: str, cls: type[Any]) -> Any:
    try:
        return msgspec.json.decode(parts[name], type=cls) if name in parts else None
    except msgspec.ValidationError:
        return None


def _id_in(raw: bytes) -> str:
    """Return the id of the material in a part of a hit; empty when there is none."""
    try:
        return msgspec.json.decode(raw, type=_Head).id if raw.startswith(b"{") else ""
    except msgspec.ValidationError:
        return ""


def entities_of(
    context: Context, cls: type[E], found: Sequence[Match], number: int, *, contents: bool
) -> list[tuple[Match, E]]:
    """Return the hits with their entities, fresh where the answer has the document; without those that are gone."""
    entities: list[E] = []
    for match in found:
        entity: E | None = None
        if match.document is not None:
            _, document = answers.one(match.document, cls._schema.kind.name, match.identifier, contents=contents)
            entity = state_changes.adopt(context, cls, match.identifier, document, number, "refresh")
        entities.append(entity or context.identity_map.ref(cls, match.identifier))
    present = {id(entity) for entity in loading.load_missing(context, entities)}
    return [(match, entity) for match, entity in zip(found, entities, strict=True) if id(entity) in present]
