"""Creation of materials of all kinds: checked first, then written."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ...wire.extensions import UNIQUE_KINDS
from ...wire.kinds import ASSET, Kind
from ..json_values import MAX_LEVELS, is_too_deep
from ..request_errors import RequestError
from .asset_seeds import create_asset, draft_asset
from .natural_keys import find_existing
from .schema_check import check_type
from .seeds import SeedWriter, check_members, check_seed

Create = Callable[[SeedWriter], tuple[str, bool]]
"""Creates a material; returns its id, and whether it is new."""


def prepare(kind: Kind, seed: Any, *, unique: bool = False) -> Create:
    """Check a seed, as far as that takes no database, and return what creates its material.

    Args:
        unique: a material that has the natural key of the seed is taken as it is.

    Raises:
        RequestError: 400, the seed is malformed, or its kind has no natural keys; 413, it names too many others.
    """
    check_type("object", seed, f"The seed of a {kind.name}")
    if is_too_deep(seed):
        raise RequestError(400, f"The seed is nested too deeply: send at most {MAX_LEVELS} levels.")
    if kind is ASSET and not unique:
        draft = draft_asset(seed)
        return lambda seed_writer: (create_asset(seed_writer, draft), True)
    check_members(seed)
    if unique:
        if kind not in UNIQUE_KINDS:
            names = ", ".join(each.collection for each in UNIQUE_KINDS)
            raise RequestError(400, f"Only {names} have natural keys, and can be unique.")
        check_seed(kind, seed)

    def create(seed_writer: SeedWriter) -> tuple[str, bool]:
        existing = find_existing(seed_writer.writer, kind, seed) if unique else None
        return (seed_writer.create(kind, seed), True) if existing is None else (existing, False)

    return create
