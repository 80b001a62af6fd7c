"""The fields of an asset that stand in other documents, and are saved by other endpoints than the update route.

Text, language and classification are those of the format that the asset was made with; the description is an
annotation.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from typing import Any, ClassVar

import attrs
import msgspec
from msgspec import Raw

from ..documents import answers, decoding, merging
from ..documents.document import BROKEN, Document, malformed, reference_id
from ..errors import DecodeError, InvalidValueError
from ..model.record import Record, known_value
from ..orm import commands, creating, persistence, reading, relation_loading
from ..orm.context import Context
from ..orm.persistence import CompletedField, EndpointField
from ..values import AnnotationType, GenericClassification
from ..values.languages import as_language, spellings
from ..wire import kinds, routes
from .annotation import Annotation

_DESCRIPTION = AnnotationType.DESCRIPTION.value


def in_original(document: Document, path: str) -> Raw | None:
    """Return the slice at a path inside the original format; None where the document does not have it."""
    return next((found for copy in _copies_of_original(document) if (found := copy.get(path)) is not None), None)


def _copies_of_original(document: Document) -> Iterator[Document]:
    """Yield the copies of the original format in a document: the reference's own, and the one among the formats."""
    original = document.get_key("original")
    if original is None:
        return
    id, reference = reference_id(original), document.get("original.reference")
    if reference is not None:
        yield Document(bytes(reference))
    formats = document.get_key("formats")
    for member, copy in () if formats is None else answers.split(formats, "formats"):
        if member == id:
            yield copy


def bytes_in(document: Document, record: Record) -> bytes:
    """Return the bytes of the original format in a document; none where they are absent.

    Raises:
        DecodeError: they are not a list of bytes.
    """
    stored = in_original(document, "fragment.bytes.raw|file.bytes.raw")
    try:
        # Nothing but a list: of a number, bytes() would make as many zeros.
        return b"" if stored is None else bytes(msgspec.json.decode(stored, type=list[int]))
    except (*BROKEN, ValueError) as error:
        raise malformed(bytes(stored or b""), kinds.ASSET.name, record.id, error, "bytes") from error


def with_original(context: Context, record: Record, document: Document) -> Document:
    """Return an asset's document with its original format among the formats, read from the server.

    Requests: one GET of the format.

    Raises:
        DecodeError: the document does not name the original format.
    """
    original = document.get("original")
    if original is None:
        message = f"The server does not say which is the original format of {record!r}, so its content is unknown."
        raise DecodeError(message, kind=kinds.ASSET.name, id=record.id, field="original")
    format = reading.read(context.connection, kinds.FORMAT, reference_id(original), {"transferable": True})
    return Document(merging.merge(document, {"formats": {"iterable": [Raw(format.data)]}}))


def _in_member(document: Document, collection: str, key: str, value: str, path: str) -> Raw | None:
    """Return the slice at a path inside the first member of a collection whose key has this text."""
    members = document.get(collection)
    copies = () if members is None else (copy for _, copy in answers.split(members, collection))
    return next((copy.get(path) for copy in copies if (raw := copy.get(key)) and json.loads(bytes(raw)) == value), None)


def _without_copies(relation: Raw) -> list[str]:
    """Return the ids of members that a relation only names."""
    copied = {id for id, _ in answers.nested(relation)}
    return [id for id in answers.member_ids(relation) if id not in copied]


@attrs.define(slots=False, eq=False)
class OriginalField(CompletedField):
    """A field of the original format; its wire path is the one inside the format."""

    @cached_property
    def parts(self) -> frozenset[str]:
        """The keys of the format that this field is read from; a format always has one of them."""
        return frozenset(path.split(".")[0] for path in self.wire.split("|"))

    @property
    def keys(self) -> frozenset[str]:
        """The top-level keys of an asset's document that lead to the original format."""
        return frozenset({"original", "formats"})

    def locate(self, document: Document) -> Raw | None:
        """Return the slice of this field in the original format; None when it is absent or null."""
        return in_original(document, self.wire)

    def is_left_out(self, document: Document) -> bool:
        """Tell whether the document has no copy of the original format, or one without what this field is read from.

        One that was asked for without contents says nothing of contents; it does not leave them out.
        """
        if self.contents and not document.contents:
            return False
        return all(copy.get_key(part) is None for copy in _copies_of_original(document) for part in self.parts)

    def complete(self, context: Context, record: Record, document: Document) -> Document:
        """Return the document with the original format, where the server left it out.

        Requests: none when the document has it; else one GET of the format.
        """
        return with_original(context, record, document) if self.is_left_out(document) else document


class _TextOnlyField(OriginalField, EndpointField):
    """A field that images do not have."""

    touches: ClassVar[str] = "formats"

    def check_settable(self, record: Record) -> None:
        """Refuse to set what an image does not have.

        Raises:
            InvalidValueError: it is an image.
        """
        classification = known_value(record, "classification")
        if classification is not None and classification.generic == GenericClassification.IMAGE:
            message = f"The {self.name} of {record!r} cannot be set, because it is an image: create another asset."
            raise InvalidValueError(message)


class TextField(_TextOnlyField):
    """The content as text, saved by POST /format/update/value."""

    def check_savable(self, record: Record, fresh: Document) -> None:
        """Refuse to save a text where the server names no format that could hold it.

        Raises:
            InvalidValueError: it names none.
        """
        if fresh.get("original") is None:
            message = f"The text of {record!r} cannot be saved: the server names no original format."
            raise InvalidValueError(message)

    def send(self, context: Context, record: Record, value: Any, fresh: Document) -> Document | None:  # noqa: ARG002
        """Change the content of the original format, which is read first."""
        original = fresh.get("original")
        assert original is not None  # as check_savable has seen
        document = reading.read(context.connection, kinds.FORMAT, reference_id(original), {"transferable": True})
        body = answers.plain(document, kinds.FORMAT.name, reference_id(original))
        holder = "file" if body.get("file") else "fragment"
        content = {**(body.get(holder) or {}), "string": {"raw": value}}
        content.pop("bytes", None)
        context.connection.post(routes.FORMAT_UPDATE_VALUE, {**body, holder: content})
        return None


class LanguageField(_TextOnlyField):
    """The language, saved by POST /asset/reclassify."""

    sends_document: ClassVar[bool] = True

    @cached_property
    def decode(self) -> Callable[[Any], Any]:
        """The function that decodes a slice; a name that is not known is told from the others by its class."""
        text = decoding.decoder(self.resolved)
        return lambda raw: as_language(text(raw))

    def spellings(self, value: Any) -> Sequence[Any]:
        """Return the wire's names of a language; those that a server sent are not all the ones that are sent here."""
        return [value] if value is None else spellings(value)

    def send(self, context: Context, record: Record, value: Any, fresh: Document) -> Document | None:
        """Change the language; the answer is the asset's new document."""
        body = {"ext": value, "asset": Raw(fresh.data)}
        route = routes.ASSET_RECLASSIFY
        data = context.connection.call(route, query={"transferables": True}, body=decoding.encode(body))
        return answers.one(data, kinds.ASSET.name, record.id)[1]


class DescriptionField(EndpointField):
    """The text of the annotation that describes the asset."""

    copied_from: ClassVar[str] = "annotations"

    def read_member(self, member: Document) -> Raw | None:
        """Return the slice of an annotation's text, if it is one that describes."""
        kind = member.get("type")
        is_description = kind is not None and json.loads(bytes(kind)) == _DESCRIPTION
        return member.get("text") if is_description else None

    @property
    def keys(self) -> frozenset[str]:
        """The top-level key of the annotations."""
        return frozenset({"annotations"})

    def locate(self, document: Document) -> Raw | None:
        """Return the slice of the describing annotation's text; None when there is none."""
        return _in_member(document, "annotations", "type", _DESCRIPTION, "text")

    def is_left_out(self, document: Document) -> bool:
        """Tell whether the document leaves out the annotations, or the copy of one that may describe the asset."""
        annotations = document.get("annotations")
        if annotations is None:
            return True
        return self.locate(document) is None and bool(_without_copies(annotations))

    def complete(self, context: Context, record: Record, document: Document) -> Document:
        """Return the document with its annotations, each read anew that the server left out.

        Requests: none when the document has them; else one GET for each that it only names. Where it names none, those
        of `read_related_ids` and one GET for each.
        """
        if not self.is_left_out(document):
            return document
        annotations = document.get("annotations")
        if annotations is not None:
            copies = [Raw(copy.data) for _, copy in answers.nested(annotations)]
            return self._with_annotations(context, document, _without_copies(annotations), copies)
        relation = record._schema.relations["annotations"]
        found = relation_loading.read_missing_ids(context, relation, [record]).get(record.id)
        if found is None:
            return reading.read(context.connection, kinds.ASSET, record.id)
        return self._with_annotations(context, document, found, [])

    def _with_annotations(
        self, context: Context, document: Document, ids: Sequence[str], copies: Sequence[Raw]
    ) -> Document:
        read = [Raw(reading.read(context.connection, kinds.ANNOTATION, id).data) for id in ids]
        members = [*copies, *read]
        data = merging.merge(document, {"annotations": {"iterable": members}})
        return Document(data, contents=document.contents)

    def ask(self, context: Context, record: Record, value: Any) -> None:
        """Let receivers of `deleting` veto the deletion of the annotation, as far as it is known."""
        document = record._state.document
        id = None if document is None else _in_member(document, "annotations", "type", _DESCRIPTION, "id")
        if value is None and id is not None:
            commands.ask_to_delete(
                context, context.identity_map.ref(Annotation, reference_id(id, kinds.ANNOTATION.name))
            )

    def send(self, context: Context, record: Record, value: Any, fresh: Document) -> Document | None:
        """Change, make or delete the annotation that describes the asset.

        The fresh document says which one that is, and only its text is changed: edits of an annotation that somebody
        holds are theirs to save.
        """
        id = _in_member(fresh, "annotations", "type", _DESCRIPTION, "id")
        described = (
            None if id is None else context.identity_map.ref(Annotation, reference_id(id, kinds.ANNOTATION.name))
        )
        if described is None and value is not None:
            asset: Any = record
            seed = Annotation._seed(context, value, AnnotationType.DESCRIPTION, asset=asset)
            creating.create(context, Annotation, [seed])
        elif described is not None and value is not None:
            persistence.put(context, described, {"text": value})
        elif described is not None:
            commands.delete(context, described, is_asked=True)
        return None
