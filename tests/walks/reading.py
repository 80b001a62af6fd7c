"""Steps of a session that read, relate, hold and follow."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pieces_orm import Asset, BatchError, NotFoundError, State, StateError

from . import materials
from .actor import Mirror, is_watchable
from .materials import CLASSES, Key
from .steps import Turn, allowing, step

# Relations ----------------------------------------------------------------------------------------------------------


@step(14)
def associate(turn: Turn) -> None:
    _relate(turn, present=True)


@step(8)
def disassociate(turn: Turn) -> None:
    _relate(turn, present=False)


def _relate(turn: Turn, *, present: bool) -> None:
    world, actor = turn.world, turn.actor
    picked = pick_related(turn, present=present)
    if picked is None:
        return
    key, relation, other = picked
    verb = "associate" if present else "disassociate"
    turn.say(f"{verb}: {world.label(key)}.{relation} {world.label(other)}")
    with allowing(turn, key, other, writes=True):
        related = getattr(actor.entity(key, turn.rng), relation)
        (related.add if present else related.remove)(actor.entity(other, turn.rng))
        world.related(actor.name, key, relation, other[1], present=present)


def pick_related(turn: Turn, *, present: bool) -> tuple[Key, str, Key] | None:
    """Two materials and the relation between them; for undoing mostly those that are associated."""
    world, rng = turn.world, turn.rng
    if not present and rng.random() < 0.8:
        with world.lock:
            pairs = [pair for pair in world.pairs if materials.is_changeable(CLASSES[pair[0][0]], pair[0][2])]
        known = [pair for pair in pairs if all((end[0], end[1]) in world.order for end in pair)]
        if known:
            known.sort(key=lambda pair: [(world.order[end[0], end[1]], end[2]) for end in pair])
            here, there = rng.choice(known)[:2]
            return (here[0], here[1]), here[2], (there[0], there[1])
    key = turn.key(*(name for name in world.kinds if name != "Format"))
    if key is None:
        return None
    names = [name for name in CLASSES[key[0]]._schema.many if materials.is_changeable(CLASSES[key[0]], name)]
    if not names:
        return None
    relation = rng.choice(names)
    other = Turn(world, rng, turn.actor).key(CLASSES[key[0]]._schema.many[relation].target.__name__)
    return None if other is None or other == key else (key, relation, other)


@step(6)
def iterate(turn: Turn) -> None:
    world, actor = turn.world, turn.actor
    key = turn.key()
    if key is None:
        return
    relation = turn.rng.choice(list(CLASSES[key[0]]._schema.relations))
    turn.say(f"iterate: {world.label(key)}.{relation}")
    hold = turn.rng.random() < 0.3
    with allowing(turn, key, writes=False):
        entity = actor.entity(key, turn.rng, loaded=True)
        declared = CLASSES[key[0]]._schema.relations[relation]
        try:
            if declared.is_many:
                members = list(getattr(entity, relation))
                for member in members:
                    actor.accept(member, hold=hold)
            else:
                member = getattr(entity, relation)
                if member is not None:
                    actor.accept(member, hold=hold)
        except (NotFoundError, BatchError, StateError):
            # A member may be gone: then the entity hears of it when its stream does.
            if all(world.exists((declared.target.__name__, id)) for id in entity._state.cached_ids(relation) or ()):
                raise


# Reading ------------------------------------------------------------------------------------------------------------


@step(8)
def get(turn: Turn) -> None:
    key = turn.key()
    if key is None:
        return
    turn.say(f"get: {turn.world.label(key)}")
    with allowing(turn, key):
        turn.actor.accept(turn.actor.session[CLASSES[key[0]]].get(key[1]), hold=turn.rng.random() < 0.5)


@step(5)
def get_many(turn: Turn) -> None:
    name = turn.kind_name()
    keys = turn.world.alive(name)
    if not keys:
        return
    picked = turn.rng.sample(keys, min(len(keys), turn.rng.randrange(1, 8)))
    newest = turn.key(name)
    picked = list(dict.fromkeys([*picked, *([newest] if newest else [])]))
    turn.say(f"get_many: {[turn.world.label(key) for key in picked]}")
    hold = turn.rng.random() < 0.5
    with allowing(turn, *picked):
        for entity in turn.actor.session[CLASSES[name]].get_many([id for _, id in picked], missing="skip"):
            turn.actor.accept(entity, hold=hold)


@step(5)
def read_all(turn: Turn) -> None:
    name = turn.kind_name()
    turn.say(f"read_all: {name}")
    hold = turn.rng.random() < 0.4
    with allowing(turn):
        for entity in turn.actor.session[CLASSES[name]].all():
            turn.actor.accept(entity, hold=hold)


@step(5)
def refresh(turn: Turn) -> None:
    key = turn.key()
    if key is None:
        return
    turn.say(f"refresh: {turn.world.label(key)}")
    with allowing(turn, key):
        entity = turn.actor.entity(key, turn.rng)
        entity.refresh()
        if isinstance(entity, Asset):
            _check_nested(turn, entity)


def _check_nested(turn: Turn, asset: Asset) -> None:
    """What a partial entity shows is not older than the copy that it is read from."""
    copies = {each["id"]: each for each in (asset.raw().get("tags") or {}).get("iterable", ())}
    for tag in asset.tags.refs() if copies else ():
        if tag.state is State.PARTIAL and "text" in copies.get(tag.id, ()) and "text" not in tag.edits:
            shown, copy = tag.text, copies[tag.id]["text"]
            turn.world.check(
                shown == copy or turn.world.together, "nested: a partial entity shows an older text than its copy",
                f"{turn.said}: {shown!r}, not {copy!r}",
            )  # fmt: skip


@step(3)
def expire(turn: Turn) -> None:
    key = turn.key()
    held = None if key is None else turn.actor.held.get(key)
    if key is None or held is None or held.state is State.DELETED:
        return
    turn.say(f"expire: {turn.world.label(key)}")
    with allowing(turn, key):
        turn.world.phase.expired.add((turn.actor.name, key))
        held.expire()


@step(2)
def prefetch(turn: Turn) -> None:
    world, actor = turn.world, turn.actor
    name = turn.rng.choice(world.kinds)
    picked = world.alive(name)[:6]
    relation = CLASSES[name]._schema.relations[turn.rng.choice(list(CLASSES[name]._schema.relations))]
    if not picked:
        return
    turn.say(f"prefetch: {name}.{relation.name}")
    with allowing(turn, *picked):
        starts = [actor.entity(key, turn.rng) for key in picked]
        try:
            for entity in actor.session.prefetch(starts, relation):
                actor.accept(entity, hold=False)
        except (NotFoundError, BatchError):
            if not world.gone:
                raise


# Holding and watching -------------------------------------------------------------------------------------------------


@step(6)
def let_go(turn: Turn) -> None:
    """Only of what is kept by nothing else is demanded that it is gone."""
    actor = turn.world.casual
    turn.actor = actor
    keys = sorted(actor.held, key=lambda key: turn.world.order.get(key, -1))
    for key in turn.rng.sample(keys, min(len(keys), turn.rng.randrange(1, 10))):
        turn.world.phase.expired.add((actor.name, key))
        del actor.held[key]
    turn.say("let_go: some")


@step(3)
def open_live_list(turn: Turn) -> None:
    world, actor = turn.world, turn.actor
    cls = CLASSES[turn.rng.choice(world.kinds)]
    if len(actor.mirrors) >= 2 or not is_watchable(cls):
        return
    label = materials.label_of(cls)
    key = label if turn.rng.random() < 0.6 else None
    where = turn.rng.choice([None, label, "tags" if "tags" in cls._schema.many else None])
    turn.say(f"open_live_list: {cls.__name__} by {key} where {where}")
    with allowing(turn):
        if not actor.follows(cls.__name__):
            world.phase.unsteady.add((actor.name, cls.__name__))
        live = actor.session[cls].live(key=key and (lambda each: getattr(each, key)), where=condition(where))
        actor.mirrors.append(Mirror(live, cls, where, key))


def condition(where: str | None) -> Callable[[Any], bool] | None:
    """The condition of a live list, by name."""
    if where is None:
        return None
    if where == "tags":
        return lambda each: bool(each.tags.ids)
    return lambda each: holds(getattr(each, where))


def holds(label: Any) -> bool:
    """A condition that about half of all labels meet."""
    return len(str(label)) % 2 == 0


@step(2)
def close_live_list(turn: Turn) -> None:
    world, actor = turn.world, turn.actor
    if not actor.mirrors:
        return
    mirror = actor.mirrors.pop(turn.rng.randrange(len(actor.mirrors)))
    turn.say(f"close_live_list: {mirror.cls.__name__}")
    mirror.live.close()
    if not actor.follows(mirror.cls.__name__):
        world.phase.unsteady.add((actor.name, mirror.cls.__name__))


@step(2)
def watch_others(turn: Turn) -> None:
    world, actor = turn.world, turn.world.casual
    turn.actor = actor
    names = [each for each in world.kinds if turn.rng.random() < 0.6]
    turn.say(f"watch_others: {len(names)} kinds")
    changed = actor.watched.symmetric_difference(names)
    with allowing(turn):
        if turn.rng.random() < 0.5:
            changed = actor.watched.union(names)
            actor.stop_watching()
            actor.start_watching(names)
        else:
            # The new watch is opened before the old one is closed: kinds of both go on.
            old, actor.watch = actor.watch, None
            actor.watched = set()
            actor.start_watching(names)
            if old is not None:
                old.close()
    world.phase.unsteady |= {(actor.name, name) for name in changed}
