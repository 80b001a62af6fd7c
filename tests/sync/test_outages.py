"""Scripted outages: whatever breaks between a session and its server, afterwards the session sees what the server has,
and every change that was made meanwhile has been told once.
"""

from __future__ import annotations

import json
import time
from contextlib import contextmanager

import pytest

import pieces_orm
from pieces_orm import Anchor, Asset, Tag
from pieces_orm.server import Server
from pieces_orm.sync import feed
from pieces_orm.transport import backoff, websocket
from tests.support import Heard, Requests, wait_for
from tests.transport.proxy import frame_of, proxied


@pytest.fixture
def server(tmp_path):
    with Server(tmp_path / "pieces.db") as server:
        yield server


@pytest.fixture
def proxy(server):
    with proxied(server.url) as proxy:
        yield proxy


@pytest.fixture(autouse=True)
def impatient(monkeypatch):
    """A dead connection is found, and a server tried again, within tenths of a second."""
    monkeypatch.setattr(websocket, "PING_INTERVAL_S", 0.15)
    monkeypatch.setattr(websocket, "PING_TIMEOUT_S", 0.15)
    monkeypatch.setattr(backoff, "MAX_PAUSE_S", 0.1)
    monkeypatch.setattr(feed, "POLL_INTERVAL_S", 0.1)


def lost(watch):
    wait_for(lambda: watch.state == "lost")


@contextmanager
def losing(session):
    """Wait at the end of the block until a stream was lost in it, although it may be live again by then."""
    states = []

    def note(sender, kind, state):
        states.append(state)

    session.signals.stream_state.connect(note)
    yield
    wait_for(lambda: "lost" in states)


@contextmanager
def cut(proxy, server, watch):
    """Every connection ends, and they are accepted again at once."""
    proxy.cut()
    yield


@contextmanager
def refused(proxy, server, watch):
    """Nobody listens for a while."""
    proxy.refuse()
    lost(watch)
    yield
    proxy.accept()


@contextmanager
def half_open(proxy, server, watch):
    """No byte comes through and no socket is closed: only the missing answer to a ping tells."""
    proxy.freeze()
    lost(watch)
    yield
    proxy.thaw()
    proxy.cut()


@contextmanager
def held_up(proxy, server, watch):
    """Everything comes late, and in one go."""
    proxy.freeze()
    yield
    proxy.thaw()


@contextmanager
def slow(proxy, server, watch):
    """Every piece takes its time."""
    proxy.delay = 0.02
    yield


@contextmanager
def restarted(proxy, server, watch):
    """The server stops, and another process takes over its database."""
    proxy.refuse()
    server.restart()
    lost(watch)
    yield
    proxy.accept()


@contextmanager
def migrating(proxy, server, watch):
    """The server opens its database: health says `migrating`, everything else is refused."""
    proxy.refuse()
    lost(watch)
    yield
    server.faults.migrating()
    proxy.accept()
    time.sleep(0.2)
    server.faults.migrating(on=False)


@contextmanager
def streams_refused(proxy, server, watch):
    """The server knows no streams for a while, as when it starts."""
    for kind in ("assets", "tags", "anchors"):
        server.faults.answer(404, times=4, path=f"/{kind}/stream/identifiers")
    proxy.cut()
    lost(watch)
    yield


@contextmanager
def garbage(proxy, server, watch):
    """Frames that are none: no JSON, JSON of another shape, bytes that are no WebSocket."""
    yield
    for payload in (b"not json", b"[]", b'{"iterable": 5}', b'{"iterable": [{"asset": 5}, 7, null]}', b"\xff\xfe"):
        proxy.inject(frame_of(payload))
    lost(watch)
    watch.wait_live()
    proxy.inject(b"\xff\xff\xff\xff")


@contextmanager
def repeated(proxy, server, watch):
    """Every frame comes three times."""
    proxy.frames = lambda payload: [payload] * 3
    yield


@contextmanager
def reordered(proxy, server, watch):
    """Each frame comes after the one that followed it; the last, when the streams end."""
    held = []

    def swap(payload):
        held.append(payload)
        return [held.pop(), held.pop()] if len(held) == 2 else []

    proxy.frames = swap
    yield
    proxy.frames = lambda payload: [payload]
    proxy.cut()


@contextmanager
def about_others(proxy, server, watch):
    """Frames about what is not there: deletions of the unknown, updates of the gone, other kinds, nothing at all."""
    items = [
        {"asset": {"id": "nobody-knows-it"}, "deleted": True},
        {"asset": {"id": "nobody-has-it"}},
        {"tag": {"id": "neither-this"}},
        {"invented": {"id": "x"}},
        {},
    ]
    yield
    proxy.inject(frame_of(json.dumps({"iterable": items}).encode()))
    proxy.inject(frame_of(b'{"iterable": []}'))


SCRIPTS = (
    cut, refused, half_open, held_up, slow, restarted, migrating, streams_refused, garbage, repeated, reordered,
    about_others,
)  # fmt: skip


def view(session):
    """What a session knows of what it holds, without asking."""
    return {
        each.id: (each.name if not isinstance(each, Tag) else each.text, sorted(each.tags.ids + each.anchors.ids))
        for each in session._context.identity_map.alive(Asset)
    }


def news(events):
    """All but those that say only that `updated` moved, as it does when a material is associated."""
    return [event for event in events if event[0] != "changed" or event[3] != {"updated"}]


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.__name__)
def test_what_happened_in_an_outage_is_told_once_and_the_view_is_the_servers(script, proxy, server):
    with pieces_orm.connect(proxy.url, timeout=(1, 1)) as session:
        edited, gone, kept = (
            session.assets.create("x", language="txt", name=name) for name in ("edited", "gone", "kept")
        )
        tag, untied = session.tags.create("tag"), session.tags.create("untied")
        kept.associate(untied)
        held = [session[type(each)].get(each.id) for each in (edited, gone, kept, tag, untied)]
        with session.watch(Asset, Tag, Anchor).wait_live() as watch:
            heard = Heard(session)
            with script(proxy, server, watch), pieces_orm.connect(server.url) as other:
                theirs = other.assets.get(edited.id)
                theirs.name = "edited elsewhere"
                theirs.save()
                other.assets.ref(gone.id).delete()
                made = other.assets.create("z", name="made")
                other.tags.ref(tag.id).associate(other.assets.ref(edited.id))
                other.assets.ref(kept.id).disassociate(other.tags.ref(untied.id))
                short_lived = other.tags.create("short-lived")
                short_lived.delete()
            wait_for(lambda: len(news(heard.events)) >= 5 and watch.state == "live", 10)
            with pieces_orm.connect(server.url) as other:
                markers = [other.anchors.create("/marker"), other.tags.create("marker"), other.assets.create("marker")]
                ids = {marker.id for marker in markers}
                wait_for(lambda: ids <= {event[2] for event in heard.events})
                truth = {each.id: (each.name, sorted(each.tags.ids + each.anchors.ids)) for each in other.assets.all()}
            told = news(heard.take())
            # An association is told once, from the side that was heard of first.
            sides = {event[0]: event[1] for event in told}
            related = {
                ("associated", "Asset"): ("associated", "Asset", edited.id, "tags", tag.id, "remote"),
                ("associated", "Tag"): ("associated", "Tag", tag.id, "assets", edited.id, "remote"),
                ("disassociated", "Asset"): ("disassociated", "Asset", kept.id, "tags", untied.id, "remote"),
                ("disassociated", "Tag"): ("disassociated", "Tag", untied.id, "assets", kept.id, "remote"),
            }
            # What lived and died during the outage may have been seen.
            unseen = [(what, "Tag", short_lived.id, "remote") for what in ("created", "deleted")]
            assert sorted(map(repr, told)) == sorted(map(repr, [
                *(unseen if unseen[0] in told else []),
                ("changed", "Asset", edited.id, {"name", "updated"}, "remote"),
                ("deleted", "Asset", gone.id, "remote"),
                ("created", "Asset", made.id, "remote"),
                related["associated", sides["associated"]],
                related["disassociated", sides["disassociated"]],
                *(("created", type(marker).__name__, marker.id, "remote") for marker in markers),
            ]))  # fmt: skip
            assert {**{id: truth[id] for id in (made.id, markers[2].id)}, **view(session)} == truth
            assert not any(each.stale for each in held)


@pytest.mark.xdist_group("machine")
def test_a_found_session_follows_its_server_to_another_port(server, monkeypatch):
    monkeypatch.setenv("PIECES_URL", server.url)
    with pieces_orm.connect(application="VS_CODE") as session:
        asset = session.assets.create("x", language="txt", name="before")
        with session.watch(Asset).wait_live() as watch:
            heard, requests = Heard(session), Requests(session)
            before = session.url
            server.stop()
            lost(watch)
            with Server(server._path) as moved:
                assert moved.url != before
                monkeypatch.setenv("PIECES_URL", moved.url)
                watch.wait_live()
                assert session.url == moved.url
                assert "POST /connect" in requests.take()
                with pieces_orm.connect(moved.url) as other:
                    theirs = other.assets.get(asset.id)
                    theirs.name = "after"
                    theirs.save()
                    wait_for(lambda: heard.events)
                    assert heard.take() == [("changed", "Asset", asset.id, {"name", "updated"}, "remote")]
                asset.name = "and after that"
                asset.save()
                assert session.application.name == "VS_CODE"
                watch.close()


@pytest.mark.xdist_group("machine")
def test_a_request_that_finds_nobody_is_sent_to_where_the_server_is_now(server, monkeypatch):
    monkeypatch.setenv("PIECES_URL", server.url)
    with pieces_orm.connect() as session:
        asset = session.assets.create("x", language="txt", name="before")
        server.restart(port=0)
        monkeypatch.setenv("PIECES_URL", server.url)
        asset.name = "after"
        asset.save()
        assert session.url == server.url
        assert session.assets.get(asset.id).name == "after"


def test_the_headers_survive_a_restart(server):
    with pieces_orm.connect(server.url) as session, session.watch(Asset).wait_live() as watch:
        before = session.application
        with losing(session):
            server.restart()
        watch.wait_live()
        assert session.application == before
        assert session._context.connection.stream_headers()["X-Application-ID"] == before.id


def test_an_api_key_is_kept_through_a_restart(server):
    with pieces_orm.connect(server.url, api_key="mine") as session:
        requests = Requests(session)
        with session.watch(Asset).wait_live() as watch:
            with losing(session):
                server.restart()
            watch.wait_live()
        assert session.application.id == "mine"
        assert "POST /connect" not in requests.take()


def test_a_watch_tells_connecting_live_and_lost(proxy, server):
    with pieces_orm.connect(proxy.url) as session:
        states = []
        session.signals.stream_state.connect(lambda sender, kind, state: states.append((kind, state)), weak=False)
        with session.watch(Tag).wait_live() as watch:
            proxy.refuse()
            lost(watch)
            proxy.accept()
            watch.wait_live()
            wait_for(lambda: len(states) >= 5)
        assert states == [("tag", state) for state in ("connecting", "live", "lost", "connecting", "live")]


def test_what_a_second_loss_hides_from_a_comparison_that_is_under_way_is_told(proxy, server, monkeypatch):
    with (
        pieces_orm.connect(server.url) as other,
        pieces_orm.connect(proxy.url) as session,
        session.watch(Tag).wait_live() as watch,
    ):
        heard, read_ids, made = Heard(session), feed.reading.read_ids, []

        def read_while_it_is_lost_again(*about):
            ids = read_ids(*about)
            if not made:
                proxy.refuse()
                lost(watch)
                made.append(other.tags.create("made before the stream is open again"))
                proxy.accept()
                wait_for(lambda: watch.state == "connecting")
            return ids

        monkeypatch.setattr(feed.reading, "read_ids", read_while_it_is_lost_again)
        proxy.cut()
        wait_for(lambda: made and watch.state == "live")
        marker = other.tags.create("marker")
        wait_for(lambda: ("created", "Tag", marker.id, "remote") in heard.events)
        assert ("created", "Tag", made[0].id, "remote") in heard.events


def test_a_first_frame_without_what_was_deleted_meanwhile_reports_no_change_of_the_others(proxy, server):
    with pieces_orm.connect(server.url) as other, pieces_orm.connect(proxy.url) as session:
        gone, *_ = (other.tags.create(f"tag {n}") for n in range(4))
        with session.watch(Tag).wait_live() as watch:
            heard = Heard(session)
            proxy.refuse()
            lost(watch)
            gone.delete()
            proxy.accept()
            watch.wait_live()
            marker = other.tags.create("marker")
            told = ("created", "Tag", marker.id, "remote")
            wait_for(lambda: told in heard.events)
            assert heard.take() == [("deleted", "Tag", gone.id, "remote"), told]


def test_a_first_frame_that_comes_late_reports_no_change_of_what_was_there(proxy, server):
    with pieces_orm.connect(server.url) as other, pieces_orm.connect(proxy.url) as session:
        gone, *_ = (other.tags.create(f"tag {n}") for n in range(4))
        held = []
        proxy.frames = lambda payload: held.append(payload) or []
        with session.watch(Tag).wait_live():
            wait_for(lambda: held)
            gone.delete()
            heard = Heard(session)
            wait_for(lambda: len(held) > 1)
            ids = [each["tag"] for each in json.loads(held[0])["iterable"] if each["tag"]["id"] != gone.id]
            proxy.frames = lambda payload: [payload]
            for frame in ({"iterable": [{"tag": each} for each in ids]}, json.loads(held[1])):
                proxy.inject(frame_of(json.dumps(frame).encode()))
            marker = other.tags.create("marker")
            told = ("created", "Tag", marker.id, "remote")
            wait_for(lambda: told in heard.events)
            assert heard.take() == [("deleted", "Tag", gone.id, "remote"), told]
