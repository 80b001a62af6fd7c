"""Operations that only formats have: a new language, a new text, and counts by language."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from typing import Any

import msgspec

from ...values import GenericClassification
from ...wire.kinds import ASSET, FORMAT
from ..domain.contents import contents_of
from ..domain.materials import own_keys, related_ids, require_row
from ..domain.relations import end_of
from ..http.requests import Reference, Request
from ..json_values import json_text, referenced_id
from ..languages import names
from ..request_errors import RequestError
from ..storage.reader import Reader
from ..storage.writer import Writer


class _AssetReclassification(msgspec.Struct):
    """Body of POST /asset/reclassify."""

    ext: str
    asset: Reference | str


class _FormatReclassification(msgspec.Struct):
    """Body of POST /format/reclassify."""

    ext: str
    format: Reference


def reclassify_asset(request: Request) -> str:
    """Change the language of an asset."""
    body = request.decode(_AssetReclassification)
    id = body.asset if isinstance(body.asset, str) else body.asset.id
    with request.service.store.write() as writer:
        require_row(writer, ASSET, id)
        _reclassify(writer, related_ids(writer, end_of(ASSET, "formats"), ASSET, id)[0], body.ext)
        return request.document(writer, ASSET, id) or ""


def reclassify(request: Request) -> str:
    """Change the language of a format."""
    body = request.decode(_FormatReclassification)
    with request.service.store.write() as writer:
        _reclassify(writer, body.format.id, body.ext)
        return request.document(writer, FORMAT, body.format.id) or ""


def _reclassify(writer: Writer, id: str, ext: str) -> None:
    """Change the language of a format, and so of its asset.

    Raises:
        RequestError: 400, the language is unknown, or the format is an image.
    """
    ext = names.canonical_name(ext)
    own = own_keys(require_row(writer, FORMAT, id))
    if own["classification"]["generic"] == GenericClassification.IMAGE:
        raise RequestError(400, "An image cannot be reclassified.")
    names.check_text(ext)
    own["classification"] |= names.classification(ext)
    if "fragment" in own:
        own["fragment"]["metadata"] = {**(own["fragment"].get("metadata") or {}), "ext": ext}
    _rewrite(writer, id, own)


def _rewrite(writer: Writer, id: str, own: dict[str, Any]) -> None:
    """Store a format's own keys, and touch its asset, which is found by their language."""
    writer.update(FORMAT.name, id, json_text(own))
    for asset in related_ids(writer, end_of(FORMAT, "asset"), FORMAT, id):
        writer.relabel(ASSET.name, asset, own["classification"]["specific"])
        writer.touch(ASSET.name, asset)


def update_value(request: Request) -> str:
    """Replace the text of a format, which is both original and preview of its asset."""
    body = request.object()
    id = referenced_id(body, "The format to update")
    sent = contents_of(body)
    if sent.text is None:
        raise RequestError(400, "Only text can be updated, not bytes.")
    with request.service.store.write() as writer:
        own = own_keys(require_row(writer, FORMAT, id))
        if own["classification"]["generic"] == GenericClassification.IMAGE:
            raise RequestError(400, "Only text can be updated, not an image.")
        own.pop("file", None)
        _rewrite(writer, id, own | {"bytes": sent.size, **sent.stored(own["classification"]["specific"])})
        return request.document(writer, FORMAT, id) or ""


def metrics(request: Request) -> str:
    """Answer the ids of the formats of each language."""
    found = defaultdict[tuple[str, str], list[str]](list)
    with request.service.store.read() as reader:
        for id, generic, specific in _classified(reader):
            found[generic, specific].append(id)
    items = [{"generic": g, "specific": s, "identifiers": ids} for (g, s), ids in found.items()]
    return json_text({"iterable": items})


def ordered_metrics(request: Request) -> str:
    """Answer the languages, that with the most formats first."""
    with request.service.store.read() as reader:
        counted = Counter(specific for _, _, specific in _classified(reader))
    return json_text({"ordered": [specific for specific, _ in counted.most_common()]})


def _classified(reader: Reader) -> Iterator[tuple[str, str, str]]:
    """Yield the id of each format and its classification."""
    for row in reader.rows(FORMAT.name):
        classification = own_keys(row)["classification"]
        yield row.id, classification["generic"], classification["specific"]
