"""Watching: the feeds of a session, what keeps them open, and changes as an iterator."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from attrs import frozen

from .backlog import Backlog
from .endpoints import Kind
from .entity import Entity
from .errors import InvalidValueError, UnsupportedOperationError
from .feed import CONNECTING, FIRST, LIVE, LOST, Feed
from .knowledge import State
from .signals import Told

if TYPE_CHECKING:
    from .session import Session


# Seconds that the end of a watch waits for its sockets to be closed.
HANG_UP = 2.0


class Feeds:
    """The feeds of one session, one a kind for however many watches."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._lock = threading.Lock()
        self._feeds: dict[str, Feed] = {}

    def watch(self, classes: Sequence[type[Entity]], *, every: bool) -> Watch:
        """Open the feeds of some classes; of all those that can be watched when `every`."""
        for cls in classes:
            if not (isinstance(cls, type) and issubclass(cls, Entity)):
                message = f"watch takes entity classes, such as Asset, not {cls!r}."
                raise InvalidValueError(message)
            if not _can_watch(cls) and not every:
                message = f"The wire can neither stream nor list {cls.kind.collection}."
                raise UnsupportedOperationError(message)
        feeds = [self._open(cls) for cls in dict.fromkeys(classes) if _can_watch(cls)]
        deadline = time.monotonic() + FIRST
        for feed in feeds:
            # What is read from here on is in step: all that happens to it later is heard.
            feed.wait_first(deadline)
        return Watch(self, feeds)

    def _open(self, cls: type[Entity]) -> Feed:
        with self._lock:
            feed = self._feeds.get(cls.kind.name)
            if feed is None:
                feed = self._feeds[cls.kind.name] = Feed(self._session, cls)
                feed.start()
            feed.watchers += 1
            return feed

    def close(self, feeds: list[Feed]) -> None:
        """Let go of feeds; those that nobody else watches stop."""
        ended = []
        with self._lock:
            for feed in feeds:
                feed.watchers -= 1
                if feed.watchers == 0:
                    self._feeds.pop(feed.cls.kind.name, None)
                    ended.append(feed)
        _end(ended)

    def stop(self) -> None:
        """Stop all feeds."""
        with self._lock:
            feeds = list(self._feeds.values())
        _end(feeds)

    def again(self, kind: Kind, id: str) -> None:
        """Read a material anew that an older answer has told of."""
        feed = self._feeds.get(kind.name)
        if feed is not None:
            feed.again(id)

    def wrote(self, entity: Entity, updated: bytes | None) -> None:
        """Note a write of our own, so that its echo is not taken for another's."""
        feed = self._feeds.get(entity.kind.name)
        if feed is not None:
            feed.teller.wrote(entity.id, updated, deleted=entity.state is State.DELETED)

    def is_stale(self, kind: Kind) -> bool:
        """Whether what is known of a kind may have aged since its stream was lost."""
        feed = self._feeds.get(kind.name)
        return feed is not None and feed.is_stale


def _end(feeds: Sequence[Feed]) -> None:
    """End feeds, all sockets at the same time: a silent server takes a second for each."""
    for feed in feeds:
        feed.end()
    threads = [threading.Thread(target=feed.hang_up, name="pieces_orm hang up", daemon=True) for feed in feeds]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(HANG_UP)


def _can_watch(cls: type[Entity]) -> bool:
    return "stream" in cls.kind.routes or "ids" in cls.kind.routes


class Watch:
    """The streams of some kinds, kept for as long as this is open; a context manager.

    `state` is "live" when all are live, "lost" when one is lost, else "connecting".
    """

    def __init__(self, opened_by: Feeds, feeds: list[Feed]) -> None:
        self._opened_by = opened_by
        self._feeds = feeds
        self._open = True

    @property
    def state(self) -> str:
        """The state of the least live stream."""
        states = {feed.state for feed in self._feeds}
        return next((state for state in (LOST, CONNECTING) if state in states), LIVE)

    def wait_live(self, timeout: float = 10) -> Watch:
        """Wait until all streams are live: connected, and in step with the server.

        Args:
            timeout: seconds.

        Raises:
            RequestTimeout: they are not by then.
        """
        deadline = time.monotonic() + timeout
        for feed in self._feeds:
            feed.wait_live(deadline)
        return self

    def before_live(self, act: Callable[[], None]) -> None:
        """Do something before streams that are not live are so."""
        for feed in self._feeds:
            feed.before_live(act)

    def close(self) -> None:
        """Stop watching; another watch of the same kinds goes on."""
        if self._open:
            self._open = False
            self._opened_by.close(self._feeds)

    def __enter__(self) -> Watch:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()


@frozen
class Change:
    """One change: of which kind and id, what was done, by whom, and for `changed` which fields held what before."""

    kind: str
    id: str
    entity: Entity
    operation: str
    fields: frozenset[str] | None
    before: dict[str, Any]
    origin: str
    relation: str | None = None
    other: Entity | None = None


class Changes(Iterator[Change]):
    """An endless iterator of changes, for scripts that prefer a loop; `close()` ends it, as does the session's.

    A loop that is slower than the changes misses none of them until a thousand wait; from then on those about the same
    material are merged into one, which tells the final state.
    """

    _OPERATIONS = ("created", "changed", "deleted", "associated", "disassociated")

    def __init__(self, session: Session, classes: tuple[type[Entity], ...], watch: Watch) -> None:
        self._session = session
        self._watch = watch
        self._backlog: Backlog[Told] = Backlog(Told.followed_by)
        self._closed = False
        self._receivers: list[tuple[Any, Callable[..., None]]] = []
        for operation in self._OPERATIONS:
            signal, receiver = getattr(session.signals, operation), self._receiver(operation)
            self._receivers.append((signal, receiver))
            for cls in classes:
                signal.connect(receiver, sender=cls, weak=False)

    def _receiver(self, operation: str) -> Callable[..., None]:
        def receive(sender: Any, **about: Any) -> None:
            told = Told(operation, sender, about)
            self._backlog.put(told.key, told)

        return receive

    def __next__(self) -> Change:
        told = self._backlog.take(wait=True)
        if told is None:
            raise StopIteration
        about = told.about
        entity = about["entity"]
        return Change(
            kind=entity.kind.name, id=entity.id, entity=entity, operation=told.signal, origin=about["origin"],
            fields=about.get("fields"), before=about.get("before", {}), relation=about.get("relation"),
            other=about.get("other"),
        )  # fmt: skip

    def wait_live(self, timeout: float = 10) -> Changes:
        """Wait until the streams are live. Raises RequestTimeout when they are not by then."""
        self._watch.wait_live(timeout)
        return self

    def close(self) -> None:
        """End the iteration, after what was heard before."""
        if not self._closed:
            self._closed = True
            for signal, receiver in self._receivers:
                signal.disconnect(receiver)
            self._watch.close()
            self._session.forget(self)
            self._backlog.close()

    def __enter__(self) -> Changes:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()
