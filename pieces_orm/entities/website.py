"""Websites: pages on the web, by address."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from ..values import Mechanisms, Score
from ..values.checking import page_address
from ..wire import kinds
from .declaring import Context, Entity, Many, NaturalKey, Seed, entity, field, ids_of, known_keys, readonly

if TYPE_CHECKING:
    from . import *  # noqa: F403 kinds name each other


@entity(kinds.WEBSITE)
class Website(Entity):
    """A page on the web."""

    name: str = field()
    url: str = field(accepts=page_address, doc="The address of the page.")
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

    _natural_key = NaturalKey(
        "url", ("url",), known_keys("url"), accepts=page_address, is_obvious=lambda text: "://" in text
    )

    @staticmethod
    def _seed(
        context: Context,
        url: str,
        *,
        name: str | None = None,
        asset: str | Asset | None = None,
        conversation: str | Conversation | None = None,
        person: str | Person | None = None,
        transferables: bool | None = None,
    ) -> Seed:
        """Compose the seed of a website.

        Args:
            url: the address of the page.
            name: the name that people see; None takes the address.
            asset, conversation, person: materials to associate with it.
            transferables: whether the answer carries contents; None lets the server decide.
        """
        url = page_address("url", url)
        body = {"url": url, "name": url if name is None else name, **ids_of(asset, conversation, person)}
        return Seed(body, {"transferables": transferables})
