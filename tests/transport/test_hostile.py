"""Words of a hostile server: absurd headers, redirects, and commands of terminals."""

from __future__ import annotations

import contextlib
import logging
import threading
import traceback

import pytest

import pieces_orm
from pieces_orm import PiecesError, Session, TransportError
from pieces_orm.transport.http import HTTPTransport
from tests.transport.scripted import CHUNKED, answers, head, serving


def send(url, method="GET", *, timeout=(1, 5), **how):
    transport = HTTPTransport(url, timeout)
    try:
        return transport.send(method, "/tags", **how)
    finally:
        transport.close()


ABSURD = [
    "Retry-After: 1e999",
    "Retry-After: " + "9" * 400,
    "Retry-After: " + "9" * 5000,
    "Retry-After: -1",
    "Retry-After: \xb2",
    "Retry-After: Fri, 31 Dec 9999 23:59:59 -9999",
    "Retry-After: Mon, 99 Foo 99999999999999999999 99:99:99",
    "Date: Fri, 31 Dec 9999 23:59:59 -9999",
    "Date: Mon, 01 Jan 0001 00:00:00 +9999",
    "Date: Mon, 01 Jan 99999999999999999999 00:00:00 GMT",
    "Date: Fri, 31 Dec 9999 23:59:59 GMT",
    "Date: ,",
    "Date: " + "9" * 5000,
    "Content-Type: \xff\x1b[2J",
    "Connection: \xff, close, keep-alive",
    "Server: Pieces/" + "9" * 5000,
    "X-Pieces-Version: 99999999999999999999.1e999",
    "Content-Encoding: ",
    "Set-Cookie: \x00",
    " folded: up",
    "no colon",
    "Transfer-Encoding: gzip, \xb2",
    "Location: http://127.0.0.1:9/",
]


@pytest.mark.parametrize("line", ABSURD, ids=range(len(ABSURD)))
def test_an_absurd_header_changes_no_answer_and_no_error(line):
    def of(status):
        return lambda client: client.sendall(
            f"HTTP/1.1 {status}\r\nContent-Length: 2\r\nX-Fine: 1\r\n{line}\r\n\r\nok".encode("latin-1")
        )

    with serving(of("200 OK")) as url:
        transport = HTTPTransport(url, 2)
        assert transport.send("GET", "/tags") == b"ok"
        assert abs(transport.clock_offset) < 1e9
        transport.close()
    with serving(of("503 Busy")) as url, pytest.raises(pieces_orm.ServerError, match="status 503"):
        send(url, timeout=(1, 1), attempts=1)
    with serving(of("429 Busy")) as url, pytest.raises(pieces_orm.ServerError, match="status 429"):
        send(url, "POST")


@pytest.mark.parametrize("length", ["-1", "1e9", "9" * 30, "9" * 5000, "2, 3", "0x10", "\xb2", "nan"])
def test_an_absurd_length_is_an_error_or_the_answer(length):
    def serve(client):
        client.sendall(f"HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\nok".encode("latin-1"))
        client.close()

    with serving(serve) as url, contextlib.suppress(TransportError):
        assert send(url, timeout=(1, 1)) == b"ok"


@pytest.mark.parametrize("line", [line for line in ABSURD if line.startswith(("Date", "Retry"))])
def test_an_absurd_header_does_not_keep_a_feed_from_going_live(line):
    empty = b'{"iterable": []}'
    answer = f"HTTP/1.1 200 OK\r\nContent-Length: {len(empty)}\r\n{line}\r\n\r\n".encode("latin-1") + empty
    # Workstream events have no stream: they are polled, by the server's clock.
    with (
        serving(lambda client: client.sendall(answer)) as url,
        Session(url, api_key="key") as session,
        session.watch(pieces_orm.WorkstreamEvent) as watch,
    ):
        watch.wait_live(2)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_neither_requests_nor_streams_follow_a_redirect(status):
    reached = threading.Event()
    with serving(lambda _: reached.set()) as elsewhere:

        def redirects(client):
            client.sendall(head(0, f"{status} There", f"Location: {elsewhere}/tags/stream/identifiers"))

        with serving(redirects) as url, Session(url, api_key="key", token="s3cret") as session:
            with pytest.raises(pieces_orm.ServerError, match="not an answer of a Pieces server"):
                session.tags.all()
            with pytest.raises(TransportError, match="could not be opened"):
                next(session.assets.stream())
            with session.watch(pieces_orm.Tag) as watch:
                assert watch.state == "lost"
    assert not reached.is_set()


# Clears a screen, sets a window's title, turns letters around, rings, and begins a line of a log.
NASTY = "\x1b[2J\x1b]0;pwned\x07\u202e\u2066\x9b31m\x00\r\n2026-01-01 ERROR forged"


def check_printable(text):
    assert not [char for char in text if not char.isprintable() and char != "\n"]


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(answers(NASTY.encode(), status="500 Down"), id="error"),
        pytest.param(answers(f'{{"error": "{NASTY}"}}'.encode(), status="404 Gone"), id="error key"),
        pytest.param(answers(b"x", status=f"500 {NASTY[:6]}"), id="reason"),
        pytest.param(lambda client: client.sendall(NASTY.encode() * 3), id="status line"),
        pytest.param(lambda client: client.sendall(b"HTTP/1.1 \x1b[2J OK\r\n\r\n"), id="status"),
        pytest.param(lambda client: client.sendall(CHUNKED + b"\x1b[2J\r\n"), id="chunk"),
        pytest.param(answers(b"", "Content-Encoding: \x1b[2J, br"), id="encoding"),
        pytest.param(answers(b"", "Content-Length: \x1b[2J"), id="length"),
        pytest.param(answers(NASTY.encode()), id="no JSON"),
        pytest.param(answers(b'{"id": "' + "\x1b[2J\u202e".encode() + b'"}'), id="raw in JSON"),
        pytest.param(answers(b'{"id": "\\u001b[2J\\u202e\\n"}'), id="another id"),
        pytest.param(answers(b'{"id": "a", "\\u001b[2J": 1, "text": ["\\u001b[2J"]}'), id="field"),
    ],
)
def test_the_words_of_a_server_are_escaped_in_errors_and_tracebacks(answer):
    with (
        serving(answer) as url,
        Session(url, api_key="key", timeout=2) as session,
        pytest.raises(PiecesError) as caught,
    ):
        _ = session.tags.get("a").text
    check_printable(str(caught.value))
    check_printable("".join(traceback.format_exception(caught.value)))
    assert "\n2026" not in str(caught.value)


def test_the_words_of_a_server_are_escaped_in_representations(pieces):
    tag = pieces.tags.create(NASTY)
    check_printable(repr(tag))
    check_printable(repr(pieces.tags.ref("a\u202eb")))
    assert "\n" not in repr(tag)


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(answers(NASTY.encode(), status="500 Down"), id="status"),
        pytest.param(lambda client: client.sendall(NASTY.encode() * 3), id="no HTTP"),
        pytest.param(answers(b"", f"Location: http://{NASTY[:4]}/", status="302 There"), id="redirect"),
        pytest.param(
            lambda client: client.sendall(
                b"HTTP/1.1 101 \x1b[2J\r\nUpgrade: websocket\x1b[2J\r\nConnection: \x1b[2J\r\n\r\n"
            ),
            id="upgrade",
        ),
    ],
)
def test_the_words_of_a_server_are_escaped_in_the_log(answer, caplog):
    caplog.set_level(logging.DEBUG, "pieces_orm")
    with serving(answer) as url, Session(url, api_key="key", timeout=2) as session:
        with session.watch(pieces_orm.Tag) as watch:
            assert watch.state == "lost"
        with pytest.raises(TransportError) as caught:
            next(session.suggestions())
    check_printable("".join(traceback.format_exception(caught.value)))
    assert caplog.records
    check_printable(caplog.text)
    assert "\n2026" not in caplog.text
