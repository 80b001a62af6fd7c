"""Split a collection into documents while it arrives, so that a large one is never held twice.

A small page is split whole, which costs least. Of a large one, each member is cut out and copied as soon as all of it
is there, and the bytes before it are let go.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator
from typing import Any

import msgspec
from msgspec import Raw

from ..values import Arrivals
from . import answers
from .document import (
    BROKEN,
    Document,
    end_of_value,
    id_of,
    is_shortened,
    malformed,
    partial_copy,
    positions,
    readable,
    shortened,
)  # fmt: skip

# Bytes up to which a page is split whole: to cut out a small member costs as much as all the rest of its way.
WHOLE = 32_000_000

_one_value = msgspec.json.Decoder(Raw).decode
_PLACE = re.compile(r"(?P<trailing>trailing characters)? \(byte (?P<byte>\d+)\)")
_SPACE = re.compile(rb"[ \t\n\r]*")


def read(
    chunks: Iterator[bytes], kind: str, *, contents: bool = True, progress: Arrivals | None = None
) -> list[tuple[str, Document]]:
    """Return the ids and documents of a collection's members, without decoding them; for those left out see `split`.

    Raises:
        DecodeError: it is not JSON, or not a collection.
    """
    begun: list[bytes] = []
    size = 0
    for chunk in chunks:
        begun.append(chunk)
        size += len(chunk)
        if size > WHOLE and _can_cut():
            data, start, begun = b"".join(begun), begun[0][:80], []
            cutter = _Cutter(data, chunks, kind, contents, progress)
            try:
                return cutter.members()
            except BROKEN as error:
                if error is cutter.raised:
                    raise  # what `progress` raises is its own
                raise malformed(start, kind, "", error) from error
    members = answers.split(b"".join(begun), kind, contents=contents)
    if progress is not None:
        progress(len(members), len(members))
    return members


@functools.cache
def _can_cut() -> bool:
    """Tell whether the decoder reports where a value ends; where it does not, pages are split whole."""
    return _end_of(b'["a", {}] ,', 0) == len(b'["a", {}] ') and _end_of(b'["a', 0) is None


def _end_of(data: bytes, start: int) -> int | None:
    """Where the text after a value begins; None when the value, or what follows it, has not come yet.

    Raises:
        MsgspecError: this is no JSON.
    """
    try:
        _one_value(memoryview(data)[start:])
    except msgspec.DecodeError as error:
        place = _PLACE.search(str(error))
        if place is not None and place["trailing"]:
            return start + int(place["byte"]) - 1
        # A number that is cut in two is called malformed at the end of what there is.
        if place is not None and start + int(place["byte"]) < len(data):
            raise
    except RecursionError:
        return end_of_value(data, start)
    return None


class _Cutter:
    """The rest of a page, and the chunks that are still to come."""

    def __init__(
        self, data: bytes, chunks: Iterator[bytes], kind: str, contents: bool, progress: Arrivals | None
    ) -> None:
        self._data = data
        self._at = 0
        self._chunks = chunks
        self._kind = kind
        self._contents = contents
        self._progress = progress
        self._members: list[tuple[str, Document]] = []
        self.raised: BaseException | None = None

    def members(self) -> list[tuple[str, Document]]:
        """Cut the page's members out, but for those that its `indices` call gone; of duplicate keys the last counts."""
        members: list[tuple[str, Document]] | None = None
        indices: dict[str, int] = {}
        for key in self._keys():
            if key == "iterable":
                members = self._members = []
                readable(self._cut_member() for _ in self._items(b"[", b"]"))
            elif key == "indices":
                indices = positions(msgspec.json.decode(self._value(), type=dict[str, Any] | None), self._kind)
            else:
                self._value()
        if members is None:
            message = "Object missing required field `iterable`"
            raise msgspec.ValidationError(message)
        gone = {id for id, position in indices.items() if position < 0}
        members = [(id, document) for id, document in members if id not in gone]
        self._tell(len(members), len(members))
        return members

    def _tell(self, done: int, total: int | None) -> None:
        if self._progress is not None:
            try:
                self._progress(done, total)
            except BaseException as error:
                self.raised = error
                raise

    def _keys(self) -> Iterator[str]:
        for _ in self._items(b"{", b"}"):
            key = msgspec.json.decode(self._value(), type=str)
            self._take(b":")
            yield key
        if self._next():
            message = f"JSON is malformed: {self._next()!r} after the end of the page"
            raise msgspec.DecodeError(message)

    def _items(self, opening: bytes, closing: bytes) -> Iterator[None]:
        """Stop at each member of an object or list; who iterates takes it."""
        self._take(opening)
        if self._next() != closing:
            yield
            while self._next() != closing:
                self._take(b",")
                yield
        self._take(closing)

    def _cut_member(self) -> str | None:
        """Cut one member out and keep it, unless it has no id; return its id."""
        data = self._value()
        try:
            id = id_of(data, self._kind)
        except RecursionError:
            data = shortened(data)
            id = id_of(data, self._kind)
        if id is not None:
            document = Document(data, contents=self._contents)
            is_short = is_shortened(data)
            self._members.append((id, partial_copy(id, document, self._kind) if is_short else document))
        return id

    def _value(self) -> bytes:
        """Take the next value, however much has to come for it."""
        self._next()
        while (end := _end_of(self._data, self._at)) is None:
            self._more()
        found = self._data[self._at : end]
        self._at = end
        return found.rstrip()

    def _next(self) -> bytes:
        """Return the next byte that is no space; none at the end of the page."""
        while True:
            self._at = _space(self._data, self._at)
            if self._at < len(self._data):
                return self._data[self._at : self._at + 1]
            chunk = self._chunk()
            if chunk is None:
                return b""
            self._data, self._at = chunk, 0

    def _take(self, wanted: bytes) -> None:
        found = self._next()
        if found != wanted:
            message = f"JSON is malformed: {wanted.decode()} was expected, not {found!r}"
            raise msgspec.DecodeError(message)
        self._at += 1

    def _chunk(self) -> bytes | None:
        self._tell(len(self._members), None)
        return next(self._chunks, None)

    def _more(self) -> None:
        # As much again as there is: the next attempt begins at the beginning of the value.
        parts = [self._data[self._at :]]
        size, wanted = 0, max(1, len(parts[0]))
        while size < wanted and (chunk := self._chunk()) is not None:
            parts.append(chunk)
            size += len(chunk)
        if not size:
            message = "Input data was truncated"
            raise msgspec.DecodeError(message)
        self._data, self._at = b"".join(parts), 0


def _space(data: bytes, at: int) -> int:
    found = _SPACE.match(data, at)
    assert found is not None  # the pattern matches nothing, too
    return found.end()
