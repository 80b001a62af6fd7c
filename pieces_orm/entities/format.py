"""Formats: the contents of assets."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from ..model.fields import readonly
from ..orm.entity import Entity, entity
from ..orm.relations import Many, One
from ..values import Application, Bytes, Classification, FormatRole
from ..wire import kinds

if TYPE_CHECKING:
    from . import Activity, Asset


@entity(kinds.FORMAT)
class Format(Entity):
    """One form of an asset's content; it lives and dies with its asset."""

    role: FormatRole = readonly()
    classification: Classification = readonly()
    bytes: Bytes = readonly()
    text: str | None = readonly("fragment.string.raw", contents=True)
    creator: str = readonly()
    application: Application = readonly()
    cloud: str | None = readonly()
    icon: str | None = readonly()
    synced: datetime | None = readonly()
    created: datetime = readonly()
    updated: datetime = readonly()
    deleted: datetime | None = readonly()
    asset = One["Asset"](wire="asset", back="formats")
    activities = Many["Activity"](wire="activities", back="format")
