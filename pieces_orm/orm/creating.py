"""Create materials from seeds."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from functools import partial
from typing import Any, TypeVar

from attrs import define, field
from msgspec import Raw

from ..concurrency import parallel
from ..concurrency.parallel import Act
from ..documents import answers, decoding
from ..documents.answers import Result
from ..documents.document import Document
from ..errors import BatchError, InvalidRequestError, PiecesError
from ..model.diff import Changes
from ..model.record import Record
from ..model.seed import Seed
from ..transport.connection import Connection, NoExtensionError
from ..transport.failures import error_for
from ..values import Progress
from ..wire.extensions import MANY, UNIQUE, create_many_route
from ..wire.kinds import Kind
from . import associating, emitting, loading, own_writes, reading, state_changes
from .context import Context
from .own_writes import Target

R = TypeVar("R", bound=Record)

# Seeds of one request at most: with more, others would wait for the server, and a lost answer would leave more open.
MAX_GROUP_SEEDS = 50
# Bytes of the seeds of one request at most, unless it is a single one.
MAX_GROUP_BYTES = 4 * 1024 * 1024
TOO_LARGE = 413


@define(eq=False)
class _Item:
    """A seed, its encoded body, and the entity that was made of it."""

    seed: Seed
    body: bytes
    made: Any = field(default=None, init=False)
    is_new: bool = field(default=True, init=False)
    changes: Changes = field(factory=Changes, init=False)


def create(
    context: Context, cls: type[R], seeds: Sequence[Seed], progress: Progress | None = None, *, unique: bool = False
) -> list[R]:
    """Create materials from seeds, a few requests at a time; one request creates several where the server takes that.

    Args:
        progress: called with how many are made and how many there are, after each.
        unique: a material that has the natural key of a seed already is returned instead of another.

    Raises:
        NoExtensionError: `unique`, and the server does not see to that.
        BatchError: some of several failed. The only one's error is raised as it is. A material that was made, and
            could not be associated with what its arguments name, is in both `succeeded` and `failed`, and `created`
            of its error is the entity.
    """
    connection = context.connection
    several = (unique or len(seeds) > 1) and connection.offers(MANY)
    if unique and not (several and connection.offers(UNIQUE)):
        raise NoExtensionError
    items: list[_Item] = []
    groups = _groups(seeds, items, several=several)
    errors = parallel.do_groups(
        groups,
        len(seeds),
        partial(_create, context, cls, unique=unique),
        concurrency=context.concurrency,
        progress=progress,
    )
    made: list[R] = [item.made for item in items if item.made is not None]
    failed = {str(place): error for place, error in enumerate(errors) if error is not None}
    if not failed:
        return made
    place, first = next(iter(failed.items()))
    if len(seeds) == 1:
        raise first
    message = f"{len(failed)} of {len(seeds)} could not be created; the first, at place {place}: {first}"
    raise BatchError(message, succeeded=[entity.id for entity in made], failed=failed)


def _groups(seeds: Iterable[Seed], items: list[_Item], *, several: bool) -> Iterator[list[_Item]]:
    """Encode seeds and yield them in the groups of one request each; every one is added to `items`."""
    group: list[_Item] = []
    size = 0
    for seed in seeds:
        item = _Item(seed, decoding.encode_given(seed.body))
        size += len(item.body)
        is_full = not several or len(group) == MAX_GROUP_SEEDS or size > MAX_GROUP_BYTES
        if group and (is_full or seed.query != group[0].seed.query):
            yield group
            group, size = [], len(item.body)
        items.append(item)
        group.append(item)
    if group:
        yield group


def _create(
    context: Context, cls: type[Record], group: Sequence[_Item], errors: list[Exception | None], *, unique: bool
) -> Act:
    """Create what one request makes; where the server does not take it as one, one after the other."""
    with ExitStack() as stack:
        creation = _Creation(context, cls, [item.body for item in group], stack)
        yield
        results = _ask(context.connection, cls._schema.kind, group, unique=unique)
        # Every later request is newer, however long this answer waits for its turn.
        number = context.history.now()
        yield
        if results is not None:
            applied = list(zip(group, results, strict=True))
            parallel.do_each(applied, errors, lambda _, each: creation.apply(*each, number))
        creation.end()

    def tell(_: int, item: _Item) -> None:
        if results is None:
            _create_alone(context, cls, item, unique=unique)
        elif item.made is not None:
            _tell(context, item)

    parallel.do_each(group, errors, tell)


def _create_alone(context: Context, cls: type[Record], item: _Item, *, unique: bool) -> None:
    errors: list[Exception | None] = [None]
    parallel.do(_create(context, cls, [item], errors, unique=unique))
    if errors[0] is not None:
        raise errors[0]


def _ask(connection: Connection, kind: Kind, group: Sequence[_Item], *, unique: bool) -> list[Result] | None:
    """Send one request; None when the server takes no request for several, or not one so large."""
    route, query = kind.route("create"), dict(group[0].seed.query)
    if len(group) == 1 and not unique:
        data = connection.call(route, query=query, body=group[0].body)
        return [Result(Raw(answers.first_of(data, kind.name) if route.answer == "collection" else data))]
    body = b'{"seeds":[' + b",".join(item.body for item in group) + b"]}"
    query |= {"unique": True} if unique else {}
    try:
        data = connection.call(create_many_route(kind), query=query, body=body, extension=MANY)
    except NoExtensionError:
        if unique:
            raise
        return None
    except InvalidRequestError as error:
        if error.status != TOO_LARGE or len(group) == 1:
            raise
        return None
    return answers.results(data, kind.name, len(group))


class _Creation:
    """A creation under way, as the rest of the session has to know of it.

    Args:
        bodies: of the seeds.
        stack: closed when the answer is applied.
    """

    def __init__(self, context: Context, cls: type[Record], bodies: Sequence[bytes], stack: ExitStack) -> None:
        self._context, self._cls = context, cls
        self._is_watched = context.watching.is_active
        touched = [own_writes.named(cls, Document(body)) for body in bodies] if self._is_watched else []
        self._touched = {target for each in touched for target in each}
        self._changed: set[Target] = set()
        stack.enter_context(context.history.writing(cls._schema.kind))
        self._made_meanwhile = stack.enter_context(context.identity_map.noting_made(cls))
        if self._is_watched:
            # Parts that it may make, and materials that it touches, are reported too.
            for relation in cls._schema.relations.values():
                stack.enter_context(context.history.writing(relation.target._schema.kind))
        targets = dict.fromkeys(target for each in touched for target in each)
        self._unchanged = stack.enter_context(own_writes.marked(context, targets, "beside"))

    def apply(self, item: _Item, result: Result, number: int) -> None:
        """Apply the result of one seed to the entity that it is about.

        Raises:
            PiecesError: the seed was refused, or the result cannot be read.
        """
        context, cls, kind = self._context, self._cls, self._cls._schema.kind
        if result.error is not None:
            error, route = result.error, create_many_route(kind)
            raise error_for(error.status, error.message.encode(), route.method, route.path)
        data = bytes(result.document)
        id, document = answers.one(data, kind.name, contents=reading.has_contents(item.seed.query))
        # One that was alive before is an existing material, which the server has returned instead of another.
        is_new = id in self._made_meanwhile or context.identity_map.peek(cls, id) is None
        origin = "refresh" if result.existing else "local"
        adopted = state_changes.adopt(context, cls, id, document, number, origin)
        item.made = entity = adopted if adopted is not None else loading.get(context, cls, id)
        item.changes = state_changes.mirror(context, entity)
        if result.existing:
            item.is_new = False
            return
        announced = context.watching.created(entity, document.updated)
        item.is_new = is_new if announced is None else announced
        if self._is_watched:
            self._changed.update(own_writes.named(cls, Document(item.body)))
            for part in own_writes.named(cls, document):
                if part not in self._touched:
                    context.watching.wrote(*part, None, origin="beside")

    def end(self) -> None:
        """Have only what was written count as written."""
        self._unchanged.update(self._touched - self._changed)


def _tell(context: Context, item: _Item) -> None:
    """Emit the signals of a creation, and associate what the seed could not name.

    Raises:
        PiecesError: it could not be associated; the error carries the entity, which exists.
    """
    entity, signals = item.made, context.signals
    if item.is_new:
        signals.emit(signals.created, type(entity), entity=entity, origin="local")
    emitting.emit_changes(context, entity, item.changes, "local")
    if not item.seed.associate:
        return
    try:
        pairs = [(associating.relation_between(entity, other), other) for other in item.seed.associate]
        associating.change(context, entity, pairs, present=True)
    except PiecesError as error:
        error.created = entity
        kind = entity._schema.kind.name
        error.args = (f"{error} The {kind} {entity.id} exists all the same, as .created of this error.",)
        raise
