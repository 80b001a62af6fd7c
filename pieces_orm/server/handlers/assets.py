"""What only assets have: creation from a Seed, reclassification, new contents."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from attrs import frozen
from starlette.responses import Response

from ...wire.kinds import ANNOTATION, ASSET, FORMAT, TAG, WEBSITE, Kind
from ..domain.contents import Contents, contents_of
from ..domain.documents import collection_text, text_of
from ..domain.relations import LINK_JOINTS, ends_of
from ..domain.schema_check import fitted
from ..domain.seeds import FIXED, LABELS, Planter, Seed
from ..http.answers import Call, RefusedError, json_answer
from ..languages import detection, names
from ..storage.reader import Reader
from ..storage.writer import Writer, new_id
from .applications import USER
from .materials import others, own_keys, present
from .materials import pseudo as is_pseudo

_NAME_LENGTH = 60
_URL = re.compile(r"https?://[^\s<>\"'`\\\])}]+")


@frozen
class Draft:
    """What an asset's seed amounts to: its contents, language and name."""

    application: Seed
    contents: Contents
    metadata: Seed
    classification: Mapping[str, str]
    name: str


def drafted(seed: Seed) -> Draft:
    """Check an asset's seed and find out what it leaves open.

    Raises:
        RefusedError: 400, with what is missing or said twice.
    """
    asset = seed.get("asset")
    if not isinstance(asset, Mapping):
        raise RefusedError(400, "The seed lacks asset.")
    application, format = asset.get("application"), asset.get("format")
    if not isinstance(application, Mapping) or not isinstance(format, Mapping):
        raise RefusedError(400, "The seed's asset needs application and format, both JSON objects.")
    contents = contents_of(format)
    metadata = asset.get("metadata") or {}
    if not isinstance(metadata, Mapping):
        raise RefusedError(400, "The metadata of the seed's asset has to be a JSON object.")
    if not isinstance(metadata.get("name"), str | None):
        raise RefusedError(400, "The name in the metadata of the seed's asset has to be a text.")
    for name in _LISTS:
        seeds = metadata.get(name)
        if seeds is not None and not (isinstance(seeds, list) and all(isinstance(one, str | Mapping) for one in seeds)):
            raise RefusedError(400, f"{name} in the metadata of the seed's asset has to be a list of seeds.")
    given = metadata.get("name") or contents.metadata.get("name") or ""
    if not isinstance(given, str):
        raise RefusedError(400, "The name in the metadata of the seed's file has to be a text.")
    classification = detection.classify(contents.text, contents.data, ext=contents.metadata.get("ext"), name=given)
    name = given or _title(contents.text) or f"Untitled {classification['specific']}"
    return Draft(application, contents, metadata, classification, name)


def _title(text: str | None) -> str:
    """The first line that says something."""
    line = next((line.strip() for line in (text or "").splitlines() if line.strip()), "")
    return line if len(line) <= _NAME_LENGTH else line[: _NAME_LENGTH - 1] + "\N{HORIZONTAL ELLIPSIS}"


def create(call: Call) -> Response:
    """A new asset with its format, and everything its metadata names."""
    seed = call.object()
    found = drafted(seed)
    with call.service.store.write() as writer:
        id = plant(Planter(writer, call.service.settings), seed["asset"], found)
        text = call.service.documents(writer, contents=call.contents, created=True).one(ASSET, id)
    return json_answer(text or "")


def plant(planter: Planter, asset: Seed, draft: Draft) -> str:
    """Store the asset that a seed describes; its id."""
    writer, id, format = planter.writer, new_id(), new_id()
    creator = writer.ids(USER)[0]
    own = {"name": draft.name, "creator": creator, "mechanism": draft.metadata.get("mechanism") or "MANUAL"}
    kept = {key: asset[key] for key in asset if key not in {"application", "format", "metadata", "available"}}
    extra = {key: draft.metadata[key] for key in draft.metadata if key not in {*own, *_LISTS, "description"}}
    own |= {key: value for key, value in {**kept, **extra}.items() if value is not None}
    writer.create(ASSET.name, id, text_of(fitted(ASSET, own)))
    further = {key: value for key, value in asset["format"].items() if key not in _CONTENTS and value is not None}
    writer.create(FORMAT.name, format, text_of(fitted(FORMAT, {**further, **_format(draft, creator)})))
    writer.link(LINK_JOINTS["asset", "format"], id, format)
    _plant_metadata(planter, id, draft.metadata)
    return id


def _format(draft: Draft, creator: str) -> dict[str, Any]:
    return {
        "creator": creator,
        "application": draft.application,
        "role": "BOTH",
        "classification": draft.classification,
        "bytes": draft.contents.size,
        **draft.contents.stored(draft.classification["specific"]),
    }


# Keys of a seed's format that are read; others are kept as they come.
_CONTENTS = {"fragment", "file", *FIXED}
_LISTS = ("tags", "websites", "persons", "annotations", "anchors", "hints", "sensitives")


def _plant_metadata(planter: Planter, asset: str, metadata: Seed) -> None:
    """Create, or find, what the metadata lists, and associate it."""
    for end in ends_of(ASSET):
        seeds = metadata.get(end.key[0])
        if end.key[0] not in _LISTS or not seeds:
            continue
        for seed in seeds:
            known = _known(planter.writer, end.other, seed)
            if known is not None:
                planter.link(end, asset, known)
            elif isinstance(seed, Mapping):
                planter.connect(ASSET, asset, end, dict(seed))
            else:
                raise RefusedError(400, f"{end.key[0]} in the metadata has to be a list of seeds.")
    if isinstance(metadata.get("description"), str):
        planter.create(ANNOTATION, {"type": "DESCRIPTION", "text": metadata["description"], "asset": asset})


def _known(reader: Reader, kind: Kind, seed: Any) -> str | None:
    """The tag or website that a seed repeats."""
    value = seed.get(LABELS[kind.name]) if kind in {TAG, WEBSITE} and isinstance(seed, Mapping) else None
    row = reader.labelled(kind.name, value) if isinstance(value, str) else None
    return None if row is None else row.id


def draft(call: Call) -> Response:
    """What would become of a seed; stores nothing, and an image goes back as it came."""
    seed = call.object()
    found = drafted(seed)
    if found.contents.text is None:
        return json_answer(text_of(seed))
    metadata = {**found.metadata, "name": found.name}
    urls = list(dict.fromkeys(url.rstrip(".,;:!?") for url in _URL.findall(found.contents.text)))
    listed = [site.get("url") for site in metadata.get("websites") or () if isinstance(site, Mapping)]
    sites = [{"url": url, "name": url} for url in urls if url not in listed]
    metadata["websites"] = [*(metadata.get("websites") or ()), *sites]
    with call.service.store.read() as reader:
        metadata["tags"] = [*(metadata.get("tags") or ()), *_found_tags(reader, found.contents.text, metadata)]
    asset = dict(seed["asset"])
    asset["format"] = found.contents.redrafted(asset["format"], found.classification["specific"])
    asset["metadata"] = metadata
    asset["available"] = {"iterable": [found.classification]}
    return json_answer(text_of({"type": "SEEDED_ASSET", **seed, "asset": asset}))


def _found_tags(reader: Reader, text: str, metadata: Seed) -> list[dict[str, str]]:
    """The known tags whose text is a word of the contents."""
    words = set(re.findall(r"\w{3,}", text.lower()))
    listed = [tag.get("text") for tag in metadata.get("tags") or () if isinstance(tag, Mapping)]
    texts = dict.fromkeys(str(own_keys(row).get("text")) for row in reader.rows(TAG.name))
    return [{"text": tag} for tag in texts if tag.lower() in words and tag not in listed]


def format_of(reader: Reader, asset: str) -> str:
    """The id of an asset's format."""
    end = next(end for end in ends_of(ASSET) if end.key == ("formats",))
    return others(reader, end, ASSET, asset)[0]


def pseudo(call: Call) -> Response:
    """The ids of assets that are only suggested."""
    with call.service.store.read() as reader:
        ids = [row.id for row in reader.rows(ASSET.name) if is_pseudo(row)]
    references = collection_text(ASSET, ids, (f'{{"id":"{id}"}}' for id in ids))
    return json_answer(f'{{"identifiers":{references}}}')


def reclassify(call: Call) -> Response:
    """Another language for an asset; images keep theirs."""
    body = call.object()
    ext, named = body.get("ext"), body.get("asset")
    id = named.get("id") if isinstance(named, Mapping) else named
    if not isinstance(ext, str) or not isinstance(id, str):
        raise RefusedError(400, "The body has to be {ext, asset}, the asset with its id.")
    with call.service.store.write() as writer:
        present(writer, ASSET, id)
        recast(writer, format_of(writer, id), ext)
        text = call.service.documents(writer, contents=call.contents).one(ASSET, id)
    return json_answer(text or "")


def recast(writer: Writer, format: str, ext: str) -> None:
    """Give a format, and so its asset, another language; images keep theirs."""
    ext = names.canonical_name(ext)
    own = own_keys(present(writer, FORMAT, format))
    if own["classification"]["generic"] == "IMAGE":
        raise RefusedError(400, "An image cannot be reclassified.")
    names.check_text(ext)
    own["classification"] = {**own["classification"], **names.classification(ext)}
    if "fragment" in own:
        own["fragment"]["metadata"] = {**(own["fragment"].get("metadata") or {}), "ext": ext}
    writer.update(FORMAT.name, format, text_of(own))
    end = next(end for end in ends_of(FORMAT) if end.key == ("asset",))
    for asset in others(writer, end, FORMAT, format):
        writer.touch(ASSET.name, asset)


def update_value(call: Call) -> Response:
    """New text for a format; preview and original are the same format and so stay in step."""
    body = call.object()
    if not isinstance(body.get("id"), str):
        raise RefusedError(400, "The format to update lacks its id.")
    sent = contents_of(body)
    if sent.text is None:
        raise RefusedError(400, "Only text can be updated, not bytes.")
    with call.service.store.write() as writer:
        own = own_keys(present(writer, FORMAT, body["id"]))
        if own["classification"]["generic"] == "IMAGE":
            raise RefusedError(400, "Only text can be updated, not an image.")
        own.pop("file", None)
        own |= {"bytes": sent.size, **sent.stored(own["classification"]["specific"])}
        writer.update(FORMAT.name, body["id"], text_of(own))
        end = next(end for end in ends_of(FORMAT) if end.key == ("asset",))
        for asset in others(writer, end, FORMAT, body["id"]):
            writer.touch(ASSET.name, asset)
        text = call.service.documents(writer, contents=call.contents).one(FORMAT, body["id"])
    return json_answer(text or "")
