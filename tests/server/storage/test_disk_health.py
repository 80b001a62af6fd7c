"""A disk that is full or fails, a file that is damaged, locked, gone or replaced: it is said, and no write is lost."""

import json
import os
import shutil
import sqlite3
import struct
import subprocess
import sys
import threading
from contextlib import ExitStack, closing, contextmanager

import pytest
import requests
from websockets.exceptions import ConnectionClosed

import pieces_orm
from pieces_orm.errors import NotRunningError
from pieces_orm.server import Server
from pieces_orm.server.request_errors import RequestError
from pieces_orm.server.storage import database, disk_health
from pieces_orm.wire.kinds import KINDS
from tests.server.support import Wire, ids, program, stream

fcntl = pytest.importorskip("fcntl")
resource = pytest.importorskip("resource")

pytestmark = pytest.mark.skipif(os.name != "posix", reason="disks and limits as POSIX has them")
HEALTH = "/.well-known/health"
# `pieces-orm`, for which a disk works again at the first write that succeeds.
SERVE_AT_ONCE = """
    from pieces_orm.cli.main import main
    from pieces_orm.server.storage import disk_health
    disk_health.STEADY_S = 0
    main()
"""


@pytest.fixture
def lines():
    """The log of a server."""
    return []


@pytest.fixture
def server(tmp_path, lines):
    (tmp_path / "folder").mkdir()
    with Server(tmp_path / "folder" / "db", log=lines.append) as server:
        yield server


@pytest.fixture
def at_once(monkeypatch):
    """Take a disk for healthy at the first write that succeeds."""
    monkeypatch.setattr(disk_health, "STEADY_S", 0)


def problems(lines):
    return [line["problem"] for line in map(json.loads, lines) if "problem" in line]


def says(wire, status, words):
    """Check that a write and health answer the same failure, and that it is told of once."""
    answer = wire.ask("POST", "/tags/create", {"text": "lost"})
    assert (answer.status_code, words in answer.text) == (status, True), answer.text
    health = wire.ask("GET", HEALTH)
    assert (health.status_code, words in health.text) == (status, True), health.text


@contextmanager
def small_disk(folder, size):
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", folder]
    if subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("this account may not mount")
    try:
        yield folder
    finally:
        subprocess.run(["umount", folder], check=True)


def test_a_full_disk_is_507_until_there_is_room_and_reads_go_on(tmp_path, lines, monkeypatch):
    with small_disk(tmp_path / "disk", "2m") as disk:
        filler = disk / "filler"
        with Server(disk / "db", log=lines.append) as server, pieces_orm.connect(server.url) as session:
            wire = Wire(server)
            tag = session.tags.create("kept")
            filler.write_bytes(bytes(os.statvfs(disk).f_bavail * 4096))
            says(wire, 507, "the disk is full. Free some space")
            with pytest.raises(pieces_orm.ServerError, match=r"the disk is full\. Free some space"):
                session.assets.create("x" * 10_000)
            assert ids(wire.get("/tags")) == [tag.id]
            assert len(problems(lines)) == 1
            filler.unlink()
            assert wire.ask("GET", HEALTH).status_code == 507, "one write that succeeds does not show much"
            monkeypatch.setattr(disk_health, "STEADY_S", 0)
            assert wire.ask("GET", HEALTH).ok, "it finds out by itself"
            assert "can be written again" in problems(lines)[1]
            filler.write_bytes(bytes(os.statvfs(disk).f_bavail * 4096))
            monkeypatch.setattr(disk_health, "STEADY_S", 60)
            says(wire, 507, "the disk is full")
            filler.unlink()
            monkeypatch.setattr(disk_health, "STEADY_S", 0)
            assert wire.ask("POST", "/tags/create", {"text": "u"}).ok
            assert wire.ask("GET", HEALTH).ok
        # The log was played into the file when it was closed.
        filler.write_bytes(bytes(os.statvfs(disk).f_bavail * 4096))
        with pytest.raises(NotRunningError, match=r"new cannot be opened: the disk is full .*Free some space"):
            Server(disk / "new").start()
        filler.unlink()
        with Server(disk / "db") as server:
            assert len(ids(Wire(server).get("/tags"))) == 2


def test_a_disk_on_which_only_small_writes_succeed_is_not_said_to_work(tmp_path, lines, monkeypatch):
    with small_disk(tmp_path / "disk", "2m") as disk, Server(disk / "db", log=lines.append) as server:
        wire = Wire(server)
        (disk / "filler").write_bytes(bytes(os.statvfs(disk).f_bavail * 4096 - 200_000))
        large, small = wire.asset_seed({"string": {"raw": "x" * 1_000_000}}), {"text": "t"}
        for _ in range(2):
            assert wire.ask("POST", "/assets/create", large).status_code == 507
            assert wire.ask("POST", "/tags/create", small).ok
            assert wire.ask("GET", HEALTH).status_code == 507
        assert len(problems(lines)) == 1
        monkeypatch.setattr(disk_health, "STEADY_S", 0)  # as if it had worked for that long
        assert wire.ask("POST", "/tags/create", small).ok
        assert wire.ask("POST", "/assets/create", large).status_code == 507
        assert ["is full" in line for line in problems(lines)] == [True, False, True], "what holds is said last"


@pytest.mark.skipif(sys.platform != "linux", reason="another process's limits")
def test_an_io_error_is_503_and_a_line_in_the_log_and_on_standard_error(tmp_path):
    path, log = tmp_path / "db", tmp_path / "log"
    command = "serve", "--port", "0", "--database", path, "--log", log
    with program(SERVE_AT_ONCE, *command) as running, ExitStack() as stack:
        stack.callback(running.kill)
        url = running.stdout.readline().split()[-1]
        # A write beyond the limit is an I/O error; a page of the database is larger.
        limits = resource.prlimit(running.pid, resource.RLIMIT_FSIZE)
        resource.prlimit(running.pid, resource.RLIMIT_FSIZE, (4000, limits[1]))
        answer = requests.post(f"{url}/tags/create", json={"text": "t" * 9000}, timeout=10)
        assert answer.status_code == 503
        assert answer.text.startswith(
            "The server's database cannot be used: the disk fails (I/O error). Check the disk"
        )
        assert requests.get(url + HEALTH, timeout=10).status_code == 503
        resource.prlimit(running.pid, resource.RLIMIT_FSIZE, limits)
        assert requests.get(url + HEALTH, timeout=10).ok
        running.terminate()
        _, errors = running.communicate(timeout=10)
    said = errors.splitlines()
    assert said == [
        f"pieces-orm: {answer.text} ({path})", f"pieces-orm: The database {path} can be written again.",
    ]  # fmt: skip
    assert [f"pieces-orm: {problem}" for problem in problems(log.read_text().splitlines())] == said


def damage(path, whole, page):
    path.write_bytes(whole[: (page - 1) * 4096] + b"\xff" * 4096 + whole[page * 4096 :])


def test_a_damaged_page_is_503_and_at_start_a_sentence(tmp_path):
    path = tmp_path / "db"
    with Server(path) as server:
        for _ in range(8):
            Wire(server).make_asset("x" * 9000)
    whole = path.read_bytes()
    with closing(sqlite3.connect(path)) as opened:
        (root,) = opened.execute("SELECT rootpage FROM sqlite_master WHERE name = 'material'").fetchone()
    damage(path, whole, root)
    with pytest.raises(NotRunningError, match=r"the file is damaged \(.*malformed\)\. Stop the server"):
        Server(path).start()
    with path.open() as file:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)  # a server that did not start keeps nobody out
    kind, *_, last_child = struct.unpack(">BHHHBI", whole[(root - 1) * 4096 :][:12])
    assert kind == 5, "the table has several pages"
    damage(path, whole, last_child)
    with Server(path) as server, stream(server, "/assets/stream") as opened:
        wire = Wire(server)
        answer = wire.ask("GET", "/assets")
        assert (answer.status_code, "the file is damaged. Stop the server" in answer.text) == (503, True)
        assert wire.ask("GET", HEALTH).text == answer.text
        with pytest.raises(ConnectionClosed) as closed:
            opened.recv(timeout=10)
        assert (closed.value.rcvd.code, closed.value.rcvd.reason) == (1013, answer.text[:123])


def test_a_locked_database_is_503_until_it_is_free(server, lines, monkeypatch, at_once):
    monkeypatch.setattr(database, "_BUSY_TIMEOUT_MS", 50)
    server.restart()
    wire = Wire(server)
    with closing(sqlite3.connect(server._store.path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        says(wire, 503, "another program keeps it locked. Stop that program")
        assert wire.get("/tags")["iterable"] == []
    assert wire.ask("GET", HEALTH).ok
    assert len(problems(lines)) == 2


def test_a_write_waits_for_another_program_that_holds_the_lock_for_a_while(server):
    wire = Wire(server)
    with closing(sqlite3.connect(server._store.path, isolation_level=None, check_same_thread=False)) as other:
        other.execute("BEGIN IMMEDIATE")
        release = threading.Timer(0.3, other.execute, ["ROLLBACK"])
        release.start()
        # It reads before it writes.
        wire.make_asset("x", tags=[{"text": "t"}])
        release.join()
    assert wire.ask("GET", HEALTH).ok


def replace(path):
    copy = path.with_name("copy")
    shutil.copy(path, copy)
    copy.replace(path)


# Accidents of a database that is open, and the words of the server then; done by name, as descriptors cost locks.
EVENTS = {
    "deleted": (lambda path: path.unlink(), "database file is gone"),
    "its folder deleted": (lambda path: shutil.rmtree(path.parent), "database file is gone"),
    "its folder moved": (lambda path: path.parent.rename(path.parent.with_name("moved")), "database file is gone"),
    "replaced": (replace, "database file was replaced by another one"),
    "truncated": (lambda path: os.truncate(path, 4096), "database was truncated"),
    "emptied": (lambda path: os.truncate(path, 0), "database was truncated"),
    "its log deleted": (lambda path: path.with_name("db-wal").unlink(), "database log (-wal) is gone"),
    "its lock deleted": (lambda path: path.with_name("db.lock").unlink(), "database lock is gone"),
}


@pytest.mark.parametrize("event", EVENTS)
def test_a_file_that_is_gone_or_replaced_ends_all_writes_with_a_sentence(server, lines, event):
    wire, (happen, words) = Wire(server), EVENTS[event]
    tag = wire.make(KINDS["tag"])["id"]
    server.restart()  # so that the tag is in the file itself, and not in its log
    happen(server._store.path)
    says(wire, 503, words)
    remedy = "Restart the server on a backup" if "truncated" in words else "Put it back, and the server goes on"
    says(wire, 503, f"nothing more is stored. {remedy}")
    assert len(problems(lines)) == 1
    read = wire.ask("GET", "/tags")
    assert read.status_code == 503 if event in {"truncated", "emptied"} else ids(read.json()) == [tag]


def test_a_disk_that_comes_back_is_written_again(server, lines):
    wire, path = Wire(server), server._store.path
    path.parent.rename(path.parent.with_name("away"))
    says(wire, 503, "database file is gone")
    with pytest.raises(NotRunningError, match=r"^The server at \S+ cannot work: The server's database file is gone"):
        pieces_orm.connect(server.url)
    path.parent.with_name("away").rename(path.parent)
    assert wire.ask("GET", HEALTH).ok
    assert wire.ask("POST", "/tags/create", {"text": "t"}).ok
    assert "can be written again" in problems(lines)[-1]
    path.parent.rename(path.parent.with_name("away"))
    says(wire, 503, "database file is gone")
    assert ["gone" in line for line in problems(lines)] == [True, False, True], "each time is said"


def test_new_connections_never_open_a_file_that_took_the_place_of_the_database(server):
    wire, path = Wire(server), server._store.path
    tag = wire.make(KINDS["tag"])["id"]
    path.unlink()
    with Server(path.with_name("other")) as other:
        Wire(other).make(KINDS["tag"])
    path.with_name("other").rename(path)
    with (
        server._store.read() as first,
        pytest.raises(RequestError, match="was replaced by another one"),
        ExitStack() as stack,
    ):
        assert first.ids("tag") == [tag]
        while True:
            assert stack.enter_context(server._store.read()).ids("tag") == [tag]


def test_another_program_may_make_the_file_smaller_in_sqlites_way(server, lines):
    wire, path = Wire(server), server._store.path
    for _ in range(3):
        wire.delete(KINDS["asset"], wire.make_asset("x" * 100_000)["id"])
    server.restart()
    before = path.stat().st_size
    with closing(sqlite3.connect(path)) as other:
        other.execute("VACUUM")
        other.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    assert path.stat().st_size < before
    wire.make(KINDS["tag"])
    assert wire.ask("GET", HEALTH).ok
    assert problems(lines) == []
