"""Live collections: a mirror that applies their events by index shows what the list shows, which is what there is."""

from __future__ import annotations

import gc
import threading

import pytest

import pieces_orm
from pieces_orm import ServerError, Tag
from tests.support import wait_for


class Mirror:
    """What a list widget does with the events: rows by index, and a log of what happened."""

    def __init__(self, live):
        self.rows = list(live)
        self.log = []
        live.inserted.connect(self._inserted)
        live.removed.connect(self._removed)
        live.moved.connect(self._moved)
        live.changed.connect(self._changed)

    def _inserted(self, sender, index, entity):
        self.rows.insert(index, entity)
        self.log.append(("inserted", index))

    def _removed(self, sender, index, entity):
        assert self.rows.pop(index) is entity
        self.log.append(("removed", index))

    def _moved(self, sender, index, before, entity):
        assert self.rows.pop(before) is entity
        self.rows.insert(index, entity)
        self.log.append(("moved", before, index))

    def _changed(self, sender, index, entity):
        assert self.rows[index] is entity
        self.log.append(("changed", index))


def names(live):
    return [asset.name for asset in live]


def test_every_change_made_anywhere_is_an_event_by_index(pieces, other):
    for name in ("b", "d"):
        other.assets.create("x", name=name)
    with pieces.assets.live(key=lambda asset: asset.name).wait_live() as live:
        mirror = Mirror(live)
        assert names(live) == ["b", "d"]
        made = other.assets.create("x", name="c")
        wait_for(lambda: mirror.log == [("inserted", 1)])
        made.name = "e"
        made.save()
        wait_for(lambda: mirror.log[1:] == [("moved", 1, 2)])
        made.favorited = True
        made.save()
        wait_for(lambda: mirror.log[2:] == [("changed", 2)])
        made.delete()
        wait_for(lambda: mirror.log[3:] == [("removed", 2)])
        assert names(live) == ["b", "d"]
        assert mirror.rows == list(live) == live[0:2]
        assert live.index(live[1]) == 1
        assert live[-1] is live[1]


def test_own_changes_are_events_as_well(pieces):
    with pieces.tags.live(key=lambda tag: tag.text).wait_live() as live:
        mirror = Mirror(live)
        tag = pieces.tags.create("b")
        pieces.tags.create("a")
        tag.text = "0"
        tag.save()
        tag.delete()
        assert mirror.log == [("inserted", 0), ("inserted", 0), ("moved", 1, 0), ("removed", 0)]
        assert [tag.text for tag in live] == ["a"]


def test_the_newest_come_first_by_default(pieces):
    made = [pieces.tags.create(text) for text in ("a", "b", "c")]
    with pieces.tags.live() as live:
        assert list(live) == sorted(made, key=lambda tag: (tag.created, tag.id), reverse=True)
        pieces.tags.create("d")
        assert live[0].text == "d"


def test_where_lets_entities_in_and_out_also_by_their_relations(pieces, other):
    tag = pieces.tags.create("wanted")
    one, two = (pieces.assets.create("x", name=name) for name in ("one", "two"))
    with pieces.assets.live(key=lambda asset: asset.name, where=lambda asset: tag in asset.tags).wait_live() as live:
        mirror = Mirror(live)
        assert list(live) == []
        other.assets.ref(one.id).associate(other.tags.ref(tag.id))
        wait_for(lambda: names(live) == ["one"])
        two.associate(tag)
        assert names(live) == ["one", "two"]
        one.disassociate(tag)
        assert names(live) == ["two"]
        assert [event for event in mirror.log if event[0] != "changed"] == [
            ("inserted", 0), ("inserted", 1), ("removed", 0),
        ]  # fmt: skip


def test_it_is_in_step_again_after_an_outage(pieces_server, pieces, other):
    gone, kept = (other.assets.create("x", name=name) for name in ("gone", "kept"))
    with pieces.assets.live(key=lambda asset: asset.name).wait_live() as live:
        mirror = Mirror(live)
        states = []
        pieces.signals.stream_state.connect(lambda sender, kind, state: states.append(state), weak=False)
        pieces_server.faults.answer(503, times=2, path="/assets/stream/identifiers")
        pieces_server.faults.drop_streams()
        wait_for(lambda: "lost" in states)
        gone.delete()
        kept.name = "a new name"
        kept.save()
        other.assets.create("x", name="made")
        live.wait_live()
        wait_for(lambda: names(live) == ["a new name", "made"])
        assert mirror.rows == list(live)


def test_its_entities_are_held_for_as_long_as_it_is_open(pieces):
    ids = {pieces.tags.create(text).id for text in "abc"}
    live = pieces.tags.live()
    gc.collect()
    assert {tag.id for tag in live} == {id for id in ids if pieces.tags.peek(id) is not None} == ids
    live.close()
    del live
    gc.collect()
    assert [id for id in ids if pieces.tags.peek(id) is not None] == []


def test_values_that_are_none_are_sorted_last(pieces):
    unset, no, yes = (pieces.assets.create("x", name=name) for name in ("unset", "no", "yes"))
    for asset, value in ((no, False), (yes, True)):
        asset.favorited = value
        asset.save()
    with pieces.assets.live(key=lambda asset: asset.favorited) as live:
        assert list(live) == [no, yes, unset]


def test_a_key_that_raises_leaves_the_list_as_it_was(pieces, caplog):
    def number(tag):
        return int(tag.text)

    tag = pieces.tags.create("2")
    with pieces.tags.live(key=number) as live:
        pieces.tags.create("1")
        pieces.tags.create("no number")
        tag.text = "neither"
        tag.save()
        assert [tag.text for tag in live] == ["1", "neither"]
        tag.text = "0"
        tag.save()
        assert [tag.text for tag in live] == ["0", "1"]
    assert len(caplog.records) == 2
    with pytest.raises(ValueError, match="no number"):
        pieces.tags.live(key=number)
    assert pieces._context.watching.feeds._feeds == {}


def test_an_entity_whose_key_raised_takes_its_place_once_it_changes(pieces, other, caplog):
    with pieces.tags.live(key=lambda tag: int(tag.text)).wait_live() as live:
        other.tags.create("1")
        late = other.tags.create("no number")
        wait_for(lambda: "cannot place" in caplog.text)
        gc.collect()
        late.text = "0"
        late.save()
        wait_for(lambda: [tag.text for tag in live] == ["0", "1"])


def test_keys_that_cannot_be_compared_leave_the_list_as_it_was(pieces, caplog):
    tag = pieces.tags.create("2")
    with pieces.tags.live(key=lambda tag: int(tag.text) if tag.text.isdigit() else tag.text) as live:
        pieces.tags.create("1")
        tag.text = "two"
        tag.save()
        assert [each.text for each in live] == ["1", "two"]
        assert "cannot place" in caplog.text


def test_closing_the_session_closes_it_and_the_list_stays_as_it_is(pieces_server):
    session = pieces_orm.connect(pieces_server.url)
    tag = session.tags.create("a")
    live = session.tags.live()
    session.close()
    assert list(live) == [tag]
    assert "closed" in repr(live)


def test_with_dispatch_all_events_come_on_the_loops_thread(pieces_server, other):
    calls = []
    with pieces_orm.connect(pieces_server.url, dispatch=calls.append) as session:
        live = session.tags.live(key=lambda tag: tag.text).wait_live()
        threads = []
        live.inserted.connect(lambda sender, **_: threads.append(threading.current_thread()), weak=False)
        other.tags.create("a")
        wait_for(lambda: calls)
        assert list(live) == []
        while calls:
            calls.pop(0)()
        assert [tag.text for tag in live] == ["a"]
        assert threads == [threading.current_thread()]


def test_many_threads_at_once_leave_list_and_mirror_equal(pieces):
    with pieces.tags.live(key=lambda tag: tag.text).wait_live() as live:
        mirror = Mirror(live)

        def work(n):
            for step in range(8):
                tag = pieces.tags.create(f"{step} {n}")
                tag.text = f"{9 - step} {n}"
                tag.save()
                if step % 3 == 0:
                    tag.delete()

        threads = [threading.Thread(target=work, args=(n,)) for n in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        wait_for(lambda: mirror.rows == list(live))
        assert [tag.text for tag in live] == sorted(tag.text for tag in pieces.tags.all())
        assert all(isinstance(tag, Tag) for tag in live)


def test_a_list_that_cannot_be_read_leaves_nothing_open(pieces_server, pieces):
    pieces_server.faults.answer(500, times=100, path="/tags")
    with pytest.raises(ServerError):
        pieces.tags.live()
    pieces_server.faults.clear()
    assert pieces._context.watching.feeds._feeds == {}
    assert pieces.signals.created.receivers == {}
    with pieces.tags.live() as live:
        assert list(live) == []
        with pytest.raises(ValueError, match="not in"):
            live.index(pieces.tags.ref("nothing"))
        with pytest.raises(IndexError, match="no index 0"):
            live[0]
