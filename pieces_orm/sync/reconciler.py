"""Fetch the ids that a stream reported, apply them, emit each change once, and suppress echoes of own writes."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Mapping
from collections.abc import Set as AbstractSet

from attrs import frozen

from ..errors import NotAuthorizedError, NotFoundError, PiecesError, StateError, TransportError
from ..model.record import Record
from ..model.state import DELETED, EXPIRED, HANDLE, LOADED, PARTIAL
from ..orm import field_access, loading, reading, relation_loading, state_changes
from ..orm.context import Context
from ..orm.entity import Entity
from .known_ids import KnownIds
from .pending import DELETED as REPORTED_DELETED
from .pending import SEEN, SURVIVED, UPDATED, VANISHED

_log = logging.getLogger("pieces_orm.sync.feed")

# From so many ids of a kind on, all others of it are read with them in one request.
BULK_THRESHOLD = 200


@frozen
class _Deferred:
    """A report of a material that this session is writing: it waits for the answer to that."""

    id: str
    report: int
    writes: frozenset[int]


class Reconciler:
    """The known ids of one kind, and the way from reports of them to applied changes and signals."""

    def __init__(self, context: Context, cls: type[Entity]) -> None:
        self.known = KnownIds()
        # Since when, in seconds of the server's clock, changes may have been missed.
        self.deaf_since = 0.0
        self._context = context
        self._history = context.history
        self._cls = cls
        self._kind = cls._schema.kind
        self._deferred: list[_Deferred] = []
        # Reports that have waited: a write that began after them is not what they are about.
        self._waited: set[str] = set()

    def announce(self, entity: Record, number: int) -> None:
        """Emit `created` for a material that was there at this number, if it is new and was not announced yet."""
        if self.known.is_unannounced(entity.id, number) and self._enter(entity):
            signals = self._context.signals
            signals.emit(signals.created, self._cls, entity=entity, origin="remote")

    def _enter(self, entity: Record) -> bool:
        """Make a material known; False when it was, or was deleted meanwhile."""
        with self._context.lock:
            document = entity._state.document
            updated = None if document is None else document.updated
            return entity._state.state is not DELETED and self.known.enter(entity.id, updated)

    @property
    def defers(self) -> bool:
        """True if a report waits for the answer to a write of this session."""
        return bool(self._deferred)

    def deferred(self) -> dict[str, int]:
        """Take the reports that wait no longer, now that the writes have been answered."""
        still = [each for each in self._deferred if not self._history.are_written(each.writes)]
        ready = {each.id: each.report for each in self._deferred if each not in still}
        self._deferred = still
        self._waited.update(ready)
        return ready

    def is_listing(self, ids: AbstractSet[str]) -> bool:
        """Tell whether the first frame of a connection lists the ids that exist, rather than changes."""
        return not self.known.are_listed or self._kind.stream == "asset" or ids >= self.known.all()

    def compare(self, now: AbstractSet[str], number: int, since: int | None) -> dict[str, int]:
        """Compare a list of all ids with the known ones; return new, vanished and possibly changed ids as reports.

        Args:
            now: all ids.
            number: that of the request of the ids.
            since: entities requested before this number may have changed unnoticed; None: none may have.
        """
        alive = self._context.identity_map.alive(self._cls)
        held = {each.id: each for each in alive if each._state.state in (LOADED, EXPIRED, PARTIAL)}
        # One that was read and deleted between two lists of ids is in neither.
        reports = {id: VANISHED for id, each in held.items() if id not in now and each._state.applied < number}
        if since is not None:
            # Of a copy nobody knows what has changed since, only that it may be old.
            old_copy = SURVIVED if self.known.are_listed else SEEN
            reports |= {
                id: old_copy if each._state.state is PARTIAL else UPDATED
                for id, each in held.items()
                if id in now and each._state.applied < since
            }
        if not self.known.are_listed:
            self.known.list_first(now, number, self._context.connection.server_time())
            return reports
        known = self.known.all()
        if since is not None and self._context.signals.changed.has_receivers_for(self._cls):
            reports |= dict.fromkeys((known & now).difference(held), SURVIVED)
        return reports | dict.fromkeys(now - known, UPDATED) | dict.fromkeys(known - now, VANISHED)

    def process(self, batch: dict[str, int]) -> dict[str, int]:
        """Fetch, apply and emit; return the reports that have to be tried again."""
        ready = self._split_own(batch)
        suspected = {id for id, report in ready.items() if report == VANISHED}
        try:
            gone = self._confirmed(suspected)
        except PiecesError as error:
            _log.info("The vanished of %s could not be confirmed: %s", self._kind.collection, error)
            return ready
        there: dict[str, int] = {}
        for id, report in ready.items():
            if report == REPORTED_DELETED or id in gone:
                self._emit_deleted(id)
            else:
                there[id] = min(report, UPDATED)
        self._history.note_reported(self._kind, there)
        wanted = [id for id, report in there.items() if report == SEEN or self._is_wanted(id)]
        self.known.learn(there.keys() - set(wanted))
        return {id: there[id] for id in self._emit_updated(wanted, there)}

    def _split_own(self, batch: dict[str, int]) -> dict[str, int]:
        """Return the reports of what this session is not writing at this moment; the rest is deferred."""
        ready: dict[str, int] = {}
        for id, report in batch.items():
            writes = self._history.writes_of(self._kind, id)
            if id not in self.known:
                # It may be what a create of this session is making.
                writes |= self._history.writes_of(self._kind, None)
            if writes and id not in self._waited:
                self._deferred.append(_Deferred(id, report, writes))
            else:
                ready[id] = report
                self._waited.discard(id)
        return ready

    def _confirmed(self, vanished: set[str]) -> set[str]:
        """Return those of the vanished ids that the server does not list when it is asked once more."""
        return reading.unlisted(self._context.connection, self._kind, vanished)

    def _is_wanted(self, id: str) -> bool:
        """Tell whether somebody holds the entity, or listens to the kind."""
        entity = self._context.identity_map.peek(self._cls, id)
        if entity is not None and entity._state.state is not HANDLE:
            return True
        # One that this session saw gone has to be looked at before it is believed to be there again.
        if self.known.was_removed(id) or state_changes.is_copied(self._context, self._cls, id):
            return True
        signals = self._context.signals
        signal = signals.changed if id in self.known else signals.created
        return bool(signal.has_receivers_for(self._cls))

    def _emit_updated(self, ids: list[str], reports: Mapping[str, int]) -> list[str]:
        """Read and emit; return the ids that could not be read."""
        known = {id for id in ids if self._is_loaded(id)}
        failed: list[str] = []
        missing: set[str] = set()
        number = self._history.now()
        for id, found in self._read(ids).items():
            if isinstance(found, NotFoundError):
                missing.add(id)
            elif isinstance(found, Entity):
                self._emit_one(found, reports[id], number, was_loaded=id in known)
            else:
                _log.info("%s %s could not be read: %s", self._kind.name, id, found)
                failed.append(id)
        try:
            gone = self._confirmed(missing)
        except PiecesError as error:
            _log.info("The vanished of %s could not be confirmed: %s", self._kind.collection, error)
            return [*failed, *missing]
        for id in gone:
            self._emit_deleted(id)
        return [*failed, *(missing - gone)]

    def _is_loaded(self, id: str) -> bool:
        entity = self._context.identity_map.peek(self._cls, id)
        return entity is not None and entity._state.state in (LOADED, EXPIRED)

    def _read(self, ids: list[str]) -> dict[str, Entity | Exception]:
        """Read and apply; return by id the entity or its error. Echoes of own writes are applied as such."""
        origins: defaultdict[str, list[str]] = defaultdict(list)
        for id in ids:
            origins[self.known.echo_origin(id) or "remote"].append(id)
        return {id: each for origin, some in origins.items() for id, each in self._read_as(origin, some).items()}

    def _read_as(self, origin: str, ids: list[str]) -> dict[str, Entity | Exception]:
        try:
            if len(ids) >= BULK_THRESHOLD and 2 * len(ids) >= len(self.known) and "all" in self._kind.routes:
                found = loading.fetch_all(self._context, self._cls, ids, origin=origin)
            else:
                found = loading.fetch(self._context, self._cls, ids, origin=origin)
            # Whatever relations documents leave out, those that were read before have to be read again.
            entities = [each for each in found.values() if isinstance(each, Entity)]
            source = _origin(origin)
            relation_loading.reread_former_ids(self._context, entities, source)
            # An association of this session may have changed them; it was told when it was made.
            field_access.reread_former_values(self._context, entities, "local" if origin == "echo" else source)
        except PiecesError as error:
            if len(ids) == 1 or isinstance(error, TransportError | StateError | NotAuthorizedError):
                return dict.fromkeys(ids, error)
            found = dict.fromkeys(ids, error)
        # One that cannot be read must not keep those from being read that were asked for with it.
        for id in [id for id, each in found.items() if len(ids) > 1 and _may_be_anothers(each)]:
            found |= self._read_as(origin, [id])
        return found

    def _emit_one(self, entity: Entity, report: int, number: int, *, was_loaded: bool) -> None:
        document, origin = entity._state.document, _origin(self.known.echo_origin(entity.id))
        is_new = self._enter(entity)
        is_anothers = self.known.follow(
            entity.id,
            None if document is None else document.updated,
            number,
            may_be_old=report < UPDATED and not (report == SURVIVED and self._is_later(entity)),
        )
        signals = self._context.signals
        if is_new:
            signals.emit(signals.created, self._cls, entity=entity, origin=origin)
        elif is_anothers and not was_loaded:
            # Nobody knew what it was: that it changed is certain, what changed cannot be known.
            signals.emit(signals.changed, self._cls, entity=entity, fields=None, before={}, origin="remote")

    def _is_later(self, entity: Entity) -> bool:
        """Tell whether a material was updated, by the server's clock, since reports of it could be missed."""
        updated = getattr(entity, "updated", None)
        return updated is not None and updated.timestamp() >= self.deaf_since

    def _emit_deleted(self, id: str) -> None:
        signals, identity_map = self._context.signals, self._context.identity_map
        entity = identity_map.peek(self._cls, id)
        if entity is not None and entity._state.document is not None:
            self.announce(entity, entity._state.applied)
        was_known, echo = self.known.forget(id)
        if entity is None and not (was_known and signals.deleted.has_receivers_for(self._cls)):
            self._history.note_deleted(self._kind, id)
        else:
            entity = entity or identity_map.ref(self._cls, id)
            # A mere handle of an id that was never reported, or was emitted already, goes silently.
            is_news = was_known or entity._state.document is not None
            changes = state_changes.remove(self._context, entity)
            if changes is not None and is_news:
                state_changes.tell_deleted(self._context, entity, changes, _origin(echo))
        self.known.saw_removed(id)


def _origin(echo: str | None) -> str:
    """Return the origin of what comes with an echo: a part of what this session made or deleted is its own too."""
    return "local" if echo in ("beside", "part") else "remote"


def _may_be_anothers(found: Entity | Exception) -> bool:
    """Tell whether an error may be due to another material that was requested with this one."""
    return isinstance(found, Exception) and not isinstance(
        found, NotFoundError | TransportError | StateError | NotAuthorizedError
    )
