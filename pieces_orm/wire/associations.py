"""The associations: the pairs of kinds that a route joins, and the relations that come with a creation.

Source: the published API description of Pieces OS.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from attrs import frozen

from .kinds import (
    ACTIVITY,
    ANCHOR,
    ANCHOR_POINT,
    ASSET,
    COLLECTIONS,
    CONVERSATION,
    FORMAT,
    KINDS,
    MESSAGE,
    RANGE,
    SENSITIVE,
    SHARE,
    SOURCE,
    SUMMARY,
    WORKSTREAM_EVENT,
    Kind,
)


@frozen
class Association:
    """One direction of an association: how `owner` names `other`, in documents and in routes.

    Attributes:
        owner, other: the kinds of the two sides.
        relation: the name of the relation on the owner's entities.
        wire: its (dotted) key in the owner's document.
        segment: the part of the route between the owner's id and the verb.
        parameter: the name of the other's id in the route.
        full: whether the owner's document nests whole documents instead of references.
        older: an older spelling of the disassociate route.
        roles: the keys of the request body that tell the owner from the other, for a kind associated with itself.
    """

    owner: Kind
    relation: str
    other: Kind
    wire: str
    segment: str
    parameter: str
    full: bool
    older: str | None = None
    roles: tuple[str, str] | None = None

    def path(self, verb: Literal["associate", "disassociate"]) -> str:
        """Return the route template, such as /anchor/{anchor}/assets/associate/{asset}."""
        owner = f"/{self.owner.singular}/{{{self.owner.parameter}}}"
        return f"{owner}/{self.segment}/{verb}/{{{self.parameter}}}"


# The relations that routes change, by kind. The name of a relation is that of the other kind's collection, except in
# _IRREGULAR: (kind, relation) -> (other kind, wire key, route segment).
_ASSOCIABLE = {
    "anchor": "annotations assets conversations messages persons tags workstream_events sources summaries",
    "annotation": "anchors assets conversations messages persons tags websites workstream_events summaries",
    "asset": "anchors annotations conversations messages hints persons tags websites summaries",
    "conversation": "anchors annotations assets grounding_messages ranges websites sources summaries",
    "conversation_message": (
        "anchors annotations assets messages persons ranges tags websites workstream_events sources summaries"
    ),
    "hint": "assets",
    "person": "anchors annotations assets messages persons tags websites workstream_events sources summaries",
    "range": "conversations messages summaries",
    "tag": "anchors annotations assets messages persons websites workstream_events source_windows summaries",
    "website": (
        "annotations assets conversations messages persons tags workstream_events sources source_windows summaries"
    ),
    "workstream_event": "anchors annotations messages persons tags websites sources source_windows summaries",
    "workstream_pattern_engine_source": "anchors conversations messages persons websites workstream_events summaries",
    "workstream_pattern_engine_source_window": "tags websites workstream_events",
    "workstream_summary": (
        "anchors annotations assets conversations messages persons ranges tags websites workstream_events sources "
        "summaries"
    ),
}
_IRREGULAR = {
    ("conversation", "grounding_messages"): (MESSAGE, "grounding.messages", "grounding/messages"),
    ("conversation", "ranges"): (RANGE, "grounding.temporal.workstreams", "grounding/temporal_range/workstreams"),
    ("conversation", "sources"): (SOURCE, "grounding.sources", "grounding/workstream_pattern_engine/sources"),
    ("range", "conversations"): (CONVERSATION, "conversations", "conversations/grounding/temporal_range/workstreams"),
    ("workstream_pattern_engine_source", "conversations"): (
        CONVERSATION, "conversations", "conversations/grounding/sources",
    ),
    ("workstream_summary", "workstream_events"): (WORKSTREAM_EVENT, "events", "workstream_events"),
}  # fmt: skip
_OLDER_DISASSOCIATE = {("anchor", "assets"): "/anchors/{anchor}/assets/delete/{asset}"}


def _associations() -> Iterator[Association]:
    for name, relations in _ASSOCIABLE.items():
        owner = KINDS[name]
        for relation in relations.split():
            irregular = _IRREGULAR.get((name, relation))
            other, wire, segment = irregular or (COLLECTIONS[relation], relation, COLLECTIONS[relation].plural)
            yield Association(
                owner=owner,
                relation=relation,
                other=other,
                wire=wire,
                segment=segment,
                parameter=f"additional_{other.parameter}" if other is owner else other.parameter,
                full=owner is ASSET,
                older=_OLDER_DISASSOCIATE.get((name, relation)),
            )


ASSOCIATIONS: tuple[Association, ...] = tuple(_associations())
# Two more relations of summaries with summaries, by the same route with a body that tells parent from child.
HIERARCHY = tuple(
    Association(
        SUMMARY, name, SUMMARY, name, SUMMARY.plural, f"additional_{SUMMARY.parameter}", full=False, roles=roles
    )
    for name, roles in (("parents", ("child", "parent")), ("children", ("parent", "child")))
)
_BY_RELATION = {(row.owner.name, row.relation): row for row in (*ASSOCIATIONS, *HIERARCHY)}


def association(kind: Kind, relation: str) -> Association | None:
    """Return the row of a kind's relation; None when no route changes that relation."""
    return _BY_RELATION.get((kind.name, relation))


@frozen
class Link:
    """A relation that no route changes: it comes with the creation of its members.

    Attributes:
        owner, member: the kinds of the two sides.
        relation: the name of the relation on the owner's entities.
        many: the key of the members in the owner's document.
        one: the key of the owner in a member's document.
        full: whether the owner's document nests whole documents instead of references.
    """

    owner: Kind
    relation: str
    many: str
    member: Kind
    one: str
    full: bool = False


LINKS: tuple[Link, ...] = (
    Link(ANCHOR, "anchor_points", "points", ANCHOR_POINT, "anchor"),
    Link(CONVERSATION, "messages", "messages", MESSAGE, "conversation"),
    Link(ASSET, "formats", "formats", FORMAT, "asset", full=True),
    Link(ASSET, "sensitives", "sensitives", SENSITIVE, "asset", full=True),
    Link(ASSET, "shares", "shares", SHARE, "asset", full=True),
    Link(ASSET, "activities", "activities", ACTIVITY, "asset", full=True),
    Link(FORMAT, "activities", "activities", ACTIVITY, "format", full=True),
)
