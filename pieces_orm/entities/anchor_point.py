"""Anchor points: the paths at which an anchor is found."""

from __future__ import annotations

from datetime import datetime
from pathlib import PurePath
from typing import TYPE_CHECKING

from ..values import AnchorType, Platform, Score
from ..values.checking import nonempty_text
from ..wire import kinds
from .anchor import Anchor, type_of
from .declaring import Context, Entity, One, Seed, entity, field, ids_of, readonly

if TYPE_CHECKING:
    from . import *  # noqa: F403 kinds name each other


@entity(kinds.ANCHOR_POINT)
class AnchorPoint(Entity):
    """A path of an anchor on one machine."""

    fullpath: str = field(accepts=nonempty_text, doc="The absolute path.")
    verified: bool | None = field(doc="Whether the server has verified that the path exists.")
    platform: Platform | None = field(doc="The operating system that the path is on.")
    created: datetime = readonly()
    updated: datetime = readonly()
    deleted: datetime | None = readonly()
    score: Score | None = readonly()
    anchor = One["Anchor"](wire="anchor", back="anchor_points")

    @staticmethod
    def _seed(
        context: Context,
        anchor: str | PurePath | Anchor,
        fullpath: str,
        *,
        type: AnchorType | str | None = None,
        platform: Platform | str | None = None,
        watch: bool | None = None,
        transferables: bool | None = None,
    ) -> Seed:
        """Compose the seed of an anchor point.

        Args:
            anchor: the anchor that is found at the path.
            fullpath: the absolute path.
            type: FILE or DIRECTORY; None takes the anchor's, or that of the path when its path names the anchor.
            platform: the operating system that the path is on; None leaves it open.
            watch: whether the server watches the path for changes.
            transferables: whether the answer carries contents; None lets the server decide.
        """
        body = {
            **ids_of(anchor),
            "fullpath": nonempty_text("fullpath", fullpath),
            "type": type or (anchor.type if isinstance(anchor, Anchor) else type_of(fullpath)),
            "platform": platform,
            "watch": watch,
        }
        return Seed(body, {"transferables": transferables})
