"""The vocabulary of signals, and their ordered, robust dispatch.

Signals before an act (`saving`, `deleting`) may veto it with an exception. Signals after an act are robust: a receiver
that raises is logged, and the others run. **`connect()` holds the receiver weakly, so a lambda dies at once**: use
`connect_via`, a named function, or `weak=False`.
"""

from __future__ import annotations

import logging
import threading
import weakref
from collections.abc import Callable, Generator, Hashable, Mapping
from types import MethodType
from typing import Any

import blinker
from attrs import frozen

from .concurrency.merge_queue import Backlog

_log = logging.getLogger("pieces_orm.signals")

Dispatch = Callable[[Callable[[], None]], Any]


class Signal(blinker.Signal):
    """A blinker signal whose receivers are called in the order in which they were connected."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = name

    def receivers_for(self, sender: Any) -> Generator[Callable[..., Any], None, None]:
        """The live receivers for a sender, in connection order."""
        wanted = list(super().receivers_for(sender))
        for held in list(self.receivers.values()):
            receiver = held() if isinstance(held, weakref.ref) else held
            if receiver is not None and receiver in wanted:
                yield receiver


@frozen
class Told:
    """What a signal said, for those who hear it later."""

    signal: str
    sender: Any
    about: Mapping[str, Any]

    @property
    def key(self) -> Hashable:
        """What it is about: of two that wait and are about the same, one can tell both."""
        entity: Hashable = self.about.get("entity")
        if entity is None:
            return self.signal, self.about.get("kind")
        if "relation" in self.about:
            return entity, self.about["relation"], self.about["other"]
        return entity

    def followed_by(self, later: Told) -> Told:
        """What is left to tell when a later one about the same came before this was heard: the final state."""
        if later.signal != "changed" or self.signal not in ("created", "changed"):
            return later
        if self.signal == "created":
            return self
        mine, new = self.about, later.about
        fields = None if mine["fields"] is None or new["fields"] is None else mine["fields"] | new["fields"]
        before = {**new["before"], **mine["before"]}
        return Told("changed", self.sender, {**new, "fields": fields, "before": before})


class Signals:
    """The signals of one session; the sender is always the entity's class.

    Who asks or tells looks first whether the signal has receivers: without them it costs less than a call would.

    Before an act, an exception vetoes it:
        saving(entity, edits), deleting(entity)
    After an act:
        created(entity, origin), changed(entity, fields, before, origin), deleted(entity, origin),
        associated(entity, relation, other, origin), disassociated(entity, relation, other, origin)
    About the connection:
        stream_state(kind, state), requested(method, path, status, seconds)

    `origin` is "local" (this session's call), "refresh" (an answer that was asked for) or "remote" (a stream).
    """

    def __init__(self, dispatch: Dispatch | None = None) -> None:
        self._dispatch = dispatch
        self._backlog: Backlog[_Delivery] = Backlog(_Delivery.followed_by)
        self.saving = Signal("saving")
        self.deleting = Signal("deleting")
        self.created = Signal("created")
        self.changed = Signal("changed")
        self.deleted = Signal("deleted")
        self.associated = Signal("associated")
        self.disassociated = Signal("disassociated")
        self.stream_state = Signal("stream_state")
        self.requested = Signal("requested")

    def ask(self, signal: Signal, sender: Any, **about: Any) -> None:
        """Send a signal whose receivers may veto: the first exception goes through to the caller."""
        signal.send(sender, **about)

    def tell(self, signal: Signal, sender: Any, **about: Any) -> None:
        """Send a signal about what has happened: each receiver runs, by way of `dispatch` when there is one."""
        if not signal.receivers or signal.is_muted:
            return
        for receiver in signal.receivers_for(sender):
            if self._dispatch is None:
                deliver(receiver, sender, about)
            else:
                self._hand_over(_Delivery(receiver, Told(signal.name, sender, about)))

    def _hand_over(self, delivery: _Delivery) -> None:
        assert self._dispatch is not None
        # A method is another object each time it is looked up, and equal to the others.
        receiver = delivery.receiver
        whose: Hashable = receiver if isinstance(receiver, MethodType) else id(receiver)
        number = self._backlog.put((whose, delivery.told.key), delivery)
        if number is None:
            return
        try:
            self._dispatch(self._deliver_next)
        except Exception:  # noqa: BLE001 a loop that is closed must not undo what has happened
            self._backlog.discard(number)
            _log.exception("The dispatch= of a pieces_orm session raised; the delivery is lost.")

    def _deliver_next(self) -> None:
        """Make the oldest delivery that waits; a UI loop runs this once for each."""
        delivery = self._backlog.take()
        if delivery is not None:
            deliver(delivery.receiver, delivery.told.sender, delivery.told.about)


@frozen(eq=False)
class _Delivery:
    """One call of one receiver, to be made by a UI loop."""

    receiver: Callable[..., Any]
    told: Told

    def followed_by(self, later: _Delivery) -> _Delivery:
        return _Delivery(self.receiver, self.told.followed_by(later.told))


def deliver(receiver: Callable[..., Any], sender: Any, about: Mapping[str, Any]) -> None:
    """Call a receiver; what it raises is logged.

    SystemExit and the like go through on threads of the program's own, which they are meant for.
    """
    try:
        receiver(sender, **about)
    except BaseException as error:
        # One bad receiver must not keep the others, or the thread that caused the event, from going on.
        if not isinstance(error, Exception) and not getattr(_own, "thread", False):
            raise
        _log.exception("A receiver of a pieces_orm signal raised; the others run on.")


_own = threading.local()


def own_thread() -> None:
    """Note that the present thread is the package's own: no receiver ends it."""
    _own.thread = True
