"""Changes that a session watches reach its scopes from one fetch; writes of one are remote to the others."""

from __future__ import annotations

import gc
import weakref
from contextlib import contextmanager

import pytest

import pieces_orm
from pieces_orm import Anchor, Annotation, Asset, Tag, UsageError
from pieces_orm.server import Server, Settings
from tests.support import Heard, Requests, wait_for


@pytest.fixture
def watching(pieces):
    """The session, while it watches these kinds."""
    with pieces.watch(Asset, Tag, Anchor, Annotation) as watch:
        watch.wait_live()
        yield pieces


def settled(other, *heard):
    """Wait until all that was done before was told: each kind has a thread of its own, and a last material."""
    last = {other.tags.create("last").id, other.assets.create("last").id, other.anchors.create("/the/last").id}
    for each in heard:
        wait_for(lambda each=each: last <= {event[2] for event in each.events})
        each.events[:] = [event for event in each.events if event[2] not in last]


@contextmanager
def late_answers(session, path, until):
    """Keep the answers to requests of a session from it until a condition holds."""
    send = session._context.connection._transport.send

    def late(method, target, **how):
        answer = send(method, target, **how)
        if target == path:
            wait_for(until)
        return answer

    session._context.connection._transport.send = late
    try:
        yield
    finally:
        session._context.connection._transport.send = send


def in_step(other, *sessions):
    """Wait until all that was done before was told to these sessions."""
    settled(other, *map(Heard, sessions))


def test_a_change_elsewhere_reaches_the_session_and_its_scopes_from_one_fetch(watching, other):
    tag = other.tags.create("tide")
    with watching.scope() as holder, watching.scope() as listener, watching.scope() as idle:
        mine, theirs = watching.tags.get(tag.id), holder.tags.get(tag.id)
        heard = [Heard(each) for each in (watching, holder, listener)]
        settled(other, *heard)
        assert [each.take()[0] for each in heard] == [("created", "Tag", tag.id, "remote")] * 3
        requests = [Requests(each) for each in (watching, holder, listener, idle)]
        website = other.websites.create("https://tides.example")
        tag.websites.add(website)
        wait_for(lambda: all(each.events for each in heard))
        assert [each.take() for each in requests] == [[f"GET /tag/{tag.id}"], [], [], []]
        settled(other, *heard)
        assert mine.websites.ids == theirs.websites.ids == (website.id,)
        told = [
            ("changed", "Tag", tag.id, {"updated"}, "remote"),
            ("associated", "Tag", tag.id, "websites", website.id, "remote"),
        ]
        assert [each.take() for each in heard] == [told, told, [("changed", "Tag", tag.id, None, "remote")]]
        assert idle._context.identity_map.is_empty


def test_relations_that_documents_leave_out_are_read_once_for_all_scopes():
    with (
        Server(settings=Settings(embed_relations=False)) as server,
        pieces_orm.connect(server.url) as other,
        pieces_orm.connect(server.url) as session,
        session.scope() as one,
        session.scope() as two,
    ):
        tag = other.tags.create("tide")
        website = other.websites.create("https://tides.example")
        session.watch(Tag).wait_live()
        held = [each.tags.get(tag.id) for each in (session, one, two)]
        assert [each.websites.ids for each in held] == [()] * 3
        requests = [Requests(each) for each in (session, one, two)]
        tag.websites.add(website)
        wait_for(lambda: all(each.websites.known and each.websites.ids == (website.id,) for each in held))
        documents, *related = requests[0].take()
        assert documents == f"GET /tag/{tag.id}"
        assert len(related) == len(set(related)) == 1
        assert [each.take() for each in requests[1:]] == [[], []]


def test_what_a_scope_writes_is_local_there_and_remote_elsewhere_once(watching, other):
    anchor = other.anchors.create("/before")
    with watching.scope() as own, watching.scope() as sibling:
        entities = [each.anchors.get(anchor.id) for each in (watching, own, sibling)]
        in_step(other, watching)
        heard = [Heard(each) for each in (watching, own, sibling)]
        entities[1].name = "after"
        entities[1].save()
        made = own.tags.create("made here")
        asset = own.assets.create("x = 1", name="one.py")
        made.assets.add(asset)
        made.delete()
        settled(other, *heard)
        assert [each.name for each in entities] == ["after"] * 3
        mine = heard[1].take()
        assert {event[-1] for event in mine} == {"local"}
        for each in (heard[0], heard[2]):
            theirs = each.take()
            assert {event[-1] for event in theirs} == {"remote"}
            about_anchor = [event for event in theirs if event[2] == anchor.id]
            assert about_anchor == [("changed", "Anchor", anchor.id, {"name", "updated"}, "remote")]
            about_tag = [event[0] for event in theirs if event[2] == made.id]
            assert about_tag in (["created", "deleted"], [])  # it may be gone before anybody has looked
            assert [event[0] for event in theirs if event[2] == asset.id].count("created") == 1
        assert [event[0] for event in mine if event[2] == made.id] == ["created", "associated", "deleted"]
        assert [event for event in mine if event[2] == anchor.id] == [
            ("changed", "Anchor", anchor.id, {"name", "updated"}, "local")
        ]


def test_what_the_session_writes_is_remote_in_its_scopes(watching, other):
    with watching.scope() as scope:
        heard = [Heard(watching), Heard(scope)]
        tag = watching.tags.create("tide")
        wait_for(lambda: heard[1].events)
        held = scope.tags.get(tag.id)
        asset = watching.assets.create("x = 1")
        asset.tags.add(tag)
        wait_for(lambda: asset.id in held.assets.ids)
        tag.delete()
        wait_for(lambda: held.state.value == "deleted")
        settled(other, *heard)
        assert {event[-1] for event in heard[0].take()} == {"local"}
        theirs = [event for event in heard[1].take() if event[2] == tag.id and "updated" not in event[3]]
        assert theirs == [
            ("created", "Tag", tag.id, "remote"),
            ("associated", "Tag", tag.id, "assets", asset.id, "remote"),
            ("deleted", "Tag", tag.id, "remote"),
        ]


def test_a_deletion_is_confirmed_once_and_told_once_everywhere(watching, other):
    tag = other.tags.create("tide")
    with watching.scope() as one, watching.scope() as two:
        held = [each.tags.get(tag.id) for each in (watching, one, two)]
        in_step(other, watching)
        heard = [Heard(each) for each in (watching, one, two)]
        requests = Requests(watching)
        tag.delete()
        settled(other, *heard)
        assert [each.take() for each in heard] == [[("deleted", "Tag", tag.id, "remote")]] * 3
        assert not [each for each in requests.take() if tag.id in each]
        assert {each.state.value for each in held} == {"deleted"}
        assert [each.tags.peek(tag.id) for each in (watching, one, two)] == [None] * 3


def test_a_create_is_told_once_in_each_scope_whoever_makes_it(watching, other):
    with watching.scope() as one, watching.scope() as two:
        sessions = [watching, one, two, other]
        heard = [Heard(each) for each in sessions[:3]]
        made = [session.tags.create(f"{n}") for n, session in enumerate(sessions)]
        settled(other, *heard)
        for place, each in enumerate(heard):
            events = each.take()
            assert [event for event in events if event[0] != "created"] == []
            assert {event[2]: event[3] for event in events} == {
                tag.id: "local" if n == place else "remote" for n, tag in enumerate(made)
            }
            assert len(events) == len(made)


def test_a_report_of_what_a_scope_is_creating_waits_for_its_answer_there_alone(watching, pieces_server):
    """The answer to the create is late: the report comes first, and must not be told in the scope as another's."""
    with watching.scope() as scope:
        heard = [Heard(watching), Heard(scope)]
        requests = Requests(watching)
        with late_answers(scope, "/tags/create", until=lambda: heard[0].events):
            tag = scope.tags.create("late")
        wait_for(lambda: heard[0].events)
        wait_for(lambda: heard[1].events)
        assert heard[0].take() == [("created", "Tag", tag.id, "remote")]
        assert heard[1].take() == [("created", "Tag", tag.id, "local")]
        assert requests.take()[0] == f"GET /tag/{tag.id}"


def test_changes_beside_what_is_held_reach_a_scope_too(watching, other):
    asset = other.assets.create("x = 1", name="tide.py")
    with watching.scope() as scope:
        held = scope.assets.get(asset.id)
        assert held.description is None
        asset.description = "of the sea"
        asset.save()
        wait_for(lambda: held.description == "of the sea")


def test_a_scope_that_is_opened_before_the_session_watches_is_reached_too(pieces, other):
    tag = other.tags.create("tide")
    with pieces.scope() as scope:
        held = scope.tags.get(tag.id)
        heard = Heard(scope)
        with pieces.watch(Tag) as watch:
            watch.wait_live()
            tag.delete()
            wait_for(lambda: heard.events)
        assert heard.take() == [("deleted", "Tag", tag.id, "remote")]
        assert held.state.value == "deleted"


def test_the_first_list_of_a_watch_announces_nothing_in_a_scope(pieces, other):
    held = pieces.tags.create("tide")
    with pieces.scope() as scope:
        heard = Heard(scope)
        with pieces.watch(Tag) as watch:
            watch.wait_live()
            last = other.tags.create("last").id
            wait_for(lambda: ("created", "Tag", last, "remote") in heard.events)
            assert heard.take() == [("created", "Tag", last, "remote")]
    del held


def test_an_outage_is_caught_up_in_a_scope_too(watching, other, pieces_server):
    tag, gone = other.tags.create("tide"), other.tags.create("ebb")
    with watching.scope() as scope:
        held, lost = scope.tags.get(tag.id), scope.tags.get(gone.id)
        in_step(other, watching, scope)
        states = []
        scope.signals.stream_state.connect(lambda _, kind, state: states.append((kind, state)), weak=False)
        heard = Heard(scope)
        pieces_server.faults.drop_streams()
        wait_for(lambda: ("tag", "lost") in states)
        website = other.websites.create("https://tides.example")
        tag.websites.add(website)
        gone.delete()
        new = other.tags.create("neap")
        wait_for(lambda: ("tag", "live") in states[states.index(("tag", "lost")) :], timeout=10)
        wait_for(lambda: len(heard.events) >= 3)
        assert sorted(event for event in heard.take() if "updated" not in event[3]) == sorted(
            [
                ("associated", "Tag", held.id, "websites", website.id, "remote"),
                ("created", "Tag", new.id, "remote"),
                ("deleted", "Tag", lost.id, "remote"),
            ]
        )


def test_without_a_watch_a_scope_and_its_session_are_like_two_sessions(pieces):
    mine = pieces.anchors.create("/before", name="before")
    with pieces.scope() as scope:
        heard = Heard(pieces)
        theirs = scope.anchors.get(mine.id)
        assert theirs is not mine
        theirs.name = "after"
        theirs.save()
        assert (mine.name, heard.take()) == ("before", [])
        mine.refresh()
        assert (mine.name, heard.take()) == (
            "after", [("changed", "Anchor", mine.id, {"name", "updated"}, "refresh")]
        )  # fmt: skip


@pytest.mark.parametrize("call", ["watch", "changes"])
def test_a_scope_cannot_watch_and_the_error_names_who_can(pieces, call):
    with pieces.scope() as scope:
        with pytest.raises(UsageError, match="on the session that it was opened from"):
            getattr(scope, call)(Tag)
        with pytest.raises(UsageError, match="on the session that it was opened from"):
            scope.tags.live()


def test_a_scope_that_is_forgotten_leaks_nothing(watching, other):
    scope = watching.scope()
    tag = scope.tags.get(other.tags.create("tide").id)
    tag.text = "edited, and never saved" if not tag._schema.fields["text"].readonly else tag.text
    ref, entity = weakref.ref(scope._context), weakref.ref(tag)
    del scope, tag
    gc.collect()
    other.tags.create("another")
    wait_for(lambda: (gc.collect(), ref() is None)[1])
    assert entity() is None
    assert watching._context.scopes() == []


def test_an_entity_keeps_its_forgotten_scope_in_step(watching, other):
    theirs = other.tags.create("tide")
    held = watching.scope().tags.get(theirs.id)
    gc.collect()
    theirs.delete()
    wait_for(lambda: held.state.value == "deleted")


def test_receivers_of_a_scope_that_was_left_hear_nothing_more(watching, other):
    with watching.scope() as scope:
        heard, mine = Heard(scope), Heard(watching)
        other.tags.create("one")
        wait_for(lambda: heard.events)
    heard.take()
    other.tags.create("two")
    settled(other, mine)
    assert heard.take() == []
