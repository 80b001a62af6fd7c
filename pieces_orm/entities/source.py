"""Sources: applications and pages that workstream events come from."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from ..values import Score, SourceDetails
from ..values.checking import page_address
from ..wire import kinds
from .declaring import Context, Entity, Many, Seed, entity, field, readonly

if TYPE_CHECKING:
    from . import *  # noqa: F403 kinds name each other


@entity(kinds.SOURCE)
class Source(Entity):
    """An application, window or page that workstream events come from."""

    readable: str = field(doc="The name of the source, for people to read.")
    filter: bool | None = field(doc="Whether events from this source are left out.")
    # Not `raw`, its key on the wire: `raw()` is the whole document of any entity.
    details: SourceDetails = field("raw", doc="The application, window or page, as the server saw it.")
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
        """Compose the seed of a source.

        Args:
            readable: the name of the source, for people to read.
            application, window, url, name: the details that are known.
            filter: whether events from this source are left out.
            transferables: whether the answer carries contents; None lets the server decide.
        """
        address = None if url is None else page_address("url", url)
        details = SourceDetails(application=application, window=window, url=address, name=name)
        return Seed({"readable": readable, "raw": details, "filter": filter}, {"transferables": transferables})
