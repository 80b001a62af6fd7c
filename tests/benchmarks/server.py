"""The embedded server under load, beside a bare Starlette handler that sends the same bytes, in the same run."""

from __future__ import annotations

import json
import random
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import requests
import uvicorn
from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Route

import pieces_orm
from pieces_orm import Asset, conversion, endpoints
from pieces_orm.server import Server
from pieces_orm.server.assets import drafted, plant
from pieces_orm.server.seeds import Planter

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


def measure(*, quick: bool) -> list[dict[str, object]]:
    """Reads of one material beside bare Starlette; mixed load; creating; a snapshot of many."""
    repeats, seconds, many = (100, 1.0, 500) if quick else (1000, 5.0, 10_000)
    with Server() as server, pieces_orm.connect(server.url) as session:
        anchor = session.anchors.create("/projects/tide-tables")
        with bare(requests.get(f"{server.url}/anchor/{anchor.id}", timeout=10).content) as url:
            ours, floor = _interleaved(f"{server.url}/anchor/{anchor.id}", url, repeats)
        return [
            _row(
                "GET one anchor", f"{ours * 1e6:.0f} us", f"{ours / floor:.2f} x bare Starlette ({floor * 1e6:.0f} us)"
            ),
            _load(server, seconds),
            _creations(session, 100 if quick else 1000),
            _snapshot(server, session, many),
        ]


def _row(what: str, figure: str, beside: str = "") -> dict[str, object]:
    return {"what": what, "figure": figure, "beside": beside}


def _interleaved(one: str, other: str, repeats: int) -> tuple[float, float]:
    """Medians of two addresses, asked in turn."""
    with requests.Session() as http:
        http.trust_env = False
        times: dict[str, list[float]] = {one: [], other: []}
        for _ in range(repeats):
            for url, taken in times.items():
                began = time.perf_counter()
                http.get(url, timeout=10)
                taken.append(time.perf_counter() - began)
    return tuple(sorted(taken)[repeats // 2] for taken in times.values())  # type: ignore[return-value]


def _load(server: Server, seconds: float) -> dict[str, object]:
    """Fifty clients that read and write."""
    times: list[float] = []
    errors: list[Exception] = []
    until = time.perf_counter() + seconds

    def client(seed: int) -> None:
        chance = random.Random(seed)
        try:
            with pieces_orm.connect(server.url) as session:
                tag = session.tags.create(f"of client {seed}")
                acts: list[Callable[[], object]] = [
                    tag.refresh, tag.increment_score, session.tags.ids, lambda: session.tags.create("another"),
                ]  # fmt: skip
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
    p99 = times[int(len(times) * 0.99)] * 1e3
    return _row(
        f"{CLIENTS} clients, mixed", f"{len(times) / seconds:.0f} requests/s", f"p99 {p99:.0f} ms, {len(errors)} errors"
    )


def _creations(session: pieces_orm.Session, number: int) -> dict[str, object]:
    began = time.perf_counter()
    for n in range(number):
        session.assets.create(f"height = {n}", language="py")
    taken = (time.perf_counter() - began) / number
    return _row(f"create {number} assets", f"{taken * 1e3:.2f} ms each")


def _snapshot(server: Server, session: pieces_orm.Session, number: int) -> dict[str, object]:
    content = {"fragment": {"string": {"raw": "x = 1\n" * 500}, "metadata": {"ext": "py"}}}
    seed = json.loads(conversion.encode(Asset.seed(session, "x").body))
    seed["asset"]["format"] = content
    assert server._store is not None
    with server._store.write() as writer:
        planter, draft = Planter(writer, server.settings), drafted(seed)
        for _ in range(number):
            plant(planter, seed["asset"], draft)
    began = time.perf_counter()
    data = session.request("GET", endpoints.ASSET.route("all").path)
    taken = time.perf_counter() - began
    return _row(f"snapshot of {number} assets", f"{len(data) / taken / 1e6:.0f} MB/s", f"{len(data) / 1e6:.0f} MB")
