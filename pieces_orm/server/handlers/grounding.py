"""Materials that a question names, and those that its words find."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ...wire.kinds import ANCHOR, ANCHOR_POINT, ANNOTATION, ASSET, MESSAGE, SOURCE, SUMMARY, Kind
from ..answers import Material
from ..domain.materials import is_pseudo, own_keys
from ..domain.relations import linked
from ..json_values import object_in, referenced_id
from ..request_errors import RequestError
from ..search import index
from ..search.limits import limited
from ..search.text import names_of, tokens
from ..storage.reader import Reader

Relevant = dict[str, Any]
"""A RelevantQGPTSeed of the contract."""

_MAX_NAMED = 10_000  # of each kind, in one question
_MAX_FOUND = 100
_MAX_QUERY_WORDS = 100
_MAX_MATERIAL_CHARS, _MAX_CHARS = 8_000, 32_000


def relevant(reader: Reader, body: Mapping[str, Any], query: str) -> list[Relevant]:
    """List what is relevant to a query among what a QGPTRelevanceInput names, the best match first.

    All that is named counts, as a client sends on what it gets here. With the option `database`, every asset that has
    words of the query is added.
    """
    named = _existing(reader, ASSET, _ids(body, "assets"))
    found = assets_with_words(reader, query)
    assets = [*(id for id in found if id in named), *named]
    if object_in(body, "options").get("database") is True:
        assets += found
    paths = body.get("paths")
    return [
        *({"asset": {"id": id}} for id in dict.fromkeys(assets)),
        *({"anchor": {"id": id}} for id in _existing(reader, ANCHOR, _ids(body, "anchors"))),
        *({"path": path} for path in (paths if isinstance(paths, list) else ()) if isinstance(path, str)),
        *({"seed": seed} for seed in _items(body, "seeds")),
    ]


def _existing(reader: Reader, kind: Kind, ids: Sequence[str]) -> dict[str, None]:
    """Return the ids that there are, in their order and each once."""
    known = {row.id for row in reader.rows(kind.name, ids)} if ids else set()
    return dict.fromkeys(id for id in ids if id in known)


def assets_with_words(reader: Reader, query: str) -> list[str]:
    """Return the ids of the assets that have words of a text, the best match first.

    Raises:
        RequestError: 400, it takes longer than a search may.
    """
    asked = tokens(query)[:_MAX_QUERY_WORDS]
    with limited(reader) as searching:
        found = [entry.id for entry in index.matching(searching, [asked], limit=_MAX_FOUND)] if asked else []
    shown = {row.id for row in reader.rows(ASSET.name, found) if not is_pseudo(row)} if found else set()
    return [id for id in found if id in shown]


def materials(reader: Reader, body: Mapping[str, Any], named: Sequence[Relevant]) -> tuple[Material, ...]:
    """Read the texts of what a question names, as much as a model can be expected to take."""
    kept: list[Material] = []
    left = _MAX_CHARS
    for material in _materials(reader, body, named):
        text = material.text[: min(left, _MAX_MATERIAL_CHARS)]
        if text.strip():
            kept.append(Material(material.kind, material.id, material.name, text))
            left -= len(text)
        if left <= 0:
            break
    return tuple(kept)


def named_in(body: Mapping[str, Any]) -> list[Relevant]:
    """List what a QGPTQuestionInput names as relevant."""
    return [dict(each) for each in _items(body, "relevant")]


def seed_text(seed: Mapping[str, Any]) -> str:
    """Return the text that the seed of an asset carries, empty when it has none."""
    format = object_in(object_in(seed, "asset"), "format")
    raw = (object_in(object_in(format, name), "string").get("raw") for name in ("fragment", "file"))
    return next((text for text in raw if isinstance(text, str)), "")


def _materials(reader: Reader, body: Mapping[str, Any], named: Sequence[Relevant]) -> Iterator[Material]:
    for each in named:
        seed = object_in(each, "seed")
        if seed:
            name = object_in(object_in(seed, "asset"), "metadata").get("name")
            yield Material("text", None, name if isinstance(name, str) else "of this question", seed_text(seed))
        for kind in (ASSET, ANCHOR):
            id = object_in(each, kind.name).get("id")
            if isinstance(id, str):
                yield from _read(reader, kind, [id])
    for key, kind in (("messages", MESSAGE), ("summaries", SUMMARY), ("sources", SOURCE)):
        yield from _read(reader, kind, _ids(body, key))


def _read(reader: Reader, kind: Kind, ids: Sequence[str]) -> Iterator[Material]:
    for id in ids:
        row = reader.row(kind.name, id)
        if row is not None:
            own = own_keys(row)
            names = names_of(own) or [kind.name]
            yield Material(kind.name, id, names[0], _text(reader, kind, id, own))


def _text(reader: Reader, kind: Kind, id: str, own: Mapping[str, Any]) -> str:
    if kind is ASSET:
        return "\n".join(entry.columns["content"] for entry in index.entries(reader, [id]))
    if kind is MESSAGE:
        return str(object_in(object_in(own, "fragment"), "string").get("raw") or "")
    if kind is SUMMARY:
        return "\n".join(_texts_of(reader, kind, id, ANNOTATION, "annotations", "text"))
    if kind is ANCHOR:
        return "\n".join(_texts_of(reader, kind, id, ANCHOR_POINT, "points", "fullpath"))
    return "\n".join(value for value in own.values() if isinstance(value, str))


def _texts_of(reader: Reader, kind: Kind, id: str, other: Kind, relation: str, key: str) -> list[str]:
    ids = [found for _, _, found in linked(reader, kind, [relation], [id])]
    values = (own_keys(row).get(key) for row in reader.rows(other.name, ids))
    return [value for value in values if isinstance(value, str)]


def _items(body: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    """List the objects of a collection in a body; a collection that is absent is empty.

    Raises:
        RequestError: 400, it is something else, or has too many members.
    """
    items = object_in(body, name).get("iterable")
    if items is None and body.get(name) is None:
        return []
    if not isinstance(items, list) or not all(isinstance(each, Mapping) for each in items):
        raise RequestError(400, f"{name} must be {{iterable: [...]}}.")
    if len(items) > _MAX_NAMED:
        raise RequestError(400, f"{name} has {len(items):,} members; the limit is {_MAX_NAMED:,}. Name fewer.")
    return items


def _ids(body: Mapping[str, Any], name: str) -> list[str]:
    return [referenced_id(item, f"Each of {name}") for item in _items(body, name)]
