"""Ways of answering a query: which requests they take, and what happens when the server is another one."""

from __future__ import annotations

import json
import re
from datetime import datetime, timedelta, timezone

import pytest

import pieces_orm
from pieces_orm import filters
from pieces_orm.documents import page_stream
from pieces_orm.query import running, translation
from pieces_orm.server import Settings
from pieces_orm.values import Trigger
from pieces_orm.wire.extensions import QUERY

from ..docs.pages import DOCS
from ..support import Requests

FAMILY = "/tag_to_asset_associations"
APPLICATION = {"name": "OPEN_SOURCE", "version": "1", "platform": "LINUX"}


@pytest.fixture(scope="module")
def plain():
    """A session on a server without extensions, with six events."""
    with pieces_orm.embedded(settings=Settings(extensions=False)) as session:
        for number in range(6):
            session.workstream_events.create(Trigger(copy=True), readable=f"event {number}")
        yield session


def test_a_stretch_of_time_is_asked_for_and_many_events_are_read_at_once(plain, monkeypatch):
    middle = plain.workstream_events.query()[2].created
    requests = Requests(plain)
    query = plain.workstream_events.query(created=filters.after(middle - timedelta(microseconds=1)))
    assert [each.readable for each in query] == ["event 5", "event 4", "event 3"]
    assert requests.take() == ["GET /workstream_events/identifiers", "POST /workstream_events/batch/fetch"]
    monkeypatch.setattr(running, "MAX_IN_BATCHES", 2)
    assert [each.readable for each in query] == ["event 5", "event 4", "event 3"]
    assert requests.take() == ["GET /workstream_events/identifiers", "GET /workstream_events"]
    assert "GET /workstream_events?transferables=false (instead, for many)" in query.explain().requests


def test_a_server_that_lost_the_extension_is_asked_in_the_other_way(plain, monkeypatch):
    monkeypatch.setattr(running, "known_extensions", lambda context: frozenset({QUERY}))
    query = plain.workstream_events.query(readable="event 1")
    assert query.explain().requests == ("POST /workstream_events/query",)
    requests = Requests(plain)
    assert [each.readable for each in query] == ["event 1"]
    assert query.count() == len(query.ids()) == 1
    assert set(requests.take()) == {"GET /workstream_events"}


def test_documents_are_read_only_until_a_function_has_found_enough(pieces, monkeypatch):
    for number in range(12):
        pieces.tags.create(f"tag {number}")
    monkeypatch.setattr(running.reading, "MAX_BATCH_SIZE", 3)
    requests = Requests(pieces)
    query = pieces.tags.query().where(lambda tag: tag.text.endswith(("1", "9", "8"))).limit(2)
    assert [each.text for each in query] == ["tag 11", "tag 9"]
    assert requests.take() == ["POST /tags/query", "POST /tags/batch/fetch"]
    assert query.count() == 2


def test_large_answers_are_taken_apart_while_they_arrive(pieces, monkeypatch):
    for number in range(4):
        pieces.tags.create(f"tag {number}")
    cut = []
    members = page_stream._Cutter.members
    monkeypatch.setattr(page_stream._Cutter, "members", lambda cutter: cut.append(cutter) or members(cutter))
    monkeypatch.setattr(page_stream, "WHOLE", 100)
    requests = Requests(pieces)
    assert [each.text for each in pieces.tags.query()] == ["tag 3", "tag 2", "tag 1", "tag 0"]
    assert requests.take() == ["POST /tags/query"]
    assert len(cut) == 1


def test_contents_are_asked_for_only_where_they_are_read(plain):
    for settings in (True, False):
        with pieces_orm.embedded(settings=Settings(extensions=settings)) as session:
            session.assets.create("print('tide')", name="a")
            seen = []
            for query in (session.assets.query(name="a"), session.assets.query(text=filters.contains("tide"))):
                asset = query.one()
                requests = Requests(session)
                assert asset.text == "print('tide')"
                seen.append(requests.take())
                del asset
            assert len(seen[0]) == 1
            assert seen[1] == []


def test_a_live_list_loads_together_what_its_conditions_look_at():
    settings = Settings(embed_relations=False)
    with pieces_orm.embedded(settings=settings) as session, pieces_orm.connect(session.url) as other:
        tag = session.tags.create("tides")
        for number in range(8):
            session.assets.create("a", name=f"n{number}", tags=["tides"] if number % 2 else [], anchors=["/a"])
        for value in ({"tags": "tides"}, {"tags": tag.id}, {"anchors": "/a"}):
            requests = Requests(other)
            with other.assets.live(**value, key=lambda each: each.name) as live:
                live.wait_live()
                assert len(live) == (8 if "anchors" in value else 4)
                made = [each for each in requests.take() if each != "GET /assets"]
                # Fewer than one for each.
                assert len(made) < 8, made


def test_associations_that_documents_leave_out_are_read_from_the_side_with_fewer_materials():
    settings = Settings(embed_relations=False, extensions=False)
    with pieces_orm.embedded(settings=settings) as session, pieces_orm.connect(session.url) as other:
        for number in range(6):
            session.assets.create("a", name=f"n{number}", tags=["tides"] if number % 2 else ["ebb"])
        tag = session.tags.query(text="tides").one().id
        requests = Requests(other)
        assert [each.name for each in other.assets.query(tags="tides")] == ["n5", "n3", "n1"]
        assert requests.take()[1:] == ["GET /tags", "GET /assets", f"GET {FAMILY}/tag/{tag}"]
        assert [each.name for each in other.assets.query(tags="tides", name="n3")] == ["n3"]
        asset = session.assets.query(name="n3").one()
        assert requests.take() == ["GET /tags", "GET /assets", f"GET {FAMILY}/asset/{asset.id}"]
        assert other.assets.query(tags=None).count() == 0


def test_pseudo_assets_are_found_when_a_condition_names_them():
    for extensions in (True, False):
        with pieces_orm.embedded(settings=Settings(extensions=extensions)) as session:
            usual = session.assets.create("a")
            seed = {"format": {"fragment": {"string": {"raw": "b"}}}, "pseudo": True, "metadata": {}}
            seed["application"] = json.loads(session.request("POST", "/connect", body={"application": APPLICATION}))[
                "application"
            ]
            body = {"type": "SEEDED_ASSET", "asset": seed}
            [pseudo] = {json.loads(session.request("POST", "/assets/create", body=body))["id"]}
            assert session.assets.query().ids() == (usual.id,)
            assert session.assets.query(pseudo=True).ids() == (pseudo,)
            assert session.assets.query(pseudo=filters.is_not(True)).ids() == (usual.id,)
            # A condition that the server does not take, because there are too many, is decided here.
            many = session.assets.query(name=filters.is_not(filters.one_of(*map(str, range(900)))), pseudo=True)
            assert many.ids() == (pseudo,)
            assert many.count() == 1
            with session.assets.query(pseudo=True).live() as live:
                assert [each.id for each in live] == [pseudo]


def test_more_conditions_than_the_server_takes_are_decided_here(pieces, monkeypatch):
    for text in ("a", "b", "c"):
        pieces.tags.create(text)
    query = pieces.tags.query(text=filters.one_of(*map(str, range(1000)), "b"))
    assert [each.text for each in query] == ["b"]
    assert query.explain().server == ("order by -created",)
    for text in ("x", "y", "z"):
        pieces.persons.create(name="somebody", email=f"{text}@example.com")
    pieces.tags.query(text="a").one().associate(*pieces.persons.all())
    monkeypatch.setattr(translation.extensions, "MAX_VALUES", 2)
    sent = []
    conditions = translation.conditions
    monkeypatch.setattr(translation, "conditions", lambda tests: sent.append(tests) or conditions(tests))
    assert pieces.tags.query(persons="somebody").one().text == "a"
    assert sent[-1] == ()
    monkeypatch.undo()
    deep = "a"
    for _ in range(12):
        deep = filters.is_not(deep)
    assert pieces.tags.query(text=deep).one().text == "a"
    many = pieces.tags.query()
    for number in range(60):
        many = many.where(text=filters.is_not(str(number)))
    assert many.count() == 3
    assert len(many.explain().here) > 0


def test_the_page_shows_what_explain_prints():
    page = (DOCS / "queries.md").read_text("utf-8")
    shown = re.findall(r"```text\n(query of .*?)```", page, re.DOTALL)
    code = re.search(r"newest = (\(.*?\n\))", page, re.DOTALL)[1]
    for settings, text in zip((True, False), shown, strict=True):
        with pieces_orm.embedded(settings=Settings(extensions=settings)) as session:
            monday = datetime(2026, 1, 5, tzinfo=timezone.utc)
            newest = eval(code, {"session": session, "filters": filters, "monday": monday})
            printed = re.sub(r"after \S+", "after MONDAY", str(newest.explain()))
            assert printed == text.rstrip()
