"""From ids that were heard of to applied changes and signals: each change is told once, our own echoes not at all."""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from typing import TYPE_CHECKING

from attrs import frozen

from ..errors import NotAuthorizedError, NotFoundError, PiecesError, StateError, TransportError
from ..model.state import EXPIRED, HANDLE, LOADED
from ..orm.entity import Entity
from .pending import DELETED, SURVIVED, UPDATED, VANISHED

if TYPE_CHECKING:
    from ..session import Session

_log = logging.getLogger("pieces_orm.sync.feed")
# Echoes of our own writes that are waited for; older ones are taken for lost.
ECHOES = 10_000
# So many ids of a kind are read with all others of it, in one request.
MANY = 200


@frozen
class _Deferred:
    """Something heard of a material that we are writing ourselves: it waits for the answer to that."""

    id: str
    what: int
    writes: frozenset[int]


class Teller:
    """What one session knows of the ids of one kind, and tells of them."""

    def __init__(self, session: Session, cls: type[Entity]) -> None:
        # All ids, each with the `updated` that was told or written last, where that is known.
        self.known: dict[str, bytes | None] | None = None
        # Since when, in seconds of the server's clock, changes may have gone unheard.
        self.deaf_since = 0.0
        self._session = session
        self._cls = cls
        self._kind = cls.kind
        self._deferred: list[_Deferred] = []
        # Our own writes whose echo is to come, and whose answer did not say what `updated` is now.
        self._own: dict[str, None] = {}
        self._lock = threading.Lock()

    def wrote(self, id: str, updated: bytes | None, *, deleted: bool) -> None:
        """Note a write of our own, so that its echo is not taken for another's."""
        with self._lock:
            if self.known is None:
                return
            self._own.pop(id, None)
            if deleted:
                self.known.pop(id, None)
                return
            self.known[id] = updated or self.known.get(id)
            if updated is None:
                self._own[id] = None
                if len(self._own) > ECHOES:
                    del self._own[next(iter(self._own))]

    @property
    def defers(self) -> bool:
        """Whether something waits for an answer to a write of our own."""
        return bool(self._deferred)

    def deferred(self) -> dict[str, int]:
        """What waits no longer, now that the writes have been answered."""
        still = [each for each in self._deferred if not self._session.map.are_written(each.writes)]
        ready = {each.id: each.what for each in self._deferred if each not in still}
        self._deferred = still
        return ready

    def is_listing(self, ids: AbstractSet[str]) -> bool:
        """Whether the first frame of a connection is a list of what there is, which says of nothing that it changed."""
        return self.known is None or self._kind.stream == "asset" or ids >= self.known.keys()

    def compare(self, now: AbstractSet[str], since: int | None) -> dict[str, int]:
        """What follows from a list of all ids: what is new, what has vanished, what may have changed unheard.

        Args:
            now: all ids.
            since: what was asked for before this number may have changed unheard; None: nothing may have.
        """
        news: dict[str, int] = {}
        held: dict[str, Entity] = {}
        if since is not None:
            held = {each.id: each for each in self._session.map.alive(self._cls) if each.state in (LOADED, EXPIRED)}
            news = {id: UPDATED if id in now else VANISHED for id, each in held.items() if each.applied < since}
        with self._lock:
            if self.known is None:
                self.known = dict.fromkeys(now)
                return news
            known = self.known.keys()
            if since is not None and self._session.signals.changed.has_receivers_for(self._cls):
                news |= dict.fromkeys((known & now).difference(held), SURVIVED)
            return news | dict.fromkeys(now - known, UPDATED) | dict.fromkeys(known - now, VANISHED)

    def process(self, batch: dict[str, int]) -> dict[str, int]:
        """Fetch, apply and tell; returns what has to be tried again."""
        ready = self._not_ours(batch)
        suspected = {id for id, what in ready.items() if what == VANISHED}
        try:
            gone = self._confirmed(suspected)
        except PiecesError as error:
            _log.info("The vanished of %s could not be confirmed: %s", self._kind.collection, error)
            return ready
        there: dict[str, int] = {}
        for id, what in ready.items():
            if what == DELETED or id in gone:
                self._tell_deleted(id)
            else:
                there[id] = min(what, UPDATED)
        # Answers that were asked for before this know nothing of it.
        self._session.map.heard(self._kind, there)
        wanted = [id for id in there if self._is_wanted(id)]
        for id in there.keys() - set(wanted):
            self._learn(id)
        return {id: there[id] for id in self._tell_updated(wanted, there)}

    def _not_ours(self, batch: dict[str, int]) -> dict[str, int]:
        """What nobody here is writing at this moment; the rest is deferred."""
        ready: dict[str, int] = {}
        for id, what in batch.items():
            writes = self._session.map.writes_of(self._kind, id)
            if not self._is_known(id):
                # It may be what a create of ours is making.
                writes |= self._session.map.writes_of(self._kind, None)
            if writes:
                self._deferred.append(_Deferred(id, what, writes))
            else:
                ready[id] = what
        return ready

    def _is_known(self, id: str) -> bool:
        return self.known is not None and id in self.known

    def _learn(self, id: str, updated: bytes | None = None) -> None:
        with self._lock:
            if self.known is not None:
                self.known[id] = updated or self.known.get(id)

    def _confirmed(self, vanished: set[str]) -> set[str]:
        """Those of the vanished that the server does not list when it is asked once more."""
        return vanished.difference(self._session.ids_of(self._cls, {})) if vanished else set()

    def _is_wanted(self, id: str) -> bool:
        """Whether somebody holds the entity, or listens to the kind."""
        entity = self._session.map.peek(self._cls, id)
        if entity is not None and entity.state is not HANDLE:
            return True
        signals = self._session.signals
        signal = signals.changed if self._is_known(id) else signals.created
        return bool(signal.has_receivers_for(self._cls))

    def _tell_updated(self, ids: list[str], heard: Mapping[str, int]) -> list[str]:
        """Read and tell; returns the ids that could not be read."""
        known = {id for id in ids if self._is_loaded(id)}
        failed: list[str] = []
        missing: set[str] = set()
        for id, found in self._read(ids).items():
            if isinstance(found, NotFoundError):
                missing.add(id)
            elif isinstance(found, Entity):
                self._tell_one(found, was_loaded=id in known, survived=heard[id] == SURVIVED)
            else:
                _log.info("%s %s could not be read: %s", self._kind.name, id, found)
                failed.append(id)
        try:
            gone = self._confirmed(missing)
        except PiecesError as error:
            _log.info("The vanished of %s could not be confirmed: %s", self._kind.collection, error)
            return [*failed, *missing]
        for id in gone:
            self._tell_deleted(id)
        return [*failed, *(missing - gone)]

    def _is_loaded(self, id: str) -> bool:
        entity = self._session.map.peek(self._cls, id)
        return entity is not None and entity.state in (LOADED, EXPIRED)

    def _read(self, ids: list[str]) -> dict[str, Entity | Exception]:
        """Read and apply; by id the entity or its error. Echoes of our own writes are applied as such."""
        with self._lock:
            own = [id for id in ids if id in self._own]
            others = [id for id in ids if id not in self._own]
        return self._read_as("echo", own) | self._read_as("remote", others)

    def _read_as(self, origin: str, ids: list[str]) -> dict[str, Entity | Exception]:
        try:
            if len(ids) >= MANY and 2 * len(ids) >= len(self.known or ()) and "all" in self._kind.routes:
                return self._session.fetch_all(self._cls, ids, origin)
            found = self._session.fetch(self._cls, ids, origin)
        except PiecesError as error:
            if len(ids) == 1 or isinstance(error, TransportError | StateError | NotAuthorizedError):
                return dict.fromkeys(ids, error)
            found = dict.fromkeys(ids, error)
        # One that cannot be read must not keep those from being read that were asked for with it.
        for id in [id for id, each in found.items() if len(ids) > 1 and _may_be_anothers(each)]:
            found |= self._read_as(origin, [id])
        return found

    def _tell_one(self, entity: Entity, *, was_loaded: bool, survived: bool) -> None:
        updated = None if entity.document is None else entity.document.get("updated")
        stamp = None if updated is None else bytes(updated)
        with self._lock:
            is_new = not self._is_known(entity.id) and not was_loaded
            before = (self.known or {}).get(entity.id)
            is_told = entity.id in self._own or (stamp is not None and before == stamp)
            if survived and before is None:
                is_told = not self._is_later(entity)
            self._own.pop(entity.id, None)
        self._learn(entity.id, stamp)
        signals = self._session.signals
        if is_new:
            signals.tell(signals.created, self._cls, entity=entity, origin="remote")
        elif not was_loaded and not is_told:
            # Nobody knew what it was: that it changed is certain, what changed cannot be known.
            signals.tell(signals.changed, self._cls, entity=entity, fields=None, before={}, origin="remote")

    def _is_later(self, entity: Entity) -> bool:
        """Whether a material was updated, by the server's clock, since news of it could not be heard any more."""
        updated = getattr(entity, "updated", None)
        return updated is not None and updated.timestamp() >= self.deaf_since

    def _tell_deleted(self, id: str) -> None:
        with self._lock:
            was_known = self._is_known(id)
            if self.known is not None:
                self.known.pop(id, None)
            self._own.pop(id, None)
        signals = self._session.signals
        entity = self._session.map.peek(self._cls, id)
        if entity is None and not (was_known and signals.deleted.has_receivers_for(self._cls)):
            self._session.map.bury(self._kind, id)
            return
        entity = entity or self._session.map.ref(self._cls, id)
        # A mere handle of an id that was never heard of, or is told already, goes silently.
        news = was_known or entity.document is not None
        if self._session.map.remove(entity) and news:
            signals.tell(signals.deleted, self._cls, entity=entity, origin="remote")


def _may_be_anothers(found: Entity | Exception) -> bool:
    """Whether an error may be due to another material that was asked for in the same request."""
    return isinstance(found, Exception) and not isinstance(
        found, NotFoundError | TransportError | StateError | NotAuthorizedError
    )
