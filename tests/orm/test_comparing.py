"""Relations compare by what they contain, and a text in one is an id or a natural key, never a silent False."""

from __future__ import annotations

import pytest

import pieces_orm
from pieces_orm import BatchError, InvalidValueError, Session
from pieces_orm.server import Server, Settings
from tests.support import Requests
from tests.wire.recorder import recording


@pytest.fixture(params=["embedded", "families"])
def pieces_server(request):
    """A server whose documents carry their relations, or one that keeps them apart, as newer ones do."""
    with Server(settings=Settings(embed_relations=request.param == "embedded")) as server:
        yield server


@pytest.fixture
def asset(pieces):
    made = pieces.assets.create("x = 1", tags=["tides", "moon"], websites=["https://tides.example"], persons=["Ada"])
    made.associate(pieces.anchors.create("/projects/tide-tables"), pieces.persons.create(email="ada@example.org"))
    return made


def test_a_relation_equals_itself_and_a_list_of_the_same_entities(pieces, asset):
    tags = list(asset.tags)
    assert asset.tags == asset.tags
    assert asset.tags == tags
    assert tags == asset.tags
    assert asset.tags == tuple(tags)
    assert (asset.tags != tags) is False
    assert asset.conversations == []


def test_relations_differ_by_members_order_kind_and_session(pieces, other, asset):
    tags = list(asset.tags)
    same = pieces.anchors.create("/x")
    same.associate(*tags)
    assert same.tags == [same.tags[0], same.tags[1]]
    assert asset.tags != tags[:1]
    assert asset.tags != tags[::-1]
    assert asset.tags != [tag.id for tag in tags]
    assert asset.tags != asset.websites
    assert asset.tags != other.assets.get(asset.id).tags
    assert asset.tags != 5
    assert (asset.tags == same.tags) is (asset.tags.ids == same.tags.ids)


def test_a_relation_is_no_key(asset):
    with pytest.raises(TypeError, match="unhashable"):
        hash(asset.tags)


def test_comparing_what_is_known_makes_no_request(pieces, asset):
    tags = list(asset.tags)
    requests = Requests(pieces)
    assert asset.tags == tags
    assert requests.take() == []


def test_a_text_in_a_relation_is_the_id_or_the_natural_key_of_a_member(pieces_server, asset):
    with pieces_orm.connect(pieces_server.url) as session:
        found = session.assets.get(asset.id)
        assert "tides" in found.tags
        assert "heights" not in found.tags
        assert "https://tides.example" in found.websites
        assert "https://moon.example" not in found.websites
        assert "/projects/tide-tables" in found.anchors
        assert "/projects/../projects/tide-tables/" in found.anchors
        assert "/projects" not in found.anchors
        with pytest.raises(InvalidValueError, match="not empty"):
            assert "" in found.anchors
        assert "Ada" in found.persons
        assert "ada@example.org" in found.persons
        assert "Bea" not in found.persons
        assert all(tag.id in found.tags for tag in asset.tags)


def test_the_id_of_a_member_and_an_entity_cost_no_request(pieces, asset):
    [tag, _] = asset.tags
    stranger = pieces.tags.create("heights")
    requests = Requests(pieces)
    assert tag.id in asset.tags
    assert stranger not in asset.tags
    assert "tides" in asset.tags, "the members are loaded"
    assert requests.take() == []


def test_a_kind_without_natural_keys_takes_a_text_for_an_id_alone(pieces, asset):
    [anchor] = asset.anchors
    assert anchor.assets.ids == (asset.id,)
    requests = Requests(pieces)
    assert asset.id in anchor.assets
    assert "x = 1" not in anchor.assets
    assert requests.take() == []


def test_an_id_that_is_given_twice_is_read_once_and_returned_twice(pieces_server):
    with pieces_orm.connect(pieces_server.url) as session:
        tag, moon = session.tags.create("tides"), session.tags.create("moon")
        requests = Requests(session)
        found = session.tags.get_many([tag.id, moon.id, tag.id])
        assert found == [tag, moon, tag]
        assert found[0] is found[2] is tag
        assert len(requests.take()) <= 2


def test_an_id_that_is_given_twice_takes_one_get_where_there_is_no_batch():
    with recording() as recorder, Session(recorder.url, api_key="x") as session:
        recorder.answer("GET", "/tag/t", body={"id": "t", "text": "tides"})
        recorder.answer("GET", "/tag/gone", 410)
        recorder.answer("POST", "/tags/batch/fetch", 404)
        first, second = session.tags.get_many(["t", "t"])
        assert first is second
        assert recorder.lines() == ["GET /tag/t"]
        with pytest.raises(BatchError) as caught:
            session.tags.get_many(["gone", "gone"])
        assert list(caught.value.failed) == ["gone"]
        assert session.tags.get_many(["t", "gone", "t"], missing="skip") == [first, first]
