"""The four WebSocket operations of the contract: they are opened as their rows say, and their frames are applied."""

from __future__ import annotations

import json
import threading

import pytest

from pieces_orm import Asset, DecodeError, Session, Suggestion
from pieces_orm.orm import reading
from tests.transport.scripted import streaming

from .calls import ASSET, STREAMS
from .contract import ROWS, problems, sample


def assert_opened_as(row, handshakes):
    [request] = handshakes
    assert request.path == row["path"]
    assert (request.headers["application"], request.headers["X-Application-ID"]) == ("application-1", "application-1")


@pytest.mark.parametrize(
    ("name", "transferables"), [("stream_assets", None), ("get_assets_stream_transferables", True)]
)
def test_frames_of_whole_assets_become_entities(name, transferables):
    frame = sample("assets")
    assert problems(frame, ROWS[name]["returns"]) == []
    with (
        streaming(json.dumps(frame), '{"iterable": []}') as (url, handshakes),
        Session(url, api_key="application-1") as session,
    ):
        stream = session.assets.stream(transferables=transferables)
        first = next(stream)
        assert [each.id for each in first] == [each["id"] for each in frame["iterable"]]
        assert first[0] is session.assets.peek(first[0].id)
        assert next(stream) == []
        assert_opened_as(ROWS[name], handshakes)
        session.close()
        assert list(stream) == []


def test_frames_of_suggestions_become_typed_suggestions():
    frame = {
        "iterable": [
            {
                "asset": {"id": "a"},
                "summaries": {"iterable": [{"id": "s1"}, {"id": "s2"}]},
                "conversationMessage": {"id": "m"},
                "seed": {"type": "SEEDED_ASSET"},
                "related": {"iterable": [{"tag": {"id": "t"}}]},
            }
        ]
    }
    row = ROWS["workstream_suggestions_stream"]
    assert problems(frame, row["returns"]) == []
    with streaming(json.dumps(frame)) as (url, handshakes), Session(url, api_key="application-1") as session:
        suggestions = session.suggestions()
        [suggestion] = next(suggestions)
        assert isinstance(suggestion, Suggestion)
        assert {(type(each).__name__, each.id) for each in suggestion.entities} == {
            ("Asset", "a"), ("WorkstreamSummary", "s1"), ("WorkstreamSummary", "s2"), ("ConversationMessage", "m"),
        }  # fmt: skip
        assert suggestion.seeds == ({"type": "SEEDED_ASSET"},)
        assert [each.entities[0].id for each in suggestion.related] == ["t"]
        assert_opened_as(row, handshakes)


@pytest.mark.parametrize("id", [None, 5, "", [], "../..", "a/b", {"id": "a"}], ids=repr)
def test_a_suggestion_of_a_material_without_an_id_is_a_decode_error(id):
    frame = {"iterable": [{"asset": {"id": id}}]}
    with (
        streaming(json.dumps(frame)) as (url, _),
        Session(url, api_key="application-1") as session,
        pytest.raises(DecodeError, match="suggestion"),
    ):
        next(session.suggestions())


def test_identifier_frames_become_signals(monkeypatch):
    first = {"iterable": [{"asset": {"id": ASSET["id"]}}]}
    gone = {"iterable": [{"asset": {"id": ASSET["id"]}}, {"asset": {"id": ASSET["id"]}, "deleted": True}, {}]}
    assert problems(gone, ROWS["assets_stream_identifiers"]["returns"]) == []
    told, done = [], threading.Event()
    with (
        streaming(json.dumps(first), json.dumps(gone)) as (url, handshakes),
        Session(url, api_key="application-1") as session,
    ):

        @session.signals.deleted.connect_via(Asset)
        def note(sender, entity, origin):
            told.append((entity.id, origin))
            done.set()

        monkeypatch.setattr(reading, "read_ids", lambda connection, kind, query: (ASSET["id"],))
        with session.watch(Asset):
            assert done.wait(5)
        assert told == [(ASSET["id"], "remote")]
        assert_opened_as(ROWS["assets_stream_identifiers"], handshakes)
    assert "assets_stream_identifiers" in STREAMS
