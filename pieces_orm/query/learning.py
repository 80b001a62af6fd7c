"""Ask for what documents leave out of the fields and relations that a query looks at."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

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
from .conditions import FieldTest, RelationTest
from .deciding import Candidate
from .explaining import request_text

_NOTE = "where documents leave it out"


def learn(
    context: Context,
    cls: type[Entity],
    candidates: Sequence[Candidate],
    leaves: Iterable[FieldTest | RelationTest],
    fields: Iterable[Field] = (),
) -> None:
    """Ask for those of some fields and relations that the documents of candidates leave out.

    Requests: those of `requests`, for what is left out.
    """
    relations = {leaf.relation.name: leaf.relation for leaf in leaves if isinstance(leaf, RelationTest)}
    specs = {spec.name: spec for spec in (*fields, *(leaf.spec for leaf in leaves if isinstance(leaf, FieldTest)))}
    for relation in relations.values():
        _learn_relation(context, cls, [each for each in candidates if each.lacks_ids(relation)], relation)
    for spec in specs.values():
        lacking = [each for each in candidates if each.lacks(spec)]
        if lacking and spec.copied_from:
            _learn_from_copies(context, cls, lacking, spec)
        elif isinstance(spec, CompletedField):
            for each in lacking:
                record = context.identity_map.ref(cls, each.id)
                each.learn(spec, decode(record, spec, spec.complete(context, record, each.document)))


def _learn_relation(
    context: Context, cls: type[Entity], candidates: Sequence[Candidate], relation: Relation[object]
) -> None:
    """Learn the ids of a relation, together from its association family, else one by one."""
    if not candidates:
        return
    feature = f"{relation.owner.__name__}.{relation.name}"
    found: dict[str, tuple[str, ...]] | None = None
    if not relation.is_many:
        # A complete document without it says that there is none.
        found = {each.id: () for each in candidates}
    elif context.connection.may_have(feature):
        found = association_ids.read_related_ids(context.connection, relation, [each.id for each in candidates])
        if found is None:
            context.connection.has_not(feature)
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


def requests(cls: type[Entity], leaves: Iterable[FieldTest | RelationTest], fields: Iterable[Field]) -> list[str]:
    """Return the requests that learning takes, as far as documents leave something out."""
    relations = [leaf.relation for leaf in leaves if isinstance(leaf, RelationTest) and leaf.relation.is_many]
    copied = [cls._schema.relations[spec.copied_from] for spec in fields if spec.copied_from]
    completed = any(isinstance(spec, CompletedField) and not spec.copied_from for spec in fields)
    routes: list[Route] = []
    for relation in [*relations, *copied]:
        sides = sides_of(cls._schema.kind, relation.name, relation.target._schema.kind)
        routes += [route for side in sides for route in (side.bulk, side.read)] or [cls._schema.kind.route("read")]
    for relation in copied:
        kind = relation.target._schema.kind
        routes += [kind.routes.get("batch", kind.newer_batch), kind.route("read")]
    if completed:
        routes.append(FORMAT.route("read"))
    return [request_text(route, note=_NOTE) for route in dict.fromkeys(routes)]
