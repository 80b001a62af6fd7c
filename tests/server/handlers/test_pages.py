"""Pages of collections and identifiers: the parameters `limit`, `offset` and `order`, of all kinds."""

import pytest

from pieces_orm.server import Settings
from pieces_orm.wire.extensions import TOTAL_HEADER
from pieces_orm.wire.kinds import ANNOTATION, ASSET, CONVERSATION, KINDS, MESSAGE, TAG, WORKSTREAM_EVENT
from tests.server.support import plans

VERBS = [(kind, verb) for kind in KINDS.values() for verb in ("all", "ids") if verb in kind.routes]


def page(wire, path, **params):
    """The ids of a page, and the number of all as its header has it."""
    answer = wire.ask("GET", path, params=params)
    assert answer.status_code == 200, answer.text
    return [each["id"] for each in answer.json()["iterable"]], answer.headers.get(TOTAL_HEADER)


@pytest.fixture(scope="module")
def filled(shared):
    """Four materials of each kind, most of them made with others."""
    for kind in KINDS.values():
        for _ in range(4):
            shared.make(kind)
    return shared


@pytest.mark.parametrize(("kind", "verb"), VERBS, ids=lambda value: getattr(value, "name", value))
def test_every_collection_and_identifiers_route_has_pages(filled, kind, verb):
    path = kind.route(verb).path
    newest, total = page(filled, path)
    assert total is None
    assert len(newest) >= 4, "nothing was made of this kind"
    assert page(filled, path, limit=2) == (newest[:2], str(len(newest)))
    assert page(filled, path, limit=2, offset=1) == (newest[1:3], str(len(newest)))
    assert page(filled, path, limit=2, offset=len(newest) - 1) == (newest[-1:], str(len(newest)))
    assert page(filled, path, limit=0) == ([], str(len(newest)))
    assert page(filled, path, offset=2) == (newest[2:], None)
    assert page(filled, path, limit=3, order="created") == (newest[::-1][:3], str(len(newest)))
    assert page(filled, path, order="-created")[0] == newest


@pytest.mark.parametrize("path", ["/tags", "/assets/identifiers"])
def test_a_page_that_cannot_be_is_a_bad_request(shared, path):
    odd = ["limit=-1", "limit=a", "limit=", "limit=9999999999", "offset=-1", "offset=1.5", "order=name", "order="]
    for query in odd:
        answer = shared.ask("GET", f"{path}?{query}")
        assert answer.status_code == 400
        assert query.partition("=")[0] in answer.text


def test_pages_and_filters_of_a_route_go_together(shared):
    types = ["DESCRIPTION", "GIT_COMMIT", "GIT_COMMIT", "GIT_COMMIT"]
    made = [shared.make(ANNOTATION, type=type)["id"] for type in types]
    commits = {"annotation_type_filter": "GIT_COMMIT"}
    assert page(shared, "/annotations", **commits)[0] == made[:0:-1]
    assert page(shared, "/annotations", **commits, limit=2, offset=1) == (made[2:0:-1], "3")
    suggested = shared.make_asset("x", pseudo=True)["id"]
    assert page(shared, "/assets", limit=1)[0] != [suggested]
    assert page(shared, "/assets/identifiers", limit=1, pseudo="true")[0] == [suggested]
    whole = int(page(shared, "/assets", limit=0)[1])
    assert page(shared, "/assets", limit=0, pseudo="true")[1] == str(whole + 1)


def test_messages_are_in_the_order_of_the_dates_that_they_came_with(shared):
    conversation = shared.make(CONVERSATION)["id"]
    dates = ["2031-01-02T00:00:00Z", "2031-01-03T00:00:00Z", "2031-01-01T00:00:00Z"]
    made = [shared.make(MESSAGE, conversation={"id": conversation}, created={"value": date})["id"] for date in dates]
    assert page(shared, "/messages", limit=3)[0] == [made[1], made[0], made[2]]
    assert page(shared, "/messages")[0][:3] == [made[1], made[0], made[2]]


def test_a_page_is_found_by_indexes_without_sorting(filled):
    for path in ("/conversations/identifiers?limit=2", "/assets/identifiers?limit=2&order=created"):
        found = plans(filled, lambda path=path: filled.get(path))
        assert "SEARCH material USING COVERING INDEX material_created (kind=?)" in found
        assert not [step for step in found if step.startswith("SCAN") or "TEMP B-TREE" in step]


def test_without_extensions_a_server_knows_no_pages(started):
    wire = started(settings=Settings(extensions=False))
    made = [wire.make(TAG, text=text)["id"] for text in "abc"]
    assert page(wire, "/tags", limit=1, order="created", offset=5) == (made[::-1], None)
    assert page(wire, "/tags", limit="x") == (made[::-1], None)
    assert "x-pieces-orm-extensions" not in wire.ask("GET", "/tags").headers
    for _ in range(3):
        wire.make(WORKSTREAM_EVENT)
    assert len(page(wire, WORKSTREAM_EVENT.route("ids").path, limit=2)[0]) == 2
    made = [wire.make_asset(text)["id"] for text in "xy"]
    assert page(wire, ASSET.route("ids").path, limit=1)[0] == made[::-1]
