"""Documents: keys that other programs need, and ages in words."""

from datetime import timedelta

import pytest

import pieces_orm
from pieces_orm.server import Settings
from pieces_orm.server.domain import ages
from pieces_orm.wire.kinds import KINDS
from tests.server.support import at
from tests.support import Heard

MAPS = {"tag": ["mechanisms"], "website": ["mechanisms"], "hint": ["mechanisms"]}
MAPS["person"] = ["mechanisms", "access", "models"]


def lacking(document, kind):
    """The maps that a document of a kind lacks."""
    return [name for name in MAPS[kind] if not isinstance(document.get(name), dict)]


@pytest.mark.parametrize("embed_relations", [True, False], ids=["embedded", "apart"])
def test_documents_have_the_maps_that_older_clients_need(started, embed_relations):
    wire = started(settings=Settings(embed_relations=embed_relations))
    seeds = {
        "tags": [{"text": "tides"}],
        "websites": [{"url": "https://tides.example.org", "name": "Tides"}],
        "persons": [wire.seed(KINDS["person"])],
        "hints": [wire.seed(KINDS["hint"])],
    }
    asset = wire.make_asset(**seeds)
    for plural in seeds:
        kind = KINDS[plural[:-1]]
        assert [lacking(one, kind.name) for one in asset[plural]["iterable"]] == [[]]
        [listed] = wire.get(kind.route("all").path)["iterable"]
        assert not lacking(listed, kind.name)
        if "read" in kind.routes:
            assert not lacking(wire.read(kind, listed["id"]), kind.name)
        updated = wire.post(kind.route("update").path, listed)
        assert not lacking(updated, kind.name)
    if embed_relations:
        for plural in seeds:
            [nested] = wire.get("/assets")["iterable"][0][plural]["iterable"]
            assert not lacking(nested, plural[:-1])


def test_a_map_that_is_there_stays_and_one_within_another_key_does_not_count(shared):
    tag = shared.make(KINDS["tag"], mechanism="AUTOMATIC", text="neap")
    assert list(tag["mechanisms"].values()) == ["AUTOMATIC"]
    odd = shared.make(KINDS["tag"], text="spring", extra={"mechanisms": {"a": "MANUAL"}})
    assert odd["mechanisms"] == {}
    assert odd["extra"] == {"mechanisms": {"a": "MANUAL"}}
    text = shared.ask("GET", f"/tag/{tag['id']}").text
    assert text.count('"mechanisms":') == 1


@pytest.fixture
def later(monkeypatch):
    """Moves the clock by which the server tells ages."""
    real = ages.this_minute

    def move(**delta):
        monkeypatch.setattr(ages, "this_minute", lambda: real() + timedelta(**delta))

    return move


@pytest.mark.parametrize("kind", KINDS.values(), ids=lambda kind: kind.name)
def test_every_document_tells_its_age(shared, later, kind):
    made = shared.make(kind)
    later(hours=3, minutes=1)
    document = shared.read(kind, made["id"]) if "read" in kind.routes else made
    for name in ("created", *(["updated"] if kind.name != "share" else [])):
        assert document[name]["value"] == made[name]["value"]
        assert document[name]["readable"] == ("3 hours ago" if "read" in kind.routes else "a moment ago")


def test_ages_of_cached_and_nested_documents_go_on(shared, later):
    asset = shared.make_asset(tags=[{"text": "ebb"}])
    for hours in (1, 2):
        later(hours=hours, minutes=1)
        words = f"{hours} hour{'s' * (hours > 1)} ago"
        for _ in range(2):  # the second answer is cached
            read = shared.get(f"/asset/{asset['id']}")
            assert at(read, "created.readable") == at(read, "tags.iterable")[0]["created"]["readable"] == words
            assert at(read, "original.reference.updated.readable") == words


def test_an_age_alone_changes_nothing_for_a_session(wire, later):
    asset = wire.make_asset(tags=[{"text": "flood"}])
    with pieces_orm.connect(wire.server.url) as session:
        heard = Heard(session)
        held = session.assets.get(asset["id"])
        created, tags = held.created, list(held.tags)
        later(days=3, minutes=1)
        held.refresh()
        assert session.assets.all() == [held]
        assert wire.get(f"/asset/{asset['id']}")["created"]["readable"] == "3 days ago"
        assert (held.created, list(held.tags)) == (created, tags)
        assert not heard.take()
        held.name = "renamed"
        held.save()
    assert wire.get(f"/asset/{asset['id']}")["name"] == "renamed"
