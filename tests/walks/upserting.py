"""Steps of a session that create by natural keys, and make one material of two."""

from __future__ import annotations

from typing import Any

from . import materials
from .materials import CLASSES, Key
from .steps import Turn, allowing, step

# Few, so that both sessions and several phases name the same ones.
TEXTS = {
    "Tag": "upsert {}",
    "Website": "https://upsert.example/{}",
    "Anchor": "/upserts/{}",
    "Person": "upsert{}@example.org",
}


@step(6)
def get_or_create(turn: Turn) -> None:
    world, actor = turn.world, turn.actor
    name = turn.rng.choice([each for each in world.kinds if each in TEXTS] or [""])
    if not name:
        return
    text = TEXTS[name].format(turn.rng.randrange(3))
    turn.say(f"get_or_create: {name} {text}")
    collection: Any = actor.session[CLASSES[name]]
    before = None if world.together else set(world.alive(name))
    with allowing(turn, writes=True):
        found = collection.get_or_create(text)
        key = (name, found.id)
        if before is None or world.phase.faulty:
            world.unsure(key)
        if key not in (before or world.order):
            world.made(actor.name, key)
        actor.accept(found, hold=turn.rng.random() < 0.6)
        if not world.phase.faulty:
            own = [each.id for each in _collection(turn, name) if text in _keys(each)]
            ok = own == [found.id] or world.together
            world.check(ok and len(own) <= 1, f"get_or_create: several {name} have one key", f"{turn.said} {own}")


def _collection(turn: Turn, name: str) -> list[Any]:
    collection: Any = turn.world.program[CLASSES[name]]
    return list(collection.all())


def _keys(entity: Any) -> list[str | None]:
    if hasattr(entity, "type") and hasattr(entity.type, "basic"):
        return [] if entity.type.basic is None else [entity.type.basic.email]
    return [getattr(entity, name, None) for name in ("text", "url", "fullpath")]


@step(3)
def merge(turn: Turn) -> None:
    world, actor, rng = turn.world, turn.actor, turn.rng
    keys = world.alive("Tag")
    if len(keys) < 2 or "Tag" not in world.kinds:
        return
    into, other = rng.sample(keys, 2)
    turn.say(f"merge: {world.label(other)} into {world.label(into)}")
    with world.lock:
        pairs = [pair for pair in world.pairs if any((end[0], end[1]) == other for end in pair)]
    ends = [(here, there) for pair in pairs for here, there in (pair, pair[::-1]) if (here[0], here[1]) == other]
    neighbours: list[Key] = [(there[0], there[1]) for _, there in ends]
    moved = [(here[2], there[1]) for here, there in ends]
    with allowing(turn, into, other, *neighbours, *pairs_of(into, moved), writes=True):
        actor.session.tags.merge(actor.entity(into, rng), actor.entity(other, rng))
        for relation, id in moved:
            world.related(actor.name, into, relation, id, present=True)
        world.removed(actor.name, other)
        if world.together or world.phase.faulty:
            world.unsure(into, other, *neighbours, *pairs_of(into, moved))
        actor.left = {(each, name): value for (each, name), value in actor.left.items() if each != other}


def pairs_of(key: Key, others: list[tuple[str, str]]) -> list[Any]:
    """The associations of a material with others, each by its relation."""
    return [materials.pair_of(*key, relation, id) for relation, id in others]
