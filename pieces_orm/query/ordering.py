"""The order of a query: by fields, None last; ties by creation, the newest first, at last by id."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta, timezone
from functools import total_ordering
from typing import Any

from attrs import frozen

from ..errors import InvalidValueError
from ..model.fields import Field
from ..orm.entity import Entity
from ..values.checking import did_you_mean
from .deciding import Material

_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_MICROSECOND = timedelta(microseconds=1)
_ORDERED = (str, bool, int, float, datetime)
ID = Field("id", readonly=True, name="id", annotation=str)


@frozen
class OrderKey:
    """A field to order by."""

    spec: Field
    descending: bool = False

    def __str__(self) -> str:
        return f"{'-' if self.descending else ''}{self.spec.name}"


def order_of(cls: type[Entity], names: Sequence[Any]) -> tuple[OrderKey, ...]:
    """Return the order for names of fields, those with a minus before them descending.

    Raises:
        InvalidValueError: there is no such field, or it has no order; it lists those that have one.
    """
    keys = [_order_key(cls, name) for name in names]
    # One that is named again decides nothing any more.
    return tuple(
        {key.spec.name: key for key in reversed(keys)}[name] for name in dict.fromkeys(k.spec.name for k in keys)
    )


def _order_key(cls: type[Entity], name: Any) -> OrderKey:
    possible = {"id": ID} | {
        spec.name: spec for spec in cls._schema.fields.values() if spec.types and issubclass(spec.types[0], _ORDERED)
    }
    spec = possible.get(name.removeprefix("-")) if isinstance(name, str) else None
    if spec is None:
        text = name if isinstance(name, str) else getattr(name, "__name__", "")
        hint = did_you_mean(text.removeprefix("-"), possible)
        message = (
            f"{cls.__name__} cannot be ordered by {name!r}{hint}: order_by takes names of fields, with a minus before "
            f"them for the greatest first, of {', '.join(possible)}. For anything else there is sorted()."
        )
        raise InvalidValueError(message)
    return OrderKey(spec, name.startswith("-"))


def sort_key(cls: type[Entity], order: Sequence[OrderKey], material: Material) -> tuple[Any, ...]:
    """Return the key by which materials are sorted."""
    created = cls._schema.fields.get("created")
    keys = [*order, *([] if created is None else [OrderKey(created, descending=True)])]
    return (*(_rank(material.value(key.spec), key.descending) for key in keys), material.id)


def _rank(value: Any, descending: bool) -> tuple[Any, ...]:
    if value is None:
        return (True,)
    if isinstance(value, str):
        return (False, _Descending(value) if descending else str(value))
    number = (value - _EPOCH) // _MICROSECOND if isinstance(value, datetime) else value
    return (False, -number if descending else number)


@total_ordering
@frozen(order=False)
class _Descending:
    """A text that comes before those that it comes after."""

    text: str

    def __lt__(self, other: _Descending) -> bool:
        return str(other.text) < str(self.text)
