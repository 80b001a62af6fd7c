"""How a running server is found, and how a program introduces itself."""

from __future__ import annotations

import os
import sys
import threading
import time

import pytest

import pieces_orm
from pieces_orm import DecodeError, NotRunningError, Session
from pieces_orm.server import Server
from pieces_orm.transport import discovery
from tests.wire.recorder import recording

CONTEXT = {
    "os": "LINUX",
    "health": {"os": {"id": "x", "version": "1"}},
    "application": {
        "id": "application-7", "name": "OPEN_SOURCE", "version": "1", "platform": "LINUX", "onboarded": False,
        "privacy": "OPEN",
    },
}  # fmt: skip


@pytest.fixture(autouse=True)
def _nowhere(monkeypatch, tmp_path):
    """Nothing of this machine is found: no environment, no port file, no known port."""
    monkeypatch.delenv("PIECES_URL", raising=False)
    monkeypatch.delenv("LOCALAPPDATA", raising=False)
    monkeypatch.setattr(discovery, "port_file", lambda: tmp_path / ".port.txt")
    monkeypatch.setattr(discovery, "PORTS", ())


@pytest.fixture
def recorder():
    with recording() as recorder:
        recorder.answer("POST", "/connect", body=CONTEXT)
        yield recorder


def port_of(recorder):
    return int(recorder.url.rsplit(":", 1)[1])


def test_the_order_is_url_environment_port_file_known_ports(recorder, monkeypatch, tmp_path):
    monkeypatch.setattr(discovery, "PORTS", (port_of(recorder),))
    assert discovery.find(None) == recorder.url
    with recording() as filed, recording() as named, recording() as given:
        (tmp_path / ".port.txt").write_text(f" {port_of(filed)}\n")
        assert discovery.find(None) == filed.url
        monkeypatch.setenv("PIECES_URL", named.url)
        assert discovery.find(None) == named.url
        assert discovery.find(given.url) == given.url


def test_the_port_file_of_newer_windows_installers_is_looked_at_first(recorder, monkeypatch, tmp_path):
    monkeypatch.setenv("LOCALAPPDATA", str(tmp_path))
    folder = tmp_path / "Mesh Intelligent Technologies, Inc" / "Pieces OS" / "com.pieces.os" / "production" / "Config"
    folder.mkdir(parents=True)
    with recording() as older:
        (tmp_path / ".port.txt").write_text(str(port_of(older)))
        assert discovery.find(None) == older.url
        (folder / ".port.txt").write_text(f"\ufeff{port_of(recorder)}\r\n", encoding="utf-8")
        assert discovery.find(None) == recorder.url
        (folder / ".port.txt").write_text("9")
        assert discovery.find(None) == older.url


ODD_FILES = {
    "a folder": lambda path: path.mkdir(),
    "a pipe": os.mkfifo if hasattr(os, "mkfifo") else None,
    "a loop": lambda path: path.symlink_to(path),
    "a device": lambda path: path.symlink_to("/dev/zero"),
    "a huge file": lambda path: (path.touch(), os.truncate(path, 2**36)),
    "a number and much more": lambda path: path.write_text("39300" + " " * 100),
    "no text": lambda path: path.write_bytes(b"\xff\xfe3\0"),
    "a number of many digits": lambda path: path.write_text("9" * 5000),
}


@pytest.mark.skipif(sys.platform == "win32", reason="these files need a POSIX system")
@pytest.mark.parametrize("what", ODD_FILES)
def test_a_port_file_that_is_no_such_file_is_passed_over(recorder, monkeypatch, tmp_path, what):
    ODD_FILES[what](tmp_path / ".port.txt")
    monkeypatch.setattr(discovery, "PORTS", (port_of(recorder),))
    start = time.monotonic()
    assert discovery.find(None, wait=10) == recorder.url
    assert time.monotonic() - start < 10


def test_a_user_without_a_home_has_no_port_file(recorder, monkeypatch):
    def no_home():
        raise RuntimeError

    monkeypatch.setattr(discovery, "port_file", no_home)
    monkeypatch.setattr(discovery, "PORTS", (port_of(recorder),))
    assert discovery.find(None) == recorder.url


@pytest.mark.parametrize("content", ["nonsense", "", "99999999", "-1", "9"])
def test_a_port_file_with_nonsense_or_a_stale_port_is_passed_over(recorder, monkeypatch, tmp_path, content):
    (tmp_path / ".port.txt").write_text(content)
    monkeypatch.setattr(discovery, "PORTS", (port_of(recorder),))
    assert discovery.find(None) == recorder.url


def test_another_program_on_a_candidate_port_is_not_taken_for_pieces(recorder, monkeypatch):
    with recording() as other:
        other.answer("GET", "/.well-known/health", body=b"<html>hello</html>")
        monkeypatch.setattr(discovery, "PORTS", (port_of(other), port_of(recorder)))
        assert discovery.find(None) == recorder.url
        with pytest.raises(NotRunningError, match="another program"):
            discovery.find(other.url)


@pytest.mark.xdist_group("machine")
def test_nothing_found_lists_what_was_tried_quickly(monkeypatch):
    monkeypatch.setattr(discovery, "PORTS", tuple(range(1, 37)))
    monkeypatch.setenv("PIECES_URL", "http://127.0.0.1:9")
    start = time.monotonic()
    with pytest.raises(NotRunningError) as caught:
        pieces_orm.connect()
    assert time.monotonic() - start < 1
    message = str(caught.value)
    assert "http://127.0.0.1:9 (PIECES_URL): refused" in message
    assert "35 refused" in message  # the other one is listed above
    assert "pieces-orm serve" in message


def test_waiting_outlasts_a_server_that_is_migrating_or_not_there_yet():
    with Server() as server:
        server.faults.migrating(True)
        with pytest.raises(NotRunningError, match="migrating"):
            discovery.find(server.url)
        timer = threading.Timer(0.2, server.faults.migrating, [False])
        timer.start()
        with pieces_orm.connect(server.url, wait=5) as session:
            assert session.tags.all() == []
        port = server.port
    late = Server(port=port)
    timer = threading.Timer(0.2, late.start)
    timer.start()
    try:
        assert discovery.find(f"http://127.0.0.1:{port}", wait=5) == f"http://127.0.0.1:{port}"
    finally:
        timer.join()
        late.stop()


def test_the_application_is_connected_once_before_the_first_request_with_many_threads(recorder):
    recorder.answer("GET", "/anchors", body={"iterable": []})
    with Session(recorder.url) as session:
        threads = [threading.Thread(target=session.anchors.all) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert recorder.lines()[0] == "POST /connect"
        assert sorted(recorder.lines()[1:]) == ["GET /anchors"] * 8
        assert {each.headers["x-application-id"] for each in recorder.requests[1:]} == {"application-7"}
        assert {each.headers["application"] for each in recorder.requests[1:]} == {"application-7"}
        assert session.application.id == "application-7"


def test_health_and_version_need_no_application(recorder):
    recorder.answer("GET", "/.well-known/version", body=b"12.3.0")
    with Session(recorder.url) as session:
        assert session.request("GET", "/.well-known/version") == b"12.3.0"
        assert session.request("GET", "/.well-known/health") == b"ok:recorder"
    assert "POST /connect" not in recorder.lines()


def test_an_api_key_is_sent_as_both_headers_and_connects_nothing(recorder):
    recorder.answer("GET", "/anchors", body={"iterable": []})
    with pieces_orm.connect(recorder.url, api_key="key-1") as session:
        session.anchors.all()
    assert recorder.lines() == ["GET /.well-known/health", "GET /anchors"]
    request = recorder.requests[-1]
    assert (request.headers["application"], request.headers["x-application-id"]) == ("key-1", "key-1")


@pytest.mark.parametrize(
    ("name", "sent"),
    [
        ("pieces_orm", {"name": "OPEN_SOURCE", "descriptor": "pieces_orm"}),
        ("FOO", {"name": "OPEN_SOURCE", "descriptor": "FOO"}),
        ("VS_CODE", {"name": "VS_CODE"}),
    ],
)
def test_a_name_that_the_wire_does_not_know_goes_into_the_descriptor(recorder, name, sent):
    with Session(recorder.url, application=name) as session:
        assert session.application.name == "OPEN_SOURCE"
    [request] = recorder.requests
    application = request.json["application"]
    assert {key: application[key] for key in sent} == sent
    assert ("descriptor" in application) == ("descriptor" in sent)


def test_a_receiver_of_requested_may_make_requests(recorder):
    seen = []
    with Session(recorder.url) as session:

        @session.signals.requested.connect
        def note(sender, *, path, **about):
            seen.append((path, session.application.id))

        recorder.answer("GET", "/anchors", body={"iterable": []})
        session.anchors.all()
    assert seen == [("/connect", "application-7"), ("/anchors", "application-7")]


@pytest.mark.parametrize("body", [b"ok", b"OK", b"ok:7f3a", b"Ok:7F3A", b'"ok:7f3a"', b' "OK"\n'])
def test_health_is_ok_with_or_without_an_id_in_any_letter_case(recorder, body):
    recorder.answer("GET", "/.well-known/health", body=body)
    assert discovery.find(recorder.url) == recorder.url


@pytest.mark.parametrize(
    "body", [b"okay", b"ok-ish", b"ok then", b"ok:", b"okapi:1", b"not ok", b"", b'{"status": "ok"}']
)
def test_nothing_else_is_the_health_of_a_pieces_server(recorder, body):
    recorder.answer("GET", "/.well-known/health", body=body)
    with pytest.raises(NotRunningError, match="another program"):
        discovery.find(recorder.url)


@pytest.mark.parametrize("value", ["missing", None])
@pytest.mark.parametrize("key", ["name", "version", "platform", "onboarded", "privacy"])
def test_an_application_that_lacks_a_key_is_usable(recorder, key, value):
    application = {name: each for name, each in CONTEXT["application"].items() if name != key}
    if value is None:
        application[key] = None
    recorder.answer("POST", "/connect", body={"application": application})
    recorder.answer("GET", "/anchors", body={"iterable": []})
    with Session(recorder.url, application="VS_CODE") as session:
        assert session.anchors.all() == []
        assert session.application.id == "application-7"
        assert getattr(session.application, key) is not None


def test_an_application_is_what_the_program_says_of_itself_where_the_server_says_nothing(recorder):
    recorder.answer("POST", "/connect", body={"application": {"id": "application-7"}})
    with Session(recorder.url, application="VS_CODE") as session:
        assert (session.application.name, session.application.privacy) == ("VS_CODE", "OPEN")


@pytest.mark.parametrize("application", [{}, {"id": None}, {"id": 7}, [], "x", None])
def test_an_application_without_an_id_is_a_decode_error(recorder, application):
    recorder.answer("POST", "/connect", body={"application": application})
    with Session(recorder.url) as session, pytest.raises(DecodeError):
        session.anchors.all()


@pytest.mark.parametrize(
    ("status", "body", "token", "headline"),
    [
        (401, b"", None, r"The server at \S+ wants a token: "),
        (401, b"", "wrong", r"The server at \S+ refuses the token: "),
        (507, b"The disk is {full}.", None, r"The server at \S+ cannot work: The disk is \{full\}\.$"),
        (200, b"migrating", None, r"The server at \S+ is not ready: .* wait="),
        (200, b"hello", None, r"No Pieces server is at \S+: another program answers there\. Start Pieces OS"),
        (418, b"", None, r"The server at \S+ answers, but not as Pieces does \(status 418\)\. Start Pieces OS"),
    ],
)
def test_a_server_that_cannot_be_used_is_named_with_its_cause_first(
    recorder, monkeypatch, status, body, token, headline
):
    recorder.answer("GET", "/.well-known/health", status, body)
    with pytest.raises(NotRunningError, match=f"^{headline}") as caught:
        pieces_orm.connect(recorder.url, token=token)
    said = str(caught.value)
    assert "url=" not in said
    assert ("Start Pieces OS" in said) is ("Start Pieces OS" in headline)
    assert "Tried" not in said
    # Among other places, what is a Pieces server was meant.
    monkeypatch.setattr(discovery, "PORTS", (9,))
    monkeypatch.setenv("PIECES_URL", recorder.url)
    with pytest.raises(NotRunningError, match=r"\nTried:\n") as caught:
        discovery.find(None, token=token)
    assert str(caught.value).startswith("The server at") is ("Start Pieces OS" not in headline)


def test_an_address_is_tried_and_listed_once(monkeypatch):
    monkeypatch.setattr(discovery, "PORTS", (9, 10))
    for named in ("http://127.0.0.1:9", "127.0.0.1:9/"):
        monkeypatch.setenv("PIECES_URL", named)
        with pytest.raises(NotRunningError) as caught:
            pieces_orm.connect()
        assert str(caught.value).count("127.0.0.1:9") == 1
        assert str(caught.value).count("refused") == 2


def test_no_server_at_an_address_that_is_given_is_not_answered_with_advice_to_give_one():
    with pytest.raises(
        NotRunningError, match=r"^No server answers at http://127\.0\.0\.1:9: refused\. Start"
    ) as caught:
        pieces_orm.connect("http://127.0.0.1:9")
    assert "url=" not in str(caught.value)


def test_a_session_on_an_address_of_its_own_stays_there(pieces_server, monkeypatch):
    with pieces_orm.connect(pieces_server.url) as session, Server() as another:
        monkeypatch.setenv("PIECES_URL", another.url)
        pieces_server.stop()
        with pytest.raises(pieces_orm.NotRunningError):
            session.assets.all()
        assert session.url != another.url
