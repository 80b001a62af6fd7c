"""Entities: one Python object for one material, and what one can do with it.

`@entity` turns a declaration into a slotted class and enters it in the registry.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from os import PathLike
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

import attrs

from ..documents import answers, merging
from ..documents.document import Document
from ..errors import InvalidValueError, ReadOnlyFieldError
from ..model.field_help import Docstring
from ..model.fields import PlainFields, fields_of
from ..model.record import Record, Schema, check_usable, editing_of, expire, restore_edits, revert_edits
from ..model.relation import Relation
from ..model.state import EXPIRED, HANDLE, State
from ..values import Progress
from ..wire.kinds import Kind
from . import associating, commands, field_access, loading, natural_keys, persistence, reading, saving, upserting
from .context import Context

E = TypeVar("E", bound="Entity")
C = TypeVar("C", bound=type[Any])
_set = object.__setattr__


class Entity(Record):
    """One material. Get entities from a session: `session.assets.get(id)`, `.create(...)`, `.all()`, `.search(...)`."""

    __slots__ = ()

    def __init_subclass__(cls) -> None:
        base = next((each for each in cls.__mro__[1:] if "_schema" in vars(each)), None)
        if base is not None:
            message = (
                f"{base.__name__} cannot be subclassed: a session makes entities of the kind's own class. Write "
                f"functions that take {base.__name__} entities, or declare a kind of your own with @entity."
            )
            raise InvalidValueError(message)

    def __init__(self, *_: NoReturn, **__: NoReturn) -> None:
        name = type(self)._schema.kind.collection
        message = f"Entities come from a session: session.{name}.get(id), .create(...), .all()."
        raise InvalidValueError(message)

    # State ----------------------------------------------------------------------------------------------------------

    @property
    def state(self) -> State:
        """The degree to which this is loaded, and whether requests can be made for it."""
        return self._state.state

    @property
    def stale(self) -> bool:
        """True if the stream that kept this entity up to date is lost; a warning, reads stay free."""
        context: Context = self._context
        return context.watching.is_stale(self._schema.kind)

    @property
    def edits(self) -> dict[str, Any]:
        """The values set and not yet saved, by field."""
        return {name: edit.mine for name, edit in self._state.pending().items()}

    # Fields ---------------------------------------------------------------------------------------------------------

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any:
            # Runs only for an empty slot; probes for undeclared names must neither fetch nor disturb anything.
            spec = type(self)._schema.fields.get(name)
            if spec is None:
                message = f"{type(self).__name__!r} object has no attribute {name!r}"
                raise AttributeError(message)
            return field_access.read(self, spec)

        def __setattr__(self, name: str, value: Any) -> None:
            spec = type(self)._schema.fields.get(name)
            plain = spec is not None and type(value) is spec.unchecked and value.isascii()
            if plain and field_access.edit_again(self, name, value):
                return
            if spec is not None and not spec.readonly:
                field_access.edit(self, spec, spec.check(value))
            elif spec is not None or name in Record.__slots__:
                message = f"{type(self).__name__}.{name} is set by the server alone."
                raise ReadOnlyFieldError(message)
            elif name in type(self)._schema.declared or hasattr(type(self), name):
                _set(self, name, value)
            else:
                message = (
                    f"{type(self).__name__} has no field {name!r}. Those that can be set are "
                    f"{', '.join(each.name for each in type(self)._schema.fields.values() if not each.readonly)}."
                )
                raise AttributeError(message)

        def __delattr__(self, name: str) -> None:
            if name not in type(self)._schema.declared and name not in Record.__slots__:
                object.__delattr__(self, name)
            message = (
                f"{type(self).__name__}.{name} cannot be deleted: set it to None or another value, give up an edit "
                f"with revert({name!r}), or remove() others from a relation."
            )
            raise ReadOnlyFieldError(message)

    # Persistence ----------------------------------------------------------------------------------------------------

    def save(self, *, overwrite: bool = False, transferables: bool | None = None) -> frozenset[str]:
        """Send the edits, put into the server's own fresh document; return the names that were sent.

        Requests: none without edits; else one GET, one POST to the update route if it saves one of the fields, and
        those of fields with endpoints of their own: an asset's text, description and language, in this order.

        Args:
            overwrite: send the edits even where another program changed the same fields.
            transferables: whether the answer carries contents; None leaves it to the server.

        Raises:
            ConflictError: another program changed the same fields; the edits stay. Merge, or `overwrite=True`.
            NotFoundError: the material was deleted.
        """
        return saving.save(self._context, self, overwrite=overwrite, transferables=transferables)

    @contextmanager
    def editing(self: E) -> Iterator[E]:
        """Set several fields and save them once at the end; an exception reverts what was set inside.

        Blocks can be nested; the outermost one saves. Several threads can be in blocks of one entity: each saves at its
        own end, without what the others have set until theirs, and reverts only what was set in it. Of a field that
        two of them set, the later value counts.

        Requests: those of `save`, at the end.
        """
        context: Context = self._context
        with context.lock:
            editing = editing_of(self)
            block = editing.enter()
        try:
            yield self
        except BaseException:
            with context.lock:
                edits = editing.undo(block, self._state.pending())
                persistence.keep_edits(context, self, restore_edits(self, edits))
            raise
        with context.lock:
            is_outermost = editing.leave(block)
        if is_outermost:
            self.save()

    def refresh(self: E, *, transferables: bool | None = None) -> E:
        """Read the material anew; edits stay.

        Requests: one GET.

        Raises:
            NotFoundError: the server does not find it. If status 410 or the server's ids confirm that it is gone, the
                state is DELETED from then on; else state and edits stay.
        """
        check_usable(self)
        loading.load(self._context, self, reading.contents_query(self._schema.kind.route("read"), transferables))
        return self

    def expire(self) -> None:
        """Forget what is known, so that the next read asks the server; edits stay."""
        check_usable(self)
        context: Context = self._context
        with context.lock:
            if self._state.state is not HANDLE:
                expire(self, context.history.now())

    def revert(self, *names: str) -> None:
        """Give up edits: those of the fields named, or all."""
        context: Context = self._context
        with context.lock:
            before = self._state.pending()
            persistence.keep_edits(context, self, revert_edits(self, names))
        if before.keys() - self._state.pending().keys():
            context.reverted.send(type(self), entity=self)

    def delete(self) -> None:
        """Delete the material; one that is already gone counts as done. What is known stays readable.

        Requests: one POST to the delete route; one read of the ids where the answer is not 410 and leaves open whether
        the material is gone. While there are streams, those that find out which materials it is related to, if this is
        not loaded or its document leaves relations out.

        Raises:
            DeletedError: this session has deleted it before.
            NotFoundError, ServerError: the server did not find it, or failed, and its ids still list it. Nothing of
                the entity has changed; try again.
        """
        commands.delete(self._context, self)

    def increment_score(self, reason: str = "reuse") -> None:
        """Count one use of the material.

        Requests: one POST to the scores route. If this is not loaded and receivers listen to a stream of its kind, one
        GET before it and one after it, to tell its report from another program's change.

        Args:
            reason: one of priority, reuse, update, reference, searched.

        Raises:
            UnsupportedOperationError: this kind has no scores.
        """
        commands.increment_score(self._context, self, reason)

    # Associations ---------------------------------------------------------------------------------------------------

    def associate(self, *others: Entity | str | PathLike[str], progress: Progress | None = None) -> None:
        """Associate others with this entity, each by the one relation that joins the two kinds; both sides know.

        Requests: one POST for each, a few at a time; after several, one GET for their order where the ids are known;
        those of `get_or_create_many` for natural keys.

        Args:
            others: entities of this session; or natural keys that only one kind has: path objects (anchors) and
                addresses with `://` (websites), created if need be. For other texts, name the relation:
                `asset.tags.add("tides")`.
            progress: called with how many are done and how many there are, after each.

        Raises:
            UnknownRelationError: the wire has no association between the kinds. Nothing was sent.
            AmbiguousRelationError: only an explicit relation can say which is meant. Nothing was sent.
            BatchError: some of several failed; those that did not are applied.
        """
        pairs = associating.pairs_between(self._context, self, others)
        entities = upserting.entities(self._context, [other for _, other in pairs])
        pairs = [(relation, other) for (relation, _), other in zip(pairs, entities, strict=True)]
        associating.change(self._context, self, pairs, present=True, progress=progress)

    def disassociate(self, *others: Entity | str | PathLike[str], progress: Progress | None = None) -> None:
        """Undo associations with others; both sides know, and nothing is created or deleted.

        Requests: one POST for each, a few at a time; those of `in` for natural keys.

        Args: those of `associate`.

        Raises:
            NotFoundError: none of the related ones has this natural key. Nothing was changed.
            UnknownRelationError, AmbiguousRelationError, BatchError: as for `associate`.
        """
        pairs = [
            (relation, natural_keys.existing(self._context, [other], among=getattr(self, relation.name).refs)[0])
            for relation, other in associating.pairs_between(self._context, self, others)
        ]
        associating.change(self._context, self, pairs, present=False, progress=progress)

    # Data -----------------------------------------------------------------------------------------------------------

    def raw(self) -> dict[str, Any]:
        """Return the server's document as plain data, with everything this version has never heard of; without edits.

        Requests: none when loaded, else one GET.
        """
        return answers.plain(_whole_document(self), self._schema.kind.name, self.id)

    def to_dict(self) -> dict[str, Any]:
        """Return the server's document as plain data, with the edits put in.

        Requests: none when loaded, else one GET.
        """
        return answers.plain(Document(self._merged()), self._schema.kind.name, self.id)

    def to_json(self) -> str:
        """Return the server's document as JSON text, with the edits put in.

        Requests: none when loaded, else one GET.
        """
        return self._merged().decode()

    def _merged(self) -> bytes:
        return merging.merge(_whole_document(self), persistence.patch(self, self._state.pending()))

    def __copy__(self) -> NoReturn:
        message = f"An entity is one object per material and cannot be copied; {type(self).__name__}.to_dict() can."
        raise InvalidValueError(message)

    def __deepcopy__(self, memo: Any) -> NoReturn:
        self.__copy__()

    def __reduce_ex__(self, protocol: Any) -> NoReturn:
        message = f"An entity belongs to its session and cannot be pickled; {type(self).__name__}.to_dict() can."
        raise InvalidValueError(message)


def _whole_document(entity: Entity) -> Document:
    state = entity._state
    if state.document is None or not state.document.complete or state.state is EXPIRED:
        loading.check_autoload(entity._context, entity, "raw()")
        loading.load(entity._context, entity)
    assert state.document is not None
    return state.document


# Declaring ----------------------------------------------------------------------------------------------------------


def entity(kind: Kind) -> Callable[[C], C]:
    """Make a class the entity of a kind: slots, field table, relations, registry.

    Args:
        kind: the row of `wire.kinds` with the kind's routes.
    """

    def decorate(cls: C) -> C:
        made: Any = attrs.define(eq=False, init=False, slots=True, repr=False, order=False)(cls)
        fields = fields_of(made, vars(sys.modules[cls.__module__]))
        relations = {name: value for name, value in vars(made).items() if isinstance(value, Relation)}
        for relation in relations.values():
            relation.owner = made
        made._schema = Schema(kind, fields, relations, PlainFields(made, fields))
        made.__doc__ = Docstring(made.__doc__)
        Record._registry[made.__name__] = made
        return made  # type: ignore[no-any-return]

    return decorate


def registered() -> Mapping[str, type[Entity]]:
    """Return every entity class by its name."""
    return Record._registry


def rename(entity: Entity, name: str | None, transferables: bool | None) -> None:
    """Let the server name an entity, or set and save a name; for the kinds that show this as `rename`."""
    if name is None:
        persistence.ask_for_name(entity._context, entity, transferables)
    else:
        setattr(entity, "name", name)  # noqa: B010 only kinds with a name show this
        entity.save(transferables=transferables)
