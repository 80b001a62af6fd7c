"""Changes made anywhere arrive as the same signals."""

from __future__ import annotations

import threading

import pytest

import pieces_orm
from pieces_orm import Anchor, Asset, RequestTimeout, Tag, WorkstreamEvent
from pieces_orm.orm import state_changes
from pieces_orm.values import Trigger
from tests.support import Heard, Requests, wait_for


def test_another_sessions_changes_arrive_once_as_signals_with_what_changed(pieces, other):
    asset = pieces.assets.create("x = 1", name="before")
    with pieces.watch(Asset) as watch:
        watch.wait_live()
        heard = Heard(pieces)
        theirs = other.assets.get(asset.id)
        theirs.name = "after"
        theirs.save()
        wait_for(lambda: heard.events)
        assert heard.take() == [("changed", "Asset", asset.id, {"name", "updated"}, "remote")]
        assert asset.name == "after"
        made = other.assets.create("y = 2", name="new")
        wait_for(lambda: heard.events)
        assert heard.take() == [("created", "Asset", made.id, "remote")]
        made.delete()
        wait_for(lambda: heard.events)
        assert heard.take() == [("deleted", "Asset", made.id, "remote")]


def test_a_remote_association_is_told_once_per_pair(pieces, other):
    asset, tag = pieces.assets.create("x = 1"), pieces.tags.create("one")
    with pieces.watch(Asset, Tag) as watch:
        watch.wait_live()
        heard = Heard(pieces)
        other.assets.ref(asset.id).associate(other.tags.ref(tag.id))
        wait_for(lambda: tag in asset.tags and asset in tag.assets)
        other.assets.create("marker", name="marker")
        wait_for(lambda: any(event[0] == "created" for event in heard.events))
        told = [event for event in heard.take() if event[0] == "associated"]
        assert len(told) == 1
        assert told[0][-1] == "remote"


def test_ones_own_changes_are_told_once_and_their_echo_is_silent(pieces, other):
    with pieces.watch(Asset) as watch:
        watch.wait_live()
        heard = Heard(pieces)
        asset = pieces.assets.create("x = 1", name="before")
        asset.name = "after"
        asset.save()
        marker = other.assets.create("marker", name="marker")
        wait_for(lambda: any(event[2] == marker.id for event in heard.events))
        assert heard.take() == [
            ("created", "Asset", asset.id, "local"),
            ("changed", "Asset", asset.id, {"name", "updated"}, "local"),
            ("created", "Asset", marker.id, "remote"),
        ]


def test_a_first_connection_announces_nothing(pieces, other):
    held = [other.assets.create(f"x = {n}") for n in range(3)]
    heard = Heard(pieces)
    with pieces.watch(Asset) as watch:
        watch.wait_live()
        marker = other.assets.create("marker", name="marker")
        wait_for(lambda: heard.events)
        assert heard.take() == [("created", "Asset", marker.id, "remote")]
    assert len(held) == 3


def test_what_was_missed_while_the_stream_was_lost_is_told_afterwards(pieces_server, pieces, other):
    kept, gone = pieces.assets.create("x = 1", name="kept"), pieces.assets.create("y = 2", name="gone")
    states = []
    pieces.signals.stream_state.connect(lambda sender, kind, state: states.append((kind, state)), weak=False)
    with pieces.watch(Asset) as watch:
        watch.wait_live()
        heard = Heard(pieces)
        pieces_server.faults.answer(404, times=3, path="/assets/stream/identifiers")
        pieces_server.faults.drop_streams()
        wait_for(lambda: watch.state == "lost")
        assert kept.stale
        theirs = other.assets.get(kept.id)
        theirs.name = "changed"
        theirs.save()
        other.assets.get(gone.id).delete()
        made = other.assets.create("z = 3", name="made")
        watch.wait_live(10)
        wait_for(lambda: len(heard.events) >= 3)
        assert sorted(heard.take()) == sorted(
            [
                ("changed", "Asset", kept.id, {"name", "updated"}, "remote"),
                ("deleted", "Asset", gone.id, "remote"),
                ("created", "Asset", made.id, "remote"),
            ]
        )
        assert not kept.stale
    assert states == [("asset", state) for state in ("connecting", "live", "lost", "connecting", "live")]


def test_kinds_without_a_stream_are_polled(pieces, other):
    event = pieces.workstream_events.create(Trigger(copy=True), readable="before")
    with pieces.watch(WorkstreamEvent) as watch:
        watch.wait_live()
        heard = Heard(pieces)
        theirs = other.workstream_events.get(event.id)
        theirs.readable = "after"
        theirs.save()
        made = other.workstream_events.create(Trigger(paste=True))
        wait_for(lambda: len(heard.events) >= 2)
        assert sorted(heard.take()) == sorted(
            [
                ("changed", "WorkstreamEvent", event.id, {"readable", "updated"}, "remote"),
                ("created", "WorkstreamEvent", made.id, "remote"),
            ]
        )
        made.delete()
        wait_for(lambda: heard.events)
        assert heard.take() == [("deleted", "WorkstreamEvent", made.id, "remote")]


def test_changes_is_a_loop_over_the_same_events(pieces, other):
    with pieces.changes(Asset) as changes:
        changes.wait_live()
        made = other.assets.create("x = 1", name="there")
        change = next(changes)
        assert (change.kind, change.id, change.operation, change.origin) == ("asset", made.id, "created", "remote")
        assert change.entity is pieces.assets.peek(made.id)
        made.name = "renamed"
        made.save()
        change = next(changes)
        assert (change.operation, change.fields) == ("changed", {"name", "updated"})
        assert change.before["name"] == "there"
    assert list(changes) == []


def test_closing_the_session_ends_a_loop_over_changes(pieces_server):
    session = pieces_orm.connect(pieces_server.url)
    changes = session.changes(Asset).wait_live()
    seen = []
    thread = threading.Thread(target=lambda: seen.extend(changes))
    thread.start()
    session.close()
    thread.join(5)
    assert not thread.is_alive()
    assert seen == []


def test_wait_live_times_out_with_an_error_that_says_which_stream(pieces_server, pieces):
    pieces_server.faults.answer(503, times=1000, path="/anchors/stream/identifiers")
    with pieces.watch(Anchor) as watch, pytest.raises(RequestTimeout, match="anchors"):
        watch.wait_live(0.3)


def test_a_receiver_may_save_delete_and_raise_from_inside(pieces, other):
    seen = []

    @pieces.signals.created.connect_via(Asset)
    def boom(sender, entity, origin):
        raise RuntimeError("a bad receiver")

    @pieces.signals.created.connect_via(Asset)
    def tidy(sender, entity, origin):
        entity.name = "tidied"
        entity.save()
        seen.append(entity)
        if entity.text == "delete me":
            entity.delete()

    with pieces.watch(Asset) as watch:
        watch.wait_live()
        one = other.assets.create("keep me", name="raw")
        two = other.assets.create("delete me", name="raw")
        wait_for(lambda: len(seen) == 2)
        wait_for(lambda: other.assets.get(two.id, None) is None)
        assert other.assets.get(one.id).name == "tidied"


def test_a_stream_of_whole_assets_and_of_suggestions_ends_with_the_session(pieces_server, pieces, other):
    asset = pieces.assets.create("x = 1", name="first")
    stream = pieces.assets.stream()
    assert next(stream) == [asset]
    made = other.assets.create("y = 2", name="second")
    assert [each.id for each in next(stream)] == [made.id]
    with_contents = pieces.assets.stream(transferables=True)
    assert {each.text for each in next(with_contents)} == {"x = 1", "y = 2"}
    suggestions = pieces.suggestions()
    assert isinstance(next(suggestions), list)
    pieces.close()
    assert list(stream) == list(with_contents) == list(suggestions) == []


def test_ones_own_writes_are_silent_even_when_nobody_holds_the_entity(pieces, other):
    heard = Heard(pieces)
    with pieces.watch(Asset, Tag) as watch:
        watch.wait_live()
        id = pieces.assets.create("x = 1", name="a").id
        asset = pieces.assets.get(id)
        asset.name = "b"
        asset.save()
        asset.associate(pieces.tags.create("one"))
        asset.delete()
        del asset
        markers = {other.assets.create("marker", name="marker").id, other.tags.create("marker").id}
        wait_for(lambda: markers <= {event[2] for event in heard.events})
        remote = [event for event in heard.take() if event[-1] == "remote"]
        assert {event[2] for event in remote} == markers
        assert len(remote) == 2


def test_each_change_is_told_once_while_one_of_them_cannot_be_read(pieces_server, pieces, other):
    heard = Heard(pieces)
    with pieces.watch(Tag) as watch:
        watch.wait_live()
        pieces_server.faults.delay(0.2, times=1, path="/tags/create")
        pieces_server.faults.answer(400, times=2, path="/tag/")
        made = {other.tags.create(f"tag {n}").id for n in range(3)}
        wait_for(lambda: len(heard.events) >= 3)
        other.tags.create("marker")
        wait_for(lambda: len(heard.events) >= 4)
        told = [event[2] for event in heard.take() if event[0] == "created"]
        assert set(told) > made
        assert len(told) == len(set(told)) == 4


def test_an_empty_first_frame_deletes_nothing_that_the_server_still_lists(pieces):
    asset = pieces.assets.create("x = 1", name="kept")
    heard = Heard(pieces)
    with pieces.watch(Asset) as watch:
        watch.wait_live()
        [feed] = watch._feeds
        feed._opened()
        feed._received('{"iterable": []}')
        wait_for(lambda: not feed._pending and not feed._must_compare)
        marker = pieces.assets.create("marker")
        wait_for(lambda: heard.events)
        assert heard.take() == [("created", "Asset", marker.id, "local")]
        assert asset.state.value == "loaded"


def test_a_deletion_that_a_read_finds_first_is_told_once(pieces_server, pieces, other):
    tag = pieces.tags.create("one")
    tag.refresh()
    with pieces.watch(Tag) as watch:
        watch.wait_live()
        heard = Heard(pieces)
        pieces_server.faults.delay(0.2, times=1, path=f"/tag/{tag.id}")
        theirs = other.tags.ref(tag.id)
        theirs.increment_score()
        pieces_server.faults.answer(410, times=1, path=f"/tag/{tag.id}")
        theirs.delete()
        other.tags.create("marker")
        wait_for(lambda: any(event[0] == "created" for event in heard.events))
        assert [event for event in heard.take() if event[2] == tag.id] == [("deleted", "Tag", tag.id, "remote")]


def test_a_handle_that_appears_after_a_deletion_does_not_make_it_told_again(pieces, other):
    tag = other.tags.create("one")
    with pieces.watch(Tag) as watch:
        watch.wait_live()
        heard = Heard(pieces)
        tag.delete()
        wait_for(lambda: heard.events)
        again = pieces.tags.ref(tag.id)
        pieces._context.watching._of(Tag)._emit_deleted(tag.id)
        assert again.state.value == "deleted"
        assert heard.take() == [("deleted", "Tag", tag.id, "remote")]


def test_an_answer_from_before_a_deletion_does_not_tell_the_association_again(pieces, other):
    asset, tag = pieces.assets.create("x = 1"), pieces.tags.create("one")
    asset.associate(tag)
    asset.refresh()
    heard = Heard(pieces)
    with pieces._context.history.request() as older:
        document = asset._state.document
        tag.delete()
        state_changes.apply(pieces._context, asset, document, older, "remote")
    assert tag.id not in asset.tags.ids
    assert heard.take() == [("deleted", "Tag", tag.id, "local")]


def test_a_deletion_that_arrives_while_its_fetch_is_under_way_wins(pieces_server, pieces, other):
    tag = pieces.tags.create("before")
    with pieces.watch(Tag) as watch:
        watch.wait_live()
        heard, requests = Heard(pieces), Requests(pieces)
        theirs, asset = other.tags.get(tag.id), other.assets.create("x")
        pieces_server.faults.delay(0.3, times=1, path=f"/tag/{tag.id}")
        asset.associate(theirs)  # by the asset's route, so that the fault waits for the fetch
        wait_for(lambda: pieces._context.history._under_way)  # the fetch has been sent, and waits at the server
        theirs.delete()
        wait_for(lambda: tag.state.value == "deleted")
        marker = other.tags.create("marker")
        wait_for(lambda: any(event[2] == marker.id for event in heard.events))
        assert [event for event in heard.take() if event[0] == "deleted"] == [("deleted", "Tag", tag.id, "remote")]
        assert pieces.tags.peek(tag.id) is None
        assert f"GET /tag/{tag.id}" in requests.take()


def test_a_receiver_may_close_the_session_from_inside(pieces_server, other):
    session = pieces_orm.connect(pieces_server.url)
    closed = threading.Event()

    @session.signals.created.connect_via(Tag)
    def close(sender, entity, origin):
        session.close()
        closed.set()

    session.watch(Tag, Asset).wait_live()
    held = other.tags.create("the last word")
    assert closed.wait(5)
    with pytest.raises(pieces_orm.DetachedError):
        session.tags.all()
    wait_for(lambda: not [each for each in threading.enumerate() if each.name.startswith("pieces_orm feed")])
    assert held.text == "the last word"


def test_a_receiver_may_associate_from_inside(pieces, other):
    wanted = pieces.tags.create("new")

    @pieces.signals.created.connect_via(Asset)
    def sort(sender, entity, origin):
        entity.associate(wanted)

    with pieces.watch(Asset).wait_live():
        made = other.assets.create("x = 1")
        wait_for(lambda: other.assets.get(made.id).tags.ids == (wanted.id,))
