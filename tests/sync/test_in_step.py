"""What is held, and what is listed, is what the server has: at the start, after outages, past what cannot be read."""

from __future__ import annotations

import sys
import threading
import time
from contextlib import suppress
from itertools import pairwise

import pytest

import pieces_orm
from pieces_orm import Asset, Person, ServerError, Tag
from pieces_orm.orm import reading
from pieces_orm.server import Server
from pieces_orm.transport import backoff, websocket
from tests.support import Heard, Requests, wait_for
from tests.transport.proxy import proxied


@pytest.fixture
def proxy(pieces_server):
    with proxied(pieces_server.url) as proxy:
        yield proxy


def names(live):
    return [asset.name for asset in live]


def beside(session, path, act):
    """Do something once, after a request to a path was answered and before its answer is applied."""
    connection = session._context.connection
    call = connection.call

    def slow_call(route, *args, **kwargs):
        answer = call(route, *args, **kwargs)
        if route.path == path:
            connection.call = call
            act()
        return answer

    connection.call = slow_call


# At the start ------------------------------------------------------------------------------------------------------


def test_a_list_opened_before_its_stream_is_live_catches_up(pieces_server, pieces, other):
    edit, gone = other.assets.create("x", name="edit"), other.assets.create("x", name="gone")
    pieces_server.faults.answer(404, times=5, path="/assets/stream/identifiers")
    with pieces.assets.live(key=lambda asset: asset.name) as live:
        assert names(live) == ["edit", "gone"]
        other.assets.create("x", name="made")
        edit.name = "edited"
        edit.save()
        gone.delete()
        live.wait_live()
        wait_for(lambda: names(live) == ["edited", "made"])


def test_what_is_held_when_a_watch_opens_late_is_read_anew(pieces_server, pieces, other):
    asset = other.assets.create("x", name="before")
    held = pieces.assets.get(asset.id)
    pieces_server.faults.answer(404, times=5, path="/assets/stream/identifiers")
    heard = Heard(pieces)
    with pieces.watch(Asset) as watch:
        assert held.stale
        asset.name = "after"
        asset.save()
        watch.wait_live()
        wait_for(lambda: held.name == "after")
        assert heard.take() == [("changed", "Asset", asset.id, {"name", "updated"}, "remote")]
        assert not held.stale


def test_what_is_read_once_a_watch_is_open_is_not_read_twice(pieces, other):
    other.tags.create_many([str(n) for n in range(20)])
    with pieces.watch(Tag) as watch:
        held = pieces.tags.all()
        requests = Requests(pieces)
        watch.wait_live()
        other.tags.create("later")
        wait_for(lambda: "later" in [tag.text for tag in pieces.tags.all()])
        assert requests.made == ["GET /tags"] * len(requests.made)
        assert len(held) == 20


def test_a_first_connection_says_of_no_kind_that_it_changed(pieces, other):
    other.tags.create_many([str(n) for n in range(30)])
    heard = Heard(pieces)
    with pieces.watch(Tag).wait_live():
        marker = other.tags.create("marker")
        wait_for(lambda: heard.events)
        assert heard.take() == [("created", "Tag", marker.id, "remote")]


# News and older answers ----------------------------------------------------------------------------------------------


def test_an_answer_that_is_older_than_news_nobody_wanted_is_read_again(pieces, other):
    asset = other.assets.create("x", name="old")
    with pieces.watch(Asset).wait_live():

        def rename():
            asset.name = "new"
            asset.save()
            marker = pieces.assets.get(other.assets.create("y", name="marker").id)
            other.assets.get(marker.id).delete()
            wait_for(lambda: marker.state is pieces_orm.State.DELETED)  # and so the renaming was heard of

        beside(pieces, "/assets/{asset}", rename)
        held = pieces.assets.get(asset.id)
        wait_for(lambda: held.name == "new")


def test_a_deletion_is_not_undone_by_an_older_document_of_a_neighbour(pieces, other):
    asset, tag = other.assets.create("x"), other.tags.create("t")
    asset.associate(tag)
    with pieces.watch(Tag, Asset).wait_live():
        held = pieces.tags.get(tag.id)

        def delete():
            tag.delete()
            wait_for(lambda: held.state is pieces_orm.State.DELETED)

        beside(pieces, "/assets/{asset}", delete)
        mine = pieces.assets.get(asset.id)
        assert mine.tags.ids == ()
        assert pieces.tags.peek(tag.id) is None


def test_a_handle_that_is_held_hides_no_change(pieces, other):
    tag = other.tags.create("old")
    handle = pieces.tags.ref(tag.id)
    heard = Heard(pieces)
    with pieces.watch(Tag).wait_live():
        tag.text = "new"
        tag.save()
        wait_for(lambda: heard.events)
        assert heard.take() == [("changed", "Tag", tag.id, None, "remote")]
        assert handle.text == "new"


def test_the_echoes_of_associations_and_scores_of_ones_own_are_silent(pieces, other):
    asset, tag = pieces.assets.create("x"), pieces.tags.create("t")
    with pieces.watch(Asset, Tag).wait_live():
        heard = Heard(pieces)
        asset.associate(tag)
        asset.increment_score()
        wait_for(lambda: len(heard.events) == 2)
        asset.disassociate(tag)
        marker = other.assets.create("marker")
        last = other.tags.create("marker")
        wait_for(lambda: {marker.id, last.id} <= {event[2] for event in heard.events})
        assert [event for event in heard.events if event[2] not in (marker.id, last.id)] == [
            ("associated", "Asset", asset.id, "tags", tag.id, "local"),
            ("changed", "Asset", asset.id, {"score", "updated"}, "local"),
            ("disassociated", "Asset", asset.id, "tags", tag.id, "local"),
        ]


def test_what_another_program_associates_while_one_does_so_oneself_is_anothers(pieces, other):
    asset, mine, theirs = pieces.assets.create("x"), pieces.tags.create("mine"), pieces.tags.create("theirs")
    with pieces.watch(Asset).wait_live():
        heard = Heard(pieces)
        path = "/asset/{asset}/tags/associate/{tag}"
        beside(pieces, path, lambda: other.assets.ref(asset.id).associate(other.tags.ref(theirs.id)))
        asset.associate(mine)
        wait_for(lambda: len(heard.events) == 2)
        assert heard.take() == [
            ("associated", "Asset", asset.id, "tags", mine.id, "local"),
            ("associated", "Asset", asset.id, "tags", theirs.id, "remote"),
        ]


# Answers that fail ---------------------------------------------------------------------------------------------------


def test_a_read_that_finds_nothing_once_deletes_nothing_that_is_listed(pieces_server, pieces):
    asset = pieces.assets.create("x", name="saved")
    asset.name = "unsaved"
    heard = Heard(pieces)
    with pieces.watch(Asset).wait_live() as watch:
        pieces_server.faults.answer(404, path=f"/assets/{asset.id}")
        pieces_server.faults.drop_streams()
        wait_for(lambda: watch.state != "live")
        watch.wait_live()
        assert (asset.state, asset.edits) == (pieces_orm.State.LOADED, {"name": "unsaved"})
        assert heard.take() == []


def test_a_status_that_may_mean_gone_is_not_believed_while_the_material_is_listed(pieces_server, pieces, other):
    person = other.persons.create(email="a@example.org")
    held = pieces.persons.get(person.id)
    with pieces.watch(Person).wait_live():
        heard = Heard(pieces)
        pieces_server.faults.answer(500, path=f"/person/{person.id}")
        asset = other.assets.create("x")
        asset.associate(person)
        wait_for(lambda: heard.events)
        assert held.state is pieces_orm.State.LOADED
        assert ("associated", "Person", person.id, "assets", asset.id, "remote") in heard.events


@pytest.mark.slow
def test_one_material_that_cannot_be_read_holds_up_no_other(pieces_server, pieces, other):
    bad, good = other.tags.create("bad"), other.tags.create("good")
    _, mine = pieces.tags.get_many([bad.id, good.id])
    with pieces.watch(Tag).wait_live() as watch:
        pieces_server.faults.answer(400, times=10_000, path=f"/tag/{bad.id}")
        pieces_server.faults.answer(400, times=10_000, path="/tags/batch")
        other.assets.create("x").associate(bad)
        good.text = "better"
        good.save()
        wait_for(lambda: mine.text == "better")
        pieces_server.faults.drop_streams()
        wait_for(lambda: watch.state != "live")
        watch.wait_live()
        assert not mine.stale


def test_very_many_that_may_have_changed_are_read_at_once(pieces_server, pieces, other):
    tags = other.tags.create_many([str(n) for n in range(300)])
    held = pieces.tags.all()
    with pieces.watch(Tag).wait_live() as watch:
        requests = Requests(pieces)
        pieces_server.faults.drop_streams()
        wait_for(lambda: watch.state != "live")
        tags[0].text = "changed"
        tags[0].save()
        watch.wait_live()
        wait_for(lambda: "changed" in [tag.text for tag in held])
        assert len(requests.made) <= 6


def test_ids_that_cannot_be_read_do_not_make_the_stream_connect_again(pieces, monkeypatch):
    connections = []
    connect = websocket.connect
    monkeypatch.setattr(websocket, "connect", lambda *args: (connections.append(args), connect(*args))[1])
    read_ids, failures = reading.read_ids, [ServerError("no", status=500, body="", method="GET", path="/tags")] * 4

    def failing(*args):
        if failures:
            raise failures.pop()
        return read_ids(*args)

    monkeypatch.setattr(reading, "read_ids", failing)
    pieces.watch(Tag).wait_live()
    assert failures == []
    assert len(connections) == 1


def test_a_stream_that_speaks_nonsense_is_tried_less_and_less(proxy, monkeypatch):
    connections = []
    connect = websocket.connect
    monkeypatch.setattr(websocket, "connect", lambda *args: (connections.append(time.monotonic()), connect(*args))[1])
    proxy.frames = lambda payload: [payload, b"ping"]
    with pieces_orm.connect(proxy.url) as session, session.watch(Asset):
        wait_for(lambda: len(connections) == 5)
    pauses = [later - earlier for earlier, later in pairwise(connections)]
    assert pauses[-1] > 2 * backoff.FIRST_PAUSE_S


# Outages -------------------------------------------------------------------------------------------------------------


def test_an_empty_first_frame_after_an_outage_hides_no_change(proxy, other):
    with pieces_orm.connect(proxy.url) as session:
        asset = other.assets.create("x", name="before")
        held = session.assets.get(asset.id)
        with session.watch(Asset).wait_live() as watch:
            heard = Heard(session)
            proxy.refuse()
            wait_for(lambda: watch.state == "lost")
            asset.name = "after"
            asset.save()
            proxy.frames = lambda _: [b'{"iterable": []}']
            proxy.accept()
            wait_for(lambda: held.name == "after")
            assert heard.take() == [("changed", "Asset", asset.id, {"name", "updated"}, "remote")]


def test_a_change_in_an_outage_of_what_nobody_holds_is_told_to_those_who_listen(proxy, other):
    asset, untouched = other.assets.create("x", name="n"), other.assets.create("y", name="u")
    with pieces_orm.connect(proxy.url) as session, session.watch(Asset).wait_live() as watch:
        heard = Heard(session)
        for name in ("during", "again"):
            proxy.refuse()
            wait_for(lambda: watch.state == "lost")
            asset.name = name
            asset.save()
            proxy.accept()
            wait_for(lambda: heard.events)
            watch.wait_live()
            assert heard.take() == [("changed", "Asset", asset.id, None, "remote")]
        assert untouched.id not in {event[2] for event in heard.events}


# Threads -------------------------------------------------------------------------------------------------------------


def test_a_receiver_that_exits_ends_no_thread_of_the_session(pieces, other):
    def leave(sender, entity, **_):
        if entity.text == "exit":
            sys.exit(1)

    pieces.signals.created.connect(leave)
    heard = Heard(pieces)
    with pieces.watch(Tag).wait_live():
        other.tags.create("exit")
        other.tags.create("later")
        wait_for(lambda: len(heard.events) == 2)
    with suppress(SystemExit):
        pieces.tags.create("exit")
        pytest.fail("on a thread of the program's own it goes through")


def test_a_place_that_cannot_be_looked_at_ends_no_stream(pieces_server, monkeypatch):
    with Server() as server, pieces_orm.connect(server.url) as session:

        def broken(_):
            message = "the port file"
            raise OSError(message)

        session._find = broken
        with session.watch(Tag).wait_live() as watch:
            server.restart()
            wait_for(lambda: watch.state == "live")
            session.tags.create("still here")


def test_a_stream_that_is_stopped_while_it_connects_ends(monkeypatch):
    connecting, go_on = threading.Event(), threading.Event()
    connect = websocket.connect

    def slow(*args):
        connecting.set()
        go_on.wait(5)
        return connect(*args)

    monkeypatch.setattr(websocket, "connect", slow)
    with Server() as server:
        reading = websocket.Stream(
            lambda: f"{server.url}/tags/stream/identifiers", dict, opened=lambda: None, frame=lambda _: None,
            lost=lambda _: None, name="tags",
        )  # fmt: skip
        reading.start()
        assert connecting.wait(5)
        reading.stop()
        go_on.set()
        reading.join(5)
        assert not reading.is_alive()


@pytest.mark.slow
def test_a_session_whose_server_is_silent_closes_within_two_seconds(proxy):
    session = pieces_orm.connect(proxy.url)
    session.watch().wait_live()
    proxy.freeze()
    began = time.monotonic()
    session.close()
    assert time.monotonic() - began < 5
    proxy.thaw()


def test_a_reader_who_pauses_keeps_nothing_from_being_forgotten(pieces, other, monkeypatch):
    monkeypatch.setattr(websocket.Frames, "LATE_S", 0.05)
    frames = pieces.assets.stream()
    next(frames)
    asset = other.assets.create("x", name="first")
    tag, mine = pieces.tags.create("t"), pieces.assets.create("y")
    wait_for(lambda: not pieces._context.history._under_way)
    mine.associate(tag)
    tag.delete()
    assert pieces._context.history.is_empty
    asset.name = "second"
    asset.save()
    [late] = [each for each in next(frames) if each.id == asset.id]
    assert late.name == "second"
    frames.close()
