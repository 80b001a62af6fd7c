"""Signals: ordered, robust, and free of charge without receivers."""

from __future__ import annotations

import gc
import logging
from functools import partial

import pytest

from pieces_orm import Asset, InvalidValueError, Session, Tag
from pieces_orm.signals import Signal, Signals


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


ODD_RECEIVERS = {
    "no room for an argument": lambda sender, entity, edits: None,
    "another name": lambda sender, entity, field, **_: None,
    "no sender": lambda *, entity, **_: None,
    "nothing at all": lambda: None,
    "no function": 5,
}


@pytest.mark.parametrize("name", ODD_RECEIVERS)
def test_a_receiver_that_cannot_take_the_arguments_is_refused_when_it_is_connected(name):
    signals, receiver = Signals(), ODD_RECEIVERS[name]
    with pytest.raises(InvalidValueError, match="the signal changed") as caught:
        signals.changed.connect(receiver, weak=False)
    if callable(receiver):
        assert "receiver(sender, entity=..., fields=..., before=..., origin=...)" in str(caught.value)
        assert "**_" in str(caught.value)
        with pytest.raises(InvalidValueError):
            signals.changed.connect_via(Asset)(receiver)
    assert not signals.changed.receivers


async def awaited(sender, **_):
    """A receiver that would have to be awaited."""


async def stepped(sender, **_):
    """A receiver that would have to be iterated."""
    yield


class Awaited:
    """A receiver that is an object."""

    async def __call__(self, sender, **_):
        """Receive it."""


@pytest.mark.parametrize("receiver", [awaited, stepped, Awaited(), partial(awaited, extra=1), Awaited().__call__])
def test_a_receiver_that_a_call_does_not_run_is_refused_when_it_is_connected(receiver):
    signals = Signals()
    for signal in (signals.changed, signals.saving):
        with pytest.raises(InvalidValueError, match="does not run it"):
            signal.connect(receiver, weak=False)
        assert not signal.receivers


def test_a_sender_that_never_sends_is_refused(pieces):
    asset = pieces.assets.create("x")
    for odd, message in (
        ("Asset", "such as Asset, not 'Asset'"),
        (asset, "pass the class, Asset, not"),
        (None, "class"),
    ):
        with pytest.raises(InvalidValueError, match=message):
            pieces.signals.changed.connect(print_all, sender=odd)
        with pytest.raises(InvalidValueError, match=message):
            pieces.signals.changed.connect_via(odd)(print_all)
    assert pieces.signals.changed.connect(print_all, sender=Asset) is print_all


def print_all(sender, **about):
    """A receiver of everything."""


def test_receivers_of_every_form_that_can_take_the_arguments_are_connected():
    class Screen:
        def show(self, sender, entity, **_):
            pass

        def __call__(self, _, **about):
            pass

    signals, screen = Signals(), Screen()
    for receiver in (screen.show, screen, lambda *args, **kwargs: None, dict, Screen().show):
        assert signals.changed.connect(receiver, weak=False) is receiver

    @signals.saving.connect_via(Asset)
    def check(sender, entity, edits):
        raise ValueError("a veto")

    with pytest.raises(ValueError, match="a veto"):
        signals.ask(signals.saving, Asset, entity=None, edits={})


def test_signals_are_sent_with_the_arguments_that_they_declare(pieces):
    told = {}
    signals = [each for each in vars(pieces.signals).values() if isinstance(each, Signal)]
    for signal in signals:
        signal.connect(lambda sender, signal=signal, **about: told.setdefault(signal, set()).update(about), weak=False)
    tag, asset = pieces.tags.create("a"), pieces.assets.create("x")
    tag.text = "b"
    tag.save()
    asset.tags.add(tag)
    asset.tags.remove(tag)
    with pieces.watch(Tag) as watch:
        watch.wait_live()
    tag.delete()
    assert {signal.name: names for signal, names in told.items()} == {
        each.name: set(each.arguments) for each in signals
    }
