"""Each of the 48 operations is sent as its row of the contract says, and each documented status has its outcome."""

from __future__ import annotations

import json

import pytest

from pieces_orm import NotFoundError, ServerError, Session
from pieces_orm.values import Application, Platform, Privacy

from .calls import CASES, IDS, STREAMS, ref
from .contract import ROWS, problems

EACH = [(name, number) for name, cases in CASES.items() for number in range(len(cases))]
FAILING = [(name, code) for name in CASES for code in ROWS[name]["status_codes"] if int(code) >= 400]
ERRORS = {"410": NotFoundError, "500": ServerError}
APPLICATION = Application("application-1", "OPEN_SOURCE", "1", Platform.LINUX, True, Privacy.OPEN)


@pytest.fixture
def session(recorder):
    with Session(recorder.url, api_key=APPLICATION.id) as session:
        yield session


def path_of(row):
    return row["path"].format(**{name: IDS.get(name, name) for name in IDS})


def scripted(recorder, row, case):
    """Script the answers that the case needs; return the method and path of the row's own requests."""
    place = (row["method"], path_of(row))
    for (method, path), body in case.before.items():
        recorder.answer(method, path, *((body,) if isinstance(body, int) else (200, body)))
    if case.answer is not None:
        recorder.answer(*place, body=case.answer)
    return place


def test_every_row_of_the_contract_has_a_call():
    assert len(ROWS) == 48
    assert set(CASES) | STREAMS == set(ROWS)
    assert {name for name, row in ROWS.items() if row["websocket"]} == STREAMS


@pytest.mark.parametrize("name", CASES)
def test_every_parameter_of_a_row_is_reachable(name):
    parameters = {each["name"] for each in ROWS[name]["parameters"] if each["in"] == "query"}
    assert {key for case in CASES[name] for key in case.query} == parameters


@pytest.mark.parametrize(("name", "number"), EACH)
def test_a_call_is_sent_as_its_row_says(recorder, session, name, number):
    row, case = ROWS[name], CASES[name][number]
    place = scripted(recorder, row, case)
    result = case.call(session)
    request = recorder.sent(*place)[-1]
    assert request.query == case.query
    assert request.headers["accept"] == ", ".join(row["accept"])
    assert request.headers.get("content-type") == row["content_type"]
    assert (request.headers["application"], request.headers["x-application-id"]) == (APPLICATION.id, APPLICATION.id)
    if row["body"] is None:
        assert request.body == b""
    else:
        assert problems(request.json, row["body"]["type"]) == []
        assert case.body(request.json)
    assert case.outcome(session, result)


@pytest.mark.parametrize("name", [name for name in CASES if "204" in ROWS[name]["status_codes"]])
def test_no_content_means_done(recorder, session, name):
    row, case = ROWS[name], CASES[name][0]
    place = scripted(recorder, row, case)
    recorder.answer(*place, status=204)
    assert case.call(session) is None
    assert len(recorder.sent(*place)) == 1


@pytest.mark.parametrize(("name", "code"), FAILING)
def test_a_documented_failure_is_its_error_and_the_session_goes_on(recorder, session, name, code):
    row, case = ROWS[name], CASES[name][0]
    place = scripted(recorder, row, case)
    if name.endswith("delete_specific_anchor"):
        # After a failed deletion, a read decides whether the material is gone already.
        recorder.answer("GET", f"/anchor/{IDS['anchor']}", body={"id": IDS["anchor"]})
    recorder.answer(*place, status=int(code), body=b"so says the server")
    with pytest.raises(ERRORS[code], match="so says the server") as caught:
        case.call(session)
    error = caught.value
    assert (error.status, error.body, error.method, error.path) == (int(code), "so says the server", *place)
    recorder.answer("GET", f"/tag/{IDS['tag']}", body={"id": IDS["tag"], "text": "still here"})
    assert ref(session, "tag").text == "still here"


@pytest.mark.parametrize("name", ["anchor_update", "website_update", "workstream_event_update"])
def test_a_failed_update_keeps_the_edit(recorder, session, name):
    row, case = ROWS[name], CASES[name][0]
    place = scripted(recorder, row, case)
    recorder.answer(*place, status=500, body=b"no")
    with pytest.raises(ServerError):
        case.call(session)
    [entity] = session._context.identity_map._edited.values()
    assert list(entity.edits.values()) == ["new"]
    recorder.answer(*place, body=case.answer)
    entity.save()
    assert entity.edits == {}


@pytest.mark.parametrize("status", [404, 405])
def test_the_older_route_is_tried_after_the_newer_one_and_remembered(recorder, session, status):
    anchor, asset = IDS["anchor"], IDS["asset"]
    newer, older = f"/anchor/{anchor}/assets/disassociate/{asset}", f"/anchors/{anchor}/assets/delete/{asset}"
    recorder.answer("POST", newer, status, b"no such route")
    for _ in range(2):
        ref(session, "anchor").disassociate(ref(session, "asset"))
    assert recorder.lines() == [f"POST {newer}", f"POST {older}", f"POST {older}"]


def test_the_newer_route_is_enough_where_the_server_has_it(recorder, session):
    ref(session, "anchor").disassociate(ref(session, "asset"))
    assert recorder.lines() == [f"POST /anchor/{IDS['anchor']}/assets/disassociate/{IDS['asset']}"]


def test_an_association_is_known_on_both_sides_after_no_content(recorder, session):
    anchor, asset = ref(session, "anchor"), ref(session, "asset")
    for entity in (anchor, asset):
        path = entity._schema.kind.route("read").path.format(**{entity._schema.kind.parameter: entity.id})
        collection = {"iterable": [], "indices": {}}
        recorder.answer("GET", path, body={"id": entity.id, "assets": collection, "anchors": collection})
        entity.refresh()
    anchor.associate(asset)
    assert asset in anchor.assets
    assert anchor in asset.anchors
    anchor.disassociate(asset)
    assert asset not in anchor.assets
    assert anchor not in asset.anchors


def test_a_draft_is_stored_as_the_server_returned_it(recorder, session):
    case = CASES["assets_draft"][0]
    scripted(recorder, ROWS["assets_draft"], case)
    scripted(recorder, ROWS["assets_create_new_asset"], CASES["assets_create_new_asset"][0])
    case.call(session).create()
    assert json.loads(recorder.sent("POST", "/assets/create")[0].body) == case.answer
