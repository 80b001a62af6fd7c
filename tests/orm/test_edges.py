"""Orders of events that are rare, and what must hold in each of them."""

from __future__ import annotations

import threading

import pytest

import pieces_orm
from pieces_orm import ConflictError, InvalidValueError, NotFoundError, State, UsageError
from pieces_orm.orm import state_changes
from pieces_orm.values import AnchorType, Trigger
from tests.support import Heard, Requests, wait_for


def changed_elsewhere(server, anchor, name):
    with pieces_orm.connect(server.url) as other:
        theirs = other.anchors.get(anchor.id)
        theirs.name = name
        theirs.save()


@pytest.fixture
def anchor(pieces):
    return pieces.anchors.create("/projects/tide-tables", name="A")


def test_setting_a_field_back_after_another_changed_it_stays_an_edit(pieces_server, anchor):
    anchor.name = "B"
    changed_elsewhere(pieces_server, anchor, "C")
    anchor.refresh()
    anchor.name = "A"
    assert anchor.edits == {"name": "A"}
    with pytest.raises(ConflictError):
        anchor.save()
    anchor.name = "C"
    assert anchor.edits == {}


def test_what_is_set_while_a_save_is_under_way_wins_over_its_answer(pieces_server, pieces, anchor):
    anchor.name = "B"
    pieces_server.faults.delay(0.3, times=1, path="/anchor/update")
    saving = threading.Thread(target=anchor.save)
    saving.start()
    wait_for(lambda: pieces._context.history.writes_of(anchor._schema.kind, anchor.id))
    anchor.name = "A"
    saving.join()
    assert anchor.name == "A"
    assert anchor.edits == {"name": "A"}
    anchor.save()
    assert pieces.anchors.get(anchor.id).raw()["name"] == "A"


def test_an_empty_editing_block_that_fails_loses_no_edit_and_no_base(pieces_server, anchor):
    anchor.name = "B"
    changed_elsewhere(pieces_server, anchor, "C")
    anchor.refresh()
    with pytest.raises(RuntimeError), anchor.editing():
        raise RuntimeError
    assert anchor.edits == {"name": "B"}
    with pytest.raises(ConflictError):
        anchor.save()


def test_of_editing_blocks_within_blocks_the_outermost_saves(pieces, anchor):
    requests = Requests(pieces)
    with pytest.raises(RuntimeError), anchor.editing():
        anchor.name = "B"
        with anchor.editing():
            anchor.watch = True
        raise RuntimeError
    assert (anchor.name, anchor.edits, requests.take()) == ("A", {}, [])


def test_an_exception_inside_editing_is_the_one_that_is_raised(anchor):
    with pytest.raises(RuntimeError, match="mine"), anchor.editing():
        anchor.name = "B"
        anchor.delete()
        raise RuntimeError("mine")
    assert anchor.state is State.DELETED


def test_a_removed_name_can_be_shown_and_can_conflict(pieces_server, anchor):
    anchor.name = None
    assert anchor.id in repr(anchor)
    changed_elsewhere(pieces_server, anchor, "C")
    with pytest.raises(ConflictError, match=anchor.id):
        anchor.save()


def test_to_one_relations_follow_newer_documents_and_both_sides_are_in_step(pieces):
    conversation = pieces.conversations.create("talk")
    message = pieces.messages.create("hello", conversation)
    assert message in conversation.messages
    conversation.refresh()
    assert message in conversation.messages
    message.delete()
    assert message.id not in conversation.messages.ids


def test_what_a_seed_associates_is_known_on_both_sides(pieces, anchor):
    event = pieces.workstream_events.create(Trigger(copy=True), anchors=[anchor])
    assert anchor in event.anchors
    assert event in anchor.workstream_events


def test_everything_is_checked_before_anything_is_sent(pieces_server, pieces, anchor):
    asset = pieces.assets.create("x = 1")
    with pieces_orm.connect(pieces_server.url) as other:
        foreign = other.tags.create("foreign")
        requests = Requests(pieces)
        with pytest.raises(UsageError, match="another session"):
            anchor.associate(asset, foreign)
        with pytest.raises(UsageError, match="another session"):
            pieces.assets.create("y = 2", tags=[foreign])
        assert requests.take() == []


def test_what_get_many_finds_gone_is_deleted_here_too(pieces_server, pieces, anchor):
    asset = pieces.assets.create("x = 1")
    anchor.associate(asset)
    heard = Heard(pieces)
    with pieces_orm.connect(pieces_server.url) as other:
        other.assets.get(asset.id).delete()
    assert pieces.assets.get_many([asset.id], missing="skip") == []
    assert asset.state is State.DELETED
    assert heard.take() == [("deleted", "Asset", asset.id, "refresh")]
    assert list(anchor.assets) == []


def test_refreshing_a_handle_that_is_gone_makes_it_deleted_silently(pieces):
    heard = Heard(pieces)
    handle = pieces.anchors.ref("no-such-anchor")
    with pytest.raises(NotFoundError):
        handle.refresh()
    assert (handle.state, heard.take()) == (State.DELETED, [])


def test_an_edit_of_a_partial_copy_loads_first(pieces_server):
    with pieces_orm.connect(pieces_server.url) as session:
        id = session.assets.create("x = 1", tags=["one"]).id
        tag = session.assets.get(id).tags.refs()[0]
        assert tag.state is State.PARTIAL
        requests = Requests(session)
        tag.text = "two"
        assert requests.take() == [f"GET /tag/{tag.id}"]
        assert tag.state is State.LOADED


def test_expired_raw_is_read_anew_and_an_older_answer_does_not_unexpire(pieces_server, pieces, anchor):
    with pieces._context.history.request() as older:
        document = anchor._state.document
        anchor.expire()
        assert not state_changes.apply(pieces._context, anchor, document, older, "refresh")
    assert anchor.state is State.EXPIRED
    changed_elsewhere(pieces_server, anchor, "C")
    assert anchor.raw()["name"] == "C"


def test_members_of_another_enum_are_refused(pieces):
    annotation = pieces.annotations.create("a note", "COMMENT")
    with pytest.raises(InvalidValueError):
        annotation.type = AnchorType.FILE
    annotation.type = "SUMMARY"
    annotation.save()
    assert annotation.refresh().type == "SUMMARY"


def test_anchors_are_found_by_relative_paths_too(pieces, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    first = pieces.anchors.get_or_create("rel/dir")
    assert pieces.anchors.get_or_create("rel/dir") is first
    assert pieces.anchors.exists(tmp_path / "rel" / "dir")


def test_a_dispatch_that_raises_undoes_nothing(pieces_server):
    def closed(deliver):
        raise RuntimeError("loop is closed")

    with pieces_orm.connect(pieces_server.url, dispatch=closed) as session:
        session.signals.created.connect(lambda sender, **_: None, weak=False)
        tag = session.tags.create("one")
        assert session.tags.get(tag.id) is tag


def test_a_session_that_is_closed_stays_closed(pieces_server):
    session = pieces_orm.connect(pieces_server.url)
    session.close()
    for act in (
        lambda: session.assets.ref("a"),
        lambda: session.assets.stream(),
        lambda: session.suggestions(),
        lambda: session.changes(),
        lambda: session.watch(),
        lambda: session.request("GET", "/assets"),
    ):
        with pytest.raises(pieces_orm.DetachedError):
            act()


def test_two_saves_at_once_leave_no_edit_behind(pieces_server, anchor):
    """The first answer gives the edit of the second another base; the second answer forgets it all the same."""
    pieces_server.faults.delay(0.2, times=1, path="/anchor/update")
    anchor.name = "B"
    first = threading.Thread(target=anchor.save)
    first.start()
    wait_for(lambda: anchor._context.history.writes_of(anchor._schema.kind, anchor.id))
    anchor.name = "C"
    pieces_server.faults.delay(0.4, times=1, path="/anchor/update")
    second = threading.Thread(target=anchor.save)
    second.start()
    first.join()
    second.join()
    assert anchor.edits == {}
    assert anchor.name == "C"
