"""The 19 kinds as the walks use them: what creates a material, which fields are edited, and which relations are one."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

from attrs import asdict

from pieces_orm import (
    Activity,
    Anchor,
    AnchorPoint,
    Annotation,
    Asset,
    Conversation,
    ConversationMessage,
    Entity,
    Format,
    Hint,
    Person,
    Range,
    Sensitive,
    Share,
    Source,
    SourceWindow,
    Tag,
    Website,
    WorkstreamEvent,
    WorkstreamSummary,
)
from pieces_orm.values import Trigger
from pieces_orm.values.structs import BasicPerson, PersonType
from pieces_orm.wire.associations import association

CLASSES: dict[str, type[Entity]] = {
    cls.__name__: cls
    for cls in (
        Asset, Anchor, AnchorPoint, Annotation, Activity, Conversation, ConversationMessage, Format, Hint, Person,
        Range, Sensitive, Share, Source, SourceWindow, Tag, Website, WorkstreamEvent, WorkstreamSummary,
    )
}  # fmt: skip
BY_KIND = {cls._schema.kind.name: cls for cls in CLASSES.values()}

# A material: the name of its class, and its id.
Key = tuple[str, str]
# Gives a neighbour that a material cannot be made without; None when there is none.
Near = Callable[[type[Entity]], Any]
Given = tuple[tuple[Any, ...], dict[str, Any]]

# The fields that are edited, in the documents of the update route. Those of assets that have routes of their own are
# apart.
EDITABLE: dict[str, tuple[str, ...]] = {
    "Asset": ("name", "favorited"),
    "Anchor": ("name", "watch"),
    "AnchorPoint": ("fullpath", "verified"),
    "Annotation": ("text", "favorited"),
    "Conversation": ("name", "favorited"),
    "Hint": ("text",),
    "Person": ("type",),
    "Range": ("between",),
    "Sensitive": ("name", "description", "text"),
    "Share": ("name",),
    "Source": ("readable", "filter"),
    "SourceWindow": ("name",),
    "Tag": ("text",),
    "Website": ("name", "url"),
    "WorkstreamEvent": ("readable", "window_title"),
    "WorkstreamSummary": ("name", "favorited"),
}
ENDPOINT_FIELDS = ("text", "description", "language")
_FLAGS = {"favorited", "watch", "verified", "between", "filter"}


def value_of(field: str, number: int) -> Any:
    """A value for a field, as the ORM takes it."""
    if field in _FLAGS:
        return number % 2 == 0
    if field == "type":
        return PersonType(basic=BasicPerson(name=f"somebody {number}"))
    if field == "url":
        return f"https://example.org/{number}"
    return f"{field} {number}"


def plain_value(value: Any) -> Any:
    """The same value as documents have it."""
    if not isinstance(value, PersonType):
        return value
    return {"basic": {name: each for name, each in asdict(value.basic).items() if each is not None}}


def wire_of(key: Key, field: str) -> str:
    """The key of a field in documents."""
    return CLASSES[key[0]]._schema.fields[field].wire


def label_of(cls: type[Entity]) -> str | None:
    """The text that a list of a kind is sorted by; None for kinds without one."""
    texts = [each for each in EDITABLE.get(cls.__name__, ()) if each not in _FLAGS | {"type"}]
    return texts[0] if texts else None


def arguments(cls: type[Entity], rng: random.Random, near: Near) -> Given | None:
    """The arguments that create a material; None when it cannot be made for now."""
    n = rng.randrange(1_000_000)
    simple: dict[type[Entity], Given] = {
        Anchor: ((f"/projects/{n}",), {"name": f"name {n}", "type": "DIRECTORY"}),
        Conversation: ((f"talk {n}",), {}),
        Hint: ((f"why {n}?",), {}),
        Person: ((), {"name": f"somebody {n}"}),
        Range: ((), {"between": n % 2 == 0}),
        Source: ((f"source {n}",), {}),
        SourceWindow: ((f"window {n}",), {}),
        Tag: ((f"tag {n}",), {}),
        Website: ((f"https://example.org/{n}",), {"name": f"site {n}"}),
        WorkstreamEvent: ((Trigger(check_in=True),), {"readable": f"event {n}"}),
        WorkstreamSummary: ((f"day {n}",), {}),
    }
    if cls in simple:
        return simple[cls]
    if cls is Asset:
        return (f"x = {n}",), {"name": f"asset {n}", "language": "py", **_of_asset(rng, n)}
    if cls is Annotation:
        asset = near(Asset) if rng.random() < 0.5 else None
        return (f"note {n}", rng.choice(["COMMENT", "DESCRIPTION"])), {"asset": asset}
    if cls is Activity:
        return ({"number": n},), {"asset": near(Asset)}
    return _of_owner(cls, near, n)


def _of_asset(rng: random.Random, n: int) -> dict[str, Any]:
    given: dict[str, Any] = {}
    if rng.random() < 0.3:
        given["tags"] = [f"tag of {n}"]
    if rng.random() < 0.3:
        given["description"] = f"about {n}"
    if rng.random() < 0.2:
        given["websites"] = [f"https://example.org/of/{n}"]
    return given


def _of_owner(cls: type[Entity], near: Near, n: int) -> Given | None:
    owners: dict[type[Entity], type[Entity]] = {
        AnchorPoint: Anchor, ConversationMessage: Conversation, Sensitive: Asset, Share: Asset,
    }  # fmt: skip
    owner = near(owners[cls]) if cls in owners else None
    if owner is None:
        return None
    given: dict[type[Entity], Given] = {
        AnchorPoint: ((owner, f"/points/{n}"), {"type": "DIRECTORY"}),
        ConversationMessage: ((f"hello {n}", owner), {}),
        Sensitive: ((owner, f"secret {n}"), {"name": f"name {n}", "description": f"found {n}"}),
        Share: ((owner,), {"access": "PRIVATE", "name": f"link{n}"}),
    }
    return given[cls]


# Relations ----------------------------------------------------------------------------------------------------------

# One end of an association: class, id and relation. A pair is both ends in a fixed order, or one where the other side
# has no name for it.
End = tuple[str, str, str]
Pair = tuple[End, ...]


def is_changeable(cls: type[Entity], relation: str) -> bool:
    """Whether a route changes a relation, from either side."""
    declared = cls._schema.relations[relation]
    if not declared.is_many:
        return False
    if association(cls._schema.kind, relation) is not None:
        return True
    return declared.back is not None and association(declared.target._schema.kind, declared.back) is not None


def pair_of(cls_name: str, id: str, relation: str, other: str) -> Pair:
    """The association that one side's relation names; the same whichever side names it."""
    cls = CLASSES[cls_name]
    declared = cls._schema.relations[relation]
    target = declared.target.__name__
    if cls is Annotation and not declared.is_many:
        # The first of the many that stand beside it.
        many = declared.target._schema.kind.collection
        return pair_of(cls_name, id, many, other)
    if cls is Share and relation == "assets":
        return pair_of(cls_name, id, "asset", other)
    here = (cls_name, id, relation)
    if declared.back is None:
        return (here, (target, other, ""))
    return tuple(sorted([here, (target, other, declared.back)]))


def is_ambiguous(pair: Pair) -> bool:
    """Whether one route undoes several relations of the two at once, as with summaries."""
    return pair[0][0] == pair[-1][0] == "WorkstreamSummary"
