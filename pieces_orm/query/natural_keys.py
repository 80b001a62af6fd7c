"""Natural keys in conditions: where documents have them, so that materials are named without making entities."""

from __future__ import annotations

import os
from collections.abc import Mapping
from os import PathLike
from typing import Any

from attrs import frozen

from ..entities import Anchor, AnchorPoint, Person, Tag, Website
from ..errors import InvalidValueError
from ..model.fields import Field
from ..orm.entity import Entity
from ..values.checking import plain_text


@frozen
class KeyPlace:
    """Where a natural key stands.

    Attributes:
        label: the name of the key for people.
        cls: the class whose documents have it.
        specs: the fields that it may stand in.
        owner: the relation from there to the material that has the key; empty: it is the material itself.
    """

    label: str
    cls: type[Entity]
    specs: tuple[Field, ...]
    owner: str = ""


def _texts(*paths: str) -> tuple[Field, ...]:
    return tuple(Field(path, name=path, annotation=str | None) for path in paths)


_PLACES: Mapping[type[Entity], KeyPlace] = {
    Tag: KeyPlace("text", Tag, _texts("text")),
    Website: KeyPlace("url", Website, _texts("url")),
    Anchor: KeyPlace("path", AnchorPoint, _texts("fullpath"), "anchor"),
    Person: KeyPlace("name or e-mail address", Person, _texts(
        "type.basic.name", "type.basic.email", "type.platform.name", "type.platform.email")),
}  # fmt: skip


def has_natural_key(cls: type[Entity]) -> str:
    """Return the name of a class's natural key; empty without one."""
    return _PLACES[cls].label if cls in _PLACES else ""


def place_of(cls: type[Entity]) -> KeyPlace:
    """Return where the natural key of a class stands."""
    return _PLACES[cls]


def normalized(cls: type[Entity], name: str, value: Any) -> str:
    """Return a natural key as the server knows it.

    Raises:
        InvalidValueError: it is empty, or cannot be sent.
    """
    if isinstance(value, PathLike):
        if cls is not Anchor:
            message = f"{name} takes the {has_natural_key(cls)} as a text, not {value!r}."
            raise InvalidValueError(message)
        value = os.fspath(value)
    text = plain_text(name, value)
    if not text.strip():
        message = f"{name} takes a {has_natural_key(cls)} that is not empty, not {value!r}."
        raise InvalidValueError(message)
    found: str = cls._looked_up(text)
    return found
