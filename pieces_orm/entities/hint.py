"""Hints: questions that an asset suggests."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from ..model.fields import field, readonly
from ..model.seed import Seed
from ..orm.context import Context
from ..orm.entity import Entity, entity
from ..orm.relations import Many
from ..values import HintType, Mechanisms, Score
from ..wire import kinds

if TYPE_CHECKING:
    from . import Asset


@entity(kinds.HINT)
class Hint(Entity):
    """A question or query that goes with assets."""

    text: str = field()
    type: HintType = field()
    mechanisms: Mechanisms | None = readonly()
    created: datetime = readonly()
    updated: datetime = readonly()
    deleted: datetime | None = readonly()
    score: Score | None = readonly()
    assets = Many["Asset"](wire="assets", back="hints")

    @staticmethod
    def _seed(
        context: Context, text: str, type: HintType | str = HintType.SUGGESTED_QUERY, *, asset: Asset | None = None
    ) -> Seed:
        """What creates a hint.

        Args:
            text: the question.
            type: what it is for.
            asset: what it goes with.
        """
        return Seed({"text": text, "type": str(type), "asset": None if asset is None else asset.id})
