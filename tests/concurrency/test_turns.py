"""Turns: threads with a key in common go one after the other, others at once."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from pieces_orm.concurrency.turns import Turns
from tests.support import wait_for


def test_of_threads_with_a_key_in_common_one_goes_at_a_time():
    turns, inside, most = Turns(), set(), []

    def work(place):
        keys = {place % 3, (place + 1) % 3 + 10}
        with turns.take(keys):
            assert not inside & keys
            inside.update(keys)
            most.append(len(inside))
            inside.difference_update(keys)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(300)))
    assert len(most) == 300
    assert turns._taken == {}


def test_a_thread_with_other_keys_does_not_wait_and_one_with_the_same_does():
    turns, order = Turns(), []

    def other(keys):
        with turns.take(keys):
            order.append(keys)

    with turns.take(["a", "b"]):
        waiting = threading.Thread(target=other, args=(["b", "c"],))
        waiting.start()
        free = threading.Thread(target=other, args=(["c"],))
        free.start()
        wait_for(lambda: order == [["c"]])
    waiting.join(5)
    free.join(5)
    assert order == [["c"], ["b", "c"]]


def test_a_thread_may_take_again_what_it_has_and_an_error_gives_all_back():
    turns = Turns()
    with pytest.raises(KeyError), turns.take(["a"]), turns.take(["a", "b"]):
        raise KeyError
    assert turns._taken == {}
