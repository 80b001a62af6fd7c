"""Sessions: the only owners of state. `connect()` finds a running server, `embedded()` brings one along."""

from __future__ import annotations

import functools
import os
import sys
import weakref
from collections.abc import Callable, Iterator, Mapping, Sequence
from os import PathLike
from typing import TYPE_CHECKING, Any, TypeVar

from . import entities
from .collection.arguments import check_callable, listed_entities
from .collection.assets import AssetCollection
from .collection.base import Collection
from .collection.keyed import KeyedCollection
from .collection.searchable import SearchableCollection
from .concurrency import parallel
from .documents import decoding
from .errors import InvalidValueError, UnsupportedOperationError, UsageError
from .orm import relation_loading
from .orm.context import Context
from .orm.entity import Entity
from .signals import Dispatch, Signals
from .transport.connection import Connection
from .transport.http import MAX_ANSWER_BYTES, POOL_SIZE, limits
from .values import Application, Model, Progress, Timeout
from .values.checking import is_header_value, is_sendable, plain_text
from .wire.kinds import Route

if TYPE_CHECKING:
    from .collection.suggestions import Suggestion
    from .server import Settings
    from .sync.changes import Changes
    from .sync.watch import Watch

E = TypeVar("E", bound=Entity)


class Session:
    """A connection to one server, with a collection for each kind; sessions share nothing.

    Get one from `connect()` or `embedded()`, which document the arguments.
    """

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
        find: Callable[[str], str | None] | None = None,
        on_close: Callable[[], None] | None = None,
        token: str | None = None,
        max_answer: int = MAX_ANSWER_BYTES,
    ) -> None:
        _check(timeout, 0, concurrency, dispatch, max_answer)
        connection = Connection(
            url, application=application, api_key=api_key, timeout=timeout, dispatch=dispatch, find=find, token=token,
            max_answer=max_answer, sender=type(self))  # fmt: skip
        self._context = context = Context(connection, autoload=autoload, concurrency=concurrency)
        _sessions[self] = on_close
        self.assets = AssetCollection(context, entities.Asset, entities.Asset._seed)
        self.activities = Collection(context, entities.Activity, entities.Activity._seed)
        self.anchors = KeyedCollection(context, entities.Anchor, entities.Anchor._seed)
        self.anchor_points = Collection(context, entities.AnchorPoint, entities.AnchorPoint._seed)
        self.annotations = SearchableCollection(context, entities.Annotation, entities.Annotation._seed)
        self.conversations = SearchableCollection(context, entities.Conversation, entities.Conversation._seed)
        self.formats: Collection[entities.Format, ...] = Collection(context, entities.Format)
        self.hints = SearchableCollection(context, entities.Hint, entities.Hint._seed)
        self.messages = SearchableCollection(context, entities.ConversationMessage, entities.ConversationMessage._seed)
        self.persons = KeyedCollection(context, entities.Person, entities.Person._seed)
        self.ranges = Collection(context, entities.Range, entities.Range._seed)
        self.sensitives = SearchableCollection(context, entities.Sensitive, entities.Sensitive._seed)
        self.shares = Collection(context, entities.Share, entities.Share._seed)
        self.sources = SearchableCollection(context, entities.Source, entities.Source._seed)
        self.source_windows = SearchableCollection(context, entities.SourceWindow, entities.SourceWindow._seed)
        self.summaries = SearchableCollection(context, entities.WorkstreamSummary, entities.WorkstreamSummary._seed)
        self.tags = KeyedCollection(context, entities.Tag, entities.Tag._seed)
        self.websites = KeyedCollection(context, entities.Website, entities.Website._seed)
        self.workstream_events = Collection(context, entities.WorkstreamEvent, entities.WorkstreamEvent._seed)

    @functools.cached_property
    def _collections(self) -> dict[type[Entity], Collection[Any, ...]]:
        return {each.entity: each for each in vars(self).values() if isinstance(each, Collection)}

    def __repr__(self) -> str:
        return f"<Session {self.url}{' (closed)' if self._context.connection.is_closed else ''}>"

    def __getitem__(self, cls: type[E]) -> Collection[E, ...]:
        """Return the collection of a class, for generic code."""
        _check_class("session[...]", cls)
        if cls not in self._collections:
            self._collections[cls] = Collection(self._context, cls, getattr(cls, "_seed", None))
        return self._collections[cls]

    # The server -----------------------------------------------------------------------------------------------------

    @property
    def url(self) -> str:
        """The address of the server."""
        return self._context.connection.url

    @property
    def signals(self) -> Signals:
        """The signals of this session."""
        return self._context.signals

    @property
    def application(self) -> Application:
        """This program as the server knows it; a frozen value.

        Requests: none, or the one POST /connect that any first request makes.
        """
        return self._context.connection.application

    def models(self) -> list[Model]:
        """Return the models that the server knows; frozen values.

        Requests: one GET /models.
        """
        return self._context.connection.models()

    def request(
        self, method: str, path: str, *, query: Mapping[str, Any] | None = None, body: Any = None, accept: str = "*/*"
    ) -> bytes:
        """Send a raw request, for endpoints without a method; errors are those of every call.

        Requests: this one.

        Args:
            method: such as GET.
            path: from the root, such as /user.
            query: parameters; None values are left out.
            body: JSON data, or bytes as they are.
            accept: the Accept header.

        Raises:
            InvalidValueError: the path does not start at the root, or another argument cannot be sent.
        """
        _check_texts(method=method, path=path, accept=accept)
        method, path, accept = (plain_text("request", each) for each in (method, path, accept))
        if not (method.isascii() and method.isalpha()):
            message = f"A method is a word such as GET, not {method!r}."
            raise InvalidValueError(message)
        if not path.startswith("/"):
            message = f"A path starts with a slash, such as /user, not {path!r}."
            raise InvalidValueError(message)
        if not isinstance(query, Mapping | None):
            message = f"query takes a mapping of names to values, not {query!r}."
            raise InvalidValueError(message)
        for name, value in (query or {}).items():
            plain_text("query", f"{name}{value}")
        data = body if isinstance(body, bytes) or body is None else decoding.encode(body)
        return self._context.connection.call(Route(method, path, (), accept), query=query, body=data)

    def prefetch(self, entities: Sequence[Entity], *relations: Any, progress: Progress | None = None) -> list[Entity]:
        """Load the missing targets of some relations together, so that iterating them makes no request.

        Returns all entities that were reached: the session holds entities weakly, so keep the list for as long as
        they are wanted.

        Requests: those of one `get_many` for each relation and for entities that are not loaded; one read for each
        association family that has ids which the documents leave out.

        Args:
            entities: where to start.
            relations: declarations such as Anchor.assets; one that starts at another class follows those before it.
            progress: called with how many targets of a relation are read and how many are missing, after each; it
                begins anew with each relation.

        Raises:
            InvalidValueError: a relation starts at none of the classes that are reached, or an argument is something
                else. UsageError: an entity belongs to another session.
        """
        check_callable("progress", progress)
        start = listed_entities("prefetch", entities, Entity, self._context)
        return relation_loading.prefetch(self._context, start, relations, progress)

    # Streams --------------------------------------------------------------------------------------------------------

    def watch(self, *kinds: type[Entity]) -> Watch:
        """Receive every change of these kinds, wherever it is made, by the same signals as one's own.

        Returns when the streams are live, or after half a second; `wait_live` waits longer. Changes of entities that
        are read after that are all reported. A refused or lost stream is opened again, and never raises.

        Requests: one WebSocket a kind, or polls of the identifiers where the wire has no stream; one GET of the ids;
        one read for what was held before, and for each change of what is held or listened to.

        Args:
            kinds: entity classes; none: all.
        """
        from .sync.watch import feeds_of  # noqa: PLC0415 nobody who does not watch pays for it

        for kind in kinds:
            _check_class("watch", kind)
        self._context.connection.check_open()
        return feeds_of(self._context).watch(kinds or tuple(self._collections), every=not kinds)

    def changes(self, *kinds: type[Entity]) -> Changes:
        """Return the changes of these kinds as an endless iterator, for scripts that prefer a loop to a callback.

        Requests: those of `watch`.

        Args:
            kinds: entity classes; none: all.
        """
        from .sync.changes import Changes  # noqa: PLC0415 as above

        watch = self.watch(*kinds)
        return Changes(self._context, kinds or tuple(self._collections), watch)

    def suggestions(self) -> Iterator[list[Suggestion]]:
        """Iterate over the suggestions of the server, those of one frame at a time; ends with the session.

        Requests: one WebSocket, /workstream/suggestions/stream.
        """
        from .collection.suggestions import suggestions  # noqa: PLC0415 as above

        return suggestions(self._context)

    # The end --------------------------------------------------------------------------------------------------------

    def close(self) -> None:
        """Stop the streams, close the sockets, detach the entities; a session that is closed stays closed."""
        if self._context.connection.is_closed or sys.is_finalizing():
            return  # what a program leaves open when it ends is closed by the system
        self._context.close()
        on_close = _sessions.pop(self, None)
        if on_close is not None:
            on_close()

    def __enter__(self) -> Session:
        self._context.connection.check_open()
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()


# The open sessions, each with what is called when it closes.
_sessions: weakref.WeakKeyDictionary[Session, Callable[[], None] | None] = weakref.WeakKeyDictionary()


def _leave_to_parent() -> None:
    """Close every session in a forked child, for itself only: sockets, streams and servers stay the parent's."""
    for session in list(_sessions):
        session._context.connection.is_inherited = True
        session._context.close()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_leave_to_parent)


def _check_class(call: str, cls: object) -> None:
    if not (isinstance(cls, type) and issubclass(cls, Entity) and hasattr(cls, "_schema")):
        message = f"{call} takes an entity class, such as Asset, not {cls!r}."
        raise InvalidValueError(message)


def _given(**options: Any) -> dict[str, Any]:
    return {name: value for name, value in options.items() if value is not None}


# Arguments that are sent in headers.
_IN_HEADERS = {"accept", "api_key", "token"}


def _check_texts(**given: Any) -> None:
    for name, value in given.items():
        if not isinstance(value, str) or not is_sendable(value):
            message = f"{name} takes a text, not {value!r}."
            raise InvalidValueError(message)
        if name in _IN_HEADERS and not is_header_value(value):
            message = f"{name} is sent in a header: pass a text of Latin-1 without control characters."
            raise InvalidValueError(message)


def _check(timeout: Any, wait: Any, concurrency: Any, dispatch: Any, max_answer: Any) -> None:
    """Refuse arguments that a session cannot be opened with, before a server is looked for."""
    limits(timeout)
    if not isinstance(concurrency, int) or isinstance(concurrency, bool) or not 1 <= concurrency <= POOL_SIZE:
        message = f"concurrency is a number of requests from 1 to {POOL_SIZE}, not {concurrency!r}."
        raise InvalidValueError(message)
    if not isinstance(wait, int | float) or isinstance(wait, bool) or not wait >= 0:
        message = f"wait takes seconds, 0 or more, not {wait!r}."
        raise InvalidValueError(message)
    if not isinstance(max_answer, int) or isinstance(max_answer, bool) or max_answer < 1:
        message = f"max_answer takes a number of bytes, 1 or more, not {max_answer!r}."
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
    max_answer: int = MAX_ANSWER_BYTES,
) -> Session:
    """Open a session on a running server.

    Requests: probes of /.well-known/health; one POST /connect, before the first request of the session.

    Args:
        url: the server's address; None: env PIECES_URL, the port file, ports 39300-39333, 1000 and 5323. A server that
            was found there is looked for again when it does not answer any more: it may restart on another port.
        application: this program's name; one of the wire's application names, or any other.
        api_key: the id of an application that is connected already.
        token: the secret of a server that wants one; only with an address, from url= or env PIECES_URL, because it is
            not shown to whatever program answers at the known places.
        timeout: seconds to connect and to wait for an answer; one number for both, or two. The second bounds the wait
            for the first byte and each pause, and a whole answer that comes with less than 1,000 bytes a second. A
            third number bounds each request as a whole, with its repetitions; it is 600 if it is not given.
        wait: seconds to keep trying, for a server that is starting.
        autoload: whether reading a field of what is not loaded loads it.
        concurrency: how many requests of one call on many materials may be under way at a time.
        dispatch: called with each delivery of a signal, to hand it to a UI loop; None delivers at once.
        max_answer: bytes of an answer or a frame of a stream at most, after decompression; 1 GiB if it is not given.

    Raises:
        UsageError: a token without an address. InvalidValueError: the address or another argument cannot be used.
        NotRunningError: no server can be used; the message says why, and what to do.
    """
    from .transport import discovery  # noqa: PLC0415 a session whose address is known needs no discovery

    _check(timeout, wait, concurrency, dispatch, max_answer)
    _check_texts(**_given(application=application, api_key=api_key, token=token))
    if token is not None:
        url = url or os.environ.get("PIECES_URL")
        if not url:
            message = "token= needs the server's address: pass url=, or set PIECES_URL."
            raise UsageError(message)
    return Session(
        discovery.find(url, wait, token, timeout), application=application, api_key=api_key, timeout=timeout,
        autoload=autoload, concurrency=concurrency, dispatch=dispatch, max_answer=max_answer,
        find=discovery.find_again if url is None else None, token=token,
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
    max_answer: int = MAX_ANSWER_BYTES,
) -> Session:
    """Open a session on a server of its own, in this process; closing the session stops it. No Pieces OS is needed.

    Args:
        path: of the database file, made when there is none; None: in memory.
        settings: a `pieces_orm.server.Settings`; None: its defaults.
        application, api_key, timeout, wait, autoload, concurrency, dispatch, max_answer: as for `connect`.

    Raises:
        UnsupportedOperationError: the extra `server` is not installed; the message says how to get it.
        NotRunningError: the database cannot be opened. InvalidValueError: another argument cannot be used.
    """
    _check(timeout, wait, concurrency, dispatch, max_answer)
    _check_texts(**_given(application=application, api_key=api_key))
    try:
        from .server import Server  # noqa: PLC0415 the server is an extra
    except ImportError as error:
        message = f"The embedded server is an extra: pip install 'pieces_orm[server]' ({error})."
        raise UnsupportedOperationError(message) from error
    from .transport import discovery  # noqa: PLC0415 as in connect()

    server = Server(path, settings=settings)
    server.start()
    try:
        return Session(
            discovery.find(server.url, wait, server.settings.token), application=application, api_key=api_key,
            timeout=timeout, autoload=autoload, concurrency=concurrency, dispatch=dispatch, max_answer=max_answer,
            find=lambda _: server.url, on_close=server.stop, token=server.settings.token,
        )  # fmt: skip
    except BaseException:
        server.stop()
        raise
