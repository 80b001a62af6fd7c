"""The cells of the exactly-once table: what is done, by whom, in which style of documents, and what the watcher holds.

A track is a set of materials of its own; the operations of a track are done one after another, each between two fences.
"""

from __future__ import annotations

import inspect
import itertools
import re
from collections.abc import Sequence
from typing import Any, Literal

from attrs import frozen

from pieces_orm import Entity
from pieces_orm.values import BasicPerson, PersonType, Trigger
from pieces_orm.wire.associations import ASSOCIATIONS, HIERARCHY, Association

from .specials import SPECIALS

Who = Literal["own", "other"]
Style = Literal["nested", "families"]
# One end is the owner of an association, or what a material is created with.
Held = Literal["held", "one end", "nobody"]

CLASSES: dict[str, type[Any]] = {cls._schema.kind.name: cls for cls in Entity._registry.values()}
STYLES: tuple[Style, ...] = ("nested", "families")
WHO: tuple[Who, ...] = ("own", "other")
HELD: tuple[Held, ...] = ("held", "one end", "nobody")
ROWS: dict[str, Association] = {f"{row.owner.name}.{row.relation}": row for row in (*ASSOCIATIONS, *HIERARCHY)}


@frozen
class Track:
    """Materials that one row of the table is about: a kind, a kind created with an argument, or an association."""

    subject: str
    who: Who
    held: Held

    @property
    def is_association(self) -> bool:
        return "." in self.subject

    @property
    def kind(self) -> str:
        """The kind of the material that is created, edited or deleted."""
        if self.subject in SPECIALS:
            return SPECIALS[self.subject].kind
        return ARGUMENTS[self.subject][0] if self.subject in ARGUMENTS else self.subject

    @property
    def concerns(self) -> frozenset[str]:
        """The kinds of all materials that are told of."""
        if self.is_association:
            kinds = {ROWS[self.subject].owner.name, ROWS[self.subject].other.name}
        else:
            kinds = {self.kind, *(NEEDS[each] for each in NEEDS.keys() & {self.kind})}
            if self.subject in ARGUMENTS:
                kinds.add(ARGUMENTS[self.subject][2])
            if self.subject in SPECIALS:
                kinds.add("annotation")
        return frozenset(kinds | {PARTS[kind][1] for kind in PARTS.keys() & kinds})

    @property
    def group(self) -> str:
        """The test that has this track; polls take seconds, so those that wait for them do so together."""
        about = "associations" if self.is_association else "kinds"
        if self.concerns & POLLED:
            return f"polled {about}"
        return f"{ROWS[self.subject].owner.name} {about}" if self.is_association else self.kind

    @property
    def operations(self) -> tuple[str, ...]:
        """What is done, in this order; a kind's creation makes a material besides the one that the rest is about."""
        if self.is_association:
            return ("associate", "disassociate")
        if self.subject in ARGUMENTS:
            return ("create",)
        if self.subject in SPECIALS:
            return ("edit",)
        if self.held == "one end":
            return ("create", "delete")
        missing = {"edit": self.subject not in EDITS, "score": "score" not in CLASSES[self.subject]._schema.kind.routes}
        return tuple(each for each in ("create", "edit", "score", "delete") if not missing.get(each))

    def __str__(self) -> str:
        return f"{self.subject}-{self.who}-{self.held}".replace(" ", "_")


@frozen
class Cell:
    track: Track
    operation: str

    def __str__(self) -> str:
        return f"{self.track}-{self.operation}"


# The kind that a material of a kind needs, by the argument of `create`.
NEEDS = {
    "activity": "asset",
    "anchor_point": "anchor",
    "conversation_message": "conversation",
    "sensitive": "asset",
    "share": "asset",
}
# What is created and deleted with a material: the relation that leads to it, and its kind.
PARTS = {"anchor": ("anchor_points", "anchor_point"), "asset": ("formats", "format")}
# A value that no new material has, by the field that is edited. Activities have no field that can be set; a format's
# text is set on its asset.
EDITS: dict[str, tuple[str, Any]] = {
    "anchor": ("name", "edited"),
    "anchor_point": ("verified", True),
    "annotation": ("text", "edited"),
    "asset": ("name", "edited"),
    "conversation": ("name", "edited"),
    "conversation_message": ("text", "edited"),
    "format": ("text", "edited"),
    "hint": ("text", "edited"),
    "person": ("type", PersonType(basic=BasicPerson(name="edited"))),
    "range": ("between", True),
    "sensitive": ("name", "edited"),
    "share": ("name", "edited"),
    "tag": ("text", "edited"),
    "website": ("name", "edited"),
    "workstream_event": ("readable", "edited"),
    "workstream_pattern_engine_source": ("readable", "edited"),
    "workstream_pattern_engine_source_window": ("name", "edited"),
    "workstream_summary": ("name", "edited"),
}
# Kinds without a stream: their changes are found by polls, where the wire lists their ids, or not at all.
POLLED = frozenset({"workstream_event"})
UNWATCHED = frozenset({"share"})


def create(session: Any, kind: str, needed: Any = None, **given: Any) -> Any:
    """Create a material of a kind in a session; `needed` is the entity without which it cannot be."""
    n = next(_COUNT)
    makers = {
        "activity": lambda: session.activities.create({}, **{"asset": needed, **given}),
        "anchor": lambda: session.anchors.create(f"/projects/{n}", type="DIRECTORY", **given),
        "anchor_point": lambda: session.anchor_points.create(needed, f"/projects/point {n}", **given),
        "annotation": lambda: session.annotations.create("a note", "COMMENT", **given),
        "asset": lambda: session.assets.create("x = 1", name="tide.py", language="py", **given),
        "conversation": lambda: session.conversations.create("talk", **given),
        "conversation_message": lambda: session.messages.create("hello", needed, **given),
        "hint": lambda: session.hints.create("why?", **given),
        "person": lambda: session.persons.create(name="Ada", **given),
        "range": lambda: session.ranges.create(between=False, **given),
        "sensitive": lambda: session.sensitives.create(needed, "hunter2", name="a password", description="", **given),
        "share": lambda: session.shares.create(needed, **given),
        "tag": lambda: session.tags.create(f"tag {n}", **given),
        "website": lambda: session.websites.create(f"https://tides.example.org/{n}", name="Tides", **given),
        "workstream_event": lambda: session.workstream_events.create(Trigger(check_in=True), **given),
        "workstream_pattern_engine_source": lambda: session.sources.create("a window", **given),
        "workstream_pattern_engine_source_window": lambda: session.source_windows.create("main.py", **given),
        "workstream_summary": lambda: session.summaries.create("a day", model=session.models()[0], **given),
    }
    return makers[kind]()


_COUNT = itertools.count()


def _arguments() -> dict[str, tuple[str, str, str, bool]]:
    """Return the arguments of `create` that name other materials: kind, argument, the other's kind, whether several."""
    names = {cls.__name__: name for name, cls in CLASSES.items()}
    found = {}
    for kind, cls in CLASSES.items():
        seed = getattr(cls, "_seed", None)
        for argument in inspect.signature(seed).parameters.values() if seed else ():
            others = [names[word] for word in re.findall(r"\w+", str(argument.annotation)) if word in names]
            if others and kind not in NEEDS.keys() - {"activity", "conversation_message"}:
                found[f"{kind}({argument.name})"] = kind, argument.name, others[0], "Sequence" in argument.annotation
    # The conversation of a message is what it needs anyway, and an activity's asset likewise.
    return {name: row for name, row in found.items() if NEEDS.get(row[0]) != row[1]}


ARGUMENTS = _arguments()


def tracks() -> list[Track]:
    """Return all tracks of the table."""
    return [
        Track(subject, who, held)
        for subject in (*CLASSES, *ARGUMENTS, *SPECIALS, *ROWS)
        for who in WHO
        for held in HELD
        if held != "one end" or subject in {*NEEDS, *ARGUMENTS, *ROWS}
    ]


def groups(words: Sequence[str] = ()) -> dict[str, list[Track]]:
    """Return the tracks whose names contain all words, by group."""
    found: dict[str, list[Track]] = {}
    for track in tracks():
        if all(word in str(track) for word in words):
            found.setdefault(track.group, []).append(track)
    return found
