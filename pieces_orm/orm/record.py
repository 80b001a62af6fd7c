"""What an entity knows: its document, decoded values, edits, ids of relations, and its state.

Reading a declared field decodes it once from the document; a field that is not known loads the entity. Everything that
changes a record is called under the session's lock.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar, cast

from msgspec import Raw

from ..documents import answers
from ..documents.document import Document
from ..errors import (
    DecodeError,
    DeletedError,
    DetachedError,
    NotLoadedError,
    ReadOnlyFieldError,
    UnsupportedOperationError,
    UsageError,
)
from ..model.diff import EMPTY, UNREADABLE
from ..model.fields import Field, PlainFields
from ..model.relation import Relation
from ..model.state import DELETED, DETACHED, EXPIRED, HANDLE, LOADED, PARTIAL, Edit, Knowledge, State
from ..wire.kinds import Kind
from . import associating, persistence
from .relations import Many

if TYPE_CHECKING:
    from .entity import Entity, Owner

E = TypeVar("E", bound="Entity")
_set = object.__setattr__


class Record:
    """The knowing half of an entity."""

    __slots__ = ("__weakref__", "id", "knowledge")

    kind: ClassVar[Kind]
    fields: ClassVar[Mapping[str, Field]] = {}
    plain: ClassVar[PlainFields]
    relations: ClassVar[Mapping[str, Relation[Any]]] = {}
    many: ClassVar[Mapping[str, Many[Any]]] = {}

    id: str

    if TYPE_CHECKING:
        knowledge: Knowledge

    # State ---------------------------------------------------------------------------------------------------------

    @property
    def state(self) -> State:
        """How much is known, and whether the material is still of use."""
        return self.knowledge.state

    @property
    def owner(self) -> Owner:
        """The session that this entity belongs to."""
        return self.knowledge.owner

    @property
    def document(self) -> Document | None:
        """The server's document that was applied last."""
        return self.knowledge.document

    @property
    def stale(self) -> bool:
        """Whether the stream that kept this entity true is lost: a warning, reads stay free."""
        return self.knowledge.owner.is_stale(self.kind)

    @property
    def edits(self) -> dict[str, Any]:
        """The values set and not yet saved, by field."""
        return {name: edit.mine for name, edit in self.pending().items()}

    def check_usable(self) -> None:
        """Raise the state's error when no request can be made for this entity any more."""
        if self.knowledge.state is DELETED:
            message = f"{self!r} was deleted; what was known of it stays readable, but no request can be made for it."
            raise DeletedError(message)
        if self.knowledge.state is DETACHED:
            message = f"The session of {self!r} is closed; open another and get it there."
            raise DetachedError(message)

    def check_owner(self, owner: Owner) -> None:
        """Raise when this belongs to another session."""
        if owner is not self.knowledge.owner:
            message = f"{self!r} belongs to another session; sessions share nothing."
            raise UsageError(message)

    def __repr__(self) -> str:
        attribute = next((name for name in ("name", "fullpath", "text") if name in self.fields), "id")
        shown = self._shown(attribute)
        label = f" {shown[:40]!r}" if isinstance(shown, str) else ""
        return f"<{type(self).__name__}{label} {self.id} ({self.knowledge.state.value})>"

    def _shown(self, name: str) -> Any:
        """The value of a field as far as it is known without a request; None when it is not."""
        spec = self.fields.get(name)
        if spec is None:
            return None
        if self.knowledge.edits is not None and name in self.knowledge.edits:
            return self.knowledge.edits[name].mine
        held = self.held(spec)
        if held is EMPTY and self.knowledge.document is not None:
            try:
                return spec.decode(spec.locate(self.knowledge.document))
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
            if spec is not None and type(value) is spec.unchecked and self._edit_again(name, value):
                return
            if spec is not None and not spec.readonly:
                self._edit(spec, spec.check(value))
            elif spec is not None or name in Record.__slots__:
                message = f"{type(self).__name__}.{name} is set by the server alone."
                raise ReadOnlyFieldError(message)
            else:
                _set(self, name, value)

    def _read(self, spec: Field) -> Any:
        knowledge = self.knowledge
        for _ in range(2):
            with knowledge.owner.lock:
                document = knowledge.document
                if knowledge.edits is not None and (held := self.held(spec)) is not EMPTY:
                    return held
                if document is not None and knowledge.state is not EXPIRED:
                    if spec.plain and document.is_unopened and knowledge.edits is None:
                        self._read_plain(document)
                        if (value := self.held(spec)) is not EMPTY:
                            return value
                    raw = spec.locate(document)
                    if raw is not None or spec.is_told_by(document):
                        value = self._decoded(spec, raw)
                        _set(self, spec.name, value)
                        return value
            self._autoload(spec.name)
            if spec.where is not None and self.knowledge.state is LOADED:
                assert document is not None
                value = self.decode(spec, associating.with_members(cast("Entity", self), spec.where[0], document))
                _set(self, spec.name, value)
                return value
            contents = spec.contents
            self._load({"transferables": True, "transferable": True} if contents else None)
        message = f"The server does not send {spec.wire!r} of {self!r}."
        raise DecodeError(message, kind=self.kind.name, id=self.id, field=spec.name)

    def _read_plain(self, document: Document) -> None:
        """Decode the plain fields of a document together, which costs less than opening it for the first of them."""
        plain = type(self).plain
        for put, value in zip(plain.setters, plain.read(document)):  # noqa: B905 no values when one cannot be read
            if value is not None:
                put(self, value)

    def decode(self, spec: Field, document: Document) -> Any:
        """The value of a field in a document.

        Raises:
            DecodeError: the field is missing or not of its type; the other fields stay usable.
        """
        return self._decoded(spec, spec.locate(document))

    def _decoded(self, spec: Field, raw: Raw | None) -> Any:
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
        if not self.knowledge.owner.autoload:
            message = f"{name} of {self!r} is not loaded, and autoload is off: call refresh() first."
            raise NotLoadedError(message)

    def _load(self, query: Mapping[str, Any] | None = None, origin: str = "refresh") -> None:
        persistence.load(cast("Entity", self), query or {}, origin)

    def _edit_again(self, name: str, value: Any) -> bool:
        """Set a field that has an edit; False when there is more to it than that."""
        knowledge = self.knowledge
        with knowledge.owner.lock:
            edits = knowledge.edits
            if edits is None or (edit := edits.get(name)) is None or knowledge.state is not LOADED:
                return False
            if edit.seen is not knowledge.document or value == edit.base:
                return False
            # The document still has the value that was replaced, and this is another.
            edits[name] = Edit(value, edit.base, edit.seen)
            _set(self, name, value)
            return True

    def _edit(self, spec: Field, value: Any) -> None:
        knowledge, name = self.knowledge, spec.name
        self.check_usable()
        if knowledge.state is not LOADED:
            self._autoload(name)
            self._load()
        self.check_settable(spec)
        current = getattr(self, name)  # decodes, and loads contents: an edit needs its base
        with knowledge.owner.lock:
            edits = self.pending()
            base = edits[name].base if name in edits else current
            if self._says(spec, value) and not knowledge.owner.map.writes_of(self.kind, self.id):
                edits.pop(name, None)
            else:
                # While a save is under way, setting a field back has to win over its answer.
                edits[name] = Edit(value, base, knowledge.document if name not in edits else edits[name].seen)
            self._keep_edits(edits)
            _set(self, name, value)
            if edits:
                knowledge.owner.map.hold(cast("Entity", self))

    def _keep_edits(self, edits: dict[str, Edit]) -> None:
        """Make these the edits; an entity without edits lives only as long as somebody holds it."""
        self.knowledge.edits = edits or None
        if not edits:
            self.knowledge.owner.map.release(cast("Entity", self))

    def check_settable(self, spec: Field) -> None:
        """Raise when this entity is not one whose field can be set."""
        if spec.check_entity is not None:
            getattr(self, spec.check_entity)(spec.name)

    def _says(self, spec: Field, value: Any) -> bool:
        """Whether the present document has this value already."""
        if self.knowledge.edits is None or spec.name not in self.knowledge.edits:
            held = self.held(spec)
        else:
            assert self.knowledge.document is not None
            held = self.decode(spec, self.knowledge.document)
        return type(held) is type(value) and bool(held == value)

    # What `updates`, `saving` and the identity map do to an entity, under the lock -----------------------------------

    def held(self, spec: Field) -> Any:
        """The decoded value of a field, its edit left aside; EMPTY when it is not decoded."""
        if self.knowledge.edits is not None and spec.name in self.knowledge.edits:
            return self.knowledge.edits[spec.name].base
        try:
            return object.__getattribute__(self, spec.name)
        except AttributeError:
            return EMPTY

    def hold(self, spec: Field, value: Any) -> None:
        """Keep a decoded value, unless the field is edited."""
        if value is not EMPTY and (self.knowledge.edits is None or spec.name not in self.knowledge.edits):
            _set(self, spec.name, value)

    def drop(self, spec: Field) -> None:
        """Forget a decoded value, unless the field is edited."""
        if (self.knowledge.edits is None or spec.name not in self.knowledge.edits) and self.held(spec) is not EMPTY:
            object.__delattr__(self, spec.name)

    def forget_decoded(self) -> None:
        """Forget all decoded values and ids; edits stay."""
        for spec in self.fields.values():
            self.drop(spec)
        self.knowledge.ids = None

    def accept(self, document: Document | None, state: State | None = None) -> None:
        """Take a document as one's own."""
        if document is not None:
            self.knowledge.document = document
            state = state or (LOADED if document.complete else PARTIAL)
        if state is not None:
            self.knowledge.state = state

    def expired(self, number: int) -> None:
        """Forget what is known; answers to requests before this number are of no use any more."""
        self.forget_decoded()
        self.accept(None, EXPIRED)
        self.knowledge.applied = number

    def forget_edits(self, sent: Mapping[str, Edit]) -> None:
        """Forget the edits that were sent; one that was set anew meanwhile stays, on what was sent as its base."""
        edits = self.pending()
        for name, edit in sent.items():
            current = edits.pop(name, None)
            if current is not None and (type(current.mine) is not type(edit.mine) or current.mine != edit.mine):
                edits[name] = Edit(current.mine, edit.mine)
            elif current is not None and name in self.fields:
                object.__delattr__(self, name)
        self._keep_edits(edits)

    def revert(self, *names: str) -> None:
        """Give up edits: those named, or all."""
        with self.knowledge.owner.lock:
            edits = self.pending()
            for name in names or tuple(edits):
                if edits.pop(name, None) is not None:
                    object.__delattr__(self, name)
            self._keep_edits(edits)

    def restore(self, before: Mapping[str, Edit]) -> None:
        """Take back the edits that were set since."""
        with self.knowledge.owner.lock:
            for name, edit in self.pending().items():
                if name not in before:
                    object.__delattr__(self, name)
                elif before[name] != edit:
                    _set(self, name, before[name].mine)
            self._keep_edits(dict(before))

    def pending(self) -> dict[str, Edit]:
        """The edits with the values they replaced."""
        return dict(self.knowledge.edits or {})

    @property
    def applied(self) -> int:
        """The number of the request whose answer was applied last."""
        return self.knowledge.applied

    # Relations -----------------------------------------------------------------------------------------------------

    def cached_ids(self, relation: Relation[Any]) -> tuple[str, ...] | None:
        """The decoded ids of a relation, or None."""
        return None if self.knowledge.ids is None else self.knowledge.ids.get(relation.name)

    def cache_ids(self, relation: Relation[Any], ids: tuple[str, ...]) -> None:
        """Keep the ids of a relation."""
        self.knowledge.ids = {**(self.knowledge.ids or {}), relation.name: ids}

    def known_ids(self, relation: Relation[Any]) -> tuple[str, ...] | None:
        """The ids of a relation as far as they are known without a request; None when they are not."""
        with self.knowledge.owner.lock:
            ids = self.cached_ids(relation)
            if ids is not None:
                return ids
            document = self.knowledge.document
            ids = None if document is None else relation.ids_in(document)
            if ids is not None:
                self.cache_ids(relation, ids)
            return ids

    def relation_ids(self, relation: Relation[Any]) -> tuple[str, ...]:
        """The ids of a relation; an unknown one is asked for: of its family, else by a full read."""
        for attempt in range(2):
            ids = self.known_ids(relation)
            if ids is not None and self.knowledge.state is not EXPIRED:
                return ids
            if self.knowledge.state is LOADED:
                self._autoload(relation.name)
                self.knowledge.owner.learn(relation, [cast("Entity", self)])
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
        entities = [self.knowledge.owner.map.ref(target, id) for id in ids]
        if any(entity.state in (HANDLE, PARTIAL) for entity in entities):
            document = self.knowledge.document
            raw = None if document is None else document.get(relation.wire)
            if document is not None and raw is not None:
                wanted = set(ids)
                for id, copy in answers.nested(raw, contents=document.contents):
                    if id in wanted:
                        self.knowledge.owner.map.fill(target, id, copy, self.knowledge.applied)
        return entities
