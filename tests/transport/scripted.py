"""Servers of raw bytes, whose function for a connection may drip, stop or break off, and of scripted frames."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import websockets.http11
import websockets.sync.server

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
def accepting(serve: Serve) -> Iterator[str]:
    """Serve each connection in a thread of its own; yields the address."""
    listening = socket.create_server(("127.0.0.1", 0))

    def serve_and_close(client: socket.socket) -> None:
        with client, contextlib.suppress(OSError):
            serve(client)

    def accept() -> None:
        with contextlib.suppress(OSError):
            while True:
                threading.Thread(target=serve_and_close, args=(listening.accept()[0],), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    finally:
        with contextlib.suppress(OSError):
            listening.shutdown(socket.SHUT_RDWR)
        listening.close()


@contextmanager
def serving(*scripts: Serve) -> Iterator[str]:
    """Serve one request after another, the last script again and again; yields the address."""
    ended = threading.Event()
    remaining = list(scripts)

    def serve(client: socket.socket) -> None:
        while not ended.is_set() and client.recv(65536):
            (remaining.pop(0) if len(remaining) > 1 else remaining[0])(client)

    with accepting(serve) as url:
        try:
            yield url
        finally:
            ended.set()


@contextmanager
def streaming(*frames: str) -> Iterator[tuple[str, list[websockets.http11.Request]]]:
    """Send these frames on every stream and keep it; yields the address, and the requests for streams."""
    requests = []

    def send(connection: websockets.sync.server.ServerConnection) -> None:
        requests.append(connection.request)
        for frame in frames:
            connection.send(frame)
        for _ in connection:
            pass

    with websockets.sync.server.serve(send, "127.0.0.1", 0, compression="deflate") as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.socket.getsockname()[1]}", requests
        finally:
            server.shutdown()
            thread.join()
