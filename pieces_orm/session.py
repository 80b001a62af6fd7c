"""Sessions: the only owners of state. `connect()` finds a running server, `embedded()` brings one along."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from os import PathLike
from typing import TYPE_CHECKING, Any, TypeVar

from .catalogue import Catalogue
from .collection.base import load_many
from .concurrency import parallel
from .concurrency.parallel import Progress
from .documents.document import Document
from .errors import InvalidValueError, UnsupportedOperationError, UsageError
from .model.relation import Relation
from .model.state import State
from .orm import associating
from .orm.entity import Entity
from .orm.identity_map import IdentityMap
from .signals import Dispatch
from .transport import discovery
from .transport.connection import Find
from .transport.http import POOL, Timeout, limits
from .wire import routes
from .wire.kinds import Kind, Route

if TYPE_CHECKING:
    from .collection.suggestions import Suggestion
    from .server import Settings
    from .sync.changes import Changes
    from .sync.watch import Feeds, Watch

E = TypeVar("E", bound=Entity)


class Session(Catalogue):
    """A connection to one server and everything known of its materials; sessions share nothing."""

    def __init__(
        self,
        url: str,
        *,
        application: str = "pieces_orm",
        api_key: str | None = None,
        timeout: Timeout = (3.05, 30),
        autoload: bool = True,
        concurrency: int = parallel.CONCURRENCY,
        dispatch: Dispatch | None = None,
        find: Find | None = None,
        on_close: Callable[[], None] | None = None,
        token: str | None = None,
    ) -> None:
        _check(timeout, 0, concurrency, dispatch)
        super().__init__(
            url, application=application, api_key=api_key, timeout=timeout, dispatch=dispatch, find=find, token=token
        )  # fmt: skip
        self.map = IdentityMap(self)
        self.lock = self.map.lock
        self.autoload = autoload
        self.concurrency = concurrency
        self._on_close = on_close
        self._feeds: Feeds | None = None
        self._open: list[Any] = []
        self._without_family: set[tuple[str, str]] = set()

    def __repr__(self) -> str:
        return f"<Session {self.url}{' (closed)' if self._closed else ''}>"

    def create(self, cls: type[E], *args: Any, **kwargs: Any) -> E:
        """Create a material of a class, for generic code; the arguments are those of the class's `seed`."""
        return self[cls].create(*args, **kwargs)

    # Many entities -------------------------------------------------------------------------------------------------

    def load_related(self, entity: Entity, relation: Relation[E], entities: Sequence[E]) -> list[E]:
        """Load those targets of a relation of which nothing is known; at once where the wire has a route for that."""
        route = routes.PAGES.get((entity.kind.name, relation.name))
        if route is not None and any(each.state in (State.HANDLE, State.EXPIRED) for each in entities):
            with self.map.request() as number:
                data = self.call(route, {entity.kind.parameter: entity.id})
                self[relation.target].adopt_page(data, number)
        return self.load_many(entities)

    def learn(self, relation: Relation[Any], entities: Sequence[Entity]) -> None:
        """Ask the relation's association family for the ids that documents leave out; a server may have none."""
        key = (relation.owner.kind.name, relation.name)
        if key in self._without_family or not entities:
            return
        with self.map.request() as number:
            found = associating.related_ids(self, relation, [entity.id for entity in entities])
            if found is None:
                self._without_family.add(key)
                return
            for entity in entities:
                self.map.learn(entity, relation, found[entity.id], number)

    def load_many(self, entities: Sequence[E], progress: Progress | None = None) -> list[E]:
        """Load those entities of which nothing is known, together; leaves out those that are gone."""
        by_class: defaultdict[type[E], list[E]] = defaultdict(list)
        for entity in entities:
            by_class[type(entity)].append(entity)
        gone: set[int] = set()
        for cls, group in by_class.items():
            loaded = {id(entity) for entity in load_many(self[cls], group, progress)}
            gone |= {id(entity) for entity in group} - loaded
        return [entity for entity in entities if id(entity) not in gone]

    def prefetch(self, entities: Sequence[Entity], *relations: Any, progress: Progress | None = None) -> list[Entity]:
        """Load the missing targets of some relations together, so that iterating them makes no request.

        Returns all entities that were reached: the session holds entities weakly, so keep the list for as long as
        they are wanted.

        Requests: those of one `get_many` a relation.

        Args:
            entities: where to start.
            relations: declarations such as Anchor.assets; one that starts at another class follows those before it.
            progress: called with how many targets of a relation are read and how many are missing, after each; it
                begins anew with each relation.

        Raises:
            InvalidValueError: a relation starts at none of the classes that are reached.
        """
        reached: list[Entity] = list(entities)
        for relation in relations:
            if not isinstance(relation, Relation):
                message = f"prefetch takes relations such as Anchor.assets, not {relation!r}."
                raise InvalidValueError(message)
            starts = [entity for entity in reached if isinstance(entity, relation.owner)]
            if reached and not starts:
                message = f"{relation!r} starts at none of the entities that are reached."
                raise InvalidValueError(message)
            self.load_many(starts)
            self.learn(relation, [start for start in starts if start.known_ids(relation) is None])
            targets = {
                target.id: target
                for entity in starts
                for target in entity.related_entities(relation, entity.relation_ids(relation))
            }
            reached += self.load_many(list(targets.values()), progress)
        return reached

    def fetch(self, cls: type[Entity], ids: Sequence[str], origin: str) -> dict[str, Any]:
        """Read and apply many, by id the entity or its error; for the feeds."""
        return self[cls].fetch(ids, origin=origin) if ids else {}

    def fetch_all(self, cls: type[Entity], ids: Sequence[str], origin: str) -> dict[str, Any]:
        """The same for so many that one read of the whole kind costs less; for the feeds."""
        return self[cls].fetch_all(ids, origin=origin)

    def ids_of(self, cls: type[Entity], query: dict[str, Any]) -> tuple[str, ...]:
        """The ids of a kind; for the feeds."""
        return self[cls].query_ids(query)

    # Streams -------------------------------------------------------------------------------------------------------

    def watch(self, *kinds: type[Entity]) -> Watch:
        """Hear of every change of these kinds, wherever it is made, by the same signals as one's own.

        Returns when all are in step, or cannot be for now, after half a second at most: what is read from then on is
        told of. A refused or lost stream is tried again, never raised; `wait_live` waits for longer.

        Requests: one WebSocket a kind, or polls of the identifiers where the wire has no stream; one GET of the ids;
        one read for what was held before, and for each change of what is held or listened to.

        Args:
            kinds: entity classes; none: all.
        """
        self.check_open()
        with self.lock:
            if self._feeds is None:
                from .sync.watch import Feeds  # noqa: PLC0415 nobody who does not watch pays for it

                self._feeds = Feeds(self)
        return self._feeds.watch(kinds or self.classes, every=not kinds)

    def changes(self, *kinds: type[Entity]) -> Changes:
        """The changes of these kinds as an endless iterator, for scripts that prefer a loop to a callback.

        Requests: those of `watch`.

        Args:
            kinds: entity classes; none: all.
        """
        from .sync.changes import Changes  # noqa: PLC0415 as above

        watch = self.watch(*kinds)
        changes = Changes(self, kinds or self.classes, watch)
        self.keep(changes)
        return changes

    def wrote(self, entity: Entity, answer: Document | None = None) -> None:
        """Note a write of our own, so that its echo is not taken for another's."""
        if self._feeds is not None:
            updated = None if answer is None else answer.get("updated")
            self._feeds.wrote(entity, None if updated is None else bytes(updated))

    def aged(self, entity: Entity) -> None:
        """Have an entity read anew that an answer older than the last news was applied to."""
        if self._feeds is not None:
            self._feeds.again(entity.kind, entity.id)

    def keep(self, opened: Any) -> None:
        """Remember something that is to be closed with the session."""
        with self.lock:
            self._open.append(opened)

    def forget(self, opened: Any) -> None:
        """Forget something that was to be closed with the session."""
        with self.lock:
            if opened in self._open:
                self._open.remove(opened)

    def is_stale(self, kind: Kind) -> bool:
        """Whether what is known of a kind may have aged since its stream was lost."""
        return self._feeds is not None and self._feeds.is_stale(kind)

    def frames(self, route: Route) -> Iterator[tuple[int, bytes]]:
        """The frames of a stream, each with the number of the moment when it came, until the session closes."""
        from .transport.websocket import Frames  # noqa: PLC0415 as above

        self.check_open()
        frames = Frames(self.stream_url(route), self.stream_headers(), self.map.request)
        self.keep(frames)
        try:
            yield from frames
        finally:
            frames.close()
            self.forget(frames)

    def suggestions(self) -> Iterator[list[Suggestion]]:
        """What the server suggests, as it changes: each item is what one frame brought. Ends with the session.

        Requests: one WebSocket, /workstream/suggestions/stream.
        """
        from .collection.suggestions import suggestions_of  # noqa: PLC0415 as above

        for _, frame in self.frames(routes.SUGGESTIONS_STREAM):
            yield suggestions_of(frame, self.map)

    # The end -------------------------------------------------------------------------------------------------------

    def close(self) -> None:
        """Stop the streams, close the sockets, detach the entities; a session that is closed stays closed."""
        with self.lock:
            if self._closed:
                return
            opened = list(self._open)
        for each in opened:
            each.close()
        with self.lock:
            self._closed = True
        if self._feeds is not None:
            self._feeds.stop()
        self.map.detach()
        self._transport.close()
        if self._on_close is not None:
            self._on_close()

    def __enter__(self) -> Session:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()


def _check(timeout: Any, wait: Any, concurrency: Any, dispatch: Any) -> None:
    """Refuse what a session cannot be opened with, before a server is looked for."""
    limits(timeout)
    if not isinstance(concurrency, int) or isinstance(concurrency, bool) or not 1 <= concurrency <= POOL:
        message = f"concurrency is a number of requests from 1 to {POOL}, not {concurrency!r}."
        raise InvalidValueError(message)
    if not isinstance(wait, int | float) or isinstance(wait, bool) or not wait >= 0:
        message = f"wait takes seconds, 0 or more, not {wait!r}."
        raise InvalidValueError(message)
    if dispatch is not None and not callable(dispatch):
        message = f"dispatch takes a function that is called with each delivery, not {dispatch!r}."
        raise InvalidValueError(message)


def connect(
    url: str | None = None,
    *,
    application: str = "pieces_orm",
    api_key: str | None = None,
    token: str | None = None,
    timeout: Timeout = (3.05, 30),
    wait: float = 0,
    autoload: bool = True,
    concurrency: int = parallel.CONCURRENCY,
    dispatch: Dispatch | None = None,
) -> Session:
    """A session on a running server.

    Requests: probes of /.well-known/health; one POST /connect, before the first request of the session.

    Args:
        url: the server's address; None: env PIECES_URL, the port file, ports 39300-39333, 1000 and 5323. A server that
            was found there is looked for again when it does not answer any more: it may restart on another port.
        application: this program's name; one of the wire's application names, or any other.
        api_key: the id of an application that is connected already.
        token: what a server with a token wants to see; only with an address, from url= or env PIECES_URL, as it is not
            shown to whatever answers at the known places.
        timeout: seconds to connect and to wait for an answer; one number for both, or two.
        wait: seconds to keep trying, for a server that is starting.
        autoload: whether reading a field of what is not loaded loads it.
        concurrency: how many requests of one call on many materials may be under way at a time.
        dispatch: called with each delivery of a signal, to hand it to a UI loop; None delivers at once.

    Raises:
        UsageError: a token without an address. InvalidValueError: another argument is of no use.
        NotRunningError: nothing found; the message lists what was tried and how to start a server.
    """
    _check(timeout, wait, concurrency, dispatch)
    if token is not None:
        url = url or os.environ.get("PIECES_URL")
        if not url:
            message = "token= needs the server's address: pass url=, or set PIECES_URL."
            raise UsageError(message)
    return Session(
        discovery.find(url, wait, token), application=application, api_key=api_key, timeout=timeout, autoload=autoload,
        concurrency=concurrency, dispatch=dispatch, find=discovery.find_again if url is None else None, token=token,
    )  # fmt: skip


def embedded(
    path: str | PathLike[str] | None = None,
    *,
    settings: Settings | None = None,
    application: str = "pieces_orm",
    api_key: str | None = None,
    timeout: Timeout = (3.05, 30),
    wait: float = 0,
    autoload: bool = True,
    concurrency: int = parallel.CONCURRENCY,
    dispatch: Dispatch | None = None,
) -> Session:
    """A session on a server of its own, in this process: no Pieces OS needed. Closing the session stops it.

    Args:
        path: of the database file, made when there is none; None: in memory.
        settings: a `pieces_orm.server.Settings`; None: its defaults.
        application, api_key, timeout, wait, autoload, concurrency, dispatch: as for `connect`.

    Raises:
        UnsupportedOperationError: the extra `server` is not installed; the message says how to get it.
        NotRunningError: the database cannot be opened. InvalidValueError: another argument is of no use.
    """
    _check(timeout, wait, concurrency, dispatch)
    try:
        from .server import Server  # noqa: PLC0415 the server is an extra
    except ImportError as error:
        message = f"The embedded server is an extra: pip install 'pieces_orm[server]' ({error})."
        raise UnsupportedOperationError(message) from error
    server = Server(path, settings=settings)
    server.start()
    try:
        return Session(
            discovery.find(server.url, wait, server.settings.token), application=application, api_key=api_key,
            timeout=timeout, autoload=autoload, concurrency=concurrency, dispatch=dispatch,
            find=lambda _: server.url, on_close=server.stop, token=server.settings.token,
        )  # fmt: skip
    except BaseException:
        server.stop()
        raise
