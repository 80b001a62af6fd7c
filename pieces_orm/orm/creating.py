"""Create materials from seeds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

from ..concurrency import parallel
from ..concurrency.parallel import Act
from ..documents import answers, decoding
from ..errors import BatchError, PiecesError
from ..model.record import Record
from ..model.seed import Seed
from ..values import Progress
from . import associating, loading, reading, state_changes
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
    with history.writing(kind):
        yield
        data = context.connection.call(route, query=dict(seed.query), body=decoding.encode_given(seed.body))
        # Every later request is newer, however long this answer waits for its turn.
        number = history.now()
        yield
        if route.answer == "collection":
            data = answers.first_of(data, kind.name)
        id, document = answers.one(data, kind.name, contents=reading.has_contents(seed.query))
        was_alive = context.identity_map.peek(cls, id) is not None
        adopted = state_changes.adopt(context, cls, id, document, number, "local")
        entity: Any = adopted if adopted is not None else loading.get(context, cls, id)
        made.append(entity)
        state_changes.mirror(context, entity)
        context.watching.wrote(entity, document.updated)
    if not was_alive and signals.created.receivers:
        signals.emit(signals.created, cls, entity=entity, origin="local")
    if seed.associate:
        try:
            pairs = [(associating.relation_between(entity, other), other) for other in seed.associate]
            associating.change(context, entity, pairs, present=True)
        except PiecesError as error:
            error.created = entity
            error.args = (f"{error} The {kind.name} {id} exists all the same, as .created of this error.",)
            raise
