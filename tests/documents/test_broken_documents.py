"""An odd or broken document gives the value that it says or an error, never another value, and nothing is lost."""

from __future__ import annotations

import json

import pytest

import pieces_orm
from pieces_orm import DecodeError, State, Tag
from pieces_orm.documents.document import Document
from pieces_orm.orm import state_changes


@pytest.fixture
def served(pieces_server):
    """A tag, and a way to have another document of it answered."""
    with pieces_orm.connect(pieces_server.url) as session:
        made = session.tags.create("tides")
        own = json.dumps(made.raw())[1:-1].encode()

    def serve(document, how):
        body = document.replace(b"OWN", own)
        path = f"/tag/{made.id}" if how == "get" else "/tags"
        pieces_server.faults.answer(200, body=body if how == "get" else b'{"iterable": [' + body + b"]}", path=path)
        return made.id

    return serve


def read(session, id, how):
    return session.tags.get(id) if how == "get" else session.tags.all()[0]


@pytest.fixture(params=["get", "all"])
def how(request):
    return request.param


def nested(depth):
    return b'{OWN, "deep": ' + b"[" * depth + b"]" * depth + b"}"


@pytest.mark.parametrize(
    ("document", "text"),
    [
        (b'{"text": "first", OWN}', "tides"),
        (b'{OWN, "text": "last"}', "last"),
        (b'{OWN, "text": 5, "text": "last"}', "last"),
        (b'{OWN, "text": "\\ud83d\\ude00 \\u0000 \\n \\/ \\\\ \\" \xc3\xa9"}', '😀 \0 \n / \\ " é'),
        (b'{OWN, "unknown": 123456789012345678901234567890}', "tides"),
        (b'{OWN, "unknown": 1e400}', "tides"),
        (b'{OWN, "unknown": "\xff"}', "tides"),
        (nested(500), "tides"),
        (b" \n{ OWN }\t ", "tides"),
    ],
    ids=["duplicate first", "duplicate last", "three", "escapes", "long", "huge", "no utf-8", "deep", "spaces"],
)
def test_an_odd_document_says_what_it_says(pieces, served, how, document, text):
    entity = read(pieces, served(document, how), how)
    assert entity.text == text


@pytest.mark.parametrize(
    "document",
    [
        b"\xef\xbb\xbf{OWN}",
        b'{OWN, "n": NaN}',
        b'{OWN, "n": -Infinity}',
        b'{OWN, "text": "a\\ud800b"}',
        b'{OWN, "text": "a\nb"}',
        b"{OWN} {}",
        b"{OWN,}",
        b"{OWN",
        b"{'text': 5, OWN}",
        '{"id": "x"}'.encode("utf-16"),
    ],
    ids=["bom", "nan", "infinity", "half a pair", "newline", "two", "comma", "cut", "quotes", "utf-16"],
)
def test_a_broken_document_is_an_error_when_it_arrives(pieces, served, how, document):
    with pytest.raises(DecodeError, match="tag"):
        read(pieces, served(document, how), how)


def test_a_document_that_is_nested_too_deeply_is_an_error_of_its_own_and_not_of_a_list(pieces, served, caplog):
    document = nested(100_000).replace(b"deep", b"score")
    with pytest.raises(DecodeError, match="tag"):
        read(pieces, served(document, "get"), "get")
    entity = read(pieces, served(document, "all"), "all")
    assert (entity.text, entity.state) == ("tides", State.PARTIAL)
    assert "nested too deeply" in caplog.text
    served(document, "get")
    with pytest.raises(DecodeError, match="tag"):
        entity.score


def test_a_moment_that_no_clock_can_say_is_the_error_of_that_field_alone(pieces, served, how):
    entity = read(pieces, served(b'{OWN, "created": {"value": "0001-01-01T00:00:00+05:00"}}', how), how)
    assert entity.text == "tides"
    assert entity.updated.year > 2000
    with pytest.raises(DecodeError) as caught:
        entity.created
    assert caught.value.field == "created"


def test_a_key_that_is_no_text_is_a_decode_error_when_the_document_is_opened(pieces, served):
    with pytest.raises(DecodeError):
        pieces.tags.get(served(b'{OWN, "a\xffb": 1}', "get"))
    served(b'{OWN, "a\xffb": 1}', "all")
    [entity] = pieces.tags.all()
    with pytest.raises(DecodeError):
        entity.score
    with pytest.raises(DecodeError):
        entity.assets.ids


def test_a_broken_field_is_the_error_of_that_field_alone(pieces, served, how):
    entity = read(pieces, served(b'{OWN, "text": "a\xffb"}', how), how)
    with pytest.raises(DecodeError) as caught:
        entity.text
    assert (caught.value.kind, caught.value.field) == ("tag", "text")
    assert entity.created.year > 2000
    assert entity.state is State.LOADED


@pytest.mark.parametrize("document", [b'{OWN, "n": 1e400}', b'{OWN, "n": "\xff"}'], ids=["huge", "no utf-8"])
def test_what_python_cannot_say_is_an_error_of_raw_and_not_of_the_fields(pieces, served, how, document):
    entity = read(pieces, served(document, how), how)
    with pytest.raises(DecodeError, match="tag"):
        entity.raw()
    with pytest.raises(DecodeError, match="tag"):
        entity.to_dict()
    assert entity.text == "tides"


def test_a_long_number_is_read_to_its_last_digit(pieces, served, how):
    entity = read(pieces, served(b'{OWN, "n": 123456789012345678901234567890}', how), how)
    assert entity.raw()["n"] == 123456789012345678901234567890


def test_another_id_among_duplicates_is_refused(pieces, served):
    id = served(b'{OWN, "id": "another"}', "get")
    with pytest.raises(DecodeError, match="another"):
        pieces.tags.get(id)


def test_what_is_unknown_goes_back_as_it_came(pieces, pieces_server, served):
    odd = (
        b'"n": 123456789012345678901234567890, "m": [0.10, 1E5, -0.0], "s": "\\u00e9\\/", "deep": '
        + b"[" * 90
        + b"]" * 90
    )
    id = served(b"{OWN, " + odd + b"}", "get")
    entity = pieces.tags.get(id)
    served(b"{OWN, " + odd + b"}", "get")  # the read of the save
    sent = []
    connection = pieces._context.connection
    call = connection.call

    def calling(route, ids=None, query=None, body=None, **how):
        sent.append(body)
        return call(route, ids, query, body, **how)

    connection.call = calling
    entity.text = "heights"
    entity.save()
    assert b'"n":123456789012345678901234567890,"m":[0.10, 1E5, -0.0],"s":"\\u00e9\\/","deep":' + b"[" * 90 in sent[-1]


def test_an_entity_with_a_broken_document_can_be_printed(pieces):
    document = Document(b'{"id": "a", "\xff": 1}')
    tag = state_changes.adopt(pieces._context, Tag, "a", document, pieces._context.history.now(), "refresh")
    assert repr(tag) == "<Tag a (loaded)>"
