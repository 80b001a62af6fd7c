"""What is told of each operation, in one place: DESIGN sections 5 and 7, docs/signals.md and docs/watching.md.

An event is (signal, role, detail, origin): the role says which material of the cell it is about, the detail is the
frozenset of fields of `changed` (None: they cannot be known), or relation and role of the other of `associated`.

- One's own call tells of its material once, as "local", whoever holds it; another program's is told once, as "remote".
- Another's change of what nobody holds is `changed` with fields None; associations of what nobody holds are not told.
- A change of an association is told once per pair, from either side, never by a relation without a way back where one
  with it exists (`Annotation.asset` beside `Annotation.assets`).
- The server moves `updated` of a material's neighbours. Another program's move is told like any change; one's own is
  told as "local" or not at all, never as "remote".
- A creation or deletion may be told to a held neighbour as `associated` or `disassociated` too, at most once: whoever
  reads the neighbour first sees an id come or go.
- The description of a held asset that was read follows its annotation: `changed` with `description`.
- Kinds that can neither be streamed nor listed (shares) are told of one's own calls only.
- What the server creates and deletes with a material (an anchor's point, an asset's format) is told once; of one's own
  call as "local" or "remote": the call did it, but its answer need not say so.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from attrs import define, field

from .cells import ARGUMENTS, CLASSES, EDITS, NEEDS, PARTS, ROWS, UNWATCHED, Cell, Track
from .specials import SPECIALS, Special

Event = tuple[str, str, Any, str]
# Fields that change with the one that is edited.
_WITH_IT = {"format": ("bytes",)}


@define
class Expectation:
    """The right list: one event of each entry of `once`, one or none of each of `at_most_once`, and nothing else."""

    once: list[frozenset[Event]] = field(factory=list)
    at_most_once: list[frozenset[Event]] = field(factory=list)

    def must(self, *either: Event) -> None:
        self.once.append(frozenset(either))

    def may(self, *either: Event) -> None:
        if either:
            self.at_most_once.append(frozenset(either))

    def faults(self, told: Iterable[Event]) -> list[str]:
        """Return what is wrong with a list of events, as lines."""
        once, at_most_once, faults = list(self.once), list(self.at_most_once), []
        for event in told:
            slots = next((slots for slots in (once, at_most_once) for each in slots if event in each), None)
            if slots is None:
                faults.append(f"too much: {show(event)}")
            else:
                slots.remove(next(each for each in slots if event in each))
        return [f"missing: {' or '.join(sorted(map(show, each)))}" for each in once] + faults


def show(event: Event) -> str:
    signal, role, detail, origin = event
    if signal == "changed":
        detail = "?" if detail is None else "{" + ", ".join(sorted(detail)) + "}"
    return " ".join(part for part in (signal, role, detail, origin) if part)


def expected(cell: Cell) -> Expectation:
    """Return the right list of events of a cell."""
    found = Expectation()
    track = cell.track
    if track.is_association:
        _association(found, track, f"{cell.operation}d")
        return found
    origin = "local" if track.who == "own" else "remote"
    kind = track.kind
    if track.subject in SPECIALS:
        _special(found, track, SPECIALS[track.subject], origin)
        return found
    if track.who == "other" and kind in UNWATCHED and cell.operation not in {"create", "delete"}:
        return found
    part_of_another = kind == "format"
    if cell.operation in ("create", "delete"):
        signal = f"{cell.operation}d"
        if part_of_another:
            _part(found, signal, "it", origin)
        elif track.who == "own" or kind not in UNWATCHED:
            found.must((signal, "it", None, origin))
        for _ in range(kind in PARTS):
            _part(found, signal, "part", origin)
        if track.subject in ARGUMENTS and kind == "asset":
            # Entities are associated with a new asset by requests of their own, after which it may be told of again.
            found.may(*(("changed", "it", fields, origin) for fields in (frozenset({"updated"}), None)))
        for role, other in _neighbours(track.subject, kind).items():
            _moved(found, track, role, other, held=track.held != "nobody")
            _pairs(found, kind, role, other, "associated" if cell.operation == "create" else "disassociated", origin)
        return found
    fields = {"score"} if cell.operation == "score" else {EDITS[kind][0], *_WITH_IT.get(kind, ())}
    _changed(found, track, kind, cell.operation, fields | ({"updated"} & CLASSES[kind]._schema.fields.keys()))
    return found


def _changed(found: Expectation, track: Track, kind: str, operation: str, fields: set[str]) -> None:
    own = track.who == "own"
    known, unknown = (("changed", "it", each, "local" if own else "remote") for each in (frozenset(fields), None))
    # A score's answer tells nothing of the material, and a format is edited by its asset: nobody may know.
    unheard = operation == "score" and (track.held == "nobody" or kind in UNWATCHED)
    if own and (kind == "format" or unheard):
        found.may(known, unknown)
    elif track.held == "nobody" and not own:
        found.must(unknown)
    else:
        found.must(known)


def _part(found: Expectation, signal: str, role: str, origin: str) -> None:
    found.must(*((signal, role, None, each) for each in {origin, "remote"}))


def _moved(found: Expectation, track: Track, role: str, kind: str, *, held: bool) -> None:
    """Add what is told of a neighbour whose `updated` moves."""
    if "updated" not in CLASSES[kind]._schema.fields:
        return
    fields = frozenset({"updated"})
    if track.who == "own":
        found.may(("changed", role, fields, "local"), ("changed", role, None, "local"))
    else:
        found.must(("changed", role, fields if held else None, "remote"))


def _neighbours(subject: str, kind: str) -> dict[str, str]:
    """Return the kinds of the materials that a creation or deletion joins with its own, by role."""
    found = {"needed": NEEDS[kind]} if kind in NEEDS else {}
    if subject in ARGUMENTS:
        found["argument"] = ARGUMENTS[subject][2]
    return found


def _pairs(found: Expectation, kind: str, role: str, other: str, signal: str, origin: str) -> None:
    """Allow a creation or deletion to be told as an association, by a relation with a way back."""
    ends = (("it", kind, role, other), (role, other, "it", kind))
    found.may(
        *(
            (signal, here, f"{relation.name} {there}", origin)
            for here, own, there, others in ends
            for relation in CLASSES[own]._schema.relations.values()
            if relation.target is CLASSES[others] and relation.back is not None
        )
    )


def _association(found: Expectation, track: Track, signal: str) -> None:
    row = ROWS[track.subject]
    back = CLASSES[row.owner.name]._schema.relations[row.relation].back
    from_owner = (signal, "owner", f"{row.relation} other")
    held_owner, held_other = track.held != "nobody", track.held == "held"
    _moved(found, track, "owner", row.owner.name, held=held_owner)
    _moved(found, track, "other", row.other.name, held=held_other)
    if track.who == "own":
        found.must((*from_owner, "local"))
    elif held_owner:
        from_other = [] if back is None else [(signal, "other", f"{back} owner", "remote")]
        found.must((*from_owner, "remote"), *from_other)


def _special(found: Expectation, track: Track, special: Special, origin: str) -> None:
    own, held = track.who == "own", track.held == "held"
    moved = frozenset({"updated"})
    if own and not held and not special.note and not special.part:
        # A handle serves to ask for a name: nothing is known with which its answer could be compared.
        found.may(*(("changed", "it", fields, origin) for fields in (special.fields, None)))
    elif held or (own and not special.by_note):
        found.must(*(("changed", "it", fields, origin) for fields in {special.fields, special.fields | moved}))
        if special.note:
            # Two documents change, so `updated` of the asset may come apart.
            found.may(("changed", "it", moved, origin))
    elif special.note == "changed":
        # The annotation changes, which an asset's document may show; its `updated` stays.
        found.may(("changed", "it", None, origin))
    else:
        found.must(("changed", "it", None, origin))
    if special.note in ("created", "deleted"):
        found.must((special.note, "note", None, origin))
        _pairs(
            found, "asset", "note", "annotation", "associated" if special.note == "created" else "disassociated", origin
        )
    elif special.note:
        known, unknown = (("changed", "note", each, origin) for each in (moved | {"text"}, None))
        if own and not special.by_note and not held:
            found.may(known, unknown)
        else:
            found.must(known if held or own else unknown)
    if special.part:
        known, unknown = (("changed", "part", each, origin) for each in (special.part, None))
        if own:
            # The call edits the asset: what its format becomes is heard of by a stream, if at all.
            found.may(known, unknown)
        else:
            found.must(known if held else unknown)
