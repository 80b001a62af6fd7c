"""Rows of association families: what one says, from which side and by which route it is read, and how long it stays."""

import json

import pytest

from pieces_orm.server import Server
from pieces_orm.server.domain.relations import end_of, family_relation
from pieces_orm.server.storage.backup import copy
from pieces_orm.wire.association_reads import FAMILIES
from pieces_orm.wire.kinds import ASSET, PERSON, SUMMARY, TAG, WORKSTREAM_EVENT
from pieces_orm.wire.other_kinds import OTHER_KINDS
from tests.server.support import Wire, ids, plans

BY_NAME = {family.name.removesuffix("_associations"): family for family in FAMILIES}
TAGGED = BY_NAME["tag_to_asset"]
DATED = {"id", "created", "updated"}


def page(wire, side, id, **query):
    return wire.get(side.read.path.replace("{id}", id), params=query)


def count(wire, side, id):
    return wire.get(side.count.path.replace("{id}", id))["count"]


def pair(family, first, second):
    return family.pair.path.replace("{first}", first).replace("{second}", second)


def tag_many(wire, number, created=lambda _: ""):
    """One tag on so many assets, in one commit; the dates are those of the edges."""
    tag, asset = wire.make(TAG, text="shared"), wire.make_asset()
    relation = end_of(ASSET, "tags").relation
    with wire.server._store.write() as writer:
        for n in range(number):
            writer.create(ASSET.name, f"asset-{n}", "{}")
            writer.add_edge(relation, f"asset-{n}", tag["id"], id=f"row-{n}", created=created(n))
    return tag["id"], asset["id"]


def associate(wire, family):
    """Make two materials and one row of a family."""
    first, second = (wire.make(side.owner)["id"] for side in family.sides)
    relation = family_relation(family)
    a, b = (first, second) if relation.a is family.sides[0].owner else (second, first)
    with wire.server._store.write() as writer:
        writer.add_edge(relation, a, b)
    return (min(a, b), max(a, b)) if relation.symmetric else (first, second)


OURS = [family for family in FAMILIES if not {side.owner for side in family.sides} & {*OTHER_KINDS}]


@pytest.mark.parametrize("family", OURS, ids=lambda family: family.name)
def test_a_row_is_the_same_by_every_route_and_has_bare_ids_and_dates(shared, family):
    first, second = associate(shared, family)
    x, y = family.sides
    row = shared.get(pair(family, first, second))
    assert row.keys() == DATED | {x.owner_key, y.owner_key}
    assert (row[x.owner_key], row[y.owner_key]) == (first, second)
    assert row["created"]["value"].startswith("20")
    assert row["updated"] == row["created"]
    for side, id in ((x, first), (y, second)):
        assert row in page(shared, side, id)["iterable"]
        assert count(shared, side, id) == len(page(shared, side, id)["iterable"])
        bulk = shared.post(side.bulk.path, {"iterable": [id, "nobody"]})
        assert bulk.items() <= page(shared, side, id).items()
        assert bulk["indices"] == {each["id"]: place for place, each in enumerate(bulk["iterable"])}
    answer = shared.post(family.batch.path, {"associations": {"iterable": [{"id": "nothing"}, {"id": row["id"]}]}})
    assert answer["associations"] == {"iterable": [row], "indices": {row["id"]: 0}}
    assert answer["notFound"] == {"iterable": [{"id": "nothing"}], "indices": {"nothing": 0}}
    assert shared.status("GET", pair(family, first, "nobody")) == 404
    assert shared.status("POST", family.batch.path, {"associations": {"iterable": ["x"]}}) == 400


def test_a_kind_with_itself_is_listed_once_from_each_side(shared):
    family = BY_NAME["person_to_person"]
    one, two = sorted(shared.make(PERSON)["id"] for _ in range(2))
    shared.post(f"/person/{two}/persons/associate/{one}")
    x, y = family.sides
    row = shared.get(pair(family, one, two))
    assert (row["x"], row["y"]) == (one, two)
    assert shared.get(pair(family, two, one)) == row
    assert [page(shared, side, id)["iterable"] for side in (x, y) for id in (one, two)] == [[row], [], [], [row]]


def test_rows_keep_their_ids_and_dates_over_restarts_and_in_backups_and_end_with_their_association(tmp_path):
    with Server(tmp_path / "db") as server:
        wire = Wire(server)
        asset, tag = wire.make_asset()["id"], wire.make(TAG)["id"]
        wire.post(f"/asset/{asset}/tags/associate/{tag}")
        wire.post(f"/asset/{asset}/tags/associate/{tag}")
        row = wire.get(pair(TAGGED, tag, asset))
        server.restart()
        assert wire.get(pair(TAGGED, tag, asset)) == row
        copy(tmp_path / "db", tmp_path / "backup")
        wire.post(f"/asset/{asset}/tags/disassociate/{tag}")
        assert wire.status("GET", pair(TAGGED, tag, asset)) == 404
        wire.post(f"/asset/{asset}/tags/associate/{tag}")
        assert wire.get(pair(TAGGED, tag, asset))["id"] != row["id"]
    with Server(tmp_path / "backup") as server:
        assert Wire(server).get(pair(TAGGED, tag, asset)) == row


def test_the_fields_that_nobody_knows_come_with_the_row_and_take_no_others_place(shared):
    relation = end_of(WORKSTREAM_EVENT, "persons").relation
    event, person = shared.make(WORKSTREAM_EVENT)["id"], shared.make(PERSON)["id"]
    own = {"role": "SPEAKER", "confidence": 0.875, "score": 9007199254740993, "id": "x", "person": "x", "created": 1}
    with shared.server._store.write() as writer:
        writer.add_edge(relation, person, event, id="a-row", created="2026-01-01T00:00:00Z", document=json.dumps(own))
    assert shared.get(pair(BY_NAME["workstream_event_to_person"], event, person)) == {
        "role": "SPEAKER", "confidence": 0.875, "score": 9007199254740993, "id": "a-row",
        "created": {"value": "2026-01-01T00:00:00Z"}, "updated": {"value": "2026-01-01T00:00:00Z"},
        "workstream_event": event, "person": person,
    }  # fmt: skip


def test_pages_are_cut_from_the_newest_on_and_bounds_are_kept(wire):
    # Three at a time have one date, and the dates run against the order in which the edges were made.
    tag, asset = tag_many(wire, 520, lambda n: f"2026-01-01T00:{59 - n // 3 // 60:02}:{59 - n // 3 % 60:02}.000000Z")
    side = TAGGED.sides[0]
    everything = wire.post(side.bulk.path, {"iterable": [tag]})["iterable"]
    newest_first = sorted(range(520), key=lambda n: (-(n // 3), n), reverse=True)
    assert [row["id"] for row in everything] == [f"row-{n}" for n in newest_first]
    assert count(wire, side, tag) == 520
    for query, expected in (
        ({}, everything[:50]),
        ({"limit": 0}, everything[:1]),
        ({"limit": -3, "offset": -3}, everything[:1]),
        ({"limit": 7, "offset": 13}, everything[13:20]),
        ({"limit": 10**17}, everything[:500]),
        ({"limit": 500, "offset": 500}, everything[500:]),
        ({"offset": 10**17}, []),
    ):
        assert page(wire, side, tag, **query)["iterable"] == expected, query
    for odd in ("", "x", "1.0", "1e3", "\N{FULLWIDTH DIGIT NINE}", "9" * 30):
        assert wire.status("GET", side.read.path.replace("{id}", tag), params={"limit": odd}) == 400
    assert page(wire, side, asset)["iterable"] == []
    assert wire.post(side.bulk.path, {"iterable": [tag, *map(str, range(200))]})["truncated"] is True


def test_only_events_and_persons_tell_totals(shared):
    person, events = shared.make(PERSON)["id"], [shared.make(WORKSTREAM_EVENT)["id"] for _ in range(3)]
    for each in events:
        shared.post(f"/workstream_event/{each}/persons/associate/{person}")
    for family in FAMILIES:
        expected = {"iterable", "indices"} | ({"limit", "offset", "total"} if family.with_totals else set())
        assert page(shared, family.sides[0], "nobody").keys() == expected
    side = BY_NAME["workstream_event_to_person"].sides[1]
    answer = page(shared, side, person, limit=2, offset=1)
    assert (answer["limit"], answer["offset"], answer["total"]) == (2, 1, 3)
    assert [row["workstream_event"] for row in answer["iterable"]] == [events[1], events[0]]


def test_families_with_kinds_that_are_not_here_are_empty(shared):
    summary = shared.make(SUMMARY)["id"]
    family = BY_NAME["pipeline_to_workstream_summary"]
    for side in family.sides:
        assert count(shared, side, summary) == 0
        assert page(shared, side, summary) == {"iterable": [], "indices": {}}
        assert shared.post(side.bulk.path, {"iterable": [summary]}) == {"iterable": [], "indices": {}}
    assert shared.status("GET", pair(family, "a-pipeline", summary)) == 404
    answer = shared.post(family.batch.path, {"associations": {"iterable": [{"id": "x"}]}})
    assert ids(answer["notFound"]) == ["x"]


def test_no_read_of_rows_sorts_or_scans_more_than_it_answers(wire):
    tag, _ = tag_many(wire, 3)
    side = TAGGED.sides[0]
    steps = {
        "page": plans(wire, lambda: page(wire, side, tag, limit=1, offset=1)),
        "count": plans(wire, lambda: count(wire, side, tag)),
        "bulk": plans(wire, lambda: wire.post(side.bulk.path, {"iterable": [tag]})),
        "pair": plans(wire, lambda: wire.get(pair(TAGGED, tag, "asset-1"))),
        "batch": plans(wire, lambda: wire.post(TAGGED.batch.path, {"associations": {"iterable": [{"id": "row-1"}]}})),
    }
    for name, taken in steps.items():
        assert len(taken) == 1, (name, taken)
        assert taken[0].startswith("SEARCH edge USING"), (name, taken)
    assert "COVERING INDEX" in steps["count"][0]
