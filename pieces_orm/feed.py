"""A feed: frames and polls of one kind become fetches, applied changes, and signals.

Frames are coalesced for a moment, fetched together, and applied; what brings nothing new (our own echo) is silent.
After a lost connection the ids of the server are the truth: survivors are read again, the vanished confirmed.
"""

from __future__ import annotations

import logging
import threading
import time
from typing import TYPE_CHECKING

from .entity import Entity
from .errors import NotFoundError, PiecesError, RequestTimeout
from .record import State
from .stream import Stream, backoff, events_of

if TYPE_CHECKING:
    from .session import Session

_log = logging.getLogger("pieces_orm.watch")

COALESCE = 0.025
POLL = 1.0
# Assets alone are promised a first frame with all ids; how long to wait for it before asking for the ids.
FIRST_FRAME = 2.0

CONNECTING, LIVE, LOST = "connecting", "live", "lost"


class Feed:
    """What one session hears of one kind."""

    def __init__(self, session: Session, cls: type[Entity]) -> None:
        self.cls = cls
        self.state = CONNECTING
        self.watchers = 0
        self._session = session
        self._kind = cls.kind
        self._known: set[str] | None = None
        self._pending: dict[str, bool] = {}
        self._reconcile = False
        self._first_frame = False
        self._opened_at = 0.0
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

    def made(self, id: str) -> None:
        """Note a material of our own making, so that its echo is not taken for another's."""
        if self._known is not None:
            self._known.add(id)

    def drop(self) -> None:
        """Close the present connection, so that another is made."""
        if self._stream is not None:
            self._stream.drop()

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

    # Hearing: these run on the stream's thread and only note what was said -------------------------------------------

    def _opened(self) -> None:
        with self._condition:
            self._reconcile = True
            self._opened_at = time.monotonic()
            # The other kinds may begin with any frame: their ids are asked for.
            self._first_frame = self._kind.name == "asset"
            self._condition.notify_all()

    def _heard(self, frame: str | bytes) -> None:
        events = events_of(frame, self._kind.stream or "")
        with self._condition:
            if self._first_frame:
                self._first_frame = False
                self._truth([event.id for event in events if not event.deleted])
            else:
                for event in events:
                    self._pending[event.id] = self._pending.get(event.id, False) or event.deleted
            self._condition.notify_all()

    def _lost(self, error: Exception | None) -> None:
        _log.info("The stream of %s is lost: %s", self._kind.collection, error)
        self._become(LOST)

    def _poll(self) -> None:
        pauses = backoff()
        since: str | None = None
        while not self._stopped:
            try:
                # The window overlaps the last one: an edit that is heard of twice brings nothing new the second time.
                began = time.time() - 2 * POLL
                recent = self._session.ids_of(self.cls, {"updated_from": since}) if since else ()
                everything = self._session.ids_of(self.cls, {})
                with self._condition:
                    self._truth(list(everything))
                    self._pending.update({id: False for id in recent if id in set(everything)})
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

    def _truth(self, ids: list[str]) -> None:
        """All ids there are: note what is new, what has vanished, and what may have changed while nobody heard."""
        first = self._known is None
        known = set() if self._known is None else self._known
        now = set(ids)
        if not first:
            self._pending.update(dict.fromkeys(now - known, False))
            self._pending.update(dict.fromkeys(known - now, True))
            if self.state == LOST or self._stream is not None:
                held = {entity.id for entity in self._session.map.alive(self.cls) if entity.state is State.LOADED}
                self._pending.update(dict.fromkeys(held & now, False))
        else:
            self._known = now
        self._reconcile = False

    # Telling: this runs on the feed's own thread, so that slow receivers do not stall the socket ---------------------

    def _work(self) -> None:
        while True:
            with self._condition:
                self._condition.wait_for(self._has_work, timeout=FIRST_FRAME / 10)
                if self._stopped:
                    return
                overdue = self._first_frame and time.monotonic() - self._opened_at > FIRST_FRAME
                ask = self._reconcile and (not self._first_frame or overdue)
            if ask:
                self._ask_for_ids()
            if not self._pending:
                self._settled()
                continue
            with self._condition:
                self._condition.wait_for(lambda: self._stopped, COALESCE)
                batch, self._pending = self._pending, {}
            try:
                self._process(batch)
            except PiecesError as error:
                self._again(batch, error)
            else:
                self._settled()

    def _has_work(self) -> bool:
        return self._stopped or bool(self._pending) or (self._reconcile and not self._first_frame)

    def _ask_for_ids(self) -> None:
        try:
            ids = list(self._session.ids_of(self.cls, {}))
        except PiecesError as error:
            _log.info("The ids of %s could not be read: %s", self._kind.collection, error)
            self.drop()
            self._rest(COALESCE)
            return
        with self._condition:
            self._first_frame = False
            self._truth(ids)

    def _again(self, batch: dict[str, bool], error: PiecesError) -> None:
        """Keep what could not be told for the next time."""
        _log.info("Changes of %s could not be read: %s", self._kind.collection, error)
        with self._condition:
            self._pending = {**batch, **self._pending}
            self._condition.wait_for(lambda: self._stopped, 4 * COALESCE)

    def _settled(self) -> None:
        with self._condition:
            live = self._known is not None and not self._reconcile and not self._pending
        if live and (self._stream is None or self.state != LOST or self._stream.connected):
            self._become(LIVE)

    def _become(self, state: str) -> None:
        with self._condition:
            if self.state == state or self._stopped:
                return
            self.state = state
            self._condition.notify_all()
        signals = self._session.signals
        signals.tell(signals.stream_state, self.cls, kind=self._kind.name, state=state)

    def _process(self, batch: dict[str, bool]) -> None:
        known = self._known if self._known is not None else set()
        updates = [id for id, deleted in batch.items() if not deleted]
        # A write of ours is told by itself: its echo waits for its answer. An unknown id may be that of a create.
        creates = [None] if any(id not in known for id in updates) else []
        self._session.map.wait_written(self._kind, [*batch, *creates])
        for id in [id for id, deleted in batch.items() if deleted]:
            self._tell_deleted(id)
        gone = self._tell_updated([id for id in updates if self._is_wanted(id, known)])
        # A vanished id is told already: kept here, its deletion would be told again.
        known.update(id for id in updates if id not in gone)

    def _is_wanted(self, id: str, known: set[str]) -> bool:
        """Whether somebody holds the entity, or listens to the kind."""
        entity = self._session.map.peek(self.cls, id)
        if entity is not None and entity.state is not State.HANDLE:
            return True
        signals = self._session.signals
        signal = signals.changed if id in known else signals.created
        return bool(signal.has_receivers_for(self.cls))

    def _tell_updated(self, ids: list[str]) -> set[str]:
        """Read and tell; returns the ids that turned out to be gone."""
        gone: set[str] = set()
        known = self._known if self._known is not None else set()
        held = {id: entity for id in ids if (entity := self._session.map.peek(self.cls, id)) is not None}
        fetched = self._session.fetch(self.cls, ids, "remote")
        signals = self._session.signals
        failed: PiecesError | None = None
        for id in ids:
            entity = fetched.get(id)
            if isinstance(entity, NotFoundError):
                self._tell_deleted(id)
                gone.add(id)
            elif isinstance(entity, PiecesError):
                failed = entity
            elif isinstance(entity, Entity) and id not in known:
                signals.tell(signals.created, self.cls, entity=entity, origin="remote")
            elif isinstance(entity, Entity) and id not in held:
                # Nobody held it: that it changed is certain, what changed cannot be known.
                signals.tell(signals.changed, self.cls, entity=entity, fields=None, before={}, origin="remote")
        if failed is not None:
            raise failed
        return gone

    def _tell_deleted(self, id: str) -> None:
        known = self._known if self._known is not None else set()
        was_known = id in known
        known.discard(id)
        signals = self._session.signals
        entity = self._session.map.peek(self.cls, id)
        if entity is None and not (was_known and signals.deleted.has_receivers_for(self.cls)):
            return
        entity = entity or self._session.map.ref(self.cls, id)
        if self._session.map.remove(entity):
            signals.tell(signals.deleted, self.cls, entity=entity, origin="remote")
