"""Kinds without a stream: their ids are asked for again and again."""

from __future__ import annotations

import threading
import time

import pytest

from pieces_orm import State, WorkstreamEvent
from pieces_orm.sync import delivery, feed
from pieces_orm.values import Trigger
from tests.support import Heard, Requests, wait_for


@pytest.mark.slow
def test_a_clock_that_differs_from_the_servers_hides_no_change_of_what_is_polled(pieces, other, monkeypatch):
    monkeypatch.setattr(feed, "POLL_INTERVAL_S", 0.1)
    real = time.time
    monkeypatch.setattr(time, "time", lambda: real() + 60)
    event = other.workstream_events.create(Trigger(copy=True), readable="before")
    held = pieces.workstream_events.get(event.id)
    with pieces.watch(WorkstreamEvent).wait_live():
        requests = Requests(pieces)
        wait_for(lambda: sum("identifiers" in line for line in requests.made) > 4)
        event.readable = "after"
        event.save()
        wait_for(lambda: held.readable == "after")


def test_what_was_read_and_deleted_between_two_polls_is_gone_after_the_second(pieces, other, monkeypatch):
    polls, poll_once = threading.Semaphore(1), feed.Feed._poll_once

    def poll_when_told(self, since):
        while not (self._stopped or polls.acquire(timeout=0.01)):
            pass
        return poll_once(self, since)

    monkeypatch.setattr(feed, "POLL_INTERVAL_S", 0.01)
    monkeypatch.setattr(feed.Feed, "_poll_once", poll_when_told)
    heard = Heard(pieces)
    with pieces.watch(WorkstreamEvent).wait_live():
        event = other.workstream_events.create(Trigger(copy=True))
        held = pieces.workstream_events.get(event.id)
        event.delete()
        polls.release()
        wait_for(lambda: held.state is State.DELETED)
        wait_for(lambda: len(heard.events) == 2)
    assert heard.take() == [(signal, "WorkstreamEvent", event.id, "remote") for signal in ("created", "deleted")]


def test_a_polled_kind_is_live_again_though_reading_takes_longer_than_a_poll(pieces_server, pieces, monkeypatch):
    process = delivery.Delivery.process

    def process_slowly(self, batch):
        time.sleep(0.05)
        return process(self, batch)

    monkeypatch.setattr(feed, "POLL_INTERVAL_S", 0.01)
    monkeypatch.setattr(delivery.Delivery, "process", process_slowly)
    held = [pieces.workstream_events.create(Trigger(copy=True)) for _ in range(2)]
    states = []
    pieces.signals.stream_state.connect(lambda sender, state, **_: states.append(state), weak=False)
    with pieces.watch(WorkstreamEvent).wait_live():
        pieces_server.faults.answer(500, path="/workstream_events/identifiers")
        wait_for(lambda: "lost" in states)
        wait_for(lambda: states[-1] == "live")
    assert len(held) == 2


def test_a_clock_that_jumps_hides_no_change_of_what_is_polled(pieces, other, monkeypatch):
    monkeypatch.setattr(feed, "POLL_INTERVAL_S", 0.1)
    event = pieces.workstream_events.create(Trigger(copy=True), readable="before")
    with pieces.watch(WorkstreamEvent).wait_live():
        heard, requests = Heard(pieces), Requests(pieces)
        real = time.time
        monkeypatch.setattr(feed.time, "time", lambda: real() + 100_000)
        wait_for(lambda: sum("/workstream_events/identifiers" in line for line in requests.made) > 3)
        theirs = other.workstream_events.get(event.id)
        theirs.readable = "while the clock was wrong"
        theirs.save()
        monkeypatch.setattr(feed.time, "time", real)
        wait_for(lambda: heard.events)
        assert heard.take() == [("changed", "WorkstreamEvent", event.id, {"readable", "updated"}, "remote")]
