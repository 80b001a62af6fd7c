"""Emit what changed, each part once and with its own origin; outside the session's lock."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ..model.diff import Changes
from ..model.record import Record
from ..signals import Signal
from .context import Context


def tell(context: Context, signal: Signal, entity: Record, **about: Any) -> None:
    """Emit a signal about an entity, after `created` where no stream has told that yet."""
    if signal.receivers:
        context.watching.announce(entity, entity._state.applied)
        context.signals.emit(signal, type(entity), entity=entity, **about)


# The fields that writes of this session change, by the origin that documents get which a report of such a write brings:
# of an association, of a write about another material, of a score. A write about a whole ("part") may change all.
OWN_FIELDS = {
    "echo": frozenset({"updated"}),
    "beside": frozenset({"updated"}),
    "score": frozenset({"score", "updated"}),
    # The answer was requested before such a write, and may show it already.
    "overlap": frozenset({"updated"}),
}


def emit_changes(
    context: Context,
    entity: Record,
    changes: Changes,
    origin: str,
    *,
    sent: Iterable[str] | None = None,
    theirs: str = "remote",
) -> None:
    """Emit changes, outside the lock.

    Args:
        origin: that of the signals; or a key of `OWN_FIELDS`, if a report of a write of this session brought the
            document: what that write did not change is another's.
        sent: the fields that a save has sent, if its answer brought the document: the rest was changed by others.
        theirs: the origin of what an own write did not change.
    """
    if changes.outdated:
        context.watching.applied_outdated(entity)
    # The answer to a save may also bring what a write right before it changed.
    write = origin if sent is None else context.watching.echo_origin(entity, changes.since) or origin
    if origin == "part":
        origin = "local"
    own = OWN_FIELDS.get(write, frozenset()) | (frozenset() if sent is None else frozenset((*sent, "updated")))
    if write in ("echo", "beside"):
        # Fields that are read from a related material change with the association.
        own |= entity._schema.copied_fields
    others = theirs if own else origin
    rest = {name: value for name, value in changes.before.items() if name not in own}
    mine = {name: value for name, value in changes.before.items() if name in own}
    if rest and "updated" in mine:
        rest["updated"] = mine.pop("updated")
    if origin in ("echo", "score", "overlap") and mine.keys() == {"updated"}:
        mine.clear()  # an association was told when it was made: that it moved `updated` is no news
    parts = (("local", mine), (others, rest))
    for source, before in parts if context.signals.changed.receivers else ():
        if before:
            tell(context, context.signals.changed, entity, fields=frozenset(before), before=before, origin=source)
    for signal, pairs in (
        (context.signals.associated, changes.linked),
        (context.signals.disassociated, changes.unlinked),
    ):
        for relation, id in pairs if signal.receivers else ():
            other = context.identity_map.ref(relation.target, id)
            tell(context, signal, entity, relation=relation.name, other=other, origin=others)
    for holder, changed in changes.others:
        emit_changes(context, holder, changed, others if sent is None else origin)
