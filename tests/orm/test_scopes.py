"""A scope is a session of its own on the sockets and the application of another: nothing of one reaches the other."""

from __future__ import annotations

import gc
import random
import weakref
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest

import pieces_orm
from pieces_orm import (
    ConflictError,
    DetachedError,
    Entity,
    InvalidValueError,
    NotLoadedError,
    Session,
    State,
    Tag,
    UsageError,
)
from tests.support import Heard, Requests

THREADS, REQUESTS = 8, 200


@pytest.fixture(scope="module")
def session():
    with pieces_orm.embedded() as session:
        yield session


@pytest.fixture
def anchor(session):
    anchor = session.anchors.create("/tides", name="tides")
    yield anchor
    anchor.delete()


def test_a_scope_is_a_session(session):
    with session.scope() as scope:
        assert type(scope) is Session
        assert (scope.url, scope.application) == (session.url, session.application)
        assert scope[Tag] is scope.tags
        assert scope.tags is not session.tags
        assert repr(scope) == repr(session)
    assert repr(scope).endswith("(closed)>")


def test_entities_and_edits_of_a_scope_are_its_own(session, anchor):
    with session.scope() as one, session.scope() as two:
        mine, theirs = one.anchors.get(anchor.id), two.anchors.get(anchor.id)
        assert len({anchor, mine, theirs}) == 3
        assert one.anchors.get(anchor.id) is mine
        mine.name = "half-ty"
        theirs.watch = True
        assert theirs.save() == {"watch"}
        assert (anchor.edits, theirs.edits, list(mine.edits)) == ({}, {}, ["name"])
        assert mine.save() == {"name"}  # a later save does not undo the other
        assert (mine.name, mine.watch) == ("half-ty", True)


def test_a_conflict_stays_in_the_scope_that_has_it(session, anchor):
    with session.scope() as one, session.scope() as two:
        mine, theirs = one.anchors.get(anchor.id), two.anchors.get(anchor.id)
        mine.name, theirs.name = "mine", "theirs"
        theirs.save()
        with pytest.raises(ConflictError):
            mine.save()
        theirs.name = "theirs again"
        theirs.save()
        with session.scope() as three:
            fresh = three.anchors.get(anchor.id)
            fresh.name = "three"
            fresh.save()
        assert mine.edits


def test_an_entity_of_another_scope_is_refused(session, anchor):
    with session.scope() as scope:
        tag = scope.tags.create("of the scope")
        with pytest.raises(UsageError, match="another session"):
            anchor.associate(tag)
        with pytest.raises(UsageError, match="another session"):
            session.prefetch([tag], Tag.assets)
        tag.delete()


def test_signals_of_a_scope_are_its_own(session, anchor):
    with session.scope() as scope:
        heard, requests = [Heard(session), Heard(scope)], [Requests(session), Requests(scope)]
        vetoed = []
        session.signals.saving.connect(lambda *_, **about: vetoed.append(about), weak=False)
        mine = scope.anchors.get(anchor.id)
        mine.name = "renamed"
        mine.save()
        assert (heard[0].take(), requests[0].take(), vetoed) == ([], [], [])
        assert [event[0] for event in heard[1].take()] == ["changed"]
        assert [each.split()[0] for each in requests[1].take()] == ["GET", "GET", "POST"]


def test_opening_and_leaving_makes_no_request_and_closes_no_socket(session, anchor):
    requests = Requests(session)
    pool = session._context.connection._transport._connected().pool
    before = [each for each in pool.queue if each is not None]
    assert before
    with session.scope() as scope:
        own = Requests(scope)
        assert own.take() == requests.take() == []
        held = scope.anchors.get(anchor.id)
    assert own.take() == [f"GET /anchor/{anchor.id}"]
    assert all(each.sock is not None for each in before)
    assert [each for each in pool.queue if each is not None] == before
    assert held.state is State.DETACHED
    assert held.name == "tides"
    assert anchor.state is State.LOADED
    assert anchor.refresh() is None or anchor.name == "tides"


def test_a_scope_that_was_left_says_so(session, anchor):
    with session.scope() as scope:
        held = scope.anchors.get(anchor.id)
        unread = scope.tags.ref("unread")
        held.name = "never saved"
    for act in (held.save, held.refresh, unread.refresh, scope.tags.all, scope.scope, scope.watch, scope.__enter__):
        with pytest.raises(DetachedError):
            act()
    with pytest.raises(DetachedError, match=r"open another with session\.scope\(\)"):
        scope.tags.all()
    scope.close()
    assert session.anchors.get(anchor.id).name == "tides"


def test_a_scope_ends_with_its_session_and_one_of_a_scope_too(session):
    with pieces_orm.connect(session.url) as own:
        scope = own.scope()
        with scope.scope() as inner:
            scope.close()
            tag = inner.tags.create("inner")
            assert tag is inner.tags.get(tag.id)
            inner.tags.delete_many([tag])
            kept = inner.tags.ref("kept")
            own.close()
            assert kept.state is State.DETACHED
            with pytest.raises(DetachedError, match=r"The session on .* is closed; open another\."):
                inner.tags.all()
    with pytest.raises(DetachedError):
        own.scope()


def test_the_options_of_a_scope_are_those_of_its_session_unless_others_are_given(session, anchor):
    deliveries = []
    with pieces_orm.connect(session.url, autoload=False, concurrency=2, dispatch=deliveries.append) as strict:
        with strict.scope() as scope:
            with pytest.raises(NotLoadedError):
                _ = scope.anchors.ref(anchor.id).name
            Heard(scope)
            assert (scope._context.concurrency, scope.signals.dispatch) == (2, strict.signals.dispatch)
        with strict.scope(autoload=True, concurrency=5, dispatch=None) as scope:
            assert scope.anchors.ref(anchor.id).name == "tides"
            assert (scope._context.concurrency, scope.signals.dispatch) == (5, None)
            with scope.scope() as inner:
                assert (inner._context.concurrency, inner._context.autoload) == (5, True)


@pytest.mark.parametrize(
    "options", [{"autoload": 1}, {"concurrency": 0}, {"concurrency": True}, {"concurrency": 65}, {"dispatch": "ui"}]
)
def test_options_that_cannot_be_used_are_refused(session, options):
    with pytest.raises(InvalidValueError, match=next(iter(options))):
        session.scope(**options)


def test_a_scope_that_nobody_holds_is_freed_with_its_entities(session, anchor):
    scope = session.scope()
    held = scope.anchors.get(anchor.id)
    held.name = "never saved, and held for that"
    refs = [weakref.ref(each) for each in (scope, scope._context, held)]
    del scope, held
    gc.collect()
    assert [each() for each in refs] == [None] * 3
    assert session._context.scopes() == []


def test_a_scope_holds_the_session_that_it_was_opened_from(session):
    opened = pieces_orm.connect(session.url)
    ref = weakref.ref(opened)
    scope = opened.scope()
    del opened
    gc.collect()
    assert scope.tags.ids() == session.tags.ids()
    ref().close()
    with pytest.raises(DetachedError):
        scope.tags.all()


def test_streams_that_a_scope_opens_end_with_it(session):
    asset = session.assets.create("x = 1")
    with session.scope() as scope:
        stream = scope.assets.stream()
        assert [each.id for each in next(stream)] == [asset.id]
        suggestions = scope.suggestions()
        next(suggestions)
    assert list(stream) == list(suggestions) == []
    assert session.assets.get(asset.id) is asset
    asset.delete()


def test_calls_of_many_materials_work_in_a_scope(session):
    with session.scope(concurrency=3) as scope:
        tags = scope.tags.create_many([f"of many {n}" for n in range(9)])
        assert scope.tags.get_many([each.id for each in tags]) == tags
        assert set(tags) <= set(scope.tags.all())
        scope.tags.delete_many(tags)


def save_or_conflict(entity: Entity, field: str) -> bool:
    """Save the only edit of an entity; a conflict must be about its field, with what another has saved."""
    try:
        sent = entity.save()
    except ConflictError as error:
        sent, theirs = error.theirs.keys(), error.theirs
    else:
        theirs = {}
    assert sent == {field}
    assert not str(theirs.get("name")).startswith("abandoned")
    return not theirs


def scoped_request(scope: Session, chance: random.Random, shared: str, own: str) -> str:
    """Edit what others edit too, or what is this thread's alone, or leave an edit unsaved; return what was done."""
    done = chance.choice(["own", "name", "watch", "nothing"])
    entity = scope.anchors.get(own if done == "own" else shared)
    assert not entity.edits
    if done == "own":
        entity.name = f"own {chance.random()}"
        assert entity.save() == {"name"}
    elif done == "watch":
        entity.watch = not entity.watch
        return done if save_or_conflict(entity, "watch") else "conflict"
    elif done == "name":
        entity.name = f"shared {chance.random()}"
        return done if save_or_conflict(entity, "name") else "conflict"
    else:
        entity.name = "abandoned"
    return done


@pytest.mark.slow
def test_no_edit_crosses_and_no_conflict_comes_without_a_cause_in_scoped_requests(session):
    """Eight threads, 200 requests each; what only one of them edits never has a conflict."""
    shared = [session.anchors.create(f"/{n}", name="").id for n in range(4)]
    own = [session.anchors.create(f"/own/{n}", name="").id for n in range(THREADS)]

    def work(number: int) -> Counter[str]:
        chance, done = random.Random(number), Counter()
        for _ in range(REQUESTS):
            with session.scope() as scope:
                done[scoped_request(scope, chance, chance.choice(shared), own[number])] += 1
        return done

    with ThreadPoolExecutor(THREADS) as pool:
        done = sum(pool.map(work, range(THREADS)), Counter())
    assert done.total() == THREADS * REQUESTS
    assert min(done[each] for each in ("own", "name", "watch", "nothing")) > THREADS * REQUESTS / 10
    for id in (*shared, *own):
        anchor = session.anchors.get(id)
        assert anchor.name.startswith("own" if id in own else "shared")
    assert session._context.scopes() == []
