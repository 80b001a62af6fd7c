"""Relations that documents leave out are unknown, not empty: they are asked for once, from the association families."""

from __future__ import annotations

import pytest

import pieces_orm
from pieces_orm import Anchor, Asset, Entity, UnsupportedOperationError, endpoints, families
from pieces_orm.server import Server, Settings
from tests.conformance.test_associations import make

from .support import Requests


@pytest.fixture
def poorer():
    """A server whose documents leave their relations out, as newer ones do."""
    with Server(settings=Settings(embed_relations=False)) as server:
        yield server


@pytest.fixture
def session(poorer):
    with pieces_orm.connect(poorer.url) as session:
        yield session


def test_an_unknown_relation_is_asked_for_once(poorer, session):
    anchor, asset = session.anchors.create("/projects"), session.assets.create("x = 1", tags=["one"])
    anchor.associate(asset)
    with pieces_orm.connect(poorer.url) as other:
        theirs = other.anchors.get(anchor.id)
        assert not theirs.assets.known
        requests = Requests(other)
        assert theirs.assets.ids == (asset.id,)
        assert theirs.assets.known
        assert asset.id in theirs.assets
        assert requests.take() == [f"GET /anchor_to_asset_associations/anchor/{anchor.id}"]
        assert theirs.tags.ids == ()
        assert requests.take() == [f"GET /tag_to_anchor_associations/anchor/{anchor.id}"]
        assert [tag.text for tag in other.assets.get(asset.id).tags] == ["one"]


def test_prefetch_reads_the_families_of_many_in_bulk(poorer, session):
    anchors = [session.anchors.create(f"/projects/{n}") for n in range(3)]
    assets = [session.assets.create(f"x = {n}", tags=["shared"]) for n in range(3)]
    for anchor, asset in zip(anchors, assets, strict=True):
        anchor.associate(asset)
    with pieces_orm.connect(poorer.url) as other:
        theirs = other.anchors.all()
        requests = Requests(other)
        held = other.prefetch(theirs, Anchor.assets, Asset.tags)
        assert len(held) == 3 + 3 + 1
        made = requests.take()
        assert made[0] == "POST /anchor_to_asset_associations/anchor/bulk"
        assert sorted(made[1:4]) == sorted(f"GET /assets/{asset.id}" for asset in assets)
        assert made[4] == "POST /tag_to_asset_associations/asset/bulk"
        assert len(made) == 6
        assert {tag.text for anchor in theirs for asset in anchor.assets for tag in asset.tags} == {"shared"}
        assert requests.take() == []


def test_a_kind_with_itself_is_read_from_both_sides(poorer, session):
    one, two = session.persons.create(name="Ada"), session.persons.create(name="Bea")
    one.persons.add(two)
    with pieces_orm.connect(poorer.url) as other:
        assert other.persons.get(one.id).persons.ids == (two.id,)
        assert other.persons.get(two.id).persons.ids == (one.id,)


def test_an_association_is_known_even_when_documents_leave_it_out(session):
    anchor, asset = session.anchors.create("/projects").refresh(), session.assets.create("x = 1")
    assert asset not in anchor.assets
    anchor.associate(asset)
    assert asset in anchor.assets
    assert asset in anchor.refresh().assets


def test_where_there_is_no_family_it_is_said_so(poorer, session):
    made = session.conversations.create("talk")
    with pieces_orm.connect(poorer.url) as other:
        talk = other.conversations.get(made.id)
        with pytest.raises(UnsupportedOperationError, match="unknown, not empty"):
            len(talk.grounding_messages)
        assert not talk.grounding_messages.known


def test_a_server_without_families_is_asked_once(poorer, session):
    poorer.faults.answer(404, times=100, path="/anchor_to_asset_associations")
    ids = [session.anchors.create(f"/x/{n}").id for n in range(2)]
    with pieces_orm.connect(poorer.url) as other:
        anchors = other.anchors.get_many(ids)
        requests = Requests(other)
        for anchor in anchors:
            with pytest.raises(UnsupportedOperationError):
                len(anchor.assets)
        asked = [line for line in requests.take() if "associations" in line]
        assert asked == [f"GET /anchor_to_asset_associations/anchor/{ids[0]}"]


def test_long_relations_are_read_in_pages(poorer, session, monkeypatch):
    monkeypatch.setattr(families, "PAGE", 2)
    anchor = session.anchors.create("/projects")
    tags = [session.tags.create(f"tag {n}") for n in range(5)]
    anchor.tags.add(*tags)
    with pieces_orm.connect(poorer.url) as other:
        assert set(other.anchors.get(anchor.id).tags.ids) == {tag.id for tag in tags}


def test_every_family_leads_to_kinds_that_are_declared():
    kinds = {cls.kind for cls in Entity.registry.values()}
    assert all(side.owner in kinds and side.other in kinds for side in families.SIDES)
    assert len(families.SIDES) == 2 * 62
    assert len({side.family for side in families.SIDES}) == 62


@pytest.mark.parametrize("row", endpoints.ASSOCIATIONS, ids=lambda row: f"{row.owner.name}-{row.relation}")
def test_every_association_is_read_from_its_family_or_said_to_be_unknown(poorer, session, row):
    one, other = make(session, row.owner.name), make(session, row.other.name)
    getattr(one, row.relation).add(other)
    with pieces_orm.connect(poorer.url) as fresh:
        related = getattr(fresh[type(one)].get(one.id), row.relation)
        assert not related.known
        if families.sides_of(row.owner, row.relation, row.other):
            assert related.ids == (other.id,)
            assert next(iter(related)).id == other.id
        else:
            with pytest.raises(UnsupportedOperationError, match="unknown, not empty"):
                len(related)


def test_prefetching_a_hundred_anchors_with_ten_assets_each_costs_one_bulk_read_a_level(poorer, session):
    tag = session.tags.create("shared")
    assets = [session.assets.create(f"x = {n}", language="py", tags=[tag]) for n in range(10)]
    for n in range(100):
        session.anchors.create(f"/projects/{n}").assets.add(*assets)
    with pieces_orm.connect(poorer.url) as other:
        theirs = other.anchors.all()
        held = other.assets.all()
        requests = Requests(other)
        reached = other.prefetch(theirs, Anchor.assets, Asset.tags)
        assert requests.take() == [
            "POST /anchor_to_asset_associations/anchor/bulk",
            "POST /tag_to_asset_associations/asset/bulk",
            f"GET /tag/{tag.id}",
        ]
        assert len(reached) == 100 + 10 + 1
        assert sum(len(anchor.assets) for anchor in theirs) == 1000
        assert {asset for anchor in theirs for asset in anchor.assets} == set(held)
        assert requests.take() == []
