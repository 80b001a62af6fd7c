"""Messages of conversations."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import PurePath
from typing import TYPE_CHECKING

from ..values import MessageAgent, MessageRole, Model, Score, Sentiment
from ..wire import kinds
from .declaring import Context, Entity, Many, One, Seed, collections_of, entity, field, readonly, reference

if TYPE_CHECKING:
    from . import *  # noqa: F403 kinds name each other


@entity(kinds.MESSAGE)
class ConversationMessage(Entity):
    """One message of a conversation."""

    text: str | None = field("fragment.string.raw", contents=True, removable=False, doc="The text of the message.")
    role: MessageRole = readonly(doc="Who wrote it: the user, the assistant or the system.")
    sentiment: Sentiment | None = field(doc="The reader's verdict: liked, disliked or reported.")
    agent: MessageAgent | None = readonly(doc="The agent that wrote it, where several agents work on an answer.")
    model: Model | None = readonly(doc="The model that wrote it.")
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
        conversation: str | Conversation,
        *,
        role: MessageRole | str = MessageRole.USER,
        model: Model | None = None,
        sentiment: Sentiment | str | None = None,
        agent: MessageAgent | None = None,
        anchors: Sequence[str | PurePath | Anchor] = (),
        assets: Sequence[str | Asset] = (),
        messages: Sequence[str | ConversationMessage] = (),
        ranges: Sequence[str | Range] = (),
        sources: Sequence[str | Source] = (),
        summaries: Sequence[str | WorkstreamSummary] = (),
        tags: Sequence[str | Tag] = (),
        workstream_events: Sequence[str | WorkstreamEvent] = (),
        transferables: bool | None = None,
    ) -> Seed:
        """Compose the seed of a message.

        Args:
            text: the text of the message.
            conversation: the conversation that it belongs to.
            role: who wrote it.
            model: the model that wrote it.
            sentiment: the reader's verdict.
            agent: the agent that wrote it.
            anchors, assets, messages, ranges, sources, summaries, tags, workstream_events: what to associate with it.
            transferables: whether the answer carries contents; None lets the server decide.
        """
        body = {
            "role": role,
            "fragment": {"string": {"raw": text}},
            "conversation": reference(conversation),
            "model": model,
            "sentiment": sentiment,
            "agent": agent,
            **collections_of(anchors, assets, messages, ranges, sources, summaries, tags, workstream_events),
        }
        return Seed(body, {"transferables": transferables})
