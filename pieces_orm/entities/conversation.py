"""Conversations with a copilot."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import PurePath
from typing import TYPE_CHECKING

from ..values import Application, ConversationType, Model, Score
from ..wire import kinds
from .declaring import Context, Entity, Many, Seed, collections_of, entity, field, readonly, rename

if TYPE_CHECKING:
    from . import *  # noqa: F403 kinds name each other


@entity(kinds.CONVERSATION)
class Conversation(Entity):
    """A conversation and its messages."""

    name: str | None = field()
    favorited: bool | None = field()
    type: ConversationType = readonly(doc="The type of conversation, such as COPILOT.")
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
        rename(self, name, transferables)

    @staticmethod
    def _seed(
        context: Context,
        name: str | None = None,
        *,
        type: ConversationType | str = ConversationType.COPILOT,
        favorited: bool | None = None,
        model: Model | None = None,
        anchors: Sequence[str | PurePath | Anchor] = (),
        assets: Sequence[str | Asset] = (),
        websites: Sequence[str | Website] = (),
        transferables: bool | None = None,
    ) -> Seed:
        """Compose the seed of a conversation.

        Args:
            name: the title; None lets the server choose.
            type: the type of conversation.
            favorited: whether it is marked as a favourite.
            model: the model that answers in it.
            anchors, assets, websites: materials that it is about; each anchor takes a request of its own.
            transferables: whether the answer carries contents; None lets the server decide.
        """
        body = {
            "type": type,
            "name": name,
            "application": context.connection.application,
            "favorited": favorited,
            "model": None if model is None else {"id": model.id},
            **collections_of(assets, websites),
        }
        return Seed(body, {"transferables": transferables}, anchors)
