"""The relations that are stored, derived from the tables of the wire, and how they show in documents."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Literal

from attrs import frozen

from ...wire.association_reads import Family, sides_of
from ...wire.associations import ASSOCIATIONS, LINKS, Association
from ...wire.kinds import ANNOTATION, ASSET, KINDS, SHARE, SUMMARY, Kind
from ..request_errors import RequestError
from ..storage.reader import Reader
from ..storage.tables import StoredRelation

EndSide = Literal["a", "b", "both"]
Form = Literal["references", "documents", "points", "reference", "flat"]


@frozen
class RelationEnd:
    """The appearance of one relation in documents of a kind: under `key` (a path of names), in one of five forms.

    `references` are {id}, `points` are {id, reference}, `documents` whole documents; `reference` and `flat` are a
    single other material, as {id} or as its flattened document. `side` is the side of the document's kind.
    """

    relation: StoredRelation
    side: EndSide
    key: tuple[str, ...]
    form: Form

    @property
    def other(self) -> Kind:
        """The kind at the other side."""
        return self.relation.a if self.side == "b" else self.relation.b

    @property
    def many(self) -> bool:
        """True when documents have a collection here, not a single other."""
        return self.form in {"references", "documents", "points"}


# Keys of every document, and an asset's for its one format.
_MADE, _FORMATS = frozenset({"id", "created", "updated"}), frozenset({"original", "preview"})

# Without a body the route of summary with summary makes `summaries`; with one it makes a parent and a child.
SUMMARY_HIERARCHY = StoredRelation("workstream_summary.children", SUMMARY, SUMMARY)

# An annotation also names the first of each of these as a single one (Annotation.asset beside Annotation.assets).
_SINGULARS = {name: f"{name}s" for name in ("anchor", "asset", "conversation", "person")} | {"summary": "summaries"}


def association_relation(row: Association) -> StoredRelation:
    """Return the relation that an association's routes change."""
    if row.owner is row.other:
        return StoredRelation(f"{row.owner.name}.{row.relation}", row.owner, row.other, symmetric=True)
    return _relation_of_kinds(row.owner, row.other)


def _relation_of_kinds(one: Kind, other: Kind) -> StoredRelation:
    a, b = sorted((one, other), key=lambda kind: kind.name)
    return StoredRelation(f"{a.name}-{b.name}", a, b)


def _ends() -> Iterator[tuple[Kind, RelationEnd]]:
    """Yield each kind with one way in which its documents name others; the order is that of a document's keys."""
    singles = []
    for row in ASSOCIATIONS:
        relation = association_relation(row)
        side: EndSide = "both" if relation.symmetric else "a" if relation.a is row.owner else "b"
        key = tuple(row.wire.split("."))
        yield row.owner, RelationEnd(relation, side, key, "documents" if row.full else "references")
        if row.owner is ANNOTATION:
            names = [single for single, plural in _SINGULARS.items() if plural == row.relation]
            singles += [(ANNOTATION, RelationEnd(relation, side, (name,), "reference")) for name in names]
    for link in LINKS:
        relation = StoredRelation(f"{link.owner.name}.{link.relation}", link.owner, link.member)
        form: Form = "documents" if link.full else "points" if link.relation == "anchor_points" else "references"
        yield link.owner, RelationEnd(relation, "a", (link.many,), form)
        yield link.member, RelationEnd(relation, "b", (link.one,), "flat" if link.full else "reference")
        if link.member is SHARE:
            singles.append((SHARE, RelationEnd(relation, "b", ("assets",), "references")))
    yield SUMMARY, RelationEnd(SUMMARY_HIERARCHY, "a", ("children",), "references")
    yield SUMMARY, RelationEnd(SUMMARY_HIERARCHY, "b", ("parents",), "references")
    yield from singles


_ENDS = tuple(_ends())
_BY_KIND: Mapping[str, tuple[RelationEnd, ...]] = MappingProxyType(
    {name: tuple(end for kind, end in _ENDS if kind.name == name) for name in KINDS}
)
_IN_FAMILIES = {(kind.name, end.key) for kind, end in _ENDS if sides_of(kind, "_".join(end.key), end.other)}


def ends_of(kind: Kind) -> tuple[RelationEnd, ...]:
    """Return every way in which documents of a kind name others."""
    return _BY_KIND[kind.name]


def end_of(kind: Kind, *key: str) -> RelationEnd:
    """Return the end that documents of a kind have under a key."""
    return next(end for end in ends_of(kind) if end.key == key)


def linked(reader: Reader, kind: Kind, keys: Collection[str], ids: Sequence[str]) -> Iterator[tuple[str, str, str]]:
    """Yield the links of some materials of a kind: (key, own id, other id).

    Args:
        keys: the keys of the wanted relations in documents of the kind, such as `tags`.
    """
    wanted = {end.relation.name: key for end in ends_of(kind) for key in keys if end.key == (key,)}
    for relation, _, own, other in reader.edges(kind.name, ids):
        if relation in wanted:
            yield wanted[relation], own, other


def relation_keys(kind: Kind) -> frozenset[str]:
    """Return the top-level wire keys that relations fill: no client sets them through an update."""
    return frozenset(end.key[0] for end in ends_of(kind))


def server_keys(kind: Kind) -> frozenset[str]:
    """Return the top-level keys of documents that are made by the server alone, and never stored with the own keys."""
    return relation_keys(kind) | _MADE | (_FORMATS if kind is ASSET else frozenset())


def check_relations(kind: Kind, body: Mapping[str, Any]) -> None:
    """Refuse values of relation keys in an update that are none, though nothing is taken from them.

    Raises:
        RequestError: 400, one is neither an object nor, for a single other, an id.
    """
    for end in ends_of(kind):
        value = body.get(end.key[0])
        if not (value is None or isinstance(value, Mapping) or (isinstance(value, str) and not end.many)):
            form = "{iterable: [{id}]}" if end.many else "{id}"
            raise RequestError(400, f"{end.key[0]} of a {kind.name} must be a JSON object such as {form}.")


def has_family(kind: Kind, end: RelationEnd) -> bool:
    """Tell whether newer servers keep this relation in an association family, apart from documents."""
    return (kind.name, end.key) in _IN_FAMILIES


def family_relation(family: Family) -> StoredRelation:
    """Return the relation whose edges are the rows of a family; of most families, documents show it too."""
    owner, other = family.sides[0].owner, family.sides[0].other
    shown = (end.relation for end in _BY_KIND.get(owner.name, ()) if end.other is other and has_family(owner, end))
    return next(shown, None) or _relation_of_kinds(owner, other)


def seed_end(kind: Kind, key: str) -> RelationEnd | None:
    """Return the end that a key of a seed fills: by its own name, or by the singular that seeds use."""
    names = (key, _SINGULARS.get(key.removeprefix("workstream_"), ""))
    return next((end for name in names for end in ends_of(kind) if end.key == (name,)), None)
