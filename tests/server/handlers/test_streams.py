"""Streams: a first full frame, then deltas, deletion wins."""

import json
import re
import threading
from contextlib import ExitStack

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus, WebSocketException

from pieces_orm.server import Settings
from pieces_orm.wire.kinds import KINDS
from tests.server.support import contract, frame, ids, stream, valid

STREAMED = [kind for kind in KINDS.values() if "stream" in kind.routes]


def named(message, key):
    valid("StreamedIdentifiers", message)
    return [(item[key]["id"], item.get("deleted", False)) for item in message["iterable"]]


@pytest.mark.parametrize("kind", STREAMED, ids=lambda kind: kind.name)
def test_the_first_frame_has_all_ids_newest_first_and_deltas_follow(wire, kind):
    with stream(wire.server, kind.route("stream").path) as socket:
        assert frame(socket) == {"iterable": []}
        first = wire.make(kind)["id"]
        while (first, False) not in named(frame(socket), kind.stream):
            pass  # what was created with it comes too
    second = wire.make(kind)["id"]
    with stream(wire.server, kind.route("stream").path) as socket:
        assert named(frame(socket), kind.stream)[:1] == [(second, False)]
        if "update" in kind.routes:
            wire.post(kind.route("update").path, {"id": first})
            assert named(frame(socket), kind.stream) == [(first, False)]
        if "delete" in kind.routes:
            wire.delete(kind, first)
            assert named(frame(socket), kind.stream) == [(first, True)]


def test_an_association_touches_both_sides(wire):
    anchor, asset = wire.make(KINDS["anchor"])["id"], wire.make_asset()["id"]
    with (
        stream(wire.server, "/anchors/stream/identifiers") as anchors,
        stream(wire.server, "/assets/stream/identifiers") as assets,
    ):
        frame(anchors), frame(assets)
        for verb in ("associate", "disassociate"):
            wire.post(f"/anchor/{anchor}/assets/{verb}/{asset}")
            assert named(frame(anchors), "anchor") == [(anchor, False)]
            assert named(frame(assets), "asset") == [(asset, False)]


def test_a_deletion_tells_the_neighbours(wire):
    asset = wire.make_asset(tags=[{"text": "tides"}])
    with stream(wire.server, "/assets/stream/identifiers") as assets:
        frame(assets)
        wire.delete(KINDS["tag"], ids(asset["tags"])[0])
        assert named(frame(assets), "asset") == [(asset["id"], False)]


def test_a_frame_names_an_id_once_deletion_wins_and_nothing_follows_a_deletion(wire):
    deleted, seen = set(), {}
    with stream(wire.server, "/tags/stream/identifiers") as socket:
        frame(socket)

        def work():
            for _ in range(15):
                tag = wire.make(KINDS["tag"])
                wire.post("/tag/update", tag)
                wire.post("/tag/update", tag)
                wire.delete(KINDS["tag"], tag["id"])
            wire.make(KINDS["tag"], text="the end")

        worker = threading.Thread(target=work)
        worker.start()
        while len(deleted) < 15:
            entries = named(frame(socket), "tag")
            assert len({id for id, _ in entries}) == len(entries)
            for id, gone in entries:
                assert id not in deleted
                seen[id] = gone
                if gone:
                    deleted.add(id)
        worker.join()


def test_no_change_is_lost_between_the_first_frame_and_the_deltas(wire):
    stop = threading.Event()
    made = []

    def work():
        while not stop.is_set():
            made.append(wire.make(KINDS["tag"])["id"])

    worker = threading.Thread(target=work)
    worker.start()
    with ExitStack() as sockets:
        try:
            opened = [sockets.enter_context(stream(wire.server, "/tags/stream/identifiers")) for _ in range(10)]
        finally:
            stop.set()
            worker.join()
        last = wire.make(KINDS["tag"])["id"]
        for socket in opened:
            known = set()
            while last not in known:
                known |= {id for id, _ in named(frame(socket), "tag")}
            assert known == {*made, last}


def test_the_assets_stream_sends_documents_without_contents_and_the_other_with_them(wire):
    first = wire.make_asset("one")
    with stream(wire.server, "/assets/stream") as bare, stream(wire.server, "/assets/stream/transferables") as full:
        for socket, fragment in ((bare, {"metadata"}), (full, {"metadata", "string"})):
            message = frame(socket)
            valid("Assets", message)
            assert ids(message) == [first["id"]]
            assert set(message["iterable"][0]["original"]["reference"]["fragment"]) == fragment
        second = wire.make_asset("two")
        assert ids(frame(bare)) == ids(frame(full)) == [second["id"]]
        wire.delete(KINDS["asset"], first["id"])
        gone = frame(bare)
        valid("Assets", gone)
        assert gone == {"iterable": [], "indices": {first["id"]: -1}}


def test_suggestions_are_what_goes_with_the_latest_asset(wire):
    with stream(wire.server, "/workstream/suggestions/stream") as socket:
        first = frame(socket)
        valid("WorkstreamSuggestions", first)
        assert first["iterable"] == []
        one = wire.make_asset("a", tags=[{"text": "tides"}])
        frame(socket)
        wire.make_asset("b", tags=[{"text": "tides"}])
        told = frame(socket)
        valid("WorkstreamSuggestions", told)
        assert told["iterable"] == [{"asset": {"id": one["id"]}}]


def test_health_and_user_are_told_once(shared):
    with stream(shared.server, "/.well-known/stream/health") as socket:
        assert socket.recv(timeout=5).startswith("ok:")
    with stream(shared.server, "/user/stream") as socket:
        valid("UserProfile", json.loads(socket.recv(timeout=5)))


def refused(shared, path):
    """The answer to a WebSocket handshake that is refused."""
    with pytest.raises(InvalidStatus) as error:
        stream(shared.server, path)
    return error.value.response


def test_a_stream_that_does_not_exist_or_is_not_served_says_so(shared):
    unknown = refused(shared, "/nothing/stream")
    assert (unknown.status_code, unknown.body) == (404, b"There is no such stream.")
    for path in ("/models/stream/identifiers", "/os/settings/stream", "/model/any/download/progress"):
        unserved = refused(shared, path)
        assert unserved.status_code == 501
        assert b"is not served" in unserved.body


def test_a_stream_of_somebody_who_is_not_signed_in_is_refused(started):
    wire = started(settings=Settings(user="nobody"))
    answer = refused(wire, "/tags/stream/identifiers")
    assert (answer.status_code, answer.body) == (401, b"Nobody is signed in.")
    with stream(wire.server, "/user/stream"):
        pass


STREAMS = [
    path
    for path, methods in contract()["paths"].items()
    if any(each.get("x-websocket") for each in methods.values() if isinstance(each, dict))
]


@pytest.mark.parametrize("path", STREAMS)
def test_a_plain_get_of_a_stream_asks_for_the_upgrade(shared, path):
    answer = shared.ask("GET", re.sub(r"{\w+}", "x", path))
    assert (answer.status_code, answer.headers["upgrade"]) == (426, "websocket")


def test_a_stream_that_falls_behind_is_closed_and_never_blocks_writers(started):
    wire = started(settings=Settings(stream_backlog=3))
    with stream(wire.server, "/tags/stream/identifiers") as socket:
        frame(socket)
        seed = {"type": "COPILOT", "messages": [{"role": "USER", "fragment": {}} for _ in range(5)]}
        with stream(wire.server, "/messages/stream/identifiers") as messages:
            frame(messages)
            wire.post("/conversations/create", seed)
            with pytest.raises(ConnectionClosed):
                messages.recv(timeout=5)
            assert messages.close_code == 1013
        wire.make(KINDS["tag"])
        assert len(frame(socket)["iterable"]) == 1


def test_when_nobody_is_signed_in_only_health_and_user_stream(started):
    wire = started(settings=Settings(user="nobody"))
    for path in ("/assets/stream", "/assets/stream/identifiers", "/tags/stream/identifiers"):
        with pytest.raises(WebSocketException), stream(wire.server, path) as opened:
            opened.recv(timeout=10)
    with stream(wire.server, "/.well-known/stream/health") as opened:
        assert opened.recv(timeout=10).startswith("ok")
    assert "user" not in wire.connect()


def test_assets_that_are_only_suggested_are_in_no_frame_of_assets(wire):
    with stream(wire.server, "/assets/stream") as opened:
        assert frame(opened)["iterable"] == []
        wire.make_asset("suggested", pseudo=True)
        kept = wire.make_asset("kept")
        assert ids(frame(opened)) == [kept["id"]]
