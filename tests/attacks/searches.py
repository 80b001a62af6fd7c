"""Searches that ask for a lot: many words, filters and engines, long ones, groups in groups."""

from __future__ import annotations

import time
from random import Random
from typing import Any

from tests.server.support import Wire

from . import Attack
from .target import Target

# Of words, filters, letters and so on: none, few, just at a limit and beyond it, very many.
_COUNTS = [0, 1, 5, 60, 100, 101, 200, 201, 500, 501, 3_000]
_WITHIN_S = 12.0


def _word(chance: Random) -> str:
    letters = chance.choice(["abc", "tide", "\u00e9\u0301", "=>", "\u6f6e", "0"])
    return "".join(chance.choice(letters) for _ in range(chance.choice([1, 2, 3, 8, 20, 499, 500, 501, 4_000])))


def _query(chance: Random) -> str:
    return " ".join(_word(chance) for _ in range(chance.choice(_COUNTS[:8])))[:50_000]


def _filter(chance: Random, chars: int) -> dict[str, Any]:
    return chance.choice([
        {"phrase": {"value": _query(chance)[:chars], "title": chance.random() < 0.5}},
        {"tags": [_word(chance)[:chars] for _ in range(chance.choice([1, 5, 60, 101]))]},
        {"classification": _word(chance)[:chars]},
        {"created": {"from": {"value": "2020-01-01T00:00:00Z"}}},
    ])  # fmt: skip


def _group(chance: Random, depth: int) -> dict[str, Any]:
    """Draw a group: one with many filters has short ones."""
    count = chance.choice(_COUNTS[1:] if depth == 0 else _COUNTS[1:4])
    few = [_filter(chance, 20_000 // count + 5) for _ in range(3)]
    items = [chance.choice(few) for _ in range(count)]
    if depth and chance.random() < 0.5:
        items.append({"operations": _group(chance, depth - 1)})
    return {"type": chance.choice(["AND", "OR"]), "iterable": items}


def _search(chance: Random) -> tuple[str, str, Any, dict[str, str]]:
    number = chance.randrange(6)
    if number < 3:
        path = chance.choice(["/assets/search", "/search/full_text", "/search/neural_code"])
        return "GET", path, None, {"query": _query(chance)[:5_000]}
    if number == 3:
        return "GET", "/assets/search", None, {"searchable_tags": _query(chance)[:5_000].replace(" ", ",")}
    if number == 4:
        return "POST", "/assets/search", {"query": _query(chance), "filters": _group(chance, 2)}, {}
    count = chance.choice(_COUNTS)
    engines = {"iterable": [{"query": _query(chance)[: 20_000 // (count + 1) + 5]}] * count}
    return "POST", chance.choice(["/tags/search", "/annotations/search"]), {"engines": engines}, {}


def _strike(target: Target, chance: Random, inputs: int) -> int:
    wire = Wire(target)  # type: ignore[arg-type]  # it asks for the address alone
    for name in ("tide table", "tidal", "ebb"):
        wire.make_asset("the tide of the sea " * 50, name=name, tags=[{"text": name}])
    for _ in range(inputs):
        method, path, body, query = _search(chance)
        begun = time.monotonic()
        answer = wire.http.request(method, wire.server.url + path, json=body, params=query, timeout=30)
        assert answer.status_code in {200, 400} or "needs" in answer.text, (answer.status_code, answer.text)
        assert answer.status_code == 200 or answer.text.endswith("."), answer.text
        assert time.monotonic() - begun < _WITHIN_S, (path, query, body)
    return inputs


ATTACKS = [
    Attack(
        "Searches with many and long words, filters and engines",
        "an answer within seconds, or a 400 that names the limit",
        _strike,
        inputs=15,
        most=20_000,
    ),
]
