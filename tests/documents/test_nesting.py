"""One member that is nested too deeply leaves all others readable, wherever it comes."""

from __future__ import annotations

import json
import tracemalloc

import pytest

from pieces_orm import DecodeError, Session
from pieces_orm.documents import answers, document, page_stream
from pieces_orm.documents.document import end_of_value, shortened
from tests.wire.recorder import recording

DEEP = b"[" * 5_000 + b'{"a]": "[\\"{"}' + b"]" * 5_000
EBB, FLOOD = b'{"id": "a", "text": "ebb"}', b'{"id": "b", "text": "flood", "deep": ' + DEEP + b', "last": 1}'
PAGE = b'{"iterable": [' + EBB + b", " + FLOOD + b', {"id": "c"}], "indices": {"a": 0, "b": 1, "c": -1}}'


def test_only_what_is_too_deep_is_replaced():
    value = json.loads(shortened(PAGE))
    first, second, _ = value["iterable"]
    assert first == {"id": "a", "text": "ebb"}
    assert (second["text"], second["last"]) == ("flood", 1)
    assert shortened(b'{"a": [1, "]["]}') == b'{"a": [1, "]["]}'


@pytest.mark.parametrize("text", [b"x", b'\\"', b"\\\\", b"[{]", b"\\n"], ids=ascii)
def test_long_texts_beside_what_is_too_deep_take_no_memory_of_their_own(text):
    page = b'{"text": "' + text * (200_000 // len(text)) + b'", "deep": ' + DEEP + b"}"
    tracemalloc.start()
    try:
        end, short = end_of_value(page, 0), shortened(page)
        assert tracemalloc.get_traced_memory()[1] < 3 * len(page)
    finally:
        tracemalloc.stop()
    assert end == len(page)
    assert json.loads(short)["text"] == json.loads(b'"' + text + b'"') * (200_000 // len(text))


@pytest.mark.parametrize("whole", [10, 1_000_000])
@pytest.mark.parametrize("size", [7, 1_000, 1_000_000])
def test_a_page_is_read_without_the_deep_key(monkeypatch, whole, size):
    monkeypatch.setattr(page_stream, "WHOLE", whole)
    chunks = (PAGE[start : start + size] for start in range(0, len(PAGE), size))
    found = page_stream.read(chunks, "tag")
    assert [(id, each.complete) for id, each in found] == [("a", True), ("b", False)]
    assert dict(found)["b"].keys.keys() == {"id", "text", "last"}


@pytest.mark.parametrize("cut", [len(PAGE) // 3, len(PAGE) - 1])
def test_a_deep_page_that_is_cut_off_is_an_error(cut):
    with pytest.raises(DecodeError):
        answers.split(PAGE[:cut], "tag")


def test_a_deep_answer_that_is_too_much_to_look_at_is_an_error(monkeypatch):
    monkeypatch.setattr(document, "_MAX_DEEP_BYTES", len(DEEP))
    monkeypatch.setattr(page_stream, "WHOLE", 10)
    for read in (
        lambda: answers.split(PAGE, "tag"),
        lambda: answers.listed_ids(PAGE, "tag"),
        lambda: answers.one_key(PAGE, "iterable", "tag"),
        lambda: page_stream.read(iter([PAGE[:99], PAGE[99:]]), "tag"),
    ):
        with pytest.raises(DecodeError, match="tag"):
            read()


def test_lists_batches_and_searches_are_read():
    with recording() as recorder, Session(recorder.url, api_key="x") as session:
        recorder.answer("GET", "/tags", body=PAGE)
        assert [tag.text for tag in session.tags.all()] == ["ebb", "flood"]
        assert session.tags.ids() == ("a", "b")
        recorder.answer("POST", "/tags/batch/fetch", body=b'{"tags": ' + PAGE + b', "notFound": []}')
        assert [tag.text for tag in session.tags.get_many(["a", "b"])] == ["ebb", "flood"]
        hits = b'{"iterable": [{"identifier": "a", "tag": ' + EBB + b'}, {"identifier": "b", "tag": ' + FLOOD + b"}]}"
        recorder.answer("POST", "/tags/search", body=hits)
        assert [found.entity.text for found in session.tags.search("tide")] == ["ebb", "flood"]
