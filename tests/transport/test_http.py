"""Answers that come slowly, or say when to ask again."""

from __future__ import annotations

import time
from email.utils import formatdate

import pytest

from pieces_orm import RequestTimeout, ServerError, Session
from pieces_orm.transport.http import HTTPTransport
from tests.support import Requests
from tests.transport.scripted import head, serving

READ_TIMEOUT_S = 0.3


def send(url, timeout=READ_TIMEOUT_S, **how):
    transport = HTTPTransport(url, (1, timeout))
    try:
        return transport.send("GET", "/tags", **how)
    finally:
        transport.close()


def drips(data, pause=0.05):
    def serve(client):
        for n in range(len(data)):
            client.sendall(data[n : n + 1])
            time.sleep(pause)

    return serve


def says(status, *lines):
    return lambda client: client.sendall(head(2, status, *lines) + b"no")


def works(client):
    client.sendall(head(2) + b"ok")


@pytest.mark.parametrize(
    ("before", "data"),
    [
        pytest.param(b"", head(100), id="head"),
        pytest.param(b"HTTP/1.1 200 OK\r\n", b"X-Long: " + b"x" * 1000, id="a line of the head"),
        pytest.param(head(1000), b"x" * 1000, id="body"),
        pytest.param(head(1000, "500 Down"), b"x" * 1000, id="body of an error"),
        pytest.param(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n" * 200, id="chunks"),
    ],
)
@pytest.mark.parametrize("take", [None, b"".join], ids=["whole", "in pieces"])
def test_an_answer_that_drips_ends_in_a_timeout(before, data, take):
    def serve(client):
        client.sendall(before)
        drips(data)(client)

    start = time.monotonic()
    with (
        serving(serve) as url,
        pytest.raises(
            RequestTimeout, match=r"(no byte from .* for|more slowly than 1,000 bytes/s for) 0\.3 s; .*second number"
        ),
    ):
        send(url, take=take)
    assert time.monotonic() - start < 4 * READ_TIMEOUT_S


@pytest.mark.parametrize("take", [None, b"".join], ids=["whole", "in pieces"])
def test_an_answer_that_flows_may_take_longer_than_the_timeout(take):
    pieces, size = 12, 1000

    def serve(client):
        client.sendall(head(pieces * size))
        for _ in range(pieces):
            client.sendall(b"x" * size)
            time.sleep(READ_TIMEOUT_S / 4)

    with serving(serve) as url:
        assert send(url, take=take) == b"x" * pieces * size


def test_a_server_may_think_for_nearly_the_timeout_before_a_short_answer():
    def serve(client):
        time.sleep(timeout * 0.7)
        client.sendall(head(2) + b"o")
        time.sleep(timeout * 0.7)
        client.sendall(b"k")

    # Long enough that a machine under load does not make it longer.
    timeout = READ_TIMEOUT_S * 3
    with serving(serve) as url:
        assert send(url, timeout) == b"ok"


def test_a_consumer_that_takes_its_time_is_not_the_servers_fault():
    def take(pieces):
        found = []
        for piece in pieces:
            time.sleep(READ_TIMEOUT_S * 1.5)
            found.append(piece)
        return b"".join(found)

    with serving(works) as url:
        assert send(url, take=take) == b"ok"


@pytest.mark.parametrize("status", ["429 Slow down", "503 Busy"])
@pytest.mark.parametrize(
    "wait", [lambda: "1", lambda: formatdate(time.time() + 2, usegmt=True)], ids=["seconds", "date"]
)
def test_a_read_is_sent_again_when_the_server_says(status, wait):
    with serving(lambda client: says(status, f"Retry-After: {wait()}")(client), works) as url:
        start = time.monotonic()
        assert send(url, 5) == b"ok"
        assert 0.9 < time.monotonic() - start < 3


def test_a_date_to_wait_for_is_by_the_servers_clock():
    ahead = time.time() + 1000
    lines = f"Date: {formatdate(ahead, usegmt=True)}", f"Retry-After: {formatdate(ahead + 1, usegmt=True)}"
    with serving(says("429 Slow down", *lines), works) as url:
        assert send(url, 5) == b"ok"


@pytest.mark.parametrize("line", ["X-Other: 1", "Retry-After: soon", "Retry-After: 0"])
def test_a_read_is_sent_again_soon_when_the_server_does_not_say_when(line):
    with serving(says("429 Slow down", line), works) as url:
        assert send(url) == b"ok"


@pytest.mark.parametrize("wait", ["2", "99999999999999999999"])
def test_a_read_does_not_wait_longer_than_its_timeout(wait):
    start = time.monotonic()
    with (
        serving(says("429 Slow down", f"Retry-After: {wait}"), works) as url,
        pytest.raises(ServerError, match="too many requests") as caught,
    ):
        send(url, 1)
    assert caught.value.status == 429
    assert time.monotonic() - start < 1


def test_a_write_is_not_sent_again_and_its_error_names_the_wait():
    with serving(says("429 Slow down", "Retry-After: 7"), works) as url, Session(url, api_key="key") as session:
        requests = Requests(session)
        with pytest.raises(ServerError, match=r"too many requests \(status 429: no\)\. Send it again in 7 s\."):
            session.request("POST", "/tags/create")
        assert requests.take() == ["POST /tags/create"]


def test_a_late_answer_does_not_make_the_servers_clock_look_behind():
    def serve(client):
        client.sendall(head(2, "200 OK", f"Date: {formatdate(next(dates), usegmt=True)}") + b"ok")

    now = time.time()
    dates = iter([now + 60, now + 30, now + 1e9])
    with serving(serve) as url:
        transport = HTTPTransport(url, (1, READ_TIMEOUT_S))
        for _ in range(3):
            transport.send("GET", "/tags")
            assert 58 < transport.clock_offset < 62
        transport.close()
