"""Echoes of this session's own writes: suppressed, never waited for without a bound, never taken for another's."""

import threading

import pieces_orm
from pieces_orm import Tag
from pieces_orm.sync import reconciler
from tests.support import Heard, wait_for


def test_echoes_that_never_come_are_not_waited_for_without_a_bound(monkeypatch, pieces):
    monkeypatch.setattr(reconciler, "MAX_ECHOES", 5)
    with pieces.watch(Tag) as watch:
        watch.wait_live()
        [feed] = watch._feeds
        for n in range(20):
            feed.reconciler.wrote(f"id-{n}", None, deleted=False)
        assert list(feed.reconciler._echoes) == [f"id-{n}" for n in range(15, 20)]


def test_saving_and_scoring_one_kind_at_once_while_watching_block_nothing(pieces, monkeypatch):
    """Both report their writes to the feed, one of them under the session's lock."""
    tag, scored = pieces.tags.create("first"), pieces.tags.create("second")
    with pieces.watch(Tag) as watch:
        watch.wait_live()
        [feed] = watch._feeds
        inside, wrote = threading.Event(), feed.reconciler.wrote

        def slow(id, updated, *, deleted):
            inside.wait(0.002)
            wrote(id, updated, deleted=deleted)

        monkeypatch.setattr(feed.reconciler, "wrote", slow)
        stop = threading.Event()

        def score():
            while not stop.is_set():
                scored.increment_score()

        thread = threading.Thread(target=score, daemon=True)
        thread.start()
        for n in range(40):
            tag.text = f"tag {n}"
            tag.save()
        stop.set()
        thread.join(5)
        assert not thread.is_alive()


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
