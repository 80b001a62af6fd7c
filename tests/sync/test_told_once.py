"""Each change of another program is told once, whoever saw it first; a session's own stay its own."""

import itertools
import threading
from contextlib import suppress

import pytest

import pieces_orm
from pieces_orm import Annotation, Asset, Format, NotFoundError, State, Tag, WorkstreamEvent
from pieces_orm.sync import known_ids, pending
from pieces_orm.values import Trigger
from tests.support import Clock, Heard, Requests, wait_for
from tests.transport.proxy import proxied

TOUCHES = {
    "get": lambda pieces, key: pieces.tags.get(key),
    "all": lambda pieces, key: pieces.tags.all(),
    "save": lambda pieces, key: rename(pieces.tags.get(key)),
    "associate": lambda pieces, key: pieces.tags.ref(key).associate(pieces.websites.create("https://tides.example")),
    "score": lambda pieces, key: pieces.tags.ref(key).increment_score(),
}


def rename(tag):
    tag.text = "renamed"
    tag.save()
    return tag


def fence(other, heard, cls=Tag):
    """Wait until everything that another program did before has been told."""
    made = other.tags.create("fence") if cls is Tag else other.workstream_events.create(Trigger(copy=True))
    wait_for(lambda: ("created", cls.__name__, made.id, "remote") in heard.events)
    return [event for event in heard.take() if event[2] != made.id]


@pytest.fixture
def heard(pieces):
    """What a session that watches tags, assets, annotations and formats hears."""
    with pieces.watch(Tag, Asset, Annotation, Format) as watch:
        watch.wait_live()
        yield Heard(pieces)


@pytest.mark.parametrize("touch", TOUCHES)
def test_a_material_of_another_program_is_told_once_as_created_whoever_saw_it_first(pieces, other, heard, touch):
    ids = [other.tags.create(f"tide {n}").id for n in range(5)]
    held = [TOUCHES[touch](pieces, id) for id in ids]
    events = fence(other, heard)
    about = {id: [event for event in events if event[2] == id] for id in ids}
    for id in ids:
        assert [event for event in about[id] if event[0] == "created"] == [("created", "Tag", id, "remote")]
        assert about[id][0] == ("created", "Tag", id, "remote")
    assert len(held) == 5


def test_a_live_list_misses_none_that_all_saw_first(pieces, other):
    heard = Heard(pieces)
    with pieces.tags.live() as live:
        live.wait_live()
        ended = threading.Event()

        def make():
            for n in range(60):
                other.tags.create(f"tide {n}")
            ended.set()

        threading.Thread(target=make, daemon=True).start()
        held = []
        while not ended.wait(0.01):
            held = pieces.tags.all()
        wait_for(lambda: len(live) == 60)
    created = [event for event in heard.take() if event[0] == "created"]
    assert (len(created), len({event[2] for event in created}), len(held) <= 60) == (60, 60, True)


def test_a_polled_material_is_told_once_as_created_whoever_saw_it_first(pieces, other):
    with pieces.watch(WorkstreamEvent) as watch:
        watch.wait_live()
        heard = Heard(pieces)
        id = other.workstream_events.create(Trigger(paste=True)).id
        pieces.workstream_events.ref(id).increment_score()
        event = pieces.workstream_events.get(id)
        events = fence(other, heard, WorkstreamEvent)
        assert [each for each in events if each[0] == "created"] == [("created", "WorkstreamEvent", event.id, "remote")]


def test_the_first_connection_of_a_polled_kind_announces_nothing(pieces, other):
    other.workstream_events.create(Trigger(paste=True))
    heard = Heard(pieces)
    with pieces.watch(WorkstreamEvent) as watch:
        watch.wait_live()
        assert fence(other, heard, WorkstreamEvent) == []


def test_a_deletion_that_a_read_found_first_is_told_once(pieces, other, heard):
    tag = pieces.tags.create("tide")
    heard.take()
    other.tags.ref(tag.id).delete()
    with suppress(NotFoundError):
        tag.refresh()
    again = pieces.tags.ref(tag.id)
    [(told, _, id, _)] = fence(other, heard)
    assert (told, id, tag.state, again.state) == ("deleted", tag.id, State.DELETED, again.state)


def test_a_receiver_that_deletes_what_changed_hears_of_it_once(pieces, other, heard):
    tag = pieces.tags.create("tide")

    @pieces.signals.changed.connect_via(Tag)
    def delete(sender, entity, **_):
        if entity.state is State.LOADED:
            entity.delete()

    heard.take()
    rename(other.tags.get(tag.id))
    wait_for(lambda: tag.state is State.DELETED)
    deletions = [event for event in fence(other, heard) if event[0] == "deleted"]
    assert deletions == [("deleted", "Tag", tag.id, "local")]


def test_ones_own_deletion_beside_the_read_of_a_feed_is_told_once(pieces, other, heard):
    tags = pieces.tags.create_many([f"tide {n}" for n in range(20)])
    theirs = other.tags.get_many([tag.id for tag in tags])
    heard.take()
    for mine, their in zip(tags, theirs, strict=True):
        their.increment_score()
        mine.delete()
    deletions = [event for event in fence(other, heard) if event[0] == "deleted"]
    assert deletions == [("deleted", "Tag", tag.id, "local") for tag in tags]


def test_an_annotation_association_is_told_once(pieces, other, heard):
    asset, annotation = pieces.assets.create("x"), pieces.annotations.create("a note", "COMMENT")
    fence(other, heard)
    annotation.assets.add(asset)
    assert annotation.asset is asset
    assert fence(other, heard) == [("associated", "Annotation", annotation.id, "assets", asset.id, "local")]
    other.annotations.ref(annotation.id).disassociate(other.assets.ref(asset.id))
    fence(other, heard)
    wait_for(lambda: annotation.asset is None)


def test_ones_own_create_is_not_told_as_anothers_change_of_its_neighbours(pieces, other, heard):
    asset = pieces.assets.create("x")
    fence(other, heard)
    annotation = pieces.annotations.create("a note", "COMMENT", asset=asset)
    assert {event[-1] for event in fence(other, heard)} == {"local"}
    annotation.delete()
    assert {event[-1] for event in fence(other, heard)} == {"local"}


def test_ones_own_score_does_not_swallow_anothers_change(pieces, other, heard):
    ids = [tag.id for tag in other.tags.create_many([f"tide {n}" for n in range(10)])]
    fence(other, heard)
    for id in ids:
        pieces.tags.ref(id).increment_score()
        other.tags.ref(id).increment_score()
    events = fence(other, heard)
    assert sorted(events) == sorted(("changed", "Tag", id, None, "remote") for id in ids)


def test_ones_own_score_that_the_next_save_reads_first_is_ones_own(pieces, other, heard):
    tag = pieces.tags.create("tide")
    fence(other, heard)
    tag.increment_score()
    tag.text = "ebb"
    tag.save()
    events = fence(other, heard)
    assert {origin for *_, origin in events} == {"local"}
    assert {"score", "text"} == {name for *_, fields, _ in events for name in fields} - {"updated"}


def test_a_description_follows_its_annotation(pieces, other, heard):
    asset = pieces.assets.create("x", description="before")
    [annotation] = [each for each in asset.annotations if each.type == "DESCRIPTION"]
    fence(other, heard)
    annotation.text = "mine"
    annotation.save()
    assert asset.description == "mine"
    assert ("changed", "Asset", asset.id, {"description"}, "local") in fence(other, heard)
    theirs = other.annotations.get(annotation.id)
    theirs.text = "theirs"
    theirs.save()
    wait_for(lambda: asset.description == "theirs")
    assert ("changed", "Asset", asset.id, {"description"}, "remote") in fence(other, heard)
    asset.description = "after"
    asset.save()
    assert (annotation.refresh().text, asset.edits) == ("after", {})
    annotation.delete()
    assert asset.description is None


def test_a_description_follows_its_annotation_also_where_only_assets_are_watched(pieces, other):
    asset = pieces.assets.create("x", description="before")
    theirs = next(each for each in other.assets.get(asset.id).annotations if each.type == "DESCRIPTION")
    with pieces.watch(Asset) as watch:
        watch.wait_live()
        theirs.text = "after"
        theirs.save()
        wait_for(lambda: asset.description == "after")


def test_created_comes_before_anything_else_about_a_material(pieces, other, heard):
    for n, touch in itertools.product(range(3), (rename, lambda tag: tag.delete())):
        id = other.tags.create(f"tide {n}").id
        touch(pieces.tags.get(id))
        events = [event for event in fence(other, heard) if event[2] == id]
        assert (events[0], len(events)) == (("created", "Tag", id, "remote"), 2)


def test_an_echo_stays_ones_own_however_long_its_processing_takes(pieces, other, heard, monkeypatch):
    tag, website = pieces.tags.create("tides"), pieces.websites.create("https://tides.example")
    fence(other, heard)
    clock = Clock()
    monkeypatch.setattr(known_ids, "time", clock)
    holding, released = threading.Event(), threading.Event()

    def hold(sender, entity, **about):
        if entity.text == "slow":
            holding.set()
            assert released.wait(5)

    with pieces.signals.created.connected_to(hold):
        other.tags.create("slow")
        assert holding.wait(5)
        id = tag.id
        pieces.tags.ref(id).associate(website)
        del tag
        known = pieces._context.watching._of(Tag).known
        wait_for(lambda: id in known._heard)
        clock.ahead = 2 * known_ids.MAX_ECHO_S
        released.set()
        events = fence(other, heard)
    assert [event for event in events if event[0] == "changed"] == []


def test_a_burst_of_a_thousand_frames_for_one_id_is_one_fetch_and_one_signal(pieces_server, other, monkeypatch):
    monkeypatch.setattr(pending, "DEBOUNCE_S", 0.2)
    monkeypatch.setattr(pending, "MAX_DEBOUNCE_S", 10)
    with proxied(pieces_server.url) as proxy, pieces_orm.connect(proxy.url) as session:
        asset = session.assets.create("x", name="before")
        with session.watch(Asset).wait_live():
            proxy.frames = lambda payload: [payload] * 1000
            heard, requests = Heard(session), Requests(session)
            theirs = other.assets.get(asset.id)
            theirs.name = "after"
            theirs.save()
            proxy.frames = lambda payload: [payload]
            wait_for(lambda: heard.events)
            other.assets.create("marker").delete()
            assert heard.take() == [("changed", "Asset", asset.id, {"name", "updated"}, "remote")]
            assert requests.take() == [f"GET /assets/{asset.id}"]
