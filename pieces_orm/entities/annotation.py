"""Annotations: texts about materials."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import PurePath
from typing import TYPE_CHECKING

from ..values import AnnotationType, Mechanism, Score
from ..wire import kinds
from .declaring import Context, Entity, Many, One, Seed, collections_of, entity, field, ids_of, readonly

if TYPE_CHECKING:
    from . import *  # noqa: F403 kinds name each other


@entity(kinds.ANNOTATION)
class Annotation(Entity):
    """A description, comment or summary of other materials."""

    text: str = field(doc="The text of the annotation.")
    type: AnnotationType = field(doc="The purpose of the text, such as DESCRIPTION or COMMENT.")
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
        asset: str | Asset | None = None,
        anchor: str | PurePath | Anchor | None = None,
        conversation: str | Conversation | None = None,
        person: str | Person | None = None,
        summary: str | WorkstreamSummary | None = None,
        messages: Sequence[str | ConversationMessage] = (),
        tags: Sequence[str | Tag] = (),
        websites: Sequence[str | Website] = (),
        workstream_events: Sequence[str | WorkstreamEvent] = (),
        favorited: bool | None = None,
    ) -> Seed:
        """Compose the seed of an annotation.

        Args:
            text: the text of the annotation.
            type: the purpose of the text.
            asset, anchor, conversation, person, summary: the materials that the text is about.
            messages, tags, websites, workstream_events: further materials to associate with it.
            favorited: whether it is marked as a favourite.
        """
        about = ids_of(asset, anchor, conversation, person, summary)
        others = collections_of(messages, tags, websites, workstream_events)
        return Seed({"text": text, "type": type, "favorited": favorited, **about, **others})
