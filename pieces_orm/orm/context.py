"""The context that entities, collections and feeds of one session share."""

from __future__ import annotations

from threading import RLock
from typing import Protocol
from weakref import WeakSet

from ..concurrency.lazily import Lazily
from ..errors import UsageError
from ..model.record import Record
from ..signals import Dispatch, Signal
from ..transport.connection import Connection
from ..wire.kinds import Kind
from .history import History
from .identity_map import IdentityMap


class Closable(Protocol):
    """Something that is open until it, or its session, is closed."""

    def close(self) -> None:
        """Close it."""


class Watching:
    """Hooks by which the streams of a session follow what it does itself; without streams they do nothing."""

    @property
    def is_active(self) -> bool:
        """True if there are streams."""
        return False

    def created(self, record: Record, updated: bytes | None) -> bool | None:  # noqa: ARG002 for streams
        """Take note of a create of this session; tell whether the material is new, None where that is not known."""
        return None

    def is_followed(self, cls: type[Record]) -> bool:  # noqa: ARG002 for streams
        """Tell whether receivers listen to a stream of a kind."""
        return False

    def wrote(
        self,
        cls: type[Record],
        id: str,
        updated: bytes | None,
        *,
        origin: str | None = None,
        before: bytes | None = None,
        held: Record | None = None,
    ) -> None:
        """Take note of a write of this session.

        Args:
            updated: the material's new one; None where that is not known.
            origin: without `updated`, that with which the echo's document is applied.
            before: the material's `updated` right before the write, where it was read: it tells whether the write was
                made on top of another program's change, which is still to be emitted.
            held: an entity to hold until the echo came: its document shows what that brings besides.
        """

    def echo_origin(self, record: Record, since: int) -> str | None:  # noqa: ARG002 for streams
        """Return the origin with which the document of an echo is applied that is still to come; None without one.

        Args:
            since: the number of the request whose answer was shown last.
        """
        return None

    def removed(self, record: Record) -> None:
        """Take note that an entity became DELETED, under the session's lock."""

    def announce(self, record: Record, number: int) -> None:
        """Emit `created` for a material of another program that was there at this number, if no stream has yet."""

    def applied_outdated(self, record: Record) -> None:
        """Take note that an answer was applied which a stream's report has outdated."""

    def is_stale(self, kind: Kind) -> bool:  # noqa: ARG002 for streams
        """Tell whether what is known of a kind may have aged, since its stream is lost."""
        return False

    def of_scope(self, context: Context) -> Watching:  # noqa: ARG002 for streams
        """Return the hooks of a scope of this session."""
        return self

    def stop(self) -> None:
        """Stop all streams; those that follow another session's let go of them."""


class Context:
    """Connection, identity map, history, signals and options of one session, or of a scope of one.

    Args:
        autoload: whether reading a field of what is not loaded loads it.
        concurrency: how many requests of one call on many materials may be under way at a time.
        parent: of a scope, the session's context.
    """

    # Sent when edits were given up, which changes what is read of an entity without a change of the material.
    reverted = Lazily(lambda _: Signal("reverted", "entity"))
    # The open scopes: nobody closes one that was forgotten.
    weak_scopes = Lazily[WeakSet["Context"]](lambda _: WeakSet())

    def __init__(
        self, connection: Connection, *, autoload: bool, concurrency: int, parent: Context | None = None
    ) -> None:
        self.parent = parent
        self.connection = connection
        self.signals = connection.signals
        self.autoload = autoload
        self.concurrency = concurrency
        self.history = History()
        self.lock: RLock = self.history.lock
        self.identity_map = IdentityMap(self.lock, self)
        self.watching = Watching()
        self._opened: list[Closable] = []

    # Scopes -----------------------------------------------------------------------------------------------------------

    def scope(self, *, autoload: bool, concurrency: int, dispatch: Dispatch | None) -> Context:
        """Open a scope of this session; one of a scope is another scope of the same session."""
        session = self if self.parent is None else self.parent
        connection = self.connection.scope(dispatch)
        own = Context(connection, autoload=autoload, concurrency=concurrency, parent=session)
        with session.lock:
            session.connection.check_open()
            own.watching = session.watching.of_scope(own)
            session.weak_scopes.add(own)
        return own

    def scopes(self) -> list[Context]:
        """Return the open scopes of this session."""
        with self.lock:
            return list(self.weak_scopes)

    # The end ----------------------------------------------------------------------------------------------------------

    def close_with_session(self, opened: Closable) -> None:
        """Close something when the session closes."""
        with self.lock:
            self._opened.append(opened)

    def was_closed(self, opened: Closable) -> None:
        """Forget something that was to be closed with the session."""
        with self.lock:
            if opened in self._opened:
                self._opened.remove(opened)

    def close(self) -> None:
        """Close what was opened and the scopes, stop the streams, detach the entities, and close the connection."""
        with self.lock:
            opened = list(self._opened)
        for each in opened:
            each.close()
        with self.lock:
            self.connection.is_closed = True
        for scope in self.scopes():
            scope.connection.is_inherited = self.connection.is_inherited
            scope.close()
        self.watching.stop()
        self.identity_map.detach()
        self.connection.close()
        if self.parent is not None:
            with self.parent.lock:
                self.parent.weak_scopes.discard(self)


def check_context(record: Record, context: Context) -> None:
    """Raise when a record belongs to another session."""
    if record._context is not context:
        message = f"{record!r} belongs to another session or scope: get it here, by its id."
        raise UsageError(message)
