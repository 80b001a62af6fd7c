"""The association families of newer servers, which serve the relations that their documents leave out.

A family joins two kinds. It is read from either side: `GET /{family}/{side}/{id}` for one owner, and
`POST /{family}/{side}/bulk` for several; and by pairs of ids and by the ids of its rows.
Source: the routes of Pieces OS 12.6, from published probes of a live server.
"""

from __future__ import annotations

from collections.abc import Iterator

from attrs import frozen

from .kinds import KINDS, Kind, Route
from .other_kinds import OTHER_KINDS

DEFAULT_PAGE_ROWS = 50
MAX_ROWS_PER_PAGE = 500  # the largest number of rows in a page
MAX_OWNERS_PER_READ = 200  # the largest number of owners in a bulk read

# The kinds that a kind has a family with; each pair stands under one of its two kinds.
_FAMILIES = {
    "anchor": "anchor_point asset workstream_pattern_engine_source",
    "annotation": "anchor asset",
    "connector": "annotation conversation conversation_message person website workstream_event workstream_summary",
    "conversation_message": (
        "anchor annotation asset conversation_message hint range website workstream_pattern_engine_source"
    ),
    "conversation": ("anchor annotation asset conversation_message range tag website workstream_pattern_engine_source"),
    "fingerprint": "person workstream_event",
    "hint": "asset",
    "person": "anchor annotation asset conversation_message person tag website workstream_pattern_engine_source",
    "pipeline": "connector range schedule signal website workstream_pattern_engine_source workstream_summary",
    "signal": "annotation person range website workstream_event workstream_summary",
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
    ("fingerprint", "workstream_event"): ("fingerprint", "workstream_event"),
    ("pipeline", "workstream_pattern_engine_source"): ("pipeline", "source"),
    ("signal", "workstream_event"): ("signal", "workstream_event"),
    ("signal", "workstream_summary"): ("signal", "workstream_summary"),
    ("workstream_event", "person"): ("workstream_event", "person"),
}
_SELF_KEYS = ("x", "y")  # of a kind with itself
# Families whose pages tell the total number of rows.
_WITH_TOTALS = {"workstream_event_to_person_associations"}
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
        """The route that reads a page of one owner's rows, the newest first."""
        return Route("GET", f"/{self.family}/{self.segment}/{{id}}", ("limit", "offset", "transferables"))

    @property
    def count(self) -> Route:
        """The route that counts the rows of one owner."""
        return Route("GET", f"/{self.family}/{self.segment}/{{id}}/count")

    @property
    def bulk(self) -> Route:
        """The route that reads all rows of several owners."""
        return Route("POST", f"/{self.family}/{self.segment}/bulk")

    @property
    def owner_keys(self) -> tuple[str, ...]:
        """The keys under which a row may have the owner's id: that of the family, then those of other families."""
        return _spellings(self.owner_key, self.owner)

    @property
    def other_keys(self) -> tuple[str, ...]:
        """The keys under which a row may have the other's id."""
        return _spellings(self.other_key, self.other)


@frozen
class Family:
    """An association family: its name, and its two sides.

    Attributes:
        with_totals: its pages also tell `limit`, `offset` and the `total` number of rows.
    """

    name: str
    sides: tuple[Side, Side]
    with_totals: bool

    @property
    def pair(self) -> Route:
        """The route that reads the one row of two materials."""
        first, second = self.sides
        return Route("GET", f"/{self.name}/{first.segment}/{{first}}/{second.segment}/{{second}}")

    @property
    def batch(self) -> Route:
        """The route that reads rows by their ids."""
        return Route("POST", f"/{self.name}/batch/fetch")


def _spellings(key: str, kind: Kind) -> tuple[str, ...]:
    if key in _SELF_KEYS:
        return (key,)
    names = (kind.name, kind.parameter)
    return tuple(dict.fromkeys((key, *names, *map(_camel, names), f"{kind.parameter}_")))


def _camel(name: str) -> str:
    first, *others = name.split("_")
    return first + "".join(other.capitalize() for other in others)


def _families() -> Iterator[Family]:
    kinds = {kind.name: kind for kind in (*KINDS.values(), *OTHER_KINDS)}
    for name, others in _FAMILIES.items():
        for other in others.split():
            a, b = kinds[name], kinds[other]
            itself = a is b
            # This name has a plural where all others have a singular.
            second = "workstream_summaries" if itself and name == "workstream_summary" else other
            family = f"{name}_to_{second}_associations"
            regular = _SELF_KEYS if itself else (_ROW_KEYS.get(name, name), _ROW_KEYS.get(other, other))
            key_a, key_b = _IRREGULAR_ROW_KEYS.get((name, other), regular)
            side_a = Side(family, a, a.parameter, key_a, b, key_b)
            side_b = Side(family, b, f"additional_{b.parameter}" if itself else b.parameter, key_b, a, key_a)
            yield Family(family, (side_a, side_b), with_totals=family in _WITH_TOTALS)


FAMILIES: tuple[Family, ...] = tuple(_families())
SIDES: tuple[Side, ...] = tuple(side for family in FAMILIES for side in family.sides)


def sides_of(kind: Kind, relation: str, other: Kind) -> tuple[Side, ...]:
    """Return the sides from which a relation is read: one, two for a kind with itself, none without a family."""
    if (kind.name, relation) in _WITHOUT_FAMILY:
        return ()
    return tuple(side for side in SIDES if side.owner is kind and side.other is other)
