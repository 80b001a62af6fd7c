"""Which edges there are, derived from the tables of associations and links, and how each shows in documents.

A joint is one relation between two kinds, stored once; an end is how one side's document names the other side.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Literal

from attrs import field, frozen

from ...wire.association_reads import SIDES
from ...wire.associations import ASSOCIATIONS, LINKS, Association, Link
from ...wire.kinds import ANNOTATION, ASSET, FORMAT, SHARE, SUMMARY, Kind
from ..storage.reader import Reader

Side = Literal["a", "b", "both"]
Form = Literal["references", "documents", "points", "reference", "flat"]


@frozen
class Joint:
    """One relation between kinds `a` and `b`; in a symmetric one (person with person) the sides are alike."""

    name: str
    a: Kind = field(repr=False)
    b: Kind = field(repr=False)
    symmetric: bool = False


@frozen
class End:
    """One side of a joint in a document: under `key` (a path of names), in one of five forms.

    `references` are {id}, `points` are {id, reference}, `documents` whole documents; `reference` and `flat` are the
    single other, as {id} or as its flattened document.
    """

    joint: Joint
    side: Side
    key: tuple[str, ...]
    form: Form

    @property
    def other(self) -> Kind:
        """The kind at the other side."""
        return self.joint.a if self.side == "b" else self.joint.b

    @property
    def many(self) -> bool:
        """Whether the document has a collection here, not a single other."""
        return self.form in {"references", "documents", "points"}


def _association_joint(row: Association) -> Joint:
    if row.owner is row.other:
        return Joint(f"{row.owner.name}.{row.relation}", row.owner, row.other, symmetric=True)
    a, b = sorted((row.owner, row.other), key=lambda kind: kind.name)
    return Joint(f"{a.name}-{b.name}", a, b)


def _association_end(row: Association) -> End:
    joint = _association_joint(row)
    side: Side = "both" if joint.symmetric else "a" if joint.a is row.owner else "b"
    return End(joint, side, tuple(row.wire.split(".")), "documents" if row.full else "references")


def link_joint(link: Link) -> Joint:
    """The joint of a link: the owner of many is side a."""
    return Joint(f"{link.owner.name}.{link.relation}", link.owner, link.member)


def _link_ends(link: Link) -> Iterator[tuple[Kind, End]]:
    joint = link_joint(link)
    form: Form = "documents" if link.full else "points" if link.relation == "anchor_points" else "references"
    yield link.owner, End(joint, "a", (link.many,), form)
    yield link.member, End(joint, "b", (link.one,), "flat" if link.owner in {ASSET, FORMAT} else "reference")


# Without a body the route of summary with summary makes `summaries`; with one it makes these.
FAMILY = Joint("workstream_summary.children", SUMMARY, SUMMARY)

# An annotation also names the first of each of these as a single one (Annotation.asset beside Annotation.assets).
_SINGULARS = {
    "anchor": "anchors",
    "asset": "assets",
    "conversation": "conversations",
    "person": "persons",
    "summary": "summaries",
}


def _ends() -> Iterator[tuple[Kind, End]]:
    for row in ASSOCIATIONS:
        yield row.owner, _association_end(row)
    for link in LINKS:
        yield from _link_ends(link)
    yield SUMMARY, End(FAMILY, "a", ("children",), "references")
    yield SUMMARY, End(FAMILY, "b", ("parents",), "references")
    for row in ASSOCIATIONS:
        for single, plural in _SINGULARS.items():
            if row.owner is ANNOTATION and row.relation == plural:
                yield ANNOTATION, End(_association_joint(row), _association_end(row).side, (single,), "reference")
    for link in LINKS:
        if link.member is SHARE:
            yield SHARE, End(link_joint(link), "b", ("assets",), "references")


def _by_kind() -> dict[str, tuple[End, ...]]:
    found: dict[str, list[End]] = {}
    for kind, end in _ends():
        found.setdefault(kind.name, []).append(end)
    return {name: tuple(ends) for name, ends in found.items()}


ENDS: Mapping[str, tuple[End, ...]] = MappingProxyType(_by_kind())
JOINTS: Mapping[str, Joint] = MappingProxyType({end.joint.name: end.joint for ends in ENDS.values() for end in ends})
LINK_JOINTS: Mapping[tuple[str, str], Joint] = MappingProxyType(
    {(link.owner.name, link.member.name): link_joint(link) for link in LINKS}
)


def association_joint(row: Association) -> Joint:
    """The joint that an association's routes change."""
    return JOINTS[_association_joint(row).name]


def ends_of(kind: Kind) -> tuple[End, ...]:
    """Every way in which documents of this kind name others."""
    return ENDS.get(kind.name, ())


def linked(reader: Reader, kind: Kind, keys: Collection[str], ids: Sequence[str]) -> Iterator[tuple[str, str, str]]:
    """Yield what some materials of a kind are linked to: (key, own id, other id).

    Args:
        keys: the keys of the wanted relations in documents of the kind, such as `tags`.
    """
    wanted = {end.joint.name: key for end in ends_of(kind) for key in keys if end.key == (key,)}
    for relation, _, own, other in reader.edges(kind.name, ids):
        if relation in wanted:
            yield wanted[relation], own, other


def relation_keys(kind: Kind) -> frozenset[str]:
    """The top-level wire keys that relations make: no client sets them through an update."""
    return frozenset(end.key[0] for end in ends_of(kind))


# Ends that join the same kinds as another, and are in no family.
_APART = {("grounding", "messages"), ("parents",), ("children",)}
_IN_FAMILIES = {(side.owner.name, side.other.name) for side in SIDES}


def has_family(kind: Kind, end: End) -> bool:
    """Whether newer servers keep this relation in an association family, apart from documents."""
    return end.key not in _APART and (kind.name, end.other.name) in _IN_FAMILIES


def seed_end(kind: Kind, key: str) -> End | None:
    """The end that a key of a creation body fills: by its own name, or by the singular that seeds use."""
    names = (key, _SINGULARS.get(key.removeprefix("workstream_"), ""))
    return next((end for name in names for end in ends_of(kind) if end.key == (name,)), None)
