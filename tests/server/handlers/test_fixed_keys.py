"""Keys that the server alone sets are never taken from a body, and no document has a key twice."""

import itertools
import json

import pytest

from pieces_orm.server import Settings
from pieces_orm.server.contract import contract
from pieces_orm.server.domain.relations import ends_of, relation_keys
from pieces_orm.wire.kinds import KINDS
from tests.server.support import ids

# None of these is what the server sets.
LIES = {
    "created": {"value": "1999-01-01T00:00:00Z"}, "updated": {"value": "1999-01-01T00:00:00Z"},
    "score": {"manual": 99, "automatic": 99}, "creator": "somebody", "link": "https://x.example", "short": "x",
    "original": {"id": "x"}, "preview": {"base": {"id": "x"}},
}  # fmt: skip
MADE = [kind for kind in KINDS.values() if "create" in kind.routes]


def lies(kind, id):
    """Lies about every key of a kind that the server sets; a message's seed may say when it was written."""
    known = contract().schemas[kind.schema].keys.keys() - (
        {"created"} if kind is KINDS["conversation_message"] else set()
    )
    return {"id": id, **{key: value for key, value in LIES.items() if key in known}}


def document(wire, kind, id):
    """One document as it comes, in which no key is twice."""

    def once(pairs):
        assert len({key for key, _ in pairs}) == len(pairs), pairs
        return dict(pairs)

    path = kind.route("read").path.replace(f"{{{kind.parameter}}}", id)
    return json.loads(wire.ask("GET", path).text, object_pairs_hook=once)


@pytest.mark.parametrize("kind", MADE, ids=lambda kind: kind.name)
def test_a_seed_says_nothing_of_what_the_server_sets(shared, kind):
    victim = shared.make(kind)["id"]
    seed = shared.seed(kind)
    if kind.name == "asset":
        members = {"tags": {"iterable": [{"id": "x"}]}, "formats": {"iterable": []}, "shares": {"iterable": []}}
        seed["asset"] |= lies(kind, victim) | members
        seed["asset"]["metadata"] |= lies(kind, victim) | {"conversations": {"iterable": []}}
        seed["asset"]["format"] |= lies(kind, victim) | {"asset": {"id": victim}, "activities": {"iterable": []}}
    made = shared.post(kind.route("create").path, {**seed, **lies(kind, victim)})
    made = made["iterable"][0] if kind.name == "share" else made
    found = document(shared, kind, made["id"])
    assert found["id"] == made["id"] != victim
    assert found["created"]["value"] > "2020"
    assert found.get("updated", found["created"])["value"] > "2020"
    assert not found.get("score")
    assert found.get("creator") != "somebody"
    assert found.get("short") != "x"
    assert document(shared, kind, victim)["id"] == victim


@pytest.mark.parametrize("kind", MADE, ids=lambda kind: kind.name)
def test_an_update_says_nothing_of_what_the_server_sets(shared, kind):
    made = shared.make(kind)
    if kind.score:
        shared.post(
            kind.route("score").path.replace(f"{{{kind.parameter}}}", made["id"]), {kind.score: {"reuse": True}}
        )
    before = document(shared, kind, made["id"])
    shared.post(kind.route("update").path, {**before, **lies(kind, made["id"])})
    after = document(shared, kind, made["id"])
    fixed = LIES.keys() - {"updated"} | {"id"}
    assert {key: after.get(key) for key in fixed} == {key: before.get(key) for key in fixed}
    assert after.get("updated", after["created"])["value"] > "2020"


def test_a_nested_seed_gets_an_id_and_times_of_its_own(shared):
    victim = shared.make(KINDS["tag"], text="victim")["id"]
    application = shared.seed(KINDS["asset"])["asset"]["application"]
    tag = {"text": "neap", "created": LIES["created"], "score": LIES["score"]}
    asset = shared.make_asset("x", tags=[tag], websites=[{"url": "https://a.example", "name": "a", **LIES}])
    made = shared.read(KINDS["tag"], ids(asset["tags"])[0])
    assert made["id"] != victim
    assert made["created"]["value"] > "2020"
    assert "score" not in made
    event = {"application": application, "trigger": {}, "tags": {"iterable": [{"reference": tag}, {"id": victim}]}}
    assert victim in ids(shared.post("/workstream_events/create", event)["tags"])


ODD = [5, True, "", {}, [], {"iterable": 5}, {"iterable": None}, {"iterable": [5]}, {"iterable": [None]}, {"id": 5}]
ODD += [{"id": None}, {"id": ""}, {"reference": 5}, {"reference": {"id": []}}, {"iterable": [{"id": ["x"]}]}]
SINGLE = [(kind, end) for kind in MADE for end in ends_of(kind) if not end.many]
MANY = [
    (kind, end) for kind in MADE for end in ends_of(kind) if end.many and len(end.key) == 1 and kind.name != "asset"
]


def test_a_relation_key_of_another_type_is_refused(shared):
    seeds = {kind.name: shared.seed(kind) for kind in MADE}
    made = {kind.name: len(shared.get(kind.route("all").path)["iterable"]) for kind in MADE}
    odd = itertools.cycle(ODD)
    for kind, end in [*SINGLE, *MANY]:
        for value in itertools.islice(odd, 2):
            if end.many and value in ([], {}):
                continue  # none of them; the seed of one that needs nothing
            answer = shared.ask("POST", kind.route("create").path, {**seeds[kind.name], end.key[0]: value})
            assert (answer.status_code, answer.text[-1:]) == (400, "."), (kind, end.key, value, answer.text)
    assert {kind.name: len(shared.get(kind.route("all").path)["iterable"]) for kind in MADE} == made


def test_an_update_refuses_a_relation_key_of_another_type(shared):
    odd = itertools.cycle([5, True, [], ["x"]])
    for kind in MADE:
        made = shared.make(kind)
        for key in relation_keys(kind):
            answer = shared.ask("POST", kind.route("update").path, {**made, key: next(odd)})
            assert (answer.status_code, answer.text[-1:]) == (400, "."), (kind, key)


@pytest.mark.parametrize("missing", ["error", "ignore"])
def test_nothing_is_made_without_the_owner_it_needs(started, missing):
    wire = started(settings=Settings(associate_missing=missing))
    for kind, key in (("conversation_message", "conversation"), ("anchor_point", "anchor"), ("sensitive", "asset")):
        seed, other = wire.seed(KINDS[kind]), wire.seed(KINDS[kind])
        path = KINDS[kind].route("create").path
        count = len(wire.get(KINDS[kind].route("all").path)["iterable"])
        two = [each if isinstance(each, dict) else {"id": each} for each in (seed[key], other[key])]
        for owners in ({"iterable": []}, {"iterable": two}, {"iterable": [None]}, {"id": None}, None):
            assert wire.status("POST", path, {**seed, key: owners}) == 400, (kind, owners)
        assert wire.status("POST", path, {**seed, key: {"id": "nobody"}}) == 500
        assert len(wire.get(KINDS[kind].route("all").path)["iterable"]) == count
