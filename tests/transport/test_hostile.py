"""A hostile server: its answers end in time, are bounded in size, and change nothing but the error of the call."""

from __future__ import annotations

import contextlib
import gzip
import logging
import subprocess
import sys
import threading
import time
import traceback
import zlib

import pytest

import pieces_orm
from pieces_orm import AnswerTooLargeError, InvalidValueError, PiecesError, RequestTimeout, Session, TransportError
from pieces_orm.transport import discovery
from pieces_orm.transport.http import HTTPTransport
from tests.transport.scripted import head, serving
from tests.wire.recorder import recording

MAX_ANSWER = 2_000_000
COMPRESSIONS = {
    "gzip": gzip.compress,
    "x-gzip": gzip.compress,
    "deflate": zlib.compress,
}


def send(url, method="GET", *, timeout=(1, 5), max_answer=MAX_ANSWER, **how):
    transport = HTTPTransport(url, timeout, max_answer=max_answer)
    try:
        return transport.send(method, "/tags", **how)
    finally:
        transport.close()


def answers(data, *lines, status="200 OK"):
    return lambda client: client.sendall(head(len(data), status, *lines) + data)


def floods(start, again, pause=0.0):
    """Serve some bytes, then others for as long as anybody listens."""

    def serve(client):
        client.sendall(start)
        while True:
            client.sendall(again)
            time.sleep(pause)

    return serve


CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
ENDLESS = {
    "interim answers": (b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 100),
    "a header": (b"HTTP/1.1 200 OK\r\nX-Long: ", b"x" * 2000),
    "headers": (b"HTTP/1.1 200 OK\r\n", b"X-Many: x\r\n" * 100),
    "a body": (b"HTTP/1.1 200 OK\r\n\r\n", b"x" * 2000),
    "chunks": (CHUNKED, b"7d0\r\n" + b"x" * 2000 + b"\r\n"),
    "a chunk of size -1": (CHUNKED + b"-1\r\n", b"x" * 2000),
    "the size of a chunk": (CHUNKED + b"1;", b"x" * 2000),
    "trailers": (CHUNKED + b"0\r\n", b"X-Many: x\r\n" * 100),
    "an error": (b"HTTP/1.1 500 Down\r\n\r\n", b"x" * 2000),
}


@pytest.mark.parametrize("take", [None, b"".join], ids=["whole", "in pieces"])
@pytest.mark.parametrize("what", ENDLESS)
def test_an_answer_without_an_end_ends_in_the_time_for_a_whole_request(what, take):
    start = time.monotonic()
    with serving(floods(*ENDLESS[what], pause=0.01)) as url, pytest.raises(PiecesError) as caught:
        send(url, timeout=(1, 5, 0.3), max_answer=2**40, take=take)
    assert time.monotonic() - start < 1.5
    assert isinstance(caught.value, TransportError)


@pytest.mark.parametrize("what", ENDLESS)
def test_an_answer_without_an_end_is_bounded_in_size(what):
    with serving(floods(ENDLESS[what][0], ENDLESS[what][1] * 50)) as url, pytest.raises(PiecesError) as caught:
        send(url, timeout=(1, 5, 20))
    assert not isinstance(caught.value, RequestTimeout)


def test_the_time_for_a_whole_request_is_for_all_its_attempts_and_pauses():
    start = time.monotonic()
    with serving(answers(b"no", "Retry-After: 1", status="503 Busy")) as url, pytest.raises(pieces_orm.ServerError):
        send(url, timeout=(1, 5, 0.5))
    assert time.monotonic() - start < 0.9


def test_a_server_that_reads_slowly_ends_a_request_in_the_time_for_a_whole_one():
    started = threading.Event()

    def reads_little(client):
        started.set()
        while client.recv(20_000):
            time.sleep(0.02)

    start = time.monotonic()
    with serving(reads_little) as url, pytest.raises(RequestTimeout):
        send(url, "POST", timeout=(5, 5, 0.4), body=b"x" * 50_000_000)
    assert started.is_set()
    assert time.monotonic() - start < 2


def test_a_consumer_that_takes_its_time_does_not_use_up_the_request():
    def take(pieces):
        return b"".join(piece for piece in pieces if not time.sleep(0.3))

    with serving(answers(b"x" * 3_000_000)) as url:
        assert len(send(url, timeout=(1, 1, 0.6), max_answer=10_000_000, take=take)) == 3_000_000


@pytest.mark.parametrize("timeout", [(1, 2, 0), (1, 2, 3, 4), (1,), (1, 2, "3"), (1, 2, float("inf"))])
def test_a_timeout_of_other_numbers_is_refused(timeout):
    with pytest.raises(InvalidValueError, match="three"):
        pieces_orm.connect("http://127.0.0.1:9", timeout=timeout)


@pytest.mark.parametrize("size", [0, -1, 1e9, True, None, "1"])
def test_a_limit_of_answers_that_is_no_number_of_bytes_is_refused(size):
    with pytest.raises(InvalidValueError, match="max_answer takes a number of bytes"):
        pieces_orm.connect("http://127.0.0.1:9", max_answer=size)


@pytest.mark.parametrize("take", [None, b"".join], ids=["whole", "in pieces"])
@pytest.mark.parametrize("encoding", ["identity", *COMPRESSIONS])
def test_an_answer_may_be_as_large_as_the_limit_and_no_larger(encoding, take):
    encode = COMPRESSIONS.get(encoding, bytes)
    for size in (0, 5, MAX_ANSWER - 1, MAX_ANSWER):
        data = b"x" * size
        with serving(answers(encode(data), f"Content-Encoding: {encoding}")) as url:
            assert send(url, take=take) == data
    with (
        serving(answers(encode(b"x" * (MAX_ANSWER + 1)), f"Content-Encoding: {encoding}")) as url,
        pytest.raises(
            AnswerTooLargeError, match=r"larger than 2,000,000 bytes; .* larger max_answer= to connect\(\)\."
        ),
    ):
        send(url, take=take)


def test_an_answer_that_is_too_large_is_not_asked_for_again():
    asked = []

    def serve(client):
        asked.append(1)
        client.sendall(head(MAX_ANSWER + 1))

    with serving(serve) as url, pytest.raises(AnswerTooLargeError):
        send(url)
    assert len(asked) == 1


def test_compressed_chunks_are_read():
    data = gzip.compress(b"x" * 1000)
    chunks = b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in (data[:7], data[7:])) + b"0\r\n\r\n"
    with serving(
        lambda c: c.sendall(CHUNKED.replace(b"\r\n\r\n", b"\r\nContent-Encoding: gzip\r\n\r\n") + chunks)
    ) as url:
        assert send(url) == b"x" * 1000


@pytest.mark.parametrize(
    ("encoding", "data"),
    [
        ("br", b"x"),
        ("zstd", b"x"),
        ("gzip, gzip", b"x"),
        ("\x1b[2J", b"x"),
        ("gzip", b"x"),
        ("gzip", gzip.compress(b"x" * 1000)[:-9]),
        ("gzip", gzip.compress(b"") * 50_000),
        ("deflate", b"\x01" * 100),
    ],
    ids=["br", "zstd", "twice", "nonsense", "no gzip", "cut", "many members", "no deflate"],
)
def test_an_answer_that_cannot_be_decompressed_is_an_error(encoding, data):
    start = time.monotonic()
    with serving(answers(data, f"Content-Encoding: {encoding}")) as url, pytest.raises(TransportError, match="broke"):
        send(url)
    with (
        serving(answers(data, f"Content-Encoding: {encoding}", status="404 Gone")) as url,
        pytest.raises(pieces_orm.NotFoundError),
    ):
        send(url)
    assert time.monotonic() - start < 2


def test_of_an_errors_answer_only_the_beginning_is_read():
    with serving(answers(b"x" * 5_000_000, status="500 Down"), answers(b"ok")) as url:
        transport = HTTPTransport(url, 5)
        with pytest.raises(pieces_orm.ServerError) as caught:
            transport.send("GET", "/tags", attempts=1)
        assert len(caught.value.body) == 1_000_000
        assert transport.send("GET", "/tags") == b"ok"
        transport.close()


BOMB = """
import resource, sys
import pieces_orm
session = pieces_orm.Session(sys.argv[1], api_key="key", max_answer=40_000_000)
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
for call in (session.tags.all, lambda: session.tags.get("a"), session.models):
    try:
        call()
    except pieces_orm.AnswerTooLargeError:
        pass
    else:
        raise AssertionError(call)
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1000)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="ru_maxrss is in other units elsewhere")
def test_a_small_answer_that_unfolds_to_a_huge_one_takes_little_memory():
    compressor = zlib.compressobj(1, wbits=31)
    bomb = compressor.compress(b'{"iterable": ["') + b"".join(compressor.compress(b"x" * 10**7) for _ in range(15))
    bomb += compressor.flush()
    assert len(bomb) < 1_000_000
    with serving(answers(bomb, "Content-Encoding: gzip")) as url:
        done = subprocess.run(
            [sys.executable, "-c", BOMB, url], capture_output=True, text=True, check=False, timeout=30
        )
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) < 120  # megabytes


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


@pytest.mark.parametrize("what", ENDLESS)
def test_a_hostile_program_at_a_known_place_does_not_hold_up_the_search(what, monkeypatch):
    monkeypatch.setattr(discovery, "PROBE_TIMEOUT", (0.2, 0.2, 0.3))
    monkeypatch.setattr(discovery, "port_files", list)
    monkeypatch.delenv("PIECES_URL", raising=False)
    with serving(floods(*ENDLESS[what])) as hostile, recording() as recorder:
        ports = [int(url.rsplit(":", 1)[1]) for url in (hostile, recorder.url)]
        monkeypatch.setattr(discovery, "PORTS", ports)
        start = time.monotonic()
        assert discovery.find(None) == recorder.url
        assert discovery.find_again(hostile) == recorder.url
        assert time.monotonic() - start < 2
