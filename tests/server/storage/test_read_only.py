"""A server that only reads."""

import os
import subprocess
from contextlib import contextmanager, nullcontext

import pytest

from pieces_orm.errors import NotRunningError
from pieces_orm.server import Server, Settings
from pieces_orm.server.app.routes import http_routes
from pieces_orm.wire.kinds import KINDS
from tests.cli.programs import run
from tests.server.support import MODEL, Wire, frame, ids, stream


@pytest.fixture
def kept(tmp_path):
    """A database with one of everything that can be made, served read-only."""
    path = tmp_path / "db"
    with Server(path) as server:
        made = {name: Wire(server).make(kind)["id"] for name, kind in KINDS.items()}
    with Server(path, settings=Settings(read_only=True)) as server:
        yield Wire(server), made


def contents(wire):
    with wire.server._store.read() as reader:
        return [
            reader.connection.exec_driver_sql(f"SELECT * FROM {table} ORDER BY seq").all()
            for table in ("material", "edge", "change")
        ]


def test_a_read_only_server_refuses_every_write_with_a_sentence(kept):
    wire, made = kept
    asset = made["asset"]
    for path, body in (
        ("/tags/create", {"text": "t"}),
        ("/assets/create", wire.asset_seed({"string": {"raw": "x"}})),
        (f"/assets/{asset}/delete", None),
        (f"/asset/{asset}/tags/associate/{made['tag']}", None),
        ("/tag/update", {**wire.read(KINDS["tag"], made["tag"]), "text": "other"}),
        ("/format/update/value", wire.read(KINDS["format"], made["format"])),
    ):
        answer = wire.ask("POST", path, body)
        assert (answer.status_code, answer.text[:25]) == (403, "This server is read-only:"), path


def test_no_route_writes_on_a_read_only_server(kept):
    wire, made = kept
    before = contents(wire)
    named = {**made, "message": made["conversation_message"], "point": made["anchor_point"]}
    refused = 0
    for method, path, _ in http_routes():
        if method == "POST":
            concrete = path
            for name, id in named.items():
                concrete = concrete.replace(f"{{{name}}}", id)
            for body in ({}, {"model": MODEL, "id": "x", "text": "t"}):
                answer = wire.http.post(wire.server.url + concrete, json=body, timeout=10)
                refused += answer.status_code == 403
                assert answer.text != "Internal Server Error", path
    assert contents(wire) == before
    assert refused > 50


def test_a_read_only_server_reads_searches_and_streams(kept):
    wire, made = kept
    assert ids(wire.get("/assets")).count(made["asset"]) == 1
    assert wire.get("/assets/search?query=tide")["iterable"]
    assert made["asset"] in str(wire.post("/assets/search", {"query": "tide"}))
    assert made["tag"] in str(wire.post("/tags/exists", {"value": "tides"}))
    with stream(wire.server, "/assets/stream/identifiers") as opened:
        assert made["asset"] in {item["asset"]["id"] for item in frame(opened)["iterable"]}


def test_programs_connect_to_a_read_only_server_and_leave_nothing(kept):
    wire, _ = kept
    before = contents(wire)
    seed = {"name": "OBSIDIAN", "version": "1", "platform": "LINUX"}
    assert wire.post("/connect", {"application": seed})["application"]["name"] == "OBSIDIAN"
    assert contents(wire) == before


def test_drafts_work_on_a_read_only_server(kept):
    wire, _ = kept
    assert wire.post("/assets/draft", wire.asset_seed({"string": {"raw": "x = 1"}}))


def contents_of(folder):
    return {file.name: (file.read_bytes(), file.stat().st_mtime_ns) for file in folder.iterdir()}


@contextmanager
def write_protected(folder):
    """A folder in which nothing can be written: by the mount where this account may mount, else by permissions."""
    bind = ["mount", "--bind", folder, folder]
    mounted = subprocess.run(bind, capture_output=True, check=False).returncode == 0
    if mounted:
        subprocess.run(["mount", "-o", "remount,ro,bind", folder], check=True)
    else:
        folder.chmod(0o500)
    try:
        yield
    finally:
        if mounted:
            subprocess.run(["umount", folder], check=True)
        else:
            folder.chmod(0o700)


@pytest.mark.skipif(os.name != "posix", reason="mounts and permissions of POSIX")
def test_a_read_only_server_serves_what_cannot_be_written_and_writes_nothing_beside_it(tmp_path):
    folder, settings = tmp_path / "folder", Settings(read_only=True)
    folder.mkdir()
    with Server(folder / "db") as server:
        asset = Wire(server).make_asset("high water")["id"]
    (folder / "db").chmod(0o400)
    before = contents_of(folder)
    for protected in (nullcontext(), write_protected(folder)):
        with protected:
            with Server(folder / "db", settings=settings) as server:
                assert Wire(server).get("/assets/search?query=water")["iterable"][0]["identifier"] == asset
                assert Wire(server).ask("GET", "/.well-known/health").ok
            assert contents_of(folder) == before
            assert run("backup", tmp_path / "copy", "--database", folder / "db", "--force").returncode == 0
            assert contents_of(folder).keys() == before.keys()
    with write_protected(folder), pytest.raises(NotRunningError, match=r"Read-only file system|Permission denied"):
        Server(folder / "db").start()


@pytest.mark.skipif(os.name != "posix", reason="copies of files that are open")
def test_a_read_only_server_reads_the_log_that_a_killed_server_has_left_and_keeps_it(tmp_path):
    left, settings = tmp_path / "left", Settings(read_only=True)
    left.mkdir()
    with Server(tmp_path / "db") as server:
        tag = Wire(server).make(KINDS["tag"])["id"]
        # Not copied by this process, whose descriptors would cost the server its locks.
        subprocess.run(["cp", *(tmp_path / f"db{end}" for end in ("", "-wal", "-shm")), left], check=True)
    before = contents_of(left)
    with Server(left / "db", settings=settings) as server:
        assert ids(Wire(server).get("/tags")) == [tag]
        assert Wire(server).ask("GET", "/.well-known/health").ok
    assert contents_of(left) == before
    (left / "db-shm").unlink()
    with pytest.raises(NotRunningError, match=r"was not closed .* Start a server that may write, once\."):
        Server(left / "db", settings=settings).start()
    with Server(left / "db") as server:
        assert ids(Wire(server).get("/tags")) == [tag]
    with Server(left / "db", settings=settings) as server:
        assert ids(Wire(server).get("/tags")) == [tag]
