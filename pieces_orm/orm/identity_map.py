"""The identity map: one object per material, held weakly."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from threading import RLock
from typing import Any, TypeVar
from weakref import WeakSet

from ..concurrency.lazily import Lazily
from ..documents.document import Document
from ..model.record import Record
from ..model.state import DELETED, DETACHED, HANDLE, LOADED, PARTIAL, EntityState
from .weak_values import WeakValues

R = TypeVar("R", bound=Record)
_set = object.__setattr__


class IdentityMap:
    """All living entities of one session, by kind and id.

    Args:
        lock: the session's.
        context: handed to each entity that is made.
    """

    # Entities with a field that was read from related materials apart from its document.
    read_apart = Lazily[WeakSet[Record]](lambda _: WeakSet())

    def __init__(self, lock: RLock, context: object) -> None:
        self._lock = lock
        self._context = context
        self._entities: defaultdict[str, WeakValues[Record]] = defaultdict(WeakValues)
        self._edited: dict[int, Record] = {}
        # Sets that take the ids of entities as they are made, by kind: those of creates that are under way.
        # Entities that have nothing but a nested copy, by class: later copies of them are looked for.
        self.partial: defaultdict[type[Record], WeakSet[Record]] = defaultdict(WeakSet)
        self._noting: list[tuple[str, set[str]]] = []
        self.is_detached = False

    def peek(self, cls: type[R], id: str) -> R | None:
        """Return the entity with this id, if it is alive."""
        # Looked at without the lock, so nothing may be put in here.
        entities = self._entities.get(cls._schema.kind.name)
        found: Any = None if entities is None else entities.get(id)
        return found  # type: ignore[no-any-return]

    @property
    def is_empty(self) -> bool:
        """True if no entity is alive."""
        with self._lock:
            return not any(map(len, self._entities.values()))

    def alive(self, cls: type[R]) -> list[R]:
        """Return all living entities of a class."""
        with self._lock:
            found: list[Any] = self._entities[cls._schema.kind.name].values()
        return found

    def ref(self, cls: type[R], id: str) -> R:
        """Return the entity with this id; a handle when nothing is known of it."""
        with self._lock:
            found = self.peek(cls, id)
            return (
                self._make(cls, id, EntityState(DETACHED if self.is_detached else HANDLE)) if found is None else found
            )

    def make_loaded(self, cls: type[R], id: str, document: Document, number: int) -> R:
        """Make an entity of which nothing was known from its document, under the lock."""
        return self._make(cls, id, EntityState(LOADED if document.complete else PARTIAL, document, number))

    def _make(self, cls: type[R], id: str, state: EntityState) -> R:
        entity = cls.__new__(cls)
        _set(entity, "id", id)
        _set(entity, "_context", self._context)
        _set(entity, "_state", state)
        self._entities[cls._schema.kind.name].put(id, entity)
        for kind, made in self._noting:
            if kind == cls._schema.kind.name:
                made.add(id)
        return entity

    @contextmanager
    def noting_made(self, cls: type[Record]) -> Iterator[set[str]]:
        """Note the ids of the entities of a class that are made meanwhile."""
        noting: tuple[str, set[str]] = (cls._schema.kind.name, set())
        with self._lock:
            self._noting.append(noting)
        try:
            yield noting[1]
        finally:
            with self._lock:
                self._noting = [each for each in self._noting if each is not noting]

    def remove(self, entity: Record) -> None:
        """Take an entity out of the map and make it DELETED."""
        entity._state.state = DELETED
        self._entities[entity._schema.kind.name].pop(entity.id)
        self.release(entity)

    def hold(self, entity: Record) -> None:
        """Keep an entity with edits alive."""
        self._edited[id(entity)] = entity

    def release(self, entity: Record) -> None:
        """Let an entity go when nobody else holds it."""
        self._edited.pop(id(entity), None)

    def edited(self) -> list[Record]:
        """Return the entities with edits, in the order in which they were first edited."""
        with self._lock:
            return list(self._edited.values())

    def detach(self) -> None:
        """Detach every entity: the session closes."""
        with self._lock:
            self.is_detached = True
            for entities in self._entities.values():
                for entity in entities.values():
                    if entity._state.state is not DELETED:
                        entity._state.state = DETACHED
            self._edited.clear()
