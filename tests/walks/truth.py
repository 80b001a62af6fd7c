"""What the server has, read by plain requests: documents, and related ids in the server's order."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Any

from attrs import define, field

from pieces_orm import PiecesError, Session
from pieces_orm.model.relation import Relation
from pieces_orm.wire import association_reads

from .materials import CLASSES, Key, Pair, pair_of

# Ages without anything having changed.
_AGEING = "readable"


@define
class Truth:
    """The server's materials at one moment."""

    documents: dict[Key, dict[str, Any]] = field(factory=dict)
    related: dict[tuple[Key, str], tuple[str, ...]] = field(factory=dict)

    def ids(self, cls_name: str) -> set[str]:
        """The ids of one kind."""
        return {id for name, id in self.documents if name == cls_name}

    def pairs(self) -> set[Pair]:
        """All associations."""
        return {
            pair_of(cls_name, id, relation, other)
            for ((cls_name, id), relation), others in self.related.items()
            for other in others
        }

    def description(self, id: str) -> str | None:
        """The text of the annotation that describes an asset."""
        for annotation in self.related.get((("Asset", id), "annotations"), ()):
            document = self.documents.get(("Annotation", annotation), {})
            if document.get("type") == "DESCRIPTION":
                return str(document["text"])
        return None


def read_truth(program: Session) -> Truth:
    """Read everything."""
    truth = Truth()
    for name, cls in CLASSES.items():
        kind = cls._schema.kind
        for document in json.loads(program.request("GET", kind.route("all").path))["iterable"]:
            truth.documents[name, document["id"]] = document
    for cls_name in CLASSES:
        for relation in CLASSES[cls_name]._schema.relations.values():
            _read_relation(program, truth, cls_name, relation)
    return truth


def read_document(program: Session, key: Key) -> dict[str, Any] | None:
    """One document; None when there is none."""
    kind = CLASSES[key[0]]._schema.kind
    try:
        found: dict[str, Any] = json.loads(program.request("GET", fill(kind.route("read").path, key[1])))
    except PiecesError:
        return None
    return found


def fill(path: str, *ids: str) -> str:
    """A path with its parameters filled in, in their order."""
    for id in ids:
        path = re.sub(r"{\w+}", id, path, count=1)
    return path


def without_ageing(value: Any) -> Any:
    """Plain data without the texts that age."""
    if isinstance(value, dict):
        return {name: without_ageing(each) for name, each in value.items() if name != _AGEING or "value" not in value}
    if isinstance(value, list):
        return [without_ageing(each) for each in value]
    return value


def at(document: Any, path: str) -> Any:
    """What stands at a dotted path; None when it is not there."""
    for part in path.split("."):
        document = document.get(part) if isinstance(document, dict) else None
    return document


def _read_relation(program: Session, truth: Truth, cls_name: str, relation: Relation[Any]) -> None:
    left_out: list[str] = []
    for (name, id), document in truth.documents.items():
        if name != cls_name:
            continue
        value = at(document, relation.wire)
        if value is None and relation.is_many:
            left_out.append(id)
        else:
            truth.related[(cls_name, id), relation.name] = tuple(_ids_in(value, is_many=relation.is_many))
    if left_out:
        _read_families(program, truth, relation, left_out)


def _read_families(program: Session, truth: Truth, relation: Relation[Any], owners: list[str]) -> None:
    cls_name = relation.owner.__name__
    kind = CLASSES[cls_name]._schema.kind
    found: dict[str, dict[str, None]] = {id: {} for id in owners}
    sides = association_reads.sides_of(kind, relation.name, relation.target._schema.kind)
    for side in sides:
        try:
            rows = json.loads(program.request("POST", side.bulk.path, body={"iterable": owners}))["iterable"]
        except PiecesError:
            return
        for row in reversed(rows):
            found[row[side.owner_key]][row[side.other_key]] = None
    for id, others in found.items() if sides else ():
        truth.related[(cls_name, id), relation.name] = tuple(others)


def _ids_in(value: Any, *, is_many: bool) -> Iterable[str]:
    if value is None:
        return
    if not is_many:
        yield value["id"]
        return
    indices = value.get("indices") or {}
    for member in value["iterable"]:
        if indices.get(member["id"], 0) >= 0:
            yield member["id"]
