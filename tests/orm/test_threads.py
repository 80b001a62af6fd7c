"""Many threads on one session, while streams run: one object per id, no exception, no deadlock, nothing kept."""

from __future__ import annotations

import gc
import random
import threading
import time

import pytest

import pieces_orm
from pieces_orm import Anchor, Asset, ConflictError, NotFoundError, State, StateError, Tag
from tests.support import wait_for

WORKERS = 8


class Worker(threading.Thread):
    """Does at random what programs do; keeps the first exception that it did not expect."""

    def __init__(self, session, ids, seed, until):
        super().__init__(daemon=True)
        self.session, self.ids, self.until = session, ids, until
        self.chance = random.Random(seed)
        self.held = []
        self.steps = 0
        self.error = None

    def run(self):
        acts = [self.read, self.read, self.edit, self.associate, self.ref, self.let_go, self.page, self.make_and_delete]
        try:
            while time.monotonic() < self.until:
                self.chance.choice(acts)()
                self.steps += 1
        except BaseException as error:
            self.error = error
            raise

    def some(self, cls):
        return self.chance.choice(self.ids[cls])

    def read(self):
        asset = self.session.assets.get(self.some(Asset))
        assert asset is self.session.assets.peek(asset.id) is self.session.assets.ref(asset.id)
        assert asset.name.startswith("asset")
        self.held.append(asset)

    def edit(self):
        asset = self.session.assets.get(self.some(Asset))
        asset.name = f"asset {self.chance.random()}"
        try:
            asset.save()
        except ConflictError:
            asset.revert()

    def associate(self):
        asset, tag = self.session.assets.ref(self.some(Asset)), self.session.tags.ref(self.some(Tag))
        self.chance.choice([asset.associate, asset.disassociate])(tag)

    def ref(self):
        entities = [self.session.anchors.ref(id) for id in self.ids[Anchor]]
        assert all(one is self.session.anchors.peek(one.id) for one in entities)
        self.held += entities

    def page(self):
        assert {tag.id for tag in self.session.tags.all()} >= set(self.ids[Tag])

    def make_and_delete(self):
        tag = self.session.tags.create(f"short-lived {self.chance.random()}")
        tag.delete()
        assert tag.state is State.DELETED
        assert self.session.tags.peek(tag.id) is None

    def let_go(self):
        self.held.clear()
        gc.collect(0)


def stress(server, seconds):
    with pieces_orm.connect(server.url) as session, session.watch(Asset, Tag).wait_live() as watch:
        with pieces_orm.connect(server.url) as other:
            ids = {
                Asset: [other.assets.create(f"x = {n}", name=f"asset {n}").id for n in range(10)],
                Tag: [other.tags.create(f"tag {n}").id for n in range(5)],
                Anchor: [other.anchors.create(f"/projects/{n}").id for n in range(5)],
            }
        told = []
        session.signals.changed.connect(lambda sender, **_: told.append(sender), weak=False)
        workers = [Worker(session, ids, seed, time.monotonic() + seconds) for seed in range(WORKERS)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join(seconds + 30)
        assert [worker.error for worker in workers if worker.error is not None] == []
        assert not any(worker.is_alive() for worker in workers)
        assert all(worker.steps > 5 for worker in workers)
        assert told
        truth = {asset.id: asset.name for asset in session.assets.all()}
        assert set(truth) == set(ids[Asset])
        del workers, worker
        wait_for(lambda: watch.state == "live" and nothing_held(session), 20)


def nothing_held(session):
    gc.collect()
    return [each for cls in session._collections for each in session._context.identity_map.alive(cls)] == []


@pytest.mark.slow
@pytest.mark.filterwarnings("error::pytest.PytestUnhandledThreadExceptionWarning")
def test_eight_threads_on_one_session_break_nothing_and_keep_nothing(pieces_server):
    stress(pieces_server, 3)


@pytest.mark.soak
@pytest.mark.timeout(300)
def test_eight_threads_on_one_session_break_nothing_and_keep_nothing_for_a_minute(pieces_server):
    stress(pieces_server, 60)


def test_errors_of_two_threads_that_delete_the_same_are_the_states(pieces):
    """Deleting at the same time is one deletion; who comes later is told that it is done."""
    tag = pieces.tags.create("one")
    outcomes = []

    def delete():
        try:
            tag.delete()
            outcomes.append("deleted")
        except (StateError, NotFoundError) as error:
            outcomes.append(type(error).__name__)

    deleted = []
    pieces.signals.deleted.connect(lambda _, entity, **__: deleted.append(entity), weak=False)
    threads = [threading.Thread(target=delete) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert deleted == [tag]
    assert set(outcomes) <= {"deleted", "DeletedError"}
    assert "deleted" in outcomes


def test_a_read_beside_another_threads_expire_finds_what_is_there(pieces):
    website = pieces.websites.create("https://tides.example", name="tides")
    ended = threading.Event()

    def expire():
        while not ended.is_set():
            website.expire()

    thread = threading.Thread(target=expire, daemon=True)
    thread.start()
    try:
        assert [(website.name, website.score is None) for _ in range(40)] == [("tides", website.score is None)] * 40
    finally:
        ended.set()
        thread.join()
