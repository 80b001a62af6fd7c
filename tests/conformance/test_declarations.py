"""What the entities declare is what the wire has, both ways: fields, types, enums, relations."""

from __future__ import annotations

import json
import types
import typing
from collections.abc import Mapping
from datetime import datetime

import attrs
import pytest

from pieces_orm import Entity
from pieces_orm.entities.asset_fields import OriginalField
from pieces_orm.model.fields import Field
from pieces_orm.orm.relations import Many, One
from pieces_orm.values import OpenEnum
from pieces_orm.values.structs import WIRE_KEY
from pieces_orm.wire import associations

from .official import CONTRACT

SCHEMAS = json.loads((CONTRACT / "pieces-openapi.json").read_text())["components"]["schemas"]
ASSOCIATIONS = json.loads((CONTRACT / "associations.json").read_text())["relations"]
CLASSES = sorted(Entity._registry.values(), key=lambda cls: cls.__name__)

# What stays undeclared, and why.
UNDECLARED = {
    "schema": "a version stamp, carried through untouched",
    "tagsVector": "an embedding: thousands of numbers that only the server reads",
    "workstreamEventsVector": "an embedding, likewise",
    "workstreamSummariesVector": "an embedding, likewise",
    "workstreamPatternEngineSourcesVector": "an embedding, likewise",
    "Tag.relationship": "a graph of embeddings that only the server reads",
    "Format.relationship": "likewise",
    "Format.analysis": "what the server recognised in the content: deep, and different from server to server",
    "Conversation.pipeline": "settings of a copilot's prompt that only the server reads",
    "Conversation.model": "a bare reference to a model, which is no material; session.models() has them",
    "Annotation.model": "likewise",
    "Hint.model": "likewise",
    "Person.models": "likewise, by id",
    "WorkstreamEvent.context": "what was captured on screen: deep, and different from system to system; raw() has it",
    "Source.accessibility": "whether the server could read the window: for the server's own use",
    "WorkstreamSummary.applications": "applications are no materials; raw() has them",
    "Activity.user": "an account, which is no material",
    "Format.file": "its text is in the fragment; bytes are in raw()",
}  # fmt: skip


def schema(name):
    return SCHEMAS[name]


def resolve(spec):
    """The schema that a property leads to, and its name."""
    if "$ref" in spec:
        name = spec["$ref"].rsplit("/", 1)[-1]
        return SCHEMAS[name], name
    return spec, None


def walk(cls, path):
    """The property at a dotted wire path of a class's schema, and whether every step is required."""
    current, required = schema(cls._schema.kind.schema), True
    spec = None
    for part in path.split("."):
        required = required and part in current.get("required", [])
        spec = current["properties"].get(part)
        if spec is None:
            return None, False
        current = resolve(spec)[0]
    return spec, required


def located(cls, field):
    """The property of a field, wherever the field is found."""
    if type(field) is not Field:
        collection = "formats" if isinstance(field, OriginalField) else "annotations"
        items = resolve(
            resolve(schema(cls._schema.kind.schema)["properties"][collection])[0]["properties"]["iterable"]["items"]
        )[1]
        owner = next(each for each in CLASSES if each._schema.kind.schema == items)
        return walk(owner, field.wire.split("|")[0])[0], False
    return walk(cls, field.wire.split("|")[0])


def fits(annotation, spec):
    """Whether a declared type says the same as a property."""
    members = [each for each in typing.get_args(annotation) if each is not type(None)]
    if isinstance(annotation, types.UnionType) or typing.get_origin(annotation) is typing.Union:
        return len(members) == 1 and fits(members[0], spec)
    target, name = resolve(spec)
    if annotation is typing.Any:
        return True
    if name == "GroupedTimestamp":
        return annotation is datetime
    if typing.get_origin(annotation) is Mapping:
        return fits(members[1], target["additionalProperties"])
    if typing.get_origin(annotation) is tuple:
        return fits(members[0], target["items"])
    if "enum" in target:
        known = {member.value for member in annotation} if issubclass(annotation, OpenEnum) else None
        return annotation is str or known == set(target["enum"])
    if attrs.has(annotation):
        attrs.resolve_types(annotation)
        wire = {a.metadata.get(WIRE_KEY, a.name): a.type for a in attrs.fields(annotation)}
        return all(
            key in target["properties"] and fits(type_, target["properties"][key]) for key, type_ in wire.items()
        )
    simple = {str: "string", bool: "boolean", int: "integer", float: "number"}
    said = target.get("type")
    return simple.get(annotation) in (said if isinstance(said, list) else [said])


def undeclared(cls):
    """The properties of a class's schema that neither a field nor a relation reads."""
    declared = {
        field.wire.split(".")[0] for field in cls._schema.fields.values() if not isinstance(field, OriginalField)
    }
    declared |= {relation.wire.split(".")[0] for relation in cls._schema.relations.values()}
    return set(schema(cls._schema.kind.schema)["properties"]) - declared - {"id"}


FIELDS = [(cls, field) for cls in CLASSES for field in cls._schema.fields.values()]


@pytest.mark.parametrize(
    ("cls", "field"), FIELDS, ids=lambda each: getattr(each, "name", getattr(each, "__name__", ""))
)
def test_a_declared_field_is_on_the_wire_with_its_type(cls, field):
    spec, required = located(cls, field)
    assert spec is not None, f"{cls.__name__}.{field.name}: the wire has no {field.wire}"
    assert fits(field.resolved, spec), f"{cls.__name__}.{field.name}: {field.resolved} is not {spec}"
    if not required and not field.wire.endswith("iterable"):
        assert field.optional or field.resolved is typing.Any, f"{cls.__name__}.{field.name} may be absent"


@pytest.mark.parametrize("cls", CLASSES, ids=lambda cls: cls.__name__)
def test_nothing_on_the_wire_is_undeclared_without_a_reason(cls):
    names = undeclared(cls)
    assert {name for name in names if name not in UNDECLARED and f"{cls.__name__}.{name}" not in UNDECLARED} == set()


def test_every_reason_is_still_needed():
    needed = {each for cls in CLASSES for name in undeclared(cls) for each in (name, f"{cls.__name__}.{name}")}
    assert set(UNDECLARED) - needed == set()


RELATIONS = [(cls, relation) for cls in CLASSES for relation in cls._schema.relations.values()]


@pytest.mark.parametrize(
    ("cls", "relation"), RELATIONS, ids=lambda each: getattr(each, "name", getattr(each, "__name__", ""))
)
def test_a_declared_relation_is_on_the_wire_and_leads_where_it_says(cls, relation):
    spec, _ = walk(cls, relation.wire)
    assert spec is not None
    target, name = resolve(spec)
    if isinstance(relation, Many):
        assert "iterable" in target["properties"]
        name = resolve(target["properties"]["iterable"]["items"])[1]
    bare = name.removeprefix("Referenced").removeprefix("Flattened")
    assert bare == relation.target._schema.kind.schema
    if relation.back is not None:
        back = relation.target._schema.relations[relation.back]
        assert back.target is cls
        assert back.back == relation.name


def test_every_association_of_the_contract_is_declared_from_both_sides():
    left_out = {"entity", "subscription", "user"}
    wanted = [row for row in ASSOCIATIONS if row["owner"] not in left_out and row["other"] not in left_out]
    assert (len(ASSOCIATIONS), len(wanted), len(associations.ASSOCIATIONS)) == (114, 110, 110)
    by_kind = {cls._schema.kind.name: cls for cls in CLASSES}
    for row in wanted:
        cls = by_kind[row["owner"]]
        wire = row["relation_wire_field_on_owner"].split(".", 1)[1]
        [relation] = [each for each in cls._schema.many.values() if each.wire == wire]
        assert relation.target._schema.kind.name == row["other"]
        found = associations.association(cls._schema.kind, relation.name)
        assert (found.path("associate"), found.path("disassociate")) == (
            row["associate"]["path"], row["disassociate"]["path"],
        )  # fmt: skip
        other = row["relation_wire_field_on_other"]
        assert relation.back == (None if other is None else relation.target._schema.relations[relation.back].name)


def test_to_one_relations_that_are_sets_on_the_other_side_name_each_other():
    pairs = [(cls, relation) for cls, relation in RELATIONS if isinstance(relation, One) and relation.back]
    assert {f"{cls.__name__}.{relation.name}" for cls, relation in pairs} == {
        "Activity.asset", "Activity.format", "AnchorPoint.anchor", "ConversationMessage.conversation",
        "ConversationMessage.summary_root", "Format.asset", "Sensitive.asset", "Share.asset",
        "WorkstreamSummary.message_root",
    }  # fmt: skip
