"""A walk: phases of steps, with everything checked whenever it is quiet; replayable, and shrunk when it fails."""

from __future__ import annotations

import logging
import random
import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from attrs import define, field, frozen

from pieces_orm import PiecesError, State
from pieces_orm.sync import feed
from pieces_orm.transport import backoff

from . import checks, faults, logs, other_program
from . import upserting as _upserting  # noqa: F401 enters its steps
from .actor import Actor
from .materials import CLASSES
from .steps import STEPS, Turn
from .truth import Truth, read_truth
from .world import STYLES, Finding, World

# Those of states are looked at again until they hold; those of logs need no patience.
STATE_CHECKS: dict[str, checks.Check] = {
    "states": checks.check_states,
    "relations": checks.check_relations,
    "descriptions": checks.check_descriptions,
    "edits": checks.check_edits,
    "live": checks.check_live_lists,
    "memory": checks.check_memory,
}
LOG_CHECKS: dict[str, checks.Check] = {
    "order": logs.check_order,
    "completeness": logs.check_completeness,
    "origins": logs.check_origins,
    "fields": logs.check_fields,
    "pairs": logs.check_pairs,
}
# Found on the way.
OTHER_CHECKS = ("identity", "conflict", "error", "nested", "threads", "quiet", "log")
ALL_CHECKS = (*STATE_CHECKS, *LOG_CHECKS, *OTHER_CHECKS)
QUIET = "quiet"
FAULTS = tuple(name for name, (_, function) in STEPS.items() if function.__module__ == faults.__name__)
OTHERS = tuple(name for name, (_, function) in STEPS.items() if function.__module__ == other_program.__name__)
# Live lists are a session's.
LIVE_LISTS = ("open_live_list", "close_live_list")
THREADS = "pieces_orm"
# Steps of a walk, and those between two quiet moments.
LENGTH, PHASE = 90, 15


@frozen
class Options:
    """What is walked: of the two styles one or both, steps, checks and kinds by name, and how long a walk is."""

    style: str = "both"
    steps: tuple[str, ...] = tuple(STEPS)
    checks: tuple[str, ...] = ALL_CHECKS
    kinds: tuple[str, ...] = tuple(CLASSES)
    length: int = LENGTH
    phase: int = PHASE
    # True if the programs are scopes of sessions that watch, two of one and one of another.
    scoped: bool = False
    # Causes that are known, as a regular expression: a walk goes on past them.
    ignored: str = "$^"

    def wanted(self, findings: list[Finding]) -> list[Finding]:
        """Return the findings of the checks that were chosen, without the known ones."""
        chosen = [each for each in findings if each.cause.split(":")[0] in self.checks]
        return [each for each in chosen if not re.search(self.ignored, each.cause)]


Planned = tuple[str, int]


@define
class Outcome:
    """What became of a walk."""

    seed: int
    plan: list[Planned]
    style: str
    findings: list[Finding] = field(factory=list)
    story: list[str] = field(factory=list)
    steps: int = 0
    checks: int = 0

    def __str__(self) -> str:
        story = "\n".join(f"  {line}" for line in self.story)
        found = "\n".join(f"  {each.cause}\n      {each.seen[:700]}" for each in self.findings[:12])
        return f"seed {self.seed}, {self.style}, {self.steps} steps:\n{story}\nfound:\n{found}"


def planned(seed: int, options: Options) -> tuple[str, list[str], list[Planned]]:
    """The style, the kinds and the steps of a seed."""
    rng = random.Random(seed)
    style = rng.choice(STYLES) if options.style == "both" else options.style
    kinds = list(options.kinds)
    if len(kinds) == len(CLASSES) and rng.random() < 0.5:
        # With few kinds, more steps are about the same materials.
        kinds = [name for name in kinds if name in {"Asset", "Anchor", *rng.sample(kinds, 4)}]
    plan: list[Planned] = []
    for _ in range(max(1, options.length // options.phase)):
        # A quarter of the phases is one session's alone: then nothing that it is told may be another's.
        solo = rng.random() < 0.25
        without = {*(OTHERS if solo else ()), *(LIVE_LISTS if options.scoped else ())}
        names = [name for name in options.steps if name not in without]
        weights = [STEPS[name][0] for name in names]
        mode = rng.choice(["keeper", "casual"]) if solo else "all"
        plan.append((f"phase of {mode}", rng.randrange(2**32)))
        plan += [(name, rng.randrange(2**32)) for name in rng.choices(names, weights, k=options.phase)]
        plan.append((QUIET, 0))
    return style, kinds, plan


def walk(seed: int, options: Options, plan: list[Planned] | None = None) -> Outcome:
    """Walk the steps of a seed, or those given, until something does not hold."""
    style, kinds, whole = planned(seed, options)
    outcome = Outcome(seed, whole if plan is None else plan, style)
    threads = _own_threads()
    with TemporaryDirectory() as folder, _logged_errors() as logged, _impatient():
        world = World(Path(folder), style, kinds, random.Random(seed), scoped=options.scoped)
        try:
            _populate(world, random.Random(seed + 1))
            _take_steps(world, outcome, options, logged)
        finally:
            world.close()
    _check_threads(world, threads)
    outcome.findings = options.wanted(world.findings)
    outcome.story, outcome.steps, outcome.checks = world.story, world.steps, world.checks
    return outcome


def _populate(world: World, rng: random.Random) -> None:
    """Let another program make some of each kind before anybody looks, and the sessions read and watch them."""
    create = STEPS["other_creates"][1]
    for name in world.kinds:
        for _ in range(2):
            create(Turn(world, random.Random(rng.randrange(2**32)), world.keeper, kind=name))
    world.begin(rng)
    checks.quiesce(world)
    _next_phase(world, read_truth(world.program))


def _take_steps(world: World, outcome: Outcome, options: Options, logged: list[str]) -> None:
    actors = world.actors
    plan = outcome.plan if outcome.plan and outcome.plan[-1][0] == QUIET else [*outcome.plan, (QUIET, 0)]
    for name, number in plan:
        if name == QUIET:
            _be_quiet(world, options, logged)
        elif name.startswith("phase of "):
            mode = name.removeprefix("phase of ")
            actors = [each for each in world.actors if mode in ("all", each.name)]
        else:
            rng = random.Random(number)
            turn = Turn(world, rng, rng.choice(actors))
            _take(world, name, turn)
        for actor in world.actors:
            for cause, seen in actor.problems:
                world.found(cause, seen)
            actor.problems.clear()
        if options.wanted(world.findings):
            return
        world.findings.clear()


def _take(world: World, name: str, turn: Turn) -> None:
    world.steps += 1
    try:
        STEPS[name][1](turn)
    except PiecesError as error:
        if not world.phase.faulty:
            world.found(f"error: {type(error).__name__} in {name}", f"{turn.said}: {error}")
    if turn.said:
        world.story.append(turn.said)


def _be_quiet(world: World, options: Options, logged: list[str]) -> None:
    if not checks.quiesce(world):
        return
    world.story.append("-- quiet --")
    state_checks = {name: each for name, each in STATE_CHECKS.items() if name in options.checks}
    truth = checks.check_until_in_step(world, state_checks, options.wanted)
    for name, check in LOG_CHECKS.items():
        if name in options.checks:
            for actor in world.actors:
                check(world, actor, truth)
    for message in logged:
        world.found(f"log: {message.splitlines()[0][:80]}", message)
    logged.clear()
    _next_phase(world, truth)


def _next_phase(world: World, truth: Truth) -> None:
    world.settle(truth)
    for actor in world.actors:
        actor.held = {key: entity for key, entity in actor.held.items() if key in truth.documents}
        actor.left = {key: value for key, value in actor.left.items() if key[0] in truth.documents}
    for actor in world.actors:
        if actor.keeps:
            _learn(actor)
        actor.mark = len(actor.log)


def _learn(keeper: Actor) -> None:
    """Let the keeper know all ids of its relations, as it is told of the changes only of those that it knows."""
    by_class: dict[str, list[object]] = {}
    for key, entity in keeper.alive():
        if entity.state is State.LOADED:
            by_class.setdefault(key[0], []).append(entity)
    for name, entities in by_class.items():
        for relation in CLASSES[name]._schema.many.values():
            for entity in entities:
                try:
                    _ = getattr(entity, relation.name).ids
                except PiecesError:
                    break
    keeper.knew = {
        (key, name)
        for key, entity in keeper.alive()
        if entity.state is State.LOADED
        for name in entity._schema.many
        if getattr(entity, name).known
    }


@contextmanager
def _impatient() -> Iterator[None]:
    """Retry and poll within tenths of a second."""
    before = backoff.MAX_PAUSE_S, feed.POLL_INTERVAL_S
    backoff.MAX_PAUSE_S, feed.POLL_INTERVAL_S = 0.05, 0.1
    try:
        yield
    finally:
        backoff.MAX_PAUSE_S, feed.POLL_INTERVAL_S = before


@contextmanager
def _logged_errors() -> Iterator[list[str]]:
    """The errors that the package logs: none is expected."""
    messages: list[str] = []

    class Handler(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            messages.append(f"{record.msg}\n{self.format(record)}")

    handler = Handler(logging.ERROR)
    logger = logging.getLogger("pieces_orm")
    logger.addHandler(handler)
    try:
        yield messages
    finally:
        logger.removeHandler(handler)


def _own_threads() -> set[threading.Thread]:
    return {each for each in threading.enumerate() if each.name.startswith(THREADS)}


def _check_threads(world: World, before: set[threading.Thread]) -> None:
    deadline = time.monotonic() + 5
    while (left := _own_threads() - before) and time.monotonic() < deadline:
        time.sleep(0.01)
    world.check(not left, "threads: some are left after close()", sorted(each.name for each in left))


# Shrinking ------------------------------------------------------------------------------------------------------------


def shrunk(outcome: Outcome, options: Options, seconds: float, say: Callable[[str], None] = lambda _: None) -> Outcome:
    """Leave out halves, then smaller parts, for as long as the same cause is found."""
    deadline = time.monotonic() + seconds
    causes = {each.cause for each in outcome.findings}
    best, size = outcome, max(1, len(outcome.plan) // 2)
    while size >= 1 and time.monotonic() < deadline:
        start = 0
        while start < len(best.plan) and time.monotonic() < deadline:
            shorter = best.plan[:start] + best.plan[start + size :]
            tried = walk(best.seed, options, shorter)
            if causes & {each.cause for each in tried.findings}:
                best = tried
                say(f"{len(best.plan)} steps")
            else:
                start += size
        size //= 2
    return best
