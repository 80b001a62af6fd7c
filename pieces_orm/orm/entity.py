"""Entities: one Python object for one material, and what one can do with it.

`@entity` turns a declaration into a slotted class and enters it in the registry. An entity reaches its session only
through the `Owner` protocol below.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Any, ClassVar, NoReturn, Protocol, TypeVar

import attrs
import msgspec

from ..concurrency import parallel
from ..concurrency.parallel import Progress
from ..documents import answers, merging
from ..documents.document import Document
from ..model.diff import Changes
from ..model.field_help import Docstring
from ..model.fields import PlainFields, fields_of
from ..model.relation import Relation
from ..model.state import State
from ..signals import Signals
from ..values import Application, Model
from ..wire.kinds import Kind, Route
from . import associating, persistence
from .record import Record
from .relations import Many

E = TypeVar("E", bound="Entity")
C = TypeVar("C", bound=type[Any])


class Map(Protocol):
    """What entities ask of the identity map; `IdentityMap` says what each does."""

    def request(self) -> AbstractContextManager[int]:
        """Number a request."""

    def now(self) -> int:
        """The next number."""

    def writing(self, kind: Kind, id: str) -> AbstractContextManager[None]:
        """Mark a write as under way."""

    def writes_of(self, kind: Kind, id: str) -> frozenset[int]:
        """The writes of a material that are under way."""

    def editing(self, entity: Entity) -> AbstractContextManager[bool]:
        """Mark an entity as being edited in a block."""

    def apply(self, entity: Entity, document: Document, number: int, origin: str) -> bool:
        """Apply an answer and tell what changed."""

    def merge(self, entity: Entity, document: Document, number: int) -> Changes:
        """Apply an answer under the lock."""

    def finish(self, entity: Entity, changes: Changes, origin: str) -> None:
        """Tell what changed."""

    def ref(self, cls: type[E], id: str) -> E:
        """The entity with this id."""

    def fill(self, cls: type[E], id: str, document: Document, number: int) -> None:
        """Let a nested copy fill a handle."""

    def link(self, entity: Entity, relation: Relation[Any], other: Entity, number: int, *, present: bool) -> bool:
        """Put both sides of an association in step."""

    def remove(self, entity: Entity) -> bool:
        """Make an entity DELETED."""

    def hold(self, entity: Entity) -> None:
        """Keep an entity with edits alive."""

    def release(self, entity: Entity) -> None:
        """Let an entity go."""


class Owner(Protocol):
    """What entities ask of their session; `Session` says what each does."""

    lock: threading.RLock
    autoload: bool
    concurrency: int
    signals: Signals

    @property
    def map(self) -> Map:
        """The identity map."""

    @property
    def application(self) -> Application:
        """This program, as the server knows it."""

    def default_model(self) -> Model:
        """The model that summaries are made with when none is given."""

    def call(
        self,
        route: Route,
        ids: Mapping[str, str] | None = ...,
        query: Mapping[str, Any] | None = ...,
        body: bytes | None = ...,
    ) -> bytes:
        """Send a request to a route."""

    def call_newer_or_older(self, newer: Route, older: Route, ids: Mapping[str, str]) -> bytes:
        """Try the newer of two routes, then the older."""

    def post(self, route: Route, data: Any) -> bytes:
        """Send JSON data to a route."""

    def create(self, cls: type[E], *args: Any, **kwargs: Any) -> E:
        """Create a material of a class."""

    def load_related(self, entity: Entity, relation: Relation[E], entities: Sequence[E]) -> list[E]:
        """Load what is not known of an entity's relation, together."""

    def learn(self, relation: Relation[Any], entities: Sequence[Entity]) -> None:
        """Ask the relation's family for ids that documents leave out."""

    def is_stale(self, kind: Kind) -> bool:
        """Whether the stream of a kind is lost."""

    def aged(self, entity: Entity) -> None:
        """Have an entity read anew that an answer older than the last news was applied to."""

    def wrote(self, entity: Entity, answer: Document | None = ...) -> None:
        """Note a write of our own, so that its echo is not taken for another's."""


@attrs.frozen
class Seed:
    """What creates a material: the body, the query, and what is associated with it right after.

    `associate` holds entities that the body cannot name; each takes a request of its own.
    """

    body: Mapping[str, Any]
    query: Mapping[str, Any] = attrs.field(factory=dict)
    associate: Sequence[Entity] = ()


class Entity(Record):
    """One material. Get entities from a session: `session.assets.get(id)`, `.create(...)`, `.all()`, `.search(...)`."""

    __slots__ = ()

    registry: ClassVar[dict[str, type[Entity]]] = {}
    # The attribute by which `exists` and `get_or_create` find one, for a kind without an endpoint for that.
    lookup: ClassVar[str | None] = None
    # The relations that this attribute is read from.
    lookup_by: ClassVar[tuple[str, ...]] = ()

    @staticmethod
    def looked_up(value: Any) -> Any:
        """The value of that attribute as the server knows it."""
        return value

    def __init__(self) -> None:
        name = type(self).kind.collection
        message = f"Entities come from a session: session.{name}.get(id), .create(...), .all()."
        raise TypeError(message)

    def save(self, *, overwrite: bool = False, transferables: bool | None = None) -> frozenset[str]:
        """Send the edits, put into the server's own fresh document; return the names that were sent.

        Requests: none without edits; else one GET, one POST to the update route, and those of fields with an endpoint
        of their own.

        Args:
            overwrite: send the edits even where another program changed the same fields.
            transferables: whether the answer carries contents; None leaves it to the server.

        Raises:
            ConflictError: another program changed the same fields; the edits stay. Merge, or `overwrite=True`.
        """
        return persistence.save(self, overwrite=overwrite, transferables=transferables)

    def put(self, values: Mapping[str, Any]) -> None:
        """Send values by wire path in the server's own fresh document; for fields that another material carries.

        Requests: one GET, one POST to the update route.
        """
        self.check_usable()
        persistence.put(self, values)

    @contextmanager
    def editing(self: E) -> Iterator[E]:
        """Set several fields and save them once at the end; an exception reverts what was set inside.

        Of blocks within blocks, the outermost saves.

        Requests: those of `save`, at the end.
        """
        before = self.pending()
        with self.knowledge.owner.map.editing(self) as outermost:
            try:
                yield self
            except BaseException:
                self.restore(before)
                raise
        if outermost:
            self.save()

    def refresh(self: E, *, transferables: bool | None = None) -> E:
        """Read the material anew; edits stay.

        Requests: one GET.

        Raises:
            NotFoundError: it is gone; the entity is DELETED now.
        """
        self.check_usable()
        self._load(associating.contents_query(self.kind.route("read"), transferables))
        return self

    def expire(self) -> None:
        """Forget what is known, so that the next read asks the server; edits stay."""
        self.check_usable()
        with self.knowledge.owner.lock:
            if self.knowledge.state is not State.HANDLE:
                self.expired(self.knowledge.owner.map.now())

    def delete(self) -> None:
        """Delete the material; one that is already gone counts as done. What is known stays readable.

        Requests: one POST to the delete route.

        Raises:
            DeletedError: this session has deleted it before.
        """
        parallel.do(associating.delete(self))

    def associate(self, *others: Entity, progress: Progress | None = None) -> None:
        """Associate others with this entity, each by the one relation that joins the two kinds; both sides know.

        Requests: one POST for each, a few at a time.

        Args:
            others: entities of this session.
            progress: called with how many are done and how many there are, after each.

        Raises:
            UnknownRelationError: the wire has no association between the kinds. Nothing was sent.
            AmbiguousRelationError: only an explicit relation can say which is meant. Nothing was sent.
            BatchError: some of several failed; those that did not are applied.
        """
        pairs = [(associating.relation_between(self, other), other) for other in others]
        associating.change(self, pairs, present=True, progress=progress)

    def disassociate(self, *others: Entity, progress: Progress | None = None) -> None:
        """Undo associations with others; both sides know, and nothing is deleted.

        Requests: one POST for each, a few at a time.

        Args:
            others: entities of this session.
            progress: called with how many are done and how many there are, after each.

        Raises:
            UnknownRelationError: the wire has no association between the kinds. Nothing was sent.
            AmbiguousRelationError: only an explicit relation can say which is meant. Nothing was sent.
            BatchError: some of several failed; those that did not are applied.
        """
        pairs = [(associating.relation_between(self, other), other) for other in others]
        associating.change(self, pairs, present=False, progress=progress)

    def increment_score(self, reason: str = "reuse") -> None:
        """Count one use of the material.

        Requests: one POST to the scores route.

        Args:
            reason: one of priority, reuse, update, reference, searched.

        Raises:
            UnsupportedOperationError: this kind has no scores.
        """
        self.check_usable()
        associating.increment_score(self, reason)

    def ask_rename(self, name: str | None, transferables: bool | None) -> None:
        """Let the server name this, or set and save a name; only some kinds show this as `rename`."""
        self.check_usable()
        if name is None:
            persistence.rename(self, transferables)
        else:
            setattr(self, "name", name)  # noqa: B010 only kinds with a name show this as `rename`
            self.save(transferables=transferables)

    def raw(self) -> dict[str, Any]:
        """The server's document as plain data, with everything this version has never heard of; edits left aside.

        Requests: none when loaded, else one GET.
        """
        if (
            self.knowledge.document is None
            or not self.knowledge.document.complete
            or self.knowledge.state is State.EXPIRED
        ):
            self._autoload("raw()")
            self._load()
        assert self.knowledge.document is not None
        return answers.plain(self.knowledge.document, self.kind.name, self.id)

    def to_dict(self) -> dict[str, Any]:
        """The server's document as plain data, with the edits put in."""
        return dict(msgspec.json.decode(self.to_json()))

    def to_json(self) -> str:
        """The server's document as JSON text, with the edits put in."""
        self.raw()
        assert self.knowledge.document is not None
        return merging.merge(self.knowledge.document, persistence.patch(self, self.pending())).decode()

    def __copy__(self) -> NoReturn:
        message = f"An entity is one object per material and cannot be copied; {type(self).__name__}.to_dict() can."
        raise TypeError(message)

    def __deepcopy__(self, memo: Any) -> NoReturn:
        self.__copy__()

    def __reduce_ex__(self, protocol: Any) -> NoReturn:
        message = f"An entity belongs to its session and cannot be pickled; {type(self).__name__}.to_dict() can."
        raise TypeError(message)


def reference(entity: Entity | None) -> dict[str, Any] | None:
    """How a seed names another; None for none."""
    return None if entity is None else {"id": entity.id}


def references(entities: Sequence[Entity]) -> dict[str, Any] | None:
    """The flattened collection by which a seed names others; None for none."""
    return {"iterable": [{"id": each.id} for each in entities]} if entities else None


def entity(kind: Kind) -> Callable[[C], C]:
    """Make a class the entity of a kind: slots, field table, relations, registry.

    Args:
        kind: the row of `endpoints` with the kind's routes.
    """

    def decorate(cls: C) -> C:
        made: Any = attrs.define(eq=False, init=False, slots=True, repr=False, order=False)(cls)
        made.kind = kind
        made.fields = fields_of(made, vars(sys.modules[cls.__module__]))
        made.plain = PlainFields(made, made.fields)
        relations = {name: value for name, value in vars(made).items() if isinstance(value, Relation)}
        for relation in relations.values():
            relation.owner = made
        made.relations = relations
        made.many = {name: relation for name, relation in relations.items() if isinstance(relation, Many)}
        made.__doc__ = Docstring(made.__doc__)
        Entity.registry[made.__name__] = made
        return made  # type: ignore[no-any-return]

    return decorate
