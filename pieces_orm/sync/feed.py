"""A feed: the stream or the polls of one kind, kept open, and compared with the server's ids after an outage.

Frames are coalesced for a moment and told by a thread of their own, so that slow receivers do not stall the socket.
After a lost connection the ids of the server are the truth: survivors are read again, the vanished confirmed.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING

from ..errors import NotRunningError, PiecesError, RequestTimeout, TransportError
from ..orm.entity import Entity
from ..signals import own_thread
from ..transport.websocket import PING_INTERVAL, PING_TIMEOUT, Stream, events_of, pause_after
from .pending import DELETED, PUT_OFF, QUIET, UPDATED, Pending
from .reconciler import Teller

if TYPE_CHECKING:
    from ..session import Session

_log = logging.getLogger("pieces_orm.sync.feed")

POLL = 1.0
# Seconds within which the server's clock is known, and its stamps are taken for those of one moment.
MARGIN = 2.0
# Seconds for which opening a feed waits for it to be live.
FIRST = 0.5

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
        self._live_since: float | None = None
        # The ids of the server have to be asked for, not before a time when that failed so many times.
        self._reconcile = True
        self._ask_at, self._asked = 0.0, 0
        # The next frame is the first of its connection.
        self._begins = False
        self._before_live: deque[Callable[[], None]] = deque()
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

    def end(self) -> None:
        """Hear and tell nothing any more; what is under way is finished."""
        with self._condition:
            self._stopped = True
            self._before_live.clear()
            self._condition.notify_all()

    def hang_up(self) -> None:
        """Close the socket, which may take a second when the other side is silent."""
        if self._stream is not None:
            self._stream.stop()

    def wait_first(self, deadline: float) -> None:
        """Wait until this is live, or cannot be for now."""
        with self._condition:
            while self.state == CONNECTING and self._live_since is None and not self._stopped:
                remaining = deadline - time.monotonic()
                if remaining <= 0 or threading.current_thread() is self._worker:
                    return
                self._condition.wait(remaining)

    def before_live(self, act: Callable[[], None]) -> None:
        """Do something before this is live; nothing when it is."""
        with self._condition:
            if self.state != LIVE:
                self._before_live.append(act)

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
        """Whether entities may have aged: this is lost, or was live and is not yet again."""
        return self.state == LOST or (self._live_since is not None and self.state != LIVE)

    # Hearing: these run on the stream's thread and only note what was said -------------------------------------------

    def _opened(self) -> None:
        with self._condition:
            self._connected = self._reconcile = self._begins = True
            self._become(CONNECTING)

    def _heard(self, frame: str | bytes) -> None:
        events = events_of(frame, self._kind.stream or "")
        with self._condition:
            # What there is, is asked for: a list of it says of nothing that it changed.
            begins, self._begins = self._begins, False
            listing = begins and self.teller.is_listing({event.id for event in events})
            for event in events:
                if event.deleted or not listing:
                    self._pending.note(event.id, DELETED if event.deleted else UPDATED)
            self._condition.notify_all()

    def again(self, id: str) -> None:
        """Read a material anew: an answer came that was older than the last news of it."""
        with self._condition:
            self._pending.note(id, UPDATED)
            self._condition.notify_all()

    def _lost(self, error: Exception | None) -> None:
        _log.info("The stream of %s is lost: %s", self._kind.collection, error)
        with self._condition:
            was_connected, self._connected = self._connected, False
            if self.state == LIVE:
                # A connection that is half open is deaf for as long as a ping may take.
                deaf = PING_INTERVAL + PING_TIMEOUT if "ping timeout" in str(error) else MARGIN
                self.teller.deaf_since = max(self._session.server_time() - deaf, self._live_since or 0.0)
            self._become(LOST)
        if was_connected or isinstance(error, NotRunningError):
            self._session.server_was_lost()
        if isinstance(error, TransportError):
            try:
                self._session.look_again()
            except Exception:  # noqa: BLE001 it is tried again where it was
                _log.exception("The server could not be looked for again.")

    def _poll(self) -> None:
        own_thread()
        failures = 0
        since: str | None = None
        offset = _clock_offset()
        while not self._stopped:
            if abs(_clock_offset() - offset) > POLL:
                # The machine slept: what was changed since is not found by its time.
                offset, since, self._reconcile = _clock_offset(), None, True
            try:
                since = self._poll_once(since)
                failures = 0
                self._rest(POLL)
            except Exception as error:  # noqa: BLE001 whatever it was, it is asked again
                failures += 1
                self._lost(error)
                self._rest(pause_after(failures))

    def _poll_once(self, since: str | None) -> str:
        number = self._session.map.now()
        # By the server's clock. The window overlaps the last one: what is heard of twice brings nothing new.
        began = self._session.server_time() - 2 * POLL - MARGIN
        recent = self._session.ids_of(self.cls, {"updated_from": since}) if since else ()
        everything = set(self._session.ids_of(self.cls, {}))
        with self._condition:
            self._connected = True
            self._truth(everything, number)
            for id in everything.intersection(recent):
                self._pending.note(id, UPDATED)
            self._condition.notify_all()
        return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(began))

    def _rest(self, seconds: float) -> None:
        with self._condition:
            self._condition.wait_for(lambda: self._stopped, seconds)

    def _truth(self, now: set[str], number: int) -> None:
        """All ids there are, as they were asked for with this number."""
        recovering = self._reconcile or self.state == LOST
        self._reconcile = False
        for id, what in self.teller.compare(now, number if recovering else None).items():
            self._pending.note(id, what)

    # Telling: this runs on the feed's own thread ---------------------------------------------------------------------

    def _work(self) -> None:
        own_thread()
        failures = 0
        while not self._stopped:
            try:
                self._work_once()
                failures = 0
            except Exception:  # noqa: BLE001 a mistake here must not end the telling for good
                _log.exception("Telling of %s went wrong; it is compared with the server again.", self._kind.collection)
                failures += 1
                self._reconcile = True
                self._rest(pause_after(failures))

    def _work_once(self) -> None:
        with self._condition:
            self._condition.wait_for(self._has_work, self._patience())
            if self._stopped:
                return
            ask = self._asks
        self._tell_states()
        if ask:
            self._ask_for_ids()
        taken = self._take()
        failed = self.teller.process(taken)
        with self._condition:
            self._pending.settle(taken, failed)
        if self._in_step():
            self._settle()

    @property
    def _asks(self) -> bool:
        """Whether the ids have to be asked for, and it is time to."""
        return self._reconcile and self._stream is not None and self._connected and time.monotonic() >= self._ask_at

    def _has_work(self) -> bool:
        settles = self.state != LIVE and self._in_step()
        tells = bool(self._states) and not self._telling_states.locked()
        # What is heard before the first list of ids waits for that: it tells the new from the changed.
        due = self.teller.known is not None and self._pending.patience == 0
        return self._stopped or due or tells or self._asks or settles

    def _in_step(self) -> bool:
        return self.teller.known is not None and self._connected and not self._reconcile and not self._pending.hopeful

    def _patience(self) -> float | None:
        """Seconds after which there may be work that nobody tells of; None: somebody will tell."""
        waits = [self._pending.patience, QUIET if self.teller.defers else None]
        if self._reconcile:
            waits.append(max(0.0, self._ask_at - time.monotonic()))
        return min((each for each in waits if each), default=None)

    def _ask_for_ids(self) -> None:
        number = self._session.map.now()
        try:
            ids = set(self._session.ids_of(self.cls, {}))
        except PiecesError as error:
            _log.info("The ids of %s could not be read: %s", self._kind.collection, error)
            self._asked += 1
            self._ask_at = time.monotonic() + pause_after(self._asked)
            return
        self._asked, self._ask_at = 0, 0.0
        with self._condition:
            self._truth(ids, number)

    def _take(self) -> dict[str, int]:
        """What has been heard, after a moment in which the same may be heard again."""
        with self._condition:
            if len(self._pending):
                self._condition.wait_for(lambda: self._stopped, QUIET)
            for id, what in self.teller.deferred().items():
                self._pending.note(id, what)
            return {} if self.teller.known is None else self._pending.take()

    def _settle(self) -> None:
        """Let lists that were read before this was in step catch up, and be live."""
        while act := next(iter(self._before_live), None):
            try:
                act()
            except PiecesError as error:
                _log.info("A list of %s could not be read again: %s", self._kind.collection, error)
                self._rest(PUT_OFF)
                return
            with self._condition:
                if act in self._before_live:
                    self._before_live.remove(act)
        with self._condition:
            if self._in_step():
                self._become(LIVE)
        self._tell_states()

    # State -----------------------------------------------------------------------------------------------------------

    def _become(self, state: str) -> None:
        """Take a state, under the condition; `_tell_states` tells about it."""
        if self.state != state and not self._stopped:
            self.state = state
            if state == LIVE:
                self._live_since = self._live_since or self._session.server_time()
                if self._stream is not None:
                    self._stream.settled()
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
