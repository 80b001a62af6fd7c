"""Answers of searches: decode the hits, and return their entities."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

import msgspec

from ..documents import answers
from ..documents.document import BROKEN, malformed
from ..orm import loading, state_changes
from ..orm.context import Context
from ..orm.entity import Entity

E = TypeVar("E", bound=Entity)


class Match(msgspec.Struct):
    """One hit as the wire sends it; `document` is the material's own, where the answer has it."""

    identifier: str
    exact: bool = False
    score: float = 0.0
    similarity: float = 0.0
    match: str = "UNKNOWN"
    document: bytes | None = None


class _Results(msgspec.Struct):
    iterable: list[dict[str, msgspec.Raw]] = []


class _Head(msgspec.Struct):
    id: str = ""


def matches(data: bytes, kind: str) -> list[Match]:
    """Decode the hits of an answer.

    Raises:
        DecodeError: it is not the answer to a search.
    """
    try:
        return [_match(item) for item in msgspec.json.decode(data, type=_Results).iterable]
    except BROKEN as error:
        raise malformed(data, kind, "", error, "search") from error


def _match(item: dict[str, msgspec.Raw]) -> Match:
    """Decode one hit; its document is under a key that differs by kind, and has the id of the hit."""
    plain = {name: msgspec.json.decode(raw) for name, raw in item.items() if not bytes(raw).startswith(b"{")}
    match = msgspec.convert(plain, Match)
    objects = (bytes(raw) for raw in item.values() if bytes(raw).startswith(b"{"))
    match.document = next((raw for raw in objects if msgspec.json.decode(raw, type=_Head).id == match.identifier), None)
    return match


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
