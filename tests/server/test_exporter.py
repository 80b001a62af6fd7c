"""The maker's exporter reads everything from this server, in both styles of documents."""

import json

import pytest

from pieces_orm.server import Settings
from pieces_orm.server.domain.relations import end_of, ends_of
from pieces_orm.wire.kinds import ANNOTATION, KINDS, PERSON, SUMMARY, WORKSTREAM_EVENT
from tests.server.exporter import EVENT_PERSON, PLANS, PROFILE_TYPES, SNAPSHOTS, Exporter

SUMMARIES = 55  # more than one bulk read takes
SHARED = ("annotations", "persons", "tags", "websites", "sources", "anchors", "ranges")
DATES = {name: {"value": "2026-01-01T00:00:00.000000Z"} for name in ("created", "updated")}
LOOKS = {"theme": {"dark": False}, "font": {"size": 14}}


def edge(writer, kind, key, own, other):
    """Associate two materials, seen from a key of the documents of a kind."""
    end = end_of(kind, key)
    writer.add_edge(end.relation, *((other, own) if end.side == "b" else (own, other)))


def fill(wire):
    """All kinds; summaries of many dates, of equal ones and of the future; and what is read with them."""
    made = {kind.name: wire.make(kind)["id"] for kind in KINDS.values()}
    user = wire.get("/user")["user"]["id"]
    account = {"id": user, "name": "Ada", "username": "ada", "aesthetics": LOOKS, **DATES}
    mine = wire.make(PERSON, type={"platform": account})["id"]
    parent, child = made[SUMMARY.name], wire.make(SUMMARY)["id"]
    hierarchy = {"parent": parent, "child": child}
    wire.post(f"/workstream_summary/{parent}/workstream_summaries/associate/{child}", hierarchy)
    with wire.server._store.write() as writer:
        summary, event = (writer.row(kind.name, made[kind.name]).document for kind in (SUMMARY, WORKSTREAM_EVENT))
        for n in range(SUMMARIES):
            year = 2020 + n % 7 if n < 40 else 2031
            writer.create(SUMMARY.name, f"summary-{n}", summary, created=f"{year}-01-01T00:00:{n % 3:02}.000000Z")
            for key in SHARED[: n % 9]:
                edge(writer, SUMMARY, key, f"summary-{n}", made[end_of(SUMMARY, key).other.name])
        # Their types are newer than the contract that this client checks answers by.
        for n in range(5):
            for type in PROFILE_TYPES:
                text, created = (
                    json.dumps({"type": type, "text": f"{n}"}),
                    f"2026-01-0{1 + n}T00:00:00.000000Z",
                )
                writer.create(ANNOTATION.name, f"{type}-{n}", text, created=created)
                edge(writer, PERSON, "annotations", mine, f"{type}-{n}")
        for n in range(5):
            writer.create(WORKSTREAM_EVENT.name, f"event-{n}", event)
            edge(writer, PERSON, "workstream_events", mine, f"event-{n}")
    return mine, parent, child


@pytest.mark.parametrize("embed", [True, False], ids=["embedded", "families"])
def test_the_exporter_reads_everything_and_nothing_contradicts_anything(started, embed):
    wire = started(settings=Settings(embed_relations=embed))
    mine, parent, child = fill(wire)
    exporter = Exporter(wire, ids_per_window=20, rows_per_page=2)
    exporter.run()
    empty = {type for type, found in exporter.records.items() if not found}
    assert empty == {
        "PIPELINES", "SCHEDULES", "SIGNALS", "FINGERPRINTS", "DISTRIBUTIONS", "ENTITIES", "SUBSCRIPTIONS",
        "RELATIONSHIPS", "ALLOCATIONS", "INTERNAL_SUMMARY_REPORTS", *SNAPSHOTS,
    }  # fmt: skip
    assert exporter.children == {parent: {child}}
    assert exporter.user_persons == [mine]
    assert [each["text"] for each in exporter.profiles[mine]] == [*"43210"] * 2
    ours = {plan.family for plan in PLANS if not plan.family.startswith("pipeline")}
    assert exporter.rows.keys() == ours | {EVENT_PERSON}
    assert len(exporter.rows[EVENT_PERSON]) == 5
    listed = exporter.records["WORKSTREAM_SUMMARIES"]["summary-1"]
    apart = [end.key[0] for end in ends_of(SUMMARY) if end.key[0] in SHARED and end.key[0] not in listed]
    assert apart == ([] if embed else [end.key[0] for end in ends_of(SUMMARY) if end.key[0] in SHARED])
