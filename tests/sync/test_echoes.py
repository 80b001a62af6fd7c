"""Echoes of this session's own writes: suppressed, never waited for without a bound, never taken for another's."""

import threading

import pytest

import pieces_orm
from pieces_orm import DetachedError, Tag
from pieces_orm.sync import known_ids
from pieces_orm.sync.listing import Listing
from tests.support import Heard, wait_for


def test_echoes_that_never_come_are_not_waited_for_without_a_bound(monkeypatch, pieces):
    monkeypatch.setattr(known_ids, "MAX_EXPECTED", 5)
    with pieces.watch(Tag) as watch:
        watch.wait_live()
        known = pieces._context.watching._of(Tag).known
        for n in range(20):
            known.wrote(f"id-{n}", None, n, origin="echo")
        assert list(known._writes) == [f"id-{n}" for n in range(15, 20)]


def test_a_feed_takes_note_of_a_write_without_the_lock_of_the_session(pieces):
    """A save reports its write with that lock held, other writes without it: a second order would be a deadlock."""
    with pieces.watch(Tag) as watch:
        watch.wait_live()
        known = pieces._context.watching._of(Tag).known
        done = threading.Event()

        def write():
            known.wrote("an-id", None, 1, origin="echo")
            known.removed("an-id")
            done.set()

        with pieces._context.lock:
            threading.Thread(target=write, daemon=True).start()
            assert done.wait(2)


def test_an_echo_that_is_expected_ends_with_its_watch(pieces, other):
    tag = pieces.tags.create("before")
    id = tag.id
    with pieces.watch(Tag) as watch:
        watch.wait_live()
        tag.increment_score()
    del tag
    heard = Heard(pieces)
    with pieces.watch(Tag) as watch:
        watch.wait_live()
        theirs = other.tags.get(id)
        theirs.text = "after"
        theirs.save()
        wait_for(lambda: ("changed", "Tag", id, None, "remote") in heard.events)


def test_a_receiver_that_sets_the_saved_value_leaves_no_edit(pieces):
    tag = pieces.tags.create("before")

    @pieces.signals.changed.connect_via(Tag)
    def again(sender, entity, **_):
        entity.text = entity.text

    tag.text = "after"
    tag.save()
    assert tag.edits == {}


def test_an_entity_with_edits_that_was_deleted_is_not_held(pieces, other):
    tag = pieces.tags.create("before")
    tag.text = "mine"
    category = tag.category
    tag.category = "HANDLE"
    with pieces.watch(Tag) as watch:
        watch.wait_live()
        other.tags.ref(tag.id).delete()
        wait_for(lambda: tag.state is pieces_orm.State.DELETED)
    tag.revert("text")
    assert pieces._context.identity_map._edited == {}
    assert category != "HANDLE"


def test_a_live_list_on_a_closed_session_opens_nothing(pieces):
    pieces.close()
    with pytest.raises(DetachedError):
        pieces.tags.live()
    assert pieces._context.watching.feeds._feeds == {}


def test_a_save_right_after_an_association_leaves_what_that_changed_the_sessions_own(pieces):
    listing = Listing()
    listing.take_first({"a"}, {}, 0.0)
    known = known_ids.KnownIds(listing, pieces._context)
    known.wrote("a", None, 1, origin="echo")
    known.wrote("a", b'"2026-01-01T00:00:00Z"', 2)
    assert known.echo_origin("a") == "echo"
    known.wrote("a", None, 3, origin="part")
    known.wrote("a", None, 4, origin="echo")
    assert known.echo_origin("a") == "part"
