"""Load that no client reads or finishes: the server's memory stays bounded, and others are answered."""

from __future__ import annotations

import json
import select
import socket
import struct
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from random import Random
from typing import Any
from urllib.parse import urlsplit

from tests.server.support import Wire

from . import Attack
from .target import Target

_MIB = 1024 * 1024
_TEXT = "x" * 8 * _MIB  # an asset's document has it three times
_ANSWER = 3 * len(_TEXT)
_MAX_HELD = 256 * _MIB  # the default of Settings.max_held
# Beside what is held: answers that are being built by several threads at once.
_MAX_GROWTH = _MAX_HELD + 8 * _ANSWER
_QUIET_S = 0.4
_UPGRADE = (
    "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
)


def _wire(target: Target) -> Wire:
    return Wire(target)  # type: ignore[arg-type]  # it asks for the address alone


def _large_asset(wire: Wire) -> str:
    """Return the id of a large asset, which is made the first time."""
    found = wire.http.get(f"{wire.server.url}/assets/search?query=large").json()["iterable"]
    return found[0]["identifier"] if found else _make_asset(wire, _TEXT, name="large.txt")


def _make_asset(wire: Wire, text: str, **metadata: Any) -> str:
    """Make an asset; its answer is not checked against the contract, which takes long for large ones."""
    seed = wire.asset_seed({"string": {"raw": text}}, **metadata)
    return wire.http.post(f"{wire.server.url}/assets/create", json=seed).json()["id"]


def _connect(target: Target) -> socket.socket:
    address = urlsplit(target.url)
    connection = socket.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16_384)
    connection.settimeout(20)
    connection.connect((address.hostname, address.port))
    return connection


@contextmanager
def _bounded(target: Target) -> Iterator[list[socket.socket]]:
    """Assert that memory stays bounded until no more connections get an answer, and that others are answered then."""
    before = target.resident
    with ExitStack() as stack:
        opened: list[socket.socket] = []
        yield opened
        for each in opened:
            stack.enter_context(each)
        answered, since = 0, time.monotonic()
        while time.monotonic() - since < _QUIET_S:
            assert target.resident - before < _MAX_GROWTH, f"{(target.resident - before) // _MIB} MiB"
            now = len(select.select(opened, (), (), 0.05)[0])
            time.sleep(0.02)
            if now > answered:
                answered, since = now, time.monotonic()
        target.check_health(2)


def _strike_unread(path: str, head: str, target: Target, _chance: Random, inputs: int) -> int:
    """Ask for large answers on many connections, and read none."""
    id = _large_asset(_wire(target))
    with _bounded(target) as opened:
        for _ in range(inputs):
            opened.append(_connect(target))
            opened[-1].sendall(f"GET {path.format(id)} HTTP/1.1\r\nHost: localhost\r\n{head}\r\n".encode())
    return inputs


def _strike_bodies(target: Target, _chance: Random, inputs: int) -> int:
    """Send most of a body that is within the limit, on many connections."""
    head = f"POST /tags/create HTTP/1.1\r\nHost: localhost\r\nContent-Length: {60 * _MIB}\r\n\r\n".encode()
    part = b" " * _MIB
    with _bounded(target) as opened:
        for _ in range(inputs):
            opened.append(_connect(target))
            try:
                opened[-1].sendall(head)
                for _ in range(40):
                    opened[-1].sendall(part)
            except OSError:
                continue  # refused, as it should be in the end
    return inputs


def _strike_messages(target: Target, chance: Random, inputs: int) -> int:
    """Send messages on streams that do not end: large frames, fragments, and frames that unpack to more."""
    head = f"GET /tags/stream/identifiers HTTP/1.1\r\nHost: localhost\r\n{_UPGRADE}\r\n".encode()
    kinds = (
        struct.pack("!BBQ4x", 0x81, 0xFF, _MIB) + b"x" * (_MIB - 1),
        struct.pack("!BBH4x", 0x01, 0xFE, 1000) + b"x" * 1000 + (struct.pack("!BB4x", 0x00, 0x81) + b"x") * 20_000,
        struct.pack("!BB4x", 0x01, 0x80) + struct.pack("!BB4x", 0x00, 0x80) * 20_000,
        struct.pack("!BBQ4x", 0x81, 0xFF, 1 << 40) + b"x" * _MIB,
    )
    with _bounded(target) as opened:
        for _ in range(inputs):
            opened.append(_connect(target))
            try:
                opened[-1].sendall(head)
                opened[-1].recv(1)
                opened[-1].sendall(chance.choice(kinds))
            except OSError:
                continue
    return inputs


def _strike_snapshots(target: Target, _chance: Random, inputs: int) -> int:
    """Ask for the documents of assets that all have the same tags and websites."""
    wire = _wire(target)
    listed: dict[str, Any] = {
        "tags": [{"text": f"shared {number}"} for number in range(inputs)],
        "websites": [{"url": f"https://{number}.example", "name": str(number)} for number in range(inputs)],
    }
    made = {_make_asset(wire, "x", **listed) for _ in range(inputs)}
    before = target.resident
    answer = wire.http.get(f"{target.url}/assets?transferables=false")
    documents = [each for each in json.loads(answer.content)["iterable"] if each["id"] in made]
    assert len(documents) == inputs
    for document in documents:
        for key in listed:
            assert len(document[key]["iterable"]) == len(document[key]["indices"]) == inputs
        assert len(json.dumps(document)) < 96 * 1024 + 2 * inputs * 100
    assert target.resident - before < 8 * len(answer.content) + 64 * _MIB
    return inputs


_OUTCOME = "memory within the documented bound, and an answer to others meanwhile"
# A server of their own, on which no other attack reads the large asset.
_OPTIONS = ("--allow-origin", "https://load.example")

ATTACKS = [
    Attack(
        "Assets with the same tags and websites", "documents with complete ids and at most 64 KiB of copies",
        _strike_snapshots, options=_OPTIONS, inputs=20, most=150,
    ),
    Attack("Messages on streams that do not end", _OUTCOME, _strike_messages, options=_OPTIONS, inputs=8, most=400),
    Attack("Bodies that stop before their end", _OUTCOME, _strike_bodies, options=_OPTIONS, inputs=14, most=100),
    Attack(
        "Answers that are not read", _OUTCOME, partial(_strike_unread, "/asset/{}", ""), options=_OPTIONS,
        inputs=25, most=200,
    ),
    Attack(
        "Streams whose frames are not read", _OUTCOME,
        partial(_strike_unread, "/assets/stream/transferables", _UPGRADE), options=_OPTIONS, inputs=25, most=200,
    ),
]  # fmt: skip
