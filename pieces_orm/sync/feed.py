"""Feeds: the stream or the polls of one kind, kept open, and compared with the server's ids after an outage.

Frames are coalesced for a moment and processed by a thread of their own, so that slow receivers do not stall the
socket. After a lost connection the server's ids decide: survivors are read again, the vanished confirmed.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Collection, Mapping

from ..concurrency.forking import fork_safe
from ..errors import NotRunningError, PiecesError, RequestTimeout, TransportError, printable
from ..orm import reading
from ..orm.context import Context
from ..orm.entity import Entity
from ..signals import own_thread
from ..transport.backoff import pause_after
from ..transport.websocket import PING_INTERVAL_S, PING_TIMEOUT_S, Stream, events_of, id_frame_bytes
from .delivery import Delivery
from .known_ids import MAX_ECHO_S
from .pending import DEBOUNCE_S, DELETED, MAX_DEBOUNCE_S, SEEN, SURVIVED, UPDATED, Pending
from .reconciler import Reconciler

_log = logging.getLogger("pieces_orm.sync.feed")

POLL_INTERVAL_S = 1.0
# The server's clock is known so well, and its stamps within it count as one moment.
CLOCK_MARGIN_S = 2.0
# Opening a feed waits so long for it to be live.
INITIAL_WAIT_S = 0.5

CONNECTING, LIVE, LOST = "connecting", "live", "lost"


class Feed:
    """The changes of one kind, as one session and its scopes receive them.

    Args:
        context: of the session.
        members: given this feed, returns the reconcilers to deliver to; see `Delivery`.
    """

    def __init__(self, context: Context, cls: type[Entity], members: Callable[[Feed], list[Reconciler]]) -> None:
        self.cls = cls
        self.state = CONNECTING
        self.watchers = 0
        self.delivery = Delivery(context, cls, lambda: members(self))
        # Something is to be read for one of the sessions alone.
        self._is_asked = False
        self._context = context
        self._connection = context.connection
        self._kind = cls._schema.kind
        self._pending = Pending()
        self._connected = False
        self._live_since: float | None = None
        # The ids of the server have to be read, after failures not before a time.
        self._must_compare = True
        self._compare_at, self._failed_comparisons = 0.0, 0
        self._is_first_frame = False
        self._before_live: deque[Callable[[], None]] = deque()
        self._condition = fork_safe(threading.Condition())
        self._states: deque[str] = deque([CONNECTING])
        self._emitting_states = threading.Lock()
        self._stopped = False
        self._stream: Stream | None = None
        self._worker = threading.Thread(target=self._work, name=f"pieces_orm feed {self._kind.collection}", daemon=True)

    def start(self) -> None:
        """Start the threads: one that receives frames, one that fetches and emits."""
        route = self._kind.routes.get("stream")
        if route is not None:
            self._stream = Stream(
                lambda: self._connection.stream_url(route),
                self._connection.stream_headers,
                max_frame=id_frame_bytes(self._connection.max_answer),
                opened=self._opened,
                frame=self._received,
                lost=self._lost,
                name=self._kind.collection,
            )
            self._stream.start()
        else:
            threading.Thread(target=self._poll, name=f"pieces_orm poll {self._kind.collection}", daemon=True).start()
        self._worker.start()

    def end(self) -> None:
        """Receive and emit nothing any more; what is under way is finished."""
        with self._condition:
            self._stopped = True
            self.state = LOST
            self._before_live.clear()
            self._condition.notify_all()
        self.delivery.stop()
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
        """Call a function before this becomes live; not at all when it is."""
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
                    self._connection.check_open()
                    message = f"The stream of {self._kind.collection} is {self.state}, not live; is the server there?"
                    raise RequestTimeout(message, method="GET", path=self._kind.collection)
                self._condition.wait(remaining)

    @property
    def is_stale(self) -> bool:
        """True if entities may have aged: this is lost, or was live and is not yet again."""
        return self.state == LOST or (self._live_since is not None and self.state != LIVE)

    # Receiving: these run on the stream's thread and only collect reports ---------------------------------------

    def _opened(self) -> None:
        with self._condition:
            self._connected = self._must_compare = self._is_first_frame = True
            self._become(CONNECTING)

    def _received(self, frame: str | bytes) -> None:
        events = events_of(frame, self._kind.stream or "")
        with self._condition:
            # A list of the existing ids is no report of changes; the ids are read apart.
            is_first, self._is_first_frame = self._is_first_frame, False
            is_listing = is_first and self.delivery.is_listing({event.id for event in events})
            told = [event for event in events if event.deleted or not is_listing]
            # Without what was deleted just now, a list looks like changes: that the others are there is no news.
            known = self.delivery.listing.ids if is_first else ()
            reports = ((event.id, SURVIVED if event.id in known else UPDATED) for event in told if not event.deleted)
            self._report([*reports, *((event.id, DELETED) for event in told if event.deleted)])

    def _report(self, reports: Collection[tuple[str, int]]) -> None:
        """Take reports, under the condition."""
        for id, report in reports:
            self._pending.add(id, report)
        self.delivery.heard({id for id, _ in reports})
        self._condition.notify_all()

    def again(self, reconciler: Reconciler, id: str) -> None:
        """Read a material anew for one session, because an outdated answer was applied to it there."""
        with self._condition:
            reconciler.again(id)
            self._is_asked = True
            self._condition.notify_all()

    def _lost(self, error: Exception | None) -> None:
        _log.info("The stream of %s is lost: %s", self._kind.collection, printable(str(error)))
        with self._condition:
            was_connected, self._connected = self._connected, False
            self._must_compare = True
            if self.state == LIVE:
                # A connection that is half open is deaf for as long as a ping may take.
                deaf = PING_INTERVAL_S + PING_TIMEOUT_S if "ping timeout" in str(error) else CLOCK_MARGIN_S
                self.delivery.listing.deaf_since = max(self._connection.server_time() - deaf, self._live_since or 0.0)
            self._become(LOST)
        if was_connected or isinstance(error, NotRunningError):
            self._connection.server_was_lost()
        if isinstance(error, TransportError):
            try:
                self._connection.look_again()
            except Exception:  # noqa: BLE001 it is tried again where it was
                _log.exception("The server could not be looked for again.")

    def _poll(self) -> None:
        own_thread()
        failures = 0
        since: str | None = None
        offset = _clock_offset()
        while not self._stopped:
            if abs(_clock_offset() - offset) > POLL_INTERVAL_S:
                # The machine slept: what was changed since is not found by its time.
                offset, since, self._must_compare = _clock_offset(), None, True
            try:
                since = self._poll_once(since)
                failures = 0
                self._rest(POLL_INTERVAL_S)
            except Exception as error:  # noqa: BLE001 whatever it was, it is asked again
                failures += 1
                self._lost(error)
                self._rest(pause_after(failures))

    def _poll_once(self, since: str | None) -> str:
        numbers, recovering = self._begin_comparison()
        is_first = not self.delivery.listing.is_there
        # By the server's clock. The window overlaps the last one: a second report of a change brings nothing new.
        began = self._connection.server_time() - 2 * POLL_INTERVAL_S - CLOCK_MARGIN_S
        start = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(began))
        recent = self._read_ids({"updated_from": since or start})
        everything = set(self._read_ids({}))
        with self._condition:
            self._connected = True
            self._compare(everything, numbers, recovering=recovering)
            # The next window reaches back before the first: what changed there is no news then.
            self._report([(id, SEEN if is_first else UPDATED) for id in everything.intersection(recent)])
        return start

    def _read_ids(self, query: dict[str, str]) -> tuple[str, ...]:
        return reading.read_ids(self._connection, self._kind, query)

    def _rest(self, seconds: float) -> None:
        with self._condition:
            self._condition.wait_for(lambda: self._stopped, seconds)

    def _begin_comparison(self) -> tuple[Mapping[Context, int], bool]:
        """Return the numbers of a request of all ids that is about to be made, and whether changes may be missing.

        A connection that is lost or opened from here on needs another comparison: this one may not see what it missed.
        """
        with self._condition:
            recovering, self._must_compare = self._must_compare, False
        return self.delivery.numbers(), recovering

    def _compare(self, now: set[str], numbers: Mapping[Context, int], *, recovering: bool) -> None:
        """Compare all ids of the server, requested with these numbers, with the known ones."""
        for id, report in self.delivery.compare(now, numbers, recovering=recovering).items():
            self._pending.add(id, report)

    # Emitting: this runs on the feed's own thread ---------------------------------------------------------------------

    def _work(self) -> None:
        own_thread()
        failures = 0
        while not self._stopped:
            try:
                self._work_once()
                failures = 0
            except Exception:  # noqa: BLE001 a mistake here must not end the feed for good
                _log.exception(
                    "Processing of %s failed; its ids are compared with the server again.", self._kind.collection
                )
                failures += 1
                self._must_compare = True
                self._rest(pause_after(failures))

    def _work_once(self) -> None:
        with self._condition:
            self._condition.wait_for(self._has_work, self._seconds_until_work())
            if self._stopped:
                return
            compares = self._compares
        self._emit_states()
        if compares:
            self._read_and_compare()
        taken = self._take()
        self._is_asked = False
        failed = self.delivery.process(taken)
        with self._condition:
            self._pending.finish(taken, failed)
        if self._in_step():
            self._settle()

    @property
    def _compares(self) -> bool:
        """True if the ids have to be read now."""
        return (
            self._must_compare and self._stream is not None and self._connected and time.monotonic() >= self._compare_at
        )

    def _has_work(self) -> bool:
        settles = self.state != LIVE and self._in_step()
        emits = bool(self._states) and not self._emitting_states.locked()
        # Reports wait for the first list of ids, which tells the new from the changed.
        due = self.delivery.listing.is_there and (self._is_asked or self._pending.seconds_until_due == 0)
        return self._stopped or due or emits or self._compares or settles

    def _in_step(self) -> bool:
        return (
            self.delivery.listing.is_there and self._connected and not self._must_compare and not self._pending.hopeful
        )

    def _seconds_until_work(self) -> float | None:
        """Return the seconds after which there may be work without a notification; None: there will be one."""
        self.delivery.let_go()
        waits = [self._pending.seconds_until_due, DEBOUNCE_S if self.delivery.waits else None, MAX_ECHO_S]
        if self._must_compare:
            waits.append(max(0.0, self._compare_at - time.monotonic()))
        return min((each for each in waits if each), default=None)

    def _read_and_compare(self) -> None:
        numbers, recovering = self._begin_comparison()
        try:
            ids = set(self._read_ids({}))
        except PiecesError as error:
            _log.info("The ids of %s could not be read: %s", self._kind.collection, error)
            self._must_compare = True
            self._failed_comparisons += 1
            self._compare_at = time.monotonic() + pause_after(self._failed_comparisons)
            return
        self._failed_comparisons, self._compare_at = 0, 0.0
        with self._condition:
            self._compare(ids, numbers, recovering=recovering)

    def _take(self) -> dict[str, int]:
        """Take the reports that are due, after a moment in which the same ids may be reported again."""
        with self._condition:
            if len(self._pending):
                self._condition.wait_for(lambda: self._stopped, DEBOUNCE_S)
            return self._pending.take() if self.delivery.listing.is_there else {}

    def _settle(self) -> None:
        """Let lists that were read before this was in step catch up, then become live."""
        while act := next(iter(self._before_live), None):
            try:
                act()
            except PiecesError as error:
                _log.info("A list of %s could not be read again: %s", self._kind.collection, error)
                self._rest(MAX_DEBOUNCE_S)
                return
            with self._condition:
                if act in self._before_live:
                    self._before_live.remove(act)
        with self._condition:
            if self._in_step():
                self._become(LIVE)
        self._emit_states()

    # State -----------------------------------------------------------------------------------------------------------

    def _become(self, state: str) -> None:
        """Take a state, under the condition; `_emit_states` emits it."""
        if self.state != state and not self._stopped:
            self.state = state
            if state == LIVE:
                self._live_since = self._live_since or self._connection.server_time()
                if self._stream is not None:
                    self._stream.settled()
            self._states.append(state)
        self._condition.notify_all()

    def _emit_states(self) -> None:
        """Emit the states that were taken, in their order, whichever thread comes by."""
        while self._states and self._emitting_states.acquire(blocking=False):
            try:
                with self._condition:
                    state = self._states.popleft() if self._states else None
                for context in (self._context, *self._context.scopes()) if state is not None else ():
                    signals = context.signals
                    signals.emit(signals.stream_state, self.cls, kind=self._kind.name, state=state)
            finally:
                self._emitting_states.release()


def _clock_offset() -> float:
    """Return the distance of two clocks, which changes when one is set or the machine slept."""
    return time.time() - time.monotonic()
