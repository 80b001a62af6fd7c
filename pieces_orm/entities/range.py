"""Ranges: stretches of time that conversations and summaries are about."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from ..model.fields import field, readonly, to_utc
from ..model.seed import Seed, reference
from ..orm.context import Context
from ..orm.entity import Entity, entity
from ..orm.relations import Many
from ..values import Score
from ..wire import kinds

if TYPE_CHECKING:
    from . import Conversation, ConversationMessage, WorkstreamSummary


@entity(kinds.RANGE)
class Range(Entity):
    """A stretch of time; either end may be open."""

    from_: datetime | None = field("from")
    to: datetime | None = field()
    between: bool | None = field()
    created: datetime = readonly()
    updated: datetime = readonly()
    score: Score | None = readonly()
    conversations = Many["Conversation"](wire="conversations", back="ranges")
    messages = Many["ConversationMessage"](wire="messages", back="ranges")
    summaries = Many["WorkstreamSummary"](wire="summaries", back="ranges")

    @staticmethod
    def _seed(
        context: Context,
        from_: datetime | None = None,
        to: datetime | None = None,
        *,
        between: bool | None = None,
        summary: WorkstreamSummary | None = None,
        conversation: Conversation | None = None,
    ) -> Seed:
        """What creates a range.

        Args:
            from_, to: its ends; a naive datetime is local time, None leaves it open.
            between: whether both ends count; None leaves it to the server.
            summary: the summary that is about it.
            conversation: the conversation that is grounded in it.
        """
        ends = {"from": None if from_ is None else to_utc(from_), "to": None if to is None else to_utc(to)}
        grounded = None if conversation is None else {"reference": {"id": conversation.id}}
        return Seed({**ends, "between": between, "summary": reference(summary), "conversation": grounded})
