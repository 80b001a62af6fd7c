"""Steps of a session that create, delete and edit."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from pieces_orm import ConflictError, Entity, PiecesError

from . import materials
from .actor import Actor, plain_base
from .materials import CLASSES, EDITABLE, ENDPOINT_FIELDS, Key
from .steps import Turn, allowing, step
from .truth import read_document
from .world import World


@step(14)
def create(turn: Turn) -> None:
    world, actor = turn.world, turn.actor
    cls = CLASSES[turn.kind or turn.rng.choice(world.kinds)]
    given = materials.arguments(cls, turn.rng, lambda other: world.near(actor, turn.rng, other))
    if given is None:
        return
    turn.say(f"create: {cls.__name__}")
    with allowing(turn, *_named_in(given), writes=True):
        made = actor.session[cls].create(*given[0], **given[1])
        key = (cls.__name__, made.id)
        world.made(actor.name, key)
        world.wrote(actor.name, *_named_in(given))
        actor.accept(made, hold=turn.rng.random() < 0.6)
        turn.say(f"create: {world.label(key)}")


def _named_in(given: materials.Given) -> list[Key]:
    values = [*given[0], *given[1].values()]
    return [(type(each).__name__, each.id) for each in values if isinstance(each, Entity)]


@step(4)
def delete(turn: Turn) -> None:
    world, actor = turn.world, turn.actor
    key = turn.key()
    if key is None or key[0] == "Format" or len(world.alive(key[0])) < 2:
        return
    turn.say(f"delete: {world.label(key)}")
    with allowing(turn, key, writes=True):
        was_there = world.together or world.exists(key)
        actor.entity(key, turn.rng).delete()
        world.removed(actor.name, key)
        # Deleting what is gone may count as done.
        if not was_there:
            world.unsure(key)
        actor.left = {(each, name): value for (each, name), value in actor.left.items() if each != key}


# Fields -------------------------------------------------------------------------------------------------------------


@step(14)
def edit_and_save(turn: Turn) -> None:
    world, actor = turn.world, turn.actor
    key = turn.key(*EDITABLE)
    if key is None:
        return
    with writing_alone(world, key) as alone, allowing(turn, key, writes=True):
        if alone:
            entity = actor.entity(key, turn.rng)
            name = turn.rng.choice(EDITABLE[key[0]])
            turn.say(f"edit_and_save: {world.label(key)}.{name}")
            _set(actor, key, entity, name, turn.rng.randrange(1000))
            _save(turn, key, entity)


@contextmanager
def writing_alone(world: World, key: Key) -> Iterator[bool]:
    """Whether nobody else writes this document at the moment: then a loss would be the wire's own."""
    with world.lock:
        alone = key not in world.writing
        if alone:
            world.writing.add(key)
    try:
        yield alone
    finally:
        if alone:
            with world.lock:
                world.writing.discard(key)


def _set(actor: Actor, key: Key, entity: Entity, name: str, number: int) -> None:
    value = materials.value_of(name, number)
    setattr(entity, name, value)
    if name in entity.edits:
        actor.left[key, name] = value
    else:
        actor.left.pop((key, name), None)


def _save(turn: Turn, key: Key, entity: Entity) -> None:
    world, actor, edits = turn.world, turn.actor, dict(entity.edits)
    names = [name for name in edits if name not in ENDPOINT_FIELDS or key[0] != "Asset"]
    bases = {name: entity._state.pending()[name].base for name in names}
    fresh = read_document(world.program, key) if not world.together else None
    try:
        try:
            sent = entity.save()
        except ConflictError as error:
            if fresh is not None and not world.phase.faulty:
                _check_conflict(turn, key, error, fresh)
            if turn.rng.random() < 0.5:
                turn.say(f"save: {world.label(key)} overwrites {sorted(error.mine)}")
                sent = entity.save(overwrite=True)
            else:
                turn.say(f"save: {world.label(key)} gives up {sorted(error.mine)}")
                entity.revert()
                sent = frozenset()
        else:
            if fresh is not None and not world.phase.faulty:
                _check_no_conflict(turn, key, bases, edits, fresh)
    except PiecesError:
        for name in names:
            world.saved(actor.name, key, name, edits[name], certain=False)
        raise
    for name in sent & set(names):
        world.saved(actor.name, key, name, edits[name])
    _forget(actor, key, entity)


def _forget(actor: Actor, key: Key, entity: Entity) -> None:
    """What an entity has no edit of any more is not left unsaved."""
    edits = entity.edits
    actor.left = {each: value for each, value in actor.left.items() if each[0] != key or each[1] in edits}


def _check_conflict(turn: Turn, key: Key, error: ConflictError, fresh: dict[str, Any]) -> None:
    for name in error.mine:
        if name in EDITABLE.get(key[0], ()):
            theirs = plain_base(fresh, materials.wire_of(key, name))
            base = materials.plain_value(error.base[name])
            turn.world.check(
                theirs != base, f"conflict: raised though nobody changed {key[0]}.{name}", f"{turn.said} {error}"
            )


def _check_no_conflict(
    turn: Turn, key: Key, bases: dict[str, Any], edits: dict[str, Any], fresh: dict[str, Any]
) -> None:
    for name, base in bases.items():
        theirs = plain_base(fresh, materials.wire_of(key, name))
        ok = theirs in (materials.plain_value(base), materials.plain_value(edits[name]))
        turn.world.check(ok, f"conflict: another's {key[0]}.{name} was overwritten unasked", turn.said)


@step(4)
def edit_and_leave(turn: Turn) -> None:
    world, actor = turn.world, turn.actor
    key = turn.key(*EDITABLE)
    if key is None:
        return
    name = turn.rng.choice(EDITABLE[key[0]])
    turn.say(f"edit_and_leave: {world.label(key)}.{name}")
    with allowing(turn, key):
        _set(actor, key, actor.entity(key, turn.rng), name, turn.rng.randrange(1000))


@step(4)
def save_what_is_left(turn: Turn) -> None:
    world, actor = turn.world, turn.actor
    keys = sorted({key for key, _ in actor.left if key not in world.gone}, key=lambda key: world.order.get(key, 0))
    if not keys:
        return
    key = turn.rng.choice(keys)
    turn.say(f"save_what_is_left: {world.label(key)}")
    with writing_alone(world, key) as alone, allowing(turn, key, writes=True):
        if alone:
            entity = actor.session[CLASSES[key[0]]].peek(key[1])
            world.check(entity is not None, "edits: an entity with edits was not held", turn.said)
            if entity is not None:
                _save(turn, key, actor.accept(entity))


@step(2)
def revert(turn: Turn) -> None:
    world, actor = turn.world, turn.actor
    keys = sorted({key for key, _ in actor.left if key not in world.gone}, key=lambda key: world.order.get(key, 0))
    if not keys:
        return
    key = turn.rng.choice(keys)
    turn.say(f"revert: {world.label(key)}")
    entity = actor.session[CLASSES[key[0]]].peek(key[1])
    if entity is not None:
        entity.revert()
        _forget(actor, key, entity)
        world.check(entity.edits == {}, "edits: revert() left some", turn.said)


@step(4)
def edit_asset_contents(turn: Turn) -> None:
    """Text, language and description have routes of their own."""
    world, actor = turn.world, turn.actor
    key = turn.key("Asset")
    if key is None:
        return
    name = turn.rng.choice(ENDPOINT_FIELDS)
    value = turn.rng.choice(["js", "txt", "py"]) if name == "language" else f"{name} {turn.rng.randrange(1000)}"
    turn.say(f"edit_asset_contents: {world.label(key)}.{name}")
    with writing_alone(world, key) as alone, allowing(turn, key, writes=True):
        if not alone:
            return
        entity = actor.entity(key, turn.rng)
        setattr(entity, name, value)
        world.wrote(actor.name, key)
        describing = read_document(world.program, key) if not world.together else None
        try:
            entity.save()
        except ConflictError as error:
            # A description that another program changed meanwhile is a conflict; one's own is none.
            if name in error.mine and world.phase.writers <= {actor.name} and describing is not None:
                world.found(f"conflict: raised though nobody changed Asset.{name}", f"{turn.said} {error}")
            entity.save(overwrite=True)
        finally:
            entity.revert(name)
            world.unsure(key)
            if name == "description":
                # It is the text of an annotation, of which nothing can be demanded now.
                texts = [(each, "text") for each in world.alive("Annotation")]
                world.unsure(*texts)
                world.expected = {each: values for each, values in world.expected.items() if each not in texts}
        _forget(actor, key, entity)


@step(6)
def score(turn: Turn) -> None:
    world, actor = turn.world, turn.actor
    key = turn.key(*(name for name in world.kinds if CLASSES[name]._schema.kind.score))
    if key is None:
        return
    turn.say(f"score: {world.label(key)}")
    with allowing(turn, key, writes=True):
        actor.entity(key, turn.rng).increment_score("reuse")
        with world.lock:
            world.phase.edits[actor.name, key, "score"] += 1
        world.wrote(actor.name, key)
