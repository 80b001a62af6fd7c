"""Get or create materials by their natural keys, so that calls made at once make one material.

Where the server can tell by itself whether a material with the key is there, it is asked to. Elsewhere the calls of one
process take turns. Those of several processes may each create one: the key is listed again afterwards, the oldest one
stays, and each call deletes only what it made itself.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from typing import Any, TypeVar

import attrs

from ..concurrency import parallel
from ..errors import BatchError
from ..model.natural_key import Key, with_ids
from ..model.record import Record
from ..model.seed import Seed
from ..transport.connection import NoExtensionError
from ..values import Progress
from ..wire.extensions import UNIQUE_KINDS
from . import commands, creating, merging, natural_keys
from .context import Context

R = TypeVar("R", bound=Record)


def get_or_create(
    context: Context,
    cls: type[R],
    seeds: Mapping[str, Seed],
    progress: Progress | None = None,
    *,
    fresh: bool = False,
) -> dict[str, R]:
    """Return the materials with natural keys, by key; those that are missing are created from their seeds.

    Requests: where the server has the extension `unique`, those of `creating.create` for all, and those of `find` for
    keys that several may share; elsewhere those of `find`, one POST for each that is missing, and one GET of the
    collection after that.

    Args:
        fresh: read those that are there.
    """
    context.connection.check_open()
    kind = cls._schema.kind
    # Receivers never run while others wait: they may call this themselves, and wait for other threads.
    with context.signals.held_back(), context.connection.turns.take((kind.name, text) for text in seeds):
        if kind in UNIQUE_KINDS:
            with suppress(NoExtensionError):
                return _by_server(context, cls, seeds, progress, fresh=fresh)
        found = natural_keys.find(context, cls, list(seeds), fresh=fresh)
        missing = {text: seed for text, seed in seeds.items() if text not in found}
        if not missing:
            return found
        try:
            made = creating.create(context, cls, list(missing.values()), progress)
        except BatchError as error:
            _settle(context, cls, missing, set(error.succeeded))
            raise
        own = dict(zip(missing, made, strict=True))
        return found | own | _settle(context, cls, missing, {each.id for each in made})


def _by_server(
    context: Context, cls: type[R], seeds: Mapping[str, Seed], progress: Progress | None, *, fresh: bool
) -> dict[str, R]:
    """Let the server find or create; but it takes any of those that share a key.

    Raises:
        NoExtensionError: it cannot.
    """
    natural = cls._natural_key
    shared = [text for text in seeds if natural is not None and natural.is_shared(text)]
    found = natural_keys.find(context, cls, shared, fresh=fresh)
    missing = {text: seed for text, seed in seeds.items() if text not in found}
    made = creating.create(context, cls, list(missing.values()), progress, unique=True) if missing else []
    return found | dict(zip(missing, made, strict=True))


def _settle(context: Context, cls: type[R], texts: Collection[str], own: set[str]) -> dict[str, R]:
    """Return the oldest materials with some keys; those of this call that others forestalled are deleted.

    Others may have found such a one already: its associations are moved first.

    Args:
        own: the ids of those that this call has made.
    """
    listed = natural_keys.look_up(context, cls, texts)
    superseded = [(each[0], mine) for each in listed.values() for mine in each[1:] if mine.id in own]
    for kept, mine in superseded:
        merging.move(context, kept, mine)
    errors = commands.delete_all(context, [mine for _, mine in superseded], None, is_asked=True)
    parallel.raise_failed(superseded, errors, lambda pair: pair[1].id, "deleted, which others forestalled")
    return {text: each[0] for text, each in listed.items()}


# Natural keys of calls ------------------------------------------------------------------------------------------------


def entities(context: Context, values: Sequence[Any]) -> list[Any]:
    """Return entities, those that are missing created, in the places of natural keys."""
    ids = _resolved(context, [each for each in values if isinstance(each, Key)])
    return [ids[each] if isinstance(each, Key) else each for each in values]


def with_entities(context: Context, seeds: Sequence[Seed]) -> Sequence[Seed]:
    """Return seeds with ids and entities, those that are missing created, in the places of their natural keys."""
    found = _resolved(context, [key for seed in seeds for key in seed.keys or ()])
    if not found:
        return seeds
    return [
        attrs.evolve(
            seed,
            body=with_ids(seed.body, lambda key: found[key].id),
            associate=[found[each] if isinstance(each, Key) else each for each in seed.associate],
        )
        for seed in seeds
    ]


def _resolved(context: Context, keys: Sequence[Key]) -> dict[Key, Any]:
    found: dict[Key, Any] = {}
    for cls in dict.fromkeys(key.cls for key in keys):
        texts = dict.fromkeys(key.text for key in keys if key.cls is cls)
        seeds = {text: Key(cls, text).seed(context) for text in texts}
        found.update({Key(cls, text): each for text, each in get_or_create(context, cls, seeds).items()})
    return found
