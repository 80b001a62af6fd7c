"""A disk that fails in the middle of writes."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from random import Random
from typing import TYPE_CHECKING

import requests

from tests.server.hammer import seed_of
from tests.support import wait_for

from . import Attack

if sys.platform == "linux":
    import resource

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .target import Target

_TIMEOUT_S = 20


@contextmanager
def _failing(target: Target, chance: Random) -> Iterator[None]:
    """Let every write fail that goes beyond some place in a file: one in the log of the database, or after its end."""
    log = target.database.with_name(target.database.name + "-wal")
    before = resource.prlimit(target.process.pid, resource.RLIMIT_FSIZE)
    limit = chance.randrange(log.stat().st_size + 60_000)
    resource.prlimit(target.process.pid, resource.RLIMIT_FSIZE, (limit, before[1]))
    try:
        yield
    finally:
        resource.prlimit(target.process.pid, resource.RLIMIT_FSIZE, before)


def _write_until_it_fails(target: Target, chance: Random, count: int) -> int:
    seed, answered, url = seed_of(target.url), set(), target.url
    with requests.Session() as http:
        others = {each["id"] for each in http.get(f"{url}/assets", timeout=_TIMEOUT_S).json()["iterable"]}
        for _ in range(count):
            with _failing(target, chance):
                while True:
                    seed["asset"]["format"]["fragment"]["string"]["raw"] = "tide " * chance.randrange(4000)
                    answer = http.post(f"{url}/assets/create", json=seed, timeout=_TIMEOUT_S)
                    if answer.status_code != 200:
                        break
                    answered.add(answer.json()["id"])
            assert answer.status_code in {503, 507}, answer.text
            assert "the disk" in answer.text, answer.text
            assert http.post(f"{url}/tags/create", json={"text": "t"}, timeout=_TIMEOUT_S).ok, "it goes on by itself"
        wait_for(lambda: http.get(f"{url}/.well-known/health", timeout=_TIMEOUT_S).ok, 10)
        found = {each["id"] for each in http.get(f"{url}/assets", timeout=_TIMEOUT_S).json()["iterable"]}
    assert found == answered | others
    return count


_ATTACKS = [
    Attack(
        name="I/O errors in the middle of a write",
        outcome="503 with the cause; what was answered is there, what failed is not, and the server goes on by itself",
        strike=_write_until_it_fails,
        inputs=5,
        most=500,
    )
]
# The limits of another process can be set on Linux only.
ATTACKS = _ATTACKS if sys.platform == "linux" else []
