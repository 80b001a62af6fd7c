"""Frames of streams: their sizes, and what becomes of those that are too large."""

from __future__ import annotations

import logging

import pytest

import pieces_orm
from pieces_orm import AnswerTooLargeError, Asset, Session
from pieces_orm.transport import websocket
from tests.support import wait_for
from tests.transport.scripted import streaming


def page(size):
    frame = '{"iterable": []}'
    return frame + " " * (size - len(frame))


def test_a_frame_may_be_as_large_as_an_answer_and_no_larger():
    with (
        streaming(page(3_000_000), [page(3_000_000)[:9], page(3_000_000)[9:]], page(3_000_001)) as (url, _),
        Session(url, api_key="key", max_answer=3_000_000) as session,
    ):
        frames = session.assets.stream()
        assert [next(frames), next(frames)] == [[], []]
        with pytest.raises(AnswerTooLargeError, match=r"larger than 3,000,000 bytes; .* larger max_answer="):
            next(frames)
        with pytest.raises(StopIteration):
            next(frames)


def test_a_frame_of_ids_that_is_too_large_is_said_in_the_log(monkeypatch, caplog):
    monkeypatch.setattr(websocket, "ID_FRAME_BYTES", 1_000)
    caplog.set_level(logging.INFO, "pieces_orm")
    with (
        streaming(page(2_000)) as (url, _),
        Session(url, api_key="key", max_answer=32_000) as session,
        session.watch(Asset) as watch,
    ):
        wait_for(lambda: watch.state == "lost")
        wait_for(lambda: "larger than 1,000 bytes" in caplog.text)
        assert "max_answer=" in caplog.text


def test_a_frame_of_ids_may_be_larger_in_a_session_that_takes_larger_answers():
    assert websocket.id_frame_bytes(2**20) == 2**20
    assert websocket.id_frame_bytes(2**30) == 2**25
    assert websocket.id_frame_bytes(2**34) == 2**29


def test_streams_offer_no_compression():
    with streaming(page(100)) as (url, requests), Session(url, api_key="key") as session:
        next(session.assets.stream())
        assert "Sec-WebSocket-Extensions" not in requests[0].headers


@pytest.mark.parametrize(
    "frame", ["[]", "7", '{"iterable": [[]]}', '{"iterable": {}}', '{"iterable": [7]}', "[" * 5000]
)
def test_a_frame_that_is_no_frame_of_ids_loses_the_connection(frame):
    with pytest.raises(ValueError, match="not an identifier frame"):
        websocket.events_of(frame, "asset")
    with pytest.raises(ValueError, match="not an identifier frame"):
        websocket.events_of(b"\xff", "asset")


@pytest.mark.parametrize("frame", ["{}", '{"iterable": null}', '{"iterable": [{"other": 1}, {"asset": 7}]}'])
def test_a_frame_that_names_nothing_reports_nothing(frame):
    assert websocket.events_of(frame, "asset") == []


def test_a_closed_port_is_a_server_that_is_not_running():
    with pytest.raises(pieces_orm.NotRunningError, match="could not be opened"):
        websocket.connect("http://127.0.0.1:9/assets/stream", {}, 1_000)
