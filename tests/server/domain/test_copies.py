"""Documents stay small: ids are complete, and copies of related materials take a bounded part."""

import json

import pytest

import pieces_orm
from pieces_orm.server import Server, Settings
from pieces_orm.wire.kinds import KINDS
from tests.server.support import Wire, ids
from tests.support import Requests

COUNT = 20
COPIED_BYTES = 64 * 1024
TAGS = [f"tag {number}" for number in range(COUNT)]
SITES = [f"https://{number}.example" for number in range(COUNT)]


@pytest.fixture(scope="module")
def crowded():
    """Assets that all have the same tags and websites."""
    with Server() as server:
        wire = Wire(server)
        tags, sites = [{"text": text} for text in TAGS], [{"url": url, "name": url} for url in SITES]
        seed = wire.asset_seed({"string": {"raw": "x"}}, tags=tags, websites=sites)
        for _ in range(COUNT):
            # Checking every answer against the contract would take longer than everything else.
            assert wire.http.post(f"{server.url}/assets/create", json=seed).ok
        yield wire


@pytest.fixture
def session(crowded):
    with pieces_orm.connect(crowded.server.url) as opened:
        yield opened


def copied(document):
    """The bytes of all members with more than an id."""
    members = [member for key in ("tags", "websites") for member in document[key]["iterable"]]
    return sum(len(json.dumps(member, separators=(",", ":"))) for member in members if member.keys() != {"id"})


def test_a_document_names_all_members_and_copies_them_within_a_limit(crowded):
    tags, sites = (set(ids(crowded.get(path))) for path in ("/tags", "/websites"))
    documents = crowded.http.get(f"{crowded.server.url}/assets").json()["iterable"]
    assert crowded.get(f"/asset/{documents[0]['id']}") == documents[0]
    for document in documents:
        for key, wanted in (("tags", tags), ("websites", sites)):
            assert set(ids(document[key])) == wanted
            assert list(document[key]["indices"].items()) == [(id, at) for at, id in enumerate(ids(document[key]))]
        assert copied(document) <= COPIED_BYTES
        whole = [tag for tag in document["tags"]["iterable"] if "assets" in tag]
        assert len(whole) > 3
        assert all(len(tag["assets"]["iterable"]) == COUNT for tag in whole), "what a copy shows is complete"


def test_the_official_client_reads_documents_whose_copies_are_short(crowded):
    assets = pytest.importorskip("pieces_os_client.models.assets").Assets
    found = assets.from_json(crowded.http.get(f"{crowded.server.url}/assets").text)
    assert all({tag.text for tag in asset.tags.iterable} == set(TAGS) for asset in found.iterable)


def test_a_session_loads_what_short_copies_leave_out(session):
    asset = session.assets.all()[0]
    requests = Requests(session)
    assert {tag.text for tag in asset.tags} == set(TAGS)
    assert {site.url for site in asset.websites} == set(SITES)
    assert requests.take() == []
    every = {each.id for each in session.assets.all()}
    assert all(set(tag.assets.ids) == every for tag in asset.tags)


def test_a_session_takes_members_without_a_copy_for_handles(crowded, session):
    asset = session.assets.create("y", name="described", description="d" * (COPIED_BYTES + 1))
    document = crowded.get(f"/asset/{asset.id}")
    [id] = document["annotations"]["indices"]
    assert document["annotations"]["iterable"] == [], "a member without its required keys is no annotation"
    pytest.importorskip("pieces_os_client.models.asset").Asset.from_json(json.dumps(document))
    with pieces_orm.connect(crowded.server.url) as other:
        again = other.assets.get(asset.id)
        assert again.annotations.ids == (id,)
        assert other.annotations.peek(id) is None or other.annotations.ref(id)._state.document is None
        assert [len(each.text) for each in again.annotations] == [COPIED_BYTES + 1]
    with pieces_orm.connect(crowded.server.url) as other:
        again = other.assets.get(asset.id)
        assert again.description == "d" * (COPIED_BYTES + 1)
        again.description = "short"
        again.save()
        assert [each.text for each in session.assets.get(asset.id).annotations] == ["short"]


def test_a_short_copy_of_a_long_document_has_the_keys_that_it_must_have(crowded, session):
    asset, conversation = crowded.make_asset("z")["id"], crowded.make(KINDS["conversation"])["id"]
    text = "high water at noon " * 300
    for number in range(20):
        seed = {
            "role": "USER",
            "fragment": {"string": {"raw": f"{text}{number}"}},
            "conversation": {"id": conversation},
        }
        message = crowded.post("/messages/create", seed)["id"]
        crowded.post(f"/message/{message}/assets/associate/{asset}")
    document = crowded.get(f"/asset/{asset}")
    messages = document["messages"]["iterable"]
    assert len(messages) == len(document["messages"]["indices"]) == 20
    without = [message["id"] for message in messages if "fragment" not in message]
    assert 0 < len(without) < 20
    assert {message["conversation"]["id"] for message in messages} == {conversation}
    found = {message.id: message.text for message in session.assets.get(asset).messages}
    assert {found[id].partition("noon ")[0] for id in without} == {"high water at "}
    assert len(set(found.values())) == 20


def test_points_beyond_the_limit_are_named_and_loaded(crowded, session):
    anchor = crowded.make(KINDS["anchor"])
    count = COPIED_BYTES // 300
    for number in range(count):
        seed = {"anchor": anchor["id"], "type": "FILE", "fullpath": f"/{'p' * 300}/{number}"}
        crowded.post("/anchor_points/create", seed)
    points = crowded.read(KINDS["anchor"], anchor["id"])["points"]
    assert len(points["iterable"]) == len(points["indices"]) == count + 1
    bare = [point["id"] for point in points["iterable"] if "reference" not in point]
    assert 0 < len(bare) < count
    found = session.anchors.get(anchor["id"]).anchor_points
    assert len(found) == count + 1
    assert next(point for point in found if point.id == bare[-1]).fullpath.startswith("/ppp")


def test_a_copy_never_shows_a_part_of_a_relation_as_the_whole(started):
    wire = started(settings=Settings(nested_members=3))
    anchor, asset = wire.make(KINDS["anchor"])["id"], wire.make_asset("x")["id"]
    for number in range(5):
        wire.post("/anchor_points/create", {"anchor": anchor, "type": "FILE", "fullpath": f"/{number}"})
    wire.post(f"/asset/{asset}/anchors/associate/{anchor}")
    document = wire.get(f"/asset/{asset}")
    assert document["anchors"] == {"iterable": [], "indices": {anchor: 0}}
    with pieces_orm.connect(wire.server.url) as session:
        [found] = session.assets.get(asset).anchors
        assert len(found.anchor_points) == 6
