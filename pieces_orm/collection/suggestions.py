"""Suggestions of the server for the present work, from its stream."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec
from attrs import frozen

from ..documents.document import BROKEN, malformed
from ..orm.context import Context
from ..orm.entity import Entity, registered
from ..orm.identity_map import IdentityMap
from ..sync.raw_frames import frames
from ..wire.paths import checked_id
from ..wire.routes import SUGGESTIONS_STREAM


@frozen
class Suggestion:
    """One suggestion: existing entities (handles, which load when read), seeds of new ones, related suggestions."""

    entities: tuple[Entity, ...]
    seeds: tuple[Mapping[str, Any], ...] = ()
    related: tuple[Suggestion, ...] = ()


def suggestions(context: Context) -> Iterator[list[Suggestion]]:
    """Iterate over the suggestions of the server, those of one frame at a time; ends with the session."""
    opened = frames(context, SUGGESTIONS_STREAM)  # here, so that what is wrong is said by the call
    return (suggestions_in(frame, context.identity_map) for _, frame in opened)


def suggestions_in(frame: bytes, entities: IdentityMap) -> list[Suggestion]:
    """Return the suggestions of one frame.

    Raises:
        DecodeError: the frame is not WorkstreamSuggestions.
    """
    try:
        items = msgspec.json.decode(frame, type=dict[str, Any]).get("iterable") or []
        return [_suggestion(item, entities) for item in items]
    except (*BROKEN, ValueError, AttributeError, TypeError, KeyError) as error:
        raise malformed(frame, "suggestion", "", error) from error


def _suggestion(item: Mapping[str, Any], identity_map: IdentityMap) -> Suggestion:
    entities: list[Entity] = []
    for cls in registered().values():
        singular, plural = _keys(cls)
        named = [item[singular]] if item.get(singular) else []
        named += (item.get(plural) or {}).get("iterable", [])
        entities += [identity_map.ref(cls, checked_id(each["id"])) for each in named]
    seeds = [item["seed"]] if item.get("seed") else []
    seeds += (item.get("seeds") or {}).get("iterable", [])
    related = (item.get("related") or {}).get("iterable", [])
    return Suggestion(tuple(entities), tuple(seeds), tuple(_suggestion(each, identity_map) for each in related))


def _keys(cls: type[Entity]) -> tuple[str, str]:
    """Return a kind's keys in a suggestion: summary and summaries, conversationMessage and conversationMessages."""
    kind = cls._schema.kind
    if kind.collection in ("summaries", "sources"):
        return {"summaries": "summary", "sources": "source"}[kind.collection], kind.collection
    singular = kind.stream or kind.name
    return singular, f"{singular}s"
