"""The filters of an asset search. What the database can tell by its indexes is asked of it, texts are compared last."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from functools import partial
from typing import Any

from ...values.languages import find_language, spellings
from ...wire.kinds import ANNOTATION, ASSET, FORMAT, PERSON, TAG, WEBSITE, Kind
from ..domain.materials import own_keys
from ..domain.relations import linked
from ..json_values import object_in
from ..request_errors import RequestError
from ..storage.reader import Reader
from . import index
from .conditions import Condition, ConditionReader, Grammar, exactly, periods
from .limits import SearchReader, check_text
from .text import fold, names_of

# The columns of the index in which a phrase is looked for, by what asks for them.
_PHRASE_COLUMNS = {"title": "title", "content": "content", "annotation": "annotations"}


def parse_filters(value: Any, *, casing: bool) -> Condition | None:
    """Read the filters of a search body, None when there are none.

    Args:
        casing: phrases mind upper and lower case.

    Raises:
        RequestError: 400, a filter is malformed or says nothing.
    """
    if value is None or (isinstance(value, Mapping) and value.get("iterable") == []):
        return None
    readers: dict[str, ConditionReader] = {
        "classification": _in_language,
        **{f"{kind.name}s": partial(_linked_to, kind) for kind in (TAG, WEBSITE, PERSON)},
        **periods(ASSET),
        "phrase": partial(_with_phrase, casing=casing),
    }
    return Grammar("filter", readers).group(value)


def _in_language(language: Any) -> Condition:
    if not isinstance(language, str):
        raise RequestError(400, "A filter on classification has to be a text, such as py.")
    members = spellings(find_language(language) or language)
    return lambda reader, ids: exactly(ids & _assets(reader, FORMAT, "asset", index.formats(reader, members)))


def _linked_to(kind: Kind, names: Any) -> Condition:
    """Read a filter on tags, websites or persons: a link to each of them, named by id or by any of its names."""
    if not isinstance(names, list) or not names or not all(isinstance(name, str) for name in names):
        raise RequestError(400, f"A filter on {kind.name}s has to be a list of texts, at least one.")

    def condition(reader: SearchReader, ids: AbstractSet[str]) -> Mapping[str, float]:
        rows = reader.each(reader.rows(kind.name))
        named = {row.id: {fold(name) for name in (row.id, *names_of(own_keys(row)))} for row in rows}
        for name in {fold(name) for name in names}:
            ids &= _assets(reader, kind, "assets", [id for id, each in named.items() if name in each])
        return exactly(ids)

    return condition


def _assets(reader: Reader, kind: Kind, key: str, ids: Sequence[str]) -> set[str]:
    return {asset for *_, asset in linked(reader, kind, [key], ids)}


def _with_phrase(value: Any, *, casing: bool) -> Condition:
    """Read a phrase, which the title, the content or an annotation has to contain; by default any of them."""
    if not isinstance(value, Mapping) or not isinstance(value.get("value"), str):
        raise RequestError(400, "A filter's phrase has to be a JSON object with a text as value.")
    text = check_text(value["value"], "A phrase")
    phrase = text if casing else fold(text)
    columns = [column for key, column in _PHRASE_COLUMNS.items() if value.get(key)] or [*_PHRASE_COLUMNS.values()]
    type = object_in(value, "options").get("annotation") if "annotations" in columns else None

    def condition(reader: SearchReader, ids: AbstractSet[str]) -> Mapping[str, float]:
        searched = [column for column in columns if type is None or column != "annotations"]
        found = {
            entry.id
            for entry in reader.each(index.entries(reader, ids))
            if any(phrase in (entry.columns[column] if casing else entry.folded(column)) for column in searched)
        }
        if type is not None:
            annotated = list(linked(reader, ASSET, ["annotations"], list(ids - found)))
            own = {row.id: own_keys(row) for row in reader.rows(ANNOTATION.name, list({id for *_, id in annotated}))}
            texts = {id: str(keys.get("text")) for id, keys in own.items() if keys.get("type") == type}
            having = {id for id, text in texts.items() if phrase in (text if casing else fold(text))}
            found |= {asset for _, asset, annotation in annotated if annotation in having}
        return exactly(found)

    return condition
