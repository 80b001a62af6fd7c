"""Bodies over the limit are not taken, whatever the request and whoever reads them."""

import socket
import struct

import pytest

from pieces_orm.server import Settings

MAX_BODY = 100_000
CHUNK = b"2000\r\n" + b"x" * 0x2000 + b"\r\n"
# Bytes in the buffers of two sockets of this machine, at most, when the server stops reading.
BUFFERED = 16 * 1024 * 1024


@pytest.fixture(scope="module")
def limited():
    from pieces_orm.server import Server
    from tests.server.support import Wire

    with Server(settings=Settings(max_body=MAX_BODY)) as server:
        yield Wire(server)


def pour(port, head):
    """Send a body without an end; returns what could be sent, and the first line of the answer."""
    sent, chunks = 0, CHUNK * 64
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 65536)
        connection.sendall(head)
        try:
            while sent < 4 * BUFFERED:
                connection.sendall(chunks)
                sent += len(chunks)
        except OSError:
            pass
        # No lingering: what the server would not read is thrown away.
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    return sent


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/assets"), ("HEAD", "/assets"), ("GET", "/.well-known/health"), ("HEAD", "/.well-known/health"),
        ("POST", "/tags/create"), ("POST", "/assets/draft"), ("GET", "/nothing"), ("HEAD", "/nothing"),
        ("PUT", "/tags"), ("DELETE", "/tags"), ("PATCH", "/nothing"), ("OPTIONS", "/tags"), ("TRACE", "/tags"),
        ("GET", "/tags/stream/identifiers"), ("POST", "/os/sign_in"),
    ],
)  # fmt: skip
def test_a_chunked_body_is_taken_up_to_the_limit_by_every_method(limited, method, path):
    head = f"{method} {path} HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
    assert pour(limited.server.port, head.encode()) < BUFFERED
    assert limited.get("/tags")["iterable"] == []


def test_a_preflight_takes_no_body_without_an_end(limited):
    port = limited.server.port
    head = f"OPTIONS /tags HTTP/1.1\r\nHost: localhost\r\nOrigin: http://localhost:{port}\r\n"
    assert pour(port, f"{head}Transfer-Encoding: chunked\r\n\r\n".encode()) < BUFFERED


def test_an_unwanted_body_within_the_limit_keeps_the_connection(limited):
    url = limited.server.url
    for _ in range(3):
        answer = limited.http.put(url + "/tags", data=iter([b"x" * 4000] * 20), timeout=10)
        assert answer.status_code == 405
        assert "close" not in answer.headers.get("connection", "")
    assert limited.get("/tags")["iterable"] == []


def test_unwanted_bodies_are_counted_one_by_one_though_the_next_request_comes_with_the_end_of_the_last(limited):
    head = b"PUT /tags HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
    end = b"0\r\n\r\n"
    with socket.create_connection(("127.0.0.1", limited.server.port), timeout=10) as connection:
        answers = connection.makefile("rb")
        connection.sendall(head)
        for _ in range(5):
            assert answers.readline().startswith(b"HTTP/1.1 405")
            while (line := answers.readline().lower()) != b"\r\n":
                if line.startswith(b"content-length:"):
                    length = int(line.split(b":")[1])
            answers.read(length)
            for _ in range(10):
                connection.sendall(CHUNK)
            connection.sendall(end + head)
