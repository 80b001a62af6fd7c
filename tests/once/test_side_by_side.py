"""One's own write and another's change of the same material, one right after the other: each is told, once."""

from __future__ import annotations

import asyncio

import pytest

from pieces_orm import Tag, WorkstreamEvent
from pieces_orm.values import Trigger
from tests.support import Heard, wait_for

from .fence import Fence

NUMBER = 25

OWN = {
    "score": (lambda session, tag: tag.increment_score(), "score"),
    "association": (lambda session, tag: tag.associate(session.assets.create("x = 1")), None),
    "description": (lambda session, tag: session.annotations.create("a note", tags=[tag]), None),
}


def rename(tag):
    tag.text += " edited"
    tag.save()


@pytest.mark.parametrize("first", ["own", "other"])
@pytest.mark.parametrize("held", [True, False], ids=["held", "nobody"])
@pytest.mark.parametrize("own", OWN)
def test_ones_own_write_does_not_hide_anothers_change(pieces, other, own, held, first):
    act, field = OWN[own]
    theirs = [other.tags.create(f"tag {n}") for n in range(NUMBER)]
    kept = pieces.tags.get_many([tag.id for tag in theirs]) if held else []
    with pieces.watch(Tag) as watch:
        watch.wait_live()
        heard = Heard(pieces)
        for tag in theirs:
            steps = [lambda tag=tag: act(pieces, pieces.tags.ref(tag.id)), lambda tag=tag: rename(tag)]
            for step in steps if first == "own" else steps[::-1]:
                step()
        Fence(heard, other, ["tag"]).wait()
    told = {tag.id: [event for event in heard.events if event[2] == tag.id and event[0] == "changed"] for tag in theirs}
    if held:
        edits = {id: [event[-1] for event in events if "text" in event[3]] for id, events in told.items()}
        assert edits == {id: ["remote"] for id in told}
        if field:
            assert {sum(field in event[3] for event in events) for events in told.values()} == {1}
    else:
        remote = {id: [event[3:] for event in events if event[-1] == "remote"] for id, events in told.items()}
        assert remote == {id: [(None, "remote")] for id in told}
    assert all(tag.text.endswith("edited") for tag in kept)


@pytest.mark.slow  # polls come once a second
def test_ones_own_write_while_its_material_is_read_again_is_not_told_as_anothers(pieces_server, pieces, other):
    tag, id = pieces.tags.create("one"), other.workstream_events.create(Trigger(copy=True)).id
    event = pieces.workstream_events.get(id)
    with pieces.watch(WorkstreamEvent) as watch:
        watch.wait_live()
        heard = Heard(pieces)
        other.workstream_events.ref(id).increment_score()
        wait_for(lambda: heard.events)
        # The polls of the next seconds find the same change again, and read it in vain.
        pieces_server.faults.delay(0.3, times=1, path="/workstream_events/batch/fetch")
        wait_for(lambda: pieces._context.history._under_way)
        event.associate(tag)
        Fence(heard, other, ["workstream_event"]).wait(3)
    told = [each for each in heard.events if each[2] == id]
    assert [each for each in told if each[-1] == "remote"] == [
        ("changed", "WorkstreamEvent", id, {"score", "updated"}, "remote")
    ]
    assert [each[0] for each in told if each[-1] == "local" and each[0] != "changed"] == ["associated"]


async def answer_late(app, scope, receive, send):
    """A fault: the answer is made at once, and comes later."""
    messages = []

    async def keep(message):
        messages.append(message)

    await app(scope, receive, keep)
    await asyncio.sleep(0.3)
    for message in messages:
        await send(message)


@pytest.mark.parametrize("held", [True, False], ids=["held", "nobody"])
@pytest.mark.parametrize("own", ["score", "association"])
def test_an_answer_from_before_ones_own_write_does_not_use_up_its_echo(pieces_server, pieces, other, own, held):
    theirs, asset = other.tags.create("one"), other.assets.create("x = 1")
    kept = pieces.tags.get(theirs.id) if held else None
    with pieces.watch(Tag) as watch:
        watch.wait_live()
        heard = Heard(pieces)
        pieces_server.faults._plan(answer_late, 1, f"/tag/{theirs.id}")
        asset.associate(theirs)  # by the asset's route, so that the fault waits for the feed's read
        wait_for(lambda: not pieces_server.faults._planned)
        OWN[own][0](pieces, pieces.tags.ref(theirs.id))
        Fence(heard, other, ["tag"]).wait()
    told = [event[3:] for event in heard.events if event[2] == theirs.id and event[0] == "changed"]
    # What both did may be told together, as one change that another program had a part in.
    remote = [fields for fields, origin in told if origin == "remote"]
    assert remote in ([], [{"updated"}], [{"score", "updated"}]) if held else remote == [None]
    assert len([each for each in told if each[-1] == "local"]) <= 1
    assert kept is None or asset.id in kept.assets


@pytest.mark.slow  # polls come once a second
def test_a_first_poll_announces_nothing(pieces, other):
    event = other.workstream_events.create(Trigger(copy=True))
    heard = Heard(pieces)
    with pieces.watch(WorkstreamEvent) as watch:
        watch.wait_live()
        fence = Fence(heard, other, ["workstream_event"])
        fence.wait(5)
    assert [each for each in heard.events if each[2] not in fence.markers] == []
    assert event.readable is None


TOUCHES = {
    "all": lambda session, tag: session.tags.all(),
    "associate": lambda session, tag: session.tags.ref(tag.id).associate(session.assets.create("x = 1")),
    "get": lambda session, tag: session.tags.get(tag.id),
    "get_many": lambda session, tag: session.tags.get_many([tag.id]),
    "increment_score": lambda session, tag: session.tags.ref(tag.id).increment_score(),
    "related": lambda session, tag: list(session.assets.get(tag.assets.ids[0]).tags),
    "save": lambda session, tag: rename(session.tags.get(tag.id)),
}


@pytest.mark.parametrize("touch", TOUCHES)
def test_what_another_created_is_told_once_whoever_saw_it_first(pieces, other, touch):
    kept, made = [], []
    asset = other.assets.create("x = 1")
    with pieces.watch(Tag) as watch:
        watch.wait_live()
        heard = Heard(pieces)
        for n in range(10):
            tag = other.tags.create(f"tag {n}", asset=asset)
            made.append(tag.id)
            kept.append(TOUCHES[touch](pieces, tag))
        Fence(heard, other, ["tag"]).wait()
    told = [event[2:] for event in heard.events if event[0] == "created" and event[2] in made]
    assert sorted(told) == sorted((id, "remote") for id in made)
