"""Sensitives: secrets found in assets."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from ..values import Mechanism, Score, SensitiveCategory, SensitiveMetadata, SensitiveSeverity
from ..wire import kinds
from .declaring import Context, Entity, One, Seed, entity, field, ids_of, readonly

if TYPE_CHECKING:
    from . import *  # noqa: F403 kinds name each other


@entity(kinds.SENSITIVE)
class Sensitive(Entity):
    """A secret that was found in an asset."""

    text: str = field(doc="The secret itself.")
    name: str = field()
    description: str = field(doc="What people should know of the secret.")
    category: SensitiveCategory = field(doc="The type of secret, such as API_KEY.")
    severity: SensitiveSeverity = field(doc="How bad it would be to disclose the secret.")
    metadata: SensitiveMetadata | None = field(
        doc="Why the text was taken for a secret: its entropy and the match of a pattern."
    )
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
        asset: str | Asset,
        text: str,
        *,
        name: str,
        description: str,
        category: SensitiveCategory | str = SensitiveCategory.SECRET,
        severity: SensitiveSeverity | str = SensitiveSeverity.HIGH,
        metadata: SensitiveMetadata | None = None,
    ) -> Seed:
        """Compose the seed of a sensitive.

        Args:
            asset: the asset that has the secret in it.
            text: the secret itself.
            name, description: a name and a description for people to read.
            category, severity: the type of secret, and how bad it would be to disclose it.
            metadata: why the text was taken for a secret.
        """
        body = {
            **ids_of(asset),
            "text": text,
            "name": name,
            "description": description,
            "category": category,
            "severity": severity,
            "metadata": metadata,
        }
        return Seed(body)
