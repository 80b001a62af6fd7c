"""What the server's tests share: the published contract, a client that checks every answer against it, and seeds."""

from __future__ import annotations

import json
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import requests
from jsonschema import Draft202012Validator
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012
from sqlalchemy import event
from websockets.sync.client import ClientConnection, connect

from pieces_orm.server import Server
from pieces_orm.wire.kinds import KINDS, Kind

CONTRACT = Path(__file__).parent.parent / "contract"


@cache
def contract() -> dict[str, Any]:
    return json.loads((CONTRACT / "pieces-openapi.json").read_text("utf-8"))


# Keys that the contract calls optional, and that the models of the official client up to 4.4.1 cannot do without.
_MAPS = ("mechanisms", "access", "models")
OLDER_CLIENTS_NEED = {
    "Tag": _MAPS[:1], "Website": _MAPS[:1], "Hint": _MAPS[:1], "Person": _MAPS,
    "FlattenedTag": _MAPS[:1], "FlattenedWebsite": _MAPS[:1], "FlattenedHint": _MAPS[:1], "FlattenedPerson": _MAPS,
}  # fmt: skip


@cache
def _registry() -> Registry:
    """The contract as answers are checked against it: what older clients need is required."""
    schemas = dict(contract()["components"]["schemas"])
    for name, keys in OLDER_CLIENTS_NEED.items():
        schemas[name] = {**schemas[name], "required": [*schemas[name].get("required", ()), *keys]}
    strict = {**contract(), "components": {**contract()["components"], "schemas": schemas}}
    return Registry().with_resource("urn:pieces", Resource(strict, DRAFT202012))


@cache
def validator(schema: str) -> Draft202012Validator:
    return Draft202012Validator({"$ref": f"urn:pieces#/components/schemas/{schema}"}, registry=_registry())


def valid(schema: str, document: Any) -> None:
    """Assert that a document is what the published schema promises, and has what older clients need."""
    error = next(validator(schema).iter_errors(document), None)
    assert error is None, f"{schema}: {error.json_path}: {error.message[:300]}"


@cache
def operation(method: str, path: str) -> dict[str, Any] | None:
    """The published operation of a path; literal segments win."""
    segments = path.strip("/").split("/")

    def fits(template: str) -> bool:
        wanted = template.strip("/").split("/")
        return len(wanted) == len(segments) and all(
            w.startswith("{") or w == s for w, s in zip(wanted, segments, strict=True)
        )

    found = [template for template in contract()["paths"] if fits(template) and method in contract()["paths"][template]]
    best = min(found, key=lambda template: template.count("{"), default=None)
    return None if best is None else contract()["paths"][best][method]


class Wire:
    """A plain HTTP client; every good answer is checked against the published schema of its route."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.http = requests.Session()
        self.http.trust_env = False
        self.application: dict[str, Any] = {}

    def ask(self, method: str, path: str, body: Any = None, **options: Any) -> requests.Response:
        answer = self.http.request(method, self.server.url + path, json=body, timeout=20, **options)
        if answer.ok:
            self._check(method.lower(), path.partition("?")[0], answer)
        return answer

    def _check(self, method: str, path: str, answer: requests.Response) -> None:
        found = operation(method, path)
        if found is None or path == "/":  # the published API has only the page of a share there
            return
        content = found["responses"].get(str(answer.status_code), {}).get("content", {})
        if answer.status_code == 204:
            assert "204" in found["responses"], f"{method} {path} answered 204"
            return
        schema = content.get("application/json", {}).get("schema", {}).get("$ref", "").rpartition("/")[2]
        if schema:
            assert answer.headers["content-type"].startswith("application/json")
            valid(schema, answer.json())
        else:
            assert "text/plain" in content, f"{method} {path} answered what the contract does not have"

    def get(self, path: str, **options: Any) -> Any:
        answer = self.ask("GET", path, **options)
        assert answer.status_code == 200, (path, answer.status_code, answer.text)
        return answer.json()

    def post(self, path: str, body: Any = None, **options: Any) -> Any:
        answer = self.ask("POST", path, body, **options)
        assert answer.status_code in {200, 204}, (path, answer.status_code, answer.text)
        if answer.status_code == 204:
            return None
        return answer.json() if answer.headers["content-type"].startswith("application/json") else answer.text

    def status(self, method: str, path: str, body: Any = None, **options: Any) -> int:
        return self.ask(method, path, body, **options).status_code

    def connect(self) -> dict[str, Any]:
        seed = {"name": "OPEN_SOURCE", "version": "1.0.0", "platform": "LINUX"}
        self.application = self.post("/connect", {"application": seed})["application"]
        return self.application

    # Materials.

    def seed(self, kind: Kind) -> dict[str, Any]:
        """A creation body of a kind, with what it needs created first."""
        return SEEDS[kind.name](self)

    def make(self, kind: Kind, **extra: Any) -> dict[str, Any]:
        if kind.name == "format":
            asset = self.make_asset("print('tide')")
            return self.get(f"/format/{asset['original']['id']}")
        made = self.post(kind.route("create").path, {**self.seed(kind), **extra})
        return made["iterable"][0] if kind.name == "share" else made

    def make_asset(self, text: str = "print('tide')", *, pseudo: bool | None = None, **metadata: Any) -> dict[str, Any]:
        return self.post("/assets/create", self.asset_seed({"string": {"raw": text}}, pseudo=pseudo, **metadata))

    def asset_seed(self, fragment: dict[str, Any], *, pseudo: bool | None = None, **metadata: Any) -> dict[str, Any]:
        application = self.application or self.connect()
        asset = {"application": application, "format": {"fragment": fragment}, "metadata": metadata}
        return {"type": "SEEDED_ASSET", "asset": asset | ({} if pseudo is None else {"pseudo": pseudo})}

    def read(self, kind: Kind, id: str) -> Any:
        return self.get(kind.route("read").path.replace(f"{{{kind.parameter}}}", id))

    def delete(self, kind: Kind, id: str) -> None:
        self.post(kind.route("delete").path.replace(f"{{{kind.parameter}}}", id))


MODEL = {
    "id": "m", "name": "some model", "version": "1", "created": {"value": "2026-01-12T10:05:00.123456Z"},
    "cloud": True, "type": "SPEED", "usage": "CODE_CONVERSATION",
}  # fmt: skip
SEEDS: dict[str, Callable[[Wire], dict[str, Any]]] = {
    "activity": lambda wire: {"application": wire.application or wire.connect(), "event": {}},
    "anchor": lambda wire: {"type": "FILE", "fullpath": "/projects/tides/tide.py"},
    "anchor_point": lambda wire: {
        "anchor": wire.make(KINDS["anchor"])["id"], "type": "FILE", "fullpath": "/projects/tides/other.py",
    },
    "annotation": lambda wire: {"type": "COMMENT", "text": "high water at noon"},
    "asset": lambda wire: wire.asset_seed({"string": {"raw": "print('tide')"}}, name="tide"),
    "conversation": lambda wire: {"type": "COPILOT", "name": "about tides"},
    "conversation_message": lambda wire: {
        "role": "USER", "fragment": {"string": {"raw": "when is low water?"}},
        "conversation": {"id": wire.make(KINDS["conversation"])["id"]},
    },
    "hint": lambda wire: {"type": "SUGGESTED_QUERY", "text": "what is a neap tide?"},
    "person": lambda wire: {"type": {"basic": {"name": "Ada", "email": "ada@example.org"}}},
    "range": lambda wire: {"from": {"value": "2026-01-01T00:00:00.000000Z"}, "between": False},
    "sensitive": lambda wire: {
        "asset": wire.make_asset()["id"], "category": "API_KEY", "description": "a key", "name": "key",
        "severity": "HIGH", "text": "abc",
    },
    "share": lambda wire: {"access": "PRIVATE", "name": "for Ada", "asset": wire.make_asset()},
    "workstream_pattern_engine_source": lambda wire: {"raw": {"name": "browser"}, "readable": "Browser"},
    "workstream_pattern_engine_source_window": lambda wire: {"name": "Tide tables"},
    "workstream_summary": lambda wire: {"name": "a day at the shore", "model": MODEL},
    "tag": lambda wire: {"text": "tides"},
    "website": lambda wire: {"url": "https://tides.example.org", "name": "Tides"},
    "workstream_event": lambda wire: {
        "application": wire.application or wire.connect(), "trigger": {"copy": True},
    },
}  # fmt: skip


def program(code: str, *arguments: Any, **options: Any) -> subprocess.Popen:
    """A Python program of its own."""
    return subprocess.Popen(
        [sys.executable, "-W", "error", "-c", textwrap.dedent(code), *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **options,
    )


SERVE = """
    import sys, threading
    from pieces_orm.server import Server
    server = Server(sys.argv[1])
    server.start()
    print(server.url, flush=True)
    threading.Event().wait()
"""


def stream(server: Server, path: str, **options: Any) -> ClientConnection:
    return connect(server.url.replace("http", "ws") + path, proxy=None, open_timeout=10, close_timeout=2, **options)


def frame(socket: ClientConnection, timeout: float = 10) -> Any:
    return json.loads(socket.recv(timeout=timeout))


def until(condition: Callable[[], Any], timeout: float = 10) -> Any:
    """Wait for something to be true; its value."""
    end = time.monotonic() + timeout
    while not (value := condition()):
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.005)
    return value


def plans(wire: Wire, ask: Callable[[], Any]) -> list[str]:
    """Return SQLite's plans for the reads of one request, step by step."""
    statements = []
    store = wire.server._store

    def note(connection, cursor, statement, parameters, *_):
        statements.append((statement, parameters))

    event.listen(store._engine, "before_cursor_execute", note)
    try:
        ask()
    finally:
        event.remove(store._engine, "before_cursor_execute", note)
    asked = [(text, values) for text, values in statements if text.startswith("SELECT")]
    assert asked
    with store.read() as reader:
        raw = reader.connection.connection.driver_connection
        return [step[3] for text, values in asked for step in raw.execute(f"EXPLAIN QUERY PLAN {text}", values)]


def ids(collection: Any) -> list[str]:
    return [item["id"] for item in collection["iterable"]]


def at(document: Any, dotted: str) -> Any:
    for name in dotted.split("."):
        document = document.get(name) if isinstance(document, dict) else None
    return document
