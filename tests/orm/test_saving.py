"""Promise 2: nothing is lost."""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone

import pytest

import pieces_orm
from pieces_orm import Asset, ConflictError, InvalidValueError, NotLoadedError, ReadOnlyFieldError, ServerError, State
from pieces_orm.values import AnchorType, Trigger
from tests.support import Heard, Requests


def overwrite_on_the_server(session, path, document):
    """Store a document as a newer version of the wire would have it."""
    session.request("POST", path, body=document)


def test_an_unknown_field_and_an_unknown_enum_member_survive_load_edit_save(pieces):
    anchor = pieces.anchors.create("/projects/tide-tables")
    document = anchor.raw()
    document["type"] = "WORMHOLE"
    document["invented"] = {"deep": [1, 2.5, {"deeper": None}], "text": "é"}
    overwrite_on_the_server(pieces, "/anchor/update", document)
    anchor.refresh()
    assert anchor.type == "WORMHOLE"
    assert isinstance(anchor.type, AnchorType)
    assert not anchor.type.known
    anchor.name = "edited"
    assert anchor.save() == {"name"}
    after = anchor.refresh().raw()
    assert after["name"] == "edited"
    for key in ("type", "invented"):
        assert after[key] == document[key]


def test_unknown_keys_inside_an_edited_value_survive(pieces):
    event = pieces.workstream_events.create(Trigger(check_in=True), readable="began")
    document = event.raw()
    document["trigger"]["teleported"] = {"from": "here"}
    overwrite_on_the_server(pieces, "/workstream_event/update", document)
    event.refresh()
    event.trigger = Trigger(paste=True)
    event.save()
    assert event.refresh().raw()["trigger"] == {"paste": True, "teleported": {"from": "here"}}


def test_a_failed_save_keeps_the_edit_and_the_document(pieces_server, pieces):
    asset = pieces.assets.create("x = 1", name="before")
    asset.name = "after"
    before = asset.raw()
    pieces_server.faults.answer(500, path="/asset/update", body=b"the disk is full")
    with pytest.raises(ServerError, match="the disk is full"):
        asset.save()
    assert asset.edits == {"name": "after"}
    assert asset.raw() == before
    assert asset.save() == {"name"}
    assert asset.edits == {}
    assert pieces.assets.get(asset.id).raw()["name"] == "after"


def test_a_save_sends_only_what_changed_into_the_servers_own_document(pieces_server, pieces):
    asset = pieces.assets.create("x = 1", name="mine")
    with pieces_orm.connect(pieces_server.url) as other:
        theirs = other.assets.get(asset.id)
        theirs.favorited = True
        theirs.save()
    asset.name = "new"
    heard = Heard(pieces)
    assert asset.save() == {"name"}
    assert (asset.name, asset.favorited) == ("new", True)
    assert heard.take() == [
        ("changed", "Asset", asset.id, {"name"}, "local"),
        ("changed", "Asset", asset.id, {"favorited", "updated"}, "refresh"),
    ]


def test_saving_costs_one_read_and_one_write_and_nothing_without_edits(pieces):
    asset = pieces.assets.create("x = 1", name="before")
    requests = Requests(pieces)
    assert asset.save() == frozenset()
    assert requests.take() == []
    asset.name = "after"
    assert requests.take() == []
    asset.save()
    assert requests.take() == [f"GET /assets/{asset.id}", "POST /asset/update"]


def test_two_programs_that_edit_one_field_find_out(pieces_server, pieces):
    asset = pieces.assets.create("x = 1", name="base")
    with pieces_orm.connect(pieces_server.url) as other:
        theirs = other.assets.get(asset.id)
        theirs.name = "theirs"
        theirs.save()
    asset.name = "mine"
    with pytest.raises(ConflictError) as caught:
        asset.save()
    error = caught.value
    assert (error.base, error.mine, error.theirs) == ({"name": "base"}, {"name": "mine"}, {"name": "theirs"})
    assert asset.edits == {"name": "mine"}
    assert asset.save(overwrite=True) == {"name"}
    assert pieces.assets.get(asset.id).name == "mine"


def test_setting_a_field_back_removes_the_edit(pieces):
    asset = pieces.assets.create("x = 1", name="base")
    asset.name = "other"
    asset.name = "base"
    assert asset.edits == {}
    assert asset.save() == frozenset()


def test_none_is_sent_as_null(pieces):
    asset = pieces.assets.create("x = 1", name="base")
    asset.name = None
    sent = json.loads(asset.to_json())
    assert "name" in sent
    assert sent["name"] is None
    asset.save()
    assert asset.refresh().name is None


def test_revert_gives_up_edits(pieces):
    asset = pieces.assets.create("x = 1", name="base")
    asset.name, asset.favorited = "other", True
    asset.revert("name")
    assert asset.edits == {"favorited": True}
    asset.revert()
    assert (asset.edits, asset.name, asset.favorited) == ({}, "base", None)


def test_editing_saves_once_and_reverts_on_an_exception(pieces):
    asset = pieces.assets.create("x = 1", name="base")
    requests = Requests(pieces)
    with asset.editing():
        asset.name = "new"
        asset.favorited = True
    assert requests.take() == [f"GET /assets/{asset.id}", "POST /asset/update"]
    with pytest.raises(RuntimeError, match="changed my mind"), asset.editing():
        asset.name = "newer"
        raise RuntimeError("changed my mind")
    assert (asset.name, asset.edits) == ("new", {})
    assert requests.take() == []


def test_editing_keeps_the_edits_that_were_there_before(pieces):
    asset = pieces.assets.create("x = 1", name="base")
    asset.favorited = True
    with pytest.raises(RuntimeError), asset.editing():
        asset.name = "newer"
        asset.favorited = False
        raise RuntimeError
    assert asset.edits == {"favorited": True}


def test_a_receiver_of_saving_may_veto(pieces):
    asset = pieces.assets.create("x = 1", name="base")

    @pieces.signals.saving.connect_via(Asset)
    def veto(sender, entity, edits):
        raise PermissionError(str(edits))

    asset.name = "other"
    with pytest.raises(PermissionError, match="other"):
        asset.save()
    assert asset.edits == {"name": "other"}
    assert pieces.assets.get(asset.id).raw()["name"] == "base"


def test_a_receiver_of_deleting_may_veto(pieces):
    asset = pieces.assets.create("x = 1", name="base")

    @pieces.signals.deleting.connect_via(Asset)
    def veto(sender, entity):
        raise PermissionError

    with pytest.raises(PermissionError):
        asset.delete()
    assert pieces.assets.get(asset.id) is asset
    assert asset.state is State.LOADED


def test_wrong_types_and_read_only_fields_are_refused_and_nothing_is_lost(pieces):
    asset = pieces.assets.create("x = 1", name="base")
    with pytest.raises(InvalidValueError, match="name takes str or None, not 5"):
        asset.name = 5
    with pytest.raises(InvalidValueError, match="favorited takes bool"):
        asset.favorited = "yes"
    with pytest.raises(ReadOnlyFieldError, match="created"):
        asset.created = datetime.now(timezone.utc)
    with pytest.raises(ReadOnlyFieldError, match="id"):
        asset.id = "other"
    with pytest.raises(AttributeError, match="nmae"):
        asset.nmae = "x"
    with pytest.raises(ReadOnlyFieldError, match="add"):
        asset.tags = []
    assert (asset.edits, asset.name) == ({}, "base")


def test_reading_a_loaded_entity_makes_no_request(pieces):
    asset = pieces.assets.create("x = 1", name="base", tags=["one"])
    requests = Requests(pieces)
    for name in asset._schema.fields:
        getattr(asset, name)
    for name in asset._schema.many:
        getattr(asset, name).ids
    assert (asset.original.role, asset.edits, repr(asset)) is not None
    assert requests.take() == []


def test_a_handle_loads_itself_once(pieces_server):
    with pieces_orm.connect(pieces_server.url) as session:
        id = session.assets.create("x = 1", name="base").id
        handle = session.assets.ref(id)
        assert handle.state is State.HANDLE
        requests = Requests(session)
        assert (handle.name, handle.text, handle.state) == ("base", "x = 1", State.LOADED)
        assert requests.take() == [f"GET /assets/{id}"]


def test_without_autoload_reading_what_is_not_loaded_is_an_error(pieces_server):
    with pieces_orm.connect(pieces_server.url, autoload=False) as session:
        id = session.assets.create("x = 1", name="base").id
        handle = session.assets.ref(id)
        requests = Requests(session)
        with pytest.raises(NotLoadedError, match="refresh"):
            handle.name
        with pytest.raises(NotLoadedError, match="refresh"):
            handle.name = "x"
        assert requests.take() == []
        assert handle.refresh().name == "base"


def test_expired_entities_load_again_and_tell_what_changed(pieces_server, pieces):
    asset = pieces.assets.create("x = 1", name="before")
    with pieces_orm.connect(pieces_server.url) as other:
        theirs = other.assets.get(asset.id)
        theirs.name = "after"
        theirs.save()
    assert asset.name == "before"
    heard = Heard(pieces)
    asset.expire()
    assert asset.state is State.EXPIRED
    assert asset.name == "after"
    assert heard.take() == [("changed", "Asset", asset.id, {"name", "updated"}, "refresh")]


def test_contents_that_are_known_are_not_erased_by_a_document_without_them(pieces):
    asset = pieces.assets.create("x = 1", name="base")
    requests = Requests(pieces)
    assert pieces.assets.all(transferables=False) == [asset]
    requests.take()
    assert asset.text == "x = 1"
    assert requests.take() == []


def test_contents_that_are_unknown_are_loaded_on_read(pieces_server):
    with pieces_orm.connect(pieces_server.url) as session:
        id = session.assets.create("x = 1", name="base").id
        [asset] = session.assets.all(transferables=False)
        requests = Requests(session)
        assert asset.name == "base"
        assert requests.take() == []
        assert asset.text == "x = 1"
        assert requests.take() == [f"GET /assets/{id}"]


def test_timestamps_are_aware_and_in_utc(pieces):
    asset = pieces.assets.create("x = 1")
    assert asset.created.utcoffset() == timedelta(0)
    assert abs(datetime.now(timezone.utc) - asset.created) < timedelta(minutes=1)


def test_rename_lets_the_server_name_an_anchor_or_sets_a_name(pieces):
    anchor = pieces.anchors.create("/projects/tide-tables", name="first")
    anchor.rename()
    assert anchor.name == "tide-tables"
    anchor.rename("mine")
    assert pieces.anchors.get(anchor.id).name == "mine"


def test_a_use_is_counted(pieces):
    website = pieces.websites.create("https://tides.example.org")
    website.increment_score("reuse")
    website.increment_score("reuse")
    assert website.refresh().score.reuse == 2
    with pytest.raises(InvalidValueError, match="reasons"):
        website.increment_score("boredom")
