"""One database, served in four ways: with and without the extensions, relations in documents and apart."""

from __future__ import annotations

import itertools
import random
import shutil
import sqlite3
from contextlib import ExitStack
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pieces_orm
from pieces_orm import Session
from pieces_orm.errors import PiecesError
from pieces_orm.server import Settings
from pieces_orm.values import Model, SensitiveMetadata, Trigger

# Of each kind; some have more, because they come with others.
MATERIALS = 7
TEXTS = ("", "a", "ab", "Ab", "b", "é", "\U0001f600 a", "￿", "moon 'n\" tide", "%_\\")
DAY = datetime(2026, 1, 2, 3, 4, 5, 678, tzinfo=timezone.utc)
WAYS = tuple(itertools.product((True, False), repeat=2))


def fill(session: Session, rng: random.Random) -> None:
    """Create materials of all kinds with values that are often equal, and associate some."""
    made: dict[str, list[Any]] = {}

    def some(name: str, most: int = 2) -> list[Any]:
        return rng.sample(made[name], rng.randint(0, min(most, len(made[name]))))

    def maybe(name: str) -> Any:
        return rng.choice([None, *made[name]])

    def text() -> str:
        return rng.choice(TEXTS) or "x"

    def flag() -> bool | None:
        return rng.choice([True, False, None])

    def day() -> datetime | None:
        return rng.choice([None, DAY, DAY + timedelta(days=1), DAY + timedelta(microseconds=1)])

    seeds = {
        "tags": lambda: {"text": text(), "category": rng.choice([None, "HANDLE"])},
        "websites": lambda: {"url": f"https://{rng.choice('abc')}.example/", "name": text()},
        "persons": lambda: {"name": text(), "email": rng.choice([None, "a@example.com"])},
        "anchors": lambda: {"path": f"/{rng.choice('abcd')}", "watch": flag(), "name": rng.choice([None, "n"]),
                            "persons": some("persons")},
        "anchor_points": lambda: {"anchor": rng.choice(made["anchors"]), "fullpath": f"/p/{rng.choice('abc')}"},
        "assets": lambda: {"content": rng.choice([f"print({text()!r})", "# Tide\n", b"\x00\x01"]), "name": text(),
                           "language": rng.choice(["py", "js", "md", None]), "description": rng.choice([None, "d"]),
                           "tags": some("tags"), "websites": some("websites"), "persons": some("persons"),
                           "anchors": some("anchors")},
        "workstream_events": lambda: {"trigger": Trigger(copy=True), "readable": rng.choice([None, text()]),
                                      "tags": some("tags"), "persons": some("persons")},
        "summaries": lambda: {"name": text(), "model": Model("m", "m", "1", DAY, "SPEED", "OTHER", False),
                              "favorited": flag(), "assets": some("assets"), "tags": some("tags"),
                              "workstream_events": some("workstream_events")},
        "conversations": lambda: {"name": rng.choice([None, text()]), "favorited": flag(), "assets": some("assets"),
                                  "anchors": some("anchors")},
        "messages": lambda: {"text": text(), "conversation": rng.choice(made["conversations"]),
                             "role": rng.choice(["USER", "ASSISTANT"]), "tags": some("tags"),
                             "sentiment": rng.choice([None, "LIKE"])},
        "annotations": lambda: {"text": text(), "type": rng.choice(["COMMENT", "SUMMARY"]), "asset": maybe("assets"),
                                "person": maybe("persons"), "favorited": flag(), "tags": some("tags")},
        "hints": lambda: {"text": text(), "asset": maybe("assets")},
        "ranges": lambda: {"from_": day(), "to": day(), "between": flag(), "summary": maybe("summaries")},
        "sensitives": lambda: {"asset": rng.choice(made["assets"]), "text": text(), "name": text(), "description": "d",
                               "severity": rng.choice(["HIGH", "LOW"]), "metadata": SensitiveMetadata(entropy=1.5)},
        "shares": lambda: {"name": rng.choice([None, f"s{rng.randint(0, 2)}"]), "access": "PUBLIC"},
        "sources": lambda: {"readable": text(), "filter": flag(), "url": rng.choice([None, "https://a.example/"])},
        "source_windows": lambda: {"name": text(), "workstream_events": some("workstream_events")},
        "activities": lambda: {"event": {"asset": {"created": True}}, "asset": maybe("assets"),
                               "mechanism": rng.choice([None, "AUTOMATIC"])},
    }  # fmt: skip
    for name, seed in seeds.items():
        create = getattr(session, name).create
        made[name] = []
        for _ in range(MATERIALS):
            given = (rng.choice(made["assets"]),) if name == "shares" else ()
            made[name].append(create(*given, **{key: each for key, each in seed().items() if each is not None}))
    for owner, other in (("sources", "workstream_events"), ("sources", "websites"), ("persons", "websites"),
                         ("tags", "websites"), ("summaries", "messages"), ("anchors", "sources"), ("tags", "persons"),
                         ("assets", "messages"), ("source_windows", "tags"), ("ranges", "messages")):  # fmt: skip
        for each in made[owner]:
            each.associate(*some(other))
    for each in made["summaries"][:3]:
        each.children.add(*some("summaries", 1))
    for each in (*made["assets"][:4], *made["websites"][:3]):
        each.increment_score("reuse")


def make_equal(path: Path, rng: random.Random) -> None:
    """Let several materials have been created at the same moment."""
    with sqlite3.connect(path) as database:
        rows = database.execute("SELECT seq FROM material").fetchall()
        moments = [
            (DAY + timedelta(hours=rng.randint(0, 9))).isoformat(timespec="microseconds")[:-6] + "Z" for _ in rows
        ]
        database.executemany(
            "UPDATE material SET created = ? WHERE seq = ?", zip(moments, [seq for (seq,) in rows], strict=True)
        )
    database.close()


class World:
    """Sessions on the four servers, by (extensions, embed_relations), and the materials as they are."""

    def __init__(self, folder: Path, stack: ExitStack, seed: int) -> None:
        rng = random.Random(seed)
        first = folder / "first.db"
        with pieces_orm.embedded(first) as session:
            fill(session, rng)
        make_equal(first, rng)
        self.sessions: dict[tuple[bool, bool], Session] = {}
        for extensions, embed in WAYS:
            path = folder / f"{extensions}{embed}.db"
            shutil.copy(first, path)
            settings = Settings(extensions=extensions, embed_relations=embed)
            session = stack.enter_context(pieces_orm.embedded(path, settings=settings))
            assert session.application.id
            self.sessions[extensions, embed] = session
        reading = self.sessions[False, True]
        classes = [cls for cls in pieces_orm.Entity._registry.values() if cls.__module__.startswith("pieces_orm.")]
        self.rows = {
            cls: [row(each) for each in reading[cls].all(transferables=with_contents(reading, cls))] for cls in classes
        }


def with_contents(session: Session, cls: type[Any]) -> bool | None:
    """Return the argument that asks for contents, where there are some."""
    return True if "transferables" in cls._schema.kind.route("all").query else None


def row(entity: Any) -> dict[str, Any]:
    """Return a material as plain values: fields by name, relations as ids."""
    values: dict[str, Any] = {"id": entity.id}
    for name in entity._schema.fields:
        try:
            values[name] = getattr(entity, name)
        except PiecesError:
            values[name] = None
    for name, relation in entity._schema.relations.items():
        found = getattr(entity, name)
        values[name] = set(found.ids) if relation.is_many else {found.id} - {None} if found is not None else set()
    return values
