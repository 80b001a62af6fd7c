"""Wire documents, put together from stored text and edges without decoding either."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

import msgspec

from ...wire.kinds import ANCHOR_POINT, ASSET, FORMAT, SHARE, Kind
from ..contract import contract
from ..json_values import json_text, raw_fields
from ..settings import Settings
from ..storage.reader import Reader, Row
from ..workload import stop_if_left
from . import ages
from .relations import RelationEnd, end_of, ends_of, has_family
from .seeds import MAPS

# Collections of these kinds have no `indices` in the published schemas.
_WITHOUT_INDICES = frozenset({"activity", "format", "sensitive", "share"})
# Relations that the published schemas require.
_REQUIRED = frozenset(
    {
        ("anchor", "points"),
        ("conversation", "messages"),
        ("asset", "formats"),
        ("format", "asset"),
        ("sensitive", "asset"),
    }
)
# The bytes that copies of related materials take in one document. Without a limit, assets that share their tags and
# websites, which name all these assets in turn, make a snapshot grow with the third power of their number.
_MAX_COPIED_BYTES = 64 * 1024
# Short copies up to this size are sent beyond the limit too: the published schemas have no members without their own
# keys in most collections, and a client that knows them could not read the document.
_SHORT_BYTES = 1024
# From this many ids on, reading a whole kind is cheaper than asking for each.
_WHOLE_KIND_IDS = 2_000

# The path of names of a key in a document, and its text.
_Part = tuple[tuple[str, ...], str]
# By the key of a relation and the id of a member: the member with its copy, None where there is no room.
_Copies = dict[tuple[tuple[str, ...], str], str | None]
# The forms in which documents show copies of others that belong to more than one.
_COPIED_FORMS = frozenset({"documents", "points"})
# The forms in which documents show the own keys of others, and those in which nested documents do.
_FORMS_WITH_KEYS = frozenset({"documents", "points", "flat"})
_NESTED_FORMS_WITH_KEYS = frozenset({"points", "flat"})


def without_contents(text: str) -> str:
    """Strip a document's own keys of the contents in `fragment` and `file`; a fragment keeps its metadata."""
    if '"fragment"' not in text and '"file"' not in text:
        return text
    parts = raw_fields(text)
    parts.pop("file", None)
    if "fragment" in parts and bytes(parts["fragment"]).startswith(b"{"):
        kept = {name: part for name, part in raw_fields(bytes(parts["fragment"])).items() if name == "metadata"}
        parts["fragment"] = msgspec.Raw(msgspec.json.encode(kept))
    return json_text(parts)


def collection_text(kind: Kind, ids: Sequence[str], items: Iterable[str]) -> str:
    """Build the JSON text of a collection of documents or references."""
    text = '{"iterable":[' + ",".join(items) + "]"
    if kind.name in _WITHOUT_INDICES:
        return text + "}"
    return text + ',"indices":{' + ",".join(f'"{id}":{position}' for position, id in enumerate(ids)) + "}}"


def references_text(kind: Kind, ids: Sequence[str]) -> str:
    """Build the JSON text of a collection of references."""
    return collection_text(kind, ids, (f'{{"id":"{id}"}}' for id in ids))


class Documents:
    """Builds documents from one consistent read, and keeps what it has loaded.

    Args:
        contents: documents carry the contents of formats and messages.
        created: documents carry their relations whatever the settings say, as the answers to creations do.
    """

    def __init__(self, reader: Reader, settings: Settings, *, contents: bool = True, created: bool = False) -> None:
        self._reader = reader
        self._contents = contents
        self._embed = settings.embed_relations or created
        self._max_nested = settings.nested_members
        self._now = ages.this_minute()
        self._rows: dict[tuple[str, str], Row] = {}
        self._members: dict[tuple[str, str], dict[tuple[str, str], list[str]]] = {}
        self._nested: dict[tuple[str, str, bool], str | None] = {}

    def one(self, kind: Kind, id: str) -> str | None:
        """Build the document of one material, None when there is none."""
        return self.document(kind, id) if self._load(kind, [id]) else None

    def some(self, kind: Kind, ids: Sequence[str]) -> dict[str, str]:
        """Build the documents of those materials that exist, in the order of `ids`."""
        found = set(self._load(kind, ids))
        return {id: self.document(kind, id) for id in ids if id in found}

    def row(self, kind: Kind, id: str) -> Row:
        """Return the stored row of a loaded material."""
        return self._rows[kind.name, id]

    def document(self, kind: Kind, id: str) -> str:
        """Build the document of a loaded material."""
        stop_if_left()
        parts = self._parts(kind, id, self._copies(kind, id))
        return self._with_parts(kind, id, parts)

    def _load(self, kind: Kind, ids: Sequence[str]) -> list[str]:
        """Load materials and every other that their documents show; the ids that exist."""
        found = self._fetch(kind, ids)
        for other, others in self._load_shown(kind, found, _FORMS_WITH_KEYS):
            # Nested documents show their points and, flattened, their owner.
            list(self._load_shown(other, others, _NESTED_FORMS_WITH_KEYS))
        return found

    def _load_shown(
        self, kind: Kind, ids: Sequence[str], forms: frozenset[str]
    ) -> Iterator[tuple[Kind, Sequence[str]]]:
        """Load the others that documents show in these forms, kind by kind."""
        for end in ends_of(kind):
            if end.form in forms:
                owners = {other: id for id in ids for other in self._ids(kind, id, end)}
                if end.form == "points" or (kind is ASSET and end.other is FORMAT):
                    self._fetch_owned(end, owners)
                else:
                    self._fetch(end.other, list(owners), most=self._max_nested)
                yield end.other, list(owners)

    def _fetch_owned(self, end: RelationEnd, owners: Mapping[str, str]) -> None:
        """Load points or formats whose one edge that is shown, to their owner, is known already."""
        wanted = list(owners) if len(owners) < _WHOLE_KIND_IDS else None
        for row in self._reader.rows(end.other.name, wanted) if owners else ():
            if row.id in owners:
                self._rows[end.other.name, row.id] = row
                self._members[end.other.name, row.id] = {(end.relation.name, "b"): [owners[row.id]]}

    def _fetch(self, kind: Kind, ids: Sequence[str] | None, *, most: int | None = None) -> list[str]:
        """Load rows and edges, per relation no more than `most` and one; the ids that exist."""
        missing = [id for id in ids or () if (kind.name, id) not in self._rows]
        if ids is not None and not missing:
            return list(ids)
        wanted = missing if ids is not None and len(missing) < _WHOLE_KIND_IDS else None
        loaded = self._reader.rows(kind.name, wanted)
        for row in loaded:
            self._rows[kind.name, row.id] = row
            self._members[kind.name, row.id] = {}
        for relation, side, own, other in self._reader.edges(kind.name, wanted, most=most):
            self._members.setdefault((kind.name, own), {}).setdefault((relation, side), []).append(other)
        return [row.id for row in loaded] if ids is None else [id for id in ids if (kind.name, id) in self._rows]

    def _ids(self, kind: Kind, id: str, end: RelationEnd) -> list[str]:
        members, name = self._members[kind.name, id], end.relation.name
        if end.side == "both":
            return members.get((name, "a"), []) + members.get((name, "b"), [])
        return members.get((name, end.side), [])

    def _own(self, kind: Kind, id: str, *, short: bool = False) -> str:
        """Build a document's own keys, with the object still open.

        Args:
            short: without ages in words; where they are long, only those that the published schema requires.
        """
        row = self._rows[kind.name, id]
        text = row.document if self._contents else without_contents(row.document)
        if short and _size(text) > _SHORT_BYTES:
            required = contract().schemas[kind.schema].required
            text = json_text({name: part for name, part in raw_fields(text).items() if name in required})
        head = f'{{"id":"{id}","created":{self._timestamp(row.created, readable=not short)}'
        if kind is not SHARE:
            head += f',"updated":{self._timestamp(row.updated, readable=not short)}'
        for name in MAPS.get(kind.name, {}).values():
            # Official clients up to 4.4.1 cannot read documents without them.
            if f'"{name}":' not in text or name not in raw_fields(text):
                head += f',"{name}":{{}}'
        return f"{head},{text[1:-1]}" if len(text) > 2 else head

    def _timestamp(self, moment: str, *, readable: bool) -> str:
        in_words = f',"readable":"{ages.age(moment, self._now)}"' if readable else ""
        return f'{{"value":"{moment}"{in_words}}}'

    def _copies(self, kind: Kind, id: str) -> _Copies:
        """Choose the copies that one document carries: whole ones as far as there is room, short ones beside them."""
        members = [
            (end, other)
            for end in ends_of(kind)
            if end.form in _COPIED_FORMS and end.other is not FORMAT and not self._is_apart(kind, end)
            for other in self._ids(kind, id, end)
        ]
        copies = {(end.key, other): self._copy(end, other, short=False) for end, other in members}
        room = _MAX_COPIED_BYTES - sum(map(_size, copies.values()))
        if room >= 0 and None not in copies.values():
            return copies
        short = {(end.key, other): self._copy(end, other, short=True) for end, other in members}
        granted = {key: text for key, text in short.items() if text is not None and _size(text) <= _SHORT_BYTES}
        room = _MAX_COPIED_BYTES - sum(map(_size, granted.values()))
        chosen: _Copies = {}
        for key, text in copies.items():
            chosen[key] = granted.get(key)
            for better in (text, short[key]):
                more = _size(better) - _size(chosen[key])
                if better is not None and 0 < more <= room:
                    chosen[key], room = better, room - more
                    break
        return chosen

    def _copy(self, end: RelationEnd, id: str, *, short: bool) -> str | None:
        """Build a member of a relation with its copy; None when not all is loaded that the copy must show."""
        if end.form != "points":
            return self._nested_document(end.other, id, short=short)
        return f'{{"id":"{id}"}}' if short else self._point(id)

    def _point(self, id: str) -> str:
        return f'{{"id":"{id}","reference":{self._nested_document(ANCHOR_POINT, id, short=False)}}}'

    def _nested_document(self, kind: Kind, id: str, *, short: bool) -> str | None:
        """Build a document as others show it; a short one has only the relations that it must have."""
        key = (kind.name, id, short)
        if key not in self._nested:
            parts = self._nested_parts(kind, id, short=short)
            self._nested[key] = None if parts is None else self._with_parts(kind, id, parts, short=short)
        return self._nested[key]

    def _nested_parts(self, kind: Kind, id: str, *, short: bool) -> list[_Part] | None:
        parts: list[_Part] = []
        for end in ends_of(kind):
            ids = self._ids(kind, id, end)
            if (kind.name, end.key[0]) in _REQUIRED:
                if len(ids) > self._max_nested:
                    return None
                if not ids and not end.many:
                    continue
            elif not self._is_nested(kind, end, len(ids), short=short):
                continue
            parts.append((end.key, self._nested_relation(end, ids, short=short)))
        return parts

    def _is_nested(self, kind: Kind, end: RelationEnd, members: int, *, short: bool) -> bool:
        """Tell whether a copy shows a relation that it need not have."""
        if not end.many:
            return members > 0 and not (short and end.form == "flat")
        return not (short or members > self._max_nested or end.form == "documents" or self._is_apart(kind, end))

    def _nested_relation(self, end: RelationEnd, ids: Sequence[str], *, short: bool) -> str:
        if not end.many:
            return self._one_other(end, ids[0])
        if end.form == "points" and not short:
            return collection_text(end.other, ids, map(self._point, ids))
        return references_text(end.other, ids)

    def _parts(self, kind: Kind, id: str, copies: _Copies) -> list[_Part]:
        """Build what a document shows of others, by key."""
        parts: list[_Part] = []
        for end in ends_of(kind):
            ids = self._ids(kind, id, end)
            if not end.many:
                if ids:
                    parts.append((end.key, self._one_other(end, ids[0])))
            elif not self._is_apart(kind, end):
                parts.append((end.key, self._relation(end, ids, copies)))
        return parts

    def _relation(self, end: RelationEnd, ids: Sequence[str], copies: _Copies) -> str:
        if end.form == "references":
            return references_text(end.other, ids)
        if end.other is FORMAT:
            # An asset's contents are its own, not a copy of something else.
            formats = (self._nested_document(FORMAT, id, short=False) or "" for id in ids)
            return collection_text(FORMAT, ids, formats)
        members = {id: copies[end.key, id] for id in ids}
        if end.other.name in _WITHOUT_INDICES:
            return collection_text(end.other, ids, (text or f'{{"id":"{id}"}}' for id, text in members.items()))
        # Those of which not even a short copy fits are named in `indices` alone.
        shown = {id: text for id, text in members.items() if text is not None}
        return collection_text(end.other, [*shown, *(id for id in ids if id not in shown)], shown.values())

    def _one_other(self, end: RelationEnd, id: str) -> str:
        return self._flat(end.other, id) if end.form == "flat" else f'{{"id":"{id}"}}'

    def _is_apart(self, kind: Kind, end: RelationEnd) -> bool:
        """Tell whether the settings leave a relation out of documents, as it has an association family."""
        return end.many and not self._embed and has_family(kind, end) and (kind.name, end.key[0]) not in _REQUIRED

    def _with_parts(self, kind: Kind, id: str, parts: list[_Part], *, short: bool = False) -> str:
        if kind is ASSET:
            # Its one format is both original and preview.
            format = self._single(ASSET, id, "formats")
            reference = f'{{"id":"{format}","reference":{self._flat(FORMAT, format)}}}'
            parts = [*parts, (("original",), reference), (("preview",), f'{{"base":{reference}}}')]
        return self._own(kind, id, short=short) + "".join(f",{part}" for part in _keyed(parts)) + "}"

    def _single(self, kind: Kind, id: str, key: str) -> str:
        return self._ids(kind, id, end_of(kind, key))[0]

    def _flat(self, kind: Kind, id: str) -> str:
        """Build a flattened asset or format: single others are bare ids, optional relations are left out."""
        own = self._own(kind, id)
        if kind is FORMAT:
            return f'{own},"asset":"{self._single(FORMAT, id, "asset")}"}}'
        format = self._single(ASSET, id, "formats")
        formats = references_text(FORMAT, [format])
        return f'{own},"formats":{formats},"original":"{format}","preview":{{"base":"{format}"}}}}'


def _size(text: str | None) -> int:
    """Return the bytes of a text in an answer."""
    return 0 if text is None else len(text) if text.isascii() else len(text.encode())


def _keyed(parts: Sequence[_Part]) -> list[str]:
    """Build `"key":text` for each part; parts with a common first name go into one object."""
    texts: list[str] = []
    deeper: dict[str, list[_Part]] = {}
    for key, text in parts:
        if len(key) == 1:
            texts.append(f'"{key[0]}":{text}')
        else:
            deeper.setdefault(key[0], []).append((key[1:], text))
    texts += [f'"{name}":{{{",".join(_keyed(inner))}}}' for name, inner in deeper.items()]
    return texts
