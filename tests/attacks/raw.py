"""Bytes that are not quite HTTP, JSON or WebSocket, and paths that are not quite paths."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from random import Random
from urllib.parse import urlsplit

import requests

from tests.server.support import contract

from . import Attack
from .target import Target

_TIMEOUT_S = 10
_TAG = b'{"text": "tides"}'
_GOOD = tuple(
    "\r\n".join([*head.split("|"), "", ""]).encode() + body
    for head, body in (
        (f"POST /tags/create HTTP/1.1|Host: localhost|Content-Length: {len(_TAG)}|Connection: close", _TAG),
        ("GET /assets HTTP/1.1|Host: localhost|Connection: close", b""),
        (
            "POST /tags/create HTTP/1.1|Host: localhost|Transfer-Encoding: chunked|Connection: close",
            b'10\r\n{"text": "tides"\r\n1\r\n}\r\n0\r\n\r\n',
        ),
        (
            (
                "GET /assets/stream/identifiers HTTP/1.1|Host: localhost|Upgrade: websocket|Connection: Upgrade"
                "|Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==|Sec-WebSocket-Version: 13"
            ),
            b"\x81\x85abcdefghi",
        ),
    )
)
_HEADERS = [
    "Host: ", "Host: a, b", "Host: localhost:99999", "Content-Length: -1", "Content-Length: 1e3",
    "Content-Length: 5, 6", "Content-Length: 99999999999999999999", "Transfer-Encoding: chunked, identity",
    "Transfer-Encoding: x",
    "Expect: 100-continue", "Expect: 1", "Connection: upgrade", "Upgrade: h2c", "Content-Encoding: gzip",
    "Content-Type: " + "a" * 9000, "Origin: null", "Origin: http://localhost.evil.example", "Accept: \xff",
    "Authorization: Bearer \xe9", "Sec-WebSocket-Version: 99",
    "Sec-WebSocket-Extensions: permessage-deflate; x=" + "1" * 999, "X-Application-ID: " + "\x01",
    "Range: bytes=0-1", "If-None-Match: *", " folded: x", "no colon", ": no name",
    "a b: c",
]  # fmt: skip
_SEGMENTS = [
    "..", ".", "%2e%2e", "%2f", "%00", "%", "%zz", "%c0%af", "%ed%a0%80", "*", "~", ";a=b", "\u00e9", "a" * 2000, "",
    "%0d%0a", "%5c", "{asset}", "asset", "assets", "stream", "identifiers", "delete",
]  # fmt: skip
_JSON = [
    b"", b" ", b"{", b"}", b"[" * 500, b'{"a":' * 500, b"NaN", b"1e999", b"-0", b"01", b'"\\ud800"',
    b"\xff\xfe{\x00}\x00",
    b"\xef\xbb\xbf{}", b'{"text": "a", "text": "b"}', b'{"text": "\x00"}', b'{"text": "\xff"}', b'{"text": 1e999}',
    b'{"text": "\\u0000"}', b"{'text': 'a'}", b'{"text": "a"}{', b'{"text": "a",}', b"null", b"true", b'"a"', b"[]",
    b'{"__proto__": {"text": "a"}}', b'{"text": "' + b"a" * 100_000 + b'"}', b"9" * 5000, b'{"": {"": {"": ""}}}',
]  # fmt: skip


def _exchange(target: Target, sent: bytes) -> bytes:
    """Send bytes on a connection of their own, and read the beginning of what comes back."""
    address = urlsplit(target.url)
    with socket.create_connection((address.hostname, address.port), timeout=_TIMEOUT_S) as connection:
        with suppress(ConnectionError):
            connection.sendall(sent)
            connection.shutdown(socket.SHUT_WR)
        with suppress(ConnectionError):
            return connection.recv(65536)
    return b""


def _mutated(chance: Random) -> bytes:
    """Change a good request at one to four places."""
    sent = bytearray(chance.choice(_GOOD))
    for _ in range(chance.randint(1, 4)):
        place, drawn = chance.randrange(len(sent)), chance.random()
        if drawn < 0.3:
            sent[place] = chance.randrange(256)
        elif drawn < 0.5:
            del sent[place : place + chance.randint(1, 8)]
        elif drawn < 0.7:
            sent[place:place] = os.urandom(chance.randint(1, 8)) if chance.random() < 0.5 else b"\r\n"
        else:
            line_end = sent.find(b"\r\n") + 2
            sent[line_end:line_end] = chance.choice(_HEADERS).encode("latin-1") + b"\r\n"
        if not sent:
            sent = bytearray(b"\x00")
    return bytes(sent)


def _strike_http(target: Target, chance: Random, inputs: int) -> int:
    for _ in range(inputs):
        sent = _mutated(chance)
        answered = _exchange(target, sent)
        status = answered[9:12]
        assert not answered or answered.startswith((b"HTTP/1.1 ", b"HTTP/1.0 ")), (sent, answered)
        assert status not in {b"500", b"502"} or b"Internal Server Error" not in answered, (sent, answered)
    return inputs


def _strike_requests(
    draw: Callable[[Random], tuple[str, str, bytes]], target: Target, chance: Random, inputs: int
) -> int:
    with requests.Session() as http:
        for _ in range(inputs):
            method, path, body = draw(chance)
            # Prepared by hand, because `requests` would mend the path.
            request = http.prepare_request(requests.Request(method, target.url, data=body))
            request.url = f"{target.url}/{path}"
            answer = http.send(request, timeout=_TIMEOUT_S, allow_redirects=False)
            about = (method, path, body[:200], answer.status_code, answer.text[:200])
            assert answer.text != "Internal Server Error", about
            assert answer.status_code < 500 or method == "HEAD" or answer.text.rstrip().endswith("."), about
    return inputs


def _path(chance: Random) -> tuple[str, str, bytes]:
    published = chance.choice(sorted(contract()["paths"])).strip("/").split("/")
    for _ in range(chance.randint(1, 3)):
        place = chance.randrange(len(published) + 1)
        published[place : place + chance.randint(0, 1)] = [chance.choice(_SEGMENTS)]
    return chance.choice(["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"]), "/".join(published), b""


def _json(chance: Random) -> tuple[str, str, bytes]:
    paths = [path for path, methods in contract()["paths"].items() if "post" in methods]
    body = chance.choice(_JSON)
    if chance.random() < 0.5 and body:
        place = chance.randrange(len(body))
        body = body[:place] + os.urandom(chance.randint(0, 3)) + body[place + chance.randint(0, 3) :]
    return "POST", chance.choice(sorted(paths)).replace("{", "").replace("}", "").strip("/"), body


_SAID = "an answer, or a status with a sentence"

ATTACKS = [
    Attack(
        "HTTP and WebSocket requests with bytes changed", "an answer, or a closed connection", _strike_http, inputs=60
    ),
    Attack("Paths with odd segments", _SAID, partial(_strike_requests, _path), inputs=150),
    Attack("Bodies that are not quite JSON", _SAID, partial(_strike_requests, _json), inputs=150),
]
