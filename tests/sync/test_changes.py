"""An iterator of changes, or a stream, lives no longer than somebody holds it."""

from __future__ import annotations

import gc
import threading
import weakref

import pytest

from pieces_orm import DetachedError, Tag
from tests.support import wait_for
from tests.transport.proxy import proxied


def threads_of(collection):
    return [thread for thread in threading.enumerate() if thread.name == f"pieces_orm stream {collection}"]


def receivers(session):
    signals = session.signals
    every = (signals.created, signals.changed, signals.deleted, signals.associated, signals.disassociated)
    return sum(len(signal.receivers) for signal in every)


def test_changes_left_by_break_let_their_entities_go(pieces, other):
    assert not receivers(pieces)
    changes = iter(pieces.changes(Tag).wait_live())
    made = [other.tags.create(f"tag {n}").id for n in range(3)]
    seen = []
    for change in changes:
        seen.append(change.id)
        if len(seen) == 2:
            break
    wait_for(lambda: pieces.tags.peek(made[2]) is not None)  # the third waits in the queue, which holds it
    del changes, change
    wait_for(lambda: not receivers(pieces) and not threads_of("tags"))
    wait_for(lambda: [pieces.tags.peek(id) for id in made] == [None] * 3)
    assert not pieces._context._opened


def test_changes_in_a_cycle_are_closed_without_waiting_for_locks(pieces):
    changes = pieces.changes(Tag).wait_live()
    cycle = [changes]
    cycle.append(cycle)
    forgotten = weakref.ref(changes)
    del changes, cycle
    held, released = threading.Event(), threading.Event()

    def hold():
        with pieces._context.lock:
            held.set()
            released.wait(5)

    holder = threading.Thread(target=hold)
    holder.start()
    assert held.wait(5)
    gc.collect()  # returns, although another thread has the lock that closing takes
    assert forgotten() is None
    released.set()
    holder.join()
    wait_for(lambda: not receivers(pieces) and not threads_of("tags"))


def test_changes_that_are_waited_for_are_not_forgotten(pieces, other):
    found = []
    waiting = threading.Thread(target=lambda: found.append(next(pieces.changes(Tag).wait_live()).operation))
    waiting.start()
    wait_for(lambda: receivers(pieces))
    gc.collect()
    other.tags.create("one")
    waiting.join(5)
    assert found == ["created"]


def test_a_stream_left_by_break_closes_its_socket(pieces_server, pieces):
    pieces.assets.create("x = 1")
    with proxied(pieces_server.url) as proxy:
        pieces._context.connection._transport.url = proxy.url
        for _ in pieces.assets.stream():
            assert proxy.streams() == 1
            break
        wait_for(lambda: proxy.streams() == 0 and not pieces._context._opened)
        suggestions = pieces.suggestions()
        next(suggestions)
        assert proxy.streams() == 1
        suggestions.close()
        wait_for(lambda: proxy.streams() == 0 and not pieces._context._opened)


def test_a_closed_session_is_not_entered(pieces):
    pieces.close()
    with pytest.raises(DetachedError, match="is closed; open another"), pieces:
        pytest.fail("the block runs")
