"""Ask for what documents leave out of the fields and relations that a query looks at."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from ..documents.document import Document
from ..model.fields import Field
from ..model.record import EMPTY, decode, try_decode
from ..model.relation import Relation
from ..orm import association_ids, reading, relation_loading
from ..orm.context import Context
from ..orm.entity import Entity
from ..orm.persistence import CompletedField
from ..wire.association_reads import sides_of
from ..wire.kinds import FORMAT, Route
from .conditions import AnyOf, FieldTest, RelationTest, Test, leaves, replaced
from .deciding import Candidate
from .explaining import request_text
from .ordering import ID

_NOTE = "where documents leave it out"


def settled(context: Context, cls: type[Entity], candidates: Sequence[Candidate], test: Test) -> Test:
    """Ask for what the documents of candidates leave out and a test looks at; return the test, to be decided now.

    Relations are asked for from the side that has fewer materials: of a tag that is looked for, or of the candidates.

    Requests: those of `requests`, for what is left out.
    """

    def settle(leaf: RelationTest) -> Test:
        lacking = [each for each in candidates if each.lacks_ids(leaf.relation)]
        members = _members(context, leaf) if len(leaf.ids) < len(lacking) else None
        if members is None:
            _learn_relation(context, cls, lacking, leaf.relation)
            return leaf
        return FieldTest(ID, "one_of", members) if members else AnyOf(())

    learn_fields(context, cls, candidates, [leaf.spec for leaf in leaves(test) if isinstance(leaf, FieldTest)])
    return replaced(test, settle)


def _members(context: Context, test: RelationTest) -> tuple[str, ...] | None:
    """Return the ids of the materials that meet a test, read from its targets; None where the server cannot tell."""
    inverse = test.relation.inverse
    if test.is_empty or inverse is None or not (inverse.is_many and test.relation.is_many):
        return None
    found = _read_apart(context, inverse, test.ids)
    return None if found is None else tuple(dict.fromkeys(id for ids in found.values() for id in ids))


def _read_apart(context: Context, relation: Relation[Any], ids: Sequence[str]) -> dict[str, tuple[str, ...]] | None:
    """Read the ids of a relation from its association family; None where the server has none."""
    feature = f"{relation.owner.__name__}.{relation.name}"
    if not context.connection.may_have(feature):
        return None
    found = association_ids.read_related_ids(context.connection, relation, ids)
    if found is None:
        context.connection.has_not(feature)
    return found


def learn_fields(context: Context, cls: type[Entity], candidates: Sequence[Candidate], specs: Iterable[Field]) -> None:
    """Ask for those of some fields that the documents of candidates leave out."""
    for spec in specs:
        lacking = [each for each in candidates if each.lacks(spec)]
        if lacking and spec.copied_from:
            _learn_from_copies(context, cls, lacking, spec)
        elif isinstance(spec, CompletedField):
            for each in lacking:
                record = context.identity_map.ref(cls, each.id)
                each.learn(spec, decode(record, spec, spec.complete(context, record, each.document)))


def _learn_relation(
    context: Context, cls: type[Entity], candidates: Sequence[Candidate], relation: Relation[Any]
) -> None:
    """Learn the ids of a relation, together from its association family, else one by one."""
    if not candidates:
        return
    # A complete document that leaves out a to-one relation says that there is none.
    none: dict[str, tuple[str, ...]] = {each.id: () for each in candidates}
    found = _read_apart(context, relation, list(none)) if relation.is_many else none
    for each in candidates:
        if found is None:
            record = context.identity_map.ref(cls, each.id)
            each.learn_ids(relation, relation_loading.related_ids(context, record, relation))
        else:
            each.learn_ids(relation, found[each.id])


def _learn_from_copies(context: Context, cls: type[Entity], candidates: Sequence[Candidate], spec: Field) -> None:
    """Learn a field that stands in the documents of related materials."""
    relation = cls._schema.relations[spec.copied_from]
    _learn_relation(context, cls, [each for each in candidates if each.lacks_ids(relation)], relation)
    ids = list(dict.fromkeys(id for each in candidates for id in each.related(relation)))
    documents: dict[str, Document] = {}
    for start in range(0, len(ids), reading.MAX_BATCH_SIZE):
        some = ids[start : start + reading.MAX_BATCH_SIZE]
        documents |= reading.read_few(context.connection, relation.target._schema.kind, some)
    for each in candidates:
        slices = (spec.read_member(documents[id]) for id in each.related(relation) if id in documents)
        value = next((try_decode(spec, found) for found in slices if found is not None), None)
        each.learn(spec, None if value is EMPTY else value)


def requests(cls: type[Entity], compared: Iterable[FieldTest | RelationTest], fields: Iterable[Field]) -> list[str]:
    """Return the requests that learning takes, as far as documents leave something out."""
    relations = [leaf.relation for leaf in compared if isinstance(leaf, RelationTest) and leaf.relation.is_many]
    copied = [cls._schema.relations[spec.copied_from] for spec in fields if spec.copied_from]
    completed = any(isinstance(spec, CompletedField) and not spec.copied_from for spec in fields)
    routes: list[Route] = []
    for relation in [*relations, *copied]:
        routes += _family_routes(relation) or [cls._schema.kind.route("read")]
    for relation in relations:
        routes += [] if relation.inverse is None else _family_routes(relation.inverse)
    for relation in copied:
        kind = relation.target._schema.kind
        routes += [kind.routes.get("batch", kind.newer_batch), kind.route("read")]
    if completed:
        routes.append(FORMAT.route("read"))
    return [request_text(route, note=_NOTE) for route in dict.fromkeys(routes)]


def _family_routes(relation: Relation[Any]) -> list[Route]:
    sides = sides_of(relation.owner._schema.kind, relation.name, relation.target._schema.kind)
    return [route for side in sides for route in (side.bulk, side.read)]
