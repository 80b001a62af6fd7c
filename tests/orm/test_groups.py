"""Several creations or associations in one request, where the server takes that; elsewhere one request each."""

import threading

import pytest

import pieces_orm
from pieces_orm import BatchError, NotRunningError, Tag
from pieces_orm.orm import associating, creating
from pieces_orm.orm.creating import MAX_GROUP_SEEDS
from pieces_orm.server import Server, Settings
from pieces_orm.server.asgi import answer_headers
from pieces_orm.transport import backoff
from pieces_orm.transport.connection import NoExtensionError
from pieces_orm.wire.extensions import EXTENSIONS_HEADER
from tests.support import Heard, Requests, wait_for


@pytest.fixture
def requests(pieces):
    _ = pieces.application
    return Requests(pieces)


def seeds(session, texts):
    return [Tag._seed(session._context, text) for text in texts]


def test_many_are_created_in_few_requests_in_order_with_progress_and_signals(pieces, requests):
    heard, told = Heard(pieces), []
    texts = [f"tag {n}" for n in range(2 * MAX_GROUP_SEEDS + 1)]
    tags = pieces.tags.create_many(texts, progress=lambda *about: told.append((*about, threading.current_thread())))
    # The last one is alone, and a request of the usual kind; sent together, they end in any order.
    assert sorted(requests.take()) == ["POST /tags/create", "POST /tags/create_many", "POST /tags/create_many"]
    assert [tag.text for tag in tags] == texts
    assert [each[1:3] for each in heard.take()] == [("Tag", tag.id) for tag in tags]
    assert told == [(n + 1, len(texts), threading.current_thread()) for n in range(len(texts))]
    assert len(pieces.tags.ids()) == len(texts)


def test_what_is_wrong_with_one_of_many_fails_alone(pieces, requests):
    texts = ["a", "b", "c", "d"]
    given = seeds(pieces, texts)
    given[1] = creating.Seed({"text": 5}, given[0].query)
    given[3] = creating.Seed({"text": "d", "asset": "not there"}, given[0].query)
    with pytest.raises(BatchError, match="2 of 4 could not be created; the first, at place 1") as caught:
        creating.create(pieces._context, Tag, given)
    errors = caught.value.failed
    assert [(place, error.status) for place, error in errors.items()] == [("1", 400), ("3", 500)]
    assert "text of a tag must be a string" in str(errors["1"])
    assert errors["1"].path == "/tags/create_many"
    assert caught.value.succeeded == [tag.id for tag in sorted(pieces.tags.all(), key=lambda tag: tag.text)]
    assert len(caught.value.succeeded) == 2


def test_large_seeds_go_in_requests_of_their_own(pieces, requests, monkeypatch):
    monkeypatch.setattr(creating, "MAX_GROUP_BYTES", 2500)
    texts = ["x" * 1000 + str(n) for n in range(5)]
    assert [tag.text for tag in pieces.tags.create_many(texts)] == texts
    assert requests.take() == ["POST /tags/create_many", "POST /tags/create_many", "POST /tags/create"]
    with Server(settings=Settings(max_body=2500)) as server, pieces_orm.connect(server.url) as session:
        monkeypatch.setattr(creating, "MAX_GROUP_BYTES", 10_000)
        asked = Requests(session)
        assert [tag.text for tag in session.tags.create_many(texts)] == texts
        assert asked.take() == ["POST /connect", "POST /tags/create_many", *["POST /tags/create"] * 5]


def test_many_are_associated_in_few_requests_and_in_order(pieces, requests, monkeypatch):
    monkeypatch.setattr(associating, "MAX_GROUP_PAIRS", 4)
    asset, tags = pieces.assets.create("x = 1"), pieces.tags.create_many([f"tag {n}" for n in range(10)])
    heard = Heard(pieces)
    requests.take()
    asset.tags.add(*tags)
    assert requests.take() == ["POST /assets/associate_many"] * 3
    assert heard.take() == [("associated", "Asset", asset.id, "tags", tag.id, "local") for tag in tags]
    with pieces_orm.connect(pieces.url) as other:
        assert other.assets.get(asset.id).tags.ids == asset.tags.ids == tuple(tag.id for tag in tags)
    requests.take()
    asset.tags.remove(*tags[::2])
    alone = f"POST /asset/{asset.id}/tags/disassociate/{tags[8].id}"
    assert requests.take() == ["POST /assets/disassociate_many", alone]
    assert asset.tags.ids == tuple(tag.id for tag in tags[1::2])
    assert all(asset not in tag.assets for tag in tags[::2])


def test_parents_and_children_are_told_apart(pieces, requests):
    first, *others = pieces.summaries.create_many([f"day {n}" for n in range(5)])
    first.children.add(*others[:2])
    first.parents.add(*others[2:])
    assert requests.take().count("POST /workstream_summaries/associate_many") == 2
    with pieces_orm.connect(pieces.url) as other:
        found = other.summaries.get(first.id)
        assert found.children.ids == tuple(each.id for each in others[:2])
        assert found.parents.ids == tuple(each.id for each in others[2:])
        assert other.summaries.get(others[0].id).parents.ids == (first.id,)
    first.children.remove(*others[:2])
    first.parents.remove(*others[2:])
    assert first.children.ids == first.parents.ids == ()


@pytest.mark.parametrize("extensions", [True, False])
def test_what_is_named_twice_is_associated_once(extensions):
    with (
        Server(settings=Settings(extensions=extensions, associate_twice="error")) as server,
        pieces_orm.connect(server.url) as session,
    ):
        asset, tag = session.assets.create("x = 1", persons=["Ada", "Ada"]), session.tags.create("a")
        heard, told = Heard(session), []
        asset.tags.add("a", tag, tag.id, progress=lambda *each: told.append(each))
        assert heard.take() == [("associated", "Asset", asset.id, "tags", tag.id, "local")]
        assert told == [(1, 1)]
        asset.tags.remove("a", tag)
        assert [each[0] for each in heard.take()] == ["disassociated"]
        assert (asset.tags.ids, len(asset.persons)) == ((), 1)


def test_what_cannot_be_associated_fails_alone(pieces, other):
    asset, tags = pieces.assets.create("x = 1"), pieces.tags.create_many(["a", "b", "c"])
    other.tags.get(tags[1].id).delete()
    with pytest.raises(BatchError, match="1 of 3 could not be associated") as caught:
        asset.associate(*tags)
    assert list(caught.value.failed) == [tags[1].id]
    assert (caught.value.failed[tags[1].id].status, asset.tags.ids) == (500, (tags[0].id, tags[2].id))


def test_a_server_that_has_the_extension_no_more_is_asked_in_the_other_way(pieces_server, pieces, requests):
    asset, tags = pieces.assets.create("x = 1"), pieces.tags.create_many(["a", "b"])
    requests.take()
    port = pieces_server.port
    with Server(settings=Settings(extensions=False)) as newer:
        pieces_server.stop()
        newer.restart(port)
        # The connection does not know of the change yet: its sockets are closed, and no request was refused.
        made = pieces.tags.create_many(["c", "d"])
        assert [tag.text for tag in made] == ["c", "d"]
        asset = pieces.assets.create("x = 1")
        asset.tags.add(*made)
        assert asset.tags.ids == tuple(tag.id for tag in made)
        assert "POST /assets/associate_many" not in requests.take()
        with pytest.raises(NoExtensionError):
            creating.create(pieces._context, Tag, seeds(pieces, ["e"]), unique=True)
        assert pieces.tags.count() == 2
        newer.stop()
        pieces_server.restart(port)
    del tags


def test_what_a_lost_server_leaves_of_many_is_told_soon(monkeypatch):
    monkeypatch.setattr(backoff, "MAX_PAUSE_S", 0.01)
    with Server() as server, pieces_orm.connect(server.url) as session:
        anchor, tags = session.anchors.create("/projects"), [session.tags.ref(f"tag-{n}") for n in range(1000)]
        server.stop()
        for call in (lambda: session.tags.create_many(range_of_texts()), lambda: anchor.associate(*tags)):
            with pytest.raises(BatchError) as caught:
                call()
            assert len(caught.value.failed) == 1000
            assert all(isinstance(error, NotRunningError) for error in caught.value.failed.values())


def range_of_texts():
    return [f"tag {n}" for n in range(1000)]


def test_unique_seeds_make_one_material_whoever_creates_it(pieces, other, requests):
    heard = Heard(pieces)
    (first,) = creating.create(pieces._context, Tag, seeds(pieces, ["tides"]), unique=True)
    assert requests.take() == ["POST /tags/create_many"]
    again, second = creating.create(pieces._context, Tag, seeds(pieces, ["tides", "moon"]), unique=True)
    assert again is first
    assert heard.take() == [("created", "Tag", first.id, "local"), ("created", "Tag", second.id, "local")]
    (theirs,) = creating.create(other._context, Tag, seeds(other, ["moon"]), unique=True)
    assert theirs.id == second.id
    made, given = [], seeds(pieces, ["one"])

    def create():
        made.extend(creating.create(pieces._context, Tag, given, unique=True))

    threads = [threading.Thread(target=create) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 12
    assert len(set(made)) == 1
    assert [event[0] for event in heard.take()] == ["created"]


def test_echoes_of_many_are_not_told_again(pieces, other):
    with pieces.watch(Tag, pieces_orm.Asset) as watch:
        assert watch.wait_live(10)
        heard = Heard(pieces)
        tags = pieces.tags.create_many([f"tag {n}" for n in range(60)])
        asset = pieces.assets.create("x = 1")
        asset.tags.add(*tags)
        theirs = other.tags.create("theirs")
        wait_for(lambda: ("created", "Tag", theirs.id, "remote") in heard.events)
        events = heard.take()
    assert [each for each in events if each[-1] == "remote"] == [("created", "Tag", theirs.id, "remote")]
    assert len([each for each in events if each[0] == "created"]) == 62
    assert len([each for each in events if each[0] == "associated"]) == 60
    assert len(events) == 122


def test_the_header_of_the_server_names_what_the_session_uses(pieces):
    assert dict(answer_headers.answer_headers(extensions=True))[EXTENSIONS_HEADER] == "pages, query, unique, many"
