"""Workstream summaries: texts that sum up a stretch of work."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import PurePath
from typing import TYPE_CHECKING

from ..values import Capabilities, HierarchicalType, Mechanism, Model, Score, SummaryPhase
from ..wire import kinds
from .declaring import Context, Entity, Many, One, Seed, collections_of, entity, field, readonly, references

if TYPE_CHECKING:
    from . import *  # noqa: F403 kinds name each other


@entity(kinds.SUMMARY)
class WorkstreamSummary(Entity):
    """A summary of a stretch of work."""

    name: str = field()
    favorited: bool | None = field()
    phase: SummaryPhase | None = field(doc="How far the making of the summary is, such as IN_PROGRESS or COMPLETED.")
    processing: Capabilities | None = field()
    parent_hierarchical_type: HierarchicalType | None = field(
        "parentHierarchicalType", doc="How the summary was made from others, such as for a day or by a query."
    )
    parent_hierarchical_type_descriptor: str | None = field(
        "parentHierarchicalTypeDescriptor", doc="More about how it was made from others, in words."
    )
    model: Model = readonly(doc="The model that wrote the summary.")
    mechanism: Mechanism | None = readonly()
    merged: datetime | None = readonly(doc="Of a summary merged from others, the latest time that they cover.")
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
        anchors: Sequence[str | PurePath | Anchor] = (),
        assets: Sequence[str | Asset] = (),
        conversations: Sequence[str | Conversation] = (),
        persons: Sequence[str | Person] = (),
        ranges: Sequence[str | Range] = (),
        tags: Sequence[str | Tag] = (),
        websites: Sequence[str | Website] = (),
        workstream_events: Sequence[str | WorkstreamEvent] = (),
        transferables: bool | None = None,
    ) -> Seed:
        """Compose the seed of a summary.

        Args:
            name: the title.
            model: the model that wrote it; None takes the first of `session.models()`, which costs one more GET.
            favorited: whether it is marked as a favourite.
            anchors, assets, conversations, persons, ranges, tags, websites, workstream_events: what it sums up.
            transferables: whether the answer carries contents; None lets the server decide.

        Raises:
            UsageError: no model is given, and the server has none.
        """
        body = {
            "name": name,
            "model": model or context.connection.default_model(),
            "favorited": favorited,
            "events": references(workstream_events),
            **collections_of(anchors, assets, conversations, persons, ranges, tags, websites),
        }
        return Seed(body, {"transferables": transferables})
