"""What hostile input does: nothing. The server refuses it or takes it for what it is, and lives on."""

import json
import socket
from contextlib import suppress
from urllib.parse import quote

import pytest
import urllib3

from pieces_orm.server import Server, Settings
from pieces_orm.server.app.routes import http_routes, stream_routes
from pieces_orm.wire.kinds import KINDS
from tests.server.support import Wire, operation

NASTY = (
    "' OR 1=1 --", "'; DROP TABLE material; --", '"', "\\", "%' UNION SELECT document FROM material --", "%_%", "\0",
    "* OR tide", 'tide" OR "x', "NEAR(tide x, 2)", "title:tide", "tide*", "^tide", "-tide", "(((", "{title} : x",
    "AND", "NOT", "tide AND", "$(reboot)", "../../etc/passwd", "\u202e\ud7ff\U0010ffff", "a" * 5000, "1e999", "-1", "٣",
    ",,,", "NaN", "null", "[]",
)  # fmt: skip
BROKEN = "Internal Server Error"
DEEP = 100_000
POST = b"POST /tags/create HTTP/1.1\r\nHost: localhost\r\n"


@pytest.fixture(scope="module")
def filled(tmp_path_factory):
    """A database with one of everything."""
    with Server(tmp_path_factory.mktemp("security") / "db") as server:
        wire = Wire(server)
        wire.made = {name: wire.make(kind)["id"] for name, kind in KINDS.items()}
        yield wire


@pytest.fixture(autouse=True)
def _alive_and_unchanged(request):
    """After each test: the server answers, and what it had is what it has."""
    if "filled" not in request.fixturenames:
        yield
        return
    wire = request.getfixturevalue("filled")
    before = contents(wire)
    yield
    assert wire.ask("GET", "/.well-known/health").text.startswith("ok")
    assert contents(wire) == before


def contents(wire):
    with wire.server._store.read() as reader:
        execute = reader.connection.exec_driver_sql
        tables = sorted(execute("SELECT name FROM sqlite_master").scalars().all())
        return tables, [execute(f"SELECT * FROM {name} ORDER BY seq").all() for name in ("material", "edge", "change")]


def ask(wire, method, path, body=None, **headers):
    """A request whose path is sent as it is spelled here."""
    pool = wire.pool = getattr(wire, "pool", None) or urllib3.HTTPConnectionPool("127.0.0.1", wire.server.port)
    return pool.urlopen(method, path, body=body, headers=headers, assert_same_host=False, retries=False, timeout=20)


def raw(wire, data):
    """Bytes on a connection of their own, and what comes back until it is closed."""
    with socket.create_connection(("127.0.0.1", wire.server.port), timeout=20) as connection:
        with suppress(OSError):  # it may be closed before all is sent
            connection.sendall(data)
        answer = b""
        with suppress(OSError):
            while part := connection.recv(65536):
                answer += part
        return answer


def text_parameters(method, path):
    found = operation(method.lower(), path) or {}
    return [one["name"] for one in found.get("parameters", ()) if one["in"] == "query"]


def queries():
    """Every query parameter of every route that reads."""
    for method, path, _ in http_routes():
        if method == "GET":
            for name in text_parameters(method, path):
                yield path, name


def concrete(wire, path):
    for name, id in {**wire.made, "message": wire.made["conversation_message"], "id": wire.made["asset"]}.items():
        path = path.replace(f"{{{name}}}", id)
    return path


def test_every_query_parameter_takes_metacharacters_for_what_they_are(filled):
    parameters = sorted(set(queries()))
    assert len({path for path, _ in parameters}) > 40
    for number, (path, name) in enumerate(parameters):
        # All of them at the parameters that are searched; two of them at the others, another two at each.
        searched = name in {"query", "searchable_tags", "text", "value", "limit", "offset"} and "search" in path
        chosen = NASTY if searched else (NASTY[number % len(NASTY)], NASTY[(number + 7) % len(NASTY)])
        for nasty in chosen:
            answer = ask(filled, "GET", f"{concrete(filled, path)}?{name}={quote(nasty)}")
            assert answer.data.decode() != BROKEN, (path, name, nasty)
            assert answer.status < 600


def test_every_path_parameter_takes_metacharacters_for_an_unknown_id(filled):
    for number, (method, path, _) in enumerate(http_routes()):
        if method == "GET" and "{" in path:
            for shift in (0, 7, 13):
                nasty = quote(NASTY[(number + shift) % len(NASTY)], safe="")
                spelled = "/".join(nasty if part.startswith("{") else part for part in path.split("/"))
                answer = ask(filled, "GET", spelled)
                assert answer.data.decode() != BROKEN, spelled


@pytest.mark.parametrize("nasty", NASTY, ids=range(len(NASTY)))
def test_search_bodies_take_metacharacters_for_what_they_are(filled, nasty):
    bodies = [
        {"query": nasty},
        {"query": nasty, "filters": {"iterable": [{"tags": [nasty]}, {"phrase": {"value": nasty}}]}},
        {"query": nasty, "casing": nasty, "space": {"iterable": [{"id": nasty}]}},
        {"query": "tide", "filters": {"iterable": [{"title": nasty}, {"created": {"from": {"value": nasty}}}]}},
        {"value": nasty}, {"text": nasty, "iterable": [nasty]},
    ]  # fmt: skip
    for path in ("/assets/search", "/tags/exists", "/websites/exists", "/tags/search", "/persons/search"):
        for body in bodies:
            answer = filled.http.post(filled.server.url + path, json=body, timeout=20)
            assert answer.text != BROKEN, (path, body)


@pytest.mark.parametrize("nasty", [one for one in NASTY if one != "\0"])
def test_what_is_written_with_metacharacters_is_read_back_the_same(shared, nasty):
    tag = shared.post("/tags/create", {"text": nasty})
    assert shared.read(KINDS["tag"], tag["id"])["text"] == nasty
    asset = shared.make_asset(nasty, name=nasty)
    read = shared.read(KINDS["asset"], asset["id"])
    assert read["name"] == nasty
    assert read["original"]["reference"]["fragment"]["string"]["raw"] == nasty
    assert shared.ask("GET", f"/assets/search?query={quote(nasty)}").text != BROKEN
    shared.delete(KINDS["asset"], asset["id"])


def nested(opening, closing):
    return (opening * DEEP + closing * DEEP).encode()


@pytest.mark.parametrize("body", [nested("[", "]"), nested('{"a":', "}")[:-DEEP] + b"1" + b"}" * DEEP, b"[" * DEEP])
def test_deep_json_is_a_bad_request_everywhere(filled, body):
    wrapped = b'{"text":"t","iterable":' + body + b"}"
    for path in ("/tags/create", "/assets/create", "/connect", "/assets/search", "/asset/update", "/assets/draft"):
        for sent in (body, wrapped):
            answer = ask(filled, "POST", path, sent)
            assert answer.status == 400, (path, answer.data[:100])
            assert answer.data.endswith(b".")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"\xff\xfe",
        b"null",
        b"[]",
        b'"x"',
        b"1",
        b'{"a":1}{"b":2}',
        b'{"text":"\\ud800"}',
        b"{" + b" " * 9999,
    ],
)
def test_bodies_that_are_no_objects_are_refused(filled, body):
    for path in ("/tags/create", "/assets/create", "/connect"):
        assert 400 <= ask(filled, "POST", path, body).status < 500


def test_a_body_that_is_too_large_is_refused_before_it_is_read(started):
    wire = started(settings=Settings(max_body=10_000))
    assert b" 413 " in raw(wire, POST + b"Content-Length: 99999999999\r\n\r\n")
    chunk = b"1000\r\n" + b"x" * 4096 + b"\r\n"
    assert b" 413 " in raw(wire, POST + b"Transfer-Encoding: chunked\r\n\r\n" + chunk * 4)
    assert wire.get("/tags")["iterable"] == []


@pytest.mark.parametrize(
    "path",
    [
        "/assets/%2e%2e", "/assets/%2e%2e%2f%2e%2e%2fetc%2fpasswd", "/%2e%2e/%2e%2e/etc/passwd", "/../../etc/passwd",
        "/assets/%00", "/assets/x%00y", "/asset/%2fupdate", "/tags/x%2Fdelete", "/assets//", "//evil.example/assets",
        "/" + "a/" * 5000, "/assets/" + "x" * 10_000, "/asset/%", "/asset/%zz", "/asset/%c0%af", "/asset/;/x",
        "/asset/%5c..",
        "/assets%2Fcreate", "/%61ssets/create",
    ],
)  # fmt: skip
@pytest.mark.parametrize("method", ["GET", "POST", "HEAD", "PUT", "TRACE"])
def test_tricks_with_paths_lead_nowhere(filled, method, path):
    answer = raw(filled, f"{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
    status = int(answer.split()[1])
    # 500 is what Pieces OS answers for deleting or changing what is not there.
    assert 400 <= status <= 500, answer
    assert BROKEN.encode() not in answer
    assert b"root:" not in answer


@pytest.mark.parametrize(
    "request_",
    [
        b"\x00\x01\x02\x03\r\n\r\n", b"GET\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n",
        b"GET http://evil.example/ HTTP/1.1\r\n\r\n",
        b"GET /assets HTTP/1.1\r\n\r\n", b"GET /assets HTTP/1.1\r\nHost: localhost\r\nHost: localhost\r\n\r\n",
        b"GET /assets HTTP/1.1\r\nHost: localhost\r\nX: " + b"y" * 100_000,
        b"GET /assets HTTP/1.1\r\nHost: localhost\r\n" + b"X: y\r\n" * 20_000,
        POST + b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n{}\r\n",
        POST + b"Content-Length: -1\r\n\r\n",
        POST + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\n{}",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"CONNECT evil.example:443 HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
    ],
    ids=range(13),
)  # fmt: skip
def test_malformed_requests_and_floods_of_headers_are_refused(started, request_):
    wire = started(settings=Settings(patience=0.3))
    answer = raw(wire, request_)
    assert answer == b"" or 400 <= int(answer.split()[1]) < 500, answer[:200]
    assert wire.get("/tags")["iterable"] == []


def test_foreign_hosts_and_origins_open_no_stream(filled):
    upgrade = "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
    upgrade += "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
    for path, _ in stream_routes():
        for headers, status in (
            ("Host: evil.example\r\n", 421),
            ("Host: localhost\r\nOrigin: https://evil.example\r\n", 403),
            ("Host: localhost\r\nOrigin: null\r\n", 403),
        ):
            answer = raw(filled, f"GET {path} HTTP/1.1\r\n{headers}{upgrade}\r\n".encode())
            assert answer.startswith(f"HTTP/1.1 {status} ".encode())


def test_foreign_origins_write_nothing(filled):
    body = json.dumps({"text": "t"})
    for headers in ({"Origin": "https://evil.example"}, {"Origin": "null"}, {"Host": "evil.example"}):
        # A page may send text/plain without asking first.
        answer = ask(
            filled, "POST", "/tags/create", body, **{"Host": "localhost", **headers, "Content-Type": "text/plain"}
        )
        assert answer.status in {403, 421}
        assert "access-control-allow-origin" not in answer.headers
