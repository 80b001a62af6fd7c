"""The user as a person, and annotations of persons by type and date."""

import json

import pytest

from pieces_orm.server.domain.relations import end_of
from pieces_orm.wire.kinds import ANNOTATION, PERSON
from tests.server.support import ids

DAYS = [f"2026-01-{day:02}T00:00:00.000000Z" for day in (1, 2, 2, 3, 4)]
TYPES = ("COMMENT", "PROFILE_DESCRIPTION", "UNKNOWN", "COMPACTION")


def account(user):
    dates = {name: {"value": DAYS[0]} for name in ("created", "updated")}
    looks = {"theme": {"dark": False}, "font": {"size": 14}}
    return {"type": {"platform": {"id": user, "name": "Ada", "username": "ada", "aesthetics": looks, **dates}}}


@pytest.fixture
def annotated(wire):
    """A server, and a person with annotations of four types on five days."""
    person = wire.make(PERSON)["id"]
    with wire.server._store.write() as writer:
        for n, day in enumerate(DAYS):
            for type in TYPES:
                writer.create(ANNOTATION.name, f"{type}-{n}", json.dumps({"type": type, "text": "x"}), created=day)
                writer.add_edge(end_of(PERSON, "annotations").relation, f"{type}-{n}", person)
    return wire, person


def test_the_person_of_the_user_is_the_one_with_its_account(shared):
    user = shared.get("/user")["user"]["id"]
    other, plain = shared.make(PERSON, **account("another-user"))["id"], shared.make(PERSON)["id"]
    for asked in (user, "another-user", other, plain, "nobody"):
        assert shared.status("GET", f"/user/{asked}/person") == 404
    mine = shared.make(PERSON, **account(user))
    assert shared.get(f"/user/{user}/person?transferables=false") == mine
    shared.post("/person/update", {**mine, **account("another-user")})
    assert shared.status("GET", f"/user/{user}/person") == 404
    shared.post("/person/update", {**shared.read(PERSON, plain), **account(user)})
    assert shared.get(f"/user/{user}/person")["id"] == plain
    annotation = shared.make(ANNOTATION)["id"]
    shared.post(f"/person/{plain}/annotations/associate/{annotation}")
    assert ids(shared.post(f"/user/{user}/annotations", {})["annotations"]) == [annotation]
    assert shared.status("POST", "/user/nobody/annotations", {}) == 404


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ({}, [f"{type}-{n}" for n in "43210" for type in ("PROFILE_DESCRIPTION", "COMMENT")]),
        ({"limit": 1}, ["PROFILE_DESCRIPTION-4"]),
        ({"limit": 0}, []),
        ({"filter": {"types": ["COMPACTION"]}}, [f"COMPACTION-{n}" for n in "43210"]),
        ({"filter": {"types": ["COMMENT"], "created": {"to": {"value": DAYS[2]}}}}, [f"COMMENT-{n}" for n in "210"]),
        ({"filter": {"types": ["COMMENT"], "created": {"from": {"value": DAYS[3]}}}}, ["COMMENT-4", "COMMENT-3"]),
        ({"filter": {"types": ["SIGNAL_DESCRIPTION"]}}, []),
    ],
    ids=str,
)
def test_annotations_of_a_person_are_filtered_and_the_last_created_comes_first(annotated, asked, expected):
    wire, person = annotated
    answer = wire.post(f"/person/{person}/annotations", asked)
    assert answer["person"] == wire.read(PERSON, person)
    assert ids(answer["annotations"]) == expected
    assert answer["annotations"]["indices"] == {id: place for place, id in enumerate(expected)}


def test_a_hundred_annotations_are_answered_unless_more_are_asked_for(annotated):
    wire, person = annotated
    with wire.server._store.write() as writer:
        for n in range(120):
            writer.create(ANNOTATION.name, f"note-{n}", '{"type":"COMMENT","text":"x"}')
            writer.add_edge(end_of(PERSON, "annotations").relation, f"note-{n}", person)
    assert len(ids(wire.post(f"/person/{person}/annotations", {})["annotations"])) == 100
    assert len(ids(wire.post(f"/person/{person}/annotations", {"limit": 500})["annotations"])) == 130
    assert wire.status("POST", "/person/nobody/annotations", {}) == 404
    for odd in ([], {"limit": "x"}, {"filter": {"types": "COMMENT"}}, {"filter": {"created": {"to": {"value": "x"}}}}):
        assert wire.status("POST", f"/person/{person}/annotations", odd) == 400
