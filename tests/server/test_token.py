"""A token that everyone has to show, and a server that only reads."""

import pytest
from websockets.exceptions import InvalidStatus

from pieces_orm.errors import UsageError
from pieces_orm.server import Server, Settings
from pieces_orm.server.app.routes import http_routes
from pieces_orm.wire.kinds import KINDS
from tests.server.support import MODEL, Wire, frame, ids, stream

TOKEN = "s3cret-Token~1"
GOOD = {"Authorization": f"Bearer {TOKEN}"}
WRONG = (
    "", "Bearer", "Bearer ", f"Basic {TOKEN}", TOKEN, f"Bearer {TOKEN}x", f"Bearer {TOKEN[:-1]}",
    f"Bearer {TOKEN.upper()}", "Bearer s3cr\xe9t", f"Bearer {TOKEN} {TOKEN}",
)  # fmt: skip


@pytest.fixture
def guarded(started):
    return started(settings=Settings(token=TOKEN))


def test_without_the_token_everything_is_401_with_a_sentence(guarded):
    for value in (None, *WRONG):
        headers = {} if value is None else {"Authorization": value.encode("latin-1")}
        for method, path in (("GET", "/.well-known/health"), ("POST", "/tags/create"), ("GET", "/nothing")):
            answer = guarded.ask(method, path, {"text": "t"} if method == "POST" else None, headers=headers)
            assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer"), value
            assert answer.text.endswith("`Authorization: Bearer TOKEN`.")
            assert TOKEN not in answer.text
    assert guarded.get("/tags", headers=GOOD)["iterable"] == []


def test_with_the_token_everything_works(guarded):
    guarded.http.headers.update(GOOD)
    tag = guarded.make(KINDS["tag"])
    assert guarded.read(KINDS["tag"], tag["id"]) == tag
    assert guarded.status("GET", "/tags", headers={"Authorization": f"bearer  {TOKEN}"}) == 200


def test_a_stream_needs_the_token_too(guarded):
    for headers in ({}, {"Authorization": "Bearer wrong"}):
        with pytest.raises(InvalidStatus) as refused:
            stream(guarded.server, "/tags/stream/identifiers", additional_headers=headers)
        assert refused.value.response.status_code == 401
        assert b"wants a token" in refused.value.response.body
    with stream(guarded.server, "/tags/stream/identifiers", additional_headers=GOOD) as opened:
        assert frame(opened) == {"iterable": []}


def test_a_page_asks_without_the_token_and_calls_with_it(started):
    origin = "vscode-webview://abc"
    wire = started(settings=Settings(token=TOKEN, allow_origins=(origin,)))
    asked = wire.ask("OPTIONS", "/tags", headers={"Origin": origin})
    assert asked.status_code == 204
    assert "authorization" in asked.headers["access-control-allow-headers"]
    assert wire.status("GET", "/tags", headers={"Origin": origin}) == 401
    assert wire.status("GET", "/tags", headers={"Origin": origin, **GOOD}) == 200
    assert wire.status("OPTIONS", "/tags") == 401
    assert wire.status("GET", "/tags", headers={"Origin": "https://evil.example", **GOOD}) == 403


@pytest.mark.parametrize("token", ["", " ", "a b", "a\n", "é"])
def test_a_token_that_no_header_can_carry_is_refused(token):
    with pytest.raises(UsageError, match="visible ASCII"):
        Settings(token=token)


def test_the_token_is_not_shown():
    assert TOKEN not in repr(Settings(token=TOKEN))


# Read-only ---------------------------------------------------------------------------------------------------------


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
