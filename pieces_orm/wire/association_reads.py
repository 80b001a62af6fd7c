"""The association families as data: where newer servers keep the relations that their documents leave out.

A family joins two kinds and is read from either side: `GET /{family}/{side}/{id}`, and `POST /{family}/{side}/bulk`
for many owners at once. Source: the routes of Pieces OS 12.6, as published by those who asked one.
"""

from __future__ import annotations

from collections.abc import Iterator

from attrs import frozen

from .kinds import KINDS, Kind, Route

PAGE = 500  # The most rows of one page.
OWNERS = 200  # The most owners of one bulk read.

# a: the kinds b that it has a family with.
_PAIRS = {
    "anchor": "anchor_point asset workstream_pattern_engine_source",
    "annotation": "anchor asset",
    "conversation_message": (
        "anchor annotation asset conversation_message hint range website workstream_pattern_engine_source"
    ),
    "conversation": ("anchor annotation asset conversation_message range tag website workstream_pattern_engine_source"),
    "hint": "asset",
    "person": "anchor annotation asset conversation_message person tag website workstream_pattern_engine_source",
    "tag": (
        "anchor annotation asset conversation_message website workstream_event "
        "workstream_pattern_engine_source_window workstream_summary"
    ),
    "website": "annotation asset workstream_pattern_engine_source workstream_pattern_engine_source_window",
    "workstream_event": (
        "anchor annotation conversation_message hint person website workstream_pattern_engine_source "
        "workstream_pattern_engine_source_window"
    ),
    "workstream_summary": (
        "anchor annotation asset conversation conversation_message hint person range website workstream_event "
        "workstream_pattern_engine_source workstream_summary"
    ),
}
# How a row names its two materials, where it is not by the name of the kind.
_KEYS = {
    "anchor_point": "anchorPoint",
    "conversation_message": "conversationMessage",
    "workstream_event": "workstreamEvent",
    "workstream_pattern_engine_source": "source_",
    "workstream_pattern_engine_source_window": "sourceWindow",
    "workstream_summary": "workstreamSummary",
}
_IRREGULAR = {
    ("anchor", "workstream_pattern_engine_source"): ("anchor", "workstreamPatternEngineSource"),
    ("conversation", "workstream_pattern_engine_source"): ("conversation", "workstreamPatternEngineSource"),
    ("workstream_event", "person"): ("workstream_event", "person"),
}
# Relations that share their pair of kinds with another, and have no family of their own.
_WITHOUT = {
    ("conversation", "grounding_messages"),
    ("workstream_summary", "parents"),
    ("workstream_summary", "children"),
}


@frozen
class Side:
    """A family seen from one of its two kinds: its name, the owner's part of the path, and the keys of a row."""

    family: str
    owner: Kind
    segment: str
    owner_key: str
    other: Kind
    other_key: str

    @property
    def read(self) -> Route:
        """Some rows of one owner."""
        return Route("GET", f"/{self.family}/{self.segment}/{{id}}", ("limit", "offset", "transferables"))

    @property
    def count(self) -> Route:
        """How many rows one owner has."""
        return Route("GET", f"/{self.family}/{self.segment}/{{id}}/count")

    @property
    def bulk(self) -> Route:
        """All rows of many owners."""
        return Route("POST", f"/{self.family}/{self.segment}/bulk")


def _sides() -> Iterator[Side]:
    for name, others in _PAIRS.items():
        for other in others.split():
            a, b = KINDS[name], KINDS[other]
            itself = a is b
            # One name has a plural where all others have a singular.
            second = "workstream_summaries" if itself and name == "workstream_summary" else other
            family = f"{name}_to_{second}_associations"
            regular = ("x", "y") if itself else (_KEYS.get(name, name), _KEYS.get(other, other))
            key_a, key_b = _IRREGULAR.get((name, other), regular)
            yield Side(family, a, a.parameter, key_a, b, key_b)
            yield Side(family, b, f"additional_{b.parameter}" if itself else b.parameter, key_b, a, key_a)


SIDES: tuple[Side, ...] = tuple(_sides())


def sides_of(kind: Kind, relation: str, other: Kind) -> tuple[Side, ...]:
    """The sides from which a relation can be read: one, two for a kind with itself, none where there is no family."""
    if (kind.name, relation) in _WITHOUT:
        return ()
    return tuple(side for side in SIDES if side.owner is kind and side.other is other)
