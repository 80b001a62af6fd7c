"""Signals: ordered, robust, and free of charge without receivers."""

from __future__ import annotations

import gc
import logging

from pieces_orm import Asset, Session, Tag
from pieces_orm.signals import Signals


def test_receivers_run_in_connection_order_whatever_their_sender():
    signals = Signals()
    order = []
    receivers = [lambda sender, n=n, **_: order.append(n) for n in range(8)]
    for n, receiver in enumerate(receivers):
        if n % 2:
            signals.changed.connect(receiver, sender=Asset, weak=False)
        else:
            signals.changed.connect(receiver, weak=False)
    signals.emit(signals.changed, Asset, entity=None)
    assert order == list(range(8))
    order.clear()
    signals.emit(signals.changed, Tag, entity=None)
    assert order == [0, 2, 4, 6]


def test_a_receiver_that_raises_is_logged_and_the_others_run(caplog):
    signals = Signals()
    seen = []

    def bad(sender, **_):
        raise RuntimeError("a bad receiver")

    signals.deleted.connect(bad)
    signals.deleted.connect(lambda sender, **_: seen.append(sender), weak=False)
    with caplog.at_level(logging.ERROR):
        signals.emit(signals.deleted, Asset, entity=None)
    assert seen == [Asset]
    assert "a bad receiver" in caplog.text


def test_connect_is_weak_so_a_lambda_dies_at_once():
    signals = Signals()
    seen = []
    signals.created.connect(lambda sender, **_: seen.append(1))
    gc.collect()
    signals.emit(signals.created, Asset, entity=None)
    assert seen == []


def test_dispatch_hands_each_delivery_to_the_callers_loop():
    queue = []
    signals = Signals(dispatch=queue.append)
    seen = []
    signals.created.connect(lambda sender, **about: seen.append(about), weak=False)
    signals.created.connect(lambda sender, **about: seen.append(about), weak=False)
    signals.emit(signals.created, Asset, entity="x")
    assert (seen, len(queue)) == ([], 2)
    for deliver in queue:
        deliver()
    assert seen == [{"entity": "x"}, {"entity": "x"}]


def test_requests_are_told_with_method_path_status_and_seconds(pieces):
    told = []
    pieces.signals.requested.connect(lambda sender, **about: told.append(about), weak=False)
    tag = pieces.tags.create("one")
    pieces.tags.get("no-such-tag", None)
    assert [(each["method"], each["path"], each["status"]) for each in told] == [
        ("POST", "/connect", 200),
        ("POST", "/tags/create", 200),
        ("GET", "/tag/no-such-tag", 410),
    ]
    assert all(each["seconds"] > 0 for each in told)
    assert tag.text == "one"


def test_the_sender_of_requested_is_the_session_class(pieces):
    paths = []
    pieces.signals.requested.connect(lambda _, path, **__: paths.append(path), sender=Session, weak=False)
    pieces.tags.ids()
    assert "/tags" in paths
