"""Requests that do not arrive in time."""

import socket
import time
from contextlib import ExitStack, closing, suppress

import pytest

from pieces_orm.server import Settings
from pieces_orm.wire.kinds import KINDS
from tests.server.support import stream, until

POST = b"POST /tags/create HTTP/1.1\r\nHost: localhost\r\n"


@pytest.mark.xdist_group("machine")
def test_half_sent_requests_stop_nobody_and_are_dropped_in_the_end(started):
    wire = started(settings=Settings(patience=1.5))
    post = POST + b"Content-Length: 100\r\n\r\n{"
    upgrade = b"GET /tags/stream/identifiers HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n"
    halves = (b"", b"G", b"GET /assets HTTP/1.1\r\nHost: localhost\r\n", post, upgrade)
    with ExitStack() as stack:
        connections = []
        for number in range(200):
            connection = stack.enter_context(socket.create_connection(("127.0.0.1", wire.server.port), timeout=10))
            connection.sendall(halves[number % len(halves)])
            connections.append(connection)
        begun = time.monotonic()
        assert wire.get("/tags")["iterable"] == []
        assert time.monotonic() - begun < 1.5
        for connection in connections:
            answer = b""
            with suppress(ConnectionResetError):
                while part := connection.recv(4096):
                    answer += part
            assert answer == b"" or answer.startswith(b"HTTP/1.1 408 ")
    until(lambda: not wire.server._uvicorn.server_state.tasks)
    assert wire.get("/tags")["iterable"] == []


def test_a_head_that_drips_is_dropped_however_often_a_byte_comes(started):
    wire = started(settings=Settings(patience=0.3))
    with socket.create_connection(("127.0.0.1", wire.server.port), timeout=10) as connection:
        begun = time.monotonic()
        with pytest.raises(OSError):
            while time.monotonic() - begun < 5:
                connection.sendall(b"G")
                time.sleep(0.02)
        assert time.monotonic() - begun < 2


def test_a_body_that_comes_slowly_but_steadily_is_taken(started):
    wire = started(settings=Settings(patience=0.2))
    body = b'{"text": "slow"' + b" " * 1200 + b"}"

    def parts():
        for start in range(0, len(body), 200):
            time.sleep(0.06)
            yield body[start : start + 200]

    made = wire.http.post(wire.server.url + "/tags/create", data=parts(), timeout=10)
    assert made.json()["text"] == "slow"
    # A connection that has answered is not dropped for what it did before, and a slow answer is no slow request.
    wire.server.faults.delay(0.5, path="/tags")
    assert len(wire.get("/tags")["iterable"]) == 1


def test_streams_stay_open_past_the_patience_for_requests(started):
    wire = started(settings=Settings(patience=0.1))
    with stream(wire.server, "/tags/stream/identifiers") as opened:
        opened.recv(timeout=10)
        begun = time.monotonic()
        until(lambda: time.monotonic() - begun > 0.5)
        tag = wire.make(KINDS["tag"])
        assert tag["id"] in opened.recv(timeout=10)


def test_what_came_fast_is_no_credit_for_silence(started):
    wire = started(settings=Settings(patience=0.3))
    with closing(socket.create_connection(("127.0.0.1", wire.server.port))) as opened:
        opened.settimeout(5)
        head = b"POST /tags/create HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
        opened.sendall(head + b"Content-Length: 1000000\r\n\r\n" + b" " * 8000)
        begun = time.monotonic()
        with suppress(ConnectionResetError):
            while opened.recv(4096):
                pass
        assert time.monotonic() - begun < 2
