"""The official client reads what the ORM wrote, and the ORM reads what the official client wrote, for each kind."""

from __future__ import annotations

import json

import pytest

from pieces_orm import Entity
from pieces_orm.documents.decoding import plain
from pieces_orm.values import Trigger
from pieces_orm.wire import kinds

from .official import CONTRACT, Official, model


@pytest.fixture
def official(pieces_server):
    return Official(pieces_server.url)


def written_by_the_orm(pieces):
    """One material of each kind: the entity, and what the official client should read of it."""
    talk = pieces.conversations.create("talk")
    anchor = pieces.anchors.create("/projects/tide-tables", name="tides")
    asset = pieces.assets.create("x = 1\n", name="tide.py", language="py", tags=["tides"])
    return {
        "anchor": (anchor, {"name": "tides", "type": "DIRECTORY"}),
        "anchor_point": (anchor.anchor_points[0], {"fullpath": "/projects/tide-tables"}),
        "annotation": (pieces.annotations.create("a note", "COMMENT"), {"text": "a note", "type": "COMMENT"}),
        "asset": (asset, {"name": "tide.py"}),
        "conversation": (talk, {"name": "talk", "type": "COPILOT"}),
        "conversation_message": (pieces.messages.create("hello", talk), {"role": "USER"}),
        "format": (asset.original, {"role": "BOTH"}),
        "activity": (pieces.activities.create({"kind": "test"}, asset=asset), {}),
        "hint": (pieces.hints.create("why?"), {"text": "why?", "type": "SUGGESTED_QUERY"}),
        "person": (pieces.persons.create(name="Ada"), {}),
        "range": (pieces.ranges.create(between=True), {"between": True}),
        "sensitive": (
            pieces.sensitives.create(asset, "hunter2", name="a password", description="found"),
            {"text": "hunter2", "name": "a password", "severity": "HIGH"},
        ),
        "share": (pieces.shares.create(asset, access="PUBLIC"), {"access": "PUBLIC"}),
        "workstream_pattern_engine_source_window": (pieces.source_windows.create("main.py"), {"name": "main.py"}),
        "tag": (pieces.tags.create("one"), {"text": "one"}),
        "website": (pieces.websites.create("https://tides.example.org", name="Tides"), {"name": "Tides"}),
        "workstream_event": (
            pieces.workstream_events.create(Trigger(check_in=True), readable="began"), {"readable": "began"},
        ),
        "workstream_pattern_engine_source": (pieces.sources.create("a window"), {"readable": "a window"}),
        "workstream_summary": (pieces.summaries.create("a day"), {"name": "a day"}),
    }  # fmt: skip


MATERIALS = json.loads((CONTRACT / "materials.json").read_text())["materials"]
PATHS = json.loads((CONTRACT / "pieces-openapi.json").read_text())["paths"]


def operation(kind, verb):
    """The official client's name of an operation, and of its body argument."""
    row = MATERIALS[kind]["operations"][verb]
    return row["operation_id"], PATHS[row["path"]][row["method"].lower()].get("x-sdk-body-argument")


KINDS = sorted(cls._schema.kind.name for cls in Entity._registry.values())


@pytest.mark.parametrize("kind", KINDS)
def test_the_official_client_reads_what_the_orm_wrote(pieces, official, kind):
    entity, expected = written_by_the_orm(pieces)[kind]
    entity.refresh()
    seen = official(operation(kind, "snapshot_one")[0], **{kinds.KINDS[kind].parameter: entity.id})
    assert seen.id == entity.id
    assert seen.created.value == entity.created
    assert {name: getattr(seen, name) for name in expected} == expected
    assert {name: getattr(entity, name) for name in expected} == expected


def seeds_of_the_official_client(pieces):
    """By kind the seed's schema, its data, and what the ORM should read of it."""
    application = {name: value for name, value in plain(pieces.application).items() if value is not None}
    models = json.loads(pieces.request("GET", "/models"))["iterable"]
    talk = pieces.conversations.create("talk")
    anchor = pieces.anchors.create("/projects/tide-tables")
    asset = pieces.assets.create("y = 2")
    fragment = {"string": {"raw": "x = 1"}}
    seed = {"type": "SEEDED_ASSET", "asset": {"application": application, "format": {"fragment": fragment}}}
    return {
        "anchor": ("SeededAnchor", {"type": "FILE", "fullpath": "/a/b.py", "name": "b"}, {"name": "b", "type": "FILE"}),
        "anchor_point": (
            "SeededAnchorPoint",
            {"type": "FILE", "fullpath": "/a/c.py", "anchor": anchor.id},
            {"fullpath": "/a/c.py", "anchor": anchor},
        ),
        "annotation": (
            "SeededAnnotation", {"type": "COMMENT", "text": "a note"}, {"text": "a note", "type": "COMMENT"},
        ),
        "asset": ("Seed", seed, {"text": "x = 1"}),
        "conversation": ("SeededConversation", {"type": "COPILOT", "name": "talk"}, {"name": "talk"}),
        "conversation_message": (
            "SeededConversationMessage",
            {"role": "ASSISTANT", "fragment": fragment, "conversation": {"id": talk.id}},
            {"role": "ASSISTANT", "text": "x = 1", "conversation": talk},
        ),
        "activity": ("SeededActivity", {"application": application, "event": {}}, {}),
        "hint": ("SeededHint", {"text": "why?", "type": "QGPT_HINT"}, {"text": "why?", "type": "QGPT_HINT"}),
        "person": ("SeededPerson", {"type": {"basic": {"name": "Ada"}}}, {}),
        "range": ("SeededRange", {"between": False}, {"between": False}),
        "sensitive": (
            "SeededSensitive",
            {
                "asset": asset.id, "category": "API_KEY", "severity": "LOW", "name": "n", "description": "d",
                "text": "hunter2",
            },
            {"text": "hunter2", "category": "API_KEY", "asset": asset},
        ),
        "workstream_pattern_engine_source_window": (
            "SeededWorkstreamPatternEngineSourceWindow", {"name": "main.py"}, {"name": "main.py"},
        ),
        "tag": ("SeededTag", {"text": "one"}, {"text": "one"}),
        "website": ("SeededWebsite", {"url": "https://a.example", "name": "A"}, {"url": "https://a.example"}),
        "workstream_event": (
            "SeededWorkstreamEvent",
            {"application": application, "trigger": {"paste": True}, "readable": "began"},
            {"readable": "began", "trigger": Trigger(paste=True)},
        ),
        "workstream_pattern_engine_source": (
            "SeededWorkstreamPatternEngineSource", {"readable": "w", "raw": {"window": "main.py"}}, {"readable": "w"},
        ),
        "workstream_summary": ("SeededWorkstreamSummary", {"name": "a day", "model": models[0]}, {"name": "a day"}),
    }  # fmt: skip


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind not in ("format", "share")])
def test_the_orm_reads_what_the_official_client_wrote(pieces, official, kind):
    schema, data, expected = seeds_of_the_official_client(pieces)[kind]
    create, argument = operation(kind, "create")
    made = official(create, **{argument: model(schema, data)})
    entity = pieces[next(cls for cls in Entity._registry.values() if cls._schema.kind.name == kind)].get(made.id)
    assert {name: getattr(entity, name) for name in expected} == expected
    assert entity.created == made.created.value
    assert entity._schema.kind.name == kind


def test_the_orm_reads_a_format_of_an_asset_that_the_official_client_wrote(pieces, official):
    schema, data, _ = seeds_of_the_official_client(pieces)["asset"]
    made = official(operation("asset", "create")[0], seed=model(schema, data))
    found = pieces.formats.get(made.original.id)
    assert found.text == "x = 1"
    assert found.asset is pieces.assets.get(made.id)


def test_an_edit_by_the_orm_is_seen_by_the_official_client_and_the_other_way_round(pieces, official):
    anchor = pieces.anchors.create("/projects/tide-tables")
    anchor.name = "by the ORM"
    anchor.save()
    theirs = official("anchor_specific_anchor_snapshot", anchor=anchor.id)
    assert theirs.name == "by the ORM"
    theirs.name = "by the official client"
    official("anchor_update", anchor=theirs)
    assert anchor.refresh().name == "by the official client"


def test_an_association_by_the_orm_is_seen_by_the_official_client_on_both_sides(pieces, official):
    asset, anchor = pieces.assets.create("x = 1"), pieces.anchors.create("/projects")
    anchor.associate(asset)
    theirs = official("anchor_specific_anchor_snapshot", anchor=anchor.id)
    assert [each.id for each in theirs.assets.iterable] == [asset.id]
    assert [each.id for each in official("asset_snapshot", asset=asset.id).anchors.iterable] == [anchor.id]
    official("anchor_disassociate_asset", anchor=anchor.id, asset=asset.id)
    assert anchor.refresh().assets.ids == ()
    assert asset.refresh().anchors.ids == ()
