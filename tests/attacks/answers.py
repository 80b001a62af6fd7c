"""A hostile server between a session and a good one: it changes answers before it passes them on."""

from __future__ import annotations

import gzip
import json
import logging
import threading
import time
import traceback
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from random import Random
from typing import Any

import urllib3

import pieces_orm
from pieces_orm import Entity, PiecesError, Session
from pieces_orm.transport import backoff, discovery

from . import Attack
from .bodies import spoil
from .target import Target

Call = Callable[[Session], Any]

MAX_ANSWER = 1_000_000
_TIMEOUT = (1, 0.5, 2)
_ENDS_WITHIN_S = 8
_NASTY = "\x1b[2J\x1b]0;x\x07\u202e\u2066\x9b31m\x00\r\n"
_HEADERS = [
    "Retry-After: 1e999", "Retry-After: " + "9" * 5000, "Retry-After: -1", "Retry-After: 0",
    "Retry-After: Fri, 31 Dec 9999 23:59:59 -9999", "Date: Fri, 31 Dec 9999 23:59:59 -9999",
    "Date: Mon, 01 Jan 0001 00:00:00 +9999", "Date: ,", "Content-Length: -1", "Content-Length: " + "9" * 30,
    "Content-Length: 1", "Content-Length: 1, 2", "Transfer-Encoding: chunked", "Transfer-Encoding: gzip, chunked",
    "Content-Encoding: gzip", "Content-Encoding: deflate", "Content-Encoding: br", "Content-Encoding: gzip, gzip",
    "Connection: upgrade", "Location: http://127.0.0.1:9/", "Set-Cookie: a=b; Domain=.", "Content-Type: \xff",
    "Server: " + "x" * 9000, "X-Long: " + "x" * 70_000, " folded: x", "no colon", ": no name", "X-Nasty: \x1b[2J",
    *(f"X-Many-{n}: x" for n in range(3)),
]  # fmt: skip
_BODIES = [
    b"", b" ", b"{", b"[" * 5000, b'{"iterable": ' * 2000, b"NaN", b"1e999", b'"\\ud800"', b"\xff\xfe", b"null", b"[]",
    b'{"iterable": [' + b"0," * 2000 + b"0]}", b'{"iterable": [{"id": 1}]}', b'{"iterable": {"id": "a"}}', b"{}",
    b'{"id": ""}', b'{"id": "../.."}', b'{"id": "a", "id": "b"}', b"<html>", b"9" * 5000, b"x" * (MAX_ANSWER + 1),
    b'{"iterable": [], "indices": {"a": 1e308, "b": null}}', _NASTY.encode(), json.dumps({"error": _NASTY}).encode(),
]  # fmt: skip
_STATUS_LINES = [
    "HTTP/1.1 200",
    "HTTP/9.9 200 OK",
    "HTTP/1.1 2\xb20 OK",
    "\x1b[2J",
    "",
    "HTTP/1.1 -1 x",
    "HTTP/1.1 999 ",
]
_STATUSES = [100, 101, 199, 204, 206, 301, 304, 307, 400, 401, 404, 410, 418, 429, 500, 501, 503, 593, 599]


def _answer(chance: Random, status: int, content: bytes) -> bytes:
    """Change an answer at one or two places, of what it says or how it comes."""
    line, headers = f"HTTP/1.1 {status} OK", ["Content-Type: application/json"]
    for _ in range(chance.choice([0, 1, 1, 2])):
        drawn = chance.random()
        if drawn < 0.35:
            content = _spoiled(chance, content)
        elif drawn < 0.5:
            content = chance.choice(_BODIES)
        elif drawn < 0.6:
            line = f"HTTP/1.1 {chance.choice(_STATUSES)} OK"
        elif drawn < 0.65:
            line = chance.choice(_STATUS_LINES)
        elif drawn < 0.9:
            headers.append(chance.choice(_HEADERS))
        else:
            content = chance.choice([gzip.compress, zlib.compress])(content)
            headers.append(f"Content-Encoding: {chance.choice(['gzip', 'deflate'])}")
    if chance.random() < 0.8:
        headers.append(f"Content-Length: {len(content)}")
    sent = "\r\n".join([line, *headers, "", ""]).encode("latin-1") + content
    if chance.random() < 0.15:
        place = chance.randrange(len(sent))
        sent = sent[:place] + chance.randbytes(chance.randint(0, 4)) + sent[place + chance.randint(0, 4) :]
    return sent[: chance.randrange(len(sent))] if chance.random() < 0.05 else sent


def _spoiled(chance: Random, content: bytes) -> bytes:
    with suppress(ValueError, RecursionError):
        body = [json.loads(content)]
        for _ in range(chance.randint(1, 4)):
            spoil(chance, body)
        return json.dumps(body[0]).encode()
    return content[::-1]


@contextmanager
def _between(target: Target, chance: Random) -> Iterator[str]:
    """Serve what the target answers, changed; yields the address."""
    pool = urllib3.PoolManager()

    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            kept = {name: self.headers[name] for name in ("Content-Type", "Application") if name in self.headers}
            found = pool.request(self.command, target.url + self.path, body=body or None, headers=kept, retries=False)
            with suppress(OSError):
                self.wfile.write(_answer(chance, found.status, found.data))
            self.close_connection = True

        do_GET = do_POST = answer  # noqa: N815 the names that the base class looks for

        def log_message(self, *args: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
        pool.clear()


def _save(session: Session) -> None:
    tag = session.tags.create("tides")
    tag.text = "neap"
    tag.save()


def _describe(session: Session) -> None:
    asset = session.assets.create("tide = 4")
    for description in ("neap", "spring", None):
        asset.description, asset.name, asset.language = description, f"{description}", "py"
        asset.save()


def _relate(session: Session) -> list[Any]:
    asset, tag = session.assets.create("tide = 1"), session.tags.create("a")
    asset.associate(tag)
    session.prefetch([asset], pieces_orm.Asset.tags)
    found = [*asset.tags, *tag.assets]
    asset.disassociate(tag)
    return found


def _many(session: Session) -> list[Any]:
    made = session.tags.create_many(["a", "b", "c"])
    found = session.tags.get_many([each.id for each in made])
    session.tags.delete_many(made)
    return found


_CALLS: list[Call] = [
    lambda session: session.assets.all(),
    lambda session: session.assets.all(transferables=False),
    lambda session: session.assets.ids(),
    lambda session: session.assets.latest(2),
    lambda session: session.assets.search("tide"),
    lambda session: session.assets.search("tide", engine="full_text"),
    lambda session: session.assets.create("tide = 1", tags=["a"], websites=["https://example.com"], name="a"),
    lambda session: session.assets.create("tide = 2").delete(),
    lambda session: session.assets.draft("tide = 3").create(),
    lambda session: session.assets.related(session.assets.all()[:2]),
    lambda session: [session.assets.formats(asset) for asset in session.assets.latest(1)],
    lambda session: [[asset.text, asset.bytes, asset.description] for asset in session.assets.latest(1)],
    lambda session: session.tags.get_or_create("a"),
    lambda session: session.tags.exists("a"),
    lambda session: session.tags.search("a"),
    lambda session: session.anchors.create("/projects/tides"),
    lambda session: session.anchors.all(),
    lambda session: session.workstream_events.all(),
    lambda session: session.conversations.create(name="a"),
    lambda session: session.websites.all(),
    lambda session: session.models(),
    lambda session: session.application,
    lambda session: session.request("GET", "/.well-known/version"),
    lambda session: discovery.probe(session.url),
    _save,
    _describe,
    _relate,
    _many,
]


def _look_at(found: Any) -> None:
    """Read all that an answer brought."""
    for each in found if isinstance(found, list) else [found]:
        _check_printable(repr(each))
        entity = getattr(each, "asset", each)
        if isinstance(entity, Entity):
            for name in entity._schema.fields:
                with suppress(PiecesError):
                    getattr(entity, name)


def _check_printable(text: str) -> None:
    """Assert that a text is no command of a terminal."""
    assert not [char for char in text if not char.isprintable() and char != "\n"], ascii(text)


@contextmanager
def hurried() -> Iterator[None]:
    """Make no long pauses, and assert that nothing went wrong on threads of the package."""
    mistakes: list[logging.LogRecord] = []
    handler = logging.Handler(logging.ERROR)
    handler.emit = mistakes.append  # type: ignore[method-assign]
    log, pause = logging.getLogger("pieces_orm"), backoff.MAX_PAUSE_S
    log.addHandler(handler)
    backoff.MAX_PAUSE_S = 0.002
    try:
        yield
    finally:
        backoff.MAX_PAUSE_S = pause
        log.removeHandler(handler)
    assert not mistakes, [(each.getMessage(), each.exc_info) for each in mistakes]


def make_calls(url: str, calls: Sequence[Call], chance: Random, inputs: int, api_key: str | None = None) -> None:
    """Make calls drawn by chance; each ends in time, with a value or an error that can be printed."""
    for _ in range(inputs):
        call = chance.choice(calls)
        begun = time.monotonic()
        with Session(url, api_key=api_key, timeout=_TIMEOUT, max_answer=MAX_ANSWER) as session:
            try:
                _look_at(call(session))
            except PiecesError as error:
                _check_printable("".join(traceback.format_exception(error)))
        assert time.monotonic() - begun < _ENDS_WITHIN_S, call


def _strike(target: Target, chance: Random, inputs: int) -> int:
    with hurried(), _between(target, chance) as url:
        make_calls(url, _CALLS, chance, inputs)
    return inputs


ATTACKS = [
    Attack(
        "Answers to the calls of a session, changed on their way",
        "a value, or an error of the package in the time for a request, which a terminal can print",
        _strike,
        inputs=60,
        most=20_000,
    ),
]
