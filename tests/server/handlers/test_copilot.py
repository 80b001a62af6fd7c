"""Questions without a model, and what is relevant to them."""

from __future__ import annotations

import json

import pytest
import requests

from pieces_orm.server import Server, Settings
from pieces_orm.server.handlers import question_stream
from pieces_orm.server.handlers.replies import NO_MODEL
from pieces_orm.wire.kinds import KINDS
from tests.server.asking import ask, asking, frames, messages, text
from tests.server.support import Wire, frame, stream, until


def test_without_a_model_a_question_is_answered_at_once_by_the_sentence_that_there_is_none(shared):
    with asking(shared) as client:
        ask(client)
        found = frames(client)
    assert [one["status"] for one in found] == ["IN-PROGRESS", "COMPLETED"]
    assert text(found) == NO_MODEL
    assert messages(shared, found[0]["conversation"]) == [("USER", "How high is the tide?"), ("ASSISTANT", NO_MODEL)]


def test_frames_are_in_the_order_in_which_every_known_client_ends(shared):
    # One ends at the first status other than IN-PROGRESS, one only at a COMPLETED without an answer, and one takes
    # a frame without a text for the end of the text.
    with asking(shared) as client:
        client.send(json.dumps({"relevance": {"query": "tide", "options": {"question": True}}, "request": "first"}))
        *pieces, last = frames(client)
    assert all(one["status"] == "IN-PROGRESS" and one["question"]["answers"]["iterable"][0]["text"] for one in pieces)
    assert (last["status"], "question" in last) == ("COMPLETED", False)
    assert {one["request"] for one in (*pieces, last)} == {"first"}
    assert len({one["conversation"] for one in (*pieces, last)}) == 1


def test_a_question_goes_to_the_conversation_it_names_or_to_a_new_one(shared):
    named = shared.make(KINDS["conversation"])["id"]
    with asking(shared) as client:
        ask(client, conversation=named)
        assert {one["conversation"] for one in frames(client)} == {named}
        ask(client, "Is it\nhigh?")
        new = frames(client)[0]["conversation"]
    assert shared.read(KINDS["conversation"], new)["name"] == "Is it"
    assert len(messages(shared, named)) == 2


def test_the_streams_tell_of_the_messages(shared):
    with stream(shared.server, "/messages/stream/identifiers") as told, asking(shared) as client:
        frame(told)
        ask(client, conversation=shared.make(KINDS["conversation"])["id"])
        frames(client)
        heard = set()
        until(
            lambda: (
                heard.update(each["conversationMessage"]["id"] for each in frame(told)["iterable"]) or len(heard) > 1
            )
        )


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        ("no json", 400),
        ("[]", 400),
        ("[" * 100_000, 400),
        ("{}", 400),
        ('{"question": 3}', 400),
        ('{"question": {"relevant": {"iterable": []}}}', 400),
        ('{"question": {"query": 3, "relevant": {"iterable": []}}}', 400),
        ('{"question": {"query": "x", "relevant": 3}}', 400),
        ('{"question": {"query": "x"}, "relevance": {"query": "x"}}', 400),
        ('{"question": {"query": "x", "relevant": {"iterable": []}}, "conversation": "unknown"}', 410),
        ('{"question": {"query": "x", "relevant": {"iterable": []}}, "conversation": 3}', 400),
        ('{"relevance": {"query": "x", "assets": {"iterable": [{"id": 3}]}}}', 400),
        ('{"relevance": {"query": "x"}, "deep": ' + "[" * 100 + "]" * 100 + "}", 400),
        ('{"relevance": {"query": "x", "assets": {"iterable": 3}, "options": {"question": true}}}', 400),
    ],
)
def test_a_question_that_cannot_be_answered_fails_with_a_sentence_and_the_stream_goes_on(shared, sent, status):
    with asking(shared) as client:
        client.send(sent)
        (failed,) = frames(client)
        assert (failed["status"], failed["statusCode"]) == ("FAILED", status)
        assert failed["errorMessage"].endswith(".")
        ask(client)
        assert frames(client)[-1]["status"] == "COMPLETED"


def test_a_mistake_of_the_server_is_told_in_the_last_frame(shared, monkeypatch, caplog):
    def mistaken(_service, _body):
        raise KeyError("a mistake")

    monkeypatch.setattr(question_stream, "prepare", mistaken)
    with asking(shared) as client:
        ask(client)
        [failed] = frames(client)
    assert (failed["status"], failed["statusCode"]) == ("FAILED", 500)
    assert "a mistake" in caplog.text


def test_a_read_only_server_says_that_it_cannot_keep_a_question(tmp_path):
    with Server(tmp_path / "a.db"):
        pass
    with Server(tmp_path / "a.db", settings=Settings(read_only=True)) as server:
        with stream(server, "/qgpt/stream") as client:
            ask(client)
            (failed,) = frames(client)
        assert (failed["status"], failed["statusCode"]) == ("FAILED", 403)
        body = {"query": "x", "relevant": {"iterable": []}}
        assert Wire(server).post("/qgpt/question", body)["answers"]["iterable"][0]["text"] == NO_MODEL


# Relevance.


def test_what_a_query_names_is_relevant_and_the_best_match_comes_first(shared):
    low, high = shared.make_asset("x = 1", name="low")["id"], shared.make_asset("neap = 2", name="high")["id"]
    anchor, seed = shared.make(KINDS["anchor"])["id"], shared.asset_seed({"string": {"raw": "spring"}})
    body = {
        "query": "How high is a neap tide?", "assets": {"iterable": [{"id": low}, {"id": high}, {"id": "unknown"}]},
        "anchors": {"iterable": [{"id": anchor}]}, "paths": ["/tides"], "seeds": {"iterable": [seed]},
    }  # fmt: skip
    found = shared.post("/qgpt/relevance", body)["relevant"]["iterable"]
    assert found == [
        {"asset": {"id": high}}, {"asset": {"id": low}}, {"anchor": {"id": anchor}}, {"path": "/tides"}, {"seed": seed},
    ]  # fmt: skip


@pytest.mark.parametrize("key", ["assets", "anchors", "seeds"])
def test_a_question_names_10_000_of_a_kind_and_no_more(shared, key):
    named = [{"id": "no such"}] * 10_001
    answer = shared.ask("POST", "/qgpt/relevance", {"query": "tide", key: {"iterable": named}})
    assert (answer.status_code, "the limit is 10,000" in answer.text) == (400, True)
    answer = shared.ask("POST", "/qgpt/relevance", {"query": "tide", key: {"iterable": named[:-1]}})
    assert answer.status_code == 200


def test_the_whole_database_is_searched_only_when_the_options_say_so(shared):
    id = shared.make_asset("perigean = 2")["id"]
    assert shared.post("/qgpt/relevance", {"query": "perigean"}) == {"relevant": {"iterable": []}}
    body = {"query": "a perigean tide", "options": {"database": True}}
    assert {"asset": {"id": id}} in shared.post("/qgpt/relevance", body)["relevant"]["iterable"]
    pseudo = shared.make_asset("perigean = 3", pseudo=True)["id"]
    assert {"asset": {"id": pseudo}} not in shared.post("/qgpt/relevance", body)["relevant"]["iterable"]


@pytest.mark.parametrize("query", ["", "?!", "\0", "(" * 500, "tide " * 5_000, "NEAR(a b) OR *"])
def test_every_text_can_be_asked_about(shared, query):
    shared.post("/qgpt/relevance", {"query": query, "options": {"database": True, "question": True}})


@pytest.mark.parametrize("path", ["question", "relevance", "reprompt"])
@pytest.mark.parametrize("body", [{}, {"query": 3}, {"query": None}])
def test_a_request_without_a_query_is_a_400(shared, path, body):
    assert shared.status("POST", f"/qgpt/{path}", body) == 400


# Siblings.


def test_suggested_questions_are_those_stored_with_the_relevant_assets(shared):
    asset = shared.make_asset()["id"]
    shared.post("/hints/create", {"type": "SUGGESTED_QUERY", "text": "Is it high?", "asset": asset})
    shared.post("/hints/create", {"type": "QGPT_HINT", "text": "It is high.", "asset": asset})
    found = shared.post("/qgpt/hints", {"relevant": {"iterable": [{"asset": {"id": asset}}]}})
    assert [each["text"] for each in found["answers"]["iterable"]] == ["Is it high?"]
    assert shared.post("/qgpt/hints", {"relevant": {"iterable": []}}) == {"answers": {"iterable": []}}


def test_related_persons_are_those_of_assets_with_the_same_words(shared):
    person = {"type": {"basic": {"name": "Ada"}}}
    shared.make_asset("syzygy = 1", persons=[person])
    seed = shared.asset_seed({"string": {"raw": "what is a syzygy?"}})
    (found,) = shared.post("/qgpt/persons/related", {"seed": seed})["persons"]["iterable"]
    assert found["type"]["basic"]["name"] == "Ada"
    assert shared.post("/qgpt/persons/related", {})["persons"]["iterable"] == []


def test_nobody_signed_in_asks_nothing():
    with Server(settings=Settings(user="nobody")) as server:
        answer = requests.post(f"{server.url}/qgpt/question", json={"query": "x"}, timeout=5)
        assert answer.status_code == 401
