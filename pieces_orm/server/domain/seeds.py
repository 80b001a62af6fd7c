"""Seeds become materials: own keys are stored, everything that names others becomes edges."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attrs import frozen

from ...values import Mechanism, TagCategory
from ...wire import kinds
from ...wire.kinds import Kind
from ..contract import contract
from ..json_values import json_text, levels, object_in
from ..request_errors import RequestError
from ..settings import Settings
from ..storage.timestamps import normalize_timestamp
from ..storage.writer import Writer, new_id
from .materials import own_keys, related_ids, require_row
from .relations import RelationEnd, end_of, ends_of, seed_end, server_keys
from .schema_check import check_type, validated

Seed = Mapping[str, Any]

MAX_MEMBERS = 100_000
"""Materials that one seed may nest or name, which are written in one transaction."""

# A seed or a reference, and an id: items of a list that may stand for a material.
_NAMING = frozenset({dict, str})
# Keys that only the server sets, though they are kept with the own keys.
_COUNTED = frozenset({"score"})
_FOUND = {kinds.ASSET.name: frozenset({"creator"}), kinds.SHARE.name: frozenset({"link", "short"})}
# The key by whose value a material is looked up.
LABELS = {kinds.TAG.name: "text", kinds.WEBSITE.name: "url", kinds.ANCHOR_POINT.name: "fullpath"}
# Values of keys that a document must have and a seed may omit.
_DEFAULTS: Mapping[str, Seed] = {
    kinds.ACTIVITY.name: {"mechanism": Mechanism.MANUAL.value},
    kinds.SENSITIVE.name: {"mechanism": Mechanism.MANUAL.value},
    kinds.SHARE.name: {"accessors": {"iterable": []}},
    kinds.TAG.name: {"category": TagCategory.UNKNOWN.value},
}
# Keys of seeds that the document does not have.
_SEED_ONLY = {
    kinds.ANCHOR.name: {"fullpath", "platform"},
    kinds.ANCHOR_POINT.name: {"type", "watch"},
    kinds.SHARE.name: {"users"},
}
# A seed has one of these, the document a map of them by the id they concern: the keys of both by kind.
MAPS: Mapping[str, Mapping[str, str]] = {
    **{kind.name: {"mechanism": "mechanisms"} for kind in (kinds.TAG, kinds.WEBSITE, kinds.HINT)},
    kinds.PERSON.name: {"mechanism": "mechanisms", "access": "access", "model": "models"},
}
# Kinds that are made in another way than from a nested seed.
_NEVER_NESTED = {kinds.ASSET, kinds.FORMAT}


@frozen
class SeedWriter:
    """Creates materials from seeds within one transaction."""

    writer: Writer
    settings: Settings

    def create(self, kind: Kind, seed: Seed) -> str:
        """Store what a seed describes, with everything nested in it; returns the new id.

        Raises:
            RequestError: 400, the seed is incomplete or malformed; 500, it names a material that does not exist.
        """
        check_seed(kind, seed)
        if kind is kinds.ANCHOR and self.settings.same_path_anchor == "existing":
            existing = self._same_path(seed)
            if existing is not None:
                return existing
        id = new_id()
        own = {**_DEFAULTS.get(kind.name, {}), **_own_keys(kind, seed, id)}
        if kind is kinds.SHARE:
            own |= {"link": f"/share/{id}", "short": id[:8]}
        own = validated(kind, own)
        # The one kind whose published seed says when it came about.
        created = normalize_timestamp(object_in(seed, "created").get("value")) if kind is kinds.MESSAGE else ""
        self.writer.create(kind.name, id, json_text(own), label=label_of(kind, own), created=created)
        for key, value in seed.items():
            end = seed_end(kind, key)
            if end is not None and value is not None:
                self.relate(kind, id, end, value)
        if kind is kinds.ANCHOR:
            point = {"anchor": id, **{key: seed.get(key) for key in ("fullpath", "type", "platform")}}
            self.create(kinds.ANCHOR_POINT, point)
        return id

    def relate(self, kind: Kind, id: str, end: RelationEnd, value: Any) -> None:
        """Add the edges that a relation key of a seed asks for, and create the materials nested there."""
        owner_end = next((one for one in ends_of(end.other) if one.relation == end.relation and not one.many), None)
        for other in _named(kind, end, value):
            if isinstance(other, str):
                if self.writer.row(end.other.name, other) is not None:
                    self.add_edge(end, id, other)
                elif self.settings.associate_missing == "error" or end.key[0] in contract().seeds[kind.name]:
                    raise RequestError(500, f"The new {kind.name} names {end.other.name} {other}, which is not there.")
            elif owner_end is not None:
                # The nested material needs its owner, as a message needs its conversation.
                self.create(end.other, {**other, owner_end.key[0]: {"id": id}})
            else:
                self.add_edge(end, id, self.create(end.other, other))

    def add_edge(self, end: RelationEnd, own: str, other: str) -> None:
        """Add one edge, seen from `end`."""
        a, b = (other, own) if end.side == "b" else (own, other)
        self.writer.add_edge(end.relation, a, b)

    def _same_path(self, seed: Seed) -> str | None:
        """Find the anchor of the same type that has this path."""
        end = end_of(kinds.ANCHOR_POINT, "anchor")
        point = self.writer.labelled(kinds.ANCHOR_POINT.name, normal_path(seed["fullpath"]))
        for id in related_ids(self.writer, end, kinds.ANCHOR_POINT, point.id) if point else ():
            if own_keys(require_row(self.writer, kinds.ANCHOR, id))["type"] == seed["type"]:
                return id
        return None


def label_of(kind: Kind, own: Seed) -> Any:
    """Return the value by which a material is looked up; None where its own keys have nothing to do with that.

    Of a person it is the id of its user, which may be empty.
    """
    if kind is kinds.PERSON:
        user = object_in(object_in(own, "type"), "platform").get("id")
        return user if isinstance(user, str) else ""
    return own.get(LABELS[kind.name]) if kind.name in LABELS else None


def fixed_keys(kind: Kind) -> frozenset[str]:
    """Return the keys that are never taken from a body."""
    return server_keys(kind) | _COUNTED | _FOUND.get(kind.name, frozenset())


def check_members(seed: Seed) -> None:
    """Refuse a seed that nests or names too many materials.

    Raises:
        RequestError: 413.
    """
    found = sum(
        type(item) in _NAMING for level in levels(seed) for each in level if type(each) is list for item in each
    )
    if found > MAX_MEMBERS:
        sentence = f"The seed lists {found:,} materials; the limit is {MAX_MEMBERS:,}."
        raise RequestError(413, f"{sentence} Create some of them by themselves.")


def check_seed(kind: Kind, seed: Seed) -> None:
    """Refuse a seed that lacks what its kind needs.

    Raises:
        RequestError: 400.
    """
    check_type("object", seed, f"The seed of a {kind.name}")
    required = contract().seeds[kind.name]
    missing = [name for name in required if seed.get(name) is None]
    if missing:
        raise RequestError(400, f"The seed of a {kind.name} lacks {', '.join(missing)}.")
    for name, shape in required.items():
        # A reference may stand where an id is asked for, and the other way round.
        if not (seed_end(kind, name) and isinstance(seed[name], str | Mapping)):
            check_type(shape, seed[name], f"{name} of a {kind.name}")


def normal_path(path: str) -> str:
    """Strip a path of separators at its end."""
    stripped = path.rstrip("/\\")
    return stripped if stripped and not stripped.endswith(":") else path


def _own_keys(kind: Kind, seed: Seed, id: str) -> dict[str, Any]:
    """Collect the keys of a seed that the material keeps for itself."""
    maps = MAPS.get(kind.name, {})
    left_out = fixed_keys(kind) | _SEED_ONLY.get(kind.name, set()) | maps.keys()
    own = {
        name: value
        for name, value in seed.items()
        if name not in left_out and value is not None and seed_end(kind, name) is None
    }
    if kind is kinds.ANCHOR_POINT:
        own["fullpath"] = normal_path(seed["fullpath"])
    if kind in {kinds.ANNOTATION, kinds.HINT} and isinstance(own.get("model"), str):
        own["model"] = {"id": own["model"]}
    concerned = next((seed[key] for key in ("asset", "conversation", "person") if isinstance(seed.get(key), str)), id)
    for name, map_name in maps.items():
        if seed.get(name) is not None:
            own[map_name] = {concerned: seed[name]}
    return own


def _named(kind: Kind, end: RelationEnd, value: Any) -> list[str | Seed]:
    """List the others that a value names: existing ones as their ids, new ones as their seeds.

    Raises:
        RequestError: 400, it is none of the forms in which others are named, or names none or many where one belongs.
    """
    items = value.get("iterable", [value]) if isinstance(value, Mapping) else value
    items = items if isinstance(items, list) else [items]
    named = [_reference(one) for one in items]
    is_one = end.many or len(named) == 1
    if not is_one or any(one is None or (end.other in _NEVER_NESTED and not isinstance(one, str)) for one in named):
        raise RequestError(400, f"{'.'.join(end.key)} of a {kind.name} must name its {end.other.collection}.")
    return [one for one in named if one is not None]


def _reference(value: Any) -> str | Seed | None:
    """Return the id that a reference has, or the seed that stands in its place; None for anything else."""
    if isinstance(value, Mapping) and "id" not in value:
        reference = value.get("reference")
        return value if reference is None else _reference(reference)
    id = value.get("id") if isinstance(value, Mapping) else value
    return id if isinstance(id, str) and id else None
