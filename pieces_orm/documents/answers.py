"""Check answers of the server and take them apart: one material, a collection, a relation, one key."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, TypeVar

import msgspec
from msgspec import Raw

from ..errors import DecodeError
from .decoding import structure
from .document import (
    BROKEN,
    MAX_ODD_MEMBERS,
    Document,
    Head,
    id_of,
    is_shortened,
    malformed,
    open_object,
    partial_copy,
    positions,
    read_head,
    read_page,
    read_shortened,
    readable,
    shortened,
)  # fmt: skip

T = TypeVar("T")
_log = logging.getLogger("pieces_orm.documents")
# The keys of a reference that carries no copy.
_BARE = {"id", "schema", "reference"}


class _Members(msgspec.Struct):
    iterable: list[Head] = []
    indices: dict[str, int] | None = None


class _LooseMembers(msgspec.Struct):
    iterable: list[Raw] = []
    indices: dict[str, Any] | None = None


class _Copy(msgspec.Struct):
    id: str
    reference: Raw = Raw()


class _Copies(msgspec.Struct):
    iterable: list[Raw] | None = None


_members = msgspec.json.Decoder(_Members).decode
_loose_members = msgspec.json.Decoder(_LooseMembers).decode
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
    if is_shortened(data):
        document = partial_copy(found, document, kind)
    if id is not None and found != id:
        message = f"The server was asked for {kind} {id} and sent {found[:80]}."
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

    A member whose `indices` position is below zero is gone and left out; so is one without an id, with a warning. One
    that is nested too deeply comes as a partial copy.

    Raises:
        DecodeError: it is not JSON, or not a collection.
    """
    try:
        try:
            members = _members_of(data, kind)
            is_short = isinstance(data, Raw) and is_shortened(data)
        except RecursionError:
            members, is_short = _members_of(shortened(bytes(data)), kind), True
    except BROKEN as error:
        raise malformed(bytes(data), kind, "", error) from error
    # A slice of the page would keep the whole page alive: each document owns a copy.
    found = [(id, Document(bytes(raw), contents=contents)) for id, raw in members]
    if not is_short:
        return found
    return [(id, partial_copy(id, each, kind) if is_shortened(each.data) else each) for id, each in found]


def _members_of(data: bytes | Raw, kind: str) -> list[tuple[str, Raw]]:
    page = read_page(data)
    gone = {id for id, position in positions(page.indices, kind).items() if position < 0}
    members = readable(None if (id := id_of(raw, kind)) is None else (id, raw) for raw in page.iterable)
    return [(id, raw) for id, raw in members if id not in gone]


class ItemError(msgspec.Struct):
    """The reason why one item of a request for several failed."""

    status: int
    message: str


class Result(msgspec.Struct):
    """The outcome of one item of a request for several: its document, or an error; neither where there is nothing."""

    document: Raw = Raw()
    existing: bool = False
    error: ItemError | None = None


class _Results(msgspec.Struct):
    results: list[Result | None]


def results(data: bytes, kind: str, number: int) -> list[Result]:
    """Return the results of a request for so many items.

    Raises:
        DecodeError: the answer is something else, or has another number of results.
    """
    try:
        found = msgspec.json.decode(data, type=_Results).results
    except BROKEN as error:
        raise malformed(data, kind, "", error, "results") from error
    if len(found) != number:
        raise malformed(data, kind, "", ValueError(f"{len(found)} results for {number} items"), "results")
    return [each or Result() for each in found]


def one_key(data: bytes, key: str, kind: str) -> Raw:
    """One key of an answer that has to have it.

    Raises:
        DecodeError: it is not a JSON object, or has no such key.
    """
    found = optional_key(data, key, kind)
    if found is None:
        raise malformed(data, kind, "", KeyError(key), key)
    return found


def number(data: bytes, key: str, kind: str) -> int:
    """Return the whole number at one key of an answer that has to have it.

    Raises:
        DecodeError: it is not a JSON object, or has no such number.
    """
    found = one_key(data, key, kind)
    try:
        return msgspec.json.decode(found, type=int)
    except BROKEN as error:
        raise malformed(data, kind, "", error, key) from error


def first_key(data: bytes, keys: Sequence[str], kind: str) -> Raw:
    """Return one key of an answer: the first of several spellings that it has.

    Raises:
        DecodeError: it is not a JSON object, or has none of them.
    """
    found = (optional_key(data, key, kind) for key in keys)
    first = next((each for each in found if each is not None), None)
    return one_key(data, keys[0], kind) if first is None else first


def optional_key(data: bytes, key: str, kind: str) -> Raw | None:
    """One key of an answer, None when it is absent or null.

    Raises:
        DecodeError: it is not a JSON object.
    """
    try:
        found = read_shortened(open_object, data).get(key)
    except BROKEN as error:
        raise malformed(data, kind, "", error) from error
    return None if found is None or bytes(found) == b"null" else found


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

    Members without an id and indices that are no numbers are left out, with a warning in the log.

    Raises:
        DecodeError: the slice is not a collection.
    """
    try:
        listed, indices = _listed(raw, " ".join(part for part in (kind, field) if part))
    except BROKEN as error:
        raise malformed(bytes(raw), kind, id, error, field) from error
    known = dict.fromkeys(listed)
    known.update(dict.fromkeys(sorted((i for i in indices if i not in known), key=indices.__getitem__)))
    return tuple(id for id in known if indices.get(id, 0) >= 0)


def listed_ids(data: bytes, kind: str) -> tuple[str, ...]:
    """Return the ids in an answer that lists all of a kind, as `member_ids` does.

    Raises:
        DecodeError: it is not a collection: it has no list of members, so that it says nothing of what there is.
    """
    try:
        try:
            read_page(data)
        except RecursionError:
            data = shortened(data)
    except BROKEN as error:
        raise malformed(data, kind, "", error) from error
    return member_ids(data, kind)


def _listed(raw: bytes | Raw, kind: str) -> tuple[list[str], dict[str, int]]:
    """Return the ids of a relation's members and its indices, in C where all of them are as they should be."""
    try:
        members = _members(raw)
    except msgspec.ValidationError:
        loose = _loose_members(raw)
        ids = readable(id_of(member, kind) for member in loose.iterable)
        return ids, positions(loose.indices, kind)
    return [head.id for head in members.iterable], members.indices or {}


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
    odd = 0
    for item in items:
        if id_of(item, "nested") is None:
            odd += 1
            if odd > MAX_ODD_MEMBERS:
                message = "Hardly any nested copy has an id"
                raise msgspec.ValidationError(message)
            continue
        found = _copy(item)
        body = bytes(item) if bytes(found.reference) in (b"", b"null") else bytes(found.reference)
        if body.startswith(b"{") and open_object(body).keys() - _BARE and id_of(body, "nested") == found.id:
            yield found.id, Document(body, complete=False, contents=contents)


def association_rows(
    data: bytes, owner_keys: Sequence[str], other_keys: Sequence[str]
) -> tuple[list[tuple[str, str]], int]:
    """Return the pairs of ids in an answer of an association family, and the number of its rows.

    A row that names no pair is left out of the pairs, with a warning in the log.

    Args:
        owner_keys, other_keys: the keys under which a row may have the two ids, the likeliest first.

    Raises:
        DecodeError: it is not a collection of associations, none of them names a pair, or the server left some out.
    """
    try:
        answer = msgspec.json.decode(data, type=dict[str, Any])
        rows = answer["iterable"]
        pairs = readable((_pair(row, owner_keys, other_keys) for row in rows), "two ids")
    except (*BROKEN, ValueError, TypeError, KeyError) as error:
        raise malformed(data, "association", "", error) from error
    if answer.get("truncated"):
        raise malformed(data, "association", "", ValueError("the server has left some owners out"))
    return pairs, len(rows)


def _pair(row: Any, owner_keys: Sequence[str], other_keys: Sequence[str]) -> tuple[str, str] | None:
    owner, other = _id_at(row, owner_keys), _id_at(row, other_keys)
    if owner is None or other is None:
        _log.warning("An association without two ids is left out of the server's answer: %.200r.", row)
        return None
    return owner, other


def _id_at(row: Any, keys: Sequence[str]) -> str | None:
    """Return an id in a row: as Pieces OS writes it, a plain text, or that of an object."""
    for key in keys if isinstance(row, dict) else ():
        end = row.get(key)
        id = end.get("id") if isinstance(end, dict) else end
        if isinstance(id, str) and id:
            return id
    return None


def values_of(data: bytes, cls: type[T], kind: str, name: str = "iterable") -> list[T]:
    """Return the members of a collection as values; without those that cannot be read, with a warning.

    Raises:
        DecodeError: the answer is not a collection, or one without any such value.
    """
    try:
        items: Iterable[Any] = msgspec.json.decode(data)[name]
        return readable((_value_of(item, cls, kind) for item in items), "all that it needs")
    except (*BROKEN, ValueError, TypeError, KeyError) as error:
        raise malformed(data, kind, "", error) from error


def _value_of(item: Any, cls: type[T], kind: str) -> T | None:
    try:
        return structure(item, cls)
    except (*BROKEN, ValueError, TypeError, KeyError) as error:
        _log.warning("A %s is left out of the server's answer (%s): %.200r.", kind, error, item)
        return None
