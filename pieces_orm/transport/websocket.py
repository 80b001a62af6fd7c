"""WebSocket streams: threads that read frames, and connect again for as long as they run."""

from __future__ import annotations

import contextlib
import logging
import os
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any

import msgspec

from ..concurrency.forking import fork_safe
from ..errors import NotRunningError, TransportError
from .backoff import pause_after

if TYPE_CHECKING:
    from websockets.sync.client import ClientConnection

_log = logging.getLogger("pieces_orm.transport.websocket")

OPEN_TIMEOUT_S = 5.0
PING_INTERVAL_S = 10.0
PING_TIMEOUT_S = 10.0


class Event(msgspec.Struct):
    """One id that a frame reports."""

    id: str
    deleted: bool


def events_of(frame: str | bytes, key: str) -> list[Event]:
    """Return the events of an identifier frame for the kind with this key; a deletion wins over anything else.

    Raises:
        ValueError: the frame is not an identifier frame.
    """
    try:
        items = msgspec.json.decode(frame, type=dict[str, Any]).get("iterable") or ()
        found: dict[str, bool] = {}
        for item in items:
            named = item.get(key)
            if isinstance(named, dict) and isinstance(named.get("id"), str):
                found[named["id"]] = found.get(named["id"], False) or item.get("deleted") is True
    except (msgspec.MsgspecError, AttributeError, TypeError) as error:
        message = f"not an identifier frame: {error}"
        raise ValueError(message) from error
    return [Event(id, deleted) for id, deleted in found.items()]


def connect(url: str, headers: Mapping[str, str]) -> ClientConnection:
    """Open a WebSocket; loopback traffic uses no proxy, a half-open connection is found by pings.

    Raises:
        NotRunningError: nobody is there. TransportError: it could not be opened.
    """
    from websockets.exceptions import WebSocketException  # noqa: PLC0415 only who watches pays for the import
    from websockets.sync.client import connect as open_socket  # noqa: PLC0415

    address = url.replace("http", "ws", 1)
    try:
        return open_socket(
            address,
            additional_headers=dict(headers),
            open_timeout=OPEN_TIMEOUT_S,
            close_timeout=1,
            ping_interval=PING_INTERVAL_S,
            ping_timeout=PING_TIMEOUT_S,
            max_size=None,
            proxy=None,
        )
    except (OSError, WebSocketException, TimeoutError) as error:
        message = f"The stream {address} could not be opened: {error}"
        kind = NotRunningError if isinstance(error, ConnectionRefusedError) else TransportError
        raise kind(message, method="GET", path=address) from error


def hang_up(connection: ClientConnection | None, process: int) -> None:
    """Cut a connection, if there is one, so that its reader comes to an end; never waits for anybody.

    A closing handshake would join a thread of the connection: for seconds when the other side is silent, and for ever
    when the program is ending and the thread is dead.

    Args:
        process: the one that opened it; a forked child leaves the connections of its parent alone.
    """
    if connection is not None and os.getpid() == process:
        with contextlib.suppress(OSError):
            connection.socket.shutdown(socket.SHUT_RDWR)


class Stream(threading.Thread):
    """A thread that reads the frames of one stream, and connects again after a pause whenever it is lost or refused.

    Args:
        url: of the stream.
        headers: asked for at each connection, so that they survive a move of the server.
        opened: called when a socket is open; what it raises counts as a lost connection.
        frame: called with each frame; what it raises counts as a lost connection.
        lost: called when a connection ended or could not be made.
    """

    def __init__(
        self,
        url: Callable[[], str],
        headers: Callable[[], Mapping[str, str]],
        *,
        opened: Callable[[], None],
        frame: Callable[[str | bytes], None],
        lost: Callable[[Exception | None], None],
        name: str,
    ) -> None:
        super().__init__(name=f"pieces_orm stream {name}", daemon=True)
        self._url = url
        self._headers = headers
        self._opened = opened
        self._frame = frame
        self._lost = lost
        self._stopped = fork_safe(threading.Event())
        self._process = os.getpid()
        self._socket: ClientConnection | None = None
        self._failures = 0
        self._is_good = False

    def run(self) -> None:
        """Connect, read, and connect again, until `stop`."""
        while not self._stopped.is_set():
            error = self._read()
            if self._stopped.is_set():
                return
            try:
                self._lost(error)
            except Exception:  # noqa: BLE001 the stream is tried again, whatever went wrong on the way
                _log.exception("The handler of a lost connection of %s raised.", self.name)
            self._failures = 1 if self._is_good and not isinstance(error, ValueError) else self._failures + 1
            self._stopped.wait(pause_after(self._failures))

    def _read(self) -> Exception | None:
        """Read one connection to its end; return the error that ended it."""
        self._is_good = False
        try:
            with connect(self._url(), self._headers()) as connection:
                self._socket = connection
                if self._stopped.is_set():
                    return None
                self._opened()
                for message in connection:
                    if self._stopped.is_set():
                        return None
                    self._frame(message)
        except Exception as failure:  # noqa: BLE001 whatever it was, the stream is tried again
            _log.debug("stream %s: %s", self.name, failure)
            return failure
        finally:
            self._socket = None
        return None

    def settled(self) -> None:
        """Mark the present connection as good: after it, pauses begin anew."""
        self._is_good = True

    def drop(self) -> None:
        """Close the present connection, so that another is made."""
        hang_up(self._socket, self._process)

    def stop(self) -> None:
        """End the thread; a program that forgets it ends all the same, for the thread is a daemon."""
        self._stopped.set()
        self.drop()


class Frames(Iterator[tuple[int, bytes]]):
    """An iterator over the frames of one connection, each with the number of the moment when it came.

    A reader that is slower than the frames holds up the socket. A frame that waits long gets the number 0: too much
    may have happened since to say how much of it is still true.

    Args:
        url: of the stream.
        headers: to open it with.
        numbered: opens a numbered request; it stays open until its frame is handed over, or is late.
    """

    # Seconds after which a frame that nobody takes is late: the history does not wait for it any longer.
    LATE_S = 1.0

    def __init__(
        self, url: str, headers: Mapping[str, str], numbered: Callable[[], AbstractContextManager[int]]
    ) -> None:
        self._socket = connect(url, headers)
        self._numbered = numbered
        self._process = os.getpid()
        self._changed = fork_safe(threading.Condition())
        self._waiting: tuple[int, bytes] | None = None
        self._ended = False
        threading.Thread(target=self._read, name="pieces_orm frames", daemon=True).start()

    def _read(self) -> None:
        with contextlib.suppress(Exception), self._socket as connection:
            for frame in connection:
                data = frame.encode() if isinstance(frame, str) else frame
                with self._numbered() as number:
                    taken = self._hand_over((number, data), self.LATE_S)
                if not (taken or self._hand_over((0, data), None)):
                    break
        self._end()

    def _hand_over(self, item: tuple[int, bytes], seconds: float | None) -> bool:
        """Wait until somebody takes a frame; return False when nobody did in time, or nobody will."""
        with self._changed:
            self._waiting = item
            self._changed.notify_all()
            self._changed.wait_for(lambda: self._waiting is None or self._ended, seconds)
            taken, self._waiting = self._waiting is None, None
            return taken

    def __next__(self) -> tuple[int, bytes]:
        with self._changed:
            self._changed.wait_for(lambda: self._waiting is not None or self._ended)
            item, self._waiting = self._waiting, None
            self._changed.notify_all()
        if item is None:
            raise StopIteration
        return item

    def _end(self) -> None:
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    def close(self) -> None:
        """End the iteration, and let go of what was not handed over."""
        self._end()
        hang_up(self._socket, self._process)
