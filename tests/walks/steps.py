"""The steps of a walk. Each draws everything from its own number, so that a list of steps can be replayed."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from attrs import define

from pieces_orm import (
    Asset,
    BatchError,
    ConflictError,
    DecodeError,
    Entity,
    NotFoundError,
    PiecesError,
    State,
    StateError,
    TransportError,
)

from . import materials
from .actor import Actor, Mirror, is_watchable, plain_base
from .materials import CLASSES, EDITABLE, ENDPOINT_FIELDS, Key
from .truth import read_document
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


# Creating and deleting ----------------------------------------------------------------------------------------------


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
    with _writing_alone(world, key) as alone, allowing(turn, key, writes=True):
        if alone:
            entity = actor.entity(key, turn.rng)
            name = turn.rng.choice(EDITABLE[key[0]])
            turn.say(f"edit_and_save: {world.label(key)}.{name}")
            _set(actor, key, entity, name, turn.rng.randrange(1000))
            _save(turn, key, entity)


@contextmanager
def _writing_alone(world: World, key: Key) -> Iterator[bool]:
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
    with _writing_alone(world, key) as alone, allowing(turn, key, writes=True):
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
    with _writing_alone(world, key) as alone, allowing(turn, key, writes=True):
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
            world.unsure(key, *((each, "text") for each in world.alive("Annotation") if name == "description"))
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
    world.phase.unsteady |= {(actor.name, name) for name in actor.watched.symmetric_difference(names)}
    with allowing(turn):
        if turn.rng.random() < 0.5:
            actor.stop_watching()
            actor.start_watching(names)
        else:
            # The new watch is opened before the old one is closed: kinds of both go on.
            old, actor.watch = actor.watch, None
            actor.watched = set()
            actor.start_watching(names)
            if old is not None:
                old.close()
