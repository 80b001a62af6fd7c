"""Routes that a server does not have are left alone for a while, and are asked for again."""

from __future__ import annotations

import time
from types import SimpleNamespace

import pytest

import pieces_orm
from pieces_orm import NotFoundError, NotRunningError, Session, UnsupportedOperationError
from pieces_orm.server import Server, Settings
from pieces_orm.transport import connection
from pieces_orm.wire.kinds import Route
from tests.support import Requests
from tests.transport.proxy import proxied
from tests.wire.recorder import recording

BATCH = "/tags/batch/fetch"
NEWER, OLDER = Route("POST", "/tags/newer/{tag}"), Route("POST", "/tags/older/{tag}")


def reads_together(session, ids):
    requests = Requests(session)
    session.tags.get_many(ids)
    return f"POST {BATCH}" in requests.take()


def later(monkeypatch, seconds):
    """Let only the connection believe that time has passed."""
    clock = SimpleNamespace(time=time.time, monotonic=lambda: time.monotonic() + seconds)
    monkeypatch.setattr(connection, "time", clock)


@pytest.mark.parametrize("status", [404, 405, 501])
def test_a_route_that_is_missing_is_left_alone_for_a_while(pieces_server, pieces, monkeypatch, status):
    ids = [tag.id for tag in pieces.tags.create_many(["a", "b"])]
    pieces_server.faults.answer(status, path=BATCH)
    assert reads_together(pieces, ids)  # refused, then read one by one
    assert not reads_together(pieces, ids)
    later(monkeypatch, 11)
    assert reads_together(pieces, ids)


def test_a_route_that_stays_missing_is_asked_for_ever_more_rarely(pieces):
    way, now = pieces._context.connection, 1000.0
    times = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(connection, "time", SimpleNamespace(monotonic=lambda: now))
        for now in range(1000, 3000):
            if way.may_have("x"):
                times.append(now - 1000)
                way.has_not("x")
    assert times == [0, 10, 50, 210, 510, 810, 1110, 1410, 1710]


def test_another_server_is_asked_for_what_the_lost_one_lacked(pieces_server, pieces):
    ids = [tag.id for tag in pieces.tags.create_many(["a", "b"])]
    with proxied(pieces_server.url) as proxy, pieces_orm.connect(proxy.url) as session:
        pieces_server.faults.answer(404, path=BATCH)
        assert reads_together(session, ids)
        assert not reads_together(session, ids)
        proxy.refuse()
        with pytest.raises(NotRunningError):
            session.tags.all()
        proxy.accept()
        assert reads_together(session, ids)


def test_a_404_of_both_routes_is_about_the_material():
    with recording() as recorder, Session(recorder.url, api_key="key") as session:
        call = session._context.connection.call_newer_or_older
        for route in (NEWER, OLDER):
            recorder.answer("POST", route.path.replace("{tag}", "gone"), 404)
        with pytest.raises(NotFoundError):
            call(NEWER, OLDER, {"tag": "gone"})
        call(NEWER, OLDER, {"tag": "there"})
        assert recorder.lines()[-1] == "POST /tags/newer/there"
        recorder.answer("POST", "/tags/newer/there", 404)
        call(NEWER, OLDER, {"tag": "there"})
        call(NEWER, OLDER, {"tag": "there"})
        assert recorder.lines()[-3:] == ["POST /tags/newer/there", "POST /tags/older/there", "POST /tags/older/there"]


@pytest.mark.parametrize("status", [404, 501])
def test_an_association_family_that_was_missing_once_is_not_missing_for_good(monkeypatch, status):
    with Server(settings=Settings(embed_relations=False)) as server, pieces_orm.connect(server.url) as session:
        anchor, asset = session.anchors.create("/projects"), session.assets.create("x = 1")
        anchor.associate(asset)
        with pieces_orm.connect(server.url) as other:
            theirs = other.anchors.get(anchor.id)
            server.faults.answer(status, path=f"/anchor_to_asset_associations/anchor/{anchor.id}")
            with pytest.raises(UnsupportedOperationError):
                _ = theirs.assets.ids
            later(monkeypatch, 11)
            assert theirs.assets.ids == (asset.id,)
