"""A search has a limit of work: of what it may ask for, and of time; a refusal names the limit."""

import time

import pytest
from sqlalchemy import text

from pieces_orm.server import Server
from pieces_orm.server.request_errors import RequestError
from pieces_orm.server.search import limits
from pieces_orm.server.storage.store import Store
from tests.server.support import Wire

WORDS = " ".join(f"w{number}" for number in range(201))
PHRASE = {"phrase": {"value": "tide"}}


def group(items):
    return {"iterable": items}


@pytest.mark.parametrize(
    ("path", "query", "limit"),
    [
        ("/assets/search", {"query": WORDS}, "200 words"),
        ("/assets/search", {"query": "a" * 501}, "500 characters"),
        ("/assets/search", {"query": "=>" * 251}, "500 characters"),
        ("/assets/search", {"query": "a " * 5_001}, "10,000 characters"),
        ("/assets/search", {"searchable_tags": WORDS.replace(" ", ",")}, "200 tags"),
        ("/search/full_text", {"query": WORDS}, "200 words"),
        ("/search/neural_code", {"query": "a" * 501}, "500 characters"),
    ],
)
def test_a_query_has_a_limit_of_words_and_of_their_length(sea, path, query, limit):
    answer = sea.ask("GET", path, params=query)
    assert (answer.status_code, limit in answer.text) == (400, True), answer.text


@pytest.mark.parametrize(
    ("path", "body", "limit"),
    [
        ("/assets/search", {"query": WORDS}, "200 words"),
        ("/assets/search", {"filters": group([PHRASE] * 101)}, "100 filters"),
        ("/assets/search", {"filters": group([{"operations": group([PHRASE] * 60)}] * 2)}, "100 filters"),
        ("/assets/search", {"filters": group([{"tags": ["tides"] * 100}])}, "100 filters"),
        ("/assets/search", {"filters": group([{"phrase": {"value": "a" * 10_001}}])}, "10,000 characters"),
        ("/tags/search", {"engines": group([{"query": "tide"}] * 101)}, "100 engines"),
        ("/tags/search", {"engines": group([{"query": WORDS}])}, "200 words"),
        ("/tags/search", {"engines": group([{"query": "a" * 501}])}, "500 characters"),
    ],
)
def test_filters_and_engines_have_a_limit_of_number_and_length(sea, path, body, limit):
    answer = sea.ask("POST", path, body)
    assert (answer.status_code, limit in answer.text) == (400, True), answer.text


def test_a_search_at_the_limits_is_answered(sea):
    assert sea.status("GET", "/assets/search", params={"query": WORDS.rpartition(" ")[0]}) == 200
    assert sea.status("POST", "/assets/search", {"query": "a" * 500, "filters": group([PHRASE] * 100)}) == 200
    assert sea.status("POST", "/tags/search", {"engines": group([{"query": "tide"}] * 100)}) == 200


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "/assets/search?query=tide", None),
        ("GET", "/assets/search?query=zebra+tide", None),
        ("GET", "/assets/search?searchable_tags=tides", None),
        ("POST", "/assets/search", {"filters": group([PHRASE])}),
        ("POST", "/assets/search", {"filters": group([{"tags": ["tides"]}])}),
        ("POST", "/tags/search", {"engines": group([{"query": "tide"}])}),
    ],
)
def test_a_search_that_takes_too_long_is_stopped_with_a_sentence(sea, monkeypatch, method, path, body):
    monkeypatch.setattr(limits, "MAX_SECONDS", -1)
    answer = sea.ask(method, path, body)
    assert answer.status_code == 400
    assert "The search was stopped after" in answer.text
    monkeypatch.undo()
    assert sea.status(method, path, body) == 200


@pytest.mark.parametrize("kept", ["file", "memory"])
def test_the_database_is_interrupted_and_can_be_read_again(tmp_path, monkeypatch, kept):
    monkeypatch.setattr(limits, "MAX_SECONDS", 0.05)
    store = Store(tmp_path / "pieces.db" if kept == "file" else None)
    store.open(lambda _: None)
    endless = text("WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT max(x) FROM n")
    with store.read() as reader:
        with pytest.raises(RequestError, match=r"stopped after 0\.05 seconds"), limits.limited(reader) as searching:
            searching.connection.scalar(endless)
        assert reader.ids("asset") == []
    store.close()


@pytest.fixture(scope="module")
def long_text():
    """A server with an asset of 200,000 lines."""
    with Server() as server:
        wire = Wire(server)
        wire.make_asset(f"tidal {LETTERS}\n" * 200_000)
        yield wire


LETTERS = "abcdefghijklmnopqrstuvwxyz"


@pytest.mark.parametrize(
    "query",
    ["tidal " * 200, " ".join(LETTERS[:end] for end in range(2, 27)), " ".join(f"tid{a}l" for a in LETTERS[1:])],
    ids=["the same", "beginnings", "mistyped"],
)
def test_words_that_occur_together_in_a_long_text_are_counted_once(long_text, query):
    begun = time.process_time()
    (hit,) = long_text.get("/assets/search", params={"query": query})["iterable"]
    assert hit["score"] > 0
    assert time.process_time() - begun < 2


def test_many_mistyped_words_cost_one_pass_over_the_vocabulary(sea):
    query = " ".join(["harbuor", "meat", *(f"unknown{number}x" for number in range(90))])
    assert sea.get("/assets/search", params={"query": query})["iterable"] == []
    (hit,) = sea.get("/assets/search", params={"query": "harbuor meat"})["iterable"]
    assert hit["match"] == "FUZZY"
