"""Questions: what is relevant to them, and how they are answered with a model and without one."""

from __future__ import annotations

import json
import socket
import threading
import time
from contextlib import contextmanager

import pytest
import requests

from pieces_orm.server import ChatModel, Message, ModelError, Server, Settings
from pieces_orm.server.handlers.replies import NO_MODEL
from pieces_orm.server.workload import MAX_ANSWERS
from pieces_orm.wire.kinds import KINDS
from tests.server.model_server import DONE, event, model_server
from tests.server.support import Wire, frame, stream, until, valid


class Script:
    """Answers of a model, as a test wants them."""

    def __init__(self):
        self.questions = []
        self.answer = None

    def __call__(self, question):
        self.questions.append(question)
        return self.answer(question)


@pytest.fixture(scope="module")
def scripted():
    script = Script()
    with Server(settings=Settings(answers=script, answer_timeout=5)) as server:
        wire = Wire(server)
        wire.script = script
        yield wire


@pytest.fixture
def modelled(scripted):
    """A server whose model says "It is high." until it is told otherwise."""
    scripted.script.questions.clear()
    scripted.script.answer = lambda _: iter(["It is ", "high."])
    return scripted


@contextmanager
def asking(wire):
    with stream(wire.server, "/qgpt/stream") as client:
        yield client


def ask(client, query="How high is the tide?", **more):
    client.send(json.dumps({"question": {"query": query, "relevant": {"iterable": []}}, **more}))


def frames(client):
    """The frames of one answer, checked as every frame is."""
    found = []
    while not found or found[-1]["status"] == "IN-PROGRESS":
        found.append(frame(client))
        valid("QGPTStreamOutput", found[-1])
    return found


def text(found):
    return "".join(one["question"]["answers"]["iterable"][0]["text"] for one in found if "question" in one)


def messages(wire, conversation):
    found = wire.get(f"/conversation/{conversation}/messages")["iterable"]
    return [(one["role"], one["fragment"]["string"]["raw"]) for one in found]


# Without a model.


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


def test_the_whole_database_is_searched_only_when_the_options_say_so(shared):
    id = shared.make_asset("perigean = 2")["id"]
    assert shared.post("/qgpt/relevance", {"query": "perigean"}) == {"relevant": {"iterable": []}}
    body = {"query": "a perigean tide", "options": {"database": True}}
    assert {"asset": {"id": id}} in shared.post("/qgpt/relevance", body)["relevant"]["iterable"]
    pseudo = shared.make_asset("perigean = 3", pseudo=True)["id"]
    assert {"asset": {"id": pseudo}} not in shared.post("/qgpt/relevance", body)["relevant"]["iterable"]


def test_relevance_alone_asks_nothing(modelled):
    before = len(modelled.get("/conversations")["iterable"])
    assert "answer" not in modelled.post("/qgpt/relevance", {"query": "x"})
    with asking(modelled) as client:
        client.send('{"relevance": {"query": "x"}}')
        found = frames(client)
    assert [one.get("relevance") for one in found] == [{"relevant": {"iterable": []}}, None]
    assert found[-1]["status"] == "COMPLETED"
    assert not modelled.script.questions
    assert len(modelled.get("/conversations")["iterable"]) == before


@pytest.mark.parametrize("query", ["", "?!", "\0", "(" * 500, "tide " * 5_000, "NEAR(a b) OR *"])
def test_every_text_can_be_asked_about(shared, query):
    shared.post("/qgpt/relevance", {"query": query, "options": {"database": True, "question": True}})


@pytest.mark.parametrize("path", ["question", "relevance", "reprompt"])
@pytest.mark.parametrize("body", [{}, {"query": 3}, {"query": None}])
def test_a_request_without_a_query_is_a_400(shared, path, body):
    assert shared.status("POST", f"/qgpt/{path}", body) == 400


# With a model.


def test_an_answer_is_streamed_as_the_model_writes_it_and_kept_whole(modelled):
    go = threading.Event()

    def answer(_):
        yield "It is "
        assert go.wait(10)
        yield "high."

    modelled.script.answer = answer
    with asking(modelled) as client:
        ask(client)
        first = frame(client)
        assert text([first]) == "It is "
        go.set()
        found = [first, *frames(client)]
    assert text(found) == "It is high."
    assert messages(modelled, first["conversation"])[1] == ("ASSISTANT", "It is high.")


def test_the_model_is_given_what_the_question_names(modelled):
    asset = modelled.make_asset("height = 3", name="tide.py")["id"]
    anchor, message = (modelled.make(KINDS[name])["id"] for name in ("anchor", "conversation_message"))
    summary = modelled.make(KINDS["workstream_summary"])["id"]
    modelled.post(
        "/workstream_summary/update/value", {"value": "A day at the shore.", "workstream_summary": {"id": summary}}
    )
    seed = modelled.asset_seed({"string": {"raw": "spring = 4"}})
    with asking(modelled) as client:
        body = {
            "query": "How high?", "options": {"question": True}, "assets": {"iterable": [{"id": asset}]},
            "anchors": {"iterable": [{"id": anchor}]}, "messages": {"iterable": [{"id": message}]},
            "summaries": {"iterable": [{"id": summary}]}, "seeds": {"iterable": [seed]},
        }  # fmt: skip
        client.send(json.dumps({"relevance": body}))
        frames(client)
    modelled.post("/qgpt/question", {"query": "How high?", "relevant": {"iterable": [{"asset": {"id": asset}}]}})
    streamed, posted = modelled.script.questions
    assert [(each.kind, each.id, each.text) for each in streamed.materials] == [
        ("asset", asset, "height = 3"),
        ("anchor", anchor, "/projects/tides/tide.py"),
        ("text", None, "spring = 4"),
        ("conversation_message", message, "when is low water?"),
        ("workstream_summary", summary, "A day at the shore."),
    ]
    assert [(each.name, each.text) for each in posted.materials] == [("tide.py", "height = 3")]


def test_the_model_is_given_the_conversation_and_no_more_than_it_can_take(modelled):
    asset = modelled.make_asset("x" * 100_000)["id"]
    with asking(modelled) as client:
        ask(client, "Is it high?")
        conversation = frames(client)[0]["conversation"]
        body = {"query": "And now?", "relevant": {"iterable": [{"asset": {"id": asset}}] * 10}}
        client.send(json.dumps({"question": body, "conversation": conversation}))
        frames(client)
    asked = modelled.script.questions[1]
    assert asked.messages == (Message("user", "Is it high?"), Message("assistant", "It is high."))
    assert sum(len(each.text) for each in asked.materials) == 32_000


def test_a_follow_up_is_rewritten_by_the_model_and_stays_without_one(shared, modelled):
    body = {
        "query": "And now?",
        "conversation": {
            "iterable": [{"role": "USER", "text": "Hello", "timestamp": {"value": "2026-01-01T00:00:00Z"}}]
        },
    }
    assert shared.post("/qgpt/reprompt", body) == {"query": "And now?"}
    assert modelled.post("/qgpt/reprompt", body) == {"query": "It is high."}
    assert modelled.script.questions[0].messages == (Message("user", "Hello"),)


def failing(_):
    yield "It"
    raise ModelError("The model is out of breath.")


def broken(_):
    raise ValueError("a bug")


@pytest.mark.parametrize(
    ("answer", "said", "kept"),
    [
        (failing, "The model is out of breath.", ["It"]),
        (broken, "The model failed: ValueError.", []),
        (lambda _: None, "The model failed: TypeError.", []),
        (lambda _: iter(["x" * 600_000] * 2), "The model's answer is over 1000000 characters.", ["x" * 600_000]),
    ],
)
def test_an_error_of_the_model_becomes_a_sentence_and_what_was_said_is_kept(modelled, answer, said, kept):
    modelled.script.answer = answer
    with asking(modelled) as client:
        ask(client)
        failed = frames(client)[-1]
    assert (failed["status"], failed["statusCode"], failed["errorMessage"]) == ("FAILED", 503, said)
    assert [raw for _, raw in messages(modelled, failed["conversation"])[1:]] == kept
    response = modelled.ask("POST", "/qgpt/question", {"query": "x", "relevant": {"iterable": []}})
    assert (response.status_code, response.text) == (503, said)


def test_an_answer_that_takes_too_long_fails_in_time():
    end = threading.Event()
    settings = Settings(answers=lambda _: end.wait(20) and "late", answer_timeout=0.2)
    with Server(settings=settings) as server:
        with stream(server, "/qgpt/stream") as client:
            ask(client)
            (failed,) = frames(client)
        assert failed["errorMessage"] == "The model did not answer within 0.2 seconds."
        assert Wire(server).status("POST", "/qgpt/question", {"query": "x", "relevant": {"iterable": []}}) == 503
        end.set()


class Endless:
    """An answer that has no end; `stopped` is set when it is closed."""

    def __init__(self):
        self.begun, self.stopped = threading.Event(), threading.Event()

    def __call__(self, _):
        try:
            while True:
                self.begun.set()
                yield "high "
                time.sleep(0.002)
        finally:
            self.stopped.set()


def test_a_client_that_leaves_stops_the_model(modelled):
    modelled.script.answer = endless = Endless()
    with asking(modelled) as client:
        ask(client)
        conversation = frame(client)["conversation"]
    assert endless.stopped.wait(5)
    until(lambda: len(messages(modelled, conversation)) == 2)
    modelled.script.answer = endless = Endless()
    body = b'{"query": "x", "relevant": {"iterable": []}}'
    with socket.create_connection(("127.0.0.1", modelled.server.port)) as plain:
        head = f"POST /qgpt/question HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(body)}\r\n\r\n".encode()
        plain.sendall(head + body)
        assert endless.begun.wait(5)
    assert endless.stopped.wait(5)


@pytest.mark.parametrize(("word", "status"), [("stop", "STOPPED"), ("reset", "RESET")])
def test_a_client_can_stop_an_answer_and_ask_again(modelled, word, status):
    modelled.script.answer = endless = Endless()
    with asking(modelled) as client:
        ask(client)
        conversation = frame(client)["conversation"]
        client.send(json.dumps({word: True}))
        assert frames(client)[-1]["status"] == status
        assert endless.stopped.wait(5)
        modelled.script.answer = lambda _: "It is high."
        ask(client, conversation=conversation)
        assert text(frames(client)) == "It is high."
    assert [role for role, _ in messages(modelled, conversation)] == ["USER", "ASSISTANT", "USER", "ASSISTANT"]


def test_one_stream_answers_several_conversations_and_the_server_others_meanwhile(modelled):
    slow, quick = (modelled.make(KINDS["conversation"])["id"] for _ in range(2))
    end = threading.Event()
    modelled.script.answer = lambda question: (question.text == "slow" and end.wait(20) and "late") or "It is high."
    with asking(modelled) as client:
        ask(client, "slow", conversation=slow)
        until(lambda: modelled.script.questions)
        ask(client, "quick", conversation=quick)
        assert {one["conversation"] for one in frames(client)} == {quick}
        assert modelled.ask("GET", "/.well-known/health").ok
        end.set()
        assert (text(found := frames(client)), found[0]["conversation"]) == ("late", slow)


def test_too_many_questions_at_once_are_refused_and_each_end_makes_room(modelled):
    ends = [threading.Event() for _ in range(MAX_ANSWERS)]
    modelled.script.answer = lambda question: ends[int(question.text)].wait(20) and "done"
    body = {"query": "0", "relevant": {"iterable": []}}
    with asking(modelled) as client:
        for number in range(MAX_ANSWERS):
            ask(client, str(number), conversation=modelled.make(KINDS["conversation"])["id"])
        until(lambda: len(modelled.script.questions) == MAX_ANSWERS)
        assert modelled.status("POST", "/qgpt/question", body) == 429
        ask(client, "0")
        assert frames(client)[-1]["statusCode"] == 429
        for end in ends:
            end.set()
        finished = [frame(client) for _ in range(2 * MAX_ANSWERS)]
    assert sum(one["status"] == "COMPLETED" for one in finished) == MAX_ANSWERS
    until(lambda: modelled.status("POST", "/qgpt/question", body) == 200)


def test_a_server_stops_though_a_model_is_at_work():
    end = threading.Event()
    server = Server(settings=Settings(answers=lambda _: end.wait(20) and ""))
    with server, stream(server, "/qgpt/stream") as client:
        ask(client)
        until(lambda: Wire(server).get("/messages")["iterable"])
        started = time.monotonic()
        server.stop()
        assert time.monotonic() - started < 3
    end.set()


def test_a_model_behind_an_address_answers():
    with model_server() as model, Server(settings=Settings(answers=ChatModel(model.url, "tidal"))) as server:
        wire = Wire(server)
        asset = wire.make_asset("height = 3", name="tide.py")["id"]
        with asking(wire) as client:
            body = {"query": "How high?", "relevant": {"iterable": [{"asset": {"id": asset}}]}}
            client.send(json.dumps({"question": body}))
            assert text(frames(client)) == "It is high."
            model.answer([b"overheated"], 500)
            ask(client)
            assert frames(client)[-1]["errorMessage"].endswith("status 500: overheated.")

            def parts():
                while True:
                    yield event("high ")

            model.answer(parts())
            ask(client)
            frame(client)
        assert model.left.wait(10)
        model.answer([event("high."), DONE])
        assert wire.post("/qgpt/question", body)["answers"]["iterable"][0]["text"] == "high."
    assert "height = 3" in model.asked[0]["messages"][0]["content"]


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
