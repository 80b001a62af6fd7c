"""Wire documents, put together from stored text and edges without decoding either."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

import msgspec

from ...wire.kinds import ANCHOR_POINT, ASSET, FORMAT, SHARE, Kind
from ..json_values import json_text, raw_fields
from ..settings import Settings
from ..storage.reader import Reader, Row
from . import ages
from .relations import RelationEnd, end_of, ends_of, has_family
from .seeds import MAPS

# Collections of these kinds have no `indices` in the published schemas.
_WITHOUT_INDICES = frozenset({"activity", "format", "sensitive", "share"})
# Relations that the published schemas require.
_REQUIRED = frozenset({("anchor", "points"), ("conversation", "messages"), ("asset", "formats")})
# From this many ids on, reading a whole kind is cheaper than asking for each.
_WHOLE_KIND_IDS = 2_000

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
        self._nested: dict[tuple[str, str], str] = {}

    def one(self, kind: Kind, id: str) -> str | None:
        """Build the document of one material, None when there is none."""
        return self.document(kind, id) if self._load(kind, [id]) else None

    def some(self, kind: Kind, ids: Sequence[str]) -> dict[str, str]:
        """Build the documents of those materials that exist, in the order of `ids`."""
        found = set(self._load(kind, ids))
        return {id: self.document(kind, id) for id in ids if id in found}

    def load_all(self, kind: Kind) -> list[str]:
        """Load a kind and everything that its documents show; its ids, newest first."""
        return self._load(kind, None)

    def row(self, kind: Kind, id: str) -> Row:
        """Return the stored row of a loaded material."""
        return self._rows[kind.name, id]

    def document(self, kind: Kind, id: str) -> str:
        """Build the document of a loaded material."""
        return self._document(kind, id, nested=False)

    def _load(self, kind: Kind, ids: Sequence[str] | None) -> list[str]:
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

    def _own(self, kind: Kind, id: str) -> str:
        """Build a document's own keys, with the object still open."""
        row = self._rows[kind.name, id]
        text = row.document if self._contents else without_contents(row.document)
        head = f'{{"id":"{id}","created":{self._timestamp(row.created)}'
        if kind is not SHARE:
            head += f',"updated":{self._timestamp(row.updated)}'
        for name in MAPS.get(kind.name, {}).values():
            # Official clients up to 4.4.1 cannot read documents without them.
            if f'"{name}":' not in text or name not in raw_fields(text):
                head += f',"{name}":{{}}'
        return f"{head},{text[1:-1]}" if len(text) > 2 else head

    def _timestamp(self, moment: str) -> str:
        return f'{{"value":"{moment}","readable":"{ages.age(moment, self._now)}"}}'

    def _document(self, kind: Kind, id: str, *, nested: bool) -> str:
        if nested and (kind.name, id) in self._nested:
            return self._nested[kind.name, id]
        parts: list[tuple[tuple[str, ...], str]] = []
        for end in ends_of(kind):
            text = self._relation(kind, id, end, nested=nested)
            if text is not None:
                parts.append((end.key, text))
        if kind is ASSET:
            # Its one format is both original and preview.
            format = self._single(ASSET, id, "formats")
            reference = f'{{"id":"{format}","reference":{self._flat(FORMAT, format)}}}'
            parts += [(("original",), reference), (("preview",), f'{{"base":{reference}}}')]
        text = self._own(kind, id) + "".join(f",{part}" for part in _keyed(parts)) + "}"
        if nested:
            self._nested[kind.name, id] = text
        return text

    def _relation(self, kind: Kind, id: str, end: RelationEnd, *, nested: bool) -> str | None:
        """Build the value of one relation key; None leaves the key out."""
        ids = self._ids(kind, id, end)
        if not end.many:
            if not ids:
                return None
            return self._flat(end.other, ids[0]) if end.form == "flat" else f'{{"id":"{ids[0]}"}}'
        too_much = nested and (len(ids) > self._max_nested or end.form == "documents")
        apart = not self._embed and has_family(kind, end)
        if (too_much or apart) and (kind.name, end.key[0]) not in _REQUIRED:
            return None
        if end.form == "points":
            points = (
                f'{{"id":"{point}","reference":{self._document(ANCHOR_POINT, point, nested=True)}}}' for point in ids
            )
            return collection_text(end.other, ids, points)
        if end.form == "references" or nested:
            return references_text(end.other, ids)
        return collection_text(end.other, ids, [self._document(end.other, other, nested=True) for other in ids])

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


def _keyed(parts: Sequence[tuple[tuple[str, ...], str]]) -> list[str]:
    """Build `"key":text` for each part; parts with a common first name go into one object."""
    texts: list[str] = []
    deeper: dict[str, list[tuple[tuple[str, ...], str]]] = {}
    for key, text in parts:
        if len(key) == 1:
            texts.append(f'"{key[0]}":{text}')
        else:
            deeper.setdefault(key[0], []).append((key[1:], text))
    texts += [f'"{name}":{{{",".join(_keyed(inner))}}}' for name, inner in deeper.items()]
    return texts
