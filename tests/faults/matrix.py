"""Run a call while a fault is planned, and again when it is over: what came out, and which promises were broken."""

from __future__ import annotations

import functools
import logging
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

from attrs import define, field

from pieces_orm import DecodeError, PiecesError, State
from tests.support import Heard

from . import promises
from .calls import CALLS
from .exchanges import json_of
from .worlds import Worlds

LASTING = None
# Before and after a fault, nothing depends on time.
LONG_TIMEOUT_S = 10.0
# Runs that go on at once, where most of the time is spent waiting.
TOGETHER = 16


@define
class Run:
    """What happened in one run.

    Attributes:
        at: the number of the exchange that met the fault; None: all did.
        made: the exchanges of the call.
        raised: what the call raised, or None.
        before, after: state, edits and document of what the session held, by id.
        told: the signals of the call; `told_later`, those of the same call when the fault was over.
        broken: the promises that do not hold.
    """

    fault: object
    situation: object
    at: int | None
    case: object = None
    world: object = None
    made: list = field(factory=list)
    raised: BaseException | None = None
    seconds: float = 0.0
    before: dict = field(factory=dict)
    after: dict = field(factory=dict)
    told: list = field(factory=list)
    told_later: list = field(factory=list)
    number_made: int = 0
    # What was wrong with the value that the call returned.
    wrong: str = ""
    # The warnings that were logged meanwhile.
    warned: list = field(factory=list)
    broken: list = field(factory=list)

    @property
    def name(self):
        when = "all exchanges" if self.at is None else f"exchange {self.at}"
        return f"{self.situation.name} ({when}: {', '.join(each.where for each in self.made)})"

    @property
    def faulted(self):
        return [each for each in self.made if each.faulted]

    @property
    def deleted_by_fault(self):
        """Ids of which an answer of the fault said that they are gone: it was the only one that was asked for."""
        if self.fault.undetectable and any(promises.is_ids(each, self.situation.kind_of) for each in self.faulted):
            # The list of ids, which confirms what is gone, said so too.
            return set(self.before)
        if self.fault.status != 410:
            return set()
        return {
            id for id in self.before for each in self.faulted if each.path.count(id) and promises.is_about_one(each)
        }


class Warnings(logging.Handler):
    """Puts the messages of warnings into a list."""

    def __init__(self, messages):
        super().__init__(logging.WARNING)
        self._messages = messages

    def emit(self, record):
        self._messages.append(record.getMessage())


def snapshot(held):
    """Return state, edits and document of entities, by id, without a request."""
    return {
        each.id: (each.state, each.edits, each._state.document and json_of(each._state.document.data)) for each in held
    }


def call_and_note(run, act):
    """Make a call; note what it raises, and what is wrong with its value."""
    started = time.monotonic()
    warnings = Warnings(run.warned)
    logging.getLogger("pieces_orm").addHandler(warnings)
    try:
        value = act()
    except Exception as error:  # noqa: BLE001 what it may be is judged afterwards
        run.raised = error
        run.seconds = time.monotonic() - started
        return
    finally:
        logging.getLogger("pieces_orm").removeHandler(warnings)
    run.seconds = time.monotonic() - started
    run.world.proxy.heal()
    run.made = run.world.proxy.take()
    run.wrong = problem_of(run.case.check, value)


def problem_of(check, value):
    """Return what is wrong with a call's value, in words; nothing when it is right."""
    try:
        check(value)
    except AssertionError as error:
        return str(error).partition("\n")[0] or "the value is not what the server has"
    except PiecesError as error:
        return f"{type(error).__name__} when it is looked at: {error}"
    return ""


def run(worlds, fault, situation, at):
    """Make a call that meets a fault, and make it again after the fault."""
    with ExitStack() as stack:
        world = worlds.enter(stack, situation)
        case = situation.prepare(world)
        found = Run(fault, situation, at, case, world)
        found.before = snapshot(case.held)
        heard = Heard(world.session)

        connection = world.session._context.connection
        observe = connection._observe

        def listen_again(method, path, status, seconds):
            # Nobody listened once: that is over as soon as it was noticed. Receivers of `requested` hear of it later.
            if status == 0 and at is not LASTING:
                world.proxy.accept_again()
            observe(method, path, status, seconds)

        connection._observe = listen_again
        world.proxy.take()
        world.proxy.plan(fault, at, victim=case.victim)
        world.set_timeout(fault.timeout)
        call_and_note(found, case.act)
        world.set_timeout(LONG_TIMEOUT_S)
        world.proxy.heal()
        found.made = found.made or world.proxy.take()
        found.after, found.told = snapshot(case.held), heard.take()
        promises.check_call(found)
        _repeat(found, heard)
        promises.check_afterwards(found)
        return found


def _repeat(found, heard):
    """Make the call once more, where it failed; the material may be gone by now."""
    case, world = found.case, found.world
    if found.situation.newer:
        # A route of newer versions that was missing is asked for again after a pause, which has passed here.
        world.session._context.connection._unsupported.clear()
    if isinstance(found.raised, DecodeError) and found.raised.field:
        # A loaded entity is not read again by reading its fields.
        for entity in case.held:
            entity.refresh()
    if found.raised is not None and not found.deleted_by_fault and not _is_done(found):
        try:
            value = case.act()
        except PiecesError as error:
            found.broken.append(f"the same call fails when the fault is over: {type(error).__name__}: {error}")
        else:
            wrong = problem_of(case.check, value)
            if wrong and not promises.cannot_be_noticed(found):
                found.broken.append(f"the same call is wrong when the fault is over: {wrong}")
    found.told_later = heard.take()
    if case.creates:
        every = world.truth[case.creates].all()
        found.number_made = sum(world.label in (each.name or "") for each in every)


def _is_done(found):
    """Tell whether the call has ended what it is about, so that it cannot be made again."""
    return any(entity.state is State.DELETED for entity in found.case.held)


# Cells ----------------------------------------------------------------------------------------------------------------


@functools.cache
def number_of_exchanges(situation):
    """Return how many exchanges a call has that meets no fault."""
    with ExitStack() as stack:
        world = Worlds(stack).enter(stack, situation)
        case = situation.prepare(world)
        world.proxy.take()
        case.act()
        return len(world.proxy.take())


def runs_of(worlds, fault, call):
    """Run every situation of a call with one fault: at each of its exchanges, and at all of them."""
    planned = [(situation, at) for situation in CALLS[call] for at in (*range(number_of_exchanges(situation)), LASTING)]
    with ThreadPoolExecutor(TOGETHER if fault.timeout < LONG_TIMEOUT_S or fault.waits else 1) as pool:
        return list(pool.map(lambda each: run(worlds, fault, *each), planned))


class Matrix:
    """Runs cells, each once, on servers that the runs of one fault share."""

    def __init__(self):
        self._fault = None
        self._stack = ExitStack()
        self._worlds = None
        self._cells = {}

    def runs(self, fault, call):
        """Return the runs of one cell."""
        if (fault.id, call) not in self._cells:
            if self._fault is not fault:
                self.close()
                self._fault, self._worlds = fault, Worlds(self._stack)
            self._cells[fault.id, call] = runs_of(self._worlds, fault, call)
        return self._cells[fault.id, call]

    def broken(self, fault, call):
        """Return the promises that a call does not keep, each with its run."""
        runs = self.runs(fault, call)
        return [f"{each.name}: {what}" for each in runs for what in dict.fromkeys(each.broken)]

    def close(self):
        """Stop the servers."""
        self._stack.close()
