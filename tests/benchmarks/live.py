"""How fast a change that another program made reaches a receiver: changes per second, and the time of one."""

from __future__ import annotations

import threading
import time
from contextlib import ExitStack

import pieces_orm
from pieces_orm import Tag
from pieces_orm.server import Server


class Watcher:
    """A session that holds some tags and notes when it heard of which text."""

    def __init__(self, url: str, ids: list[str]) -> None:
        self.session = pieces_orm.connect(url)
        self.held = self.session.tags.get_many(ids)
        self.heard: dict[str, float] = {}
        self.news = threading.Condition()
        self.session.signals.changed.connect(self._note, sender=Tag)
        self.session.watch(Tag).wait_live()

    def _note(self, _: object, *, entity: Tag, **__: object) -> None:
        with self.news:
            self.heard[entity.text] = time.perf_counter()
            self.news.notify_all()

    def wait_for(self, text: str) -> float:
        """The moment when the last change to this text was heard."""
        with self.news:
            assert self.news.wait_for(lambda: text in self.heard, 30), f"{text} was not heard of"
            return self.heard[text]


def measure(*, quick: bool) -> list[dict[str, object]]:
    """One watcher, and ten."""
    return [_measure(watchers, 20 if quick else 200) for watchers in (1, 10)]


def _measure(watchers: int, changes: int) -> dict[str, object]:
    with Server() as server, pieces_orm.connect(server.url) as other, ExitStack() as stack:
        tags = [other.tags.create(f"tag {n}") for n in range(changes)]
        ids = [tag.id for tag in tags]
        watching = [Watcher(server.url, ids) for _ in range(watchers)]
        for watcher in watching:
            stack.callback(watcher.session.close)
        times = sorted(_one_at_a_time(tags[: min(changes, 50)], watching))
        began = time.perf_counter()
        for n, tag in enumerate(tags):
            tag.text = f"burst {n}"
            tag.save()
        ended = max(watcher.wait_for(f"burst {n}") for watcher in watching for n in range(changes))
        return {
            "watchers": watchers,
            "changes": changes,
            "changes per second": round(changes * watchers / (ended - began)),
            "p50 ms": round(times[len(times) // 2] * 1e3, 1),
            "p99 ms": round(times[min(len(times) - 1, int(len(times) * 0.99))] * 1e3, 1),
        }


def _one_at_a_time(tags: list[Tag], watching: list[Watcher]) -> list[float]:
    """From the answer to a save, which comes after its commit, to each receiver."""
    times = []
    for n, tag in enumerate(tags):
        tag.text = f"single {n}"
        tag.save()
        committed = time.perf_counter()
        times += [max(0.0, watcher.wait_for(f"single {n}") - committed) for watcher in watching]
    return times
