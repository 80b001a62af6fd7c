"""Promise 1: one object per material."""

from __future__ import annotations

import copy
import gc
import pickle
import threading
import weakref

import pytest

import pieces_orm
from pieces_orm import Asset, DeletedError, DetachedError, State, Tag
from tests.support import Requests, wait_for


def test_one_object_per_id_across_create_get_all_ref_relations_and_search(pieces):
    asset = pieces.assets.create("print('tide')", name="tide.py", tags=["tides"])
    anchor = pieces.anchors.create("/projects/tide-tables")
    anchor.associate(asset)
    assert pieces.assets.get(asset.id) is asset
    assert pieces.assets.ref(asset.id) is asset
    assert pieces.assets.peek(asset.id) is asset
    assert pieces.assets.get_many([asset.id]) == [asset]
    assert pieces.assets.latest(1) == [asset]
    assert pieces.assets.all() == [asset]
    assert list(anchor.assets) == [asset]
    assert asset.tags[0] is pieces.tags.get(asset.tags.ids[0])
    assert [hit.asset for hit in pieces.assets.search("tide")] == [asset]


def test_one_object_per_id_from_a_nested_copy_to_its_own_document(pieces):
    asset_id = pieces.assets.create("x = 1", tags=["one"]).id
    gc.collect()
    asset = pieces.assets.get(asset_id)
    tag = asset.tags.refs()[0]
    assert tag.state is State.PARTIAL
    assert tag.text == "one"
    assert pieces.tags.get(tag.id) is tag
    assert tag.state is State.LOADED


def test_one_object_per_id_from_the_stream(pieces_server, pieces):
    with pieces.watch(Asset) as watch, pieces_orm.connect(pieces_server.url) as other:
        watch.wait_live()
        heard = []
        pieces.signals.created.connect(lambda sender, entity, **_: heard.append(entity), weak=False)
        made = other.assets.create("x = 1", name="there")
        wait_for(lambda: heard)
        assert heard == [pieces.assets.get(made.id)]
        assert heard[0] is pieces.assets.peek(made.id)
        assert heard[0] is not made


def test_an_entity_that_nobody_holds_is_gone_from_the_map(pieces):
    asset = pieces.assets.create("x = 1")
    id, gone = asset.id, weakref.ref(asset)
    del asset
    gc.collect()
    assert gone() is None
    assert pieces.assets.peek(id) is None


def test_an_entity_with_edits_is_held_until_it_is_saved_or_reverted(pieces):
    asset = pieces.assets.create("x = 1", name="before")
    id = asset.id
    asset.name = "edited"
    del asset
    gc.collect()
    assert pieces.assets.peek(id).edits == {"name": "edited"}
    pieces.assets.peek(id).revert()
    gc.collect()
    assert pieces.assets.peek(id) is None


def test_two_sessions_share_nothing(pieces_server):
    with pieces_orm.connect(pieces_server.url) as one, pieces_orm.connect(pieces_server.url) as two:
        first = one.assets.create("x = 1", name="mine")
        second = two.assets.get(first.id)
        assert first is not second
        first.name = "edited"
        assert second.name == "mine"
        with pytest.raises(pieces_orm.UsageError, match="another session"):
            first.associate(two.tags.create("elsewhere"))


def test_sessions_on_two_servers_share_nothing():
    with pieces_orm.embedded() as one, pieces_orm.embedded() as two:
        made = one.tags.create("here")
        assert two.tags.all() == []
        assert two.tags.get(made.id, None) is None
        one.close()
        assert two.tags.create("there").text == "there"


def test_equality_and_hash_are_identity(pieces):
    one, two = pieces.tags.create("one"), pieces.tags.create("two")
    assert one == one  # noqa: PLR0124 the point
    assert one != two
    assert len({one, two, pieces.tags.get(one.id)}) == 2


@pytest.mark.parametrize("make", [copy.copy, copy.deepcopy, pickle.dumps])
def test_copy_and_pickle_refuse_and_name_to_dict(pieces, make):
    with pytest.raises(TypeError, match="to_dict"):
        make(pieces.tags.create("one"))


def test_entities_are_not_made_by_hand():
    with pytest.raises(TypeError, match=r"session\.tags"):
        Tag()


def test_a_deleted_entity_stays_readable_and_refuses_requests(pieces):
    asset = pieces.assets.create("x = 1", name="kept", tags=["one"])
    assert asset.name == "kept"
    asset.delete()
    assert asset.state is State.DELETED
    assert asset.name == "kept"
    assert asset.text == "x = 1"
    assert asset.created.year >= 2026
    assert "kept" in repr(asset)
    assert {asset: 1}[asset] == 1
    for act in (
        asset.refresh,
        asset.delete,
        asset.save,
        asset.increment_score,
        asset.expire,
        lambda: setattr(asset, "name", "x"),
        lambda: asset.associate(pieces.tags.create("two")),
    ):
        with pytest.raises(DeletedError, match="deleted"):
            act()
    assert pieces.assets.get(asset.id, None) is None


def test_deleting_takes_the_id_out_of_loaded_neighbours_without_a_request(pieces):
    asset = pieces.assets.create("x = 1", tags=["one"])
    tag = asset.tags[0]
    tag.refresh()
    assert asset in tag.assets
    requests = Requests(pieces)
    asset.delete()
    assert tag.assets.ids == ()
    assert requests.take() == [f"POST /assets/{asset.id}/delete"]


def test_something_that_is_gone_already_counts_as_deleted(pieces_server, pieces):
    with pieces_orm.connect(pieces_server.url) as other:
        for make in (lambda: pieces.assets.create("x"), lambda: pieces.persons.create(name="Ada")):
            entity = make()
            other[type(entity)].get(entity.id).delete()
            entity.delete()
            assert entity.state is State.DELETED


def test_a_closed_session_detaches_its_entities(pieces_server):
    session = pieces_orm.connect(pieces_server.url)
    asset = session.assets.create("x = 1", name="kept")
    session.close()
    session.close()
    assert asset.state is State.DETACHED
    assert asset.name == "kept"
    with pytest.raises(DetachedError, match="closed"):
        asset.refresh()
    with pytest.raises(DetachedError, match="closed"):
        session.assets.all()


def test_refreshing_what_another_program_deleted_tells_it_and_raises(pieces_server, pieces):
    asset = pieces.assets.create("x = 1", name="kept")
    told = []
    pieces.signals.deleted.connect(lambda sender, entity, origin: told.append((entity, origin)), weak=False)
    with pieces_orm.connect(pieces_server.url) as other:
        other.assets.get(asset.id).delete()
    with pytest.raises(pieces_orm.NotFoundError):
        asset.refresh()
    assert told == [(asset, "refresh")]
    assert asset.state is State.DELETED


def test_identity_holds_while_threads_read_edit_save_and_collect(pieces):
    ids = [pieces.tags.create(f"tag {n}").id for n in range(5)]
    problems = []

    def work(seed):
        try:
            for turn in range(15):
                id = ids[(seed + turn) % len(ids)]
                tag = pieces.tags.get(id)
                assert tag is pieces.tags.ref(id)
                tag.increment_score()
                assert tag.text.startswith("tag")
                if turn % 5 == 0:
                    gc.collect()
        except BaseException as error:  # noqa: BLE001 told below
            problems.append(error)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert problems == []
