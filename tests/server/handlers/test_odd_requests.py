"""Requests that cannot be understood are refused with a sentence, or leave out what cannot be; nothing breaks."""

import pytest

from pieces_orm.server import Settings
from pieces_orm.server.domain import seeds
from pieces_orm.wire.kinds import KINDS


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/assets/search", {"query": "x", "space": {"identifers": {"iterable": [{"id": ["x"]}]}}}),
        ("/assets/search", {"query": "x", "space": "everywhere"}),
        ("/workstream_events/batch/fetch", {"workstreamEvents": {"iterable": [{"id": ["x"]}]}}),
        ("/workstream_events/batch/fetch", {"workstreamEvents": {"iterable": [{"id": 5}]}}),
        ("/workstream_summary/update/value",
         {"workstream_summary": {"id": "x"}, "value": "v", "annotation": {"id": ["x"]}}),
    ],
)  # fmt: skip
def test_an_id_that_is_no_text_is_refused_with_a_sentence(shared, path, body):
    answer = shared.ask("POST", path, body)
    assert (answer.status_code, answer.text.endswith(".")) == (400, True)


@pytest.mark.parametrize("limit", ["\u00b2", "9" * 4500, "-1", "x"])
def test_a_limit_that_is_no_number_limits_nothing(shared, limit):
    shared.make(KINDS["workstream_event"])
    assert shared.get("/workstream_events/identifiers", params={"limit": limit})["iterable"]


@pytest.mark.parametrize("value", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"])
def test_a_moment_beyond_the_calendar_is_no_moment(shared, value):
    assert shared.make(KINDS["conversation_message"], created={"value": value})["created"]["value"] > "2000"
    assert isinstance(shared.get("/assets", params={"created_from": value})["iterable"], list)


def test_a_year_of_three_digits_is_written_with_four(shared):
    made = shared.make(KINDS["conversation_message"], created={"value": "0900-01-01T00:00:00Z"})
    assert made["created"]["value"] == "0900-01-01T00:00:00.000000Z"


def test_a_key_without_a_name_is_kept_like_any_other(shared):
    assert shared.post("/annotations/create", {"text": "t", "type": "COMMENT", "": {"a": 1}})[""] == {"a": 1}


def test_what_a_document_must_have_is_wanted_whatever_is_ignored_otherwise(started):
    wire = started(settings=Settings(associate_missing="ignore"))
    for kind, key in (("conversation_message", "conversation"), ("anchor_point", "anchor"), ("sensitive", "asset")):
        seed = wire.seed(KINDS[kind])
        seed[key] = {"id": "nobody"} if isinstance(seed[key], dict) else "nobody"
        assert wire.status("POST", KINDS[kind].route("create").path, seed) == 500


def test_an_asset_is_named_by_its_id_never_made_on_the_way(shared):
    for asset in ({}, {"name": "new"}):
        seed = {**shared.seed(KINDS["sensitive"]), "asset": asset}
        answer = shared.ask("POST", "/sensitives/create", seed)
        assert (answer.status_code, "must name its assets" in answer.text) == (400, True)


def test_a_seed_of_too_many_materials_is_refused_before_any_is_made(shared, monkeypatch):
    monkeypatch.setattr(seeds, "MAX_MEMBERS", 50)
    many = [{"text": f"one of many {number}"} for number in range(51)]
    event = {**shared.seed(KINDS["workstream_event"]), "tags": {"iterable": many}}
    names = {
        **shared.seed(KINDS["tag"]),
        "assets": {"iterable": [{"id": "a"}] * 30},
        "websites": {"iterable": ["b"] * 21},
    }
    bodies = {
        "/assets/create": shared.asset_seed({"string": {"raw": "x"}}, tags=many),
        "/workstream_events/create": event,
        "/tags/create": names,
    }
    for path, body in bodies.items():
        answer = shared.ask("POST", path, body)
        assert answer.status_code == 413
        assert "51 materials; the limit is 50" in answer.text
    assert "one of many" not in str(shared.get("/tags"))
    numbers = shared.asset_seed({"bytes": {"raw": [7] * 60}}, tags=many[:50])
    assert len(shared.post("/assets/create", numbers)["tags"]["iterable"]) == 50
