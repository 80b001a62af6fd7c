"""Frozen values: what fields hold that has no identity of its own; the open enums are in `enums`.

A value knows the wire key of each of its attributes (`key(...)` where the two differ); decoding and encoding is done by
`documents`. Nothing here does IO.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timezone
from typing import Any

import attrs
from attrs import frozen

from .enums import (
    AccessScope,
    Capabilities,
    ExternalSource,
    GenericClassification,
    Mechanism,
    ModelType,
    Platform,
    Privacy,
    Rendering,
)

WIRE_KEY = "pieces_orm.wire_key"


def key(wire: str, default: Any = None) -> Any:
    """An optional attribute whose key on the wire is not its own name."""
    return attrs.field(default=default, metadata={WIRE_KEY: wire})


class Patch(dict[str, Any]):
    """The encoded form of a value: None removes a key, and keys that are not named stay."""


def in_utc(moment: datetime) -> datetime:
    """A moment as fields hold it."""
    if moment.tzinfo is timezone.utc:
        return moment
    # A timestamp without a zone is UTC on this wire.
    return (moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)).astimezone(timezone.utc)


@frozen
class Score:
    """How often a material was used, by reason."""

    manual: int
    automatic: int
    priority: int | None = None
    reuse: int | None = None
    update: int | None = None
    reference: int | None = None
    searched: int | None = None


@frozen
class Classification:
    """What a format's content is; `specific` is a language or file type such as py or png."""

    generic: GenericClassification
    specific: str
    rendering: Rendering | None = None


@frozen
class Bytes:
    """A size: `value` in bytes, `readable` for people."""

    value: int
    readable: str


@frozen
class Application:
    """A program that is connected to the server; `name` is one of the wire's application names."""

    id: str
    name: str
    version: str
    platform: Platform
    onboarded: bool
    privacy: Privacy
    capabilities: Capabilities | None = None
    mechanism: Mechanism | None = None
    automatic_unload: bool | None = key("automaticUnload")
    descriptor: str | None = None


@frozen
class Model:
    """A machine-learning model that the server knows."""

    id: str
    name: str
    version: str
    created: datetime
    type: ModelType
    usage: str
    cloud: bool
    unique: str | None = None
    description: str | None = None
    foundation: str | None = None
    provider: str | None = None
    downloaded: bool | None = None
    loaded: bool | None = None
    custom: bool | None = None


@frozen
class Trigger:
    """What made the server record a workstream event."""

    check_in: bool | None = None
    copy: bool | None = None
    paste: bool | None = None
    application_enter: bool | None = None
    application_leave: bool | None = None
    application_switch: bool | None = None
    file_open: bool | None = None
    file_close: bool | None = None
    tab_open: bool | None = None
    tab_close: bool | None = None
    tab_enter: bool | None = None
    tab_leave: bool | None = None
    tab_switch: bool | None = None
    url_changed: bool | None = None
    native_screenshot: bool | None = None


@frozen
class SourceDetails:
    """Where a source comes from: its application, window or page."""

    application: str | None = None
    installation: str | None = None
    name: str | None = None
    url: str | None = None
    window: str | None = None


@frozen
class BasicPerson:
    """What is known of a person without an account."""

    name: str | None = None
    username: str | None = None
    email: str | None = None
    url: str | None = None
    picture: str | None = None
    sourced: ExternalSource | None = None


@frozen
class UserAccount:
    """What is known of a person with an account."""

    id: str
    name: str | None = None
    username: str | None = None
    email: str | None = None
    picture: str | None = None
    vanityname: str | None = None


@frozen
class PersonType:
    """A person is either basic or a platform account."""

    basic: BasicPerson | None = None
    platform: UserAccount | None = None


@frozen
class PersonAccess:
    """What a person may do with one material, and since when no longer."""

    scoped: AccessScope | None = None
    deleted: datetime | None = None


@frozen
class MessageAgent:
    """The agent that wrote a message."""

    group_id: str
    instance_id: str | None = None
    readable_name: str | None = None
    readable_description: str | None = None
    role: str | None = None
    task: str | None = None


Mechanisms = Mapping[str, Mechanism]


@frozen
class Interaction:
    """How long somebody looked at an asset (a duration such as P0000-00-00T00:00:12), and whether they touched it."""

    viewed: str
    touched: bool | None = None
    scrolled: bool | None = None


@frozen
class TextLocation:
    """A stretch of a text, by character."""

    text: str
    start: int
    end: int


@frozen
class TextMatch:
    """Where a pattern was found in a text."""

    group: TextLocation
    subgroup: TextLocation | None = None


@frozen
class SensitiveMetadata:
    """Why a text was taken for a secret."""

    entropy: float | None = None
    match: TextMatch | None = None


@frozen
class Accessor:
    """Who opened a share, and how often."""

    id: str
    os: str
    share: str
    count: int
    user: UserAccount | None = None
