"""Creation bodies become materials: own keys are stored, everything that names others becomes edges."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attrs import frozen

from ...wire.kinds import (
    ACTIVITY,
    ANCHOR,
    ANCHOR_POINT,
    ANNOTATION,
    ASSET,
    CONVERSATION,
    FORMAT,
    HINT,
    MESSAGE,
    PERSON,
    SENSITIVE,
    SHARE,
    SOURCE,
    SOURCE_WINDOW,
    SUMMARY,
    TAG,
    WEBSITE,
    WORKSTREAM_EVENT,
    Kind,
)
from ..http.answers import RefusedError
from ..settings import Settings
from ..storage.timestamps import normal
from ..storage.writer import Writer, new_id
from .documents import text_of
from .relations import End, ends_of, relation_keys, seed_end
from .schema_check import fitted

Seed = Mapping[str, Any]
# What the server alone sets, and what versions stamps say about a body rather than a material.
FIXED = frozenset({"id", "created", "updated"})

# What a creation body must have, and as what.
REQUIRED: Mapping[str, Mapping[str, type]] = {
    ACTIVITY.name: {"application": dict, "event": dict},
    ANCHOR.name: {"type": str, "fullpath": str},
    ANCHOR_POINT.name: {"anchor": str, "fullpath": str, "type": str},
    ANNOTATION.name: {"text": str, "type": str},
    CONVERSATION.name: {"type": str},
    MESSAGE.name: {"role": str, "fragment": dict, "conversation": dict},
    HINT.name: {"text": str, "type": str},
    PERSON.name: {"type": dict},
    SENSITIVE.name: {"asset": str, "category": str, "description": str, "name": str, "severity": str, "text": str},
    SHARE.name: {"access": str},
    SOURCE.name: {"raw": dict, "readable": str},
    SOURCE_WINDOW.name: {"name": str},
    SUMMARY.name: {"name": str, "model": dict},
    TAG.name: {"text": str},
    WEBSITE.name: {"url": str, "name": str},
    WORKSTREAM_EVENT.name: {"application": dict, "trigger": dict},
}
# What a document must have that a creation body may leave out.
_DEFAULTS: Mapping[str, Seed] = {
    ACTIVITY.name: {"mechanism": "MANUAL"},
    SENSITIVE.name: {"mechanism": "MANUAL"},
    SHARE.name: {"accessors": {"iterable": []}},
    TAG.name: {"category": "UNKNOWN"},
}
# Keys of creation bodies that the document knows by other means.
_SEED_ONLY = {ANCHOR.name: {"fullpath", "platform"}, ANCHOR_POINT.name: {"type", "watch"}, SHARE.name: {"users"}}
# The key by whose value a material is looked up.
LABELS = {TAG.name: "text", WEBSITE.name: "url", ANCHOR_POINT.name: "fullpath"}
# A seed has one of these, the document a map of them by the id they concern.
_MAPPED = {"mechanism": "mechanisms", "access": "access", "model": "models"}
_MAPPED_KINDS = {
    PERSON.name: {"mechanism", "access", "model"},
    TAG.name: {"mechanism"},
    WEBSITE.name: {"mechanism"},
    HINT.name: {"mechanism"},
}


@frozen
class Planter:
    """Creates materials within one transaction."""

    writer: Writer
    settings: Settings

    def create(self, kind: Kind, seed: Seed) -> str:
        """Store what a creation body describes, with everything nested in it; the new id."""
        check(kind, seed)
        if kind is ANCHOR and self.settings.same_path_anchor == "existing":
            existing = self._same_path(seed)
            if existing is not None:
                return existing
        id = new_id()
        own = {**_DEFAULTS.get(kind.name, {}), **_own_keys(kind, seed, id)}
        if kind is SHARE:
            own |= {"link": f"/share/{id}", "short": id[:8]}
        own = fitted(kind, own)
        self.writer.create(kind.name, id, text_of(own), label=label_of(kind, own), created=_created(seed))
        for key, value in seed.items():
            end = seed_end(kind, key)
            if end is not None and value is not None:
                self.connect(kind, id, end, value)
        if kind is ANCHOR:
            self._point(id, seed)
        return id

    def connect(self, kind: Kind, id: str, end: End, value: Any) -> None:
        """Make the edges that a relation key of a creation body asks for."""
        for other in _named(kind, end, value):
            if isinstance(other, str):
                if self.writer.row(end.other.name, other) is not None:
                    self.link(end, id, other)
                elif self.settings.associate_missing == "error" or end.key[0] in REQUIRED.get(kind.name, {}):
                    raise RefusedError(500, f"The new {kind.name} names {end.other.name} {other}, which is not there.")
            elif any(one.joint is end.joint and not one.many for one in ends_of(end.other)):
                # The nested material needs its owner, as a message needs its conversation.
                back = next(one for one in ends_of(end.other) if one.joint is end.joint and not one.many)
                self.create(end.other, {**other, back.key[0]: {"id": id}})
            else:
                self.link(end, id, self.create(end.other, other))

    def link(self, end: End, own: str, other: str) -> None:
        """Make one edge, seen from `end`."""
        if end.side == "b":
            own, other = other, own
        self.writer.link(end.joint, own, other)

    def _point(self, anchor: str, seed: Seed) -> None:
        point = {"anchor": anchor, "fullpath": normal_path(seed["fullpath"]), "type": seed["type"]}
        if seed.get("platform"):
            point["platform"] = seed["platform"]
        self.create(ANCHOR_POINT, point)

    def _same_path(self, seed: Seed) -> str | None:
        """The anchor of the same type that has this path."""
        end = next(end for end in ends_of(ANCHOR_POINT) if end.key == ("anchor",))
        point = self.writer.labelled(ANCHOR_POINT.name, normal_path(seed["fullpath"]))
        if point is None:
            return None
        for relation, side, _, anchor in self.writer.edges(ANCHOR_POINT.name, [point.id]):
            row = self.writer.row(ANCHOR.name, anchor)
            if (relation, side) == (end.joint.name, end.side) and row and f'"type":"{seed["type"]}"' in row.document:
                return anchor
        return None


def label_of(kind: Kind, own: Seed) -> Any:
    """What a material is looked up by, None for most kinds."""
    return own.get(LABELS[kind.name]) if kind.name in LABELS else None


def check(kind: Kind, seed: Seed) -> None:
    """Refuse a creation body that lacks what its kind needs."""
    if not isinstance(seed, Mapping):
        raise RefusedError(400, f"The seed of a {kind.name} has to be a JSON object.")
    required = REQUIRED.get(kind.name, {})
    missing = [name for name in required if seed.get(name) is None]
    if missing:
        raise RefusedError(400, f"The seed of a {kind.name} lacks {', '.join(missing)}.")
    for name, wanted in required.items():
        # A reference may stand where an id is asked for, and the other way round.
        named = {str, dict} if seed_end(kind, name) else {wanted}
        if type(seed[name]) not in named:
            raise RefusedError(
                400, f"{name} of a {kind.name} has to be a {'text' if wanted is str else 'JSON object'}."
            )


def normal_path(path: str) -> str:
    """A path without separators at its end."""
    stripped = path.rstrip("/\\")
    return stripped if stripped and not stripped.endswith(":") else path


def _own_keys(kind: Kind, seed: Seed, id: str) -> dict[str, Any]:
    """The keys of a creation body that the material keeps for itself."""
    relations = relation_keys(kind)
    mapped = _MAPPED_KINDS.get(kind.name, set())
    left_out = FIXED | relations | _SEED_ONLY.get(kind.name, set()) | mapped
    own = {
        name: value
        for name, value in seed.items()
        if name not in left_out and value is not None and seed_end(kind, name) is None
    }
    if kind is ANCHOR_POINT:
        own["fullpath"] = normal_path(seed["fullpath"])
    if kind in {ANNOTATION, HINT} and isinstance(own.get("model"), str):
        own["model"] = {"id": own["model"]}
    target = next((seed[key] for key in ("asset", "conversation", "person") if isinstance(seed.get(key), str)), id)
    for name in mapped:
        if seed.get(name) is not None:
            own[_MAPPED[name]] = {target: seed[name]}
    return own


def _named(kind: Kind, end: End, value: Any) -> list[Any]:
    """The others that a value names: ids as text, new ones as their seeds."""
    if isinstance(value, Mapping) and isinstance(value.get("iterable"), list):
        value = value["iterable"]
    if isinstance(value, Mapping) and isinstance(value.get("reference"), Mapping) and "id" not in value:
        value = value["reference"]
    values = value if isinstance(value, list) else [value]
    named: list[Any] = []
    for one in values:
        if isinstance(one, str):
            named.append(one)
        elif isinstance(one, Mapping) and isinstance(one.get("id"), str):
            named.append(one["id"])
        elif isinstance(one, Mapping) and end.other not in {ASSET, FORMAT}:  # which are made together, from contents
            named.append(one)
        else:
            raise RefusedError(400, f"{'.'.join(end.key)} of a {kind.name} has to name its {end.other.collection}.")
    return named


def _created(seed: Seed) -> str:
    """When a seed says that its material was made; empty when it says nothing."""
    created = seed.get("created")
    return normal(created.get("value")) if isinstance(created, Mapping) else ""
