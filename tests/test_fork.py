"""A forked child cannot use a session of its parent, says so, and harms nothing that the parent has open."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")

BEFORE = """
import faulthandler, itertools, multiprocessing, os, signal, sys, threading, time, warnings
import pieces_orm
from pieces_orm import DetachedError, Tag

warnings.simplefilter("ignore", DeprecationWarning)  # of forks with threads, from Python 3.12 on
url = sys.argv[1]
signal.alarm(30)

def detached(act):
    try:
        act()
    except DetachedError as error:
        return "open another after the fork" in str(error)
    return False

def in_child(act, end=os._exit):
    pid = os.fork()
    if pid == 0:
        signal.alarm(15)
        faulthandler.dump_traceback_later(10, exit=True)
        good = False
        try:
            good = act()
        finally:
            end(0 if good else 1)
    return pid

def went_well(pid):
    return os.waitpid(pid, 0)[1] == 0

def creates_its_own(session, name):
    made = [session.tags.create(f"{name} {n}") for n in range(240)]
    return [tag.text for tag in made] == [f"{name} {n}" for n in range(240)]
"""


def succeeds(code: str, url: str) -> None:
    program = [sys.executable, "-c", f"{BEFORE}\n{code}\n", url]
    done = subprocess.run(program, capture_output=True, text=True, timeout=40, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_parent_and_child_never_get_each_others_answers(pieces_server):
    succeeds(
        """
with pieces_orm.connect(url) as session:
    session.tags.create("first")

    def child():
        refused = all([detached(lambda: session.tags.create(f"refused {n}")) for n in range(240)])
        with pieces_orm.connect(url) as own:
            return refused and creates_its_own(own, "child")

    pid = in_child(child)
    assert creates_its_own(session, "parent")
    assert went_well(pid)
    texts = sorted(tag.text for tag in session.tags.all())
    assert texts == sorted(["first", *[f"{name} {n}" for name in ("parent", "child") for n in range(240)]])
""",
        pieces_server.url,
    )


def test_what_is_open_is_not_silently_dead_in_a_child_and_goes_on_in_its_parent(pieces_server):
    succeeds(
        """
with pieces_orm.connect(url) as session, pieces_orm.connect(url) as other:
    tag = session.tags.create("first")
    session.assets.create("x = 1")
    watch, live = session.watch(Tag).wait_live(), session.tags.live().wait_live()
    changes, stream, suggestions = session.changes(Tag).wait_live(), session.assets.stream(), session.suggestions()
    next(stream), next(suggestions)
    scope = session.scope()
    held = scope.tags.get(tag.id)

    def child():
        good = all([
            "(closed)" in repr(scope), held.state is pieces_orm.State.DETACHED, held.text == "first",
            *[detached(act) for act in (scope.tags.all, scope.__enter__, scope.scope, session.scope)],
            watch.state == "lost", "(closed)" in repr(live), "(closed)" in repr(session), list(live) == [tag],
            tag.text == "first", tag.state is pieces_orm.State.DETACHED,
            *[detached(act) for act in (
                watch.wait_live, lambda: next(changes), lambda: next(stream), lambda: next(suggestions),
                session.watch, session.changes, lambda: next(session.assets.stream()), session.__enter__,
                lambda: session.tags.get(tag.id), lambda: session.tags.live(),
            )],
        ])
        for each in (watch, live, changes, stream, suggestions, session):
            each.close()
        return good

    assert went_well(in_child(child))
    assert scope.tags.get(tag.id) is held
    made = other.tags.create("second")
    other.assets.create("y = 2")
    assert {change.id for change in itertools.islice(changes, 1)} == {made.id}
    assert len(next(stream)) == 1
    assert watch.state == "live" and made.id in {each.id for each in live}
""",
        pieces_server.url,
    )


@pytest.mark.slow
def test_no_lock_of_another_thread_holds_up_a_child(pieces_server):
    succeeds(
        """
session = pieces_orm.connect(url)
session.tags.create("first")
watch, live, changes = session.watch(Tag).wait_live(), session.tags.live(), session.changes(Tag)
ended = threading.Event()

def work():
    while not ended.wait(0.001):
        session.tags.create("x").delete()

threads = [threading.Thread(target=work) for _ in range(4)]
for thread in threads:
    thread.start()

def child():
    return len(list(live)) >= 0 and detached(lambda: session.tags.all()) and detached(watch.wait_live)

outcomes = [went_well(in_child(child, sys_exit)) for sys_exit in [sys.exit, os._exit] * 10]
ended.set()
for thread in threads:
    thread.join()
session.close()
assert all(outcomes), outcomes
""",
        pieces_server.url,
    )


def test_a_worker_of_multiprocessing_is_told_to_open_its_own_session(pieces_server):
    succeeds(
        """
session = pieces_orm.connect(url)
session.tags.create("first")

def work(n):
    assert detached(lambda: session.tags.create("refused"))
    with pieces_orm.connect(url) as own:
        return own.tags.create(f"own {n}").text

with multiprocessing.get_context("fork").Pool(2) as pool:
    assert pool.map(work, range(10)) == [f"own {n}" for n in range(10)]
assert len(session.tags.all()) == 11
""",
        pieces_server.url,
    )


@pytest.mark.parametrize("end", ["sys.exit", "os._exit"])
def test_a_child_that_closes_and_ends_leaves_the_embedded_server_of_its_parent_running(pieces_server, tmp_path, end):
    path = str(tmp_path / "own.db")
    succeeds(
        f"""
with pieces_orm.embedded({path!r}) as session:
    watch = session.watch(Tag).wait_live()
    for n in range(2):
        session.tags.create(f"before {{n}}")
        assert went_well(in_child(lambda: session.close() is None and detached(session.tags.all), {end}))
        session.tags.create(f"after {{n}}")
    assert watch.state == "live"
with pieces_orm.embedded({path!r}) as session:
    assert len(session.tags.all()) == 4
""",
        pieces_server.url,
    )
