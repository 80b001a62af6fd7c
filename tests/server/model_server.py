"""An OpenAI-compatible server on loopback that answers what a test tells it to."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


def event(text: str, finish: str | None = None) -> bytes:
    """A line of a stream that has a piece of an answer."""
    choice = {"index": 0, "delta": {"content": text}, "finish_reason": finish}
    return b"data: " + json.dumps({"choices": [choice]}).encode() + b"\n\n"


DONE = b"data: [DONE]\n\n"


class ModelServer:
    """The requests that came, and the answer: a status, headers, and the parts of a body."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.asked: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.left = threading.Event()
        self.answer([event("It is "), event("high."), DONE])

    def answer(self, parts: Iterable[bytes], status: int = 200, **headers: str) -> None:
        """Answer so from now on; headers are given with _ for -."""
        self.parts, self.status = parts, status
        self.sent = {"content-type": "text/event-stream"} | {
            name.replace("_", "-"): value for name, value in headers.items()
        }


@contextmanager
def model_server() -> Iterator[ModelServer]:
    """Serve for as long as the block runs."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            model.headers.append({name.lower(): value for name, value in self.headers.items()})
            found = self.path == "/v1/models"
            self.send_response(200 if found else 404)
            self.send_header("content-type", "application/json")
            self.end_headers()
            self.wfile.write(b'{"object": "list", "data": []}' if found else b"")

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["content-length"])))
            model.asked.append({"path": self.path, **body})
            model.headers.append({name.lower(): value for name, value in self.headers.items()})
            self.send_response(model.status)
            for name, value in model.sent.items():
                self.send_header(name, value)
            self.end_headers()
            try:
                for part in model.parts:
                    self.wfile.write(part)
                    self.wfile.flush()
            except OSError:
                model.left.set()

        def log_message(self, *_: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        model = ModelServer(f"http://127.0.0.1:{server.server_port}/v1")
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        try:
            yield model
        finally:
            server.shutdown()
            thread.join()
