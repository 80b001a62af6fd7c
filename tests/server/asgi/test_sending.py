"""Clients that do not take what is sent to them, or do not finish what they send."""

import socket
import struct
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager

import pytest

from pieces_orm.server import Settings
from tests.server.support import until

pytestmark = pytest.mark.xdist_group("machine")  # it looks at the clock

MIB = 1024 * 1024
UPGRADE = (
    "GET {} HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)


def connections(wire):
    return wire.server._uvicorn.server_state.connections


@contextmanager
def unread(wire, path, *, ending="", upgrade=False):
    """A connection that asks for something and reads nothing."""
    with socket.socket() as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16_384)
        connection.settimeout(10)
        connection.connect(("127.0.0.1", wire.server.port))
        head = UPGRADE.format(path) if upgrade else f"GET {path} HTTP/1.1\r\nHost: localhost\r\n{ending}\r\n"
        connection.sendall(head.encode())
        connection.recv(1, socket.MSG_PEEK)
        yield connection


def filled(started, **settings):
    """A server with one asset of 2 MiB, whose documents have it three times."""
    wire = started(settings=Settings(**settings))
    wire.id = wire.make_asset("x" * 2 * MIB, name="large.txt")["id"]
    wire.http.close()
    until(lambda: not connections(wire))
    return wire


@pytest.mark.parametrize("ending", ["", "Connection: close\r\n"], ids=["kept open", "to be closed"])
def test_a_client_that_does_not_read_its_answer_is_dropped(started, ending):
    wire = filled(started, send_timeout=0.4)
    begun = time.monotonic()
    with unread(wire, f"/asset/{wire.id}", ending=ending) as connection:
        until(lambda: not connections(wire))
        assert time.monotonic() - begun > 0.3
        size = 0
        while part := connection.recv(MIB):
            size += len(part)
        assert size < 6 * MIB


@pytest.mark.parametrize("path", ["/assets/stream/transferables", "/assets/stream/identifiers"])
def test_a_stream_is_dropped_when_its_frame_is_not_read_and_only_then(started, path):
    wire = filled(started, send_timeout=0.4)
    with unread(wire, path, upgrade=True):
        if path.endswith("identifiers"):  # the frame fits into the client's buffer: it has taken it
            time.sleep(0.8)
            assert len(connections(wire)) == 1
        else:
            until(lambda: not connections(wire))
    until(lambda: not connections(wire))
    until(lambda: not wire.server._hub._subscriptions)


def test_a_client_that_reads_steadily_gets_the_whole_answer_however_long_it_takes(started):
    wire = filled(started, send_timeout=1)
    with unread(wire, f"/asset/{wire.id}", ending="Connection: close\r\n") as connection:
        begun, size = time.monotonic(), 0
        while part := connection.recv(MIB):
            size += len(part)
            if time.monotonic() - begun < 1.5:
                time.sleep(0.02)
        assert time.monotonic() - begun > 1.2
        assert size > 6 * MIB


def test_answers_wait_for_room_until_it_is_there(started):
    wire = filled(started, send_timeout=0.6, max_held=4 * MIB)
    begun = time.monotonic()
    with unread(wire, f"/asset/{wire.id}"):
        assert wire.status("GET", "/.well-known/version") == 200
        assert wire.status("GET", "/assets/identifiers") == 200
        assert time.monotonic() - begun > 0.3, "the answer that nobody reads was dropped first"


def test_answers_without_room_in_time_and_bodies_at_once_are_503_with_a_sentence(started):
    wire = filled(started, send_timeout=1, max_held=2 * MIB)
    with unread(wire, f"/asset/{wire.id}") as connection:
        stop = threading.Event()

        def read_steadily():
            while not stop.wait(0.02):
                connection.recv(16_384)

        reader = threading.Thread(target=read_steadily)
        reader.start()
        try:
            with ThreadPoolExecutor(2) as pool:
                asked = [
                    pool.submit(wire.ask, "GET", "/assets"),
                    pool.submit(wire.ask, "POST", "/tags/create", {"text": "t"}),
                ]
            answers = [each.result() for each in asked]
            assert wire.status("GET", "/.well-known/health") == 200
        finally:
            stop.set()
            reader.join()
    for answer in answers:
        assert (answer.status_code, answer.text[-1]) == (503, ".")
    until(lambda: len(connections(wire)) <= 1)
    assert wire.get("/tags")["iterable"] == []


def test_a_single_answer_or_body_may_be_larger_than_the_bound(started):
    wire = filled(started, max_held=MIB, send_timeout=0.5)
    assert len(wire.ask("GET", f"/asset/{wire.id}").content) > 6 * MIB
    assert wire.make_asset("y" * 2 * MIB)["id"]


def masked(opcode, payload, *, final=True, announced=None):
    """The bytes of a client's frame, whose mask is zero."""
    length = len(payload) if announced is None else announced
    return struct.pack("!BBQ4x", (0x80 if final else 0) | opcode, 0x80 | 127, length) + payload


@pytest.mark.parametrize(
    "sent",
    [
        masked(1, b"x" * 1000, announced=2000), masked(1, b"x", final=False) * 2, b"\x81", masked(1, b"", final=False),
        masked(1, b"x" * 10, final=False) + masked(0, b"", final=False) * 100,
    ],
    ids=["half a frame", "two beginnings", "half a head", "an empty fragment", "many fragments"],
)  # fmt: skip
def test_a_message_that_does_not_end_in_time_ends_the_stream(started, sent):
    wire = started(settings=Settings(patience=0.3))
    with unread(wire, "/tags/stream/identifiers", upgrade=True) as connection:
        until(lambda: wire.server._hub._subscriptions)
        connection.sendall(masked(1, b"whole"))
        connection.sendall(sent)
        until(lambda: not connections(wire))


def test_a_message_of_too_many_fragments_ends_the_stream_at_once(started):
    wire = started(settings=Settings(patience=60))
    with unread(wire, "/tags/stream/identifiers", upgrade=True) as connection:
        until(lambda: wire.server._hub._subscriptions)
        connection.sendall(masked(1, b"", final=False) + masked(0, b"", final=False) * 10_000)
        until(lambda: not connections(wire))


def test_messages_over_a_mebibyte_and_those_without_room_end_the_stream(started):
    wire = started(settings=Settings(max_held=300_000))
    with unread(wire, "/tags/stream/identifiers", upgrade=True) as connection:
        until(lambda: wire.server._hub._subscriptions)
        connection.sendall(masked(1, b"x" * 10, announced=MIB + 1))
        until(lambda: not connections(wire))
    with ExitStack() as stack:
        for _ in range(3):
            connection = stack.enter_context(unread(wire, "/tags/stream/identifiers", upgrade=True))
            connection.sendall(masked(1, b"x" * 200_000, announced=MIB))
        until(lambda: len(connections(wire)) == 2)
        assert wire.status("GET", "/.well-known/health") == 200


def test_answers_to_pings_do_not_pile_up_for_a_client_that_does_not_read(started):
    wire = started()
    ping = struct.pack("!BB4x", 0x89, 0xFD) + b"x" * 125
    with unread(wire, "/tags/stream/identifiers", upgrade=True) as connection:
        for _ in range(40):
            connection.sendall(ping * 1000)
            assert sum(each.transport.get_write_buffer_size() for each in connections(wire)) < MIB
        assert len(connections(wire)) == 1


def test_unfinished_bodies_of_all_clients_together_are_bounded(started):
    wire = started(settings=Settings(max_held=MIB))
    head = f"POST /tags/create HTTP/1.1\r\nHost: localhost\r\nContent-Length: {MIB}\r\n\r\n".encode()
    with ExitStack() as stack:
        for _ in range(3):
            connection = stack.enter_context(socket.create_connection(("127.0.0.1", wire.server.port), timeout=10))
            connection.sendall(head + b"x" * 600_000)
        # The bound is one for all, so that it is not known whose body is refused.
        until(lambda: len(connections(wire)) == 2)
    until(lambda: not connections(wire))
    assert wire.status("POST", "/tags/create", {"text": "x" * 400_000}) == 200
