"""A hostile server of streams: it sends odd frames, and bytes that are no frames."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import socket
import struct
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from random import Random
from typing import Any

from pieces_orm import Asset, Session, Tag
from tests.transport.scripted import accepting

from . import Attack
from .answers import MAX_ANSWER, Call, hurried, make_calls
from .bodies import spoil
from .target import Target

_KEY = re.compile(rb"Sec-WebSocket-Key: ([^\r]*)", re.IGNORECASE)
_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_NASTY = "\x1b[2J\x1b]0;x\x07\u202e\r\n2026-01-01 ERROR forged"
_LISTING = b'{"iterable": []}'
_GOOD: list[Any] = [
    {"iterable": [{"tag": {"id": "a"}}, {"asset": {"id": "b"}, "deleted": True}]},
    {"iterable": [{"id": "a", "name": "tide", "formats": {"iterable": [{"id": "f"}]}, "tags": {"indices": {"t": 0}}}]},
    {"iterable": [{"asset": {"id": "a"}, "tags": {"iterable": [{"id": "t"}]}, "related": {"iterable": [{}]}}]},
]
_BODIES = [
    b"", b"{", b"null", b"[]", b"[" * 5000, b'{"iterable": [' + b"0," * 9000 + b"0]}", b"\xff\xfe", _NASTY.encode(),
    b"x" * (MAX_ANSWER + 1), b'{"iterable": [{"tag": {"id": "../.."}}]}',
    b'{"iterable": [{"tag": {"id": "\\u001b"}}]}',
]  # fmt: skip
_CLOSING = [b"", b"\x03", struct.pack("!H", 1000), struct.pack("!H", 1009), struct.pack("!H", 9) + _NASTY.encode()[:99]]


def _frame(opcode: int, data: bytes, *, flags: int = 0x80, length: int | None = None) -> bytes:
    """Make a frame of a server; `length` is what its head says."""
    size = len(data) if length is None else length
    kind, (small, form) = flags | opcode, (126, "!BBH") if size < 65536 else (127, "!BBQ")
    return (struct.pack("!BB", kind, size) if size < 126 else struct.pack(form, kind, small, size)) + data


def _sent(chance: Random) -> bytes:
    """Draw what one connection gets, after its handshake."""
    found = b""
    for _ in range(chance.randint(1, 4)):
        body = [json.loads(json.dumps(chance.choice(_GOOD)))]
        if chance.random() < 0.6:
            spoil(chance, body)
        data = chance.choice(_BODIES) if chance.random() < 0.3 else json.dumps(body[0]).encode()
        found += chance.choice(_KINDS)(chance, data)
    if chance.random() < 0.1:
        place = chance.randrange(len(found))
        found = found[:place] + chance.randbytes(chance.randint(0, 4)) + found[place + chance.randint(0, 4) :]
    return found


_KINDS: list[Callable[[Random, bytes], bytes]] = [
    *[lambda _, data: _frame(1, data)] * 6,
    lambda _, data: _frame(2, data[:60_000]),
    lambda _, data: _frame(1, data[:3], flags=0) + _frame(0, data[3:60_000]),
    lambda _, data: _frame(1, data[:3], flags=0) + _frame(9, b"ping") + _frame(1, data[3:60_000]),
    lambda _, data: _frame(0, data[:60_000]),
    lambda _, data: _frame(1, data[:60_000], flags=0xC0),
    lambda chance, data: _frame(chance.randrange(16), data[:60_000], flags=chance.randrange(256) & 0xF0),
    lambda _, data: _frame(1, data[:60_000], length=2**63 - 1),
    lambda _, data: _frame(1, data[:60_000], length=2**64 - 1),
    lambda chance, _: _frame(8, chance.choice(_CLOSING)),
    lambda _, data: _frame(9, data[:60_000]) * 3,
    lambda chance, _: chance.randbytes(chance.randint(1, 60)),
]


def _handshake(chance: Random, request: bytes) -> bytes:
    """Accept an upgrade, now and then not quite."""
    key = _KEY.search(request)
    accept = base64.b64encode(hashlib.sha1((key[1] if key else b"") + _GUID).digest())
    lines = [b"HTTP/1.1 101 Switching Protocols", b"Upgrade: websocket", b"Connection: Upgrade"]
    lines += [b"Sec-WebSocket-Accept: " + accept]
    if chance.random() < 0.15:
        lines[chance.randrange(len(lines))] = chance.choice(
            [b"HTTP/1.1 302 X\r\nLocation: http://127.0.0.1:9/\x1b[2J", b"\x1b[2J", b"HTTP/1.1 500 \x1b[2J",
             b"Upgrade: \x1b[2J", b"Sec-WebSocket-Extensions: permessage-deflate", b"Sec-WebSocket-Protocol: x",
             b"X: " + b"x" * 9000]
        )  # fmt: skip
    return b"\r\n".join([*lines, b"", b""])


@contextmanager
def _streaming(chance: Random) -> Iterator[str]:
    """Serve odd frames on every stream, and empty lists to every request; yields the address."""

    def serve(client: socket.socket) -> None:
        while request := client.recv(65536):
            if b"upgrade: websocket" in request.lower():
                client.sendall(_handshake(chance, request) + _sent(chance))
                return
            client.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(_LISTING), _LISTING))

    with accepting(serve) as url:
        yield url


def _watch(cls: type[Any], session: Session) -> Any:
    with session.watch(cls) as watch:
        return watch.state


_CALLS: list[Call] = [
    lambda session: list(session.assets.stream()),
    lambda session: list(session.assets.stream(transferables=True)),
    lambda session: list(session.suggestions()),
    partial(_watch, Tag),
    partial(_watch, Asset),
    lambda session: session.tags.live().close(),
]


def _strike(_: Target, chance: Random, inputs: int) -> int:
    with hurried(), _streaming(chance) as url:
        make_calls(url, _CALLS, chance, inputs, api_key="key")
    return inputs


ATTACKS = [
    Attack(
        "Streams of odd frames, and of bytes that are no frames, sent to a session",
        "the end of the stream, or an error of the package, which a terminal can print",
        _strike,
        inputs=40,
        most=5_000,
    ),
]
