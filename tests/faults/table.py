"""The first part of docs/reliability.md: promises, and what comes of each fault at each call."""

from __future__ import annotations

from pieces_orm import State

from . import promises
from .calls import CALLS
from .faults import FAULTS
from .matrix import LASTING, Matrix

HEAD = f"""# Reliability

Connections break, servers restart, and something else may listen on the port. This page says what a program can rely on
when an answer is not what it should be. `python -m tests.docs.reliability` writes its tables. That of faults comes from
a test that lets {len(FAULTS)} faults meet {len(CALLS)} calls, at each exchange of a call,
once and for as long as the call lasts.

## What a program can rely on

- **A call succeeds, or raises a `PiecesError`.** No other exception comes out, and no call hangs: each exchange is
  bounded by the `timeout` of the session. See [Errors](errors.md).
- **Reads are sent again** after a lost connection, after 502 to 504, and after 429 if the pause that its `Retry-After`
  asks for fits into the timeout. They are sent three times at most.
- **Writes are sent once.** Only a write whose connection was refused is sent again, because it certainly never arrived.
  An error that says "It may have been done" leaves open whether the write was done: look before you repeat a
  `create`. A lost connection, a timeout and an answer that is too large all say so.
- **A failed call changes nothing.** State, fields and edits of your entities stay as they were, and no signal is told
  of what did not happen.
- **One bad answer deletes nothing.** That a material is gone is believed when the server says so with 410, or when the
  ids of its kind confirm it. After a 404, a 500 of a kind that answers so for what is missing, or a batch that leaves
  an id out, the session asks for the ids: once for each call, and not for what it does not hold. If the ids list the
  material, the call raises what the answer said, and everything stays.
- **An answer that is not one is a `DecodeError`**, from the call that received it. A field that cannot be read raises
  it when it is read, until a `refresh`, and the other fields stay usable. A member of a collection that has no id is
  left out with a warning in the log of `pieces_orm`; nothing is left out silently.
- **When the fault is over, the same call succeeds.** The session has what the server has, one object for each id. A
  material is made twice only if you repeat a `create` whose answer was lost. A route of newer servers that was not
  found is tried again after ten seconds, or when the server was lost meanwhile.
- **A watch is live again** after each of these faults, wherever it meets them: opening its stream, reading the ids, or
  reading materials. Every change that was made meanwhile is told once.

Some answers are wrong in a way that nobody can see: a collection that leaves a material out, or a new material under
another id, is as good as any.

## The table

The cells say what a call does that meets the fault once. The server refuses with a status without doing anything. All
other bad answers come after the work was done.

- *retried*: it is sent again, and succeeds; *else*: what it raises if the fault lasts.
- *asks the ids*: the material is on the list, and everything stays.
- *done*: the server has done what was asked, although the call raises.
- *succeeds*: the answer does not matter, or the same is asked for in another way.
- *unnoticed*: the answer is wrong, and as good as any.

The cells of `save` are about its write; its read is one like that of `refresh`. A relation is iterated, a field is read
of a material that is not loaded, `get_many` reads three at once.
"""

HEADINGS = {"a field": "field", "a relation": "relation"}


def outcome(run):
    """Say in a few words what came of a run."""
    raised, faulted = run.raised, run.faulted
    if raised is None:
        where = {each.where for each in faulted}
        again = sum(each.where in where for each in run.made) > len(faulted)
        if again or run.fault.refuses:
            return "retried"
        return "unnoticed" if run.wrong else "succeeds"
    causes = promises.causes(raised)
    words = [" of ".join(dict.fromkeys(type(each).__name__ for each in (raised, *causes)))]
    if any(state is State.DELETED for state, *_ in run.after.values()):
        words.append("deleted")
    whole = run.situation.name.startswith(("all", "ids"))
    if not whole and any(promises.is_ids(each, run.situation.kind_of) for each in run.made):
        words.append("asks the ids")
    if any(each.forwarded and not promises.is_read(each) for each in faulted):
        words.append("done")
    return ", ".join(words)


def cell(runs):
    """Say what comes of a call that meets a fault once, and what when the fault lasts and it was sent again in vain."""
    shown = [run for run in runs if run.situation.shown]
    # The last exchange is that of the write, in a call that reads before it writes.
    last = max((run for run in shown if run.at is not LASTING), key=lambda run: run.at)
    once = outcome(last)
    [lasting] = [outcome(run) for run in shown if run.at is LASTING]
    return f"retried, else {lasting}" if once == "retried" else once


def row(cells):
    """Return a row of the table."""
    return f"| {' | '.join(cells)} |\n"


def head():
    """Return what stands above the rows."""
    columns = ["fault", *(HEADINGS.get(call, f"`{call}`") for call in CALLS)]
    return f"{HEAD}\n{row(columns)}|{'---|' * len(columns)}\n"


def text():
    """Return the whole part, from a run of the matrix."""
    matrix = Matrix()
    rows = [row([fault.name, *(cell(matrix.runs(fault, call)) for call in CALLS)]) for fault in FAULTS]
    matrix.close()
    return head() + "".join(rows)
