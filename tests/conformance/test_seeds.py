"""What create() can say, held against the contract both ways: every key of a seed has an argument, or a reason."""

from __future__ import annotations

import inspect
import json
import re
from datetime import datetime, timezone

import pytest

from pieces_orm import Entity
from pieces_orm.documents.decoding import plain
from pieces_orm.values import MessageAgent, PersonAccess, SensitiveMetadata, Trigger

from .official import CONTRACT
from .test_associations import make

SCHEMAS = json.loads((CONTRACT / "pieces-openapi.json").read_text())["components"]["schemas"]
MATERIALS = json.loads((CONTRACT / "materials.json").read_text())["materials"]
CLASSES = {
    cls._schema.kind.name: cls
    for cls in Entity._registry.values()
    if "create" in cls._schema.kind.routes
    and cls.__module__.startswith("pieces_orm")
    and cls._schema.kind.name != "asset"
}

EMBEDDINGS = "embeddings are the server's to compute"
NESTED = "a material of its own: create it with this one as its target"
ORIGIN = "how it came about is for the server to say; a program's materials are MANUAL"
LEFT_OUT = {
    "activity": {"conversation": "no field or relation of activities shows it", "user": "accounts are not materials"},
    "anchor": {"annotations": NESTED},
    "annotation": {
        "anchors": "anchor= takes the one that it is about; associate() the others", "assets": "as anchors",
        "conversations": "as anchors", "persons": "as anchors", "summaries": "as anchors", "mechanism": ORIGIN,
        "model": "what wrote it is for the server to say", "pseudo": "pseudo materials are the server's own",
    },
    "conversation": {
        "annotations": NESTED, "anchors": "seeds of new anchors; anchors= takes entities and associates them",
        "demo": "demos are the server's own", "messages": NESTED,
        "pipeline": "prompts of the copilot, which is not about materials",
    },
    "conversation_message": {"created": "the server's clock"},
    "hint": {"mechanism": ORIGIN, "model": "what wrote it is for the server to say"},
    "person": {"annotations": NESTED, "mechanism": ORIGIN, "model": "who found the person is for the server to say"},
    "sensitive": {"mechanism": ORIGIN},
    "share": {"users": "accounts are not materials"},
    "tag": {"mechanism": ORIGIN, "tagsVector": EMBEDDINGS},
    "website": {"mechanism": ORIGIN},
    "workstream_event": {
        "context": "no field of events shows it", "score": "counted by the server",
        "workstreamEventsVector": EMBEDDINGS,
    },
    "workstream_pattern_engine_source": {"accessibility": "found out by the server"},
    "workstream_summary": {
        "annotations": NESTED, "applications": "the server knows the application that asks",
        "mechanism": ORIGIN, "merged": "written by a merge", "parentHierarchicalType": "children.add(...) says it",
        "parentHierarchicalTypeDescriptor": "children.add(...) says it", "phase": "written by the server as it works",
        "processing": "chosen by the server", "workstreamSummariesVector": EMBEDDINGS,
    },
}  # fmt: skip


TEXTS = {"path": "/x", "fullpath": "/x", "url": "https://x.example", "picture": "https://x.example/x.png"}


def sample(session, name, annotation):
    """Something for an argument of a seed."""
    for each in re.findall(r"\w+", annotation):
        if each in Entity._registry:
            entity = session[Entity._registry[each]].ref("an-id")
            return [entity] if annotation.startswith("Sequence") else entity
    makers = {
        "Model": lambda: session.models()[0], "Trigger": lambda: Trigger(copy=True), "Mapping": dict,
        "PersonAccess": PersonAccess, "SensitiveMetadata": SensitiveMetadata,
        "MessageAgent": lambda: MessageAgent(group_id="X"),
        "datetime": lambda: datetime.now(timezone.utc), "bool": lambda: True,
    }  # fmt: skip
    first = re.findall(r"\w+", annotation)[0]
    made = makers.get(first)
    return made() if made else TEXTS.get(name, "X")


def body_of(session, cls):
    """The body of a creation with everything given."""
    args, keywords = [], {}
    for name, parameter in list(inspect.signature(cls._seed).parameters.items())[1:]:
        value = sample(session, name, str(parameter.annotation))
        if parameter.kind is parameter.VAR_POSITIONAL:
            asset = session.assets.create("x")
            args += [asset, asset]
        else:
            keywords[name] = True if name == "transferables" else value
    if cls.__name__ == "AnchorPoint":
        keywords["type"] = "FILE"
    return plain(cls._seed(session._context, *args, **keywords).body)


@pytest.mark.parametrize("kind", CLASSES)
def test_every_key_of_a_seed_has_an_argument_or_a_reason(pieces, kind):
    schema = SCHEMAS[MATERIALS[kind]["operations"]["create"]["body"]]
    keys = set(schema["properties"]) - {"schema"}
    said = {key for key, value in body_of(pieces, CLASSES[kind]).items() if value is not None}
    if kind == "share":
        said |= {"asset"}  # one asset is said by the other key
    assert said <= keys, "a key that the contract does not know"
    assert keys - said == set(LEFT_OUT.get(kind, ()))


RELATED = [
    (cls, name)
    for cls in CLASSES.values()
    for name, parameter in inspect.signature(cls._seed).parameters.items()
    if any(each in Entity._registry for each in re.findall(r"\w+", str(parameter.annotation)))
    and cls.__name__ not in {"Share", "Sensitive", "AnchorPoint", "Activity"}
    and (cls.__name__, name) != ("ConversationMessage", "conversation")
]


@pytest.mark.parametrize(("cls", "argument"), RELATED, ids=[f"{cls.__name__}-{name}" for cls, name in RELATED])
def test_what_a_seed_names_is_associated_on_both_sides(pieces, cls, argument):
    annotation = str(inspect.signature(cls._seed).parameters[argument].annotation)
    target = next(each for each in re.findall(r"\w+", annotation) if each in Entity._registry)
    other = make(pieces, Entity._registry[target]._schema.kind.name)
    keywords = {"conversation": pieces.conversations.create("talk")} if cls.__name__ == "ConversationMessage" else {}
    keywords[argument] = [other] if annotation.startswith("Sequence") else other
    made = pieces[cls].create(**needed(cls), **keywords)
    for entity, relation in ((made, relation_to(cls, other, argument)), (other, relation_to(type(other), made, ""))):
        ids = [each.id for each in getattr(entity.refresh(), relation)]
        assert (other if entity is made else made).id in ids


def needed(cls):
    """What this kind cannot be created without, besides entities."""
    return {
        "Anchor": {"path": "/x"}, "Annotation": {"text": "x"}, "ConversationMessage": {"text": "x"},
        "Hint": {"text": "x"},
        "Person": {"name": "x"}, "SourceWindow": {"name": "x"}, "Tag": {"text": "x"}, "Website": {"url": "https://x.example"},
        "WorkstreamEvent": {"trigger": Trigger(copy=True)}, "WorkstreamSummary": {"name": "x"},
    }.get(cls.__name__, {})  # fmt: skip


def relation_to(cls, other, argument):
    """The to-many relation of a class that leads to another's kind."""
    if argument in cls._schema.many:
        return argument
    return next(name for name, each in cls._schema.many.items() if each.target is type(other) and not each.explicit)
