"""Search in the kinds that have a plain one."""

from __future__ import annotations

import pytest

import pieces_orm
from pieces_orm import DecodeError, Found, InvalidValueError
from pieces_orm.collection.searchable import SearchableCollection
from pieces_orm.values import Trigger
from pieces_orm.wire import kinds
from tests.support import Requests
from tests.wire.recorder import recording


def test_every_kind_with_a_search_route_can_be_searched(pieces):
    searchable = {name for name, kind in kinds.COLLECTIONS.items() if "search" in kind.routes}
    assert {name for name in kinds.COLLECTIONS if isinstance(getattr(pieces, name), SearchableCollection)} == searchable
    assert not hasattr(pieces.ranges, "search")


def test_what_is_found_is_fresh_best_first_and_costs_one_request(pieces_server, pieces):
    pieces.workstream_events.create(Trigger(copy=True))
    for text in ("tide tables", "tide", "the tides of may", "moon"):
        pieces.tags.create(text)
    with pieces_orm.connect(pieces_server.url) as other:
        _ = other.application
        requests = Requests(other)
        found = other.tags.search("tide tables")
        assert [(each.entity.text, each.exact) for each in found] == [("tide tables", True)]
        assert {each.entity.text for each in other.tags.search("tide")} == {"tide tables", "tide", "the tides of may"}
        assert other.tags.search("nothing like it") == []
        assert requests.take() == ["POST /tags/search"] * 3
        assert [each.entity.text for each in other.tags.search("moon", transferables=False)] == ["moon"]


def test_every_searchable_kind_finds_its_own(pieces):
    talk = pieces.conversations.create("zanzibar")
    asset = pieces.assets.create("x")
    made = [
        talk, pieces.anchors.create("/x", name="zanzibar"), pieces.annotations.create("zanzibar"),
        pieces.hints.create("zanzibar"),
        pieces.messages.create("zanzibar", talk), pieces.persons.create(name="zanzibar"),
        pieces.sensitives.create(asset, "zanzibar", name="n", description="d"), pieces.sources.create("zanzibar"),
        pieces.source_windows.create("zanzibar"), pieces.summaries.create("zanzibar"), pieces.tags.create("zanzibar"),
        pieces.websites.create("https://zanzibar.example"),
    ]  # fmt: skip
    for each in made:
        assert [found.entity for found in pieces[type(each)].search("zanzibar")] == [each]


def test_a_search_without_words_is_refused_before_any_request(pieces):
    requests = Requests(pieces)
    for query in ("", "  ", None, 5):
        with pytest.raises(ValueError, match="needs words"):
            pieces.tags.search(query)
    assert requests.take() == []


def test_what_is_named_without_its_document_is_read_and_what_is_gone_is_left_out():
    with recording() as recorder, pieces_orm.connect(recorder.url, api_key="x") as session:
        items = [{"identifier": "a", "similarity": 0.5, "exact": False}, {"identifier": "gone", "similarity": 0.9}]
        recorder.answer("POST", "/tags/search", body={"iterable": items})
        recorder.answer("POST", "/tags/batch/fetch", 404)
        recorder.answer("GET", "/tag/a", body={"id": "a", "text": "tide"})
        recorder.answer("GET", "/tag/gone", 410)
        tag = session.tags.ref("a")
        assert session.tags.search("tide") == [Found(tag, 0.5, exact=False)]
        assert tag.text == "tide"


@pytest.mark.parametrize(
    "answer",
    [
        b"[]",
        b"{}",
        b'{"error": "no memory"}',
        b'{"iterable": null}',
        b'{"iterable": [{"identifier": 5}]}',
        b'{"iterable": [{}]}',
        b"<html>",
    ],
)
def test_an_answer_that_is_no_search_result_is_said_so(answer):
    with recording() as recorder, pieces_orm.connect(recorder.url, api_key="x") as session:
        recorder.answer("POST", "/tags/search", body=answer)
        with pytest.raises(DecodeError, match="search"):
            session.tags.search("tide")


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"filters": ["x"]}, "filters takes values of pieces_orm.filters"),
        ({"query": 3}, "query takes words, not 3"),
        ({"tags": "tides"}, "tags takes a list of texts"),
        ({}, "A search needs a query, tags or filters"),
        ({"query": "x", "engine": "ncs"}, r"^engine takes 'fuzzy', 'full_text' or 'neural', not 'ncs'\.$"),
        ({"query": "x", "engine": "neural", "tags": ["a"]}, r"^The engine 'neural' takes a query and nothing else: "),
    ],
)
def test_a_search_of_assets_for_what_cannot_be_looked_for_is_refused(pieces, given, sentence):
    with pytest.raises(InvalidValueError, match=sentence):
        pieces.assets.search(**given)


def test_an_anchor_needs_a_path(pieces):
    with pytest.raises(InvalidValueError, match="not empty"):
        pieces.anchors.create("")


ODD_PARTS = [
    {"asset": None}, {"score": None}, {"exact": None}, {"match": None}, {"similarity": None}, {"score": "high"},
    {"match": {}}, {"asset": {"id": None}}, {"asset": {}}, {"exact": []},
]  # fmt: skip


@pytest.mark.parametrize("filtered", [False, True])
@pytest.mark.parametrize("odd", ODD_PARTS, ids=repr)
def test_a_null_or_odd_part_of_a_hit_says_nothing_and_the_search_goes_on(odd, filtered):
    whole = {"exact": True, "score": 0.9, "match": "TITLE"}
    hits = [
        {"identifier": "a", **whole, "asset": {"id": "a", "name": "one"}, **odd},
        {"identifier": "b", **whole, "score": 0.8, "asset": {"id": "b", "name": "two"}},
    ]
    answer = {"iterable": hits}
    with recording() as recorder, pieces_orm.connect(recorder.url, api_key="x") as session:
        recorder.answer("GET", "/assets/search", body=answer)
        recorder.answer("POST", "/assets/search", body={"results": answer})
        recorder.answer("GET", "/assets/a", body={"id": "a", "name": "one"})
        given = {"filters": [pieces_orm.filters.tags("x")]} if filtered else {}
        found = session.assets.search("x", **given)
        assert {hit.asset.name for hit in found} == {"one", "two"}


@pytest.mark.parametrize("odd", [None, 5, {}, {"identifier": None}, {"identifier": ""}, {"exact": True}], ids=repr)
def test_a_hit_that_names_no_material_is_left_out_with_a_warning(caplog, odd):
    with recording() as recorder, pieces_orm.connect(recorder.url, api_key="x") as session:
        items = [odd, {"identifier": "a", "similarity": 0.5, "tag": {"id": "a", "text": "tide"}}]
        recorder.answer("POST", "/tags/search", body={"iterable": items})
        assert [each.entity.text for each in session.tags.search("tide")] == ["tide"]
    assert "names no tag" in caplog.text


def test_a_hit_without_an_identifier_is_the_material_that_it_brings():
    with recording() as recorder, pieces_orm.connect(recorder.url, api_key="x") as session:
        items = [{"similarity": 0.5, "tag": {"id": "a", "text": "tide"}}]
        recorder.answer("POST", "/tags/search", body={"iterable": items})
        assert session.tags.search("tide") == [Found(session.tags.ref("a"), 0.5, exact=False)]
