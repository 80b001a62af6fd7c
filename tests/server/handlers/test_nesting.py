"""A body is refused beyond 100 levels; deeper documents of older databases leave everything else readable."""

import json

import pytest

import pieces_orm
from pieces_orm.server import Server
from pieces_orm.server.storage.store import Store
from pieces_orm.wire.kinds import KINDS
from tests.server.support import Wire, ids


def nested(levels):
    value = []
    for _ in range(levels - 1):
        value = [value]
    return value


def refused(answer):
    return answer.status_code == 400 and "at most 100 levels" in answer.text


MADE = [kind for kind in KINDS.values() if "create" in kind.routes]


@pytest.mark.parametrize("kind", MADE, ids=lambda kind: kind.name)
def test_a_seed_and_an_update_are_taken_to_100_levels_and_not_beyond(shared, kind):
    path, seed = kind.route("create").path, shared.seed(kind)
    for levels in (101, 300, 5_000):
        body = json.dumps(seed)[:-1] + f', "deep": {"[" * (levels - 1)}{"]" * (levels - 1)}}}'
        assert refused(shared.http.post(shared.server.url + path, data=body.encode())), levels
    made = shared.post(path, {**seed, "deep": nested(99)})
    made = made["iterable"][0] if kind.name == "share" else made
    assert shared.ask("POST", kind.route("update").path, {**made, "deep": nested(95)}).ok
    assert refused(shared.ask("POST", kind.route("update").path, {**made, "deep": nested(100)}))


def test_nothing_deeper_comes_in_by_another_way(shared):
    asset = shared.make_asset("x")
    format = asset["original"]["reference"]
    seed = shared.asset_seed({"string": {"raw": "x"}, "deep": nested(110)})
    bodies = [
        ("/assets/create", seed),
        ("/assets/draft", seed),
        ("/assets/create", shared.asset_seed({"string": {"raw": "x"}}, tags=[{"text": "t", "deep": nested(110)}])),
        ("/format/update/value", {**format, "fragment": {"string": {"raw": "y"}, "deep": nested(110)}}),
        ("/assets/search", {"query": "x", "filters": nested(110)}),
    ]
    assert [path for path, body in bodies if not refused(shared.ask("POST", path, body))] == []


def test_contents_that_are_deeply_nested_json_are_a_text_like_any_other(shared):
    for text in ("[" * 5_000 + "]" * 5_000, '{"a":' * 5_000, json.dumps(nested(900))):
        made = shared.make_asset(text)
        assert made["original"]["reference"]["fragment"]["string"]["raw"] == text


@pytest.fixture(scope="module")
def deep(tmp_path_factory):
    """A server on a database that an older one has written: of each kind one material has 960 levels."""
    path = tmp_path_factory.mktemp("older") / "pieces.db"
    with Server(path) as server:
        wire = Wire(server)
        made = {kind.name: (kind, wire.make(kind)["id"]) for kind in MADE}
        others = wire.make_asset("tide", name="other", tags=[{"text": "neap"}])
        formats = ids(wire.read(KINDS["asset"], made["asset"][1])["formats"])
    made["format"] = (KINDS["format"], formats[0])
    store = Store(path)
    store.open(lambda _: None)
    with store.write() as writer:
        for kind, id in made.values():
            own = writer.row(kind.name, id).document[:-1]
            writer.update(kind.name, id, f'{own}{"," * (own != "{")}"deep": {"[" * 959}{"]" * 959}}}')
    store.close()
    with Server(path) as server:
        yield Wire(server), made, others


def test_lists_searches_and_drafts_go_on_beside_older_documents_of_many_levels(deep):
    wire, made, others = deep
    answers = [wire.http.get(wire.server.url + kind.route("all").path) for kind, _ in made.values()]
    answers += [wire.http.get(wire.server.url + path) for path in (
        "/assets?transferables=false", "/assets?created_from=2020-01-01", "/assets/search?query=tide",
        "/assets/search?query=tidd", "/search/neural_code?query=tide", "/assets/search?searchable_tags=neap",
        "/activities?transferables=false", "/annotations?annotation_type_filter=COMMENT", "/assets/identifiers",
    )]  # fmt: skip
    engines = {"engines": {"iterable": [{"query": "tide"}]}}
    posts = [(kind.route("search").path, engines) for kind, _ in made.values() if "search" in kind.routes]
    posts += [
        ("/assets/search", {"filters": {"iterable": [each]}})
        for each in ({"tags": ["neap"]}, {"phrase": {"value": "tide"}}, {"classification": "py"})
    ]
    posts.append(("/assets/draft", wire.asset_seed({"string": {"raw": "neap tide"}})))
    answers += [wire.http.post(wire.server.url + path, json=body) for path, body in posts]
    assert [(answer.request.url, answer.text) for answer in answers if answer.status_code != 200] == []
    assert [others["id"] in answer.text for answer in answers[-4:-1]] == [True, True, False]


def test_a_session_lists_older_documents_of_many_levels(deep):
    wire, made, others = deep
    with pieces_orm.connect(wire.server.url) as session:
        assert {asset.id for asset in session.assets.all()} == {others["id"], *session.assets.ids()}
        assert session.tags.ref(made["tag"][1]) in session.tags.all()
        assert others["id"] in {hit.asset.id for hit in session.assets.search("tide")}


def test_an_older_document_of_many_levels_is_read_changed_and_kept(deep):
    wire, made, _ = deep
    _, id = made["tag"]
    text = wire.http.get(f"{wire.server.url}/tag/{id}").text
    assert "[" * 959 in text
    assert wire.http.post(f"{wire.server.url}/tag/{id}/scores/increment", json={"tag": {"reuse": True}}).ok
    assert "[" * 959 in wire.http.get(f"{wire.server.url}/tag/{id}").text
    asset = made["asset"][1]
    assert wire.http.post(f"{wire.server.url}/tag/{id}/assets/associate/{asset}").ok
    assert asset in wire.http.get(f"{wire.server.url}/tag/{id}").text
