"""An HTTP server for tests: real sockets, scripted answers, every request recorded."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from attrs import define, field


@define
class Request:
    """One request as it arrived."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body) if self.body else None


@define
class Recorder:
    """The requests that arrived, and the scripted answers by (method, path); others get an empty 204."""

    url: str = ""
    requests: list[Request] = field(factory=list)
    answers: dict[tuple[str, str], tuple[int, bytes]] = field(factory=dict)
    echoed: set[tuple[str, str]] = field(factory=set)

    def answer(self, method: str, path: str, status: int = 200, body: Any = b"") -> None:
        """Script an answer; a body that is not bytes is sent as JSON."""
        self.answers[method, path] = (status, body if isinstance(body, bytes) else json.dumps(body).encode())

    def echo(self, method: str, path: str) -> None:
        """Answer an operation with the body of its request, as an update does."""
        self.echoed.add((method, path))

    def sent(self, method: str, path: str) -> list[Request]:
        """Return the requests of one operation, in order."""
        return [each for each in self.requests if (each.method, each.path) == (method, path)]

    def lines(self) -> list[str]:
        """Return all requests as `METHOD path`."""
        return [f"{each.method} {each.path}" for each in self.requests]


def _handler(recorder: Recorder) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        # Nagle's algorithm and delayed acknowledgement together cost 40 ms an answer.
        disable_nagle_algorithm = True

        def answer(self) -> None:
            parts = urlsplit(self.path)
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            query = dict(parse_qsl(parts.query, keep_blank_values=True))
            headers = {name.lower(): value for name, value in self.headers.items()}
            recorder.requests.append(Request(self.command, parts.path, query, headers, body))
            operation = (self.command, parts.path)
            status, content = (
                (200, body) if operation in recorder.echoed else recorder.answers.get(operation, (204, b""))
            )
            kind = "application/json" if content[:1] in (b"{", b"[") else "text/plain"
            head = f"HTTP/1.1 {status} X\r\nContent-Type: {kind}\r\n"
            length = "" if status == 204 else f"Content-Length: {len(content)}\r\n"
            self.wfile.write(f"{head}{length}\r\n".encode() + (b"" if status == 204 else content))

        do_GET = do_POST = answer  # noqa: N815 the names that the base class looks for

        def log_message(self, *args: Any) -> None:
            pass

    return Handler


@contextmanager
def recording() -> Iterator[Recorder]:
    """Run a recording server while the block runs."""
    recorder = Recorder()
    with ThreadingHTTPServer(("127.0.0.1", 0), _handler(recorder)) as server:
        server.daemon_threads = True
        recorder.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        recorder.answer("GET", "/.well-known/health", body=b"ok:recorder")
        try:
            yield recorder
        finally:
            server.shutdown()
            thread.join()
