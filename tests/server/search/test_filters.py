"""Searching assets through filters."""

import pytest


def filtered(wire, *filters, type="AND", **more):
    body = {"filters": {"iterable": list(filters), "type": type}, **more}
    names = {asset["id"]: name for name, asset in wire.assets.items()}
    return {names[hit["identifier"]] for hit in wire.post("/assets/search", body)["results"]["iterable"]}


def test_filters_narrow_and_combine(sea):
    assert filtered(sea, {"classification": "py"}) == {"table"}
    assert filtered(sea, {"tags": ["tides"]}) == {"table", "notes"}
    assert filtered(sea, {"tags": ["tides", "moon"]}) == {"table"}
    assert filtered(sea, {"tags": [sea.assets["table"]["tags"]["iterable"][0]["id"]]}) == {"table", "notes"}
    assert filtered(sea, {"websites": ["https://almanac.example/tables"]}) == {"site"}
    assert filtered(sea, {"persons": ["ada byron"]}) == {"who"}
    assert filtered(sea, {"phrase": {"value": "HOUR", "content": True}}) == {"table"}
    assert filtered(sea, {"phrase": {"value": "HOUR", "content": True}}, casing=True) == set()
    assert filtered(sea, {"phrase": {"value": "tide", "title": True}}) == {"table"}
    assert (
        filtered(sea, {"phrase": {"value": "tide", "annotation": True, "options": {"annotation": "COMMENT"}}}) == set()
    )
    assert filtered(sea, {"phrase": {"value": "tide", "annotation": True}}) == {"notes"}
    assert filtered(sea, {"classification": "py"}, {"classification": "rs"}) == set()
    assert filtered(sea, {"classification": "py"}, {"classification": "rs"}, type="OR") == {"table", "who"}
    nested = {"operations": {"type": "OR", "iterable": [{"classification": "rs"}, {"tags": ["moon"]}]}}
    assert filtered(sea, nested) == {"table", "who"}
    assert filtered(sea, nested, {"persons": ["Ada Byron"]}) == {"who"}
    assert filtered(sea, {"tags": ["tides"]}, query="harbour") == {"notes"}
    space = {"identifers": {"iterable": [{"id": sea.assets["who"]["id"]}]}}
    assert filtered(sea, space=space) == {"who"}
    assert filtered(sea, query="Tide", casing=True) == set()


def test_time_filters_are_inclusive(sea):
    notes = sea.assets["notes"]["created"]
    later = {"table", "tidal"}
    assert filtered(sea, {"created": {"from": notes}}) == set(sea.assets) - later
    assert filtered(sea, {"created": {"to": notes}}) == later | {"notes"}
    assert filtered(sea, {"created": {"between": True, "from": notes, "to": notes}}) == {"notes"}
    assert (
        sea.status("POST", "/assets/search", {"filters": {"iterable": [{"created": {}, "updated": {"from": 5}}]}})
        == 400
    )


@pytest.mark.parametrize(
    "filters",
    [
        [{}],
        [{"titles": ["zzz"]}],
        [{"tags": []}],
        [{"tags": [5]}],
        [{"operations": "zz"}],
        [{"operations": {"iterable": []}}],
        [{"created": {"from": {"value": "not a time"}, "to": {"value": "2030-01-01T00:00:00Z"}}}],
        [{"created": "today"}],
        [{"phrase": {}}],
        ["zz"],
    ],
)
def test_a_filter_that_says_nothing_is_refused_and_lets_nothing_pass(shared, filters):
    answer = shared.ask("POST", "/assets/search", {"filters": {"iterable": filters}})
    assert (answer.status_code, answer.text.endswith(".")) == (400, True)


def test_filters_within_filters_end_somewhere(shared):
    nested = {"iterable": [{"classification": "py"}]}
    for _ in range(200):
        nested = {"iterable": [{"operations": nested}]}
    assert shared.status("POST", "/assets/search", {"filters": nested}) == 400


def test_an_annotation_may_be_limited_to_its_type(sea):
    def hits(**options):
        phrase = {"value": "spring", "annotation": True, "options": options}
        body = {"filters": {"iterable": [{"phrase": phrase}]}}
        return [hit["asset"]["name"] for hit in sea.post("/assets/search", body)["results"]["iterable"]]

    assert hits() == hits(annotation="DESCRIPTION") == ["notes"]
    assert hits(annotation="COMMENT") == []
