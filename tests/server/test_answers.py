"""Calls of OpenAI-compatible servers."""

import json
import threading
import time

import pytest

from pieces_orm import UsageError
from pieces_orm.server import ChatModel, Material, Message, ModelError, Question
from tests.server.model_server import DONE, event, model_server
from tests.server.support import until


@pytest.fixture(scope="module")
def shared_model():
    with model_server() as server:
        yield server


@pytest.fixture
def model(shared_model):
    shared_model.asked.clear()
    shared_model.headers.clear()
    shared_model.left.clear()
    shared_model.answer([event("It is "), event("high."), DONE])
    return shared_model


def ask(model, **question):
    return list(ChatModel(model.url, "tidal", key="sesame")(Question("How high?", **question)))


def test_an_answer_comes_in_the_pieces_in_which_the_model_writes_it(model):
    assert ask(model) == ["It is ", "high."]


def test_the_model_is_told_the_materials_the_conversation_and_the_question(model):
    ask(
        model,
        materials=(Material("asset", "1", "tide.py", "height = 3"),),
        messages=(Message("user", "Hello"), Message("assistant", "Good day")),
    )
    (asked,) = model.asked
    assert (asked["path"], asked["model"], asked["stream"]) == ("/v1/chat/completions", "tidal", True)
    system, *others = asked["messages"]
    assert system["role"] == "system"
    assert "## asset: tide.py\n\nheight = 3" in system["content"]
    assert [(each["role"], each["content"]) for each in others] == [
        ("user", "Hello"), ("assistant", "Good day"), ("user", "How high?"),
    ]  # fmt: skip
    assert model.headers[0]["authorization"] == "Bearer sesame"


@pytest.mark.parametrize(
    "parts",
    [
        [event("It is high.", "stop")],
        [b": a comment\n\nevent: x\n", event(""), event("It is high."), DONE],
        [event("It is high.")[:20], event("It is high.")[20:], DONE],
        [b'data: {"choices": []}\n', event("It is high."), DONE],
        [event("It is high.", "stop"), b"data: rest that nobody needs"],
    ],
)
def test_an_answer_is_read_however_it_is_streamed(model, parts):
    model.answer(parts)
    assert "".join(ask(model)) == "It is high."


def test_an_answer_of_a_server_that_does_not_stream_is_read_whole(model):
    answer = {"choices": [{"message": {"content": "It is high."}, "finish_reason": "stop"}]}
    model.answer([json.dumps(answer).encode()], content_type="application/json; charset=utf-8")
    assert ask(model) == ["It is high."]


@pytest.mark.parametrize(
    ("status", "parts", "said"),
    [
        (404, [b'{"error": {"message": "no model tidal"}}'], "status 404: no model tidal."),
        (400, [b'{"error": "no model tidal"}'], "status 400: no model tidal."),
        (500, [b"out of memory"], "status 500: out of memory."),
        (503, [], "status 503."),
        (200, [event("It")], "broke off"),
        (200, [], "broke off"),
        (200, [b"data: {}x\n"], "not an OpenAI-compatible answer"),
        (200, [b'data: {"choices": 3}\n'], "not an OpenAI-compatible answer"),
        (200, [b'data: {"choices": [3]}\n'], "not an OpenAI-compatible answer"),
        (200, [b"data: 3\n"], "not an OpenAI-compatible answer"),
        (200, [b'data: {"error": {"message": "overheated"}}\n'], "The model failed: overheated"),
        (200, [b"data: " + b"[" * 5_000 + b"\n"], "not an OpenAI-compatible answer"),
        (200, [b"data: " + b"x" * 3_000_000], "not an OpenAI-compatible answer"),
    ],
)
def test_what_goes_wrong_at_the_model_is_said_in_a_sentence(model, status, parts, said):
    model.answer(parts, status)
    with pytest.raises(ModelError, match=said):
        ask(model)


def test_a_model_that_is_not_running_is_named_with_the_remedy():
    model = ChatModel("http://127.0.0.1:9/v1", "tidal")
    for call in (model.check, lambda: list(model(Question("How high?")))):
        with pytest.raises(ModelError, match=r"The model at http://127\.0\.0\.1:9/v1 did not answer: .*; start it\."):
            call()


@pytest.mark.parametrize(
    ("status", "content_type", "body"),
    [
        (200, "text/html", b"<html>\n<p>Welcome</p></html>"),
        (200, "application/json", b'{"status": "running"}'),
        (404, "text/plain", b"404 page not found"),
    ],
)
def test_a_page_in_place_of_an_answer_asks_whether_the_address_ends_in_v1(model, status, content_type, body):
    model.answer([body], status, content_type=content_type)
    without = ChatModel(model.url.removesuffix("/v1"), "tidal")
    with pytest.raises(ModelError, match=r"; does the address end in /v1\?$"):
        list(without(Question("How high?")))
    with pytest.raises(ModelError, match=r"\.$"):
        ask(model)


def test_a_check_finds_a_server_whose_address_is_right_and_asks_the_model_nothing(model):
    ChatModel(model.url, "tidal", key="sesame").check()
    assert (model.asked, model.headers[-1]["authorization"]) == ([], "Bearer sesame")
    with pytest.raises(ModelError, match=r"status 404; does the address end in /v1\?"):
        ChatModel(model.url.removesuffix("/v1"), "tidal").check()


def test_no_address_is_called_but_the_one_given(model, monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    assert ask(model) == ["It is ", "high."]
    with model_server() as other:
        model.answer([], 307, location=f"{other.url}/chat/completions")
        with pytest.raises(ModelError, match="status 307"):
            ask(model)
        assert not other.asked


@pytest.mark.parametrize("url", ["", "127.0.0.1:11434", "ftp://127.0.0.1/v1", "http://", "http://host:port/v1", None])
def test_an_address_that_is_none_is_refused(url):
    with pytest.raises(UsageError, match="such as http://127"):
        ChatModel(url, "tidal")


def test_a_key_is_not_shown():
    assert "sesame" not in repr(ChatModel("http://127.0.0.1:9/v1", "tidal", key="sesame"))


@pytest.mark.parametrize("begun", [False, True])
def test_closing_an_answer_ends_it_at_once_while_the_model_thinks(model, begun):
    thinking, end = threading.Event(), threading.Event()

    def parts():
        if begun:
            yield event("It")
        thinking.set()
        end.wait(20)
        for _ in range(1000):  # until the other side is seen to be gone
            yield event("is" * 10_000)

    model.answer(parts())  # a generator: its server's thread runs it
    completion = ChatModel(model.url, "tidal")(Question("How high?"))
    said = []
    reading = threading.Thread(target=lambda: said.extend(completion))
    reading.start()
    assert thinking.wait(10)
    until(lambda: said or not begun)
    started = time.monotonic()
    completion.close()
    reading.join(10)
    assert time.monotonic() - started < 5
    assert said == (["It"] if begun else [])
    end.set()
    assert model.left.wait(10)
