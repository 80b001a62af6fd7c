"""The signals of a session, and their delivery in order.

A receiver of a signal before an operation (`saving`, `deleting`) may veto it by raising an exception. A receiver of a
signal after an operation cannot: what it raises is logged, and the other receivers run. **`connect()` holds the
receiver weakly, so a lambda dies at once**: use `connect_via`, a named function, or `weak=False`.
"""

from __future__ import annotations

import inspect
import logging
import threading
import weakref
from collections.abc import Callable, Generator, Hashable, Iterator, Mapping
from contextlib import contextmanager
from types import MethodType
from typing import Any, TypeVar

import blinker
from attrs import frozen

from .concurrency.lazily import Lazily
from .concurrency.merge_queue import MergeQueue
from .errors import InvalidValueError

__all__ = ["Dispatch", "Signal", "Signals"]

_log = logging.getLogger("pieces_orm.signals")

F = TypeVar("F", bound=Callable[..., Any])

# Takes a function that makes one delivery, and has a UI loop call it.
Dispatch = Callable[[Callable[[], None]], Any]
# Functions of which a call only makes something that somebody else would have to run.
_ONLY_MADE = (inspect.iscoroutinefunction, inspect.isasyncgenfunction, inspect.isgeneratorfunction)


class Signal(blinker.Signal):
    """A blinker signal that calls its receivers in the order in which they were connected.

    Args:
        name: of the signal.
        arguments: the names under which receivers get what it tells, besides the sender.
    """

    def __init__(self, name: str, *arguments: str) -> None:
        super().__init__()
        self.name = name
        self.arguments = arguments

    def connect(self, receiver: F, sender: Any = blinker.ANY, weak: bool = True) -> F:
        """Call a receiver whenever the signal is sent, by the class of entities that is its sender if one is given.

        Args:
            receiver: takes the sender, and the signal's arguments by name; `**_` takes those that it has no use for.
            sender: a class of entities; every one by default.
            weak: whether the receiver is forgotten when nobody else holds it, such as a lambda at once.

        Raises:
            InvalidValueError: the receiver is no function, or cannot take the arguments; or nobody is this sender.
        """
        self._check(receiver)
        if sender is not blinker.ANY and not isinstance(sender, type):
            hint = f": pass the class, {type(sender).__name__}" if hasattr(sender, "id") else ", such as Asset"
            message = f"The sender of a signal is a class{hint}, not {sender!r}."
            raise InvalidValueError(message)
        return super().connect(receiver, sender, weak)

    def _check(self, receiver: Any) -> None:
        """Raise when a receiver would fail each time that it is called.

        Raises:
            InvalidValueError: so it is.
        """
        if not callable(receiver):
            message = f"A receiver of the signal {self.name} is a function, not {receiver!r}."
            raise InvalidValueError(message)
        if any(is_one(each) for is_one in _ONLY_MADE for each in (receiver, type(receiver).__call__)):
            message = (
                f"{receiver!r} cannot receive the signal {self.name}: calling a function with async or yield does not "
                "run it. Pass a plain function, which may start a task of the event loop."
            )
            raise InvalidValueError(message)
        try:
            signature = inspect.signature(receiver)
        except (ValueError, TypeError):
            return  # some functions that are written in C do not tell what they take
        try:
            signature.bind(None, **dict.fromkeys(self.arguments))
        except TypeError as error:
            shown = ", ".join(["sender", *(f"{name}=..." for name in self.arguments)])
            message = (
                f"{receiver!r} cannot receive the signal {self.name}, which calls receiver({shown}): {error}. "
                "Take the arguments that you need by these names, and the others with **_."
            )
            raise InvalidValueError(message) from None

    def receivers_for(self, sender: Any) -> Generator[Callable[..., Any], None, None]:
        """Yield the live receivers for a sender, in the order in which they were connected."""
        wanted = list(super().receivers_for(sender))
        for held in list(self.receivers.values()):
            receiver = held() if isinstance(held, weakref.ref) else held
            if receiver is not None and receiver in wanted:
                yield receiver


@frozen
class SignalEvent:
    """A sent signal with its arguments, for delivery at a later time."""

    signal: str
    sender: Any
    about: Mapping[str, Any]

    @property
    def key(self) -> Hashable:
        """The subject of the signal: two that wait with the same key can be merged."""
        entity: Hashable = self.about.get("entity")
        if entity is None:
            return self.signal, self.about.get("kind")
        if "relation" in self.about:
            return entity, self.about["relation"], self.about["other"]
        return entity

    def followed_by(self, later: SignalEvent) -> SignalEvent:
        """Merge with a later signal about the same subject: the result tells the final state."""
        if later.signal != "changed" or self.signal not in ("created", "changed"):
            return later
        if self.signal == "created":
            return self
        mine, new = self.about, later.about
        fields = None if mine["fields"] is None or new["fields"] is None else mine["fields"] | new["fields"]
        before = {**new["before"], **mine["before"]}
        return SignalEvent("changed", self.sender, {**new, "fields": fields, "before": before})


def _signal(name: str, *about: str) -> Lazily[Signal]:
    return Lazily(lambda _: Signal(name, *about))


class Signals:
    """The signals of one session; the sender is always the entity's class.

    Callers check `receivers` before they call `ask` or `emit`: without receivers that costs less than the call would.

    Before an operation, which an exception vetoes:
        saving(entity, edits), deleting(entity)
    After an operation:
        created(entity, origin), changed(entity, fields, before, origin), deleted(entity, origin),
        associated(entity, relation, other, origin), disassociated(entity, relation, other, origin)
    About the connection:
        stream_state(kind, state), requested(method, path, status, seconds)

    `origin` is "local" (a call of this session), "refresh" (the answer to a read) or "remote" (a stream).
    """

    saving = _signal("saving", "entity", "edits")
    deleting = _signal("deleting", "entity")
    created = _signal("created", "entity", "origin")
    changed = _signal("changed", "entity", "fields", "before", "origin")
    deleted = _signal("deleted", "entity", "origin")
    associated = _signal("associated", "entity", "relation", "other", "origin")
    disassociated = _signal("disassociated", "entity", "relation", "other", "origin")
    stream_state = _signal("stream_state", "kind", "state")
    requested = _signal("requested", "method", "path", "status", "seconds")

    def __init__(self, dispatch: Dispatch | None = None) -> None:
        self.dispatch = dispatch
        # By thread: the events emitted while it holds a lock, under which no receiver may run.
        self._held_back = threading.local()

    @Lazily
    def _queue(self) -> MergeQueue[_Delivery]:
        return MergeQueue(_Delivery.followed_by)

    def ask(self, signal: Signal, sender: Any, **about: Any) -> None:
        """Send a signal whose receivers may veto the operation: the first exception reaches the caller."""
        signal.send(sender, **about)

    def emit(self, signal: Signal, sender: Any, **about: Any) -> None:
        """Send a signal about a finished operation: every receiver runs, through `dispatch` if there is one."""
        if not signal.receivers or signal.is_muted:
            return
        held_back = getattr(self._held_back, "events", None)
        if held_back is not None:
            held_back.append((signal, sender, about))
            return
        for receiver in signal.receivers_for(sender):
            if self.dispatch is None:
                deliver(receiver, sender, about)
            else:
                self._hand_over(_Delivery(receiver, SignalEvent(signal.name, sender, about)))

    @contextmanager
    def held_back(self) -> Iterator[None]:
        """Keep what this thread emits meanwhile, and emit it at the end; for those who hold a lock."""
        if getattr(self._held_back, "events", None) is not None:
            yield
            return
        events: list[Any] = []
        try:
            with self.kept(events):
                yield
        finally:
            self.emit_all(events)

    @contextmanager
    def kept(self, events: list[Any]) -> Iterator[None]:
        """Put what this thread emits meanwhile into a list, for another thread to emit it."""
        before = getattr(self._held_back, "events", None)
        self._held_back.events = events
        try:
            yield
        finally:
            self._held_back.events = before

    def emit_all(self, events: list[Any]) -> None:
        """Emit what was kept."""
        for signal, sender, about in events:
            self.emit(signal, sender, **about)

    def _hand_over(self, delivery: _Delivery) -> None:
        assert self.dispatch is not None
        # Looking a method up makes a new object each time, so methods are compared by equality.
        receiver = delivery.receiver
        whose: Hashable = receiver if isinstance(receiver, MethodType) else id(receiver)
        number = self._queue.put((whose, delivery.event.key), delivery)
        if number is None:
            return
        try:
            self.dispatch(self._deliver_next)
        except Exception:  # noqa: BLE001 a closed loop must not undo the operation
            self._queue.discard(number)
            _log.exception("The dispatch= function of a pieces_orm session raised an exception; the delivery is lost.")

    def _deliver_next(self) -> None:
        """Make the oldest delivery that waits; a UI loop calls this once for each."""
        delivery = self._queue.take()
        if delivery is not None:
            deliver(delivery.receiver, delivery.event.sender, delivery.event.about)


@frozen(eq=False)
class _Delivery:
    """A call of one receiver, to be made by a UI loop."""

    receiver: Callable[..., Any]
    event: SignalEvent

    def followed_by(self, later: _Delivery) -> _Delivery:
        return _Delivery(self.receiver, self.event.followed_by(later.event))


def deliver(receiver: Callable[..., Any], sender: Any, about: Mapping[str, Any]) -> None:
    """Call a receiver, and log what it raises.

    SystemExit and its like pass on the program's own threads, for which they are meant.
    """
    try:
        receiver(sender, **about)
    except BaseException as error:
        # A failing receiver must stop neither the others nor the thread on which the change happened.
        if not isinstance(error, Exception) and not getattr(_own, "thread", False):
            raise
        _log.exception("A receiver of a pieces_orm signal raised an exception; the other receivers run.")


_own = threading.local()


def own_thread() -> None:
    """Mark the current thread as one of the package's own, which no receiver may end."""
    _own.thread = True
