"""Steps of another program: raw requests, which know nothing of entities."""

from __future__ import annotations

import json
from typing import Any

from pieces_orm import PiecesError
from pieces_orm.documents import decoding
from pieces_orm.wire.associations import association

from . import materials
from .materials import CLASSES, EDITABLE
from .reading import pick_related
from .steps import Turn, step
from .truth import fill, read_document
from .world import World
from .writing import writing_alone

NAME = "program"


def _say(turn: Turn, what: str) -> None:
    turn.said = f"{NAME} {what}"


def _send(world: World, method: str, path: str, body: Any = None) -> bytes | None:
    """What was answered; None for an error, which may be another's doing."""
    try:
        return world.program.request(method, path, body=body)
    except PiecesError:
        return None


@step(12)
def other_creates(turn: Turn) -> None:
    world = turn.world
    cls = CLASSES[turn.kind or turn.rng.choice(world.kinds)]
    given = materials.arguments(cls, turn.rng, lambda other: world.near(None, turn.rng, other))
    if given is None:
        return
    _say(turn, f"creates: {cls.__name__}")
    kind, make = cls._schema.kind, cls._seed
    seed = make(world.program._context, *given[0], **given[1])
    data = _send(world, "POST", kind.route("create").path, decoding.encode_given(seed.body))
    if data is None:
        world.wrote(NAME)
        return
    answer = json.loads(data)
    made = answer["iterable"][0] if kind.route("create").answer == "collection" else answer
    world.made(NAME, (cls.__name__, made["id"]))
    _say(turn, f"creates: {world.label((cls.__name__, made['id']))}")


@step(10)
def other_edits(turn: Turn) -> None:
    world = turn.world
    key = turn.key(*EDITABLE)
    if key is None:
        return
    name = turn.rng.choice(EDITABLE[key[0]])
    value = materials.value_of(name, turn.rng.randrange(1000))
    _say(turn, f"edits: {world.label(key)}.{name}")
    with writing_alone(world, key) as alone:
        document = read_document(world.program, key) if alone else None
        if document is None:
            return
        document[materials.wire_of(key, name)] = materials.plain_value(value)
        sent = _send(world, "POST", CLASSES[key[0]]._schema.kind.route("update").path, document)
        world.saved(NAME, key, name, value, certain=sent is not None)


@step(4)
def other_deletes(turn: Turn) -> None:
    world = turn.world
    key = turn.key()
    if key is None or key[0] == "Format" or len(world.alive(key[0])) < 2:
        return
    _say(turn, f"deletes: {world.label(key)}")
    world.removed(NAME, key)
    if _send(world, "POST", fill(CLASSES[key[0]]._schema.kind.route("delete").path, key[1])) is None:
        world.unsure(key)


@step(4)
def other_scores(turn: Turn) -> None:
    world = turn.world
    key = turn.key(*(name for name in world.kinds if CLASSES[name]._schema.kind.score))
    if key is None:
        return
    _say(turn, f"scores: {world.label(key)}")
    kind = CLASSES[key[0]]._schema.kind
    world.wrote(NAME, key)
    _send(world, "POST", fill(kind.route("score").path, key[1]), {kind.score: {"reuse": True}})
    with world.lock:
        world.phase.edits[NAME, key, "score"] += 1


@step(10)
def other_associates(turn: Turn) -> None:
    _relate(turn, present=True)


@step(6)
def other_disassociates(turn: Turn) -> None:
    _relate(turn, present=False)


def _relate(turn: Turn, *, present: bool) -> None:
    world = turn.world
    picked = pick_related(turn, present=present)
    if picked is None:
        return
    key, relation, other = picked
    verb = "associate" if present else "disassociate"
    _say(turn, f"{verb}s: {world.label(key)}.{relation} {world.label(other)}")
    row, ids = association(CLASSES[key[0]]._schema.kind, relation), (key[1], other[1])
    if row is None:
        declared = CLASSES[key[0]]._schema.relations[relation]
        row, ids = association(declared.target._schema.kind, declared.back or ""), (other[1], key[1])
    assert row is not None
    body = dict(zip(row.roles, ids, strict=True)) if row.roles and present else None
    if _send(world, "POST", fill(row.path(verb), *ids), body) is None:
        world.unsure(key, other, materials.pair_of(*key, relation, other[1]))
    world.related(NAME, key, relation, other[1], present=present)
