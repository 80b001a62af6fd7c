"""Sources: applications and pages that workstream events come from."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from ..model.fields import field, readonly
from ..model.seed import Seed
from ..orm.context import Context
from ..orm.entity import Entity, entity
from ..orm.relations import Many
from ..values import Score, SourceDetails
from ..wire import kinds

if TYPE_CHECKING:
    from . import (
        Anchor,
        Conversation,
        ConversationMessage,
        Person,
        Website,
        WorkstreamEvent,
        WorkstreamSummary,
    )


@entity(kinds.SOURCE)
class Source(Entity):
    """An application, window or page that workstream events come from."""

    readable: str = field()
    filter: bool | None = field()
    # Its key on the wire is `raw`, which is what every entity calls its whole document.
    details: SourceDetails = field("raw")
    created: datetime = readonly()
    updated: datetime = readonly()
    score: Score | None = readonly()
    anchors = Many["Anchor"](wire="anchors", back="sources")
    conversations = Many["Conversation"](wire="conversations", back="sources")
    messages = Many["ConversationMessage"](wire="messages", back="sources")
    persons = Many["Person"](wire="persons", back="sources")
    summaries = Many["WorkstreamSummary"](wire="summaries", back="sources")
    websites = Many["Website"](wire="websites", back="sources")
    workstream_events = Many["WorkstreamEvent"](wire="workstream_events", back="sources")

    @staticmethod
    def _seed(
        context: Context,
        readable: str,
        *,
        application: str | None = None,
        window: str | None = None,
        url: str | None = None,
        name: str | None = None,
        filter: bool | None = None,
        transferables: bool | None = None,
    ) -> Seed:
        """What creates a source.

        Args:
            readable: what people call it.
            application, window, url, name: where it is.
            filter: whether its events are left out.
            transferables: whether the answer carries contents; None leaves it to the server.
        """
        details = SourceDetails(application=application, window=window, url=url, name=name)
        return Seed({"readable": readable, "raw": details, "filter": filter}, {"transferables": transferables})
