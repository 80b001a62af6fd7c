"""Assets: snippets, files and images that people keep."""

from __future__ import annotations

import builtins
from datetime import datetime
from typing import TYPE_CHECKING

from ..values import Classification, Mechanism, Score
from ..wire import kinds
from . import asset_contents
from .asset_contents import DESCRIPTION, ORIGINAL
from .asset_seed import asset_seed
from .declaring import Entity, Many, One, entity, field, readonly

if TYPE_CHECKING:
    from . import (
        Activity,
        Anchor,
        Annotation,
        Conversation,
        ConversationMessage,
        Format,
        Hint,
        Person,
        Sensitive,
        Share,
        Tag,
        Website,
        WorkstreamSummary,
    )


@entity(kinds.ASSET)
class Asset(Entity):
    """A snippet, a file or an image that somebody keeps."""

    name: str | None = field()
    favorited: bool | None = field()
    creator: str = readonly()
    curated: bool | None = readonly(doc="Whether it came from a curated collection.")
    demo: bool | None = readonly()
    discovered: bool | None = readonly(doc="Whether Pieces discovered it, rather than somebody saving it.")
    mechanism: Mechanism = readonly()
    pseudo: bool | None = readonly()
    classification: Classification | None = readonly("classification", of=ORIGINAL)
    text: str | None = field(
        "fragment.string.raw|file.string.raw", of=ORIGINAL, contents=True, removable=False, save="save_text",
        check="check_is_text", doc="The content as text; None for an image or other bytes.",
    )  # fmt: skip
    language: str | None = field(
        "classification.specific", of=ORIGINAL, removable=False, save="save_language", check="check_is_text",
        doc="The language or file type of the content, such as py.",
    )  # fmt: skip
    description: str | None = field(
        "text", where=DESCRIPTION, save="save_description", doc="The text of the annotation that describes the asset."
    )
    created: datetime = readonly()
    updated: datetime = readonly()
    deleted: datetime | None = readonly()
    interacted: datetime | None = readonly(doc="When somebody last interacted with it.")
    synced: datetime | None = readonly()
    score: Score | None = readonly()
    original = One["Format"](wire="original")
    preview = One["Format"](wire="preview.base")
    overlay = One["Format"](wire="preview.overlay")
    activities = Many["Activity"](wire="activities", back="asset")
    anchors = Many["Anchor"](wire="anchors", back="assets")
    annotations = Many["Annotation"](wire="annotations", back="assets")
    conversations = Many["Conversation"](wire="conversations", back="assets")
    formats = Many["Format"](wire="formats", back="asset")
    hints = Many["Hint"](wire="hints", back="assets")
    messages = Many["ConversationMessage"](wire="messages", back="assets")
    persons = Many["Person"](wire="persons", back="assets")
    sensitives = Many["Sensitive"](wire="sensitives", back="asset")
    shares = Many["Share"](wire="shares", back="asset")
    summaries = Many["WorkstreamSummary"](wire="summaries", back="assets")
    tags = Many["Tag"](wire="tags", back="assets")
    websites = Many["Website"](wire="websites", back="assets")

    seed = staticmethod(asset_seed)
    check_is_text = asset_contents.check_is_text
    save_text = asset_contents.save_text
    save_language = asset_contents.save_language
    save_description = asset_contents.save_description
    to_markdown = asset_contents.to_markdown

    @property
    def is_image(self) -> bool:
        """True if the content is an image."""
        return asset_contents.is_image(self)

    @property
    def bytes(self) -> builtins.bytes:
        """The content as bytes: text as UTF-8, a file or an image as it was stored.

        Requests: none when the contents are known, else one GET.
        """
        return asset_contents.stored_bytes(self)
