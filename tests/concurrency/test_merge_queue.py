"""Slow listeners: nothing waits without a bound, and the final state is always told."""

from __future__ import annotations

import threading

import pytest

import pieces_orm
from pieces_orm import Asset, Tag
from pieces_orm.concurrency import merge_queue
from pieces_orm.concurrency.merge_queue import MergeQueue
from tests.support import wait_for


@pytest.fixture
def short(monkeypatch):
    """Two items wait as they are, the others are merged."""
    monkeypatch.setattr(MergeQueue.__init__, "__defaults__", (2,))
    assert merge_queue.MERGE_FROM_ITEMS > 2


def test_a_queue_keeps_order_and_merges_only_what_is_about_the_same_and_only_beyond_its_limit():
    waiting = MergeQueue(lambda one, other: one + other, limit=3)
    for key, item in [("a", "1"), ("a", "2"), ("b", "3"), ("a", "4"), ("c", "5"), ("b", "6")]:
        waiting.put(key, item)
    assert len(waiting) == 4
    assert [waiting.take() for _ in range(5)] == ["1", "24", "36", "5", None]


def test_a_queue_lets_one_wait_for_news_and_go_when_it_is_closed():
    waiting = MergeQueue(lambda one, other: other)
    taken = []
    thread = threading.Thread(target=lambda: taken.extend([waiting.take(wait=True), waiting.take(wait=True)]))
    thread.start()
    waiting.put("a", 1)
    waiting.close()
    thread.join(5)
    assert taken == [1, None]


def test_a_loop_that_is_slow_is_told_the_final_state_of_everything(short, pieces, other):
    with pieces.changes(Asset).wait_live() as changes:
        asset, gone = pieces.assets.create("x", name="0"), pieces.assets.create("y")
        assert [next(changes).operation for _ in range(2)] == ["created", "created"]
        for n in range(1, 6):
            asset.name = str(n)
            asset.save()
        gone.delete()
        tag = pieces.tags.create("one")
        for _ in range(3):
            asset.associate(tag)
            asset.disassociate(tag)
        told = [next(changes) for _ in range(len(changes._subscription.queue))]
    assert [(each.operation, each.id) for each in told] == [
        ("changed", asset.id), ("changed", asset.id), ("deleted", gone.id), ("disassociated", asset.id),
    ]  # fmt: skip
    assert [each.before["name"] for each in told[:2]] == ["0", "1"]
    assert [each.fields for each in told[:2]] == [{"name", "updated"}] * 2
    assert asset.name == "5"


def test_a_material_that_is_new_to_a_slow_loop_is_told_as_created_or_gone_whatever_happened_to_it(short, pieces):
    with pieces.changes(Tag).wait_live() as changes:
        kept, gone = pieces.tags.create("0"), pieces.tags.create("gone")
        kept.text = "1"
        kept.save()
        gone.delete()
        told = [next(changes) for _ in range(len(changes._subscription.queue))]
    assert [(each.operation, each.id) for each in told] == [("created", kept.id), ("deleted", gone.id)]


class Window:
    """A receiver as user interfaces have them: a method, which is another object each time it is looked up."""

    def __init__(self):
        self.heard = []

    def show(self, sender, entity, before, **_):
        self.heard.append(before["name"])


@pytest.mark.parametrize("is_method", [True, False], ids=["method", "function"])
def test_what_waits_for_a_ui_loop_is_merged_beyond_the_limit(short, pieces_server, is_method):
    calls = []
    with pieces_orm.connect(pieces_server.url, dispatch=calls.append) as session:
        window = Window()
        heard = window.heard
        receiver = window.show if is_method else lambda _, entity, before, **__: heard.append(before["name"])
        session.signals.changed.connect(receiver, weak=is_method)
        one, two = session.assets.create("x", name="one"), session.assets.create("y", name="two")
        for n in range(5):
            for asset in (one, two):
                asset.name = str(n)
                asset.save()
        assert len(calls) == 2
        for call in calls:
            call()
        assert heard == ["one", "two"]


def test_a_slow_receiver_stalls_nobody_but_itself(pieces_server, pieces, other):
    """While it sleeps, what is heard is coalesced: many changes of one material are one fetch and one more signal."""
    asset = pieces.assets.create("x", name="before")
    entered, go_on = threading.Event(), threading.Event()
    told = []

    @pieces.signals.changed.connect_via(Asset)
    def slow(sender, entity, **_):
        told.append(entity.name)
        entered.set()
        go_on.wait(5)

    with pieces.watch(Asset, Tag) as watch:
        watch.wait_live()
        theirs = other.assets.get(asset.id)
        for n in range(20):
            theirs.name = str(n)
            theirs.save()
            if n == 0:
                assert entered.wait(5)
        tags = []
        pieces.signals.created.connect(lambda _, entity, **__: tags.append(entity.text), sender=Tag, weak=False)
        other.tags.create("not held up")
        wait_for(lambda: tags == ["not held up"])
        go_on.set()
        wait_for(lambda: asset.name == "19")
        wait_for(lambda: told[-1] == "19")
        assert told == ["0", "19"]
