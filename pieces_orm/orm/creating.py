"""Create materials from seeds."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from typing import Any, TypeVar

from ..concurrency import parallel
from ..concurrency.parallel import Act
from ..documents import answers, decoding
from ..documents.document import Document
from ..errors import BatchError, PiecesError
from ..model.record import Record
from ..model.seed import Seed
from ..values import Progress
from . import associating, emitting, loading, own_writes, reading, state_changes
from .context import Context

R = TypeVar("R", bound=Record)


def create(context: Context, cls: type[R], seeds: Sequence[Seed], progress: Progress | None = None) -> list[R]:
    """Create materials from seeds, a few at a time.

    Raises:
        BatchError: some of several failed. The only one's error is raised as it is. A material that was made, and
            could not be associated with what its arguments name, is in both `succeeded` and `failed`, and `created`
            of its error is the entity.
    """
    made: list[R] = []
    errors = parallel.do_all(
        seeds, lambda seed: _create(context, cls, seed, made), concurrency=context.concurrency, progress=progress
    )
    failed = {str(place): error for place, error in enumerate(errors) if error is not None}
    if not failed:
        return made
    place, first = next(iter(failed.items()))
    if len(seeds) == 1:
        raise first
    message = f"{len(failed)} of {len(seeds)} could not be created; the first, at place {place}: {first}"
    raise BatchError(message, succeeded=[entity.id for entity in made], failed=failed)


def _create(context: Context, cls: type[R], seed: Seed, made: list[R]) -> Act:
    kind, history, signals = cls._schema.kind, context.history, context.signals
    route = kind.route("create")
    body = decoding.encode_given(seed.body)
    touched = own_writes.named(cls, Document(body)) if context.watching.is_active else []
    with ExitStack() as stack:
        stack.enter_context(history.writing(kind))
        made_meanwhile = stack.enter_context(context.identity_map.noting_made(cls))
        if context.watching.is_active:
            # Parts that it may make, and materials that it touches, are reported too.
            for relation in cls._schema.relations.values():
                stack.enter_context(history.writing(relation.target._schema.kind))
        stack.enter_context(own_writes.marked(context, touched, "beside"))
        yield
        data = context.connection.call(route, query=dict(seed.query), body=body)
        # Every later request is newer, however long this answer waits for its turn.
        number = history.now()
        yield
        if route.answer == "collection":
            data = answers.first_of(data, kind.name)
        id, document = answers.one(data, kind.name, contents=reading.has_contents(seed.query))
        # One that was alive before is an existing material, which the server has returned instead of another.
        is_new = id in made_meanwhile or context.identity_map.peek(cls, id) is None
        adopted = state_changes.adopt(context, cls, id, document, number, "local")
        entity: Any = adopted if adopted is not None else loading.get(context, cls, id)
        made.append(entity)
        changes = state_changes.mirror(context, entity)
        announced = context.watching.created(entity, document.updated)
        for part in own_writes.named(cls, document) if context.watching.is_active else ():
            if part not in touched:
                context.watching.wrote(*part, None, origin="beside")
    if is_new if announced is None else announced:
        signals.emit(signals.created, cls, entity=entity, origin="local")
    emitting.emit_changes(context, entity, changes, "local")
    if seed.associate:
        _associate(context, entity, seed)


def _associate(context: Context, entity: Record, seed: Seed) -> None:
    """Associate a new entity with those that its seed could not name; an error carries the entity, which exists."""
    try:
        pairs = [(associating.relation_between(entity, other), other) for other in seed.associate]
        associating.change(context, entity, pairs, present=True)
    except PiecesError as error:
        error.created = entity
        kind = entity._schema.kind.name
        error.args = (f"{error} The {kind} {entity.id} exists all the same, as .created of this error.",)
        raise
