"""Docstrings of entity classes, composed from their declarations: help() explains every field and relation."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

from .fields import Field
from .relation import Relation

# Fields that mean the same on every kind that has them.
SHARED_MEANINGS: Mapping[str, str] = {
    "application": "The program that it came from.",
    "classification": "The class of the content, such as CODE, and its language or file type.",
    "created": "When it was created.",
    "creator": "The id of the user who created it.",
    "deleted": "When it was deleted; None while it exists.",
    "demo": "Whether it is one of the examples that come with Pieces.",
    "favorited": "Whether somebody marked it as a favourite.",
    "interactions": "How often somebody used it.",
    "mechanism": "How it came about, such as MANUAL or AUTOMATIC.",
    "mechanisms": "How it came to be associated with each asset, by asset id.",
    "name": "The name that people see.",
    "processing": "Where it may be processed: locally, in the cloud, or both.",
    "pseudo": "Whether the server made it without anybody saving it.",
    "score": "How often it was used, by reason.",
    "synced": "When it was last synchronised with the cloud.",
    "updated": "When it was last changed.",
}


def meaning(field: Field) -> str:
    """Return the meaning of a field, in a sentence; "" when nothing declares one."""
    return field.doc or SHARED_MEANINGS.get(field.name, "")


def type_name(field: Field) -> str:
    """Return the type of a field as its declaration spells it."""
    annotation = field.annotation
    return annotation if isinstance(annotation, str) else getattr(annotation, "__name__", str(annotation))


class Docstring:
    """A docstring that is composed when it is read: most programs import the package and never do.

    It stands in a class as `__doc__`: the text of the class, then a line for each field and each relation.
    """

    def __init__(self, text: str | None) -> None:
        self._text = inspect.cleandoc(text or "")

    def __get__(self, instance: object, cls: type[Any]) -> str:
        fields = [_field_line(each) for each in cls._schema.fields.values()]
        relations = [_relation_line(each) for each in cls._schema.relations.values()]
        lists = {"Fields:": fields, "Relations:": relations}
        return "\n\n".join([self._text, *("\n    ".join([title, *lines]) for title, lines in lists.items() if lines)])


def _field_line(field: Field) -> str:
    set_by = ", set by the server" if field.readonly else ""
    return f"{field.name} ({type_name(field)}{set_by}): {meaning(field)}".removesuffix(": ")


def _relation_line(relation: Relation[Any]) -> str:
    number, target = "many" if relation.is_many else "one", relation.target.__name__
    back = f"; the other side is {target}.{relation.back}" if relation.back else ""
    return f"{relation.name}: {number} {target}{back}."
