"""Fetch the ids that a stream reported, apply them, emit each change once, and suppress echoes of own writes."""

from __future__ import annotations

import logging
import threading
import time
from collections import defaultdict
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from datetime import datetime
from typing import TypeVar

import msgspec
from attrs import frozen

from ..errors import NotAuthorizedError, NotFoundError, PiecesError, StateError, TransportError
from ..model.record import Record
from ..model.state import DELETED, EXPIRED, HANDLE, LOADED
from ..orm import field_access, loading, reading, relation_loading, state_changes
from ..orm.context import Context
from ..orm.entity import Entity
from ..values.structs import in_utc
from .pending import DELETED as REPORTED_DELETED
from .pending import SEEN, SURVIVED, UPDATED, VANISHED

_log = logging.getLogger("pieces_orm.sync.feed")

V = TypeVar("V")
# Echoes waited for at most; older ones are taken for lost.
MAX_ECHOES = 10_000
# An echo comes so soon, if at all: a later report is of another program's change.
MAX_ECHO_S = 10.0
# The origins with which documents of echoes are applied, by how much the writes change.
ECHO_ORIGINS = ("echo", "beside", "score", "part")
# From so many ids of a kind on, all others of it are read with them in one request.
BULK_THRESHOLD = 200


@frozen
class _Echo:
    """A report that a write of this session causes: since when it is expected, and the origin that documents get."""

    at: float
    origin: str


@frozen
class _Deferred:
    """A report of a material that this session is writing: it waits for the answer to that."""

    id: str
    report: int
    writes: frozenset[int]


class Reconciler:
    """The known ids of one kind, and the way from reports of them to applied changes and signals."""

    def __init__(self, context: Context, cls: type[Entity]) -> None:
        # All ids, each with the `updated` that was emitted or written last, where that is known. An id is here once
        # its material was announced, or was there before anything could be.
        self.known: dict[str, bytes | None] | None = None
        # Since when, in seconds of the server's clock, changes may have been missed.
        self.deaf_since = 0.0
        self._context = context
        self._history = context.history
        self._cls = cls
        self._kind = cls._schema.kind
        self._deferred: list[_Deferred] = []
        # The number of the first list of ids: a material that is not in it, and was there later, is new.
        self._listed_at = 0
        # The time of that, in seconds of the server's clock.
        self._listed_time = 0.0
        # Materials that this session made before the first list of ids came.
        self._made: dict[str, bytes | None] = {}
        # Writes of this session whose answers did not tell the new `updated`: their echoes are still to come.
        self._echoes: dict[str, _Echo] = {}
        # The numbers of the writes of this session: an answer to an older read says nothing of them.
        self._written: dict[str, int] = {}
        # The `updated` after writes on top of another's change, which is still to be emitted.
        self._news: dict[str, bytes | None] = {}
        # Materials that this session itself found to be gone, or deleted: reports of them are still to come.
        self._gone: dict[str, None] = {}
        # Guards the dicts. Nothing that takes the session's lock may run under it: `wrote` is called with that lock
        # held.
        self._lock = threading.Lock()

    # Acts of this session -------------------------------------------------------------------------------------------

    def created(self, id: str, updated: bytes | None) -> bool | None:
        """Record a create of this session; tell whether the material is new, None where that is not known."""
        with self._lock:
            if self.known is None:
                self._made[id] = updated
                return None
            is_new = id not in self.known
            self.known[id] = updated
            return is_new

    def wrote(self, id: str, updated: bytes | None, origin: str, number: int) -> None:
        """Record a write of this session, so that its echo is not taken for another's.

        Args:
            origin: that with which the echo's document is applied; see `state_changes.emit_changes`.
            number: that of the moment after the write.
        """
        with self._lock:
            expected = self._echo(id)
            self._echoes.pop(id, None)
            _put_bounded(self._written, id, number)
            if updated is None:
                # Of several writes that one report may stand for, the one that changes most says what is whose.
                before = () if expected is None else (expected.origin,)
                origin = max((origin, *before), key=ECHO_ORIGINS.index)
                _put_bounded(self._echoes, id, _Echo(time.monotonic(), origin))
            elif self._is_known(id):
                self._learn(id, updated)

    def wrote_over(self, id: str, updated: bytes | None, number: int) -> None:
        """Record a write of this session on top of another's change, which is still to be emitted; for the rest see
        `wrote`."""
        with self._lock:
            _put_bounded(self._news, id, updated)
            _put_bounded(self._written, id, number)

    def is_news(self, id: str, updated: bytes | None) -> bool:
        """Tell whether a material was updated since it was emitted last, or since the first list of ids."""
        with self._lock:
            before = (self.known or {}).get(id)
            if updated is None or not self._is_known(id):
                return False
            return before != updated if before is not None else _seconds(updated) >= self._listed_time

    def removed(self, id: str) -> None:
        """Record that an entity became DELETED, so that it is not told once more when a report of that comes."""
        with self._lock:
            self._made.pop(id, None)
            self._echoes.pop(id, None)
            if self.known is not None:
                self.known.pop(id, None)
            _put_bounded(self._gone, id, None)

    def announce(self, entity: Record, number: int) -> None:
        """Emit `created` for a material that was there at this number, if it is new and was not announced yet."""
        if self.known is None or entity.id in self.known or number <= self._listed_at:
            return
        # It may be what a create of this session is making.
        if not self._history.writes_of(self._kind, None) and self._enter(entity):
            signals = self._context.signals
            signals.emit(signals.created, self._cls, entity=entity, origin="remote")

    def _enter(self, entity: Record) -> bool:
        """Make a material known; False when it was, or when it was deleted meanwhile."""
        with self._context.lock:
            document = entity._state.document
            if entity._state.state is DELETED:
                return False
            with self._lock:
                if self.known is None or entity.id in self.known:
                    return False
                self.known[entity.id] = None if document is None else document.updated
                return True

    @property
    def defers(self) -> bool:
        """True if a report waits for the answer to a write of this session."""
        return bool(self._deferred)

    def deferred(self) -> dict[str, int]:
        """Take the reports that wait no longer, now that the writes have been answered."""
        still = [each for each in self._deferred if not self._history.are_written(each.writes)]
        ready = {each.id: each.report for each in self._deferred if each not in still}
        self._deferred = still
        return ready

    def is_listing(self, ids: AbstractSet[str]) -> bool:
        """Tell whether the first frame of a connection lists the ids that exist, rather than changes."""
        return self.known is None or self._kind.stream == "asset" or ids >= self.known.keys()

    def compare(self, now: AbstractSet[str], number: int, since: int | None) -> dict[str, int]:
        """Compare a list of all ids with the known ones; return new, vanished and possibly changed ids as reports.

        Args:
            now: all ids.
            number: that of the request of the ids.
            since: entities requested before this number may have changed unnoticed; None: none may have.
        """
        reports: dict[str, int] = {}
        held: dict[str, Record] = {}
        if since is not None:
            alive = self._context.identity_map.alive(self._cls)
            held = {each.id: each for each in alive if each._state.state in (LOADED, EXPIRED)}
            reports = {
                id: UPDATED if id in now else VANISHED for id, each in held.items() if each._state.applied < since
            }
        with self._lock:
            if self.known is None:
                self.known = {**dict.fromkeys(now), **self._made}
                self._made, self._listed_at = {}, number
                self._listed_time = self._context.connection.server_time()
                return reports
            known = self.known.keys()
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
        with self._lock:
            for id in there.keys() - set(wanted):
                self._learn(id)
        return {id: there[id] for id in self._emit_updated(wanted, there)}

    def _split_own(self, batch: dict[str, int]) -> dict[str, int]:
        """Return the reports of what this session is not writing at this moment; the rest is deferred."""
        ready: dict[str, int] = {}
        for id, report in batch.items():
            writes = self._history.writes_of(self._kind, id)
            if not self._is_known(id):
                # It may be what a create of this session is making.
                writes |= self._history.writes_of(self._kind, None)
            if writes:
                self._deferred.append(_Deferred(id, report, writes))
            else:
                ready[id] = report
        return ready

    def _is_known(self, id: str) -> bool:
        return self.known is not None and id in self.known

    def _learn(self, id: str, updated: bytes | None = None) -> None:
        if self.known is not None:
            self.known[id] = updated or self.known.get(id)

    def _confirmed(self, vanished: set[str]) -> set[str]:
        """Return those of the vanished ids that the server does not list when it is asked once more."""
        return reading.unlisted(self._context.connection, self._kind, vanished)

    def _is_wanted(self, id: str) -> bool:
        """Tell whether somebody holds the entity, or listens to the kind."""
        entity = self._context.identity_map.peek(self._cls, id)
        if entity is not None and entity._state.state is not HANDLE:
            return True
        # One that this session saw gone has to be looked at before it is believed to be there again.
        if id in self._gone or state_changes.is_copied(self._context, self._cls, id):
            return True
        signals = self._context.signals
        signal = signals.changed if self._is_known(id) else signals.created
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
        with self._lock:
            for id in ids:
                echo = self._echo(id)
                origins["remote" if echo is None else echo.origin].append(id)
        return {id: each for origin, some in origins.items() for id, each in self._read_as(origin, some).items()}

    def _echo(self, id: str) -> _Echo | None:
        echo = self._echoes.get(id)
        return echo if echo is not None and time.monotonic() - echo.at < MAX_ECHO_S else None

    def _read_as(self, origin: str, ids: list[str]) -> dict[str, Entity | Exception]:
        try:
            if len(ids) >= BULK_THRESHOLD and 2 * len(ids) >= len(self.known or ()) and "all" in self._kind.routes:
                found = loading.fetch_all(self._context, self._cls, ids, origin=origin)
            else:
                found = loading.fetch(self._context, self._cls, ids, origin=origin)
            # Whatever relations documents leave out, those that were read before have to be read again.
            entities = [each for each in found.values() if isinstance(each, Entity)]
            relation_loading.reread_former_ids(self._context, entities, "remote")
            field_access.reread_former_values(self._context, entities, "remote")
        except PiecesError as error:
            if len(ids) == 1 or isinstance(error, TransportError | StateError | NotAuthorizedError):
                return dict.fromkeys(ids, error)
            found = dict.fromkeys(ids, error)
        # One that cannot be read must not keep those from being read that were asked for with it.
        for id in [id for id, each in found.items() if len(ids) > 1 and _may_be_anothers(each)]:
            found |= self._read_as(origin, [id])
        return found

    def _emit_one(self, entity: Entity, report: int, number: int, *, was_loaded: bool) -> None:
        document = entity._state.document
        stamp = None if document is None else document.updated
        is_later = report == SURVIVED and self._is_later(entity)
        is_new = self._enter(entity)
        with self._lock:
            if not self._is_known(entity.id):
                return  # deleted meanwhile
            before = (self.known or {}).get(entity.id)
            echo = self._echo(entity.id)
            is_echo = echo is not None or (stamp is not None and before == stamp)
            if report < UPDATED and before is None:
                is_echo = not is_later
            self._gone.pop(entity.id, None)
            is_older = self._written.get(entity.id, 0) > number
            if entity.id in self._news:
                # Another's change is emitted now, and the write of this session on top of it is no news after that.
                is_echo, after = False, self._news.pop(entity.id)
                stamp = after if is_older and after is not None else stamp
            elif is_older:
                # Read before a write of this session: its echo is still to come.
                is_echo, stamp = True, before
            if not is_older:
                self._echoes.pop(entity.id, None)
                self._written.pop(entity.id, None)
            self._learn(entity.id, stamp)
        signals = self._context.signals
        if is_new:
            # A part of what this session made or deleted is its own too.
            origin = "local" if echo is not None and echo.origin in ("beside", "part") else "remote"
            signals.emit(signals.created, self._cls, entity=entity, origin=origin)
        elif not was_loaded and not is_echo:
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
        with self._lock:
            was_known, echo = self._is_known(id), self._echo(id)
            if self.known is not None:
                self.known.pop(id, None)
            self._echoes.pop(id, None)
        if entity is None and not (was_known and signals.deleted.has_receivers_for(self._cls)):
            self._history.note_deleted(self._kind, id)
        else:
            entity = entity or identity_map.ref(self._cls, id)
            # A mere handle of an id that was never reported, or was emitted already, goes silently.
            is_news = was_known or entity._state.document is not None
            changes = state_changes.remove(self._context, entity)
            if changes is not None and is_news:
                origin = "local" if echo is not None and echo.origin in ("beside", "part") else "remote"
                state_changes.tell_deleted(self._context, entity, changes, origin)
        with self._lock:
            self._gone.pop(id, None)


def _seconds(updated: bytes) -> float:
    """Return the time of an `updated` in seconds since 1970; 0 when it cannot be read."""
    try:
        return in_utc(msgspec.json.decode(updated, type=datetime)).timestamp()
    except (ValueError, OverflowError):
        return 0.0


def _put_bounded(values: dict[str, V], id: str, value: V) -> None:
    """Put a value at the end of a dict of at most MAX_ECHOES."""
    values.pop(id, None)
    values[id] = value
    if len(values) > MAX_ECHOES:
        del values[next(iter(values))]


def _may_be_anothers(found: Entity | Exception) -> bool:
    """Tell whether an error may be due to another material that was requested with this one."""
    return isinstance(found, Exception) and not isinstance(
        found, NotFoundError | TransportError | StateError | NotAuthorizedError
    )
