"""Relations that documents leave out are unknown, not empty: they are asked for once, from the association families."""

from __future__ import annotations

from collections import Counter

import pytest

import pieces_orm
from pieces_orm import Anchor, Asset, Entity, NotFoundError, UnsupportedOperationError
from pieces_orm.documents import decoding
from pieces_orm.server import Server, Settings
from pieces_orm.server.domain.asset_seeds import create_asset, draft_asset
from pieces_orm.server.domain.relations import end_of
from pieces_orm.server.domain.seeds import SeedWriter
from pieces_orm.wire import association_reads, associations, kinds
from pieces_orm.wire.other_kinds import OTHER_KINDS
from tests.conformance.test_associations import make
from tests.support import Heard, Requests, wait_for


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


@pytest.mark.parametrize("owners", [1, 2], ids=["of one", "of several"])
def test_a_404_of_a_family_that_answered_before_is_no_reason_to_do_without_it(poorer, session, owners):
    anchors = [session.anchors.create(f"/projects/{n}") for n in range(owners)]
    asset = session.assets.create("x = 1")
    with pieces_orm.connect(poorer.url) as other:
        theirs = [other.anchors.get(each.id) for each in anchors]
        held = other.prefetch(theirs, Anchor.assets)
        assert [each.assets.ids for each in theirs] == [()] * owners
        heard = Heard(other)
        with other.watch(Anchor).wait_live():
            path = "/anchor_to_asset_associations/anchor/" + ("bulk" if owners > 1 else anchors[0].id)
            poorer.faults.answer(404, path=path)
            for each in anchors:
                each.associate(asset)
            # Long before a route that is missing is asked for again.
            wait_for(lambda: {e[2] for e in heard.events if e[0] == "associated"} == {e.id for e in anchors}, 3)
        assert held == theirs


def test_a_404_of_a_family_that_answered_before_is_raised(poorer, session):
    anchor, asset = session.anchors.create("/projects"), session.assets.create("x = 1")
    anchor.associate(asset)
    with pieces_orm.connect(poorer.url) as other:
        theirs = other.anchors.get(anchor.id)
        assert theirs.assets.ids == (asset.id,)
        theirs.expire()
        poorer.faults.answer(404, path=f"/anchor_to_asset_associations/anchor/{anchor.id}")
        with pytest.raises(NotFoundError):
            _ = theirs.assets.ids
        assert theirs.assets.ids == (asset.id,)


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
        assert made[1] == "POST /assets/batch/fetch"
        assert made[2] == "POST /tag_to_asset_associations/asset/bulk"
        assert made[3].startswith("GET /tag/")
        assert len(made) == 4
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


def test_what_has_no_family_stays_in_the_documents(poorer, session):
    talk = session.conversations.create("talk")
    talk.grounding_messages.add(session.messages.create("hello", talk))
    parent, child = session.summaries.create("parent"), session.summaries.create("child")
    parent.children.add(child)
    asset = session.assets.create("x = 1")
    session.activities.create({}, asset=asset)
    with pieces_orm.connect(poorer.url) as other:
        assert len(other.conversations.get(talk.id).grounding_messages) == 1
        assert other.summaries.get(parent.id).children.ids == (child.id,)
        assert other.summaries.get(child.id).parents.ids == (parent.id,)
        assert len(other.assets.get(asset.id).activities) == 1


def test_a_description_is_read_and_saved_where_documents_leave_annotations_out(poorer, session):
    made = session.assets.create("x = 1", description="base")
    with pieces_orm.connect(poorer.url) as other:
        asset = other.assets.get(made.id)
        assert asset.description == "base"
        asset.description = "mine"
        asset.save()
        assert (made.refresh().description, asset.description) == ("mine", "mine")
        made.description = "theirs"
        made.save()
        asset.description = "mine again"
        with pytest.raises(pieces_orm.ConflictError) as caught:
            asset.save()
        assert caught.value.theirs == {"description": "theirs"}
        asset.save(overwrite=True)
        assert [each.text for each in other.annotations.all()] == ["mine again"]


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
    monkeypatch.setattr(association_reads, "MAX_ROWS_PER_PAGE", 2)
    anchor = session.anchors.create("/projects")
    tags = [session.tags.create(f"tag {n}") for n in range(5)]
    anchor.tags.add(*tags)
    with pieces_orm.connect(poorer.url) as other:
        assert set(other.anchors.get(anchor.id).tags.ids) == {tag.id for tag in tags}


def test_every_family_leads_to_kinds_that_are_declared_or_that_only_pieces_os_has():
    declared = {cls._schema.kind for cls in Entity._registry.values()}
    assert all({side.owner, side.other} <= {*declared, *OTHER_KINDS} for side in association_reads.SIDES)
    ours = [side for side in association_reads.SIDES if {side.owner, side.other} <= declared]
    assert len(ours) == 2 * 62
    assert len(association_reads.SIDES) == 2 * 84
    assert len({side.family for side in association_reads.SIDES}) == 84


@pytest.mark.parametrize("row", associations.ASSOCIATIONS, ids=lambda row: f"{row.owner.name}-{row.relation}")
def test_every_association_is_known_from_its_family_or_from_the_document(poorer, session, row):
    one, other = make(session, row.owner.name), make(session, row.other.name)
    getattr(one, row.relation).add(other)
    with pieces_orm.connect(poorer.url) as fresh:
        related = getattr(fresh[type(one)].get(one.id), row.relation)
        assert related.known is not bool(association_reads.sides_of(row.owner, row.relation, row.other))
        assert related.ids == (other.id,)
        assert next(iter(related)).id == other.id


def populate(server, application, tag):
    """A hundred anchors with ten assets each, all with one tag: in one commit, as the requests would take seconds."""
    to_asset, to_tag = (end_of(kinds.ASSET, key).relation for key in ("anchors", "tags"))
    content = {"fragment": {"string": {"raw": "x = 1"}, "metadata": {"ext": "py"}}}
    seed = {"type": "SEEDED_ASSET", "asset": {"application": application, "format": content}}
    with server._store.write() as writer:
        seeds, draft = SeedWriter(writer, server.settings), draft_asset(seed)
        for n in range(100):
            anchor = seeds.create(kinds.ANCHOR, {"type": "FILE", "fullpath": f"/projects/{n}"})
            for _ in range(10):
                asset = create_asset(seeds, draft)
                writer.add_edge(to_asset, anchor, asset)
                writer.add_edge(to_tag, asset, tag)


@pytest.mark.parametrize("embed", [True, False], ids=["embedded", "families"])
def test_prefetching_a_hundred_anchors_with_ten_assets_each_costs_one_batch_a_level(embed):
    """A batch is a request for each 50 materials, a bulk read of associations one for each 200 owners."""
    with Server(settings=Settings(embed_relations=embed)) as server, pieces_orm.connect(server.url) as session:
        tag = session.tags.create("shared")
        populate(server, decoding.plain(session.application), tag.id)
        with pieces_orm.connect(server.url) as other:
            theirs = other.anchors.all()
            requests = Requests(other)
            held = other.prefetch(theirs, Anchor.assets, Asset.tags)
            made = Counter(line.replace(tag.id, "{tag}") for line in requests.take())
            links = {} if embed else {
                "POST /anchor_to_asset_associations/anchor/bulk": 1, "POST /tag_to_asset_associations/asset/bulk": 5,
                "GET /tag/{tag}": 1,
            }  # fmt: skip
            assert made == {"POST /assets/batch/fetch": 20, **links}
            assert len(held) == 100 + 1000 + 1
            assert {len(anchor.assets) for anchor in theirs} == {10}
            assert {tag.text for anchor in theirs for asset in anchor.assets for tag in asset.tags} == {"shared"}
            assert requests.take() == []
