"""Assets: snippets, files and images that people keep."""

from __future__ import annotations

import builtins
import mimetypes
import re
from base64 import b64encode
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING

from ..model.fields import declared
from ..orm import loading
from ..values import Classification, GenericClassification, Language, Mechanism, Score
from ..values.checking import named
from ..wire import kinds
from .asset_fields import DescriptionField, LanguageField, OriginalField, TextField, bytes_in, with_original
from .asset_seed import asset_seed
from .declaring import Entity, Many, One, entity, field, readonly

if TYPE_CHECKING:
    from . import *  # noqa: F403 kinds name each other


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
    classification: Classification | None = declared(OriginalField("classification", readonly=True))
    text: str | None = declared(
        TextField(
            "fragment.string.raw|file.string.raw", contents=True, removable=False,
            doc="The content as text; None for an image or other bytes.",
        )
    )  # fmt: skip
    language: str | None = declared(
        LanguageField(
            "classification.specific",
            removable=False,
            accepts=partial(named, Language),
            doc="The language or file type, such as py.",
        )
    )
    description: str | None = declared(
        DescriptionField("text", doc="The text of the annotation that describes the asset.")
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

    _seed = staticmethod(asset_seed)

    @property
    def is_image(self) -> bool:
        """True if the content is an image."""
        return self.classification is not None and self.classification.generic == GenericClassification.IMAGE

    @property
    def bytes(self) -> builtins.bytes:
        """The content as bytes; text is encoded as UTF-8, a file or an image is as it was stored.

        Requests: none when the contents are known, else one GET; another of the format, where the asset's document
        leaves it out.

        Raises:
            DecodeError: the server does not say which format has the content.
        """
        text = self.text  # loads the contents when they are not known
        if text is not None:
            return text.encode()
        document = self._state.document
        if document is None or not document.contents:
            document = loading.load(self._context, self, {"transferables": True})
        if Asset._schema.fields["text"].is_left_out(document):
            document = with_original(self._context, self, document)
        return bytes_in(document, self)

    def to_markdown(self) -> str:
        """Return the asset as a page of Markdown: name, description, content, tags and websites.

        Text is put into a fence, an image becomes a picture with its data in the page.

        Requests: those of reading the fields and relations that are not loaded.
        """
        parts = [f"# {self.name or 'Untitled'}", self.description, _content_in_markdown(self)]
        parts.append(" ".join(f"#{tag.text}" for tag in self.tags))
        parts.append("\n".join(f"- [{site.name}]({site.url})" for site in self.websites))
        return "\n\n".join(part for part in parts if part) + "\n"


def _content_in_markdown(asset: Asset) -> str:
    """Return text in a fence longer than any inside it, an image as a picture, or the number of other bytes."""
    text = asset.text
    if text is None and asset.is_image:
        mime = mimetypes.guess_type(f"image.{asset.language}")[0] or "application/octet-stream"
        return f"![{asset.name or 'image'}](data:{mime};base64,{b64encode(asset.bytes).decode()})"
    if text is None and asset.bytes:
        return f"({len(asset.bytes):,} bytes of binary data)"
    text = text or ""
    fence = "`" * max(3, 1 + max((len(run) for run in re.findall("`+", text)), default=0))
    return f"{fence}{asset.language or ''}\n{text}\n{fence}"
