"""Random queries, each beside plain Python that says what it finds."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from attrs import frozen

from pieces_orm import Anchor, AnchorPoint, Entity, Person, Session, Tag, Website, filters
from pieces_orm.query.query import Query
from pieces_orm.values import OpenEnum

from .world import World

Row = dict[str, Any]
Test = Callable[[Row], bool]
ORDERED = (str, bool, int, float, datetime)


@frozen
class Case:
    """One query and what it finds.

    Attributes:
        ask: make the query on a session.
        ids: of what it finds, in order.
        text: the query, for people.
    """

    ask: Callable[[Session], Query[Any]]
    ids: tuple[str, ...]
    text: str


def case(world: World, rng: random.Random) -> Case:
    """Make a random query."""
    cls = rng.choice(list(world.rows))
    rows = world.rows[cls]
    names = [*cls._schema.fields, *cls._schema.relations]
    given = {name: _condition(world, rng, cls, name) for name in rng.sample(names, rng.choice((0, 1, 1, 1, 2, 2, 3)))}
    found = [row for row in rows if all(test(row) for _, test in given.values())]
    predicate = rng.random() < 0.1
    if predicate:
        found = [row for row in found if row["id"] < "8"]
    possible = [spec.name for spec in cls._schema.fields.values() if spec.types and issubclass(spec.types[0], ORDERED)]
    keys = rng.sample([*possible, "id"], rng.choice((0, 0, 1, 1, 2, 3)))
    keys = [f"{rng.choice(('', '-'))}{key}" for key in keys]
    in_order(found, keys)
    start, stop = rng.choice(((0, None), (0, None), (0, 1), (0, 3), (1, 4), (2, None)))

    def ask(session: Session) -> Query[Any]:
        conditions = {name: value(session) for name, (value, _) in given.items()}
        # In one call or one after another: it is the same.
        query = session[cls].query(**conditions)
        query = query.where(lambda entity: entity.id < "8") if predicate else query
        query = query.order_by(*keys) if keys else query
        return query if (start, stop) == (0, None) else query[start:stop]

    text = f"{cls.__name__} {list(given)} {keys} {start}:{stop}"
    return Case(ask, tuple(row["id"] for row in found[start:stop]), text)


def in_order(found: list[Row], keys: list[str]) -> None:
    """Sort in place, from the last key to the first."""
    found.sort(key=lambda row: row["id"])
    found.sort(key=lambda row: row["created"], reverse=True)
    for key in reversed(keys):
        name = key.removeprefix("-")
        known = sorted(
            (row for row in found if row[name] is not None), key=lambda row: row[name], reverse=key[0] == "-"
        )
        found[:] = [*known, *(row for row in found if row[name] is None)]


# Conditions -----------------------------------------------------------------------------------------------------------


def _condition(world: World, rng: random.Random, cls: type[Entity], name: str) -> tuple[Callable[[Session], Any], Test]:
    """Make a condition: its value on a session, and the test that it stands for."""
    make = _of_relation if name in cls._schema.relations else _of_field
    value, test = make(world, rng, cls, name)
    how = rng.random()
    if how < 0.15:
        return lambda session: filters.is_not(value(session)), lambda row: not test(row)
    if how < 0.3:
        other, other_test = make(world, rng, cls, name)
        join = rng.choice((filters.any_of, filters.one_of))
        return lambda session: join(value(session), other(session)), lambda row: test(row) or other_test(row)
    return value, test


def _of_field(world: World, rng: random.Random, cls: type[Entity], name: str) -> tuple[Callable[[Session], Any], Test]:
    spec = cls._schema.fields[name]
    pool = [row[name] for row in world.rows[cls] if row[name] is not None]
    optional = spec.optional
    known = rng.choice(pool) if pool else None
    forms = ["is"] * bool(pool) + ["none"] * optional
    if spec.types == (str,):
        forms += ["contains", "startswith", "other"]
    if spec.types in ((datetime,), (int,)):
        forms += ["after", "before", "between"]
        step: Any = timedelta(seconds=rng.choice((0, 0, 1, 3600))) if spec.types == (datetime,) else rng.choice((0, 1))
        bound = world.rows[cls][0]["created"] if spec.types == (datetime,) else 1
        bound = (bound if known is None else known) + step
    form = rng.choice(forms or ["is"])
    if form == "after":
        return lambda _: filters.after(bound), lambda row: row[name] is not None and row[name] > bound
    if form == "before":
        return lambda _: filters.before(bound), lambda row: row[name] is not None and row[name] < bound
    if form == "between":
        last = bound + step
        return (lambda _: filters.between(bound, last),
                lambda row: row[name] is not None and bound <= row[name] <= last)  # fmt: skip
    if form in ("contains", "startswith"):
        text = (known or "a")[: rng.randint(0, 3)]
        if form == "contains":
            return lambda _: filters.contains(text), lambda row: row[name] is not None and text in row[name]
        return lambda _: filters.startswith(text), lambda row: row[name] is not None and row[name].startswith(text)
    value = {"none": None, "other": "rb" if name == "language" else "https://nothing.example/"}.get(form, known)
    if value is None and not optional:
        value = (
            spec.types[0]("OTHER") if spec.types and issubclass(spec.types[0], OpenEnum) else world.rows[cls][0][name]
        )
    shown = str(value) if isinstance(value, OpenEnum) and rng.random() < 0.5 else value
    return lambda _: shown, lambda row: row[name] == value


def _of_relation(
    world: World, rng: random.Random, cls: type[Entity], name: str
) -> tuple[Callable[[Session], Any], Test]:
    target: Any = cls._schema.relations[name].target
    used = sorted({id for row in world.rows[cls] for id in row[name]})
    id = rng.choice(used or [row["id"] for row in world.rows[target]])
    form = rng.choice(("id", "entity", "key", "key", "none"))
    keys = keys_of(world, target)
    if form == "none":
        return lambda _: None, lambda row: not row[name]
    if form == "key" and keys:
        key = rng.choice(
            [*(key for key, ids in keys.items() if id in ids), *list(keys)[:1], "https://nowhere.example/"]
        )
        return lambda _: key, lambda row: bool(row[name] & keys.get(key, set()))
    if form == "entity":
        return lambda session: session[target].ref(id), lambda row: id in row[name]
    return lambda _: id, lambda row: id in row[name]


def keys_of(world: World, cls: type[Entity]) -> dict[str, set[str]]:
    """Return the ids of materials by natural key; empty for kinds without."""
    keys: dict[str, set[str]] = {}
    for row in world.rows[AnchorPoint if cls is Anchor else cls]:
        if cls is Tag:
            keys.setdefault(row["text"], set()).add(row["id"])
        elif cls is Website:
            keys.setdefault(row["url"], set()).add(row["id"])
        elif cls is Anchor:
            keys.setdefault(row["fullpath"], set()).update(row["anchor"])
        elif cls is Person:
            for key in (row["type"].basic.name, row["type"].basic.email):
                if key is not None:
                    keys.setdefault(key, set()).add(row["id"])
    return keys
