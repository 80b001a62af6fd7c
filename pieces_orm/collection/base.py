"""Collections: everything that one can ask of one kind."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Mapping, Sequence
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Concatenate, Generic, ParamSpec, TypeVar, overload

import msgspec

from ..concurrency import parallel
from ..concurrency.parallel import Progress
from ..documents import answers, decoding, page_stream
from ..documents.document import Document, reference_id
from ..documents.page_stream import Arrivals
from ..errors import BatchError, InvalidIdError, InvalidValueError, NotFoundError, UnsupportedOperationError
from ..model.state import State
from ..orm import associating, creating, loading
from ..orm.entity import Entity, Owner, Seed
from . import arguments

if TYPE_CHECKING:
    from ..session import Session
    from ..sync.live import Live

E = TypeVar("E", bound=Entity)
D = TypeVar("D")
P = ParamSpec("P")

_RAISE: Any = object()


class Collection(Generic[E, P]):
    """Everything that one can ask of one kind: `session.assets`, `session.anchors`, ..."""

    def __init__(
        self, session: Session, cls: type[E], seed: Callable[Concatenate[Owner, P], Seed] | None = None
    ) -> None:
        self._session = session
        self._class = cls
        self._kind = cls.kind
        self._seed = seed

    @property
    def entity(self) -> type[E]:
        """The class of this kind's entities."""
        return self._class

    def __repr__(self) -> str:
        return f"<collection {self._kind.collection} of {self._session!r}>"

    # Reading -------------------------------------------------------------------------------------------------------

    @overload
    def get(self, id: str, *, transferables: bool | None = None) -> E: ...
    @overload
    def get(self, id: str, default: D, *, transferables: bool | None = None) -> E | D: ...
    def get(self, id: str, default: Any = _RAISE, *, transferables: bool | None = None) -> Any:
        """The entity with this id, fresh from the server.

        Requests: one GET.

        Args:
            id: of the material.
            default: what to return when there is none.
            transferables: whether contents come with it; None leaves it to the server.

        Raises:
            NotFoundError: there is none, and no default.
        """
        query = associating.contents_query(self._kind.route("read"), transferables)
        try:
            with self._session.map.request() as number:
                document = associating.read(self._session, self._kind, id, query)
                entity = self._session.map.adopt(self._class, id, document, number, "refresh")
        except NotFoundError:
            self._vanished(id, "refresh")
            if default is not _RAISE:
                return default
            raise
        if entity is None and default is _RAISE:
            raise self._deleted_meanwhile(id)
        return default if entity is None else entity

    def _vanished(self, id: str, origin: str) -> None:
        entity = self._session.map.peek(self._class, id)
        if entity is not None:
            associating.vanished(entity, origin)

    def _deleted_meanwhile(self, id: str) -> NotFoundError:
        route = self._kind.route("read")
        message = f"{self._kind.name} {id} was deleted while the answer was on its way."
        return NotFoundError(message, status=410, body="", method=route.method, path=route.path)

    def get_many(
        self,
        ids: Iterable[str],
        *,
        missing: str = "raise",
        transferables: bool | None = None,
        progress: Progress | None = None,
    ) -> list[E]:
        """The entities with these ids, fresh, in order; one object for each id.

        Requests: one POST for each 50 where the server has a batch route, else one GET for each, a few at a time; which
        it is for a kind, the session finds out once.

        Args:
            ids: of the materials.
            missing: "raise", or "skip" to leave out those that are not there.
            transferables: whether contents come with them; None leaves it to the server.
            progress: called with how many are read and how many there are, after each.

        Raises:
            BatchError: some are not there, or could not be read; the others are applied.
        """
        if missing not in ("raise", "skip"):
            message = f"missing is 'raise' or 'skip', not {missing!r}."
            raise InvalidValueError(message)
        if isinstance(ids, str):
            message = f"get_many takes a list of ids, not the text {ids!r}."
            raise InvalidIdError(message)
        wanted = list(dict.fromkeys(ids))
        for id in wanted:
            associating.check_id(id)
        found = self.fetch(wanted, transferables=transferables, progress=progress)
        entities = {id: each for id, each in found.items() if isinstance(each, self._class)}
        failed = {id: each for id, each in found.items() if isinstance(each, Exception)}
        if missing == "skip":
            failed = {id: error for id, error in failed.items() if not isinstance(error, NotFoundError)}
        if failed:
            first = next(iter(failed.values()))
            message = f"{len(failed)} of {len(wanted)} {self._kind.collection} could not be read; the first: {first}"
            raise BatchError(message, succeeded=list(entities), failed=failed)
        return [entities[id] for id in wanted if id in entities]

    def fetch(
        self,
        ids: Sequence[str],
        *,
        transferables: bool | None = None,
        origin: str = "refresh",
        progress: Progress | None = None,
    ) -> dict[str, E | Exception]:
        """Read and apply many; by id the entity, or the error that it came to. `get_many` is the call for users."""
        outcome: dict[str, E | Exception] = {}

        def take(id: str, found: Document | Exception) -> None:
            if isinstance(found, Exception):
                outcome[id] = found
                if isinstance(found, NotFoundError) and origin == "refresh":
                    # A feed asks for the ids once more before it believes that.
                    self._vanished(id, origin)
            else:
                entity = self._session.map.adopt(self._class, id, found, number, origin)
                outcome[id] = entity if entity is not None else self._deleted_meanwhile(id)

        with self._session.map.request() as number:
            loading.read(self._session, self._kind, ids, transferables, take, progress)
        return outcome

    def fetch_all(self, ids: Sequence[str], *, origin: str) -> dict[str, E | Exception]:
        """The same by one read of the whole collection, for very many."""
        wanted = set(ids)
        with self._session.map.request() as number:
            page = self._session.take(
                self._kind.route("all"), {}, functools.partial(page_stream.read, kind=self._kind.name)
            )
            some = ((id, document) for id, document in page if id in wanted)
            found: dict[str, Any] = {
                entity.id: entity for entity in self._session.map.adopt_page(self._class, some, number, origin)
            }
        return {id: found.get(id) or self._deleted_meanwhile(id) for id in ids}

    def peek(self, id: str) -> E | None:
        """The entity with this id if the session holds it; never a request."""
        with self._session.lock:
            return self._session.map.peek(self._class, id)

    def ref(self, id: str) -> E:
        """The entity with this id, without asking for it: a handle when nothing is known; never a request."""
        associating.check_id(id)
        self._session.check_open()
        return self._session.map.ref(self._class, id)

    def all(self, *, transferables: bool | None = None, progress: Arrivals | None = None) -> list[E]:
        """All materials of this kind.

        Requests: one GET of the collection.

        Args:
            transferables: whether contents come with them; None leaves it to the server.
            progress: called with how many have come and how many there are, None as long as that is not known.
        """
        return self._snapshot(associating.contents_query(self._kind.route("all"), transferables), progress)

    def _snapshot(self, query: dict[str, Any], progress: Arrivals | None) -> list[E]:
        route = self._kind.route("all")
        with self._session.map.request() as number:
            contents = associating.has_contents(query)
            take = functools.partial(page_stream.read, kind=self._kind.name, contents=contents, progress=progress)
            page = self._session.take(route, query, take)
            return self._session.map.adopt_page(self._class, page, number, "refresh")

    def adopt_page(self, data: bytes | msgspec.Raw, number: int, *, contents: bool = True) -> list[E]:
        """The entities of a collection that the server sent."""
        page = answers.split(data, self._kind.name, contents=contents)
        return self._session.map.adopt_page(self._class, page, number, "refresh")

    def ids(self) -> tuple[str, ...]:
        """The ids of all materials of this kind; makes no entities.

        Requests: one GET, of the identifiers where the wire has them, else of the collection without contents.
        """
        return self.query_ids({})

    def query_ids(self, query: dict[str, Any]) -> tuple[str, ...]:
        """The ids that the identifiers route names for a query; `ids` is the call for users."""
        if "ids" in self._kind.routes:
            data = self._session.call(self._kind.route("ids"), query=query)
        else:
            route = self._kind.route("all")
            data = self._session.call(route, query={"transferables": False} if "transferables" in route.query else {})
        return answers.member_ids(data, self._kind.name)

    def latest(self, n: int = 1) -> list[E]:
        """The n most recently created, newest first.

        Requests: one GET of the collection, without contents; where the wire can limit the identifiers, those and one
        batch read for each 50.

        Args:
            n: how many at most.

        Raises:
            InvalidValueError: n is no number, or below zero.
        """
        if not isinstance(n, int) or n < 0:
            message = f"latest takes a number of materials, not {n!r}."
            raise InvalidValueError(message)
        if "limit" in self._kind.routes.get("ids", self._kind.route("all")).query:
            return self.get_many(self.query_ids({"limit": n})[:n], missing="skip")
        contents = False if "transferables" in self._kind.route("all").query else None
        entities: list[Any] = self.all(transferables=contents)
        return sorted(entities, key=lambda entity: entity.created, reverse=True)[:n]

    def live(
        self,
        *,
        key: Callable[[E], Any] | None = None,
        where: Callable[[E], bool] | None = None,
        reverse: bool | None = None,
    ) -> Live[E]:
        """A sorted list of the materials of this kind that stays in step with the server until it is closed.

        Requests: those of `watch` and of `all`.

        Args:
            key: of an entity, what it is sorted by, None values last; None: when it was created.
            where: of an entity, whether it is in the list; None: all are.
            reverse: whether the greatest comes first; None: only without a key, so that the newest come first.
        """
        from ..sync.live import Live  # noqa: PLC0415 nobody who keeps no list in step pays for it

        by_age = "created" if "created" in self._class.fields else "id"
        order = attrgetter(by_age) if key is None else key
        backwards = key is None if reverse is None else reverse
        return Live(self._session, self, key=order, where=where, reverse=backwards)

    # Making and removing -------------------------------------------------------------------------------------------

    def create(self, *args: P.args, **kwargs: P.kwargs) -> E:
        """Create a material; the arguments are those of the entity's `seed`.

        Requests: one POST to the create route, and one for each association that the seed cannot say.

        Raises:
            UnsupportedOperationError: the wire has no such operation for this kind.
            TypeError, InvalidValueError: an argument is missing, unknown, or of another type. Nothing was sent.
        """
        return creating.create(self._session, self._class, self._planned("create", (args, kwargs)))[0]

    def create_many(self, items: Iterable[Any], *, progress: Progress | None = None) -> list[E]:
        """Create several materials; all arguments are checked before anything is sent.

        Requests: those of `create` for each, a few at a time.

        Args:
            items: for each material the first argument of `create`, or a mapping of its arguments by name.
            progress: called with how many are made and how many there are, after each.

        Raises:
            UnsupportedOperationError: the wire has no such operation for this kind.
            TypeError, InvalidValueError: an argument is missing, unknown, or of another type. Nothing was sent.
            BatchError: some were not made; `succeeded` has the ids of those that were, `failed` the errors by place.
        """
        if isinstance(items, str | bytes | Mapping):
            message = f"create_many takes a list, with an item for each material, not {items!r}."
            raise InvalidValueError(message)
        given: list[Any] = [((), item) if isinstance(item, Mapping) else ((item,), {}) for item in items]
        return creating.create(self._session, self._class, self._planned("create_many", *given), progress)

    def _planned(self, call: str, *given: creating.Given) -> list[Seed]:
        return creating.planned(self._session, self._class, self._seed, call, given)

    def exists(self, value: str) -> bool:
        """Whether there is one with this text (tags), url (websites) or path (anchors).

        Requests: one; for anchors a GET of the collection.

        Raises:
            UnsupportedOperationError: the wire cannot tell for this kind.
        """
        return self._find(value) is not None

    def get_or_create(self, value: str, *args: Any, **kwargs: Any) -> E:
        """The one with this text (tags), url (websites) or path (anchors), created when there is none.

        Requests: those of `exists`, then one GET or those of `create`.

        Raises:
            UnsupportedOperationError: the wire cannot tell for this kind.
            TypeError, InvalidValueError: `create` takes no such arguments.
        """
        if self._seed is not None:
            where = f"{self._kind.collection}.get_or_create()"
            arguments.bound(self._seed, where, self._session, (value, *args), kwargs)
        id = self._find(value)
        if id is not None:
            return self.get(id)
        create: Any = self.create
        made: E = create(value, *args, **kwargs)
        return made

    def _find(self, value: str) -> str | None:
        if "exists" in self._kind.routes:
            data = self._session.call(
                self._kind.route("exists"), body=decoding.encode({"value": value}), repeatable=True
            )
            found = answers.optional_key(data, self._kind.name, self._kind.name)
            return None if found is None else reference_id(found, self._kind.name)
        if self._class.lookup is None:
            message = f"The wire cannot look up {self._kind.collection} by value; search all() instead."
            raise UnsupportedOperationError(message)
        value = self._class.looked_up(value)
        entities = self.all(transferables=False)
        held = self._session.prefetch(entities, *(self._class.many[name] for name in self._class.lookup_by))
        same_kind = (each for each in held if isinstance(each, self._class))
        return next((each.id for each in same_kind if getattr(each, self._class.lookup) == value), None)

    def delete_many(self, entities: Iterable[E], *, progress: Progress | None = None) -> None:
        """Delete several materials.

        Requests: one POST for each, a few at a time.

        Args:
            entities: of this kind.
            progress: called with how many are deleted and how many there are, after each.

        Raises:
            InvalidValueError, UsageError: one is not of this kind, or of another session. Nothing was sent.
            BatchError: some were not deleted; those that were are DELETED.
        """
        entities = list(entities)
        for entity in entities:
            if not isinstance(entity, self._class):
                message = f"{self._kind.collection}.delete_many takes {self._class.__name__} entities, not {entity!r}."
                raise InvalidValueError(message)
            entity.check_owner(self._session)
        parallel.do_each(
            entities,
            associating.delete,
            lambda entity: entity.id,
            "deleted",
            concurrency=self._session.concurrency,
            progress=progress,
        )


def load_many(collection: Collection[E, ...], entities: Sequence[E], progress: Progress | None = None) -> list[E]:
    """Load those entities of a kind of which nothing is known, together; leaves out those that are gone."""
    unknown = [entity.id for entity in entities if entity.state in (State.HANDLE, State.EXPIRED)]
    if unknown:
        collection.get_many(unknown, missing="skip", progress=progress)
    return [entity for entity in entities if entity.state not in (State.HANDLE, State.DELETED)]
