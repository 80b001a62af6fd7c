"""The embedded server under load, beside a bare Starlette handler that sends the same bytes, in the same run."""

from __future__ import annotations

import http.client
import json
import random
import socket
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import urlsplit

import requests
import uvicorn
from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Route

import pieces_orm
from pieces_orm import Asset
from pieces_orm.documents import decoding
from pieces_orm.server import Server
from pieces_orm.server.domain.asset_seeds import create_asset, draft_asset
from pieces_orm.server.domain.seeds import SeedWriter
from pieces_orm.wire import kinds

from .measuring import Row, interleaved

CLIENTS = 50


@contextmanager
def bare(body: bytes) -> Iterator[str]:
    """A server that does nothing but send these bytes."""

    async def answer(_: object) -> Response:
        return Response(body, media_type="application/json")

    app = Starlette(routes=[Route("/anchor", answer)])
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listening.bind(("127.0.0.1", 0))
    running = uvicorn.Server(uvicorn.Config(app, log_level="error", access_log=False, lifespan="off"))
    thread = threading.Thread(target=running.run, args=([listening],), daemon=True)
    thread.start()
    while not running.started:
        time.sleep(0.01)
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}/anchor"
    finally:
        running.should_exit = True
        thread.join()


def measure(*, quick: bool) -> list[Row]:
    """P14: a read of one material beside bare Starlette, a snapshot of many, and creating."""
    repeats, many = (100, 500) if quick else (1000, 10_000)
    with (
        TemporaryDirectory() as folder,
        Server(Path(folder) / "materials.db") as server,
        pieces_orm.connect(server.url) as session,
    ):
        return [
            _get(server, session, repeats),
            _create(server, session, Path(folder), 20 if quick else 1000),
            _snapshot(server, session, many, 2 if quick else 3),
        ]


def under_load(*, quick: bool) -> list[dict[str, object]]:
    """Fifty clients that read and write, on a file; and fifty that ask a bare handler, which does nothing."""
    seconds = 1.0 if quick else 5.0
    with TemporaryDirectory() as folder, Server(Path(folder) / "materials.db") as server:
        found = [_load("pieces_orm, reads and writes", seconds, lambda seed: _acts_on(server.url, seed))]
    with bare(b'{"id": "x"}') as url:
        return [*found, _load("bare Starlette, reads", seconds, lambda _: _asks(url))]


@contextmanager
def _acts_on(url: str, seed: int) -> Iterator[list[Callable[[], object]]]:
    with pieces_orm.connect(url) as session:
        tag = session.tags.create(f"of client {seed}")
        yield [tag.refresh, tag.increment_score, session.tags.ids, lambda: session.tags.create("another")]


@contextmanager
def _asks(url: str) -> Iterator[list[Callable[[], object]]]:
    with Client(url) as client:
        yield [client.get]


def _get(server: Server, session: pieces_orm.Session, repeats: int) -> Row:
    anchor = session.anchors.create("/projects/tide-tables")
    path = f"{server.url}/anchor/{anchor.id}"
    with bare(requests.get(path, timeout=10).content) as url, Client(path) as ours, Client(url) as floor:
        taken = interleaved({"ours": ours.get, "floor": floor.get}, repeats)
    return Row(
        "P14", "embedded server: GET one anchor", taken["ours"], None, taken["floor"], "x bare Starlette",
        taken["ours"] / taken["floor"], 2, notes=("", "bare Starlette"),
    )  # fmt: skip


class Client:
    """One connection of the standard library's own client, asking for one address."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._path = parts.path
        self._connection = http.client.HTTPConnection(parts.netloc)
        self._connection.connect()
        self._connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *exc: object) -> None:
        self._connection.close()

    def get(self) -> bytes:
        """GET it."""
        self._connection.request("GET", self._path)
        return self._connection.getresponse().read()

    def post(self, body: bytes) -> bytes:
        """POST to it."""
        self._connection.request("POST", self._path, body, {"Content-Type": "application/json"})
        answer = self._connection.getresponse()
        data = answer.read()
        assert answer.status == http.HTTPStatus.OK, data
        return data


def _create(server: Server, session: pieces_orm.Session, folder: Path, repeats: int) -> Row:
    """Beside a commit of SQLite as the server makes it: WAL, synchronous=FULL, a file in the same folder."""
    seed = decoding.encode_given(Asset._seed(session._context, "def tide():\n    return 1\n", language="py").body)
    plain = sqlite3.connect(folder / "plain.db", isolation_level=None)
    plain.execute("PRAGMA journal_mode = WAL")
    plain.execute("PRAGMA synchronous = FULL")
    plain.execute("CREATE TABLE material (document TEXT)")
    with closing(plain), Client(f"{server.url}/assets/create") as client:
        taken = interleaved(
            {
                "ours": lambda: client.post(seed),
                "floor": lambda: plain.execute("INSERT INTO material VALUES (?)", (seed.decode(),)),
            },
            repeats,
        )
    return Row(
        "P14", "embedded server: create an asset", taken["ours"], None, taken["floor"],
        "x a durable commit", taken["ours"] / taken["floor"], 3, notes=("", "a durable commit"),
    )  # fmt: skip


def _load(
    what: str, seconds: float, acting: Callable[[int], AbstractContextManager[list[Callable[[], object]]]]
) -> dict[str, object]:
    """Fifty clients, each of which does one thing after the other, by chance."""
    times: list[float] = []
    errors: list[Exception] = []
    until = time.perf_counter() + seconds

    def client(seed: int) -> None:
        chance = random.Random(seed)
        try:
            with acting(seed) as acts:
                while time.perf_counter() < until:
                    began = time.perf_counter()
                    chance.choice(acts)()
                    times.append(time.perf_counter() - began)
        except Exception as error:  # noqa: BLE001 told below
            errors.append(error)

    threads = [threading.Thread(target=client, args=(n,)) for n in range(CLIENTS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    times.sort()
    return {
        "server": what,
        "clients": CLIENTS,
        "requests per second": round(len(times) / seconds),
        "p50 ms": round(times[len(times) // 2] * 1e3, 1),
        "p99 ms": round(times[int(len(times) * 0.99)] * 1e3, 1),
        "errors": len(errors),
    }


def _snapshot(server: Server, session: pieces_orm.Session, number: int, repeats: int) -> Row:
    content = {"fragment": {"string": {"raw": "x = 1\n" * 500}, "metadata": {"ext": "py"}}}
    seed = json.loads(decoding.encode(Asset._seed(session._context, "x").body))
    seed["asset"]["format"] = content
    assert server._store is not None
    with server._store.write() as writer:
        seeds, draft = SeedWriter(writer, server.settings), draft_asset(seed)
        for _ in range(number):
            create_asset(seeds, draft)
    path = kinds.ASSET.route("all").path
    taken = interleaved({"ours": lambda: session.request("GET", path)}, repeats)["ours"]
    size = len(session.request("GET", path))
    return Row(
        "P14", f"embedded server: snapshot of {number} assets, {size / 1e6:.0f} MB", taken, None, None, "MB/s",
        size / taken / 1e6, 20, at_least=True,
    )  # fmt: skip
