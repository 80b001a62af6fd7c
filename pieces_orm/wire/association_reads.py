"""The association families of newer servers, which serve the relations that their documents leave out.

A family joins two kinds and is read from either side: `GET /{family}/{side}/{id}` for one owner, and
`POST /{family}/{side}/bulk` for several. Source: the routes of Pieces OS 12.6, from published probes of a live server.
"""

from __future__ import annotations

from collections.abc import Iterator

from attrs import frozen

from .kinds import KINDS, Kind, Route

MAX_ROWS_PER_PAGE = 500  # the largest number of rows in a page
MAX_OWNERS_PER_READ = 200  # the largest number of owners in a bulk read

# The kinds that a kind has a family with; each pair stands under one of its two kinds.
_FAMILIES = {
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
# The keys by which the rows of a family name the ids of a kind, where the key is not the name of the kind.
_ROW_KEYS = {
    "anchor_point": "anchorPoint",
    "conversation_message": "conversationMessage",
    "workstream_event": "workstreamEvent",
    "workstream_pattern_engine_source": "source_",
    "workstream_pattern_engine_source_window": "sourceWindow",
    "workstream_summary": "workstreamSummary",
}
# The keys of both kinds, in families that differ from the others.
_IRREGULAR_ROW_KEYS = {
    ("anchor", "workstream_pattern_engine_source"): ("anchor", "workstreamPatternEngineSource"),
    ("conversation", "workstream_pattern_engine_source"): ("conversation", "workstreamPatternEngineSource"),
    ("workstream_event", "person"): ("workstream_event", "person"),
}
# Relations without a family: that of their two kinds is another relation's.
_WITHOUT_FAMILY = {
    ("conversation", "grounding_messages"),
    ("workstream_summary", "parents"),
    ("workstream_summary", "children"),
}


@frozen
class Side:
    """A family as read from one of its two kinds.

    Attributes:
        family: its name, the first segment of its paths.
        owner, other: the kind that it is read from, and the kind that it leads to.
        segment: the segment of the path for the owner's kind.
        owner_key, other_key: the keys of the two ids in a row.
    """

    family: str
    owner: Kind
    segment: str
    owner_key: str
    other: Kind
    other_key: str

    @property
    def read(self) -> Route:
        """The route that reads a page of one owner's rows."""
        return Route("GET", f"/{self.family}/{self.segment}/{{id}}", ("limit", "offset", "transferables"))

    @property
    def count(self) -> Route:
        """The route that counts the rows of one owner."""
        return Route("GET", f"/{self.family}/{self.segment}/{{id}}/count")

    @property
    def bulk(self) -> Route:
        """The route that reads all rows of several owners."""
        return Route("POST", f"/{self.family}/{self.segment}/bulk")


def _sides() -> Iterator[Side]:
    for name, others in _FAMILIES.items():
        for other in others.split():
            a, b = KINDS[name], KINDS[other]
            itself = a is b
            # This name has a plural where all others have a singular.
            second = "workstream_summaries" if itself and name == "workstream_summary" else other
            family = f"{name}_to_{second}_associations"
            regular = ("x", "y") if itself else (_ROW_KEYS.get(name, name), _ROW_KEYS.get(other, other))
            key_a, key_b = _IRREGULAR_ROW_KEYS.get((name, other), regular)
            yield Side(family, a, a.parameter, key_a, b, key_b)
            yield Side(family, b, f"additional_{b.parameter}" if itself else b.parameter, key_b, a, key_a)


SIDES: tuple[Side, ...] = tuple(_sides())


def sides_of(kind: Kind, relation: str, other: Kind) -> tuple[Side, ...]:
    """Return the sides from which a relation is read: one, two for a kind with itself, none without a family."""
    if (kind.name, relation) in _WITHOUT_FAMILY:
        return ()
    return tuple(side for side in SIDES if side.owner is kind and side.other is other)
