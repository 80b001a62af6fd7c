"""Anchor points: the paths at which an anchor is found."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from ..model.fields import field, readonly
from ..model.seed import Seed
from ..orm.context import Context
from ..orm.entity import Entity, entity
from ..orm.relations import One
from ..values import AnchorType, Platform, Score
from ..wire import kinds

if TYPE_CHECKING:
    from . import Anchor


@entity(kinds.ANCHOR_POINT)
class AnchorPoint(Entity):
    """A path of an anchor on one machine."""

    fullpath: str = field()
    verified: bool | None = field()
    platform: Platform | None = field()
    created: datetime = readonly()
    updated: datetime = readonly()
    deleted: datetime | None = readonly()
    score: Score | None = readonly()
    anchor = One["Anchor"](wire="anchor", back="anchor_points")

    @staticmethod
    def _seed(
        context: Context,
        anchor: Anchor,
        fullpath: str,
        *,
        type: AnchorType | str | None = None,
        platform: Platform | str | None = None,
        watch: bool | None = None,
        transferables: bool | None = None,
    ) -> Seed:
        """What creates a point of an anchor.

        Args:
            anchor: the anchor that is found there.
            fullpath: the absolute path.
            type: FILE or DIRECTORY; None: the anchor's.
            watch: whether the server watches it for changes.
            platform: the system that the path is on; None leaves it open.
            transferables: whether the answer carries contents; None leaves it to the server.
        """
        body = {
            "anchor": anchor.id,
            "fullpath": fullpath,
            "type": str(type or anchor.type),
            "platform": platform,
            "watch": watch,
        }
        return Seed(body, {"transferables": transferables})
