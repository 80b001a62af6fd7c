"""Many materials are read together: by batch reads where the server has them, else one by one."""

from __future__ import annotations

import pytest

import pieces_orm
from pieces_orm import Anchor, Asset, BatchError
from pieces_orm.server import Server, Settings
from pieces_orm.values import Trigger
from pieces_orm.wire import kinds
from tests.conformance.test_associations import make
from tests.support import Requests


@pytest.fixture(params=["embedded", "families"])
def pieces_server(request):
    """A server whose documents carry their relations, or one that keeps them apart in families, as newer ones do."""
    with Server(settings=Settings(embed_relations=request.param == "embedded")) as server:
        yield server


def test_iterating_loads_only_what_is_missing(pieces_server):
    with pieces_orm.connect(pieces_server.url) as session:
        anchor = session.anchors.create("/projects")
        made = [session.assets.create(f"x = {n}") for n in range(3)]
        anchor.associate(*made)
        ids = {asset.id for asset in made}
        kept = made[0]
        del made
        requests = Requests(session)
        found = list(anchor.assets)
        assert {asset.id for asset in found} == ids
        assert kept in found
        assert requests.take() == ["POST /assets/batch/fetch"]
        assert list(anchor.assets) == found
        assert requests.take() == []


def test_a_batch_route_is_used_where_the_wire_has_one(pieces_server):
    with pieces_orm.connect(pieces_server.url) as session:
        ids = [session.workstream_events.create(Trigger(copy=True)).id for _ in range(3)]
        requests = Requests(session)
        events = session.workstream_events.get_many(ids)
        assert [event.id for event in events] == ids
        assert requests.take() == ["POST /workstream_events/batch/fetch"]
        with pytest.raises(BatchError, match="1 of 2"):
            session.workstream_events.get_many([ids[0], "no-such-id"])
        assert session.workstream_events.get_many([ids[0], "no-such-id"], missing="skip") == events[:1]


def test_prefetch_loads_each_level_together(pieces_server):
    with pieces_orm.connect(pieces_server.url) as session:
        anchor = session.anchors.create("/projects")
        anchor.associate(*[session.assets.create(f"x = {n}", tags=["shared"]) for n in range(3)])
        requests = Requests(session)
        held = session.prefetch([anchor], Anchor.assets, Asset.tags)
        assert len(held) == 1 + 3 + 1
        assert requests.take()[0] == "POST /assets/batch/fetch"
        assert {tag.text for asset in anchor.assets for tag in asset.tags} == {"shared"}
        assert requests.take() == []
        with pytest.raises(TypeError, match="starts at none"):
            session.prefetch([anchor], Asset.tags)


def test_batch_reads_go_out_in_chunks_of_fifty_and_missing_ids_are_reconciled(pieces):
    ids = [pieces.workstream_events.create(Trigger(copy=True)).id for _ in range(101)]
    requests = Requests(pieces)
    found = pieces.workstream_events.get_many([*ids, "gone-1", "gone-2"], missing="skip")
    assert [event.id for event in found] == ids
    assert requests.take() == ["POST /workstream_events/batch/fetch"] * 3
    with pytest.raises(BatchError, match="2 of 103") as caught:
        pieces.workstream_events.get_many([*ids, "gone-1", "gone-2"])
    assert set(caught.value.failed) == {"gone-1", "gone-2"}
    assert caught.value.succeeded == ids


def test_a_server_without_batch_reads_is_asked_once_and_then_one_by_one():
    with Server(settings=Settings(batch_reads=False)) as server, pieces_orm.connect(server.url) as session:
        ids = [session.assets.create(f"x = {n}").id for n in range(3)]
        requests = Requests(session)
        assert [asset.id for asset in session.assets.get_many(ids)] == ids
        assert requests.made[0] == "POST /assets/batch/fetch"
        assert sorted(requests.take()[1:]) == sorted(f"GET /assets/{id}" for id in ids)
        session.assets.get_many(ids)
        assert sorted(requests.take()) == sorted(f"GET /assets/{id}" for id in ids)


def one_of(session, kind, n):
    """A material of any kind, also of those that no association reaches."""
    asset = session.assets.create(f"x = {n}")
    makers = {
        "anchor_point": lambda: session.anchors.create(f"/projects/{n}").anchor_points[0],
        "activity": lambda: session.activities.create({}, asset=asset),
        "format": lambda: asset.original,
        "sensitive": lambda: session.sensitives.create(asset, "key", name="key", description="of the house"),
        "share": lambda: session.shares.create(asset),
    }
    return makers[kind]() if kind in makers else make(session, kind)


@pytest.mark.parametrize("kind", kinds.KINDS.values(), ids=lambda kind: kind.collection)
def test_every_kind_is_read_in_batches(pieces_server, kind):
    with pieces_orm.connect(pieces_server.url) as session, pieces_orm.connect(pieces_server.url) as other:
        made = [one_of(other, kind.name, n) for n in range(2)]
        requests = Requests(session)
        found = session[type(made[0])].get_many([*(each.id for each in made), "no-such-id"], missing="skip")
        assert [each.id for each in found] == [each.id for each in made]
        assert requests.take() == ["POST /connect", f"POST {kind.routes.get('batch', kind.newer_batch).path}"]
