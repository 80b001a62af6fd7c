"""Suggestions: what the server thinks goes with the present work."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from attrs import frozen

from ..errors import DecodeError
from ..orm.entity import Entity
from ..orm.identity_map import IdentityMap


@frozen
class Suggestion:
    """One suggestion: existing entities (handles, which load when read), seeds of new ones, and what it is about."""

    entities: tuple[Entity, ...]
    seeds: tuple[Mapping[str, Any], ...] = ()
    related: tuple[Suggestion, ...] = ()


def suggestions_of(frame: bytes, map: IdentityMap) -> list[Suggestion]:
    """The suggestions of one frame.

    Raises:
        DecodeError: the frame is no WorkstreamSuggestions.
    """
    try:
        items = msgspec.json.decode(frame, type=dict[str, Any]).get("iterable") or []
        return [_suggestion(item, map) for item in items]
    except (ValueError, AttributeError, TypeError, KeyError) as error:
        message = f"The suggestions that the server sent cannot be read ({error}); they begin {frame[:80]!r}."
        raise DecodeError(message, kind="suggestion") from error


def _suggestion(item: Mapping[str, Any], map: IdentityMap) -> Suggestion:
    entities: list[Entity] = []
    for cls in Entity.registry.values():
        singular, plural = _keys(cls)
        named = [item[singular]] if item.get(singular) else []
        named += (item.get(plural) or {}).get("iterable", [])
        entities += [map.ref(cls, each["id"]) for each in named]
    seeds = [item["seed"]] if item.get("seed") else []
    seeds += (item.get("seeds") or {}).get("iterable", [])
    related = (item.get("related") or {}).get("iterable", [])
    return Suggestion(tuple(entities), tuple(seeds), tuple(_suggestion(each, map) for each in related))


def _keys(cls: type[Entity]) -> tuple[str, str]:
    """The keys of a kind in a suggestion: summary and summaries, conversationMessage and conversationMessages."""
    kind = cls.kind
    if kind.collection in ("summaries", "sources"):
        return {"summaries": "summary", "sources": "source"}[kind.collection], kind.collection
    singular = kind.stream or kind.name
    return singular, f"{singular}s"
