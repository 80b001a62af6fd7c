"""The seed of an asset."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePath
from typing import Any

from ..model.natural_key import Key
from ..values import AnnotationType, Language
from ..values.structs import Patch
from .anchor import Anchor
from .declaring import Context, Entity, Seed
from .person import Person
from .tag import Tag
from .website import Website


def asset_seed(
    context: Context,
    content: str | bytes,
    *,
    name: str | None = None,
    language: Language | str | None = None,
    description: str | None = None,
    tags: Sequence[str | Tag] = (),
    websites: Sequence[str | Website] = (),
    persons: Sequence[str | Person] = (),
    anchors: Sequence[str | PurePath | Anchor] = (),
    transferables: bool | None = None,
) -> Seed:
    """Compose the seed of an asset.

    Args:
        content: text, or the bytes of a file.
        name: the name that people see; None lets the server choose.
        language: the language or file type, by name or suffix, such as Python or py; None lets the server detect it.
        description: the text of an annotation that describes the asset.
        tags, websites: texts and urls, which the server finds or creates; or entities and ids, each of which takes a
            request of its own.
        persons, anchors: names or e-mail addresses, and paths; entities or ids; each takes a request of its own.
        transferables: whether the answer carries contents; None lets the server decide.
    """
    metadata: dict[str, Any] = {
        "name": name,
        "tags": _seeds(context, tags),
        "websites": _seeds(context, websites),
        "annotations": [{"type": AnnotationType.DESCRIPTION, "text": description}] if description is not None else [],
    }
    body = {
        "type": "SEEDED_ASSET",
        "asset": {
            "application": context.connection.application,
            "format": _format(content, language),
            "metadata": {name: value for name, value in metadata.items() if value not in (None, [])},
        },
    }
    # The server finds tags and websites by itself; of anchors and persons it would make others.
    named = [*(each for each in (*tags, *websites) if isinstance(each, Entity)), *persons, *anchors]
    return Seed(body, {"transferables": transferables}, named, [each for each in named if isinstance(each, Key)])


def _seeds(context: Context, named: Sequence[Any]) -> list[Any]:
    """Return the seeds of what is named by natural keys."""
    return [Patch(each.seed(context).body) for each in named if isinstance(each, Key)]


def _format(content: str | bytes, language: str | None) -> dict[str, Any]:
    """Return the format of a seed: text is a fragment, bytes are a file."""
    metadata = {} if language is None else {"metadata": {"ext": language}}
    if isinstance(content, str):
        return {"fragment": {"string": {"raw": content}, **metadata}}
    return {"file": {"bytes": {"raw": list(content)}, **metadata}}
