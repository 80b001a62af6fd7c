"""Wire documents, put together from stored text and edges without decoding either."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

import msgspec

from ...wire.kinds import ANCHOR_POINT, ASSET, FORMAT, SHARE, Kind
from ..settings import Settings
from ..storage.reader import Reader, Row
from .relations import ENDS, End, has_family

# Collections of these kinds have no `indices` in the published schemas.
_WITHOUT_INDICES = frozenset({"activity", "format", "sensitive", "share"})
# Relations a document is invalid without.
_REQUIRED = frozenset({("anchor", "points"), ("conversation", "messages"), ("asset", "formats")})
# From this many ids on, reading a whole kind is cheaper than asking for each.
_WHOLE_KIND = 2_000

# How documents show others with their own keys, and how documents within documents do.
_SHOWN = frozenset({"documents", "points", "flat"})
_SHOWN_NESTED = frozenset({"points", "flat"})

_fields = msgspec.json.Decoder(dict[str, msgspec.Raw])


def text_of(value: object) -> str:
    """JSON text of a value."""
    return msgspec.json.encode(value).decode()


def fields_of(text: str | bytes) -> dict[str, msgspec.Raw]:
    """A JSON object as undecoded parts."""
    return _fields.decode(text)


def without_contents(text: str) -> str:
    """A document's own keys without the contents of `fragment` and `file`; a fragment keeps its metadata."""
    if '"fragment"' not in text and '"file"' not in text:
        return text
    parts = fields_of(text)
    parts.pop("file", None)
    if "fragment" in parts and bytes(parts["fragment"]).startswith(b"{"):
        kept = {name: part for name, part in fields_of(bytes(parts["fragment"])).items() if name == "metadata"}
        parts["fragment"] = msgspec.Raw(msgspec.json.encode(kept))
    return text_of(parts)


def collection_text(kind: Kind, ids: Sequence[str], items: Iterable[str]) -> str:
    """A collection of documents or references."""
    text = '{"iterable":[' + ",".join(items) + "]"
    if kind.name in _WITHOUT_INDICES:
        return text + "}"
    return text + ',"indices":{' + ",".join(f'"{id}":{position}' for position, id in enumerate(ids)) + "}}"


def references_text(kind: Kind, ids: Sequence[str]) -> str:
    """A collection of references."""
    return collection_text(kind, ids, (f'{{"id":"{id}"}}' for id in ids))


class Documents:
    """Builds documents from one consistent read; what it loads it keeps until it is dropped."""

    def __init__(self, reader: Reader, settings: Settings, *, contents: bool = True, created: bool = False) -> None:
        self._reader = reader
        self._contents = contents
        self._embed = settings.embed_relations or created
        self._limit = settings.nested_members
        self._rows: dict[tuple[str, str], Row] = {}
        self._members: dict[tuple[str, str], dict[tuple[str, str], list[str]]] = {}
        self._nested: dict[tuple[str, str], str] = {}

    def one(self, kind: Kind, id: str) -> str | None:
        """The document of one material, None when there is none."""
        return self._document(kind, id, nested=False) if self._load(kind, [id]) else None

    def some(self, kind: Kind, ids: Sequence[str]) -> dict[str, str]:
        """The documents of those materials that exist, in the order asked for."""
        found = set(self._load(kind, ids))
        return {id: self._document(kind, id, nested=False) for id in ids if id in found}

    def all(self, kind: Kind) -> list[str]:
        """The ids of a kind, newest first, with everything loaded that their documents need."""
        return self._load(kind, None)

    def row(self, kind: Kind, id: str) -> Row:
        """The stored row of a loaded material."""
        return self._rows[kind.name, id]

    def document(self, kind: Kind, id: str) -> str:
        """The document of a loaded material."""
        return self._document(kind, id, nested=False)

    def _load(self, kind: Kind, ids: Sequence[str] | None) -> list[str]:
        """Load materials and every other that their documents show; the ids that exist."""
        found = self._fetch(kind, ids)
        for other, others in self._shown(kind, found, _SHOWN):
            # What is nested shows its points and, flattened, its owner.
            for _ in self._shown(other, others, _SHOWN_NESTED):
                pass
        return found

    def _shown(self, kind: Kind, ids: Sequence[str], forms: frozenset[str]) -> Iterator[tuple[Kind, Sequence[str]]]:
        """Load what documents show of others in these forms."""
        for end in ENDS.get(kind.name, ()):
            if end.form in forms:
                owners = {other: id for id in ids for other in self._ids(kind.name, id, end)}
                if end.form == "points" or (kind is ASSET and end.other is FORMAT):
                    self._fetch_owned(end, owners)
                else:
                    self._fetch(end.other, list(owners), most=self._limit)
                yield end.other, list(owners)

    def _fetch_owned(self, end: End, owners: Mapping[str, str]) -> None:
        """Load points or formats whose one edge that will be shown, to their owner, is known already."""
        wanted = list(owners) if len(owners) < _WHOLE_KIND else None
        for row in self._reader.rows(end.other.name, wanted) if owners else ():
            if row.id in owners:
                self._rows[end.other.name, row.id] = row
                self._members[end.other.name, row.id] = {(end.joint.name, "b"): [owners[row.id]]}

    def _fetch(self, kind: Kind, ids: Sequence[str] | None, *, most: int | None = None) -> list[str]:
        """Load rows and edges, of each relation no more than `most` and one; the ids that exist."""
        if ids is not None:
            missing = [id for id in ids if (kind.name, id) not in self._rows]
            if not missing:
                return list(ids)
            wanted: Sequence[str] | None = missing if len(missing) < _WHOLE_KIND else None
        else:
            wanted = None
        loaded = self._reader.rows(kind.name, wanted)
        for row in loaded:
            self._rows[kind.name, row.id] = row
            self._members[kind.name, row.id] = {}
        for relation, side, own, other in self._reader.edges(kind.name, wanted, most=most):
            self._members.setdefault((kind.name, own), {}).setdefault((relation, side), []).append(other)
        return [row.id for row in loaded] if ids is None else [id for id in ids if (kind.name, id) in self._rows]

    def _ids(self, kind: str, id: str, end: End) -> list[str]:
        members = self._members[kind, id]
        name = end.joint.name
        if end.side == "both":
            return members.get((name, "a"), []) + members.get((name, "b"), [])
        return members.get((name, end.side), [])

    def _own(self, kind: Kind, id: str) -> str:
        """A document's own keys, still open at its end."""
        row = self._rows[kind.name, id]
        text = row.document if self._contents else without_contents(row.document)
        head = f'{{"id":"{id}","created":{{"value":"{row.created}"}}'
        if kind is not SHARE:
            head += f',"updated":{{"value":"{row.updated}"}}'
        return f"{head},{text[1:-1]}" if len(text) > 2 else head

    def _document(self, kind: Kind, id: str, *, nested: bool) -> str:
        if nested and (kind.name, id) in self._nested:
            return self._nested[kind.name, id]
        parts: list[tuple[tuple[str, ...], str]] = []
        for end in ENDS.get(kind.name, ()):
            text = self._relation(kind, id, end, nested=nested)
            if text is not None:
                parts.append((end.key, text))
        if kind is ASSET:
            parts += self._original(id)
        text = self._own(kind, id) + "".join(f",{part}" for part in _keyed(parts)) + "}"
        if nested:
            self._nested[kind.name, id] = text
        return text

    def _relation(self, kind: Kind, id: str, end: End, *, nested: bool) -> str | None:
        """What a document says at one end; None leaves the key out."""
        ids = self._ids(kind.name, id, end)
        if not end.many:
            if not ids:
                return None
            return self.flat(end.other, ids[0]) if end.form == "flat" else f'{{"id":"{ids[0]}"}}'
        too_much = nested and (len(ids) > self._limit or end.form == "documents")
        apart = not self._embed and has_family(kind, end)
        if (too_much or apart) and (kind.name, end.key[0]) not in _REQUIRED:
            return None
        if end.form == "points":
            return collection_text(end.other, ids, (self._point(point) for point in ids))
        if end.form == "references" or nested:
            return references_text(end.other, ids)
        return collection_text(end.other, ids, [self._document(end.other, other, nested=True) for other in ids])

    def _point(self, id: str) -> str:
        return f'{{"id":"{id}","reference":{self._document(ANCHOR_POINT, id, nested=True)}}}'

    def _format(self, asset: str) -> str:
        """The id of an asset's format."""
        end = next(end for end in ENDS["asset"] if end.key == ("formats",))
        return self._ids("asset", asset, end)[0]

    def _original(self, id: str) -> list[tuple[tuple[str, ...], str]]:
        """An asset's original and preview: its one format is both."""
        format = self._format(id)
        reference = f'{{"id":"{format}","reference":{self.flat(FORMAT, format)}}}'
        return [(("original",), reference), (("preview",), f'{{"base":{reference}}}')]

    def flat(self, kind: Kind, id: str) -> str:
        """A flattened asset or format: single others are bare ids, relations but the required ones left out."""
        own = self._own(kind, id)
        if kind is FORMAT:
            end = next(end for end in ENDS["format"] if end.key == ("asset",))
            return f'{own},"asset":"{self._ids("format", id, end)[0]}"}}'
        format = self._format(id)
        formats = references_text(FORMAT, [format])
        return f'{own},"formats":{formats},"original":"{format}","preview":{{"base":"{format}"}}}}'


def _keyed(parts: Sequence[tuple[tuple[str, ...], str]]) -> list[str]:
    """`"key":text` for each part; parts with a common first name go into one object."""
    texts: list[str] = []
    deeper: dict[str, list[tuple[tuple[str, ...], str]]] = {}
    for key, text in parts:
        if len(key) == 1:
            texts.append(f'"{key[0]}":{text}')
        else:
            deeper.setdefault(key[0], []).append((key[1:], text))
    texts += [f'"{name}":{{{",".join(_keyed(inner))}}}' for name, inner in deeper.items()]
    return texts
