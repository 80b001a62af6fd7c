"""Activities: records of what was done with assets and formats."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from ..values import Application, Mechanism
from ..wire import kinds
from .declaring import Context, Entity, One, Seed, entity, readonly, reference

if TYPE_CHECKING:
    from . import *  # noqa: F403 kinds name each other


@entity(kinds.ACTIVITY)
class Activity(Entity):
    """A record of one action on an asset or a format."""

    application: Application = readonly()
    mechanism: Mechanism = readonly()
    rank: int | None = readonly(doc="The weight that the server gives to this type of activity.")
    # Plain data: the published schema of an event is empty.
    event: Any = readonly(doc="A record of what was done, as plain data.")
    created: datetime = readonly()
    updated: datetime = readonly()
    deleted: datetime | None = readonly()
    asset = One["Asset"](wire="asset", back="activities")
    format = One["Format"](wire="format", back="activities")

    @staticmethod
    def _seed(
        context: Context,
        event: Mapping[str, Any],
        *,
        asset: str | Asset | None = None,
        format: str | Format | None = None,
        mechanism: Mechanism | str | None = None,
        transferables: bool | None = None,
    ) -> Seed:
        """Compose the seed of an activity, recorded for this application.

        Args:
            event: a record of what was done, as plain data.
            asset, format: the asset and the format that it was done with.
            mechanism: how it came about; None lets the server decide.
            transferables: whether the answer carries contents; None lets the server decide.
        """
        body = {
            "application": context.connection.application,
            "event": dict(event),
            "asset": reference(asset),
            "format": reference(format),
            "mechanism": mechanism,
        }
        return Seed(body, {"transferables": transferables})
