"""Declaring fields: `field()`, `readonly()`, and what an entity knows of each.

A declaration is an attrs field whose metadata is a `Field`: its wire path, whether it can be set, and how it is saved
when the update route is not what changes it.
"""

from __future__ import annotations

import types
import typing
from collections.abc import Callable, Mapping
from datetime import datetime, timezone
from functools import cached_property
from typing import Any

import attrs
from msgspec import Raw

from .. import values
from ..documents import decoding
from ..documents.document import Document
from ..errors import InvalidValueError

METADATA = "pieces_orm.field"


@attrs.define(slots=False, eq=False)
class Field:
    """One declared attribute of an entity: its name, its (dotted) wire path, and its type.

    `of` names a reference and a collection, when the path is inside the member that the reference names; `where` names
    a collection, a key and its text, when it is inside the first member that has them. `contents` marks what arrives
    only with `transferables`, `removable` is False where None cannot be set. For a field that the update route does not
    change, `save` names the entity's method that does; `check_entity` the one that raises when it cannot be set.
    """

    wire: str
    readonly: bool = False
    contents: bool = False
    removable: bool = True
    save: str | None = None
    check_entity: str | None = None
    of: tuple[str, str] | None = None
    where: tuple[str, str, str] | None = None
    doc: str = ""
    name: str = ""
    annotation: Any = None
    namespace: Mapping[str, Any] = attrs.field(factory=dict, repr=False)

    @cached_property
    def resolved(self) -> Any:
        """The declared type, resolved once."""
        if isinstance(self.annotation, str):
            return eval(self.annotation, {**vars(values), **self.namespace})  # noqa: S307 our own annotations
        return self.annotation

    @cached_property
    def optional(self) -> bool:
        """Whether None is a value of this field."""
        return self.resolved is Any or type(None) in typing.get_args(self.resolved)

    @cached_property
    def unchecked(self) -> type | None:
        """The type whose values need no check to be set: they are stored as they are."""
        return None if self.readonly else next((each for each in (str, int) if each in self._accepted), None)

    @cached_property
    def plain(self) -> type | None:
        """The type of a plain field, a text, truth or moment at a key of its own; None for others."""
        only = self._accepted[0] if set(self._accepted[1:]) <= {type(None)} else None
        return only if only in decoding.PLAIN and self._is_one_key and not self.contents else None

    @cached_property
    def _is_one_key(self) -> bool:
        return self.of is None and self.where is None and not set(".|") & set(self.wire)

    def locate(self, document: Document) -> Raw | None:
        """The slice of this field in a document; None when it is absent or null."""
        if self._is_one_key:
            return document.get_key(self.wire)
        if self.of is not None:
            return document.get_of(*self.of, self.wire)
        return document.get(self.wire) if self.where is None else document.get_where(*self.where, self.wire)

    def is_told_by(self, document: Document) -> bool:
        """Whether a document that does not have this field says by that that it is empty, not left out."""
        if self.where is not None and document.get(self.where[0]) is None:
            return False
        return document.complete and (document.contents or not self.contents)

    @cached_property
    def decode(self) -> Callable[[Any], Any]:
        """Decode a slice to the declared type; the converter's hook is looked up once."""
        return decoding.decoder(self.resolved)

    @cached_property
    def _accepted(self) -> tuple[type, ...]:
        members = typing.get_args(self.resolved) if _is_union(self.resolved) else (self.resolved,)
        return tuple(typing.get_origin(member) or member for member in members)

    def check(self, value: Any) -> Any:
        """The value as it is stored: an enum member for its text, UTC for a local time.

        Raises:
            InvalidValueError: the value is not of the declared type.
        """
        if value is None and not self.removable:
            message = f"{self.name} cannot be removed, only changed."
            raise InvalidValueError(message)
        for accepted in self._accepted:
            is_open_enum = issubclass(accepted, values.OpenEnum)
            if type(value) is accepted or (
                isinstance(value, accepted) and not isinstance(value, bool | values.OpenEnum)
            ):
                return to_utc(value) if isinstance(value, datetime) else value
            if is_open_enum and type(value) is str:
                return accepted(value)
        wanted = " or ".join("None" if a is type(None) else a.__name__ for a in self._accepted)
        message = f"{self.name} takes {wanted}, not {value!r} ({type(value).__name__})."
        raise InvalidValueError(message)


def _is_union(annotation: Any) -> bool:
    return typing.get_origin(annotation) in (typing.Union, types.UnionType)


def to_utc(moment: datetime) -> datetime:
    """An aware datetime in UTC; a naive one is local time."""
    return moment.astimezone(timezone.utc)


def field(
    wire: str | None = None,
    *,
    contents: bool = False,
    removable: bool = True,
    save: str | None = None,
    check: str | None = None,
    of: tuple[str, str] | None = None,
    where: tuple[str, str, str] | None = None,
    doc: str = "",
) -> Any:
    """A field that can be set and saved.

    Args:
        wire: its (dotted) path in the document, when that is not its name; several with | between are tried in order.
        contents: it arrives only with `transferables`.
        removable: whether None can be set.
        save: the entity's method that saves it, when the update route does not; called with the value and the document.
        check: the entity's method that raises when this field of it cannot be set.
        of: the wire keys of a reference and of the collection whose member it names, when the path is inside that.
        where: a collection, a key and its text, when the path is inside the first member that has them.
        doc: its meaning, in a sentence; "" for the one that all fields of its name share.
    """
    spec = Field(
        wire or "", contents=contents, removable=removable, save=save, check_entity=check, of=of, where=where, doc=doc
    )
    return attrs.field(metadata={METADATA: spec})


def readonly(
    wire: str | None = None, *, contents: bool = False, of: tuple[str, str] | None = None, doc: str = ""
) -> Any:
    """A field that the server alone sets.

    Args:
        wire: its (dotted) path in the document, when that is not its name; several with | between are tried in order.
        contents: it arrives only with `transferables`.
        of: the wire keys of a reference and of the collection whose member it names, when the path is inside that.
        doc: its meaning, in a sentence; "" for the one that all fields of its name share.
    """
    return attrs.field(metadata={METADATA: Field(wire or "", readonly=True, contents=contents, of=of, doc=doc)})


class PlainFields:
    """The plain fields of an entity class, which are read together: that costs less than opening a document for one."""

    def __init__(self, cls: type[Any], fields: Mapping[str, Field]) -> None:
        self._class = cls
        self._fields = fields

    @cached_property
    def _plain(self) -> list[Field]:
        return [spec for spec in self._fields.values() if spec.plain is not None]

    @cached_property
    def setters(self) -> list[Callable[[Any, Any], None]]:
        """What puts the value of each into the slot of an entity."""
        return [vars(self._class)[spec.name].__set__ for spec in self._plain]

    @cached_property
    def _read(self) -> Callable[[bytes], tuple[Any, ...]]:
        return decoding.reader([(spec.wire, spec.plain) for spec in self._plain])

    def read(self, document: Document) -> tuple[Any, ...]:
        """Their values in a document, None for those that it does not have; none at all when one cannot be read."""
        try:
            return self._read(document.data)
        except (ValueError, OverflowError):
            return ()


def fields_of(cls: type[Any], namespace: Mapping[str, Any]) -> dict[str, Field]:
    """The field table of an entity class, by attribute name."""
    table: dict[str, Field] = {}
    for attribute in attrs.fields(cls):
        spec: Field = attribute.metadata[METADATA]
        spec.name, spec.wire = attribute.name, spec.wire or attribute.name
        spec.annotation, spec.namespace = attribute.type, namespace
        table[attribute.name] = spec
    return table
