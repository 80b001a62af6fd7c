"""A collection is split while it arrives: its members are those of the whole, and it is never held twice."""

from __future__ import annotations

import json
import random
import tracemalloc

import pytest

import pieces_orm
from pieces_orm import DecodeError
from pieces_orm.documents import answers, page_stream
from pieces_orm.documents.page_stream import read
from tests.benchmarks import payloads


@pytest.fixture
def cutting(monkeypatch):
    """Every page counts as large."""
    monkeypatch.setattr(page_stream, "WHOLE", -1)


def pieces_of(data, seed=7, most=3000):
    """The bytes in pieces of any length."""
    chance, at = random.Random(seed), 0
    while at < len(data):
        length = chance.randint(1, most)
        yield data[at : at + length]
        at += length


def whole(data):
    """What a page says when it is split at once."""
    return [(id, document.data) for id, document in answers.split(data, "asset")]


def cut(chunks, **options):
    """What a page says when it is split as it comes."""
    return [(id, document.data) for id, document in read(iter(chunks), "asset", **options)]


@pytest.mark.parametrize("kind", ["assets", "anchors", "websites", "workstream_events"])
@pytest.mark.parametrize("most", [1, 40, 3000, 10**6])
def test_a_page_in_pieces_says_what_the_whole_says(cutting, kind, most):
    data = json.dumps(payloads.collection(kind, 3 if most == 1 else 20), ensure_ascii=False).encode()
    assert cut(pieces_of(data, most=most)) == whole(data)


@pytest.mark.parametrize(
    "page",
    [
        '{"iterable": []}',
        ' {"iterable" : [ ] , "indices" : {} } \n',
        '{"indices": {"a": -1, "b": 0}, "iterable": [{"id": "a"}, {"id": "b"}]}',
        '{"iterable": [{"id": "a"}, {"id": "b"}], "indices": {"b": -1}}',
        '{"iterable": [{"id": "a"}], "indices": null}',
        '{"iterable": [{"id": "first"}], "iterable": [{"id": "last"}]}',
        '{"iterable": [{"id": "a", "id": "b"}]}',
        '{"iterable": [{"id": "a", "x": "]}, {\\"id\\": \\"no\\"}"}, {"id": "\\u00e9", "é": [[], {}, "\\\\"]}]}',
        '{"a": 1e400, "b": -12.5, "c": true, "d": null, "iterable": [{"id": "a", "n": 12345678901234567890123456}]}',
        '{"iterable": [' + ", ".join(f'{{"id": "{n}"}}' for n in range(300)) + "]}",
    ],
)
def test_whatever_a_page_may_look_like_its_pieces_say_the_same(cutting, page):
    data = page.encode()
    assert [cut(pieces_of(data, seed, most)) for seed in range(10) for most in (1, 3, 100)] == [whole(data)] * 30


@pytest.mark.parametrize(
    "page",
    [
        "",
        "null",
        "[]",
        "{}",
        '{"iterable": null}',
        '{"iterable": {}}',
        '{"iterable": [{"id": "a"}',
        '{"iterable": [{"id": "a"}]',
        '{"iterable": [{"id": "a"} {"id": "b"}]}',
        '{"iterable": [{"id": "a"},]}',
        '{"iterable": [{"id": 5}]}',
        '{"iterable": [{"name": "no id"}]}',
        '{"iterable": ["a"]}',
        '{"iterable": [NaN]}',
        '{"iterable": [{"id": "a"}]} {"iterable": []}',
        '{"iterable": [{"id": "a"}], "indices": ["a"]}',
        '\ufeff{"iterable": []}',
        "<html>not here</html>",
    ],
)
def test_what_is_no_page_is_an_error_in_pieces_as_in_whole(cutting, page):
    data = page.encode()
    with pytest.raises(DecodeError):
        whole(data)
    for most in (1, 4, 1000):
        with pytest.raises(DecodeError):
            cut(pieces_of(data, most=most))


def test_a_decoder_that_does_not_say_where_a_value_ends_splits_pages_whole(cutting, monkeypatch):
    data = b'{"iterable": [{"id": "a"}, {"id": "b"}]}'
    monkeypatch.setattr(page_stream, "_can_cut", lambda: False)
    assert cut(pieces_of(data, most=5)) == whole(data)


def test_progress_tells_how_many_have_come_and_at_the_end_how_many_there_are(cutting):
    data = json.dumps(payloads.collection("websites", 50)).encode()
    told = []
    cut(pieces_of(data), progress=lambda done, total: told.append((done, total)))
    assert told[-1] == (50, 50)
    assert {total for _, total in told[:-1]} == {None}
    counts = [done for done, _ in told]
    assert counts == sorted(counts)
    assert len(set(counts)) > 5


def test_a_large_page_is_never_held_twice(monkeypatch):
    monkeypatch.setattr(page_stream, "WHOLE", 2_000_000)
    data = json.dumps(payloads.collection("assets", 400), ensure_ascii=False, separators=(",", ":")).encode()
    chunks = (data[at : at + 1_000_000] for at in range(0, len(data), 1_000_000))
    tracemalloc.start()
    try:
        members = read(chunks, "asset")
        held, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(members) == 400
    assert len(data) < held < 1.05 * len(data)
    assert peak < held + page_stream.WHOLE + 4_000_000


def test_a_huge_member_is_not_read_from_its_beginning_with_each_piece(cutting, monkeypatch):
    attempts = []
    end_of = page_stream._end_of
    monkeypatch.setattr(
        page_stream, "_end_of", lambda data, start: (attempts.append(len(data)), end_of(data, start))[1]
    )
    data = json.dumps({"iterable": [{"id": "a", "text": "x" * 100_000}]}).encode()
    [(id, document)] = read((data[at : at + 100] for at in range(0, len(data), 100)), "asset")
    assert (id, len(document.data)) == ("a", len(data) - len('{"iterable": []}'))
    assert len(attempts) < 30


@pytest.mark.parametrize("error", [ValueError, RecursionError, UnicodeDecodeError("utf-8", b"x", 0, 1, "mine")])
def test_what_progress_raises_comes_through_as_it_is(cutting, error):
    def progress(done, total):
        raise error

    data = json.dumps({"iterable": [{"id": "a"}]}).encode()
    with pytest.raises(error if isinstance(error, type) else type(error)):
        read(iter([data[:10], data[10:]]), "asset", progress=progress)


def test_all_reads_a_large_page_in_pieces(pieces_server, monkeypatch):
    monkeypatch.setattr(page_stream, "WHOLE", 1000)
    with pieces_orm.connect(pieces_server.url) as session:
        made = session.tags.create_many([f"tag {n}" for n in range(40)])
        told = []
        found = session.tags.all(progress=lambda done, total: told.append((done, total)))
        assert set(found) == set(made)
        assert told[-1] == (40, 40)


def test_a_page_that_is_cut_off_in_the_middle_is_asked_for_again(pieces_server, monkeypatch):
    monkeypatch.setattr(page_stream, "WHOLE", 1000)
    with pieces_orm.connect(pieces_server.url) as session:
        made = session.tags.create_many([f"tag {n}" for n in range(40)])
        pieces_server.faults.cut_body(times=1, path="/tags")
        assert set(session.tags.all()) == set(made)


def test_a_page_of_garbage_is_not_taken_for_a_broken_connection(pieces_server, monkeypatch):
    monkeypatch.setattr(page_stream, "WHOLE", 10)
    with pieces_orm.connect(pieces_server.url) as session:
        pieces_server.faults.answer(200, body=b"{ this is no page, and no JSON either }", times=1, path="/tags")
        with pytest.raises(DecodeError, match="tag"):
            session.tags.all()
