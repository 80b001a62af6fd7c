"""Search filters: each says which of some assets pass, and they combine by AND or OR.

What the database can tell by its indexes is asked of it; only a phrase is looked for in texts, of those that are left.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from attrs import frozen

from ...wire.kinds import ANNOTATION, ASSET, FORMAT, PERSON, TAG, WEBSITE, Kind
from ..domain.materials import own_keys
from ..domain.relations import ends_of
from ..json_values import object_in
from ..refusals import RequestError
from ..storage.reader import Reader, Row
from ..storage.timestamps import normalize_timestamp
from . import index
from .index import plain

# Of some assets, the ids of those that pass.
Passing = Callable[[Reader, set[str]], set[str]]


@frozen
class Filters:
    """A filter tree; without filters everything passes."""

    passing_of: Passing | None

    def __bool__(self) -> bool:
        return self.passing_of is not None

    @classmethod
    def of(cls, value: Any, *, casing: bool) -> Filters:
        """The filters of a search body; `casing` makes phrases mind upper and lower case."""
        if value is None or (isinstance(value, Mapping) and value.get("iterable") == []):
            return cls(None)
        return cls(_group(value, casing=casing, depth=0))

    def passing(self, reader: Reader, ids: Sequence[str]) -> set[str]:
        """The ids of those assets that pass."""
        return set(ids) if self.passing_of is None else self.passing_of(reader, set(ids))


_KINDS = {"tags": TAG, "websites": WEBSITE, "persons": PERSON}
_KEYS = ("classification", *_KINDS, "created", "updated", "phrase", "operations")
# Filters within filters; each level calls the next.
_DEEPEST = 50


def _group(value: Any, *, casing: bool, depth: int) -> Passing:
    items = value.get("iterable") if isinstance(value, Mapping) else None
    if not isinstance(items, list) or not items or depth > _DEEPEST:
        sentence = f"Filters have to be {{iterable: [filter, ...]}}, at most {_DEEPEST} of these within each other."
        raise RequestError(400, sentence)
    filters = [_one(item, casing=casing, depth=depth) for item in items]
    if value.get("type") == "OR":
        return lambda reader, among: set[str]().union(*(each(reader, among) for each in filters))
    return _all(filters)


def _all(filters: Sequence[Passing]) -> Passing:
    """What passes all of them; each looks only at what the one before has let pass."""

    def passing(reader: Reader, among: set[str]) -> set[str]:
        for each in filters:
            among = each(reader, among) if among else among
        return among

    return passing


def _one(item: Any, *, casing: bool, depth: int) -> Passing:
    """One filter: everything that it says has to be true; what it says of nothing would let everything pass."""
    said = {name: item[name] for name in item if item[name] is not None} if isinstance(item, Mapping) else {}
    said.pop("schema", None)
    unknown = [str(name) for name in said if name not in _KEYS]
    if not said or unknown:
        raise RequestError(400, f"A filter has to be a JSON object with one or more of {', '.join(_KEYS)}.")
    filters: list[Passing] = []
    if "classification" in said:
        filters.append(_language(said["classification"]))
    filters += [_names(name, said[name]) for name in _KINDS if name in said]
    filters += [_when(name, said[name]) for name in ("created", "updated") if name in said]
    if "operations" in said:
        filters.append(_group(said["operations"], casing=casing, depth=depth + 1))
    if "phrase" in said:
        filters.append(_phrase(said["phrase"], casing=casing))
    return _all(filters)


def _assets_of(reader: Reader, kind: Kind, key: str, ids: Sequence[str]) -> set[str]:
    """The assets that materials of another kind are linked to."""
    joint = next(end.relation.name for end in ends_of(kind) if end.key == (key,))
    return {other for relation, _, _, other in reader.edges(kind.name, ids) if relation == joint}


def _language(wanted: Any) -> Passing:
    if not isinstance(wanted, str):
        raise RequestError(400, "A filter on classification has to be a text, such as py.")
    return lambda reader, among: among & _assets_of(reader, FORMAT, "asset", index.formats(reader, wanted))


def _names(name: str, wanted: Any) -> Passing:
    """All of these, each by id or by text."""
    if not isinstance(wanted, list) or not wanted or not all(isinstance(one, str) for one in wanted):
        raise RequestError(400, f"A filter on {name} has to be a list of texts, at least one.")
    kind = _KINDS[name]

    def passing(reader: Reader, among: set[str]) -> set[str]:
        called = [(row.id, _said(row)) for row in reader.rows(kind.name)]
        for one in {plain(each) for each in wanted}:
            meant = [id for id, said in called if one in said]
            among = among & _assets_of(reader, kind, "assets", meant)
        return among

    return passing


def _said(row: Row) -> set[str]:
    """What a tag, website or person is called: by its id, or by any of its names."""
    own = own_keys(row)
    person = object_in(object_in(own, "type"), "basic") or object_in(object_in(own, "type"), "platform")
    said = [row.id, *(own.get(key) for key in ("text", "url", "name"))]
    said += [person.get(key) for key in ("name", "email", "username")]
    return {plain(each) for each in said if isinstance(each, str)}


def _when(name: str, value: Any) -> Passing:
    """Within bounds, which are part of it."""
    given = {end: object_in({"": value}, "").get(end) for end in ("from", "to")}
    bounds = {end: normalize_timestamp(object_in(given, end).get("value")) for end in ("from", "to")}
    if not any(bounds.values()) or any(given[end] is not None and not bounds[end] for end in given):
        raise RequestError(400, f"A filter on {name} needs from or to, each with a timestamp as value.")
    return lambda reader, among: among & reader.ids_within(ASSET.name, name, bounds["from"], bounds["to"])


def _phrase(value: Any, *, casing: bool) -> Passing:
    """A text in the title, the content or an annotation; without saying where, in any of them."""
    if not isinstance(value, Mapping) or not isinstance(value.get("value"), str):
        raise RequestError(400, "A filter's phrase has to be a JSON object with a text as value.")
    text: str = value["value"] if casing else plain(value["value"])
    anywhere = not any(value.get(name) for name in ("title", "content", "annotation"))
    kind = object_in(value, "options").get("annotation")
    wanted = [name for name in ("title", "content") if anywhere or value.get(name)]

    def has(said: str) -> bool:
        return text in said if casing else text in plain(said)

    def passing(reader: Reader, among: set[str]) -> set[str]:
        columns = index.columns_of(reader, reader.rows(ASSET.name, sorted(among)))
        found = {id for id, said in columns.items() if any(has(said[name]) for name in wanted)}
        if anywhere or value.get("annotation"):
            found |= among & _annotated(reader, sorted(among - found), kind, has)
        return found

    return passing


def _annotated(reader: Reader, ids: Sequence[str], kind: Any, has: Callable[[str], bool]) -> set[str]:
    """Those of some assets that an annotation of a kind (None: of any) says something about."""
    joint = next(end.relation.name for end in ends_of(ASSET) if end.key == ("annotations",))
    edges = [(asset, other) for relation, _, asset, other in reader.edges(ASSET.name, ids) if relation == joint]
    own = {row.id: own_keys(row) for row in reader.rows(ANNOTATION.name, sorted({other for _, other in edges}))}
    return {
        asset
        for asset, other in edges
        if other in own and kind in {None, own[other].get("type")} and has(str(own[other].get("text")))
    }
