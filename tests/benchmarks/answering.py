"""A server that answers at once, so that only the client's own cost is seen: `python -m tests.benchmarks.answering`.

It prints its address, and ends with its standard input. GET is answered with a document by its path, POST /connect with
an application, any other POST with 204.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from tests.tools.programs import ROOT

from . import payloads

COLLECTIONS = 50  # members of a collection of each kind, where no more were asked for


class Answering(asyncio.Protocol):
    """One connection."""

    def __init__(self, pages: dict[str, bytes]) -> None:
        self._pages = pages
        self._received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the way back."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Answer every request that is whole."""
        self._received += data
        while b"\r\n\r\n" in self._received:
            head, _, rest = self._received.partition(b"\r\n\r\n")
            lower = head.lower()
            at = lower.find(b"content-length:")
            length = int(lower[at + 15 :].split(b"\r\n", 1)[0]) if at >= 0 else 0
            if len(rest) < length:
                return
            self._received = rest[length:]
            method, path, _ = head.split(b" ", 2)
            self._answer(method.decode(), path.decode().partition("?")[0])

    def _answer(self, method: str, path: str) -> None:
        body = self._pages.get(f"{method} {path}")
        if body is None:
            self._transport.write(b"HTTP/1.1 204 No Content\r\n\r\n")
            return
        kind = b"text/plain" if path.startswith("/.well-known") else b"application/json"
        self._transport.write(
            b"HTTP/1.1 200 OK\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n%s" % (kind, len(body), body)
        )


def pages(assets: int) -> dict[str, bytes]:
    """What is answered: collections, their members, and what a client asks for first."""
    found: dict[str, bytes] = {"GET /.well-known/health": b"ok:benchmark", "GET /.well-known/version": b"12.3.0"}
    connected = {"os": "benchmark", "application": payloads.application(), "health": {"id": "x", "version": "12.3.0"}}
    found["POST /connect"] = _json(connected)
    singles = {"assets": "/assets/{}", "anchors": "/anchor/{}", "websites": "/website/{}"}
    for kind, single in singles.items():
        members = payloads.collection(kind, assets if kind == "assets" else COLLECTIONS)
        found[f"GET /{kind}"] = _json(members)
        for member in members["iterable"]:
            found[f"GET {single.format(member['id'])}"] = _json(member)
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


async def _serve(assets: int) -> None:
    loop = asyncio.get_running_loop()
    served = pages(assets)
    server = await loop.create_server(lambda: Answering(served), "127.0.0.1", 0)
    print(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)
    async with server:
        await loop.run_in_executor(None, sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(_serve(int(sys.argv[1])))
