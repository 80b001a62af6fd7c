"""Making materials: from the arguments of a call to a seed, from seeds to entities."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from ..collection import arguments
from ..concurrency import parallel
from ..concurrency.parallel import Act, Progress
from ..documents import answers, decoding
from ..errors import BatchError, UnsupportedOperationError
from . import associating
from .entity import Entity, Seed

if TYPE_CHECKING:
    from ..session import Session

E = TypeVar("E", bound=Entity)

SeedOf = Callable[..., Seed]
# The arguments of one call: those by place, and those by name.
Given = tuple[tuple[Any, ...], Mapping[str, Any]]


def planned(owner: Session, cls: type[E], seed: SeedOf | None, call: str, given: Sequence[Given]) -> list[Seed]:
    """What creates materials, from the arguments of a call of this name; all are checked before any is used.

    Raises:
        UnsupportedOperationError: the wire has no such operation for this kind.
    """
    kind = cls.kind
    kind.route("create")
    if seed is None:
        message = f"{cls.__name__} declares no seed, so it cannot be created."
        raise UnsupportedOperationError(message)
    where = f"{kind.collection}.{call}()"
    bound = [arguments.bound(seed, where, owner, args, kwargs) for args, kwargs in given]
    return [seed(*each.args, **each.kwargs) for each in bound]


def create(owner: Session, cls: type[E], seeds: Sequence[Seed], progress: Progress | None = None) -> list[E]:
    """Create materials from seeds, a few at a time.

    Raises:
        BatchError: some of several failed. The only one's error is raised as it is. A material that was made, and
            could not be associated with what its arguments name, is in both `succeeded` and `failed`.
    """
    made: list[E] = []
    errors = parallel.do_all(
        seeds, lambda seed: _creating(owner, cls, seed, made), concurrency=owner.concurrency, progress=progress
    )
    failed = {str(place): error for place, error in enumerate(errors) if error is not None}
    if not failed:
        return made
    place, first = next(iter(failed.items()))
    if len(seeds) == 1:
        raise first
    message = f"{len(failed)} of {len(seeds)} could not be created; the first, at place {place}: {first}"
    raise BatchError(message, succeeded=[entity.id for entity in made], failed=failed)


def _creating(owner: Session, cls: type[E], seed: Seed, made: list[E]) -> Act:
    kind, route = cls.kind, cls.kind.route("create")
    with owner.map.writing(kind):
        yield
        data = owner.call(route, query=dict(seed.query), body=decoding.encode_given(seed.body))
        # What is asked for from here on is newer, however long this answer waits for its turn.
        number = owner.map.now()
        yield
        if route.answer == "collection":
            data = answers.first_of(data, kind.name)
        id, document = answers.one(data, kind.name, contents=associating.has_contents(seed.query))
        held = owner.map.peek(cls, id) is not None
        adopted = owner.map.adopt(cls, id, document, number, "local")
        entity = adopted if adopted is not None else owner[cls].get(id)
        made.append(entity)
        owner.map.mirror(entity)
        owner.wrote(entity, document)
    if not held and owner.signals.created.receivers:
        owner.signals.tell(owner.signals.created, cls, entity=entity, origin="local")
    if seed.associate:
        entity.associate(*seed.associate)
