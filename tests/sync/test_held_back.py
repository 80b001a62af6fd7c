"""Signals, locks and threads: no receiver runs under a lock that another thread may wait for."""

import threading

from pieces_orm import Annotation, Asset
from tests.support import Heard, wait_for


def test_receivers_that_save_each_others_entities_do_not_wait_for_each_other(pieces):
    one, two = pieces.assets.create("1", description="a"), pieces.assets.create("2", description="b")
    notes = [each.refresh() for asset in (one, two) for each in asset.annotations]
    met = threading.Barrier(2, timeout=5)
    busy = set()

    @pieces.signals.changed.connect_via(Annotation)
    def save_the_other(sender, entity, **_):
        mine = next(each for each in (one, two) if entity.id in each.annotations.ids)
        if mine.id in busy:
            return
        busy.add(mine.id)
        met.wait()
        other = two if mine is one else one
        other.name = f"after {mine.id}"
        other.save()

    def describe(asset, text):
        asset.description = text
        asset.save()

    threads = [threading.Thread(target=describe, args=(asset, "new"), daemon=True) for asset in (one, two)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert not any(thread.is_alive() for thread in threads)
    assert {note.text for note in notes} == {"new"}
    assert (one.name, two.name) == (f"after {two.id}", f"after {one.id}")


def test_a_report_is_not_put_off_for_ever_by_creates_that_overlap(pieces, other):
    with pieces.watch(Asset) as watch:
        watch.wait_live()
        heard, ended = Heard(pieces), threading.Event()

        def create():
            while not ended.is_set():
                pieces.assets.create("mine")

        threads = [threading.Thread(target=create, daemon=True) for _ in range(3)]
        for thread in threads:
            thread.start()
        try:
            made = other.assets.create("theirs")
            wait_for(lambda: ("created", "Asset", made.id, "remote") in heard.events)
        finally:
            ended.set()
            for thread in threads:
                thread.join(5)


def test_an_expired_entity_tells_none_of_its_own_associations_again(pieces, other):
    asset, tag = pieces.assets.create("x"), pieces.tags.create("tide")
    heard = Heard(pieces)
    asset.associate(tag)
    asset.expire()
    assert list(asset.tags) == [tag]
    assert [event for event in heard.take() if event[0] == "associated"] == [
        ("associated", "Asset", asset.id, "tags", tag.id, "local")
    ]


def test_a_held_nested_copy_follows_a_newer_one(pieces, other):
    asset = pieces.assets.get(pieces.assets.create("x", tags=["two"]).id)
    [tag] = [pieces.tags.ref(id) for id in asset.tags.ids]
    [copy] = asset.tags
    assert (copy is tag, tag.text) == (True, "two")
    theirs = other.tags.get(tag.id)
    theirs.text = "five"
    theirs.save()
    asset.refresh()
    assert tag.text == "five"
