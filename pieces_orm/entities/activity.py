"""Activities: what was done with assets and formats."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from ..model.fields import readonly
from ..model.seed import Seed, reference
from ..orm.context import Context
from ..orm.entity import Entity, entity
from ..orm.relations import One
from ..values import Application, Mechanism
from ..wire import kinds

if TYPE_CHECKING:
    from . import Asset, Format


@entity(kinds.ACTIVITY)
class Activity(Entity):
    """One thing that was done with an asset or a format."""

    application: Application = readonly()
    mechanism: Mechanism = readonly()
    rank: int | None = readonly()
    # Plain data: the published description of an event is empty, so nothing is known of its shape.
    event: Any = readonly()
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
        asset: Asset | None = None,
        format: Format | None = None,
        mechanism: Mechanism | str | None = None,
        transferables: bool | None = None,
    ) -> Seed:
        """What creates an activity of this application.

        Args:
            event: what was done, as plain data.
            asset, format: what it was done with.
            mechanism: how it came about; None leaves it to the server.
            transferables: whether the answer carries contents; None leaves it to the server.
        """
        body = {
            "application": context.connection.application,
            "event": dict(event),
            "asset": reference(asset),
            "format": reference(format),
            "mechanism": mechanism,
        }
        return Seed(body, {"transferables": transferables})
