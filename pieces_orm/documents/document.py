"""Documents: one material as the server sent it, opened when its first key is read.

A document is kept as the bytes that came, and each key stays an undecoded slice until it is read.
"""

from __future__ import annotations

import logging
import re
import reprlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, TypeVar

import msgspec
from msgspec import Raw

from ..errors import DecodeError

T = TypeVar("T")
_log = logging.getLogger("pieces_orm.documents")

# Levels that are kept of an answer that the decoder cannot read: Python's recursion limit is 1,000 frames, of which the
# program that calls has some.
_MAX_LEVELS = 200
# Bytes of such an answer, which takes half a minute where they are brackets.
_MAX_DEEP_BYTES = 64 * 2**20
# It has a character that texts hardly ever have: looking for one byte costs next to nothing.
_RARE = b"\x7f"
_MARK = b'"%snested too deeply for pieces_orm"' % _RARE
# No pattern for a whole text: a repeated group takes 100 bytes of memory for each character.
_TOKEN = re.compile(rb'\\["\\]|["\[\]{}]')

# Members of a collection that may be odd, besides as many as are not.
MAX_ODD_MEMBERS = 1_000

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
    indices: dict[str, Any] | None = None


read_head = msgspec.json.Decoder(Head).decode
read_page = msgspec.json.Decoder(Page).decode


def id_of(member: bytes | Raw, kind: str) -> str | None:
    """Return the id of a member of a collection; None, with a warning in the log, when it has none.

    Raises:
        MsgspecError: it is not JSON.
    """
    try:
        return read_head(member).id
    except msgspec.ValidationError as error:
        start = bytes(member)[:80].decode("utf-8", "replace")
        _log.warning("A member without an id is left out of %s (%s); it begins %r.", kind or "it", error, start)
        return None


def readable(found: Iterable[T | None], lacking: str = "an id") -> list[T]:
    """Return what was found in the members of a collection; None is a member that cannot be used, and is left out.

    Args:
        found: looked at one by one, so that an answer of nothing else is not read to its end, with a warning for each.
        lacking: the part that such members lack, for the error.

    Raises:
        ValidationError: none of the members can be used, or hardly any: then it is no collection.
    """
    good: list[T] = []
    odd = 0
    for each in found:
        if each is not None:
            good.append(each)
        else:
            odd += 1
            if odd > MAX_ODD_MEMBERS + len(good):
                message = f"Hardly any member has {lacking}"
                raise msgspec.ValidationError(message)
    if odd and not good:
        message = f"No member has {lacking}"
        raise msgspec.ValidationError(message)
    return good


def positions(indices: Mapping[str, Any] | None, kind: str) -> dict[str, int]:
    """Return the positions in the `indices` of a collection; without those that are no numbers, with a warning."""
    odd = {id: position for id, position in (indices or {}).items() if type(position) is not int}
    if odd:
        _log.warning("The index of these %s materials is no number, and is ignored: %s.", kind, reprlib.repr(odd))
    return {id: position for id, position in (indices or {}).items() if id not in odd}


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


def _brackets(data: bytes, start: int = 0) -> Iterator[tuple[int, int]]:
    """Yield the brackets outside of texts: for each the levels that it adds, 1 or -1, and where it ends.

    Raises:
        RecursionError: there is too much to look at.
    """
    if len(data) - start > _MAX_DEEP_BYTES:
        message = f"nested too deeply, in more than {_MAX_DEEP_BYTES:,} bytes"
        raise RecursionError(message)
    in_text = False
    for token in _TOKEN.finditer(data, start):
        if token[0] == b'"':
            in_text = not in_text
        elif not in_text and len(token[0]) == 1:
            yield 1 if token[0] in b"[{" else -1, token.end()


def shortened(data: bytes) -> bytes:
    """Replace the values that are nested too deeply by a mark.

    Raises:
        RecursionError: it is too much to look at.
    """
    parts: list[bytes] = []
    depth = kept = 0
    for levels, end in _brackets(data):
        if levels > 0 and depth == _MAX_LEVELS:
            parts += data[kept : end - 1], _MARK
            kept = len(data)  # unless it ends
        depth += levels
        if levels < 0 and depth == _MAX_LEVELS:
            kept = end
    return b"".join([*parts, data[kept:]])


def is_shortened(data: bytes | Raw) -> bool:
    """Tell whether a value within was replaced by a mark."""
    found = bytes(data)
    return _RARE in found and _MARK in found


def partial_copy(id: str, document: Document, kind: str) -> Document:
    """Make a copy without the keys that hold a mark; what it lacks loads when it is read."""
    keys = {key: raw for key, raw in open_object(document.data).items() if not is_shortened(raw)}
    _log.warning("The %s %s has values that are nested too deeply; they are not read.", kind or "material", id)
    return Document(msgspec.json.encode(keys), complete=False, contents=document.contents)


def read_shortened(decode: Callable[[bytes], T], data: bytes) -> T:
    """Decode an answer, shortened if it has to be."""
    try:
        return decode(data)
    except RecursionError:
        return decode(shortened(data))


def end_of_value(data: bytes, start: int) -> int | None:
    """Return where an object or list ends; None when its end has not come yet.

    Raises:
        RecursionError: it is too much to look at.
    """
    depth = 0
    for levels, end in _brackets(data, start):
        depth += levels
        if depth == 0:
            return end
    return None
