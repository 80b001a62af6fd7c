"""Who may call."""

import pytest
import requests
from websockets.exceptions import InvalidStatus

from pieces_orm.errors import NotRunningError
from pieces_orm.server import Server, Settings
from pieces_orm.server.asgi.guard import is_loopback
from tests.server.support import frame, stream


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost:1", "[::1]:80", "LOCALHOST", "127.8.8.8:5"])
def test_loopback_names_may_call(shared, host):
    assert shared.status("GET", "/.well-known/health", headers={"Host": host}) == 200


@pytest.mark.parametrize(
    "host",
    ["evil.example", "evil.example:39300", "127.0.0.1.evil.example", "localhost@evil.example", "10.0.0.1", "::1x", ""],
)
def test_foreign_hosts_are_refused_with_a_sentence(shared, host):
    answer = shared.ask("GET", "/assets", headers={"Host": host})
    assert answer.status_code == 421
    assert answer.text.endswith(".")
    if host:
        with pytest.raises(InvalidStatus):
            stream(shared.server, "/assets/stream/identifiers", additional_headers={"Host": host})


def test_origins_are_refused_unless_they_are_the_servers_own_or_named(shared, started):
    own = shared.server.url
    refused = (
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


def test_named_hosts_may_call(started):
    wire = started(settings=Settings(hosts=("pieces.internal",)))
    assert wire.status("GET", "/assets", headers={"Host": "pieces.internal:80"}) == 200


def test_loopback_is_known():
    assert all(map(is_loopback, ("127.0.0.1", "::1", "[::1]", "localhost", "a.localhost")))
    assert not any(map(is_loopback, ("0.0.0.0", "example.org", "", "localhost.example.org", "192.168.0.1")))


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/nothing", 404),
        ("GET", "/", 501),
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
