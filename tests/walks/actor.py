"""One session of a walk: what it holds, watches and has heard."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable
from typing import Any

from attrs import define

import pieces_orm
from pieces_orm import Entity, Session, State

from .materials import CLASSES, Key
from .truth import at

SIGNALS = ("created", "changed", "deleted", "associated", "disassociated")
# The polls of the one kind without a stream never end, and read the same again for a while.
POLLED = "/workstream_events/"


@define(frozen=True)
class Told:
    """One signal, as ids: a log must hold no entity."""

    signal: str
    cls: str
    id: str
    origin: str
    fields: frozenset[str] | None = None
    before: tuple[tuple[str, Any], ...] = ()
    relation: str = ""
    other: str = ""

    @property
    def key(self) -> Key:
        return self.cls, self.id

    def __str__(self) -> str:
        about = f".{self.relation} {self.other}" if self.relation else ""
        fields = "" if self.signal != "changed" else f" {sorted(self.fields) if self.fields is not None else None}"
        return f"{self.signal} {self.cls} {self.id}{about}{fields} {self.origin}"


class Mirror:
    """A live list, and the rows that a widget has after applying its events by index; ids only."""

    def __init__(self, live: Any, cls: type[Entity], where: str | None, key: str | None) -> None:
        self.live, self.cls, self.where, self.key = live, cls, where, key
        self.problems: list[str] = []
        self._receivers = [self._inserted, self._removed, self._moved, self._changed]
        self.rows: list[str] = [each.id for each in live.snapshot()]
        for name in ("inserted", "removed", "moved", "changed"):
            getattr(live, name).connect(getattr(self, f"_{name}"))

    def _inserted(self, sender: Any, index: int, entity: Entity, **_: Any) -> None:
        self.rows.insert(index, entity.id)

    def _removed(self, sender: Any, index: int, entity: Entity, **_: Any) -> None:
        self._take(index, entity, "removed")

    def _moved(self, sender: Any, index: int, before: int, entity: Entity, **_: Any) -> None:
        self._take(before, entity, "moved")
        self.rows.insert(index, entity.id)

    def _changed(self, sender: Any, index: int, entity: Entity, **_: Any) -> None:
        if self.rows[index : index + 1] != [entity.id]:
            self.problems.append(f"changed at {index} names another than is there")

    def _take(self, index: int, entity: Entity, event: str) -> None:
        if self.rows[index : index + 1] != [entity.id]:
            self.problems.append(f"{event} at {index} names another than is there")
        del self.rows[index : index + 1]


class Actor:
    """A session with what the walk knows of it.

    Args:
        name: in the story of the walk.
        url: of its server, or of a proxy in front of it.
        keeps: whether it holds everything that it is told of, and watches all kinds: then all can be demanded of it.
    """

    def __init__(self, name: str, url: str, *, keeps: bool, scoped: bool = False, beside: Actor | None = None) -> None:
        self.name = name
        self.keeps = keeps
        self.log: list[Told] = []
        # Where the log of this phase begins.
        self.mark = 0
        self.held: dict[Key, Entity] = {}
        # Edits left unsaved, as values; and those that the entity had before them, as documents have them.
        self.left: dict[tuple[Key, str], Any] = {}
        self.mirrors: list[Mirror] = []
        self.watch: Any = None
        self.watched: set[str] = set()
        self.problems: list[tuple[str, str]] = []
        self.active_at = time.monotonic()
        self.polls = 0
        # Relations whose ids it knew when the phase began.
        self.knew: set[tuple[Key, str]] = set()
        self._lock = threading.Lock()
        # Streams and polls are those of the session that watches; a scoped actor is a scope of it.
        self.watching: Session = pieces_orm.connect(url, timeout=(3.05, 10)) if beside is None else beside.watching
        self.session: Session = self.watching.scope() if scoped else self.watching
        self._receivers = [self._receiver(each) for each in SIGNALS]
        for signal, receiver in zip(SIGNALS, self._receivers, strict=True):
            getattr(self.session.signals, signal).connect(receiver)
        for each in {self.session, self.watching}:
            each.signals.requested.connect(self._requested)

    def _receiver(self, signal: str) -> Callable[..., None]:
        def receive(sender: Any, *, entity: Entity, origin: str, **about: Any) -> None:
            before = about.get("before") or {}
            other = about["other"].id if "other" in about else ""
            told = Told(
                signal, sender.__name__, entity.id, origin, about.get("fields"), tuple(before.items()),
                about.get("relation", ""), other,
            )  # fmt: skip
            with self._lock:
                self.log.append(told)
            self.active_at = time.monotonic()
            if self.keeps and signal in ("created", "changed"):
                self.accept(entity)

        return receive

    def _requested(self, _: Any, *, path: str, **about: Any) -> None:
        if path.startswith(POLLED):
            self.polls += path.startswith("/workstream_events/identifiers")
        else:
            self.active_at = time.monotonic()

    # Entities ---------------------------------------------------------------------------------------------------------

    def accept(self, entity: Entity, *, hold: bool = True) -> Entity:
        """Check that an entity that came from anywhere is the one that is held, and hold it."""
        key = (type(entity).__name__, entity.id)
        held = self.held.get(key)
        # Of one that is gone there may be a new handle; that it is gone from the server is checked for itself.
        if held is not None and held is not entity and held.state is not State.DELETED:
            states = f"held {held.state.name}, given {entity.state.name}"
            self.problems.append((f"identity: a second object of one material ({states})", f"{key}"))
        if hold or self.keeps:
            self.held[key] = entity
        return entity

    def entity(self, key: Key, rng: random.Random, *, loaded: bool = False) -> Entity:
        """The entity of a material: as held, from a read, or (for commands) a handle."""
        held = self.held.get(key)
        if held is not None and held.state is not State.DELETED and rng.random() < 0.8:
            return held
        collection = self.session[CLASSES[key[0]]]
        if not loaded and rng.random() < 0.3:
            return self.accept(collection.ref(key[1]), hold=False)
        return self.accept(collection.get(key[1]), hold=rng.random() < 0.6)

    def alive(self) -> list[tuple[Key, Entity]]:
        """What is held, as it is at this moment."""
        return list(self.held.items())

    # Watching ---------------------------------------------------------------------------------------------------------

    def follows(self, cls_name: str) -> bool:
        """Whether it is told of changes of a kind."""
        return cls_name in self.watched or any(each.cls.__name__ == cls_name for each in self.mirrors)

    def start_watching(self, names: list[str]) -> None:
        """Watch some kinds, those that can be watched."""
        kinds = [CLASSES[name] for name in names if is_watchable(CLASSES[name])]
        if kinds:
            self.watch = self.watching.watch(*kinds)
            self.watched = {cls.__name__ for cls in kinds}

    def stop_watching(self) -> None:
        """Close the watch."""
        if self.watch is not None:
            self.watch.close()
        self.watch, self.watched = None, set()

    def wait_live(self, seconds: float) -> None:
        """Wait until everything that is watched is live."""
        if self.watch is not None:
            self.watch.wait_live(seconds)
        for mirror in self.mirrors:
            mirror.live.wait_live(seconds)

    def close(self) -> None:
        """End the session."""
        self.session.close()
        self.watching.close()
        self.held.clear()
        self.mirrors.clear()


def is_watchable(cls: type[Entity]) -> bool:
    """Whether the wire can stream or list a kind."""
    return "stream" in cls._schema.kind.routes or "ids" in cls._schema.kind.routes


def plain_base(document: dict[str, Any] | None, wire: str) -> Any:
    """The value of a field in a document, without the keys that say nothing."""
    return compact(at(document, wire))


def compact(value: Any) -> Any:
    """Plain data without null values."""
    if isinstance(value, dict):
        return {name: compact(each) for name, each in value.items() if each is not None}
    return value
