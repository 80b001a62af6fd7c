"""Hostile inputs, in families: few of each in the default suite, many for the table in docs/reliability.md.

A module of this package lists its families in `ATTACKS`. `python -m tests.attacks` runs them and writes the table.
"""

from __future__ import annotations

import importlib
import pkgutil
import random
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from attrs import frozen

if TYPE_CHECKING:
    from .target import Target


@frozen
class Attack:
    """A family of hostile inputs.

    Args:
        name: the inputs, as a noun phrase: "Texts pumped for the rules of the language detection".
        outcome: what each of them comes to, as a sentence without a point; `strike` asserts it.
        strike: tries about so many inputs, drawn by chance or not, on a server in a process of its own, and returns how
            many it tried; fails when the outcome is another.
        options: of `pieces-orm serve`; attacks with the same ones may share a server.
        inputs: tried in the default suite, in under two seconds.
        most: tried at most, when there are no more of them or they take long; None: as many as asked for.
    """

    name: str
    outcome: str
    strike: Callable[[Target, random.Random, int], int]
    options: tuple[str, ...] = ()
    inputs: int = 20
    most: int | None = None


def attacks() -> Iterator[Attack]:
    """Yield the attacks of every module of this package."""
    for found in sorted(each.name for each in pkgutil.iter_modules(__path__)):
        if found != "__main__" and not found.startswith("test_"):
            yield from getattr(importlib.import_module(f"{__name__}.{found}"), "ATTACKS", ())
