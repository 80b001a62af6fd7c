"""Check answers of the server and take them apart: one material, a collection, a relation, one key."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, TypeVar

import msgspec
from msgspec import Raw

from ..errors import DecodeError
from .decoding import structure
from .document import BROKEN, Document, Head, malformed, open_object, read_head, read_page

T = TypeVar("T")
# The keys of a reference that carries no copy.
_BARE = {"id", "schema", "reference"}


class _Members(msgspec.Struct):
    iterable: list[Head] = []
    indices: dict[str, int] | None = None


class _Copy(msgspec.Struct):
    id: str
    reference: Raw = Raw()


class _Copies(msgspec.Struct):
    iterable: list[Raw] | None = None


_members = msgspec.json.Decoder(_Members).decode
_copy = msgspec.json.Decoder(_Copy).decode
_copies = msgspec.json.Decoder(_Copies).decode


def one(data: bytes, kind: str, id: str | None = None, *, contents: bool = True) -> tuple[str, Document]:
    """Check an answer that has to be one material, and return its id and document.

    Raises:
        DecodeError: it is not JSON, not an object, has no id, or another id than the one asked for.
    """
    document = Document(data, contents=contents)
    try:
        found = read_head(data).id
    except BROKEN as error:
        raise malformed(data, kind, id or "", error) from error
    document.open(kind, found)
    if id is not None and found != id:
        message = f"The server was asked for {kind} {id} and sent {found}."
        raise DecodeError(message, kind=kind, id=id, field="id", value=found)
    return found, document


def plain(document: Document, kind: str, id: str) -> dict[str, Any]:
    """Return the whole document as plain Python data.

    Raises:
        DecodeError: there is something in it that cannot be read.
    """
    try:
        data: dict[str, Any] = msgspec.json.decode(document.data)
    except BROKEN as error:
        raise malformed(document.data, kind, id, error) from error
    return data


def split(data: bytes | Raw, kind: str, *, contents: bool = True) -> list[tuple[str, Document]]:
    """Split a collection into the ids and documents of its members, without decoding them.

    A member whose `indices` position is below zero is gone and left out.

    Raises:
        DecodeError: it is not JSON, or not a collection of documents with ids.
    """
    try:
        page = read_page(data)
        gone = {id for id, position in (page.indices or {}).items() if position < 0}
        items = [(read_head(raw).id, raw) for raw in page.iterable]
    except BROKEN as error:
        raise malformed(bytes(data), kind, "", error) from error
    # A slice of the page would keep the whole page alive: each document owns a copy.
    return [(id, Document(bytes(raw), contents=contents)) for id, raw in items if id not in gone]


def one_key(data: bytes, key: str, kind: str) -> Raw:
    """One key of an answer that has to have it.

    Raises:
        DecodeError: it is not a JSON object, or has no such key.
    """
    found = optional_key(data, key, kind)
    if found is None:
        raise malformed(data, kind, "", KeyError(key), key)
    return found


def optional_key(data: bytes, key: str, kind: str) -> Raw | None:
    """One key of an answer, None when it is absent or null.

    Raises:
        DecodeError: it is not a JSON object.
    """
    document = Document(data)
    document.open(kind, "")
    try:
        return document.get(key)
    except BROKEN as error:
        raise malformed(data, kind, "", error) from error


def first_of(data: bytes, kind: str) -> bytes:
    """Return the first member of an answer that is a collection.

    Raises:
        DecodeError: it is not a collection, or an empty one.
    """
    members = split(data, kind)
    if not members:
        raise malformed(data, kind, "", ValueError("the collection is empty"))
    return members[0][1].data


def member_ids(raw: bytes | Raw, kind: str = "", id: str = "", field: str = "") -> tuple[str, ...]:
    """Return the ids that a relation names, in order; `indices` below zero says that a member is gone.

    Raises:
        DecodeError: the slice is not a collection.
    """
    try:
        members = _members(raw)
    except BROKEN as error:
        raise malformed(bytes(raw), kind, id, error, field) from error
    indices = members.indices or {}
    listed = [head.id for head in members.iterable]
    known = dict.fromkeys(listed)
    known.update(dict.fromkeys(sorted((i for i in indices if i not in known), key=indices.__getitem__)))
    return tuple(id for id in known if indices.get(id, 0) >= 0)


def nested(raw: Raw, *, contents: bool = True) -> list[tuple[str, Document]]:
    """Return the nested copies inside a relation: whole documents, or the `reference` of a reference.

    Raises:
        DecodeError: the slice is not a relation.
    """
    try:
        return list(_nested(raw, contents=contents))
    except BROKEN as error:
        raise malformed(bytes(raw), "", "", error) from error


def _nested(raw: Raw, *, contents: bool) -> Iterator[tuple[str, Document]]:
    if bytes(raw).startswith(b'"'):
        return
    items = _copies(raw).iterable
    if items is None:
        items = [raw] if "id" in open_object(raw) else []
    for item in items:
        found = _copy(item)
        body = bytes(item) if bytes(found.reference) in (b"", b"null") else bytes(found.reference)
        if open_object(body).keys() - _BARE and read_head(body).id == found.id:
            yield found.id, Document(body, complete=False, contents=contents)


def association_rows(data: bytes, owner_key: str, other_key: str) -> list[tuple[str, str]]:
    """Return the pairs of ids in an answer of an association family.

    Raises:
        DecodeError: it is not a collection of associations, or the server has left some out.
    """
    try:
        answer = msgspec.json.decode(data, type=dict[str, Any])
        pairs = [(row[owner_key]["id"], row[other_key]["id"]) for row in answer["iterable"]]
    except (*BROKEN, ValueError, TypeError, KeyError) as error:
        raise malformed(data, "association", "", error) from error
    if answer.get("truncated"):
        raise malformed(data, "association", "", ValueError("the server has left some owners out"))
    return pairs


def values_of(data: bytes, cls: type[T], kind: str, name: str = "iterable") -> list[T]:
    """Return the members of a collection as values.

    Raises:
        DecodeError: the answer is not a collection of such values.
    """
    try:
        items: Iterable[Any] = msgspec.json.decode(data)[name]
        return [structure(item, cls) for item in items]
    except (*BROKEN, ValueError, TypeError, KeyError) as error:
        raise malformed(data, kind, "", error) from error
