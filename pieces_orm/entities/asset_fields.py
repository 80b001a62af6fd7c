"""The fields of an asset that stand in other documents, and are saved by other endpoints than the update route.

Text, language and classification are those of the format that the asset was made with; the description is an
annotation.
"""

from __future__ import annotations

import json
from typing import Any, ClassVar

import attrs
from msgspec import Raw

from ..documents import answers, decoding, merging
from ..documents.document import Document, reference_id
from ..errors import InvalidValueError
from ..model.fields import Field
from ..model.record import Record, known_value
from ..orm import creating, persistence, reading, relation_loading
from ..orm.context import Context
from ..orm.persistence import EndpointField
from ..values import AnnotationType, GenericClassification
from ..wire import kinds, routes
from .annotation import Annotation


def in_original(document: Document, path: str) -> Raw | None:
    """Return the slice at a path inside the original format: in the reference's own copy, else among the formats."""
    reference, copy = document.get("original"), document.get("original.reference")
    found = None if copy is None else Document(bytes(copy)).get(path)
    if found is not None or reference is None:
        return found
    return _in_member(document, "formats", "id", reference_id(reference), path)


def _in_member(document: Document, collection: str, key: str, value: str, path: str) -> Raw | None:
    """Return the slice at a path inside the first member of a collection whose key has this text."""
    members = document.get(collection)
    copies = () if members is None else (copy for _, copy in answers.split(members, collection))
    return next((copy.get(path) for copy in copies if (raw := copy.get(key)) and json.loads(bytes(raw)) == value), None)


@attrs.define(slots=False, eq=False)
class OriginalField(Field):
    """A field of the original format; its wire path is the one inside the format."""

    @property
    def keys(self) -> frozenset[str]:
        """The top-level keys of an asset's document that lead to the original format."""
        return frozenset({"original", "formats"})

    def locate(self, document: Document) -> Raw | None:
        """Return the slice of this field in the original format; None when it is absent or null."""
        return in_original(document, self.wire)


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

    def send(self, context: Context, record: Record, value: Any, fresh: Document) -> Document | None:
        """Change the content of the original format, which is read first."""
        original = fresh.get("original")
        if original is None:
            message = f"The text of {record!r} cannot be saved: the server names no original format."
            raise InvalidValueError(message)
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
        is_description = kind is not None and json.loads(bytes(kind)) == AnnotationType.DESCRIPTION.value
        return member.get("text") if is_description else None

    @property
    def keys(self) -> frozenset[str]:
        """The top-level key of the annotations."""
        return frozenset({"annotations"})

    def locate(self, document: Document) -> Raw | None:
        """Return the slice of the describing annotation's text; None when there is none."""
        return _in_member(document, "annotations", "type", AnnotationType.DESCRIPTION.value, "text")

    def is_left_out(self, document: Document) -> bool:
        """Tell whether the document leaves out the annotations."""
        return document.get("annotations") is None

    def complete(self, context: Context, record: Record, document: Document) -> Document:
        """Return the document with its annotations, each read anew where the server left them out.

        Requests: none when the document has them; else those of `read_related_ids`, and one GET for each.
        """
        if not self.is_left_out(document):
            return document
        relation = record._schema.relations["annotations"]
        found = relation_loading.read_missing_ids(context, relation, [record]).get(record.id)
        if found is None:
            return reading.read(context.connection, kinds.ASSET, record.id)
        members = [Raw(reading.read(context.connection, kinds.ANNOTATION, id).data) for id in found]
        data = merging.merge(document, {"annotations": {"iterable": members}})
        return Document(data, contents=document.contents)

    def send(self, context: Context, record: Record, value: Any, fresh: Document) -> Document | None:
        """Change, make or delete the annotation that describes the asset.

        The fresh document says which one that is, and only its text is changed: edits of an annotation that somebody
        holds are theirs to save.
        """
        id = _in_member(fresh, "annotations", "type", AnnotationType.DESCRIPTION.value, "id")
        described = None if id is None else context.identity_map.ref(Annotation, json.loads(bytes(id)))
        if described is None and value:
            asset: Any = record
            seed = Annotation._seed(context, value, AnnotationType.DESCRIPTION, asset=asset)
            creating.create(context, Annotation, [seed])
        elif described is not None and value:
            persistence.put(context, described, {"text": value})
        elif described is not None:
            described.delete()
        return None
