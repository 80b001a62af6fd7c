"""Watches: they open the feeds of some kinds and keep them open."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Sequence

from ..concurrency.forking import fork_safe
from ..errors import InvalidValueError, UnsupportedOperationError, UsageError
from ..model.record import Record
from ..orm.context import Context, Watching
from ..orm.entity import Entity
from ..wire.kinds import Kind
from .feed import CONNECTING, INITIAL_WAIT_S, LIVE, LOST, Feed
from .reconciler import Reconciler


class Feeds:
    """The feeds of one session, one for each kind, however many watches share it."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._lock = fork_safe(threading.Lock())
        self._feeds: dict[str, Feed] = {}

    def watch(self, classes: Sequence[type[Entity]], *, every: bool) -> Watch:
        """Open the feeds of some classes; of all those that can be watched when `every`."""
        self._context.connection.check_open()
        for cls in classes:
            if not (isinstance(cls, type) and issubclass(cls, Entity)):
                message = f"Entity classes are watched, such as Asset, not {cls!r}."
                raise InvalidValueError(message)
            if not _can_watch(cls) and not every:
                message = f"The wire can neither stream nor list {cls._schema.kind.collection}."
                raise UnsupportedOperationError(message)
        feeds = [self._open(cls) for cls in dict.fromkeys(classes) if _can_watch(cls)]
        deadline = time.monotonic() + INITIAL_WAIT_S
        for feed in feeds:
            # Entities read from here on are in step: every later change of them is reported.
            feed.wait_first(deadline)
        return Watch(self, feeds)

    def check_open(self) -> None:
        """Raise DetachedError when the session is closed."""
        self._context.connection.check_open()

    def _open(self, cls: type[Entity]) -> Feed:
        with self._lock:
            feed = self._feeds.get(cls._schema.kind.name)
            if feed is None:
                feed = self._feeds[cls._schema.kind.name] = Feed(self._context, cls, self._members)
                feed.start()
            feed.watchers += 1
            return feed

    def before_live(self, cls: type[Entity], act: Callable[[], None]) -> None:
        """Call a function before the feed of a class becomes live; not at all when it is, or when there is none."""
        feed = self.of_class(cls)
        if feed is not None:
            feed.before_live(act)

    def close(self, feeds: list[Feed]) -> None:
        """Let go of feeds; those that nobody else watches stop."""
        if sys.is_finalizing():
            return  # the feeds' threads are dead, and may have died with a lock
        with self._lock:
            for feed in feeds:
                feed.watchers -= 1
            ended = [feed for feed in feeds if feed.watchers == 0]
            for feed in ended:
                self._feeds.pop(feed.cls._schema.kind.name, None)
        for feed in ended:
            feed.end()

    def stop(self) -> None:
        """Stop all feeds."""
        with self._lock:
            feeds = list(self._feeds.values())
            self._feeds.clear()
        for feed in feeds:
            feed.end()

    def of_class(self, cls: type[Record]) -> Feed | None:
        """Return the feed of a class, if it is open."""
        return self._feeds.get(cls._schema.kind.name)

    def of_kind(self, kind: Kind) -> Feed | None:
        """Return the feed of a kind, if it is open."""
        return self._feeds.get(kind.name)

    @property
    def is_active(self) -> bool:
        """True if there are feeds."""
        return bool(self._feeds)

    def _members(self, feed: Feed) -> list[Reconciler]:
        """Return the reconcilers to which a feed delivers: of the session, and of scopes that it may concern."""
        contexts = (self._context, *self._context.scopes())
        followings = (each.watching for each in contexts)
        found = (each.member(feed) for each in followings if isinstance(each, Following))
        return [each for each in found if each is not None]


class Following(Watching):
    """The hooks by which the feeds of a session follow what it, or a scope of it, does itself."""

    def __init__(self, context: Context, feeds: Feeds) -> None:
        self.feeds = feeds
        self._context = context
        self._lock = fork_safe(threading.Lock())
        self._reconcilers: dict[str, Reconciler] = {}

    def of_scope(self, context: Context) -> Following:
        """Return the hooks of a scope of this session."""
        return Following(context, self.feeds)

    def member(self, feed: Feed) -> Reconciler | None:
        """Return the reconciler that a feed delivers to; None if nothing that it may report concerns this scope."""
        context, known = self._context, self._reconcilers.get(feed.cls._schema.kind.name)
        if known is not None and known.listing is feed.delivery.listing:
            return known
        signals = context.signals
        listens = any(each.receivers for each in (signals.created, signals.changed, signals.deleted))
        if context.parent is None or listens or not context.history.is_idle or not context.identity_map.is_empty:
            return self._reconciler(feed)
        return None

    def _reconciler(self, feed: Feed) -> Reconciler | None:
        """Return the reconciler for a feed, made when it is first needed; None if the feed has ended before that."""
        name, listing = feed.cls._schema.kind.name, feed.delivery.listing
        with self._lock:
            found = self._reconcilers.get(name)
            if (found is None or found.listing is not listing) and self.feeds.of_class(feed.cls) is feed:
                found = self._reconcilers[name] = Reconciler(self._context, feed.cls, listing)
        return found if found is not None and found.listing is listing else None

    def _of(self, cls: type[Record]) -> Reconciler | None:
        feed = self.feeds.of_class(cls)
        return None if feed is None else self._reconciler(feed)

    @property
    def is_active(self) -> bool:
        """True if there are feeds."""
        return self.feeds.is_active

    def applied_outdated(self, record: Record) -> None:
        """Read an entity anew that an outdated answer was applied to."""
        feed = self.feeds.of_class(type(record))
        reconciler = None if feed is None else self._reconciler(feed)
        if feed is not None and reconciler is not None:
            feed.again(reconciler, record.id)

    def created(self, record: Record, updated: bytes | None) -> bool | None:
        """Record a create of this session; tell whether the material is new, None where that is not known."""
        reconciler = self._of(type(record))
        return None if reconciler is None else reconciler.known.created(record.id, updated)

    def is_followed(self, cls: type[Record]) -> bool:
        """Tell whether receivers listen to a stream of a kind."""
        return self.feeds.of_class(cls) is not None and self._context.signals.changed.has_receivers_for(cls)

    def wrote(
        self,
        cls: type[Record],
        id: str,
        updated: bytes | None,
        *,
        origin: str | None = None,
        before: bytes | None = None,
        held: Record | None = None,
    ) -> None:
        """Record a write of this session, so that its echo is not taken for another's."""
        reconciler = self._of(cls)
        if reconciler is not None:
            number = self._context.history.now()
            reconciler.known.wrote(id, updated, number, origin=origin, before=before, held=held)

    def echo_origin(self, record: Record, since: int) -> str | None:
        """Return the origin with which the document of an echo is applied that is still to come; None without one."""
        reconciler = self._of(type(record))
        return None if reconciler is None else reconciler.known.echo_origin(record.id, since)

    def removed(self, record: Record) -> None:
        """Record that an entity became DELETED, so that it is not told once more."""
        reconciler = self._of(type(record))
        if reconciler is not None:
            reconciler.known.removed(record.id)

    def announce(self, record: Record, number: int) -> None:
        """Emit `created` for a material of another program that was there at this number, if it was not yet."""
        reconciler = self._of(type(record))
        if reconciler is not None:
            reconciler.announce(record, number)

    def is_stale(self, kind: Kind) -> bool:
        """Tell whether what is known of a kind may have aged, since its stream is lost."""
        feed = self.feeds.of_kind(kind)
        return feed is not None and feed.is_stale

    def stop(self) -> None:
        """Stop all feeds of a session; let a scope go from those that it follows."""
        if self._context.parent is None:
            self.feeds.stop()
        with self._lock:
            reconcilers = list(self._reconcilers.values())
        for each in reconcilers:
            each.known.stop()


def feeds_of(context: Context) -> Feeds:
    """Return the feeds of a session, made when they are first needed.

    Raises:
        UsageError: it is a scope.
    """
    if context.parent is not None:
        message = (
            "A scope has no streams of its own: call watch(), changes() or live() on the session that it was opened "
            "from. What that session watches reaches its scopes too."
        )
        raise UsageError(message)
    with context.lock:
        if isinstance(context.watching, Following):
            return context.watching.feeds
        context.watching = Following(context, Feeds(context))
        for scope in context.weak_scopes:
            scope.watching = context.watching.of_scope(scope)
        return context.watching.feeds


def _can_watch(cls: type[Entity]) -> bool:
    return "stream" in cls._schema.kind.routes or "ids" in cls._schema.kind.routes


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
            RequestTimeout: they are not by then. UsageError: this was closed.
        """
        if not self._open:
            self._opened_by.check_open()
            message = "This watch is closed; open another with session.watch()."
            raise UsageError(message)
        deadline = time.monotonic() + timeout
        for feed in self._feeds:
            feed.wait_live(deadline)
        return self

    def close(self) -> None:
        """Stop watching; another watch of the same kinds goes on."""
        if self._open:
            self._open = False
            self._opened_by.close(self._feeds)

    def __enter__(self) -> Watch:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()
