"""A feed: frames and polls of one kind become fetches, applied changes, and signals.

Frames are coalesced for a moment, fetched together, and applied; what brings nothing new (our own echo) is silent.
After a lost connection the ids of the server are the truth: survivors are read again, the vanished confirmed.
"""

from __future__ import annotations

import logging
import threading
import time
from typing import TYPE_CHECKING

from attrs import frozen

from .entity import Entity
from .errors import NotFoundError, PiecesError, RequestTimeout
from .record import State
from .stream import Stream, backoff, events_of

if TYPE_CHECKING:
    from .session import Session

_log = logging.getLogger("pieces_orm.feed")

COALESCE = 0.025
POLL = 1.0
# Assets alone are promised a first frame with all ids; how long to wait for it before asking for the ids.
FIRST_FRAME = 2.0

CONNECTING, LIVE, LOST = "connecting", "live", "lost"
# What is known of an id that was heard of; of two, the greater counts.
UPDATED, VANISHED, DELETED = 0, 1, 2


@frozen
class _Deferred:
    """Something heard of a material that we are writing ourselves: it waits for the answer to that."""

    id: str
    what: int
    writes: frozenset[int]


class Feed:
    """What one session hears of one kind."""

    def __init__(self, session: Session, cls: type[Entity]) -> None:
        self.cls = cls
        self.state = CONNECTING
        self.watchers = 0
        self._session = session
        self._kind = cls.kind
        self._known: set[str] | None = None
        self._pending: dict[str, int] = {}
        self._deferred: list[_Deferred] = []
        # Our own writes whose echo is to come, with the `updated` of their answer where there was one.
        self._own: dict[str, bytes | None] = {}
        self._connected = False
        self._reconcile = False
        self._first_frame_until = 0.0
        self._condition = threading.Condition()
        self._stopped = False
        self._stream: Stream | None = None
        self._worker = threading.Thread(target=self._work, name=f"pieces_orm feed {self._kind.collection}", daemon=True)

    def start(self) -> None:
        """Start the threads: one that hears, one that fetches and tells."""
        route = self._kind.routes.get("stream")
        if route is not None:
            self._stream = Stream(
                lambda: self._session.stream_url(route),
                self._session.stream_headers,
                opened=self._opened,
                frame=self._heard,
                lost=self._lost,
                name=self._kind.collection,
            )
            self._stream.start()
        else:
            threading.Thread(target=self._poll, name=f"pieces_orm poll {self._kind.collection}", daemon=True).start()
        self._worker.start()

    def stop(self) -> None:
        """Stop hearing; what is under way is finished."""
        with self._condition:
            self._stopped = True
            self._condition.notify_all()
        if self._stream is not None:
            self._stream.stop()

    def wait_live(self, deadline: float) -> None:
        """Wait until this feed is live.

        Raises:
            RequestTimeout: it is not by then.
        """
        with self._condition:
            while self.state != LIVE:
                remaining = deadline - time.monotonic()
                if remaining <= 0 or self._stopped:
                    message = f"The stream of {self._kind.collection} is {self.state}, not live; is the server there?"
                    raise RequestTimeout(message, method="GET", path=self._kind.collection)
                self._condition.wait(remaining)

    def wrote(self, id: str, updated: bytes | None, *, deleted: bool) -> None:
        """Note a write of our own, so that its echo is not taken for another's."""
        with self._condition:
            if self._known is None:
                return
            if deleted:
                self._known.discard(id)
                self._own.pop(id, None)
            else:
                self._known.add(id)
                self._own[id] = updated

    # Hearing: these run on the stream's thread and only note what was said -------------------------------------------

    def _opened(self) -> None:
        with self._condition:
            self._connected = self._reconcile = True
            # The other kinds may begin with any frame: their ids are asked for.
            self._first_frame_until = time.monotonic() + FIRST_FRAME if self._kind.name == "asset" else 0.0
            self._condition.notify_all()

    def _heard(self, frame: str | bytes) -> None:
        events = events_of(frame, self._kind.stream or "")
        with self._condition:
            if self._first_frame_until:
                self._first_frame_until = 0.0
                self._truth({event.id for event in events if not event.deleted})
            else:
                for event in events:
                    self._note(event.id, DELETED if event.deleted else UPDATED)
            self._condition.notify_all()

    def _lost(self, error: Exception | None) -> None:
        _log.info("The stream of %s is lost: %s", self._kind.collection, error)
        self._connected = False
        self._become(LOST)

    def _poll(self) -> None:
        pauses = backoff()
        since: str | None = None
        while not self._stopped:
            try:
                # The window overlaps the last one: an edit that is heard of twice brings nothing new the second time.
                began = time.time() - 2 * POLL
                recent = self._session.ids_of(self.cls, {"updated_from": since}) if since else ()
                everything = set(self._session.ids_of(self.cls, {}))
                with self._condition:
                    self._connected = True
                    self._truth(everything)
                    for id in everything.intersection(recent):
                        self._note(id, UPDATED)
                    self._condition.notify_all()
                since = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(began))
                pauses = backoff()
                self._rest(POLL)
            except PiecesError as error:
                self._lost(error)
                self._rest(next(pauses))

    def _rest(self, seconds: float) -> None:
        with self._condition:
            self._condition.wait_for(lambda: self._stopped, seconds)

    def _note(self, id: str, what: int) -> None:
        self._pending[id] = max(what, self._pending.get(id, UPDATED))

    def _truth(self, now: set[str]) -> None:
        """All ids there are: note what is new, what has vanished, and what may have changed while nobody heard."""
        recovering = self._reconcile or self.state == LOST
        self._reconcile = False
        if self._known is None:
            self._known = now
            return
        for id in now - self._known:
            self._note(id, UPDATED)
        for id in self._known - now:
            self._note(id, VANISHED)
        if recovering:
            for entity in self._session.map.alive(self.cls):
                if entity.state is State.LOADED and entity.id in now:
                    self._note(entity.id, UPDATED)

    # Telling: this runs on the feed's own thread, so that slow receivers do not stall the socket ---------------------

    def _work(self) -> None:
        pauses = backoff()
        while True:
            with self._condition:
                self._condition.wait_for(self._has_work, self._patience())
                if self._stopped:
                    return
                ask = self._reconcile and time.monotonic() >= self._first_frame_until
            if ask:
                self._ask_for_ids()
            failed = self._process(self._take())
            if failed:
                with self._condition:
                    for id, what in failed.items():
                        self._note(id, what)
                self._rest(next(pauses))
            else:
                pauses = backoff()
                self._settle()

    def _has_work(self) -> bool:
        ask = self._reconcile and not self._first_frame_until
        return self._stopped or bool(self._pending) or ask or (self.state != LIVE and self._in_step())

    def _in_step(self) -> bool:
        return self._known is not None and self._connected and not self._reconcile and not self._pending

    def _patience(self) -> float | None:
        """Seconds after which there may be work that nobody tells of; None: somebody will tell."""
        if self._deferred:
            return COALESCE
        return FIRST_FRAME / 4 if self._first_frame_until else None

    def _ask_for_ids(self) -> None:
        try:
            ids = set(self._session.ids_of(self.cls, {}))
        except PiecesError as error:
            _log.info("The ids of %s could not be read: %s", self._kind.collection, error)
            if self._stream is not None:
                self._stream.drop()
            self._rest(COALESCE)
            return
        with self._condition:
            self._first_frame_until = 0.0
            self._truth(ids)

    def _take(self) -> dict[str, int]:
        """What has been heard, after a moment in which the same may be heard again."""
        with self._condition:
            if self._pending:
                self._condition.wait_for(lambda: self._stopped, COALESCE)
            waiting = [each for each in self._deferred if not self._session.map.are_written(each.writes)]
            for each in self._deferred:
                if each not in waiting:
                    self._note(each.id, each.what)
            self._deferred = waiting
            batch, self._pending = self._pending, {}
        return batch

    def _settle(self) -> None:
        with self._condition:
            live = self._in_step()
        if live:
            self._become(LIVE)

    def _become(self, state: str) -> None:
        with self._condition:
            if self.state == state or self._stopped:
                return
            self.state = state
            self._condition.notify_all()
        signals = self._session.signals
        signals.tell(signals.stream_state, self.cls, kind=self._kind.name, state=state)

    def _process(self, batch: dict[str, int]) -> dict[str, int]:
        """Fetch and tell; returns what has to be tried again."""
        known = self._known if self._known is not None else set()
        ready: dict[str, int] = {}
        for id, what in batch.items():
            writes = self._session.map.writes_of(self._kind, id)
            if id not in known:
                # It may be what a create of ours is making.
                writes |= self._session.map.writes_of(self._kind, None)
            if writes:
                self._deferred.append(_Deferred(id, what, writes))
            else:
                ready[id] = what
        try:
            gone = self._confirmed({id for id, what in ready.items() if what == VANISHED})
        except PiecesError as error:
            _log.info("The vanished of %s could not be confirmed: %s", self._kind.collection, error)
            return ready
        for id, what in ready.items():
            if what == DELETED or id in gone:
                self._tell_deleted(id)
        wanted = [id for id, what in ready.items() if what == UPDATED and self._is_wanted(id, known)]
        known.update(id for id, what in ready.items() if what == UPDATED and id not in wanted)
        return dict.fromkeys(self._tell_updated(wanted, known), UPDATED)

    def _confirmed(self, vanished: set[str]) -> set[str]:
        """Those of the vanished that the server does not list when it is asked once more."""
        return vanished.difference(self._session.ids_of(self.cls, {})) if vanished else set()

    def _is_wanted(self, id: str, known: set[str]) -> bool:
        """Whether somebody holds the entity, or listens to the kind."""
        entity = self._session.map.peek(self.cls, id)
        if entity is not None and entity.state is not State.HANDLE:
            return True
        signals = self._session.signals
        signal = signals.changed if id in known else signals.created
        return bool(signal.has_receivers_for(self.cls))

    def _tell_updated(self, ids: list[str], known: set[str]) -> list[str]:
        """Read and tell; returns the ids that could not be read."""
        if not ids:
            return []
        held = {id: entity for id in ids if (entity := self._session.map.peek(self.cls, id)) is not None}
        try:
            fetched = self._session.fetch(self.cls, ids, "remote")
        except PiecesError as error:
            _log.info("Changes of %s could not be read: %s", self._kind.collection, error)
            return ids
        failed: list[str] = []
        for id in ids:
            entity = fetched.get(id)
            if isinstance(entity, NotFoundError):
                self._tell_deleted(id, held.get(id))
            elif isinstance(entity, Entity):
                self._tell_one(entity, is_new=id not in known, is_held=id in held)
                known.add(id)
            else:
                _log.info("%s %s could not be read: %s", self._kind.name, id, entity)
                failed.append(id)
        return failed

    def _tell_one(self, entity: Entity, *, is_new: bool, is_held: bool) -> None:
        signals = self._session.signals
        document = entity.document
        updated = None if document is None else document.get("updated")
        with self._condition:
            own = entity.id in self._own
            answered = self._own.pop(entity.id, None)
        if is_new:
            signals.tell(signals.created, self.cls, entity=entity, origin="remote")
        elif not is_held and not (own and (answered is None or (updated is not None and answered == bytes(updated)))):
            # Nobody held it: that it changed is certain, what changed cannot be known.
            signals.tell(signals.changed, self.cls, entity=entity, fields=None, before={}, origin="remote")

    def _tell_deleted(self, id: str, read: Entity | None = None) -> None:
        """Tell a deletion, unless the read that found it has told it of an entity that was held."""
        known = self._known if self._known is not None else set()
        was_known = id in known
        known.discard(id)
        self._own.pop(id, None)
        signals = self._session.signals
        if read is not None and read.state is State.DELETED and read.document is not None:
            return
        entity = self._session.map.peek(self.cls, id)
        if entity is None and not (was_known and signals.deleted.has_receivers_for(self.cls)):
            return
        entity = entity or self._session.map.ref(self.cls, id)
        # A mere handle of an id that was never heard of, or is told already, goes silently.
        news = was_known or entity.document is not None
        if self._session.map.remove(entity) and news:
            signals.tell(signals.deleted, self.cls, entity=entity, origin="remote")
