"""Requests drawn from the contract: well-formed, spoiled at any depth, and about odd ids."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Callable
from functools import partial
from random import Random
from typing import Any
from urllib.parse import quote

import requests

from pieces_orm.wire.kinds import KINDS, Kind
from tests.server.support import SEEDS, Wire, contract

from . import Attack, unpublished
from .target import Target

_MAX_DEPTH = 4
_TEXTS = [
    "",
    "tide",
    "tides",
    "py",
    "\u00e9\u0301",
    "a\nb",
    "\u202egnp",
    "\x00",
    "/",
    "..",
    "'; drop table material",
    "x" * 3000,
]
_ODD = [
    None, True, False, 0, -1, 1, 2**31, -(2**63), 2**64, 1e308, 0.1, [], {}, [[]], [None], [{}], {"": None},
    {"id": None}, {"id": ""}, {"id": []}, {"id": {}}, {"iterable": None}, {"iterable": {}}, {"iterable": [None]},
    {"iterable": ["x"]}, {"iterable": [{"id": 1}]}, {"value": "yesterday"}, {"value": 1}, {"raw": []}, *_TEXTS,
]  # fmt: skip
_ODD_IDS = ["no-such-id", "%", "a b", "*", "\u00e9", "0", "." * 300, "null", "{}", "x/y", "\u202e"]
_QUERIES = ["true", "false", "", "maybe", "-1", "10", "1e9", "tide", '"', "NEAR(", "a OR b", "*", "%", "9" * 50]
_MEMBERS = {kind.parameter: kind for kind in KINDS.values()} | {kind.name: kind for kind in KINDS.values()}
_ENDS = dict(unpublished.ends())
# Statuses that a sentence must come with, besides those of the 400 range.
_REFUSED = {500, 501, 503}


def _operations() -> list[tuple[str, str, dict[str, Any]]]:
    published = [
        (method, path, operation)
        for path, methods in contract()["paths"].items()
        for method, operation in methods.items()
        if method in {"get", "post", "put", "delete"}
    ]
    return sorted([*published, *unpublished.operations()], key=lambda each: each[:2])


def _odd(chance: Random) -> Any:
    # A copy, as it may be spoiled further.
    return copy.deepcopy(chance.choice(_ODD))


def _resolved(spec: dict[str, Any]) -> dict[str, Any]:
    while "$ref" in spec or "allOf" in spec:
        spec = spec["allOf"][0] if "allOf" in spec else contract()["components"]["schemas"][spec["$ref"].split("/")[-1]]
    return spec


def _value(chance: Random, spec: dict[str, Any], depth: int) -> Any:
    """Draw a value of a schema; now and then an odd one instead."""
    if chance.random() < 0.04:
        return _odd(chance)
    spec = _resolved(spec)
    type = spec.get("type")
    type = next(each for each in type if each != "null") if isinstance(type, list) else type
    if "enum" in spec:
        return chance.choice([*spec["enum"], "A_MEMBER_OF_LATER"])
    if type == "array":
        return [_value(chance, spec["items"], depth - 1) for _ in range(chance.randint(0, 2) if depth > 0 else 0)]
    simple: dict[Any, Callable[[], Any]] = {
        "string": lambda: chance.choice(_TEXTS), "boolean": lambda: chance.random() < 0.5,
        "integer": lambda: chance.randint(-3, 300), "number": lambda: chance.uniform(-1, 2),
    }  # fmt: skip
    if type in simple:
        return simple[type]()
    return _object(chance, spec, depth)


def _object(chance: Random, spec: dict[str, Any], depth: int) -> dict[str, Any]:
    required, parts = set(spec.get("required", ())), spec.get("properties", {})
    wanted = [name for name in parts if name in required or (depth > 0 and chance.random() < 0.4)]
    drawn = {name: _value(chance, parts[name], depth - 1) for name in wanted if depth > -3}
    if chance.random() < 0.1:
        drawn["added_later"] = _odd(chance)
    if drawn and chance.random() < 0.1:
        del drawn[chance.choice(sorted(drawn))]
    return drawn


def spoil(chance: Random, body: Any) -> None:
    """Replace one part of a body, at any depth, by something odd."""
    inner = body
    while isinstance(inner, dict | list) and inner:
        keys = sorted(inner) if isinstance(inner, dict) else range(len(inner))
        key = chance.choice(keys)
        if not isinstance(inner[key], dict | list) or not inner[key] or chance.random() < 0.3:
            inner[key] = _odd(chance)
            return
        inner = inner[key]


class _Attacker:
    """Draws requests to one server, and checks the answers."""

    def __init__(self, target: Target, chance: Random) -> None:
        self.target, self.chance = target, chance
        self.http = requests.Session()
        self.wire = Wire(target)  # type: ignore[arg-type]  # it asks for the address alone
        self.wire.connect()
        self.ids: dict[str, list[str]] = {}

    def id(self, kind: Kind | None) -> str:
        """Draw the id of a material that was made here, or an odd one."""
        if kind is None or self.chance.random() < 0.15:
            return self.chance.choice(_ODD_IDS)
        known = self.ids.setdefault(kind.name, [])
        if len(known) < 3 or self.chance.random() < 0.02:
            known.append(self.wire.make(kind)["id"])
        return self.chance.choice(known[-3:])

    def check(self, method: str, path: str, *, body: Any = None, query: dict[str, str] | None = None) -> None:
        """Send one request; the answer is one, or a sentence that says why there is none."""
        filled = re.sub(r"{(\w+)}", lambda found: quote(self.id(_kind_of(path, found[1])), safe=""), path)
        data = None if body is None else json.dumps(body).encode()
        answer = self.http.request(method, self.target.url + filled, data=data, params=query, timeout=20)
        about = (method, filled, query, data)
        assert answer.text != "Internal Server Error", about
        assert answer.status_code < 500 or answer.status_code in _REFUSED, (answer.status_code, about)
        if answer.status_code >= 400:
            assert answer.text.rstrip().endswith(".") or answer.status_code == 426, (answer.text, about)
        elif "json" in answer.headers.get("content-type", ""):
            answer.json()


def _kind_of(path: str, parameter: str) -> Kind | None:
    kind = _ENDS.get((path, parameter)) or _MEMBERS.get(parameter)
    return kind if kind in KINDS.values() else None


def _schema(operation: dict[str, Any]) -> dict[str, Any]:
    content = operation.get("requestBody", {}).get("content", {})
    return content.get("application/json", {}).get("schema", {})


def _strike(method_is: Callable[[str], bool], target: Target, chance: Random, inputs: int) -> int:
    attacker = _Attacker(target, chance)
    operations = [each for each in _operations() if method_is(each[0])]
    for _ in range(inputs):
        method, path, operation = chance.choice(operations)
        schema = _schema(operation)
        body = _value(chance, schema, _MAX_DEPTH) if schema else chance.choice([None, None, {}, [], ""])
        if chance.random() < 0.3:
            spoil(chance, body)
        names = [each["name"] for each in operation.get("parameters", []) if each.get("in") == "query"]
        query = {name: chance.choice(_QUERIES) for name in [*names, "x"] if chance.random() < 0.3}
        attacker.check(method.upper(), path, body=body, query=query)
    return inputs


def _strike_seeds(target: Target, chance: Random, inputs: int) -> int:
    """Spoil seeds that would be taken as they are."""
    attacker = _Attacker(target, chance)
    for _ in range(inputs):
        kind = chance.choice(sorted(SEEDS))
        seed = json.loads(json.dumps(SEEDS[kind](attacker.wire)))
        for _ in range(chance.randint(1, 3)):
            spoil(chance, seed)
        attacker.check("POST", KINDS[kind].route("create").path, body=seed)
    return inputs


_OUTCOME = "an answer, or a status with a sentence; never an internal error"

ATTACKS = [
    Attack("Reads drawn from the contract", _OUTCOME, partial(_strike, lambda method: method == "get"), inputs=100),
    Attack("Writes drawn from the contract", _OUTCOME, partial(_strike, lambda method: method != "get"), inputs=150),
    Attack("Seeds with a part replaced", _OUTCOME, _strike_seeds, inputs=50),
]
