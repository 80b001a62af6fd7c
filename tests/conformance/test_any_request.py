"""Requests drawn from the contract's schemas, well-formed and spoiled, at every material operation: the server neither
breaks, nor answers what the contract does not have.
"""

from __future__ import annotations

import json
import re
import uuid
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from pieces_orm.server import Server
from pieces_orm.wire.kinds import KINDS
from tests.server.support import Wire, validator

from .test_lossless import SCHEMAS, TEXTS, objects
from .test_operations import ASKS_A_MODEL, OPERATIONS, PATHS, schema_of

ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats(allow_nan=False, allow_infinity=False) | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=6,
)
ODD_IDS = st.sampled_from(["no-such-id", "%", "a b", "'; drop table material", "*", "\u00e9", "0", "." * 300])
QUERIES = st.sampled_from(["true", "false", "", "maybe", "-1", "10", "tide", '"', "NEAR(", "a OR b", "*", "%", "\x00"])
NAMES = sorted(OPERATIONS.keys() - ASKS_A_MODEL)


@pytest.fixture(scope="module")
def wire():
    with Server() as server:
        wire = Wire(server)
        wire.connect()
        yield wire


@st.composite
def spoiled(draw, schema):
    """A body of a schema with one of its parts, at any depth, replaced by anything."""
    body = draw(objects(SCHEMAS[schema], 2))
    inner = body
    for _ in range(draw(st.integers(0, 3))):
        deeper = [each for each in inner.values() if isinstance(each, dict) and each] if isinstance(inner, dict) else []
        inner = draw(st.sampled_from(deeper)) if deeper else inner
    if inner:
        inner[draw(st.sampled_from(sorted(inner)))] = draw(ANYTHING)
    return body


def bodies(schema):
    if not schema:
        return st.none()
    return objects(SCHEMAS[schema], 2) | spoiled(schema) | ANYTHING


PARAMETERS = {kind.parameter: kind for kind in KINDS.values()} | {kind.name: kind for kind in KINDS.values()}


def there(wire, name):
    """The id of a material that is there, of the kind that a parameter of a path is about."""
    kind = PARAMETERS.get(name)
    return str(uuid.uuid4()) if kind is None else wire.make(kind)["id"]


def kind_of(path):
    """The kind that a path begins with."""
    first = path.split("/")[1]
    return next((kind for kind in KINDS.values() if first in (kind.singular, kind.plural)), None)


def ask_anything(wire, name, examples):
    _, operation = OPERATIONS[name]
    described = PATHS[operation["path"]][operation["method"].lower()]
    names = [each["name"] for each in described.get("parameters", []) if each.get("in") == "query"]
    queries = st.dictionaries(st.sampled_from([*names, "x"]), QUERIES, max_size=2)

    @settings(max_examples=examples, suppress_health_check=list(HealthCheck))
    @given(bodies(schema_of(operation)), st.just(None) | ODD_IDS, queries)
    @example(None, None, {})
    def check(body, odd, query):
        # None: of materials that are there, so that the operation is really done.
        path = re.sub(r"{(\w+)}", lambda found: quote(odd or there(wire, found[1]), safe=""), operation["path"])
        kind = kind_of(operation["path"])
        if isinstance(body, dict) and "id" in body and kind is not None and odd is None:
            body["id"] = there(wire, kind.name)
        answer = wire.http.request(operation["method"], wire.server.url + path, json=body, params=query, timeout=20)
        # Writes to what is not there are a 500, whatever the contract lists; then a sentence says what is missing.
        assert answer.text != "Internal Server Error", (path, query, json.dumps(body))
        documented = str(answer.status_code) in described["responses"] or re.search(
            "There is no|not there", answer.text
        )
        assert answer.status_code < 500 or documented, answer.text
        if answer.ok:
            check_answer(described, answer)

    check()
    assert wire.ask("GET", "/.well-known/health").ok


def check_answer(described, answer):
    """An answer is what the contract says, but for enum members of later, which a client may store."""
    content = described["responses"][str(answer.status_code)].get("content", {})
    schema = content.get("application/json", {}).get("schema", {}).get("$ref", "").rpartition("/")[2]
    if schema:
        errors = [each for each in validator(schema).iter_errors(answer.json()) if each.validator != "enum"]
        assert errors == [], f"{schema}: {errors[0].json_path}: {errors[0].message[:300]}"
    else:
        assert answer.status_code == 204 or "text/plain" in content


@pytest.mark.parametrize("name", NAMES)
def test_no_request_breaks_the_server_or_gets_an_answer_that_the_contract_does_not_have(wire, name):
    ask_anything(wire, name, 3)


@pytest.mark.soak
@pytest.mark.parametrize("name", NAMES)
def test_no_request_of_many_breaks_the_server_or_gets_an_answer_that_the_contract_does_not_have(wire, name):
    ask_anything(wire, name, 60)
