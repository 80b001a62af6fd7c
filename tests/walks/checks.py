"""What holds whenever it is quiet: each session knows what the server has, and nothing is held that nobody holds."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable
from typing import Any

from pieces_orm import Entity, RequestTimeout, State
from pieces_orm.model.record import known_ids

from .actor import Actor, Mirror, compact, plain_base
from .materials import CLASSES, EDITABLE, Key, wire_of
from .reading import holds
from .truth import Truth, at, read_truth, without_ageing
from .world import Finding, World

QUIET_S = 0.15
LONGEST_S = 15.0
# A state that is not yet reached is looked at again for so long.
CATCH_UP_S = 3.0

# Contents come with some answers and not with others.
_SOMETIMES = {"fragment", "file"}

Check = Callable[[World, Actor, Truth], None]


def quiesce(world: World) -> bool:
    """Wait until all streams are live and nothing is told or asked any more; False when that does not come."""
    world.server.faults.clear()
    world.proxy.delay = 0
    deadline = time.monotonic() + LONGEST_S
    try:
        for actor in world.actors:
            actor.wait_live(LONGEST_S)
    except RequestTimeout as error:
        world.found("quiet: a stream does not become live again", str(error))
        return False
    polls = {actor.name: actor.polls for actor in world.actors if actor.follows("WorkstreamEvent")}
    while True:
        latest = max(actor.active_at for actor in world.actors)
        # A poll that is under way began before; the next one sees everything.
        polled = all(actor.polls >= polls[actor.name] + 4 for actor in world.actors if actor.name in polls)
        if polled and time.monotonic() - latest > QUIET_S:
            return True
        if time.monotonic() > deadline:
            world.found("quiet: requests do not end", f"polled {polled}, still active after {LONGEST_S} s")
            return False
        time.sleep(0.01)


def check_until_in_step(
    world: World, checks: dict[str, Check], wanted: Callable[[list[Finding]], list[Finding]]
) -> Truth:
    """Check states until those hold that are wanted, or as long as is reasonable."""
    deadline = time.monotonic() + CATCH_UP_S
    earlier = list(world.findings)
    while True:
        truth = read_truth(world.program)
        world.findings = list(earlier)
        for check in checks.values():
            for actor in world.actors:
                check(world, actor, truth)
        if len(wanted(world.findings)) == len(wanted(earlier)) or time.monotonic() > deadline:
            return truth
        time.sleep(0.1)


# States ---------------------------------------------------------------------------------------------------------------


def check_states(world: World, actor: Actor, truth: Truth) -> None:
    """Each held entity is what the server has: there or deleted, and field by field."""
    for key, entity in actor.alive():
        follows = actor.follows(key[0])
        if key in truth.documents:
            world.check(
                entity.state is not State.DELETED, "states: DELETED though the server has it", f"{actor.name} {key}"
            )
            if follows and entity.state is State.LOADED:
                _check_document(world, actor, key, entity, truth)
        elif follows:
            cause = f"states: {entity.state.name} though it is gone ({'polled' if _is_polled(key) else 'streamed'})"
            world.check(entity.state is State.DELETED, cause, f"{actor.name} {key}")


def _is_polled(key: Key) -> bool:
    return "stream" not in CLASSES[key[0]]._schema.kind.routes


def _check_document(world: World, actor: Actor, key: Key, entity: Entity, truth: Truth) -> None:
    related = {relation.key for relation in entity._schema.relations.values()} | _SOMETIMES
    mine = without_ageing({name: each for name, each in entity.raw().items() if name not in related})
    theirs = without_ageing({name: each for name, each in truth.documents[key].items() if name not in related})
    for name in sorted(mine.keys() | theirs.keys()):
        same = compact(mine.get(name)) == compact(theirs.get(name))
        if not same:
            seen = f"{actor.name} {key}: {mine.get(name)!r}, not {theirs.get(name)!r}"
            world.check(same, f"states: {name} is old", seen)
    world.checks += len(mine)
    for name in EDITABLE.get(key[0], ()):
        if name not in entity.edits and name != "type":
            shown, there = getattr(entity, name), plain_base(truth.documents[key], wire_of(key, name))
            world.check(shown == there, f"states: {key[0]}.{name} shows an old value", f"{key}: {shown!r}, {there!r}")


def check_relations(world: World, actor: Actor, truth: Truth) -> None:
    """All ids that a held entity knows of a relation are the server's, in its order."""
    for key, entity in actor.alive():
        if key not in truth.documents or entity.state is not State.LOADED or not actor.follows(key[0]):
            continue
        for name, relation in entity._schema.relations.items():
            there, mine = truth.related.get((key, name)), known_ids(entity, relation)
            if there is None or mine is None:
                continue
            seen = f"{actor.name} {key}.{name}: {mine}, not {there}"
            where = _place_of(entity, relation)
            world.check(set(mine) == set(there), f"relations: {where} ids are not the server's", seen)
            if set(mine) == set(there):
                world.check(mine == there, f"relations: {where} ids are in another order", seen)


def _place_of(entity: Entity, relation: Any) -> str:
    """Where a relation stands: in the entity's document, or apart."""
    document = entity._state.document
    nested = document is not None and document.get(relation.wire) is not None
    return f"{'nested' if nested else 'left out'}, {'many' if relation.is_many else 'one'}:"


def check_descriptions(world: World, actor: Actor, truth: Truth) -> None:
    """The description of an asset is the text of its annotation."""
    for key, entity in actor.alive():
        if key[0] != "Asset" or key not in truth.documents or entity.state is not State.LOADED:
            continue
        if actor.follows("Asset") and actor.follows("Annotation") and "description" not in entity.edits:
            mine, there = entity.description, truth.description(key[1])
            world.check(
                mine == there, "descriptions: not the annotation's text", f"{actor.name} {key}: {mine}, {there}"
            )


# Edits ----------------------------------------------------------------------------------------------------------------


def check_edits(world: World, actor: Actor, truth: Truth) -> None:
    """The server has what was saved last; what was left unsaved is still there."""
    if actor is world.keeper:
        for (key, name), values in world.expected.items():
            if key in truth.documents and values:
                there = plain_base(truth.documents[key], wire_of(key, name))
                world.check(
                    there in values, f"edits: a saved {key[0]}.{name} is lost", f"{key}: {there!r} not {values}"
                )
    for (key, name), value in actor.left.items():
        if key in truth.documents and key not in world.gone:
            entity = actor.session[CLASSES[key[0]]].peek(key[1])
            edits = {} if entity is None else entity.edits
            cause = "edits: an unsaved edit is lost" + (" with its entity" if entity is None else "")
            world.check(edits.get(name) == value, cause, f"{actor.name} {key}.{name}: {edits} {value!r}")


# Live lists -----------------------------------------------------------------------------------------------------------


def check_live_lists(world: World, actor: Actor, truth: Truth) -> None:
    """A live list has the server's ids in its order, and its events lead to the same rows."""
    for mirror in actor.mirrors:
        name = f"{actor.name} live {mirror.cls.__name__} by {mirror.key} where {mirror.where}"
        entities = mirror.live.snapshot()
        ids = [each.id for each in entities]
        # Where one with an unsaved edit stands is decided again when it is saved or reverted.
        edited = {key[1] for key, field in actor.left if field in (mirror.key, mirror.where)}
        expected = {id for id in truth.ids(mirror.cls.__name__) if _is_wanted(mirror, truth, id)}
        missing, extra = expected - set(ids) - edited, set(ids) - expected - edited
        by_relation = " (by relation)" if mirror.where == "tags" else ""
        world.check(not missing, f"live: some are missing{by_relation}", f"{name}: {sorted(missing)}")
        world.check(not extra, f"live: some are too many{by_relation}", f"{name}: {sorted(extra)}")
        world.check(mirror.rows == ids, "live: its events lead to other rows", f"{name}: {mirror.rows}, {ids}")
        world.check(not mirror.problems, "live: an event names another entity", f"{name}: {mirror.problems}")
        _check_order(world, mirror, truth, [id for id in ids if id not in edited], name)


def _is_wanted(mirror: Mirror, truth: Truth, id: str) -> bool:
    if mirror.where is None:
        return True
    key = (mirror.cls.__name__, id)
    if mirror.where == "tags":
        return bool(truth.related.get((key, "tags")))
    return holds(at(truth.documents[key], wire_of(key, mirror.where)))


def _check_order(world: World, mirror: Mirror, truth: Truth, ids: list[str], name: str) -> None:
    cls = mirror.cls.__name__
    path = "created.value" if mirror.key is None else wire_of((cls, ""), mirror.key)
    values = [at(truth.documents[cls, id], path) for id in ids if (cls, id) in truth.documents]
    keys = [(value is None, value or "") for value in values]
    world.check(keys == sorted(keys, reverse=mirror.key is None), "live: not in order", f"{name}: {values}")


# Memory ---------------------------------------------------------------------------------------------------------------


def check_memory(world: World, actor: Actor, truth: Truth) -> None:
    """An entity that nobody holds is gone, unless it has edits."""
    if actor.keeps:
        return
    gc.collect()
    listed = {mirror.cls.__name__ for mirror in actor.mirrors}
    reconcilers = getattr(actor.session._context.watching, "_reconcilers", {})
    # An entity is held for as long as the echo of a write is expected that its document is compared with.
    expected = {id for each in reconcilers.values() for id in each.known._writes}
    edited = {key for key, _ in actor.left}
    for key in truth.documents:
        if key[0] not in listed and key not in edited and key not in actor.held:
            found = actor.session[CLASSES[key[0]]].peek(key[1])
            kept = found is not None and not found.edits
            world.check(
                not kept or key[1] in expected, "memory: an entity that nobody holds is kept", f"{actor.name} {key}"
            )
            del found
