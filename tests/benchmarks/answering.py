"""A server that answers at once, so that only the client's own cost is seen: `python -m tests.benchmarks.answering`.

It prints its address, and ends with its standard input. GET is answered with a document by its path, POST /connect with
an application, any other POST with 204. The stream of identifiers sends all of them at once, and nothing after that.
"""

from __future__ import annotations

import base64
import hashlib
import json
import socketserver
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from tests.cli.programs import ROOT

from . import payloads

WEBSOCKET = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # RFC 6455, section 1.3
CLOSE, CLOSING = b"\x88\x00", 8
SMALL = 100_000  # bytes that are worth joining to the head
COLLECTIONS = 50  # members of a collection of each kind, where no more were asked for


class Answering(socketserver.StreamRequestHandler):
    """One connection, on a thread of its own: a large answer goes out in one piece, without being copied."""

    disable_nagle_algorithm = True
    server: Server

    def handle(self) -> None:
        """Answer until the client hangs up."""
        while line := self.rfile.readline():
            headers: dict[bytes, bytes] = {}
            while (header := self.rfile.readline()) not in (b"\r\n", b""):
                name, _, value = header.partition(b":")
                headers[name.strip().lower()] = value.strip()
            self.rfile.read(int(headers.get(b"content-length", 0)))
            method, target, _ = line.decode().split(" ", 2)
            path = target.partition("?")[0]
            if b"sec-websocket-key" in headers:
                self._stream(path, headers[b"sec-websocket-key"])
                return
            self._answer(method, path)

    def _answer(self, method: str, path: str) -> None:
        body = self.server.pages.get(f"{method} {path}")
        if body is None:
            self.request.sendall(b"HTTP/1.1 204 No Content\r\n\r\n")
            return
        kind = b"text/plain" if path.startswith("/.well-known") else b"application/json"
        head = b"HTTP/1.1 200 OK\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n" % (kind, len(body))
        if len(body) < SMALL:
            self.request.sendall(head + body)
        else:
            self.request.sendall(head)
            self.request.sendall(body)

    def _stream(self, path: str, key: bytes) -> None:
        accept = base64.b64encode(hashlib.sha1(key + WEBSOCKET).digest())
        frame = self.server.pages.get(f"STREAM {path}", b'{"iterable": []}')
        self.request.sendall(
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Accept: %s\r\n\r\n\x81\x7f%s%s" % (accept, len(frame).to_bytes(8, "big"), frame)
        )
        while (received := self.request.recv(4096)) and received[0] & 0x0F != CLOSING:
            pass
        self.request.sendall(CLOSE)


class Server(socketserver.ThreadingTCPServer):
    """What is answered, by method and path."""

    daemon_threads = True

    def __init__(self, pages: dict[str, bytes]) -> None:
        super().__init__(("127.0.0.1", 0), Answering)
        self.pages = pages


def pages(assets: int) -> dict[str, bytes]:
    """What is answered: collections, their members, and what a client asks for first."""
    found: dict[str, bytes] = {"GET /.well-known/health": b"ok:benchmark", "GET /.well-known/version": b"12.3.0"}
    connected = {"os": "benchmark", "application": payloads.application(), "health": {"id": "x", "version": "12.3.0"}}
    found["POST /connect"] = _json(connected)
    singles = {"assets": "/asset/{}", "anchors": "/anchor/{}", "websites": "/website/{}"}
    for kind, single in singles.items():
        found[f"GET /{kind}"] = payloads.page(kind, assets if kind == "assets" else COLLECTIONS)
        members = json.loads(found[f"GET /{kind}"])
        for member in members["iterable"]:
            found[f"GET {single.format(member['id'])}"] = _json(member)
        ids = [{kind[:-1]: {"id": member["id"]}} for member in members["iterable"]]
        found[f"GET /{kind}/identifiers"] = _json(
            {"iterable": [{"id": member["id"]} for member in members["iterable"]]}
        )
        found[f"STREAM /{kind}/stream/identifiers"] = _json({"iterable": ids})
    return found


def _json(document: object) -> bytes:
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()


@contextmanager
def answering(assets: int = COLLECTIONS) -> Iterator[str]:
    """The address of such a server, in a process of its own."""
    command = [sys.executable, "-m", "tests.benchmarks.answering", str(assets)]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        yield process.stdout.readline().strip()
        process.stdin.close()


def _serve(assets: int) -> None:
    with Server(pages(assets)) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        print(f"http://127.0.0.1:{server.server_address[1]}", flush=True)
        sys.stdin.read()
        server.shutdown()


if __name__ == "__main__":
    _serve(int(sys.argv[1]))
