"""Who may call."""

import socket

import pytest
import requests
from websockets.exceptions import InvalidStatus

from pieces_orm.errors import NotRunningError
from pieces_orm.server import Server, Settings
from pieces_orm.server.asgi.answer_headers import SERVED
from pieces_orm.server.asgi.guard import is_loopback
from tests.server.support import frame, stream


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "localhost:1",
        "[::1]:80",
        "LOCALHOST",
        "127.8.8.8:5",
        "[0:0:0:0:0:0:0:1]",
        "App.LocalHost:",
        "[::1]",
    ],
)
def test_loopback_names_may_call(shared, host):
    assert shared.status("GET", "/.well-known/health", headers={"Host": host}) == 200


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "evil.example:39300",
        "127.0.0.1.evil.example",
        "localhost@evil.example",
        "10.0.0.1",
        "::1x",
        "",
        "[::1]evil.com",
        "[::1%25evil.com]",
        "[::1%evil.com]",
        "[::1",
        "::1]",
        "::1",
        "[127.0.0.1]",
        "[localhost]",
        "[::1]:80evil.com",
        "[::1].evil.com",
        "evil.com[::1]",
        "[::1][::1]",
        "localhost:80:evil.com",
        "localhost:+1",
        "user@localhost",
        "localhost.",
        "127.0.0.1.",
        "localhost..",
        ".localhost",
        "a..localhost",
        "localhost/evil.com",
        "localhost#evil.com",
        "localhost?evil.com",
        "localhost\\evil.com",
        "localhost evil.com",
        "localhost,evil.com",
        "127.1",
        "0x7f000001",
        "2130706433",
        "0177.0.0.1",
        "127.0.0.01",
        "evil.localhost.com",
        "localhost:123456",
        "loc\xe1lhost",
        "localhost%00",
    ],
)
def test_foreign_hosts_are_refused_with_a_sentence(shared, host):
    answer = shared.ask("GET", "/assets", headers={"Host": host})
    assert answer.status_code == 421
    assert answer.text.endswith(".")
    if host:
        with pytest.raises(InvalidStatus):
            stream(shared.server, "/assets/stream/identifiers", additional_headers={"Host": host})


def test_requests_of_other_sites_are_refused_unless_their_origin_is_allowed(shared, started):
    own = shared.server.url
    for site in ("cross-site", "same-site", "SAME-ORIGIN", "of-later", ""):
        headers = {"Sec-Fetch-Site": site}
        answer = shared.ask("GET", "/assets", headers=headers)
        assert (answer.status_code, answer.text[-1]) == (403, "."), site
        assert shared.status("POST", "/tags/create", {"text": "t"}, headers=headers) == 403
        with pytest.raises(InvalidStatus):
            stream(shared.server, "/assets/stream/identifiers", additional_headers=headers)
        # A page of the server's own, under its other name.
        headers["Origin"] = own.replace("127.0.0.1", "localhost")
        assert shared.status("GET", "/assets", headers=headers) == 200
    for site in ("none", "same-origin"):
        assert shared.status("GET", "/assets", headers={"Sec-Fetch-Site": site}) == 200
    named = started(settings=Settings(allow_origins=("https://notes.example",)))
    for origin, status in (("https://notes.example", 200), ("https://evil.example", 403)):
        headers = {"Sec-Fetch-Site": "cross-site", "Origin": origin}
        assert named.status("GET", "/assets", headers=headers) == status
        assert named.status("POST", "/tags/create", {"text": "t"}, headers=headers) == status


def raw_answers(port):
    """The heads of answers of every origin: the server's own, uvicorn's, those of streams, and refused ones."""
    upgrade = "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: {}\r\n"
    upgrade += "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
    requests = {
        200: "GET /assets HTTP/1.1\r\nHost: localhost\r\n",
        204: "OPTIONS /assets HTTP/1.1\r\nHost: localhost\r\nOrigin: http://localhost:%d\r\n" % port,  # noqa: UP031
        101: "GET /tags/stream/identifiers HTTP/1.1\r\nHost: localhost\r\n" + upgrade.format(13),
        400: "GET /tags/stream/identifiers HTTP/1.1\r\nHost: localhost\r\n" + upgrade.format(12),
        4040: "GET /no/stream HTTP/1.1\r\nHost: localhost\r\n" + upgrade.format(13),
        404: "GET /nothing HTTP/1.1\r\nHost: localhost\r\n",
        421: "GET /tags/stream/identifiers HTTP/1.1\r\nHost: evil.example\r\n" + upgrade.format(13),
        4210: "GET /assets HTTP/1.1\r\nHost: evil.example\r\n",
        4000: "GET\r\n",
        408: "GET /assets HTTP/1.1",
        500: "GET /tags HTTP/1.1\r\nHost: localhost\r\n",
    }
    for status, request in requests.items():
        with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
            connection.sendall(request.encode() + (b"" if status == 408 else b"\r\n"))
            head = b""
            while b"\r\n\r\n" not in head and (part := connection.recv(65536)):
                head += part
            yield str(status)[:3], head.partition(b"\r\n\r\n")[0].decode().lower().splitlines()


def test_every_answer_says_that_browsers_keep_it_from_pages_and_caches(started):
    wire = started(settings=Settings(patience=0.3))
    wire.server.faults.answer(500, path="/tags")
    wire.server.faults.answer(500, path="/tags")
    seen = []
    for status, (first, *headers) in raw_answers(wire.server.port):
        seen.append(first.split()[1])
        for header in (
            "x-content-type-options: nosniff",
            "cache-control: no-store",
            "cross-origin-resource-policy: same-origin",
            f"x-pieces-orm-extensions: {', '.join(SERVED)}",
        ):
            assert headers.count(header) == 1, (status, first, headers)
    assert seen[:2] == ["200", "204"]
    assert {"400", "404", "408", "421"} < set(seen)


def test_origins_are_refused_unless_they_are_the_servers_own_or_named(shared, started):
    own = shared.server.url
    port = shared.server.port
    refused = (
        f"http://[::1]evil.com:{port}",
        f"http://[::1%25evil.com]:{port}",
        f"http://user@localhost:{port}",
        f"http://127.1:{port}",
        f"http://localhost:{port}/page",
        f"ftp://localhost:{port}",
        "https://evil.example",
        "null",
        "http://127.0.0.1:1",
        "http://localhost",
        "vscode-webview://abc",
        own + ".evil.example",
    )
    for origin in (own, own.replace("127.0.0.1", "localhost")):
        answer = shared.ask("GET", "/assets", headers={"Origin": origin})
        assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (200, origin)
    for origin in refused:
        assert shared.status("GET", "/assets", headers={"Origin": origin}) == 403
        with pytest.raises(InvalidStatus):
            stream(shared.server, "/assets/stream/identifiers", origin=origin)
    named = started(settings=Settings(allow_origins=("vscode-webview://abc",)))
    assert named.status("GET", "/assets", headers={"Origin": "vscode-webview://abc"}) == 200
    assert named.status("GET", "/assets", headers={"Origin": "vscode-webview://abcd"}) == 403
    with stream(named.server, "/assets/stream/identifiers", origin="vscode-webview://abc") as open_socket:
        assert frame(open_socket) == {"iterable": []}


def test_all_origins_of_a_scheme_are_let_in_when_it_is_named(started):
    named = started(settings=Settings(allow_origins=("vscode-webview://*",)))
    for origin, status in (
        ("vscode-webview://0af1", 200),
        ("vscode-webview://*", 200),
        ("vscode-webview-not://0af1", 403),
        ("moz-extension://0af1", 403),
        ("https://vscode-webview", 403),
        ("null", 403),
    ):
        answer = named.ask("GET", "/assets", headers={"Origin": origin, "Sec-Fetch-Site": "cross-site"})
        assert (answer.status_code, answer.headers.get("access-control-allow-origin", origin)) == (status, origin)


def test_a_page_of_an_allowed_origin_may_ask_before_it_posts(shared):
    headers = {"Origin": shared.server.url, "Access-Control-Request-Method": "POST"}
    answer = shared.ask("OPTIONS", "/tags/create", headers=headers)
    assert answer.status_code == 204
    assert "POST" in answer.headers["access-control-allow-methods"]


def test_bodies_over_the_limit_are_413_with_and_without_a_length(started):
    wire = started(settings=Settings(max_body=1000))
    url = wire.server.url + "/tags/create"
    assert wire.http.post(url, data=b"x" * 1001).status_code == 413
    assert wire.http.post(url, data=iter([b"x" * 600, b"x" * 600])).status_code == 413
    assert wire.http.post(url, data=b'{"text": "t"}').status_code == 200


@pytest.mark.parametrize("settings", [Settings(), Settings(allow_foreign_hosts=True)])
def test_a_foreign_address_is_refused_without_a_token(settings):
    for host in ("0.0.0.0", "::", ""):
        with pytest.raises(
            NotRunningError, match=r"only with a token.*Pass Settings\(token=\.\.\.\) or `serve --token`"
        ):
            Server(host=host, settings=settings).start()


def test_a_foreign_address_is_served_with_a_token_under_any_name():
    with Server(host="0.0.0.0", settings=Settings(token="s3cret")) as server:
        address = f"http://127.0.0.1:{server.port}/.well-known/health"
        named = {"Host": "my.machine"}
        assert requests.get(address, headers=named, timeout=10).status_code == 401
        with_token = {**named, "Authorization": "Bearer s3cret"}
        assert requests.get(address, headers=with_token, timeout=10).status_code == 200


def test_a_refusal_names_the_remedy_and_repeats_no_more_than_the_start_of_a_header(shared):
    def said(**headers):
        return shared.ask("GET", "/assets", headers=headers).text

    assert said(Origin="app://obsidian.md") == (
        "Origin app://obsidian.md may not call this server; start it with --allow-origin app://obsidian.md, "
        "or Settings(allow_origins=...)."
    )
    assert "--allow-origin 'app://$(x)'," in said(Origin="app://$(x)")
    for origin in ("null", "app://" + "x" * 1000, "http://*"):
        refused = said(Origin=origin)
        assert "--allow-origin" not in refused
        assert len(refused) < 300
    assert "\\x9b" in said(Origin="app://\x9b2J")
    for host in ("foo.bar", "x" * 1000):
        refused = said(Host=host)
        assert refused.startswith(f"Host {host[:200]}")
        assert refused.endswith("start it with Settings(hosts=...) or with a token.")
        assert len(refused) < 400
    assert "start it with --allow-origin ORIGIN" in said(**{"Sec-Fetch-Site": "cross-site"})


def test_named_hosts_may_call(started):
    wire = started(settings=Settings(hosts=("pieces.internal",)))
    assert wire.status("GET", "/assets", headers={"Host": "pieces.internal:80"}) == 200


def test_loopback_is_known():
    assert all(map(is_loopback, ("127.0.0.1", "::1", "[::1]", "localhost", "a.localhost")))
    assert not any(
        map(is_loopback, ("[::1]evil.com", "[::1%25evil.com]", "::1%evil.com", "127.1", "[::1", ".localhost"))
    )
    assert not any(map(is_loopback, ("0.0.0.0", "example.org", "", "localhost.example.org", "192.168.0.1")))


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/nothing", 404),
        ("GET", "/", 200),
        ("GET", "//", 404),
        ("GET", "/asset/", 404),
        ("GET", "/assets/", 404),
        ("PUT", "/assets", 405),
        ("DELETE", "/assets/x", 405),
        ("GET", "/assets/create", 405),
        ("POST", "/assets/recommended", 405),
        ("GET", "/assets/x%2Fdelete", 410),
        ("GET", "/assets/..%2F.well-known%2Fhealth", 410),
        ("GET", "/asset/x%2Fformats", 410),
        ("GET", "/assets/%00", 410),
        ("GET", "/assets/%ff%fe", 410),
        ("GET", "/assets/" + "x" * 5000, 410),
        ("GET", "/assets/%27%20OR%201=1", 410),
        ("POST", "/tags/x%2Fdelete", 404),
        ("POST", "/tags/%2e%2e/delete", 500),
    ],
)
def test_paths_mean_what_they_say(shared, method, path, status):
    import urllib3

    answer = urllib3.HTTPConnectionPool("127.0.0.1", shared.server.port).urlopen(method, path, assert_same_host=False)
    assert answer.status == status
    text = answer.data.decode()
    assert text.endswith(".")
    if status == 405:
        assert answer.headers["allow"]
