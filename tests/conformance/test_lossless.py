"""Whatever a server sends, an edit changes that alone: documents drawn from the contract's schemas, with unknown keys
and unknown enum members mixed in at every depth.
"""

from __future__ import annotations

import copy
import json
from datetime import datetime, timezone

import attrs
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pieces_orm import Entity, Session
from pieces_orm.documents.document import Document
from pieces_orm.documents.merging import merge
from pieces_orm.model.record import known_ids
from pieces_orm.orm import state_changes
from pieces_orm.orm.persistence import EndpointField
from pieces_orm.values import OpenEnum
from pieces_orm.values.structs import WIRE_KEY

from ..wire.recorder import recording
from .official import CONTRACT
from .test_declarations import resolve

SCHEMAS = json.loads((CONTRACT / "pieces-openapi.json").read_text())["components"]["schemas"]
CLASSES = {cls.__name__: cls for cls in Entity._registry.values()}
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
MOMENTS = st.datetimes(datetime(1990, 1, 1), datetime(2100, 1, 1)).map(lambda moment: f"{moment.isoformat()}Z")  # noqa: DTZ001
UNKNOWN = st.dictionaries(
    st.sampled_from(["invented", "added_later", "é"]),
    st.recursive(
        st.none() | st.booleans() | st.integers(-(2**53), 2**53) | TEXTS, lambda inner: st.lists(inner, max_size=2)
    ),
    max_size=1,
)


def values(spec, depth):
    """Data for one property of the contract."""
    target, name = resolve(spec)
    if name == "GroupedTimestamp":
        return st.fixed_dictionaries({"value": MOMENTS}, optional={"readable": TEXTS})
    if "enum" in target:
        return st.sampled_from([*target["enum"], "A_MEMBER_OF_LATER"])
    kind = target.get("type")
    kind = next(each for each in kind if each != "null") if isinstance(kind, list) else kind
    if kind == "array":
        return st.lists(values(target["items"], depth - 1), max_size=1 if depth > 0 else 0)
    simple = {
        "string": TEXTS,
        "boolean": st.booleans(),
        "integer": st.integers(-(2**31), 2**31),
        "number": st.integers(0, 9),
    }
    if kind in simple:
        return simple[kind]
    if isinstance(target.get("additionalProperties"), dict):
        return st.dictionaries(TEXTS, values(target["additionalProperties"], depth - 1), max_size=1)
    return objects(target, depth)


def objects(target, depth):
    """Objects of a schema: what is required, some of what is optional, and something that nobody has heard of."""
    required = set(target.get("required", ()))
    parts = {name: spec for name, spec in target.get("properties", {}).items() if name in required or depth > 0}
    must = {name: values(spec, depth - 1) for name, spec in parts.items() if name in required}
    may = {name: values(spec, depth - 1) for name, spec in parts.items() if name not in required}
    return st.builds(lambda known, unknown: {**unknown, **known}, st.fixed_dictionaries(must, optional=may), UNKNOWN)


def without(document, path):
    """A document with the key at a dotted path taken out."""
    document = copy.deepcopy(document)
    *parents, last = path.split(".")
    inner = document
    for parent in parents:
        inner = inner.get(parent) or {}
    inner.pop(last, None)
    return document


def another_value(field, value):
    """A value of the field's type that differs from the present one, and the path of what differs; None without one."""
    if attrs.has(type(value)):
        inside = changed_inside(value)
        return None if inside is None else (inside[0], f"{field.wire}.{inside[1]}")
    if value is None and "." in field.wire:
        return None  # what it is in may be missing too, and would be new
    accepted = next(each for each in field._accepted if each is not type(None))
    if issubclass(accepted, OpenEnum):
        return accepted("ANOTHER"), field.wire
    makers = {
        bool: lambda: not value,
        str: lambda: f"changed:{len(value or '')}",  # an address too, and longer than the texts above
        datetime: lambda: datetime(2001, 2, 3, tzinfo=timezone.utc),
    }
    return (makers[accepted](), field.wire) if accepted in makers else None


def frozen(field):
    """Whether a field's value is made of parts."""
    return any(attrs.has(each) for each in field._accepted)


def changed_inside(value):
    """A frozen value with one part of it changed, and the wire path of that part; None when there is no such part."""
    for attribute in attrs.fields(type(value)):
        part, wire = getattr(value, attribute.name), attribute.metadata.get(WIRE_KEY) or attribute.name
        if attrs.has(type(part)):
            inside = changed_inside(part)
            if inside is not None:
                return attrs.evolve(value, **{attribute.name: inside[0]}), f"{wire}.{inside[1]}"
        elif type(part) in (bool, str, int):
            other = {
                bool: lambda part=part: not part,
                str: lambda part=part: f"{part}!",
                int: lambda part=part: part + 1,
            }
            return attrs.evolve(value, **{attribute.name: other[type(part)]()}), wire
    return None


@pytest.fixture(scope="module")
def server():
    """A server that has the one document that it was given last, and answers an update with what it was sent."""
    with recording() as recorder:
        yield recorder


def save_over_http(recorder, session, entity, document):
    """Save through real sockets: the read, the update; returns the document that was sent."""
    kind = entity._schema.kind
    recorder.answer("GET", kind.routes["read"].path.format(**{kind.parameter: entity.id}), body=document)
    recorder.echo("POST", kind.routes["update"].path)
    recorder.requests.clear()
    entity.save()
    assert [request.method for request in recorder.requests] == ["GET", "POST"]
    return json.loads(recorder.requests[-1].body)


@pytest.mark.parametrize("name", CLASSES)
def test_everything_but_the_edit_goes_back_as_it_came(name, server):
    cls, edited = CLASSES[name], set()

    @settings(max_examples=70, deadline=None, suppress_health_check=list(HealthCheck))
    @given(objects(SCHEMAS[cls._schema.kind.schema], 3), st.data())
    def check(document, data):
        document["id"] = "an-id"
        raw = json.dumps(document, ensure_ascii=data.draw(st.booleans())).encode()
        entity = state_changes.adopt(
            session._context, cls, "an-id", Document(raw), session._context.history.now(), "refresh"
        )
        for field in cls._schema.fields.values():
            # What is inside a collection that the document leaves out would be asked for.
            if not field.is_left_out(Document(raw)):
                getattr(entity, field.name)
        for relation in entity._schema.relations.values():
            known_ids(entity, relation)
        assert entity.raw() == document
        # Text, language and description of an asset have endpoints of their own.
        editable = [
            each for each in cls._schema.fields.values() if not each.readonly and not isinstance(each, EndpointField)
        ]
        for field in editable[: data.draw(st.integers(0, len(editable)))]:
            changed = another_value(field, getattr(entity, field.name))
            if changed is None:
                continue
            value, path = changed
            edited.add(field.name)
            setattr(entity, field.name, value)
            sent = save_over_http(server, session, entity, document)
            assert without(sent, path) == without(document, path)
            assert sent != document
            assert not entity.edits
            assert getattr(entity, field.name) == value
            document = sent
        assert json.loads(merge(entity._state.document, {})) == document

    with Session(server.url, api_key="x", autoload=False) as session:
        check()
    # What is seldom drawn with something in it is edited in tests of their own.
    always = [
        each
        for each in cls._schema.fields.values()
        if not (each.readonly or isinstance(each, EndpointField) or each.contents or frozen(each))
    ]
    assert edited >= {each.name for each in always}


UNHEARD = {"invented": [1, {"deeper": None}], "added_later": "é"}
FROZEN = {
    "Person": ("type", {"basic": {"email": "a@example.org", **UNHEARD}, **UNHEARD}),
    "WorkstreamEvent": ("trigger", {"copy": True, **UNHEARD}),
    "Source": ("details", {"url": "https://a.example", "name": "a", **UNHEARD}),
    "Sensitive": (
        "metadata",
        {"entropy": 2.5, "match": {"group": {"text": "x", "start": 1, "end": 2, **UNHEARD}}, **UNHEARD},
    ),
}


def test_every_frozen_value_that_can_be_set_is_tried():
    assert {name: field for name, (field, _) in FROZEN.items()} == {
        name: field.name
        for name, cls in CLASSES.items()
        for field in cls._schema.fields.values()
        if frozen(field) and not field.readonly and not isinstance(field, EndpointField)
    }


@pytest.mark.parametrize("name", FROZEN)
def test_what_is_unheard_of_inside_a_frozen_value_survives_an_edit_of_it(name, server):
    cls, (field, held) = CLASSES[name], FROZEN[name]
    with Session(server.url, api_key="x", autoload=False) as session:
        document = {"id": "an-id", cls._schema.fields[field].wire: held, **UNHEARD}
        entity = state_changes.adopt(
            session._context,
            cls,
            "an-id",
            Document(json.dumps(document).encode()),
            session._context.history.now(),
            "refresh",
        )
        value, path = another_value(cls._schema.fields[field], getattr(entity, field))
        setattr(entity, field, value)
        sent = save_over_http(server, session, entity, document)
        assert sent != document
        assert without(sent, path) == without(document, path)
