"""Bad input and bad answers: each raises a clear error, leaves the session usable and loses nothing."""

from __future__ import annotations

import socket
import threading
from contextlib import contextmanager

import pytest

import pieces_orm
from pieces_orm import (
    AmbiguousRelationError,
    BatchError,
    DecodeError,
    InvalidIdError,
    InvalidRequestError,
    InvalidValueError,
    NotAuthorizedError,
    NotFoundError,
    NotRunningError,
    PiecesError,
    RequestTimeout,
    ServerError,
    Session,
    TransportError,
    UnknownRelationError,
    UpgradeRequiredError,
)

from .recorder import recording

ANCHOR = {"id": "a", "name": "before", "type": "FILE", "points": {"iterable": []}}


@pytest.fixture
def recorder():
    with recording() as recorder:
        recorder.answer("GET", "/anchor/a", body=ANCHOR)
        recorder.answer("POST", "/anchor/update", body={**ANCHOR, "name": "after"})
        yield recorder


@pytest.fixture
def session(recorder):
    with Session(recorder.url, api_key="application-1", timeout=2) as session:
        yield session


def assert_usable(recorder, session):
    recorder.answer("GET", "/tag/t", body={"id": "t", "text": "still here"})
    assert session.tags.get("t").text == "still here"


@pytest.mark.parametrize("id", ["", ".", "..", "a/b", "../assets", "a\\b", "a\nb", None, 5], ids=repr)
def test_what_is_no_id_is_refused_before_any_request(recorder, session, id):
    for act in (
        lambda: session.anchors.get(id),
        lambda: session.anchors.ref(id),
        lambda: session.anchors.get_many(["a", id]),
        lambda: session.workstream_events.get_many(["a", id]),
    ):
        with pytest.raises(InvalidIdError, match="Invalid id"):
            act()
    assert recorder.requests == []


@pytest.mark.parametrize("id", ["a b", "a?b=c", "a#b", "ä", "%2e%2e", "a%2Fb"])
def test_an_id_is_one_encoded_path_segment(recorder, session, id):
    with pytest.raises(PiecesError):
        session.anchors.get(id)
    [request] = recorder.requests
    assert request.path.count("/") == 2
    assert request.query == {}
    assert_usable(recorder, session)


def test_unknown_keywords_are_refused_before_any_request(recorder, session):
    for act in (
        lambda: session.assets.create("x", nmae="y"),
        lambda: session.anchors.create("/x", nmae="y"),
        lambda: session.assets.search("x", tag=["y"]),
        lambda: session.assets.all(tranferables=True),
        lambda: pieces_orm.connect(recorder.url, api_kye="x"),
        lambda: session.annotations.get("x", transferables=True),
    ):
        with pytest.raises(TypeError):
            act()
    assert recorder.requests == []


def test_wrong_members_and_kinds_are_refused_before_any_request(recorder, session):
    for act, error in (
        (lambda: session.assets.create("x", tags="one"), InvalidValueError),
        (lambda: session.assets.create("x", tags=[5]), InvalidValueError),
        (lambda: session.assets.create("x", tags=[session.anchors.ref("a")]), InvalidValueError),
        (lambda: session.assets.create(5), TypeError),
        (lambda: session.assets.search(), ValueError),
        (lambda: session.assets.search(tags="one"), TypeError),
        (lambda: session.anchors.ref("a").associate(session.websites.ref("w")), UnknownRelationError),
        (lambda: session.anchors.ref("a").associate(session.assets.ref("s"), "x"), AmbiguousRelationError),
        (lambda: session.persons.create(), ValueError),
    ):
        with pytest.raises(error):
            act()
    assert recorder.requests == []


STATUSES = [
    (400, InvalidRequestError), (401, NotAuthorizedError), (403, NotAuthorizedError), (404, NotFoundError),
    (410, NotFoundError), (422, InvalidRequestError), (500, ServerError), (501, ServerError), (505, ServerError),
    (511, ServerError), (593, UpgradeRequiredError), (302, ServerError),
]  # fmt: skip


@pytest.mark.parametrize(("status", "error"), STATUSES)
@pytest.mark.parametrize("body", [b"so it says", b'{"error": "so it says", "eventId": "7"}'], ids=["text", "json"])
def test_a_status_is_its_error_with_the_servers_own_words(recorder, session, status, error, body):
    recorder.answer("GET", "/anchors", status, body)
    with pytest.raises(error, match="so it says") as caught:
        session.anchors.all()
    found = caught.value
    assert (found.status, found.body, found.method, found.path) == (status, body.decode(), "GET", "/anchors")
    assert_usable(recorder, session)


@pytest.mark.parametrize("status", [400, 401, 410, 500, 593])
def test_a_refused_save_keeps_the_edit(recorder, session, status):
    anchor = session.anchors.get("a")
    anchor.name = "after"
    recorder.answer("POST", "/anchor/update", status, b"no")
    with pytest.raises(PiecesError):
        anchor.save()
    assert (anchor.name, anchor.edits) == ("after", {"name": "after"})
    recorder.answer("POST", "/anchor/update", body={**ANCHOR, "name": "after"})
    assert anchor.save() == {"name"}


ANSWERS = {
    "a web page": b"<!doctype html><html><body>Welcome</body></html>",
    "truncated JSON": b'{"id": "a", "name": "bef',
    "nothing": b"",
    "a list": b"[1, 2]",
    "another id": b'{"id": "b"}',
    "no id": b'{"name": "a"}',
    "a number for an id": b'{"id": 5}',
    "no UTF-8": b'{"id": "\xff\xfe"}',
    "NaN": b'{"id": "a", "x": NaN}',
}


@pytest.mark.parametrize("answer", ANSWERS.values(), ids=ANSWERS)
def test_an_answer_that_is_no_material_is_refused_when_it_arrives(recorder, session, answer):
    anchor = session.anchors.get("a")
    anchor.name = "edited"
    recorder.answer("GET", "/anchor/a", 200, answer)
    for act in (lambda: session.anchors.get("a"), anchor.refresh, anchor.save):
        with pytest.raises(DecodeError) as caught:
            act()
        assert caught.value.kind == "anchor"
    assert (anchor.name, anchor.edits, anchor.raw()) == ("edited", {"name": "edited"}, ANCHOR)
    recorder.answer("GET", "/anchor/a", body=ANCHOR)
    assert anchor.save() == {"name"}


@pytest.mark.parametrize("answer", [b"<html>", b"[]", b"", b'{"iterable": [{"name": "x"}]}', b'{"iterable": 5}'])
def test_an_answer_that_is_no_collection_is_refused(recorder, session, answer):
    recorder.answer("GET", "/anchors", 200, answer)
    with pytest.raises(DecodeError):
        session.anchors.all()
    assert_usable(recorder, session)


def test_a_web_page_is_no_answer_to_a_command(recorder, session):
    anchor = session.anchors.get("a")
    recorder.answer("POST", "/anchors/a/delete", 200, b"<html>sign in</html>")
    with pytest.raises(DecodeError, match="web page"):
        anchor.delete()
    assert anchor.state.value == "loaded"


def test_an_empty_answer_to_a_batch_read_is_an_error(recorder, session):
    recorder.answer("POST", "/workstream_events/batch/fetch", 200, b"")
    with pytest.raises((DecodeError, BatchError)):
        session.workstream_events.get_many(["e1", "e2"])
    assert_usable(recorder, session)


def test_one_bad_field_is_the_error_of_that_field_alone(recorder, session):
    recorder.answer(
        "GET",
        "/anchors",
        body={"iterable": [{**ANCHOR, "created": 5, "score": {"manual": "x"}}, {**ANCHOR, "id": "b"}]},
    )
    bad, good = session.anchors.all()
    for field, value in (("created", "5"), ("score", '{"manual":"x"}'), ("updated", None)):
        with pytest.raises(DecodeError, match="other fields stay usable") as caught:
            getattr(bad, field)
        error = caught.value
        assert (error.kind, error.id, error.field) == ("anchor", "a", field)
        assert error.value == value or error.value.replace(" ", "") == value
    assert (bad.name, good.name) == ("before", "before")


def test_a_relation_that_cannot_be_read_is_healed_by_a_better_document(recorder, session):
    recorder.answer("GET", "/anchor/a", body={**ANCHOR, "assets": 5})
    anchor = session.anchors.get("a")
    with pytest.raises(DecodeError):
        len(anchor.assets)
    recorder.answer("GET", "/anchor/a", body={**ANCHOR, "assets": {"iterable": [{"id": "s"}]}})
    assert anchor.refresh().assets.ids == ("s",)


@pytest.mark.parametrize(
    ("collection", "expected"),
    [
        ({"iterable": [{"id": "x"}, {"id": "y"}], "indices": {}}, ("x", "y")),
        ({"iterable": [{"id": "x"}, {"id": "y"}], "indices": {"x": -1, "y": 0}}, ("y",)),
        ({"iterable": [{"id": "x"}], "indices": {"x": 0, "z": 1}}, ("x", "z")),
        ({"iterable": [{"id": "x"}, {"id": "x"}]}, ("x",)),
        ({"iterable": [{"id": "x", "reference": None}]}, ("x",)),
        ({"indices": {"x": 0}}, ("x",)),
    ],
)
def test_indices_below_zero_win_over_what_is_listed(recorder, session, collection, expected):
    recorder.answer("GET", "/anchor/a", body={**ANCHOR, "assets": collection})
    anchor = session.anchors.get("a")
    assert anchor.assets.ids == expected
    assert [each.id for each in anchor.assets.refs()] == list(expected)


def test_a_server_that_is_not_running_is_named_with_a_remedy():
    with pytest.raises(NotRunningError, match="pieces-orm serve"):
        pieces_orm.connect("http://127.0.0.1:9")
    with Session("http://127.0.0.1:9", api_key="x") as session, pytest.raises(NotRunningError, match="embedded"):
        session.anchors.all()


@pytest.mark.parametrize(
    "url",
    ["http://[::1", "ftp://127.0.0.1", "http://", "127.0.0.1:notaport", "http://127.0.0.1/assets", "a b", 39300, {}],
)
def test_what_is_no_address_is_said_so(url):
    with pytest.raises(
        InvalidValueError, match=r"is not the address of a server, which looks like http://127\.0\.0\.1:39300, without"
    ):
        pieces_orm.connect(url)


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"timeout": "x"}, "timeout takes seconds above 0"),
        ({"timeout": -1}, "timeout takes seconds above 0"),
        ({"timeout": (1, 2, 3, 4)}, "timeout takes seconds above 0"),
        ({"timeout": float("inf")}, "timeout takes seconds above 0"),
        ({"timeout": float("nan")}, "timeout takes seconds above 0"),
        ({"timeout": None}, "timeout takes seconds above 0"),
        ({"wait": -1}, "wait takes seconds, 0 or more"),
        ({"concurrency": 0}, "concurrency is a number of requests"),
        ({"dispatch": "x"}, "dispatch takes a function"),
    ],
)
def test_what_a_session_cannot_be_opened_with_is_refused_before_a_server_is_looked_for(given, sentence):
    for opened in (lambda: pieces_orm.connect("http://127.0.0.1:9", **given), lambda: pieces_orm.embedded(**given)):
        with pytest.raises(InvalidValueError, match=sentence):
            opened()


def test_a_path_that_does_not_start_at_the_root_is_refused(recorder, session):
    with pytest.raises(InvalidValueError, match="starts with a slash"):
        session.request("GET", "user")
    assert recorder.requests == []


@contextmanager
def raw_server(answer):
    """Run a server that reads a request and then treats the socket as told; it counts the requests."""
    listening = socket.create_server(("127.0.0.1", 0))
    listening.settimeout(10)
    counted = []

    def serve():
        while True:
            try:
                client, _ = listening.accept()
            except OSError:
                return
            with client:
                client.settimeout(2)
                data = b""
                while b"\r\n\r\n" not in data:
                    data += client.recv(65536)
                counted.append(data.split(b"\r\n")[0].decode())
                answer(client)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}", counted
    finally:
        listening.shutdown(socket.SHUT_RDWR)
        listening.close()
        thread.join(5)


def cut(client):
    client.sendall(b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{"iterable": [')


def reset(client):
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")


@pytest.mark.parametrize("fault", [cut, reset])
def test_a_read_is_tried_again_and_then_told(fault):
    with raw_server(fault) as (url, counted), Session(url, api_key="x") as session:
        with pytest.raises(TransportError) as caught:
            session.anchors.all()
        assert (caught.value.method, caught.value.path) == ("GET", "/anchors")
        assert counted == ["GET /anchors HTTP/1.1"] * 3


@pytest.mark.parametrize("fault", [cut, reset])
def test_a_write_is_never_sent_twice_after_a_lost_answer(fault):
    with raw_server(fault) as (url, counted), Session(url, api_key="x") as session:
        with pytest.raises(TransportError):
            session.tags.create("one")
        assert counted == ["POST /tags/create HTTP/1.1"]


@pytest.mark.parametrize("fault", [cut, reset])
def test_a_write_is_never_sent_twice_while_the_program_handles_another_refusal(fault):
    with raw_server(fault) as (url, counted), Session(url, api_key="x") as session:
        try:
            raise ConnectionRefusedError  # noqa: TRY301 stands for what a program handles
        except ConnectionRefusedError:
            with pytest.raises(TransportError) as caught:
                session.tags.create("one")
        assert not isinstance(caught.value, NotRunningError)
        assert counted == ["POST /tags/create HTTP/1.1"]


@pytest.mark.parametrize("status", [502, 503, 504])
def test_a_read_is_tried_again_while_a_gateway_fails_and_a_write_is_not(recorder, session, status):
    recorder.answer("GET", "/anchors", status, b"busy")
    recorder.answer("POST", "/tags/create", status, b"busy")
    with pytest.raises(ServerError):
        session.anchors.all()
    with pytest.raises(ServerError):
        session.tags.create("one")
    assert recorder.lines() == ["GET /anchors"] * 3 + ["POST /tags/create"]


def test_no_answer_in_time_is_a_timeout():
    silent = threading.Event()
    with raw_server(lambda client: silent.wait(2)) as (url, counted):
        with Session(url, api_key="x", timeout=0.2) as session, pytest.raises(RequestTimeout, match="timeout="):
            session.tags.create("one")
        silent.set()
        assert len(counted) == 1
    assert issubclass(RequestTimeout, TimeoutError)
