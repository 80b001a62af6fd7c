"""Workstream summaries: what a stretch of work was about."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from ..model.fields import field, readonly
from ..model.seed import Seed, references
from ..orm.context import Context
from ..orm.entity import Entity, entity
from ..orm.relations import Many, One
from ..values import Capabilities, HierarchicalType, Mechanism, Model, Score, SummaryPhase
from ..wire import kinds

if TYPE_CHECKING:
    from . import (
        Anchor,
        Annotation,
        Asset,
        Conversation,
        ConversationMessage,
        Person,
        Range,
        Source,
        Tag,
        Website,
        WorkstreamEvent,
    )


@entity(kinds.SUMMARY)
class WorkstreamSummary(Entity):
    """A summary of a stretch of work."""

    name: str = field()
    favorited: bool | None = field()
    phase: SummaryPhase | None = field()
    processing: Capabilities | None = field()
    parent_hierarchical_type: HierarchicalType | None = field("parentHierarchicalType")
    parent_hierarchical_type_descriptor: str | None = field("parentHierarchicalTypeDescriptor")
    model: Model = readonly()
    mechanism: Mechanism | None = readonly()
    merged: datetime | None = readonly()
    created: datetime = readonly()
    updated: datetime = readonly()
    score: Score | None = readonly()
    message_root = One["ConversationMessage"](wire="messageRoot", back="summary_root")
    anchors = Many["Anchor"](wire="anchors", back="summaries")
    annotations = Many["Annotation"](wire="annotations", back="summaries")
    assets = Many["Asset"](wire="assets", back="summaries")
    children = Many["WorkstreamSummary"](wire="children", back="parents", explicit=True)
    conversations = Many["Conversation"](wire="conversations", back="summaries")
    messages = Many["ConversationMessage"](wire="messages", back="summaries")
    parents = Many["WorkstreamSummary"](wire="parents", back="children", explicit=True)
    persons = Many["Person"](wire="persons", back="summaries")
    ranges = Many["Range"](wire="ranges", back="summaries")
    sources = Many["Source"](wire="sources", back="summaries")
    summaries = Many["WorkstreamSummary"](wire="summaries", back="summaries", explicit=True)
    tags = Many["Tag"](wire="tags", back="summaries")
    websites = Many["Website"](wire="websites", back="summaries")
    workstream_events = Many["WorkstreamEvent"](wire="events", back="summaries")

    @staticmethod
    def _seed(
        context: Context,
        name: str,
        *,
        model: Model | None = None,
        favorited: bool | None = None,
        anchors: Sequence[Anchor] = (),
        assets: Sequence[Asset] = (),
        conversations: Sequence[Conversation] = (),
        persons: Sequence[Person] = (),
        ranges: Sequence[Range] = (),
        tags: Sequence[Tag] = (),
        websites: Sequence[Website] = (),
        workstream_events: Sequence[WorkstreamEvent] = (),
        transferables: bool | None = None,
    ) -> Seed:
        """What creates a summary.

        Args:
            name: its title.
            model: the model that it counts as made by; None: the first of `session.models()`, one GET more.
            favorited: whether it is a favourite.
            anchors, assets, conversations, persons, ranges, tags, websites, workstream_events: what it is about.
            transferables: whether the answer carries contents; None leaves it to the server.

        Raises:
            UsageError: the server has no model, and none is given.
        """
        body = {
            "name": name,
            "model": model or context.connection.default_model(),
            "favorited": favorited,
            "anchors": references(anchors),
            "assets": references(assets),
            "conversations": references(conversations),
            "persons": references(persons),
            "ranges": references(ranges),
            "tags": references(tags),
            "websites": references(websites),
            "events": references(workstream_events),
        }
        return Seed(body, {"transferables": transferables})
