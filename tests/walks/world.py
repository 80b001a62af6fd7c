"""The world of one walk: a server, two sessions and another program, and a ledger of what they did."""

from __future__ import annotations

import random
import threading
from collections import Counter
from pathlib import Path
from typing import Any

from attrs import define, field

import pieces_orm
from pieces_orm import Entity
from pieces_orm.server import Server, Settings
from tests.transport.proxy import Proxy

from .actor import Actor, plain_base
from .materials import CLASSES, Key, Pair, pair_of, plain_value, wire_of
from .truth import Truth, read_document

STYLES = ("nested", "families")


@define
class Finding:
    """Something that does not hold: a cause, by which findings are grouped, and what was seen."""

    cause: str
    seen: str


@define
class Phase:
    """What was done since it was last quiet."""

    start: Truth
    writers: set[str] = field(factory=set)
    created: dict[Key, str] = field(factory=dict)
    deleted: dict[Key, str] = field(factory=dict)
    edits: Counter[tuple[str, Key, str]] = field(factory=Counter)
    # Of each pair: who changed it, and how often that had an effect.
    changes: dict[Pair, Counter[tuple[str, bool]]] = field(factory=dict)
    touched: set[Key] = field(factory=set)
    uncertain: set[object] = field(factory=set)
    expired: set[tuple[str, Key]] = field(factory=set)
    unsteady: set[tuple[str, str]] = field(factory=set)
    faulty: bool = False


class World:
    """Server, actors and ledger.

    Args:
        folder: for the database.
        style: "nested": relations stand in documents; "families": they are read apart.
        kinds: the names of the classes that are walked.
    """

    def __init__(self, folder: Path, style: str, kinds: list[str], rng: random.Random, *, scoped: bool = False) -> None:
        self.kinds = kinds
        self.style = style
        settings = Settings(embed_relations=style == "nested", batch_reads=rng.random() < 0.7)
        self.server = Server(folder / "walk.db", settings=settings)
        self.server.start()
        self.proxy = Proxy(self.server.url)
        self.program = pieces_orm.connect(self.server.url)
        self.keeper = Actor("keeper", self.server.url, keeps=True, scoped=scoped)
        self.casual = Actor("casual", self.proxy.url, keeps=False, scoped=scoped)
        self.actors = [self.keeper, self.casual]
        if scoped:
            self.actors.append(Actor("sibling", self.server.url, keeps=True, scoped=True, beside=self.keeper))
        self.story: list[str] = []
        self.findings: list[Finding] = []
        self.checks = 0
        self.steps = 0
        self.together = False
        # Materials by the order in which they were made, and those that were deleted.
        self.order: dict[Key, int] = {}
        self.gone: set[Key] = set()
        self.pairs: set[Pair] = set()
        self.expected: dict[tuple[Key, str], list[Any]] = {}
        # Materials whose document is being written: two programs that do so at once lose a change by the wire itself.
        self.writing: set[Key] = set()
        self.lock = threading.RLock()
        self.truth = Truth()
        self.phase = Phase(self.truth)

    def begin(self, rng: random.Random) -> None:
        """Watch, and hold what is there: the keeper all of it."""
        for actor in self.actors:
            if actor is not self.casual:
                actor.start_watching(list(CLASSES))
        self.casual.start_watching([each for each in self.kinds if rng.random() < 0.7])
        for actor in self.actors:
            actor.wait_live(10)
            for cls in CLASSES.values():
                for entity in actor.session[cls].all():
                    actor.accept(entity, hold=rng.random() < 0.5)

    # Ledger -----------------------------------------------------------------------------------------------------------

    def settle(self, truth: Truth) -> None:
        """Begin a new phase from what the server has."""
        made = sorted(truth.documents.keys() - self.order.keys(), key=lambda key: _age(truth, key))
        for key in made:
            self.order.setdefault(key, len(self.order))
        self.gone |= self.order.keys() - truth.documents.keys()
        self.truth, self.phase = truth, Phase(truth)
        self.pairs = truth.pairs()
        self.expected = {
            (key, name): values[-1:] if len(values) == 1 else []
            for (key, name), values in self.expected.items()
            if key in truth.documents and len(values) == 1
        }

    def label(self, key: Key) -> str:
        """A material as the story names it, the same in each replay."""
        return f"{key[0]}#{self.order.get(key, '?')}"

    def alive(self, *names: str) -> list[Key]:
        """The materials of some kinds that are there as far as the walk knows, oldest first."""
        with self.lock:
            wanted = set(names or self.kinds)
            return [key for key in self.order if key[0] in wanted and key not in self.gone]

    def made(self, actor: str, key: Key) -> None:
        """Enter a creation."""
        with self.lock:
            self.order.setdefault(key, len(self.order))
            self.phase.created[key] = actor
            self.wrote(actor, key)

    def removed(self, actor: str, key: Key) -> None:
        """Enter a deletion."""
        with self.lock:
            self.gone.add(key)
            if self.phase.deleted.setdefault(key, actor) != actor:
                self.unsure(key)  # whose deletion came first is not known
            self.pairs = {pair for pair in self.pairs if all((end[0], end[1]) != key for end in pair)}
            self.wrote(actor, key)

    def wrote(self, actor: str, *keys: Key) -> None:
        """Enter that an actor changed something."""
        with self.lock:
            self.phase.writers.add(actor)
            self.phase.touched.update(keys)

    def saved(self, actor: str, key: Key, name: str, value: Any, *, certain: bool = True) -> None:
        """Enter a saved edit; of one whose answer was lost, either value may be there."""
        with self.lock:
            plain = plain_value(value)
            before = self.expected.get((key, name)) if not certain else []
            if before is None:
                before = [plain_base(self.truth.documents.get(key), wire_of(key, name))]
            self.expected[key, name] = [*before, plain]
            if certain:
                self.phase.edits[actor, key, name] += 1
            else:
                self.phase.uncertain.add((key, name))
            self.wrote(actor, key)

    def related(self, actor: str, key: Key, relation: str, other: str, *, present: bool) -> None:
        """Enter an association, or that it was undone."""
        pair = pair_of(*key, relation, other)
        with self.lock:
            effective = (pair in self.pairs) is not present
            (self.pairs.add if present else self.pairs.discard)(pair)
            self.phase.changes.setdefault(pair, Counter())[actor, present] += effective
            self.wrote(actor, *((end[0], end[1]) for end in pair))

    def unsure(self, *about: object) -> None:
        """Enter that nobody knows what became of something."""
        with self.lock:
            self.phase.uncertain.update(about)

    def exists(self, key: Key) -> bool:
        """Ask the server whether a material is there."""
        return read_document(self.program, key) is not None

    # Outcome ----------------------------------------------------------------------------------------------------------

    def found(self, cause: str, seen: str) -> None:
        """Enter that something does not hold."""
        with self.lock:
            for key, number in self.order.items():
                seen = seen.replace(key[1], f"{key[0]}#{number}")
            self.findings.append(Finding(cause, seen))

    def check(self, holds: object, cause: str, seen: object = "") -> None:
        """Count a check, and enter it when it does not hold."""
        self.checks += 1
        if not holds:
            self.found(cause, seen() if callable(seen) else str(seen))

    def near(self, actor: Actor | None, rng: random.Random, cls: type[Entity]) -> Any:
        """A neighbour for a new material, as an actor's entity; None when there is none."""
        keys = self.alive(cls.__name__)
        if not keys:
            return None
        session = self.program if actor is None else actor.session
        return session[cls].ref(rng.choice(keys)[1])

    def close(self) -> None:
        """End everything."""
        for actor in self.actors:
            actor.close()
        self.program.close()
        self.proxy.thaw()
        self.proxy.refuse()
        self.server.stop()


def _age(truth: Truth, key: Key) -> tuple[Any, ...]:
    created = truth.documents[key].get("created") or {}
    return str(created.get("value") if isinstance(created, dict) else created), *key
