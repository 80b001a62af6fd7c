"""The vocabulary of signals, and their ordered, robust dispatch.

Signals before an act (`saving`, `deleting`) may veto it with an exception. Signals after an act are robust: a receiver
that raises is logged, and the others run. **`connect()` holds the receiver weakly, so a lambda dies at once**: use
`connect_via`, a named function, or `weak=False`.
"""

from __future__ import annotations

import logging
import weakref
from collections.abc import Callable, Generator
from typing import Any

import blinker

_log = logging.getLogger("pieces_orm.signals")

Dispatch = Callable[[Callable[[], None]], Any]


class Signal(blinker.Signal):
    """A blinker signal whose receivers are called in the order in which they were connected."""

    def receivers_for(self, sender: Any) -> Generator[Callable[..., Any], None, None]:
        """The live receivers for a sender, in connection order."""
        wanted = list(super().receivers_for(sender))
        for held in list(self.receivers.values()):
            receiver = held() if isinstance(held, weakref.ref) else held
            if receiver is not None and receiver in wanted:
                yield receiver


class Signals:
    """The signals of one session; the sender is always the entity's class.

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
        self.saving = Signal()
        self.deleting = Signal()
        self.created = Signal()
        self.changed = Signal()
        self.deleted = Signal()
        self.associated = Signal()
        self.disassociated = Signal()
        self.stream_state = Signal()
        self.requested = Signal()

    def ask(self, signal: Signal, sender: Any, **about: Any) -> None:
        """Send a signal whose receivers may veto: the first exception goes through to the caller."""
        if signal.receivers:
            signal.send(sender, **about)

    def tell(self, signal: Signal, sender: Any, **about: Any) -> None:
        """Send a signal about what has happened: each receiver runs, by way of `dispatch` when there is one."""
        if not signal.receivers or signal.is_muted:
            return
        for receiver in signal.receivers_for(sender):
            if self._dispatch is None:
                _deliver(receiver, sender, about)
            else:
                self._hand_over(_Delivery(receiver, sender, about))

    def _hand_over(self, delivery: _Delivery) -> None:
        assert self._dispatch is not None
        try:
            self._dispatch(delivery)
        except Exception:  # noqa: BLE001 a loop that is closed must not undo what has happened
            _log.exception("The dispatch= of a pieces_orm session raised; the delivery is lost.")


class _Delivery:
    """One call of one receiver, to be run by a UI loop."""

    __slots__ = ("about", "receiver", "sender")

    def __init__(self, receiver: Callable[..., Any], sender: Any, about: dict[str, Any]) -> None:
        self.receiver = receiver
        self.sender = sender
        self.about = about

    def __call__(self) -> None:
        _deliver(self.receiver, self.sender, self.about)


def _deliver(receiver: Callable[..., Any], sender: Any, about: dict[str, Any]) -> None:
    try:
        receiver(sender, **about)
    except Exception:  # noqa: BLE001 see below
        # One bad receiver must not keep the others, or the thread that caused the event, from going on.
        _log.exception("A receiver of a pieces_orm signal raised; the others run on.")
