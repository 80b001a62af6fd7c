"""Several creations and associations in one request, and creations that repeat nothing."""

import pytest

from pieces_orm.server import Settings
from pieces_orm.wire.extensions import MAX_ITEMS, UNIQUE_KINDS
from pieces_orm.wire.kinds import ANCHOR, ANCHOR_POINT, ASSET, FORMAT, KINDS, PERSON, SUMMARY, TAG, WEBSITE
from tests.server.support import MODEL, frame, ids, stream, valid


def create_many(wire, kind, *seeds, **query):
    answer = wire.ask("POST", f"/{kind.plural}/create_many", {"seeds": list(seeds)}, params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()["results"]


def associate_many(wire, kind, relation, *pairs, verb="associate"):
    body = {"relation": relation, "pairs": list(pairs)}
    answer = wire.ask("POST", f"/{kind.plural}/{verb}_many", body)
    assert answer.status_code == 200, answer.text
    return answer.json()["results"]


@pytest.mark.parametrize("kind", [kind for kind in KINDS.values() if "create" in kind.routes], ids=lambda k: k.name)
def test_every_kind_is_created_in_numbers_as_alone(shared, kind):
    seeds = [shared.seed(kind) for _ in range(2)]
    results = create_many(shared, kind, *seeds)
    assert [result.keys() for result in results] == [{"document"}] * 2
    for result in results:
        valid(kind.schema, result["document"])
        alone = shared.read(kind, result["document"]["id"])
        assert alone["created"]["value"] == result["document"]["created"]["value"]
    dates = [result["document"]["created"]["value"] for result in results]
    assert dates == sorted(dates)
    assert "create_many" not in str(FORMAT.routes)


def test_a_bad_seed_fails_alone_and_leaves_nothing(wire):
    message = {"role": "USER", "fragment": {"string": {"raw": "high water?"}}, "conversation": {"id": "not there"}}
    messages = [{"role": "USER", "fragment": {"string": {"raw": "when?"}}, "asset": "not there"}, {"reference": 5}]
    conversation = {"type": "COPILOT", "name": "about tides", "messages": {"iterable": messages}}
    deep = {"text": "x", "far": 1}
    for _ in range(101):
        deep["far"] = {"x": deep["far"]}
    good = wire.seed(KINDS["conversation"])
    results = create_many(wire, KINDS["conversation"], good, conversation, "text", None, deep, good)
    assert ["document" in result for result in results] == [True, False, False, False, False, True]
    assert all(400 <= result["error"]["status"] <= 500 for result in results[1:5])
    assert ids(wire.get("/conversations")) == [results[place]["document"]["id"] for place in (5, 0)]
    assert wire.get("/messages")["iterable"] == []
    (result,) = create_many(wire, KINDS["conversation_message"], message)
    assert "not there" in result["error"]["message"]
    assets = create_many(wire, ASSET, wire.seed(ASSET), {"asset": {}}, wire.seed(ASSET))
    assert [list(result) for result in assets] == [["document"], ["error"], ["document"]]
    assert len(wire.get("/assets/search?query=tide")["iterable"]) == 2


def test_what_one_request_made_is_told_in_one_frame_and_logged(wire):
    with stream(wire.server, "/tags/stream/identifiers") as opened:
        frame(opened)
        results = create_many(wire, TAG, {"text": "a"}, {"text": 5}, {"text": "b"})
        made = {result["document"]["id"] for result in results if "document" in result}
        assert {each["tag"]["id"] for each in frame(opened)["iterable"]} == made
    with wire.server._store.read() as reader:
        logged = reader.connection.exec_driver_sql("SELECT id, operation FROM change WHERE kind = 'tag'").all()
    assert sorted(logged) == sorted((id, "create") for id in made)


def test_associations_are_made_and_ended_in_numbers_as_alone(wire):
    first, second = wire.make_asset("x")["id"], wire.make_asset("y")["id"]
    tags = [wire.make(TAG, text=text)["id"] for text in "ab"]
    results = associate_many(
        wire, ASSET, "tags", [first, tags[1]], [first, "none"], [first, tags[0]], ["none", tags[0]]
    )
    assert [result and result["error"]["status"] for result in results] == [None, 500, None, 500]
    assert ids(wire.get(f"/assets/{first}")["tags"]) == [tags[1], tags[0]]
    assert associate_many(wire, TAG, "assets", [tags[0], second], [tags[0], second]) == [None, None]
    assert ids(wire.get(f"/assets/{second}")["tags"]) == [tags[0]]
    ended = associate_many(wire, TAG, "assets", [tags[0], first], [tags[0], second], verb="disassociate")
    assert ended == [None, None]
    assert ids(wire.get(f"/assets/{first}")["tags"]) == [tags[1]]
    summaries = [wire.make(SUMMARY, model=MODEL)["id"] for _ in range(2)]
    assert associate_many(wire, SUMMARY, "children", summaries) == [None]
    assert ids(wire.get(f"/workstream_summary/{summaries[1]}")["parents"]) == [summaries[0]]
    (refused,) = associate_many(wire, SUMMARY, "summaries", [summaries[0], summaries[0]])
    assert "itself" in refused["error"]["message"]


def test_the_settings_count_for_each_of_many(started):
    wire = started(settings=Settings(associate_twice="error", associate_missing="ignore"))
    asset, tag = wire.make_asset("x")["id"], wire.make(TAG)["id"]
    results = associate_many(wire, ASSET, "tags", [asset, tag], [asset, tag], [asset, "none"])
    assert [result and result["error"]["status"] for result in results] == [None, 500, None]


def test_a_request_for_many_has_a_form_and_limits(shared):
    assert (
        shared.status("POST", "/tags/create_many", {"seeds": [{"text": str(n)} for n in range(MAX_ITEMS + 1)]}) == 413
    )
    pairs = [["a", "b"]] * (MAX_ITEMS + 1)
    assert shared.status("POST", "/tags/associate_many", {"relation": "assets", "pairs": pairs}) == 413
    for body in ({}, [], {"seeds": {}}, {"seeds": 5}):
        assert shared.status("POST", "/tags/create_many", body) == 400
    for body in ({}, {"relation": "assets"}, {"relation": "assets", "pairs": [["a"]]}, {"relation": 5, "pairs": []},
                 {"relation": "assets", "pairs": [["a", 5]]}, {"relation": "formats", "pairs": []}):  # fmt: skip
        assert shared.status("POST", "/tags/associate_many", body) == 400
    assert create_many(shared, TAG) == []
    assert shared.status("POST", "/formats/create_many", {"seeds": []}) in (404, 405)


KEYS = {
    TAG.name: [{"text": "a\0"}, {"text": "A\0"}],
    WEBSITE.name: [{"url": "https://a", "name": "a"}, {"url": "https://a/", "name": "a"}],
    ANCHOR.name: [{"type": "FILE", "fullpath": "/a/b"}, {"type": "FILE", "fullpath": "/a/c"}],
    PERSON.name: [{"type": {"basic": {"name": "A", "email": "a@x"}}}, {"type": {"basic": {"email": "b@x"}}}],
}


@pytest.mark.parametrize("kind", UNIQUE_KINDS, ids=lambda kind: kind.name)
def test_a_unique_seed_makes_one_material(wire, kind):
    seed, different = KEYS[kind.name]
    path = f"{kind.route('create').path}?unique=true"
    first = wire.post(path, seed)
    with wire.server._store.read() as reader:
        changes = reader.connection.exec_driver_sql("SELECT count(*) FROM change").scalar()
    assert wire.post(path, {**seed, "category": "UNKNOWN"}) == first
    results = create_many(wire, kind, seed, different, different, unique="true")
    assert results[0] == {"document": first, "existing": True}
    assert [result.get("existing", False) for result in results] == [True, False, True]
    assert results[1]["document"]["id"] == results[2]["document"]["id"] != first["id"]
    with wire.server._store.read() as reader:
        count = reader.connection.exec_driver_sql(f"SELECT count(*) FROM change WHERE kind = '{kind.name}'").scalar()
    assert changes
    assert count == 2
    assert wire.post(kind.route("create").path, seed)["id"] != first["id"]
    assert wire.post(path, seed)["id"] == first["id"], "of several, the first created"


def test_paths_and_persons_are_the_same_as_the_look_ups_of_programs_say(wire):
    path = f"{ANCHOR.route('create').path}?unique=true"
    anchor = wire.post(path, {"type": "DIRECTORY", "fullpath": "/a/b/"})["id"]
    assert wire.post(path, {"type": "FILE", "fullpath": "/a/b"})["id"] == anchor
    wire.make(ANCHOR_POINT, anchor=anchor, fullpath="/second")
    assert wire.post(path, {"type": "FILE", "fullpath": "/second"})["id"] == anchor, "the path of any point"
    path = f"{PERSON.route('create').path}?unique=true"
    ada = wire.post(path, {"type": {"basic": {"name": "Ada", "email": "ada@x"}}})["id"]
    assert wire.post(path, {"type": {"basic": {"name": "Ada"}}})["id"] == ada
    assert wire.post(path, {"type": {"basic": {"name": "Ada", "email": "other@x"}}})["id"] != ada
    for name in ("Ada Lovelace", "D'Arc", 'Ada "B"', "Zo\xeb", "a/b", "a\\b", "a\nb", "a\0b", "100%", "\U0001f30a"):
        first, second = ({"type": {"basic": {"name": name, "url": url}}} for url in ("https://x", "https://y"))
        assert wire.post(path, first)["id"] == wire.post(path, second)["id"], name
    nameless = {"type": {"basic": {"url": "https://x"}}}
    assert wire.post(path, nameless)["id"] != wire.post(path, nameless)["id"]


def test_unique_is_for_kinds_with_natural_keys_and_for_servers_with_extensions(shared, started):
    assert shared.status("POST", "/conversations/create?unique=true", shared.seed(KINDS["conversation"])) == 400
    assert shared.status("POST", "/assets/create?unique=true", shared.seed(ASSET)) == 400
    assert shared.status("POST", "/tags/create?unique=true", {"text": 5}) == 400
    without = started(settings=Settings(extensions=False))
    made = [without.post("/tags/create?unique=true", {"text": "a"})["id"] for _ in range(2)]
    assert len(set(made)) == 2
    assert without.status("POST", "/tags/create_many", {"seeds": []}) == 404
