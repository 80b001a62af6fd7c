"""Requests of the extensions of the wire: queries, pages and requests for many, drawn by chance and spoiled."""

from __future__ import annotations

import json
import time
from random import Random
from typing import Any

import requests

from pieces_orm.wire.associations import ASSOCIATIONS
from pieces_orm.wire.extensions import (
    FORMS,
    LANGUAGE_KEY,
    PAGE_PARAMETERS,
    associate_many_route,
    create_many_route,
    query_route,
)
from pieces_orm.wire.kinds import KINDS
from tests.server.support import SEEDS, Wire

from . import Attack
from .bodies import spoil
from .target import Target

_KEYS = [
    "name", "text", "url", "score.manual", "pseudo", "id", "created", "created.value", "updated.value", LANGUAGE_KEY,
    "formats", "fragment.string.raw", "a.b.c.d", "$", "$.name", "name'", "x" * 200, "", "name.", "iterable", "0",
]  # fmt: skip
_VALUES = [
    None, True, 0, -1, 1.5, 2**63, -(10**400), 1e308, "", "tide", "\x00", "\u00e9\u0301", "%", "' OR 1=1 --", [], {},
    "2026-01-01T00:00:00Z", "0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59", "soon", "x" * 5000,
]  # fmt: skip
_COUNTS = [0, 1, 3, 99, 101, 899, 901, 3000]
_NUMBERS = ["0", "1", "-1", "1e3", "9" * 9, "9" * 40, "", "x", "\u00b2", "created", "-created", "name"]
_WITHIN_S = 15.0


def _condition(chance: Random, depth: int = 0) -> Any:
    number = chance.randrange(10)
    if number < 4 or depth > 12:
        type = chance.choice([*FORMS, "list", None])
        form = chance.choice([*FORMS.get(type, ()), "like", "is"])
        value = chance.choice(_VALUES)
        if form == "one_of" and chance.random() < 0.8:
            value = [chance.choice(_VALUES[:14])] * chance.choice(_COUNTS)
        return {"key": chance.choice(_KEYS), "type": type, form: value}
    if number < 6:
        relation = chance.choice(["tags", "websites", "formats", "asset", "anchor_points", "overlay", "x", 5, None])
        form = chance.choice(["any", "labels", "empty", "is"])
        many = chance.choice(_COUNTS)
        return {"relation": relation, form: chance.choice([["x"] * many, True, False, [5], None, "x"])}
    if number < 8:
        return {"not": _condition(chance, depth + 1)}
    width = chance.choice([0, 1, 2, 2, 3]) if depth else chance.choice([0, 2, 50, 101])
    return {"any_of": [_condition(chance, depth + (5 if width > 3 else 1)) for _ in range(width)]}


def _query(chance: Random) -> Any:
    order = [
        {"by": chance.choice(_KEYS), "type": chance.choice([*FORMS, None]), "descending": chance.choice([True, False])}
        for _ in range(chance.choice([0, 1, 2, 21]))
    ]
    body: dict[str, Any] = {"where": [_condition(chance) for _ in range(chance.choice([0, 1, 2, 5]))], "order": order}
    body |= {"limit": chance.choice(_VALUES), "offset": chance.choice(_VALUES)} if chance.random() < 0.3 else {}
    body["answer"] = chance.choice(["identifiers", "documents", "count", "all"])
    return body


class _Attacker:
    def __init__(self, target: Target, chance: Random) -> None:
        self._target, self._chance = target, chance
        self._wire = Wire(target)  # type: ignore[arg-type]  # it asks for the address alone
        self._http = requests.Session()
        self._http.trust_env = False
        self._ids = [self._wire.make_asset("x = 1", tags=[{"text": "tide"}])["id"], "none", "", "\x00", "x" * 400]

    def strike(self) -> None:
        """Send one request of an extension; the answer is one, or a sentence that says why there is none."""
        chance, kind = self._chance, self._chance.choice(list(KINDS.values()))
        params = {name: chance.choice(_NUMBERS) for name in PAGE_PARAMETERS if chance.random() < 0.5}
        form = chance.randrange(6)
        if form == 0:
            self._send(
                "GET", kind.route(chance.choice(["all", "ids"] if "ids" in kind.routes else ["all"])).path, params
            )
        elif form < 4:
            self._send("POST", query_route(kind).path, {}, _query(chance))
        elif form == 4 and "create" in kind.routes:
            seeds = [SEEDS[kind.name](self._wire) for _ in range(chance.choice([0, 1, 3]))]
            body: dict[str, Any] = json.loads(json.dumps({"seeds": seeds * chance.choice([1, 1, 1, 170])}))
            for _ in range(chance.randint(0, 3)):
                spoil(chance, body)
            self._send("POST", create_many_route(kind).path, {"unique": chance.choice(["true", "false", "x"])}, body)
        else:
            row = chance.choice(ASSOCIATIONS)
            pairs = [[chance.choice(self._ids), chance.choice(self._ids)] for _ in range(chance.choice([0, 1, 5, 501]))]
            body = {"relation": chance.choice([row.relation, "formats", ""]), "pairs": pairs}
            if chance.random() < 0.3:
                spoil(chance, body)
            self._send("POST", associate_many_route(row.owner, present=chance.random() < 0.6).path, {}, body)

    def _send(self, method: str, path: str, params: dict[str, str], body: Any = None) -> None:
        data, begun = None if body is None else json.dumps(body).encode(), time.monotonic()
        answer = self._http.request(method, self._target.url + path, data=data, params=params, timeout=30)
        about = (method, path, params, (data or b"")[:2000])
        assert answer.status_code in {200, 400, 404, 405, 413}, (answer.status_code, answer.text[:300], about)
        assert answer.status_code == 200 or answer.text.endswith("."), (answer.text, about)
        assert time.monotonic() - begun < _WITHIN_S or not path.endswith("/query"), about
        for result in answer.json().get("results", ()) if answer.status_code == 200 else ():
            error = (result or {}).get("error")
            assert error is None or (400 <= error["status"] <= 500 and error["message"].endswith(".")), (error, about)


def _strike(target: Target, chance: Random, inputs: int) -> int:
    attacker = _Attacker(target, chance)
    for _ in range(inputs):
        attacker.strike()
    return inputs


ATTACKS = [
    Attack(
        "Queries, pages and requests for many, drawn from the extensions of the wire",
        "an answer within seconds, or a status with a sentence; never an internal error",
        _strike,
        inputs=60,
        most=5_000,
    ),
]
