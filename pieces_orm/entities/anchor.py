"""Anchors: files and folders."""

from __future__ import annotations

import ntpath
import os
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path, PurePath, PureWindowsPath
from typing import TYPE_CHECKING

from ..values import AnchorType, Score
from ..wire import kinds
from ..wire.closed_lists import this_platform
from .declaring import (
    Context,
    Entity,
    Many,
    NaturalKey,
    Seed,
    collections_of,
    entity,
    field,
    ids_of,
    known_keys,
    readonly,
    rename,
)  # fmt: skip

if TYPE_CHECKING:
    from . import *  # noqa: F403 kinds name each other


def absolute(path: str) -> str:
    """Return a path as the server knows it: absolute, without `..` and without a trailing separator."""
    if os.name != "nt" and not path.startswith("/") and PureWindowsPath(path).is_absolute():
        full = ntpath.normpath(path)  # of another computer
        return full if full.endswith(":\\") else full.rstrip("\\")
    return os.path.abspath(path)  # noqa: PTH100 resolve() follows links


@entity(kinds.ANCHOR)
class Anchor(Entity):
    """A file or folder that Pieces tracks."""

    name: str | None = field()
    watch: bool | None = field(doc="Whether the server watches the path for changes.")
    type: AnchorType = readonly(doc="Whether the path is that of a file or of a directory.")
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
        """The path of the first anchor point; None without anchor points."""
        points = self.anchor_points.refs()
        return points[0].fullpath if points else None

    _natural_key = NaturalKey(
        "path", ("fullpath",), known_keys("fullpath"), normalize=absolute, is_path=True, through="anchor_points"
    )

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
        asset: str | Asset | None = None,
        conversation: str | Conversation | None = None,
        persons: Sequence[str | Person] = (),
        transferables: bool | None = None,
    ) -> Seed:
        """Compose the seed of an anchor.

        Args:
            path: the path of a file or folder; a relative one is made absolute.
            type: FILE or DIRECTORY; None takes what exists at the path, else FILE for a path with a suffix and
                DIRECTORY for one without.
            name: the name that people see; None lets the server choose.
            watch: whether the server watches the path for changes.
            asset, conversation, persons: materials to associate with it.
            transferables: whether the answer carries contents; None lets the server decide.
        """
        fullpath = Anchor._natural_key.checked("path", path)
        body = {
            "type": type or type_of(fullpath),
            "fullpath": fullpath,
            "name": name,
            "platform": this_platform(),
            "watch": watch,
            **ids_of(asset, conversation),
            **collections_of(persons),
        }
        return Seed(body, {"transferables": transferables})


def type_of(path: str) -> AnchorType:
    """Return the type of the anchor of a path: that of what exists there, else by its suffix."""
    if Path(path).is_dir():
        return AnchorType.DIRECTORY
    return AnchorType.FILE if Path(path).is_file() or PurePath(path).suffix else AnchorType.DIRECTORY
