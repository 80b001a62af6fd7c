"""Searching the kinds other than assets by engines."""

import pytest

from pieces_orm.server import Server
from pieces_orm.wire.kinds import KINDS
from tests.server.support import Wire


@pytest.fixture(scope="module")
def tags():
    """A server with three tags, by text."""
    with Server() as server:
        wire = Wire(server)
        wire.tags = {text: wire.make(KINDS["tag"], text=text) for text in ("spring tide", "neap tide", "Tidal café")}
        yield wire


def found(wire, *engines, type="AND"):
    answer = wire.post("/tags/search", {"engines": {"iterable": list(engines), "type": type}})
    return {hit["tag"]["text"]: (hit["similarity"], hit["exact"]) for hit in answer["iterable"]}


def test_a_query_as_it_is_comes_before_words_that_only_begin_like_it(tags):
    tide = found(tags, {"query": "tide spr"}, {"query": "spring tide"}, type="OR")
    assert tide == {"spring tide": (1.0, True)}
    assert found(tags, {"query": "tide spr"}) == {"spring tide": (0.8, False)}
    both = found(tags, {"query": "tid nea"}, {"query": "spring"}, type="OR")
    assert list(both.items()) == [("spring tide", (0.95, False)), ("neap tide", (0.8, False))]


def test_engines_combine_by_and_or_and_operations(tags):
    assert set(found(tags, {"query": "tide"}, {"query": "neap"})) == {"neap tide"}
    assert found(tags, {"query": "tide"}, {"query": "tid nea"}) == {"neap tide": (0.8, False)}
    assert set(found(tags, {"query": "cafe"}, {"query": "neap"}, type="OR")) == {"Tidal café", "neap tide"}
    nested = {"operations": {"type": "OR", "iterable": [{"query": "cafe"}, {"query": "neap"}]}}
    assert set(found(tags, nested, {"query": "tide"})) == {"neap tide"}
    assert set(found(tags, {"query": "tide", **nested})) == {"neap tide"}


def test_bounds_in_time_belong_to_the_period(tags):
    created = tags.tags["neap tide"]["created"]
    period = {"temporal": {"created": {"from": created, "to": created}}}
    assert set(found(tags, period)) == {"neap tide"}
    assert set(found(tags, {"temporal": {"created": {"from": created}}})) == {"neap tide", "Tidal café"}
    assert found(tags, period, {"query": "spring"}) == {}
    assert set(found(tags, {"query": "tide", **period})) == {"neap tide"}


def test_messages_are_searched_within_their_conversation(wire):
    first, second = (wire.make(KINDS["conversation_message"]) for _ in range(2))
    conversation = first["conversation"]["id"]
    assert second["conversation"]["id"] != conversation
    body = {"engines": {"iterable": [{"query": "low water"}]}}
    hits = wire.post(f"/conversation/{conversation}/search", body)["iterable"]
    assert [(hit["identifier"], hit["message"]["id"]) for hit in hits] == [(first["id"], first["id"])]
    assert wire.status("POST", "/conversation/nothing/search", body) == 500


@pytest.mark.parametrize(
    "engines",
    [
        None,
        {},
        {"iterable": []},
        {"iterable": [{}]},
        {"iterable": [{"query": ""}]},
        {"iterable": ["tide"]},
        {"iterable": [{"full_text": {"casing": True}}]},
        {"iterable": [{"words": "tide"}]},
        {"iterable": [{"query": "tide", "temporal": {"created": {"from": {"value": "not a time"}}}}]},
        {"iterable": [{"query": "tide", "operations": {"iterable": []}}]},
    ],
)
def test_an_engine_that_says_nothing_or_something_unknown_is_refused(tags, engines):
    answer = tags.ask("POST", "/tags/search", {"engines": engines})
    assert (answer.status_code, answer.text.endswith(".")) == (400, True), answer.text


def test_engines_within_engines_end_somewhere(tags):
    nested = {"iterable": [{"query": "tide"}]}
    for _ in range(200):
        nested = {"iterable": [{"operations": nested}]}
    assert tags.status("POST", "/tags/search", {"engines": nested}) == 400
