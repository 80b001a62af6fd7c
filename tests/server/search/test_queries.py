"""Queries of the server: conditions and orders against the same ones decided in Python, and their limits."""

import json
import random
from datetime import datetime

import pytest

from pieces_orm.server import Server, Settings
from pieces_orm.server.search import limits
from pieces_orm.wire.extensions import FORMS, LANGUAGE_KEY, MAX_CONDITIONS, MAX_DEPTH, MAX_VALUES
from pieces_orm.wire.kinds import ANNOTATION, ASSET, KINDS, SHARE, TAG, WEBSITE
from tests.server.support import Wire, ids, plans

TEXTS = [
    "",
    "a",
    "A",
    "ab",
    "b",
    "ä",
    "é",
    "e\u0301",
    "\uffff",
    "\U0001f30a",
    "a\0",
    "a\0b",
    "\0",
    "100%",
    "a_b",
    "'\"\\",
]
NUMBERS = [0, 1, -1, 1.0, 1.5, 2**53, 2**53 + 1, 2**63 - 1, 2**64, -(2**70), 1e300, True, "1"]
MOMENTS = [
    "2026-01-01T00:00:00Z", "2026-01-01T01:00:00+01:00", "2026-01-01T00:00:00.000001Z", "2025-12-31T23:59:59.999999Z",
    "2026-01-01T00:00:00", "no date", 5,
]  # fmt: skip
KEYS = {"text": ("text", TEXTS), "rank": ("number", NUMBERS), "flag": ("boolean", [True, False, 1, "true"])}
KEYS |= {"when.value": ("moment", MOMENTS), "created.value": ("moment", []), "id": ("text", [])}


def query(wire, kind=TAG, **body):
    answer = wire.ask("POST", f"/{kind.plural}/query", body)
    assert answer.status_code == 200, answer.text
    return answer.json()


def refused(wire, kind=TAG, **body):
    answer = wire.ask("POST", f"/{kind.plural}/query", body)
    assert answer.status_code == 400, (body, answer.status_code, answer.text[:300])
    return answer.text


def of_type(value, type):
    """A value as conditions of a type see it; None where it is of another."""
    classes = {"text": str, "number": (int, float), "boolean": bool, "moment": str}[type]
    if not isinstance(value, classes) or (isinstance(value, bool) and type != "boolean"):
        return None
    if type == "moment":
        try:
            moment = datetime.fromisoformat(value.replace("Z", "+00:00"))
        except ValueError:
            return None
        return moment.timestamp() if moment.tzinfo else datetime.fromisoformat(f"{value}+00:00").timestamp()
    return value


def at(document, path):
    for name in path.split("."):
        document = document.get(name) if isinstance(document, dict) else None
    return document


COMPARE = {
    "is": lambda found, value: found == value,
    "is_not": lambda found, value: found != value,
    "one_of": lambda found, values: found in values,
    "after": lambda found, value: found is not None and found > value,
    "before": lambda found, value: found is not None and found < value,
    "from": lambda found, value: found is not None and found >= value,
    "to": lambda found, value: found is not None and found <= value,
    "contains": lambda found, value: found is not None and value in found,
    "startswith": lambda found, value: found is not None and found.startswith(value),
}


def holds(condition, document):
    """Decide a condition in Python."""
    if "not" in condition:
        return not holds(condition["not"], document)
    if "any_of" in condition:
        return any(holds(each, document) for each in condition["any_of"])
    if "relation" in condition:
        members = document.get(condition["relation"], {}).get("iterable", [])
        if "empty" in condition:
            return condition["empty"] is not bool(members)
        if "any" in condition:
            return any(each["id"] in condition["any"] for each in members)
        return any(URLS[each["id"]] in condition["labels"] for each in members)
    type = condition["type"]
    found = of_type(at(document, condition["key"]), type)
    forms = {form: value for form, value in condition.items() if form not in ("key", "type")}
    wanted = {
        form: [of_type(each, type) for each in value] if form == "one_of" else of_type(value, type)
        for form, value in forms.items()
    }
    return all(COMPARE[form](found, value) for form, value in wanted.items())


def in_order(documents, order):
    found = sorted(documents, key=lambda each: each["id"])
    found.sort(key=lambda each: each["created"]["value"], reverse=True)
    for key in reversed(order):
        values = {each["id"]: of_type(at(each, key["by"]), key["type"]) for each in found}
        there = [each for each in found if values[each["id"]] is not None]
        there.sort(key=lambda each, values=values: values[each["id"]], reverse=key["descending"])
        found = there + [each for each in found if values[each["id"]] is None]
    return found


URLS = {}


@pytest.fixture(scope="module")
def odd():
    """Tags with all kinds of values, some with websites; two of the websites have one url."""
    with Server() as server:
        wire = Wire(server)
        sites = [wire.make(WEBSITE, url=url)["id"] for url in ("https://a", "https://b", "https://b", "https://c\0")]
        URLS.update(zip(sites, ("https://a", "https://b", "https://b", "https://c\0"), strict=True))
        for number in range(40):
            tag = {"text": TEXTS[number % len(TEXTS)]}
            if number % 3:
                tag |= {"rank": NUMBERS[number % len(NUMBERS)], "flag": [True, False, 1, "true", None][number % 5]}
                tag["when"] = {"value": MOMENTS[number % len(MOMENTS)]}
            tag["websites"] = {"iterable": [{"id": id} for place, id in enumerate(sites) if number >> place & 1]}
            wire.make(TAG, **tag)
        wire.documents = wire.get("/tags")["iterable"]
        wire.sites = sites
        yield wire


def key_condition(wire, rng):
    path = rng.choice(sorted(KEYS))
    type, known = KEYS[path]
    known = known or [at(each, path) for each in wire.documents]
    values = [value for value in known if of_type(value, type) is not None]
    values = [value for value in values if type != "number" or abs(value) < 2**63]
    given = {}
    for form in rng.sample(FORMS[type], rng.choice((1, 1, 2))):
        optional = [*values, None] if form in ("is", "is_not", "one_of") else values
        given[form] = rng.choices(optional, k=rng.randrange(5)) if form == "one_of" else rng.choice(optional)
    return {"key": path, "type": type, **given}


def relation_condition(wire, rng):
    some = {"empty": rng.random() < 0.5, "any": rng.choices([*wire.sites, "none"], k=rng.randrange(4))}
    some["labels"] = rng.choices([*URLS.values(), "https://none"], k=rng.randrange(4))
    form = rng.choice(sorted(some))
    return {"relation": "websites", form: some[form]}


def condition(wire, rng, depth=0):
    form = rng.randrange(6 if depth < 3 else 4)
    if form < 3:
        return key_condition(wire, rng)
    if form == 3:
        return relation_condition(wire, rng)
    if form == 4:
        return {"not": condition(wire, rng, depth + 1)}
    return {"any_of": [condition(wire, rng, depth + 1) for _ in range(rng.randrange(4))]}


def test_the_database_decides_and_orders_as_python_does(odd):
    rng, sizes = random.Random(13), set()
    for _ in range(120):
        where = [condition(odd, rng) for _ in range(rng.randrange(3))]
        keys = rng.choices(sorted(KEYS), k=rng.randrange(3))
        order = [{"by": by, "type": KEYS[by][0], "descending": rng.random() < 0.5} for by in keys]
        offset, limit = rng.randrange(3), rng.choice([None, *range(6)])
        expected = in_order([each for each in odd.documents if all(holds(one, each) for one in where)], order)
        expected = [each["id"] for each in expected[offset : None if limit is None else offset + limit]]
        asked = {"where": where, "order": order, "offset": offset, "limit": limit}
        assert ids(query(odd, **asked)) == expected, asked
        sizes.add(len(expected))
    assert query(odd, **asked, answer="count") == {"count": len(expected)}
    assert len(sizes) > 10, "too few of these queries find something"


def test_documents_are_those_of_the_collection(odd):
    assert query(odd, answer="documents", order=[{"by": "created"}]) == odd.get("/tags?order=created")
    for kind in KINDS.values():
        assert ids(query(odd, kind, limit=3, answer="documents")) == ids(query(odd, kind, limit=3))
    asset = odd.make_asset("x = 1\ny = 22")
    for transferables in (False, True):
        answered = query(odd, ASSET, answer="documents", transferables=transferables, limit=1)
        path = f"/assets?transferables={str(transferables).lower()}&limit=1"
        assert answered["iterable"] == odd.get(path)["iterable"]
        assert (asset["id"], "y = 22" in json.dumps(answered)) == (answered["iterable"][0]["id"], transferables)


def test_an_asset_is_found_by_its_language(wire):
    texts = {"py": "def tide(hour: int) -> float:\n    return 2.0 * hour\n", "md": "# Tides\n\n- high\n- low\n"}
    made = {ext: wire.make_asset(text, name=f"a.{ext}") for ext, text in texts.items()}
    key = {"key": LANGUAGE_KEY, "type": "text"}
    assert ids(query(wire, ASSET, where=[key | {"is": "py"}])) == [made["py"]["id"]]
    assert ids(query(wire, ASSET, where=[key | {"is_not": "py"}])) == [made["md"]["id"]]
    assert ids(query(wire, ASSET, where=[key | {"one_of": ["md", None, "go"]}])) == [made["md"]["id"]]
    assert ids(query(wire, ASSET, where=[key | {"startswith": "p"}])) == [made["py"]["id"]]
    assert ids(query(wire, ASSET, where=[key | {"is": None}])) == []
    by = {"by": LANGUAGE_KEY, "type": "text"}
    assert ids(query(wire, ASSET, order=[by])) == [made["md"]["id"], made["py"]["id"]]
    assert ids(query(wire, ASSET, order=[by | {"descending": True}])) == [made["py"]["id"], made["md"]["id"]]
    wire.post("/asset/reclassify", {"ext": "rb", "asset": made["py"]["id"]})
    assert ids(query(wire, ASSET, where=[key | {"is": "rb"}])) == [made["py"]["id"]]
    format = {"relation": "original", "any": [made["md"]["original"]["id"]]}
    assert ids(query(wire, ASSET, where=[format])) == [made["md"]["id"]]


def test_what_is_only_suggested_is_found_when_a_condition_names_it(wire):
    usual, suggested = wire.make_asset("x")["id"], wire.make_asset("y", pseudo=True)["id"]
    assert ids(query(wire, ASSET)) == [usual]
    pseudo = {"key": "pseudo", "type": "boolean"}
    assert ids(query(wire, ASSET, where=[pseudo | {"is": True}])) == [suggested]
    assert ids(query(wire, ASSET, where=[{"not": pseudo | {"is": True}}])) == [usual]


def test_the_one_asset_of_an_annotation_is_the_first(wire):
    first, second = wire.make_asset("x")["id"], wire.make_asset("y")["id"]
    note = wire.make(ANNOTATION, asset=first)["id"]
    other = wire.make(ANNOTATION)["id"]
    wire.post(f"/annotation/{note}/assets/associate/{second}")
    assert ids(query(wire, ANNOTATION, where=[{"relation": "asset", "any": [first]}])) == [note]
    assert ids(query(wire, ANNOTATION, where=[{"relation": "asset", "any": [second]}])) == []
    assert ids(query(wire, ANNOTATION, where=[{"relation": "assets", "any": [second]}])) == [note]
    assert ids(query(wire, ANNOTATION, where=[{"relation": "asset", "empty": True}])) == [other]


def test_shares_have_no_date_of_change(wire):
    share = wire.make(SHARE)["id"]
    updated = {"key": "updated.value", "type": "moment"}
    assert ids(query(wire, SHARE, where=[updated | {"is": None}], order=[{"by": "updated"}])) == [share]
    assert ids(query(wire, SHARE, where=[updated | {"after": "2001-01-01T00:00:00Z"}])) == []


CANNOT = [
    "x", {}, {"foo": 1}, {"key": "text"}, {"key": "text", "type": "text"}, {"key": "text", "type": "list", "is": 1},
    {"key": 5, "type": "text", "is": "a"}, {"key": "", "type": "text", "is": "a"},
    {"key": "$.x", "type": "text", "is": "a"},
    {"key": "a" * 200, "type": "text", "is": "a"}, {"key": "text", "type": "text", "is": 5},
    {"key": "text", "type": "text", "after": None}, {"key": "text", "type": "text", "one_of": "a"},
    {"key": "text", "type": "text", "like": "a"}, {"key": "rank", "type": "number", "is": True},
    {"key": "rank", "type": "number", "contains": 1}, {"key": "flag", "type": "boolean", "after": True},
    {"key": "created.value", "type": "text", "is": "x"}, {"key": "created", "type": "moment", "after": "yesterday"},
    {"key": "websites", "type": "text", "is": "x"}, {"key": "websites.iterable", "type": "text", "is": "x"},
    {"relation": "websites"}, {"relation": 5, "any": []},
    {"relation": "formats", "any": []}, {"relation": "websites", "any": "x"}, {"relation": "websites", "any": [1]},
    {"relation": "websites", "empty": 1}, {"relation": "persons", "labels": ["Ada"]},
    {"relation": "websites", "any": [], "empty": True}, {"any_of": {}}, {"not": None}, {"not": {}, "any_of": []},
]  # fmt: skip


def test_what_cannot_be_decided_is_a_bad_request_that_names_it(odd):
    for each in CANNOT:
        refused(odd, where=[each])
        refused(odd, where=[{"any_of": [{"not": each}]}])
    assert "tides" in refused(odd, where=[{"relation": "tides", "any": []}])
    for order in ([{"by": "rank"}], [{"by": "websites", "type": "text"}], [{"by": "text", "type": "x"}], [{}], "text"):
        refused(odd, order=order)
    for body in ({"limit": -1}, {"offset": 2**63}, {"limit": "1"}, {"answer": "all"}, {"were": []}, {"where": {}}):
        refused(odd, **body)


def nested(depth):
    inner = {"key": "text", "type": "text", "is": "a"}
    for level in range(depth):
        inner = {"not": inner} if level % 2 else {"any_of": [inner]}
    return inner


def test_a_query_has_limits(odd, monkeypatch):
    leaf = {"key": "text", "type": "text", "is": "a"}
    query(odd, where=[nested(MAX_DEPTH)])
    refused(odd, where=[nested(MAX_DEPTH + 1)])
    query(odd, where=[leaf] * MAX_CONDITIONS)
    refused(odd, where=[leaf] * (MAX_CONDITIONS + 1))
    query(odd, where=[{"relation": "websites", "any": ["x"] * MAX_VALUES}])
    refused(odd, where=[{"relation": "websites", "any": ["x"] * MAX_VALUES}, leaf])
    refused(odd, where=[{"key": "text", "type": "text", "one_of": [str(n) for n in range(MAX_VALUES + 1)]}])
    refused(odd, order=[{"by": "id"}] * 21)
    monkeypatch.setattr(limits, "MAX_SECONDS", -1)
    monkeypatch.setattr(limits, "_INSTRUCTIONS_PER_CHECK", 1)
    assert "stopped after" in refused(odd, where=[leaf])


def test_the_newest_that_meet_conditions_are_found_without_sorting_all(odd):
    steps = plans(odd, lambda: query(odd, where=[{"key": "text", "type": "text", "is": "a"}], limit=2))
    assert [step for step in steps if step.startswith("SEARCH material USING INDEX material_created (kind=?)")]
    assert not [step for step in steps if step.startswith("SCAN") or step == "USE TEMP B-TREE FOR ORDER BY"]


def test_a_query_takes_the_place_of_no_route_and_is_none_without_the_extension(started):
    wire = started()
    assert wire.ask("GET", "/assets/query").status_code == 410  # the asset with this id
    answer = wire.ask("GET", "/tags/query")
    assert (answer.status_code, answer.headers["allow"]) == (405, "POST")
    without = started(settings=Settings(extensions=False))
    assert without.status("POST", "/tags/query", {}) == 404
    assert without.status("POST", "/assets/query", {}) == 405
