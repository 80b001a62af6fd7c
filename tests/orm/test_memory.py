"""Memory does not grow with what has been heard."""

from __future__ import annotations

import gc
import os
import re
import threading
from pathlib import Path

import pytest

import pieces_orm
from pieces_orm import Tag
from tests.cli.programs import started
from tests.support import wait_for

WRITERS = 4
STATM = Path("/proc/self/statm")


def resident():
    """Bytes of this process that are in memory."""
    gc.collect()
    return int(STATM.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def change(url, ids, times):
    """Count uses of some tags; each is a change that another program made."""

    def work():
        with pieces_orm.connect(url) as other:
            for n in range(times // WRITERS):
                other.tags.ref(ids[n % len(ids)]).increment_score()

    threads = [threading.Thread(target=work) for _ in range(WRITERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def growth(changes):
    """Bytes that a session takes for changes that it hears of; the server is a process of its own."""
    with started("serve", "--port", "0") as program:
        url = re.search(r"http://127\.0\.0\.1:\d+", program.stdout.readline())[0]
        with pieces_orm.connect(url) as session:
            ids = [session.tags.create(f"tag {n}").id for n in range(100)]
            told = [0]

            def count(sender, **_):
                told[0] += 1

            session.signals.changed.connect(count)
            with session.watch(Tag).wait_live() as watch:
                change(url, ids, changes // 10)
                before = resident()
                change(url, ids, changes)
                [feed] = watch._feeds
                wait_for(lambda: not feed._pending, 30)
                assert told[0] > changes / 1000
                return resident() - before


@pytest.mark.skipif(not STATM.exists(), reason="reads the memory of this process from /proc")
@pytest.mark.soak
@pytest.mark.timeout(1800)
def test_a_hundred_thousand_remote_changes_leave_memory_as_it_was():
    assert growth(100_000) < 10 * 2**20
