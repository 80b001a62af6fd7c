"""Conversations with a copilot."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from .. import endpoints
from ..entity import Entity, Owner, Seed, entity
from ..fields import field, readonly
from ..relations import Many
from ..values import Application, ConversationType, Score

if TYPE_CHECKING:
    from . import (
        Anchor,
        Annotation,
        Asset,
        ConversationMessage,
        Range,
        Source,
        Website,
        WorkstreamSummary,
    )


@entity(endpoints.CONVERSATION)
class Conversation(Entity):
    """A conversation and its messages."""

    name: str | None = field()
    favorited: bool | None = field()
    type: ConversationType = readonly()
    application: Application | None = readonly()
    demo: bool | None = readonly()
    created: datetime = readonly()
    updated: datetime = readonly()
    deleted: datetime | None = readonly()
    score: Score | None = readonly()
    anchors = Many["Anchor"](wire="anchors", back="conversations")
    annotations = Many["Annotation"](wire="annotations", back="conversations")
    assets = Many["Asset"](wire="assets", back="conversations")
    grounding_messages = Many["ConversationMessage"](wire="grounding.messages", back=None, explicit=True)
    messages = Many["ConversationMessage"](wire="messages", back="conversation")
    ranges = Many["Range"](wire="grounding.temporal.workstreams", back="conversations")
    sources = Many["Source"](wire="grounding.sources", back="conversations")
    summaries = Many["WorkstreamSummary"](wire="summaries", back="conversations")
    websites = Many["Website"](wire="websites", back="conversations")

    def rename(self, name: str | None = None, *, transferables: bool | None = None) -> None:
        """Let the server name the conversation; with a name, set and save it.

        Requests: one POST to the rename route; with a name, those of `save`.
        """
        self.ask_rename(name, transferables)

    @staticmethod
    def seed(
        owner: Owner,
        name: str | None = None,
        *,
        type: ConversationType | str = ConversationType.COPILOT,
        transferables: bool | None = None,
    ) -> Seed:
        """What creates a conversation.

        Args:
            name: its title; None leaves it to the server.
            type: what it is held with.
            transferables: whether the answer carries contents; None leaves it to the server.
        """
        body = {"type": str(type), "name": name, "application": owner.application}
        return Seed(body, {"transferables": transferables})
