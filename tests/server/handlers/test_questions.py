"""Questions that a model answers."""

from __future__ import annotations

import json
import socket
import threading
import time

import pytest

from pieces_orm.server import ChatModel, Message, ModelError, Server, Settings
from pieces_orm.server.workload import MAX_ANSWERS
from pieces_orm.wire.kinds import KINDS
from tests.server.asking import ask, asking, frames, messages, text
from tests.server.model_server import DONE, event, model_server
from tests.server.support import Wire, frame, stream, until


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
        assert time.monotonic() - started < 10
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
                    time.sleep(0.002)  # so that it leaves the machine to others

            model.answer(parts())
            ask(client)
            frame(client)
        assert model.left.wait(10)
        model.answer([event("high."), DONE])
        assert wire.post("/qgpt/question", body)["answers"]["iterable"][0]["text"] == "high."
    assert "height = 3" in model.asked[0]["messages"][0]["content"]


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
