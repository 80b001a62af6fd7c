"""Documents: one material as the server sent it, opened when its first key is read.

A document is kept as the bytes that came, and each key stays an undecoded slice until it is read.
"""

from __future__ import annotations

import msgspec
from msgspec import Raw

from ..errors import DecodeError

# Errors of reading broken JSON: malformed, not UTF-8, nested too deeply.
BROKEN = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)

open_object = msgspec.json.Decoder(dict[str, Raw]).decode


class Document(msgspec.Struct, eq=False, gc=False):
    """One material as the server sent it.

    `complete` is False for a nested copy, which may lack fields; `contents` is False when it was asked for without
    contents (`transferables=False`).
    """

    data: bytes
    complete: bool = True
    contents: bool = True
    _keys: dict[str, Raw] | None = None

    @property
    def keys(self) -> dict[str, Raw]:
        """The top-level keys, each as an undecoded slice.

        Raises:
            DecodeError: one of them is not text; the document was not opened when it came.
        """
        if self._keys is None:
            self.open("", "")
        assert self._keys is not None
        return self._keys

    def open(self, kind: str, id: str) -> None:
        """Look at the keys; kind and id are for the error."""
        try:
            self._keys = open_object(self.data)
        except BROKEN as error:
            raise malformed(self.data, kind, id, error) from error

    @property
    def is_unopened(self) -> bool:
        """True if no key was asked for yet."""
        return self._keys is None

    def get_key(self, key: str) -> Raw | None:
        """Return the slice of a top-level key; None when it is absent or null."""
        found = (self._keys or self.keys).get(key)
        return None if found is None or found == _NULL else found

    @property
    def updated(self) -> bytes | None:
        """The slice of the time of `updated`, by which the echo of a write is recognised."""
        # Not of its `readable`, which ages.
        found = self.get("updated.value|updated")
        return None if found is None else bytes(found)

    def get(self, path: str) -> Raw | None:
        """Return slice at a dotted path, or at the first of several with | between; None when it is absent or null."""
        if "|" in path:
            return next((found for each in path.split("|") if (found := self.get(each)) is not None), None)
        keys = self.keys
        *parents, last = path.split(".")
        for parent in parents:
            raw = keys.get(parent)
            if raw is None or not bytes(raw).startswith(b"{"):
                return None
            keys = open_object(raw)
        found = keys.get(last)
        return None if found is None or found == _NULL else found


_NULL = Raw(b"null")


class Head(msgspec.Struct):
    """The id of a document."""

    id: str


class Page(msgspec.Struct):
    """A collection, its members undecoded."""

    iterable: list[Raw]
    indices: dict[str, int] | None = None


read_head = msgspec.json.Decoder(Head).decode
read_page = msgspec.json.Decoder(Page).decode


def reference_id(raw: Raw, kind: str = "", id: str = "", field: str = "") -> str:
    """Return the id that a to-one relation names: a text, or an object with an id.

    Raises:
        DecodeError: it is neither.
    """
    try:
        value = msgspec.json.decode(raw, type=str | Head)
    except BROKEN as error:
        raise malformed(bytes(raw), kind, id, error, field) from error
    return value if isinstance(value, str) else value.id


def malformed(data: bytes, kind: str, id: str, error: Exception, field: str = "") -> DecodeError:
    """Return the error for an answer that cannot be read."""
    start = data[:80].decode("utf-8", "replace")
    of = " ".join(part for part in (kind, id, field) if part) or "the answer"
    hint = " It looks like a web page: is this address a Pieces server?" if start.lstrip()[:1] == "<" else ""
    message = f"The answer of the server for {of} cannot be read ({error}); it begins {start!r}.{hint}"
    return DecodeError(message, kind=kind, id=id, field=field, value=start)
