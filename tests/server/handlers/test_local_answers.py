"""Calls about accounts, the cloud and captured activity, and routes of older clients, let programs go on."""

import pytest

from pieces_orm.server import Settings
from pieces_orm.wire.kinds import KINDS
from tests.server.support import frame, ids, stream, valid

PROCESSORS = "/workstream_pattern_engine/processors"


def test_a_program_signs_in_and_out_and_stays_with_the_local_user(shared):
    user = shared.get("/user")["user"]
    assert shared.post("/os/sign_in") == user
    assert shared.post("/os/sign_out") == {"iterable": [user]}
    assert shared.get("/user")["user"] == user


def test_a_program_that_connects_to_the_cloud_is_told_that_there_is_none(shared):
    user = shared.get("/user")["user"]
    cloud = shared.post("/allocations/connect", user)
    assert cloud["user"] == user["id"]
    assert cloud["status"]["cloud"] == "UNKNOWN"
    assert shared.post("/allocations/connect") == cloud
    assert "local" in shared.post("/allocations/disconnect", cloud)
    assert shared.get("/allocations")["iterable"] == []


@pytest.mark.parametrize("verb", ["activate", "deactivate"])
def test_nothing_is_captured_whatever_a_program_asks_for(shared, verb):
    wanted = {"vision": {"activation": {"continuous": True}}}
    off = {"deactivation": {"continuous": True}}
    for path, status in ((f"{PROCESSORS}/vision", {"vision": off}), (PROCESSORS, {"vision": off, "clipboard": off})):
        assert shared.get(f"{path}/status") == status
        with stream(shared.server, f"{path}/status/stream") as socket:
            valid("WorkstreamPatternEngineStatus", frame(socket))
    assert shared.post(f"{PROCESSORS}/vision/{verb}", wanted) == {"vision": off}
    assert shared.post(f"{PROCESSORS}/clipboard/{verb}", wanted)["clipboard"] == off
    assert shared.get(f"{PROCESSORS}/vision/status") == {"vision": off}


def test_no_permission_is_missing_for_which_a_program_would_wait(shared):
    granted = {"processing": {"vision": True, "accessibility": True}}
    assert shared.get("/os/permissions") == granted
    assert shared.post("/os/permissions/request", {"processing": {"vision": False}}) == granted


def test_an_application_can_be_read_and_says_that_its_user_was_shown_around(wire):
    application = wire.connect()
    path = f"/applications/{application['id']}"
    assert wire.get(path) == application
    for value in (False, True):
        assert wire.post(f"/{application['id']}/onboarded", value) == application["id"]
        assert wire.get(path) == application | {"onboarded": value}
    assert wire.connect() == application
    assert wire.post(f"/{application['id']}/track", {"event": {}}) == "Nothing is tracked."
    assert wire.status("GET", "/applications/none") == 410
    assert wire.status("POST", "/none/onboarded", True) == 400
    assert wire.status("POST", f"/{application['id']}/onboarded", "yes") == 400


def test_onboarding_passes_on_a_server_that_only_reads(started, tmp_path):
    file = tmp_path / "server.db"
    writing = started(file)
    application = writing.connect()
    writing.server.stop()
    reading = started(file, settings=Settings(read_only=True))
    assert reading.connect()["id"] == application["id"]
    assert reading.post(f"/{application['id']}/onboarded", False) == application["id"]
    assert reading.post("/os/sign_in") == reading.get("/user")["user"]


def test_older_clients_ask_for_totals(wire):
    asset = wire.make_asset(tags=[{"text": "tides"}])
    wire.post("/asset/{}/scores/increment".format(asset["id"]), {"asset": {"reuse": True}})
    for role in ("USER", "USER", "ASSISTANT"):
        wire.make(KINDS["conversation_message"], role=role)
    wire.make(KINDS["anchor"])
    totals = wire.get("/os/metadata")["totals"]
    told = {name: totals[name] for name in ("assets", "tags", "persons", "reuses", "anchor_files", "anchor_folders")}
    assert told == {"assets": 1, "tags": 1, "persons": 0, "reuses": 1, "anchor_files": 1, "anchor_folders": 0}
    assert (totals["copilot_sends"], totals["copilot_receives"], totals["copilot_conversations"]) == (2, 1, 3)
    assert all(type(total) is int for total in totals.values())


@pytest.mark.parametrize(
    ("owner", "other", "path"),
    [
        ("anchor", "asset", "/anchors/{}/assets/delete/{}"),
        ("person", "asset", "/persons/{}/assets/delete/{}"),
        ("conversation", "asset", "/conversation/{}/assets/delete/{}"),
        ("conversation", "anchor", "/conversation/{}/anchors/delete/{}"),
    ],
)
def test_older_delete_routes_end_an_association_and_delete_nothing(shared, owner, other, path):
    one, two = shared.make(KINDS[owner]), shared.make(KINDS[other])
    shared.post(f"/{owner}/{one['id']}/{other}s/associate/{two['id']}")
    assert ids(shared.read(KINDS[owner], one["id"])[f"{other}s"]) == [two["id"]]
    assert shared.post(path.format(one["id"], two["id"])) is None
    assert ids(shared.read(KINDS[owner], one["id"])[f"{other}s"]) == []
    assert shared.read(KINDS[other], two["id"])["id"] == two["id"]
