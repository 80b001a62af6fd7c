"""Applications that connect, and what they find: models and a user."""

import json
from importlib import metadata

import pytest

import pieces_orm
from pieces_orm.server import Settings
from pieces_orm.values import Platform
from pieces_orm.wire.closed_lists import APPLICATION_NAMES
from tests.server.support import contract


def test_connecting_twice_is_the_same_application(wire):
    first = wire.connect()
    body = {"application": {"name": "OPEN_SOURCE", "version": "2.0.0", "platform": "MACOS"}}
    second = wire.post("/connect", body)
    assert second["application"]["id"] == first["id"]
    assert second["application"]["version"] == "2.0.0"
    assert second["health"]["os"]["id"] == wire.ask("GET", "/.well-known/health").text.partition(":")[2]
    assert [one["id"] for one in wire.get("/applications")["iterable"]] == [first["id"]]
    for broken_body in (
        None,
        {},
        {"application": {}},
        {"application": {"name": "ME", "version": "1", "platform": "LINUX"}},
        {"application": {"name": "VIM", "version": "1", "platform": "AMIGA"}},
    ):
        assert wire.status("POST", "/connect", broken_body) == 400
    assert "not a valid integration" in wire.ask("POST", "/connect", {"application": {**first, "name": "ME"}}).text


def test_who_opens_the_address_reads_what_serves_there(started):
    wire = started(settings=Settings(user="nobody", version="12.6.0"))
    answer = wire.ask("GET", "/")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/plain; charset=utf-8")
    for said in (f"pieces_orm {metadata.version('pieces_orm')}", "Pieces OS 12.6.0", "/.well-known/health", "/assets"):
        assert said in answer.text
    assert wire.status("GET", "/?p=a-share") == 501


PUBLISHED_NAMES = contract()["components"]["schemas"]["ApplicationNameEnum"]["enum"]


def test_the_application_names_are_those_that_are_published():
    assert set(PUBLISHED_NAMES) == APPLICATION_NAMES


@pytest.mark.parametrize("name", PUBLISHED_NAMES)
def test_every_application_name_of_the_wire_connects(shared, name):
    seed = {"name": name, "version": "1.0.0", "platform": "LINUX"}
    assert shared.post("/connect", {"application": seed})["application"]["name"] == name


def test_every_platform_of_the_wire_connects(shared):
    for platform in Platform:
        seed = {"name": "VIM", "version": "1.0.0", "platform": platform.value}
        assert shared.post("/connect", {"application": seed})["application"]["platform"] == platform


def test_a_session_connects_under_a_name_that_only_the_client_used_to_know(shared):
    with pieces_orm.connect(shared.server.url, application="UNKNOWN") as session:
        assert session.application.name == "UNKNOWN"


def test_models_and_the_user_are_there(shared):
    models = shared.get("/models")["iterable"]
    assert shared.get(f"/model/{models[0]['id']}") == models[0]
    assert shared.status("GET", "/model/none") == 410
    assert shared.get("/user")["user"]["id"]
    assert json.dumps(models)
