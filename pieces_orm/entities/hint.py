"""Hints: questions and queries that assets suggest."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from ..values import HintType, Mechanisms, Score
from ..wire import kinds
from .declaring import Context, Entity, Many, Seed, entity, field, ids_of, readonly

if TYPE_CHECKING:
    from . import *  # noqa: F403 kinds name each other


@entity(kinds.HINT)
class Hint(Entity):
    """A question or query that assets suggest."""

    text: str = field(doc="The question or query.")
    type: HintType = field(doc="The use of the hint: a query to search for, or a question to the copilot.")
    mechanisms: Mechanisms | None = readonly()
    created: datetime = readonly()
    updated: datetime = readonly()
    deleted: datetime | None = readonly()
    score: Score | None = readonly()
    assets = Many["Asset"](wire="assets", back="hints")

    @staticmethod
    def _seed(
        context: Context,
        text: str,
        type: HintType | str = HintType.SUGGESTED_QUERY,
        *,
        asset: str | Asset | None = None,
    ) -> Seed:
        """Compose the seed of a hint.

        Args:
            text: the question or query.
            type: the use of the hint.
            asset: the asset that suggests it.
        """
        return Seed({"text": text, "type": type, **ids_of(asset)})
