"""Anchors: files and folders."""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path, PurePath, PureWindowsPath
from typing import TYPE_CHECKING

from ..errors import InvalidValueError
from ..model.fields import field, readonly
from ..model.seed import Seed, references
from ..orm.context import Context
from ..orm.entity import Entity, entity, rename
from ..orm.relations import Many
from ..values import AnchorType, Score
from ..wire import kinds
from ..wire.closed_lists import this_platform

if TYPE_CHECKING:
    from . import (
        AnchorPoint,
        Annotation,
        Asset,
        Conversation,
        ConversationMessage,
        Person,
        Source,
        Tag,
        WorkstreamEvent,
        WorkstreamSummary,
    )


@entity(kinds.ANCHOR)
class Anchor(Entity):
    """A file or folder that Pieces tracks."""

    _lookup = "fullpath"
    _lookup_by = ("anchor_points",)

    name: str | None = field()
    watch: bool | None = field()
    type: AnchorType = readonly()
    created: datetime = readonly()
    updated: datetime = readonly()
    deleted: datetime | None = readonly()
    score: Score | None = readonly()
    anchor_points = Many["AnchorPoint"](wire="points", back="anchor")
    annotations = Many["Annotation"](wire="annotations", back="anchors")
    assets = Many["Asset"](wire="assets", back="anchors")
    conversations = Many["Conversation"](wire="conversations", back="anchors")
    messages = Many["ConversationMessage"](wire="messages", back="anchors")
    persons = Many["Person"](wire="persons", back="anchors")
    sources = Many["Source"](wire="sources", back="anchors")
    summaries = Many["WorkstreamSummary"](wire="summaries", back="anchors")
    tags = Many["Tag"](wire="tags", back="anchors")
    workstream_events = Many["WorkstreamEvent"](wire="workstream_events", back="anchors")

    @property
    def fullpath(self) -> str | None:
        """The path of the first point; None when there is none."""
        points = self.anchor_points.refs()
        return points[0].fullpath if points else None

    @staticmethod
    def _looked_up(value: str | PurePath) -> str:
        """A path as the server knows it: absolute, without `..` and without a separator at its end."""
        text = os.fspath(value)
        if not isinstance(text, str) or not text:
            message = f"A path is a text or a Path, and not empty: {value!r} is none."
            raise InvalidValueError(message)
        return os.path.abspath(text) if not PureWindowsPath(text).drive else text  # noqa: PTH100 resolve() follows links

    def rename(self, name: str | None = None, *, transferables: bool | None = None) -> None:
        """Let the server name the anchor; with a name, set and save it.

        Requests: one POST to the rename route; with a name, those of `save`.
        """
        rename(self, name, transferables)

    @staticmethod
    def _seed(
        context: Context,
        path: str | PurePath,
        *,
        type: AnchorType | str | None = None,
        name: str | None = None,
        watch: bool | None = None,
        asset: Asset | None = None,
        conversation: Conversation | None = None,
        persons: Sequence[Person] = (),
        transferables: bool | None = None,
    ) -> Seed:
        """What creates an anchor.

        Args:
            path: of a file or folder; a relative one is made absolute.
            type: FILE or DIRECTORY; None: what the existing path is, else DIRECTORY without a suffix and FILE with one.
            name: None leaves it to the server.
            watch: whether the server watches it for changes.
            asset, conversation, persons: what it is associated with.
            transferables: whether the answer carries contents; None leaves it to the server.
        """
        fullpath = Anchor._looked_up(path)
        body = {
            "type": str(type or _type_of(fullpath)),
            "fullpath": fullpath,
            "name": name,
            "platform": this_platform().value,
            "watch": watch,
            "asset": None if asset is None else asset.id,
            "conversation": None if conversation is None else conversation.id,
            "persons": references(persons),
        }
        return Seed(body, {"transferables": transferables})


def _type_of(path: str) -> AnchorType:
    if Path(path).is_dir():
        return AnchorType.DIRECTORY
    return AnchorType.FILE if Path(path).is_file() or PurePath(path).suffix else AnchorType.DIRECTORY
