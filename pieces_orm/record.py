"""What an entity knows: its document, decoded values, edits, ids of relations, and its state.

Reading a declared field decodes it once from the document; a field that is not known loads the entity. Everything that
changes a record is called under the session's lock.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import Enum
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar, cast

import attrs

from . import commands, documents, saving
from .documents import Document
from .endpoints import Kind
from .errors import (
    DecodeError,
    DeletedError,
    DetachedError,
    NotLoadedError,
    ReadOnlyFieldError,
    UnsupportedOperationError,
    UsageError,
)
from .fields import Field
from .relations import Many, Relation
from .updates import EMPTY, UNREADABLE

if TYPE_CHECKING:
    from .entity import Entity, Owner

E = TypeVar("E", bound="Entity")
_set = object.__setattr__


class State(Enum):
    """How much an entity knows, and whether it is still of use."""

    HANDLE = "handle"
    PARTIAL = "partial"
    LOADED = "loaded"
    EXPIRED = "expired"
    DELETED = "deleted"
    DETACHED = "detached"


@attrs.frozen
class Edit:
    """A value set locally, and the value that it replaced."""

    mine: Any
    base: Any


def _says_all(spec: Field, document: Document) -> bool:
    """Whether a field that a document does not have is known to be empty, not left out."""
    if spec.where is not None and document.get(spec.where[0]) is None:
        return False
    return document.complete and (document.contents or not spec.contents)


class Record:
    """The knowing half of an entity."""

    __slots__ = ("__weakref__", "_applied", "_document", "_edits", "_ids", "_owner", "_state", "id")

    kind: ClassVar[Kind]
    fields: ClassVar[Mapping[str, Field]] = {}
    relations: ClassVar[Mapping[str, Relation[Any]]] = {}
    many: ClassVar[Mapping[str, Many[Any]]] = {}

    id: str

    if TYPE_CHECKING:
        _applied: int
        _document: Document | None
        _edits: dict[str, Edit] | None
        _ids: dict[str, tuple[str, ...]] | None
        _owner: Owner
        _state: State

    # State ---------------------------------------------------------------------------------------------------------

    @property
    def state(self) -> State:
        """How much is known, and whether the material is still of use."""
        return self._state

    @property
    def owner(self) -> Owner:
        """The session that this entity belongs to."""
        return self._owner

    @property
    def document(self) -> Document | None:
        """The server's document that was applied last."""
        return self._document

    @property
    def stale(self) -> bool:
        """Whether the stream that kept this entity true is lost: a warning, reads stay free."""
        return self._owner.is_stale(self.kind)

    @property
    def edits(self) -> dict[str, Any]:
        """The values set and not yet saved, by field."""
        return {name: edit.mine for name, edit in (self._edits or {}).items()}

    def check_usable(self) -> None:
        """Raise the state's error when no request can be made for this entity any more."""
        if self._state is State.DELETED:
            message = f"{self!r} was deleted; what was known of it stays readable, but no request can be made for it."
            raise DeletedError(message)
        if self._state is State.DETACHED:
            message = f"The session of {self!r} is closed; open another and get it there."
            raise DetachedError(message)

    def check_owner(self, owner: Owner) -> None:
        """Raise when this belongs to another session."""
        if owner is not self._owner:
            message = f"{self!r} belongs to another session; sessions share nothing."
            raise UsageError(message)

    def __repr__(self) -> str:
        attribute = next((name for name in ("name", "fullpath", "text") if name in self.fields), "id")
        shown = self._shown(attribute)
        label = f" {shown[:40]!r}" if isinstance(shown, str) else ""
        return f"<{type(self).__name__}{label} {self.id} ({self._state.value})>"

    def _shown(self, name: str) -> Any:
        """The value of a field as far as it is known without a request; None when it is not."""
        spec = self.fields.get(name)
        if spec is None:
            return None
        if self._edits is not None and name in self._edits:
            return self._edits[name].mine
        held = self.held(spec)
        if held is EMPTY and self._document is not None:
            try:
                return spec.decode(spec.locate(self._document))
            except UNREADABLE:
                return None
        return None if held is EMPTY else held

    # Fields --------------------------------------------------------------------------------------------------------

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any:
            # Runs only for an empty slot; probes for undeclared names must neither fetch nor disturb anything.
            spec = type(self).fields.get(name)
            if spec is None:
                message = f"{type(self).__name__!r} object has no attribute {name!r}"
                raise AttributeError(message)
            return self._read(spec)

        def __setattr__(self, name: str, value: Any) -> None:
            spec = type(self).fields.get(name)
            if spec is not None and not spec.readonly:
                self._edit(spec, spec.check(value))
            elif spec is not None or name in Record.__slots__:
                message = f"{type(self).__name__}.{name} is set by the server alone."
                raise ReadOnlyFieldError(message)
            else:
                _set(self, name, value)

    def _read(self, spec: Field) -> Any:
        for _ in range(2):
            with self._owner.lock:
                held = self.held(spec)
                if held is not EMPTY:
                    return held
                document = self._document
                if document is not None and self._state is not State.EXPIRED:
                    raw = spec.locate(document)
                    if raw is not None or _says_all(spec, document):
                        value = self.decode(spec, document)
                        _set(self, spec.name, value)
                        return value
            self._autoload(spec.name)
            if spec.where is not None and self._state is State.LOADED:
                assert document is not None
                value = self.decode(spec, commands.with_members(cast("Entity", self), spec.where[0], document))
                _set(self, spec.name, value)
                return value
            contents = spec.contents
            self._load({"transferables": True, "transferable": True} if contents else None)
        message = f"The server does not send {spec.wire!r} of {self!r}."
        raise DecodeError(message, kind=self.kind.name, id=self.id, field=spec.name)

    def decode(self, spec: Field, document: Document) -> Any:
        """The value of a field in a document.

        Raises:
            DecodeError: the field is missing or not of its type; the other fields stay usable.
        """
        raw = spec.locate(document)
        if raw is None and spec.optional:
            return None
        try:
            return spec.decode(raw)
        except UNREADABLE as error:
            what = (
                "is missing"
                if raw is None
                else f"cannot be read ({error}): {bytes(raw)[:200].decode(errors='replace')}"
            )
            message = f"{spec.wire!r} of {self.kind.name} {self.id} {what}. The other fields stay usable."
            value = None if raw is None else bytes(raw).decode(errors="replace")
            raise DecodeError(message, kind=self.kind.name, id=self.id, field=spec.name, value=value) from error

    def _autoload(self, name: str) -> None:
        self.check_usable()
        if not self._owner.autoload:
            message = f"{name} of {self!r} is not loaded, and autoload is off: call refresh() first."
            raise NotLoadedError(message)

    def _load(self, query: Mapping[str, Any] | None = None, origin: str = "refresh") -> None:
        saving.load(cast("Entity", self), query or {}, origin)

    def _edit(self, spec: Field, value: Any) -> None:
        self.check_usable()
        if self._state is not State.LOADED:
            self._autoload(spec.name)
            self._load()
        self.check_settable(spec)
        current = getattr(self, spec.name)  # decodes, and loads contents: an edit needs its base
        with self._owner.lock:
            edits = dict(self._edits or {})
            base = edits[spec.name].base if spec.name in edits else current
            if self._says(spec, value) and not self._owner.map.writes_of(self.kind, self.id):
                edits.pop(spec.name, None)
            else:
                # While a save is under way, setting a field back has to win over its answer.
                edits[spec.name] = Edit(value, base)
            _set(self, "_edits", edits or None)
            _set(self, spec.name, value)
            (self._owner.map.hold if edits else self._owner.map.release)(cast("Entity", self))

    def check_settable(self, spec: Field) -> None:
        """Raise when this entity is not one whose field can be set."""
        if spec.check_entity is not None:
            getattr(self, spec.check_entity)(spec.name)

    def _says(self, spec: Field, value: Any) -> bool:
        """Whether the present document has this value already."""
        if self._edits is None or spec.name not in self._edits:
            held = self.held(spec)
        else:
            assert self._document is not None
            held = self.decode(spec, self._document)
        return type(held) is type(value) and bool(held == value)

    # What `updates`, `saving` and the identity map do to an entity, under the lock -----------------------------------

    def held(self, spec: Field) -> Any:
        """The decoded value of a field, its edit left aside; EMPTY when it is not decoded."""
        if self._edits is not None and spec.name in self._edits:
            return self._edits[spec.name].base
        try:
            return object.__getattribute__(self, spec.name)
        except AttributeError:
            return EMPTY

    def hold(self, spec: Field, value: Any) -> None:
        """Keep a decoded value, unless the field is edited."""
        if value is not EMPTY and (self._edits is None or spec.name not in self._edits):
            _set(self, spec.name, value)

    def drop(self, spec: Field) -> None:
        """Forget a decoded value, unless the field is edited."""
        if (self._edits is None or spec.name not in self._edits) and self.held(spec) is not EMPTY:
            object.__delattr__(self, spec.name)

    def forget_decoded(self) -> None:
        """Forget all decoded values and ids; edits stay."""
        for spec in self.fields.values():
            self.drop(spec)
        _set(self, "_ids", None)

    def accept(self, document: Document | None, state: State | None = None) -> None:
        """Take a document as one's own."""
        if document is not None:
            _set(self, "_document", document)
            state = state or (State.LOADED if document.complete else State.PARTIAL)
        _set(self, "_state", state)

    def expired(self, number: int) -> None:
        """Forget what is known; answers to requests before this number are of no use any more."""
        self.forget_decoded()
        self.accept(None, State.EXPIRED)
        _set(self, "_applied", number)

    def forget_edits(self, sent: Mapping[str, Edit]) -> None:
        """Forget the edits that were sent; one that was set anew meanwhile stays, on what was sent as its base."""
        edits = dict(self._edits or {})
        for name, edit in sent.items():
            current = edits.pop(name, None)
            if current is not None and (type(current.mine) is not type(edit.mine) or current.mine != edit.mine):
                edits[name] = Edit(current.mine, edit.mine)
            elif current is not None and name in self.fields:
                object.__delattr__(self, name)
        _set(self, "_edits", edits or None)
        if not edits:
            self._owner.map.release(cast("Entity", self))

    def revert(self, *names: str) -> None:
        """Give up edits: those named, or all."""
        with self._owner.lock:
            edits = dict(self._edits or {})
            for name in names or tuple(edits):
                if edits.pop(name, None) is not None:
                    object.__delattr__(self, name)
            _set(self, "_edits", edits or None)
            if not edits:
                self._owner.map.release(cast("Entity", self))

    def restore(self, before: Mapping[str, Edit]) -> None:
        """Take back the edits that were set since."""
        with self._owner.lock:
            for name, edit in self.pending().items():
                if name not in before:
                    object.__delattr__(self, name)
                elif before[name] != edit:
                    _set(self, name, before[name].mine)
            _set(self, "_edits", dict(before) or None)
            if not before:
                self._owner.map.release(cast("Entity", self))

    def pending(self) -> dict[str, Edit]:
        """The edits with the values they replaced."""
        return dict(self._edits or {})

    @property
    def applied(self) -> int:
        """The number of the request whose answer was applied last."""
        return self._applied

    # Relations -----------------------------------------------------------------------------------------------------

    def cached_ids(self, relation: Relation[Any]) -> tuple[str, ...] | None:
        """The decoded ids of a relation, or None."""
        return None if self._ids is None else self._ids.get(relation.name)

    def cache_ids(self, relation: Relation[Any], ids: tuple[str, ...]) -> None:
        """Keep the ids of a relation."""
        _set(self, "_ids", {**(self._ids or {}), relation.name: ids})

    def known_ids(self, relation: Relation[Any]) -> tuple[str, ...] | None:
        """The ids of a relation as far as they are known without a request; None when they are not."""
        with self._owner.lock:
            ids = self.cached_ids(relation)
            if ids is not None:
                return ids
            document = self._document
            ids = None if document is None else relation.ids_in(document)
            if ids is not None:
                self.cache_ids(relation, ids)
            return ids

    def relation_ids(self, relation: Relation[Any]) -> tuple[str, ...]:
        """The ids of a relation; an unknown one is asked for: of its family, else by a full read."""
        for attempt in range(2):
            ids = self.known_ids(relation)
            if ids is not None and self._state is not State.EXPIRED:
                return ids
            if self._state is State.LOADED:
                self._autoload(relation.name)
                self._owner.learn(relation, [cast("Entity", self)])
                ids = self.known_ids(relation)
                if ids is not None:
                    return ids
            if attempt == 0:
                self._autoload(relation.name)
                self._load()
        other_side = (
            "" if relation.back is None else f" Ask from the other side: {relation.target.__name__}.{relation.back}."
        )
        message = f"This server does not tell {relation.name} of {self!r}: it is unknown, not empty.{other_side}"
        raise UnsupportedOperationError(message)

    def related_entities(self, relation: Relation[E], ids: Sequence[str]) -> list[E]:
        """The entities with these ids; those that are not loaded are filled from the nested copies of this document."""
        target = relation.target
        entities = [self._owner.map.ref(target, id) for id in ids]
        if any(entity.state in (State.HANDLE, State.PARTIAL) for entity in entities):
            document = self._document
            raw = None if document is None else document.get(relation.wire)
            if document is not None and raw is not None:
                wanted = set(ids)
                for id, copy in documents.nested(raw, contents=document.contents):
                    if id in wanted:
                        self._owner.map.fill(target, id, copy, self._applied)
        return entities
