"""Servers of other versions spell rows of families and batches in another way: each is read."""

from __future__ import annotations

import pytest

from pieces_orm import DecodeError, Session
from pieces_orm.server import Server, Settings
from pieces_orm.wire import association_reads, kinds
from pieces_orm.wire.association_reads import sides_of

STAMP = {"value": "2026-01-12T10:05:00.123456Z"}
SHAPES = {"bare ids": lambda end: end, "objects": lambda end: {"id": end}}


def script(recorder, kind, relation, other, *rows):
    """Script a document without the relation, and the page and the bulk of its family."""
    document = {"id": "own", "created": STAMP, "updated": STAMP}
    recorder.answer("GET", kind.route("read").path.replace(f"{{{kind.parameter}}}", "own"), body=document)
    for number, side in enumerate(sides_of(kind, relation, other)):
        body = {"iterable": rows if not number else [], "indices": {}}
        recorder.answer("GET", side.read.path.replace("{id}", "own"), body=body)
        recorder.answer("POST", side.bulk.path, body=body)


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
@pytest.mark.parametrize(
    ("relation", "other", "own_keys", "other_keys"),
    [
        ("sources", kinds.SOURCE, ["workstreamSummary", "workstream_summary"],
         ["source_", "source", "workstreamPatternEngineSource", "workstream_pattern_engine_source"]),
        ("messages", kinds.MESSAGE, ["workstreamSummary"], ["conversationMessage", "conversation_message", "message"]),
        ("workstream_events", kinds.WORKSTREAM_EVENT, ["workstreamSummary"], ["workstreamEvent", "workstream_event"]),
        ("persons", kinds.PERSON, ["workstream_summary"], ["person"]),
        ("summaries", kinds.SUMMARY, ["x"], ["y"]),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)  # fmt: skip
def test_every_known_shape_and_spelling_of_a_row_is_read(
    recorder, recorded, shape, relation, other, own_keys, other_keys
):
    spellings = [(own, key) for own in own_keys for key in other_keys]
    # Newest first, as pages are.
    rows = [
        {"id": f"row-{n}", "created": STAMP, "updated": STAMP, own: shape("own"), key: shape(f"other-{n}"), "role": "x"}
        for n, (own, key) in reversed(list(enumerate(spellings)))
    ]
    script(recorder, kinds.SUMMARY, relation, other, *rows)
    summary = recorded.summaries.get("own")
    assert getattr(summary, relation).ids == tuple(f"other-{n}" for n in range(len(spellings)))


def test_a_page_with_an_odd_row_is_not_the_last_one_and_one_that_comes_again_is(
    recorder, recorded, monkeypatch, caplog
):
    monkeypatch.setattr(association_reads, "MAX_ROWS_PER_PAGE", 2)
    good = {"id": "row", "created": STAMP, "updated": STAMP, "anchor": "own", "asset": "one"}
    script(recorder, kinds.ANCHOR, "assets", kinds.ASSET, good, {"id": "odd"})
    assert recorded.anchors.get("own").assets.ids == ("one",)
    pages = recorder.sent("GET", "/anchor_to_asset_associations/anchor/own")
    assert [each.query["offset"] for each in pages] == ["0", "2"]
    assert "without two ids" in caplog.text


def test_rows_of_owners_that_were_not_asked_for_are_left_out(recorder, recorded):
    row = {"id": "row", "created": STAMP, "updated": STAMP, "anchor": "own", "asset": "one"}
    script(recorder, kinds.ANCHOR, "assets", kinds.ASSET, row, {**row, "id": "r2", "anchor": "x", "asset": "two"})
    assert recorded.anchors.get("own").assets.ids == ("one",)


def test_rows_that_name_nobody_are_an_error_that_says_so(recorder, recorded):
    script(recorder, kinds.ANCHOR, "assets", kinds.ASSET, {"id": "row", "anchor": "", "asset": {}})
    with pytest.raises(DecodeError):
        recorded.anchors.get("own").assets.ids


@pytest.mark.parametrize("kind", [kinds.MESSAGE, kinds.SOURCE, kinds.TAG], ids=lambda kind: kind.collection)
def test_a_batch_is_asked_for_under_each_spelling_and_read_from_any(recorder, recorded, kind):
    path, ids = kind.newer_batch.path, ["a", "b"]
    collection = {"iterable": [{"id": id, "created": STAMP, "updated": STAMP} for id in ids]}
    for key in kind.batch_keys:
        recorder.answer("POST", path, body={key: collection, "notFound": []})
        assert [each.id for each in getattr(recorded, kind.collection).get_many(ids)] == ids
        asked = {"iterable": [{"id": id} for id in ids]}
        assert recorder.sent("POST", path)[-1].json == dict.fromkeys(kind.batch_keys, asked)
    recorder.answer("POST", path, body={"something": collection})
    with pytest.raises(DecodeError):
        getattr(recorded, kind.collection).get_many(ids)


@pytest.mark.parametrize("embed", [True, False], ids=["embedded", "families"])
def test_a_relation_has_one_order_wherever_it_is_read_from(embed):
    with Server(settings=Settings(embed_relations=embed)) as server, Session(server.url) as session:
        anchor = session.anchors.create("/projects")
        tags = [session.tags.create(f"tag {n}") for n in range(4)]
        anchor.tags.add(tags[2])
        anchor.tags.add(tags[0])
        anchor.tags.add(tags[3])
        with Session(server.url) as other:
            assert other.anchors.get(anchor.id).tags.ids == (tags[2].id, tags[0].id, tags[3].id)
            assert other.prefetch(other.anchors.all(), type(anchor).tags)[1:] == [
                other.tags.ref(tags[n].id) for n in (2, 0, 3)
            ]
