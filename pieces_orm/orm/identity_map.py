"""The identity map: one object per material, held weakly, under the session's one lock.

`adopt` and `ref` are the only birthplaces of entities. Each request carries a number; what an older answer says never
wins over what a newer one, a deletion or an association has said since.
"""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

from attrs import frozen

from ..errors import DecodeError
from ..model import diff
from ..model.diff import Changes
from ..model.state import DELETED, DETACHED, HANDLE, LOADED, PARTIAL, Knowledge
from .entity import Entity
from .weak_values import WeakMap

if TYPE_CHECKING:
    from ..documents.document import Document
    from ..model.relation import Relation
    from ..signals import Signal
    from ..wire.kinds import Kind
    from .entity import Owner

E = TypeVar("E", bound=Entity)
_set = object.__setattr__


@frozen
class _Link:
    """An association made or undone, remembered for as long as an older answer may still arrive."""

    number: int
    entity: Entity
    relation: Relation[Any]
    id: str
    present: bool


class IdentityMap:
    """All living entities of one session, by kind and id."""

    def __init__(self, owner: Owner) -> None:
        self.lock = threading.RLock()
        self._owner = owner
        self._entities: defaultdict[str, WeakMap[Entity]] = defaultdict(WeakMap)
        self._edited: dict[int, Entity] = {}
        self._clock = 0
        self._under_way: set[int] = set()
        self._tombstones: dict[tuple[str, str], int] = {}
        # When a stream said last that a material changed, as long as an answer from before may still arrive.
        self._news: dict[tuple[str, str], int] = {}
        self._links: list[_Link] = []
        self._writes: dict[int, tuple[str, str | None]] = {}
        self._editing: set[int] = set()
        self._detached = False

    # Numbers -------------------------------------------------------------------------------------------------------

    def now(self) -> int:
        """The next number: anything that was asked for before is older."""
        with self.lock:
            self._clock += 1
            return self._clock

    @contextmanager
    def request(self) -> Iterator[int]:
        """Number a request, for as long as it is under way."""
        with self.lock:
            number = self.now()
            self._under_way.add(number)
        try:
            yield number
        finally:
            with self.lock:
                self._under_way.discard(number)
                oldest = min(self._under_way, default=self._clock + 1)
                self._links = [link for link in self._links if link.number > oldest]
                if self._tombstones:
                    self._tombstones = {key: at for key, at in self._tombstones.items() if at > oldest}
                if self._news:
                    self._news = {key: at for key, at in self._news.items() if at > oldest}

    @contextmanager
    def writing(self, kind: Kind, id: str | None = None) -> Iterator[None]:
        """Mark a write as under way, until its answer is applied; without an id, a create."""
        with self.lock:
            number = self.now()
            self._writes[number] = (kind.name, id)
        try:
            yield
        finally:
            with self.lock:
                del self._writes[number]

    def writes_of(self, kind: Kind, id: str | None) -> frozenset[int]:
        """The writes of one material that are under way now; without an id, the creates of a kind."""
        with self.lock:
            return frozenset(number for number, key in self._writes.items() if key == (kind.name, id))

    def are_written(self, numbers: frozenset[int]) -> bool:
        """Whether none of these writes is under way any more."""
        with self.lock:
            return numbers.isdisjoint(self._writes)

    # Birth and look-up ---------------------------------------------------------------------------------------------

    def peek(self, cls: type[E], id: str) -> E | None:
        """The entity with this id, if it is alive."""
        # Looked at without the lock, so nothing may be put in here.
        entities = self._entities.get(cls.kind.name)
        found: Any = None if entities is None else entities.get(id)
        return found  # type: ignore[no-any-return]

    def alive(self, cls: type[E]) -> list[E]:
        """All living entities of a class."""
        with self.lock:
            found: list[Any] = self._entities[cls.kind.name].values()
        return found

    def ref(self, cls: type[E], id: str) -> E:
        """The entity with this id; a handle when nothing is known of it."""
        with self.lock:
            return self.peek(cls, id) or self._born(cls, id)

    def _born(self, cls: type[E], id: str) -> E:
        entity = cls.__new__(cls)
        _set(entity, "id", id)
        _set(entity, "knowledge", Knowledge(self._owner, DETACHED if self._detached else HANDLE))
        self._entities[cls.kind.name].put(id, entity)
        return entity

    def adopt(self, cls: type[E], id: str, document: Document, number: int, origin: str) -> E | None:
        """The entity for a document, fresh; None when it was deleted after the document was asked for."""
        with self.lock:
            if self._tombstones.get((cls.kind.name, id), -1) > number:
                return None
            entity = self.ref(cls, id)
            changes = self.merge(entity, document, number)
        self.finish(entity, changes, origin)
        return entity

    def adopt_page(self, cls: type[E], page: Iterable[tuple[str, Document]], number: int, origin: str) -> list[E]:
        """The entities for the documents of one answer, fresh; those that were deleted since are left out."""
        adopted: list[E] = []
        known: list[tuple[E, Changes]] = []
        with self.lock:
            entities, new = self._entities[cls.kind.name], cls.__new__
            nothing_said = not self._tombstones and not self._news and not self._detached
            for id, document in page:
                found: Any = entities.get(id)
                if found is None and nothing_said:
                    # Most of a first page: nothing was known, so nothing has changed and there is nothing to put back.
                    found = new(cls)
                    _set(found, "id", id)
                    state = LOADED if document.complete else PARTIAL
                    _set(found, "knowledge", Knowledge(self._owner, state, document, number))
                    entities.put(id, found)
                elif self._tombstones.get((cls.kind.name, id), -1) > number:
                    continue
                else:
                    found = found or self._born(cls, id)
                    known.append((found, self.merge(found, document, number)))
                adopted.append(found)
        for entity, changes in known:
            self.finish(entity, changes, origin)
        return adopted

    def fill(self, cls: type[E], id: str, document: Document, number: int) -> None:
        """Let a nested copy fill an entity that is not loaded; it never overwrites a loaded one."""
        with self.lock:
            if self._tombstones.get((cls.kind.name, id), -1) > number:
                return
            entity = self.ref(cls, id)
            held = entity.document
            richer = held is None or len(document.keys) > len(held.keys)
            if entity.state is HANDLE or (entity.state is PARTIAL and richer):
                self.merge(entity, document, max(number, entity.applied))

    # Change --------------------------------------------------------------------------------------------------------

    def apply(self, entity: Entity, document: Document, number: int, origin: str) -> bool:
        """Apply an answer to a request of this number; False when something newer has been said since."""
        with self.lock:
            if entity.state is DELETED or entity.applied > number:
                return False
            changes = self.merge(entity, document, number)
        self.finish(entity, changes, origin)
        return True

    def merge(self, entity: Entity, document: Document, number: int) -> Changes:
        """Apply a document under the lock, unless it is older; tell about it with `finish`, outside the lock."""
        if entity.state in (DELETED, DETACHED) or entity.applied > number:
            return Changes()
        first = entity.state in (HANDLE, PARTIAL)
        changes = diff.apply(entity, document, first=first)
        entity.knowledge.applied = number
        changes.aged = self._news.get((entity.kind.name, entity.id), -1) > number
        self._replay(entity, changes, number)
        for relation, id in changes.linked:
            self._mirror(entity, relation, id, number, present=True)
        for relation, id in changes.unlinked:
            self._mirror(entity, relation, id, number, present=False)
        return changes

    def _replay(self, entity: Entity, changes: Changes, number: int) -> None:
        """Put back what was said of the entity's associations after the document was asked for."""
        for link in self._links:
            if link.entity is entity and link.number > number:
                self._put(entity, link.relation, link.id, present=link.present)
                undone = changes.unlinked if link.present else changes.linked
                undone[:] = [(relation, id) for relation, id in undone if (relation, id) != (link.relation, link.id)]
        for (kind, id), at in self._tombstones.items():
            if at > number:
                self._part(entity, changes, kind, id)

    def _part(self, entity: Entity, changes: Changes, kind: str, id: str) -> None:
        """Take a material that was deleted since out of the relations of a document."""
        for relation in entity.relations.values():
            if relation.target.kind.name == kind and self._put(entity, relation, id, present=False):
                changes.linked[:] = [pair for pair in changes.linked if pair != (relation, id)]

    def heard(self, kind: Kind, ids: Iterable[str]) -> None:
        """Note that materials changed: answers that were asked for before this are older."""
        with self.lock:
            if self._under_way:
                number = self.now()
                self._news.update(((kind.name, id), number) for id in ids)

    def bury(self, kind: Kind, id: str) -> None:
        """Note that a material was deleted that nobody holds."""
        with self.lock:
            if self._under_way:
                self._tombstones[kind.name, id] = self.now()

    def finish(self, entity: Entity, changes: Changes, origin: str) -> None:
        """Tell about changes, outside the lock; of an echo of our own write only what it brought besides."""
        if changes.aged:
            self._owner.aged(entity)
        others = origin
        if origin == "echo":
            if changes.before.keys() == {"updated"}:
                changes.before.clear()
            # Associations of our own were told when they were made: any that it brings are another's.
            origin, others = ("local" if changes.before.keys() <= {"updated", "score"} else "remote"), "remote"
        signals, sender = self._owner.signals, type(entity)
        if changes.before and signals.changed.receivers:
            fields, before = frozenset(changes.before), dict(changes.before)
            signals.tell(signals.changed, sender, entity=entity, fields=fields, before=before, origin=origin)
        if changes.linked and signals.associated.receivers:
            self._tell_pairs(signals.associated, entity, changes.linked, others)
        if changes.unlinked and signals.disassociated.receivers:
            self._tell_pairs(signals.disassociated, entity, changes.unlinked, others)

    def _tell_pairs(self, signal: Signal, entity: Entity, pairs: list[tuple[Relation[Any], str]], origin: str) -> None:
        for relation, id in pairs:
            other = self.ref(relation.target, id)
            about = {"entity": entity, "relation": relation.name, "other": other, "origin": origin}
            self._owner.signals.tell(signal, type(entity), **about)

    def link(self, entity: Entity, relation: Relation[Any], other: Entity, number: int, *, present: bool) -> bool:
        """Put both sides of an association in step; False when both knew it already.

        Args:
            number: that of the moment when the server answered; a side that is newer knows better.
        """
        with self.lock:
            back = _back(relation)
            here = self._remember(entity, relation, other.id, number, present=present)
            there = None if back is None else self._remember(other, back, entity.id, number, present=present)
            told = [news for news in (here, there) if news is not None]
            return any(told) or not told

    def _remember(self, entity: Entity, relation: Relation[Any], id: str, number: int, *, present: bool) -> bool | None:
        if entity.applied > number:
            return False
        self._note(number, entity, relation, id, present=present)
        return self._put(entity, relation, id, present=present)

    def _note(self, number: int, entity: Entity, relation: Relation[Any], id: str, *, present: bool) -> None:
        if self._under_way:
            self._links.append(_Link(number, entity, relation, id, present))

    def _put(self, entity: Entity, relation: Relation[Any], id: str, *, present: bool) -> bool | None:
        """Add or take away an id; False when nothing had to be done, None when the ids are unknown and stay so."""
        ids = self._known_ids(entity, relation)
        if ids is None:
            return None
        if (id in ids) is present:
            return False
        others = tuple(each for each in ids if each != id)
        entity.cache_ids(relation, relation.with_id(others, id) if present else others)
        return True

    @staticmethod
    def _known_ids(entity: Entity, relation: Relation[Any]) -> tuple[str, ...] | None:
        try:
            return entity.known_ids(relation)
        except DecodeError:
            # One relation that cannot be read must not keep the others from being in step.
            return None

    def learn(self, entity: Entity, relation: Relation[Any], ids: tuple[str, ...], number: int) -> None:
        """Keep the ids of a relation that were asked for apart from the document."""
        with self.lock:
            if self._known_ids(entity, relation) is None:
                entity.cache_ids(relation, ids)
                self._replay(entity, Changes(), number)

    def mirror(self, entity: Entity) -> None:
        """Let the other sides know what a document that is new here says of its associations."""
        with self.lock:
            for relation in entity.relations.values():
                for id in self._known_ids(entity, relation) or ():
                    self._mirror(entity, relation, id, entity.applied, present=True)

    def _mirror(self, entity: Entity, relation: Relation[Any], id: str, number: int, *, present: bool) -> None:
        """Let the other side know what an answer said; answers of its own that are older do not know it."""
        back = _back(relation)
        other = None if back is None else self.peek(relation.target, id)
        if back is not None and other is not None:
            self._note(number, other, back, entity.id, present=present)
            self._put(other, back, entity.id, present=present)

    def remove(self, entity: Entity) -> bool:
        """Make an entity DELETED, take it out of the map and out of its neighbours; False when that was done before."""
        with self.lock:
            if entity.state in (DELETED, DETACHED):
                return False
            for relation in entity.relations.values():
                back = _back(relation)
                if back is not None:
                    ids = self._known_ids(entity, relation)
                    near = self.alive(relation.target) if ids is None else [self.peek(relation.target, i) for i in ids]
                    for other in near:
                        if other is not None:
                            self._remember(other, back, entity.id, self.now(), present=False)
            entity.accept(None, DELETED)
            self._entities[entity.kind.name].pop(entity.id)
            self.release(entity)
            if self._under_way:
                self._tombstones[entity.kind.name, entity.id] = self.now()
            return True

    # Lifetime ------------------------------------------------------------------------------------------------------

    @contextmanager
    def editing(self, entity: Entity) -> Iterator[bool]:
        """Mark an entity as being edited in a block; True for the outermost block."""
        key = id(entity)
        with self.lock:
            outermost = key not in self._editing
            self._editing.add(key)
        try:
            yield outermost
        finally:
            if outermost:
                with self.lock:
                    self._editing.discard(key)

    def hold(self, entity: Entity) -> None:
        """Keep an entity with edits alive."""
        self._edited[id(entity)] = entity

    def release(self, entity: Entity) -> None:
        """Let an entity go when nobody else holds it."""
        self._edited.pop(id(entity), None)

    def detach(self) -> None:
        """Detach every entity: the session closes."""
        with self.lock:
            self._detached = True
            for entities in self._entities.values():
                for entity in entities.values():
                    if entity.state is not DELETED:
                        entity.accept(None, DETACHED)
            self._entities.clear()
            self._edited.clear()


def _back(relation: Relation[Any]) -> Relation[Any] | None:
    return None if relation.back is None else relation.target.relations.get(relation.back)
