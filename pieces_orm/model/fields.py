"""Field declarations: `field()`, `readonly()`, and the `Field` that describes each to the rest of the package.

A declaration is an attrs field whose metadata holds a `Field`: its wire path, its type, and whether it can be set. A
field that is read or saved in a way of its own is a subclass, declared with `declared()`.
"""

from __future__ import annotations

import types
import typing
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import cached_property
from typing import Any, ClassVar

import attrs
from msgspec import Raw

from .. import values
from ..documents import decoding
from ..documents.document import Document
from ..errors import InvalidValueError
from ..values.checking import named, plain_text, to_utc

METADATA = "pieces_orm.field"


@attrs.define(slots=False, eq=False)
class Field:
    """One declared attribute of an entity: its name, its wire path, and its type.

    Args:
        wire: the (dotted) path in the document; several with | between are tried in order; empty: the field's name.
        readonly: whether only the server sets it.
        contents: whether it arrives only with `transferables`.
        removable: whether None can be set.
        accepts: of a text, given the field's name and the text, returns what is stored, or raises.
        doc: its meaning, in one phrase.
    """

    wire: str = ""
    readonly: bool = False
    contents: bool = False
    removable: bool = True
    accepts: Callable[[str, str], str] = plain_text
    doc: str = ""
    name: str = ""
    annotation: Any = None
    namespace: Mapping[str, Any] = attrs.field(factory=dict, repr=False)

    # The relation whose members' copies in the document this is read from; empty: it is not read from a relation.
    copied_from: ClassVar[str] = ""

    def read_member(self, member: Document) -> Raw | None:  # noqa: ARG002 for fields that are read from a relation
        """Return the slice of this field in the document of a related material; None when it is not the one."""
        return None

    # Where the value stands in a document -----------------------------------------------------------------------------

    @cached_property
    def keys(self) -> frozenset[str]:
        """The top-level keys of a document that this field is read from."""
        return frozenset(path.split(".")[0] for path in self.wire.split("|"))

    @cached_property
    def is_one_key(self) -> bool:
        """True if the value stands at a top-level key of its own."""
        return not set(".|") & set(self.wire)

    def locate(self, document: Document) -> Raw | None:
        """Return the slice of this field in a document; None when it is absent or null."""
        return document.get_key(self.wire) if self.is_one_key else document.get(self.wire)

    def is_left_out(self, document: Document) -> bool:  # noqa: ARG002 for fields that are read from a relation
        """Tell whether a document leaves out the part that this field is read from, so that it says nothing of it."""
        return False

    def is_known_from(self, document: Document) -> bool:
        """Tell whether a document without this field says by that that it is empty."""
        return document.complete and (document.contents or not self.contents) and not self.is_left_out(document)

    # Types ------------------------------------------------------------------------------------------------------------

    @cached_property
    def resolved(self) -> Any:
        """The declared type."""
        if isinstance(self.annotation, str):
            return eval(self.annotation, {**vars(values), **self.namespace})  # noqa: S307 our own annotations
        return self.annotation

    @cached_property
    def optional(self) -> bool:
        """True if None is a value of this field."""
        return self.resolved is Any or type(None) in typing.get_args(self.resolved)

    @cached_property
    def types(self) -> tuple[type, ...]:
        """The types of its values, without None; none where anything is a value."""
        return () if self.resolved is Any else tuple(each for each in self._accepted if each is not type(None))

    @cached_property
    def unchecked(self) -> type | None:
        """The type of which most values are stored as they are."""
        return str if str in self._accepted and not self.readonly and self.accepts is plain_text else None

    @cached_property
    def plain(self) -> type | None:
        """The type of a plain field, a text, truth or moment at a key of its own; None for others."""
        only = self._accepted[0] if set(self._accepted[1:]) <= {type(None)} else None
        plain = only in decoding.PLAIN and type(self) is Field and self.is_one_key and not self.contents
        return only if plain else None

    @cached_property
    def decode(self) -> Callable[[Any], Any]:
        """The function that decodes a slice to the declared type; the converter's hook is looked up once."""
        return decoding.decoder(self.resolved)

    @cached_property
    def _accepted(self) -> tuple[type, ...]:
        members = typing.get_args(self.resolved) if _is_union(self.resolved) else (self.resolved,)
        return tuple(typing.get_origin(member) or member for member in members)

    def check(self, value: Any) -> Any:
        """Return a value as it is stored: an enum member for a text, a plain str for a subclass, UTC for a local time.

        Raises:
            InvalidValueError: the value is not of the declared type, or cannot be sent.
        """
        if value is None and not self.removable:
            message = f"{self.name} cannot be set to None; set another value."
            raise InvalidValueError(message)
        for accepted in self._accepted:
            if isinstance(value, str) and not isinstance(value, accepted):
                if issubclass(accepted, values.OpenEnum) and not isinstance(value, values.OpenEnum):
                    return named(accepted, self.name, value)
            elif isinstance(value, accepted) and (accepted is bool or not isinstance(value, bool)):
                return self._sendable(value)
        wanted = " or ".join("None" if a is type(None) else a.__name__ for a in self._accepted)
        message = f"{self.name} takes {wanted}, not {value!r} ({type(value).__name__})."
        raise InvalidValueError(message)

    def spellings(self, value: Any) -> Sequence[Any]:
        """Return the values that mean the same as a value, which is one of them."""
        return [value]

    def _sendable(self, value: Any) -> Any:
        """Return a value of the declared type as it is stored; what JSON cannot say is refused here, not in `save`."""
        if isinstance(value, values.OpenEnum) and type(value) in self._accepted:
            plain_text(self.name, value)
        elif isinstance(value, str):
            return self.accepts(self.name, value)
        elif isinstance(value, datetime):
            return to_utc(self.name, value)
        elif not isinstance(value, bool | None):
            decoding.check_sendable(self.name, value)
        return value


def _is_union(annotation: Any) -> bool:
    return typing.get_origin(annotation) in (typing.Union, types.UnionType)


def declared(spec: Field) -> Any:
    """Declare a field by its description."""
    return attrs.field(metadata={METADATA: spec})


def field(
    wire: str = "",
    *,
    contents: bool = False,
    removable: bool = True,
    accepts: Callable[[str, str], str] = plain_text,
    doc: str = "",
) -> Any:
    """Declare a field that can be set and saved; the arguments are those of `Field`."""
    return declared(Field(wire, contents=contents, removable=removable, accepts=accepts, doc=doc))


def readonly(wire: str = "", *, contents: bool = False, doc: str = "") -> Any:
    """Declare a field that only the server sets; the arguments are those of `Field`."""
    return declared(Field(wire, readonly=True, contents=contents, doc=doc))


class PlainFields:
    """The plain fields of an entity class, read together: cheaper than opening a document for the first of them."""

    def __init__(self, cls: type[Any], fields: Mapping[str, Field]) -> None:
        self._class = cls
        self._fields = fields

    @cached_property
    def _plain(self) -> list[Field]:
        return [spec for spec in self._fields.values() if spec.plain is not None]

    @cached_property
    def setters(self) -> list[Callable[[Any, Any], None]]:
        """The functions that put the value of each into the slot of an entity."""
        return [vars(self._class)[spec.name].__set__ for spec in self._plain]

    @cached_property
    def _read(self) -> Callable[[bytes], tuple[Any, ...]]:
        return decoding.reader([(spec.wire, spec.plain) for spec in self._plain])

    def read(self, document: Document) -> tuple[Any, ...]:
        """Return their values in a document, None for each that is absent; nothing at all when one is unreadable."""
        try:
            return self._read(document.data)
        except (ValueError, OverflowError):
            return ()


def fields_of(cls: type[Any], namespace: Mapping[str, Any]) -> dict[str, Field]:
    """Return the field table of an entity class, by attribute name."""
    table: dict[str, Field] = {}
    for attribute in attrs.fields(cls):
        spec: Field = attribute.metadata[METADATA]
        spec.name, spec.wire = attribute.name, spec.wire or attribute.name
        spec.annotation, spec.namespace = attribute.type, namespace
        table[attribute.name] = spec
    return table
