"""Turns: of calls with a key in common, one at a time."""

from __future__ import annotations

import threading
from collections.abc import Hashable, Iterable, Iterator
from contextlib import contextmanager

from .forking import fork_safe


class Turns:
    """Lets threads that name the same keys go one after the other; those with other keys go on."""

    def __init__(self) -> None:
        self._changed = fork_safe(threading.Condition())
        self._taken: dict[Hashable, int] = {}

    @contextmanager
    def take(self, keys: Iterable[Hashable]) -> Iterator[None]:
        """Wait until no other thread has one of some keys, and have them all for a while.

        All are taken at once, so that nobody who has one waits for another. A thread may take again what it has.
        """
        me, wanted = threading.get_ident(), set(keys)
        with self._changed:
            self._changed.wait_for(lambda: all(self._taken.get(key, me) == me for key in wanted))
            own = wanted - self._taken.keys()
            self._taken.update(dict.fromkeys(own, me))
        try:
            yield
        finally:
            with self._changed:
                for key in own:
                    del self._taken[key]
                self._changed.notify_all()
