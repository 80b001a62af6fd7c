"""A proxy that understands HTTP: it notes every exchange, and lets a fault answer in the place of the server."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import struct
import threading
from http.client import HTTPConnection, HTTPException
from urllib.parse import urlsplit

from attrs import define, field

from tests.transport.proxy import Proxy

# A fault that holds a connection lets it go after so many seconds, so that no mistake makes a test hang.
LONGEST_HOLD_S = 3.0
RESET = struct.pack("ii", 1, 0)


@define(eq=False)
class Noted:
    """One request that arrived, whether a fault answered it, and whether the server got it."""

    method: str
    path: str
    faulted: bool
    forwarded: bool = False

    @property
    def where(self):
        return f"{self.method} {self.path.partition('?')[0]}"


@define
class Plan:
    """A fault, and the exchanges it is for: the n-th from now on, or all; only those of some paths."""

    fault: object
    at: int | None = None
    concerns: object = None
    # What the fault of a body is about.
    victim: str = ""
    seen: int = 0

    def takes(self, path):
        """Tell whether the next exchange is one for the fault; counts it."""
        if path == "/connect" or (self.concerns is not None and not self.concerns(path)):
            return False
        number, self.seen = self.seen, self.seen + 1
        return self.at is None or number == self.at


@define(eq=False)
class Exchange:
    """A request that has come whole, and the ways to answer it."""

    client: socket.socket
    upstream: HTTPConnection
    method: str
    path: str
    headers: list
    body: bytes
    victim: str = ""
    noted: Noted | None = None
    ended: threading.Event = field(factory=threading.Event)

    @property
    def opens_stream(self):
        return any(line.lower() == b"upgrade: websocket" for line in self.headers)

    def forward(self):
        """Let the server do what is asked; return its status, content type and body."""
        if self.opens_stream:
            # What comes instead of the stream begins with an answer that opens none.
            return 200, "application/json", b'{"iterable": []}'
        self.noted.forwarded = True
        self.upstream.putrequest(self.method, self.path, skip_host=True, skip_accept_encoding=True)
        for line in self.headers:
            name, _, value = line.partition(b":")
            if name.lower() not in (b"accept-encoding", b"connection"):
                self.upstream.putheader(name.decode("latin-1"), value.strip())
        self.upstream.endheaders(self.body or None)
        response = self.upstream.getresponse()
        return response.status, response.getheader("content-type") or "text/plain", response.read()

    def answer(self, status, body=b"", content_type="application/json", more=()):
        """Send a whole and regular answer."""
        length = [] if status == 204 else [f"Content-Length: {len(body)}"]
        self.send_head(status, [f"Content-Type: {content_type}", *length, *more])
        self.client.sendall(b"" if status == 204 else body)

    def send_head(self, status, lines):
        self.client.sendall("\r\n".join([f"HTTP/1.1 {status} Status", *lines, "", ""]).encode())

    def reset(self):
        """Close the connection so that the other side is told of an error, not of an end."""
        self.client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        # The reader holds the socket open: only its descriptor can be closed at once, without a regular end.
        os.close(self.client.detach())
        raise ConnectionAbortedError

    def close(self):
        """End the connection."""
        raise ConnectionAbortedError

    def wait(self, seconds):
        """Wait, unless the proxy is healed before."""
        self.ended.wait(seconds)


class ExchangeProxy(Proxy):
    """Passes HTTP exchanges and streams on, except those that a fault is planned for."""

    def __init__(self, url):
        self._plan = None
        self._noted = []
        self._noting = threading.Lock()
        self._healed = threading.Event()
        super().__init__(url)

    # Planning ---------------------------------------------------------------------------------------------------------

    def plan(self, fault, at=None, concerns=None, victim=""):
        """Let a fault answer the n-th exchange from now on, or all; of those whose path it concerns."""
        self._healed = threading.Event()
        self._plan = Plan(fault, at, concerns, victim)
        if fault.refuses and at in (None, 0):
            self.refuse()

    def heal(self):
        """Let every exchange through again."""
        self._plan = None
        self._healed.set()
        self.accept_again()

    def accept_again(self):
        """Accept connections again, if they were refused."""
        if self._listening.fileno() < 0:
            self.accept()

    def take(self):
        """Return the exchanges since the last time, in order of their arrival, without /connect."""
        with self._noting:
            noted, self._noted = self._noted, []
        return [each for each in noted if each.path != "/connect"]

    @property
    def faulted(self):
        """How many exchanges a fault has answered since they were taken."""
        with self._noting:
            return sum(each.faulted for each in self._noted)

    # Serving ----------------------------------------------------------------------------------------------------------

    def _serve(self, client):
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        parts = urlsplit(self.target)
        upstream = HTTPConnection(parts.hostname or "", parts.port, timeout=10)
        served = _Served(client, upstream)
        with self._lock:
            self._open[served] = None
        try:
            with contextlib.suppress(OSError, HTTPException), client.makefile("rb") as reader:
                while (request := _read_request(reader, client, upstream)) is not None and self._exchange(request):
                    pass
        finally:
            with self._lock:
                self._open.pop(served, None)
            served.close()

    def _exchange(self, exchange):
        """Answer one request; return whether the connection stays."""
        plan = self._plan
        mine = plan is not None and plan.takes(exchange.path.partition("?")[0])
        exchange.ended, exchange.victim = self._healed, plan.victim if plan else ""
        exchange.noted = self._note(exchange, faulted=mine)
        if mine and not plan.fault.refuses:
            if not (exchange.opens_stream and plan.fault.harmless):
                plan.fault.act(exchange)
                return True
            exchange.wait(plan.fault.seconds)
        if exchange.opens_stream:
            self._pass_stream(exchange)
            return False
        answer = exchange.forward()
        refuses_next = plan is not None and plan.fault.refuses and plan.at == plan.seen and not mine
        if refuses_next:
            self.stop_listening()
        exchange.answer(*_in_order(answer), more=["Connection: close"] if refuses_next else [])
        return not refuses_next

    def _note(self, exchange, *, faulted):
        noted = Noted(exchange.method, exchange.path, faulted)
        with self._noting:
            self._noted.append(noted)
        return noted

    def _pass_stream(self, exchange):
        head = b"\r\n".join([f"{exchange.method} {exchange.path} HTTP/1.1".encode(), *exchange.headers, b"", b""])
        exchange.noted.forwarded = True
        self.serve_stream(exchange.client, head)


@define(eq=False)
class _Served:
    """A client's connection, as the proxy closes it."""

    client: socket.socket
    upstream: HTTPConnection
    is_stream: bool = False

    def close(self):
        with contextlib.suppress(OSError):
            self.client.shutdown(socket.SHUT_RDWR)
        self.client.close()
        self.upstream.close()


def _in_order(answer):
    status, content_type, body = answer
    return status, body, content_type


def _read_request(reader, client, upstream):
    """Read one request, or None at the end of the connection."""
    line = reader.readline()
    if not line.strip():
        return None
    method, path, _ = line.decode("latin-1").split(" ", 2)
    headers = []
    while (header := reader.readline().rstrip(b"\r\n")) != b"":
        headers.append(header)
    sizes = [int(each.split(b":")[1]) for each in headers if each.lower().startswith(b"content-length:")]
    body = reader.read(sizes[0]) if sizes else b""
    return Exchange(client, upstream, method, path, headers, body)


@contextlib.contextmanager
def exchanging(url):
    """A proxy in front of a server, for as long as the block runs."""
    proxy = ExchangeProxy(url)
    try:
        yield proxy
    finally:
        proxy.heal()
        proxy.refuse()


def json_of(body):
    """Return the JSON data of a body, or None."""
    try:
        return json.loads(body)
    except ValueError:
        return None
