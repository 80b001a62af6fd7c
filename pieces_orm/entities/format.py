"""Formats: the contents of assets."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from ..values import Application, Bytes, Classification, FormatRole
from ..wire import kinds
from .declaring import Entity, Many, One, entity, readonly

if TYPE_CHECKING:
    from . import *  # noqa: F403 kinds name each other


@entity(kinds.FORMAT)
class Format(Entity):
    """One form of an asset's content; it is created and deleted with its asset."""

    role: FormatRole = readonly(doc="The use of this form, such as ORIGINAL or PREVIEW.")
    classification: Classification = readonly()
    bytes: Bytes = readonly(doc="The size of the content.")
    text: str | None = readonly("fragment.string.raw", contents=True, doc="The content, when it is text.")
    creator: str = readonly()
    application: Application = readonly()
    cloud: str | None = readonly(doc="The path of the content in the cloud.")
    icon: str | None = readonly(doc="The icon that stands for the content.")
    synced: datetime | None = readonly()
    created: datetime = readonly()
    updated: datetime = readonly()
    deleted: datetime | None = readonly()
    asset = One["Asset"](wire="asset", back="formats")
    activities = Many["Activity"](wire="activities", back="format")
