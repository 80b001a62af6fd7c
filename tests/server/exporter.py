"""The requests of the maker's exporter, in its order and with its checks, over everything that a server has.

It counts and lists every type, splits long lists into windows, reads records in batches and the rest one by one, then
reads hierarchy, users' persons, association rows from both sides, and persons' annotations. It stops at the first
answer that contradicts another.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta, timezone
from typing import Any, NamedTuple

from .support import Wire

# Type: paths of the collection, of one record and of batches, and the key in the bodies of batches.
TYPES = {
    "WORKSTREAM_SUMMARIES": (
        "/workstream_summaries", "/workstream_summary/", "/workstream_summaries/batch", "workstreamSummaries",
    ),
    "WORKSTREAM_EVENTS": (
        "/workstream_events", "/workstream_event/", "/workstream_events/batch/fetch", "workstreamEvents",
    ),
    "CONVERSATION_MESSAGES": ("/messages", "/message/", "/messages/batch/fetch", "conversationMessages"),
    "ANCHOR_POINTS": ("/anchor_points", "/anchor_point/", "/anchor_points/batch/fetch", "anchorPoints"),
    "WORKSTREAM_PATTERN_ENGINE_SOURCES": (
        "/workstream_pattern_engine/sources", "/workstream_pattern_engine/source/",
        "/workstream_pattern_engine/sources/batch/fetch", "identifiedWorkstreamPatternEngineSources",
    ),
    "WORKSTREAM_PATTERN_ENGINE_SOURCE_WINDOWS": (
        "/workstream_pattern_engine/source_windows", "/workstream_pattern_engine/source_window/",
        "/workstream_pattern_engine/source_windows/batch/fetch", "workstreamPatternEngineSourceWindows",
    ),
    **{
        f"{name.upper()}": (f"/{name}", f"/{one}/", f"/{name}/batch/fetch", name)
        for name, one in {
            "tags": "tag", "annotations": "annotation", "persons": "person", "conversations": "conversation",
            "assets": "asset", "formats": "format", "anchors": "anchor", "websites": "website", "ranges": "range",
            "hints": "hint", "pipelines": "pipeline", "schedules": "schedule", "signals": "signal",
            "fingerprints": "fingerprint", "activities": "activity", "distributions": "distribution",
            "entities": "entity", "models": "model", "sensitives": "sensitive", "shares": "share",
            "subscriptions": "subscription",
        }.items()
    },
    "USERS": ("/users", "", "/users/batch/fetch", "users"),
    "APPLICATIONS": ("/applications", "/applications/", "", ""),
    "RELATIONSHIPS": ("/relationships", "/relationship/", "", ""),
    "ALLOCATIONS": ("/allocations", "/allocation/", "", ""),
    "INTERNAL_SUMMARY_REPORTS": ("", "", "", ""),
}  # fmt: skip
# Types without counts, which are listed by their collections.
SNAPSHOTS = {"CONNECTORS": "/connectors", "WORKSTREAM_PATTERN_ENGINE_OBSERVERS": "/workstream_pattern_engine_observers"}


class Plan(NamedTuple):
    """One side of a family that is read for all records of a type; the key of the records for the same relation."""

    family: str
    side: str
    owner_type: str
    relation: str
    owner_key: str
    peer_key: str


PLANS = [
    Plan(family + "_associations", *rest)
    for family, *rest in (
        ("workstream_summary_to_annotation", "workstream_summary", "WORKSTREAM_SUMMARIES", "annotations",
         "workstreamSummary", "annotation"),
        ("workstream_summary_to_person", "workstream_summary", "WORKSTREAM_SUMMARIES", "persons",
         "workstreamSummary", "person"),
        ("workstream_summary_to_person", "person", "PERSONS", "summaries", "person", "workstreamSummary"),
        ("pipeline_to_workstream_summary", "pipeline", "PIPELINES", "summaries", "pipeline", "workstreamSummary"),
        ("pipeline_to_workstream_summary", "workstream_summary", "WORKSTREAM_SUMMARIES", "pipelines",
         "workstreamSummary", "pipeline"),
        ("person_to_annotation", "person", "PERSONS", "annotations", "person", "annotation"),
        ("tag_to_workstream_summary", "workstream_summary", "WORKSTREAM_SUMMARIES", "tags", "workstreamSummary", "tag"),
        ("workstream_summary_to_website", "workstream_summary", "WORKSTREAM_SUMMARIES", "websites",
         "workstreamSummary", "website"),
        ("workstream_summary_to_workstream_pattern_engine_source", "workstream_summary", "WORKSTREAM_SUMMARIES",
         "sources", "workstreamSummary", "source_"),
        ("workstream_summary_to_anchor", "workstream_summary", "WORKSTREAM_SUMMARIES", "anchors",
         "workstreamSummary", "anchor"),
        ("workstream_summary_to_range", "workstream_summary", "WORKSTREAM_SUMMARIES", "ranges",
         "workstreamSummary", "range"),
    )
]  # fmt: skip
EVENT_PERSON = "workstream_event_to_person_associations"
PROFILE_TYPES = ("HIERARCHICAL_PROFILE_SUMMARY", "PROFILE_DESCRIPTION")
_OWNERS_PER_BULK = 50
Window = tuple[datetime | None, datetime | None]


class Exporter:
    """One run; what it found is left on it.

    Attributes:
        records: by type and id.
        rows: the association rows by family and id.
    """

    def __init__(self, wire: Wire, *, ids_per_window: int, rows_per_page: int) -> None:
        self.wire = wire
        self.records: dict[str, dict[str, Any]] = {}
        self.rows: dict[str, dict[str, Any]] = {}
        self.profiles: dict[str, list[Any]] = {}
        self._ids_per_window, self._rows_per_page = ids_per_window, rows_per_page

    def run(self) -> None:
        """Read everything."""
        assert self.wire.ask("GET", "/.well-known/health").text.startswith("ok:")
        listed = {type: self._inventory(type) for type in TYPES}
        for type, ids in listed.items():
            self.records[type] = {}
            for start in range(0, len(ids), 50):
                self._fetch(type, ids[start : start + 50])
        for type, path in SNAPSHOTS.items():
            self.records[type] = {each["id"]: each for each in self.wire.get(f"{path}?transferables=true")["iterable"]}
        self._hierarchy()
        self.user_persons = [self._person_of(user) for user in self.records["USERS"]]
        for plan in PLANS:
            self._traverse(plan)
        for person in self.records["PERSONS"]:
            self._profile(person)
            self._event_pages(person)
        for type, ids in listed.items():
            assert sorted(self._ids(type)) == sorted(ids), f"{type} changed during the export"

    # Inventory.

    def _inventory(self, type: str) -> list[str]:
        number = self._count(type)
        ids = self._ids(type)
        assert len(ids) == len(set(ids)) == number, type
        if number > self._ids_per_window:
            assert sorted(self._windowed(type, (None, None), 0)) == sorted(ids), type
        return ids

    def _count(self, type: str, window: Window = (None, None)) -> int:
        bounds = _bounds(window)
        filters = {"filters": {"created": bounds}} if bounds else {}
        answer = self.wire.post("/materials/metrics", {"material_type": type, **filters})
        assert answer["material_type"] == type
        number = answer["total_count"]
        assert isinstance(number, int)
        assert number >= 0
        return number

    def _ids(self, type: str, window: Window = (None, None)) -> list[str]:
        bounds = _bounds(window)
        created = {"created": bounds} if bounds else {}
        answer = self.wire.post("/materials/identifiers", {"material_type": type, **created})
        assert answer["material_type"] == type
        return list(answer["identifiers"])

    def _windowed(self, type: str, window: Window, depth: int) -> set[str]:
        """Every id in overlapping windows, each small enough."""
        number, (first, last) = self._count(type, window), window
        if number <= self._ids_per_window or depth == 64:
            found = self._ids(type, window)
            assert len(found) == number
            return set(found)
        if first is None or last is None:
            middle = datetime.now(timezone.utc) if first is last else first or last
            assert middle is not None
            middle += timedelta(days=365 * ((first is not None) - (last is not None)))
        else:
            middle = first + (last - first) / 2
        if middle in (first, last):
            return set(self._ids(type, window))
        halves: Sequence[Window] = ((first, middle), (middle, last))
        return set().union(*(self._windowed(type, half, depth + 1) for half in halves))

    # Records.

    def _fetch(self, type: str, ids: Sequence[str]) -> None:
        _, singular, batch, key = TYPES[type]
        found, missing = self.records[type], set(ids)
        if batch:
            body = {key: {"iterable": [{"id": id} for id in ids]}}
            answer = self.wire.post(f"{batch}?transferables=true", body)
            for record in answer[key]["iterable"]:
                assert record["id"] in missing, f"an unexpected {type} in a batch"
                missing.discard(record["id"])
                found[record["id"]] = record
            assert answer["notFound"] == []
        for id in missing:
            assert singular, f"{type} has no record {id}"
            found[id] = self.wire.get(f"{singular}{id}?transferables=true")
            assert found[id]["id"] == id

    def _hierarchy(self) -> None:
        path = "/workstream_summaries/{}/identifiers?transferables=false"
        parents, children = (_ids_in(self.wire.get(path.format(side))) for side in ("parent", "child"))
        self.children: dict[str, set[str]] = {
            id: _ids_in(self.wire.get(f"/workstream_summary/{id}/child/identifiers?transferables=false"))
            for id in parents
        }
        assert all(self.children.values()), "a parent without children"
        assert set().union(*self.children.values()) == children

    def _person_of(self, user: str) -> str | None:
        answer = self.wire.ask("GET", f"/user/{user}/person?transferables=false")
        assert answer.status_code in {200, 404}
        return answer.json()["id"] if answer.ok else None

    # Associations.

    def _traverse(self, plan: Plan) -> None:
        """Read the rows of all records of a type from one side: counts, rows in bulk, pages, and counts again."""
        path, owners = f"/{plan.family}/{plan.side}", sorted(self.records[plan.owner_type])
        counts = {id: self._row_count(path, id) for id in owners}
        for start in range(0, len(owners), _OWNERS_PER_BULK):
            some = owners[start : start + _OWNERS_PER_BULK]
            answer = self.wire.post(f"{path}/bulk", {"iterable": some})
            assert not answer.get("truncated")
            rows = self._checked(plan, answer, some)
            for id in some:
                own = [row for row in rows if row[plan.owner_key] == id]
                assert len(own) == counts[id]
                if len(own) > 1 or id in some[:2]:
                    assert self._pages(plan, path, id, counts[id]) == own
                    assert self._row_count(path, id) == counts[id]
                self._compare(plan, id, {row[plan.peer_key] for row in own})

    def _row_count(self, path: str, id: str) -> int:
        answer = self.wire.get(f"{path}/{id}/count")
        assert answer["id"] == id
        assert isinstance(answer["count"], int)
        return answer["count"]

    def _pages(self, plan: Plan, path: str, id: str, number: int) -> list[Any]:
        rows: list[Any] = []
        size = self._rows_per_page
        for offset in range(0, number + 1, size):
            page = self.wire.get(f"{path}/{id}?limit={size}&offset={offset}&transferables=false")
            rows += self._checked(plan, page, [id])
        assert self.wire.get(f"{path}/{id}?limit=1&offset={number}&transferables=false")["iterable"] == []
        dates = [_moment(row["created"]) for row in rows]
        assert dates == sorted(dates, reverse=True)
        return rows

    def _checked(self, plan: Plan, answer: Mapping[str, Any], owners: Sequence[str]) -> list[Any]:
        """Check rows as the exporter does, and that a row is the same wherever it is read."""
        rows = answer["iterable"]
        for row in rows:
            assert row[plan.owner_key] in owners
            assert all(isinstance(row[key], str) and row[key] for key in ("id", plan.owner_key, plan.peer_key))
            assert _moment(row["created"]) <= _moment(row["updated"])
            assert self.rows.setdefault(plan.family, {}).setdefault(row["id"], row) == row
        assert answer["indices"] == {row["id"]: place for place, row in enumerate(rows)}
        return rows

    def _compare(self, plan: Plan, id: str, peers: set[str]) -> None:
        """A relation that a record has must be what the family says."""
        embedded = self.records[plan.owner_type][id].get(plan.relation)
        assert embedded is None or _ids_in(embedded) == peers, (plan, id)

    def _event_pages(self, person: str) -> None:
        """Read the events of a person in pages that tell their total, each row also by its pair and by its id."""
        plan = Plan(EVENT_PERSON, "person", "PERSONS", "workstream_events", "person", "workstream_event")
        total, rows = 1, []
        while len(rows) < total:
            query = f"limit={self._rows_per_page}&offset={len(rows)}&transferables=false"
            page = self.wire.get(f"/{EVENT_PERSON}/person/{person}?{query}")
            assert (page["limit"], page["offset"]) == (self._rows_per_page, len(rows))
            total = page["total"]
            found = self._checked(plan, page, [person])
            assert found or not total
            rows += found
        self._compare(plan, person, {row["workstream_event"] for row in rows})
        if rows:
            body = {"associations": {"iterable": [{"id": row["id"]} for row in rows]}}
            answer = self.wire.post(f"/{EVENT_PERSON}/batch/fetch?transferables=true", body)
            assert answer["associations"]["iterable"] == rows
            assert _ids_in(answer["notFound"]) == set()
        for row in rows:
            assert self.wire.get(f"/{EVENT_PERSON}/workstream_event/{row['workstream_event']}/person/{person}") == row

    # Persons.

    def _profile(self, person: str) -> None:
        """Read the history of a person's profile, from the newest on, by moving the upper bound."""
        self.profiles[person] = [each for type in PROFILE_TYPES for each in self._history(person, type)]

    def _history(self, person: str, type: str) -> Iterator[Any]:
        seen: set[str] = set()
        before: dict[str, Any] = {}
        while True:
            body = {"filter": {"types": [type], **before}, "limit": self._rows_per_page}
            answer = self.wire.post(f"/person/{person}/annotations", body)
            assert answer["person"]["id"] == person
            page = answer["annotations"]["iterable"]
            assert all(each["type"] == type for each in page)
            new = [each for each in page if each["id"] not in seen]
            yield from new
            seen |= {each["id"] for each in new}
            if len(page) < self._rows_per_page or not new:
                return
            before = {"created": {"to": {"value": min(each["created"]["value"] for each in page)}}}


def _bounds(window: Window) -> dict[str, Any]:
    named = zip(("from", "to"), window, strict=True)
    return {name: {"value": each.isoformat().replace("+00:00", "Z")} for name, each in named if each is not None}


def _moment(stamp: Mapping[str, str]) -> datetime:
    """Read a date as RFC 3339 writes it."""
    text = stamp["value"]
    assert text.endswith("Z")
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


def _ids_in(collection: Mapping[str, Any]) -> set[str]:
    active = {id for id, place in collection.get("indices", {}).items() if place >= 0}
    listed = {each["id"] for each in collection["iterable"]}
    assert active <= listed
    return listed
