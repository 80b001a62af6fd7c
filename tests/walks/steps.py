"""The steps of a walk. Each draws everything from its own number, so that a list of steps can be replayed."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from attrs import define

from pieces_orm import (
    BatchError,
    DecodeError,
    PiecesError,
    State,
    StateError,
    TransportError,
)

from .actor import Actor
from .materials import Key
from .world import World


@define
class Turn:
    """One step under way."""

    world: World
    rng: random.Random
    actor: Actor
    # The material and the kind that it is about whenever it can be: else it draws them.
    focus: Key | None = None
    kind: str | None = None
    said: str = ""

    def say(self, what: str) -> None:
        self.said = f"{self.actor.name} {what}"

    def key(self, *names: str) -> Key | None:
        """Some material that is there, often the newest, of which streams may not have told yet."""
        keys = self.world.alive(*names)
        if self.focus in keys:
            return self.focus
        newest = self.rng.random() < NEWEST
        return None if not keys else keys[-1] if newest else self.rng.choice(keys)

    def kind_name(self) -> str:
        """Some kind, often that of the newest material."""
        keys = self.world.alive()
        if self.kind is not None or not keys:
            return self.kind or self.rng.choice(self.world.kinds)
        newest = self.rng.random() < NEWEST
        return keys[-1][0] if newest else self.rng.choice(self.world.kinds)


# How often a step is about the newest material.
NEWEST = 0.3

Step = Callable[[Turn], None]
STEPS: dict[str, tuple[int, Step]] = {}


def step(weight: int) -> Callable[[Step], Step]:
    """Enter a step under the name of its function, with how often it is drawn."""

    def enter(function: Step) -> Step:
        STEPS[function.__name__] = (weight, function)
        return function

    return enter


@contextmanager
def allowing(turn: Turn, *keys: Key, writes: bool = False) -> Iterator[None]:
    """Allow an error that has a reason: something is gone, or a fault was planned. Any other is a finding."""
    world = turn.world
    try:
        yield
    except PiecesError as error:
        if writes:
            world.unsure(*keys)
            world.wrote(turn.actor.name, *keys)
        excused = world.phase.faulty or world.together
        if isinstance(error, DecodeError) or not (excused or _is_reasonable(turn, error, keys)):
            cause = f"error: {type(error).__name__} in {turn.said.split(':')[0].split()[-1]}"
            world.found(cause, f"{turn.said}: {_text_of(error)}")


def _is_reasonable(turn: Turn, error: PiecesError, keys: tuple[Key, ...]) -> bool:
    if isinstance(error, TransportError):
        return False
    held = [turn.actor.held.get(key) for key in keys]
    deleted = any(each is not None and each.state is State.DELETED for each in held)
    gone = not all(turn.world.exists(key) for key in keys)
    # An entity that is DELETED though the material is there is found by the checks.
    return gone or (deleted and isinstance(error, StateError))


def _text_of(error: PiecesError) -> str:
    details = f" {error.failed}" if isinstance(error, BatchError) else ""
    return f"{type(error).__name__}: {str(error)[:300]}{details[:300]}"
