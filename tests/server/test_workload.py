"""Writes wait in a place of their own, and work that nobody waits for is not begun, or stops."""

import asyncio
import json
import socket
import threading
from contextlib import ExitStack, contextmanager

import pytest

from pieces_orm.server import Server
from pieces_orm.server.app import application
from pieces_orm.server.app.routes import http_routes
from pieces_orm.server.request_errors import RequestError
from pieces_orm.server.workload import HeldBytes, Workload, WorkQueue
from pieces_orm.wire.kinds import KINDS
from tests.server.support import Wire, frame, stream, until


@pytest.fixture(scope="module")
def filed(tmp_path_factory):
    """A server on a file: readers do not share the writer's connection."""
    with Server(tmp_path_factory.mktemp("workload") / "db") as server:
        yield Wire(server)


@contextmanager
def long_write(server):
    """Hold the database's write lock for as long as the block runs."""
    held, release = threading.Event(), threading.Event()

    def hold():
        with server._store.write():
            held.set()
            release.wait(30)

    writer = threading.Thread(target=hold)
    writer.start()
    try:
        assert held.wait(10)
        yield
    finally:
        release.set()
        writer.join()


def send_write(server, text, path="/tags/create", **keys):
    body = json.dumps({"text": text, **keys}).encode()
    connection = socket.create_connection(("127.0.0.1", server.port), timeout=20)
    head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(body)}\r\n\r\n"
    connection.sendall(head.encode() + body)
    return connection


def under_way(server):
    return len(server._uvicorn.server_state.tasks)


def tags(wire):
    return {tag["text"] for tag in wire.get("/tags")["iterable"]}


def test_reads_and_streams_answer_while_a_hundred_writes_wait(filed):
    asset = filed.make_asset("tide")["id"]
    with ExitStack() as stack:
        with long_write(filed.server):
            writers = [stack.enter_context(send_write(filed.server, f"waited {number}")) for number in range(100)]
            until(lambda: under_way(filed.server) == 100)
            options = {"timeout": 10}
            for method, path, body in (
                ("GET", "/.well-known/health", None), ("GET", "/assets", None), ("GET", f"/asset/{asset}", None),
                ("GET", "/assets/identifiers", None), ("GET", "/assets/search?query=tide", None),
                ("POST", "/assets/search", {"query": "tide"}), ("POST", "/tags/exists", {"value": "tide"}),
                ("POST", "/tags/batch/fetch", {"tags": {"iterable": []}}), ("POST", f"/asset/{asset}", None),
            ):  # fmt: skip
                answer = filed.http.request(method, filed.server.url + path, json=body, **options)
                assert answer.status_code == 200, path
            with stream(filed.server, "/assets/stream") as opened:
                assert [each["id"] for each in frame(opened)["iterable"]] == [asset]
        assert all(b" 200 " in writer.recv(4096) for writer in writers)
    assert {f"waited {number}" for number in range(100)} <= tags(filed)


def test_a_write_is_done_only_for_a_client_that_is_there(filed, monkeypatch):
    told, tell = [], application._tell

    async def noted(receive, leaving):
        await tell(receive, leaving)
        told.append(leaving.done())

    monkeypatch.setattr(application, "_tell", noted)
    with long_write(filed.server):
        begun = send_write(filed.server, "begun")
        until(lambda: under_way(filed.server) == 1)
        waiting = send_write(filed.server, "waiting")
        until(lambda: under_way(filed.server) == 2)
        waiting.close()
        until(lambda: under_way(filed.server) == 1)
        begun.close()
        until(lambda: told == [True, True])
    until(lambda: under_way(filed.server) == 0)
    assert not {"begun", "waiting"} & tags(filed)


def test_a_long_write_stops_when_its_client_leaves_and_nothing_of_it_is_stored(filed):
    seeds = [{"type": "FILE", "fullpath": f"/left/{number}"} for number in range(8000)]
    left = send_write(filed.server, "left", "/annotations/create", type="COMMENT", anchors=seeds)
    until(lambda: under_way(filed.server) == 1)
    left.close()
    until(lambda: under_way(filed.server) == 0)
    assert filed.get("/anchors")["iterable"] == filed.get("/annotations")["iterable"] == []


def test_only_requests_that_wait_as_writes_write(filed, monkeypatch):
    written = []

    def write():
        written.append(path)
        raise RequestError(500, "This route writes.")

    monkeypatch.setattr(filed.server._store, "write", write)
    workload = Workload.within(filed.server.settings)
    values = {kind.parameter: "x" for kind in KINDS.values()}
    for method, path, endpoint in http_routes():
        if endpoint.queue(workload) is not workload.writes:
            filled = path
            for name in {part[1:-1] for part in path.split("/") if part.startswith("{")}:
                filled = filled.replace(f"{{{name}}}", values.get(name, "x"))
            filed.http.request(method, filed.server.url + filled, json={} if method == "POST" else None, timeout=10)
    assert written == []
    path = "/tags/create"
    assert filed.status("POST", path, {"text": "t"}) == 500
    assert written == [path]


def test_a_failed_turn_leaves_the_queue_as_it_was(filed):
    for _ in range(20):
        assert filed.status("POST", "/tags/create", {"text": 1}) == 400
        assert filed.status("GET", "/asset/none") == 410
    assert filed.status("POST", "/tags/create", {"text": "after"}) == 200


async def reached(condition):
    while not condition():  # noqa: ASYNC110 each turn of the loop matters here
        await asyncio.sleep(0)


def test_a_turn_that_comes_as_its_request_is_cancelled_is_given_back():
    async def scenario():
        queue = WorkQueue(1, HeldBytes(1), timeout_s=10)
        release = threading.Event()
        first = asyncio.ensure_future(queue.run(release.wait))
        await reached(queue._free.locked)
        leaving = asyncio.get_running_loop().create_future()
        second = asyncio.ensure_future(queue.run(lambda: None, leaving=leaving))
        await reached(lambda: queue._free._waiters)
        release.set()
        await first
        # The turn has come, and its waiter is still to hear of it.
        await reached(queue._free.locked)
        second.cancel()
        with pytest.raises(asyncio.CancelledError):
            await second
        await asyncio.sleep(0)
        return queue.is_free()

    assert asyncio.run(scenario())
