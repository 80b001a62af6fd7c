"""A feed: the stream or the polls of one kind, kept open, and compared with the server's ids after an outage.

Frames are coalesced for a moment and told by a thread of their own, so that slow receivers do not stall the socket.
After a lost connection the ids of the server are the truth: survivors are read again, the vanished confirmed.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from typing import TYPE_CHECKING

from .entity import Entity
from .errors import NotRunningError, PiecesError, RequestTimeout, TransportError
from .stream import Stream, backoff, events_of
from .telling import DELETED, QUIET, UPDATED, Pending, Teller

if TYPE_CHECKING:
    from .session import Session

_log = logging.getLogger("pieces_orm.feed")

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
        self.teller = Teller(session, cls)
        self._session = session
        self._kind = cls.kind
        self._pending = Pending()
        self._connected = False
        self._was_live = False
        self._reconcile = False
        self._first_frame_until = 0.0
        self._condition = threading.Condition()
        self._states: deque[str] = deque([CONNECTING])
        self._telling_states = threading.Lock()
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

    @property
    def is_stale(self) -> bool:
        """Whether entities may have aged: this was live, and is not now."""
        return self._was_live and self.state != LIVE

    # Hearing: these run on the stream's thread and only note what was said -------------------------------------------

    def _opened(self) -> None:
        with self._condition:
            self._connected = self._reconcile = True
            # The other kinds may begin with any frame: their ids are asked for.
            self._first_frame_until = time.monotonic() + FIRST_FRAME if self._kind.name == "asset" else 0.0
            self._become(CONNECTING)

    def _heard(self, frame: str | bytes) -> None:
        events = events_of(frame, self._kind.stream or "")
        with self._condition:
            if self._first_frame_until:
                self._first_frame_until = 0.0
                self._truth({event.id for event in events if not event.deleted})
            else:
                for event in events:
                    self._pending.note(event.id, DELETED if event.deleted else UPDATED)
            self._condition.notify_all()

    def _lost(self, error: Exception | None) -> None:
        _log.info("The stream of %s is lost: %s", self._kind.collection, error)
        with self._condition:
            was_connected, self._connected = self._connected, False
            self._become(LOST)
        self._tell_states()
        if was_connected or isinstance(error, NotRunningError):
            self._session.server_was_lost()
        if isinstance(error, TransportError):
            self._session.look_again()

    def _poll(self) -> None:
        pauses = backoff()
        since: str | None = None
        offset = _clock_offset()
        while not self._stopped:
            if abs(_clock_offset() - offset) > POLL:
                # The clock was set, or the machine slept: what was changed since is not found by its time.
                offset, since, self._reconcile = _clock_offset(), None, True
            try:
                since = self._poll_once(since)
                pauses = backoff()
                self._rest(POLL)
            except PiecesError as error:
                self._lost(error)
                self._rest(next(pauses))

    def _poll_once(self, since: str | None) -> str:
        # The window overlaps the last one: an edit that is heard of twice brings nothing new the second time.
        began = time.time() - 2 * POLL
        recent = self._session.ids_of(self.cls, {"updated_from": since}) if since else ()
        everything = set(self._session.ids_of(self.cls, {}))
        with self._condition:
            self._connected = True
            self._truth(everything)
            for id in everything.intersection(recent):
                self._pending.note(id, UPDATED)
            self._condition.notify_all()
        return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(began))

    def _rest(self, seconds: float) -> None:
        with self._condition:
            self._condition.wait_for(lambda: self._stopped, seconds)

    def _truth(self, now: set[str]) -> None:
        """All ids there are."""
        recovering = self._reconcile or self.state == LOST
        self._reconcile = False
        for id, what in self.teller.compare(now, recovering=recovering).items():
            self._pending.note(id, what)

    # Telling: this runs on the feed's own thread ---------------------------------------------------------------------

    def _work(self) -> None:
        pauses = backoff()
        while True:
            with self._condition:
                self._condition.wait_for(self._has_work, self._patience())
                if self._stopped:
                    return
                ask = self._reconcile and time.monotonic() >= self._first_frame_until
            self._tell_states()
            if ask:
                self._ask_for_ids()
            failed = self.teller.process(self._take())
            if failed:
                with self._condition:
                    for id, what in failed.items():
                        self._pending.note(id, what)
                self._rest(next(pauses))
            else:
                pauses = backoff()
                self._settle()

    def _has_work(self) -> bool:
        ask = self._reconcile and not self._first_frame_until
        settles = self.state != LIVE and self._in_step()
        tells = bool(self._states) and not self._telling_states.locked()
        return self._stopped or bool(self._pending) or tells or ask or settles

    def _in_step(self) -> bool:
        return self.teller.known is not None and self._connected and not self._reconcile and not self._pending

    def _patience(self) -> float | None:
        """Seconds after which there may be work that nobody tells of; None: somebody will tell."""
        if self.teller.defers:
            return QUIET
        return FIRST_FRAME / 4 if self._first_frame_until else None

    def _ask_for_ids(self) -> None:
        try:
            ids = set(self._session.ids_of(self.cls, {}))
        except PiecesError as error:
            _log.info("The ids of %s could not be read: %s", self._kind.collection, error)
            if self._stream is not None:
                self._stream.drop()
            self._rest(QUIET)
            return
        with self._condition:
            self._first_frame_until = 0.0
            self._truth(ids)

    def _take(self) -> dict[str, int]:
        """What has been heard, after a moment in which the same may be heard again."""
        with self._condition:
            if self._pending:
                self._condition.wait_for(lambda: self._stopped, QUIET)
            for id, what in self.teller.deferred().items():
                self._pending.note(id, what)
            return self._pending.take()

    def _settle(self) -> None:
        with self._condition:
            if self._in_step():
                self._become(LIVE)
        self._tell_states()

    # State -----------------------------------------------------------------------------------------------------------

    def _become(self, state: str) -> None:
        """Take a state, under the condition; `_tell_states` tells about it."""
        if self.state != state and not self._stopped:
            self.state = state
            self._was_live |= state == LIVE
            self._states.append(state)
        self._condition.notify_all()

    def _tell_states(self) -> None:
        """Tell the states that were taken, in their order, whichever thread comes by."""
        signals = self._session.signals
        while self._states and self._telling_states.acquire(blocking=False):
            try:
                with self._condition:
                    state = self._states.popleft() if self._states else None
                if state is not None:
                    signals.tell(signals.stream_state, self.cls, kind=self._kind.name, state=state)
            finally:
                self._telling_states.release()


def _clock_offset() -> float:
    """What tells that the clock was set or the machine slept: then the two clocks drift apart."""
    return time.time() - time.monotonic()
