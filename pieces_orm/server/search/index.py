"""The search index of assets, kept in the transaction of every write; only here SQLite's FTS5 and JSON are used."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import msgspec
from attrs import field, frozen
from sqlalchemy import Connection, text

from ...wire.kinds import ASSET, FORMAT, Kind
from ..domain.materials import own_keys
from ..domain.relations import ends_of, linked
from ..json_values import object_in
from ..storage.reader import Reader, Row
from ..storage.writer import Writer
from .limits import SearchReader
from .text import fold, names_of

# The columns of the index, and how much a word in them counts.
_WEIGHTS = {"title": 10, "content": 1, "tags": 6, "annotations": 3, "websites": 2, "persons": 2, "hints": 2}
COLUMNS = tuple(_WEIGHTS)
# Sources of the columns, by an asset's key.
_SOURCES = {"formats": "content", **{key: key for key in COLUMNS[2:]}}
_SOURCE_KINDS: Mapping[str, Kind] = {key: end.other for end in ends_of(ASSET) for key in _SOURCES if end.key == (key,)}

_NAMES = ", ".join(COLUMNS)
_FROM = f"{_NAMES} FROM asset_index JOIN material m ON m.seq = asset_index.rowid"

_REPLACE = text(f"REPLACE INTO asset_index(rowid, {_NAMES}) VALUES (:seq, {', '.join(':' + name for name in COLUMNS)})")  # noqa: S608
_DELETE = text("DELETE FROM asset_index WHERE rowid = :seq")
_COLUMNS = text(f"SELECT {_NAMES} FROM asset_index WHERE rowid = :seq")  # noqa: S608
_MATCHING = text(
    f"SELECT m.id, -rank AS relevance, {_FROM} WHERE asset_index MATCH :query"
    f" AND rank MATCH 'bm25({', '.join(map(str, _WEIGHTS.values()))})' ORDER BY rank LIMIT :limit"
)
_HAVING = text(
    f"SELECT m.id, 0.0 AS relevance, {_FROM} WHERE asset_index MATCH :query ORDER BY m.seq DESC LIMIT :limit"
)
_CONTAINING = text(
    f"SELECT m.id, 1.0 AS relevance, {_FROM}"
    f" WHERE instr(lower({' || char(10) || '.join(COLUMNS)}), :text) ORDER BY m.seq DESC"
)
# A list of any length is one parameter as JSON.
_SOME = text(
    f"SELECT m.id, 1.0 AS relevance, {_FROM}"  # noqa: S608
    " WHERE m.kind = :kind AND m.id IN (SELECT value FROM json_each(:ids))"
)
_FREQUENCIES = text("SELECT term, doc FROM asset_terms WHERE term IN (SELECT value FROM json_each(:terms))")
_TERMS = text("SELECT term FROM asset_terms WHERE length(term) BETWEEN :shortest AND :longest")
_FORMATS = text(
    "SELECT id FROM material WHERE kind = :kind AND json_extract(document, '$.classification.specific') "
    "IN (SELECT value FROM json_each(:languages))"
)

MAX_SIMILAR_WORDS = 50
_MAX_INFIX_LETTERS = 12  # by which a word may be longer than the part of it that was asked for


@frozen
class Entry:
    """One asset found in the index: its relevance from 0 to 1, and the texts of its columns."""

    id: str
    relevance: float
    columns: Mapping[str, str]
    _folded: dict[str, str] = field(factory=dict, init=False, repr=False)

    def folded(self, column: str) -> str:
        """Return the text of a column, folded when it is first asked for."""
        if column not in self._folded:
            self._folded[column] = fold(self.columns[column])
        return self._folded[column]


def prepare(connection: Connection) -> None:
    """Create the index of a new database."""
    tokenizer = "unicode61 remove_diacritics 2"
    connection.execute(
        text(f"CREATE VIRTUAL TABLE IF NOT EXISTS asset_index USING fts5({_NAMES}, tokenize = '{tokenizer}')")
    )
    connection.execute(text("CREATE VIRTUAL TABLE IF NOT EXISTS asset_terms USING fts5vocab(asset_index, 'row')"))


def settle(writer: Writer) -> None:
    """Bring the index in step with what a transaction changed."""
    for seq in writer.removed.get(ASSET.name, ()):
        writer.connection.execute(_DELETE, {"seq": seq})
    touched = {id for (kind, id), operation in writer.changes.items() if kind == ASSET.name and operation != "delete"}
    for kind in _SOURCE_KINDS.values():
        # Who writes a format touches its asset.
        if kind is not FORMAT:
            rewritten = [id for changed, id in writer.rewritten if changed == kind.name]
            touched |= {asset for _, _, asset in linked(writer, kind, ["assets"], rewritten)}
    for id in touched:
        row = writer.row(ASSET.name, id)
        if row is not None:
            _index(writer, row)


def _index(writer: Writer, row: Row) -> None:
    columns = _columns(writer, row)
    # Materials made in this transaction cannot be in the index.
    is_new = writer.is_new(ASSET.name, row.id)
    indexed = None if is_new else writer.connection.execute(_COLUMNS, {"seq": row.seq}).first()
    if indexed is None or tuple(indexed) != tuple(columns.values()):
        writer.connection.execute(_REPLACE, {"seq": row.seq, **columns})


def _columns(reader: Reader, row: Row) -> dict[str, str]:
    """Collect the texts of an asset's columns."""
    texts: dict[str, list[str]] = {name: [] for name in COLUMNS}
    texts["title"].append(str(own_keys(row).get("name") or ""))
    sources: dict[str, list[str]] = {}
    for key, _, other in linked(reader, ASSET, _SOURCES, [row.id]):
        sources.setdefault(key, []).append(other)
    for key, ids in sources.items():
        for source in reader.rows(_SOURCE_KINDS[key].name, ids):
            texts[_SOURCES[key]].append(_text(own_keys(source)))
    return {name: "\n".join(parts) for name, parts in texts.items()}


def _text(own: Mapping[str, Any]) -> str:
    """Join the names of a material and the text of a fragment."""
    raw = object_in(object_in(own, "fragment"), "string").get("raw")
    return " ".join([*names_of(own), *([raw] if isinstance(raw, str) else [])])


def matching(
    reader: Reader,
    groups: Sequence[Collection[str]],
    *,
    prefixes: bool = False,
    column: str | None = None,
    limit: int = -1,
    ranked: bool = True,
) -> list[Entry]:
    """Return the assets in which, of each group of words, one occurs, the most relevant first.

    Args:
        prefixes: words that begin so count as well.
        column: where the words have to occur; None: anywhere.
        limit: return at most so many; -1: all.
        ranked: False: without relevance, the newest first. Needed for groups that share many words.
    """
    if not groups or not all(groups):
        return []
    # A single letter begins too many words.
    quoted = (
        (f'"{word}"*' if prefixes and len(word) > 1 else f'"{word}"' for word in group)
        for group in _disjoint(groups, prefixes=prefixes)
    )
    query = " AND ".join(f"({' OR '.join(group)})" for group in quoted)
    query = query if column is None else f"{column} : ({query})"
    return _entries(reader, _MATCHING if ranked else _HAVING, query=query, limit=limit)


def _disjoint(groups: Sequence[Collection[str]], *, prefixes: bool) -> list[tuple[str, ...]]:
    """Leave out words that are asked for twice, and beginnings of others where beginnings count, as they are there too.

    To rank a text, SQLite lists each occurrence of each word: in long texts, gigabytes for words that occur together.
    """
    distinct = list(dict.fromkeys(tuple(dict.fromkeys(group)) for group in groups))
    if not prefixes:
        return distinct
    words = {word for group in distinct for word in group}
    begun = {word for word in words if len(word) > 1 and any(other.startswith(word) for other in words - {word})}
    return [group for group in distinct if not (len(group) == 1 and group[0] in begun)]


def containing(reader: Reader, text: str) -> list[Entry]:
    """Return the assets that contain a text anywhere, for queries without words."""
    return _entries(reader, _CONTAINING, text=text.lower())


def entries(reader: Reader, ids: Collection[str]) -> list[Entry]:
    """Return what the index has of assets."""
    return _entries(reader, _SOME, kind=ASSET.name, ids=msgspec.json.encode(list(ids)).decode())


def _entries(reader: Reader, statement: Any, **parameters: Any) -> list[Entry]:
    rows = reader.connection.execute(statement, parameters).all()
    best = (rows[0].relevance if rows else 1.0) or 1.0
    return [Entry(row.id, row.relevance / best, dict(zip(COLUMNS, row[2:], strict=True))) for row in rows]


def frequencies(reader: Reader, words: Collection[str]) -> dict[str, int]:
    """Count in how many assets words occur; a word that occurs in none is left out."""
    parameters = {"terms": msgspec.json.encode(sorted(words)).decode()}
    return {row.term: row.doc for row in reader.connection.execute(_FREQUENCIES, parameters)}


def formats(reader: Reader, languages: Sequence[str]) -> list[str]:
    """Return the ids of the formats of some languages, by the wire's names."""
    given = {"kind": FORMAT.name, "languages": msgspec.json.encode(languages).decode()}
    return list(reader.connection.scalars(_FORMATS, given))


def similar_words(reader: SearchReader, words: Sequence[str]) -> list[dict[str, float]]:
    """Return, for each of some words, the indexed words that it may mean, with their likeness from 0 to 1.

    A word may be mistyped, or be a part of the indexed one; the likest are first.
    """
    if not words:
        return []
    lengths = [len(word) for word in words]
    bounds = {"shortest": min(lengths) - 2, "longest": max(lengths) + _MAX_INFIX_LETTERS}
    # All are read once: to go through them costs more than to compare them.
    terms = reader.connection.scalars(_TERMS, bounds).all()
    return [_similar(word, terms) for word in reader.each(words)]


def _similar(word: str, terms: Sequence[str]) -> dict[str, float]:
    from rapidfuzz.distance import OSA  # noqa: PLC0415  only a query that finds nothing exactly needs it
    from rapidfuzz.process import extract  # noqa: PLC0415

    edits = 0 if len(word) < 3 else 1 if len(word) < 6 else 2
    mistyped = extract(word, terms, scorer=OSA.distance, score_cutoff=edits, limit=None)
    found = {term: 1 - distance / len(word) for term, distance, _ in mistyped}
    longest = len(word) + _MAX_INFIX_LETTERS
    found |= {term: len(word) / len(term) for term in terms if word in term and len(term) <= longest}
    return dict(sorted(found.items(), key=lambda item: -item[1])[:MAX_SIMILAR_WORDS])
