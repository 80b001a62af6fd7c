"""Starting, stopping, and what survives."""

import os
import signal
import socket
import sqlite3
import stat
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, suppress

import pytest
import requests
from websockets.exceptions import ConnectionClosed

from pieces_orm.errors import NotRunningError
from pieces_orm.server import Server, Settings
from pieces_orm.wire.kinds import KINDS
from tests.server.hammer import serving
from tests.server.support import SERVE, Wire, frame, ids, program, stream, until


@pytest.mark.xdist_group("machine")
def test_a_server_is_ready_in_under_a_third_of_a_second():
    Server().start()  # imports are warm now; this one is forgotten on purpose, and must not hang anything
    times = []
    for _ in range(3):
        server = Server()
        begun = time.perf_counter()
        server.start()
        times.append(time.perf_counter() - begun)
        assert requests.get(server.url + "/.well-known/health", timeout=5).ok
        server.stop()
    assert min(times) < 0.3


def test_a_write_that_was_answered_survives_a_kill(tmp_path):
    running = program(SERVE, tmp_path / "db")
    url = running.stdout.readline().strip()
    answered, errors = [], []

    def write():
        try:
            while True:
                answered.append(requests.post(url + "/tags/create", json={"text": "t"}, timeout=5).json()["id"])
        except (requests.RequestException, ValueError) as error:
            errors.append(error)

    writers = [threading.Thread(target=write) for _ in range(4)]
    for writer in writers:
        writer.start()
    until(lambda: len(answered) > 50)
    running.send_signal(signal.SIGKILL)
    running.communicate()
    for writer in writers:
        writer.join()
    with Server(tmp_path / "db") as server:
        assert set(answered) <= set(ids(Wire(server).get("/tags")))
        assert requests.get(server.url + "/.well-known/health", timeout=5).ok


def test_a_database_keeps_its_data_and_its_identity(tmp_path):
    with Server(tmp_path / "db") as server:
        wire = Wire(server)
        asset = wire.make_asset("x", tags=[{"text": "tides"}])
        application, health = wire.connect(), wire.ask("GET", "/.well-known/health").text
    with Server(tmp_path / "db") as server:
        wire = Wire(server)
        assert wire.read(KINDS["asset"], asset["id"]) == asset
        assert wire.connect() == application
        assert wire.ask("GET", "/.well-known/health").text == health
        assert len(wire.get("/assets/search?query=tides")["iterable"]) == 1
    with closing(sqlite3.connect(tmp_path / "db")) as database:
        assert database.execute("PRAGMA journal_mode").fetchone() == ("wal",)


@pytest.mark.skipif(os.name != "posix", reason="Windows has other permissions")
def test_the_database_is_readable_by_its_owner_only(tmp_path):
    with Server(tmp_path / "db") as server:
        Wire(server).make(KINDS["tag"])
        for file in tmp_path.iterdir():
            assert stat.S_IMODE(file.stat().st_mode) == 0o600, file


def test_memory_is_gone_with_the_server():
    with Server() as server:
        Wire(server).make(KINDS["tag"])
    with Server() as server:
        assert Wire(server).get("/tags")["iterable"] == []


def test_a_taken_port_and_an_impossible_file_are_clear_errors(shared, tmp_path):
    with pytest.raises(NotRunningError, match=f"port {shared.server.port}.*another port"):
        Server(port=shared.server.port).start()
    if sys.platform == "linux":
        with pytest.raises(NotRunningError, match=r"Choose another address: this machine does not have this one\."):
            Server(host="192.0.2.1", settings=Settings(token="secret")).start()
    with pytest.raises(NotRunningError, match=r"the folder .*no does not exist\. Create it, or"):
        Server(tmp_path / "no" / "db").start()
    (tmp_path / "text").write_text("not a database, but long enough to be read as one " * 50)
    for path in (tmp_path, tmp_path / "no" / "folder", tmp_path / "text"):
        with pytest.raises(NotRunningError, match="cannot be opened"):
            Server(path).start()


def test_of_several_ports_the_first_free_one_is_taken(shared):
    with Server() as free:
        port = free.port
    taken = shared.server.port
    with Server(port=[taken, port]) as server:
        assert server.port == port
        with pytest.raises(NotRunningError, match=f"ports {taken} to {port}: Address already in use"):
            Server(port=[taken, port]).start()
        server.restart()
        assert server.port == port


def test_stopping_is_idempotent_and_frees_the_port():
    server = Server()
    server.stop()
    server.start()
    server.start()
    port = server.port
    server.stop()
    server.stop()
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind(("127.0.0.1", port))


def test_requests_under_way_finish_and_streams_close_when_the_server_stops():
    server = Server()
    server.start()
    wire = Wire(server)
    server.faults.delay(0.3, path="/tags/create")
    with (
        ThreadPoolExecutor() as pool,
        stream(server, "/tags/stream/identifiers") as socket,
        stream(server, "/user/stream") as user,
    ):
        frame(socket), frame(user)
        slow = pool.submit(wire.post, "/tags/create", {"text": "t"})
        until(lambda: not server.faults._planned)
        begun = time.monotonic()
        server.stop()
        assert time.monotonic() - begun < 2
        assert slow.result()["text"] == "t"
        for one in (socket, user):
            with pytest.raises(ConnectionClosed):
                while True:
                    one.recv(timeout=5)


@pytest.mark.parametrize("in_memory", [True, False])
def test_a_restart_keeps_data_on_the_same_or_another_port(tmp_path, in_memory):
    with Server(None if in_memory else tmp_path / "db") as server:
        wire, port = Wire(server), server.port
        tag = wire.make(KINDS["tag"])
        server.restart()
        assert server.port == port
        assert wire.read(KINDS["tag"], tag["id"]) == tag
        server.restart(port=0)
        assert server.port != port
        assert wire.read(KINDS["tag"], tag["id"]) == tag


def test_a_forgotten_server_does_not_hang_the_program(tmp_path):
    code = """
        import sys, requests
        from websockets.sync.client import connect
        from pieces_orm.server import Server
        server = Server(sys.argv[1])
        server.start()
        requests.post(server.url + "/tags/create", json={"text": "t"}, timeout=5).raise_for_status()
        print("done")
    """
    out, err = (running := program(code, tmp_path / "db")).communicate(timeout=20)
    assert (running.returncode, out, err) == (0, "done\n", "")


@pytest.mark.skipif(os.name != "posix", reason="signals")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_server_in_the_foreground_stops_cleanly_on_a_signal(tmp_path, number):
    with serving(tmp_path / "db") as (running, url):
        assert requests.get(f"{url}/.well-known/health", timeout=10).ok
        running.send_signal(number)
        _, errors = running.communicate(timeout=10)
    assert (running.returncode, errors) == (0, "")
    assert not (tmp_path / "db-wal").exists(), "the database was closed"


def test_many_threads_write_and_read_at_once(tmp_path):
    with Server(tmp_path / "db") as server:
        wires = [Wire(server) for _ in range(8)]
        anchor = wires[0].make(KINDS["anchor"])["id"]

        def work(wire):
            for _ in range(10):
                tag = wire.make(KINDS["tag"])["id"]
                wire.post(f"/anchor/{anchor}/tags/associate/{tag}")
                seen = wire.read(KINDS["anchor"], anchor)["tags"]
                assert tag in ids(seen)
                assert seen["indices"] == {id: position for position, id in enumerate(ids(seen))}

        with ThreadPoolExecutor(8) as pool:
            list(pool.map(work, wires))
        assert len(ids(wires[0].read(KINDS["anchor"], anchor)["tags"])) == 80


def test_a_snapshot_is_one_state_whatever_is_written_meanwhile(tmp_path):
    with Server(tmp_path / "db") as server:
        writer, reader = Wire(server), Wire(server)
        stop = threading.Event()

        def work():
            while not stop.is_set():
                asset = writer.make_asset("x", tags=[{"text": "t"}, {"text": "u"}])
                writer.delete(KINDS["asset"], asset["id"])

        worker = threading.Thread(target=work)
        worker.start()
        try:
            for _ in range(20):
                for asset in reader.get("/assets")["iterable"]:
                    assert len(asset["tags"]["iterable"]) == 2
                    assert asset["formats"]["iterable"][0]["asset"]["id"] == asset["id"]
        finally:
            stop.set()
            worker.join()


def test_an_unexpected_error_is_500_and_never_a_traceback(wire, monkeypatch, caplog):
    monkeypatch.setattr(server_store(wire), "read", broken)
    answer = wire.ask("GET", "/tags")
    assert (answer.status_code, answer.text) == (500, "Internal Server Error")
    assert "broken on purpose" in caplog.text


def server_store(wire):
    return wire.server._store


def broken():
    raise RuntimeError("broken on purpose")


def test_settings_are_said():
    with Server(settings=Settings(version="11.9.9")) as server:
        assert Wire(server).ask("GET", "/.well-known/version").text == "11.9.9"
        head = requests.head(server.url + "/.well-known/health", timeout=5)
        assert (head.status_code, head.text) == (200, "")


def test_connections_that_come_while_a_server_stops_are_closed_and_not_waited_for():
    opened, stop = [], threading.Event()

    def knock(port):
        while not stop.wait(0.001):
            with suppress(OSError):
                opened.append(socket.create_connection(("127.0.0.1", port), timeout=5))

    with Server() as server, ExitStack() as stack:
        thread = threading.Thread(target=knock, args=(server.port,))
        thread.start()
        for _ in range(5):
            begun = time.monotonic()
            server.restart()
            assert time.monotonic() - begun < 3
        stop.set()
        thread.join()
        for each in opened:
            stack.enter_context(closing(each))
        server.stop()
        for each in opened:
            with suppress(ConnectionResetError):
                assert each.recv(1) == b""
