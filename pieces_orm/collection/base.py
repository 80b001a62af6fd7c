"""Collections: everything that one can ask of one kind."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from os import PathLike
from typing import TYPE_CHECKING, Any, Concatenate, Generic, ParamSpec, TypeVar, overload

from ..concurrency import parallel
from ..errors import InvalidValueError, NotFoundError
from ..model.seed import Seed
from ..orm import commands, creating, loading, natural_keys, reading, upserting
from ..orm.context import Context
from ..orm.entity import Entity
from ..values import Arrivals, Progress
from ..wire.paths import checked_id, has_id_form
from . import arguments
from .arguments import Given, with_conditions_signature, with_seed_signature

if TYPE_CHECKING:
    from ..query.query import Query
    from ..sync.live import Live

E = TypeVar("E", bound=Entity)
D = TypeVar("D")
P = ParamSpec("P")
C = ParamSpec("C")

_RAISE: Any = object()


class Collection(Generic[E, P, C]):
    """Everything that one can ask of one kind: `session.assets`, `session.anchors`, ...

    For type checkers it has the class of the entities, the arguments of `create`, and the conditions of `query`.
    """

    def __init__(
        self,
        context: Context,
        cls: type[E],
        seed: Callable[Concatenate[Context, P], Seed] | None = None,
        conditions: Callable[C, None] | None = None,
    ) -> None:
        self._context = context
        self._class = cls
        self._kind = cls._schema.kind
        self._seed = seed
        self._conditions = conditions

    @property
    def entity(self) -> type[E]:
        """The class of this kind's entities."""
        return self._class

    def __repr__(self) -> str:
        return f"<collection {self._kind.collection} on {self._context.connection.url}>"

    # A container ----------------------------------------------------------------------------------------------------

    def __iter__(self) -> Iterator[E]:
        """Iterate over all materials of this kind; a collection has no `len()`, the number is `count()`.

        Requests: those of `all`.
        """
        return iter(self.all())

    def __contains__(self, other: object) -> bool:
        """Tell whether the server has a material: an entity of this session, or an id.

        Requests: one GET.
        """
        if isinstance(other, Entity):
            same_session = isinstance(other, self._class) and other._context is self._context
            return same_session and self._has(other.id)
        return isinstance(other, str) and self._has(other)

    def _has(self, id: str) -> bool:
        contents = False if "transferables" in self._kind.route("read").query else None
        return self.get(id, None, transferables=contents) is not None

    def __getitem__(self, id: str) -> E:
        """Return the entity with this id, fresh.

        Requests: those of `get`.

        Raises:
            NotFoundError: there is none; it is a KeyError too.
        """
        return self.get(id)

    def count(self) -> int:
        """Return the number of materials of this kind.

        Requests: those of `query().count()`: one.
        """
        query: Any = self.query
        return int(query().count())

    # Reading --------------------------------------------------------------------------------------------------------

    @overload
    def get(self, id: str, *, transferables: bool | None = None) -> E: ...
    @overload
    def get(self, id: str, default: D, *, transferables: bool | None = None) -> E | D: ...
    def get(self, id: str, default: Any = _RAISE, *, transferables: bool | None = None) -> Any:
        """Return the entity with this id, fresh from the server.

        Requests: one GET.

        Args:
            id: of the material.
            default: returned when there is none.
            transferables: whether contents come with it; None leaves it to the server.

        Raises:
            NotFoundError: there is none, and no default.
        """
        query = reading.contents_query(self._kind.route("read"), transferables)
        try:
            return loading.get(self._context, self._class, checked_id(id), query)
        except NotFoundError as error:
            if default is not _RAISE:
                return default
            if has_id_form(id):
                raise
            raise natural_keys.no_such_id(self._class, id, error) from error

    def get_many(
        self,
        ids: Iterable[str],
        *,
        missing: str = "raise",
        transferables: bool | None = None,
        progress: Progress | None = None,
    ) -> list[E]:
        """Return the entities with these ids, fresh, in order; one object for each id, also for one given twice.

        Requests: one POST for each 50 where the server has a batch route, else one GET for each, a few at a time; which
        it is for a kind, the session finds out once.

        Args:
            ids: of the materials.
            missing: "raise", or "skip" to leave out those that are not there.
            transferables: whether contents come with them; None leaves it to the server.
            progress: called with how many are read and how many there are, after each.

        Raises:
            BatchError: some are not there, or could not be read; the others are applied.
            InvalidIdError, InvalidValueError: an argument cannot be used. Nothing was sent.
        """
        if missing not in ("raise", "skip"):
            message = f"missing is 'raise' or 'skip', not {missing!r}."
            raise InvalidValueError(message)
        arguments.check_callable("progress", progress)
        wanted = arguments.checked_ids("get_many", ids)
        found = loading.get_many(
            self._context,
            self._class,
            list(dict.fromkeys(wanted)),
            skip_missing=missing == "skip",
            transferables=transferables,
            progress=progress,
        )
        entities = {entity.id: entity for entity in found}
        return [entities[id] for id in wanted if id in entities]

    def peek(self, id: str) -> E | None:
        """Return the entity with this id if the session holds it; never a request."""
        id = checked_id(id)
        with self._context.lock:
            return self._context.identity_map.peek(self._class, id)

    def ref(self, id: str) -> E:
        """Return the entity with this id without asking for it: a handle when nothing is known; never a request."""
        id = checked_id(id)
        self._context.connection.check_open()
        return self._context.identity_map.ref(self._class, id)

    def all(self, *, transferables: bool | None = None, progress: Arrivals | None = None) -> list[E]:
        """Return all materials of this kind.

        Requests: one GET of the collection.

        Args:
            transferables: whether contents come with them; None leaves it to the server.
            progress: called with how many have come and how many there are, None as long as that is not known.
        """
        arguments.check_callable("progress", progress)
        query = reading.contents_query(self._kind.route("all"), transferables)
        return loading.snapshot(self._context, self._class, query, progress)

    def ids(self) -> tuple[str, ...]:
        """Return the ids of all materials of this kind; makes no entities.

        Requests: one GET, of the identifiers where the wire has them, else of the collection without contents.
        """
        return self._ids({})

    def _ids(self, query: Mapping[str, Any]) -> tuple[str, ...]:
        return reading.read_ids(self._context.connection, self._kind, query)

    def latest(self, n: int = 1) -> list[E]:
        """Return the n most recently created, newest first.

        Requests: those of `query().order_by("-created").limit(n)`: one to a server that can limit.

        Args:
            n: how many at most.

        Raises:
            InvalidValueError: n is not a number, or below zero.
        """
        query: Any = self.query
        return list(query().order_by("-created").limit(n))

    @with_conditions_signature
    def query(self, *args: C.args, **conditions: C.kwargs) -> Query[E]:
        """Return a query of the materials of this kind; it is asked when it is iterated.

        Requests: none before it is asked; `explain()` tells which.

        Args:
            conditions: by the name of a field or relation; all must hold. A value means equality, None an empty field
                or relation; values of `pieces_orm.filters` mean the rest. Of a relation, an entity, an id, or the text
                of a tag, the url of a website, the path of an anchor, the name or e-mail address of a person.

        Raises:
            InvalidValueError: there is no such field or relation, or a value is of another type; it says what there is.
        """
        from ..query.query import query_of  # noqa: PLC0415 a program that asks nothing does without it

        return query_of(self._context, self._class, args, conditions)

    def live(
        self,
        *,
        key: Callable[[E], Any] | None = None,
        where: Callable[[E], bool] | None = None,
        reverse: bool | None = None,
        **conditions: Any,
    ) -> Live[E]:
        """Return a sorted list of the materials of this kind that stays in step with the server until it is closed.

        Requests: those of `watch` and of `all`.

        Args:
            key: of an entity, what it is sorted by, None values last; None: when it was created.
            where: of an entity, whether it is in the list; None: all are.
            reverse: whether the greatest comes first; None: only without a key, so that the newest come first.
            conditions: those of `query`; a list in another order than by one key is `query(...).order_by(...).live()`.
        """
        query: Any = self.query
        found: Live[E] = query(**conditions).live(key=key, where=where, reverse=reverse)
        return found

    # Creating -------------------------------------------------------------------------------------------------------

    @with_seed_signature
    def create(self, *args: P.args, **kwargs: P.kwargs) -> E:
        """Create a material.

        Requests: one POST to the create route, and one for each entity that can only be associated afterwards.

        Raises:
            UnsupportedOperationError: the server cannot create this kind.
            InvalidValueError: an argument is missing, unknown, or of another type. Nothing was sent.
        """
        return self._create(self._seeds("create", (args, kwargs)))[0]

    def create_many(self, items: Iterable[Any], *, progress: Progress | None = None) -> list[E]:
        """Create several materials; all arguments are checked before anything is sent.

        Requests: those of `create` for each, a few at a time.

        Args:
            items: for each material the first argument of `create`, or a mapping of its arguments by name.
            progress: called with how many are made and how many there are, after each.

        Raises:
            UnsupportedOperationError: the server cannot create this kind.
            InvalidValueError: an argument is missing, unknown, or of another type. Nothing was sent.
            BatchError: some were not made; `succeeded` has the ids of those that were, `failed` the errors by place.
        """
        arguments.check_callable("progress", progress)
        items = arguments.listed("create_many", items, ", with an item for each material")
        given: list[Given] = [((), item) if isinstance(item, Mapping) else ((item,), {}) for item in items]
        return self._create(self._seeds("create_many", *given), progress)

    def _create(self, seeds: Sequence[Seed], progress: Progress | None = None) -> list[E]:
        return creating.create(self._context, self._class, upserting.with_entities(self._context, seeds), progress)

    def _seeds(self, call: str, *given: Given) -> list[Seed]:
        return arguments.seeds(self._context, self._class, self._seed, call, given)

    # Deleting -------------------------------------------------------------------------------------------------------

    def delete_many(self, entities: Iterable[E | str | PathLike[str]], *, progress: Progress | None = None) -> None:
        """Delete several materials.

        Requests: one POST for each, a few at a time; one read of the ids, if an answer leaves open what is gone; those
        of `find` for natural keys.

        Args:
            entities: of this kind, ids, or natural keys.
            progress: called with how many are deleted and how many there are, after each.

        Raises:
            InvalidValueError, UsageError: one is not of this kind, or of another session. Nothing was sent.
            NotFoundError: nothing has a natural key. Nothing was deleted.
            BatchError: some were not deleted, and stay as they are; those that were are DELETED.
        """
        arguments.check_callable("progress", progress)
        name = f"{self._kind.collection}.delete_many"
        found = arguments.existing(name, entities, self._class, self._context)
        errors = commands.delete_all(self._context, found, progress)
        parallel.raise_failed(found, errors, lambda entity: entity.id, "deleted")
