"""Ranges: stretches of time that conversations and summaries are about."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from ..values import Score
from ..wire import kinds
from .declaring import Context, Entity, Many, Seed, entity, field, readonly, reference

if TYPE_CHECKING:
    from . import *  # noqa: F403 kinds name each other


@entity(kinds.RANGE)
class Range(Entity):
    """A stretch of time; either end may be open."""

    from_: datetime | None = field("from", doc="The start of the range; None leaves it open.")
    to: datetime | None = field(doc="The end of the range; None leaves it open.")
    between: bool | None = field(doc="Whether both ends bound the range.")
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
        summary: str | WorkstreamSummary | None = None,
        conversation: str | Conversation | None = None,
    ) -> Seed:
        """Compose the seed of a range.

        Args:
            from_, to: the ends of the range; a naive datetime is local time, None leaves an end open.
            between: whether both ends bound the range; None lets the server decide.
            summary: a summary of this stretch of time.
            conversation: a conversation that is grounded in this stretch of time.
        """
        grounded = None if conversation is None else {"reference": reference(conversation)}
        body = {"from": from_, "to": to, "between": between, "summary": reference(summary), "conversation": grounded}
        return Seed(body)
