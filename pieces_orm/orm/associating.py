"""What an entity asks the server to do: read, delete, associate, disassociate, count a use.

A command needs only ids. It is sent first and applied to this side when the server has answered: never pending.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from msgspec import Raw

from ..concurrency import parallel
from ..concurrency.parallel import Act, Progress
from ..documents import answers, decoding, merging
from ..documents.document import Document
from ..errors import (
    AmbiguousRelationError,
    InvalidValueError,
    NotFoundError,
    ResponseError,
    ServerError,
    UnknownRelationError,
)
from ..wire import association_reads, associations, kinds, paths

if TYPE_CHECKING:
    from ..model.relation import Relation
    from .entity import Entity, Owner
    from .relations import Many

# How a server says that it does not have a route of other versions.
NO_ROUTE = (404, 405, 501)
REASONS = ("priority", "reuse", "update", "reference", "searched")


def read(owner: Owner, kind: kinds.Kind, id: str, query: Mapping[str, Any] | None = None) -> Document:
    """The server's document of one material.

    Raises:
        NotFoundError: it is gone or never was.
    """
    route = kind.route("read")
    query = {name: value for name, value in (query or {}).items() if name in route.query}
    try:
        data = owner.call(route, {kind.parameter: id}, query)
    except ServerError as error:
        if kind.gone != error.status:
            raise
        message = f"There is no {kind.name} {id} (the server says so with status {error.status}: {error.body[:200]})."
        raise NotFoundError(
            message, status=error.status, body=error.body, method=error.method, path=error.path
        ) from error
    return answers.one(data, kind.name, id, contents=has_contents(query))[1]


def related_ids(owner: Owner, relation: Relation[Any], ids: Sequence[str]) -> dict[str, tuple[str, ...]] | None:
    """The ids of a relation of some materials, read from its association family; None where the server has none.

    Requests: one GET for each 500 of one material; one POST for each 200 materials.
    """
    sides = association_reads.sides_of(relation.owner.kind, relation.name, relation.target.kind)
    found: dict[str, dict[str, None]] = {id: {} for id in ids}
    try:
        for side in sides:
            read = _pages(owner, side, ids[0]) if len(ids) == 1 else _bulk(owner, side, ids)
            for owner_id, other_id in read:
                found[owner_id][other_id] = None
    except ResponseError as error:
        if error.status not in NO_ROUTE:
            raise
        return None
    return {id: tuple(others) for id, others in found.items()} if sides else None


def _pages(owner: Owner, side: association_reads.Side, id: str) -> Iterator[tuple[str, str]]:
    offset = 0
    while True:
        query = {"limit": association_reads.PAGE, "offset": offset, "transferables": False}
        rows = answers.association_rows(owner.call(side.read, {"id": id}, query), side.owner_key, side.other_key)
        yield from rows
        offset += len(rows)
        if len(rows) < association_reads.PAGE:
            return


def _bulk(owner: Owner, side: association_reads.Side, ids: Sequence[str]) -> Iterator[tuple[str, str]]:
    for start in range(0, len(ids), association_reads.OWNERS):
        body = decoding.encode({"iterable": list(ids[start : start + association_reads.OWNERS])})
        yield from answers.association_rows(owner.call(side.bulk, body=body), side.owner_key, side.other_key)


def with_members(entity: Entity, collection: str, document: Document) -> Document:
    """An entity's document with a collection that the server left out, its members read anew.

    Requests: none when the document has it; else those of `related_ids`, and one GET for each member.
    """
    relation = next((each for each in entity.relations.values() if each.wire == collection), None)
    if relation is None or document.get(collection) is not None:
        return document
    found = related_ids(entity.owner, relation, [entity.id])
    if found is None:
        return document
    kind = relation.target.kind
    members = [Raw(read(entity.owner, kind, id).data) for id in found[entity.id]]
    return Document(merging.merge(document, {collection: {"iterable": members}}), contents=document.contents)


def check_id(id: str) -> None:
    """Refuse what is no id, before any request.

    Raises:
        InvalidIdError: it is empty, `.`, `..`, no text, or has a slash in it.
    """
    paths.segment(id)


def contents_query(route: kinds.Route, transferables: bool | None) -> dict[str, Any]:
    """The query that asks for contents or not; some routes spell it `transferable`, some do not know it."""
    if transferables is None:
        return {}
    for name in ("transferables", "transferable"):
        if name in route.query:
            return {name: transferables}
    message = f"{route.path} takes no transferables: there are no contents to leave out."
    raise InvalidValueError(message)


def has_contents(query: Mapping[str, Any]) -> bool:
    """Whether an answer to this query carries contents."""
    return query.get("transferables") is not False and query.get("transferable") is not False


def delete(entity: Entity) -> Act:
    """Delete a material; one that is already gone counts as done."""
    entity.check_usable()
    owner = entity.owner
    kind = entity.kind
    route = kind.route("delete")
    if owner.signals.deleting.receivers:
        owner.signals.ask(owner.signals.deleting, type(entity), entity=entity)
    with owner.map.writing(kind, entity.id):
        yield
        try:
            owner.call(route, {kind.parameter: entity.id})
        except NotFoundError:
            pass
        except ServerError:
            # Some kinds say "no such material" with a 500: only a read can tell that from a failure.
            if _exists(owner, kind, entity.id):
                raise
        yield
        removed = owner.map.remove(entity)
        owner.wrote(entity)
    if removed and owner.signals.deleted.receivers:
        owner.signals.tell(owner.signals.deleted, type(entity), entity=entity, origin="local")


def vanished(entity: Entity, origin: str) -> None:
    """Make an entity DELETED that turned out to be gone, and tell it if anything was known of it."""
    owner = entity.owner
    known = entity.document is not None
    if owner.map.remove(entity) and known and owner.signals.deleted.receivers:
        owner.signals.tell(owner.signals.deleted, type(entity), entity=entity, origin=origin)


def _exists(owner: Owner, kind: kinds.Kind, id: str) -> bool:
    try:
        read(owner, kind, id, {"transferables": False})
    except NotFoundError:
        return False
    return True


def increment_score(entity: Entity, reason: str) -> None:
    """Count one use of a material."""
    if reason not in REASONS:
        message = f"{reason!r} is no reason for a score; the reasons are {', '.join(REASONS)}."
        raise InvalidValueError(message)
    route = entity.kind.route("score")
    body = decoding.encode({entity.kind.score: {reason: True}})
    with entity.owner.map.writing(entity.kind, entity.id):
        entity.owner.call(route, {entity.kind.parameter: entity.id}, body=body)
        entity.owner.wrote(entity)


def relation_between(entity: Entity, other: object) -> Many[Any]:
    """The one relation that `associate` means for these two entities.

    Raises:
        UnknownRelationError: the wire has no association between the kinds.
        AmbiguousRelationError: only an explicit relation can say which is meant.
    """
    candidates = [relation for relation in entity.many.values() if _changeable(relation) and _fits(relation, other)]
    if not candidates:
        theirs = [] if not hasattr(other, "many") else list(other.many.values())
        explicit = [each.name for each in theirs if each.explicit and _changeable(each) and _fits(each, entity)]
        if explicit:
            message = f"Which relation is meant? Use the {type(other).__name__}'s {explicit[0]}.add(...)."
            raise AmbiguousRelationError(message)
        other_name = type(other).__name__
        names = sorted(relation.name for relation in entity.many.values() if _changeable(relation))
        message = f"{type(entity).__name__} cannot be associated with {other_name}; its relations: {', '.join(names)}."
        raise UnknownRelationError(message)
    if len(candidates) > 1 or candidates[0].explicit:
        names = sorted(f"{relation.name}.add(...)" for relation in candidates)
        message = f"Which relation is meant? Use the {type(entity).__name__}'s {' or '.join(names)}."
        raise AmbiguousRelationError(message)
    return candidates[0]


def _changeable(relation: Relation[Any]) -> bool:
    return _routed(relation) is not None


def _fits(relation: Relation[Any], other: object) -> bool:
    return isinstance(other, relation.target)


@functools.cache
def _routed(relation: Relation[Any]) -> tuple[associations.Association, bool] | None:
    """The table row that changes a relation, and whether it is the other side's row."""
    row = associations.association(relation.owner.kind, relation.name)
    if row is not None:
        return row, False
    if relation.back is not None:
        row = associations.association(relation.target.kind, relation.back)
        if row is not None:
            return row, True
    return None


def change(
    entity: Entity, pairs: Sequence[tuple[Many[Any], Entity]], *, present: bool, progress: Progress | None = None
) -> None:
    """Associate an entity with others, or undo that, each by its relation, and put both sides in step.

    Everything is checked before anything is sent.
    """
    entity.check_usable()
    for relation, other in pairs:
        _check(entity, relation, other)
    parallel.do_each(
        pairs,
        lambda pair: _change(entity, *pair, present=present),
        lambda pair: pair[1].id,
        "associated" if present else "disassociated",
        concurrency=entity.owner.concurrency,
        progress=progress,
    )


def _check(entity: Entity, relation: Many[Any], other: Entity) -> None:
    routed = _changeable(relation)
    if not routed or not _fits(relation, other):
        why = f": it takes entities, as session.{relation.target.kind.collection} gives them." if routed else (
            ": no route of the wire changes this relation."
        )  # fmt: skip
        message = f"{relation.name} of {type(entity).__name__} takes no {type(other).__name__}{why}"
        raise UnknownRelationError(message)
    other.check_owner(entity.owner)
    other.check_usable()


def _change(entity: Entity, relation: Many[Any], other: Entity, *, present: bool) -> Act:
    owner, routed = entity.owner, _routed(relation)
    assert routed is not None
    with owner.map.writing(entity.kind, entity.id), owner.map.writing(other.kind, other.id):
        yield
        _send(owner, *routed, entity, other, present=present)
        # What is asked for from here on is newer, however long this waits for its turn.
        number = owner.map.now()
        yield
        relations = [relation] if present else [relation, *_parted_with(entity, relation, routed[0])]
        news = [each for each in relations if owner.map.link(entity, each, other, number, present=present)]
        owner.wrote(entity)
        owner.wrote(other)
    signal = owner.signals.associated if present else owner.signals.disassociated
    for each in news if signal.receivers else ():
        about = {"entity": entity, "relation": each.name, "other": other, "origin": "local"}
        owner.signals.tell(signal, type(entity), **about)


def _parted_with(entity: Entity, relation: Many[Any], row: associations.Association) -> list[Many[Any]]:
    """The other relations that the same route undoes: a summary's parents, children and summaries share one."""
    path = row.path("disassociate")
    routed = ((each, _routed(each)) for each in entity.many.values() if each is not relation)
    return [each for each, found in routed if found is not None and found[0].path("disassociate") == path]


def _send(
    owner: Owner, row: associations.Association, mirrored: bool, entity: Entity, other: Entity, *, present: bool
) -> None:
    first, second = (other, entity) if mirrored else (entity, other)
    ids = {row.owner.parameter: first.id, row.parameter: second.id}
    if present:
        roles = None if row.roles is None else decoding.encode(dict(zip(row.roles, ids.values(), strict=True)))
        owner.call(_route(row.path("associate")), ids, body=roles)
    elif row.older is None:
        owner.call(_route(row.path("disassociate")), ids)
    else:
        owner.call_newer_or_older(_route(row.path("disassociate")), _route(row.older), ids)


def _route(path: str) -> kinds.Route:
    return kinds.Route("POST", path, (), kinds.TEXT, "nothing")
