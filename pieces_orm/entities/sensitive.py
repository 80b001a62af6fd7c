"""Sensitives: secrets found in assets."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from ..model.fields import field, readonly
from ..model.seed import Seed
from ..orm.context import Context
from ..orm.entity import Entity, entity
from ..orm.relations import One
from ..values import Mechanism, Score, SensitiveCategory, SensitiveMetadata, SensitiveSeverity
from ..wire import kinds

if TYPE_CHECKING:
    from . import Asset


@entity(kinds.SENSITIVE)
class Sensitive(Entity):
    """A secret that was found in an asset."""

    text: str = field()
    name: str = field()
    description: str = field()
    category: SensitiveCategory = field()
    severity: SensitiveSeverity = field()
    metadata: SensitiveMetadata | None = field()
    mechanism: Mechanism = readonly()
    interactions: int | None = readonly()
    created: datetime = readonly()
    updated: datetime = readonly()
    deleted: datetime | None = readonly()
    score: Score | None = readonly()
    asset = One["Asset"](wire="asset", back="sensitives")

    @staticmethod
    def _seed(
        context: Context,
        asset: Asset,
        text: str,
        *,
        name: str,
        description: str,
        category: SensitiveCategory | str = SensitiveCategory.SECRET,
        severity: SensitiveSeverity | str = SensitiveSeverity.HIGH,
        metadata: SensitiveMetadata | None = None,
    ) -> Seed:
        """What creates a sensitive.

        Args:
            asset: where the secret is.
            text: the secret itself.
            name, description: what people should know of it.
            category, severity: what it is, and how bad it would be to show it.
            metadata: why it was taken for a secret.
        """
        body = {
            "asset": asset.id,
            "text": text,
            "name": name,
            "description": description,
            "category": str(category),
            "severity": str(severity),
            "metadata": metadata,
        }
        return Seed(body)
