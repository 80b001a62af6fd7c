"""Faults on demand."""

import time

import pytest
import requests
from websockets.exceptions import ConnectionClosed, InvalidStatus

from pieces_orm.errors import UsageError
from pieces_orm.wire.kinds import KINDS
from tests.server.support import frame, stream


def test_the_next_requests_are_answered_with_a_status_and_nothing_is_done(wire):
    wire.server.faults.answer(503, times=2, body=b"busy", path="/tags")
    assert wire.status("GET", "/.well-known/health") == 200
    for _ in range(2):
        answer = wire.ask("POST", "/tags/create", {"text": "t"})
        assert (answer.status_code, answer.text) == (503, "busy")
    assert wire.get("/tags")["iterable"] == []


def test_a_fault_that_could_never_happen_is_refused(wire):
    faults = wire.server.faults
    with pytest.raises(UsageError, match="paths begin with a slash"):
        faults.answer(500, path="tags")
    with pytest.raises(UsageError, match="paths begin with a slash"):
        faults.delay(1, path="tags")
    for status in ("500", 99, 101, 600):
        with pytest.raises(UsageError, match="such as 500"):
            faults.answer(status)
    assert wire.get("/tags")["iterable"] == []


@pytest.mark.xdist_group("machine")
def test_a_delay_comes_before_the_answer(wire):
    wire.server.faults.delay(0.5, path="/tags")
    begun = time.monotonic()
    wire.get("/tags")
    assert time.monotonic() - begun >= 0.5
    begun = time.monotonic()
    wire.get("/tags")
    assert time.monotonic() - begun < 0.5


def test_a_cut_body_is_shorter_than_announced(wire):
    wire.make(KINDS["tag"])
    wire.server.faults.cut_body(path="/tags")
    with pytest.raises((requests.exceptions.ChunkedEncodingError, requests.exceptions.ConnectionError)):
        wire.get("/tags")
    wire.get("/tags")
    wire.server.faults.cut_body(path="/tags/create")
    with pytest.raises((requests.exceptions.ChunkedEncodingError, requests.exceptions.ConnectionError)):
        wire.post("/tags/create", {"text": "done all the same"})
    assert len(wire.get("/tags")["iterable"]) == 2


def test_a_reset_connection_gives_no_answer(wire):
    wire.server.faults.reset(times=2)
    for ask in (lambda: wire.get("/tags"), lambda: wire.post("/tags/create", {"text": "not done"})):
        with pytest.raises(requests.exceptions.ConnectionError):
            ask()
    assert wire.get("/tags")["iterable"] == []


def test_streams_are_dropped_at_once_and_can_be_opened_again(wire):
    with stream(wire.server, "/tags/stream/identifiers") as tags, stream(wire.server, "/user/stream") as user:
        frame(tags), frame(user)
        wire.server.faults.drop_streams()
        for socket in (tags, user):
            with pytest.raises(ConnectionClosed):
                socket.recv(timeout=5)
    with stream(wire.server, "/tags/stream/identifiers") as tags:
        assert frame(tags) == {"iterable": []}


def test_a_migrating_server_is_alive_and_not_ready(wire):
    wire.server.faults.migrating()
    assert wire.ask("GET", "/.well-known/health").text == "migrating"
    assert wire.status("GET", "/tags") == 503
    with pytest.raises(InvalidStatus):
        stream(wire.server, "/tags/stream/identifiers")
    wire.server.faults.migrating(False)
    assert wire.ask("GET", "/.well-known/health").text.startswith("ok:")


def test_planned_faults_can_be_forgotten(wire):
    wire.server.faults.answer(500, times=9)
    wire.server.faults.clear()
    wire.get("/tags")
