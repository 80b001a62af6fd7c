"""Frozen values of fields and arguments.

An attribute has the name of its key on the wire, or says with `key(...)` what that is; `documents` decodes and encodes.
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

__all__ = [
    "Accessor", "Application", "BasicPerson", "Bytes", "Classification", "Interaction", "Mechanisms",
    "MessageAgent", "Model", "PersonAccess", "PersonType", "Score", "SensitiveMetadata", "SourceDetails",
    "TextLocation", "TextMatch", "Trigger", "UserAccount",
]  # fmt: skip

WIRE_KEY = "pieces_orm.wire_key"


def key(wire: str, default: Any = None) -> Any:
    """Declare an optional attribute whose key on the wire is not its name."""
    return attrs.field(default=default, metadata={WIRE_KEY: wire})


class Patch(dict[str, Any]):
    """The encoded form of a value, as a patch: None removes a key, and keys that it does not have stay."""


def in_utc(moment: datetime) -> datetime:
    """Return a moment as fields hold it: aware, in UTC."""
    if moment.tzinfo is timezone.utc:
        return moment
    # The wire's timestamps without a zone are in UTC.
    return (moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)).astimezone(timezone.utc)


@frozen
class Score:
    """The number of times that a material was used, by reason."""

    manual: int
    automatic: int
    priority: int | None = None
    reuse: int | None = None
    update: int | None = None
    reference: int | None = None
    searched: int | None = None


@frozen
class Classification:
    """The class of a format's content; `specific` is a language or file type, such as py or png."""

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
    """A machine-learning model that the server offers."""

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
    """The action that made the server record a workstream event."""

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
    """The application, window or page that a source stands for."""

    application: str | None = None
    installation: str | None = None
    name: str | None = None
    url: str | None = None
    window: str | None = None


@frozen
class BasicPerson:
    """The known details of a person without an account."""

    name: str | None = None
    username: str | None = None
    email: str | None = None
    url: str | None = None
    picture: str | None = None
    sourced: ExternalSource | None = None


@frozen
class UserAccount:
    """The known details of a person with an account."""

    id: str
    name: str | None = None
    username: str | None = None
    email: str | None = None
    picture: str | None = None
    vanityname: str | None = None


@frozen
class PersonType:
    """The details of a person: `basic` ones, or those of a `platform` account."""

    basic: BasicPerson | None = None
    platform: UserAccount | None = None


@frozen
class PersonAccess:
    """The rights of a person on one material; `deleted` is when they were withdrawn."""

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


# The way in which a material came to be associated with each asset, by asset id.
Mechanisms = Mapping[str, Mechanism]


@frozen
class Interaction:
    """A look at an asset: `viewed` is its duration, such as P0000-00-00T00:00:12."""

    viewed: str
    touched: bool | None = None
    scrolled: bool | None = None


@frozen
class TextLocation:
    """A stretch of a text; `start` and `end` count characters."""

    text: str
    start: int
    end: int


@frozen
class TextMatch:
    """The place where a pattern matched in a text."""

    group: TextLocation
    subgroup: TextLocation | None = None


@frozen
class SensitiveMetadata:
    """The evidence that a text is a secret."""

    entropy: float | None = None
    match: TextMatch | None = None


@frozen
class Accessor:
    """A visitor of a share; `count` is the number of visits."""

    id: str
    os: str
    share: str
    count: int
    user: UserAccount | None = None
