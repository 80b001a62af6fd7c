"""Websites: pages by address."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from ..model.fields import field, readonly
from ..model.seed import Seed
from ..orm.context import Context
from ..orm.entity import Entity, entity
from ..orm.relations import Many
from ..values import Mechanisms, Score
from ..wire import kinds

if TYPE_CHECKING:
    from . import (
        Annotation,
        Asset,
        Conversation,
        ConversationMessage,
        Person,
        Source,
        SourceWindow,
        Tag,
        WorkstreamEvent,
        WorkstreamSummary,
    )


@entity(kinds.WEBSITE)
class Website(Entity):
    """A page on the web."""

    name: str = field()
    url: str = field()
    interactions: int | None = readonly()
    mechanisms: Mechanisms | None = readonly()
    created: datetime = readonly()
    updated: datetime = readonly()
    deleted: datetime | None = readonly()
    score: Score | None = readonly()
    annotations = Many["Annotation"](wire="annotations", back="websites")
    assets = Many["Asset"](wire="assets", back="websites")
    conversations = Many["Conversation"](wire="conversations", back="websites")
    messages = Many["ConversationMessage"](wire="messages", back="websites")
    persons = Many["Person"](wire="persons", back="websites")
    source_windows = Many["SourceWindow"](wire="source_windows", back="websites")
    sources = Many["Source"](wire="sources", back="websites")
    summaries = Many["WorkstreamSummary"](wire="summaries", back="websites")
    tags = Many["Tag"](wire="tags", back="websites")
    workstream_events = Many["WorkstreamEvent"](wire="workstream_events", back="websites")

    @staticmethod
    def _seed(
        context: Context,
        url: str,
        *,
        name: str | None = None,
        asset: Asset | None = None,
        conversation: Conversation | None = None,
        person: Person | None = None,
        transferables: bool | None = None,
    ) -> Seed:
        """What creates a website.

        Args:
            url: its address.
            name: what people call it; None: the url.
            asset, conversation, person: what it is associated with.
            transferables: whether the answer carries contents; None leaves it to the server.
        """
        about = {"asset": asset, "conversation": conversation, "person": person}
        ids = {key: None if each is None else each.id for key, each in about.items()}
        return Seed({"url": url, "name": url if name is None else name, **ids}, {"transferables": transferables})
