"""WebSocket streams: threads that read frames, and connect again for as long as they run."""

from __future__ import annotations

import contextlib
import logging
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import msgspec

from ..concurrency.forking import fork_safe
from ..errors import AnswerTooLargeError, NotRunningError, TransportError, printable
from .backoff import pause_after
from .failures import words

if TYPE_CHECKING:
    from websockets.sync.client import ClientConnection

_log = logging.getLogger("pieces_orm.transport.websocket")

OPEN_TIMEOUT_S = 5.0
PING_INTERVAL_S = 10.0
PING_TIMEOUT_S = 10.0
# A frame of ids, half a million of them; for sessions that take more than the usual answers, a part of one.
ID_FRAME_BYTES = 32 * 2**20
ID_FRAME_PART = 32
# The close code of a frame that is larger than it may be.
_TOO_BIG = 1009
_PORTS = {"http": 80, "https": 443}


def id_frame_bytes(max_answer: int) -> int:
    """Return the size of the largest frame of ids: they take many times their size in memory, contents do not."""
    return min(max_answer, max(ID_FRAME_BYTES, max_answer // ID_FRAME_PART))


class _Frame(msgspec.Struct):
    iterable: list[dict[str, Any]] | None = None


class Event(msgspec.Struct):
    """One id that a frame reports."""

    id: str
    deleted: bool


_decode = msgspec.json.Decoder(_Frame).decode


def events_of(frame: str | bytes, key: str) -> list[Event]:
    """Return the events of an identifier frame for the kind with this key; a deletion wins over anything else.

    Raises:
        ValueError: the frame is not an identifier frame.
    """
    try:
        items = _decode(frame).iterable or ()
        found: dict[str, bool] = {}
        for item in items:
            named = item.get(key)
            if isinstance(named, dict) and isinstance(named.get("id"), str):
                found[named["id"]] = found.get(named["id"], False) or item.get("deleted") is True
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        message = f"not an identifier frame: {error}"
        raise ValueError(message) from error
    return [Event(id, deleted) for id, deleted in found.items()]


def connect(url: str, headers: Mapping[str, str], max_frame: int) -> ClientConnection:
    """Open a WebSocket; loopback traffic uses no proxy, a half-open connection is found by pings.

    Args:
        url: of the stream, as HTTP.
        headers: to open it with; they go to this address only, for no redirect is followed.
        max_frame: bytes of a frame. Compression is not offered, so a frame is as large as it comes.

    Raises:
        NotRunningError: nobody is there. TransportError: it could not be opened.
    """
    from websockets.exceptions import WebSocketException  # noqa: PLC0415 only who watches pays for the import
    from websockets.sync.client import connect as open_socket  # noqa: PLC0415

    address = url.replace("http", "ws", 1)
    parts = urlsplit(url)
    deadline = time.monotonic() + OPEN_TIMEOUT_S
    try:
        # With a socket of its own, it cannot go elsewhere when a server redirects it.
        sock = socket.create_connection((parts.hostname or "", parts.port or _PORTS[parts.scheme]), OPEN_TIMEOUT_S)
        sock.settimeout(None)
        return open_socket(
            address,
            sock=sock,
            additional_headers=dict(headers),
            open_timeout=max(deadline - time.monotonic(), 0.0),
            close_timeout=1,
            ping_interval=PING_INTERVAL_S,
            ping_timeout=PING_TIMEOUT_S,
            max_size=max_frame,
            compression=None,
            proxy=None,
        )
    except (OSError, WebSocketException, ValueError) as error:
        cause = words(error) if isinstance(error, OSError) else error
        message = f"The stream {address} could not be opened: {cause}"
        kind = NotRunningError if isinstance(error, ConnectionRefusedError) else TransportError
        # Without the library's own error: a traceback would print what the server sent as it is.
        raise kind(message, method="GET", path=address) from None


def _readable(error: Exception, address: str, max_frame: int) -> Exception:
    """Return the error with which a connection ended as one of this package, where its words may be the server's."""
    from websockets.exceptions import ConnectionClosed, WebSocketException  # noqa: PLC0415 as above

    if isinstance(error, ConnectionClosed) and error.sent is not None and error.sent.code == _TOO_BIG:
        message = (
            f"A frame of the stream {address} is larger than {max_frame:,} bytes; if you trust the server, pass a "
            "larger max_answer= to connect()."
        )
        return AnswerTooLargeError(message, method="GET", path=address)
    if isinstance(error, WebSocketException):
        return TransportError(f"The stream {address} broke: {error}", method="GET", path=address)
    return error


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
        max_frame: bytes of a frame.
        opened: called when a socket is open; what it raises counts as a lost connection.
        frame: called with each frame; what it raises counts as a lost connection.
        lost: called when a connection ended or could not be made.
    """

    def __init__(
        self,
        url: Callable[[], str],
        headers: Callable[[], Mapping[str, str]],
        *,
        max_frame: int = ID_FRAME_BYTES,
        opened: Callable[[], None],
        frame: Callable[[str | bytes], None],
        lost: Callable[[Exception | None], None],
        name: str,
    ) -> None:
        super().__init__(name=f"pieces_orm stream {name}", daemon=True)
        self._url = url
        self._headers = headers
        self._max_frame = max_frame
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
        url = ""
        try:
            url = self._url()
            with connect(url, self._headers(), self._max_frame) as connection:
                self._socket = connection
                if self._stopped.is_set():
                    return None
                self._opened()
                for message in connection:
                    if self._stopped.is_set():
                        return None
                    self._frame(message)
        except Exception as failure:  # noqa: BLE001 whatever it was, the stream is tried again
            error = _readable(failure, url, self._max_frame)
            _log.debug("stream %s: %s", self.name, printable(str(error)))
            return error
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
        max_frame: bytes of a frame.
        numbered: opens a numbered request; it stays open until its frame is handed over, or is late.
    """

    # Seconds after which a frame that nobody takes is late: the history does not wait for it any longer.
    LATE_S = 1.0

    def __init__(
        self,
        url: str,
        headers: Mapping[str, str],
        max_frame: int,
        numbered: Callable[[], AbstractContextManager[int]],
    ) -> None:
        self._socket = connect(url, headers, max_frame)
        self._url, self._max_frame = url, max_frame
        self._numbered = numbered
        self._process = os.getpid()
        self._changed = fork_safe(threading.Condition())
        self._waiting: tuple[int, bytes] | None = None
        self._ended = False
        self._too_large: AnswerTooLargeError | None = None
        threading.Thread(target=self._read, name="pieces_orm frames", daemon=True).start()

    def _read(self) -> None:
        try:
            with self._socket as connection:
                for frame in connection:
                    data = frame.encode() if isinstance(frame, str) else frame
                    with self._numbered() as number:
                        taken = self._hand_over((number, data), self.LATE_S)
                    if not (taken or self._hand_over((0, data), None)):
                        break
        except Exception as failure:  # noqa: BLE001 a lost connection is the end of the frames
            error = _readable(failure, self._url, self._max_frame)
            self._too_large = error if isinstance(error, AnswerTooLargeError) else None
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
            error, self._too_large = self._too_large, None
            raise error or StopIteration
        return item

    def _end(self) -> None:
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    def close(self) -> None:
        """End the iteration, and let go of what was not handed over."""
        self._end()
        hang_up(self._socket, self._process)
