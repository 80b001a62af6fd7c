"""Seeds of assets: the one kind that is made from contents, together with its format."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attrs import frozen

from ...values import AnnotationType, FormatRole, Mechanism
from ...wire.kinds import ANNOTATION, ASSET, FORMAT, TAG, WEBSITE, Kind
from ..json_values import json_text
from ..languages import detection
from ..request_errors import RequestError
from ..storage.reader import Reader
from ..storage.writer import new_id
from .contents import Contents, contents_of
from .identity import user_id
from .relations import end_of, ends_of
from .schema_check import check_type, validated
from .seeds import LABELS, Seed, SeedWriter, check_members, fixed_keys

MAX_NAME_CHARS = 60

# Keys of a seed's format that are read; others are kept as they come.
_CONTENTS = {"fragment", "file"}
# Keys of a seed's metadata that list the seeds of other materials.
_LISTS = ("tags", "websites", "persons", "annotations", "anchors", "hints", "sensitives")


@frozen
class AssetDraft:
    """An asset's seed, checked, with its contents decoded and its language and name determined."""

    asset: Seed
    contents: Contents
    metadata: Seed
    classification: Mapping[str, str]
    name: str


def draft_asset(seed: Seed) -> AssetDraft:
    """Check an asset's seed, decode its contents, and determine its language and name.

    Raises:
        RequestError: 400, with what is missing or contradictory; 413, it nests or names too many materials.
    """
    check_members(seed)
    asset: Any = seed.get("asset")
    check_type("object", asset, "asset of the seed")
    metadata = asset.get("metadata") or {}
    check_type("object", asset.get("application"), "application of the seed's asset")
    check_type("object", asset.get("format"), "format of the seed's asset")
    check_type("object", metadata, "metadata of the seed's asset")
    for name in _LISTS:
        seeds = metadata.get(name)
        if seeds is not None and not (isinstance(seeds, list) and all(isinstance(one, Mapping) for one in seeds)):
            raise RequestError(400, f"{name} in the metadata of the seed's asset must be a list of seeds.")
    contents = contents_of(asset["format"])
    given = metadata.get("name") or contents.metadata.get("name") or ""
    check_type("text", given, "name in the metadata of the seed")
    classification = detection.classify(contents.text, contents.data, ext=contents.metadata.get("ext"), name=given)
    name = given or first_line(contents.text) or f"Untitled {classification['specific']}"
    return AssetDraft(asset, contents, metadata, classification, name)


def first_line(text: str | None) -> str:
    """Return the first line with text in it, shortened to serve as a name."""
    line = next((line.strip() for line in (text or "").splitlines() if line.strip()), "")
    return line if len(line) <= MAX_NAME_CHARS else line[: MAX_NAME_CHARS - 1] + "\N{HORIZONTAL ELLIPSIS}"


def create_asset(seed_writer: SeedWriter, draft: AssetDraft) -> str:
    """Store an asset, its format, and what its metadata lists; returns the new id."""
    writer, id, format = seed_writer.writer, new_id(), new_id()
    creator = user_id(writer)
    own = {
        "mechanism": Mechanism.MANUAL.value,
        **_without(draft.asset, "application", "format", "metadata", "available", *fixed_keys(ASSET)),
        **_without(draft.metadata, "description", *fixed_keys(ASSET)),
        "name": draft.name,
        "creator": creator,
    }
    writer.create(ASSET.name, id, json_text(validated(ASSET, own)), label=draft.classification["specific"])
    writer.create(FORMAT.name, format, json_text(validated(FORMAT, _format(draft, creator))))
    writer.add_edge(end_of(ASSET, "formats").relation, id, format)
    _create_listed(seed_writer, id, draft.metadata)
    return id


def _format(draft: AssetDraft, creator: str) -> dict[str, Any]:
    return {
        **_without(draft.asset["format"], *_CONTENTS),
        "creator": creator,
        "application": draft.asset["application"],
        "role": FormatRole.BOTH.value,
        "classification": draft.classification,
        "bytes": draft.contents.size,
        **draft.contents.stored(draft.classification["specific"]),
    }


def _without(seed: Seed, *left_out: str) -> dict[str, Any]:
    """Return a seed's keys that have a value, except those named."""
    return {key: value for key, value in seed.items() if value is not None and key not in left_out}


def _create_listed(seed_writer: SeedWriter, asset: str, metadata: Seed) -> None:
    """Create, or find, what the metadata lists, and associate it with the asset."""
    for end in ends_of(ASSET):
        for seed in metadata.get(end.key[0]) or () if end.key[0] in _LISTS else ():
            known = _known(seed_writer.writer, end.other, seed)
            if known is not None:
                seed_writer.add_edge(end, asset, known)
            else:
                seed_writer.relate(ASSET, asset, end, seed)
    if isinstance(metadata.get("description"), str):
        description = {"type": AnnotationType.DESCRIPTION.value, "text": metadata["description"], "asset": asset}
        seed_writer.create(ANNOTATION, description)


def _known(reader: Reader, kind: Kind, seed: Seed) -> str | None:
    """Find the tag or website that a seed repeats."""
    value = seed.get(LABELS[kind.name]) if kind in {TAG, WEBSITE} else None
    row = reader.labelled(kind.name, value) if isinstance(value, str) else None
    return None if row is None else row.id
