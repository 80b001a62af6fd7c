"""The search index of assets, kept in the transaction of every write; SQLite (FTS5, JSON) is spoken to here alone."""

from __future__ import annotations

import functools
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec
from attrs import frozen
from sqlalchemy import Connection, bindparam, text

from ...wire.kinds import ANNOTATION, ASSET, FORMAT, HINT, PERSON, TAG, WEBSITE
from ..domain.relations import RelationEnd, ends_of
from ..json_values import object_in
from ..storage.reader import Reader, Row
from ..storage.writer import Writer

COLUMNS = ("title", "content", "tags", "annotations", "websites", "persons", "hints")
_WEIGHTS = "10.0, 1.0, 6.0, 3.0, 2.0, 2.0, 2.0"
_PARTS = {
    TAG.name: "tags",
    ANNOTATION.name: "annotations",
    WEBSITE.name: "websites",
    PERSON.name: "persons",
    HINT.name: "hints",
}
_NAMES = ", ".join(COLUMNS)

_INSERT = text(f"INSERT INTO asset_index(rowid, {_NAMES}) VALUES (:seq, {', '.join(':' + name for name in COLUMNS)})")  # noqa: S608
_DELETE = text("DELETE FROM asset_index WHERE rowid = :seq")
_COLUMNS = text(f"SELECT {_NAMES} FROM asset_index WHERE rowid = :seq")  # noqa: S608
_SOME = text(f"SELECT rowid, {_NAMES} FROM asset_index WHERE rowid IN :seqs").bindparams(  # noqa: S608
    bindparam("seqs", expanding=True)
)
_MATCH = text(
    f"SELECT m.id, m.seq, -bm25(asset_index, {_WEIGHTS}) AS rank, {', '.join('i.' + name for name in COLUMNS)} "  # noqa: S608
    "FROM asset_index i JOIN material m ON m.seq = i.rowid WHERE asset_index MATCH :query ORDER BY rank DESC"
)
_LITERAL = text(
    f"SELECT m.id, m.seq, 1.0, {', '.join('i.' + name for name in COLUMNS)} "  # noqa: S608
    "FROM asset_index i JOIN material m ON m.seq = i.rowid "
    f"WHERE instr(lower({' || char(10) || '.join('i.' + name for name in COLUMNS)}), :query) ORDER BY m.seq DESC"
)
_FREQUENCIES = text("SELECT term, doc FROM asset_terms WHERE term IN :terms").bindparams(
    bindparam("terms", expanding=True)
)
_HAVING = text(
    "SELECT m.id FROM asset_index i JOIN material m ON m.seq = i.rowid WHERE asset_index MATCH :query "
    "ORDER BY rank LIMIT :most"
)
_FORMATS = text(
    "SELECT id FROM material WHERE kind = :kind AND json_extract(document, '$.classification.specific') = :language"
)
_TERMS = text("SELECT term FROM asset_terms WHERE length(term) BETWEEN :least AND :most")


@frozen
class Entry:
    """One asset found in the index, with what the index knows of it."""

    id: str
    seq: int
    rank: float
    columns: Mapping[str, str]


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
    for kind, name in _PARTS.items():
        touched |= _neighbours(writer, kind, name)
    for id in touched:
        row = writer.row(ASSET.name, id)
        if row is not None:
            _index(writer, row)


def _neighbours(writer: Writer, kind: str, name: str) -> set[str]:
    """The assets that show materials of a kind whose own keys changed."""
    rewritten = [id for changed, id in writer.rewritten if changed == kind]
    joint = next(end.relation.name for end in ends_of(ASSET) if end.key == (name,))
    return {other for relation, _, _, other in writer.edges(kind, rewritten) if relation == joint}


def _index(writer: Writer, row: Row) -> None:
    columns = _columns(writer, row)
    # What was made just now cannot be in the index.
    is_new = writer.is_new(ASSET.name, row.id)
    known = None if is_new else writer.connection.execute(_COLUMNS, {"seq": row.seq}).first()
    if known is not None and tuple(known) == tuple(columns[name] for name in COLUMNS):
        return
    if known is not None:
        writer.connection.execute(_DELETE, {"seq": row.seq})
    writer.connection.execute(_INSERT, {"seq": row.seq, **columns})


def _columns(reader: Reader, row: Row) -> dict[str, str]:
    """What the index says of an asset."""
    found: dict[str, list[str]] = {name: [] for name in COLUMNS}
    by_joint: dict[tuple[str, str], RelationEnd] = {(end.relation.name, end.side): end for end in ends_of(ASSET)}
    others: dict[str, list[str]] = {}
    for relation, side, _, other in reader.edges(ASSET.name, [row.id]):
        end = by_joint.get((relation, side))
        if end is not None and (end.other is FORMAT or end.other.name in _PARTS):
            others.setdefault(end.other.name, []).append(other)
    for kind, ids in others.items():
        for other_row in reader.rows(kind, ids):
            found[_PARTS.get(kind, "content")].append(_said(msgspec.json.decode(other_row.document)))
    found["title"] = [str(msgspec.json.decode(row.document).get("name") or "")]
    return {name: "\n".join(parts) for name, parts in found.items()}


def _said(own: Mapping[str, Any]) -> str:
    """The words of a material: a text, a website's name and url, a person's names, a fragment's text."""
    string = object_in(object_in(own, "fragment"), "string").get("raw")
    person = object_in(object_in(own, "type"), "basic") or object_in(object_in(own, "type"), "platform")
    said = [own.get("text"), own.get("name"), own.get("url"), string]
    said += [person.get(name) for name in ("name", "username", "email")]
    return " ".join(one for one in said if isinstance(one, str))


def entries(reader: Reader, alternatives: Sequence[Iterable[str]], *, prefixes: bool) -> list[Entry]:
    """The assets in which, of each group of words, one occurs; best first."""
    # A single letter begins too many words.
    groups = [
        "(" + " OR ".join(f'"{word}"*' if prefixes and len(word) > 1 else f'"{word}"' for word in group) + ")"
        for group in alternatives
    ]
    return _found(reader, _MATCH, " AND ".join(groups)) if groups else []


def frequencies(reader: Reader, words: Iterable[str]) -> dict[str, int]:
    """In how many assets words occur, of those that the index has."""
    found: dict[str, int] = {}
    wanted = sorted(words)
    for start in range(0, len(wanted), 400):
        some = {"terms": wanted[start : start + 400]}
        found |= {row.term: row.doc for row in reader.connection.execute(_FREQUENCIES, some)}
    return found


def having(reader: Reader, words: Sequence[str], most: int) -> list[str]:
    """The ids of the assets that have one of these words, those with the most telling ones first."""
    if not words:
        return []
    query = " OR ".join(f'"{word}"' for word in words)
    return list(reader.connection.scalars(_HAVING, {"query": query, "most": most}))


def formats(reader: Reader, language: str) -> list[str]:
    """The ids of the formats of a language."""
    return list(reader.connection.scalars(_FORMATS, {"kind": FORMAT.name, "language": language}))


def tokens(text: str) -> list[str]:
    """The words of a text as they stand there: what the index's own tokenizer splits and folds.

    Letters, digits and the marks that belong to them, so nothing in a word means anything to the index.
    """
    runs = "".join(c if c == " " or unicodedata.category(c)[0] in "LNM" else " " for c in text)
    return [run for run in runs.split(" ") if any(unicodedata.category(c)[0] in "LN" for c in run)]


def literal(reader: Reader, query: str) -> list[Entry]:
    """The assets that have a text anywhere, for queries without words."""
    return _found(reader, _LITERAL, query.lower())


def _found(reader: Reader, statement: Any, query: str) -> list[Entry]:
    return [
        Entry(id, seq, rank, dict(zip(COLUMNS, columns, strict=True)))
        for id, seq, rank, *columns in reader.connection.execute(statement, {"query": query})
    ]


def columns_of(reader: Reader, rows: Sequence[Row]) -> dict[str, Mapping[str, str]]:
    """What the index says of assets, by id."""
    ids = {row.seq: row.id for row in rows}
    found: dict[str, Mapping[str, str]] = {}
    seqs = list(ids)
    for start in range(0, len(seqs), 400):
        for seq, *columns in reader.connection.execute(_SOME, {"seqs": seqs[start : start + 400]}):
            found[ids[seq]] = dict(zip(COLUMNS, columns, strict=True))
    return found


def similar_words(reader: Reader, word: str) -> dict[str, float]:
    """Indexed words that a mistyped word may mean, with their likeness from 0 to 1."""
    allowed = 0 if len(word) < 3 else 1 if len(word) < 6 else 2
    bounds = {"least": len(word) - allowed, "most": len(word) + max(allowed, 12)}
    found: dict[str, float] = {}
    for (term,) in reader.connection.execute(_TERMS, bounds):
        if word in term:
            found[term] = len(word) / len(term)
        elif len(term) <= len(word) + allowed:
            distance = _distance(word, term, allowed)
            if distance <= allowed:
                found[term] = 1 - distance / len(word)
    return dict(sorted(found.items(), key=lambda item: -item[1])[:50])


def plain(text: str) -> str:
    """A text as the index compares it: lower case, without diacritics."""
    if text.isascii():
        return text.lower()
    return "".join(c for c in unicodedata.normalize("NFKD", text.lower()) if not unicodedata.combining(c))


@functools.lru_cache(maxsize=4096)
def _distance(a: str, b: str, most: int) -> int:
    """Edits (insert, delete, replace, swap neighbours) between two words, `most` + 1 when there are more."""
    if len(set(a) - set(b)) > most or len(set(b) - set(a)) > most:
        return most + 1
    before: list[int] = []
    row = list(range(len(b) + 1))
    for i, left in enumerate(a, 1):
        before, above, row = row, before, [i]
        for j, right in enumerate(b, 1):
            best = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (left != right))
            if i > 1 and j > 1 and left == b[j - 2] and a[i - 2] == right:
                best = min(best, above[j - 2] + 1)
            row.append(best)
        if min(row) > most:
            return most + 1
    return row[-1]
