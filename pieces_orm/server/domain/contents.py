"""The contents of a format: text or bytes, in a fragment or a file, in one of the wire's four spellings."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from typing import Any, Literal
from urllib.parse import unquote_to_bytes

from attrs import frozen

from ..request_errors import RequestError

_SPELLINGS = ("raw", "base64", "base64_url", "data_url")


@frozen
class Contents:
    """The contents of a seed's format, decoded and as they were sent.

    `text` is None when they are not text. `sent` is the object with the spelling, under `holder` and then `shape`;
    `further` are other keys of the holder, kept as they came.
    """

    holder: Literal["fragment", "file"]
    shape: Literal["string", "bytes"]
    sent: Mapping[str, Any]
    further: Mapping[str, Any]
    metadata: Mapping[str, Any]
    text: str | None
    data: bytes

    @property
    def size(self) -> dict[str, Any]:
        """The size as a ByteDescriptor, in bytes and for people."""
        size: float = len(self.data)
        for unit in ("B", "KB", "MB"):
            if size < 1024:
                return {"value": len(self.data), "readable": f"{size:.0f} {unit}"}
            size /= 1024
        return {"value": len(self.data), "readable": f"{size:.1f} GB"}

    def stored(self, ext: str) -> dict[str, Any]:
        """Build the format's own key for these contents; text is always stored as a fragment's `raw`."""
        if self.text is None and self.holder == "file":
            metadata = {"metadata": dict(self.metadata)} if self.metadata else {}
            return {"file": {**self.further, self.shape: self.sent, **metadata}}
        content = {self.shape: self.sent} if self.text is None else {"string": {"raw": self.text}}
        return {"fragment": {**self.further, **content, "metadata": {**self.metadata, "ext": ext}}}

    def redrafted(self, format: Mapping[str, Any], ext: str) -> dict[str, Any]:
        """Build a draft's format: the one that was sent, with the language that was found."""
        fragment = format.get("fragment") or {"string": {"raw": self.text}}
        metadata = {**(fragment.get("metadata") or {}), "ext": ext}
        kept = {key: value for key, value in format.items() if key != "file"}
        return {**kept, "fragment": {**fragment, "metadata": metadata}}


def contents_of(format: Mapping[str, Any]) -> Contents:
    """Decode the contents of a format or of a seed's format.

    Raises:
        RequestError: 400, unless there is exactly one of fragment and file, with exactly one of string and bytes.
    """
    holder = _only(format, ("fragment", "file"), "The format")
    held = format[holder]
    shape = _only(held, ("string", "bytes"), f"The {holder}")
    sent = held[shape]
    spelling = _only(sent, _SPELLINGS, f"The {shape} of the {holder}")
    value = sent[spelling]
    metadata = held.get("metadata") or {}
    if not isinstance(metadata, Mapping):
        raise RequestError(400, f"The metadata of the {holder} must be a JSON object.")
    data = _decoded(value, spelling, shape)
    # Plain text is text, whatever characters it has.
    text = value if (shape, spelling) == ("string", "raw") else _text(data)
    further = {key: each for key, each in held.items() if key not in {"string", "bytes", "metadata"}}
    return Contents(holder, shape, sent, further, metadata, text, data)


def _only(within: Any, names: tuple[str, ...], where: str) -> Any:
    """Return the one of `names` that is given."""
    given = [name for name in names if isinstance(within, Mapping) and within.get(name) is not None]
    if len(given) != 1:
        count = "none" if not given else " and ".join(given)
        raise RequestError(400, f"{where} needs exactly one of {', '.join(names)}; it has {count}.")
    return given[0]


def _decoded(value: Any, spelling: str, shape: str) -> bytes:
    """Decode what was sent: a list of numbers under `bytes`, a text under `string`."""
    if shape == "bytes":
        try:
            encoded = bytes(value)
        except (TypeError, ValueError):
            raise RequestError(400, "bytes must be a list of numbers from 0 to 255.") from None
    elif isinstance(value, str):
        encoded = value.encode("utf-8", "surrogatepass")
    else:
        raise RequestError(400, f"{spelling} of a string must be text.")
    try:
        if spelling == "base64":
            return base64.b64decode(encoded, validate=True)
        if spelling == "base64_url":
            return base64.urlsafe_b64decode(encoded + b"=" * (-len(encoded) % 4))
        if spelling == "data_url":
            head, _, body = encoded.partition(b",")
            return base64.b64decode(body) if head.endswith(b";base64") else unquote_to_bytes(body)
    except (binascii.Error, ValueError) as error:
        raise RequestError(400, f"{spelling} cannot be decoded: {error}.") from None
    return encoded


def _text(data: bytes) -> str | None:
    """Decode bytes as text, None when they are not text."""
    if b"\0" in data:
        return None
    try:
        return data.decode()
    except UnicodeDecodeError:
        return None
