"""All 110 associations: made by the ORM from each side, seen by the official client on both, undone from the other."""

from __future__ import annotations

import json

import pytest

from pieces_orm import Entity
from pieces_orm.values import Trigger
from pieces_orm.wire import associations

from .official import CONTRACT, Official
from .test_both_ways import operation

CLASSES = {cls._schema.kind.name: cls for cls in Entity._registry.values()}
ROWS = {row["associate"]["path"]: row for row in json.loads((CONTRACT / "associations.json").read_text())["relations"]}


def make(pieces, kind):
    """A material of a kind; a new one each time."""
    makers = {
        "anchor": lambda: pieces.anchors.create("/projects/tide-tables"),
        "annotation": lambda: pieces.annotations.create("a note", "COMMENT"),
        "asset": lambda: pieces.assets.create("x = 1", language="py"),
        "conversation": lambda: pieces.conversations.create("talk"),
        "conversation_message": lambda: pieces.messages.create("hello", pieces.conversations.create("talk")),
        "hint": lambda: pieces.hints.create("why?"),
        "person": lambda: pieces.persons.create(name="Ada"),
        "range": lambda: pieces.ranges.create(),
        "tag": lambda: pieces.tags.create("one"),
        "website": lambda: pieces.websites.create("https://tides.example.org"),
        "workstream_event": lambda: pieces.workstream_events.create(Trigger(check_in=True)),
        "workstream_pattern_engine_source": lambda: pieces.sources.create("a window"),
        "workstream_pattern_engine_source_window": lambda: pieces.source_windows.create("main.py"),
        "workstream_summary": lambda: pieces.summaries.create("a day"),
    }
    return makers[kind]()


def seen(official, entity, wire):
    """The ids that the official client reads at a dotted path of a document."""
    document = official(
        operation(entity._schema.kind.name, "snapshot_one")[0], **{entity._schema.kind.parameter: entity.id}
    )
    for part in wire.split("."):
        document = getattr(document, part)
    return [each.id for each in document.iterable]


@pytest.mark.parametrize("row", associations.ASSOCIATIONS, ids=lambda row: f"{row.owner.name}-{row.relation}")
def test_an_association_is_made_from_here_seen_on_both_sides_and_undone_from_there(pieces, pieces_server, row):
    official = Official(pieces_server.url)
    one, other = make(pieces, row.owner.name), make(pieces, row.other.name)
    sent = []
    pieces.signals.requested.connect(lambda sender, method, path, **_: sent.append(f"{method} {path}"), weak=False)
    getattr(one, row.relation).add(other)
    contract = ROWS[row.path("associate")]
    ids = {row.owner.parameter: one.id, row.parameter: other.id}
    assert sent == [f"POST {contract['associate']['path'].format(**ids)}"]
    assert seen(official, one, row.wire) == [other.id]
    back = CLASSES[row.owner.name]._schema.many[row.relation].back
    if back is not None:
        there = CLASSES[row.other.name]._schema.many[back]
        assert seen(official, other, there.wire) == [one.id]
        getattr(other, back).remove(one)
    else:
        getattr(one, row.relation).remove(other)
    assert seen(official, one, row.wire) == []
    assert other.id not in getattr(one.refresh(), row.relation).ids
