"""Wire documents: split a page, read one key, put edits back.

A document is kept as the bytes that came. Its top level is opened when the first key is read, and each key stays an
undecoded slice until somebody asks for it; what nobody asks for goes back to the server byte for byte.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, TypeVar

import msgspec
from msgspec import Raw

from .conversion import encoded, structure, without_removed
from .errors import DecodeError
from .values import Patch

T = TypeVar("T")

# What reading broken JSON comes to: malformed, no UTF-8, nested too deeply.
BROKEN = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)

_open = msgspec.json.Decoder(dict[str, Raw]).decode


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
            DecodeError: one of them is no text; the answer was not opened when it came.
        """
        if self._keys is None:
            self.open("", "")
        assert self._keys is not None
        return self._keys

    def open(self, kind: str, id: str) -> None:
        """Look at the keys; kind and id are for the error."""
        try:
            self._keys = _open(self.data)
        except BROKEN as error:
            raise malformed(self.data, kind, id, error) from error

    @property
    def is_unopened(self) -> bool:
        """Whether no key was asked for yet."""
        return self._keys is None

    def get_key(self, key: str) -> Raw | None:
        """The slice of a top-level key; None when it is absent or null."""
        found = (self._keys or self.keys).get(key)
        return None if found is None or found == _NULL else found

    def get(self, path: str) -> Raw | None:
        """The slice at a dotted path, or at the first of several with | between; None when it is absent or null."""
        if "|" in path:
            return next((found for each in path.split("|") if (found := self.get(each)) is not None), None)
        keys = self.keys
        *parents, last = path.split(".")
        for parent in parents:
            raw = keys.get(parent)
            if raw is None or not bytes(raw).startswith(b"{"):
                return None
            keys = _open(raw)
        found = keys.get(last)
        return None if found is None or found == _NULL else found

    def get_of(self, reference: str, collection: str, path: str) -> Raw | None:
        """The slice at a path inside the member that a reference names.

        It is looked for in the reference's own copy, else in the member of the collection with that id.
        """
        named, copy = self.get(reference), self.get(f"{reference}.reference")
        found = None if copy is None else Document(bytes(copy)).get(path)
        if found is not None or named is None:
            return found
        return self.get_where(collection, "id", reference_id(named), path)

    def get_where(self, collection: str, key: str, value: str, path: str) -> Raw | None:
        """The slice at a path inside the first member of a collection whose key has this text."""
        members = self.get(collection)
        copies = () if members is None else (Document(bytes(raw)) for raw in _page(members).iterable)
        wanted = Raw(msgspec.json.encode(value))
        return next((copy.get(path) for copy in copies if copy.get(key) == wanted), None)


_NULL = Raw(b"null")
# The keys of a reference that carries no copy.
_BARE = {"id", "schema", "reference"}


class _Head(msgspec.Struct):
    id: str


class _Page(msgspec.Struct):
    iterable: list[Raw]
    indices: dict[str, int] | None = None


class _Members(msgspec.Struct):
    iterable: list[_Head] = []
    indices: dict[str, int] | None = None


class _Copy(msgspec.Struct):
    id: str
    reference: Raw = Raw()


class _Copies(msgspec.Struct):
    iterable: list[Raw] | None = None


_head = msgspec.json.Decoder(_Head).decode
_page = msgspec.json.Decoder(_Page).decode
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
        found = _head(data).id
    except BROKEN as error:
        raise malformed(data, kind, id or "", error) from error
    document.open(kind, found)
    if id is not None and found != id:
        message = f"The server was asked for {kind} {id} and sent {found}."
        raise DecodeError(message, kind=kind, id=id, field="id", value=found)
    return found, document


def plain(document: Document, kind: str, id: str) -> dict[str, Any]:
    """The whole document as plain Python data.

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
        page = _page(data)
        gone = {id for id, position in (page.indices or {}).items() if position < 0}
        items = [(_head(raw).id, raw) for raw in page.iterable]
    except BROKEN as error:
        raise malformed(bytes(data), kind, "", error) from error
    # A slice of the page would keep the whole page alive: each document owns a copy.
    return [(id, Document(bytes(raw), contents=contents)) for id, raw in items if id not in gone]


def one_key(data: bytes, key: str, kind: str) -> Raw:
    """One key of an answer that has to have it.

    Raises:
        DecodeError: it is no JSON object, or has no such key.
    """
    found = optional_key(data, key, kind)
    if found is None:
        raise malformed(data, kind, "", KeyError(key), key)
    return found


def optional_key(data: bytes, key: str, kind: str) -> Raw | None:
    """One key of an answer, None when it is absent or null.

    Raises:
        DecodeError: it is no JSON object.
    """
    document = Document(data)
    document.open(kind, "")
    try:
        return document.get(key)
    except BROKEN as error:
        raise malformed(data, kind, "", error) from error


def first_of(data: bytes, kind: str) -> bytes:
    """The first member of an answer that is a collection.

    Raises:
        DecodeError: it is no collection, or an empty one.
    """
    members = split(data, kind)
    if not members:
        raise malformed(data, kind, "", ValueError("the collection is empty"))
    return members[0][1].data


def member_ids(raw: bytes | Raw, kind: str = "", id: str = "", field: str = "") -> tuple[str, ...]:
    """The ids that a relation names, in order; `indices` below zero says that a member is gone.

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


def reference_id(raw: Raw, kind: str = "", id: str = "", field: str = "") -> str:
    """The id that a to-one relation names: a text, or an object with an id.

    Raises:
        DecodeError: it is neither.
    """
    try:
        value = msgspec.json.decode(raw, type=str | _Head)
    except BROKEN as error:
        raise malformed(bytes(raw), kind, id, error, field) from error
    return value if isinstance(value, str) else value.id


def nested(raw: Raw, *, contents: bool = True) -> list[tuple[str, Document]]:
    """The nested copies inside a relation: whole documents, or the `reference` of a reference.

    Raises:
        DecodeError: the slice is no relation.
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
        items = [raw] if "id" in _open(raw) else []
    for item in items:
        found = _copy(item)
        body = bytes(item) if bytes(found.reference) in (b"", b"null") else bytes(found.reference)
        if _open(body).keys() - _BARE and _head(body).id == found.id:
            yield found.id, Document(body, complete=False, contents=contents)


def merge(document: Document, edits: Mapping[str, Any]) -> bytes:
    """The document with other values at some (dotted) paths; every other byte goes back as it came.

    An edit that is a JSON object is put over the object that is there: keys it does not know survive.
    """
    keys = dict(document.keys)
    for path, value in edits.items():
        head, *rest = path.split(".")
        nested_value = value
        for name in reversed(rest):
            nested_value = {name: nested_value}
        keys[head] = Raw(_put_over(keys.get(head), nested_value))
    return msgspec.json.encode(keys)


def _put_over(raw: Raw | None, value: Any) -> bytes:
    """Encode a value over what stands there, so that object keys unknown to the value survive."""
    if not isinstance(value, dict) or raw is None or not bytes(raw).startswith(b"{"):
        return encoded(without_removed(value))
    keys = _open(raw)
    for name, item in value.items():
        if item is None and isinstance(value, Patch):
            keys.pop(name, None)
        else:
            keys[name] = Raw(_put_over(keys.get(name), item))
    return msgspec.json.encode(keys)


def id_of(data: bytes | Raw) -> str:
    """The id of a document.

    Raises:
        MsgspecError: it is no JSON object, or has no id.
    """
    return _head(data).id


def malformed(data: bytes, kind: str, id: str, error: Exception, field: str = "") -> DecodeError:
    """The error for an answer that cannot be read."""
    start = data[:80].decode("utf-8", "replace")
    of = " ".join(part for part in (kind, id, field) if part) or "the answer"
    hint = " It looks like a web page: is this address a Pieces server?" if start.lstrip()[:1] == "<" else ""
    message = f"What the server sent for {of} cannot be read ({error}); it begins {start!r}.{hint}"
    return DecodeError(message, kind=kind, id=id, field=field, value=start)


def association_rows(data: bytes, owner_key: str, other_key: str) -> list[tuple[str, str]]:
    """The pairs of ids in an answer of an association family.

    Raises:
        DecodeError: it is no collection of associations, or the server has left some out.
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
    """The members of a collection as values.

    Raises:
        DecodeError: the answer is not a collection of such values.
    """
    try:
        items: Iterable[Any] = msgspec.json.decode(data)[name]
        return [structure(item, cls) for item in items]
    except (*BROKEN, ValueError, TypeError, KeyError) as error:
        raise malformed(data, kind, "", error) from error
