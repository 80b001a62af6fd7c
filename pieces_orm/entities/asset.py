"""Assets: snippets, files and images that people keep."""

from __future__ import annotations

import builtins
import json
import re
from collections.abc import Sequence
from datetime import datetime
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from .. import endpoints
from ..entity import Entity, Owner, Seed, entity
from ..errors import InvalidValueError
from ..fields import field, readonly
from ..relations import Many, One
from ..values import AnnotationType, Classification, GenericClassification, Mechanism, Score
from .anchor import Anchor
from .annotation import Annotation
from .person import Person
from .tag import Tag
from .website import Website

if TYPE_CHECKING:
    from . import (
        Activity,
        Conversation,
        ConversationMessage,
        Format,
        Hint,
        Sensitive,
        Share,
        WorkstreamSummary,
    )

# The format that the asset was made with: `original` names it, and may or may not carry a copy of it.
_ORIGINAL = ("original", "formats")


@entity(endpoints.ASSET)
class Asset(Entity):
    """Something that somebody keeps: a snippet, a file, an image."""

    name: str | None = field()
    favorited: bool | None = field()
    creator: str = readonly()
    curated: bool | None = readonly()
    demo: bool | None = readonly()
    discovered: bool | None = readonly()
    mechanism: Mechanism = readonly()
    pseudo: bool | None = readonly()
    classification: Classification | None = readonly("classification", of=_ORIGINAL)
    text: str | None = field(
        "fragment.string.raw|file.string.raw", of=_ORIGINAL, contents=True, removable=False, save="save_text"
    )
    language: str | None = field("classification.specific", of=_ORIGINAL, removable=False, save="save_language")
    description: str | None = field("text", where=("annotations", "type", "DESCRIPTION"), save="save_description")
    created: datetime = readonly()
    updated: datetime = readonly()
    deleted: datetime | None = readonly()
    interacted: datetime | None = readonly()
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

    @property
    def is_image(self) -> bool:
        """Whether the content is an image."""
        return self.classification is not None and self.classification.generic == GenericClassification.IMAGE

    @property
    def bytes(self) -> builtins.bytes:
        """The content as bytes: of a text its UTF-8, of a file or image what was stored.

        Requests: none when the contents are known, else one GET.
        """
        text = self.text  # loads the contents when they are not known
        if text is not None:
            return text.encode()
        if self.document is None or not self.document.contents:
            self.refresh(transferables=True)
        assert self.document is not None
        stored = self.document.get_of(*_ORIGINAL, "fragment.bytes.raw|file.bytes.raw")
        return b"" if stored is None else builtins.bytes(json.loads(builtins.bytes(stored)))

    def save_text(self, text: str) -> None:
        """Change the content, POST /format/update/value; for `save`.

        Raises:
            InvalidValueError: an image has no text.
        """
        if self.is_image:
            message = f"The text of {self!r} cannot be set: it is an image."
            raise InvalidValueError(message)
        original = self.original
        assert original is not None
        document = original.refresh(transferables=True).raw()
        holder = "file" if document.get("file") else "fragment"
        content = {**(document.get(holder) or {}), "string": {"raw": text}}
        content.pop("bytes", None)
        self.owner.post(endpoints.FORMAT_UPDATE_VALUE, {**document, holder: content})

    def save_language(self, language: str) -> None:
        """Change the language, POST /asset/reclassify; for `save`.

        Raises:
            InvalidValueError: an image has no language.
        """
        if self.is_image:
            message = f"The language of {self!r} cannot be set: it is an image."
            raise InvalidValueError(message)
        self.owner.post(endpoints.ASSET_RECLASSIFY, {"ext": language, "asset": self.raw()})

    def save_description(self, text: str | None) -> None:
        """Change, make or delete the annotation that describes the asset; for `save`."""
        described = next((each for each in self.annotations if each.type == AnnotationType.DESCRIPTION), None)
        if described is None and text:
            self.owner.create(Annotation, text, AnnotationType.DESCRIPTION, asset=self)
        elif described is not None and text:
            described.text = text
            described.save()
        elif described is not None:
            described.delete()

    def to_markdown(self) -> str:
        """The asset as a page of Markdown: name, description, content in a fence, tags and websites.

        Requests: those of reading fields and relations that are not loaded.
        """
        text = self.text or ""
        fence = "`" * max(3, 1 + max((len(run) for run in re.findall("`+", text)), default=0))
        parts = [f"# {self.name or 'Untitled'}", self.description, f"{fence}{self.language or ''}\n{text}\n{fence}"]
        parts.append(" ".join(f"#{tag.text}" for tag in self.tags))
        parts.append("\n".join(f"- [{site.name}]({site.url})" for site in self.websites))
        return "\n\n".join(part for part in parts if part) + "\n"

    @staticmethod
    def seed(
        owner: Owner,
        content: str | builtins.bytes,
        *,
        name: str | None = None,
        language: str | None = None,
        description: str | None = None,
        tags: Sequence[str | Tag] = (),
        websites: Sequence[str | Website] = (),
        persons: Sequence[str | Person] = (),
        anchors: Sequence[str | PurePath | Anchor] = (),
        transferables: bool | None = None,
    ) -> Seed:
        """What creates an asset.

        Args:
            content: a text, or the bytes of a file.
            name: None leaves it to the server.
            language: such as py; None: the server finds it out.
            description: what people should know of it.
            tags, websites, persons, anchors: texts, urls, names and paths, which the server finds or makes; or
                entities, which are associated with one request each.
            transferables: whether the answer carries contents; None leaves it to the server.
        """
        for argument, members, cls in (
            ("tags", tags, Tag), ("websites", websites, Website), ("persons", persons, Person),
            ("anchors", anchors, Anchor),
        ):  # fmt: skip
            _check_members(argument, members, cls)
        metadata: dict[str, Any] = {
            "name": name,
            "tags": [{"text": tag} for tag in tags if isinstance(tag, str)],
            "websites": [{"url": url, "name": url} for url in websites if isinstance(url, str)],
            "persons": [_person(owner, each) for each in persons if isinstance(each, str)],
            "anchors": [Anchor.seed(owner, each).body for each in anchors if not isinstance(each, Anchor)],
            "annotations": [{"type": "DESCRIPTION", "text": description}] if description else [],
        }
        body = {
            "type": "SEEDED_ASSET",
            "asset": {
                "application": owner.application,
                "format": _format(content, language),
                "metadata": {name: value for name, value in metadata.items() if value not in (None, [])},
            },
        }
        entities = [each for each in (*tags, *websites, *persons, *anchors) if isinstance(each, Entity)]
        return Seed(body, {"transferables": transferables}, entities)


def _person(owner: Owner, text: str) -> Any:
    return (Person.seed(owner, email=text) if "@" in text else Person.seed(owner, name=text)).body


def _check_members(argument: str, members: Any, cls: type[Entity]) -> None:
    texts = (str, PurePath) if cls is Anchor else (str,)
    wrong = [members] if isinstance(members, str) else [each for each in members if not isinstance(each, (*texts, cls))]
    if wrong:
        message = f"{argument} takes a list of texts and {cls.__name__} entities, not {wrong[0]!r}."
        raise InvalidValueError(message)


def _format(content: str | builtins.bytes, language: str | None) -> dict[str, Any]:
    """The format of a seed: a text is a fragment, bytes are a file."""
    if not isinstance(content, str | bytes):
        message = f"The content of an asset is a str or bytes, not {type(content).__name__}."
        raise TypeError(message)
    metadata = {} if language is None else {"metadata": {"ext": language}}
    if isinstance(content, str):
        return {"fragment": {"string": {"raw": content}, **metadata}}
    return {"file": {"bytes": {"raw": list(content)}, **metadata}}
