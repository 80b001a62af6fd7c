"""A server that only reads."""

import pytest

from pieces_orm.server import Server, Settings
from pieces_orm.server.app.routes import http_routes
from pieces_orm.wire.kinds import KINDS
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
