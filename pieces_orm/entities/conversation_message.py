"""The messages of conversations."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from ..model.fields import field, readonly
from ..model.seed import Seed, references
from ..orm.context import Context
from ..orm.entity import Entity, entity
from ..orm.relations import Many, One
from ..values import MessageAgent, MessageRole, Model, Score, Sentiment
from ..wire import kinds

if TYPE_CHECKING:
    from . import (
        Anchor,
        Annotation,
        Asset,
        Conversation,
        Person,
        Range,
        Source,
        Tag,
        Website,
        WorkstreamEvent,
        WorkstreamSummary,
    )


@entity(kinds.MESSAGE)
class ConversationMessage(Entity):
    """One message of a conversation."""

    text: str | None = field("fragment.string.raw", contents=True, removable=False)
    role: MessageRole = readonly()
    sentiment: Sentiment | None = field()
    agent: MessageAgent | None = readonly()
    model: Model | None = readonly()
    created: datetime = readonly()
    updated: datetime = readonly()
    deleted: datetime | None = readonly()
    score: Score | None = readonly()
    conversation = One["Conversation"](wire="conversation", back="messages")
    summary_root = One["WorkstreamSummary"](wire="summaryRoot", back="message_root")
    anchors = Many["Anchor"](wire="anchors", back="messages")
    annotations = Many["Annotation"](wire="annotations", back="messages")
    assets = Many["Asset"](wire="assets", back="messages")
    messages = Many["ConversationMessage"](wire="messages", back="messages")
    persons = Many["Person"](wire="persons", back="messages")
    ranges = Many["Range"](wire="ranges", back="messages")
    sources = Many["Source"](wire="sources", back="messages")
    summaries = Many["WorkstreamSummary"](wire="summaries", back="messages")
    tags = Many["Tag"](wire="tags", back="messages")
    websites = Many["Website"](wire="websites", back="messages")
    workstream_events = Many["WorkstreamEvent"](wire="workstream_events", back="messages")

    @staticmethod
    def _seed(
        context: Context,
        text: str,
        conversation: Conversation,
        *,
        role: MessageRole | str = MessageRole.USER,
        model: Model | None = None,
        sentiment: Sentiment | str | None = None,
        agent: MessageAgent | None = None,
        anchors: Sequence[Anchor] = (),
        assets: Sequence[Asset] = (),
        messages: Sequence[ConversationMessage] = (),
        ranges: Sequence[Range] = (),
        sources: Sequence[Source] = (),
        summaries: Sequence[WorkstreamSummary] = (),
        tags: Sequence[Tag] = (),
        workstream_events: Sequence[WorkstreamEvent] = (),
        transferables: bool | None = None,
    ) -> Seed:
        """What creates a message.

        Args:
            text: what is said.
            conversation: where it is said.
            role: who says it.
            model: the model that says it.
            sentiment: what somebody thought of it.
            agent: on whose behalf it is said.
            anchors, assets, messages, ranges, sources, summaries, tags, workstream_events: what it is associated with.
            transferables: whether the answer carries contents; None leaves it to the server.
        """
        body = {
            "role": str(role),
            "fragment": {"string": {"raw": text}},
            "conversation": {"id": conversation.id},
            "model": model,
            "sentiment": sentiment,
            "agent": agent,
            "anchors": references(anchors),
            "assets": references(assets),
            "messages": references(messages),
            "ranges": references(ranges),
            "sources": references(sources),
            "summaries": references(summaries),
            "tags": references(tags),
            "workstream_events": references(workstream_events),
        }
        return Seed(body, {"transferables": transferables})
