"""Annotations: texts about materials."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from ..model.fields import field, readonly
from ..model.seed import Seed, references
from ..orm.context import Context
from ..orm.entity import Entity, entity
from ..orm.relations import Many, One
from ..values import AnnotationType, Mechanism, Score
from ..wire import kinds

if TYPE_CHECKING:
    from . import (
        Anchor,
        Asset,
        Conversation,
        ConversationMessage,
        Person,
        Tag,
        Website,
        WorkstreamEvent,
        WorkstreamSummary,
    )


@entity(kinds.ANNOTATION)
class Annotation(Entity):
    """A description, comment or summary of other materials."""

    text: str = field()
    type: AnnotationType = field()
    favorited: bool | None = field()
    mechanism: Mechanism | None = readonly()
    pseudo: bool | None = readonly()
    created: datetime = readonly()
    updated: datetime = readonly()
    deleted: datetime | None = readonly()
    score: Score | None = readonly()
    anchor = One["Anchor"](wire="anchor")
    asset = One["Asset"](wire="asset")
    conversation = One["Conversation"](wire="conversation")
    person = One["Person"](wire="person")
    summary = One["WorkstreamSummary"](wire="summary")
    anchors = Many["Anchor"](wire="anchors", back="annotations")
    assets = Many["Asset"](wire="assets", back="annotations")
    conversations = Many["Conversation"](wire="conversations", back="annotations")
    messages = Many["ConversationMessage"](wire="messages", back="annotations")
    persons = Many["Person"](wire="persons", back="annotations")
    summaries = Many["WorkstreamSummary"](wire="summaries", back="annotations")
    tags = Many["Tag"](wire="tags", back="annotations")
    websites = Many["Website"](wire="websites", back="annotations")
    workstream_events = Many["WorkstreamEvent"](wire="workstream_events", back="annotations")

    @staticmethod
    def _seed(
        context: Context,
        text: str,
        type: AnnotationType | str = AnnotationType.DESCRIPTION,
        *,
        asset: Asset | None = None,
        anchor: Anchor | None = None,
        conversation: Conversation | None = None,
        person: Person | None = None,
        summary: WorkstreamSummary | None = None,
        messages: Sequence[ConversationMessage] = (),
        tags: Sequence[Tag] = (),
        websites: Sequence[Website] = (),
        workstream_events: Sequence[WorkstreamEvent] = (),
        favorited: bool | None = None,
    ) -> Seed:
        """What creates an annotation.

        Args:
            text: what it says.
            type: what kind of text it is.
            asset, anchor, conversation, person, summary: what it is about.
            messages, tags, websites, workstream_events: what it is associated with besides.
            favorited: whether it is a favourite.
        """
        about = {
            "asset": asset, "anchor": anchor, "conversation": conversation, "person": person,
            "workstream_summary": summary,
        }  # fmt: skip
        ids = {name: each.id for name, each in about.items() if each is not None}
        others = {
            "messages": references(messages),
            "tags": references(tags),
            "websites": references(websites),
            "workstream_events": references(workstream_events),
        }
        return Seed({"text": text, "type": str(type), "favorited": favorited, **ids, **others})
