"""Reading the contents of an asset, and saving them through the endpoints that change them."""

from __future__ import annotations

import json
import mimetypes
import re
from base64 import b64encode
from typing import TYPE_CHECKING

from msgspec import Raw

from ..errors import InvalidValueError
from ..values import AnnotationType, GenericClassification
from ..wire import routes
from .annotation import Annotation

if TYPE_CHECKING:
    from ..documents.document import Document
    from .asset import Asset

# Where a document has the format that the asset was created with: `original` names it, and may carry a copy or not.
ORIGINAL = ("original", "formats")
# Where a document has the annotation that describes the asset.
DESCRIPTION = ("annotations", "type", AnnotationType.DESCRIPTION.value)


def is_image(asset: Asset) -> bool:
    """Return whether the content is an image."""
    return asset.classification is not None and asset.classification.generic == GenericClassification.IMAGE


def stored_bytes(asset: Asset) -> bytes:
    """Return the content as bytes: text as UTF-8, a file or an image as it was stored.

    Requests: none when the contents are known, else one GET.
    """
    text = asset.text  # loads the contents when they are not known
    if text is not None:
        return text.encode()
    if asset.document is None or not asset.document.contents:
        asset.refresh(transferables=True)
    assert asset.document is not None
    stored = asset.document.get_of(*ORIGINAL, "fragment.bytes.raw|file.bytes.raw")
    return b"" if stored is None else bytes(json.loads(bytes(stored)))


def check_is_text(asset: Asset, field: str) -> None:
    """Refuse to set a field that images do not have.

    Raises:
        InvalidValueError: the asset is an image.
    """
    if is_image(asset):
        message = f"The {field} of {asset!r} cannot be set, because it is an image: create another asset for a text."
        raise InvalidValueError(message)


def save_text(asset: Asset, text: str, _: Document) -> None:
    """Save the content: POST /format/update/value."""
    original = asset.original
    assert original is not None
    document = original.refresh(transferables=True).raw()
    holder = "file" if document.get("file") else "fragment"
    content = {**(document.get(holder) or {}), "string": {"raw": text}}
    content.pop("bytes", None)
    asset.owner.post(routes.FORMAT_UPDATE_VALUE, {**document, holder: content})


def save_language(asset: Asset, language: str, fresh: Document) -> None:
    """Save the language: POST /asset/reclassify."""
    asset.owner.post(routes.ASSET_RECLASSIFY, {"ext": language, "asset": Raw(fresh.data)})


def save_description(asset: Asset, text: str | None, fresh: Document) -> None:
    """Save the description: change, create or delete the annotation that holds it.

    The server's document tells which annotation that is. Only its text is sent, so edits that the program has made to
    the annotation itself stay unsaved.
    """
    named = fresh.get_where(*DESCRIPTION, "id")
    described = None if named is None else asset.owner.map.ref(Annotation, json.loads(bytes(named)))
    if described is None and text:
        asset.owner.create(Annotation, text, AnnotationType.DESCRIPTION, asset=asset)
    elif described is not None and text:
        described.put({"text": text})
    elif described is not None:
        described.delete()


def to_markdown(asset: Asset) -> str:
    """Return the asset as a page of Markdown: name, description, content, tags and websites.

    Text is put into a fence, an image becomes a picture with its data in the page.

    Requests: those of reading the fields and relations that are not loaded.
    """
    parts = [f"# {asset.name or 'Untitled'}", asset.description, _content_in_markdown(asset)]
    parts.append(" ".join(f"#{tag.text}" for tag in asset.tags))
    parts.append("\n".join(f"- [{site.name}]({site.url})" for site in asset.websites))
    return "\n\n".join(part for part in parts if part) + "\n"


def _content_in_markdown(asset: Asset) -> str:
    """Return text in a fence longer than any inside it, an image as a picture, or the number of other bytes."""
    text = asset.text
    if text is None and is_image(asset):
        mime = mimetypes.guess_type(f"image.{asset.language}")[0] or "application/octet-stream"
        return f"![{asset.name or 'image'}](data:{mime};base64,{b64encode(asset.bytes).decode()})"
    if text is None and asset.bytes:
        return f"({len(asset.bytes):,} bytes of binary data)"
    text = text or ""
    fence = "`" * max(3, 1 + max((len(run) for run in re.findall("`+", text)), default=0))
    return f"{fence}{asset.language or ''}\n{text}\n{fence}"
