"""Natural keys wherever an entity is taken: one rule, and the requests of each call."""

from __future__ import annotations

from pathlib import Path

import pytest

import pieces_orm
from pieces_orm import (
    AmbiguousRelationError,
    InvalidValueError,
    NotFoundError,
    SeveralFoundError,
    UnknownRelationError,
)
from pieces_orm.server import Server, Settings
from tests.support import Requests

NO_ID = "11111111-2222-3333-4444-555555555555"


def test_add_finds_or_creates_what_a_key_names_and_remove_creates_nothing(session, requests):
    asset = session.assets.create("x = 1")
    asset.tags.add("k1", "k2")
    held = list(asset.tags)
    assert sorted(tag.text for tag in held) == ["k1", "k2"]
    other = session.assets.create("y = 1")
    other.tags.add("k1")
    assert session.tags.find("k1") in other.tags
    assert session.tags.count() == 2
    requests.take()
    asset.tags.remove("k1")
    assert requests.take() == [f"POST /asset/{asset.id}/tags/disassociate/{session.tags.find('k1').id}"]
    assert [tag.text for tag in asset.tags] == ["k2"]
    requests.take()
    with pytest.raises(NotFoundError, match="None of these tags has the text 'k1'"):
        asset.tags.remove("k2", "k1")
    assert requests.take() == []
    assert "k2" in asset.tags


def test_every_kind_with_keys_is_named_by_them_in_relations(session):
    asset = session.assets.create("x = 1")
    asset.websites.add("https://tides.example/a")
    asset.anchors.add(Path("/projects/a.py"), "/projects/b.py")
    asset.persons.add("Ada Lovelace", "ada@tides.example")
    assert "https://tides.example/a" in asset.websites
    assert Path("/projects/a.py") in asset.anchors
    assert "/projects/../projects/b.py" in asset.anchors
    assert "Ada Lovelace" in asset.persons
    assert "ada@tides.example" in asset.persons
    assert [each.type.basic.email for each in asset.persons] == [None, "ada@tides.example"]
    asset.anchors.remove(Path("/projects/a.py"))
    asset.persons.remove("Ada Lovelace")
    assert [anchor.fullpath for anchor in asset.anchors] == ["/projects/b.py"]
    assert [each.type.basic.name for each in asset.persons] == [None]


def test_a_text_in_the_form_of_an_id_is_an_id_everywhere(session, requests):
    asset, tag = session.assets.create("x = 1"), session.tags.create("by id")
    requests.take()
    asset.tags.add(tag.id)
    assert requests.take() == [f"POST /asset/{asset.id}/tags/associate/{tag.id}"]
    assert tag.id in asset.tags
    assert tag.id.upper() not in asset.tags
    assert session.assets.create("y", tags=[tag.id]).tags.ids == (tag.id,)
    assert session.summaries.create("s", tags=[tag.id], assets=[asset.id]).assets.ids == (asset.id,)
    asset.tags.remove(tag.id)
    assert asset.tags.ids == ()
    assert NO_ID not in asset.tags


@pytest.mark.parametrize("embed", [True, False], ids=["embedded", "families"])
def test_membership_by_key_is_free_when_the_keys_are_known_else_the_missing_are_loaded_together(embed):
    with Server(settings=Settings(embed_relations=embed)) as server:
        with pieces_orm.connect(server.url) as writer:
            asset_id = writer.assets.create("x = 1", tags=["m1", "m2", "m3"]).id
        with pieces_orm.connect(server.url) as session:
            asset = session.assets.get(asset_id)
            requests = Requests(session)
            assert "m2" in asset.tags
            first = requests.take()
            assert first == ([] if embed else first)
            assert len(first) <= 3
            held = list(asset.tags)
            requests.take()
            assert "m1" in asset.tags
            assert "nothing" not in asset.tags
            assert requests.take() == []
            for tag in held[:2]:
                tag.expire()
            assert "nothing" not in asset.tags
            assert len(requests.take()) == 1, "one read of the two that are not known"


def test_associate_takes_keys_that_only_one_kind_has(session):
    asset = session.assets.create("x = 1")
    asset.associate("https://tides.example/b", Path("/projects/c.py"))
    assert "https://tides.example/b" in asset.websites
    assert Path("/projects/c.py") in asset.anchors
    asset.disassociate("https://tides.example/b", Path("/projects/c.py"))
    assert not asset.websites
    assert not asset.anchors


def test_what_a_key_cannot_mean_is_refused_before_any_request(session, requests):
    asset, anchor = session.assets.create("x = 1"), session.anchors.create("/projects/d.py")
    requests.take()
    for text in ("tides", "ada@tides.example", asset.id):
        with pytest.raises(AmbiguousRelationError, match=r"tags.add"):
            asset.associate(text)
    with pytest.raises(AmbiguousRelationError, match="which kind of material"):
        anchor.associate("https://an.anchor/has/no/websites")
    with pytest.raises(InvalidValueError, match="ids in the form of a UUID"):
        anchor.assets.add("my asset")
    with pytest.raises(InvalidValueError, match="not empty"):
        asset.tags.add("kept", "")
    with pytest.raises(InvalidValueError, match="takes Tag entities"):
        asset.tags.add(Path("/projects"))
    with pytest.raises(UnknownRelationError):
        asset.tags.add(anchor)
    assert 5 not in asset.tags
    assert Path("/projects") not in asset.tags
    assert "x" not in asset.formats
    assert requests.take() == []


def test_creations_take_keys_for_all_that_they_name(session):
    event = session.workstream_events.create(
        pieces_orm.values.Trigger(copy=True), tags=["t1", "t2"], anchors=[Path("/projects/e.py")], persons=["Grace"]
    )
    assert "t1" in event.tags
    assert "t2" in event.tags
    assert "Grace" in event.persons
    note = session.annotations.create("a note", anchor="/projects/e.py", person="Grace", websites=["https://e.example"])
    assert note.anchor is event.anchors[0]
    assert note.person is event.persons[0]
    assert "https://e.example" in note.websites
    talk = session.conversations.create("talk", anchors=["/projects/e.py", "/projects/f.py"])
    assert sorted(each.fullpath for each in talk.anchors) == ["/projects/e.py", "/projects/f.py"]
    assert session.tags.create("t3", person="Grace").persons.refs() == [event.persons[0]]
    point = session.anchor_points.create("/projects/f.py", "/elsewhere/f.py")
    assert point.anchor is session.anchors.find("/projects/f.py")


def test_a_creation_that_is_refused_creates_nothing_that_it_names(session, requests):
    requests.take()
    for act in (
        lambda: session.persons.create(anchors=["/projects/never.py"]),
        lambda: session.annotations.create("note", tags=["never", ""]),
        lambda: session.summaries.create_many([{"name": "s", "tags": ["never"]}, {"name": 5}]),
        lambda: session.assets.create("x", tags=["never", 5]),
    ):
        with pytest.raises(InvalidValueError):
            act()
    assert requests.take() == []


def test_one_of_several_members_with_a_key_must_be_named_by_itself(session):
    asset = session.assets.create("x = 1")
    twins = [session.persons.create(name="Twin"), session.persons.create(name="Twin", email="t@example.org")]
    asset.persons.add(*twins)
    assert "Twin" in asset.persons
    with pytest.raises(SeveralFoundError, match="2 of them") as caught:
        asset.persons.remove("Twin")
    assert sorted(caught.value.ids) == sorted(twin.id for twin in twins)
    asset.persons.remove("t@example.org")
    assert asset.persons.refs() == twins[:1]
