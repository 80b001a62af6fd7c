"""Tags: words that label materials."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from ..values import Mechanisms, Score, TagCategory
from ..values.checking import nonempty_text
from ..wire import kinds
from .declaring import Context, Entity, Many, NaturalKey, Seed, entity, field, ids_of, known_keys, readonly

if TYPE_CHECKING:
    from . import *  # noqa: F403 kinds name each other


@entity(kinds.TAG)
class Tag(Entity):
    """A word that labels materials."""

    text: str = field(accepts=nonempty_text, doc="The word or phrase.")
    category: TagCategory = field(doc="The type of word, such as a handle or an e-mail address.")
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

    _natural_key = NaturalKey("text", ("text",), known_keys("text"))

    @staticmethod
    def _seed(
        context: Context,
        text: str,
        *,
        category: TagCategory | str | None = None,
        asset: str | Asset | None = None,
        person: str | Person | None = None,
        transferables: bool | None = None,
    ) -> Seed:
        """Compose the seed of a tag.

        Args:
            text: the word or phrase.
            category: the type of word; None lets the server decide.
            asset, person: materials to label with it.
            transferables: whether the answer carries contents; None lets the server decide.
        """
        body = {"text": nonempty_text("text", text), "category": category, **ids_of(asset, person)}
        return Seed(body, {"transferables": transferables})
