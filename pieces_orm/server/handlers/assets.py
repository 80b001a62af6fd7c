"""Operations that only assets have: drafts, and which of them are only suggested."""

from __future__ import annotations

import re

from ...wire.kinds import ASSET, TAG
from ..domain.asset_seeds import draft_asset
from ..domain.documents import references_text
from ..domain.materials import own_keys
from ..domain.seeds import Seed
from ..http.requests import Request
from ..json_values import json_text
from ..storage.reader import Reader

_URL = re.compile(r"https?://[^\s<>\"'`\\\])}]+")


def draft(request: Request) -> str:
    """Answer the seed as the server would complete it, without storing it; an image is returned unchanged."""
    seed = request.object()
    drafted = draft_asset(seed)
    text, language = drafted.contents.text, drafted.classification["specific"]
    if text is None:
        return json_text(seed)
    metadata = {**drafted.metadata, "name": drafted.name}
    sites, tags = metadata.get("websites") or [], metadata.get("tags") or []
    urls = list(dict.fromkeys(url.rstrip(".,;:!?") for url in _URL.findall(text)))
    listed = [site.get("url") for site in sites]
    metadata["websites"] = [*sites, *({"url": url, "name": url} for url in urls if url not in listed)]
    with request.service.store.read() as reader:
        metadata["tags"] = [*tags, *_found_tags(reader, text, [tag.get("text") for tag in tags])]
    asset = {
        **drafted.asset,
        "format": drafted.contents.redrafted(drafted.asset["format"], language),
        "metadata": metadata,
        "available": {"iterable": [drafted.classification]},
    }
    return json_text({"type": "SEEDED_ASSET", **seed, "asset": asset})


def _found_tags(reader: Reader, text: str, listed: list[object]) -> list[Seed]:
    """Find the stored tags whose text is a word of the contents."""
    words = set(re.findall(r"\w{3,}", text.lower()))
    texts = dict.fromkeys(str(own_keys(row).get("text")) for row in reader.rows(TAG.name))
    return [{"text": tag} for tag in texts if tag.lower() in words and tag not in listed]


def pseudo(request: Request) -> str:
    """Answer the ids of assets that are only suggested."""
    with request.service.store.read() as reader:
        ids = reader.pseudo_ids(ASSET.name)
    return f'{{"identifiers":{references_text(ASSET, ids)}}}'
