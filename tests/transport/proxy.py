"""A proxy between a session and its server that breaks what goes through it: cut, delay, half-open, bad frames."""

from __future__ import annotations

import contextlib
import re
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

TEXT = 0x81


def frame_of(payload: bytes) -> bytes:
    """A text frame as a server sends it."""
    size = len(payload)
    if size < 126:
        head = struct.pack("!BB", TEXT, size)
    elif size < 65536:
        head = struct.pack("!BBH", TEXT, 126, size)
    else:
        head = struct.pack("!BBQ", TEXT, 127, size)
    return head + payload


class Proxy:
    """Forwards connections; understands just enough of WebSocket to change the frames that the server sends."""

    def __init__(self, url: str) -> None:
        self.target = url
        self.delay = 0.0
        # From the payload of one frame to those that are sent instead.
        self.frames: Callable[[bytes], list[bytes]] = lambda payload: [payload]
        self._flowing = threading.Event()
        self._flowing.set()
        self._lock = threading.Lock()
        self._open: dict[_Connection, None] = {}
        self._listening = self._listen(0)
        self.port: int = self._listening.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"

    def _listen(self, port: int) -> socket.socket:
        listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(("127.0.0.1", port))
        listening.listen(128)
        threading.Thread(target=self._accept, args=(listening,), daemon=True).start()
        return listening

    def _accept(self, listening: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = listening.accept()
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        parts = urlsplit(self.target)
        try:
            server = socket.create_connection((parts.hostname or "", parts.port or 0), 5)
        except OSError:
            client.close()
            return
        server.settimeout(None)
        self._run(_Connection(self, client, server))

    def serve_stream(self, client: socket.socket, head: bytes) -> None:
        """Pass on a WebSocket whose opening request was read before."""
        parts = urlsplit(self.target)
        server = socket.create_connection((parts.hostname or "", parts.port or 0))
        connection = _Connection(self, client, server)
        connection.begin_stream(head)
        self._run(connection)

    def _run(self, connection: _Connection) -> None:
        with self._lock:
            self._open[connection] = None
        connection.run()
        with self._lock:
            self._open.pop(connection, None)

    def pause(self) -> None:
        """What every byte passes."""
        self._flowing.wait()
        if self.delay:
            threading.Event().wait(self.delay)

    def connections(self) -> list[_Connection]:
        """Those that are open."""
        with self._lock:
            return list(self._open)

    def cut(self) -> None:
        """Close every connection at once."""
        for connection in self.connections():
            connection.close()

    def freeze(self) -> None:
        """Let no byte through any more, with every socket left open: half-open, as after a pulled cable."""
        self._flowing.clear()

    def thaw(self) -> None:
        """Let everything through again, also what was held."""
        self._flowing.set()

    def refuse(self) -> None:
        """Close every connection, and accept none."""
        self.stop_listening()
        self.cut()

    def stop_listening(self) -> None:
        """Accept no further connection."""
        # Without the shutdown the thread in accept() keeps the socket open.
        with contextlib.suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()

    def accept(self) -> None:
        """Accept connections again."""
        self._listening = self._listen(self.port)

    def inject(self, data: bytes) -> None:
        """Send bytes to every WebSocket client, as if the server had sent them."""
        for connection in self.connections():
            if connection.is_stream:
                connection.to_client(data)

    def streams(self) -> int:
        """How many WebSockets are open."""
        return sum(connection.is_stream for connection in self.connections())


class _Connection:
    """One client and its connection to the server."""

    def __init__(self, proxy: Proxy, client: socket.socket, server: socket.socket) -> None:
        self.is_stream = False
        self._proxy, self._client, self._server = proxy, client, server
        self._writing = threading.Lock()

    def run(self) -> None:
        upward = threading.Thread(target=self._upward, daemon=True)
        upward.start()
        try:
            with contextlib.suppress(OSError):
                self._downward()
        finally:
            self.close()
            upward.join()

    def _upward(self) -> None:
        with contextlib.suppress(OSError):
            while data := self._client.recv(65536):
                self._proxy.pause()
                if b"\r\nUpgrade: websocket\r\n" in data:
                    self.begin_stream(data)
                else:
                    self._server.sendall(data)
        self.close()

    def begin_stream(self, head: bytes) -> None:
        """Pass on the request that opens a WebSocket."""
        self.is_stream = True
        # Compressed frames could not be changed here.
        self._server.sendall(re.sub(rb"(?i)sec-websocket-extensions:[^\r]*\r\n", b"", head))

    def _downward(self) -> None:
        held, in_frames = b"", False
        while data := self._server.recv(65536):
            self._proxy.pause()
            held += data
            if self.is_stream and not in_frames:
                if b"\r\n\r\n" not in held:
                    continue
                head, held = held.split(b"\r\n\r\n", 1)
                self.to_client(head + b"\r\n\r\n")
                in_frames = b" 101 " in head
                self.is_stream = in_frames
            if in_frames:
                held = self._pass_frames(held)
            else:
                self.to_client(held)
                held = b""

    def _pass_frames(self, held: bytes) -> bytes:
        while True:
            frame = _first_frame(held)
            if frame is None:
                return held
            whole, payload = frame
            held = held[len(whole) :]
            if whole[0] == TEXT:
                for changed in self._proxy.frames(payload):
                    self.to_client(frame_of(changed))
            else:
                self.to_client(whole)

    def to_client(self, data: bytes) -> None:
        with self._writing, contextlib.suppress(OSError):
            self._client.sendall(data)

    def close(self) -> None:
        for end in (self._client, self._server):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()


def _first_frame(data: bytes) -> tuple[bytes, bytes] | None:
    """The first frame of some bytes, whole and its payload; None when it is not all there."""
    if len(data) < 2:
        return None
    size, start = data[1] & 0x7F, 2
    if size >= 126:
        width = 2 if size == 126 else 8
        if len(data) < 2 + width:
            return None
        size, start = int.from_bytes(data[2 : 2 + width], "big"), 2 + width
    return None if len(data) < start + size else (data[: start + size], data[start : start + size])


@contextmanager
def proxied(url: str) -> Iterator[Proxy]:
    """A proxy in front of a server, for as long as the block runs."""
    proxy = Proxy(url)
    try:
        yield proxy
    finally:
        proxy.thaw()
        proxy.refuse()
