"""Texts that are hard for whatever looks at texts: pumped for its patterns, with many diacritics, deeply nested."""

from __future__ import annotations

import time
from random import Random

from tests.meta.patterns import patterns
from tests.meta.pumps import pumps
from tests.server.support import Wire

from . import Attack
from .target import Target

_CHARS = 20_000
_WITHIN_S = 4.0
# Slow in other ways than by a pattern: sorting diacritics, long words, JSON, escapes.
_OTHERS = [
    ("a", "\u0316\u0300"), ("a", "\u0300"), ("", "\ufdfa"), ("", "\u03a3\u00ad"), ("", "\u1100\u1161"), ("", "["),
    ("", '{"a":'), ("", "a"), ("", "%"), ("", "%41"), ("", "a,"), ("", '"'), ("", "\\"), ("", "\u0130"), ("", "https://"),
    ("", "https://a"), ("", "\r"), ("", "\u2028"), ("", "`"), ("", "#"), ("", "/"), ("", "."), ("(a:", "bbb:"),
    ("(", "2001:db8:85a3::8a2e:370:7334, "),
]  # fmt: skip


def _strike(target: Target, chance: Random, inputs: int) -> int:
    wire = Wire(target)  # type: ignore[arg-type]  # it asks for the address alone
    wire.connect()
    known = [*_OTHERS, *sorted({pump for each in patterns() for pump in pumps(each.pattern, each.flags)})]
    wire.make_asset("def tide(hour):\n    return hour")
    for _ in range(inputs):
        first, repeated = chance.choice(_OTHERS if chance.random() < 0.3 else known)
        text = (first + repeated * (_CHARS // len(repeated) + 1))[:_CHARS] + chance.choice(["", "\0", "x", "\n"])
        begun = time.monotonic()
        _send(wire, chance, text)
        taken = time.monotonic() - begun
        assert taken < _WITHIN_S, (taken, first, repeated)
    return inputs


def _send(wire: Wire, chance: Random, text: str) -> None:
    """Send a text in one of the places where the server looks at it."""
    seed = wire.asset_seed({"string": {"raw": text}})
    named = wire.asset_seed({"string": {"raw": "x"}})
    named["asset"]["metadata"] = {"name": text, "tags": [{"text": text}], "websites": [{"url": text, "name": text}]}
    short = text[:2000]
    filters = {"iterable": [{"phrase": {"value": text}}]}
    places = [
        ("POST", "/assets/create", seed, {}),
        ("POST", "/assets/draft", seed, {}),
        ("POST", "/assets/create", named, {}),
        ("POST", "/assets/search", {"query": text}, {}),
        ("POST", "/assets/search", {"filters": filters}, {}),
        ("GET", "/assets/search", None, {"query": short}),
        ("GET", "/search/neural_code", None, {"query": short}),
        ("GET", "/assets/search", None, {"searchable_tags": short}),
        ("GET", "/assets", None, {"created_from": short}),
        ("POST", "/tags/search", {"engines": {"iterable": [{"query": {"value": text}}]}}, {}),
    ]
    method, path, body, query = chance.choice(places)
    answer = wire.http.request(method, wire.server.url + path, json=body, params=query, timeout=20)
    assert answer.status_code < 500 or answer.text.endswith("."), (method, path, answer.status_code, answer.text)


ATTACKS = [
    Attack(
        "Texts pumped for the rules that look at texts, as contents, names, tags and queries",
        "an answer within seconds, and other requests are answered meanwhile",
        _strike,
        inputs=25,
        most=5000,
    ),
]
