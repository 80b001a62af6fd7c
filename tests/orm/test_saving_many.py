"""Saving many at once: all edits of a session, or those of some entities; errors by entity, nothing lost."""

from __future__ import annotations

import threading

import pytest

import pieces_orm
from pieces_orm import BatchError, ConflictError, InvalidValueError, ServerError, UsageError
from pieces_orm.server import Server
from tests.support import Heard, Requests


@pytest.fixture(scope="module")
def server():
    with Server() as server:
        yield server


@pytest.fixture
def session(server):
    with pieces_orm.connect(server.url) as session:
        _ = session.application
        yield session


@pytest.fixture
def other(server):
    with pieces_orm.connect(server.url) as other:
        yield other


def made(session, number=6):
    return session.assets.create_many([{"content": f"x = {n}", "name": f"n{n}"} for n in range(number)])


def test_save_sends_all_edits_of_the_session_and_nothing_without_edits(session, other):
    assets, anchor = made(session), session.anchors.create("/projects/s.py")
    requests = Requests(session)
    assert session.save() == []
    assert requests.take() == []
    for n, asset in enumerate(assets[1:]):
        asset.name = f"changed {n}"
    anchor.name, assets[2].description = "an anchor", "described"
    told = []
    saved = session.save(progress=lambda *each: told.append(each))
    assert saved == [*assets[1:], anchor]
    assert told == [(n, 6) for n in range(1, 7)]
    assert not any(each.edits for each in saved)
    assert other.anchors.get(anchor.id).name == "an anchor"
    assert [other.assets.get(asset.id).name for asset in assets[1:]] == [f"changed {n}" for n in range(5)]
    assert other.assets.get(assets[2].id).description == "described"


def test_save_many_sends_the_edits_of_those_that_are_named(session):
    first, second, third = made(session, 3)
    first.name = second.name = third.name = "named"
    assert session.save_many([second, first, second]) == [second, first]
    assert (first.edits, second.edits, third.edits) == ({}, {}, {"name": "named"})
    third.revert()
    assert session.save_many([third]) == []


def test_each_entity_has_its_own_error_and_keeps_its_edits(server, session, other):
    assets = made(session)
    kept, conflicting, vetoed, failing, gone, last = assets
    for asset in assets:
        asset.name = "mine"
    theirs = other.assets.get(conflicting.id)
    theirs.name = "theirs"
    theirs.save()
    other.assets.ref(gone.id).delete()

    def veto(sender, entity, **_):
        if entity is vetoed:
            raise ValueError("not this one")

    server.faults.answer(500, path=f"/assets/{failing.id}")
    with session.signals.saving.connected_to(veto), pytest.raises(BatchError, match="keep their edits") as caught:
        session.save()
    errors = {id: type(error) for id, error in caught.value.failed.items()}
    assert errors == {
        conflicting.id: ConflictError, vetoed.id: ValueError, failing.id: ServerError,
        gone.id: pieces_orm.NotFoundError,
    }  # fmt: skip
    assert caught.value.succeeded == [kept.id, last.id]
    assert [asset.edits for asset in assets[1:4]] == [{"name": "mine"}] * 3
    assert not kept.edits
    assert session.save(overwrite=True) == [conflicting, vetoed, failing]
    assert other.assets.get(conflicting.id).name == "mine"


def test_an_only_error_is_in_a_batch_error_too(session, other):
    [asset] = made(session, 1)
    asset.name = "mine"
    theirs = other.assets.get(asset.id)
    theirs.name = "theirs"
    theirs.save()
    for act in (session.save, lambda: session.save_many([asset])):
        with pytest.raises(BatchError) as caught:
            act()
        assert list(caught.value.failed) == [asset.id]
    asset.revert()


def test_receivers_run_on_the_calling_thread_in_the_order_of_the_edits(session):
    assets, threads = made(session, 8), set()
    for asset in assets:
        asset.name = "changed"
    heard = Heard(session)

    def note(sender, **_):
        threads.add(threading.get_ident())

    with session.signals.changed.connected_to(note), session.signals.saving.connected_to(note):
        session.save()
    assert heard.take() == [("changed", "Asset", asset.id, {"name", "updated"}, "local") for asset in assets]
    assert threads == {threading.get_ident()}


def test_blocks_of_other_threads_keep_their_edits_and_those_of_this_thread_are_saved(session):
    mine, theirs = made(session, 2)
    inside, done = threading.Event(), threading.Event()

    def edit():
        with theirs.editing():
            theirs.name = "theirs"
            inside.set()
            done.wait(5)

    thread = threading.Thread(target=edit)
    thread.start()
    inside.wait(5)
    with mine.editing():
        mine.name = "mine"
        assert session.save() == [mine]
    assert theirs.edits == {"name": "theirs"}
    done.set()
    thread.join(5)
    assert theirs.edits == {}


def test_what_cannot_be_saved_is_refused_before_any_request(session, other):
    [asset] = made(session, 1)
    asset.name = "kept"
    requests = Requests(session)
    for odd in (asset, "x", [5], [asset, None]):
        with pytest.raises(InvalidValueError):
            session.save_many(odd)
    with pytest.raises(UsageError, match="another session"):
        session.save_many([asset, other.tags.create("theirs")])
    with pytest.raises(InvalidValueError, match="progress"):
        session.save(progress=5)
    assert requests.take() == []
    assert asset.edits == {"name": "kept"}
