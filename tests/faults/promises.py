"""The promises that a call keeps whatever it meets, as rules over what happened; no rule knows a fault by its name."""

from __future__ import annotations

import re
from collections import Counter

from pieces_orm import BatchError, Entity, PiecesError, State

READS = ("/search", "/batch/fetch", "/batch", "/bulk", "/exists")
NO_SUCH_ROUTE = (404, 405, 501)
MAX_ATTEMPTS = 3
# What a machine under load may need beyond the timeouts of a call.
SLACK_S = 2.0


def is_read(exchange):
    """Tell whether an exchange changes nothing at the server."""
    return exchange.method == "GET" or exchange.path.partition("?")[0].endswith(READS)


def is_about_one(exchange):
    """Tell whether an exchange reads or deletes one material, so that its answer can say that this one is gone."""
    path = exchange.path.partition("?")[0]
    return "_associations/" not in path and (exchange.method == "GET" or path.endswith("/delete"))


def is_ids(exchange, cls):
    """Tell whether an exchange asks for the ids of a kind."""
    kind = cls._schema.kind
    route = kind.routes.get("ids", kind.route("all"))
    return exchange.method == "GET" and exchange.path.partition("?")[0] == route.path


def check_call(run):
    """Check a call that has met a fault, as soon as it has ended."""
    for rule in (_ends_in_time, _raises_what_it_may, _sends_what_it_may, _keeps_what_it_has, _asks_for_ids_once):
        run.broken += rule(run)


def _ends_in_time(run):
    if run.seconds > run.fault.timeout * max(1, len(run.made)) + SLACK_S:
        yield f"it took {run.seconds:.1f} s"


def causes(error):
    """Return the errors that a call has raised: those in a BatchError, else the one."""
    return list(error.failed.values()) if isinstance(error, BatchError) else [error]


def _raises_what_it_may(run):
    fault, error = run.fault, run.raised
    if error is None:
        if run.wrong and not cannot_be_noticed(run) and not run.deleted_by_fault and not _is_named(run):
            yield f"it succeeds, and is wrong: {run.wrong}"
        return
    if not isinstance(error, PiecesError):
        yield f"{type(error).__name__} is no error of the tree: {error}"
        return
    if any(each.path.partition("?")[0].endswith("/create") for each in run.faulted) and cannot_be_noticed(run):
        # It was made under another id: what follows is about another material.
        return
    if must_succeed(run):
        yield f"it raises {_said(error)}, and need not"
    for cause in causes(error):
        if not {each.__name__ for each in type(cause).__mro__}.intersection(_allowed(run)):
            yield f"it raises {_said(cause)}, and may only raise {' or '.join(sorted(_allowed(run)))}"
        elif fault.status and not fault.retried and getattr(cause, "status", fault.status) != fault.status:
            yield f"the error says status {cause.status}"
        elif fault.named and not re.search(rf"(?<![\w-]){fault.named}(?![\w-])", str(cause)):
            yield f"the error does not name the seconds to wait: {cause}"


def _is_named(run):
    """Tell whether one field alone raises when it is read, or a member of a collection was left out with a warning."""
    return run.wrong.startswith("DecodeError") or any("left out" in each for each in run.warned)


def _said(error):
    return f"{type(error).__name__}: {str(error)[:200]}"


def must_succeed(run):
    """Tell whether the call has to succeed although it meets the fault."""
    fault = run.fault
    if fault.harmless:
        return True
    if run.at is None:
        return False
    return fault.refuses or (fault.retried and all(is_read(each) for each in run.faulted))


def _allowed(run):
    allowed = set(run.fault.errors)
    if run.situation.newer and run.fault.status in NO_SUCH_ROUTE:
        allowed.add("UnsupportedOperationError")
    if "DecodeError" in allowed and any("/batch" in each.path for each in run.faulted):
        # An answer without one of the ids that were asked for.
        allowed.add("NotFoundError")
    if "NotFoundError" in allowed and run.fault.status is None:
        allowed.add("DecodeError")
    return allowed


def cannot_be_noticed(run):
    """Tell whether the answer was as good as any, as that of a collection that another program has changed."""
    if not run.fault.undetectable:
        return False
    first = run.faulted[0].path.partition("?")[0]
    whole = first in {"/assets", "/assets/identifiers"} or "_associations/" in first
    return whole or first.endswith(("/create", "/search"))


def _sends_what_it_may(run):
    for where, number in Counter(each.where for each in run.made).items():
        example = next(each for each in run.made if each.where == where)
        if is_read(example) and number > MAX_ATTEMPTS:
            yield f"{where} was sent {number} times"
        elif not is_read(example) and number > 1:
            yield f"{where}, a write, was sent {number} times"


def _keeps_what_it_has(run):
    """Nothing is told and nothing is lost of what did not happen."""
    if run.raised is None:
        return
    gone = run.deleted_by_fault
    done = any(each.forwarded and not each.faulted and not is_read(each) for each in run.made)
    for id, (state, edits, document) in run.before.items():
        now, edits_now, document_now = run.after[id]
        if id in gone and now is State.DELETED:
            continue
        if now is State.DELETED:
            yield "an entity became DELETED, and its material is there"
        elif now is not state and not (state in {State.HANDLE, State.EXPIRED} and now is State.LOADED):
            yield f"the state went from {state.name} to {now.name}"
        elif document is not None and document_now != document:
            yield "the document changed"
        # An edit that was sent before the fault is none any more.
        if edits_now != edits and not (done and edits_now.items() <= edits.items()):
            yield f"the edits went from {edits} to {edits_now}"
    for event in run.told:
        name, _, id, *_ = event
        if not (name == "deleted" and id in gone) and not (done and name in run.case.told):
            yield f"{name} was told of what did not happen"


def _asks_for_ids_once(run):
    if run.situation.name.startswith(("all", "ids")):
        return
    asked = sum(is_ids(each, run.situation.kind_of) for each in run.made)
    if asked > 1:
        yield f"it asked for the ids {asked} times"
    if asked and not run.case.held:
        yield "it asked for the ids, and the session holds nothing"
    read_again = any(not each.faulted and each.method == "GET" and run.case.victim in each.path for each in run.made)
    if run.at is not None and run.raised is not None and _is_ambiguous(run) and not (asked or read_again):
        yield "it did not ask for the ids, so it cannot know whether the material is there"


def _is_ambiguous(run):
    """Tell whether the fault was an answer that may mean that one material is gone."""
    kind = run.situation.kind_of._schema.kind
    statuses = {404, kind.missing_status} - {410}
    loaded = any(state is not State.HANDLE for state, *_ in run.before.values())
    return loaded and any(
        run.fault.status in statuses and is_about_one(each) and f"/{run.case.victim}" in each.path
        for each in run.faulted
    )


# Afterwards -----------------------------------------------------------------------------------------------------------


def check_afterwards(run):
    """Check the views of session and server, and the signals, when the fault is over and the call was repeated."""
    for rule in (_sees_what_is_true, _told_once, _made_once, _carries_what_was_made):
        run.broken += rule(run)


def _sees_what_is_true(run):
    world = run.world
    for entity in run.case.held:
        if entity.state is State.DELETED:
            continue
        try:
            found = world.session[type(entity)].get(entity.id)
        except PiecesError as error:
            yield f"{type(entity).__name__} cannot be read when the fault is over: {_said(error)}"
            continue
        if found is not entity:
            yield "there is another object for the same id"
        elif found.raw() != world.true(entity):
            yield "the session's document is not the server's"


def _told_once(run):
    """Each signal of the call was told once in all, however often the call was made."""
    told = Counter(
        event[:3] for event in [*run.told, *run.told_later] if event[0] != "changed" or event[3] != {"updated"}
    )
    for (name, _, id), number in told.items():
        if number > 1:
            yield f"{name} was told {number} times"
        if name == "deleted" and id not in run.deleted_by_fault and name not in run.case.told:
            yield "deleted was told, and the material is there"
    if run.deleted_by_fault or run.wrong or run.broken:
        return
    names = Counter(name for name, *_ in told)
    for name in run.case.told:
        if not names[name]:
            yield f"{name} was never told"


def _made_once(run):
    if run.case.creates is None:
        return
    forwarded = sum(each.forwarded and each.path.partition("?")[0].endswith("/create") for each in run.made)
    repeated = int(run.raised is not None)
    if run.number_made != forwarded + repeated:
        yield f"{run.number_made} materials are there after {forwarded} and {repeated} requests that made one"


def _carries_what_was_made(run):
    """An error after the material was made says so, and has it."""
    made = [
        each
        for each in run.made
        if each.forwarded and not each.faulted and each.path.partition("?")[0] == "/assets/create"
    ]
    if run.raised is None or not made:
        return
    if not any(isinstance(each, Entity) for each in vars(run.raised).values()):
        yield "the error does not carry what was made before it"
