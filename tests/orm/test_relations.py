"""Relations live as ids, and both sides are kept in step."""

from __future__ import annotations

import pytest

import pieces_orm
from pieces_orm import (
    AmbiguousRelationError,
    Anchor,
    BatchError,
    Entity,
    ReadOnlyFieldError,
    State,
    UnknownRelationError,
    UnsupportedOperationError,
)
from pieces_orm.documents.decoding import encode
from pieces_orm.documents.document import Document
from pieces_orm.orm import reading, state_changes
from pieces_orm.server import Server, Settings
from pieces_orm.values import Trigger
from pieces_orm.wire import associations
from tests.support import Heard, Requests


@pytest.fixture(params=["embedded", "families"])
def pieces_server(request):
    """A server whose documents carry their relations, or one that keeps them apart in families, as newer ones do."""
    with Server(settings=Settings(embed_relations=request.param == "embedded")) as server:
        yield server


embedded = pytest.mark.parametrize("pieces_server", ["embedded"], indirect=True)


@pytest.fixture
def made(pieces):
    """One material of each kind that can be created, by kind."""
    conversation = pieces.conversations.create("talk")
    return {
        "anchor": pieces.anchors.create("/projects/tide-tables"),
        "annotation": pieces.annotations.create("a note", "COMMENT"),
        "asset": pieces.assets.create("x = 1"),
        "conversation": conversation,
        "conversation_message": pieces.messages.create("hello", conversation),
        "hint": pieces.hints.create("why?"),
        "person": pieces.persons.create(name="Ada"),
        "range": pieces.ranges.create(),
        "tag": pieces.tags.create("one"),
        "website": pieces.websites.create("https://tides.example.org"),
        "workstream_event": pieces.workstream_events.create(Trigger(check_in=True)),
        "workstream_pattern_engine_source": pieces.sources.create("a window"),
        "workstream_pattern_engine_source_window": pieces.source_windows.create("main.py"),
        "workstream_summary": pieces.summaries.create("a day"),
    }


CLASSES = {cls._schema.kind.name: cls for cls in Entity._registry.values()}
DECLARED = [
    row
    for row in associations.ASSOCIATIONS
    if row.owner.name in CLASSES and row.relation in CLASSES[row.owner.name]._schema.many
]


def another(pieces, kind, made):
    """A second material of a kind that has relations to itself."""
    makers = {
        "person": lambda: pieces.persons.create(name="Bea"),
        "workstream_summary": lambda: pieces.summaries.create("another"),
        "conversation_message": lambda: pieces.messages.create("again", made["conversation"]),
    }
    return makers[kind]()


def test_every_association_among_the_declared_kinds_is_declared():
    missing = [
        (row.owner.name, row.relation)
        for row in associations.ASSOCIATIONS
        if row.owner.name in CLASSES and row.other.name in CLASSES and row not in DECLARED
    ]
    assert missing == []
    assert len(DECLARED) == 110


@pytest.mark.parametrize("row", DECLARED, ids=lambda row: f"{row.owner.name}-{row.relation}")
def test_both_sides_know_an_association_at_once(pieces, made, row):
    one, other = made[row.owner.name], made[row.other.name]
    if row.owner is row.other:
        other = another(pieces, row.owner.name, made)
    relation = getattr(one, row.relation)
    one.refresh()
    other.refresh()
    declared = type(one)._schema.many[row.relation]
    assert other not in relation
    assert not declared.back or one not in getattr(other, declared.back)
    relation.add(other)
    requests = Requests(pieces)
    assert other in relation
    assert list(relation.ids) == [other.id]
    if declared.back:
        assert one in getattr(other, declared.back)
    assert requests.take() == []
    one.refresh()
    other.refresh()
    assert other in relation
    relation.remove(other)
    assert other not in relation
    if declared.back:
        assert one not in getattr(other, declared.back)
    assert other not in getattr(one.refresh(), row.relation)


def test_associate_finds_the_relation_by_the_kind(pieces, made):
    heard = Heard(pieces)
    anchor, asset = made["anchor"], made["asset"]
    anchor.associate(asset, made["tag"])
    assert heard.take() == [
        ("associated", "Anchor", anchor.id, "assets", asset.id, "local"),
        ("associated", "Anchor", anchor.id, "tags", made["tag"].id, "local"),
    ]
    asset.disassociate(anchor)
    assert heard.take() == [("disassociated", "Asset", asset.id, "anchors", anchor.id, "local")]
    assert asset not in anchor.assets


def test_associating_twice_is_told_once(pieces, made):
    heard = Heard(pieces)
    made["anchor"].associate(made["asset"])
    made["anchor"].associate(made["asset"])
    assert len(heard.take()) == 1


def test_a_pair_without_a_route_is_refused_before_any_request(pieces, made):
    requests = Requests(pieces)
    with pytest.raises(UnknownRelationError, match="Anchor cannot be associated with Website"):
        made["anchor"].associate(made["website"])
    with pytest.raises(UnknownRelationError, match="does not take Tag"):
        made["anchor"].assets.add(made["tag"])
    with pytest.raises(UnknownRelationError, match="no route"):
        made["conversation"].messages.add(made["conversation_message"])
    with pytest.raises(UnknownRelationError):
        made["anchor"].associate(5)
    with pytest.raises(AmbiguousRelationError, match="Pass an entity, or name the relation"):
        made["anchor"].associate("not an entity")
    with pytest.raises(AmbiguousRelationError, match=r"Pass an entity\.$"):
        made["hint"].associate("not an entity")
    assert requests.take() == []


def test_only_the_explicit_relation_can_say_which_is_meant(pieces, made):
    requests = Requests(pieces)
    for one, other, relation in (
        (made["person"], pieces.persons.create(name="Bea"), "persons"),
        (made["workstream_summary"], pieces.summaries.create("another"), "summaries"),
        (made["conversation"], made["conversation_message"], "grounding_messages"),
    ):
        requests.take()
        with pytest.raises(AmbiguousRelationError, match=f"{relation}.add"):
            one.associate(other)
        assert requests.take() == []
        getattr(one, relation).add(other)
        assert other in getattr(one, relation)


def test_several_at_once_apply_what_succeeded_and_name_what_failed(pieces_server, pieces, made):
    tags = [pieces.tags.create(f"tag {n}") for n in range(5)]
    bad = tags[2]
    pieces.request("POST", f"/tags/{bad.id}/delete")  # the session does not know that it is gone
    with pytest.raises(BatchError, match="1 of 5") as caught:
        made["asset"].tags.add(*tags)
    assert list(caught.value.failed) == [bad.id]
    assert set(caught.value.succeeded) == {tag.id for tag in tags} - {bad.id}
    assert set(made["asset"].tags.ids) == {tag.id for tag in tags} - {bad.id}


def test_a_handle_serves_for_commands_and_no_document_is_fetched(pieces_server):
    with pieces_orm.connect(pieces_server.url) as session:
        asset, tag = session.assets.create("x = 1").id, session.tags.create("one").id
        requests = Requests(session)
        session.assets.ref(asset).associate(session.tags.ref(tag))
        session.assets.ref(asset).increment_score()
        session.assets.ref(asset).disassociate(session.tags.ref(tag))
        session.assets.ref(asset).delete()
        assert requests.take() == [
            f"POST /asset/{asset}/tags/associate/{tag}",
            f"POST /asset/{asset}/scores/increment",
            f"POST /asset/{asset}/tags/disassociate/{tag}",
            f"POST /assets/{asset}/delete",
        ]


def test_ids_length_and_membership_of_a_loaded_entity_make_no_request(pieces, made):
    made["anchor"].associate(made["asset"])
    requests = Requests(pieces)
    assets = made["anchor"].assets
    assert (assets.ids, len(assets), bool(assets), made["asset"] in assets, assets.known) == (
        (made["asset"].id,), 1, True, True, True,
    )  # fmt: skip
    assert "1" in repr(assets)
    assert requests.take() == []


@embedded
def test_the_copies_in_a_document_fill_entities_without_a_request(pieces_server):
    with pieces_orm.connect(pieces_server.url) as session:
        id = session.assets.create("x = 1", tags=["one", "two"]).id
        asset = session.assets.get(id)
        requests = Requests(session)
        assert sorted(tag.text for tag in asset.tags) == ["one", "two"]
        assert requests.take() == []


def test_a_nested_copy_never_overwrites_a_loaded_entity(pieces_server, pieces):
    asset = pieces.assets.create("x = 1", tags=["one"])
    tag = pieces.tags.get(asset.tags.ids[0])
    with pieces_orm.connect(pieces_server.url) as other:
        theirs = other.tags.get(tag.id)
        theirs.text = "changed"
        theirs.save()
    asset.refresh()
    assert [each.text for each in asset.tags] == ["one"]
    assert tag.state is State.LOADED
    assert tag.refresh().text == "changed"


def test_a_relation_that_the_server_does_not_tell_is_unknown_not_empty(pieces_server, pieces):
    made = pieces.anchors.create("/projects")
    document = {key: value for key, value in made.raw().items() if key not in ("tags", "assets")}
    with pieces_orm.connect(pieces_server.url) as session:
        poorer = Document(encode(document))
        anchor = state_changes.adopt(
            session._context, Anchor, made.id, poorer, session._context.history.now(), "refresh"
        )
        assert anchor.state is State.LOADED
        assert not anchor.tags.known
        requests = Requests(session)
        assert anchor.tags.ids == ()
        assert requests.take() == ["POST /connect", f"GET /tag_to_anchor_associations/anchor/{made.id}"]
        assert anchor.tags.known


def test_a_relation_is_changed_by_add_and_remove_only(made):
    with pytest.raises(ReadOnlyFieldError, match="add"):
        made["asset"].tags = []
    with pytest.raises(ReadOnlyFieldError, match="only the server"):
        made["conversation_message"].conversation = None


def test_to_one_relations_lead_to_the_entity(pieces, made):
    message = made["conversation_message"]
    assert message.conversation is made["conversation"]
    made["conversation"].refresh()
    assert list(made["conversation"].messages) == [message]
    assert made["asset"].original is made["asset"].formats[0]
    assert made["anchor"].anchor_points[0].anchor is made["anchor"]
    assert made["anchor"].fullpath == "/projects/tide-tables"
    assert made["annotation"].asset is None


def test_what_has_no_route_says_so(pieces, made):
    with pytest.raises(UnsupportedOperationError, match="no operation 'create'"):
        pieces.formats.create()
    with pytest.raises(UnsupportedOperationError, match="no operation 'delete'"):
        made["asset"].original.delete()


@embedded
def test_an_older_answer_never_undoes_an_association_that_was_heard_of_since(pieces_server, pieces):
    with pieces_orm.connect(pieces_server.url) as other:
        theirs, asset_id = other.anchors.create("/projects"), other.assets.create("x = 1").id
        anchor, asset = pieces.anchors.get(theirs.id), pieces.assets.get(asset_id)
        heard = Heard(pieces)
        with pieces._context.history.request() as older:
            document = reading.read(pieces._context.connection, Anchor._schema.kind, anchor.id)
            theirs.associate(other.assets.ref(asset_id))
            asset.refresh()
            state_changes.adopt(pieces._context, Anchor, anchor.id, document, older, "remote")
        assert asset in anchor.assets
        assert anchor in asset.anchors
        anchor.refresh()
        told = [event for event in heard.take() if event[0] != "changed"]
        assert told == [("associated", "Asset", asset_id, "anchors", anchor.id, "refresh")]


def test_an_answer_that_was_asked_for_before_an_association_does_not_lose_it(pieces):
    anchor, asset = pieces.anchors.create("/projects"), pieces.assets.create("x = 1")
    with pieces._context.history.request() as older:
        document = reading.read(pieces._context.connection, Anchor._schema.kind, anchor.id)
        anchor.associate(asset)
        state_changes.apply(pieces._context, anchor, document, older, "refresh")
    assert asset in anchor.assets


def test_a_deletion_is_never_undone_by_a_late_answer(pieces):
    anchor = pieces.anchors.create("/projects")
    with pieces._context.history.request() as older:
        document = reading.read(pieces._context.connection, Anchor._schema.kind, anchor.id)
        anchor.delete()
        assert state_changes.adopt(pieces._context, Anchor, anchor.id, document, older, "refresh") is None
        assert not state_changes.apply(pieces._context, anchor, document, older, "refresh")
    assert anchor.state is State.DELETED
    assert pieces.anchors.peek(anchor.id) is None


def test_an_answer_older_than_a_save_is_not_applied(pieces):
    anchor = pieces.anchors.create("/projects", name="before")
    with pieces._context.history.request() as older:
        document = reading.read(pieces._context.connection, Anchor._schema.kind, anchor.id)
        anchor.name = "after"
        anchor.save()
        state_changes.apply(pieces._context, anchor, document, older, "refresh")
    assert anchor.name == "after"


def test_summaries_are_parents_and_children_of_each_other(pieces_server, pieces):
    day, hour = pieces.summaries.create("a day"), pieces.summaries.create("an hour")
    hour.parents.add(day)
    assert (hour.parents.ids, day.children.ids, day.parents.ids) == ((day.id,), (hour.id,), ())
    with pieces_orm.connect(pieces_server.url) as other:
        theirs = other.summaries.get(day.id)
        assert (theirs.children.ids, theirs.parents.ids, theirs.summaries.ids) == ((hour.id,), (), ())
        theirs.children.remove(other.summaries.ref(hour.id))
    assert hour.refresh().parents.ids == ()
    with pytest.raises(AmbiguousRelationError, match=r"children.*parents.*summaries"):
        day.associate(hour)


def test_the_messages_of_a_conversation_are_read_in_order_with_one_request(pieces_server):
    with pieces_orm.connect(pieces_server.url) as session:
        talk = session.conversations.create("talk")
        ids = [session.messages.create(f"message {n}", talk).id for n in range(5)]
        talk.refresh()
        requests = Requests(session)
        messages = list(talk.messages)
        assert [message.id for message in messages] == ids
        assert [message.text for message in messages] == [f"message {n}" for n in range(5)]
        assert requests.take() == [f"GET /conversation/{talk.id}/messages"]
        assert list(talk.messages) == messages
        assert requests.take() == []


def test_one_route_parts_summaries_from_all_that_joined_them(pieces):
    one, other = pieces.summaries.create("one"), pieces.summaries.create("other")
    one.children.add(other)
    one.summaries.add(other)
    heard = Heard(pieces)
    one.summaries.remove(other)
    assert sorted(event[3] for event in heard.take()) == ["children", "summaries"]
    for mine in (one.children, one.summaries, other.parents, other.summaries):
        assert len(mine) == 0
    assert one.refresh().children.ids == other.refresh().parents.ids == ()
