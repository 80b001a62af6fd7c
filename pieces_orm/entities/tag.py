"""Tags: words that materials share."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from ..model.fields import field, readonly
from ..model.seed import Seed
from ..orm.context import Context
from ..orm.entity import Entity, entity
from ..orm.relations import Many
from ..values import Mechanisms, Score, TagCategory
from ..wire import kinds

if TYPE_CHECKING:
    from . import (
        Anchor,
        Annotation,
        Asset,
        ConversationMessage,
        Person,
        SourceWindow,
        Website,
        WorkstreamEvent,
        WorkstreamSummary,
    )


@entity(kinds.TAG)
class Tag(Entity):
    """A word that materials share."""

    text: str = field()
    category: TagCategory = field()
    interactions: int | None = readonly()
    mechanisms: Mechanisms | None = readonly()
    created: datetime = readonly()
    updated: datetime = readonly()
    deleted: datetime | None = readonly()
    score: Score | None = readonly()
    anchors = Many["Anchor"](wire="anchors", back="tags")
    annotations = Many["Annotation"](wire="annotations", back="tags")
    assets = Many["Asset"](wire="assets", back="tags")
    messages = Many["ConversationMessage"](wire="messages", back="tags")
    persons = Many["Person"](wire="persons", back="tags")
    source_windows = Many["SourceWindow"](wire="source_windows", back="tags")
    summaries = Many["WorkstreamSummary"](wire="summaries", back="tags")
    websites = Many["Website"](wire="websites", back="tags")
    workstream_events = Many["WorkstreamEvent"](wire="workstream_events", back="tags")

    @staticmethod
    def _seed(
        context: Context,
        text: str,
        *,
        category: TagCategory | str | None = None,
        asset: Asset | None = None,
        person: Person | None = None,
        transferables: bool | None = None,
    ) -> Seed:
        """What creates a tag.

        Args:
            text: the word.
            category: what the text is; None leaves it to the server.
            asset, person: what it is associated with.
            transferables: whether the answer carries contents; None leaves it to the server.
        """
        about = {name: None if each is None else each.id for name, each in (("asset", asset), ("person", person))}
        return Seed({"text": text, "category": category, **about}, {"transferables": transferables})
