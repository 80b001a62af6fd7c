"""Operations of newer servers that the published contract lacks, in its form."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pieces_orm.wire.association_reads import FAMILIES
from pieces_orm.wire.kinds import KINDS, Kind
from pieces_orm.wire.other_kinds import OTHER_KINDS

_TEXT = {"type": "string"}
_REFERENCES = {
    "properties": {"iterable": {"type": "array", "items": {"properties": {"id": _TEXT}, "required": ["id"]}}}
}
_TEXTS = {"properties": {"iterable": {"type": "array", "items": _TEXT}}, "required": ["iterable"]}
_MOMENT = {
    "properties": {"value": {"enum": ["2026-01-01T00:00:00Z", "0001-01-01T00:00:00+23:59", "9999-12-31", "soon"]}}
}
_WINDOW = {"properties": {"from": _MOMENT, "to": _MOMENT}}
_WINDOWS = {"created": _WINDOW, "updated": _WINDOW}
_TYPE = {"enum": [kind.material_type for kind in (*KINDS.values(), *OTHER_KINDS)]}
_NUMBER = {"type": "integer"}

Operation = tuple[str, str, dict[str, Any]]


def _operation(method: str, path: str, schema: dict[str, Any] | None = None, *query: str) -> Operation:
    parameters = [{"in": "query", "name": name} for name in query]
    body = {} if schema is None else {"requestBody": {"content": {"application/json": {"schema": schema}}}}
    return method, path, {"parameters": parameters, **body}


def operations() -> Iterator[Operation]:
    """Yield method, path and description of each operation."""
    yield _operation("post", "/materials/metrics", _body(material_type=_TYPE, filters={"properties": _WINDOWS}))
    yield _operation("post", "/materials/identifiers", _body(material_type=_TYPE, limit=_NUMBER, **_WINDOWS))
    types = {"properties": {"types": {"type": "array", "items": _TEXT}, **_WINDOWS}}
    for owner in ("person", "user"):
        yield _operation("post", f"/{owner}/{{{owner}}}/annotations", _body(filter=types, limit=_NUMBER))
    yield _operation("get", "/user/{user}/person")
    for kind in (*KINDS.values(), *OTHER_KINDS):
        yield _operation("post", kind.newer_batch.path, _body(**dict.fromkeys(kind.batch_keys, _REFERENCES)))
    for family in FAMILIES:
        for side in family.sides:
            yield _operation("get", side.read.path, None, "limit", "offset")
            yield _operation("get", side.count.path)
            yield _operation("post", side.bulk.path, _TEXTS)
        yield _operation("get", family.pair.path)
        yield _operation("post", family.batch.path, _body(associations=_REFERENCES))


def _body(**properties: Any) -> dict[str, Any]:
    return {"properties": properties, "required": list(properties)[:1]}


def ends() -> Iterator[tuple[tuple[str, str], Kind]]:
    """Yield the kind that a parameter of a path stands for, where its name does not say it."""
    for family in FAMILIES:
        for side, name in zip(family.sides, ("first", "second"), strict=True):
            yield (side.read.path, "id"), side.owner
            yield (side.count.path, "id"), side.owner
            yield (family.pair.path, name), side.owner
