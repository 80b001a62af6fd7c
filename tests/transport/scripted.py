"""A server of raw bytes: each connection is served by a function, which may drip, stop or break off."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

Serve = Callable[[socket.socket], None]

# The head of an answer that comes in chunks.
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


def head(length: int, status: str = "200 OK", *lines: str) -> bytes:
    """The head of an answer."""
    return "\r\n".join([f"HTTP/1.1 {status}", f"Content-Length: {length}", *lines, "", ""]).encode()


def answers(data: bytes, *lines: str, status: str = "200 OK") -> Serve:
    """Serve one answer."""
    return lambda client: client.sendall(head(len(data), status, *lines) + data)


@contextmanager
def serving(*scripts: Serve) -> Iterator[str]:
    """Serve one request after another, the last script again and again; yields the address."""
    listening = socket.create_server(("127.0.0.1", 0))
    ended = threading.Event()
    remaining = list(scripts)

    def serve(client: socket.socket) -> None:
        with client, contextlib.suppress(OSError):
            while not ended.is_set() and client.recv(65536):
                (remaining.pop(0) if len(remaining) > 1 else remaining[0])(client)

    def accept() -> None:
        with contextlib.suppress(OSError):
            while True:
                threading.Thread(target=serve, args=(listening.accept()[0],), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    finally:
        ended.set()
        with contextlib.suppress(OSError):
            listening.shutdown(socket.SHUT_RDWR)
        listening.close()
