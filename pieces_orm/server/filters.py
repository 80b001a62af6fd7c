"""Search filters: each says something about an asset, and they combine by AND or OR."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from attrs import field, frozen

from pieces_orm.endpoints import ANNOTATION, ASSET, FORMAT, PERSON, TAG, WEBSITE

from . import search_index
from .answers import RefusedError, part
from .joints import End, ends_of
from .materials import own_keys
from .reader import Reader, Row
from .search_index import plain
from .times import normal


@frozen
class Facts:
    """What filters ask of one asset."""

    row: Row
    language: str = ""
    names: Mapping[str, frozenset[str]] = field(factory=dict)
    annotations: Sequence[tuple[str, str]] = ()
    title: str = ""
    content: str = ""


Test = Callable[[Facts], bool]


@frozen
class Filters:
    """A filter tree as one test; without filters everything passes."""

    test: Test | None

    def __bool__(self) -> bool:
        return self.test is not None

    @classmethod
    def of(cls, value: Any, *, casing: bool) -> Filters:
        """The filters of a search body; `casing` makes phrases mind upper and lower case."""
        if value is None or (isinstance(value, Mapping) and value.get("iterable") == []):
            return cls(None)
        return cls(_group(value, casing=casing, depth=0))

    def passing(self, reader: Reader, ids: Sequence[str]) -> set[str]:
        """The ids of those assets that pass."""
        if self.test is None:
            return set(ids)
        return {facts.row.id for facts in _facts(reader, ids) if self.test(facts)}


_KEYS = ("classification", "tags", "websites", "persons", "created", "updated", "phrase", "operations")
# Filters within filters; each level calls the next.
_DEEPEST = 50


def _group(value: Any, *, casing: bool, depth: int) -> Test:
    items = value.get("iterable") if isinstance(value, Mapping) else None
    if not isinstance(items, list) or not items or depth > _DEEPEST:
        sentence = f"Filters have to be {{iterable: [filter, ...]}}, at most {_DEEPEST} of these within each other."
        raise RefusedError(400, sentence)
    tests = [_one(item, casing=casing, depth=depth) for item in items]
    combine = any if value.get("type") == "OR" else all
    return lambda facts: combine(test(facts) for test in tests)


def _one(item: Any, *, casing: bool, depth: int) -> Test:
    """One filter: everything that it says has to be true; what it says of nothing would let everything pass."""
    said = {name: item[name] for name in item if item[name] is not None} if isinstance(item, Mapping) else {}
    said.pop("schema", None)
    unknown = [str(name) for name in said if name not in _KEYS]
    if not said or unknown:
        raise RefusedError(400, f"A filter has to be a JSON object with one or more of {', '.join(_KEYS)}.")
    tests: list[Test] = []
    if "classification" in said:
        tests.append(lambda facts: facts.language == said["classification"])
    tests += [_names(name, said[name]) for name in ("tags", "websites", "persons") if name in said]
    tests += [_when(name, said[name]) for name in ("created", "updated") if name in said]
    if "phrase" in said:
        tests.append(_phrase(said["phrase"], casing=casing))
    if "operations" in said:
        tests.append(_group(said["operations"], casing=casing, depth=depth + 1))
    return lambda facts: all(test(facts) for test in tests)


def _names(name: str, wanted: Any) -> Test:
    """All of these, each by id or by text."""
    asked = {plain(one) for one in wanted if isinstance(one, str)} if isinstance(wanted, list) else set()
    if not asked or len(asked) > len(wanted) or not all(isinstance(one, str) for one in wanted):
        raise RefusedError(400, f"A filter on {name} has to be a list of texts, at least one.")
    return lambda facts: asked <= facts.names.get(name, frozenset())


def _when(name: str, value: Any) -> Test:
    """Within bounds, which are part of it."""
    given = {end: part({"": value}, "").get(end) for end in ("from", "to")}
    bounds = {end: normal(part(given, end).get("value")) for end in ("from", "to")}
    if not any(bounds.values()) or any(given[end] is not None and not bounds[end] for end in given):
        raise RefusedError(400, f"A filter on {name} needs from or to, each with a timestamp as value.")

    def test(facts: Facts) -> bool:
        moment: str = getattr(facts.row, name)
        return moment >= bounds["from"] and (not bounds["to"] or moment <= bounds["to"])

    return test


def _phrase(value: Any, *, casing: bool) -> Test:
    """A text in the title, the content or an annotation; without saying where, in any of them."""
    if not isinstance(value, Mapping) or not isinstance(value.get("value"), str):
        raise RefusedError(400, "A filter's phrase has to be a JSON object with a text as value.")
    text: str = value["value"]
    anywhere = not any(value.get(name) for name in ("title", "content", "annotation"))
    kind = part(value, "options").get("annotation")

    def test(facts: Facts) -> bool:
        looked_at = [
            said for name, said in (("title", facts.title), ("content", facts.content)) if anywhere or value.get(name)
        ]
        if anywhere or value.get("annotation"):
            looked_at += [said for type, said in facts.annotations if kind in {None, type}]
        return any(text in said if casing else plain(text) in plain(said) for said in looked_at)

    return test


def _facts(reader: Reader, ids: Sequence[str]) -> list[Facts]:
    """What filters may ask of these assets, in a few queries."""
    rows = reader.rows(ASSET.name, ids)
    columns = search_index.columns_of(reader, rows)
    ends: dict[tuple[str, str], End] = {(end.joint.name, end.side): end for end in ends_of(ASSET)}
    linked: dict[str, dict[str, list[str]]] = {row.id: {} for row in rows}
    others: dict[str, set[str]] = {}
    for relation, side, asset, other in reader.edges(ASSET.name, ids):
        end = ends.get((relation, side))
        if end is not None:
            linked[asset].setdefault(end.other.name, []).append(other)
            others.setdefault(end.other.name, set()).add(other)
    own = {
        kind.name: {row.id: own_keys(row) for row in reader.rows(kind.name, sorted(others.get(kind.name, ())))}
        for kind in (TAG, WEBSITE, PERSON, ANNOTATION, FORMAT)
    }
    return [_facts_of(row, columns.get(row.id, {}), linked[row.id], own) for row in rows]


def _facts_of(
    row: Row,
    columns: Mapping[str, str],
    linked: Mapping[str, Sequence[str]],
    own: Mapping[str, Mapping[str, Mapping[str, Any]]],
) -> Facts:
    def those(kind: str) -> list[tuple[str, Mapping[str, Any]]]:
        return [(id, own[kind][id]) for id in linked.get(kind, ()) if id in own[kind]]

    names = {
        "tags": {said for id, tag in those("tag") for said in (id, tag.get("text"))},
        "websites": {said for id, site in those("website") for said in (id, site.get("url"), site.get("name"))},
        "persons": {
            said
            for id, person in those("person")
            for basic in [part(part(person, "type"), "basic") or part(part(person, "type"), "platform")]
            for said in (id, basic.get("name"), basic.get("email"), basic.get("username"))
        },
    }
    languages = [str(format["classification"]["specific"]) for _, format in those("format")]
    return Facts(
        row=row,
        language=languages[0] if languages else "",
        names={name: frozenset(plain(one) for one in said if isinstance(one, str)) for name, said in names.items()},
        annotations=[(str(own.get("type")), str(own.get("text"))) for _, own in those("annotation")],
        title=columns.get("title", ""),
        content=columns.get("content", ""),
    )
