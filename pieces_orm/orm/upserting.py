"""Get or create materials by their natural keys."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

import attrs

from ..model.natural_key import Key, with_ids
from ..model.record import Record
from ..model.seed import Seed
from ..values import Progress
from . import creating, natural_keys
from .context import Context

R = TypeVar("R", bound=Record)


def get_or_create(
    context: Context, cls: type[R], seeds: Mapping[str, Seed], progress: Progress | None = None
) -> dict[str, R]:
    """Return the materials with natural keys, by key; those that are missing are created from their seeds."""
    found = natural_keys.find(context, cls, list(seeds))
    missing = [text for text in seeds if text not in found]
    made = creating.create(context, cls, [seeds[text] for text in missing], progress) if missing else []
    return found | dict(zip(missing, made, strict=True))


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
