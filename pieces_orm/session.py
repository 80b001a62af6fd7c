"""Sessions: the only owners of state, with a collection for each kind."""

from __future__ import annotations

import os
import sys
import weakref
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from types import EllipsisType
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, TypeVar

from . import entities
from .collection.arguments import check_callable, listed_entities
from .collection.assets import AssetCollection
from .collection.base import Collection
from .collection.keyed import KeyedCollection
from .collection.searchable import SearchableCollection
from .concurrency import parallel
from .concurrency.lazily import Lazily
from .documents import decoding
from .entities import conditions
from .errors import InvalidValueError
from .model.seed import Seed
from .orm import relation_loading, saving
from .orm.context import Context
from .orm.entity import Entity
from .signals import Dispatch, Signals
from .transport.connection import Connection
from .transport.http import MAX_ANSWER_BYTES
from .transport.options import check_concurrency, check_dispatch, check_options, check_texts
from .values import Application, Model, Progress, Timeout
from .values.checking import plain_text
from .wire.kinds import Route

if TYPE_CHECKING:
    from .collection.suggestions import Suggestion
    from .sync.changes import Changes
    from .sync.watch import Watch

E = TypeVar("E", bound=Entity)
P = ParamSpec("P")
C = ParamSpec("C")


def _plain(
    cls: type[E], seed: Callable[Concatenate[Context, P], Seed], conditions: Callable[C, None]
) -> Lazily[Collection[E, P, C]]:
    return Lazily(lambda session: Collection(session._context, cls, seed, conditions))


def _without_seed(cls: type[E], conditions: Callable[C, None]) -> Lazily[Collection[E, ..., C]]:
    return Lazily(lambda session: Collection(session._context, cls, None, conditions))


def _searchable(
    cls: type[E], seed: Callable[Concatenate[Context, P], Seed], conditions: Callable[C, None]
) -> Lazily[SearchableCollection[E, P, C]]:
    return Lazily(lambda session: SearchableCollection(session._context, cls, seed, conditions))


def _keyed(
    cls: type[E], seed: Callable[Concatenate[Context, P], Seed], conditions: Callable[C, None]
) -> Lazily[KeyedCollection[E, P, C]]:
    return Lazily(lambda session: KeyedCollection(session._context, cls, seed, conditions))


class Session:
    """A connection to one server, with a collection for each kind; sessions share nothing, but for scopes.

    Get one from `connect()` or `embedded()`, which document the arguments.
    """

    assets = Lazily(
        lambda session: AssetCollection(session._context, entities.Asset, entities.Asset._seed, conditions.on_assets)
    )
    activities = _plain(entities.Activity, entities.Activity._seed, conditions.on_activities)
    anchors = _keyed(entities.Anchor, entities.Anchor._seed, conditions.on_anchors)
    anchor_points = _plain(entities.AnchorPoint, entities.AnchorPoint._seed, conditions.on_anchor_points)
    annotations = _searchable(entities.Annotation, entities.Annotation._seed, conditions.on_annotations)
    conversations = _searchable(entities.Conversation, entities.Conversation._seed, conditions.on_conversations)
    formats = _without_seed(entities.Format, conditions.on_formats)
    hints = _searchable(entities.Hint, entities.Hint._seed, conditions.on_hints)
    messages = _searchable(entities.ConversationMessage, entities.ConversationMessage._seed, conditions.on_messages)
    persons = _keyed(entities.Person, entities.Person._seed, conditions.on_persons)
    ranges = _plain(entities.Range, entities.Range._seed, conditions.on_ranges)
    sensitives = _searchable(entities.Sensitive, entities.Sensitive._seed, conditions.on_sensitives)
    shares = _plain(entities.Share, entities.Share._seed, conditions.on_shares)
    sources = _searchable(entities.Source, entities.Source._seed, conditions.on_sources)
    source_windows = _searchable(entities.SourceWindow, entities.SourceWindow._seed, conditions.on_source_windows)
    summaries = _searchable(entities.WorkstreamSummary, entities.WorkstreamSummary._seed, conditions.on_summaries)
    tags = _keyed(entities.Tag, entities.Tag._seed, conditions.on_tags)
    websites = _keyed(entities.Website, entities.Website._seed, conditions.on_websites)
    workstream_events = _plain(
        entities.WorkstreamEvent, entities.WorkstreamEvent._seed, conditions.on_workstream_events
    )

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
        check_options(timeout, 0, concurrency, dispatch, max_answer)
        connection = Connection(
            url, application=application, api_key=api_key, timeout=timeout, dispatch=dispatch, find=find, token=token,
            max_answer=max_answer, sender=type(self))  # fmt: skip
        self._context = Context(connection, autoload=autoload, concurrency=concurrency)
        self._opened_from: Session | None = None
        _sessions[self] = on_close

    @Lazily
    def _collections(self) -> dict[type[Entity], Collection[Any, ..., ...]]:
        lazy = [name for name, each in vars(Session).items() if isinstance(each, Lazily) and not name.startswith("_")]
        return {each.entity: each for each in (getattr(self, name) for name in lazy)}

    def __repr__(self) -> str:
        return f"<Session {self.url}{' (closed)' if self._context.connection.is_closed else ''}>"

    def __getitem__(self, cls: type[E]) -> Collection[E, ..., ...]:
        """Return the collection of a class, for generic code."""
        _check_class("session[...]", cls)
        if cls not in self._collections:
            self._collections[cls] = Collection(self._context, cls, getattr(cls, "_seed", None))
        return self._collections[cls]

    # Scopes ---------------------------------------------------------------------------------------------------------

    def scope(
        self,
        *,
        autoload: bool | None = None,
        concurrency: int | None = None,
        dispatch: Dispatch | EllipsisType | None = ...,
    ) -> Session:
        """Open a session with entities, edits and signals of its own on the sockets and the application of this one.

        One for each request or job of a back end: so that no thread saves what another has edited. Close it, or use
        it in a `with` block: that detaches its entities and drops their edits. It ends with this session. A scope of
        a scope is another scope of the same session.

        The streams that this session watches reach its scopes too: with `origin` "remote" in each that holds the
        entity or has receivers, except in the scope that made the change itself. What a scope writes, this session
        and its other scopes hear in the same way. A scope cannot watch by itself.

        Requests: none.

        Args:
            autoload, concurrency, dispatch: as for `connect`; those of this session if they are not given.

        Raises:
            DetachedError: this session is closed. InvalidValueError: an argument cannot be used.
        """
        context = self._context
        if not isinstance(autoload, bool | None):
            message = f"autoload is True or False, not {autoload!r}."
            raise InvalidValueError(message)
        check_concurrency(concurrency := context.concurrency if concurrency is None else concurrency)
        check_dispatch(dispatch := context.signals.dispatch if isinstance(dispatch, EllipsisType) else dispatch)
        own_context = context.scope(
            autoload=context.autoload if autoload is None else autoload, concurrency=concurrency, dispatch=dispatch
        )
        own = Session.__new__(Session)
        # This session stays among the open ones, which a fork closes, for as long as a scope of it is held.
        vars(own).update(_context=own_context, _opened_from=self)
        return own

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
        check_texts(method=method, path=path, accept=accept)
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

    # Saving ---------------------------------------------------------------------------------------------------------

    def save(self, *, overwrite: bool = False, progress: Progress | None = None) -> list[Entity]:
        """Send all edits of the session, a few entities at a time; return the entities that were saved.

        Edits that open `editing()` blocks of other threads have set are left to them.

        Requests: those of `save` for each entity with edits.

        Args:
            overwrite: send the edits even where another program changed the same fields.
            progress: called with how many entities are done and how many there are, after each.

        Raises:
            BatchError: some were not saved, also of an only one; `failed` has the error of each, by id. These keep
                their edits; the others are saved.
        """
        check_callable("progress", progress)
        self._context.connection.check_open()
        edited: list[Any] = self._context.identity_map.edited()
        return saving.save_all(self._context, edited, progress, overwrite=overwrite)

    def save_many(self, entities: Iterable[E], *, overwrite: bool = False, progress: Progress | None = None) -> list[E]:
        """Send the edits of some entities, a few at a time; return those that had edits.

        Requests: those of `save` for each.

        Args:
            entities: of this session, of any kinds.
            overwrite, progress: as for `save`.

        Raises:
            InvalidValueError, UsageError: one is no entity, or of another session. Nothing was sent.
            BatchError: as for `save`.
        """
        check_callable("progress", progress)
        listed: list[Any] = listed_entities("save_many", entities, Entity, self._context)
        return saving.save_all(self._context, list(dict.fromkeys(listed)), progress, overwrite=overwrite)

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
