"""Counts and ids of every kind by one route, windows on dates, and the kinds that are not here."""

import pytest

from pieces_orm.server import Settings
from pieces_orm.wire.kinds import KINDS, MESSAGE, SOURCE, SUMMARY, WORKSTREAM_EVENT
from pieces_orm.wire.other_kinds import OTHER_KINDS
from tests.server.support import ids, plans

DAYS = [f"2026-01-{day:02}T00:00:00.000000Z" for day in (1, 2, 2, 3, 4)]


def between(first="", last=""):
    bounds = {"from": first, "to": last}
    return {name: {"value": bound} for name, bound in bounds.items() if bound}


def number_of(wire, type, **filters):
    return wire.post("/materials/metrics", {"material_type": type, **({"filters": filters} if filters else {})})[
        "total_count"
    ]


def ids_of(wire, type, **asked):
    return wire.post("/materials/identifiers", {"material_type": type, **asked})["identifiers"]


@pytest.fixture
def dated(wire):
    """Summaries and events of five days, which are updated when this test runs."""
    with wire.server._store.write() as writer:
        for kind in (SUMMARY, WORKSTREAM_EVENT):
            for n, day in enumerate(DAYS):
                writer.create(kind.name, f"{n}", "{}", created=day)
    return wire


def test_windows_take_their_bounds_in_and_list_the_last_created_first(dated):
    for name, (window, expected) in {
        "all": ({}, "43210"),
        "both bounds": (between(DAYS[1], DAYS[3]), "321"),
        "one moment": (between(DAYS[1], DAYS[1]), "21"),
        "from": (between(first=DAYS[3]), "43"),
        "to": (between(last=DAYS[0]), "0"),
        "another zone": (between(first="2026-01-04T02:00:00+02:00"), "4"),
        "nothing": (between("2025-01-01T00:00:00Z", "2025-12-31T00:00:00Z"), ""),
    }.items():
        asked = {"created": window} if window else {}
        assert ids_of(dated, "WORKSTREAM_SUMMARIES", **asked) == [*expected], name
        assert number_of(dated, "WORKSTREAM_SUMMARIES", **asked) == len(expected), name
        query = {f"created_{end}": bound["value"] for end, bound in window.items()}
        answer = dated.get("/workstream_events/identifiers", params=query)
        assert ids(answer) == [*expected], name


def test_windows_on_created_and_on_updated_are_alternatives(dated):
    with dated.server._store.write() as writer:
        writer.touch(WORKSTREAM_EVENT.name, "0")
        now = writer.now
    either = {"created": between(DAYS[4]), "updated": between(now)}
    assert ids_of(dated, "WORKSTREAM_EVENTS", **either) == ["4", "0"]
    assert number_of(dated, "WORKSTREAM_EVENTS", **either) == 2
    assert ids_of(dated, "WORKSTREAM_EVENTS", updated=between(now)) == ["0"]
    query = {"created_from": DAYS[4], "updated_from": now}
    assert ids(dated.get("/workstream_events/identifiers", params=query)) == ["4", "0"]


def test_a_limit_cuts_the_list_and_none_is_everything(dated):
    for limit, expected in ((None, "43210"), (0, ""), (2, "43"), (10**30, "43210")):
        assert ids_of(dated, "WORKSTREAM_EVENTS", limit=limit) == [*expected]
    window = {"created_from": DAYS[1], "limit": 2}
    assert ids(dated.get("/workstream_events/identifiers", params=window)) == ["4", "3"]
    assert dated.status("POST", "/materials/identifiers", {"material_type": "TAGS", "limit": -1}) == 400


def test_what_is_asked_wrongly_is_refused_with_a_sentence(shared):
    for path, body, sentence in (
        ("metrics", {"material_type": "SHOES"}, "There is no material_type 'SHOES'; there are: ACTIVITIES, "),
        ("identifiers", {}, "material_type"),
        ("identifiers", [], "Expected `object`"),
        ("identifiers", {"material_type": "TAGS", "limit": "5"}, "limit"),
        ("identifiers", {"material_type": "TAGS", "created": between("soon")}, "'soon' is no date; write 2026-01-31T"),
        ("metrics", {"material_type": "TAGS", "filters": {"updated": between(last="\N{BLACK STAR}")}}, "is no date"),
        ("metrics", {"material_type": "TAGS", "filters": {"updated": {"to": DAYS[0]}}}, "Expected `object | null`"),
    ):
        answer = shared.ask("POST", f"/materials/{path}", body)
        assert answer.status_code == 400
        assert sentence in answer.text


def test_counts_are_those_of_the_lists_for_every_kind(shared):
    for kind in KINDS.values():
        made = shared.make(kind)
        found = ids_of(shared, kind.material_type)
        assert made["id"] in found
        assert number_of(shared, kind.material_type) == len(found)
        assert set(ids(shared.get(kind.route("all").path))) == set(found)
    pseudo = shared.make_asset(pseudo=True)["id"]
    assert pseudo in ids_of(shared, "ASSETS")
    for type, path in (("MODELS", "/models"), ("APPLICATIONS", "/applications"), ("USERS", "/users")):
        assert sorted(ids_of(shared, type)) == sorted(ids(shared.get(path)))
        assert number_of(shared, type) == len(shared.get(path)["iterable"])
    assert ids_of(shared, "MODELS", created=between("2100-01-01T00:00:00Z")) == []


def test_counting_and_listing_by_date_reads_no_document(dated):
    steps = [
        *plans(dated, lambda: number_of(dated, "WORKSTREAM_EVENTS", created=between(DAYS[1], DAYS[2]))),
        *plans(dated, lambda: ids_of(dated, "WORKSTREAM_EVENTS", created=between(DAYS[1]))),
        *plans(dated, lambda: ids_of(dated, "WORKSTREAM_EVENTS", limit=1)),
        *plans(dated, lambda: dated.get("/workstream_events/identifiers", params={"created_to": DAYS[1]})),
    ]
    assert len(steps) == 4
    searches = ["SEARCH material USING COVERING INDEX material_created (kind=?"] * 4
    assert [step[: len(searches[0])] for step in steps] == searches


@pytest.mark.parametrize("kind", OTHER_KINDS, ids=lambda kind: kind.collection)
def test_a_kind_that_is_not_here_is_an_empty_list(shared, kind):
    assert shared.get(kind.route("all").path, params={"transferables": "true"})["iterable"] == []
    assert shared.status("GET", kind.route("read").path.replace(f"{{{kind.parameter}}}", "x")) == 410
    (key,) = kind.batch_keys
    answer = shared.post(kind.newer_batch.path, {key: {"iterable": [{"id": "x"}]}})
    assert (answer[key]["iterable"], answer["notFound"]) == ([], ["x"])
    assert (number_of(shared, kind.material_type), ids_of(shared, kind.material_type)) == (0, [])


def test_users_and_models_are_read_in_batches(shared):
    user, model = shared.get("/user")["user"], shared.get("/models")["iterable"][0]
    for key, one in (("users", user), ("models", model)):
        answer = shared.post(f"/{key}/batch/fetch", {key: {"iterable": [{"id": "x"}, {"id": one["id"]}]}})
        assert answer == {key: {"iterable": [one]}, "notFound": ["x"]}
        assert shared.status("POST", f"/{key}/batch/fetch", {"iterable": []}) == 400


@pytest.mark.parametrize("kind", [MESSAGE, SOURCE], ids=lambda kind: kind.collection)
def test_batches_take_the_key_of_pieces_os_and_the_one_before(shared, kind):
    made = shared.make(kind)["id"]
    assert len(kind.batch_keys) == 2
    for key in kind.batch_keys:
        answer = shared.post(kind.newer_batch.path, {key: {"iterable": [{"id": made}]}})
        assert answer.keys() == {key, "notFound"}
        assert ids(answer[key]) == [made]
    both = shared.post(kind.newer_batch.path, {key: {"iterable": [{"id": made}]} for key in kind.batch_keys})
    assert both.keys() == {kind.batch_keys[0], "notFound"}


def test_an_older_server_has_no_batches_of_newer_ones(started):
    wire = started(settings=Settings(batch_reads=False))
    for kind in (*OTHER_KINDS, *KINDS.values()):
        if kind.newer_batch not in kind.routes.values():
            body = {kind.batch_keys[0]: {"iterable": [{"id": "x"}]}}
            assert wire.status("POST", kind.newer_batch.path, body) == 404, kind.name
    for key in ("users", "models"):
        assert wire.status("POST", f"/{key}/batch/fetch", {key: {"iterable": [{"id": "x"}]}}) == 404
