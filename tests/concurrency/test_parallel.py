"""Many at once: a few requests under way, in order, on the thread that asked, with progress and nothing lost."""

from __future__ import annotations

import threading

import pytest

import pieces_orm
from pieces_orm import (
    Anchor,
    BatchError,
    InvalidValueError,
    NotFoundError,
    NotRunningError,
    NotTriedError,
    ServerError,
    State,
    Tag,
)
from pieces_orm.concurrency import parallel
from pieces_orm.server import Server, Settings
from pieces_orm.transport import backoff
from tests.support import Requests, wait_for


@pytest.fixture
def pieces_server():
    """A server that takes one material or association in each request, as Pieces OS does."""
    with Server(settings=Settings(extensions=False)) as server:
        yield server


def test_what_comes_of_many_is_done_in_order_on_the_thread_that_asked(pieces):
    anchor = pieces.anchors.create("/projects/many")
    heard = []

    @pieces.signals.associated.connect
    def associated(_, *, other, **__):
        heard.append((other.text, threading.current_thread()))

    tags = pieces.tags.create_many([f"tag {n}" for n in range(30)])
    anchor.associate(*tags)
    here = threading.current_thread()
    assert heard == [(f"tag {n}", here) for n in range(30)]


def test_no_more_requests_are_under_way_than_the_session_says():
    under_way, most, lock = 0, 0, threading.Lock()
    several = threading.Event()

    def act(_):
        nonlocal under_way, most
        yield
        with lock:
            under_way += 1
            most = max(most, under_way)
            if under_way == 3:
                several.set()
        assert several.wait(5)
        with lock:
            under_way -= 1
        yield

    assert parallel.do_all(range(40), act, concurrency=3) == [None] * 40
    assert most == 3


def test_one_at_a_time_makes_no_thread(pieces_server):
    with pieces_orm.connect(pieces_server.url, concurrency=1) as session:
        threads = []

        @session.signals.requested.connect
        def requested(_, **__):
            threads.append(threading.current_thread())

        session.tags.create_many(["a", "b", "c"])
        assert set(threads) == {threading.current_thread()}


@pytest.mark.parametrize("concurrency", [0, -1, 1.5, True, "4", None])
def test_a_concurrency_that_is_no_number_of_requests_is_refused(pieces_server, concurrency):
    with pytest.raises(InvalidValueError, match="concurrency is a number of requests from 1 to 64"):
        pieces_orm.connect(pieces_server.url, concurrency=concurrency)


@pytest.mark.parametrize("batch_reads", [True, False])
def test_progress_is_told_after_each_of_many(batch_reads):
    told = []

    def progress(done, total):
        told.append((done, total))

    def told_all(total):
        steps, told[:] = list(told), []
        return steps == [(done, total) for done in range(1, total + 1)]

    with Server(settings=Settings(batch_reads=batch_reads)) as server, pieces_orm.connect(server.url) as session:
        tags = session.tags.create_many([f"tag {n}" for n in range(60)], progress=progress)
        assert told_all(60)
        anchor = session.anchors.create("/projects/many")
        anchor.associate(*tags, progress=progress)
        assert told_all(60)
        with pieces_orm.connect(server.url) as fresh:
            assert len(fresh.tags.get_many([tag.id for tag in tags], progress=progress)) == 60
            assert told_all(60)
        with pieces_orm.connect(server.url) as another:
            held = another.prefetch(another.anchors.all(), Anchor.tags, progress=progress)
            assert (told_all(60), len(held)) == (True, 61)
        anchor.tags.remove(*tags[:5], progress=progress)
        assert told_all(5)
        anchor.disassociate(*tags[5:9], progress=progress)
        assert told_all(4)
        session.tags.delete_many(tags, progress=progress)
        assert told_all(60)


def test_chunks_of_a_batch_read_are_asked_for_together_once_the_first_has_shown_the_route(pieces_server):
    with pieces_orm.connect(pieces_server.url) as session:
        ids = [tag.id for tag in session.tags.create_many([f"tag {n}" for n in range(230)])]
        with pieces_orm.connect(pieces_server.url) as fresh:
            _ = fresh.application
            asked = []

            @fresh.signals.requested.connect
            def requested(_, *, path, **__):
                asked.append((path, threading.current_thread()))

            pieces_server.faults.delay(0.1, times=5, path="/tags/batch/fetch")
            assert [tag.id for tag in fresh.tags.get_many(ids)] == ids
            assert [path for path, _ in asked] == ["/tags/batch/fetch"] * 5
            first, *others = [thread for _, thread in asked]
            assert first is threading.current_thread()
            assert len(set(others)) == 4


def test_create_many_takes_first_arguments_or_mappings_and_keeps_their_order(pieces):
    assets = pieces.assets.create_many(["x = 1", {"content": "fn main() {}", "name": "main.rs", "language": "rs"}])
    assert [(asset.text, asset.language) for asset in assets] == [("x = 1", "txt"), ("fn main() {}", "rs")]
    assert assets[1].name == "main.rs"
    assert pieces.tags.create_many([]) == []


@pytest.mark.parametrize("items", ["abc", b"abc", {"text": "abc"}])
def test_create_many_takes_no_single_item_for_many(pieces, items):
    with pytest.raises(InvalidValueError, match="takes a list, with an item for each material"):
        pieces.tags.create_many(items)
    assert pieces.tags.ids() == ()


def test_create_many_checks_everything_before_anything_is_sent(pieces):
    requests = Requests(pieces)
    with pytest.raises(TypeError, match=r"assets\.create_many\(\).*nam"):
        pieces.assets.create_many(["x = 1", {"content": "y", "nam": "z"}])
    with pytest.raises(InvalidValueError, match="text"):
        pieces.tags.create_many(["a", 5])
    assert requests.take() == []


def test_what_could_not_be_created_is_told_by_its_place_and_the_rest_is_there(pieces, pieces_server):
    _ = pieces.application
    pieces_server.faults.answer(500, times=1, path="/tags/create")
    with pytest.raises(BatchError, match="1 of 6 could not be created; the first, at place") as caught:
        pieces.tags.create_many(["a", "b", "c", "d", "e", "f"])
    assert len(caught.value.failed) == 1
    assert set(caught.value.succeeded) == set(pieces.tags.ids())
    assert len(caught.value.succeeded) == 5


def test_a_veto_keeps_one_of_many_from_being_deleted_and_the_others_are(pieces):
    tags = pieces.tags.create_many(["keep", "a", "b"])

    class Vetoed(pieces_orm.PiecesError):
        pass

    @pieces.signals.deleting.connect_via(Tag)
    def deleting(_, *, entity, **__):
        assert threading.current_thread() is here
        if entity.text == "keep":
            raise Vetoed("not this one")

    here = threading.current_thread()
    with pytest.raises(BatchError, match="not this one") as caught:
        pieces.tags.delete_many(tags)
    assert list(caught.value.failed) == [tags[0].id]
    assert pieces.tags.ids() == (tags[0].id,)


def test_a_mistake_of_the_program_stops_the_rest_and_comes_through_as_it_is():
    done = []

    def act(n):
        if n == 20:
            raise ZeroDivisionError("a mistake")
        yield
        yield
        done.append(n)

    with pytest.raises(ZeroDivisionError):
        parallel.do_all(range(1000), act)
    # Those that had begun are finished: their requests were made.
    assert done == [n for n in range(20 + parallel.CONCURRENCY * parallel.ACTS_PER_THREAD) if n != 20]


def test_what_a_lost_server_leaves_untried_is_told_soon(monkeypatch):
    monkeypatch.setattr(backoff, "MAX_PAUSE_S", 0.01)
    settings = Settings(extensions=False)
    with Server(settings=settings) as server, pieces_orm.connect(server.url) as session:
        anchor, made = session.anchors.create("/projects/many"), session.tags.create_many(["a", "b", "c"])
        refs = [session.tags.ref(f"tag-{n}") for n in range(1200)]
        server.stop()
        calls = [
            lambda: session.tags.create_many([f"tag {n}" for n in range(1200)]),
            lambda: session.tags.delete_many([*made, *refs]),
            lambda: anchor.associate(*refs[:1200]),
        ]
        for call in calls:
            with pytest.raises(BatchError, match="could not be") as caught:
                call()
            assert not caught.value.succeeded
            errors = list(caught.value.failed.values())
            untried = [error for error in errors if isinstance(error, NotTriedError)]
            assert 1200 - parallel.CONCURRENCY * parallel.ACTS_PER_THREAD * 2 < len(untried) < len(errors)
            assert all(isinstance(error, NotRunningError) for error in errors)
            assert "Not tried" in str(untried[0])


def test_a_veto_in_the_middle_leaves_nothing_undone_that_was_sent(pieces):
    tags = pieces.tags.create_many([f"tag {n}" for n in range(40)])

    def veto(sender, entity):
        if entity is tags[10]:
            raise ZeroDivisionError

    pieces.signals.deleting.connect(veto)
    with pytest.raises(ZeroDivisionError):
        pieces.tags.delete_many(tags)
    assert {tag.id for tag in tags if tag.state is not State.DELETED} == set(pieces.tags.ids())
    assert tags[10].state is State.LOADED


@pytest.mark.parametrize("error", [SystemExit, KeyboardInterrupt])
def test_what_ends_a_program_ends_a_batch_wherever_it_is_raised(pieces, error):
    def leave(sender, path, **_):
        if path == "/tags/create":
            raise error

    tags = [f"tag {n}" for n in range(40)]
    pieces.signals.requested.connect(leave)
    with pytest.raises(error):
        pieces.tags.create_many(tags)


@pytest.fixture
def answered(pieces, monkeypatch):
    """The numbers of the answers that threads of batches have received."""
    now, numbers = pieces._context.history.now, []

    def noted():
        number = now()
        if threading.current_thread().name == "pieces_orm parallel":
            numbers.append(number)
        return number

    monkeypatch.setattr(pieces._context.history, "now", noted)
    return numbers


def test_what_was_heard_later_wins_over_an_answer_that_waited_for_its_turn(pieces_server, pieces, answered):
    with pieces_orm.connect(pieces_server.url) as other:

        def progress(done, total):
            if done == 1:
                # All of the second has happened but for its turn here.
                wait_for(lambda: len(answered) == 2)
                [theirs] = [tag for tag in other.tags.all() if tag.text == "second"]
                theirs.text = "renamed"
                theirs.save()
                held.append(pieces.tags.get(theirs.id))

        held = []
        first, second = pieces.tags.create_many(["first", "second"], progress=progress)
        assert held == [second]
        assert (first.text, second.text) == ("first", "renamed")


def test_what_is_read_later_wins_over_an_association_that_waited_for_its_turn(pieces_server, pieces, answered):
    anchor, tags = pieces.anchors.create("/projects/many"), pieces.tags.create_many(["first", "second"])
    answered.clear()
    with pieces_orm.connect(pieces_server.url) as other:

        def progress(done, total):
            if done == 1:
                wait_for(lambda: len(answered) == 2)
                theirs = other.anchors.get(anchor.id)
                theirs.disassociate(other.tags.ref(tags[1].id))
                anchor.refresh()

        anchor.associate(*tags, progress=progress)
        assert anchor.tags.ids == (tags[0].id,)


def test_a_chunk_that_fails_does_not_lose_the_others(pieces_server, pieces):
    tags = pieces.tags.create_many([f"tag {n}" for n in range(120)])
    with pieces_orm.connect(pieces_server.url) as session:
        session.tags.get_many([tags[0].id, tags[1].id])
        connection = session._context.connection
        call, asked = connection.call, []

        def failing(route, *args, **kwargs):
            asked.append(route)
            if len(asked) == 2:
                raise ServerError("no", status=500, body="", method="POST", path=route.path)
            return call(route, *args, **kwargs)

        connection.call = failing
        with pytest.raises(BatchError) as caught:
            session.tags.get_many([tag.id for tag in tags])
        assert (len(caught.value.succeeded), len(caught.value.failed)) == (70, 50)


def test_an_interrupted_batch_leaves_no_thread_and_no_write_under_way(pieces):
    anchor = pieces.anchors.create("/projects/many")
    tags = pieces.tags.create_many([f"tag {n}" for n in range(40)])

    def progress(done, _):
        if done == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        anchor.associate(*tags, progress=progress)
    for thread in threading.enumerate():
        if thread.name == "pieces_orm parallel":
            thread.join(5)
            assert not thread.is_alive()
    assert not pieces._context.history.writes_of(Anchor._schema.kind, anchor.id)
    known = anchor.tags.ids
    assert set(known[:3]) == {tag.id for tag in tags[:3]}
    assert set(anchor.refresh().tags.ids) == set(known)


def test_reading_many_tells_which_are_not_there_in_order(pieces):
    tags = pieces.tags.create_many([f"tag {n}" for n in range(70)])
    ids = [tag.id for tag in tags]
    pieces.tags.delete_many(tags[10:12])
    with pytest.raises(BatchError) as caught:
        pieces.tags.get_many(ids)
    assert list(caught.value.failed) == ids[10:12]
    assert all(isinstance(error, NotFoundError) for error in caught.value.failed.values())
    assert [tag.id for tag in pieces.tags.get_many(ids, missing="skip")] == ids[:10] + ids[12:]


def workers():
    return [thread for thread in threading.enumerate() if thread.name == "pieces_orm parallel"]


@pytest.mark.parametrize("interrupted", ["before", "after"])
@pytest.mark.parametrize("number", [1, 2, 4])
def test_a_batch_that_is_interrupted_as_its_threads_start_leaves_none(monkeypatch, interrupted, number):
    started, start = [], threading.Thread.start

    def starting(thread):
        started.append(thread)
        if interrupted == "before" and len(started) == number:
            raise KeyboardInterrupt
        start(thread)
        if len(started) == number:
            raise KeyboardInterrupt

    def act(_):
        yield
        yield

    monkeypatch.setattr(threading.Thread, "start", starting)
    with pytest.raises(KeyboardInterrupt):
        parallel.do_all(range(40), act)
    assert len(started) == number
    wait_for(lambda: not workers())


def test_a_batch_that_is_interrupted_while_it_waits_for_a_result_leaves_no_thread(monkeypatch):
    released = threading.Event()

    class Interrupted(parallel.Future):
        def result(self, timeout=None):
            raise KeyboardInterrupt

    def act(_):
        yield
        released.wait(5)
        yield

    monkeypatch.setattr(parallel, "Future", Interrupted)
    with pytest.raises(KeyboardInterrupt):
        parallel.do_all(range(40), act)
    assert workers()
    released.set()
    wait_for(lambda: not workers())
