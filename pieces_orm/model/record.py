"""Records: the state that an entity keeps, apart from what it can do.

Decoded values of fields are slots of the record itself, everything else is its `EntityState`. The functions here read
and change that state and never make a request; whatever changes a record is called under the session's lock.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any, ClassVar

import attrs
import msgspec
from msgspec import Raw

from ..documents.document import Document
from ..errors import DecodeError, DeletedError, DetachedError, printable
from ..wire.kinds import Kind
from .editing import Editing
from .fields import Field, PlainFields
from .natural_key import NaturalKey
from .relation import Relation
from .state import DELETED, DETACHED, EXPIRED, Edit, EntityState

# Stands for a value that is not known, where None is a value.
EMPTY: Any = object()
# Errors that decoding raises when a slice is not of the declared type.
UNREADABLE = (ValueError, TypeError, KeyError, AttributeError, OverflowError)

_set = object.__setattr__


class Unreadable(msgspec.Struct, frozen=True):
    """The base of an edit of a field that could not be decoded: its slice, None where it was missing."""

    slice: bytes | None

    @property
    def text(self) -> str | None:
        """The slice as text, for people."""
        return None if self.slice is None else self.slice.decode(errors="replace")


@attrs.define(eq=False, slots=False)
class Schema:
    """The declarations of a class: its kind, fields and relations."""

    kind: Kind
    fields: Mapping[str, Field]
    relations: Mapping[str, Relation[Any]]
    plain: PlainFields

    @cached_property
    def declared(self) -> frozenset[str]:
        """The names of fields and relations."""
        return frozenset({*self.fields, *self.relations})

    @cached_property
    def many(self) -> Mapping[str, Relation[Any]]:
        """The to-many relations."""
        return {name: relation for name, relation in self.relations.items() if relation.is_many}

    @cached_property
    def copied(self) -> frozenset[str]:
        """The to-many relations whose members' copies fields are read from."""
        return frozenset(spec.copied_from for spec in self.fields.values() if spec.copied_from)

    @cached_property
    def copied_by(self) -> frozenset[str]:
        """The relations to materials that have fields which are read from their copies of this one."""
        names = [relation.name for relation, _ in self.copying]
        return frozenset(names + [alias.name for name in names for alias in self.aliases[name]])

    @cached_property
    def copied_fields(self) -> frozenset[str]:
        """The names of the fields that are read from copies of related materials."""
        return frozenset(spec.name for spec in self.fields.values() if spec.copied_from)

    @cached_property
    def copying(self) -> list[tuple[Relation[Any], Relation[Any]]]:
        """The relations to materials that keep copies of this one, each with its inverse."""
        inverses = ((relation, relation.inverse) for relation in self.relations.values())
        return [(each, back) for each, back in inverses if back and back.name in back.owner._schema.copied]

    @cached_property
    def aliases(self) -> Mapping[str, list[Relation[Any]]]:
        """The to-one relations that name one of the members of each to-many relation."""
        ones = [each for each in self.relations.values() if not each.is_many and not each.is_told]
        return {name: [each for each in ones if each.target is relation.target] for name, relation in self.many.items()}

    @cached_property
    def fields_by_key(self) -> Mapping[str, list[Field]]:
        """The fields that are read from each top-level key of a document."""
        found: dict[str, list[Field]] = {}
        for spec in self.fields.values():
            for key in spec.keys:
                found.setdefault(key, []).append(spec)
        return found

    @cached_property
    def relations_by_key(self) -> Mapping[str, list[Relation[Any]]]:
        """The relations that are read from each top-level key of a document."""
        found: dict[str, list[Relation[Any]]] = {}
        for relation in self.relations.values():
            found.setdefault(relation.key, []).append(relation)
        return found

    @cached_property
    def sometimes_unsaid(self) -> list[Field]:
        """The fields of which a complete document may say nothing: contents, and those read from a relation."""
        return [
            spec for spec in self.fields.values() if spec.contents or type(spec).is_left_out is not Field.is_left_out
        ]


class Record:
    """The state of one material in one session; `Entity` adds what users can do with it."""

    __slots__ = ("__weakref__", "_context", "_state", "id")

    _schema: ClassVar[Schema]
    _registry: ClassVar[dict[str, type[Any]]] = {}
    _natural_key: ClassVar[NaturalKey | None] = None

    id: str
    _state: EntityState
    # A `Context`; its type lies above this module.
    _context: Any

    def __repr__(self) -> str:
        attribute = next((name for name in ("name", "fullpath", "text") if name in self._schema.fields), "id")
        known = known_value(self, attribute)
        if not isinstance(known, str) and self._natural_key is not None and not self._natural_key.through:
            known = next(iter(self._natural_key.known(self) or ()), None)
        label = f" {known[:40]!r}" if isinstance(known, str) else ""
        return f"<{type(self).__name__}{label} {printable(self.id)} ({self._state.state.value})>"


def check_usable(record: Record) -> None:
    """Raise the state's error when no request can be made for a record any more."""
    if record._state.state is DELETED:
        message = f"{record!r} was deleted; what was known of it stays readable, but no request can be made for it."
        raise DeletedError(message)
    if record._state.state is DETACHED:
        message = f"The session of {record!r} is closed; open another and get it there."
        raise DetachedError(message)


# Decoded values -----------------------------------------------------------------------------------------------------


def cached(record: Record, spec: Field) -> Any:
    """Return the decoded value of a field, its edit left aside; EMPTY when it is not decoded, or cannot be."""
    state = record._state
    if state.is_edited(spec.name):
        assert state.edits is not None
        base = state.edits[spec.name].base
        return EMPTY if type(base) is Unreadable else base
    try:
        return object.__getattribute__(record, spec.name)
    except AttributeError:
        return EMPTY


def cache(record: Record, spec: Field, value: Any) -> None:
    """Keep a decoded value, unless the field is edited."""
    if value is not EMPTY and not record._state.is_edited(spec.name):
        _set(record, spec.name, value)


def evict(record: Record, spec: Field) -> None:
    """Forget a decoded value, unless the field is edited."""
    if not record._state.is_edited(spec.name) and cached(record, spec) is not EMPTY:
        object.__delattr__(record, spec.name)


def evict_all(record: Record) -> None:
    """Forget all decoded values and ids; edits stay."""
    for spec in record._schema.fields.values():
        evict(record, spec)
    record._state.ids = None


def expire(record: Record, number: int) -> None:
    """Forget what is known; answers to requests before this number are of no use any more.

    What was known is kept for comparison with what is read next: values in the document, the rest as former ones.
    """
    state = record._state
    former = {
        spec.name: value
        for spec in record._schema.fields.values()
        if spec.copied_from and not state.is_edited(spec.name) and (value := cached(record, spec)) is not EMPTY
    }
    for name, ids in (state.ids or {}).items():
        state.age_ids(name, ids)
    evict_all(record)
    for name, value in former.items():
        state.age_value(name, value)
    state.state = EXPIRED
    state.applied = number


def decode(record: Record, spec: Field, document: Document) -> Any:
    """Return the value of a field in a document.

    Raises:
        DecodeError: the field is missing or not of its type; the other fields stay usable.
    """
    return decode_slice(record, spec, spec.locate(document))


def decode_slice(record: Record, spec: Field, raw: Raw | None) -> Any:
    """Return the value of a field from its slice; for the error see `decode`."""
    if raw is None and spec.optional:
        return None
    try:
        return spec.decode(raw)
    except UNREADABLE as error:
        value = None if raw is None else bytes(raw).decode(errors="replace")
        problem = "is missing" if value is None else f"cannot be read ({error}): {value[:200]}"
        kind = record._schema.kind.name
        message = f"{spec.wire!r} of {kind} {record.id} {problem}. The other fields stay usable."
        raise DecodeError(message, kind=kind, id=record.id, field=spec.name, value=value) from error


def decode_or_keep(record: Record, spec: Field, document: Document) -> Any:
    """Return the value of a field in a document; its slice as `Unreadable` where that cannot be decoded."""
    try:
        return decode(record, spec, document)
    except DecodeError:
        return unreadable(spec, document)


def unreadable(spec: Field, document: Document | None) -> Unreadable:
    """Return the slice of a field that cannot be decoded."""
    try:
        raw = None if document is None else spec.locate(document)
    except DecodeError:
        raw = None
    return Unreadable(None if raw is None else bytes(raw))


def try_decode(spec: Field, raw: Raw | None) -> Any:
    """Return a slice as a value; EMPTY when it cannot be decoded (reading the field will say why)."""
    if raw is None:
        return None
    try:
        return spec.decode(raw)
    except UNREADABLE:
        return EMPTY


def known_value(record: Record, name: str) -> Any:
    """Return the value of a field as far as it is known without a request; None when it is not."""
    spec, state = record._schema.fields.get(name), record._state
    if spec is None:
        return None
    if state.is_edited(name):
        assert state.edits is not None
        return state.edits[name].mine
    value = cached(record, spec)
    if value is EMPTY and state.document is not None:
        try:
            value = spec.decode(raw) if (raw := spec.locate(state.document)) is not None else None
        except UNREADABLE:
            return None
    return None if value is EMPTY else value


# Related ids ----------------------------------------------------------------------------------------------------------


def known_ids(record: Record, relation: Relation[Any]) -> tuple[str, ...] | None:
    """Return the ids of a relation as far as they are known without a request; None when they are not.

    Raises:
        DecodeError: the document's slice is not a relation.
    """
    state = record._state
    ids = state.cached_ids(relation.name)
    if ids is None and state.document is not None:
        ids = relation.ids_in(state.document)
        if ids is not None:
            state.cache_ids(relation.name, ids)
    return ids


def readable_ids(record: Record, relation: Relation[Any]) -> tuple[str, ...] | None:
    """Return the known ids of a relation; None also when they cannot be read, so that the others stay in step."""
    try:
        return known_ids(record, relation)
    except DecodeError:
        return None


# Edits ----------------------------------------------------------------------------------------------------------------


def editing_of(record: Record) -> Editing[Edit]:
    """Return who edits a record, under the session's lock."""
    state = record._state
    if state.editing is None:
        state.editing = Editing()
    return state.editing


def own_edits(record: Record, thread: int) -> dict[str, Edit]:
    """Return the edits of a thread: all without what open blocks of other threads have set."""
    state = record._state
    return state.pending() if state.editing is None else state.editing.without_others(state.pending(), thread)


def forget_edits(record: Record, sent: Mapping[str, Edit]) -> dict[str, Edit]:
    """Return the edits without those that were sent; one that was set anew meanwhile stays, based on what was sent."""
    editing = record._state.editing
    edits = record._state.pending()
    for name, edit in sent.items():
        current = edits.pop(name, None)
        if current is not None and (type(current.mine) is not type(edit.mine) or current.mine != edit.mine):
            edits[name] = Edit(current.mine, edit.mine)
            if editing is not None:
                editing.note_saved(name, edit)
        else:
            if editing is not None:
                editing.forget(name)
            if current is not None and name in record._schema.fields:
                object.__delattr__(record, name)
    return edits


def revert_edits(record: Record, names: tuple[str, ...]) -> dict[str, Edit]:
    """Return the edits without those named, or none of them; their slots are emptied."""
    editing = record._state.editing
    edits = record._state.pending()
    for name in names or tuple(edits):
        if editing is not None:
            editing.forget(name)
        if edits.pop(name, None) is not None:
            object.__delattr__(record, name)
    return edits


def restore_edits(record: Record, before: Mapping[str, Edit]) -> dict[str, Edit]:
    """Return the edits as they were before; slots of those set since are emptied or put back."""
    edits = record._state.pending()
    for name in edits.keys() - before.keys():
        object.__delattr__(record, name)
    for name, edit in before.items():
        if edits.get(name) is not edit:
            _set(record, name, edit.mine)
    return dict(before)
