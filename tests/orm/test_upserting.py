"""Upserts at once make one material: by threads, by sessions and by processes, with the extension and without it."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

import pieces_orm
from pieces_orm import BatchError, InvalidValueError, NotFoundError, UnsupportedOperationError
from pieces_orm.orm import upserting
from tests.support import Heard, Requests

THREADS = 24
VALUES = {
    "tags": "tides", "websites": "https://tides.example", "anchors": "/projects/tides.py",
    "persons": "ada@tides.example",
}  # fmt: skip


@pytest.fixture
def session(either_server):
    with pieces_orm.connect(either_server.url) as session:
        _ = session.application
        yield session
        for collection in (session.tags, session.websites, session.anchors, session.persons, session.assets):
            collection.delete_many(collection.all())


def at_once(act, number=THREADS):
    """Return what an act returns on threads that begin it together."""
    barrier = Barrier(number)

    def run(place):
        barrier.wait()
        return act(place)

    with ThreadPoolExecutor(number) as pool:
        return list(pool.map(run, range(number)))


@pytest.mark.parametrize("kind", VALUES)
def test_threads_at_once_make_one_material(session, kind):
    collection = getattr(session, kind)
    made = at_once(lambda _: collection.get_or_create(VALUES[kind]))
    assert {id(each) for each in made} == {id(made[0])}
    assert collection.ids() == (made[0].id,)


def test_threads_at_once_make_one_of_each_of_many(session):
    texts = [f"t{n}" for n in range(12)]
    made = at_once(lambda place: session.tags.get_or_create_many(texts[place % 3 :]), 12)
    assert sorted(tag.text for tag in session.tags) == sorted(texts)
    assert {tag.id for each in made for tag in each} == set(session.tags.ids())


def test_relations_that_threads_add_to_at_once_share_one_material(session):
    assets = session.assets.create_many([f"x = {n}" for n in range(THREADS)])
    at_once(lambda place: assets[place].tags.add("shared"))
    [tag] = session.tags.all()
    assert sorted(tag.assets.ids) == sorted(asset.id for asset in assets)


def test_sessions_at_once_make_one_material(either_server, session):
    sessions = [pieces_orm.connect(either_server.url) for _ in range(6)]
    try:
        for kind, value in VALUES.items():
            made = at_once(
                lambda place, kind=kind, value=value: getattr(sessions[place], kind).get_or_create(value).id, 6
            )
            [left] = getattr(session, kind).ids()
            assert set(made) == {left}
    finally:
        for each in sessions:
            each.close()


PROGRAM = """
import sys, pieces_orm
from concurrent.futures import ThreadPoolExecutor
with pieces_orm.connect(sys.argv[1]) as session, ThreadPoolExecutor(6) as pool:
    _ = session.application
    print("ready", flush=True)
    sys.stdin.readline()
    texts = [f"p{n}" for n in range(10)]
    each = list(pool.map(lambda text: session.tags.get_or_create(text).id, [text for text in texts for _ in range(2)]))
    many = [tag.id for tag in session.tags.get_or_create_many([f"m{n}" for n in range(20)])]
    print(" ".join(each[::2] + many), each[::2] == each[1::2], flush=True)
"""


def test_processes_at_once_make_one_material(either_server, session):
    command = [sys.executable, "-c", PROGRAM, either_server.url]
    programs = [subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    for program in programs:
        assert program.stdout.readline() == "ready\n"
    for program in programs:
        program.stdin.write("go\n")
        program.stdin.flush()
    said = [program.communicate(timeout=30)[0].split() for program in programs]
    assert [each.pop() for each in said] == ["True", "True"]
    assert said[0] == said[1]
    assert sorted(said[0]) == sorted(session.tags.ids())


def test_one_call_asks_for_no_more_than_it_needs(either_server, session):
    requests = Requests(session)
    tag = session.tags.get_or_create("asked")
    extended = is_unique(session)
    assert requests.take() == (
        ["POST /tags/create_many"] if extended else ["POST /tags/exists", "POST /tags/create", "GET /tags"]
    )
    assert session.tags.get_or_create("asked") is tag
    assert requests.take() == (["POST /tags/create_many"] if extended else ["POST /tags/exists", f"GET /tag/{tag.id}"])


def test_created_is_told_of_what_was_created_only(either_server, session):
    with pieces_orm.connect(either_server.url) as other:
        theirs = other.tags.create("theirs").id
    heard = Heard(session)
    assert session.tags.get_or_create("theirs").id == theirs
    assert heard.take() == []
    mine = at_once(lambda _: session.tags.get_or_create("mine"))[0]
    assert heard.take() == [("created", "Tag", mine.id, "local")]


def test_a_receiver_may_get_or_create_the_same_itself(session):
    seen = []

    def receive(sender, entity, **_):
        with ThreadPoolExecutor(1) as pool:
            seen.append(pool.submit(session.tags.get_or_create, "nested").result(5))

    session.signals.created.connect(receive)
    tag = session.tags.get_or_create("nested")
    assert seen == [tag]


def test_the_path_of_any_point_names_an_anchor(session):
    anchor = session.anchors.create("/projects/first")
    session.anchor_points.create(anchor, "/projects/second")
    assert session.anchors.find("/projects/second") is anchor
    assert session.anchors.get_or_create("/projects/second") is anchor


def is_unique(session):
    return "unique" in session._context.connection.extensions


def test_of_several_made_at_once_the_oldest_stays_and_keeps_what_others_were_associated_with(
    either_server, session, monkeypatch
):
    if is_unique(session):
        pytest.skip("the server makes only one")
    asset = session.assets.create("x = 1")
    with pieces_orm.connect(either_server.url) as other:
        made, create = [], upserting.creating.create

        def forestalled(*args, unique=False):
            if unique:
                return create(*args, unique=True)
            monkeypatch.undo()
            # Another program makes the same one, right before this one is made and right after.
            made.append(other.tags.create("raced").id)
            [mine] = create(*args)
            other.assets.ref(asset.id).tags.add(mine.id)
            made.append(other.tags.create("raced").id)
            return [mine]

        monkeypatch.setattr(upserting.creating, "create", forestalled)
        tag = session.tags.get_or_create("raced")
        assert tag.id == made[0]
        assert set(session.tags.ids()) == {made[0], made[1]}, "what others made is theirs"
        assert asset.id in tag.refresh().assets


def test_those_that_a_failed_call_has_made_are_settled_too(either_server, session):
    either_server.faults.answer(500, path="/tags/create")
    with pytest.raises(BatchError) as caught:
        session.tags.get_or_create_many(["f1", "f2", "f3"])
    assert len(caught.value.succeeded) <= 2
    made = session.tags.get_or_create_many(["f1", "f2", "f3"])
    assert sorted(session.tags.ids()) == sorted(tag.id for tag in made)


# Merging --------------------------------------------------------------------------------------------------------------


def test_merge_moves_every_association_and_deletes_the_other(session):
    kept, merged = session.tags.create("kept"), session.tags.create("merged")
    named = [
        session.assets.create("x = 1"), session.anchors.create("/projects/m.py"), session.annotations.create("note"),
        session.persons.create(name="Ada"), session.websites.create("https://m.example"),
        session.source_windows.create("window"), session.summaries.create("summary"),
        session.workstream_events.create(pieces_orm.values.Trigger(copy=True)),
        session.messages.create("hello", session.conversations.create("talk")),
    ]  # fmt: skip
    merged.associate(*named)
    named[0].tags.add(kept)
    told = []
    assert session.tags.merge("kept", "merged", progress=lambda *each: told.append(each)) is kept
    assert told == [(n, len(named) - 1) for n in range(1, len(named))]
    assert merged.state is pieces_orm.State.DELETED
    assert session.tags.ids() == (kept.id,)
    for each in named:
        assert each.refresh().tags.ids == (kept.id,)
    assert {name: len(getattr(kept, name)) for name in type(kept)._schema.many} == dict.fromkeys(
        type(kept)._schema.many, 1
    )
    with pytest.raises(NotFoundError):
        session.tags.merge("kept", "merged")


def test_a_merge_that_breaks_off_is_finished_by_the_next(either_server, session):
    kept, merged = session.tags.create("kept"), session.tags.create("merged")
    assets = session.assets.create_many([f"x = {n}" for n in range(8)])
    merged.assets.add(*assets)
    either_server.faults.answer(500, 3, path=f"/tag/{kept.id}/assets/associate")
    either_server.faults.answer(500, path="/tags/associate_many")
    with pytest.raises(BatchError):
        session.tags.merge(kept, merged)
    assert merged in session.tags
    assert merged.refresh().assets.ids
    with pieces_orm.connect(either_server.url) as other:
        other.tags.ref(merged.id).assets.add(other.assets.create("y = 1"))
    either_server.faults.clear()
    session.tags.merge(kept, merged)
    assert len(kept.refresh().assets) == 9
    assert session.tags.ids() == (kept.id,)


def test_a_server_that_forgets_what_it_has_taken_ends_a_merge_before_the_deletion(either_server, session):
    kept, merged = session.tags.create("kept"), session.tags.create("merged")
    merged.assets.add(session.assets.create("x = 1"))
    either_server.faults.answer(204, 8, path=f"/tag/{kept.id}/assets/associate")
    with pytest.raises(BatchError, match="does not list them"):
        session.tags.merge(kept, merged)
    assert len(merged.refresh().assets) == 1
    either_server.faults.clear()
    session.tags.merge(kept, merged)
    assert len(kept.refresh().assets) == 1


def test_a_deletion_that_is_vetoed_moves_nothing(session):
    kept, merged = session.tags.create("kept"), session.tags.create("merged")
    merged.assets.add(session.assets.create("x = 1"))

    def veto(sender, **_):
        raise ValueError("no")

    session.signals.deleting.connect(veto)
    with pytest.raises(ValueError, match="no"):
        session.tags.merge(kept, merged)
    session.signals.deleting.disconnect(veto)
    assert (len(kept.assets), len(merged.assets)) == (0, 1)


def test_what_cannot_be_merged_is_refused_before_any_request(session):
    tag = session.tags.create("one")
    requests = Requests(session)
    with pytest.raises(InvalidValueError, match="two different tags"):
        session.tags.merge(tag, tag.id)
    with pytest.raises(UnsupportedOperationError, match=r"AnchorPoint.anchor"):
        session.anchors.merge("/a", "/b")
    with pytest.raises(UnsupportedOperationError, match=r"Annotation.person"):
        session.persons.merge("Ada", "Bea")
    with pytest.raises(InvalidValueError, match="takes Tag"):
        session.tags.merge(tag, 5)
    assert requests.take() == []
